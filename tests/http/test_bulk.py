"""Bulk: many operations in one request, each judged and told as if it had come alone (RFC 7644 §3.7)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_server import clock
from scim_server.events import Scope
from scim_server.scim.bulk import MAX_OPERATIONS
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.conftest import BULK_REQUEST, BULK_RESPONSE, ENTERPRISE, GROUP, PATCH_OP, USER, Scim, new_client
from tests.tenants import BASE_URL, OPERATOR

Operation = dict[str, Any]
Told = dict[str, Any]


def user(bulk_id: str, **attributes: Any) -> Operation:
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {"schemas": [USER], "userName": bulk_id, **attributes}}


def managed(bulk_id: str, manager: str) -> Operation:
    return user(bulk_id, **{ENTERPRISE: {"manager": {"value": manager}, "department": "D"}})


def group(bulk_id: str, *members: str) -> Operation:
    data = {"schemas": [GROUP], "displayName": bulk_id, "members": [{"value": each} for each in members]}
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def patch(path: str, *operations: Operation, **more: Any) -> Operation:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": list(operations)}, **more}


def bulk(scim: Scim, *operations: Any, **more: Any) -> list[Told]:
    answer = scim.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": list(operations), **more})
    body = answer.get_json(force=True)
    assert answer.status_code == 200, body
    assert body.keys() == {"schemas", "Operations"}
    assert body["schemas"] == [BULK_RESPONSE]
    for told in body["Operations"]:
        assert ("response" in told) is (int(told["status"]) >= 400)
        assert "response" not in told or told["response"]["status"] == told["status"]
        assert ("location" in told) is (told.get("method") != "POST" or told["status"] == "201") or "response" in told
    return body["Operations"]  # type: ignore[no-any-return]  # werkzeug types JSON as Any


def statuses(told: list[Told]) -> list[str]:
    return [each["status"] for each in told]


def refusals(told: list[Told]) -> list[tuple[str, str | None]]:
    return [(each["status"], each.get("response", {}).get("scimType")) for each in told]


def made(told: Told) -> str:
    return str(told["location"].rpartition("/")[2])


@pytest.mark.requirement("S-7644-3.7-02", "S-7644-3.7-08", "S-7644-3.7-09", "S-7644-3.7.3-01", "S-7644-3.7.3-02", "S-7644-3.7-11")
def test_each_operation_is_told_as_if_it_had_come_alone(scim: Scim) -> None:
    ada, bob, team = scim.user("ada"), scim.user("bob"), scim.group("team")
    told = bulk(
        scim,
        user("new"),
        {"method": "PUT", "path": f"/Users/{ada['id']}", "data": {"schemas": [USER], "userName": "ada", "title": "T"}},
        patch(f"/Users/{ada['id']}", {"op": "replace", "path": "title", "value": "U"}),
        patch(f"/Groups/{team['id']}", {"op": "add", "path": "members", "value": [{"value": ada["id"]}]}),
        {"method": "DELETE", "path": f"/Users/{bob['id']}"},
        failOnErrors=1,
    )
    of_ada, of_team = f"{BASE_URL}/Users/{ada['id']}", f"{BASE_URL}/Groups/{team['id']}"
    assert told == [
        {"method": "POST", "bulkId": "new", "location": f"{BASE_URL}/Users/{made(told[0])}", "version": 'W/"1"', "status": "201"},
        {"method": "PUT", "location": of_ada, "version": 'W/"2"', "status": "200"},
        {"method": "PATCH", "location": of_ada, "version": 'W/"3"', "status": "200"},
        {"method": "PATCH", "location": of_team, "version": 'W/"2"', "status": "204"},
        {"method": "DELETE", "location": f"{BASE_URL}/Users/{bob['id']}", "status": "204"},
    ]
    assert scim.get(f"/Users/{ada['id']}").get_json(force=True)["title"] == "U"
    assert scim.get(f"/Users/{bob['id']}").status_code == 404
    assert scim.members(team["id"]) == {ada["id"]}


@pytest.mark.requirement("S-7644-3.7-09", "S-7644-3.7-10", "S-7644-3.7-13", "S-7644-3.12-05")
def test_what_fails_stops_nothing_else(scim: Scim) -> None:
    ada = scim.user("ada")
    told = bulk(scim, user("ada"), user("bob"), {"method": "DELETE", "path": "/Users/nobody"}, user("cyd"))
    assert refusals(told) == [("409", "uniqueness"), ("201", None), ("404", None), ("201", None)]
    assert "location" not in told[0]
    assert told[2]["location"] == f"{BASE_URL}/Users/nobody"
    assert scim.find("/Users", 'userName eq "ada"') == [ada]


@pytest.mark.requirement("S-7644-3.7-10")
@pytest.mark.parametrize(("limit", "processed"), [(1, 2), (2, 4), (3, 5)])
def test_enough_errors_end_it_and_what_was_not_processed_is_not_told(scim: Scim, limit: int, processed: int) -> None:
    scim.user("ada")
    told = bulk(scim, user("bob"), user("ada"), user("cyd"), user("ADA"), user("dan"), failOnErrors=limit)
    assert [each["bulkId"] for each in told] == ["bob", "ada", "cyd", "ADA", "dan"][:processed]
    assert len(scim.find("/Users", "userName pr")) == 1 + sum(each["status"] == "201" for each in told)


@pytest.mark.requirement("S-7644-3.7.2-01", "S-7644-3.7-12")
def test_a_reference_becomes_the_id(scim: Scim) -> None:
    told = bulk(
        scim,
        user("a"),
        managed("b", "bulkId:a"),
        group("g", "bulkId:a", "bulkId:b"),
        patch("/Groups/bulkId:g", {"op": "remove", "path": 'members[value eq "bulkId:b"]'}),
        patch("/Users/bulkId:a", {"op": "replace", "value": {"title": "bulkId:", "nickName": "bulkId:a"}}),
        group("h"),
        patch("/Groups/bulkId:h", {"op": "add", "path": "members", "value": [{"value": "bulkId:b"}]}),
        {"method": "DELETE", "path": "/Groups/bulkId:h"},
    )
    assert statuses(told) == ["201", "201", "201", "204", "200", "201", "204", "204"]
    a, b, g = (made(each) for each in told[:3])
    assert scim.get(f"/Users/{b}").get_json(force=True)[ENTERPRISE]["manager"]["value"] == a
    assert scim.members(g) == {a}
    changed = scim.get(f"/Users/{a}").get_json(force=True)
    assert (changed["title"], changed["nickName"]) == ("bulkId:", a)


@pytest.mark.requirement("S-7644-3.7.2-03", "S-7644-3.7.3-01")
def test_what_is_referred_to_may_come_later_and_is_told_in_its_place(scim: Scim) -> None:
    told = bulk(scim, group("g", "bulkId:h", "bulkId:a"), group("h", "bulkId:a"), managed("a", "bulkId:b"), user("b"))
    assert [each["bulkId"] for each in told] == ["g", "h", "a", "b"]
    assert statuses(told) == ["201"] * 4
    g, h, a, b = map(made, told)
    assert (scim.members(g), scim.members(h)) == ({h, a}, {a})
    assert scim.get(f"/Users/{a}").get_json(force=True)[ENTERPRISE]["manager"]["value"] == b


@pytest.mark.requirement("S-7644-3.7.1-01")
@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_groups_that_contain_each_other_are_made(scim: Scim, size: int) -> None:
    told = bulk(scim, user("u"), *(group(f"g{n}", f"bulkId:g{(n + 1) % size}", "bulkId:u") for n in range(size)))
    assert statuses(told) == ["201"] * (size + 1)
    ids = [made(each) for each in told]
    for n in range(size):
        assert scim.members(ids[n + 1]) == {ids[(n + 1) % size + 1], ids[0]}
    assert scim.get(f"/Groups/{ids[1]}").headers["ETag"] == told[1]["version"]


@pytest.mark.requirement("S-7644-3.7.1-01")
def test_people_who_are_each_others_managers_are_made(scim: Scim) -> None:
    told = bulk(scim, managed("a", "bulkId:b"), managed("b", "bulkId:c"), managed("c", "bulkId:a"))
    ids = [made(each) for each in told]
    found = [scim.get(f"/Users/{each}").get_json(force=True)[ENTERPRISE] for each in ids]
    assert [each["manager"]["value"] for each in found] == [*ids[1:], ids[0]]
    assert {each["department"] for each in found} == {"D"}


@pytest.mark.requirement("S-7644-3.7.1-01", "S-7644-3.7.2-02")
def test_a_circle_that_cannot_be_broken_is_a_conflict(scim: Scim) -> None:
    told = bulk(scim, user("a", title="bulkId:b"), user("b", title="bulkId:a"))
    assert refusals(told) == [("409", None), ("409", None)]
    assert scim.find("/Users", "userName pr") == []


@pytest.mark.requirement("S-7644-3.7.2-02")
def test_what_refers_to_what_is_not_there_is_refused(scim: Scim) -> None:
    scim.user("taken")
    told = bulk(
        scim,
        group("g", "bulkId:nobody"),
        user("taken"),
        group("h", "bulkId:taken"),
        patch("/Users/bulkId:taken", {"op": "remove", "path": "title"}),
        {"method": "DELETE", "path": "/Users/bulkId:"},
        user("u"),
    )
    assert refusals(told) == [
        ("400", "invalidValue"),
        ("409", "uniqueness"),
        ("400", "invalidValue"),
        ("400", "invalidValue"),
        ("404", None),
        ("201", None),
    ]
    assert scim.get("/Groups").get_json(force=True)["totalResults"] == 0


def test_half_a_circle_is_taken_back(scim: Scim) -> None:
    scim.group("h")
    told = bulk(scim, group("g", "bulkId:h"), group("h", "bulkId:g"), user("u"))
    assert refusals(told) == [("400", "invalidValue"), ("409", "uniqueness"), ("201", None)]
    assert [each["displayName"] for each in scim.get("/Groups").get_json(force=True)["Resources"]] == ["h"]


@pytest.mark.requirement("S-7644-3.7-07")
def test_a_version_is_a_condition(scim: Scim) -> None:
    ada = scim.user("ada")
    path, title = f"/Users/{ada['id']}", {"op": "replace", "path": "title", "value": "T"}
    told = bulk(
        scim,
        patch(path, title, version='W/"1"'),
        patch(path, {**title, "value": "U"}, version='W/"1"'),
        {"method": "PUT", "path": path, "data": {"schemas": [USER], "userName": "x"}, "version": 'W/"1"'},
        {"method": "DELETE", "path": path, "version": 'W/"1"'},
        {"method": "DELETE", "path": path, "version": 'W/"2"'},
    )
    assert statuses(told) == ["200", "412", "412", "412", "204"]


BAD: list[tuple[Any, str | None, tuple[str, ...]]] = [
    ("x", "invalidSyntax", ("S-7644-3.7-03",)),
    ({}, "invalidSyntax", ("S-7644-3.7-03",)),
    ({**user("x"), "method": "GET"}, "invalidSyntax", ("S-7644-3.7-03",)),
    ({**user("x"), "method": 5}, "invalidSyntax", ("S-7644-3.7-03",)),
    ({**user("x"), "bulkId": None}, "invalidSyntax", ("S-7644-3.7-04",)),
    ({**user("x"), "bulkId": ""}, "invalidSyntax", ("S-7644-3.7-04",)),
    ({**user("x"), "bulkId": 5}, "invalidSyntax", ("S-7644-3.7-04",)),
    ({**user("x"), "bulkId": "b" * 10_000}, "invalidSyntax", ("S-7644-3.7-04",)),
    ({**user("x"), "path": "/Users/1"}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "path": "/Bulk"}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "path": "/Me"}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "path": "/Groups/../Users"}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "path": f"{BASE_URL}/Users"}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "path": None}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "path": "/users"}, "invalidValue", ("S-7644-3.7-05",)),
    ({"method": "DELETE", "path": "/Users"}, "invalidValue", ("S-7644-3.7-05",)),
    ({"method": "DELETE", "path": "/Users/a/b"}, "invalidValue", ("S-7644-3.7-05",)),
    ({**user("x"), "data": None}, "invalidSyntax", ("S-7644-3.7-06",)),
    ({"method": "PUT", "path": "/Users/1"}, "invalidSyntax", ("S-7644-3.7-06",)),
    ({"method": "PATCH", "path": "/Users/1", "data": []}, "invalidSyntax", ("S-7644-3.7-06",)),
    ({"method": "DELETE", "path": "/Users/1", "version": 5}, "invalidSyntax", ()),
    ({**user("x"), "METHOD": "POST"}, "invalidSyntax", ()),
    (user("x", emails=[{"value": "a", "primary": True}, {"value": "b", "primary": True}]), "invalidValue", ()),
]


@pytest.mark.parametrize(
    ("operation", "scim_type"), [pytest.param(each, kind, marks=pytest.mark.requirement(*ids)) for each, kind, ids in BAD]
)
def test_a_bad_operation_is_its_own_fault(scim: Scim, operation: Any, scim_type: str | None) -> None:
    told = bulk(scim, operation, user("good"))
    assert refusals(told) == [("400", scim_type), ("201", None)]
    assert [each["userName"] for each in scim.find("/Users", "userName pr")] == ["good"]


@pytest.mark.requirement("S-7644-3.7-06")
def test_data_of_a_patch_is_a_whole_message(scim: Scim) -> None:
    ada = scim.user("ada")
    told = bulk(scim, {"method": "PATCH", "path": f"/Users/{ada['id']}", "data": {"op": "remove", "path": "title"}})
    assert refusals(told) == [("400", "invalidSyntax")]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({}, marks=pytest.mark.requirement("S-7644-3.7-02", "S-7644-3.1-03")),
        pytest.param({"schemas": [PATCH_OP], "Operations": []}, marks=pytest.mark.requirement("S-7644-3.7-02", "S-7644-3.1-03")),
        pytest.param({"schemas": [BULK_REQUEST]}, marks=pytest.mark.requirement("S-7644-3.7-03")),
        pytest.param({"schemas": [BULK_REQUEST], "Operations": {}}, marks=pytest.mark.requirement("S-7644-3.7-03")),
        pytest.param({"schemas": [BULK_REQUEST], "Operations": [user("a"), user("a")]}, marks=pytest.mark.requirement("S-7644-3.7-04")),
        {"schemas": [BULK_REQUEST], "Operations": [user("a")], "failOnErrors": 0},
        {"schemas": [BULK_REQUEST], "Operations": [user("a")], "failOnErrors": "1"},
        {"schemas": [BULK_REQUEST], "Operations": [user("a")], "failOnErrors": True},
        {"schemas": [BULK_REQUEST], "Operations": [user("a")], "operations": []},
    ],
)
def test_a_bad_message_is_refused_whole(scim: Scim, message: Any) -> None:
    answer = scim.post("/Bulk", message)
    assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, "invalidSyntax")
    assert scim.find("/Users", "userName pr") == []


def test_nothing_to_do_is_done(scim: Scim) -> None:
    assert bulk(scim) == []


@pytest.mark.requirement("S-7644-3.7.4-01")
def test_limits_are_published_and_kept(scim: Scim, app: Flask) -> None:
    told = scim.get("/ServiceProviderConfig").get_json(force=True)["bulk"]
    assert told == {"supported": True, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": app.config["MAX_CONTENT_LENGTH"]}
    answer = scim.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": [{"method": "DELETE"}] * (MAX_OPERATIONS + 1)})
    assert answer.status_code == 413
    assert "maxOperations" in answer.get_json(force=True)["detail"]
    large = scim.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": [user("a", title="x" * told["maxPayloadSize"])]})
    assert large.status_code == 413
    assert str(told["maxPayloadSize"]) in large.get_json(force=True)["detail"]


@pytest.mark.requirement("S-7643-7-04", "S-7643-4.1.1-02", "S-7644-3.7-15")
def test_nothing_that_is_never_returned_is_told(scim: Scim) -> None:
    answer = scim.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": [user("a", password="hunter2"), user("A", password="hunter2")]})
    assert "hunter2" not in answer.get_data(as_text=True)


def test_what_happened_is_recorded_for_each_operation(scim: Scim, store: Store, scope: Scope) -> None:
    told = bulk(scim, user("a"), user("b"), user("A"), patch("/Users/bulkId:a", {"op": "add", "path": "title", "value": "T"}))
    with store.read(scope) as unit:
        events = [each for each in reversed(unit.events.list(10)) if each.tag.startswith("scim:")]
    assert [(each.tag, each.subject_id) for each in events] == [
        ("scim:user:created", made(told[0])),
        ("scim:user:created", made(told[1])),
        ("scim:user:changed", made(told[0])),
    ]
    assert len({each.request_id for each in events}) == 1


BOMBS: dict[str, list[Any]] = {
    "a chain of a thousand": [group(f"g{n}", f"bulkId:g{n + 1}") for n in range(MAX_OPERATIONS - 1)] + [group(f"g{MAX_OPERATIONS - 1}")],
    "everything refers to everything": [group(f"g{n}", *(f"bulkId:g{m}" for m in range(60))) for n in range(60)],
    "a hundred thousand references": [group("g", *(f"bulkId:x{n}" for n in range(50_000)))],
    "references in one string": [user("u", title="bulkId:" * 20_000)],
    "a path of references": [patch("/Users/1", {"op": "remove", "path": 'emails[value eq "bulkId:a"]' * 2000})],
    "deep": [{**user("u"), "data": {"schemas": [USER], "userName": "u", "x": [[[[[[[[[["bulkId:u"]]]]]]]]]]}}],
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_go_off_quietly(scim: Scim, bomb: str) -> None:
    began = time.monotonic()
    answer = scim.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": BOMBS[bomb]})
    assert answer.status_code == 200
    assert {each["status"] for each in answer.get_json(force=True)["Operations"]} <= {"201", "400", "404", "409"}
    assert time.monotonic() - began < 60  # no figure, but an end


STEPS = st.lists(
    st.tuples(st.sampled_from(["user", "group", "member", "title", "delete", "nobody"]), st.integers(0, 7), st.integers(0, 7)),
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_a_bulk_is_what_its_operations_are_alone(app: Flask, registry: Registry, steps: list[tuple[str, int, int]]) -> None:
    """In their order, without forward references: the same statuses and the same resources as one request each."""
    together, apart = (new_client(app, registry, registry.tenants.create(f"bulk {clock.now()} {n}", OPERATOR, "rfc").id) for n in range(2))
    operations: list[Operation] = []
    for what, one, other in steps:
        there = [each["bulkId"] for each in operations if "bulkId" in each]
        users = [each["bulkId"] for each in operations if each.get("path") == "/Users"]
        groups = [each["bulkId"] for each in operations if each.get("path") == "/Groups"]
        name = f"{what}{one}-{len(operations)}"
        if what == "user":
            operations.append(user(name, userName=f"u{one}"))
        elif what == "group":
            operations.append(group(name, *(f"bulkId:{each}" for each in there[:other])))
        elif what == "member" and groups and there:
            added = {"op": "add", "path": "members", "value": [{"value": f"bulkId:{there[other % len(there)]}"}]}
            operations.append(patch(f"/Groups/bulkId:{groups[one % len(groups)]}", added))
        elif what == "title" and users:
            operations.append(patch(f"/Users/bulkId:{users[one % len(users)]}", {"op": "replace", "path": "title", "value": str(other)}))
        elif what == "delete" and users:
            operations.append({"method": "DELETE", "path": f"/Users/bulkId:{users[one % len(users)]}"})
        elif what == "nobody":
            operations.append({"method": "DELETE", "path": "/Users/nobody"})
    assert statuses(bulk(together, *operations)) == one_by_one(apart, operations)
    assert shown(together) == shown(apart)


def one_by_one(scim: Scim, operations: list[Operation]) -> list[str]:
    ids: dict[str, str] = {}
    result = []
    for each in operations:
        text = str(each)
        if any(f"bulkId:{name}'" in text for name in (other["bulkId"] for other in operations if "bulkId" in other) if name not in ids):
            result.append("400")
            continue
        data = replaced(each.get("data"), ids)
        answer = scim.request(each["method"], replaced(each["path"], ids), data)
        result.append(str(answer.status_code))
        if answer.status_code == 201:
            ids[each["bulkId"]] = answer.get_json(force=True)["id"]
    return result


def replaced(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: replaced(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, ids) for each in value]
    if isinstance(value, str) and "bulkId:" in value:
        head, _, name = value.partition("bulkId:")
        return head + ids[name]
    return value


def shown(scim: Scim) -> list[Any]:
    names = {each["id"]: each.get("userName") or each["displayName"] for each in scim.get("/").get_json(force=True)["Resources"]}
    result = []
    for each in scim.get("/").get_json(force=True)["Resources"]:
        members = sorted(names[member["value"]] for member in each.get("members", ()))
        result.append((names[each["id"]], each.get("title"), members, each["meta"]["version"]))
    return sorted(result, key=str)
