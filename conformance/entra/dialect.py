"""The bodies that Entra sends: POST, and PATCH in its two dialects.

*legacy* is what a non-gallery job sends: capitalised operations, one with a path per attribute, booleans as strings, `$ref: null` beside
member values. *flag* is what it sends when the Tenant URL carries `aadOptscim062020`: lower case, value-path operations single, all other
changes collapsed into one operation without a path and with flat keys. Where more than one spelling was seen in the wild, `variant` (any
number, drawn by the caller) chooses among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.entra.directory import ENTERPRISE, Flat

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
# Microsoft's own second schema of groups, and the enterprise URN as one documented sample misspells it. Both mean nothing to a server.
MICROSOFT_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
MISSPELT_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"
MANAGER = f"{ENTERPRISE}:manager"

Body = dict[str, Any]
Dialect = Literal["legacy", "flag"]


def other(dialect: Dialect) -> Dialect:
    return "flag" if dialect == "legacy" else "legacy"


@dataclass(frozen=True, slots=True)
class Set:
    """One attribute that shall have a value. `held` tells whether the server is known to have one already."""

    path: str
    value: str | bool
    held: bool


# -- POST


def new_user(flat: Flat, variant: int) -> Body:
    """A user to create, from the mapping's paths. The manager is never among them: references come last."""
    body: Body = {"schemas": [CORE_USER, ENTERPRISE]}
    for path, value in flat.items():
        _put(body, path, value)
    for plural in ("emails", "phoneNumbers", "addresses"):
        for element in body.get(plural, []):
            if element["type"] == "work":
                element["primary"] = True
    if variant % 5 == 1:  # extension values whose URN is not listed
        body["schemas"] = [CORE_USER]
    if variant % 5 == 2:  # a sample of Microsoft's: nulls, two of them in the wrong place, and the misspelt URN
        body["schemas"] = [CORE_USER, ENTERPRISE, MISSPELT_ENTERPRISE]
        for name in ("title", "preferredLanguage", "addresses", "phoneNumbers", "emails", "department", "manager"):
            body.setdefault(name, None)
    if variant % 3 != 0:
        body["roles"] = []
    body["meta"] = {"resourceType": "User"}
    return body


def _put(body: Body, path: str, value: str | bool) -> None:
    if path.startswith(ENTERPRISE + ":"):
        body.setdefault(ENTERPRISE, {})[path[len(ENTERPRISE) + 1 :]] = value
    elif "[" in path:
        plural, _, rest = path.partition('[type eq "')
        kind, _, sub = rest.partition('"].')
        elements: list[Body] = body.setdefault(plural, [])
        element = next((element for element in elements if element["type"] == kind), None)
        if element is None:
            element = {"type": kind}
            elements.append(element)
        element[sub] = value
    elif "." in path:
        parent, _, sub = path.partition(".")
        body.setdefault(parent, {})[sub] = value
    else:
        body[path] = value


def new_group(flat: Flat, variant: int) -> Body:
    """A group to create: without members, which are added by later PATCHes."""
    body: Body = {"schemas": [CORE_GROUP, MICROSOFT_GROUP] if variant % 2 else [CORE_GROUP], **flat}
    if variant % 7 == 3:
        body["members"] = []
    body["meta"] = {"resourceType": "Group"}
    return body


# -- PATCH


def _envelope(operations: list[Body], variant: int) -> Body:
    if variant % 4 == 3:
        return {"Operations": operations, "schemas": [PATCH_OP]}
    return {"schemas": [PATCH_OP], "Operations": operations}


def set_attributes(dialect: Dialect, changes: Sequence[Set], variant: int) -> Body:
    """A PATCH that sets attributes of a user or a group."""
    if dialect == "legacy":
        return _envelope([_legacy(change, variant) for change in changes], variant)
    operations: list[Body] = []
    flat: dict[str, dict[str, str | bool]] = {"replace": {}, "add": {}}
    for change in changes:
        if "[" in change.path or (change.path == "active" and len(changes) == 1):
            operations.append({"op": "replace" if change.held else "add", "path": change.path, "value": change.value})
        else:
            # An operation without a path and several new attributes was seen as "add" as well as "replace".
            flat["add" if not change.held and variant % 2 else "replace"][change.path] = change.value
    if len(flat["add"]) == 1 and not flat["replace"] and not operations:
        [(path, value)] = flat["add"].items()
        return _envelope([{"op": "add", "path": path, "value": value}], variant)
    operations += [{"op": op, "value": values} for op, values in flat.items() if values]
    return _envelope(operations, variant)


def _legacy(change: Set, variant: int) -> Body:
    value = change.value
    add = not change.held and not ("[" in change.path and variant % 3 == 0)  # an absent typed value is "also seen as Replace"
    return {"op": "Add" if add else "Replace", "path": change.path, "value": str(value) if isinstance(value, bool) else value}


def set_manager(dialect: Dialect, manager: str, held: bool, base_url: str, variant: int) -> Body:
    """The manager, as an id: a bare string; in few requests the object or the array of older samples."""
    op = "Replace" if held else "Add"
    if dialect == "legacy":
        if variant % 40 == 7:
            return _envelope([{"op": op, "path": "manager", "value": [{"$ref": f"{base_url}/Users/{manager}", "value": manager}]}], variant)
        return _envelope([{"op": op, "path": MANAGER, "value": manager}], variant)
    value: Any = {"value": manager} if variant % 6 == 5 else manager
    return _envelope([{"op": op.lower(), "path": MANAGER, "value": value}], variant)


def remove_manager(dialect: Dialect, variant: int) -> Body:
    shapes: list[Body] = [
        {"op": "replace", "path": MANAGER, "value": ""},
        {"op": "remove", "path": MANAGER},
        {"op": "replace", "path": MANAGER, "value": {"value": ""}},
    ]
    operation = shapes[variant % 2 if dialect == "legacy" else variant % 3]
    return _envelope([operation | {"op": operation["op"].title()} if dialect == "legacy" else operation], variant)


def change_members(dialect: Dialect, add: Sequence[str], remove: Sequence[str], variant: int) -> Body:
    """Members by id. Removing means exactly those, also where legacy names them in a value beside `path: members`."""
    operations: list[Body] = []
    if dialect == "legacy":
        if remove:
            operations.append({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": member} for member in remove]})
        if add:
            operations.append({"op": "Add", "path": "members", "value": [{"$ref": None, "value": member} for member in add]})
    else:
        operations += [{"op": "remove", "path": f'members[value eq "{member}"]'} for member in remove]
        if add:
            operations.append({"op": "add", "path": "members", "value": [{"value": member} for member in add]})
    return _envelope(operations, variant)


def empty_group(variant: int) -> Body:
    """All members go. Seen in the flag dialect only."""
    return _envelope([{"op": "remove", "path": "members"}], variant)


# -- reading back


def flatten(resource: Mapping[str, Any]) -> Flat:
    """A resource that the server gave, in the mapping's paths: whatever it holds, also what nobody sent.

    Left out: schemas, id, meta, groups, members, a manager's `$ref` and display name, and `primary: false`, which is the same as nothing.
    Elements of a plural attribute without a type, or with the type of an earlier one, keep their number as a name, so that duplicates show.
    """
    flat: Flat = {}
    for name, value in resource.items():
        if name in ("schemas", "id", "meta", "groups", "members"):
            continue
        if name == ENTERPRISE and isinstance(value, dict):
            for sub, content in value.items():
                if sub == "manager":
                    flat[MANAGER] = content.get("value", "") if isinstance(content, dict) else f"{content!r} (not an object)"
                else:
                    _leaf(flat, f"{ENTERPRISE}:{sub}", content)
        elif isinstance(value, dict):
            for sub, content in value.items():
                _leaf(flat, f"{name}.{sub}", content)
        elif isinstance(value, list):
            kinds: set[str] = set()
            for number, element in enumerate(value):
                if not isinstance(element, dict):
                    _leaf(flat, f"{name}[{number}]", element)
                    continue
                kind = element.get("type")
                label = f'{name}[type eq "{kind}"]' if kind and kind not in kinds else f"{name}[{number}]"
                kinds.add(str(kind))
                for sub, content in element.items():
                    if not (sub == "type" and label.startswith(f"{name}[type")) and not (sub == "primary" and content is False):
                        _leaf(flat, f"{label}.{sub}", content)
        elif any(mark in name for mark in ".[:"):  # a path that was taken for a name must not pass for what it should have changed
            _leaf(flat, f"(literally) {name}", value)
        else:
            _leaf(flat, name, value)
    return flat


def _leaf(flat: Flat, path: str, value: Any) -> None:
    if isinstance(value, str | bool):
        flat[path] = value
    elif value is not None and value not in ({}, []):
        flat[path] = f"{value!r}"
