"""DELETE: gone for every request (requirement group L, RFC 7644 §3.6)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from scim_server.events import Scope
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.client import READ
from tests.http.conftest import SEARCH_REQUEST, Scim, new_client


@pytest.fixture(params=["User", "Group"])
def made(scim: Scim, request: pytest.FixtureRequest) -> dict[str, Any]:
    return scim.user("ada@example.com", externalId="x1") if request.param == "User" else scim.group("Team", externalId="x1")


def path_of(resource: dict[str, Any]) -> str:
    return f"/{resource['meta']['resourceType']}s/{resource['id']}"


def body_like(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


@pytest.mark.requirement("S-7644-3.6-01")
def test_done_without_a_word(scim: Scim, made: dict[str, Any]) -> None:
    answer = scim.delete(path_of(made))
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers


@pytest.mark.requirement("S-7644-3.6-02", "S-7644-3.6-06")
def test_nothing_can_be_done_with_it_any_more(scim: Scim, made: dict[str, Any]) -> None:
    path = path_of(made)
    scim.delete(path)
    for answer in (
        scim.get(path),
        scim.request("HEAD", path),
        scim.put(path, body_like(made)),
        scim.patch(path, {"op": "replace", "path": "displayName", "value": "x"}),
        scim.patch(path, {"op": "nonsense"}),
        scim.delete(path),
        scim.request("DELETE", path, headers={"If-Match": "*"}),
    ):
        assert answer.status_code == 404


@pytest.mark.requirement("S-7644-3.6-03", "S-7643-4.2-04")
def test_nothing_shows_it_any_more(scim: Scim) -> None:
    ada, bob = scim.user("ada@example.com"), scim.user("bob@example.com")
    inner = scim.group("Inner")
    outer = scim.group("Outer", ada["id"], bob["id"], inner["id"])
    for gone in (ada, inner):
        scim.delete(path_of(gone))
        collection, it = path_of(gone).rpartition("/")[0], f'id eq "{gone["id"]}"'
        assert scim.find(collection, it) == []
        assert gone["id"] not in {each["id"] for each in scim.get(collection).get_json(force=True)["Resources"]}
        assert scim.get(collection).get_json(force=True)["totalResults"] == 1
        assert scim.get(collection, count=0).get_json(force=True)["totalResults"] == 1
        searched = scim.post(f"{collection}/.search", {"schemas": [SEARCH_REQUEST], "filter": it}).get_json(force=True)
        assert searched["totalResults"] == 0
        assert scim.find("/Groups", f'members.value eq "{gone["id"]}"') == []
    assert scim.members(outer["id"]) == {bob["id"]}
    scim.delete(path_of(outer))
    assert "groups" not in scim.get(path_of(bob)).get_json(force=True)
    assert scim.find("/Users", "groups pr") == []


@pytest.mark.requirement("S-7644-3.6-04", "S-7643-3.1-01")
def test_its_names_are_free_at_once(scim: Scim, made: dict[str, Any]) -> None:
    scim.delete(path_of(made))
    again = scim.post(path_of(made).rpartition("/")[0], body_like(made))
    assert again.status_code == 201
    assert again.get_json(force=True)["id"] != made["id"]


@pytest.mark.requirement("S-7644-3.6-05")
def test_it_is_no_deactivation(scim: Scim, made: dict[str, Any]) -> None:
    """Kept inside as history, it leaves no trace in what is answered; whoever comes again is another."""
    scim.delete(path_of(made))
    again = scim.post(path_of(made).rpartition("/")[0], body_like(made)).get_json(force=True)
    server = {"id", "meta"}
    assert {name: value for name, value in again.items() if name not in server} == {
        name: value for name, value in made.items() if name not in server
    }
    assert again["meta"]["version"] == 'W/"1"'


@pytest.mark.requirement("S-7644-3.6-06")
@pytest.mark.parametrize("clients", [2, 4])
def test_of_two_at_once_one_is_done(scim: Scim, store: Store, scope: Scope, made: dict[str, Any], clients: int) -> None:
    gate = Barrier(clients)

    def delete(_: int) -> int:
        gate.wait()
        return scim.delete(path_of(made)).status_code

    with ThreadPoolExecutor(clients) as pool:
        statuses = sorted(pool.map(delete, range(clients)))
    assert statuses == [204, *[404] * (clients - 1)]
    with store.read(scope) as unit:
        assert [each.tag.rpartition(":")[2] for each in unit.events.list(50) if each.tag.startswith("scim:")].count("deleted") == 1


@pytest.mark.requirement("S-7644-3.6-07", "S-7644-3.2-03")
@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Users/"])
def test_a_collection_is_not_deleted(scim: Scim, made: dict[str, Any], path: str) -> None:
    answer = scim.delete(path)
    assert answer.status_code == 405
    assert answer.headers["Allow"]
    assert scim.get(path_of(made)).status_code == 200


@pytest.mark.requirement("S-7644-3.6-08")
def test_who_may_only_read_deletes_nothing(app: Flask, registry: Registry, scope: Scope, scim: Scim, made: dict[str, Any]) -> None:
    reader = new_client(app, registry, scope.tenant_id, scopes=frozenset({READ}))
    assert reader.get(path_of(made)).status_code == 200
    assert reader.delete(path_of(made)).status_code == 403
    assert scim.get(path_of(made)).get_json(force=True) == made


@pytest.mark.requirement("S-7644-3.6-09")
def test_the_event_tells_what_is_gone_and_out_of_which_groups(scim: Scim, store: Store, scope: Scope) -> None:
    ada = scim.user("ada@example.com")
    team = scim.group("Team", ada["id"])
    scim.delete(path_of(ada))
    with store.read(scope) as unit:
        (event,) = [each for each in unit.events.list(50) if each.tag == "scim:user:deleted"]
    assert event.subject_id == ada["id"]
    assert team["id"] in str(event.data)
