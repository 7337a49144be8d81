"""Booleans that came as text, where the schema has a boolean: ``"True"`` -> ``true``.

Mappings in which everything is text make them, whoever's client it is. Entra's dialect (``entra``)
has this rewrite among its own; here it is alone, for clients that have no other. Any JSON goes in,
nothing is raised, and a strict request comes out as it went in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from scim_server.scim.attributes import Attribute, Target, Type
from scim_server.scim.errors import InvalidFilter, InvalidPath
from scim_server.scim.filters import Compare, Filter, Path, Present, parse_filter, parse_path, rewritten
from scim_server.scim.schemas import ResourceType

_VALUES = {"true": True, "false": False}


def normalise(resource_type: ResourceType, method: str, query: Mapping[str, str], body: Any) -> tuple[dict[str, str], Any]:
    """The request with booleans for text. Query and body are not changed in place."""
    query = dict(query)
    text = query.get("filter")
    if text is not None and _may_hold_one(text):
        query["filter"] = _filter(resource_type, text)
    if isinstance(body, dict):
        if method == "PATCH":
            body = {name: _operations(resource_type, value) if name.lower() == "operations" else value for name, value in body.items()}
        elif method in ("POST", "PUT"):
            body = _attributes(resource_type, body, "")
    return query, body


def _may_hold_one(text: str) -> bool:
    lowered = text.lower()
    return '"true"' in lowered or '"false"' in lowered


def _filter(resource_type: ResourceType, text: str) -> str:
    """``active eq "True"`` -> ``active eq true``"""
    try:
        tree = parse_filter(text)
    except InvalidFilter:
        return text
    typed = rewritten(tree, partial(_comparison, resource_type))
    return text if typed == tree else str(typed)


def _comparison(resource_type: ResourceType, node: Compare | Present, outer: str) -> Filter:
    """A comparison with a boolean in it; ``outer`` is the attribute in whose brackets it stands."""
    if isinstance(node, Present):
        return node
    target = resource_type.resolve(f"{outer}.{node.path}" if outer else node.path)
    return Compare(node.path, node.op, _typed(target.leaf, node.value)) if target and target.attribute else node


def _operations(resource_type: ResourceType, operations: Any) -> Any:
    if not isinstance(operations, list):
        return operations
    return [_operation(resource_type, each) if isinstance(each, dict) else each for each in operations]


def _operation(resource_type: ResourceType, operation: dict[str, Any]) -> dict[str, Any]:
    """``{"path": "active", "value": "False"}`` -> ``{"path": "active", "value": false}``, with a path and without"""
    names = {name.lower(): name for name in operation}
    path, value = (operation.get(names.get(name, name)) for name in ("path", "value"))
    if isinstance(path, str):
        path, target = _path(resource_type, path)
        typed = {"path": path, "value": _at(resource_type, path, target, value)}
    elif path is None and isinstance(value, dict):
        typed = {"value": _attributes(resource_type, value, "")}
    else:
        return operation
    return {name: typed.get(name.lower(), each) for name, each in operation.items()}


def _attributes(resource_type: ResourceType, value: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Several attributes at once, each under its path."""
    typed = {}
    for name, each in value.items():
        if not isinstance(each, (str, list, dict)):
            typed[name] = each
            continue
        path, target = _path(resource_type, prefix + name)
        typed[path[len(prefix) :]] = _at(resource_type, path, target, each)
    return typed


def _at(resource_type: ResourceType, path: str, target: Target | None, value: Any) -> Any:
    if target is None:
        return value
    if target.attribute is None:
        return _attributes(resource_type, value, f"{path}:") if isinstance(value, dict) else value
    return _typed(target.leaf, value)


def _path(resource_type: ResourceType, path: str) -> tuple[str, Target | None]:
    """``emails[primary eq "True"].value`` -> ``emails[primary eq true].value``; and what it points to."""
    if "[" not in path:
        return path, resource_type.resolve(path)
    try:
        parsed = parse_path(path)
    except InvalidPath:
        return path, None
    target = resource_type.resolve(f"{parsed.attribute}.{parsed.sub}" if parsed.sub else parsed.attribute)
    if parsed.filter is None or not _may_hold_one(path):
        return path, target
    typed = rewritten(parsed.filter, partial(_comparison, resource_type), parsed.attribute)
    return (path if typed == parsed.filter else str(Path(parsed.attribute, typed, parsed.sub))), target


def _typed(attribute: Attribute, value: Any) -> Any:
    if isinstance(value, str):
        return _VALUES.get(value.lower(), value) if attribute.type is Type.BOOLEAN else value
    if isinstance(value, list):
        return [each if isinstance(each, list) else _typed(attribute, each) for each in value]
    if isinstance(value, dict) and attribute.is_complex:
        return {name: _typed(sub, each) if (sub := attribute.sub(name)) else each for name, each in value.items()}
    return value
