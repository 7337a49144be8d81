"""Addresses of resources are the same however they are written; instants without a zone are UTC."""

from __future__ import annotations

import pytest

from scim_server.scim.references import absolute
from tests.http.conftest import ENTERPRISE, USER, Scim
from tests.tenants import BASE_URL

UNVERSIONED = BASE_URL.removesuffix("/v2")
SPELLINGS = [f"{BASE_URL}/%s", f"{UNVERSIONED}/%s", "%s", "../%s", "./%s"]
OTHERS = ["https://other.example/scim/v2/%s", f"{UNVERSIONED}/v1/%s", f"{BASE_URL}/x/%s", "/%s", "%s/x", f"{BASE_URL}/%sx"]


@pytest.mark.requirement("S-7643-2.4-04", "S-7643-2.3.7-01")
@pytest.mark.parametrize("spelling", [*SPELLINGS, *OTHERS])
def test_an_address_is_the_same_however_it_is_written(scim: Scim, spelling: str) -> None:
    boss = scim.user("boss")
    ada = scim.user("ada", **{ENTERPRISE: {"manager": {"value": boss["id"]}}})
    team = scim.group("team", ada["id"])
    told = {"ada": spelling % f"Users/{ada['id']}", "boss": spelling % f"Users/{boss['id']}", "team": spelling % f"Groups/{team['id']}"}
    asked = [
        ("/Groups", f'members.$ref eq "{told["ada"]}"', team),
        ("/Groups", f'members[$ref eq "{told["ada"]}" and type eq "User"]', team),
        ("/Users", f'groups.$ref eq "{told["team"]}"', ada),
        ("/Users", f'groups[not ($ref ne "{told["team"]}")]', ada),
        ("/Users", f'meta.location eq "{told["ada"]}"', ada),
        ("/Users", f'{ENTERPRISE}:manager.$ref eq "{told["boss"]}"', ada),
        ("/", f'meta.location eq "{told["team"]}"', team),
    ]
    for path, filter, expected in asked:
        assert [each["id"] for each in scim.find(path, filter)] == ([expected["id"]] if spelling in SPELLINGS else []), filter
    assert scim.find("/Users", f'externalId eq "{told["ada"]}" or userName eq "{told["ada"]}"') == []
    scim.patch(f"/Groups/{team['id']}", {"op": "remove", "path": f'members[$ref eq "{told["ada"]}"]'})
    assert scim.members(team["id"]) == (set() if spelling in SPELLINGS else {ada["id"]})


@pytest.mark.parametrize(
    "text", ["", "x", "//[", "http://[::1", "Users", "urn:a:Users/1", "\x00", "../../../../etc/Users/1", "?Users/1", "#"]
)
def test_whatever_else_is_a_reference_stays_as_it_is(text: str) -> None:
    assert absolute(text, BASE_URL) == text


@pytest.mark.requirement("S-7643-2.3.5-02", "S-7643-2.3.5-03")
def test_an_instant_without_a_zone_is_utc(acme: Scim) -> None:
    urn = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
    made = acme.user("ada", **{urn: {"since": "2026-01-31T12:00:00"}})
    assert made[urn] == {"since": "2026-01-31T12:00:00"}
    for literal in ("2026-01-31T12:00:00Z", "2026-01-31T13:00:00.000+01:00", "2026-01-31T12:00:00"):
        assert len(acme.find("/Users", f'{urn}:since eq "{literal}"')) == 1
    for literal in ("2026-01-31T24:00:00Z", "0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z"):
        body = {"schemas": [USER], "userName": "bea", urn: {"since": literal}}
        assert acme.post("/Users", body).get_json(force=True)["scimType"] == "invalidValue"
        assert acme.get("/Users", filter=f'{urn}:since eq "{literal}"').get_json(force=True)["scimType"] == "invalidFilter"
