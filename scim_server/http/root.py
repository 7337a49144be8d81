"""The root: one query over users and groups together (RFC 7644 §3.4.2.1), by GET or by POST /.search.

Without a sort users come first, each type by age; so each page is at most two queries. With one, all that comes before the page has
to be laid side by side, which is done up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from scim_server.http import requests, responses
from scim_server.provisioning.use_cases import USE_CASES
from scim_server.scim import ordering, paging
from scim_server.scim.errors import InvalidValue, NotFound, TooMany
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import Bound, Key, bind
from scim_server.scim.messages import list_response
from scim_server.scim.ordering import Order
from scim_server.scim.paging import Paging
from scim_server.scim.projection import Projection
from scim_server.scim.references import in_filter
from scim_server.scim.resources import represent
from scim_server.scim.schemas import ResourceType
from scim_server.store.unit import Store, Unit

DEEPEST_SORTED = 2000
_LINKED = {"User": "groups", "Group": "members"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of the resources of one type."""

    resource_type: ResourceType
    where: Bound | None
    order: Order | None
    projection: Projection

    def page(self, unit: Unit, start: int, count: int, base_url: str) -> tuple[int, list[dict[str, Any]]]:
        """How many there are, and some of them as they are represented."""
        linked = _LINKED[self.resource_type.name]
        links = self.projection.wants(linked) or (self.order is not None and str(self.order.target).startswith(linked))
        use_cases = USE_CASES[self.resource_type.name]
        found = use_cases.search(unit, self.where, self.order, Paging(start, count), links=links)
        return found.total, [represent(each, base_url) for each in found.resources]


@dataclass(frozen=True, slots=True)
class Root:
    """The queries at the root."""

    store: Store
    base_url: str
    max_results: int

    def register(self, blueprint: Blueprint) -> None:
        """Add the routes."""
        for rule, method, view in (("/", "GET", self.search), ("/.search", "POST", self.search_by_post)):
            name = f"root_{view.__name__}"
            blueprint.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False, strict_slashes=False)

    def search(self) -> Response:
        query = requests.parameters()
        # Whoever puts an endpoint's path behind a Tenant URL that ends in a flag asks for /Users, and would be shown everybody.
        if not request.path.endswith("/") or any("/" in name for name in query):
            raise NotFound(f"There is nothing at this address. The endpoints are listed at {request.path.rstrip('/')}/ResourceTypes.")
        return self._search(query)

    def search_by_post(self) -> Response:
        return self._search(requests.search_message())

    def _search(self, query: dict[str, str]) -> Response:
        if "cursor" in query:
            raise InvalidValue("A walk by cursor is at /Users or /Groups; what is found at the root is paged by startIndex.")
        asked = list(_asked(list(self.store.types(g.scope)), query, self.base_url))
        place = paging.parse(query.get("startIndex"), query.get("count"), maximum=self.max_results)
        with self.store.read(g.scope) as unit:
            total, shown = self._sorted(unit, asked, place) if query.get("sortBy") else self._one_after_another(unit, asked, place)
        return responses.json(list_response(shown, total, place.start_index))

    def _one_after_another(self, unit: Unit, asked: list[_Asked], place: Paging) -> tuple[int, list[dict[str, Any]]]:
        total = 0
        shown: list[dict[str, Any]] = []
        for each in asked:
            there, found = each.page(unit, max(place.start_index - total, 1), place.count - len(shown), self.base_url)
            total += there
            shown += [each.projection.apply(one) for one in found]
        return total, shown

    def _sorted(self, unit: Unit, asked: list[_Asked], place: Paging) -> tuple[int, list[dict[str, Any]]]:
        last = place.start_index - 1 + place.count
        if last > DEEPEST_SORTED:
            raise TooMany(f"At the root the first {DEEPEST_SORTED} of a sorted result can be seen. Sort at /Users or /Groups.")
        total = 0
        keyed: list[tuple[Key | None, str, dict[str, Any]]] = []
        for each in asked:
            there, found = each.page(unit, 1, last, self.base_url)
            total += there
            for one in found:
                key = None if each.order is None else ordering.key_of(each.order.target, one)
                keyed.append((key, one["id"], each.projection.apply(one)))
        descending = any(each.order.descending for each in asked if each.order)
        return total, ordering.ranked(keyed, descending)[place.start_index - 1 : last]


def _asked(types: list[ResourceType], query: dict[str, str], root: str) -> Iterator[_Asked]:
    """The query as each type understands it. What only another one has is without a value; what none has is refused."""
    text, sort_by, sort_order = query.get("filter"), query.get("sortBy"), query.get("sortOrder")
    parsed = None if text is None else parse_filter(text)
    known = [each for each in types if sort_by and each.resolve(sort_by)]
    for each in types:
        others = [other for other in types if other is not each]
        yield _Asked(
            each,
            None if parsed is None else bind(in_filter(parsed, each, root), each, others),
            ordering.bind(each, sort_by if each in known or not known else None, sort_order),
            Projection.parse(each, query.get("attributes"), query.get("excludedAttributes")),
        )
