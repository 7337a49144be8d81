"""Documents and filters for the tests of the store."""

from __future__ import annotations

from typing import Any

from scim_server.scim.definitions import load
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import Bound, bind
from scim_server.scim.resources import Document, Resource, accept
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP, GROUP_TYPE, USER, USER_TYPE, Extension, ResourceType
from scim_server.store.unit import Unit

NOBODY = "0190a000-0000-7000-8000-000000000000"
"""A well-formed id that no resource has."""


def user(user_name: str, **attributes: Any) -> Document:
    return accept(USER_TYPE, {"schemas": [USER, ENTERPRISE_USER], "userName": user_name, **attributes}, lenient=True).document


def group(display_name: str, **attributes: Any) -> Document:
    return accept(GROUP_TYPE, {"schemas": [GROUP], "displayName": display_name, **attributes}, lenient=True).document


def employee(name: str, **attributes: Any) -> Document:
    """A user with a value of most kinds."""
    return user(
        name,
        externalId=f"ext-{name}",
        displayName=f"Display {name}",
        name={"givenName": name, "familyName": "Example"},
        emails=[{"type": "work", "value": f"{name}@example.com", "primary": True}, {"type": "home", "value": f"{name}@home.example"}],
        **attributes,
    )


def managed_by(manager_id: str) -> dict[str, Any]:
    return {ENTERPRISE_USER: {"manager": {"value": manager_id}}}


ACME = "urn:example:acme:User"


def own_schema(*attributes: dict[str, Any], urn: str = ACME) -> Extension:
    """A schema of a tenant's own, with a unique ``badge`` if nothing else is said."""
    return Extension("User", load({"id": urn, "attributes": list(attributes) or [{"name": "badge", "uniqueness": "server"}]}))


def with_badge(document: Document, badge: str) -> Document:
    return {**document, "schemas": [*document["schemas"], ACME], ACME: {"badge": badge}}


def where(text: str, resource_type: ResourceType = USER_TYPE) -> Bound:
    return bind(parse_filter(text), resource_type)


def where_group(text: str) -> Bound:
    return where(text, GROUP_TYPE)


def notice(unit: Unit, changed: Resource) -> None:
    """Wait for an answer, with which a failure of what was put off comes at the latest."""
    assert unit.users.get(NOBODY) is None, changed
