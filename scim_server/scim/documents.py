"""Documents: the canonical form in which resources are kept, and how values get into it.

Names are as the schema spells them; nothing is null, no array or object is empty, no element of a
multi-valued attribute is there twice, ``schemas`` is as the content demands. Values themselves are
kept as they were sent. What the server knows better is in no document: ``id``, ``meta``,
``groups``, ``members``, ``password``, and what follows from a ``value``: ``$ref``, ``displayName``.

A member's ``$ref`` is taken from clients and dropped: it says nothing that the ``value`` does
not say, and whoever sends back what he was given (PUT after GET) must change nothing. What nobody is
ever shown (writeOnly, or returned never) is held to its type, and dropped as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from scim_server.scim import contents, values
from scim_server.scim.attributes import Attribute, Mutability, Type, derived
from scim_server.scim.errors import InvalidSyntax, InvalidValue
from scim_server.scim.schemas import COMMON, GROUP_SCHEMA, RESOURCE_TYPES, SCHEMAS, USER_SCHEMA, USER_TYPE, ResourceType, Schema

Document: TypeAlias = dict[str, Any]

_LENGTH_AT_A_GLANCE = values.MAX_STRING // 4
_MEMBERS = GROUP_SCHEMA.attribute("members")
assert _MEMBERS is not None
_UNKEPT = (SCHEMAS, _MEMBERS, _MEMBERS.sub("$ref"), USER_SCHEMA.attribute("password"))
"""What clients may write, and no document holds: it stands in rows, or follows from something else, or is not looked at."""
_CONTENTS: dict[Attribute, Callable[[str, str], None]] = {
    target.leaf: content
    for name, content in (
        ("userName", contents.user_name),
        ("password", contents.password),
        ("addresses.country", contents.country),
        ("x509Certificates.value", contents.certificate),
    )
    if (target := USER_TYPE.resolve(name)) is not None
}
"""Attributes of which more is asked than their type."""
_EVERYBODYS = frozenset(
    part
    for each in RESOURCE_TYPES
    for schema in (each.schema, *each.extensions)
    for attribute in schema.attributes
    for part in (attribute, *attribute.sub_attributes)
)


@dataclass(frozen=True, slots=True)
class Field:
    """What an object may hold under a name. ``kept`` is False for what clients send in vain.

    ``plain``: one string that is not required, so any text will do; ``free``: for strict clients, too.
    """

    name: str
    holder: Attribute | Schema
    kept: bool
    plain: bool
    free: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A resource type, turned into tables.

    ``fields``: common attributes, core attributes, extensions; by the schema's spelling and in lower
    case. ``immutable``: with the URN of the extension, None for the resource itself. ``members``:
    the attribute whose elements are rows of their own. ``exact``: it has numbers that a float may not hold.
    """

    fields: dict[str, Field]
    extensions: dict[str, Schema]
    required: tuple[Attribute, ...]
    immutable: tuple[tuple[str | None, Attribute], ...]
    members: Attribute | None
    has_active: bool
    exact: bool


@derived
def layout_of(resource_type: ResourceType) -> Layout:
    """The tables of a resource type; made once."""
    own = (*COMMON.attributes, *resource_type.schema.attributes)
    placed = [(None, each) for each in own] + [(e.id, each) for e in resource_type.extensions for each in e.attributes]
    fields = [_field(each) for each in own]
    fields += [Field(each.id, each, kept=True, plain=False, free=False) for each in resource_type.extensions]
    return Layout(
        fields=_by_spelling(fields),
        extensions={each.id: each for each in resource_type.extensions},
        required=tuple(each for each in own if each.required and each.kept),
        immutable=tuple((urn, each) for urn, each in placed if each.kept and _holds_immutable(each)),
        members=_MEMBERS if resource_type.schema is GROUP_SCHEMA else None,
        has_active=any(each.name == "active" and each.type is Type.BOOLEAN for each in own),
        exact=any(one.type is Type.DECIMAL for _, each in placed for one in (each, *each.sub_attributes)),
    )


def _holds_immutable(attribute: Attribute) -> bool:
    """Whether it, or a part of its one value, may be set once."""
    parts = () if attribute.multi_valued else attribute.sub_attributes
    return any(each.mutability is Mutability.IMMUTABLE for each in (attribute, *parts))


@derived
def fields_of(holder: Attribute | Schema) -> dict[str, Field]:
    """What a complex attribute or an extension may hold, by the schema's spelling and in lower case."""
    return _by_spelling([_field(each) for each in _inner(holder)])


def _inner(holder: Attribute | Schema) -> tuple[Attribute, ...]:
    return holder.attributes if isinstance(holder, Schema) else holder.sub_attributes


def _field(attribute: Attribute) -> Field:
    kept = attribute.kept and attribute not in _UNKEPT
    plain = kept and attribute.type is Type.STRING and not attribute.multi_valued and not attribute.required
    return Field(attribute.name, attribute, kept, plain, plain and not (_listed_keys(attribute) or attribute in _CONTENTS))


def _by_spelling(fields: list[Field]) -> dict[str, Field]:
    return {spelling: each for each in fields for spelling in (each.name.lower(), each.name)}


def is_text(value: Any) -> bool:
    """Whether ``values.check`` would pass the value as a string, told at a glance; False: it may or may not.

    Nothing printable is a control character or half a character, and no character is longer than four bytes.
    """
    return type(value) is str and value.isprintable() and len(value) <= _LENGTH_AT_A_GLANCE


def writable(attribute: Attribute, sub: Attribute | None = None) -> bool:
    """Whether a client may write the attribute, or that sub-attribute of it. What is write-only it may."""
    parts = (attribute,) if sub is None else (attribute, sub)
    return all(each.mutability is not Mutability.READ_ONLY for each in parts) and sub not in _UNKEPT


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
        if (field.plain if lenient else field.free) and is_text(value):
            result[field.name] = value
        else:
            result[field.name] = taken(field, value, joined(holder, name, field.name), lenient=lenient)
    return result


def taken(field: Field, raw: Any, name: str, *, lenient: bool) -> Any:
    """The canonical form of what a client sent under a name; None if that is no value, or is not kept. InvalidValue."""
    if field.kept:
        return canonical(field.holder, raw, name, lenient=lenient)
    if isinstance(field.holder, Attribute):
        hold_to_type(field.holder, raw, name, lenient=lenient)
    return None


def hold_to_type(attribute: Attribute, raw: Any, name: str, *, lenient: bool) -> None:
    """InvalidValue if what is to be dropped, because nobody is ever shown it, would not fit. What is sent in vain is not looked at,
    nor is a lenient client's password."""
    if not attribute.shown and not (lenient and attribute in _UNKEPT):
        canonical(attribute, raw, name, lenient=lenient, single=True)


def joined(holder: Attribute | Schema, name: str, part: str) -> str:
    """The notation of a part of something that is called ``name``."""
    return f"{name}{':' if isinstance(holder, Schema) else '.'}{part}"


def _one(holder: Attribute | Schema, raw: Any, name: str, lenient: bool) -> Any:
    """One value, be the attribute multi-valued or not; None if that is no value."""
    if raw is None:
        return None
    if isinstance(holder, Attribute) and holder.type is not Type.COMPLEX:
        value = values.check(holder, raw, name)
        if not lenient:
            _check_strictly(holder, value, name)
        return value
    found = parts(holder, raw, name, lenient=lenient)
    if None in found.values():
        found = {part: value for part, value in found.items() if value is not None}
    if found:
        demand_parts(holder, found, name)
    return found or None


def _check_strictly(attribute: Attribute, value: Any, name: str) -> None:
    """What a tenant's own schema suggests, and a strict server insists on (RFC 7643 §2.3.1, §2.3.7): listed values, kinds of references.

    What RFC 7643 lists for its own attributes are examples, for a strict server, too; but what is asked of user names, passwords, countries
    and certificates holds.
    """
    if (content := _CONTENTS.get(attribute)) is not None:
        content(value, name)
    listed = _listed_keys(attribute)
    if listed and values.key(attribute, value) not in listed:
        raise InvalidValue(f"{name} must be one of {', '.join(attribute.canonical_values)[:500]}.")
    endpoints = _endpoints(attribute)
    if endpoints and not any(endpoint in f"/{value}" for endpoint in endpoints):
        raise InvalidValue(f"{name} must be the address of a {' or '.join(attribute.reference_types)}, as in {endpoints[0][1:]}….")


@derived
def _listed_keys(attribute: Attribute) -> frozenset[str | int]:
    listed = () if attribute in _EVERYBODYS else attribute.canonical_values
    return frozenset(values.key(attribute, each) for each in listed)


@derived
def _endpoints(attribute: Attribute) -> tuple[str, ...]:
    """What an address of one of the resources that may be referred to has in it; nothing where any URI will do."""
    known = {each.name: f"{each.endpoint}/" for each in RESOURCE_TYPES}
    named = attribute.reference_types if attribute.type is Type.REFERENCE else ()
    return tuple(known[each] for each in named) if all(each in known for each in named) else ()


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


@derived
def _required(holder: Attribute | Schema) -> tuple[Attribute, ...]:
    return tuple(each for each in _inner(holder) if each.required and each.kept)


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


def same(attribute: Attribute, one: Any, other: Any) -> bool:
    """Whether two values of an attribute differ in nothing that it distinguishes: in case, the form of a date, the order of elements."""
    if one == other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            sub is not None and same(sub, one[name], other[name]) for name in one for sub in (attribute.sub(name),)
        )
    if isinstance(one, list) and isinstance(other, list):
        others = {identity(attribute, each): each for each in other}
        paired = [(each, others.get(identity(attribute, each))) for each in one]
        return len(one) == len(other) and all(pair is not None and same(attribute, each, pair) for each, pair in paired)
    return bool(_key(attribute, one) == _key(attribute, other))


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
