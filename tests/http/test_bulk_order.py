"""Bulk: in which order operations are done, what becomes of circles, and what is told when something of ours fails (RFC 7644 §3.7.1)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scim_server.events import Scope
from scim_server.scim.bulk_order import MAX_CIRCLE
from scim_server.store.errors import Busy, Unavailable
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.conftest import BULK_REQUEST, ENTERPRISE, Scim
from tests.http.test_bulk import Operation, bulk, group, made, managed, patch, refusals, statuses, user
from tests.tenants import BASE_URL, OPERATOR


def delete(path: str) -> Operation:
    return {"method": "DELETE", "path": path}


def names(scim: Scim) -> dict[str, int]:
    """The groups there are, and how many members each has."""
    return {each["displayName"]: len(each.get("members", [])) for each in scim.find("/Groups", "displayName pr")}


@pytest.mark.requirement("S-7644-3.7-12", "S-7644-3.7.2-03")
def test_what_is_referred_to_is_not_done_before_its_place(scim: Scim) -> None:
    old = scim.group("x")["id"]
    told = bulk(
        scim,
        group("waits", "bulkId:late"),
        patch("/Groups/bulkId:waits", {"op": "replace", "path": "displayName", "value": "other"}),
        user("early"),
        delete(f"/Groups/{old}"),
        {**group("x"), "bulkId": "late"},
        delete("/Groups/bulkId:waits"),
    )
    assert statuses(told) == ["201", "204", "201", "204", "201", "204"]
    assert told[5]["location"] == told[0]["location"]
    assert names(scim) == {"x": 0}


@pytest.mark.requirement("S-7644-3.7.2-02")
@pytest.mark.parametrize("taken", ["a", "b", "c"])
def test_of_a_circle_all_is_done_or_nothing(scim: Scim, taken: str) -> None:
    scim.group(taken.upper())
    told = bulk(scim, group("a", "bulkId:b"), group("b", "bulkId:c"), group("c", "bulkId:a"), group("d", "bulkId:b"), user("free"))
    due = [("409", "uniqueness") if each == taken else ("400", "invalidValue") for each in "abc"]
    assert refusals(told) == [*due, ("400", "invalidValue"), ("201", None)]
    assert f"bulkId:{taken} was not made" in told["bca".index(taken)]["response"]["detail"]
    assert names(scim) == {taken.upper(): 0}


@pytest.mark.requirement("S-7644-3.7.1-01")
def test_a_circle_is_broken_where_it_can_be(scim: Scim) -> None:
    a, b = group("a", "bulkId:b"), group("b", "bulkId:a")
    a["data"] = {**a["data"], "externalId": "bulkId:b"}
    b["data"]["Members"] = b["data"].pop("members")
    told = bulk(scim, a, b, patch("/Groups/bulkId:a", {"op": "add", "path": "externalId", "value": "x"}))
    assert statuses(told) == ["201", "201", "204"]
    assert [each["version"] for each in told] == ['W/"1"', 'W/"2"', 'W/"2"']
    assert (scim.members(made(told[0])), scim.members(made(told[1]))) == ({made(told[1])}, {made(told[0])})


@pytest.mark.requirement("S-7644-3.7.1-01")
@pytest.mark.parametrize("size", [MAX_CIRCLE, MAX_CIRCLE + 1, 1000])
def test_a_circle_has_a_limit(scim: Scim, size: int) -> None:
    told = bulk(scim, *(group(f"g{n}", f"bulkId:g{(n + 1) % size}") for n in range(size)))
    assert set(statuses(told)) == {"201" if size == MAX_CIRCLE else "409"}
    assert len(names(scim)) == (size if size == MAX_CIRCLE else 0)
    assert set(names(scim).values()) <= {1}


@pytest.mark.requirement("S-7644-3.7.2-01")
def test_what_is_sent_in_vain_refers_to_nothing(scim: Scim) -> None:
    told = bulk(scim, user("ada", groups=[{"value": "bulkId:g"}, {"value": "bulkId:nobody"}]), group("g", "bulkId:ada"))
    assert statuses(told) == ["201", "201"]
    assert [each["version"] for each in told] == ['W/"1"', 'W/"1"']


def test_a_literal_in_a_path_may_be_escaped(scim: Scim) -> None:
    remove = {"op": "remove", "path": 'members[value eq "bulkId:\\u0061"]'}
    told = bulk(scim, user("a"), group("g", "bulkId:a"), patch("/Groups/bulkId:g", remove))
    assert statuses(told) == ["201", "201", "204"]
    assert scim.members(made(told[1])) == set()


# What goes wrong on our side


def send(scim: Scim, *operations: Operation) -> TestResponse:
    """A Bulk whose answer nobody checks: it tells of a failure of the server."""
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations)}
    return scim.app.test_client().post("/scim/v2/Bulk", json=body, headers={"Authorization": f"Bearer {scim.token}"})


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the transaction of that number, counted from 0, fail as the database or the code might."""

    def fail(number: int, failure: Exception) -> None:
        transact, calls = Store.transact, itertools.count()

        def transacting(self: Store, scope: Scope, use_case: Any) -> Any:
            if next(calls) == number:
                raise failure
            return transact(self, scope, use_case)

        monkeypatch.setattr(Store, "transact", transacting)

    return fail


@pytest.mark.parametrize(
    ("failure", "due", "detail"),
    [
        (RuntimeError("s3cret"), ["201", "500", "201", "201"], "Tell its operator the request id"),
        (Busy(), ["201", "503"], "Send them again"),
        (Unavailable(), ["201", "503"], "Send them again"),
    ],
)
def test_what_was_done_is_told_whatever_fails(scim: Scim, failing: Any, failure: Exception, due: list[str], detail: str) -> None:
    failing(1, failure)
    answer = send(scim, user("a"), user("b"), user("c"), user("d"))
    told = answer.get_json(force=True)["Operations"]
    assert (answer.status_code, statuses(told)) == (200, due)
    assert detail in told[1]["response"]["detail"]
    assert answer.headers["X-Request-Id"] in told[1]["response"]["detail"]
    assert "s3cret" not in answer.get_data(as_text=True)
    assert len(scim.find("/Users", "userName pr")) == due.count("201")


def test_nothing_of_a_circle_is_left_when_the_database_goes_away(scim: Scim, failing: Any) -> None:
    failing(1, Unavailable())
    answer = send(scim, user("z"), group("a", "bulkId:b"), group("b", "bulkId:a"), user("y"))
    assert statuses(answer.get_json(force=True)["Operations"]) == ["201", "503", "400"]
    assert names(scim) == {}


def test_if_nothing_was_done_the_whole_is_refused(scim: Scim, failing: Any) -> None:
    failing(0, Unavailable())
    answer = send(scim, group("a", "bulkId:b"), group("b", "bulkId:a"), user("y"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


# What a hostile client sends


@pytest.mark.timeout(30)
def test_work_grows_with_the_request_and_not_with_its_square(scim: Scim) -> None:
    bad = [{**user(f"u{n}"), "data": {"schemas": []}} for n in range(990)]
    told = bulk(scim, group("a", *(f"bulkId:u{n}" for n in range(990)), *(f"bulkId:x{n}" for n in range(60_000))), *bad)
    assert set(statuses(told)) == {"400"}
    b = group("b")
    b["data"]["members"] = [{"value": "bulkId:a", "type": str(n)} for n in range(60_000)]
    told = bulk(scim, group("a", "bulkId:b"), b)
    assert statuses(told) == ["201", "201"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "inner",
    [
        '"name": ' + '{"x":' * 900 + '"bulkId:y"' + "}" * 900,
        '"emails": ' + "[" * 900 + '"bulkId:y"' + "]" * 900,
        '"nickName": "' + "x" * 4_000_000 + '"',
        '"nickName": "bulkId:' + "x" * 4_000_000 + '"',
        '"emails": [' + ",".join(['{"value": "bulkId:y"}'] * 150_000) + "]",
    ],
    ids=["deep objects", "deep arrays", "a huge text", "a huge reference", "many references"],
)
def test_values_that_nobody_sends(scim: Scim, inner: str) -> None:
    whole = json.dumps({"schemas": [BULK_REQUEST], "Operations": [user("ada", nickName="-")]})
    answer = scim.post("/Bulk", whole.replace('"nickName": "-"', inner).encode())
    assert answer.status_code == 200
    assert statuses(answer.get_json(force=True)["Operations"]) == ["400"]
    assert len(answer.data) < 1500


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "path",
    ['members[value eq "bulkId:' + "x" * 4_000_000 + '"]', 'members[value eq "bulkId:\\ud800"]', '"bulkId:' * 100_000, '\\"' * 100_000],
)
def test_paths_that_nobody_sends(scim: Scim, path: str) -> None:
    team = scim.group("team")["id"]
    told = bulk(scim, patch(f"/Groups/{team}", {"op": "remove", "path": path}), user("ada"))
    assert statuses(told) == ["400", "201"]
    assert told[0]["location"] == f"{BASE_URL}/Groups/{team}"
    assert len(told[0]["response"]["detail"]) < 500


def test_the_managers_of_a_circle_keep_the_rest_of_the_extension(scim: Scim, registry: Registry, scope: Scope) -> None:
    registry.tenants.change(scope.tenant_id, OPERATOR, profile="rfc")
    told = bulk(scim, managed("a", "bulkId:b"), managed("b", "bulkId:a"))
    assert statuses(told) == ["201", "201"]
    enterprise = scim.get(f"/Users/{made(told[0])}").get_json(force=True)[ENTERPRISE]
    assert (enterprise["manager"]["value"], enterprise["department"]) == (made(told[1]), "D")
