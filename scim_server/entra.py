"""Entra's dialect of SCIM, rewritten into RFC 7643 and RFC 7644 before anything is parsed.

``normalise`` sees every request of a tenant whose profile is ``entra``. It is an ordered list of
small rewrites, each total (any JSON goes in, nothing is raised), each with the bad request and the
good one in its docstring. They look at shapes only, never at who sends them: a strict request
comes out as it went in, and twice is once. What no rewrite understands is left for the core to
refuse. The numbers in brackets are those of Entra's known quirks (``tests/entra/test_quirks.py``).

    FILTER     (resource type, text) -> text              the ``filter`` of the query
    RESOURCE   (resource type, body) -> body              POST and PUT
    OPERATION  (resource type, operation) -> operation    PATCH
    OBJECT     (attribute, object) -> object              one value of a complex attribute, wherever it stands

Two readings go beyond the RFC. A PATCH that sets an optional attribute to ``""`` removes it, since
nobody can tell Entra's "cleared" from an empty string; and a role that is a JSON document as text
is taken for the document. Nulls in a POST or among members are left to the core: that they stand
for "unassigned" is the RFC's own rule (RFC 7643 §2.5) [14, 34].
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from scim_server.scim.attributes import Attribute, Mutability, Target, Type
from scim_server.scim.errors import InvalidFilter, InvalidPath
from scim_server.scim.filters import MAX_LENGTH, Compare, Filter, Path, Present, parse_filter, parse_path, rewritten
from scim_server.scim.messages import PREFIX
from scim_server.scim.schemas import ENTERPRISE_USER, ResourceType

Object = dict[str, Any]

_TEXT = Type.STRING  # an enum's member is slow to reach
_BOOLEANS = {"true": True, "false": False}
_NUMBERS = frozenset((Type.INTEGER, Type.DECIMAL))
_NEVER_CLEARED = {"active", "members", "schemas"}  # an empty value must not decide who may come in, or who belongs


def normalise(resource_type: ResourceType, method: str, query: Mapping[str, str], body: Any) -> tuple[dict[str, str], Any]:
    """The request in strict RFC form. Query and body are not changed in place."""
    query = dict(query)
    text = query.get("filter")
    if text is not None and not _is_plain(text) and len(text) <= MAX_LENGTH:
        for in_filter in FILTER:
            text = in_filter(resource_type, text)
        query["filter"] = text
    if isinstance(body, dict):
        if method == "PATCH":
            body = _message(resource_type, body)
        elif method in ("POST", "PUT"):
            for in_resource in RESOURCE:
                body = in_resource(resource_type, body)
    return query, body


def _leaf(resource_type: ResourceType, notation: str) -> Attribute | None:
    """The attribute whose values a filter compares: that of the notation, or its ``value``."""
    target = resource_type.resolve(notation)
    if target is None or target.attribute is None:
        return None
    return target.leaf.sub("value") if target.leaf.is_complex else target.leaf


# Filters

_STRING = r'"(?:[^"\\]|\\.)*+"'
_COMPARISON = r"(?<![\w.:$-])([a-z$][\w.:$-]*+)( +(?:eq|ne|co|sw|ew|gt|ge|lt|le) +)"
_ONE_CLAUSE = re.compile(r' *([\w.:$-]+ +eq +)"(.*)" *', re.I | re.S)
_MORE_CLAUSES = re.compile(r'"\s*(?:and|or)[\s(]|\b(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s*"|"\s*[\w.:$-]+\s+pr\b', re.I)
_ESCAPES = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-f]{4})|["\\]', re.I)
_CLAUSE = re.compile(rf'{_COMPARISON}({_STRING}|[^\s"()\[\]]++)', re.I | re.S)
_CHAIN = re.compile(rf" *{_CLAUSE.pattern}(?: +and +{_CLAUSE.pattern})* *", re.I | re.S)
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|'.*")
# An open string is one up to the end: looked for at each of its quotes anew, it would cost the square of its length.
_TO_ITS_END = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_BESIDE_BRACKET = re.compile(rf"{_TO_ITS_END}|(\[ *{_COMPARISON}(?:{_STRING}|true|false)) *\] +eq +({_STRING})", re.I | re.S)
_SUSPECT = re.compile(r'"(?:true|false)"|manager', re.I)


def _is_plain(text: str) -> bool:
    """Whether a filter is surely ``attribute eq "text"`` with nothing to rewrite, as most are."""
    name, _, rest = text.partition(' eq "')
    value = rest[:-1]
    return rest[-1:] == '"' and '"' not in value and "\\" not in value and len(value) > 5 and name.isalnum() and name.lower() != "manager"


def escaped_text(_: ResourceType, text: str) -> str:
    """``displayName eq "BK "Dock" side"`` -> ``displayName eq "BK \\"Dock\\" side"``

    And a lone backslash likewise; only where the whole filter is one clause.
    """
    clause = _ONE_CLAUSE.fullmatch(text)
    if clause is None or _MORE_CLAUSES.search(clause[2]):
        return text
    escaped = _ESCAPES.sub(lambda found: found[0] if len(found[0]) > 1 else "\\" + found[0], clause[2])
    return text if escaped == clause[2] else f'{clause[1]}"{escaped}"'


def quoted_text(resource_type: ResourceType, text: str) -> str:
    """``id eq 8c1d and externalId eq iravn`` -> ``id eq "8c1d" and externalId eq "iravn"``

    Only in a plain chain of comparisons, and never JSON's own literals.
    """

    def quoted(clause: re.Match[str]) -> str:
        name, operator, operand = clause.groups()
        leaf = _leaf(resource_type, full_manager(resource_type, name))
        if operand[0] == '"' or _LITERAL.fullmatch(operand) or leaf is None or leaf.type in (Type.BOOLEAN, Type.INTEGER, Type.DECIMAL):
            return clause[0]
        return f"{name}{operator}{json.dumps(operand, ensure_ascii=False)}"

    return _CLAUSE.sub(quoted, text) if _CHAIN.fullmatch(text) else text


def value_in_brackets(_: ResourceType, text: str) -> str:
    """``emails[type eq "work"] eq "i@b.example"`` -> ``emails[type eq "work" and value eq "i@b.example"]``"""
    return _BESIDE_BRACKET.sub(lambda found: f"{found[1]} and value eq {found[4]}]" if found[1] else found[0], text)


def typed_operands(resource_type: ResourceType, text: str) -> str:
    """``active eq "True"`` -> ``active eq true`` [10]

    ``id eq "8c1d" and manager eq "77aa"`` -> ``id eq "8c1d" and urn:…:enterprise:2.0:User:manager.value eq "77aa"``
    """
    if not _SUSPECT.search(text):
        return text
    try:
        tree = parse_filter(text)
    except InvalidFilter:
        return text
    typed = rewritten(tree, partial(_typed, resource_type))
    return text if typed == tree else str(typed)


def _typed(resource_type: ResourceType, node: Compare | Present, outer: str) -> Filter:
    """A comparison with ``typed_operands`` done; ``outer`` is the attribute whose brackets it stands in."""
    path = node.path if outer else full_manager(resource_type, node.path)
    if isinstance(node, Present):
        return Present(path)
    target = resource_type.resolve(path)
    if target and target.attribute and not target.leaf.multi_valued and target.leaf.sub("value"):
        path += ".value"
    leaf = _leaf(resource_type, f"{outer}.{path}" if outer else path)
    return Compare(path, node.op, typed_text(leaf, node.value) if leaf and leaf.type is Type.BOOLEAN else node.value)


FILTER: tuple[Callable[[ResourceType, str], str], ...] = (escaped_text, quoted_text, value_in_brackets, typed_operands)


# Values


def lone_element(attribute: Attribute, value: Any) -> Any:
    """``"manager": [{"$ref": "…", "value": "77aa"}]`` -> ``"manager": {"$ref": "…", "value": "77aa"}`` [16]

    ``"displayName": [{"$ref": null, "value": "Ines"}]`` -> ``"displayName": "Ines"``: the same habit
    of Microsoft's first library on a simple attribute.
    """
    if not isinstance(value, list) or len(value) != 1 or isinstance(value[0], list):
        return value
    element = value[0]
    if not attribute.is_complex and isinstance(element, dict) and {"value"} <= element.keys() <= {"value", "$ref"}:
        return value if isinstance(element["value"], (dict, list)) else element["value"]
    return element


def typed_text(attribute: Attribute, value: Any) -> Any:
    """``"active": "False"`` -> ``"active": false`` [2, 3, 10]; ``"5"`` -> ``5`` where a number belongs."""
    if isinstance(value, str):
        if attribute.type is Type.BOOLEAN:
            return _BOOLEANS.get(value.lower(), value)
        if attribute.type in _NUMBERS and re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})", value):
            return int(value)
        if attribute.type is Type.DECIMAL and re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}", value):
            return Decimal(value)
    return value


def object_from_text(attribute: Attribute, value: Any) -> Any:
    """``"manager": "77aa"`` -> ``"manager": {"value": "77aa"}`` [15]; a member as plain text likewise."""
    if isinstance(value, str) and value and attribute.sub("value"):
        return {"value": value}
    return value


def no_reference(attribute: Attribute, value: Any) -> Any:
    """``"manager": {"value": ""}`` and ``"manager": ""`` -> ``"manager": null`` [17]"""
    held = attribute.sub("value")
    if held is None or held.required:
        return value
    nothing = value == "" or (isinstance(value, dict) and "value" in value and all(each is None or each == "" for each in value.values()))
    return None if nothing else value


def role_from_text(attribute: Attribute, value: Object) -> Object:
    """``{"value": "{\\"id\\": \\"…\\", \\"value\\": \\"Planner\\"}"}`` -> ``{"value": "Planner"}`` [35]"""
    text = value.get("value")
    while attribute.name == "roles" and isinstance(text, str) and text.startswith("{"):
        try:
            role = json.loads(text)
        except (ValueError, RecursionError):
            break
        text = role.get("value")
        if not isinstance(text, str):
            break
        known = {name: each for name, each in role.items() if attribute.sub(name) or name == "displayName"}
        value = {**value, **known}
    return value


def display_of_role(attribute: Attribute, value: Object) -> Object:
    """``{"value": "Planner", "displayName": "Planner"}`` -> ``{"value": "Planner", "display": "Planner"}`` [35]"""
    if attribute.name == "roles" and "displayName" in value and not value.get("display"):
        return {**{name: each for name, each in value.items() if name != "displayName"}, "display": value["displayName"]}
    return value


def typed_members(attribute: Attribute, value: Object) -> Object:
    """``{"value": "Planner", "primary": "True"}`` -> ``{"value": "Planner", "primary": true}`` [10]"""
    texts = {name: sub for name, each in value.items() if each.__class__ is str and (sub := attribute.sub(name)) and sub.type is not _TEXT}
    return {**value, **{name: typed_text(sub, value[name]) for name, sub in texts.items()}} if texts else value


OBJECT: tuple[Callable[[Attribute, Object], Object], ...] = (role_from_text, display_of_role, typed_members)


def _fitting(attribute: Attribute, value: Any, many: bool) -> Any:
    """A value as the attribute wants it; ``many`` where all values of a multi-valued attribute are meant."""
    if not attribute.sub_attributes:
        return value if many else typed_text(attribute, lone_element(attribute, value))
    if many and isinstance(value, (str, list)) and value:
        elements = value if isinstance(value, list) else [value]
        return [_fitting_object(attribute, object_from_text(attribute, each)) for each in elements]
    if not many:
        value = object_from_text(attribute, no_reference(attribute, lone_element(attribute, value)))
    return _fitting_object(attribute, value)


def _fitting_object(attribute: Attribute, value: Any) -> Any:
    if isinstance(value, dict):
        for rewrite in OBJECT:
            value = rewrite(attribute, value)
    return value


def _fitting_members(attribute_of: Callable[[str], Attribute | None], value: Object) -> Object:
    fitting = {}
    for name, each in value.items():
        attribute = attribute_of(name)
        # Nearly every value is text where text belongs, and done with here.
        if attribute and (each.__class__ is not str or attribute.type is not _TEXT or attribute.multi_valued):
            each = _fitting(attribute, each, attribute.multi_valued)
        fitting[name] = each
    return fitting


# Bodies of POST and PUT


def fitting_values(resource_type: ResourceType, body: Object) -> Object:
    """Every value as its attribute wants it: ``"active": "False"`` -> ``"active": false`` [2, 3, 10, 15, 16, 17, 35]"""
    fitting = _fitting_members(resource_type.attribute, body)
    for name in body:
        if ":" in name and (extension := resource_type.extension(name)) and isinstance(body[name], dict):
            fitting[name] = _fitting_members(extension.attribute, body[name])
    return fitting


def listed_schemas(resource_type: ResourceType, body: Object) -> Object:
    """``"schemas": ["…:core:2.0:User", "…:enterprise:2.0User"], "urn:…:enterprise:2.0:User": {…}`` ->
    ``"schemas": ["…:core:2.0:User", "urn:…:enterprise:2.0:User"], …``: those that the type has [32], and
    those that the body uses [33]. The URN of a message is no schema of a resource, and stays.
    """
    sent = body.get("schemas")
    if not isinstance(sent, list) or not all(isinstance(urn, str) for urn in sent):
        return body
    listed = [urn for urn in sent if _is_known(resource_type, urn)]
    used = {urn.lower() for urn in listed}
    listed += [extension.id for extension in resource_type.extensions if body.get(extension.id) and extension.id.lower() not in used]
    return body if listed == sent else {**body, "schemas": listed}


def _is_known(resource_type: ResourceType, urn: str) -> bool:
    lowered = urn.lower()
    return lowered == resource_type.schema.id.lower() or lowered.startswith(PREFIX) or bool(resource_type.extension(urn))


RESOURCE: tuple[Callable[[ResourceType, Object], Object], ...] = (fitting_values, listed_schemas)


# PATCH


def message_member(body: Object) -> Object:
    """``{"operations": […]}`` -> ``{"Operations": […]}``"""
    spellings = [name for name in body if name.lower() == "operations"]
    if len(spellings) != 1 or spellings[0] == "Operations":
        return body
    return {"Operations" if name == spellings[0] else name: value for name, value in body.items()}


def _message(resource_type: ResourceType, body: Object) -> Object:
    body = message_member(body)
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return body
    rewritten: list[Any] = []
    for operation in operations:
        if isinstance(operation, dict):
            for in_operation in OPERATION:
                operation = in_operation(resource_type, operation)
            rewritten += without_empty_values(resource_type, operation)
        else:
            rewritten.append(operation)
    return {**body, "Operations": rewritten}


def operation_members(_: ResourceType, operation: Object) -> Object:
    """``{"Op": "add", "name": "x", "path": null, "Value": {…}}`` -> ``{"op": "add", "value": {…}}`` [53]"""
    if operation.keys() <= {"op", "path", "value"} and operation.get("path", "") is not None:
        return operation
    kept = {
        name: value
        for name, value in operation.items()
        if name.lower() in ("op", "value") or (name.lower() == "path" and value is not None)
    }
    folded = [name.lower() for name in kept]
    return {name.lower() if folded.count(name.lower()) == 1 else name: value for name, value in kept.items()}


def operation_name(_: ResourceType, operation: Object) -> Object:
    """``"op": "Add"`` -> ``"op": "add"`` [1]"""
    op = operation.get("op")
    lowered = op.lower() if isinstance(op, str) else op
    return operation if lowered == op or lowered not in ("add", "remove", "replace") else {**operation, "op": lowered}


def full_manager(resource_type: ResourceType, path: str) -> str:
    """``manager`` -> ``urn:…:enterprise:2.0:User:manager`` [16]"""
    if path[:7].lower() == "manager" and path[7:8] in ("", ".") and resource_type.extension(ENTERPRISE_USER):
        return f"{ENTERPRISE_USER}:{path}"
    return path


def strict_path(resource_type: ResourceType, path: str) -> str:
    if "[" not in path or not _SUSPECT.search(path):
        return full_manager(resource_type, path)
    try:
        parsed = parse_path(path)
    except InvalidPath:
        return path
    typed = rewritten(parsed.filter, partial(_typed, resource_type), parsed.attribute) if parsed.filter else None
    return path if typed == parsed.filter else str(Path(parsed.attribute, typed, parsed.sub))


def strict_paths(resource_type: ResourceType, operation: Object) -> Object:
    """``roles[primary eq "True"].value`` -> ``roles[primary eq true].value``, as a path or as a name in a path-less value [10, 16]"""
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str):
        return {**operation, "path": strict_path(resource_type, path)}
    if path is not None or not isinstance(value, dict):
        return operation
    # Of two spellings of one path the later one holds: they are done in order.
    return {**operation, "value": {strict_path(resource_type, name): each for name, each in value.items()}}


def fitting_value(resource_type: ResourceType, operation: Object) -> Object:
    """``"path": "active", "value": "False"`` -> ``"path": "active", "value": false``, with a path and without [2, 3, 10, 15, 16, 17, 35]"""
    if "value" not in operation:
        return operation
    path, value = operation.get("path"), operation["value"]
    if isinstance(path, str):
        fitting = _fitting_at(resource_type, path, value)
    elif isinstance(value, dict):
        fitting = {name: _fitting_at(resource_type, name, each) for name, each in value.items()}
    else:
        return operation
    return {**operation, "value": fitting}


def _aim(resource_type: ResourceType, path: str) -> tuple[Target | None, bool]:
    """What a path points to, and whether that is all values of a multi-valued attribute."""
    opening, closing = path.find("["), path.rfind("]")
    target = resource_type.resolve(path if opening < 0 else path[:opening] + path[closing + 1 :])
    many = opening < 0 and target is not None and target.attribute is not None and target.leaf.multi_valued
    return target, many


def _fitting_at(resource_type: ResourceType, path: str, value: Any) -> Any:
    target, many = _aim(resource_type, path)
    if target and target.attribute:
        return _fitting(target.leaf, value, many)
    extension = resource_type.extension(path)
    return _fitting_members(extension.attribute, value) if extension and isinstance(value, dict) else value


def without_empty_values(resource_type: ResourceType, operation: Object) -> list[Object]:
    """``{"op": "replace", "path": "title", "value": ""}`` -> ``{"op": "remove", "path": "title"}`` [17]

    ``{"op": "replace", "value": {"title": "", "nickName": "Nes"}}`` ->
    ``{"op": "remove", "path": "title"}``, ``{"op": "replace", "value": {"nickName": "Nes"}}``.
    What is required, read-only, or in ``_NEVER_CLEARED`` is left for the core to judge.
    """
    if operation.get("op") not in ("add", "replace") or "value" not in operation:
        return [operation]
    path, value = operation.get("path"), operation["value"]
    if isinstance(path, str) and _clears(resource_type, operation, path, value):
        return [{"op": "remove", "path": path}]
    assigned = _assigned(resource_type, path, value)
    if not any(_clears(resource_type, operation, path, each) for path, each in assigned.items()):
        return [operation]
    operations, kept = [], {}
    for path, each in assigned.items():
        each = _fitting_at(resource_type, path, each)
        if not _clears(resource_type, operation, path, each):
            kept[path] = each
            continue
        if kept:
            operations.append({"op": operation["op"], "value": kept})
        operations.append({"op": "remove", "path": path})
        kept = {}
    return [*operations, {"op": operation["op"], "value": kept}] if kept else operations


def _assigned(resource_type: ResourceType, path: Any, value: Any) -> Object:
    """What is assigned to which path by a value that names several attributes: a path-less one, or an extension's."""
    if not isinstance(value, dict) or not (path is None or isinstance(path, str)):
        return {}
    if path is not None:
        extension = resource_type.extension(path)
        return {f"{extension.id}:{name}": each for name, each in value.items()} if extension else {}
    assigned: Object = {}
    for name, each in value.items():
        inner = _assigned(resource_type, name, each) if ":" in name else None
        assigned.update(inner or {name: each})
    return assigned


def _clears(resource_type: ResourceType, operation: Object, path: str, value: Any) -> bool:
    """Whether the operation sets something to nothing that may be nothing. Adding nothing to many values does not."""
    if value is not None and value != "":
        return False
    target, many = _aim(resource_type, path)
    if target is None or (operation["op"] == "add" and (many or target.attribute is None)):
        return False
    chain = [attribute for attribute in (target.attribute, target.sub) if attribute]
    free = all(attribute.mutability is Mutability.READ_WRITE for attribute in chain)
    return free and not (chain and (chain[0].name in _NEVER_CLEARED or chain[-1].required))


OPERATION: tuple[Callable[[ResourceType, Object], Object], ...] = (operation_members, operation_name, strict_paths, fitting_value)
