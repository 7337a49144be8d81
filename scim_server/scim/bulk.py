"""Bulk (RFC 7644 §3.7): the message, what its operations refer to, and what can be left for later where they refer to each other.

parse        the message     -> operations, each good by itself or with its fault
References   an operation    -> the bulkIds of others that it needs; the same with ids in their place, or without them

In which order they are run, ``bulk_order`` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from scim_server.scim import messages
from scim_server.scim.documents import layout_of
from scim_server.scim.errors import InvalidSyntax, InvalidValue, ScimError, TooLarge
from scim_server.scim.schemas import ENTERPRISE_USER, ResourceType, Types

MAX_OPERATIONS = 1000

_METHODS = ("POST", "PUT", "PATCH", "DELETE")
_REFERENCE = "bulkId:"
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*+"', re.S)
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
    message = messages.members(body, "The body", _OF_MESSAGE)
    messages.demand(messages.BULK_REQUEST, message.get("schemas"), "Bulk")
    raw, limit = message.get("Operations"), message.get("failOnErrors")
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


class References:
    """What an operation refers to, and where. ``needs``: bulkIds; ``can_wait``: those of them that only members, or a manager, refer to.

    What a client sends in vain (readOnly attributes) refers to nothing.
    """

    def __init__(self, operation: BulkOperation) -> None:
        self._operation = operation
        self._places: list[tuple[Any, Any, str]] = []
        self._members: tuple[str, list[frozenset[str]]] | None = None
        self._manager: tuple[str, str, frozenset[str]] | None = None
        self.target = frozenset((_named(operation.resource_id),)) if _is_reference(operation.resource_id) else frozenset[str]()
        must, can_wait = set(self.target), set[str]()
        if operation.fault is None and operation.body is not None:
            if operation.method == "PATCH":
                must |= self._within(operation.body) | self._in_paths(operation.body)
            else:
                self._of_resource(operation.body, must, can_wait)
        self.needs = frozenset(must | can_wait)
        self.can_wait = frozenset(can_wait - must)

    def resolve(self, ids: Mapping[str, str]) -> BulkOperation:
        """The operation with ids in place of references; those that are not in ``ids`` are left as they are.

        The body is changed in place; another call, with other ids, is right again.
        """
        for holder, key, text in self._places:
            holder[key] = ids.get(_named(text), text) if _is_reference(text) else _filled(text, ids)
        if not self.target:
            return self._operation
        (name,) = self.target
        return replace(self._operation, resource_id=ids.get(name, self._operation.resource_id))

    def without(self, missing: Set[str]) -> dict[str, Any]:
        """The body (of a POST) less the members, or the manager, that refer to one of these bulkIds."""
        body = dict(self._operation.body or {})
        if self._members is not None:
            name, needs = self._members
            body[name] = [each for each, needed in zip(body[name], needs, strict=True) if not needed & missing]
        if self._manager is not None and self._manager[2] & missing:
            urn, name, _ = self._manager
            body[urn] = {key: value for key, value in body[urn].items() if key != name}
        return body

    def _of_resource(self, body: dict[str, Any], must: set[str], can_wait: set[str]) -> None:
        assert self._operation.resource_type is not None
        layout = layout_of(self._operation.resource_type)
        for name, value in body.items():
            known = layout.fields.get(name.lower())
            links = known is not None and layout.members is not None and known.holder is layout.members
            if links and isinstance(value, list):
                needs = [self._at(value, place) for place in range(len(value))]
                self._members = name, needs
                can_wait.update(*needs)
            elif name.lower() == ENTERPRISE_USER.lower() and isinstance(value, dict):
                for inner in value:
                    found = self._at(value, inner)
                    if inner.lower() == "manager":
                        self._manager = name, inner, found
                        can_wait |= found
                    else:
                        must |= found
            elif known is None or known.kept or links:
                must |= self._at(body, name)

    def _at(self, holder: Any, key: Any) -> frozenset[str]:
        """What the value at that place refers to."""
        value = holder[key]
        if not _is_reference(value):
            return self._within(value)
        self._places.append((holder, key, value))
        return frozenset((_named(value),))

    def _within(self, value: Any) -> frozenset[str]:
        """What texts within an array or an object refer to; without recursion, since a client says how deep it is."""
        found: set[str] = set()
        pending = [value]
        while pending:
            holder = pending.pop()
            items = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
            for key, each in items:
                if _is_reference(each):
                    found.add(_named(each))
                    self._places.append((holder, key, each))
                elif isinstance(each, (dict, list)):
                    pending.append(each)
        return frozenset(found)

    def _in_paths(self, message: dict[str, Any]) -> set[str]:
        """What literals in the paths of a PatchOp message refer to."""
        found: set[str] = set()
        lists = [value for name, value in message.items() if name.lower() == "operations" and isinstance(value, list)]
        for each in (each for listed in lists for each in listed if isinstance(each, dict)):
            for key, path in each.items():
                if key.lower() == "path" and isinstance(path, str) and _REFERENCE in path and not _is_reference(path):
                    named = {name for literal in _LITERAL.findall(path) if (name := _in_literal(literal)) is not None}
                    if named:
                        found |= named
                        self._places.append((each, key, path))
        return found


def _in_literal(literal: str) -> str | None:
    """The bulkId that a literal, with its quotes, refers to."""
    try:
        value = json.loads(literal)
    except ValueError:
        return None
    return _named(value) if _is_reference(value) else None


def _filled(path: str, ids: Mapping[str, str]) -> str:
    """A path with ids in place of the references in its literals."""

    def known(literal: re.Match[str]) -> str:
        name = _in_literal(literal[0])
        return json.dumps(ids[name]) if name is not None and name in ids else literal[0]

    return _LITERAL.sub(known, path)


_OF_MESSAGE = messages.spellings("schemas", "Operations", "failOnErrors")
_OF_OPERATION = messages.spellings("method", "bulkId", "path", "data", "version")


def _operation(raw: Any, types: Types) -> BulkOperation:
    method = bulk_id = None
    try:
        found = messages.members(raw, "An operation", _OF_OPERATION)
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
