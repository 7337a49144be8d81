"""PATCH: the table of ``patch_cases``, then members, messages, and schemas that are not ours."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scim_server.scim.attributes import Attribute, Mutability, Type
from scim_server.scim.documents import Document, schemas_of
from scim_server.scim.errors import InvalidPath, ScimError
from scim_server.scim.matching import Term, matches_element
from scim_server.scim.messages import PATCH_OP
from scim_server.scim.patch import (
    MAX_MEMBERS,
    MAX_OPERATIONS,
    AddMembers,
    RemoveMembers,
    RemoveMembersWhere,
    ReplaceMembers,
    apply,
    check_claims,
    parse,
    plan,
)
from scim_server.scim.schemas import GROUP, GROUP_TYPE, USER_TYPE, ResourceType, Schema
from tests.scim.patch_cases import CASES, OTHERS, SHOWN, TABLE, Case, type_of


def message(*operations: tuple[Any, ...]) -> dict[str, Any]:
    named = [dict(zip(("op", "path", "value"), each, strict=False)) for each in operations]
    return {"schemas": [PATCH_OP], "Operations": [{k: v for k, v in each.items() if k != "path" or v is not None} for each in named]}


def document(resource_type: ResourceType = USER_TYPE, /, **content: Any) -> Document:
    whole = {"userName": "u", **content}
    return {"schemas": schemas_of(resource_type, whole), **whole}


def outcome(attempt: Callable[[], Any]) -> Any:
    """The result, or the scimType of the refusal (its status, if it has none)."""
    try:
        return attempt()
    except ScimError as refusal:
        return refusal.scim_type or refusal.status


def patched(resource_type: ResourceType, before: Document, *operations: tuple[Any, ...], lenient: bool = True) -> Any:
    """The document after the operations, or the scimType of the refusal. Asserts that ``before`` is as it was."""
    untouched = copy.deepcopy(before)

    def after() -> Document:
        planned = plan(resource_type, parse(message(*operations)), lenient=lenient, schemas=before["schemas"])
        check_claims(planned.claims, {**before, **SHOWN}, lenient=lenient)
        return apply(resource_type, before, planned.document, lenient=lenient)

    result = outcome(after)
    assert before == untouched
    return result


def after_member_changes(ids: str, operations: list[tuple[Any, ...]], *, lenient: bool) -> Any:
    """Who is a member after the operations, be he a user."""
    left = list(ids)
    for change in plan(GROUP_TYPE, parse(message(*operations)), lenient=lenient).members:
        match change:
            case AddMembers(added):
                left += [each for each in added if each not in left]
            case RemoveMembers(removed):
                left = [each for each in left if each not in removed]
            case RemoveMembersWhere(where):
                left = [each for each in left if not matches_element(where, {"value": each, "type": "User"})]
            case ReplaceMembers(others):
                left = list(others)
    return "".join(left)


def cases() -> Iterator[Any]:
    for row, case in CASES:
        name = f"{row}, {case.operations[0][0]}: {case.name}" if row else case.name
        for lenient in (True, False):
            yield pytest.param(row, case, lenient, id=f"{name}, {'lenient' if lenient else 'strict'}", marks=case.marks)


@pytest.mark.parametrize(("row", "case", "lenient"), list(cases()))
def test_patch(row: str, case: Case, lenient: bool) -> None:
    resource_type, expected = type_of(row), case.expected(lenient=lenient)
    before, operations = dict(case.before), case.operations
    if row == "members":
        who = before.pop("members", "")
        result = patched(GROUP_TYPE, group(**before), *operations, lenient=lenient)
        if isinstance(expected, dict):
            assert after_member_changes(who, operations, lenient=lenient) == expected.get("members", "")
            expected = group(**{**before, **{name: value for name, value in expected.items() if name != "members"}})
    else:
        result = patched(resource_type, document(resource_type, **before), *operations, lenient=lenient)
        if isinstance(expected, dict):
            expected = document(resource_type, **expected)
    assert result == expected


def group(**content: Any) -> Document:
    return {"schemas": [GROUP], "displayName": "G", **content}


def test_every_cell_of_the_table_has_cases_with_names_of_their_own() -> None:
    for row, ops in TABLE.items():
        assert list(ops) == ["add", "replace", "remove"], row
        for op, found in ops.items():
            assert found, (row, op)
            assert all(op in {operation[0].lower() for operation in each.operations} for each in found), (row, op)
            assert len({each.name for each in found}) == len(found)
    assert len({case.name for case in OTHERS}) == len(OTHERS)


def members(*ids: str) -> list[dict[str, str]]:
    return [{"value": each} for each in ids]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("add", "members", members("a", "b"))], [AddMembers(("a", "b"))]),
        ([("add", "members", members("a", "b", "a"))], [AddMembers(("a", "b"))]),
        ([("add", "members", [])], []),
        ([("add", None, {"members": members("a")})], [AddMembers(("a",))]),
        ([("add", None, {"members": None})], []),
        ([("remove", "members")], [ReplaceMembers(())]),
        ([("remove", "members", None)], [ReplaceMembers(())]),
        ([("remove", "members", members("a"))], [RemoveMembers(("a",))]),
        ([("remove", 'members[value eq "a"]')], [RemoveMembers(("a",))]),
        ([("remove", 'MEMBERS[VALUE EQ "a"]')], [RemoveMembers(("a",))]),
        ([("remove", 'members[value eq ""]')], [RemoveMembers(("",))]),
        ([("replace", "members", members("a"))], [ReplaceMembers(("a",))]),
        ([("replace", "members", [])], [ReplaceMembers(())]),
        ([("replace", None, {"Members": members("a")})], [ReplaceMembers(("a",))]),
        ([("add", "members", [{"value": ""}])], "invalidValue"),
        ([("add", "members", [None])], "invalidValue"),
        ([("add", "members", [{"value": 5}])], "invalidValue"),
        ([("replace", "members")], "invalidValue"),
        ([("remove", "members", "a")], "invalidValue"),
        ([("remove", "members.value")], "mutability"),
        ([("replace", "members.display", "A")], "mutability"),
        ([("remove", 'members[value eq "a"].type')], "mutability"),
        ([("add", 'members[value eq "a"]', {"value": "a"})], "mutability"),
        ([("remove", 'members[x eq "a"]')], "invalidFilter"),
        ([("remove", 'members[value eq 5]')], "invalidFilter"),
        ([("replace", "displayName", "")], "invalidValue"),
        ([("add", "members", members(*map(str, range(MAX_MEMBERS))))], [AddMembers(tuple(map(str, range(MAX_MEMBERS))))]),
        ([("remove", "members", members(*map(str, range(MAX_MEMBERS + 1))))], 413),
    ],
    ids=lambda each: str(each)[:100],
)  # fmt: skip
def test_members_are_planned_apart(operations: list[tuple[Any, ...]], expected: Any) -> None:
    def planned() -> Any:
        found = plan(GROUP_TYPE, parse(message(*operations)), lenient=True)
        assert found.document == ()
        return list(found.members)

    assert outcome(planned) == expected


def test_other_filters_on_members_are_bound() -> None:
    (change,) = plan(GROUP_TYPE, parse(message(("remove", 'members[type eq "User"]'))), lenient=True).members
    assert isinstance(change, RemoveMembersWhere)
    assert isinstance(change.where, Term)
    assert (str(change.where.target), change.where.op, change.where.key) == ("members.type", "eq", "user")


def test_members_and_document_go_their_own_ways() -> None:
    planned = plan(GROUP_TYPE, parse(message(("replace", None, {"displayName": "G", "members": members("a")}))), lenient=True)
    assert planned.members == (ReplaceMembers(("a",)),)
    before = {"schemas": [GROUP_TYPE.schema.id], "displayName": "F"}
    assert apply(GROUP_TYPE, before, planned.document, lenient=True) == {**before, "displayName": "G"}


K = "S-7644-3.5.2"
ONE = [{"op": "remove", "path": "title"}]
MESSAGES: list[tuple[str, Any, Any]] = [
    (f"{K}-05", {"schemas": [PATCH_OP], "operations": [{"OP": "ADD", "Path": "title", "VALUE": "T", "name": "addTitle"}]}, 1),
    (f"{K}-02", {"schemas": [PATCH_OP.upper()], "Operations": ONE}, 1),
    (f"{K}-06", {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": None, "value": {"title": "T"}}]}, 1),
    (f"{K}-03", {"schemas": [PATCH_OP], "Operations": []}, 0),
    (f"{K}-23", {"schemas": [PATCH_OP], "Operations": ONE * MAX_OPERATIONS}, MAX_OPERATIONS),
    (f"{K}-23", {"schemas": [PATCH_OP], "Operations": ONE * (MAX_OPERATIONS + 1)}, 413),
    (f"{K}-03", {"schemas": [PATCH_OP]}, "invalidSyntax"),
    (f"{K}-02", {"Operations": ONE}, "invalidSyntax"),
    (f"{K}-02", {"schemas": [PATCH_OP, "urn:x"], "Operations": ONE}, "invalidSyntax"),
    (f"{K}-02", {"schemas": ["urn:x"], "Operations": ONE}, "invalidSyntax"),
    (f"{K}-02", {"schemas": PATCH_OP, "Operations": ONE}, "invalidSyntax"),
    (f"{K}-02", {"schemas": [5], "Operations": ONE}, "invalidSyntax"),
    (f"{K}-03", {"schemas": [PATCH_OP], "Operations": {"op": "add"}}, "invalidSyntax"),
    (f"{K}-03", {"schemas": [PATCH_OP], "Operations": ["add"]}, "invalidSyntax"),
    (f"{K}-03", {"schemas": [PATCH_OP], "Operations": [], "operations": []}, "invalidSyntax"),
    (f"{K}-04", {"schemas": [PATCH_OP], "Operations": [{"path": "title", "value": "T"}]}, "invalidSyntax"),
    (f"{K}-04", {"schemas": [PATCH_OP], "Operations": [{"op": "move", "path": "title"}]}, "invalidSyntax"),
    (f"{K}-04", {"schemas": [PATCH_OP], "Operations": [{"op": "test", "path": "title", "value": "T"}]}, "invalidSyntax"),
    (f"{K}-04", {"schemas": [PATCH_OP], "Operations": [{"op": 1, "path": "title"}]}, "invalidSyntax"),
    (f"{K}-04", {"schemas": [PATCH_OP], "Operations": [{"op": "add", "Op": "add", "path": "title"}]}, "invalidSyntax"),
    (f"{K}-07", {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": 1}]}, "invalidPath"),
    (f"{K}-07", {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "a.b.c"}]}, "invalidPath"),
    (f"{K}-02", [], "invalidSyntax"),
    (f"{K}-02", None, "invalidSyntax"),
]


@pytest.mark.parametrize(("body", "expected"), [pytest.param(*each, marks=pytest.mark.requirement(id)) for id, *each in MESSAGES])
def test_messages(body: Any, expected: Any) -> None:
    assert outcome(lambda: len(parse(body))) == expected


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("displayname.x", "displayName"),
        ("emails.adress", "emails"),
        ("nicname", "nickName"),
        ("department", "enterprise:2.0:User:department"),
    ],
)
def test_an_unknown_attribute_is_named_with_what_is_nearby(path: str, near: str) -> None:
    with pytest.raises(InvalidPath) as refusal:
        plan(USER_TYPE, parse(message(("replace", path, "x"))), lenient=True)
    assert path in refusal.value.detail
    assert near in refusal.value.detail


SECRET = Attribute("badge", mutability=Mutability.IMMUTABLE)
TAGS = Attribute("tags", multi_valued=True)
KEYS = Attribute(
    "keys",
    Type.COMPLEX,
    multi_valued=True,
    sub_attributes=(
        Attribute("value", required=True, mutability=Mutability.IMMUTABLE),
        Attribute("doors", multi_valued=True),
        Attribute("level", Type.INTEGER),
        Attribute("maker", mutability=Mutability.IMMUTABLE),
    ),
)
DESK = Attribute("desk", Type.COMPLEX, sub_attributes=(Attribute("floor", Type.INTEGER, required=True), Attribute("room")))
GUARD = Schema("urn:example:Guard", "Guard", "", (Attribute("number", required=True), Attribute("shift")))
THING = ResourceType(
    "Thing", "/Things", "", Schema("urn:example:Thing", "Thing", "", (Attribute("userName"), SECRET, TAGS, KEYS, DESK)), (GUARD,)
)


@pytest.mark.parametrize(
    ("before", "operations", "expected"),
    [
        ({}, [("add", "badge", "1")], {"badge": "1"}),
        ({"badge": "1"}, [("add", "badge", "1")], {"badge": "1"}),
        ({"badge": "1"}, [("replace", "badge", "2")], "mutability"),
        ({"badge": "1"}, [("remove", "badge")], "mutability"),
        ({}, [("remove", "badge")], {}),
        ({"tags": ["a"]}, [("add", "tags", ["B", "A"])], {"tags": ["a", "B"]}),
        ({"tags": ["a"]}, [("add", "tags", "b")], {"tags": ["a", "b"]}),
        ({"tags": ["a", "b"]}, [("remove", "tags", ["A"])], {"tags": ["b"]}),
        ({"tags": ["a"]}, [("replace", "tags", ["b", "b"])], {"tags": ["b"]}),
        ({"tags": ["a"]}, [("add", "tags", [["b"]])], "invalidValue"),
        ({}, [("add", "keys", [{"value": "k", "doors": ["1", "2", "1"]}])], {"keys": [{"value": "k", "doors": ["1", "2"]}]}),
        ({"keys": [{"value": "k", "doors": ["1"]}]}, [("add", 'keys[value eq "k"].doors', "2")],
         {"keys": [{"value": "k", "doors": ["1", "2"]}]}),
        ({"keys": [{"value": "k", "doors": ["1"]}]}, [("replace", 'keys[value eq "k"].doors', ["2"])],
         {"keys": [{"value": "k", "doors": ["2"]}]}),
        ({"keys": [{"value": "k", "level": 1}]}, [("replace", 'keys[level eq 1].value', "l")], "mutability"),
        ({"keys": [{"value": "k", "level": 1}]}, [("replace", 'keys[level eq 1].value', "k")], {"keys": [{"value": "k", "level": 1}]}),
        ({"keys": [{"value": "k", "level": 1}]}, [("replace", 'keys[level eq 1]', {"value": "l"})], "mutability"),
        ({"keys": [{"value": "k", "level": 1}]}, [("remove", 'keys[level eq 1].value')], "mutability"),
        ({"keys": [{"value": "k", "level": 1}]}, [("remove", 'keys[level eq 1]')], {}),
        ({"keys": [{"value": "k", "maker": "A"}]}, [("add", "keys", {"value": "k", "maker": "B"})], "mutability"),
        ({"keys": [{"value": "k", "maker": "A"}]}, [("add", "keys", {"value": "k", "level": 1})],
         {"keys": [{"value": "k", "maker": "A", "level": 1}]}),
        ({"keys": [{"value": "k"}]}, [("add", "keys", {"value": "k", "maker": "B"})], {"keys": [{"value": "k", "maker": "B"}]}),
        ({}, [("add", "keys[level eq 2].doors", "1")], "invalidValue"),
        ({}, [("add", "keys", {"level": 1})], "invalidValue"),
        ({}, [("add", "keys", {"value": "k", "level": 1.5})], "invalidValue"),
        ({}, [("add", "desk", {"room": "R"})], "invalidValue"),
        ({}, [("add", "desk.room", "R"), ("add", "desk.floor", 2)], {"desk": {"room": "R", "floor": 2}}),
        ({"desk": {"floor": 2}}, [("remove", "desk.floor")], "mutability"),
        ({"desk": {"floor": 2, "room": "R"}}, [("replace", "desk", {"floor": None})], "invalidValue"),
        ({"desk": {"floor": 2}}, [("replace", "desk", {"floor": None})], {}),
        ({"desk": {"floor": 2}}, [("remove", "desk")], {}),
        ({}, [("add", "urn:example:Guard:shift", "night")], "invalidValue"),
        ({}, [("add", "urn:example:Guard", {"shift": "night", "number": "7"})], {"urn:example:Guard": {"shift": "night", "number": "7"}}),
        ({"urn:example:Guard": {"number": "7"}}, [("remove", "urn:example:Guard:number")], "mutability"),
        ({"urn:example:Guard": {"number": "7"}}, [("remove", "urn:example:Guard")], {}),
    ],
    ids=str,
)  # fmt: skip
def test_characteristics_that_our_own_schemas_do_not_have(before: dict[str, Any], operations: list[tuple[Any, ...]], expected: Any) -> None:
    if isinstance(expected, dict):
        expected = document(THING, **expected)
    assert patched(THING, document(THING, **before), *operations) == expected


def test_what_no_longer_fits_the_schema_stops_no_other_change() -> None:
    """Stored under another schema: a gone attribute, a wrong type, a missing required value, two primaries."""
    before = document(gone="x", title=5, emails=[{"value": 7, "primary": True}, {"value": "a", "primary": True}], name={"gone": 1})
    del before["userName"]
    after = patched(USER_TYPE, before, ("replace", "nickName", "N"), ("add", "name.givenName", "G"), ("add", "emails", {"value": "b"}))
    name, emails = {"gone": 1, "givenName": "G"}, [*before["emails"], {"value": "b"}]
    assert after == {**before, "nickName": "N", "name": name, "emails": emails}
    labelled = [{**each, "display": "D"} for each in before["emails"]]
    assert patched(USER_TYPE, before, ("replace", "emails[primary eq true].display", "D")) == {**before, "emails": labelled}
