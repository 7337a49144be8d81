"""A schema of a tenant's own with an attribute of every kind, and clients of tenants that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scim_server.scim.definitions import load
from scim_server.scim.schemas import Extension

if TYPE_CHECKING:
    from tests.http.conftest import Scim

ACME = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
TEAM = "urn:example:acme:Team"

ATTRIBUTES: list[dict[str, Any]] = [
    {"name": "badge", "uniqueness": "server"},
    {"name": "serial", "uniqueness": "global", "caseExact": True, "multiValued": True},
    {"name": "level", "type": "integer"},
    {"name": "pay", "type": "decimal"},
    {"name": "remote", "type": "boolean"},
    {"name": "since", "type": "dateTime"},
    {"name": "key", "type": "binary"},
    {"name": "page", "type": "reference", "referenceTypes": ["external"]},
    {"name": "mentor", "type": "reference", "referenceTypes": ["User"]},
    {"name": "grade", "canonicalValues": ["junior", "Senior"]},
    {"name": "code", "caseExact": True},
    {"name": "tags", "multiValued": True},
    {"name": "born", "mutability": "immutable"},
    {"name": "score", "mutability": "readOnly"},
    {"name": "pin", "mutability": "writeOnly"},
    {"name": "ssn", "returned": "never"},
    {"name": "note", "returned": "request"},
    {"name": "mark", "returned": "always"},
    {
        "name": "desk",
        "type": "complex",
        "subAttributes": [
            {"name": "floor", "type": "integer", "required": True},
            {"name": "room"},
            {"name": "plan", "returned": "request"},
            {"name": "since", "mutability": "immutable"},
            {"name": "keys", "multiValued": True},
        ],
    },
    {
        "name": "tools",
        "type": "complex",
        "multiValued": True,
        "subAttributes": [
            {"name": "value"},
            {"name": "type"},
            {"name": "primary", "type": "boolean"},
            {"name": "skus", "multiValued": True},
            {"name": "plate", "uniqueness": "server"},
        ],
    },
]


def extension(attributes: list[dict[str, Any]] | None = None, *, urn: str = ACME, kind: str = "User", required: bool = False) -> Extension:
    return Extension(kind, load({"id": urn, "name": "Acme", "attributes": attributes or ATTRIBUTES}), required)


def values(scim: Scim, user_id: str, *names: str) -> Any:
    """What the user has under the schema; of what is shown on request, these."""
    query = {"attributes": ",".join([ACME, *(f"{ACME}:{each}" for each in names)])} if names else {}
    return scim.get(f"/Users/{user_id}", **query).get_json(force=True).get(ACME, {})


def refusal(answer: Any) -> tuple[int, str | None]:
    assert answer.status_code >= 400, answer.get_data(as_text=True)
    return answer.status_code, answer.get_json(force=True).get("scimType")
