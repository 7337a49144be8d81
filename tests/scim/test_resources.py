"""Bodies of POST and PUT, comparison documents, representations."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.scim import values
from scim_server.scim.attributes import Attribute, Mutability, Type
from scim_server.scim.documents import is_text
from scim_server.scim.errors import InvalidSyntax, InvalidValue, ScimError
from scim_server.scim.resources import Document, Draft, Link, Resource, accept, keys, represent
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP, GROUP_TYPE, USER, USER_SCHEMA, USER_TYPE, ResourceType, Schema
from tests.scim.bodies import users

BASE = "https://scim.example/scim/v2"
NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
E = ENTERPRISE_USER


def user(**attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": "ada", **attributes}


def accepted(body: Any, resource_type: ResourceType = USER_TYPE, *, lenient: bool = True, current: Document | None = None) -> Any:
    """The document without what every user has, or the scimType of the refusal. Asserts that the body is as it was."""
    untouched = copy.deepcopy(body)
    try:
        document = accept(resource_type, body, lenient=lenient, current=current).document
    except ScimError as refusal:
        return refusal.scim_type
    finally:
        assert body == untouched
    return {
        name: value for name, value in document.items() if (name, value) not in (("schemas", [USER]), ("userName", "ada"), ("active", True))
    }


W, H = {"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}


@pytest.mark.parametrize("current", [None, {"schemas": [USER], "userName": "old", "active": True, "title": "old"}], ids=["POST", "PUT"])
@pytest.mark.parametrize(
    ("body", "expected", "strict"),
    [
        (user(), {}, ...),
        (user(title="T"), {"title": "T"}, ...),
        ({"SCHEMAS": [USER.upper()], "USERNAME": "ada", "Name": {"GIVENNAME": "G"}}, {"name": {"givenName": "G"}}, ...),
        (user(active=False), {"active": False}, ...),
        (user(externalId="x"), {"externalId": "x"}, ...),
        (user(displayName=""), {"displayName": ""}, ...),
        # null, [] and {} are no value
        (user(title=None, emails=None, name=None, active=None), {}, ...),
        (user(title=[], emails=[], name={}, roles=[{}], ims=[None]), {}, ...),
        (user(name={"givenName": None, "familyName": "F"}), {"name": {"familyName": "F"}}, ...),
        (user(**{E: {"department": None, "manager": {}}}), {}, ...),
        (user(**{E: None}), {}, ...),
        # what is ignored
        (user(id="x", meta={"created": 1}, groups=[{"value": "g"}]), {}, ...),
        (user(password="secret"), {}, ...),
        (user(password=5), {}, "invalidValue"),
        (user(unknown=1), {}, "invalidSyntax"),
        (user(department="D"), {}, "invalidSyntax"),
        (user(name={"givenName": "G", "unknown": 1}), {"name": {"givenName": "G"}}, "invalidSyntax"),
        (user(emails=[{**W, "unknown": 1}]), {"emails": [W]}, "invalidSyntax"),
        (user(**{"urn:x:y": {"a": 1}}), {}, "invalidSyntax"),
        (user(**{E: {"unknown": 1}}), {}, "invalidSyntax"),
        ({**user(), "schemas": [USER, "urn:x:y"]}, {}, "invalidValue"),
        # extensions
        (user(**{E: {"department": "D"}}), {"schemas": [USER, E], E: {"department": "D"}}, ...),
        (user(**{E.upper(): {"DEPARTMENT": "D"}}), {"schemas": [USER, E], E: {"department": "D"}}, ...),
        ({**user(), "schemas": [E, USER]}, {}, ...),
        (user(**{E: {"manager": {"value": "m", "$ref": "../Users/m", "displayName": "M"}}}),
         {"schemas": [USER, E], E: {"manager": {"value": "m"}}}, ...),
        (user(**{E: ["x"]}), "invalidValue", ...),
        (user(**{E: "x"}), "invalidValue", ...),
        (user(**{E: {"manager": "m"}}), "invalidValue", ...),
        # many values
        (user(emails=[W, H]), {"emails": [W, H]}, ...),
        (user(emails=[W, W]), {"emails": [W]}, ...),
        (user(emails=[W, {"value": "W@X", "type": "Work", "primary": True}]), {"emails": [{**W, "primary": True}]}, ...),
        (user(emails=[W, {"value": "w@x", "type": "home"}]), {"emails": [W, {"value": "w@x", "type": "home"}]}, ...),
        (user(addresses=[{"type": "work", "locality": "A"}, {"type": "work", "locality": "B"}]),
         {"addresses": [{"type": "work", "locality": "A"}, {"type": "work", "locality": "B"}]}, ...),
        (user(addresses=[{"type": "work", "locality": "A"}, {"locality": "a", "type": "WORK"}]),
         {"addresses": [{"type": "work", "locality": "A"}]}, ...),
        (user(x509Certificates=[{"value": "MAA"}, {"value": "MAA="}]), {"x509Certificates": [{"value": "MAA"}]}, ...),
        (user(photos=[{"value": "https://h/A"}, {"value": "https://h/a"}]),
         {"photos": [{"value": "https://h/A"}, {"value": "https://h/a"}]}, ...),
        (user(emails=[{**W, "primary": True}, {**H, "primary": True}]), "invalidValue", ...),
        (user(emails=[{**W, "primary": True}, {**H, "primary": False}]),
         {"emails": [{**W, "primary": True}, {**H, "primary": False}]}, ...),
        (user(emails=W), "invalidValue", ...),
        (user(emails=["w@x"]), "invalidValue", ...),
        (user(emails=[[W]]), "invalidValue", ...),
        (user(emails=[{"value": ["w@x"]}]), "invalidValue", ...),
        # types
        (user(title=5), "invalidValue", ...),
        (user(title={"a": 1}), "invalidValue", ...),
        (user(title={}), "invalidValue", ...),
        (user(title=["T"]), "invalidValue", ...),
        (user(name="Ada"), "invalidValue", ...),
        (user(name=["Ada"]), "invalidValue", ...),
        (user(active="true"), "invalidValue", ...),
        (user(active=1), "invalidValue", ...),
        (user(title="a\0b"), "invalidValue", ...),
        (user(title="x" * 65536), {"title": "x" * 65536}, ...),
        (user(title="x" * 65537), "invalidValue", ...),
        (user(profileUrl="no uri"), "invalidValue", ...),
        (user(x509Certificates=[{"value": "!"}]), "invalidValue", ...),
        # what is required
        ({"schemas": [USER]}, "invalidValue", ...),
        (user(userName=None), "invalidValue", ...),
        (user(userName=""), "invalidValue", ...),
        (user(userName="  "), "invalidValue", ...),
        (user(userName=5), "invalidValue", ...),
        # schemas
        ({"userName": "ada"}, "invalidSyntax", ...),
        ({"schemas": None, "userName": "ada"}, "invalidSyntax", ...),
        ({"schemas": [], "userName": "ada"}, "invalidSyntax", ...),
        ({"schemas": USER, "userName": "ada"}, "invalidSyntax", ...),
        ({"schemas": [5], "userName": "ada"}, "invalidSyntax", ...),
        ({"schemas": [USER, USER.upper()], "userName": "ada"}, "invalidSyntax", ...),
        ({"schemas": [E], "userName": "ada"}, "invalidValue", ...),
        ({"schemas": [GROUP], "userName": "ada"}, "invalidValue", ...),
        # one name twice
        (user(USERNAME="bob"), "invalidSyntax", ...),
        (user(title=None, TITLE="T"), "invalidSyntax", ...),
        (user(name={"givenName": None, "GivenName": "G"}), "invalidSyntax", ...),
        (user(**{E: {}, E.lower().replace("enterprise", "Enterprise"): {}}), "invalidSyntax", ...),
        ([], "invalidSyntax", ...),
        (None, "invalidSyntax", ...),
    ],
    ids=lambda each: str(each)[:100],
)  # fmt: skip
def test_accept(body: Any, expected: Any, strict: Any, current: Document | None) -> None:
    assert accepted(body, current=current) == expected
    assert accepted(body, lenient=False, current=current) == (expected if strict is ... else strict)


@pytest.mark.parametrize(
    ("body", "current", "expected"),
    [
        (user(), None, True),
        (user(active=None), None, None),
        (user(active=[]), None, None),
        (user(active=False), None, False),
        (user(), {"active": True}, True),
        (user(), {"active": False}, False),
        (user(), {}, None),
        (user(active=None), {"active": False}, None),
        (user(active=True), {"active": False}, True),
    ],
)
def test_active_is_true_at_first_and_then_stays_unless_it_is_said(body: Any, current: Any, expected: bool | None) -> None:
    current = current if current is None else {"schemas": [USER], "userName": "ada", **current}
    assert accept(USER_TYPE, body, lenient=True, current=current).document.get("active") is expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (..., None),
        (None, ()),
        ([], ()),
        ([{"value": "a"}, {"value": "b", "$ref": None, "display": "B", "type": "User"}, {"value": "a"}], ("a", "b")),
        ({"value": "a"}, "invalidValue"),
        (["a"], "invalidValue"),
        ([{}], "invalidValue"),
        ([None], "invalidValue"),
        ([{"value": ""}], "invalidValue"),
        ([{"value": None}], "invalidValue"),
        ([{"value": 1}], "invalidValue"),
        ([{"value": "a", "x": 1}], ("a",)),
    ],
    ids=str,
)
def test_members_are_told_apart_from_the_document(members: Any, expected: Any) -> None:
    body = {"schemas": [GROUP], "displayName": "G", **({} if members is ... else {"Members": members})}
    result: Any
    try:
        result = accept(GROUP_TYPE, body, lenient=True)
    except ScimError as refusal:
        result = refusal.scim_type
    document = {"schemas": [GROUP], "displayName": "G"}
    assert result == (expected if isinstance(expected, str) else Draft(document, expected))


def test_a_group_needs_a_name_and_knows_nothing_of_active() -> None:
    for body in ({"schemas": [GROUP]}, {"schemas": [GROUP], "displayName": ""}):
        with pytest.raises(InvalidValue, match="displayName"):
            accept(GROUP_TYPE, body, lenient=True)
    with pytest.raises(InvalidSyntax, match="active"):
        accept(GROUP_TYPE, {"schemas": [GROUP], "displayName": "G", "active": True}, lenient=False)


BADGE = Attribute("badge", mutability=Mutability.IMMUTABLE)
GUARD = Schema(
    "urn:x:Guard", "Guard", "", (Attribute("number", required=True), Attribute("since", Type.DATETIME, mutability=Mutability.IMMUTABLE))
)
THING = ResourceType("Thing", "/Things", "", Schema("urn:x:Thing", "Thing", "", (BADGE,)), (GUARD,))
SINCE = "2026-01-31T12:00:00Z"


@pytest.mark.requirement("S-7644-3.5.1-06")
@pytest.mark.parametrize(
    ("current", "body", "expected"),
    [
        (None, {"badge": "1"}, {"badge": "1"}),
        ({}, {"badge": "1"}, {"badge": "1"}),
        ({"badge": "1"}, {"badge": "1"}, {"badge": "1"}),
        ({"badge": "1"}, {}, {"badge": "1"}),
        ({"badge": "1"}, {"badge": "2"}, "mutability"),
        ({"badge": "1"}, {"badge": None}, "mutability"),
        (
            {"urn:x:Guard": {"number": "7", "since": SINCE}},
            {"urn:x:Guard": {"number": "8"}},
            {"urn:x:Guard": {"number": "8", "since": SINCE}},
        ),
        ({"urn:x:Guard": {"number": "7", "since": SINCE}}, {"urn:x:Guard": {"number": "8", "since": "2026-01-31T12:00:01Z"}}, "mutability"),
        (None, {"urn:x:Guard": {"since": SINCE}}, "invalidValue"),
        (None, {"urn:x:Guard": {"number": "7", "since": "yesterday"}}, "invalidValue"),
        (None, {"urn:x:Guard": {}}, {}),
    ],
    ids=str,
)
def test_immutable_and_required_attributes_of_other_schemas(current: Any, body: Any, expected: Any) -> None:
    current = current if current is None else {"schemas": ["urn:x:Thing"], **current}
    result = accepted({"schemas": ["urn:x:Thing"], **body}, THING, current=current)
    if isinstance(result, dict):
        assert result.pop("schemas") == ["urn:x:Thing", *(["urn:x:Guard"] if "urn:x:Guard" in expected else [])]
    assert result == expected


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield value


def resource(document: Document, **known: Any) -> Resource:
    return Resource(USER_TYPE, "u1", 3, NOW, NOW + timedelta(seconds=1), document, **known)


@settings(max_examples=150)
@given(users, st.booleans())
def test_what_is_answered_can_be_sent_back_and_changes_nothing(body: dict[str, Any], again_strict: bool) -> None:
    document = accept(USER_TYPE, body, lenient=True).document
    manager = Link("m1", "M", "User") if document.get(E, {}).get("manager") else None
    answer = represent(resource(document, manager=manager, links=(Link("g1", "G", "direct"),)), BASE)
    assert accept(USER_TYPE, answer, lenient=not again_strict, current=document).document == document
    assert all(leaf is not None for leaf in leaves(answer))
    assert not any(each in ({}, []) for each in (*answer.values(), *answer.get(E, {}).values()) if not isinstance(each, (bool, str)))
    assert "password" not in answer
    assert set(answer["schemas"]) == {USER, *({E} & answer.keys())}


@settings(max_examples=150)
@given(users)
def test_comparison_documents_hold_keys_only(body: dict[str, Any]) -> None:
    document = accept(USER_TYPE, body, lenient=True).document
    result = keys(USER_TYPE, document)
    assert all(isinstance(leaf, (str, int, float)) and not isinstance(leaf, bool) and leaf != "" for leaf in leaves(result))
    assert result.keys() <= document.keys()
    for name in ("emails", "addresses", "roles", "x509Certificates"):
        assert all(element["primary"] in ("true", "false") for element in result.get(name, []))


def test_what_keys_look_like() -> None:
    document = accept(
        USER_TYPE,
        user(
            userName="Ínés", externalId="aB", title="", active=False, name={"givenName": "", "familyName": "Straße"},
            emails=[{"value": "A@B", "type": "Work", "primary": True}, {"value": "c"}, {"display": ""}],
            x509Certificates=[{"value": "YQ"}], roles=[{"value": ""}], profileUrl="https://h/A",
            **{E: {"department": "D", "manager": {"value": "M"}}},
        ),
        lenient=True,
    ).document  # fmt: skip
    document |= {"gone": "x", "locale": 5}  # stored under another schema
    assert keys(USER_TYPE, document) == {
        "schemas": [USER.lower(), E.lower()],
        "userName": "ínés",
        "externalId": "aB",
        "active": "false",
        "name": {"familyName": "strasse"},
        "emails": [{"value": "a@b", "type": "work", "primary": "true"}, {"value": "c", "primary": "false"}],
        "x509Certificates": [{"value": "YQ==", "primary": "false"}],
        "profileUrl": "https://h/A",
        E: {"department": "d", "manager": {"value": "M"}},
    }


def test_a_user_as_answered() -> None:
    document = accept(USER_TYPE, user(**{E: {"manager": {"value": "m1"}, "department": "D"}}), lenient=True).document
    untouched = copy.deepcopy(document)
    zone = timezone(timedelta(hours=2))
    groups = (Link("g1", "G", "direct"), Link("g2", None, "direct"))
    answer = represent(Resource(USER_TYPE, "u1", 3, NOW.astimezone(zone), NOW, document, groups, Link("m1", "M", "User")), BASE)
    assert answer == {
        "schemas": [USER, E],
        "id": "u1",
        "userName": "ada",
        "active": True,
        E: {"manager": {"value": "m1", "$ref": f"{BASE}/Users/m1", "displayName": "M"}, "department": "D"},
        "groups": [
            {"value": "g1", "$ref": f"{BASE}/Groups/g1", "display": "G", "type": "direct"},
            {"value": "g2", "$ref": f"{BASE}/Groups/g2", "type": "direct"},
        ],
        "meta": {
            "resourceType": "User",
            "created": "2026-01-31T12:00:00.123Z",
            "lastModified": "2026-01-31T12:00:00.123Z",
            "location": f"{BASE}/Users/u1",
            "version": 'W/"3"',
        },
    }
    assert document == untouched
    alone = represent(resource(document, links=(), manager=None), BASE)
    assert "groups" not in alone
    assert alone[E]["manager"] == {"value": "m1"}
    nameless = represent(resource(document, manager=Link("m1", None, "User")), BASE)
    assert nameless[E]["manager"] == {"value": "m1", "$ref": f"{BASE}/Users/m1"}


def test_a_group_as_answered() -> None:
    document = accept(GROUP_TYPE, {"schemas": [GROUP], "displayName": "G"}, lenient=True).document
    group = Resource(GROUP_TYPE, "g1", 1, NOW, NOW, document, (Link("u1", "Ada", "User"), Link("g2", None, "Group")))
    answer = represent(group, BASE)
    assert answer["members"] == [
        {"value": "u1", "$ref": f"{BASE}/Users/u1", "display": "Ada", "type": "User"},
        {"value": "g2", "$ref": f"{BASE}/Groups/g2", "type": "Group"},
    ]
    assert answer["meta"]["location"] == f"{BASE}/Groups/g1"
    assert "members" not in represent(Resource(GROUP_TYPE, "g1", 1, NOW, NOW, document), BASE)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_text_that_passes_at_a_glance_passes_the_check(value: str) -> None:
    if is_text(value):
        attribute = USER_SCHEMA.attribute("title")
        assert attribute is not None
        assert values.check(attribute, value, "title") == value
