"""PATCH over HTTP (requirement group K): a case of each cell of the table, and what only a request shows.

The whole table is run in the core (``tests/scim/test_patch.py``); no cell is about a thing of HTTP or of the store.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from scim_server.events import Scope
from scim_server.scim.patch import MAX_MEMBERS, MAX_OPERATIONS
from scim_server.store.unit import Store
from scim_server.tenancy.profiles import PROFILES
from tests.http.conftest import ENTERPRISE, GROUP, PATCH_OP, USER, Scim
from tests.scim.patch_cases import TABLE, Case

NOBODY = "0190a000-0000-7000-8000-000000000001"
NOT_IN_OUR_SCHEMAS = {"immutable attribute"}
CELLS = [
    pytest.param(row, cases[0], id=f"{row}, {op}", marks=cases[0].marks)
    for row, ops in TABLE.items()
    if row not in NOT_IN_OUR_SCHEMAS
    for op, cases in ops.items()
]


def operations_of(case: Case, people: dict[str, str]) -> list[dict[str, Any]]:
    """As JSON; the letters of members as their ids."""
    found = []
    for op, path, *value in case.operations:
        operation: dict[str, Any] = {"op": op, **({} if path is None else {"path": path}), **({"value": value[0]} if value else {})}
        if people:
            for letter, each in people.items():
                if "path" in operation:
                    operation["path"] = operation["path"].replace(f'"{letter}"', f'"{each}"')
            if "value" in operation:
                operation["value"] = [{"value": people[one["value"]]} for one in operation["value"]]
        found.append(operation)
    return found


def body_of(answer: Any) -> Any:
    return answer.get_json(force=True)


@pytest.mark.parametrize(("row", "case"), CELLS)
def test_a_case_of_each_cell(scim: Scim, profile: str, row: str, case: Case) -> None:
    """The answer is what is read afterwards; a refusal changes nothing."""
    expected = case.expected(lenient=PROFILES[profile].lenient)
    if row == "members":
        people = {letter: scim.user(letter)["id"] for letter in "abc"}
        made = scim.group("G", *(people[each] for each in case.before["members"]))
        path, shown = f"/Groups/{made['id']}", {"attributes": "displayName,members"}
    else:
        people = {}
        made = body_of(scim.post("/Users", {"schemas": [USER, ENTERPRISE], "userName": "u", **case.before}))
        path, shown = f"/Users/{made['id']}", {}
    answer = scim.patch(path, *operations_of(case, people), query=shown)
    after = body_of(scim.get(path, **shown))
    if isinstance(expected, str):
        assert (answer.status_code, body_of(answer)["scimType"]) == (400, expected)
        assert row == "members" or after == made
        return
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert body_of(answer) == after
    if row == "members":
        assert {each["value"] for each in after.get("members", [])} == {people[each] for each in expected.get("members", "")}
    else:
        known = {"id", "meta", "schemas"} | ({"active"} - expected.keys()) | ({"userName"} - expected.keys())
        assert {name: value for name, value in after.items() if name not in known} == expected
        assert after["schemas"] == [USER, *({ENTERPRISE} & expected.keys())]


@pytest.fixture
def ada(scim: Scim) -> dict[str, Any]:
    emails = [{"type": "work", "value": "w@x"}]
    body = {"schemas": [USER], "userName": "ada@example.com", "title": "T", "emails": emails, "name": {"givenName": "Ada"}}
    return dict(body_of(scim.post("/Users", body)))


@pytest.mark.requirement("S-7644-3.5.2-01", "S-7644-3.5.2-18")
def test_a_user_is_answered_whole_and_a_group_with_its_tag(scim: Scim, ada: dict[str, Any]) -> None:
    assert body_of(scim.get("/ServiceProviderConfig"))["patch"]["supported"] is True
    answer = scim.patch(f"/Users/{ada['id']}", {"op": "replace", "path": "title", "value": "U"})
    assert (answer.status_code, body_of(answer)) == (200, body_of(scim.get(f"/Users/{ada['id']}")))
    group = scim.group("Team", ada["id"])
    answer = scim.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "displayName", "value": "Others"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Location"] == group["meta"]["location"]
    assert answer.headers["ETag"] == body_of(scim.get(f"/Groups/{group['id']}"))["meta"]["version"] == 'W/"2"'


@pytest.mark.requirement("S-7644-3.5.2-19")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"attributes": "displayName"}, "schemas id displayName"),
        ({"attributes": "members"}, "schemas id members"),
        ({"excludedAttributes": "members,meta"}, "schemas id displayName"),
    ],
    ids=str,
)
def test_who_says_what_he_wants_to_see_is_answered(scim: Scim, ada: dict[str, Any], query: dict[str, str], names: str) -> None:
    group = scim.group("Team", ada["id"])
    answer = scim.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "displayName", "value": "Others"}, query=query)
    assert answer.status_code == 200
    assert body_of(answer).keys() == set(names.split())


@pytest.mark.requirement("S-7644-3.5.2-12", "S-7644-3.5.2-13")
def test_a_name_without_its_urn_means_what_the_schemas_of_the_user_have(scim: Scim, ada: dict[str, Any]) -> None:
    path, bare = f"/Users/{ada['id']}", {"op": "add", "path": "department", "value": "D"}
    assert body_of(scim.patch(path, bare))["scimType"] == "invalidPath"
    assert body_of(scim.patch(path, {"op": "add", "path": "schemas", "value": [ENTERPRISE]}, bare))[ENTERPRISE] == {"department": "D"}
    assert body_of(scim.patch(path, {**bare, "value": "E"}))[ENTERPRISE] == {"department": "E"}
    assert body_of(scim.patch(path, {"op": "replace", "value": {"department": "F"}}))[ENTERPRISE] == {"department": "F"}
    assert body_of(scim.patch(path, {"op": "remove", "path": ENTERPRISE}, bare))["scimType"] == "invalidPath"


@pytest.mark.requirement("S-7644-3.5.2.3-12")
def test_what_was_read_may_be_sent_along_with_what_changes(scim: Scim, profile: str, ada: dict[str, Any]) -> None:
    """And once it is old, a strict tenant holds it against the client."""
    boss = scim.user("boss@example.com", displayName="Boss")
    scim.patch(f"/Users/{ada['id']}", {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": boss["id"]}})
    group = scim.group("Team", ada["id"], boss["id"])
    for path, name in ((f"/Users/{ada['id']}", "title"), (f"/Groups/{group['id']}", "displayName")):
        shown = body_of(scim.get(path))
        changes = {"op": "replace", "value": {**shown, name: "Other"}}
        assert scim.patch(path, changes).status_code in (200, 204)
        after = body_of(scim.get(path))
        assert {**after, "meta": 0} == {**shown, name: "Other", "meta": 0}
        assert after["meta"]["version"] != shown["meta"]["version"]
        again = scim.patch(path, changes, query={"attributes": name})
        assert again.status_code == (200 if PROFILES[profile].lenient else 400)
        assert body_of(scim.get(path)) == after


UNCHANGED: list[Any] = [
    pytest.param({"op": "add", "path": "title", "value": "T"}, marks=pytest.mark.requirement("S-7644-3.5.2.1-09")),
    pytest.param(
        {"op": "add", "path": "emails", "value": [{"type": "WORK", "value": "W@X"}]}, marks=pytest.mark.requirement("S-7644-3.5.2.1-09")
    ),
    pytest.param({"op": "add", "value": {"name": {"givenName": "Ada"}}}, marks=pytest.mark.requirement("S-7644-3.5.2.1-09")),
    pytest.param({"op": "replace", "path": "title", "value": "T"}, marks=pytest.mark.requirement("S-7644-3.5.2.3-17")),
    pytest.param({"op": "replace", "value": {"active": True, "title": "T"}}, marks=pytest.mark.requirement("S-7644-3.5.2.3-17")),
    pytest.param({"op": "remove", "path": "nickName"}, marks=pytest.mark.requirement("S-7644-3.5.2.2-10")),
    pytest.param({"op": "remove", "path": 'emails[type eq "home"]'}, marks=pytest.mark.requirement("S-7644-3.5.2.2-09")),
    pytest.param({"op": "add", "path": "password", "value": "s3cret"}, marks=pytest.mark.requirement("S-7644-3.5.2.1-20")),
]


@pytest.mark.parametrize("operation", UNCHANGED, ids=str)
def test_what_changes_nothing_leaves_version_date_and_log_alone(
    scim: Scim, store: Store, scope: Scope, ada: dict[str, Any], operation: dict[str, Any]
) -> None:
    with store.read(scope) as unit:
        events = len(unit.events.list(100))
    assert body_of(scim.patch(f"/Users/{ada['id']}", operation)) == ada
    assert body_of(scim.get(f"/Users/{ada['id']}"))["meta"] == ada["meta"]
    with store.read(scope) as unit:
        assert len(unit.events.list(100)) == events


@pytest.mark.requirement("S-7644-3.5.2.1-09", "S-7644-3.5.2.2-12")
def test_members_that_are_there_already_change_nothing_either(scim: Scim, store: Store, scope: Scope, ada: dict[str, Any]) -> None:
    group = scim.group("Team", ada["id"])
    with store.read(scope) as unit:
        events = len(unit.events.list(100))
    for operation in (
        {"op": "add", "path": "members", "value": [{"value": ada["id"]}]},
        {"op": "replace", "path": "members", "value": [{"value": ada["id"]}]},
        {"op": "remove", "path": "members", "value": []},
        {"op": "remove", "path": f'members[value eq "{NOBODY}"]'},
        {"op": "remove", "path": "members", "value": [{"value": NOBODY}]},
    ):
        assert scim.patch(f"/Groups/{group['id']}", operation).status_code == 204
    assert body_of(scim.get(f"/Groups/{group['id']}")) == group
    with store.read(scope) as unit:
        assert len(unit.events.list(100)) == events


@pytest.mark.requirement("S-7644-3.5.2-15", "S-7644-3.5.2-20")
def test_when_the_last_of_three_fails_nothing_is_done(scim: Scim, store: Store, scope: Scope, ada: dict[str, Any]) -> None:
    group = scim.group("Team", ada["id"])
    ada = body_of(scim.get(f"/Users/{ada['id']}"))
    with store.read(scope) as unit:
        events = len(unit.events.list(100))
    good = [{"op": "replace", "path": "displayName", "value": "Others"}, {"op": "add", "path": "externalId", "value": "x"}]
    for bad, scim_type in (
        ({"op": "replace", "path": "noSuchThing", "value": 1}, "invalidPath"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "add", "path": "externalId", "value": 5}, "invalidValue"),
    ):
        for resource, path in ((ada, f"/Users/{ada['id']}"), (group, f"/Groups/{group['id']}")):
            answer = scim.patch(path, *good, bad)
            assert (answer.status_code, body_of(answer)["status"], body_of(answer)["scimType"]) == (400, "400", scim_type)
            assert body_of(scim.get(path)) == resource
    members: list[dict[str, Any]] = [{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": [{"value": NOBODY}]}]
    assert body_of(scim.patch(f"/Groups/{group['id']}", *good, *members))["scimType"] == "invalidValue"
    assert body_of(scim.get(f"/Groups/{group['id']}")) == group
    with store.read(scope) as unit:
        assert len(unit.events.list(100)) == events


@pytest.mark.requirement("S-7644-3.5.2-21", "S-7644-3.5.2-24")
def test_a_name_in_use_is_a_conflict(scim: Scim, ada: dict[str, Any]) -> None:
    scim.user("bob@example.com")
    taking = [{"op": "replace", "path": "title", "value": "U"}, {"op": "replace", "path": "userName", "value": "BOB@example.com"}]
    answer = scim.patch(f"/Users/{ada['id']}", *taking)
    assert (answer.status_code, body_of(answer)["scimType"]) == (409, "uniqueness")
    assert body_of(scim.get(f"/Users/{ada['id']}")) == ada
    back = {"op": "replace", "path": "userName", "value": "ada@example.com"}
    assert scim.patch(f"/Users/{ada['id']}", *taking, back).status_code == 200


@pytest.mark.requirement("S-7644-3.5.2-22")
@pytest.mark.parametrize("path", ["/Users", "/Groups"])
@pytest.mark.parametrize("unknown", [NOBODY, "no-id"])
def test_an_unknown_id_is_told_before_the_body_is_judged(scim: Scim, path: str, unknown: str) -> None:
    for body in ({}, {"schemas": [PATCH_OP], "Operations": [{"op": "nonsense"}]}, {"schemas": [GROUP]}):
        assert scim.request("PATCH", f"{path}/{unknown}", body).status_code == 404


@pytest.mark.requirement("S-7644-3.5.2-23")
def test_limits_are_named(scim: Scim, ada: dict[str, Any]) -> None:
    group = scim.group("Team", ada["id"])
    for operations, limit in (
        ([{"op": "remove", "path": "externalId"}] * (MAX_OPERATIONS + 1), MAX_OPERATIONS),
        ([{"op": "add", "path": "members", "value": [{"value": str(n)} for n in range(MAX_MEMBERS + 1)]}], MAX_MEMBERS),
    ):
        answer = scim.patch(f"/Groups/{group['id']}", *operations)
        assert (answer.status_code, "scimType" in body_of(answer)) == (413, False)
        assert str(limit) in body_of(answer)["detail"]
    assert body_of(scim.get(f"/Groups/{group['id']}")) == group


@pytest.mark.profiles("entra")
@pytest.mark.requirement("S-7644-3.5.2-23")
def test_ten_thousand_members_in_one_operation(scim: Scim, store: Store, scope: Scope) -> None:
    """They come and go at once; that a change costs its own size and not the group's, ``tests/store/test_members.py`` shows."""
    with store.write(scope) as unit:
        people = [unit.users.insert({"schemas": [USER], "userName": f"u{n}", "active": True}).id for n in range(10_000)]
    group = scim.group("Team")
    value = [{"value": each} for each in people]
    for op, number in (("add", 10_000), ("remove", 0)):
        began = time.perf_counter()
        assert scim.patch(f"/Groups/{group['id']}", {"op": op, "path": "members", "value": value}).status_code == 204
        assert time.perf_counter() - began < 5  # some tenths of a second, where nothing else is done
        assert len(scim.members(group["id"])) == number
