"""Walks by cursor (RFC 9865): from the parameters of a request to a page, and from a page to the cursor of the next."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from scim_server.events import Scope
from scim_server.http.requests import Incoming
from scim_server.scim import paging
from scim_server.scim.errors import InvalidCount, InvalidCursor, InvalidValue
from scim_server.scim.paging import Paging, Position
from scim_server.store.unit import Page
from scim_server.tenancy.cursors import Cursors

_SAME = ("filter", "sortBy", "sortOrder", "attributes", "excludedAttributes")
"""What must stay as it was on the first page (RFC 9865 §2)."""


@dataclass(frozen=True, slots=True)
class Walks:
    """The walks at one endpoint."""

    endpoint: str
    cursors: Cursors
    max_results: int

    def paging(self, incoming: Incoming, scope: Scope) -> Paging:
        """The page that is asked for: the first one, if the cursor is empty.

        InvalidCursor, ExpiredCursor; InvalidCount if ``count`` is no number, or not that of the first page.
        """
        query = incoming.query
        if "startIndex" in query:
            raise InvalidValue("cursor and startIndex cannot be used together: a walk is by the one or by the other.")
        try:
            first = paging.parse(None, query.get("count"), maximum=self.max_results)
        except InvalidValue as fault:
            raise InvalidCount(fault.detail) from fault
        if not query["cursor"]:
            return first
        told = self.cursors.open(scope.tenant_id, query["cursor"])
        if told[0] != self._asked(query, scope):
            raise InvalidCursor("The cursor is of another query. Send the parameters of the first page, or begin with an empty cursor.")
        _, count, total, resource_id, key = told
        if "count" in query and first.count != count:
            raise InvalidCount(f"count was {count} on the first page, and stays so during the walk.")
        return Paging(1, count, Position(resource_id, key), total)

    def next_cursor(self, incoming: Incoming, page: Page, asked: Paging, scope: Scope) -> str | None:
        """The cursor of the next page; None if this is the last."""
        if page.end is None:
            return None
        return self.cursors.seal(scope.tenant_id, [self._asked(incoming.query, scope), asked.count, page.total, page.end.id, page.end.key])

    def _asked(self, query: dict[str, str], scope: Scope) -> str:
        """The query, and the tenant's schemas: when they change, what is compared may be another thing."""
        told: list[Any] = [self.endpoint, scope.schemas, *(query.get(name) for name in _SAME)]
        return hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]
