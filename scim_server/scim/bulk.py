"""Bulk (RFC 7644 §3.7): the message, what its operations refer to, and what can be left for later where they refer to each other.

parse        the message     -> operations, each good by itself or with its fault
references   an operation    -> the bulkIds of others that it needs
resolve      an operation    -> the same, with ids in their place
postpone     an operation    -> without what refers to resources that are not there yet, and the PATCH that adds it
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from scim_server.scim.errors import Conflict, InvalidSyntax, InvalidValue, ScimError, TooLarge
from scim_server.scim.messages import BULK_REQUEST, PATCH_OP
from scim_server.scim.schemas import ENTERPRISE_USER, ResourceType, Types

MAX_OPERATIONS = 1000

_METHODS = ("POST", "PUT", "PATCH", "DELETE")
_REFERENCE = "bulkId:"
_IN_A_PATH = re.compile(r'"bulkId:([^"\\]+)"')
_LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation. ``resource_id`` may be a reference; ``body`` is None for a DELETE; ``fault`` says why it cannot be done."""

    method: str | None
    bulk_id: str | None = None
    resource_type: ResourceType | None = None
    resource_id: str | None = None
    body: dict[str, Any] | None = None
    version: str | None = None
    fault: ScimError | None = None


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """``fail_on_errors``: after how many errors to stop; None: never."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None


def parse(body: Any, types: Types) -> BulkRequest:
    """A BulkRequest message. InvalidSyntax, TooLarge where the message itself is wrong; the fault of an operation is its own."""
    message = _members(body, ("schemas", "Operations", "failOnErrors"))
    urns, raw, limit = message.get("schemas"), message.get("Operations"), message.get("failOnErrors")
    if not isinstance(urns, list) or len(urns) != 1 or not isinstance(urns[0], str) or urns[0].lower() != BULK_REQUEST.lower():
        raise InvalidSyntax(f'The body of a Bulk must hold "schemas": ["{BULK_REQUEST}"].')
    if not isinstance(raw, list):
        raise InvalidSyntax('The body of a Bulk must hold "Operations", an array.')
    if len(raw) > MAX_OPERATIONS:
        raise TooLarge(f"A Bulk may hold at most {MAX_OPERATIONS} operations (maxOperations), not {len(raw)}.")
    if limit is not None and (type(limit) is not int or limit < 1):
        raise InvalidSyntax("failOnErrors must be a whole number above 0.")
    operations = tuple(_operation(each, types) for each in raw)
    known: set[str] = set()
    for each in operations:
        if each.bulk_id is not None:
            if each.bulk_id in known:
                raise InvalidSyntax(f"Two operations have the bulkId {each.bulk_id[:100]!r}.")
            known.add(each.bulk_id)
    return BulkRequest(operations, limit)


def references(operation: BulkOperation) -> set[str]:
    """The bulkIds that the operation refers to."""
    found = {_named(operation.resource_id)} if _is_reference(operation.resource_id) else set()
    for container, key in _places(operation.body):
        value = container[key]
        if _is_reference(value):
            found.add(_named(value))
        elif key == "path" and _REFERENCE in value:
            found.update(_IN_A_PATH.findall(value))
    return found


def resolve(operation: BulkOperation, ids: Mapping[str, str]) -> BulkOperation:
    """The operation with ids in place of references; its body is changed in place."""
    for container, key in _places(operation.body):
        value = container[key]
        if _is_reference(value):
            container[key] = ids.get(_named(value), value)
        elif key == "path" and _REFERENCE in value:
            container[key] = _IN_A_PATH.sub(lambda found: f'"{ids.get(found[1], found[0][1:-1])}"', value)
    if _is_reference(operation.resource_id):
        return replace(operation, resource_id=ids[_named(operation.resource_id)])
    return operation


def postpone(operation: BulkOperation, missing: Collection[str]) -> tuple[BulkOperation, dict[str, Any]]:
    """A POST without what refers to ``missing`` bulkIds, and the PatchOp that adds it when they are there.

    That can be members of a group, and the manager of a user. Conflict where anything else refers to them (§3.7.1).
    """
    body = dict(operation.body or {})
    later: list[dict[str, Any]] = []
    wanted = {f"{_REFERENCE}{each}" for each in missing}
    if isinstance(members := body.get("members"), list):
        late = [each for each in members if isinstance(each, dict) and each.get("value") in wanted]
        body["members"] = [each for each in members if each not in late]
        if late:
            later.append({"op": "add", "path": "members", "value": late})
    enterprise = body.get(ENTERPRISE_USER)
    manager = enterprise.get("manager") if isinstance(enterprise, dict) else None
    if isinstance(manager, dict) and manager.get("value") in wanted:
        assert isinstance(enterprise, dict)
        body[ENTERPRISE_USER] = {name: value for name, value in enterprise.items() if name != "manager"}
        later.append({"op": "replace", "path": f"{ENTERPRISE_USER}:manager", "value": manager})
    first = replace(operation, body=body)
    if references(first) & set(missing):
        raise Conflict("This operation and others need each other first; only members and managers can be added afterwards.")
    return first, {"schemas": [PATCH_OP], "Operations": later}


def _members(value: Any, known: Collection[str]) -> dict[str, Any]:
    """The known members of a JSON object, by their proper name."""
    if not isinstance(value, dict):
        raise InvalidSyntax("It must be a JSON object.")
    spelled = {name.lower(): name for name in known}
    result: dict[str, Any] = {}
    for key, each in value.items():
        name = spelled.get(key.lower())
        if name in result:
            raise InvalidSyntax(f"{name} is there twice; names are compared without regard to case.")
        if name is not None:
            result[name] = each
    return result


def _operation(raw: Any, types: Types) -> BulkOperation:
    method = bulk_id = None
    try:
        found = _members(raw, ("method", "bulkId", "path", "data", "version"))
        method, bulk_id = _method(found.get("method")), _text(found, "bulkId", _LONGEST_ID)
        if method == "POST" and not bulk_id:
            raise InvalidSyntax("A POST in a Bulk needs a bulkId.")
        resource_type, resource_id = _path(found.get("path"), method, types)
        version = None if method == "POST" else _text(found, "version", _LONGEST_ID)
        data = None if method == "DELETE" else found.get("data")
        if method != "DELETE" and not isinstance(data, dict):
            raise InvalidSyntax(f"A {method} in a Bulk needs data, an object.")
    except ScimError as fault:
        return BulkOperation(method, bulk_id, fault=fault)
    return BulkOperation(method, bulk_id, resource_type, resource_id, data, version)


def _method(value: Any) -> str:
    if not isinstance(value, str) or value.upper() not in _METHODS:
        raise InvalidSyntax(f"The method of an operation must be one of {', '.join(_METHODS)}.")
    return value.upper()


def _text(found: dict[str, Any], name: str, longest: int) -> str | None:
    value = found.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > longest):
        raise InvalidSyntax(f"{name} must be a string of at most {longest} characters.")
    return value


def _path(value: Any, method: str, types: Types) -> tuple[ResourceType, str | None]:
    """What the path of an operation names, relative to the root: a collection for POST, else one resource."""
    if isinstance(value, str):
        endpoint, _, resource_id = value.removeprefix("/").partition("/")
        for each in types:
            if each.endpoint == f"/{endpoint}" and "/" not in resource_id and bool(resource_id) is (method != "POST"):
                return each, resource_id or None
    what = "of a collection" if method == "POST" else "of one resource"
    where = " or ".join(each.endpoint + ("" if method == "POST" else "/{id}") for each in types)
    raise InvalidValue(f"The path of a {method} in a Bulk must be that {what}: {where}.")


def _is_reference(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value.startswith(_REFERENCE) and len(value) > len(_REFERENCE)


def _named(reference: str) -> str:
    """The bulkId that a reference names."""
    return reference[len(_REFERENCE) :]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each string in a JSON value, by what holds it and where; without recursion, since a client says how deep it is."""
    pending = [value]
    while pending:
        container = pending.pop()
        if not isinstance(container, (dict, list)):
            continue
        for key in list(container) if isinstance(container, dict) else range(len(container)):
            each = container[key]
            if isinstance(each, str):
                yield container, key
            elif isinstance(each, (dict, list)):
                pending.append(each)
