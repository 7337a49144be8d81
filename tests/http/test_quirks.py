"""Entra's quirks that only show over HTTP; each test names the quirk it shows (``tests/entra/test_quirks.py``).

The bodies are as Entra sends them, not as the RFCs would have them.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import ENTERPRISE, GROUP, USER, Scim

pytestmark = pytest.mark.profiles("entra")

MANAGER = f"{ENTERPRISE}:manager"
NOBODY = "0190a000-0000-7000-8000-000000000001"


def create(scim: Scim, name: str, **attributes: Any) -> dict[str, Any]:
    """A user as Entra posts it."""
    body = {"schemas": [USER, ENTERPRISE], "userName": name, "active": True, "roles": [], "meta": {"resourceType": "User"}, **attributes}
    response = scim.post("/Users", body)
    assert response.status_code == 201, response.get_data(as_text=True)
    return dict(response.get_json(force=True))


def read(scim: Scim, user: dict[str, Any]) -> dict[str, Any]:
    return dict(scim.get(f"/Users/{user['id']}").get_json(force=True))


def test_quirk_18(scim: Scim) -> None:
    """A manager answered anywhere but inside the enterprise object is PATCHed anew in every cycle."""
    boss = create(scim, "boss@birkholm.example")
    user = create(scim, "ines@birkholm.example")
    answer = scim.patch(f"/Users/{user['id']}", {"op": "Add", "path": MANAGER, "value": boss["id"]})
    for shown in (answer.get_json(force=True), read(scim, user)):
        assert shown[ENTERPRISE]["manager"]["value"] == boss["id"]
        assert "manager" not in shown


def test_quirk_19(scim: Scim) -> None:
    """A manager who is not provisioned yet is taken, and shown with his address once he is there."""
    user = create(scim, "ines@birkholm.example")
    for unknown in (NOBODY, "not-an-id"):
        answer = scim.patch(f"/Users/{user['id']}", {"op": "Replace", "path": MANAGER, "value": unknown})
        assert answer.status_code == 200
        assert answer.get_json(force=True)[ENTERPRISE]["manager"] == {"value": unknown}


def test_quirk_20(scim: Scim) -> None:
    """Nobody found is 200 with an empty list: a 404 would put the whole job into quarantine."""
    for path, text in (
        ("/Users", f'userName eq "{NOBODY}"'),
        ("/Users", f'externalId eq "{NOBODY}"'),
        ("/Groups", 'displayName eq "none"'),
    ):
        answer = scim.get(path, filter=text)
        assert answer.status_code == 200
        assert (answer.get_json(force=True)["totalResults"], answer.get_json(force=True)["Resources"]) == (0, [])


def test_quirk_21(scim: Scim) -> None:
    """Test Connection asks for groups too, in a tenant that has none."""
    assert scim.get("/Groups", excludedAttributes="members", filter=f'displayName eq "{NOBODY}"').status_code == 200
    assert scim.get("/Groups").get_json(force=True)["totalResults"] == 0


def test_quirk_22(scim: Scim) -> None:
    """Look-up and uniqueness have one idea of what the same userName is."""
    user = create(scim, "Ines.Ravn@Birkholm.example")
    assert [each["id"] for each in scim.find("/Users", 'userName eq "INES.RAVN@BIRKHOLM.EXAMPLE"')] == [user["id"]]
    again = scim.post("/Users", {"schemas": [USER], "userName": "ines.ravn@birkholm.example"})
    assert (again.status_code, again.get_json(force=True)["scimType"]) == (409, "uniqueness")


def test_quirk_23(scim: Scim) -> None:
    """externalId can be asked for; a filter that cannot be answered is refused, never answered with everybody."""
    user = create(scim, "ines@birkholm.example", externalId="7d42-a")
    create(scim, "ole@birkholm.example", externalId="7d42-b")
    assert [each["id"] for each in scim.find("/Users", 'externalId eq "7d42-a"')] == [user["id"]]
    assert scim.find("/Users", 'externalId eq "7D42-A"') == []
    assert scim.get("/Users", filter='badge eq "7"').get_json(force=True)["scimType"] == "invalidFilter"


def test_quirk_24(scim: Scim) -> None:
    """A disabled user is found by every read, as disabled."""
    user = create(scim, "ines@birkholm.example", externalId="x")
    scim.patch(f"/Users/{user['id']}", {"op": "Replace", "path": "active", "value": "False"})
    found = [read(scim, user), *(scim.find("/Users", text)[0] for text in ('userName eq "ines@birkholm.example"', 'externalId eq "x"'))]
    assert [each["active"] for each in [*found, *scim.get("/Users").get_json(force=True)["Resources"]]] == [False] * 4


def test_quirk_25(scim: Scim) -> None:
    """Who was deleted and is assigned again is created again, with the same names and another id."""
    first = create(scim, "ines@birkholm.example", externalId="x")
    scim.delete(f"/Users/{first['id']}")
    assert scim.find("/Users", 'externalId eq "x"') == []
    assert create(scim, "ines@birkholm.example", externalId="x")["id"] != first["id"]


def test_quirk_26(scim: Scim) -> None:
    """A new userName is the same user: id, memberships and manager's reports stay."""
    user = create(scim, "ines.ravn@birkholm.example")
    group = scim.group("BK-Dockside", user["id"])
    changed = scim.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"userName": "ines.holm@birkholm.example"}})
    assert changed.get_json(force=True)["id"] == user["id"]
    assert scim.members(group["id"]) == {user["id"]}
    assert scim.find("/Users", 'userName eq "ines.ravn@birkholm.example"') == []


def test_quirk_28(scim: Scim) -> None:
    """The media type with a charset, in any case, and plain JSON."""
    media_types = (
        "application/scim+json; charset=utf-8",
        "application/scim+json",
        "application/json",
        "Application/SCIM+JSON;charset=UTF-8",
    )
    for number, media_type in enumerate(media_types):
        made = scim.post("/Users", {"schemas": [USER], "userName": f"u{number}"}, content_type=media_type)
        assert (made.status_code, made.get_json(force=True)["userName"]) == (201, f"u{number}")


def test_quirk_29(scim: Scim) -> None:
    """GET without Accept and Content-Type, and with an Accept that nobody can meet."""
    for accept in ("", "*/*", "text/html", "application/xml;q=0.9"):
        assert scim.request("GET", "/Users", headers={"Accept": accept}).status_code == 200


def test_quirk_30(scim: Scim) -> None:
    """Errors too are application/scim+json; ``tests.lint`` looks at each answer of all tests."""
    nobody = Scim(scim.app, None)
    for answer in (
        scim.get("/Users"),
        scim.get("/Users/x"),
        scim.get("/nowhere"),
        scim.request("PATCH", "/Users", {}),
        nobody.get("/Users"),
    ):
        assert answer.headers["Content-Type"] == "application/scim+json"


def test_quirk_31(scim: Scim) -> None:
    for path in ("/Schemas", "/ResourceTypes"):
        assert scim.get(path).get_json(force=True)["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]


def test_quirk_37(scim: Scim) -> None:
    """A member added again, or removed again, is a success."""
    user = create(scim, "ines@birkholm.example")
    group = scim.group("BK-Dockside")
    for op in ("Add", "Add", "Remove", "Remove"):
        operation = {"op": op, "path": "members", "value": [{"$ref": None, "value": user["id"]}]}
        assert scim.patch(f"/Groups/{group['id']}", operation).status_code == 204
        assert scim.members(group["id"]) == ({user["id"]} if op == "Add" else set())


def test_quirk_38(scim: Scim) -> None:
    """A PATCH of a group answers nothing, so its size is never on the wire; a read gives all members, never a page of them."""
    people = [create(scim, f"p{n}@birkholm.example")["id"] for n in range(120)]
    group = scim.group("BK-All", *people[:-1])
    answer = scim.patch(f"/Groups/{group['id']}", {"op": "Add", "path": "members", "value": [{"$ref": None, "value": people[-1]}]})
    assert (answer.status_code, answer.data) == (204, b"")
    assert scim.members(group["id"]) == set(people)


def test_quirk_39(scim: Scim) -> None:
    """A member whom nobody knows is a 4xx that names him: a 5xx would be tried again for ever."""
    group = scim.group("BK-Dockside")
    answer = scim.patch(f"/Groups/{group['id']}", {"op": "Add", "path": "members", "value": [{"$ref": None, "value": NOBODY}]})
    assert answer.status_code == 400
    assert NOBODY in answer.get_json(force=True)["detail"]
    assert answer.headers["X-Request-Id"] in answer.get_json(force=True)["detail"]


def test_quirk_40(scim: Scim) -> None:
    assert scim.get("/ServiceProviderConfig").get_json(force=True)["patch"] == {"supported": True}
    user = create(scim, "ines@birkholm.example")
    assert scim.patch(f"/Users/{user['id']}", {"op": "Add", "path": "nickName", "value": "Nes"}).status_code == 200


def test_quirk_42(scim: Scim) -> None:
    """The flag of the Tenant URL, where a client puts the path behind it, is an unknown endpoint: 404, said clearly."""
    for address in ("?aadOptscim062020/Users", "/?aadOptscim062020/Users?filter=userName+eq+%22x%22", ""):
        answer = scim.request("GET", address)
        assert answer.status_code == 404
        assert "/scim/v2/ResourceTypes" in answer.get_json(force=True)["detail"]
    assert scim.request("GET", "/Users?aadOptscim062020").status_code == 200


def test_quirk_43(scim: Scim) -> None:
    """Cloud-only people have no mail: without emails, or with emails emptied, a user is a user."""
    assert "emails" not in create(scim, "ines@birkholm.example")
    assert "emails" not in create(scim, "ole@birkholm.example", emails=None)


def test_quirk_45(scim: Scim) -> None:
    """What was sent comes back byte for byte: case of addresses, blanks in numbers, composed and decomposed letters."""
    sent: dict[str, Any] = {
        "displayName": "Ine\u0301s  Ravn ",
        "emails": [{"type": "work", "value": "Ines.RAVN@Birkholm.Example", "primary": True}],
        "phoneNumbers": [{"type": "work", "value": " +45 (55) 00-11-22"}],
        "addresses": [{"type": "work", "country": "Danmark", "formatted": "Pier 4\r\n8000"}],
    }
    user = read(scim, create(scim, "Ines@Birkholm.example", **sent))
    assert {name: user[name] for name in sent} == sent
    assert user["userName"] == "Ines@Birkholm.example"


def test_quirk_46(scim: Scim) -> None:
    group = scim.group("BK-Dockside")
    assert scim.delete(f"/Groups/{group['id']}").status_code == 204


def test_quirk_49(scim: Scim, stranger: Scim) -> None:
    """One person's address in two tenants is two users who know nothing of each other."""
    email = [{"type": "work", "value": "ines@birkholm.example"}]
    mine = create(scim, "ines@birkholm.example", emails=email)
    theirs = create(stranger, "ines@birkholm.example", emails=email)
    assert mine["id"] != theirs["id"]
    assert [each["id"] for each in stranger.find("/Users", 'emails[type eq "work"].value eq "ines@birkholm.example"')] == [theirs["id"]]


def test_quirk_53(scim: Scim) -> None:
    """Members of a request that nobody defined: ``name`` in an operation, ``id`` in a body."""
    user = create(scim, "ines@birkholm.example", id="chosen-by-the-client")
    assert user["id"] != "chosen-by-the-client"
    answer = scim.patch(f"/Users/{user['id']}", {"name": "addNickName", "op": "add", "path": "nickName", "value": "Nes", "id": "x"})
    assert answer.get_json(force=True)["nickName"] == "Nes"


def test_quirk_55(scim: Scim) -> None:
    """Entra cannot save a secret that is too long; ours is far below every limit that was reported."""
    assert len(str(scim.token)) < 64


def test_an_empty_list_of_operations_is_a_success(scim: Scim) -> None:
    """Microsoft's validator sends it where there is nothing to remove."""
    user = create(scim, "ines@birkholm.example")
    assert scim.patch(f"/Users/{user['id']}").status_code == 200
    assert read(scim, user) == user


def test_a_group_as_entra_creates_it(scim: Scim) -> None:
    body = {
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "5c0d2a36-0b5a-4a57-9d1e-6b2b4c3f8a10",
        "displayName": "BK-Dockside",
        "members": [],
        "meta": {"resourceType": "Group"},
    }
    made = scim.post("/Groups", body).get_json(force=True)
    assert made["schemas"] == [GROUP]
    assert [each["id"] for each in scim.find("/Groups", 'displayName eq "bk-dockside"', excludedAttributes="members")] == [made["id"]]
    assert scim.post("/Groups", {**body, "displayName": "BK-DOCKSIDE"}).status_code == 409
