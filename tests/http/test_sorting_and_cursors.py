"""Sorting (RFC 7644 §3.4.2.3) and walks by cursor (RFC 9865) on the wire."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_server import clock
from scim_server.events import Scope
from scim_server.store.registry import Registry
from tests.http.conftest import SEARCH_REQUEST, Scim, new_client
from tests.tenants import OPERATOR

Page = dict[str, Any]


def body(response: Any) -> Page:
    return response.get_json(force=True)  # type: ignore[no-any-return]  # werkzeug types JSON as Any


def names(page: Page) -> list[str]:
    return [each["userName"] for each in page["Resources"]]


def refused(response: Any, scim_type: str) -> bool:
    return (response.status_code, body(response).get("scimType")) == (400, scim_type)


@pytest.fixture
def people(scim: Scim) -> Scim:
    for name, title in (("b", "2"), ("A", "10"), ("a2", None), ("Z", "1")):
        scim.user(name, title=title)
    return scim


DOWN = {"sortOrder": "descending"}


@pytest.mark.parametrize(
    ("query", "order"),
    [
        pytest.param({"sortBy": "userName"}, ["A", "a2", "b", "Z"], marks=pytest.mark.requirement("S-7644-3.4.2.3-06")),
        pytest.param({"sortBy": "USERNAME", **DOWN}, ["Z", "b", "a2", "A"], marks=pytest.mark.requirement("S-7644-3.4.2.3-05")),
        pytest.param({"sortBy": "title"}, ["Z", "A", "b", "a2"], marks=pytest.mark.requirement("S-7644-3.4.2.3-04")),
        pytest.param({"sortBy": "title", **DOWN}, ["a2", "b", "A", "Z"], marks=pytest.mark.requirement("S-7644-3.4.2.3-04")),
        pytest.param({"sortBy": "title", "startIndex": 2, "count": 2}, ["A", "b"], marks=pytest.mark.requirement("S-7644-3.4.2.3-07")),
        ({"sortBy": ""}, ["b", "A", "a2", "Z"]),
        (DOWN, ["b", "A", "a2", "Z"]),
    ],
)
def test_the_order_is_that_which_is_asked_for(people: Scim, query: dict[str, Any], order: list[str]) -> None:
    assert names(body(people.get("/Users", **query))) == order
    assert names(body(people.post("/Users/.search", {"schemas": [SEARCH_REQUEST], **query}))) == order


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"sortBy": "name"}, marks=pytest.mark.requirement("S-7644-3.4.2.3-03")),
        pytest.param({"sortBy": "userName", "sortOrder": "sideways"}, marks=pytest.mark.requirement("S-7644-3.4.2.3-05")),
        pytest.param({"sortBy": "password"}, marks=pytest.mark.requirement("S-7644-3.4.2.3-08")),
        pytest.param({"sortBy": "nothing"}, marks=pytest.mark.requirement("S-7644-3.4.2.3-08")),
        {"sortBy": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
        {"sortBy": 'emails[type eq "work"].value'},
        {"sortBy": "'; DROP TABLE users; --"},
        {"sortBy": "x" * 5000},
    ],
)
def test_an_order_that_is_none_is_refused(people: Scim, query: dict[str, Any]) -> None:
    assert refused(people.get("/Users", **query), "invalidValue")


def walk(scim: Scim, **query: Any) -> list[Page]:
    """All pages of a walk."""
    pages = [body(scim.get("/Users", cursor="", **query))]
    while cursor := pages[-1].get("nextCursor"):
        pages.append(body(scim.get("/Users", cursor=cursor, **query)))
    return pages


@pytest.mark.requirement("S-9865-2-01", "S-9865-2-03", "S-9865-2-06")
@pytest.mark.parametrize(("count", "sizes"), [(2, [2, 2]), (3, [3, 1]), (4, [4]), (100, [4])])
def test_a_walk_shows_each_once_and_ends_where_nothing_is_left(people: Scim, count: int, sizes: list[int]) -> None:
    for query in ({}, {"sortBy": "title"}, {"sortBy": "title", "sortOrder": "descending"}, {"filter": "userName pr"}):
        pages = walk(people, count=count, **query)
        assert [page["itemsPerPage"] for page in pages] == [len(page["Resources"]) for page in pages] == sizes
        assert [name for page in pages for name in names(page)] == names(body(people.get("/Users", **query)))
        assert {page["totalResults"] for page in pages} == {4}


@pytest.mark.requirement("S-9865-2-02")
def test_a_cursor_needs_no_encoding_and_tells_nothing(people: Scim) -> None:
    for query in ({}, {"sortBy": "userName"}, {"filter": "userName pr"}):
        cursor = body(people.get("/Users", cursor="", count=1, **query))["nextCursor"]
        assert re.fullmatch("[A-Za-z0-9._~-]+", cursor)


@pytest.mark.requirement("S-9865-2-05")
def test_a_count_of_nothing_is_the_total_alone(people: Scim) -> None:
    for count in (0, -1):
        page = body(people.get("/Users", cursor="", count=count))
        assert (page["totalResults"], page["Resources"]) == (4, [])
        assert "nextCursor" not in page


@pytest.mark.requirement("S-9865-3-01")
def test_a_walk_by_post_is_the_same(people: Scim) -> None:
    message: dict[str, Any] = {"schemas": [SEARCH_REQUEST], "sortBy": "userName", "count": 3, "cursor": ""}
    first = body(people.post("/Users/.search", message))
    second = body(people.post("/Users/.search", {**message, "cursor": first["nextCursor"]}))
    assert [names(first), names(second)] == [["A", "a2", "b"], ["Z"]]
    assert names(body(people.get("/Users", sortBy="userName", count=3, cursor=first["nextCursor"]))) == ["Z"]


@pytest.mark.requirement("S-9865-2.4-01", "S-9865-4-01")
def test_what_is_announced_is_so(people: Scim) -> None:
    told = body(people.get("/ServiceProviderConfig"))["pagination"]
    assert (told["cursor"], told["index"], told["defaultPaginationMethod"]) == (True, True, "index")
    page = body(people.get("/Users", count=1))
    assert page["startIndex"] == 1
    assert "nextCursor" not in page


@pytest.mark.requirement("S-9865-2-08", "S-9865-2-09", "S-9865-2.1-01")
@pytest.mark.parametrize(
    ("change", "scim_type"),
    [
        ({"filter": "title pr"}, "invalidCursor"),
        ({"sortBy": "title"}, "invalidCursor"),
        ({"sortOrder": "descending"}, "invalidCursor"),
        ({"attributes": "id"}, "invalidCursor"),
        ({"excludedAttributes": "title"}, "invalidCursor"),
        ({"count": 2}, "invalidCount"),
        ({"count": "many"}, "invalidCount"),
        ({"startIndex": 1}, "invalidValue"),
        ({"cursor": "x"}, "invalidCursor"),
        ({"cursor": "é"}, "invalidCursor"),
        ({"cursor": "A" * 100_00}, "invalidCursor"),
    ],
)
def test_a_walk_stays_what_it_was(people: Scim, change: dict[str, Any], scim_type: str) -> None:
    query = {"sortBy": "userName", "count": 1}
    cursor = body(people.get("/Users", cursor="", **query))["nextCursor"]
    assert refused(people.get("/Users", **{"cursor": cursor, **query, **change}), scim_type)
    assert names(body(people.get("/Users", cursor=cursor, **query))) == ["a2"]
    assert names(body(people.get("/Users", cursor=cursor, sortBy="userName"))) == ["a2"]  # the count is known


@pytest.mark.requirement("S-9865-5.2-04", "S-9865-2.1-01", "S-9865-5.2-05")
def test_no_altered_cursor_is_taken(people: Scim) -> None:
    cursor = body(people.get("/Users", cursor="", count=1))["nextCursor"]
    told = set()
    for place in range(0, len(cursor), 5):
        altered = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        answer = people.get("/Users", cursor=altered, count=1)
        assert refused(answer, "invalidCursor")
        told.add(body(answer)["detail"].partition("(request")[0])
    assert len(told) == 1


@pytest.mark.requirement("S-9865-5.2-01", "S-9865-5.2-02", "S-9865-5.2-05")
def test_a_cursor_is_good_for_its_tenant_and_its_endpoint_only(people: Scim, app: Flask, registry: Registry, other_scope: Scope) -> None:
    cursor = body(people.get("/Users", cursor="", count=1))["nextCursor"]
    stranger = new_client(app, registry, other_scope.tenant_id)
    foreign, nonsense = stranger.get("/Users", cursor=cursor, count=1), stranger.get("/Users", cursor="x", count=1)
    assert refused(foreign, "invalidCursor")
    assert body(foreign)["detail"].partition("(")[0] == body(nonsense)["detail"].partition("(")[0]
    assert refused(people.get("/Groups", cursor=cursor, count=1), "invalidCursor")
    assert Scim(app, None).get("/Users", cursor=cursor, count=1).status_code == 401


@pytest.mark.requirement("S-9865-4-02", "S-9865-2.1-01")
def test_a_cursor_holds_as_long_as_is_said_and_no_longer(people: Scim, time_machine: Any) -> None:
    lasts = body(people.get("/ServiceProviderConfig"))["pagination"]["cursorTimeout"]
    cursor = body(people.get("/Users", cursor="", count=1))["nextCursor"]
    time_machine.move_to(clock.now() + timedelta(seconds=lasts - 5), tick=False)
    assert people.get("/Users", cursor=cursor, count=1).status_code == 200
    time_machine.move_to(clock.now() + timedelta(seconds=10), tick=False)
    assert refused(people.get("/Users", cursor=cursor, count=1), "expiredCursor")


Change = tuple[str, int]


@pytest.mark.requirement("S-9865-2-10", "S-9865-2.2-01")
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.lists(st.tuples(st.sampled_from(["make", "end", "rename"]), st.integers(0, 30)), max_size=4), max_size=8),
    query=st.sampled_from([{}, {"sortBy": "userName"}, {"sortBy": "userName", "sortOrder": "descending"}, {"filter": "userName pr"}]),
)
def test_what_stood_still_is_seen_once_whatever_comes_and_goes(
    app: Flask, registry: Registry, changes: list[list[Change]], query: dict[str, str]
) -> None:
    scim = new_client(app, registry, registry.tenants.create(f"walk {threading.get_ident()} {clock.now()}", OPERATOR, "rfc").id)
    there = {scim.user(f"{number:02}")["id"]: f"{number:02}" for number in range(12)}
    still = set(there)
    page = body(scim.get("/Users", cursor="", count=3, **query))
    seen = [each["id"] for each in page["Resources"]]
    for few in changes:
        for what, number in few:
            ids = sorted(there)
            if what == "make":
                made = scim.user(f"{number:02}-{len(seen)}-{len(ids)}-{clock.now()}")
                there[made["id"]] = made["userName"]
            elif ids:
                chosen = ids[number % len(ids)]
                still.discard(chosen)
                if what == "end":
                    scim.delete(f"/Users/{chosen}")
                    del there[chosen]
                else:
                    scim.patch(f"/Users/{chosen}", {"op": "replace", "path": "userName", "value": f"{number:02}-{clock.now()}"})
        if cursor := page.get("nextCursor"):
            page = body(scim.get("/Users", cursor=cursor, count=3, **query))
            seen += [each["id"] for each in page["Resources"]]
    while cursor := page.get("nextCursor"):
        page = body(scim.get("/Users", cursor=cursor, count=3, **query))
        seen += [each["id"] for each in page["Resources"]]
    assert all(seen.count(each) == 1 for each in still)
