"""Signing in, from the click to /me: who comes in, where, as what; and who does not."""

from __future__ import annotations

import base64
import uuid
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.store.registry import Registry
from scim_server.tenancy.certificates import read, thumbprint
from scim_server.tenancy.domains import Domains, Resolver
from tests.browser import Browser
from tests.entra_directory import NewEntra
from tests.oidc.conftest import PUBLIC_URL, Company, NewCompany, add_directory, object_id
from tests.tenants import OPERATOR

ANNA = "anna@contoso.example"
CONTACT = "helpdesk@contoso.example"


def verified(company: Company, domain: str) -> str:
    """The domain is the tenant's."""
    name = f"{uuid.uuid4().hex[:12]}.{domain}"
    Domains(Registry(company.engine), Resolver(), may_assume=True).add(company.scope.tenant_id, name, OPERATOR, assume_verified=True)
    return name


def test_an_employee_signs_in(company: Company) -> None:
    person = company.entra.person(ANNA, name="Anna Ahorn", email=ANNA, groups=[])
    about = company.signed_in(ANNA).me().json()
    assert about["user"]["userName"] == ANNA
    assert about["user"]["displayName"] == "Anna Ahorn"
    assert about["user"]["externalId"] == person["oid"]
    assert about["tenant"] == {"id": company.scope.tenant_id, "name": company.name}
    assert about["roles"] == ["employee"]
    assert [each.tag for each in company.events() if each.tag.startswith(("signin:", "access:"))][:4] == [
        "signin:user:created",
        "signin:user:linked",
        "access:user:role-gained",
        "signin:user:signed-in",
    ]


def test_what_is_recorded_joins_the_directorys_own_log(company: Company) -> None:
    person = company.entra.person(ANNA, groups=[])
    company.signed_in(ANNA)
    (signed_in,) = company.events("signin:user:signed-in")
    data = signed_in.data
    assert (data["tid"], data["oid"], data["sid"]) == (company.entra.tid, person["oid"], person["sid"])
    assert data["client_id"] == company.entra.client_id
    assert data["request_id"] == str(uuid.UUID(bytes_le=base64.urlsafe_b64decode(data["uti"] + "==")))
    assert data["correlation_id"] == company.entra.seen["token"][0]["correlation_id"]
    assert data["user_agent"] == "Browser of the tests"
    assert data["address"] == "127.0.0.1"
    assert len(data["state"]) == 64


def test_the_request_that_begins_it(company: Company) -> None:
    """PKCE, state and nonce are new each time; nothing of it can be read in a cookie."""
    browser = company.browser()
    first, second = (browser.begin(f"/login?tenant={company.name}") for _ in range(2))
    asked = parse_qs(urlsplit(first.location).query)
    assert asked["response_type"] == ["code"]
    assert asked["response_mode"] == ["query"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{PUBLIC_URL}/callback"]
    assert {"openid", "profile", "email", "offline_access"} <= set(asked["scope"][0].split())
    again = parse_qs(urlsplit(second.location).query)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[name] != again[name]
        assert asked[name][0] not in str(browser.cookies)
    assert company.count("sign_ins") == 2


def test_cookies_are_nobody_elses(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.browser()
    done = company.sign_in(ANNA, browser)
    (line,) = [each for each in done.set_cookies if each.startswith("__Host-session=")]
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {each.strip() for each in line.split(";")[1:]}
    assert "Domain" not in line
    assert done.headers["Cache-Control"] == "no-store"


def test_a_second_sign_in_is_the_same_user_and_another_session(company: Company) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    first, cookie = browser.me().json(), browser.cookies[PUBLIC_URL]["__Host-session"]
    company.sign_in(ANNA, browser)
    second = browser.me().json()
    assert browser.cookies[PUBLIC_URL]["__Host-session"] != cookie
    assert first["user"] == second["user"]
    assert first["session"]["id"] != second["session"]["id"]
    assert [each.data["reason"] for each in company.events("signin:session:ended")] == ["replaced"]
    assert company.count("users") == company.count("identity_links") == 1


def test_groups_become_roles(company: Company) -> None:
    agents, managers, auditors = object_id(), object_id(), object_id()
    company.map(agents, "agent")
    company.map(managers, "manager")
    company.map(auditors, "auditor")
    for groups, roles in (
        ([], ["employee"]),
        ([agents], ["agent"]),
        ([agents, managers], ["manager"]),
        ([managers, auditors], ["manager", "auditor"]),
        ([auditors.upper()], ["employee", "auditor"]),
        ([object_id()], ["employee"]),
    ):
        company.entra.person(ANNA, groups=groups)
        assert company.signed_in(ANNA).me().json()["roles"] == roles
    told = [(each.tag.rpartition("-")[2], each.data["role"], each.data["group"]) for each in company.events() if ":role-" in each.tag]
    assert told[:3] == [("gained", "employee", None), ("lost", "employee", None), ("gained", "agent", agents)]
    assert all(each.data["mapping_id"] for each in company.events("access:user:role-gained") if each.data["group"])


@pytest.mark.parametrize("page", [1, 3, 100])
def test_groups_that_are_too_many_for_a_token(company: Company, page: int) -> None:
    """They are asked for at Graph, all pages of them, and never where the token says."""
    admins = object_id()
    company.map(admins, "admin")
    company.entra.person(ANNA, groups=[object_id() for _ in range(7)] + [admins], overage=True)
    company.entra.graph_double(page=page, throttle=1)
    assert company.signed_in(ANNA).me().json()["roles"] == ["admin"]
    seen = company.entra.seen
    assert seen["trap"] == 0
    assert len(seen["graph"]) >= 9 // page + 1


@pytest.mark.parametrize(
    "double", [{"status": 403}, {"status": 500}, {"throttle": 99, "wait": "60"}, {"page": 1, "next": "http://127.0.0.1:9/x"}]
)
@pytest.mark.parametrize("person", [{"overage": True}, {"silent": True}])
def test_groups_that_cannot_be_had_completely(company: Company, double: dict[str, object], person: dict[str, object]) -> None:
    """Nobody is let in with half of his groups, or with the default role."""
    company.map(object_id(), "admin")
    company.entra.person(ANNA, groups=[object_id(), object_id()], **person)
    company.entra.graph_double(**double)
    refused = company.sign_in(ANNA)
    assert refused.status == 503
    assert refused.headers.get("Retry-After") == ("60" if "wait" in double else None)
    assert company.refusals() == ["groups_unresolved"]
    assert company.count("users") == company.count("sessions") == 0
    company.entra.graph_double(status=0, throttle=0, next=None)
    company.signed_in(ANNA)


def test_a_token_without_groups_means_asking_only_where_it_matters(company: Company) -> None:
    company.entra.person(ANNA, silent=True)
    company.signed_in(ANNA)
    assert company.entra.seen["graph"] == []
    company.map(object_id(), "admin")
    assert company.signed_in(ANNA).me().json()["roles"] == ["employee"]
    assert company.entra.seen["graph"]


def test_only_certain_groups_may_sign_in(company: Company) -> None:
    staff, others = object_id(), object_id()
    company.restrict(staff, others)
    company.change(contact=CONTACT)
    company.entra.person(ANNA, groups=[object_id()])
    refused = company.sign_in(ANNA)
    assert refused.status == 403
    assert all(each in refused.text for each in (staff, others, CONTACT))
    assert company.count("users") == company.count("sessions") == 0
    (event,) = company.events("signin:user:refused")
    assert (event.data["reason"], event.data["groups"]) == ("not_in_allowed_group", sorted([staff, others]))
    assert event.request_id in refused.text
    company.entra.person(ANNA, groups=[others])
    company.signed_in(ANNA)


def test_with_another_account(company: Company) -> None:
    """The page of a refusal leads to the same customer, and the directory lets choose."""
    company.restrict(object_id())
    company.entra.person(ANNA, groups=[])
    browser = company.browser()
    refused = company.sign_in(ANNA, browser)
    path = f"/login?tenant={company.name}&amp;another=1"
    assert f'href="{path}"' in refused.text
    assert browser.begin(path.replace("&amp;", "&")).query["prompt"] == "select_account"


def test_who_loses_the_last_allowed_group_is_out(company: Company) -> None:
    staff = object_id()
    company.restrict(staff)
    company.entra.person(ANNA, groups=[staff])
    browser = company.signed_in(ANNA)
    assert browser.me().status == 200
    company.entra.person(ANNA, groups=[])
    assert company.sign_in(ANNA).status == 403
    assert browser.me().status == 401
    assert company.count("users") == 1


def test_the_directory_of_a_certificate(company: Company, new_company: NewCompany, certificate: tuple[bytes, bytes]) -> None:
    """private_key_jwt as Entra has it: PS256, and the certificate's thumbprint in the header; the provider checks the signature."""
    made = read(*certificate)
    public = RSAKey.import_key(made.private_key_pem).as_dict(private=False)
    company.entra.register(
        PUBLIC_URL,
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="PS256",
        jwks={"keys": [{**public, "kid": "1", "use": "sig"}]},
    )
    add_directory(company, company.entra, certificate=made)
    company.entra.person(ANNA, groups=[])
    company.signed_in(ANNA)
    assertion = company.entra.seen["assertion"]
    assert assertion["header"] == {"typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint(made.certificate_pem)}
    claims = assertion["claims"]
    assert claims["iss"] == claims["sub"] == company.entra.client_id
    assert claims["aud"] == f"{company.entra.authority}/{company.entra.tid}/oauth2/v2.0/token"
    assert 0 < claims["exp"] - claims["iat"] <= 600
    assert claims["jti"]


def test_by_address(company: Company) -> None:
    """The domain leads to the tenant and its directory, and both are told who comes."""
    domain = verified(company, "contoso.example")
    address = f"anna@{domain}"
    company.entra.person(address, groups=[])
    browser = company.browser()
    begun = browser.begin(f"/login?login_hint={address}")
    asked = parse_qs(urlsplit(begun.location).query)
    assert asked["login_hint"] == [address]
    assert asked["domain_hint"] == [domain]
    assert browser.finish(browser.at_directory(begun, address)).status == 303
    assert browser.me().json()["tenant"]["name"] == company.name


def test_a_strangers_domain_looks_like_any_other(company: Company, engine: Engine) -> None:
    """Nobody learns who is a customer: unknown, not verified, suspended, without a directory, all the same."""
    pending = f"{uuid.uuid4().hex[:12]}.example"
    Domains(Registry(engine), Resolver()).add(company.scope.tenant_id, pending, OPERATOR)
    suspended_domain = verified(company, "suspended.example")
    Registry(engine).tenants.suspend(company.scope.tenant_id, OPERATOR, "a test")
    pages = set()
    for query in (
        "login_hint=anna@unknown.example",
        f"login_hint=anna@{pending}",
        f"login_hint=anna@{suspended_domain}",
        f"tenant={company.name}",
        "tenant=nobody",
        f"directory={company.entra.tid}",
        f"directory={uuid.uuid4()}",
    ):
        page = company.browser().get(f"/login?{query}&next=/reports")
        assert 'value="/reports"' in page.text  # what was wanted is not forgotten
        text = page.text
        for each in ("anna@unknown.example", f"anna@{pending}", f"anna@{suspended_domain}"):
            text = text.replace(f'value="{each}"', 'value=""')
        pages.add((page.status, "".join(line for line in text.splitlines() if "<code>" not in line)))
    assert len(pages) == 1
    assert {status for status, _ in pages} == {404}


def test_several_directories(company: Company, new_entra: NewEntra) -> None:
    """The person chooses, unless the domain says where its people are."""
    other = new_entra()
    other.register(PUBLIC_URL)
    add_directory(company, other, label="Subsidiary")
    asked = company.browser().get(f"/login?tenant={company.name}")
    assert asked.status == 200
    assert "Subsidiary" in asked.text
    assert company.entra.tid in asked.text
    other.person(ANNA, groups=[])
    browser = company.browser()
    assert browser.sign_in(f"/login?tenant={company.name}&directory={other.tid}", ANNA).status == 303
    assert company.browser().sign_in(f"/login?directory={other.tid}", ANNA).status == 303
    assert browser.me().json()["tenant"]["name"] == company.name


def test_an_address_of_another_tenant_does_not_come_in(company: Company, new_company: NewCompany) -> None:
    other = new_company()
    domain = verified(other, "fabrikam.example")
    guest = f"anna@{domain}"
    company.entra.person(guest, groups=[])
    refused = company.sign_in(guest)
    assert refused.status == 403
    assert company.refusals() == ["address_of_another_tenant"]
    company.entra.person(ANNA, email=guest, groups=[])
    assert company.sign_in(ANNA).status == 403
    assert company.count("users") == company.count("sessions") == other.count("users") == 0


@pytest.mark.parametrize(("query", "status"), [("error=access_denied", 403), ("error=server_error", 503), ("code=made-up", 400)])
def test_a_stranger_is_not_told_whose_sign_in_it_is(company: Company, query: str, status: int) -> None:
    """Anybody can begin one and make up its end. He is led back to where the browser has been, which he knows."""
    company.change(contact=CONTACT)
    browser = company.browser()
    begun = browser.begin(f"/login?tenant={company.name}")
    refused = browser.get(f"/callback?state={begun.query['state']}&{query}")
    assert refused.status == status
    assert_names_nobody(company, refused.text)
    assert f'href="/login?directory={company.entra.tid}"' in refused.text


def assert_names_nobody(company: Company, page: str) -> None:
    assert company.name not in page
    assert CONTACT not in page


def test_guests_where_they_are_not_wanted(company: Company) -> None:
    company.entra.person(ANNA, acct=1, groups=[])
    company.signed_in(ANNA)
    company.change(guests=False)
    assert company.sign_in(ANNA).status == 403
    assert company.refusals() == ["guest_refused"]


def test_a_suspended_tenant(company: Company, engine: Engine) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    late = company.browser()
    callback = late.at_directory(late.begin(f"/login?tenant={company.name}"), ANNA)
    company.change(contact=CONTACT)
    Registry(engine).tenants.suspend(company.scope.tenant_id, OPERATOR, "a test")
    assert browser.me().status == 401
    refused = late.finish(callback)
    assert refused.status == 404
    assert_names_nobody(company, refused.text)
    Registry(engine).tenants.resume(company.scope.tenant_id, OPERATOR)
    assert browser.me().status == 200


@pytest.mark.parametrize(
    ("given", "goes_to"),
    [
        ("/reports?year=2026", "/reports?year=2026"),
        ("//evil.example", "/me"),
        ("/\\evil.example", "/me"),
        ("https://evil.example/", "/me"),
        ("javascript:alert(1)", "/me"),
        ("/%0d%0aSet-Cookie:x=1", "/%0d%0aSet-Cookie:x=1"),
        ("/a\r\nb", "/me"),
        ("/\t/evil.example", "/me"),
        ("/" + "x" * 3000, "/me"),
        ("", "/me"),
    ],
)
def test_nobody_is_sent_elsewhere(company: Company, given: str, goes_to: str) -> None:
    company.entra.person(ANNA, groups=[])
    done = company.sign_in(ANNA, query=f"&next={quote(given, safe='')}")
    assert (done.status, done.headers["Location"]) == (303, goes_to)


def test_two_tenants_in_one_browser(company: Company, new_company: NewCompany, other_scope: Scope) -> None:
    other = new_company(scope=other_scope)
    company.entra.person(ANNA, groups=[])
    other.entra.person("bert@fabrikam.example", groups=[])
    browser: Browser = company.signed_in(ANNA)
    other.sign_in("bert@fabrikam.example", browser)
    assert browser.me().json()["tenant"]["id"] == other_scope.tenant_id
    assert [each.data["reason"] for each in company.events("signin:session:ended")] == ["replaced"]
