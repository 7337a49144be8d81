"""/Users and /Groups: parse, one use case, render.

Both endpoints are the same but for their use cases and for what a PATCH answers: a user in full,
a group with 204, since a group can have any number of members (RFC 7644 §3.5.2 allows either).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Blueprint, Response, g

from scim_server.http import requests, responses
from scim_server.http.walks import Walks
from scim_server.provisioning.use_cases import USE_CASES, UseCases
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import ResourceType
from scim_server.store.unit import Store, Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One resource type at its endpoint. ``linked`` is the attribute whose elements are rows of other resources."""

    name: str
    path: str
    linked: str
    patch_answers_in_full: bool
    store: Store
    base_url: str
    walks: Walks

    def register(self, blueprint: Blueprint) -> None:
        """Add the routes of the collection and of one resource."""
        one = self.path + "/<resource_id>"
        for rule, method, view in (
            (self.path, "GET", self.search),
            (self.path, "POST", self.create),
            (self.path + "/.search", "POST", self.search_by_post),
            (one, "GET", self.read),
            (one, "PUT", self.replace),
            (one, "PATCH", self.patch),
            (one, "DELETE", self.delete),
        ):
            name = f"{self.name}_{view.__name__}"
            blueprint.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False, strict_slashes=False)

    def search(self) -> Response:
        return self._search(requests.read(self._resource_type(), g.client))

    def search_by_post(self) -> Response:
        """A query whose parameters come in a message, so that no log of URLs holds them (RFC 7644 §3.4.3)."""
        return self._search(requests.read_search(self._resource_type(), g.client))

    def create(self) -> Response:
        incoming = self._incoming()
        projection = incoming.projection
        made = self._change(lambda unit: self._use_cases.create(unit, incoming.body, lenient=g.client.lenient))
        return responses.resource(made, self.base_url, projection, 201)

    def read(self, resource_id: str) -> Response:
        projection = self._incoming().projection
        with self.store.read(g.scope) as unit:
            found = self._use_cases.read(unit, resource_id, links=projection.wants(self.linked))
        return responses.unless_known(found, self.base_url, projection)

    def replace(self, resource_id: str) -> Response:
        incoming = self._incoming()
        lenient, projection, precondition = g.client.lenient, incoming.projection, requests.precondition()
        replaced = self._change(
            lambda unit: self._use_cases.replace(unit, resource_id, incoming.body, lenient=lenient, precondition=precondition)
        )
        return responses.resource(replaced, self.base_url, projection)

    def patch(self, resource_id: str) -> Response:
        incoming = self._incoming()
        lenient, projection, precondition = g.client.lenient, incoming.projection, requests.precondition()
        in_full = self.patch_answers_in_full or incoming.asks_for_body

        def change(unit: Unit) -> Resource:
            changed = self._use_cases.patch(unit, resource_id, incoming.body, lenient=lenient, precondition=precondition)
            if in_full and changed.links is None and projection.wants(self.linked):
                return self._use_cases.read(unit, resource_id, links=True)
            return changed

        changed = self._change(change)
        return responses.resource(changed, self.base_url, projection) if in_full else responses.empty(changed, self.base_url)

    def delete(self, resource_id: str) -> Response:
        precondition = requests.precondition()
        self._change(lambda unit: self._use_cases.delete(unit, resource_id, precondition=precondition))
        return responses.empty()

    def _search(self, incoming: requests.Incoming) -> Response:
        projection, where, order, walks = incoming.projection, incoming.filter(self.base_url), incoming.order, "cursor" in incoming.query
        paging = self.walks.paging(incoming, g.scope) if walks else incoming.paging(self.walks.max_results)
        with self.store.read(g.scope) as unit:
            found = self._use_cases.search(unit, where, order, paging, links=projection.wants(self.linked))
        if not walks:
            return responses.page(found, self.base_url, projection, paging.start_index)
        return responses.page(found, self.base_url, projection, None, self.walks.next_cursor(incoming, found, paging, g.scope))

    @property
    def _use_cases(self) -> UseCases:
        return USE_CASES[self.name]

    def _resource_type(self) -> ResourceType:
        """What the resources are in the tenant of the present request."""
        found = self.store.types(g.scope).named(self.name)
        assert found is not None
        return found

    def _incoming(self) -> requests.Incoming:
        return requests.read(self._resource_type(), g.client)

    def _change(self, use_case: Callable[[Unit], T]) -> T:
        return self.store.transact(g.scope, use_case)
