"""The exact shapes of the two PATCH dialects and of creations."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.entra import dialect as speak
from conformance.entra.dialect import CORE_USER, MANAGER, PATCH_OP, Dialect, Set, flatten, new_group, new_user
from conformance.entra.directory import ENTERPRISE, Directory, user_attributes

MOBILE = 'phoneNumbers[type eq "mobile"].value'
NUMBER = f"{ENTERPRISE}:employeeNumber"


@pytest.mark.parametrize(
    ("dialect", "changes", "variant", "operations"),
    [
        ("legacy", [Set("title", "x", False)], 1, [{"op": "Add", "path": "title", "value": "x"}]),
        ("flag", [Set("title", "x", False)], 1, [{"op": "add", "path": "title", "value": "x"}]),
        ("flag", [Set("title", "x", False)], 0, [{"op": "replace", "value": {"title": "x"}}]),
        (
            "legacy",
            [Set("displayName", "x", True), Set("name.familyName", "y", True), Set(NUMBER, "1", True)],
            1,
            [
                {"op": "Replace", "path": "displayName", "value": "x"},
                {"op": "Replace", "path": "name.familyName", "value": "y"},
                {"op": "Replace", "path": NUMBER, "value": "1"},
            ],
        ),
        (
            "flag",
            [Set("displayName", "x", True), Set(MOBILE, "+1", True), Set("name.familyName", "y", True), Set(NUMBER, "1", True)],
            1,
            [
                {"op": "replace", "path": MOBILE, "value": "+1"},
                {"op": "replace", "value": {"displayName": "x", "name.familyName": "y", NUMBER: "1"}},
            ],
        ),
        ("legacy", [Set(MOBILE, "+1", False)], 1, [{"op": "Add", "path": MOBILE, "value": "+1"}]),
        ("legacy", [Set(MOBILE, "+1", False)], 3, [{"op": "Replace", "path": MOBILE, "value": "+1"}]),
        ("flag", [Set(MOBILE, "+1", False)], 0, [{"op": "add", "path": MOBILE, "value": "+1"}]),
        ("legacy", [Set("active", False, True)], 1, [{"op": "Replace", "path": "active", "value": "False"}]),
        ("legacy", [Set("active", True, True)], 1, [{"op": "Replace", "path": "active", "value": "True"}]),
        ("flag", [Set("active", False, True)], 1, [{"op": "replace", "path": "active", "value": False}]),
        ("flag", [Set("userName", "u", True)], 1, [{"op": "replace", "value": {"userName": "u"}}]),
        (
            "flag",
            [Set("active", False, True), Set("userName", "u", True)],
            1,
            [{"op": "replace", "value": {"active": False, "userName": "u"}}],
        ),
    ],
)
def test_attributes(dialect: Dialect, changes: list[Set], variant: int, operations: list[dict[str, Any]]) -> None:
    assert speak.set_attributes(dialect, changes, variant) == {"schemas": [PATCH_OP], "Operations": operations}


@pytest.mark.parametrize(
    ("dialect", "variant", "held", "operation"),
    [
        ("legacy", 1, False, {"op": "Add", "path": MANAGER, "value": "77"}),
        ("legacy", 1, True, {"op": "Replace", "path": MANAGER, "value": "77"}),
        ("legacy", 47, True, {"op": "Replace", "path": "manager", "value": [{"$ref": "http://h/Users/77", "value": "77"}]}),
        ("flag", 1, False, {"op": "add", "path": MANAGER, "value": "77"}),
        ("flag", 5, True, {"op": "replace", "path": MANAGER, "value": {"value": "77"}}),
    ],
)
def test_manager(dialect: Dialect, variant: int, held: bool, operation: dict[str, Any]) -> None:
    assert speak.set_manager(dialect, "77", held, "http://h", variant)["Operations"] == [operation]


@pytest.mark.parametrize(
    ("dialect", "variant", "operation"),
    [
        ("legacy", 0, {"op": "Replace", "path": MANAGER, "value": ""}),
        ("legacy", 1, {"op": "Remove", "path": MANAGER}),
        ("flag", 0, {"op": "replace", "path": MANAGER, "value": ""}),
        ("flag", 1, {"op": "remove", "path": MANAGER}),
        ("flag", 2, {"op": "replace", "path": MANAGER, "value": {"value": ""}}),
    ],
)
def test_manager_removed(dialect: Dialect, variant: int, operation: dict[str, Any]) -> None:
    assert speak.remove_manager(dialect, variant)["Operations"] == [operation]


def test_members() -> None:
    assert speak.change_members("legacy", ["a", "b"], ["c"], 0)["Operations"] == [
        {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "c"}]},
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": "a"}, {"$ref": None, "value": "b"}]},
    ]
    assert speak.change_members("flag", ["a"], ["c", "d"], 0)["Operations"] == [
        {"op": "remove", "path": 'members[value eq "c"]'},
        {"op": "remove", "path": 'members[value eq "d"]'},
        {"op": "add", "path": "members", "value": [{"value": "a"}]},
    ]


def test_the_envelope_comes_in_either_order() -> None:
    assert [list(speak.empty_group(variant)) for variant in (0, 3)] == [["schemas", "Operations"], ["Operations", "schemas"]]


FLAT: dict[str, str | bool] = {
    "externalId": "i",
    "userName": "u",
    "active": True,
    "name.givenName": "I",
    'emails[type eq "work"].value': "u",
    NUMBER: "1",
}


def test_new_user() -> None:
    assert new_user(FLAT, 0) == {
        "schemas": [CORE_USER, ENTERPRISE],
        "externalId": "i",
        "userName": "u",
        "active": True,
        "name": {"givenName": "I"},
        "emails": [{"type": "work", "value": "u", "primary": True}],
        ENTERPRISE: {"employeeNumber": "1"},
        "meta": {"resourceType": "User"},
    }


def test_new_user_variants() -> None:
    """What Microsoft documents beside it: unlisted extension, nulls for what is absent, an empty list of roles."""
    assert new_user(FLAT, 1)["schemas"] == [CORE_USER]
    assert new_user(FLAT, 1)["roles"] == []
    nulls = new_user(FLAT, 2)
    assert {name for name, value in nulls.items() if value is None} == {
        "title",
        "preferredLanguage",
        "addresses",
        "phoneNumbers",
        "department",
        "manager",
    }
    assert nulls["emails"] == new_user(FLAT, 0)["emails"]


def test_new_group_has_no_members() -> None:
    bodies = [new_group({"displayName": "g", "externalId": "o"}, variant) for variant in range(14)]
    assert not any(body.get("members") for body in bodies)
    assert [] in [body.get("members") for body in bodies]
    assert {len(body["schemas"]) for body in bodies} == {1, 2}


PEOPLE = list(Directory(1, 500, 0).people.values())


@settings(max_examples=100)
@given(st.integers(0, 499), st.integers(0, 60))
def test_what_is_created_reads_back_the_same(number: int, variant: int) -> None:
    flat = user_attributes(PEOPLE[number])
    body = {name: value for name, value in new_user(flat, variant).items() if name not in ("meta", "roles") and value is not None}
    assert {path: value for path, value in flatten(body).items() if not path.endswith(".primary")} == flat


@pytest.mark.parametrize(
    ("resource", "flat"),
    [
        ({"schemas": [], "id": "1", "meta": {}, "groups": [{}], "members": [{}]}, {}),
        ({ENTERPRISE: {"manager": {"value": "7", "$ref": "x", "displayName": "y"}}}, {MANAGER: "7"}),
        ({ENTERPRISE: {"manager": "7"}}, {MANAGER: "'7' (not an object)"}),
        ({"name.givenName": "x"}, {"(literally) name.givenName": "x"}),
        (
            {"emails": [{"type": "work", "value": "a", "primary": False}, {"type": "work", "value": "b"}, {"value": "c"}]},
            {
                'emails[type eq "work"].value': "a",
                "emails[1].type": "work",
                "emails[1].value": "b",
                "emails[2].value": "c",
            },
        ),
        ({"active": "False", "title": None}, {"active": "False"}),
        ({"userName": ["u"], "count": 3}, {"userName[0]": "['u']"[1:-1].strip("'"), "count": "3"}),
    ],
)
def test_flatten_shows_also_what_must_not_be(resource: dict[str, Any], flat: dict[str, Any]) -> None:
    assert flatten(resource) == flat
