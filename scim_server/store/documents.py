"""From rows to Resources and back: documents as JSON text, instants as text, lifted keys."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from scim_server.scim import json_text, resources, values
from scim_server.scim.attributes import Uniqueness, derived
from scim_server.scim.documents import layout_of
from scim_server.scim.matching import WAY
from scim_server.scim.resources import Document, Link, Resource
from scim_server.scim.schemas import ENTERPRISE_USER, EVERYBODYS, ResourceType
from scim_server.store import ids
from scim_server.store.connections import Row

_MAX_INDEXED = 1024  # bytes; PostgreSQL refuses index entries of more than a third of a page


def dump(value: Any) -> str:
    """As JSON text."""
    return json_text.dumps(value).decode()


def instant_text(instant: datetime) -> str:
    """As both databases take it: text whose order is that of the instants, as comparison keys are."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant(value: Any) -> datetime:
    """As the drivers give it: text from SQLite, else a datetime."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def indexed(key: str) -> str:
    """What an indexed column has in place of a key: the key itself, or its hash where it is too long for an index.

    Equal exactly if the keys are equal: no key begins with a control character.
    """
    if len(key) * 4 <= _MAX_INDEXED or len(key.encode()) <= _MAX_INDEXED:
        return key
    return "\x01" + hashlib.sha256(key.encode()).hexdigest()


def unique_key(key: str | int) -> str:
    """A comparison key as ``unique_values`` has it."""
    return indexed(str(key))


def unique_values(resource_type: ResourceType, keys: dict[str, Any]) -> dict[str, set[str]]:
    """What is to be unique in a comparison document, by the way to the attribute (``matching.ways``)."""
    found: dict[str, set[str]] = {}
    for way in unique_ways(resource_type):
        at: list[Any] = [keys]
        for name in way:
            at = [one for each in at if name in each for one in (each[name] if isinstance(each[name], list) else [each[name]])]
        if at:
            found[WAY.join(way)] = {unique_key(each) for each in at}
    return found


@derived
def unique_ways(resource_type: ResourceType) -> tuple[tuple[str, ...], ...]:
    """Where the values are that a tenant's own schemas want to be unique."""
    own = [each for each in resource_type.extensions if each.id not in EVERYBODYS]
    at_top = [((schema.id, each.name), each) for schema in own for each in schema.attributes if each.kept]
    within = [((*way, sub.name), sub) for way, each in at_top for sub in each.sub_attributes if sub.kept]
    return tuple(way for way, each in (*at_top, *within) if each.uniqueness is not Uniqueness.NONE)


def user(row: Row, user_type: ResourceType) -> Resource:
    """A row of (id, version, created, modified, doc, manager, groups); without groups if they were not read."""
    user_id, version, created, modified, document, manager, *links = row
    return Resource(
        user_type,
        user_id,
        version,
        instant(created),
        instant(modified),
        json_text.loads(document, exact=layout_of(user_type).exact),
        tuple(Link(group_id, display, "direct") for group_id, display in _json(links[0])) if links else None,
        manager_link(manager),
    )


def group(row: Row, group_type: ResourceType) -> Resource:
    """A row of (id, version, created, modified, doc, members); without members if they were not read."""
    group_id, version, created, modified, document, *links = row
    return Resource(
        group_type,
        group_id,
        version,
        instant(created),
        instant(modified),
        json_text.loads(document, exact=layout_of(group_type).exact),
        members(links[0]) if links else None,
    )


def manager_link(text: str | None) -> Link | None:
    """JSON of [id, display], or none."""
    if not text:
        return None
    manager_id, display = orjson.loads(text)
    return Link(manager_id, display, "User")


def members(text: str | None) -> tuple[Link, ...]:
    """JSON of [id, display, type], or none."""
    return tuple(Link(*each) for each in _json(text))


def user_columns(user_type: ResourceType, document: Document) -> tuple[dict[str, Any], set[str]]:
    """What is stored of a user's document in ``users``, and the e-mail values in ``user_emails``."""
    keys = resources.keys(user_type, document)
    columns = {
        "doc": dump(document),
        "keys": dump(keys),
        "user_name_key": user_name_key(document["userName"]),
        "external_id": _indexed(keys.get("externalId")),
        "display_name": document.get("displayName"),
        "active": document.get("active"),
        "manager_id": manager_id(document),
    }
    return columns, {indexed(email["value"]) for email in keys.get("emails", ()) if "value" in email}


def user_name_key(user_name: str) -> str:
    """By what a userName is found and unique: two that differ in case are one."""
    return indexed(values.username_key(user_name))


def external_id(document: Document) -> str | None:
    """By what the document's ``externalId`` is found, if it has one."""
    value = document.get("externalId")
    return indexed(value) if value else None


def group_columns(group_type: ResourceType, document: Document) -> dict[str, Any]:
    """What is stored of a group's document in ``groups``."""
    keys = resources.keys(group_type, document)
    return {
        "doc": dump(document),
        "keys": dump(keys),
        "external_id": _indexed(keys.get("externalId")),
        "display_name": document["displayName"],
        "display_name_key": indexed(keys["displayName"]),
    }


def is_active(document: Document) -> bool:
    """Whether the document lets the user in: unless it says no (``active`` is true by default)."""
    return document.get("active", True) is not False


def primary_email(document: Document) -> str | None:
    """The user's primary e-mail address, or else the first."""
    listed = [each for each in document.get("emails", ()) if each.get("value")]
    chosen = next((each for each in listed if each.get("primary")), listed[0] if listed else None)
    return chosen["value"] if chosen else None


def manager_id(document: Document) -> str | None:
    """The id of the user that the document names as manager, if it is one that a user could have."""
    value = document.get(ENTERPRISE_USER, {}).get("manager", {}).get("value", "")
    return value if ids.is_id(value) else None


def _indexed(key: str | None) -> str | None:
    return None if key is None else indexed(key)


def _json(text: str | None) -> Any:
    return orjson.loads(text) if text else ()
