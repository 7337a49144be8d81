"""PATCH: the table of ``patch_cases``, then members, messages, and schemas that are not ours."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scim_server.scim.attributes import Attribute, Mutability, Type
from scim_server.scim.documents import Document, schemas_of
from scim_server.scim.errors import InvalidPath, ScimError
from scim_server.scim.matching import Term
from scim_server.scim.messages import PATCH_OP
from scim_server.scim.patch import (
    MAX_OPERATIONS,
    AddMembers,
    RemoveMembers,
    RemoveMembersWhere,
    ReplaceMembers,
    apply,
    parse,
    plan,
)
from scim_server.scim.schemas import GROUP_TYPE, USER_TYPE, ResourceType, Schema
from tests.scim.patch_cases import CASES


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
        steps = plan(resource_type, parse(message(*operations)), lenient=lenient).document
        return apply(resource_type, before, steps, lenient=lenient)

    result = outcome(after)
    assert before == untouched
    return result


@pytest.mark.parametrize("lenient", [True, False], ids=["lenient", "strict"])
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_patch(case: Any, lenient: bool) -> None:
    _, before, operations, after, *strict = case
    expected = strict[0] if strict and not lenient else after
    if isinstance(expected, dict):
        expected = document(**expected)
    assert patched(USER_TYPE, document(**before), *operations, lenient=lenient) == expected


def test_every_case_has_its_own_name() -> None:
    assert len({case[0] for case in CASES}) == len(CASES)


def members(*ids: str) -> list[dict[str, str]]:
    return [{"value": each} for each in ids]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("add", "members", members("a", "b"))], [AddMembers(("a", "b"))]),
        ([("add", "members", {"value": "a"})], [AddMembers(("a",))]),
        ([("add", "members", [{"$ref": None, "value": "a", "type": "User", "display": "A"}])], [AddMembers(("a",))]),
        ([("add", "members", members("a", "b", "a"))], [AddMembers(("a", "b"))]),
        ([("add", "members", [])], []),
        ([("add", None, {"members": members("a")})], [AddMembers(("a",))]),
        ([("add", None, {"members": None})], []),
        ([("add", "urn:ietf:params:scim:schemas:core:2.0:Group:members", members("a"))], [AddMembers(("a",))]),
        ([("remove", "members")], [ReplaceMembers(())]),
        ([("remove", "members", None)], [ReplaceMembers(())]),
        ([("remove", "members", [])], []),
        ([("remove", "members", members("a"))], [RemoveMembers(("a",))]),
        ([("remove", "members", {"value": "a"})], [RemoveMembers(("a",))]),
        ([("remove", 'members[value eq "a"]')], [RemoveMembers(("a",))]),
        ([("remove", 'MEMBERS[VALUE EQ "a"]')], [RemoveMembers(("a",))]),
        ([("remove", 'members[value eq ""]')], [RemoveMembers(("",))]),
        ([("replace", "members", members("a"))], [ReplaceMembers(("a",))]),
        ([("replace", "members", [])], [ReplaceMembers(())]),
        ([("replace", "members", None)], [ReplaceMembers(())]),
        ([("replace", None, {"Members": members("a")})], [ReplaceMembers(("a",))]),
        ([("remove", "members"), ("add", "members", members("a"))], [ReplaceMembers(()), AddMembers(("a",))]),
        ([("add", "members", [{"display": "A"}])], "invalidValue"),
        ([("add", "members", [{"value": ""}])], "invalidValue"),
        ([("add", "members", [None])], "invalidValue"),
        ([("add", "members", [{"value": 5}])], "invalidValue"),
        ([("add", "members", ["a"])], "invalidValue"),
        ([("add", "members", None)], "invalidValue"),
        ([("add", "members")], "invalidValue"),
        ([("replace", "members")], "invalidValue"),
        ([("remove", "members", [{}])], "invalidValue"),
        ([("remove", "members", "a")], "invalidValue"),
        ([("add", "members.value", "a")], "mutability"),
        ([("remove", "members.value")], "mutability"),
        ([("replace", "members.display", "A")], "mutability"),
        ([("replace", 'members[value eq "a"].value', "b")], "mutability"),
        ([("replace", 'members[value eq "a"].display', "b")], "mutability"),
        ([("remove", 'members[value eq "a"].type')], "mutability"),
        ([("replace", 'members[value eq "a"]', {"value": "b"})], "mutability"),
        ([("add", 'members[value eq "a"]', {"value": "a"})], "mutability"),
        ([("remove", 'members[x eq "a"]')], "invalidFilter"),
        ([("remove", 'members[value eq 5]')], "invalidFilter"),
        ([("remove", "displayName")], "mutability"),
        ([("replace", "displayName", "")], "invalidValue"),
    ],
    ids=str,
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


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"schemas": [PATCH_OP], "operations": [{"OP": "ADD", "Path": "title", "VALUE": "T", "name": "addTitle"}]}, 1),
        ({"schemas": [PATCH_OP.upper()], "Operations": [{"op": "remove", "path": "title"}]}, 1),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": None, "value": {"title": "T"}}]}, 1),
        ({"schemas": [PATCH_OP], "Operations": []}, 0),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "title"}] * MAX_OPERATIONS}, MAX_OPERATIONS),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "title"}] * (MAX_OPERATIONS + 1)}, 413),
        ({"schemas": [PATCH_OP]}, "invalidSyntax"),
        ({"Operations": [{"op": "remove", "path": "title"}]}, "invalidSyntax"),
        ({"schemas": [PATCH_OP, "urn:x"], "Operations": []}, "invalidSyntax"),
        ({"schemas": ["urn:x"], "Operations": []}, "invalidSyntax"),
        ({"schemas": PATCH_OP, "Operations": []}, "invalidSyntax"),
        ({"schemas": [5], "Operations": []}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": {"op": "add"}}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": ["add"]}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": [], "operations": []}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": [{"path": "title", "value": "T"}]}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "move", "path": "title"}]}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": [{"op": 1, "path": "title"}]}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "add", "Op": "add", "path": "title"}]}, "invalidSyntax"),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": 1}]}, "invalidPath"),
        ({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "a.b.c"}]}, "invalidPath"),
        ([], "invalidSyntax"),
        (None, "invalidSyntax"),
    ],
)
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
