"""Sessions: how they go on, how they end, and that a session which has ended is ended everywhere at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from oidc.provider import Provider
from scim_server import clock
from scim_server.access import departure
from scim_server.store.registry import Registry
from scim_server.turns import TENANT_OF
from tests.browser import Browser
from tests.oidc.conftest import PUBLIC_URL, Company, NewCompany, application, object_id
from tests.tenants import OPERATOR

ANNA = "anna@contoso.example"
JSON = {"Accept": "application/json"}


def ends(company: Company) -> list[str]:
    """Why sessions ended."""
    return [each.data["reason"] for each in company.events("signin:session:ended")]


def sealed(company: Company) -> int:
    return company.count("sealed") - 1  # the directory's own secret


def test_a_refresh_asks_the_directory(company: Company) -> None:
    company.entra.person(ANNA, name="Anna Ahorn", groups=[])
    browser = company.signed_in(ANNA)
    company.entra.person(ANNA, name="Anna Birke")
    answer = browser.post("/auth/refresh")
    assert answer.status == 200
    assert answer.json()["session"]["confirmed"] is True
    grants = [each["grant_type"] for each in company.entra.seen["token"]]
    assert grants == ["authorization_code", "refresh_token"]
    (event,) = company.events("signin:session:refreshed")
    assert event.data["uti"]
    assert event.data["request_id"]


def test_not_more_often_than_it_has_to(new_company: NewCompany, time_machine: Any) -> None:
    """Within the floor every answer comes from our own state; after it the next request asks, whichever it is."""
    company = new_company(refresh_floor_s=600)
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    for _ in range(3):
        assert browser.post("/auth/refresh").status == 200
        assert browser.me().status == 200
    assert len(company.entra.seen["token"]) == 1
    time_machine.move_to(clock.now() + timedelta(seconds=601))
    assert browser.get("/auth/verify").status == 200
    assert len(company.entra.seen["token"]) == 2
    assert browser.post("/auth/refresh").status == 200
    assert len(company.entra.seen["token"]) == 2


def test_roles_are_settled_again(company: Company) -> None:
    managers = object_id()
    company.map(managers, "manager")
    company.entra.person(ANNA, groups=[managers])
    browser = company.signed_in(ANNA)
    assert browser.me().json()["roles"] == ["manager"]
    company.entra.person(ANNA, groups=[])
    assert browser.post("/auth/refresh").json()["roles"] == ["employee"]
    told = [(each.data["role"], each.data["cause"]) for each in company.events("access:user:role-lost")]
    assert told == [("manager", "refreshed")]


@pytest.mark.parametrize("how", ["disable", "delete"])
def test_somebody_is_disabled_in_the_directory(company: Company, how: str) -> None:
    """All his sessions end, he is inactive, and cannot come back."""
    company.entra.person(ANNA, groups=[])
    laptop, telephone = company.signed_in(ANNA), company.signed_in(ANNA)
    user_id = laptop.me().json()["user"]["id"]
    getattr(company.entra, how)(ANNA)
    assert laptop.post("/auth/refresh").status == 401
    assert telephone.me().status == 401
    reason = {"disable": "disabled_in_directory", "delete": "removed_from_directory"}[how]
    assert ends(company) == [reason] * 2
    assert company.scim().get(f"/Users/{user_id}").get_json(force=True)["active"] is False
    assert [each.data["reason"] for each in company.events("signin:session:refresh-failed")] == [reason]
    assert sealed(company) == 0
    company.entra.enable(ANNA)
    assert company.sign_in(ANNA).status == 403
    company.scim().patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": True})
    company.signed_in(ANNA)


REFUSALS: dict[str, tuple[tuple[str, int, int], str]] = {
    "revoked": (("invalid_grant", 50173, 400), "revoked"),
    "password": (("invalid_grant", 50133, 400), "password_changed"),
    "idle for 90 days": (("invalid_grant", 700082, 400), "refresh_token_expired"),
    "second factor": (("interaction_required", 50076, 400), "interaction_required"),
    "second factor, as a grant": (("invalid_grant", 50076, 400), "interaction_required"),
    "policy": (("invalid_grant", 53003, 400), "blocked_by_policy"),
    "not assigned any more": (("invalid_grant", 50105, 400), "not_assigned"),
    "unknown": (("invalid_grant", 99999, 400), "refresh_token_invalid"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_the_directory_does_not_let_him_go_on(company: Company, case: str) -> None:
    """This session ends, the person may sign in again, and stays who he is."""
    (error, code, status), reason = REFUSALS[case]
    company.entra.person(ANNA, groups=[])
    browser, other = company.signed_in(ANNA), company.signed_in(ANNA)
    company.entra.token_error(error, code, status=status)
    assert browser.post("/auth/refresh").status == 401
    company.entra.token_error(None)
    assert other.me().status == 200
    assert ends(company) == [reason]
    (event,) = company.events("signin:session:refresh-failed")
    assert (event.data["reason"], event.data["error_codes"]) == (reason, [code])
    company.signed_in(ANNA)


def test_our_registration_was_removed(company: Company) -> None:
    """All sessions of that directory end, and somebody is told."""
    company.entra.person(ANNA, groups=[])
    company.entra.person("bert", groups=[])
    anna, bert = company.signed_in(ANNA), company.signed_in("bert")
    company.entra.token_error("unauthorized_client", 700016)
    assert anna.post("/auth/refresh").status == 401
    assert bert.me().status == 401
    assert ends(company) == ["registration_removed"] * 2
    assert [each.data["reason"] for each in company.events("signin:directory:alarm")] == ["registration_removed"]


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [("invalid_client", 7000222, 401), ("invalid_client", 7000215, 401), ("temporarily_unavailable", 90033, 503), ("server_error", 0, 500)],
)
def test_what_is_nobodys_fault_signs_nobody_out(new_company: NewCompany, time_machine: Any, error: str, code: int, status: int) -> None:
    """For a while: as long as the grace lasts, and then it does."""
    company = new_company(refresh_floor_s=600, refresh_grace_s=3600)
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    start = clock.now()
    company.entra.token_error(error, code, status=status)
    for minutes in (11, 25, 40, 55):
        time_machine.move_to(start + timedelta(minutes=minutes))
        assert browser.me().json()["session"]["confirmed"] is False
    assert len(company.events("signin:session:refresh-failed")) == 1
    company.entra.token_error(None)
    time_machine.move_to(start + timedelta(minutes=58))
    assert browser.me().json()["session"]["confirmed"] is True
    company.entra.token_error(error, code, status=status)
    for minutes in (70, 90, 110):
        time_machine.move_to(start + timedelta(minutes=minutes))
        assert browser.me().status == 200
    time_machine.move_to(start + timedelta(minutes=120))
    assert browser.me().status == 401
    assert ends(company) == ["unconfirmed"]
    assert bool(company.events("signin:directory:alarm")) == (error == "invalid_client")
    assert company.count("users") == 1


def test_the_directory_is_away_for_a_moment(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    company.entra.outage(token="reset")
    assert browser.post("/auth/refresh").status == 200
    company.entra.outage()
    assert browser.post("/auth/refresh").json()["session"]["confirmed"] is True


@pytest.mark.parametrize("fault", ["foreign_iss", "other_sub", "other_oid", "bad_sig", "wrong_aud"])
def test_an_answer_about_somebody_else(company: Company, fault: str) -> None:
    """OpenID Connect Core §12.2: whoever answers with another person's token does not prolong this one's session."""
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    company.entra.fault(fault)
    assert browser.post("/auth/refresh").status == 401
    assert ends(company) == ["invalid_token"]
    company.entra.fault(None)


def test_groups_that_cannot_be_had_at_a_refresh(company: Company) -> None:
    """What was known goes on for the grace; nobody gains or loses a role by a guess."""
    managers = object_id()
    company.map(managers, "manager")
    company.entra.person(ANNA, groups=[managers])
    browser = company.signed_in(ANNA)
    company.entra.person(ANNA, groups=[managers, object_id()], overage=True)
    company.entra.graph_double(status=500)
    assert browser.post("/auth/refresh").json()["roles"] == ["manager"]
    company.entra.graph_double(status=0)
    assert browser.post("/auth/refresh").json()["session"]["confirmed"] is True


def test_limits_of_a_session(company: Company, time_machine: Any) -> None:
    company.change(session_idle_s=600, session_max_s=3600)
    company.entra.person(ANNA, groups=[])
    browser, idle = company.signed_in(ANNA), company.signed_in(ANNA)
    start = clock.now()
    for minutes in range(5, 60, 5):
        time_machine.move_to(start + timedelta(minutes=minutes))
        assert browser.me().status == 200, minutes
    assert idle.me().status == 401
    time_machine.move_to(start + timedelta(minutes=61))
    assert browser.me().status == 401
    assert ends(company) == ["idle", "expired"]


def test_signing_out(company: Company) -> None:
    """Here, then at the directory, and back."""
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    answer = browser.post("/logout")
    assert answer.status == 303
    assert answer.query["post_logout_redirect_uri"] == f"{PUBLIC_URL}/signed-out"
    assert answer.query["logout_hint"].startswith("O.")
    assert "__Host-session" not in browser.cookies[PUBLIC_URL]
    assert ends(company) == ["signed_out"]
    assert sealed(company) == 0
    assert browser.get(answer.location).status == 200
    assert browser.post("/logout").location == f"{PUBLIC_URL}/signed-out"
    assert browser.get("/signed-out").status == 200
    assert company.browser().get("/logout").status == 405


@pytest.mark.parametrize("path", ["/logout", "/me/sessions/end", "/auth/refresh", "/auth/token"])
@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}])
def test_nothing_is_done_for_a_page_of_another_site(company: Company, path: str, headers: dict[str, str]) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    session_id = browser.me().json()["session"]["id"]
    assert browser.post(path, {"id": session_id}, **headers).status == 403
    assert browser.me().status == 200
    assert browser.post("/auth/refresh", Origin=PUBLIC_URL, Sec_Fetch_Site="same-origin").status == 200


def test_signing_out_at_the_directory(company: Company) -> None:
    """Without a cookie, by ``sid`` alone; whoever guesses one ends nothing and learns nothing."""
    person = company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    stranger = company.browser()
    answers = [stranger.get(f"/frontchannel-logout?sid={sid}") for sid in ("", "nobody", "x" * 999, person["sid"])]
    assert {(each.status, each.text) for each in answers} == {(200, "")}
    assert "X-Frame-Options" not in answers[0].headers
    assert browser.me().status == 401
    assert ends(company) == ["signed_out_at_directory"]


def test_ending_another_session_of_ones_own(company: Company, new_company: NewCompany) -> None:
    company.entra.person(ANNA, groups=[])
    company.entra.person("bert", groups=[])
    laptop, telephone, bert = company.signed_in(ANNA), company.signed_in(ANNA), company.signed_in("bert")
    of_telephone, of_bert = (each.me().json()["session"]["id"] for each in (telephone, bert))
    assert laptop.post("/me/sessions/end", {"id": of_bert}, **JSON).json() == {"ended": False}
    assert laptop.post("/me/sessions/end", {"id": of_telephone}).location == f"{PUBLIC_URL}/me"
    assert [each.me().status for each in (laptop, telephone, bert)] == [200, 401, 200]
    assert ends(company) == ["ended_by_user"]


def scim_changes(company: Company, user_id: str) -> dict[str, Any]:
    scim = company.scim()
    replace = {"op": "replace", "path": "active"}
    return {
        "active false": lambda: scim.patch(f"/Users/{user_id}", {**replace, "value": False}),
        "active False, as text": lambda: scim.patch(f"/Users/{user_id}", {**replace, "op": "Replace", "value": "False"}),
        "put": lambda: scim.put(
            f"/Users/{user_id}", {"schemas": scim_user(company, user_id)["schemas"], "userName": ANNA, "active": False}
        ),
        "delete": lambda: scim.delete(f"/Users/{user_id}"),
    }


def scim_user(company: Company, user_id: str) -> dict[str, Any]:
    document: dict[str, Any] = company.scim().get(f"/Users/{user_id}").get_json(force=True)
    return document


@pytest.mark.parametrize(
    "change", ["active false", "active False, as text", "put", pytest.param("delete", marks=pytest.mark.requirement("S-7644-3.6-09"))]
)
def test_scim_ends_sessions_at_once(company: Company, engine: Engine, change: str) -> None:
    """The next request is refused, on any node; refresh tokens are gone; roles are lost; all of it recorded with the change."""
    company.entra.person(ANNA, groups=[])
    browsers = [company.signed_in(ANNA) for _ in range(3)]
    user_id = browsers[0].me().json()["user"]["id"]
    answer = scim_changes(company, user_id)[change]()
    assert answer.status_code < 300
    other_node = application(engine)
    for each in browsers:
        elsewhere = Browser(PUBLIC_URL, other_node)
        elsewhere.cookies = each.cookies
        assert elsewhere.get("/auth/verify").status == 401
    reason = "user_removed" if change == "delete" else "user_deactivated"
    assert ends(company) == [reason] * 3
    assert [(each.data["role"], each.data["cause"]) for each in company.events("access:user:role-lost")] == [("employee", reason)]
    assert sealed(company) == 0
    assert len({each.request_id for each in company.events() if each.tag in ("signin:session:ended", f"scim:user:{change}")}) == 1


def test_a_change_that_is_refused_ends_nothing(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    user_id = browser.me().json()["user"]["id"]
    company.scim().user("bert")
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "userName", "value": "bert"},
    ]
    assert company.scim().patch(f"/Users/{user_id}", *operations).status_code == 409
    assert browser.me().status == 200


def test_a_directory_that_is_not_the_tenants_any_more(company: Company, engine: Engine) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    registry = Registry(engine)
    directory = registry.directories.get(company.entra.tid)
    assert directory is not None
    registry.directories.remove(directory, OPERATOR)
    assert browser.me().status == 401
    assert company.browser().get(f"/login?tenant={company.name}").status == 404


def test_who_is_not_signed_in_is_sent_to_sign_in(company: Company) -> None:
    browser = company.browser()
    assert browser.get("/me").headers["Location"] == "/login?next=%2Fme"
    assert browser.me().status == browser.get("/auth/verify").status == 401
    browser.cookies[PUBLIC_URL] = {"__Host-session": "nonsense"}
    assert browser.me().status == 401
    assert "__Host-session" not in browser.cookies[PUBLIC_URL]


def test_whose_turn_it_is(company: Company) -> None:
    """Requests of one tenant's people count as that tenant's, once their session was found; before that nobody knows."""
    tells = company.app.extensions[TENANT_OF]["COOKIE"]
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    cookie = f"other=1; __Host-session={browser.cookies[PUBLIC_URL]['__Host-session']}"
    assert tells(cookie) == ""
    browser.me()
    assert tells(cookie) == company.scope.tenant_id
    for nonsense in ("", "__Host-session=", "__Host-session=" + "x" * 5000, "__Host-session=" + "A" * 64):
        assert tells(nonsense) == ""


def test_a_session_that_ends_while_the_directory_is_asked(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the directory answers then brings nothing back: no session, and no refresh token."""
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    session_id = browser.me().json()["session"]["id"]
    refresh = Provider.refresh

    def meanwhile(*given: Any, **named: Any) -> Any:
        answer = refresh(*given, **named)
        with company.store.write(company.scope) as unit:
            departure.end_session(unit, session_id, departure.ENDED_BY_OPERATOR)
        return answer

    monkeypatch.setattr(Provider, "refresh", meanwhile)
    refreshed = len(company.events("signin:session:refreshed"))
    assert browser.post("/auth/refresh").status == 401
    assert sealed(company) == 0
    assert ends(company) == ["ended_by_operator"]
    assert len(company.events("signin:session:refreshed")) == refreshed
