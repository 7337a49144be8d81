"""What can be done to resources of a type, whichever type it is: by a request of its own, or by an operation of a Bulk request."""

from __future__ import annotations

from typing import Any, Protocol

from scim_server.provisioning import groups, users
from scim_server.scim.matching import Bound
from scim_server.scim.ordering import Order
from scim_server.scim.paging import Paging
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import GROUP_TYPE, USER_TYPE
from scim_server.scim.versions import Precondition
from scim_server.store.unit import Page, Unit


class UseCases(Protocol):
    """What ``users`` and ``groups`` both offer."""

    def create(self, unit: Unit, body: dict[str, Any], *, lenient: bool) -> Resource: ...
    def read(self, unit: Unit, resource_id: str, /, *, links: bool) -> Resource: ...
    def search(self, unit: Unit, where: Bound | None, order: Order | None, paging: Paging, *, links: bool) -> Page: ...
    def replace(self, unit: Unit, resource_id: str, /, body: dict[str, Any], *, lenient: bool, precondition: Precondition) -> Resource: ...
    def patch(self, unit: Unit, resource_id: str, /, body: dict[str, Any], *, lenient: bool, precondition: Precondition) -> Resource: ...
    def delete(self, unit: Unit, resource_id: str, /, *, precondition: Precondition) -> None: ...


USE_CASES: dict[str, UseCases] = {USER_TYPE.name: users, GROUP_TYPE.name: groups}
"""By the name of the resource type."""
