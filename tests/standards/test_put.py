"""PUT: the resource as the client says it is, but for what is the server's (requirement group J, RFC 7644 §3.5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_server.events import Scope
from scim_server.store.unit import Store
from tests.http.conftest import ENTERPRISE, GROUP, USER, Scim

NOBODY = "0190a000-0000-7000-8000-000000000001"
FULL: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "userName": "ada@example.com",
    "externalId": "x1",
    "name": {"givenName": "Ada", "familyName": "L"},
    "title": "T",
    "emails": [{"type": "work", "value": "a@example.com"}, {"type": "home", "value": "a@home.example"}],
    ENTERPRISE: {"department": "D", "division": "V"},
}
BARE: dict[str, Any] = {"schemas": [USER], "userName": "ada@example.com"}


def body_of(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json(force=True)


def said(resource: dict[str, Any]) -> dict[str, Any]:
    """What a client said of it, not the server."""
    return {name: value for name, value in resource.items() if name not in ("id", "meta", "groups", "schemas")}


@pytest.fixture
def ada(scim: Scim) -> dict[str, Any]:
    return dict(body_of(scim.post("/Users", FULL), 201))


def put(scim: Scim, resource: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """What is answered to a PUT. Asserts that a read afterwards says the same."""
    path = f"/{resource['meta']['resourceType']}s/{resource['id']}"
    answered = body_of(scim.put(path, body))
    assert body_of(scim.get(path)) == answered
    return dict(answered)


@pytest.mark.requirement("S-7644-3.5-01", "S-7644-3.5.1-10")
def test_every_type_is_replaced_and_answered_whole(scim: Scim, ada: dict[str, Any]) -> None:
    group = scim.group("Team", ada["id"])
    assert said(put(scim, ada, {**BARE, "title": "U"})) == {"userName": "ada@example.com", "active": True, "title": "U"}
    other = scim.user("bob@example.com")
    replaced = put(scim, group, {"schemas": [GROUP], "displayName": "Others", "members": [{"value": other["id"]}]})
    assert (replaced["displayName"], [each["value"] for each in replaced["members"]]) == ("Others", [other["id"]])
    assert replaced["meta"]["version"] != group["meta"]["version"]


@pytest.mark.requirement("S-7644-3.5.1-01", "S-7644-3.2-02")
@pytest.mark.parametrize("path", ["/Users", "/Groups"])
@pytest.mark.parametrize("unknown", [NOBODY, "no-id"])
def test_nothing_is_created(scim: Scim, path: str, unknown: str) -> None:
    """The id is judged before the body is."""
    for body in ({**BARE}, {"schemas": [GROUP], "displayName": "G"}, {}):
        assert scim.put(f"{path}/{unknown}", body).status_code == 404
    assert scim.find("/Users", "userName pr") == scim.find("/Groups", "displayName pr") == []


@pytest.mark.requirement("S-7644-3.5.1-02")
def test_values_are_replaced_whole(scim: Scim, ada: dict[str, Any]) -> None:
    emails = [{"type": "other", "value": "z@example.com"}]
    body = {**FULL, "name": {"givenName": "B"}, "emails": emails, "password": "new", ENTERPRISE: {"division": "W"}}
    replaced = put(scim, ada, body)
    assert (replaced["name"], replaced["emails"], replaced[ENTERPRISE]) == ({"givenName": "B"}, emails, {"division": "W"})


@pytest.mark.requirement("S-7644-3.5.1-03")
def test_what_is_left_out_is_cleared(scim: Scim, ada: dict[str, Any]) -> None:
    assert said(put(scim, ada, BARE)) == {"userName": "ada@example.com", "active": True}
    group = scim.group("Team", ada["id"], externalId="g1")
    assert said(put(scim, group, {"schemas": [GROUP], "displayName": "Team"})) == {"displayName": "Team"}


@pytest.mark.requirement("S-7644-3.5.1-04")
@pytest.mark.parametrize("active", [True, False])
def test_but_for_active(scim: Scim, ada: dict[str, Any], active: bool) -> None:
    """Nobody is suspended or let in again because somebody says nothing of it."""
    put(scim, ada, {**FULL, "active": active})
    assert put(scim, ada, BARE)["active"] is active


@pytest.mark.requirement("S-7644-3.5.1-05", "S-7643-2.5-01")
@pytest.mark.parametrize("nothing", [None, []])
def test_null_and_an_empty_array_clear_even_a_default(scim: Scim, ada: dict[str, Any], nothing: Any) -> None:
    body = {**FULL, "active": nothing, "title": nothing, "emails": nothing, "name": nothing, ENTERPRISE: nothing}
    assert said(put(scim, ada, body)) == {"userName": "ada@example.com", "externalId": "x1"}
    assert scim.find("/Users", "active pr or title pr or emails pr or name pr") == []


@pytest.mark.requirement("S-7644-3.5.1-07", "S-7644-3.5.1-12")
def test_what_was_read_can_be_sent_back_and_changes_nothing(scim: Scim, store: Store, scope: Scope, ada: dict[str, Any]) -> None:
    boss = scim.user("boss@example.com", displayName="Boss")
    ada = put(scim, ada, {**FULL, ENTERPRISE: {"manager": {"value": boss["id"]}}})
    group = scim.group("Team", ada["id"], boss["id"])
    for path in (f"/Users/{ada['id']}", f"/Groups/{group['id']}"):
        shown = body_of(scim.get(path))
        with store.read(scope) as unit:
            events = len(unit.events.list(100))
        assert body_of(scim.put(path, shown)) == shown
        assert body_of(scim.get(path)) == shown
        with store.read(scope) as unit:
            assert len(unit.events.list(100)) == events


@pytest.mark.requirement("S-7644-3.5.1-07", "S-7643-3.1-07")
def test_what_only_the_server_says_is_ignored(scim: Scim, ada: dict[str, Any]) -> None:
    group = scim.group("Team")
    forged = {"resourceType": "Group", "created": "1999-01-01T00:00:00Z", "version": 'W/"9"', "location": "https://evil.example"}
    replaced = put(scim, ada, {**FULL, "title": "U", "meta": forged, "groups": [{"value": group["id"]}]})
    assert {**replaced["meta"], "lastModified": "", "version": ""} == {**ada["meta"], "lastModified": "", "version": ""}
    assert replaced["meta"]["version"] == 'W/"2"'
    assert "groups" not in replaced
    assert scim.members(group["id"]) == set()


@pytest.mark.requirement("S-7644-3.5.1-08", "S-7643-3.1-02")
def test_the_id_is_that_of_the_address(scim: Scim, ada: dict[str, Any]) -> None:
    bob = scim.user("bob@example.com")
    replaced = put(scim, ada, {**BARE, "id": bob["id"], "title": "U"})
    assert (replaced["id"], replaced["title"]) == (ada["id"], "U")
    assert body_of(scim.get(f"/Users/{bob['id']}")) == bob


@pytest.mark.requirement("S-7644-3.5.1-09", "S-7643-7-10")
@pytest.mark.parametrize("name", [..., None, "", "  "])
def test_what_is_required_must_be_there(scim: Scim, ada: dict[str, Any], name: Any) -> None:
    group = scim.group("Team")
    for path, body, required in (
        (f"/Users/{ada['id']}", {"schemas": [USER], "title": "U"}, "userName"),
        (f"/Groups/{group['id']}", {"schemas": [GROUP]}, "displayName"),
    ):
        answer = scim.put(path, body if name is ... else {**body, required: name})
        assert body_of(answer, 400)["scimType"] == "invalidValue"
        assert required in body_of(answer, 400)["detail"]
    assert body_of(scim.get(f"/Users/{ada['id']}")) == ada
    assert body_of(scim.get(f"/Groups/{group['id']}")) == group


@pytest.mark.requirement("S-7644-3.5.1-11", "S-7643-7-08")
def test_a_name_in_use_is_refused_and_nothing_is_changed(scim: Scim, ada: dict[str, Any]) -> None:
    scim.user("bob@example.com")
    answer = scim.put(f"/Users/{ada['id']}", {**BARE, "userName": "BOB@example.com", "title": "U"})
    assert body_of(answer, 409)["scimType"] == "uniqueness"
    assert body_of(scim.get(f"/Users/{ada['id']}")) == ada


@pytest.mark.requirement("S-7644-3.5.1-13", "S-7643-3.3-03")
def test_schemas_follow_from_what_is_there(scim: Scim, ada: dict[str, Any]) -> None:
    assert ada["schemas"] == [USER, ENTERPRISE]
    assert put(scim, ada, {**FULL, ENTERPRISE: None})["schemas"] == [USER]
    assert put(scim, ada, {**FULL, "schemas": [USER]})["schemas"] == [USER, ENTERPRISE]
    assert put(scim, ada, {**BARE, "schemas": [ENTERPRISE, USER]})["schemas"] == [USER]


@pytest.mark.requirement("S-7644-3.5.1-14")
def test_all_of_it_is_done_or_nothing(scim: Scim, store: Store, scope: Scope) -> None:
    """One member of three is nobody: neither the others come, nor those go that are left out, nor is the name another."""
    a, b, c = (scim.user(f"{name}@example.com")["id"] for name in "abc")
    group = scim.group("Team", a, b)
    with store.read(scope) as unit:
        events = len(unit.events.list(100))
    body = {"schemas": [GROUP], "displayName": "Others", "members": [{"value": each} for each in (b, NOBODY, c)]}
    answer = scim.put(f"/Groups/{group['id']}", body)
    assert body_of(answer, 400)["scimType"] == "invalidValue"
    assert NOBODY in body_of(answer, 400)["detail"]
    assert body_of(scim.get(f"/Groups/{group['id']}")) == group
    with store.read(scope) as unit:
        assert len(unit.events.list(100)) == events
