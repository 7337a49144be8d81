"""What the texts leave open, as it is decided here: by the lines of docs/standards.md."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from scim_server.events import Scope
from scim_server.store.registry import Registry
from tests.http.conftest import USER, Scim, new_client
from tests.tenants import new_app


@pytest.mark.requirement("S-7644-3.2-04")
def test_a_slash_at_the_end_is_nothing_and_the_case_of_an_endpoint_is(scim: Scim) -> None:
    user = scim.user("ada")
    for path in ("/Users/", f"/Users/{user['id']}/", "/Groups/", "/Schemas/", "/ServiceProviderConfig/"):
        assert scim.get(path).status_code == 200
    for path in ("/users", "/USERS", f"/users/{user['id']}", "/schemas"):
        assert scim.get(path).status_code == 404


@pytest.mark.requirement("S-7644-3.4.1-05", "S-7644-3.4.1-03", "S-7644-3.4.1-04")
def test_a_query_of_one_resource_is_projection_only(scim: Scim) -> None:
    user = scim.user("ada", title="T")
    path = f"/Users/{user['id']}"
    asked = {"filter": 'userName eq "nobody"', "sortBy": "nothing", "count": "0", "startIndex": "9"}
    assert scim.get(path, **asked).get_json(force=True) == user
    shown = scim.get(path, attributes="title", **asked)
    assert shown.get_json(force=True).keys() == {"schemas", "id", "title"}
    head = scim.request("HEAD", path)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("ETag", "Location", "Content-Type"):
        assert head.headers[name] == shown.headers[name]


@pytest.mark.requirement("S-7643-9.3-01", "S-7644-6.2-01")
def test_the_same_person_in_two_tenants_is_two(scim: Scim, stranger: Scim) -> None:
    one, other = (each.user("ada@birkholm.example", externalId="7d42") for each in (scim, stranger))
    assert one["id"] != other["id"]
    assert stranger.find("/Users", f'id eq "{one["id"]}"') == []


@pytest.mark.requirement("S-8265-3.3-02", "S-8265-3.3-03", "S-7644-7.8-02")
@pytest.mark.parametrize(
    ("name", "same", "others"),
    [
        ("Zoë@Birkholm.example", ["zoë@birkholm.example", "ZOE\u0308@BIRKHOLM.EXAMPLE"], ["zoe@birkholm.example"]),
        ("Jane Doe", ["jane doe", "JANE DOE"], ["janedoe", "jane  doe"]),
        # Refused by PRECIS, so folded; a strict tenant refuses it as well.
        pytest.param("ﬁnn", ["FINN", "finn"], [], marks=pytest.mark.profiles("entra", "okta")),
        ("ΣΊΣΥΦΟΣ", ["σίσυφος"], []),
    ],
)
def test_a_user_name_is_shown_as_sent_and_found_however_it_is_written(
    scim: Scim, owner_engine: Engine, name: str, same: list[str], others: list[str]
) -> None:
    user = scim.user(name)
    assert user["userName"] == name
    for each in (name, *same):
        assert [found["id"] for found in scim.find("/Users", f'userName eq "{each}"')] == [user["id"]], each
        assert scim.post("/Users", {"schemas": [USER], "userName": each}).status_code == 409
    for each in others:
        assert scim.find("/Users", f'userName eq "{each}"') == []
    with owner_engine.connect() as connection:
        key = connection.execute(text("SELECT user_name_key FROM users WHERE id = :id"), {"id": user["id"]}).scalar_one()
    assert key != name


@pytest.mark.requirement("S-7644-7.8-02")
def test_text_that_is_not_case_exact_is_compared_without_a_locale(scim: Scim) -> None:
    scim.user("a", title="Straße")
    for same in ("STRASSE", "straße", "strasse"):
        assert len(scim.find("/Users", f'title eq "{same}"')) == 1
    scim.user("b", title="ısı")
    assert scim.find("/Users", 'title eq "ISI"') == []


@pytest.mark.requirement("S-9865-2-11", "S-9865-2-07")
def test_a_cursor_holds_on_every_node_and_after_a_restart(engine: Engine, registry: Registry, scope: Scope, app: Flask) -> None:
    one = new_client(app, registry, scope.tenant_id)
    for name in ("a", "b", "c"):
        one.user(name)
    page = one.get("/Users", cursor="", count=2).get_json(force=True)
    assert "startIndex" not in page
    another = new_client(new_app(engine), registry, scope.tenant_id)
    following = another.get("/Users", cursor=page["nextCursor"], count=2).get_json(force=True)
    assert [each["userName"] for each in following["Resources"]] == ["c"]
