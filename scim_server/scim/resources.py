"""Resources: what a client sends in, what is kept, what is compared, what is answered.

    body --accept--> Document --keys------> comparison document, for filters in SQL
                         +------represent-> SCIM JSON, as answered

What a document is, ``documents`` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scim_server.scim import values, versions
from scim_server.scim.attributes import Attribute, Mutability
from scim_server.scim.documents import (
    Document,
    Layout,
    demand,
    demand_parts,
    fields_of,
    is_text,
    layout_of,
    member_ids,
    same,
    schemas_of,
    taken,
    unknown,
    urns_of,
)
from scim_server.scim.errors import InvalidSyntax, InvalidValue, MutabilityError
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP_SCHEMA, GROUP_TYPE, RESOURCE_TYPES, USER_TYPE, ResourceType, Schema

__all__ = ["Document", "Draft", "Link", "Resource", "accept", "keys", "location", "represent"]

_ENDPOINTS = {each.name: each.endpoint for each in RESOURCE_TYPES}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a body asks for. ``members`` are ids; None if the body says nothing of members."""

    document: Document
    members: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Link:
    """Another resource that this one names.

    ``type`` is "direct" for a group of a user, "User" or "Group" for a member of a group, "User"
    for a manager. ``display`` is the other's displayName, None if it has none.
    """

    id: str
    display: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it is kept.

    ``links`` are the groups of a user or the members of a group; None if they were not read.
    ``manager`` is the user that the enterprise ``manager.value`` names, None if there is none such.
    """

    type: ResourceType
    id: str
    version: int
    created: datetime
    modified: datetime
    document: Document
    links: tuple[Link, ...] | None = None
    manager: Link | None = None


def accept(resource_type: ResourceType, body: Any, *, lenient: bool, current: Document | None = None, whole: bool = True) -> Draft:
    """The resource that the body of a POST, or of a PUT on ``current``, asks for.

    RFC 7644 §3.3 and §3.5.1: readOnly attributes are ignored, what is omitted is unassigned. Two
    exceptions: without ``active`` a new user is active and a present one stays as he is, so that
    a sparse PUT neither suspends nor revives anybody; an immutable attribute keeps its value.

    Unknown attributes and URNs are ignored if ``lenient``, else InvalidSyntax and InvalidValue. Unless the
    body is the ``whole`` of the resource, it says nothing of extensions: they are not demanded, and stay as
    they are. InvalidSyntax: ``schemas`` is no array of URNs, or a name occurs twice. InvalidValue: ``schemas``
    lacks the base schema, a required value is missing, a value does not fit its type, or two are
    primary. MutabilityError: an immutable attribute would change.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    layout = layout_of(resource_type)
    document: Document = {"schemas": None}
    members: tuple[str, ...] | None = None
    given: dict[str, Any] = {}
    for key, raw in body.items():
        field = layout.fields.get(key) or layout.fields.get(key.lower())
        if field is None:
            if lenient:
                continue
            raise InvalidSyntax(unknown(resource_type, key))
        if field.name in given:
            raise InvalidSyntax(f"The body holds {field.name} twice; names are compared without regard to case.")
        given[field.name] = raw
        if not whole and field.name in layout.extensions:
            continue
        if (field.plain if lenient else field.free) and is_text(raw):
            document[field.name] = raw
        elif layout.members is not None and field.holder is layout.members:
            members = member_ids(layout.members, raw, lenient=lenient)
        elif (value := taken(field, raw, field.name, lenient=lenient)) is not None:
            document[field.name] = value
    _check_schemas(resource_type, given.get("schemas"), lenient=lenient)
    if layout.has_active and "active" not in given:
        if current is None:
            document["active"] = True
        elif "active" in current:
            document["active"] = current["active"]
    if current is not None:
        if not whole:
            document |= {urn: current[urn] for urn in layout.extensions if urn in current}
        _keep_immutable(layout, document, current, given)
    for attribute in layout.required:
        demand(attribute, document.get(attribute.name), attribute.name)
    if whole:
        _demand_extensions(resource_type, document)
    document["schemas"] = schemas_of(resource_type, document)
    return Draft(document, members)


def keys(resource_type: ResourceType, document: Document) -> dict[str, Any]:
    """The comparison document: shaped as the document, each leaf its comparison key (``values.key``).

    So its leaves are strings and numbers only. Left out: empty strings, which no filter tells from
    absent ones, and whatever no longer fits the schema. Added: "false" as the ``primary`` of
    elements that have none (RFC 7643 §2.4). ``schemas`` is folded.
    """
    layout = layout_of(resource_type)
    result: dict[str, Any] = {"schemas": [values.fold(urn) for urn in document["schemas"]]}
    for name, value in document.items():
        field = layout.fields.get(name)
        if field is not None and field.kept and (key := _keys(field.holder, value)) is not None:
            result[name] = key
    return result


def represent(resource: Resource, base_url: str) -> dict[str, Any]:
    """The SCIM JSON of the resource (RFC 7643 §3), for a service at ``base_url``.

    Only to be read: it shares its inner values with the document.
    """
    document = resource.document
    result: dict[str, Any] = {"schemas": document["schemas"], "id": resource.id}
    result.update(document)
    if resource.manager is not None and "manager" in document.get(ENTERPRISE_USER, ()):
        enterprise = document[ENTERPRISE_USER]
        manager = {**enterprise["manager"], "$ref": f"{base_url}{USER_TYPE.endpoint}/{resource.manager.id}"}
        if resource.manager.display is not None:
            manager["displayName"] = resource.manager.display
        result[ENTERPRISE_USER] = {**enterprise, "manager": manager}
    if resource.links:
        if resource.type.schema is GROUP_SCHEMA:
            result["members"] = [_link(link, base_url + _ENDPOINTS[link.type]) for link in resource.links]
        else:
            groups = base_url + GROUP_TYPE.endpoint
            result["groups"] = [_link(link, groups) for link in resource.links]
    result["meta"] = {
        "resourceType": resource.type.name,
        "created": _timestamp(resource.created),
        "lastModified": _timestamp(resource.modified),
        "location": location(resource, base_url),
        "version": versions.etag(resource.version),
    }
    return result


def location(resource: Resource, base_url: str) -> str:
    """The URI of the resource (RFC 7643 §3.1, ``meta.location``)."""
    return f"{base_url}{resource.type.endpoint}/{resource.id}"


def _check_schemas(resource_type: ResourceType, urns: Any, *, lenient: bool) -> None:
    """Refuse a ``schemas`` that is not what RFC 7643 §3 and §3.3 demand."""
    base = resource_type.schema.id
    if not isinstance(urns, list) or not urns or not all(isinstance(urn, str) for urn in urns):
        raise InvalidSyntax(f'The body must hold "schemas", an array with {base}.')
    named = {urn.lower() for urn in urns}
    if len(named) < len(urns):
        raise InvalidSyntax("schemas names one URN twice.")
    if base.lower() not in named:
        raise InvalidValue(f"schemas must name {base}.")
    if not lenient and (strange := named - urns_of(resource_type)):
        raise InvalidValue(f"{resource_type.name} has no schema {min(strange)[:200]!r}.")


def _demand_extensions(resource_type: ResourceType, document: Document) -> None:
    """InvalidValue if an extension that every resource must have is missing (RFC 7643 §6), or lacks what is required of it."""
    for schema in resource_type.extensions:
        if schema.id in document:
            demand_parts(schema, document[schema.id], schema.id)
        elif schema.id in resource_type.required:
            raise InvalidValue(f"{schema.id} is required: every {resource_type.name} must have values of that schema.")


def _keep_immutable(layout: Layout, document: Document, current: Document, given: dict[str, Any]) -> None:
    """Hold immutable attributes to the value they have (RFC 7644 §3.5.1). What is left out keeps it."""
    for urn, attribute in layout.immutable:
        name = attribute.name
        said = given if urn is None else given.get(urn, {})
        old_holder, new_holder = (current, document) if urn is None else (current.get(urn, {}), document.get(urn, {}))
        old, new = old_holder.get(name), new_holder.get(name)
        if old is None:
            continue
        if attribute.mutability is Mutability.IMMUTABLE:
            held = _held(attribute, old, new, name, is_said=_says(said, name))
        elif new is None:  # a value that is taken away whole takes its parts with it
            continue
        else:
            held = _with_immutable_parts(attribute, old, new, said)
        if held is not new:
            if urn is None:
                document[name] = held
            else:
                document[urn] = {**new_holder, name: held}


def _with_immutable_parts(attribute: Attribute, old: dict[str, Any], new: dict[str, Any], said: Any) -> dict[str, Any]:
    said = _said(said, attribute.name)
    for sub in attribute.sub_attributes:
        if sub.mutability is Mutability.IMMUTABLE and sub.name in old:
            value = new.get(sub.name)
            held = _held(sub, old[sub.name], value, f"{attribute.name}.{sub.name}", is_said=_says(said, sub.name))
            if held is not value:
                new = {**new, sub.name: held}
    return new


def _held(attribute: Attribute, old: Any, new: Any, name: str, *, is_said: bool) -> Any:
    """The value that an immutable attribute has, and keeps. MutabilityError if the client says another."""
    if (new is not None or is_said) and not same(attribute, old, new):
        raise MutabilityError(f"{name} is immutable: it has a value, which cannot change.")
    return old


def _says(said: Any, name: str) -> bool:
    """Whether a client's object has something to say of a name, be it that there is no value; null for the object says it of all."""
    return said is None or (isinstance(said, dict) and any(each.lower() == name.lower() for each in said))


def _said(said: Any, name: str) -> Any:
    return next((said[each] for each in said if each.lower() == name.lower()), {}) if isinstance(said, dict) else None


def _keys(holder: Attribute | Schema, value: Any) -> Any:
    """The comparison form of a value, of its parts if it has parts; None if nothing is left of it."""
    if isinstance(value, list):
        return [key for each in value if (key := _keys(holder, each)) is not None] or None
    if isinstance(value, dict):
        known = fields_of(holder)
        result: dict[str, Any] = {}
        for name, each in value.items():
            if name in known and (key := _keys(known[name].holder, each)) is not None:
                result[name] = key
        if result and "primary" in known and isinstance(holder, Attribute) and holder.multi_valued:
            result.setdefault("primary", "false")
        return result or None
    if value == "" or isinstance(holder, Schema):
        return None
    try:
        return values.key(holder, value)
    except InvalidValue:  # stored before the schema became what it is
        return None


def _link(link: Link, endpoint: str) -> dict[str, str]:
    if link.display is None:
        return {"value": link.id, "$ref": f"{endpoint}/{link.id}", "type": link.type}
    return {"value": link.id, "$ref": f"{endpoint}/{link.id}", "display": link.display, "type": link.type}


def _timestamp(instant: datetime) -> str:
    """As xsd:dateTime in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"
