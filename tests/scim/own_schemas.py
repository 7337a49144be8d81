"""Schemas of tenants' own, grown from what RFC 7643 §7 allows; and values that fit, grown from what is published of them.

The second half knows nothing of the first: it reads a Schema resource as a client does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

JSON = dict[str, Any]

URN = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
SIMPLE = ("string", "boolean", "decimal", "integer", "dateTime", "binary", "reference")
NAMES = [
    *("badge", "a-b", "a_b", "x$1", "items", "constructor", "toString", "keys", "userName", "active", "emails", "groups", "members"),
    *("roles", "password", "value", "type", "orders", "nullable", "notes", "Eqv", "z" * 100),
]
SUB_NAMES = ["value", "type", "display", "primary", "$ref", "code", "Since", "x-y", "skus", "id", "meta"]
_PREDEFINED = {"type": "string", "display": "string", "primary": "boolean", "$ref": "reference"}


# What an operator may define


@st.composite
def definitions(draw: st.DrawFn, urn: str = URN) -> JSON:
    """A definition that is accepted."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique_by=str.lower))
    return {"id": urn, "name": draw(st.sampled_from(["Acme", "Ā ✓", ""])), "attributes": [draw(attributes(name)) for name in names]}


@st.composite
def attributes(draw: st.DrawFn, name: str) -> JSON:
    kind = draw(st.sampled_from([*SIMPLE, "complex", "complex"]))
    result = draw(_characteristics(name, kind, may_be_several=True))
    if kind == "complex":
        subs = draw(st.lists(st.sampled_from(SUB_NAMES), min_size=1, max_size=4, unique=True))
        result["subAttributes"] = [
            draw(_characteristics(sub, _PREDEFINED.get(sub) or draw(st.sampled_from(SIMPLE)), may_be_several=sub in ("code", "skus")))
            for sub in subs
        ]
    return result


@st.composite
def _characteristics(draw: st.DrawFn, name: str, kind: str, *, may_be_several: bool) -> JSON:
    result: JSON = {"name": name, "type": kind}
    if may_be_several and draw(st.booleans()):
        result["multiValued"] = True
    mutability = draw(st.sampled_from(["readWrite", "readWrite", "readWrite", "immutable", "readOnly", "writeOnly"]))
    returned = draw(st.sampled_from(["default", "default", "default", "always", "request", "never"]))
    if mutability == "writeOnly":
        returned = "never"
    elif mutability == "immutable" and returned == "never":
        returned = "default"
    result |= {"mutability": mutability, "returned": returned, "description": draw(st.sampled_from(["", "What it is."]))}
    if returned != "never":
        result["required"] = draw(st.integers(0, 4)) == 0
        if kind in ("string", "integer", "decimal", "dateTime", "reference"):
            result["uniqueness"] = draw(st.sampled_from(["none", "none", "server", "global"]))
    if kind == "string":
        result["caseExact"] = draw(st.booleans())
        result["canonicalValues"] = draw(st.sampled_from([[], [], ["work", "Home", "straße"]]))
    if kind == "reference":
        result["referenceTypes"] = draw(st.sampled_from([["external"], ["uri"], ["User"], ["Group", "User"], []]))
    return result


# What a client makes of what is published


TEXTS = ["Ada", "ada", "STRASSE", "straße", "e\u0301", 'q"u\\o', "%_'", "a/b", "日本", "😀", "x y", "null", "true", "10"]


@st.composite
def values(draw: st.DrawFn, schema: JSON) -> JSON:
    """The values of a resource under a published schema: what is required, and some of the rest."""
    return _object(draw, schema["attributes"])


def _object(draw: st.DrawFn, inner: list[JSON]) -> JSON:
    written = [each for each in inner if each["mutability"] != "readOnly"]
    wanted = [each for each in written if each["required"] or draw(st.booleans())]
    return {each["name"]: value for each in wanted if (value := _value(draw, each)) not in ({}, [])}


def _value(draw: st.DrawFn, attribute: JSON) -> Any:
    if not attribute["multiValued"]:
        return _one(draw, attribute)
    found = [_one(draw, attribute) for _ in range(draw(st.integers(1, 3)))]
    result: list[Any] = []
    for each in found:
        if each == {} or any(_alike(attribute, each, other) for other in result):
            continue
        if isinstance(each, dict) and each.get("primary") and any(other.get("primary") for other in result):
            each["primary"] = False
        result.append(each)
    return result


def _alike(attribute: JSON, one: Any, other: Any) -> bool:
    """Whether a server may take two elements for one (RFC 7643 §2.4): to be on the safe side, if any text is alike."""
    texts = [{str(leaf).casefold().rstrip("=") for leaf in leaves(each)} for each in (one, other)]
    return bool(texts[0] & texts[1]) or {str(each) for each in leaves(one)} == set()


def _one(draw: st.DrawFn, attribute: JSON) -> Any:
    match attribute["type"]:
        case "complex":
            return _object(draw, attribute["subAttributes"])
        case "string":
            return draw(st.sampled_from(attribute.get("canonicalValues") or TEXTS))
        case "boolean":
            return draw(st.booleans())
        case "integer":
            return draw(st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3)))
        case "decimal":
            return draw(st.decimals(-(10**20), 10**20, places=7, allow_nan=False, allow_infinity=False))
        case "dateTime":
            return draw(st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31T13:00:00.5+01:00", "1999-12-31T23:59:59.999999"]))
        case "binary":
            return draw(st.sampled_from(["YQ==", "YWI=", "AAEC/+8="]))
        case "reference":
            named = [each for each in attribute.get("referenceTypes", []) if each in ("User", "Group")]
            path = f"{named[0]}s/{draw(st.integers(1, 5))}" if named else f"other/{draw(st.integers(1, 5))}"
            return draw(st.sampled_from(["https://h/v2/", "../", ""])) + path
    raise AssertionError(attribute)


def shown(schema: JSON, value: JSON) -> JSON:
    """What of sent values a client may expect back, if it asks for all of it."""
    return _shown(schema["attributes"], value)


def _shown(inner: list[JSON], value: JSON) -> JSON:
    result: JSON = {}
    for each in inner:
        if each["name"] not in value or "never" in (each["returned"],) or each["mutability"] in ("readOnly", "writeOnly"):
            continue
        found = value[each["name"]]
        if each["type"] == "complex":
            subs = each["subAttributes"]
            found = [one for e in found if (one := _shown(subs, e))] if isinstance(found, list) else _shown(subs, found)
        if found not in ({}, []):
            result[each["name"]] = found
    return result


def notations(schema: JSON) -> Iterator[tuple[str, JSON, JSON | None]]:
    """Every attribute that has values of its own: its notation, itself, the sub-attribute if it is one."""
    for each in schema["attributes"]:
        if each["type"] != "complex":
            yield f"{schema['id']}:{each['name']}", each, None
        for sub in each.get("subAttributes", ()):
            yield f"{schema['id']}:{each['name']}.{sub['name']}", each, sub


def found_at(value: JSON, attribute: JSON, sub: JSON | None) -> list[Any]:
    """The values of one attribute or sub-attribute."""
    at = [value]
    for part in (attribute, sub):
        if part is not None:
            at = [one for each in at if part["name"] in each for one in _listed(each[part["name"]])]
    return at


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    elif not isinstance(value, bool):
        yield value


def text(value: Any) -> str:
    """JSON, with the digits that a decimal has."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


def padded(encoded: str) -> bytes:
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4))
