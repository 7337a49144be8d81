"""/Users and /Groups: parse, one use case, render.

Both endpoints are the same but for their use cases and for what a PATCH answers: a user in full,
a group with 204, since a group can have any number of members (RFC 7644 §3.5.2 allows either).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flask import Blueprint, Response, g

from scim_server.http import requests, responses
from scim_server.scim import patch as scim_patch
from scim_server.scim.matching import Bound
from scim_server.scim.paging import Paging
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import ResourceType
from scim_server.store.unit import Page, Store, Unit

T = TypeVar("T")


class UseCases(Protocol):
    """What ``provisioning.users`` and ``provisioning.groups`` both offer."""

    def create(self, unit: Unit, body: dict[str, Any], *, lenient: bool) -> Resource: ...
    def read(self, unit: Unit, resource_id: str, /, *, links: bool) -> Resource: ...
    def search(self, unit: Unit, where: Bound | None, paging: Paging, *, links: bool) -> Page: ...
    def replace(self, unit: Unit, resource_id: str, /, body: dict[str, Any], *, lenient: bool) -> Resource: ...
    def patch(self, unit: Unit, resource_id: str, /, plan: scim_patch.Plan, *, lenient: bool) -> Resource: ...
    def delete(self, unit: Unit, resource_id: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One resource type at its endpoint. ``linked`` is the attribute whose elements are rows of other resources."""

    resource_type: ResourceType
    use_cases: UseCases
    linked: str
    patch_answers_in_full: bool
    store: Store
    base_url: str
    max_results: int

    def register(self, blueprint: Blueprint) -> None:
        """Add the routes of the collection and of one resource."""
        one = self.resource_type.endpoint + "/<resource_id>"
        for rule, method, view in (
            (self.resource_type.endpoint, "GET", self.search),
            (self.resource_type.endpoint, "POST", self.create),
            (one, "GET", self.read),
            (one, "PUT", self.replace),
            (one, "PATCH", self.patch),
            (one, "DELETE", self.delete),
        ):
            name = f"{self.resource_type.name}_{view.__name__}"
            blueprint.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False, strict_slashes=False)

    def search(self) -> Response:
        incoming = self._incoming()
        projection, where, paging = incoming.projection, incoming.filter, incoming.paging(self.max_results)
        with self.store.read(g.scope) as unit:
            found = self.use_cases.search(unit, where, paging, links=projection.wants(self.linked))
        return responses.page(found, self.base_url, projection, paging.start_index)

    def create(self) -> Response:
        incoming = self._incoming()
        projection = incoming.projection
        made = self._change(lambda unit: self.use_cases.create(unit, incoming.body, lenient=g.client.lenient))
        return responses.resource(made, self.base_url, projection, 201)

    def read(self, resource_id: str) -> Response:
        projection = self._incoming().projection
        with self.store.read(g.scope) as unit:
            found = self.use_cases.read(unit, resource_id, links=projection.wants(self.linked))
        return responses.resource(found, self.base_url, projection)

    def replace(self, resource_id: str) -> Response:
        incoming = self._incoming()
        projection = incoming.projection
        replaced = self._change(lambda unit: self.use_cases.replace(unit, resource_id, incoming.body, lenient=g.client.lenient))
        return responses.resource(replaced, self.base_url, projection)

    def patch(self, resource_id: str) -> Response:
        incoming = self._incoming()
        lenient, projection = g.client.lenient, incoming.projection
        plan = scim_patch.plan(self.resource_type, scim_patch.parse(incoming.body), lenient=lenient)
        in_full = self.patch_answers_in_full or incoming.asks_for_body

        def change(unit: Unit) -> Resource:
            changed = self.use_cases.patch(unit, resource_id, plan, lenient=lenient)
            if in_full and changed.links is None and projection.wants(self.linked):
                return self.use_cases.read(unit, resource_id, links=True)
            return changed

        changed = self._change(change)
        return responses.resource(changed, self.base_url, projection) if in_full else responses.empty(changed)

    def delete(self, resource_id: str) -> Response:
        self._change(lambda unit: self.use_cases.delete(unit, resource_id))
        return responses.empty()

    def _incoming(self) -> requests.Incoming:
        return requests.read(self.resource_type, g.client)

    def _change(self, use_case: Callable[[Unit], T]) -> T:
        return self.store.transact(g.scope, use_case)
