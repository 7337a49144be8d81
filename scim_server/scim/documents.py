"""Documents: the canonical form in which resources are kept, and how values get into it.

Names are as the schema spells them; nothing is null, no array or object is empty, no element of a
multi-valued attribute is there twice, ``schemas`` is as the content demands. Values themselves are
kept as they were sent. What the server knows better is in no document: ``id``, ``meta``,
``groups``, ``members``, ``password``, and what follows from a ``value``: ``$ref``, ``displayName``.

A ``$ref`` beside a ``value`` is taken from clients and dropped: it says nothing that the value does
not say, and whoever sends back what he was given (PUT after GET) must change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from scim_server.scim import values
from scim_server.scim.attributes import Attribute, Mutability, Type
from scim_server.scim.errors import InvalidSyntax, InvalidValue
from scim_server.scim.schemas import COMMON, GROUP_SCHEMA, ResourceType, Schema

Document: TypeAlias = dict[str, Any]

_LENGTH_AT_A_GLANCE = values.MAX_STRING // 4
_NOT_KEPT = (Mutability.READ_ONLY, Mutability.WRITE_ONLY)


@dataclass(frozen=True, slots=True)
class Field:
    """What an object may hold under a name. ``kept`` is False for what clients send in vain.

    ``plain``: one string that is not required, so any text will do.
    """

    name: str
    holder: Attribute | Schema
    kept: bool
    plain: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A resource type, turned into tables.

    ``fields``: common attributes, core attributes, extensions; by the schema's spelling and in lower
    case. ``immutable``: with the URN of the extension, None for the resource itself. ``members``:
    the attribute whose elements are rows of their own.
    """

    fields: dict[str, Field]
    extensions: dict[str, Schema]
    required: tuple[Attribute, ...]
    immutable: tuple[tuple[str | None, Attribute], ...]
    members: Attribute | None
    has_active: bool


@lru_cache(maxsize=256)
def layout_of(resource_type: ResourceType) -> Layout:
    """The tables of a resource type; made once."""
    own = (*COMMON.attributes, *resource_type.schema.attributes)
    members = resource_type.schema.attribute("members") if resource_type.schema is GROUP_SCHEMA else None
    placed = [(None, each) for each in own] + [(e.id, each) for e in resource_type.extensions for each in e.attributes]
    unkept = (COMMON.attribute("schemas"), members)
    fields = [_field(each, each.mutability not in _NOT_KEPT and each not in unkept) for each in own]
    fields += [Field(each.id, each, kept=True, plain=False) for each in resource_type.extensions]
    return Layout(
        fields=_by_spelling(fields),
        extensions={each.id: each for each in resource_type.extensions},
        required=tuple(each for each in own if each.required and each.mutability not in _NOT_KEPT),
        immutable=tuple((urn, each) for urn, each in placed if each.mutability is Mutability.IMMUTABLE),
        members=members,
        has_active=any(each.name == "active" and each.type is Type.BOOLEAN for each in own),
    )


@lru_cache(maxsize=4096)
def fields_of(holder: Attribute | Schema) -> dict[str, Field]:
    """What a complex attribute or an extension may hold, by the schema's spelling and in lower case."""
    inner = holder.attributes if isinstance(holder, Schema) else holder.sub_attributes
    has_value = any(each.name == "value" for each in inner)
    return _by_spelling([_field(each, each.mutability not in _NOT_KEPT and not (each.name == "$ref" and has_value)) for each in inner])


def _field(attribute: Attribute, kept: bool) -> Field:
    plain = kept and attribute.type is Type.STRING and not attribute.multi_valued and not attribute.required
    return Field(attribute.name, attribute, kept, plain)


def _by_spelling(fields: list[Field]) -> dict[str, Field]:
    return {spelling: each for each in fields for spelling in (each.name.lower(), each.name)}


def is_text(value: Any) -> bool:
    """Whether ``values.check`` would pass the value as a string, told at a glance; False: it may or may not.

    Nothing printable is a control character or half a character, and no character is longer than four bytes.
    """
    return type(value) is str and value.isprintable() and len(value) <= _LENGTH_AT_A_GLANCE


def writable(attribute: Attribute, sub: Attribute | None = None) -> bool:
    """Whether a client may write the attribute, or that sub-attribute of it. What is write-only it may."""
    if attribute.mutability is Mutability.READ_ONLY:
        return False
    return sub is None or fields_of(attribute)[sub.name].kept


def canonical(holder: Attribute | Schema, raw: Any, name: str, *, lenient: bool, single: bool = False) -> Any:
    """The canonical form of a JSON value of an attribute, or of a whole extension; None if that is no value.

    null, an empty array and an object without values are no value (RFC 7643 §2.5). ``single``: one
    value will do where the attribute is multi-valued, as in PATCH. ``name`` is what a refusal calls
    it. InvalidValue if it does not fit; InvalidSyntax for unknown names unless ``lenient``.
    """
    if raw is None or (isinstance(raw, list) and not raw):
        return None
    if isinstance(holder, Schema) or not holder.multi_valued:
        return _one(holder, raw, name, lenient)
    elements = [value for each in _listed(raw, name, single) if (value := _one(holder, each, name, lenient)) is not None]
    if len(elements) > 1:
        elements = distinct(holder, elements)
        if sum(map(is_primary, elements)) > 1:
            raise InvalidValue(f"More than one of {name} is primary.")
    return elements or None


def parts(holder: Attribute | Schema, raw: Any, name: str, *, lenient: bool) -> dict[str, Any]:
    """The canonical values in an object, by name; None where the object says that there is no value.

    None as well for what is not kept, since no document holds it.
    """
    if not isinstance(raw, dict):
        raise InvalidValue(f"{name} must be an object.")
    known = fields_of(holder)
    result: dict[str, Any] = {}
    for key, value in raw.items():
        field = known.get(key) or known.get(key.lower())
        if field is None:
            if lenient:
                continue
            raise InvalidSyntax(f"{name} has no sub-attribute {key[:100]!r}.")
        if field.name in result:
            raise InvalidSyntax(f"{name} holds {field.name} twice; names are compared without regard to case.")
        if field.plain and is_text(value):
            result[field.name] = value
        elif field.kept:
            result[field.name] = canonical(field.holder, value, joined(holder, name, field.name), lenient=lenient)
        else:
            result[field.name] = None
    return result


def joined(holder: Attribute | Schema, name: str, part: str) -> str:
    """The notation of a part of something that is called ``name``."""
    return f"{name}{':' if isinstance(holder, Schema) else '.'}{part}"


def _one(holder: Attribute | Schema, raw: Any, name: str, lenient: bool) -> Any:
    """One value, be the attribute multi-valued or not; None if that is no value."""
    if raw is None:
        return None
    if isinstance(holder, Attribute) and holder.type is not Type.COMPLEX:
        return values.check(holder, raw, name)
    found = parts(holder, raw, name, lenient=lenient)
    if None in found.values():
        found = {part: value for part, value in found.items() if value is not None}
    if found:
        demand_parts(holder, found, name)
    return found or None


def _listed(raw: Any, name: str, single: bool) -> list[Any]:
    if isinstance(raw, list):
        return raw
    if single:
        return [raw]
    raise InvalidValue(f"{name} is multi-valued: it must be an array.")


def member_ids(members: Attribute, raw: Any, *, lenient: bool, single: bool = False) -> tuple[str, ...]:
    """The ids in a value of ``members``, each once, in their order."""
    if raw is None:
        return ()
    ids: dict[str, None] = {}
    for each in _listed(raw, members.name, single):
        member = _one(members, each, members.name, lenient)
        if member is None:
            raise InvalidValue(f"Each of {members.name} needs a value: the id of the member.")
        ids[member["value"]] = None
    return tuple(ids)


def demand(attribute: Attribute, value: Any, name: str) -> None:
    """InvalidValue if the attribute is required, and this is no value or a string with nothing to see."""
    if attribute.required and (value is None or (isinstance(value, str) and not value.strip())):
        raise InvalidValue(f"{name} is required and must not be empty.")


def demand_parts(holder: Attribute | Schema, value: dict[str, Any], name: str) -> None:
    """InvalidValue if an object lacks what is required of it."""
    for each in _required(holder):
        demand(each, value.get(each.name), joined(holder, name, each.name))


@lru_cache(maxsize=4096)
def _required(holder: Attribute | Schema) -> tuple[Attribute, ...]:
    inner = holder.attributes if isinstance(holder, Schema) else holder.sub_attributes
    return tuple(each for each in inner if each.required and each.mutability not in _NOT_KEPT)


def distinct(attribute: Attribute, elements: Iterable[Any]) -> list[Any]:
    """The elements, each once (RFC 7643 §2.4): a later one that is the same adds to the earlier.

    The earlier one keeps the spelling of what makes them the same.
    """
    result: dict[Any, Any] = {}
    for element in elements:
        same = identity(attribute, element)
        old = result.get(same)
        if old is None:
            result[same] = element
        elif isinstance(old, dict):
            shared = telling(old)
            news = {name: value for name, value in element.items() if name not in shared}
            if "primary" not in old and not is_primary(element):
                news.pop("primary", None)  # absent and false are one state
            result[same] = {**old, **news}
    return list(result.values())


def identity(attribute: Attribute, element: Any) -> Any:
    """What tells one element of a multi-valued attribute from another, as something hashable."""
    if not isinstance(element, dict):
        return _key(attribute, element)
    return tuple((name, _key(attribute.sub(name), element.get(name))) for name in telling(element))


def telling(element: dict[str, Any]) -> Sequence[str]:
    """The names that make two elements the same: type and value; where there is no value, all but primary."""
    return ("type", "value") if "value" in element else sorted(element.keys() - {"primary"})


def _key(attribute: Attribute | None, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return tuple(_key(attribute, each) for each in value)
    try:
        return values.key(attribute, value) if attribute else repr(value)
    except InvalidValue:  # stored before the schema became what it is
        return repr(value)


def is_primary(element: Any) -> bool:
    return isinstance(element, dict) and element.get("primary") is True


def schemas_of(resource_type: ResourceType, document: Document) -> list[str]:
    """The URNs of the schemas that the content uses: the base, and the extensions that have values."""
    return [resource_type.schema.id, *(each.id for each in resource_type.extensions if each.id in document)]


def urns_of(resource_type: ResourceType) -> set[str]:
    """The URNs, in lower case, that ``schemas`` of such a resource may hold."""
    return {each.id.lower() for each in (resource_type.schema, *resource_type.extensions)}


def unknown(resource_type: ResourceType, notation: str) -> str:
    """The detail of a refusal of an attribute that the resource type does not have."""
    nearby = resource_type.nearby(notation)
    hint = f" It has {' and '.join(nearby)}." if nearby else ""
    return f"{resource_type.name} has no attribute {notation[:200]!r}.{hint}"
