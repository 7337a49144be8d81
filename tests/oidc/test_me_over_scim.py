"""/Me (RFC 7644 §3.11): people who have signed in look at themselves, with the access token of their session."""

from __future__ import annotations

import pytest

from conformance.checker import offer, runner
from conformance.checker.catalogue import select
from conformance.checker.offer import ME
from conformance.checker.runner import Outcome
from conformance.wire import Wire
from scim_server.store.registry import Registry
from tests.conformance.tampered import serving
from tests.http.conftest import Scim
from tests.oidc.conftest import Company, object_id
from tests.tenants import OPERATOR

ANNA = "anna@contoso.example"


@pytest.fixture
def anna(company: Company) -> Scim:
    """A SCIM client with the access token of somebody who is in a group, too."""
    company.entra.person(ANNA, name="Anna Ahorn", groups=[])
    token = company.signed_in(ANNA).post("/auth/token").json()["access_token"]
    return Scim(company.app, token)


@pytest.mark.requirement("S-7644-3.11-03")
def test_who_has_signed_in_sees_himself_at_his_own_address(company: Company, anna: Scim) -> None:
    (user,) = company.scim().find("/Users", f'userName eq "{ANNA}"')
    company.scim().group("Team", user["id"])
    answer = anna.get("/Me")
    me = answer.get_json(force=True)
    assert answer.status_code == 200
    assert me == company.scim().get(f"/Users/{user['id']}").get_json(force=True)
    assert [each["display"] for each in me["groups"]] == ["Team"]
    assert answer.headers["Location"] == me["meta"]["location"]
    assert me["meta"]["location"].endswith(f"/Users/{user['id']}")
    assert answer.headers["ETag"] == me["meta"]["version"]
    assert anna.request("GET", "/Me", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert anna.get("/Me", attributes="userName").get_json(force=True).keys() == {"schemas", "id", "userName"}
    assert "groups" not in anna.get("/Me", excludedAttributes="groups").get_json(force=True)


@pytest.mark.requirement("S-7644-3.11-04", "S-7644-3.11-06", "S-7644-2-03", "S-7644-7.7-01")
def test_nobody_changes_himself(company: Company, anna: Scim) -> None:
    before = anna.get("/Me").get_json(force=True)
    for method, body in (("PUT", before), ("PATCH", {}), ("DELETE", None)):
        assert anna.request(method, "/Me", body).status_code == 403
    assert anna.request("POST", "/Me", before).status_code == 501
    assert anna.get("/Me").get_json(force=True) == before


@pytest.mark.requirement("S-7644-2-02", "S-7644-2-03")
def test_the_token_of_a_person_opens_nothing_else(company: Company, anna: Scim) -> None:
    user_id = anna.get("/Me").get_json(force=True)["id"]
    for method, path in (
        ("GET", "/Users"),
        ("GET", f"/Users/{user_id}"),
        ("GET", "/Groups"),
        ("GET", "/"),
        ("POST", "/Bulk"),
        ("DELETE", f"/Users/{user_id}"),
    ):
        assert anna.request(method, path, {} if method == "POST" else None).status_code == 401


@pytest.mark.requirement("S-7644-3.11-05")
def test_a_client_is_nobody(company: Company) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
        assert company.scim().request(method, "/Me", {} if method[0] == "P" else None).status_code == 404
        assert Scim(company.app, None).request(method, "/Me", {} if method[0] == "P" else None).status_code == 401
        assert Scim(company.app, "x").request(method, "/Me", {} if method[0] == "P" else None).status_code == 401


@pytest.mark.parametrize("how", ["deactivated", "removed", "suspended", "signed out"])
def test_whoever_is_out_is_out_here_too(company: Company, how: str) -> None:
    registry = Registry(company.engine)
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    anna = Scim(company.app, browser.post("/auth/token").json()["access_token"])
    user_id = anna.get("/Me").get_json(force=True)["id"]
    if how == "deactivated":
        company.scim().patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
    elif how == "removed":
        company.scim().delete(f"/Users/{user_id}")
    elif how == "suspended":
        registry.tenants.suspend(company.scope.tenant_id, OPERATOR, "a test")
    else:
        browser.post("/logout")
    try:
        assert anna.get("/Me").status_code == 401
    finally:
        registry.tenants.resume(company.scope.tenant_id, OPERATOR)


def test_a_token_for_somebody_else_or_altered_is_none(company: Company, anna: Scim) -> None:
    head, claims, signature = str(anna.token).split(".")
    other = "A" if claims[10] != "A" else "B"
    for token in (f"{head}.{claims[:10]}{other}{claims[11:]}.{signature}", f"{head}.{claims}.", f"{head}.{claims}", object_id()):
        assert Scim(company.app, token).get("/Me").status_code == 401


@pytest.mark.requirement("S-7644-3.11-03", "S-7644-3.11-05")
def test_the_checks_of_me_pass(company: Company, anna: Scim) -> None:
    """``python -m conformance check --me-token``; it needs a browser to have been signed in, so it is not with the others."""
    with (
        serving(lambda origin: company.app) as server,
        Wire(server.base_url, company.scim().token) as client,
        Wire(server.base_url, anna.token) as person,
    ):
        offered = offer.read(client)
        report = runner.run(client, offered, select(["me", "features.me"]), others={ME: (person, offered)})
    outcomes = {one.check.id: (one.outcome, one.reason or one.came) for one in report.results}
    assert {id for id, (outcome, _) in outcomes.items() if outcome is not Outcome.PASS} == {"me.redirect"}, outcomes
