"""What a query answers beside what it finds: the list around the resources, and pages by index (requirement groups E.1 and G)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.conftest import Scim, new_client
from tests.store.samples import user
from tests.tenants import fresh_scope, new_app

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def body_of(answer: Any) -> Any:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json(force=True)


@pytest.fixture
def five(scim: Scim) -> Scim:
    for n in range(5):
        scim.user(f"u{n}@example.com")
    return scim


@pytest.mark.requirement("S-7644-3.4.2-02", "S-7644-3.4.2-03", "S-7644-3.4.2-04", "S-7644-3.4.2-05", "S-7644-3.4.2-07")
@pytest.mark.parametrize(
    ("query", "start", "items", "total"),
    [({}, 1, 5, 5), ({"count": 2}, 1, 2, 5), ({"startIndex": 4, "count": 9}, 4, 2, 5), ({"filter": 'userName sw "u1"'}, 1, 1, 1)],
    ids=str,
)
def test_the_list_around_the_resources(five: Scim, query: dict[str, Any], start: int, items: int, total: int) -> None:
    body = body_of(five.get("/Users", **query))
    assert body.keys() == {"schemas", "totalResults", "startIndex", "itemsPerPage", "Resources"}
    assert body["schemas"] == [LIST]
    numbers = [body[name] for name in ("totalResults", "startIndex", "itemsPerPage")]
    assert [type(each) for each in numbers] == [int, int, int]
    assert numbers == [total, start, items]
    assert len(body["Resources"]) == items


@pytest.mark.requirement("S-7644-3.4.2-06", "S-7644-3.4.2-04")
@pytest.mark.parametrize(("path", "text"), [("/Users", 'userName eq "nobody"'), ("/Groups", 'displayName eq "nothing"')])
def test_nothing_found_is_an_empty_list(scim: Scim, path: str, text: str) -> None:
    body = body_of(scim.get(path, filter=text))
    assert (body["totalResults"], body["itemsPerPage"], body["Resources"]) == (0, 0, [])


@pytest.mark.requirement("S-7644-3.4.2-01")
def test_unknown_parameters_are_ignored(five: Scim) -> None:
    assert body_of(five.get("/Users", foo="1", Filter="nonsense", api_key="x")) == body_of(five.get("/Users"))


@pytest.mark.requirement("S-7644-3.4.2.2-38")
def test_the_most_that_is_announced_is_the_most_that_is_answered(engine: Engine, registry: Registry, profile: str) -> None:
    """And the total is that of all."""
    scim = new_client(new_app(engine, max_page_size=3), registry, fresh_scope(engine, profile).tenant_id)
    for n in range(5):
        scim.user(f"u{n}@example.com")
    assert scim.get("/ServiceProviderConfig").get_json(force=True)["filter"]["maxResults"] == 3
    for query in ({"filter": "userName pr"}, {"count": 4}, {"count": 10**9}, {}):
        body = body_of(scim.get("/Users", **query))
        assert (body["totalResults"], body["itemsPerPage"], len(body["Resources"])) == (5, 3, 3)


@pytest.mark.requirement("S-7644-3.4.2.4-01")
@pytest.mark.parametrize("start", [None, 1, 0, -5, -(10**9)])
def test_pages_begin_at_one(five: Scim, start: int | None) -> None:
    body = body_of(five.get("/Users", count=2, **({} if start is None else {"startIndex": start})))
    assert body["startIndex"] == 1
    assert [each["userName"] for each in body["Resources"]] == ["u0@example.com", "u1@example.com"]


@pytest.mark.requirement("S-7644-3.4.2.4-02")
@pytest.mark.parametrize("count", [0, -1, -(10**9)])
@pytest.mark.parametrize("query", [{}, {"filter": "userName pr"}, {"startIndex": 3}])
def test_no_resources_are_asked_for(five: Scim, count: int, query: dict[str, Any]) -> None:
    body = body_of(five.get("/Users", count=count, **query))
    assert (body["totalResults"], body["itemsPerPage"], body["Resources"]) == (5, 0, [])


@pytest.mark.requirement("S-7644-3.4.2.4-03")
@pytest.mark.parametrize("count", [1, 4, 5, 6])
def test_never_more_than_asked_for(five: Scim, count: int) -> None:
    assert len(body_of(five.get("/Users", count=count))["Resources"]) == min(count, 5)


@pytest.mark.requirement("S-7644-3.4.2.4-04")
def test_a_hundred_unless_another_number_is_asked_for(scim: Scim, store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        for n in range(103):
            unit.users.insert(user(f"u{n}"))
    for query, items in (({}, 100), ({"count": 100}, 100), ({"count": 102}, 102), ({"count": 200}, 103)):
        body = body_of(scim.get("/Users", **query))
        assert (body["totalResults"], len(body["Resources"])) == (103, items)


@pytest.mark.requirement("S-7644-3.4.2.4-05")
@pytest.mark.parametrize("text", ["x", "1.5", "1e3", "", " ", "１", "0x1", "true", "9" * 400])
@pytest.mark.parametrize("parameter", ["startIndex", "count"])
def test_what_is_no_whole_number_is_refused(five: Scim, parameter: str, text: str) -> None:
    answer = five.get("/Users", **{parameter: text})
    assert answer.status_code == 400
    assert answer.get_json(force=True)["scimType"] in ("invalidValue", "invalidCount")
    assert parameter in answer.get_json(force=True)["detail"]


@pytest.mark.requirement("S-7644-3.4.2.4-06")
@pytest.mark.parametrize("start", [6, 7, 10**9])
def test_beyond_the_end_there_is_an_empty_page(five: Scim, start: int) -> None:
    body = body_of(five.get("/Users", startIndex=start, count=10))
    assert (body["totalResults"], body["startIndex"], body["itemsPerPage"], body["Resources"]) == (5, start, 0, [])


@pytest.mark.requirement("S-7644-3.4.2.4-07")
@pytest.mark.parametrize("query", [{}, {"filter": "userName pr"}, {"filter": 'userName co "2" or active eq true'}], ids=str)
def test_a_walk_shows_each_once_and_the_same_ones_again(five: Scim, query: dict[str, Any]) -> None:
    first, again = (
        [each["id"] for n in (1, 3, 5) for each in body_of(five.get("/Users", startIndex=n, count=2, **query))["Resources"]]
        for _ in range(2)
    )
    assert first == again
    assert len(set(first)) == len(first) == 5
