"""Every fault of an ID token, and of what comes back by way of the browser: refused, nothing written, one event with the reason.

Each is tried twice in one process, and a good sign-in follows: a check that only works the first time is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from scim_server import clock
from scim_server.events import SERVER, Scope
from tests.browser import Browser
from tests.oidc.conftest import Company, NewCompany
from tests.tenants import OPERATOR

ANNA = "anna@contoso.example"

FAULTS = {
    "wrong_iss": "wrong issuer",
    "foreign_iss": "wrong issuer",
    "tid_not_guid": "no usable tid",
    "no_tid": "no usable tid",
    "consumers": "a personal account",
    "wrong_aud": "wrong audience",
    "wrong_aud_azp_ok": "wrong audience",
    "multi_aud": "wrong audience",
    "multi_aud_azp_ok": "wrong audience",
    "empty_aud": "wrong audience",
    "missing_aud": "wrong audience",
    "wrong_azp": "wrong azp",
    "bad_sig": "bad signature",
    "tampered": "bad signature",
    "alg_none": "wrong algorithm",
    "hs256_secret": "wrong algorithm",
    "hs256_pubkey": "wrong algorithm",
    "jwk_header": "unsupported header",
    "jku": "unsupported header",
    "crit": "unsupported header",
    "no_kid": "no key id",
    "unknown_kid": "unknown key",
    "rs512": "wrong algorithm",
    "wrong_nonce": "wrong nonce",
    "no_nonce": "no nonce",
    "nonce_supported_false": "no nonce",
    "expired": "expired",
    "future_nbf": "not yet valid",
    "future_iat": "not yet valid",
    "no_exp": "no usable times",
    "no_iat": "no usable times",
    "no_sub": "no usable sub",
    "no_oid": "no usable oid",
    "ver_1": "wrong version",
    "bad_at_hash": "wrong at_hash",
    "groups_no_list": "groups that cannot be",
}
"""What the token has, and for what it is refused."""


def is_refused(company: Company, reason: str, detail: str = "", status: int = 400, login: str = ANNA) -> None:
    """Twice: a page, no cookie, no row, one event."""
    for nth in (1, 2):
        browser = company.browser()
        page = company.sign_in(login, browser)
        assert page.status == status, page.text
        assert "__Host-session" not in browser.cookies[browser.public_url]
        assert browser.me().status == 401
        told = company.events("signin:user:refused")
        assert [(each.data["reason"], each.data["detail"]) for each in told] == [(reason, detail)] * nth
        assert told[-1].request_id in page.text
        assert told[-1].data["tid"] == company.entra.tid or reason != "invalid_token"
    assert [company.count(table) for table in ("users", "identity_links", "sessions", "holdings")] == [0, 0, 0, 0]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_id_token_with_a_fault(company: Company, fault: str) -> None:
    company.entra.person(ANNA, groups=[])
    company.entra.fault(fault)
    is_refused(company, "invalid_token", FAULTS[fault])
    company.entra.fault(None)
    company.signed_in(ANNA)


def test_what_a_refused_token_says_is_recorded_as_its_word(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    company.entra.fault("wrong_aud")
    company.sign_in(ANNA)
    (event,) = company.events("signin:user:refused")
    assert event.data["claims"]["aud"] == "someone-else"
    assert event.data["claims"]["preferred_username"] == ANNA
    assert "oid" not in event.data


def test_no_id_token_at_all(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    company.entra.fault("no_id_token")
    is_refused(company, "no_id_token")


def test_an_at_hash_that_is_right(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    company.entra.fault("good_at_hash")
    company.signed_in(ANNA)


def test_a_directory_that_nobody_has(company: Company) -> None:
    """Valid in every way, issuer, tid and key agree: and it is not the tenant's."""
    company.entra.person(ANNA, groups=[])
    company.entra.publish(issuer=f"{company.entra.authority}/{{tenantid}}/v2.0")
    company.entra.fault("other_dir")
    is_refused(company, "unknown_directory", status=403)


def test_a_directory_of_another_tenant(company: Company, new_company: NewCompany) -> None:
    other = new_company()
    company.entra.person(ANNA, groups=[])
    company.entra.publish(issuer=f"{company.entra.authority}/{{TenantId}}/v2.0")
    company.entra.fault("other_dir", other.entra.tid)
    is_refused(company, "directory_of_another_tenant", status=403)
    assert other.count("users") == 0


def test_keys_of_another_issuer(company: Company) -> None:
    """The key set says whose keys they are."""
    company.entra.person(ANNA, groups=[])
    company.entra.publish(issuer="https://login.example/other/v2.0")
    is_refused(company, "invalid_token", "another issuer's key")


def test_keys_change(company: Company) -> None:
    """A new key is found; one that was withdrawn is refused as soon as the set has been fetched again."""
    company.entra.person(ANNA, groups=[])
    company.signed_in(ANNA)
    company.entra.rotate()
    company.signed_in(ANNA)
    company.entra.withdraw()
    company.entra.rotate()
    company.signed_in(ANNA)  # an unknown key: fetched anew, and the withdrawn one is gone
    company.entra.fault("retired_key")
    assert company.sign_in(ANNA).status == 400
    assert company.events("signin:user:refused")[-1].data["detail"] == "unknown key"


def test_a_withdrawn_key_is_gone_when_the_set_is_old(new_company: NewCompany) -> None:
    company = new_company(jwks_max_age_s=1)
    company.entra.person(ANNA, groups=[])
    company.signed_in(ANNA)
    company.entra.rotate()
    company.entra.withdraw()
    company.entra.fault("retired_key")
    time.sleep(1.1)  # the set's age is taken from the monotonic clock, which no test can move
    assert company.sign_in(ANNA).status == 400
    assert company.events("signin:user:refused")[-1].data["detail"] == "unknown key"


METADATA = [
    {"issuer": "https://login.example/x/v2.0"},
    {"issuer": None},
    {"token_endpoint": "http://192.0.2.1/token"},
    {"jwks_uri": "file:///etc/passwd"},
    {"authorization_endpoint": "javascript:alert(1)"},
]


@pytest.mark.parametrize("members", METADATA)
def test_metadata_that_is_another_directorys(company: Company, members: dict[str, str | None]) -> None:
    company.entra.document(**members)
    page = company.browser().begin(f"/login?tenant={company.name}")
    assert page.status == 503
    assert company.refusals() == ["provider_unavailable"]
    assert company.count("sign_ins") == 0


def test_the_template_is_microsofts_only(company: Company) -> None:
    company.entra.document(issuer=company.entra.issuer.replace(company.entra.tid, "{tenantid}"))
    assert company.browser().begin(f"/login?tenant={company.name}").status == 503


def changed(callback: str, **parameters: str | None) -> str:
    """The URL with other parameters; None leaves one out."""
    parts = urlsplit(callback)
    query = {**dict(parse_qsl(parts.query)), **parameters}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value is not None})).geturl()


def altered(text: str) -> str:
    """Another in its last letter."""
    return text[:-1] + ("a" if text[-1] == "b" else "b")


CALLBACKS: dict[str, tuple[Callable[[str], str], str, int]] = {
    "state of nobody": (lambda url: changed(url, state="A" * 64), "state_unknown", 400),
    "state altered": (lambda url: changed(url, state=altered(dict(parse_qsl(urlsplit(url).query))["state"])), "state_unknown", 400),
    "no state": (lambda url: changed(url, state=None), "state_missing", 400),
    "another code": (lambda url: changed(url, code="x" * 43), "provider_refused", 400),
    "no code": (lambda url: changed(url, code=None), "provider_refused", 400),
    "a code that is too long": (lambda url: changed(url, code="x" * 5000), "provider_refused", 400),
    "another issuer's": (lambda url: changed(url, iss="https://login.example/x/v2.0"), "wrong_issuer_parameter", 400),
    "an error": (lambda url: changed(url, code=None, error="access_denied"), "access_denied", 403),
    "not assigned": (
        lambda url: changed(url, code=None, error="access_denied", error_description="AADSTS50105: not assigned"),
        "not_assigned",
        403,
    ),
    "an outage": (lambda url: changed(url, code=None, error="temporarily_unavailable"), "provider_unavailable", 503),
    "an error that nobody knows": (lambda url: changed(url, code=None, error="<script>", error_description="<b>"), "provider_refused", 400),
}


@pytest.mark.parametrize("case", CALLBACKS)
def test_what_comes_back_is_not_what_it_should_be(company: Company, case: str) -> None:
    change, reason, status = CALLBACKS[case]
    company.entra.person(ANNA, groups=[])
    for _ in range(2):
        browser = company.browser()
        callback = browser.at_directory(browser.begin(f"/login?tenant={company.name}"), ANNA)
        page = browser.finish(change(callback))
        assert page.status == status, page.text
        assert "<script>" not in page.text.replace("&lt;script", "")
        assert "__Host-session" not in browser.cookies[browser.public_url]
    if reason.startswith("state_"):  # whose it was to be is not known: it is in the server's own log
        with company.store.read(Scope(SERVER, OPERATOR, "")) as unit:
            told = [each for each in unit.events.list(2) if each.tag == "signin:user:refused"]
        assert [each.data["reason"] for each in told] == [reason] * 2
        assert company.refusals() == []
    else:
        assert company.refusals() == [reason] * 2
    assert company.count("users") == company.count("sessions") == 0


def test_an_answer_is_taken_once(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.browser()
    callback = browser.at_directory(browser.begin(f"/login?tenant={company.name}"), ANNA)
    assert browser.finish(callback).status == 303
    assert browser.finish(callback).status == 400
    assert company.refusals() == ["state_used"]
    assert company.count("sessions") == 1
    assert browser.me().status == 200


def test_an_answer_in_another_browser(company: Company) -> None:
    """Login CSRF: an attacker's answer, put into somebody else's browser, signs nobody in. Nor is it good for its own browser then."""
    company.entra.person(ANNA, groups=[])
    attacker, victim = company.browser(), company.browser()
    victim.begin(f"/login?tenant={company.name}")
    callback = attacker.at_directory(attacker.begin(f"/login?tenant={company.name}"), ANNA)
    for stranger in (victim, Browser(victim.public_url, company.app)):
        assert stranger.finish(callback).status == 400
        assert stranger.me().status == 401
    assert attacker.finish(callback).status == 400
    assert company.refusals() == ["other_browser", "state_used", "state_used"]
    assert company.count("sessions") == 0


def test_an_answer_that_comes_late(company: Company, time_machine: Any) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.browser()
    callback = browser.at_directory(browser.begin(f"/login?tenant={company.name}"), ANNA)

    time_machine.move_to(clock.now() + timedelta(minutes=11))
    assert browser.finish(callback).status == 400
    assert company.refusals() == ["state_expired"]


def test_a_session_that_was_there_before_is_not_taken_over(company: Company) -> None:
    """Session fixation: what an attacker has put into the browser opens nothing afterwards."""
    company.entra.person(ANNA, groups=[])
    browser = company.browser()
    planted = "A" * 64
    browser.cookies[browser.public_url] = {"__Host-session": planted}
    company.sign_in(ANNA, browser)
    assert browser.cookies[browser.public_url]["__Host-session"] != planted
    attacker = company.browser()
    attacker.cookies[browser.public_url] = {"__Host-session": planted}
    assert attacker.me().status == 401


def test_begun_at_one_provider_answered_by_another(company: Company, new_company: NewCompany) -> None:
    """Mix-up: a code of B goes to A, where the sign-in began, and A does not know it; A's code never goes to B."""
    other = new_company()
    company.entra.person(ANNA, groups=[])
    other.entra.person(ANNA, groups=[])
    browser = company.browser()
    begun_at_a = browser.begin(f"/login?tenant={company.name}")
    begun_at_b = browser.begin(f"/login?tenant={other.name}")
    code_of_b = dict(parse_qsl(urlsplit(browser.at_directory(begun_at_b, ANNA)).query))["code"]
    state_of_a = begun_at_a.query["state"]
    assert browser.get(f"/callback?{urlencode({'state': state_of_a, 'code': code_of_b})}").status == 400
    assert company.count("sessions") == other.count("sessions") == 0
    assert all(each.get("code") == code_of_b for each in company.entra.seen["token"])
    assert other.entra.seen["token"] == []


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (("invalid_client", 7000215, 401), "our_credential", 403),
        (("invalid_client", 7000222, 401), "our_credential", 403),
        (("unauthorized_client", 700016, 400), "registration_removed", 403),
        (("invalid_grant", 50105, 400), "not_assigned", 403),
        (("invalid_grant", 65001, 400), "consent_missing", 403),
        (("invalid_grant", 53003, 400), "blocked_by_policy", 403),
        (("invalid_grant", 50057, 400), "disabled_in_directory", 403),
        (("invalid_request", 9002313, 400), "request_refused", 400),
        (("temporarily_unavailable", 90033, 503), "provider_unavailable", 503),
    ],
)
def test_the_token_endpoint_refuses(company: Company, answer: tuple[str, int, int], reason: str, status: int) -> None:
    error, code, http_status = answer
    company.entra.person(ANNA, groups=[])
    company.entra.token_error(error, code, status=http_status)
    is_refused(company, reason, status=status)
    (event, _) = company.events("signin:user:refused")
    assert event.data["error_codes"] == [code]
    assert event.data["error"] == error
    assert event.data["trace_id"]
    company.entra.token_error(None)
    company.signed_in(ANNA)


@pytest.mark.parametrize("what", ["token", "keys", "metadata"])
@pytest.mark.parametrize("mode", ["reset", "unavailable"])
def test_the_directory_is_away(company: Company, what: str, mode: str) -> None:
    company.entra.person(ANNA, groups=[])
    company.entra.outage(**{what: mode})
    browser = company.browser()
    page = browser.begin(f"/login?tenant={company.name}")
    if page.status == 303:
        page = browser.finish(browser.at_directory(page, ANNA))
    assert page.status == 503
    assert company.refusals() == ["provider_unavailable"]
    assert company.count("users") == 0
