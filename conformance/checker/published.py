"""Attributes that a server publishes in its schemas, looked for by what they are; and values that they should take.

Whatever extension a server has, a check of (say) decimals works on the first decimal attribute of users that is found there.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from conformance.checker.answer import Document

# What an attribute is where its schema says nothing (RFC 7643 §2.2).
_DEFAULTS: Document = {
    "type": "string",
    "multiValued": False,
    "required": False,
    "caseExact": False,
    "mutability": "readWrite",
    "returned": "default",
    "uniqueness": "none",
}
_NO_RESOURCE = {"external", "uri"}  # the kinds of references that are no resources
_OF_CHECKS_OF_THEIR_OWN = {"id", "externalId", "meta", "schemas", "userName", "displayName", "password"}

CERTIFICATE = (
    "MIIBHzCBxaADAgECAgEBMAoGCCqGSM49BAMCMBkxFzAVBgNVBAMMDmNoZWNrcy5leGFtcGxlMB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTAwMDAw"
    "MFowGTEXMBUGA1UEAwwOY2hlY2tzLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ2mjmmgAVeJq0KVDn3rCCfOXdYV//SzRMZeTlH"
    "5zrXkFdqbNvgKRdhZixZPPH+wS94qxPKvleMnQCMLw12jxAXMAoGCCqGSM49BAMCA0kAMEYCIQC4Mk52PzeKhbQODLuWIoVnwK7fyDZ8uhrHXJZ/"
    "5v37fgIhAPIycdSuYQ6QoVE2jek0BFg33Oa75UkPysoC6lpsRmK3"
)
"""A certificate of nobody's, for x509Certificates."""

# What RFC 7643 asks of values beyond their type; {} is a word.
_SPECIAL = {
    "locale": "da-DK",
    "preferredLanguage": "da-DK",
    "timezone": "Europe/Copenhagen",
    "addresses.country": "DK",
    "emails.value": "{}@checks.example",
    "phoneNumbers.value": "+45 55 00 11-22",
    "x509Certificates.value": CERTIFICATE,
}


def said(definition: Document, name: str) -> Any:
    """A characteristic of an attribute: what its schema says, or the default."""
    return definition.get(name, _DEFAULTS.get(name))


def listed(attributes: Any) -> list[Document]:
    """The definitions among what a schema has as attributes or sub-attributes."""
    return [each for each in attributes if isinstance(each, dict) and each.get("name")] if isinstance(attributes, list) else []


def parts(definition: Document) -> list[Document]:
    """The sub-attributes."""
    return listed(definition.get("subAttributes"))


@dataclass(frozen=True, slots=True)
class Published:
    """An attribute of users: its `definition`, and the `urn` of the extension that it is in (None: of the User schema itself)."""

    urn: str | None
    definition: Document

    @property
    def name(self) -> str:
        return str(self.definition["name"])

    @property
    def path(self) -> str:
        """As it is written in filters and paths."""
        return f"{self.urn}:{self.name}" if self.urn else self.name

    @property
    def keys(self) -> tuple[str, ...]:
        """Where its value lies in a user."""
        return (self.urn, self.name) if self.urn else (self.name,)

    def of(self, value: Any) -> Document:
        """What of a user's body gives it this value."""
        return {self.urn: {self.name: value}} if self.urn else {self.name: value}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of attributes: in words, and as a condition."""

    words: str
    fits: Callable[[Document], bool]


def _is(**characteristics: Any) -> Callable[[Document], bool]:
    return lambda definition: all(said(definition, name) == value for name, value in characteristics.items())


def _plain(type: str, **more: Any) -> Callable[[Document], bool]:
    """One value of the type, free to be written, returned by default, bound to nothing; but for what is said in `more`."""
    usual = {"multiValued": False, "required": False, "mutability": "readWrite", "returned": "default", "uniqueness": "none"}
    fits = _is(type=type, **(usual | more))
    return lambda definition: fits(definition) and not definition.get("canonicalValues") and _refers_to_anything(definition)


def _refers_to_anything(definition: Document) -> bool:
    kinds = definition.get("referenceTypes")
    return not isinstance(kinds, list) or not kinds or any(kind in _NO_RESOURCE for kind in kinds)


def _with_part(**characteristics: Any) -> Callable[[Document], bool]:
    """A complex attribute that can be written and has such a sub-attribute."""
    whole, part = _is(type="complex", mutability="readWrite", returned="default"), _is(**characteristics)
    return lambda definition: whole(definition) and any(part(each) for each in parts(definition))


WANTED = {
    "a boolean": Wanted("of type boolean", _plain("boolean")),
    "an integer": Wanted("of type integer", _plain("integer")),
    "a decimal": Wanted("of type decimal", _plain("decimal")),
    "a dateTime": Wanted("of type dateTime", _plain("dateTime")),
    "a binary": Wanted("of type binary", _plain("binary")),
    "a reference": Wanted("of type reference, to anything", _plain("reference")),
    "a unique attribute": Wanted("that is unique", _plain("string", uniqueness="server")),
    "an immutable attribute": Wanted("that is immutable", _plain("string", mutability="immutable")),
    "a read-only attribute": Wanted("that is readOnly", _plain("string", mutability="readOnly")),
    "a required read-only attribute": Wanted("that is required and readOnly", _plain("string", mutability="readOnly", required=True)),
    "an attribute on request": Wanted("that is returned on request", _plain("string", returned="request")),
    "an attribute returned always": Wanted("that is always returned", _plain("string", returned="always")),
    "an attribute returned never": Wanted("that is never returned", _plain("string", returned="never")),
    "several texts": Wanted("of several simple texts", _plain("string", multiValued=True)),
    "a part of several texts": Wanted("with a sub-attribute of several values", _with_part(type="string", multiValued=True)),
    "a required part": Wanted("with a sub-attribute that is required", _with_part(required=True, mutability="readWrite")),
}
"""Needs of checks: the kind of an attribute of users that they are tried on. userName and the like are not meant by any."""


def found(need: str, attributes: Iterable[Published]) -> Published | None:
    """The first attribute of the kind, those of extensions before those of the User schema."""
    fitting = [each for each in attributes if each.name not in _OF_CHECKS_OF_THEIR_OWN and WANTED[need].fits(each.definition)]
    return min(fitting, key=lambda each: each.urn is None, default=None)


def writable(definition: Document) -> bool:
    """Whether clients give it a value, and see it again by default."""
    return said(definition, "mutability") in ("readWrite", "immutable") and said(definition, "returned") in ("always", "default")


def sample(definition: Document, word: str, where: str = "") -> Any:
    """A value that the attribute should take, another one for another word; None if it cannot be made up (it names a resource).

    `where` is the name of what it is a sub-attribute of.
    """
    path = f"{where}.{definition['name']}" if where else str(definition["name"])
    one = _complex(definition, word, path) if said(definition, "type") == "complex" else _simple(definition, word, path)
    return [one] if said(definition, "multiValued") and one is not None else one


def _complex(definition: Document, word: str, path: str) -> Document | None:
    if any(said(part, "type") == "reference" and not _refers_to_anything(part) for part in parts(definition)):
        return None
    values = {part["name"]: sample(part, word, path) for part in parts(definition) if writable(part)}
    return {name: value for name, value in values.items() if value is not None} or None


def _simple(definition: Document, word: str, path: str) -> Any:
    if path in _SPECIAL:
        return _SPECIAL[path].format(word)
    chosen = definition.get("canonicalValues")
    number = zlib.crc32(word.encode()) % 1_000_000
    values = {
        "string": chosen[0] if isinstance(chosen, list) and chosen else f"{word}-{path.rpartition('.')[2]}",
        "boolean": True,
        "integer": number,
        "decimal": number + 0.5,
        "dateTime": "2020-02-29T12:00:00Z",
        "binary": "YQ==",
        "reference": f"https://checks.example/{word}" if _refers_to_anything(definition) else None,
    }
    return values.get(str(said(definition, "type")))
