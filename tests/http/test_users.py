"""/Users over HTTP: the life of a user, and what a client is told on the way."""

from __future__ import annotations

from typing import Any

from scim_server.store.unit import Store
from tests.http.conftest import ENTERPRISE, USER, Scim
from tests.tenants import BASE_URL

FULL: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "b7e6c1f0-1",
    "userName": "Ínés.Ravn@Birkholm.example",
    "name": {
        "formatted": "Dr. Inés Ravn",
        "familyName": "Ravn",
        "givenName": "Inés",
        "middleName": "M",
        "honorificPrefix": "Dr.",
        "honorificSuffix": "III",
    },
    "displayName": "Inés Ravn ⚓",
    "nickName": "Nes",
    "profileUrl": "https://birkholm.example/ines",
    "title": "Dock planner",
    "userType": "Employee",
    "preferredLanguage": "da-DK, en;q=0.8",
    "locale": "da-DK",
    "timezone": "Europe/Copenhagen",
    "active": True,
    "emails": [{"value": "ines@birkholm.example", "type": "work", "primary": True}, {"value": "ines@home.example", "type": "home"}],
    "phoneNumbers": [{"value": "+45 55 00 11 22", "type": "work"}],
    "ims": [{"value": "ines", "type": "xmpp"}],
    "photos": [{"value": "https://birkholm.example/ines.jpg", "type": "photo"}],
    "addresses": [{"type": "work", "formatted": "Pier 4\n8000 Aarhus", "streetAddress": "Pier 4", "locality": "Aarhus", "country": "DK"}],
    "entitlements": [{"value": "parking"}],
    "roles": [{"value": "planner", "display": "Planner", "primary": True}],
    "x509Certificates": [{"value": "MAMCAQE="}],
    ENTERPRISE: {
        "employeeNumber": "40117",
        "costCenter": "CC-1",
        "organization": "Birkholm",
        "division": "Sea",
        "department": "Operations",
    },
}


def test_every_attribute_comes_back_as_sent(scim: Scim) -> None:
    made = scim.post("/Users", FULL).get_json(force=True)
    read = scim.get(f"/Users/{made['id']}").get_json(force=True)
    assert read == made
    assert {name: read[name] for name in FULL if name != "schemas"} == {name: value for name, value in FULL.items() if name != "schemas"}
    assert set(read["schemas"]) == {USER, ENTERPRISE}
    assert read["meta"]["location"] == f"{BASE_URL}/Users/{made['id']}"
    assert read["meta"]["created"] == read["meta"]["lastModified"]
    assert read["meta"]["created"].endswith("Z")


def test_a_user_from_first_to_last(scim: Scim, store: Store, scope: Any) -> None:
    user = scim.user("ada@example.com", displayName="Ada")
    address = f"/Users/{user['id']}"
    assert [each["id"] for each in scim.find("/Users", 'userName eq "ADA@example.com"')] == [user["id"]]

    changed = scim.patch(address, {"op": "replace", "path": "displayName", "value": "Ada L"})
    assert changed.status_code == 200
    assert changed.get_json(force=True)["displayName"] == "Ada L"

    replaced = scim.put(address, {"schemas": [USER], "userName": "ada@example.com", "title": "Countess"}).get_json(force=True)
    assert "displayName" not in replaced
    assert replaced["title"] == "Countess"
    assert replaced["active"] is True
    assert replaced["meta"]["version"] == 'W/"3"'

    assert scim.delete(address).status_code == 204
    for again in (scim.get(address), scim.delete(address), scim.patch(address, {"op": "remove", "path": "title"})):
        assert again.status_code == 404
    assert scim.find("/Users", 'userName eq "ada@example.com"') == []
    assert scim.user("ada@example.com")["id"] != user["id"]

    with store.read(scope) as unit:
        tags = [each.tag for each in unit.events.list(10) if each.tag.startswith("scim:")]
    assert sorted(tags) == sorted(["scim:user:created", "scim:user:changed", "scim:user:changed", "scim:user:deleted", "scim:user:created"])


def test_a_change_that_changes_nothing_leaves_version_and_log_alone(scim: Scim, store: Store, scope: Any) -> None:
    user = scim.user("same@example.com", displayName="Same")
    address = f"/Users/{user['id']}"
    scim.patch(address, {"op": "replace", "path": "displayName", "value": "Same"})
    scim.put(address, user)
    assert scim.get(address).get_json(force=True)["meta"] == user["meta"]
    with store.read(scope) as unit:
        assert [each.tag for each in unit.events.list(10) if each.tag.startswith("scim:")] == ["scim:user:created"]


def test_the_user_name_is_unique_whatever_its_case_and_form(scim: Scim) -> None:
    made = scim.user("Zoë@example.com")
    for same in ("zoë@example.com", "ZOË@EXAMPLE.COM", "ZOE\u0308@example.com"):
        again = scim.post("/Users", {"schemas": [USER], "userName": same})
        assert (again.status_code, again.get_json(force=True)["scimType"]) == (409, "uniqueness")
        assert [each["userName"] for each in scim.find("/Users", f'userName eq "{same}"')] == ["Zoë@example.com"]
    other = scim.user("other@example.com")
    for taking in (
        scim.patch(f"/Users/{other['id']}", {"op": "replace", "path": "userName", "value": "ZOË@example.com"}),
        scim.put(f"/Users/{other['id']}", {"schemas": [USER], "userName": "zoë@example.com"}),
    ):
        assert taking.status_code == 409
    assert scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": "ZOË@example.com"}).status_code == 200


def test_paging_shows_each_user_once_and_the_total_always(scim: Scim) -> None:
    names = {scim.user(f"u{n:02}@example.com")["id"] for n in range(23)}
    seen: list[str] = []
    for start in (1, 8, 15, 22):
        page = scim.get("/Users", startIndex=start, count=7).get_json(force=True)
        assert (page["totalResults"], page["startIndex"]) == (23, start)
        seen += [each["id"] for each in page["Resources"]]
    assert sorted(seen) == sorted(names)
    for parameters, items in (({"count": 0}, 0), ({"count": -3}, 0), ({"startIndex": 0, "count": 2}, 2), ({"startIndex": 99}, 0)):
        page = scim.get("/Users", **parameters).get_json(force=True)
        assert (page["totalResults"], page["itemsPerPage"]) == (23, items)
    found = scim.get("/Users", filter='userName sw "u1"', count=3).get_json(force=True)
    assert (found["totalResults"], found["itemsPerPage"]) == (10, 3)


def test_a_manager_is_answered_with_name_and_address_as_soon_as_he_is_there(scim: Scim) -> None:
    boss = scim.user("boss@example.com", displayName="The Boss")
    ghost = "0190a000-0000-7000-8000-000000000001"
    user = scim.user("worker@example.com", **{ENTERPRISE: {"manager": {"value": ghost}}})
    assert user[ENTERPRISE]["manager"] == {"value": ghost}
    path = f"{ENTERPRISE}:manager"
    changed = scim.patch(f"/Users/{user['id']}", {"op": "replace", "path": path, "value": {"value": boss["id"]}})
    expected = {"value": boss["id"], "$ref": f"{BASE_URL}/Users/{boss['id']}", "displayName": "The Boss"}
    assert changed.get_json(force=True)[ENTERPRISE]["manager"] == expected
    assert [each["id"] for each in scim.find("/Users", f'{path}.displayName sw "the b"')] == [user["id"]]
    scim.patch(f"/Users/{user['id']}", {"op": "remove", "path": path})
    assert ENTERPRISE not in scim.get(f"/Users/{user['id']}").get_json(force=True)


def test_a_patch_is_all_or_nothing(scim: Scim) -> None:
    user = scim.user("atomic@example.com", title="Before")
    answer = scim.patch(
        f"/Users/{user['id']}",
        {"op": "replace", "path": "title", "value": "After"},
        {"op": "add", "path": "nickName", "value": "N"},
        {"op": "replace", "path": "noSuchThing", "value": 1},
    )
    assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, "invalidPath")
    assert "noSuchThing" in answer.get_json(force=True)["detail"]
    assert scim.get(f"/Users/{user['id']}").get_json(force=True) == user


def test_two_tenants_see_nothing_of_each_other(scim: Scim, stranger: Scim) -> None:
    mine = scim.user("shared@example.com", externalId="x1")
    theirs = stranger.user("shared@example.com", externalId="x1")
    assert mine["id"] != theirs["id"]
    address = f"/Users/{mine['id']}"
    unknown = stranger.get("/Users/0190a000-0000-7000-8000-000000000001")
    for answer in (
        stranger.get(address),
        stranger.put(address, {"schemas": [USER], "userName": "stolen@example.com"}),
        stranger.patch(address, {"op": "replace", "path": "title", "value": "stolen"}),
        stranger.delete(address),
    ):
        assert answer.status_code == 404
        assert answer.get_json(force=True).keys() == unknown.get_json(force=True).keys()
    for text in ('userName eq "shared@example.com"', 'externalId eq "x1"', "userName pr", f'id ne "{mine["id"]}"'):
        assert [each["id"] for each in stranger.find("/Users", text)] == [theirs["id"]]
    group = stranger.post(
        "/Groups", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G", "members": [{"value": mine["id"]}]}
    )
    assert (group.status_code, group.get_json(force=True)["scimType"]) == (400, "invalidValue")
    assert stranger.find("/Groups", "displayName pr") == []
    assert scim.get(address).get_json(force=True) == mine
