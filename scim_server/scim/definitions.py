"""Definitions of schemas (RFC 7643 §7): JSON of a Schema resource to a Schema, or what is wrong with it and where.

What stands in a definition is compared, found, put into JSON paths and shown to others, so it is held to more than the RFC asks:
names that filters can tell from their own words, URNs without characters that mean something in a filter or a path, limits.
What is left out is as RFC 7643 §2.2 says, but that references and binaries are case exact (§2.3.6, §2.3.7), and that what is
write-only is never returned. A characteristic that means nothing for a type (the case of a number) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from scim_server.scim import values
from scim_server.scim.attributes import Attribute, Mutability, Returned, Type, Uniqueness
from scim_server.scim.errors import InvalidValue
from scim_server.scim.messages import PREFIX
from scim_server.scim.schemas import COMMON, EVERYBODYS, RESOURCE_TYPES, Schema

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"

MAX_ATTRIBUTES = 200
"""Of one schema, sub-attributes counted."""
MAX_EXTENSIONS = 20
"""Of one tenant."""
MAX_URN, MAX_NAME, MAX_DESCRIPTION, MAX_CANONICAL_VALUES = 200, 100, 2000, 200
MAX_FAULTS = 20
"""So many are told; then whoever wrote the definition has enough to do."""

# The grammar of a name (RFC 7643 §2.1); and of $ref, which breaks it (erratum 8924).
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9$_-]*|\$ref")
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{1,31}(?::[A-Za-z0-9._-]+)*:[A-Za-z][A-Za-z0-9_-]*", re.IGNORECASE)
_WORDS = frozenset(["eq", "ne", "co", "sw", "ew", "pr", "gt", "ge", "lt", "le", "and", "or", "not", "true", "false", "null"])
_RESERVED = "urn:ietf:params:scim:"
_EXTENSIONS = "urn:ietf:params:scim:schemas:extension:"

_OF_SCHEMA = ("schemas", "id", "name", "description", "attributes", "meta")
_OF_ATTRIBUTE = (
    *("name", "type", "multiValued", "description", "required", "canonicalValues", "caseExact"),
    *("mutability", "returned", "uniqueness", "referenceTypes", "subAttributes"),
)
_CASED = (Type.STRING, Type.REFERENCE, Type.BINARY)
_ALWAYS_EXACT = (Type.REFERENCE, Type.BINARY)
_NEVER_UNIQUE = (Type.BOOLEAN, Type.BINARY, Type.COMPLEX)
_REFERENCE_TYPES = (*(each.name for each in RESOURCE_TYPES), "external", "uri")
_PREDEFINED = {"type": Type.STRING, "primary": Type.BOOLEAN, "display": Type.STRING, "$ref": Type.REFERENCE}

E = TypeVar("E", bound=StrEnum)


class InvalidDefinition(Exception):
    """What is wrong with a definition: ``faults``, each with its place."""

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def load(raw: Any) -> Schema:
    """The schema that a JSON value defines, to extend a resource type. InvalidDefinition, with all faults up to MAX_FAULTS."""
    reader = _Reader()
    schema = reader.schema(raw)
    if reader.faults or schema is None:
        raise InvalidDefinition(reader.faults)
    return schema


def stored(raw: dict[str, Any]) -> Schema:
    """The schema of a definition that was accepted once and is kept in the form that is published (``discovery.schema``)."""
    return Schema(raw["id"], raw["name"], raw["description"], tuple(map(_stored, raw["attributes"])))


def beside(schema: Schema, others: Iterable[str]) -> None:
    """InvalidDefinition if the URN cannot stand beside these: notations of one would be notations of another."""
    urn = schema.id.lower()
    for other in others:
        known = other.lower()
        if urn == known:
            raise InvalidDefinition([f"id is that of a schema that is there already: {other}."])
        if urn.startswith(known + ":") or known.startswith(urn + ":"):
            raise InvalidDefinition(
                [f"id cannot be {schema.id} beside {other}: one is the beginning of the other, so paths would not tell them apart."]
            )


class _Reader:
    """Reads a definition and notes what is wrong with it. What it gives back where something is wrong is of no use."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._attributes = 0

    def schema(self, raw: Any) -> Schema | None:
        members = self._members(raw, "", _OF_SCHEMA)
        if members is None:
            return None
        if members.get("schemas", [SCHEMA]) != [SCHEMA]:
            self._fault("schemas", f"must be [{SCHEMA!r}]: this is no Schema resource.")
        urn = self._urn(members.get("id"))
        name = self._text(members, "", "name", MAX_NAME) or urn.rpartition(":")[2]
        attributes = self._several(members, "attributes", "", inside=False)
        if not self.faults:
            beside(Schema(urn, "", "", ()), EVERYBODYS)
        return Schema(urn, name, self._text(members, "", "description", MAX_DESCRIPTION), attributes)

    def _urn(self, urn: Any) -> str:
        if not isinstance(urn, str):
            self._fault("id", "must be the URN of the schema, such as urn:ietf:params:scim:schemas:extension:acme:2.0:User.")
            return ""
        lowered = urn.lower()
        if len(urn) > MAX_URN or not _URN.fullmatch(urn):
            self._fault(
                "id",
                f"must be a URN of at most {MAX_URN} letters, digits, and . _ - between its colons, whose last part is a name: "
                "such as urn:ietf:params:scim:schemas:extension:acme:2.0:User.",
            )
        elif lowered.startswith(PREFIX):
            self._fault("id", f"must not begin with {PREFIX}: messages do.")
        elif lowered.startswith(_RESERVED) and not lowered.startswith(_EXTENSIONS):
            self._fault("id", f"must not begin with {_RESERVED}, unless with {_EXTENSIONS}: the rest is for the standard's own schemas.")
        return urn

    def _several(self, members: dict[str, Any], name: str, place: str, *, inside: bool) -> tuple[Attribute, ...]:
        """Attributes of a schema; or sub-attributes, ``inside`` an attribute."""
        here = f"{place}.{name}" if place else name
        raw = members.get(name)
        if not isinstance(raw, list) or not raw:
            self._fault(here, "must be an array of at least one.")
            return ()
        self._attributes += len(raw)
        if self._attributes > MAX_ATTRIBUTES:
            self._fault(here, f"makes more than {MAX_ATTRIBUTES} attributes and sub-attributes in all. Split the schema in two.")
            return ()
        found = [self._attribute(each, f"{here}[{n}]", inside=inside) for n, each in enumerate(raw)]
        seen: dict[str, int] = {}
        for n, each in enumerate(found):
            if each is None:
                continue
            first = seen.setdefault(each.name.lower(), n)
            if first != n:
                self._fault(f"{here}[{n}].name", f"is that of {here}[{first}], too; case makes no difference.")
        return tuple(each for each in found if each is not None)

    def _attribute(self, raw: Any, place: str, *, inside: bool) -> Attribute | None:
        members = self._members(raw, place, _OF_ATTRIBUTE)
        if members is None:
            return None
        name = self._name(members.get("name"), place, inside=inside)
        kind = self._one_of(members, place, "type", Type, Type.STRING)
        multi_valued = self._flag(members, place, "multiValued")
        if inside:
            self._as_sub_attribute(name, kind, multi_valued, place)
        mutability = self._one_of(members, place, "mutability", Mutability, Mutability.READ_WRITE)
        hidden = mutability is Mutability.WRITE_ONLY
        attribute = Attribute(
            name,
            kind,
            multi_valued,
            self._flag(members, place, "required"),
            kind in _ALWAYS_EXACT or (self._flag(members, place, "caseExact") and (kind is Type.STRING or kind is Type.COMPLEX)),
            mutability,
            self._one_of(members, place, "returned", Returned, Returned.NEVER if hidden else Returned.DEFAULT),
            self._one_of(members, place, "uniqueness", Uniqueness, Uniqueness.NONE),
            self._text(members, place, "description", MAX_DESCRIPTION),
            self._canonical_values(members, place, kind),
            self._reference_types(members, place, kind),
            self._sub_attributes(members, place, kind, inside=inside),
        )
        self._as_a_whole(attribute, place)
        return attribute

    def _name(self, name: Any, place: str, *, inside: bool) -> str:
        here = f"{place}.name"
        if not isinstance(name, str) or len(name) > MAX_NAME or not _NAME.fullmatch(name):
            self._fault(here, f"must be a letter, and then letters, digits, $, - and _ (RFC 7643 §2.1), {MAX_NAME} characters at most.")
            return ""
        if name.lower() in _WORDS:
            self._fault(here, f"cannot be {name}: that is a word of filters.")
        if not inside and name == "$ref":
            self._fault(here, "cannot be $ref, which is the name of a sub-attribute (RFC 7643 §2.4).")
        if not inside and COMMON.attribute(name) is not None:
            self._fault(here, f"cannot be {name}: every resource has that attribute, and it does not change (RFC 7643 §3.1). Leave it out.")
        return name

    def _as_sub_attribute(self, name: str, kind: Type, multi_valued: bool, place: str) -> None:
        if kind is Type.COMPLEX:
            self._fault(f"{place}.type", "cannot be complex: a sub-attribute has no sub-attributes (RFC 7643 §2.3.8).")
        wanted = _PREDEFINED.get(name.lower())
        if wanted is not None and kind is not wanted:
            self._fault(f"{place}.type", f"must be {wanted}: {name} has its meaning wherever it is used (RFC 7643 §2.4).")
        if multi_valued and (wanted is not None or name.lower() == "value"):
            self._fault(f"{place}.multiValued", f"must be false: {name} is one value (RFC 7643 §2.4).")
        if (wanted is not None and name not in _PREDEFINED) or (name.lower() == "value" and name != "value"):
            self._fault(f"{place}.name", f"must be spelled {name.lower()} (RFC 7643 §2.4).")

    def _sub_attributes(self, members: dict[str, Any], place: str, kind: Type, *, inside: bool) -> tuple[Attribute, ...]:
        if kind is not Type.COMPLEX:
            if members.get("subAttributes"):
                self._fault(f"{place}.subAttributes", f"cannot be there: an attribute of type {kind} has none (RFC 7643 §1.2).")
            return ()
        return () if inside else self._several(members, "subAttributes", place, inside=True)

    def _canonical_values(self, members: dict[str, Any], place: str, kind: Type) -> tuple[str, ...]:
        listed = self._texts(members, place, "canonicalValues", MAX_CANONICAL_VALUES)
        if listed and kind not in (Type.STRING, Type.REFERENCE):
            self._fault(f"{place}.canonicalValues", f"cannot be there: values of type {kind} are no texts.")
        return listed

    def _reference_types(self, members: dict[str, Any], place: str, kind: Type) -> tuple[str, ...]:
        here = f"{place}.referenceTypes"
        listed = self._texts(members, place, "referenceTypes", len(_REFERENCE_TYPES))
        if listed and kind is not Type.REFERENCE:
            self._fault(here, f"can be there on a reference only, and this is of type {kind} (RFC 7643 §7).")
        elif strange := [each for each in listed if each not in _REFERENCE_TYPES]:
            self._fault(here, f"holds {_cut(strange[0])}; there are {', '.join(_REFERENCE_TYPES)}.")
        return listed

    def _as_a_whole(self, attribute: Attribute, place: str) -> None:
        """What does not go together."""
        kind = attribute.type
        if kind is Type.COMPLEX and attribute.case_exact:
            self._fault(f"{place}.caseExact", "cannot be true: a complex attribute has no case (RFC 7643 §2.3.8).")
        if kind in _NEVER_UNIQUE and attribute.uniqueness is not Uniqueness.NONE:
            self._fault(f"{place}.uniqueness", f"must be none: values of type {kind} have no uniqueness (RFC 7643 §2.3).")
        if attribute.mutability is Mutability.WRITE_ONLY and attribute.returned is not Returned.NEVER:
            self._fault(f"{place}.returned", "must be never: what is writeOnly is not returned (RFC 7643 §7).")
        if not attribute.shown:
            kept = "what is never returned is not kept here, so it cannot be"
            if attribute.required:
                self._fault(f"{place}.required", f"must be false: {kept} required.")
            if attribute.mutability is Mutability.IMMUTABLE:
                self._fault(f"{place}.mutability", f"cannot be immutable: {kept} held to what it was.")
            if attribute.uniqueness is not Uniqueness.NONE:
                self._fault(f"{place}.uniqueness", f"must be none: {kept} unique.")

    def _members(self, raw: Any, place: str, known: tuple[str, ...]) -> dict[str, Any] | None:
        """The members of a JSON object, as the RFC spells them; null is as good as none."""
        if not isinstance(raw, dict):
            self._fault(place or "The definition", "must be a JSON object.")
            return None
        spelled = {each.lower(): each for each in known}
        found: dict[str, Any] = {}
        for key, value in raw.items():
            name = spelled.get(key.lower())
            here = f"{place}.{_cut(key)}" if place else _cut(key)
            if name is None:
                self._fault(here, f"is not known here; there are {', '.join(known)}.")
            elif name in found:
                self._fault(here, "is there twice; case makes no difference.")
            elif value is not None:
                found[name] = value
        return found

    def _flag(self, members: dict[str, Any], place: str, name: str) -> bool:
        value = members.get(name, False)
        if not isinstance(value, bool):
            self._fault(f"{place}.{name}", "must be true or false, without quotes.")
        return value is True

    def _one_of(self, members: dict[str, Any], place: str, name: str, kinds: type[E], default: E) -> E:
        value = members.get(name, default)
        if isinstance(value, str) and value in list(kinds):
            return kinds(value)
        self._fault(f"{place}.{name}", f"must be one of {', '.join(kinds)}{f', not {_cut(value)}' if isinstance(value, str) else ''}.")
        return default

    def _text(self, members: dict[str, Any], place: str, name: str, longest: int) -> str:
        return self._checked(members.get(name, ""), f"{place}.{name}" if place else name, longest)

    def _texts(self, members: dict[str, Any], place: str, name: str, most: int) -> tuple[str, ...]:
        raw, here = members.get(name, []), f"{place}.{name}"
        if not isinstance(raw, list) or len(raw) > most:
            self._fault(here, f"must be an array of at most {most} strings.")
            return ()
        texts = [self._checked(each, f"{here}[{n}]", MAX_DESCRIPTION) for n, each in enumerate(raw)]
        for n, each in enumerate(texts):
            if not each or each in texts[:n]:
                self._fault(f"{here}[{n}]", "is there already." if each else "must be a string that is not empty.")
        return tuple(texts)

    def _checked(self, value: Any, place: str, longest: int) -> str:
        if not isinstance(value, str) or len(value) > longest:
            self._fault(place, f"must be a string of at most {longest} characters.")
            return ""
        try:
            return values.text(value, place)
        except InvalidValue as fault:
            self._fault("", fault.detail)
            return ""

    def _fault(self, place: str, text: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(f"{place} {text}".strip())


def _stored(raw: dict[str, Any]) -> Attribute:
    return Attribute(
        raw["name"],
        Type(raw["type"]),
        raw["multiValued"],
        raw["required"],
        raw.get("caseExact", False),
        Mutability(raw["mutability"]),
        Returned(raw["returned"]),
        Uniqueness(raw.get("uniqueness", Uniqueness.NONE)),
        raw["description"],
        tuple(raw.get("canonicalValues", ())),
        tuple(raw.get("referenceTypes", ())),
        tuple(map(_stored, raw.get("subAttributes", ()))),
    )


def _cut(text: str) -> str:
    """A piece of somebody's text for a message, in quotes, of a length that can be read, without characters that cannot."""
    return ascii(text if len(text) <= 60 else text[:60] + "...")
