"""Which user somebody is who signs in; and how SCIM and sign-in come to know the same one."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from scim_server.provisioning import schemas
from scim_server.scim.definitions import load
from scim_server.scim.schemas import Extension
from scim_server.store.registry import Registry
from scim_server.store.users import Users
from scim_server.tenancy.domains import Domains, Resolver
from tests.http.conftest import BULK_REQUEST, ENTERPRISE, USER
from tests.oidc.conftest import Company
from tests.tenants import OPERATOR

ANNA = "anna@contoso.example"


def test_the_user_whom_scim_made_by_object_id(company: Company) -> None:
    """Whatever name SCIM has for him; and what SCIM says stays, what it left open is filled in."""
    person = company.entra.person(ANNA, name="Anna Ahorn", email=ANNA, groups=[])
    made = company.scim().user("a.ahorn", externalId=person["oid"], title="Engineer")
    about = company.signed_in(ANNA).me().json()
    assert about["user"]["id"] == made["id"]
    assert about["user"]["userName"] == "a.ahorn"
    assert company.scim().get(f"/Users/{made['id']}").get_json(force=True)["displayName"] == "Anna Ahorn"
    assert [each.data["how"] for each in company.events("signin:user:linked")] == ["externalId"]
    assert company.count("users") == 1


def test_never_by_name_or_address(company: Company) -> None:
    """A user of that name is somebody, perhaps somebody else: nobody is let in as him."""
    made = company.scim().user(ANNA.upper(), emails=[{"value": ANNA}], externalId="a.ahorn")
    company.entra.person(ANNA, email=ANNA, upn=ANNA, groups=[])
    refused = company.sign_in(ANNA)
    assert refused.status == 403
    (event,) = company.events("signin:user:refused")
    assert (event.data["reason"], event.subject_id) == ("name_taken", made["id"])
    assert company.count("users") == 1
    assert company.count("identity_links") == 0
    company.entra.person("bert@contoso.example", email=ANNA, groups=[])
    assert company.signed_in("bert@contoso.example").me().json()["user"]["id"] != made["id"]


def test_by_name_where_the_tenant_allows_it(company: Company) -> None:
    """Only a name in a verified domain of the tenant, and only a user whom nobody is linked to."""
    domain = f"{uuid.uuid4().hex[:12]}.example"
    name = f"anna@{domain}"
    made = company.scim().user(name, externalId="a.ahorn")
    company.change(link_by_user_name=True)
    company.entra.person(name, groups=[])
    assert company.sign_in(name).status == 403  # the domain is not proved
    Domains(Registry(company.engine), Resolver(), may_assume=True).add(company.scope.tenant_id, domain, OPERATOR, assume_verified=True)
    assert company.signed_in(name).me().json()["user"]["id"] == made["id"]
    assert [each.data["how"] for each in company.events("signin:user:linked")] == ["userName"]
    company.entra.person("other", preferred_username=name, groups=[])
    assert company.sign_in("other").status == 403  # another person of the same name
    assert company.refusals() == ["name_taken", "name_taken"]


@pytest.mark.parametrize("known_as", [ANNA, "a.ahorn"])
def test_scim_adopts_whom_a_sign_in_made(company: Company, known_as: str) -> None:
    """Found by Entra's matching, by either key; and a POST meets that user instead of a conflict."""
    person = company.entra.person(ANNA, name="Anna Ahorn", groups=[])
    browser = company.signed_in(ANNA)
    user_id = browser.me().json()["user"]["id"]
    scim = company.scim()
    assert [each["id"] for each in scim.find("/Users", f'userName eq "{ANNA}"')] == [user_id]
    assert [each["id"] for each in scim.find("/Users", f'externalId eq "{person["oid"]}"')] == [user_id]
    answer = scim.post("/Users", {"schemas": [USER], "userName": known_as, "externalId": person["oid"], "title": "Engineer"})
    assert answer.status_code == 201
    adopted = answer.get_json(force=True)
    assert (adopted["id"], adopted["userName"], adopted["title"]) == (user_id, known_as, "Engineer")
    assert [each.subject_id for each in company.events("scim:user:adopted")] == [user_id]
    assert [each["id"] for each in scim.find("/Users", f'userName eq "{known_as}"')] == [user_id]
    again = scim.post("/Users", {"schemas": [USER], "userName": known_as, "externalId": person["oid"]})
    assert again.status_code == 409  # now it is SCIM's, and there is one
    assert browser.me().json()["user"]["userName"] == known_as
    company.signed_in(ANNA)
    assert company.count("users") == 1


def test_a_post_of_a_name_without_the_object_id(company: Company) -> None:
    """The default mapping sends mailNickname as externalId: found by name, adopted, and the link stays."""
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    answer = company.scim().post("/Users", {"schemas": [USER], "userName": ANNA, "externalId": "anna"})
    assert answer.status_code == 201
    assert answer.get_json(force=True)["id"] == browser.me().json()["user"]["id"]
    company.signed_in(ANNA)
    assert company.count("users") == company.count("identity_links") == 1


@pytest.mark.parametrize("in_a_circle", [False, True])
def test_a_bulk_adopts_as_well(company: Company, in_a_circle: bool) -> None:
    """Alone, and where she and another are each other's managers, which is one transaction."""
    person = company.entra.person(ANNA, groups=[])
    user_id = company.signed_in(ANNA).me().json()["user"]["id"]
    scim = company.scim()

    def operation(name: str, manager: str, **more: Any) -> dict[str, Any]:
        data = {"schemas": [USER, ENTERPRISE], "userName": name, ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}, **more}
        return {"method": "POST", "path": "/Users", "bulkId": name, "data": data}

    anna, bert = operation(ANNA, "bert", externalId=person["oid"]), operation("bert", ANNA)
    if not in_a_circle:
        del anna["data"][ENTERPRISE]
    told = scim.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": [bert, anna]}).get_json(force=True)["Operations"]
    assert [each["status"] for each in told] == ["201", "201"]
    assert told[1]["location"].endswith(f"/Users/{user_id}")
    bert_id = told[0]["location"].rpartition("/")[2]
    managers = {each: scim.get(f"/Users/{each}").get_json(force=True).get(ENTERPRISE, {}).get("manager", {}) for each in (user_id, bert_id)}
    assert managers[bert_id]["value"] == user_id
    assert managers[user_id].get("value") == (bert_id if in_a_circle else None)
    assert [each.subject_id for each in company.events("scim:user:adopted")] == [user_id]
    assert company.count("users") == 2


def test_adopting_somebody_who_is_not_active(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    answer = company.scim().post("/Users", {"schemas": [USER], "userName": ANNA, "active": False})
    assert answer.status_code == 201
    assert browser.me().status == 401
    assert company.sign_in(ANNA).status == 403


def test_what_the_directory_says_now(company: Company) -> None:
    """Of a user whom sign-ins keep, everything; a name that somebody else has stays as it was."""
    company.entra.person(ANNA, name="Anna Ahorn", groups=[])
    user_id = company.signed_in(ANNA).me().json()["user"]["id"]
    company.entra.person(ANNA, name="Anna Birke", preferred_username="anna.birke@contoso.example", email="birke@contoso.example")
    about = company.signed_in(ANNA).me().json()["user"]
    assert (about["id"], about["userName"], about["displayName"]) == (user_id, "anna.birke@contoso.example", "Anna Birke")
    company.scim().user("bert@contoso.example")
    company.entra.person(ANNA, preferred_username="bert@contoso.example")
    assert company.signed_in(ANNA).me().json()["user"]["userName"] == "anna.birke@contoso.example"


def test_whom_scim_deactivated(company: Company) -> None:
    person = company.entra.person(ANNA, groups=[])
    made = company.scim().user(ANNA, externalId=person["oid"], active=False)
    for _ in range(2):
        assert company.sign_in(ANNA).status == 403
    assert company.refusals() == ["user_inactive"] * 2
    assert company.count("users") == 1
    assert company.count("identity_links") == 0
    company.scim().patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": True})
    company.signed_in(ANNA)


@pytest.mark.parametrize("signed_in_before", [True, False])
def test_whom_scim_removed(company: Company, signed_in_before: bool) -> None:
    """He is not made again by signing in; provisioned again, he is the new user."""
    person = company.entra.person(ANNA, groups=[])
    made = company.scim().user(ANNA, externalId=person["oid"])
    if signed_in_before:
        company.signed_in(ANNA)
    company.scim().delete(f"/Users/{made['id']}")
    assert company.sign_in(ANNA).status == 403
    assert company.refusals() == ["user_removed"]
    assert company.scim().find("/Users", f'externalId eq "{person["oid"]}"') == []
    again = company.scim().user(ANNA, externalId=person["oid"])
    assert company.signed_in(ANNA).me().json()["user"]["id"] == again["id"] != made["id"]


def test_at_the_same_time(company: Company) -> None:
    """One person, four browsers at once: one user, one link, four sessions."""
    company.entra.person(ANNA, groups=[])
    browsers = [company.browser() for _ in range(4)]
    callbacks = [each.at_directory(each.begin(f"/login?tenant={company.name}"), ANNA) for each in browsers]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda browser=browser, callback=callback: statuses.append(browser.finish(callback).status))
        for browser, callback in zip(browsers, callbacks, strict=True)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert statuses == [303] * 4
    assert (company.count("users"), company.count("identity_links"), company.count("sessions")) == (1, 1, 4)


def test_a_user_made_between_two_look_ups(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """By object id there is nobody yet, by name there is somebody, who has that object id: it is the person, not somebody else."""
    person = company.entra.person(ANNA, groups=[])
    made = company.scim().user(ANNA, externalId=person["oid"])
    asked: list[str] = []
    monkeypatch.setattr(Users, "of_person", lambda _, oid: asked.append(oid))
    assert company.signed_in(ANNA).me().json()["user"]["id"] == made["id"]
    assert asked == [person["oid"]]


def test_names_that_are_not_there(company: Company) -> None:
    person = company.entra.person(ANNA, preferred_username=None, name=None, groups=[])
    assert company.signed_in(ANNA).me().json()["user"]["userName"] == person["oid"]


def test_hostile_names(company: Company) -> None:
    """Text of a directory is text: too long or unprintable it is not taken, and in a page it is escaped."""
    company.entra.person(ANNA, name="<script>alert(1)</script>\u202e", groups=[])
    browser = company.signed_in(ANNA)
    company.entra.person("bert", name="<img src=x onerror=alert(1)>" * 3, groups=["not-an-id"])
    page = company.signed_in("bert").get("/me", Accept="text/html")
    assert "<img" not in page.text
    assert "&lt;img" in page.text
    assert browser.me().status == 200


def test_a_schema_of_the_tenants_own_keeps_nobody_out(company: Company) -> None:
    """Who signs in has none of what clients must send. What SCIM has stored under it stays as it is, be it good any more or not."""
    urn = "urn:example:acme:User"
    badge, level = {"name": "badge", "required": True}, {"name": "level", "type": "integer"}

    def define(change: Any, *attributes: Any, **options: Any) -> None:
        extension = Extension("User", load({"id": urn, "attributes": list(attributes)}), required=True)
        company.store.transact(company.scope, lambda unit: change(unit, extension, accept_missing=True, **options))

    define(schemas.add, badge, level)
    about = company.entra.person(ANNA, name="Anna Ahorn", groups=[]) and company.signed_in(ANNA).me().json()
    assert about["user"]["userName"] == ANNA
    person = company.entra.person("bert", name="Bert Birke", groups=[])
    made = company.scim().user("bert", externalId=person["oid"], **{urn: {"badge": "7", "level": 1}})
    define(schemas.change, badge, level, {"name": "more", "required": True}, drop_values=False)
    assert company.signed_in("bert").me().json()["user"]["id"] == made["id"]
    kept = company.scim().get(f"/Users/{made['id']}").get_json(force=True)
    assert (kept["displayName"], kept[urn]) == ("Bert Birke", {"badge": "7", "level": 1})
