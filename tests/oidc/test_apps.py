"""What the SaaS's own application gets: who is signed in behind a proxy, access tokens, their keys, and whether one still holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import Engine

from scim_server import clock
from scim_server.config import Settings
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.registry import App, Registry
from scim_server.tenancy.apps import Apps, Unusable
from scim_server.tenancy.keys import KeyRing, NoKeys
from scim_server.tenancy.signing_keys import KEPT_AFTER, PUBLISHED_BEFORE, ROTATED_AFTER, SigningKeys
from tests.browser import Browser, Page
from tests.clock import Clock
from tests.conftest import Databases
from tests.oidc.conftest import PUBLIC_URL, Company, NewCompany, object_id
from tests.tenants import KEY, OPERATOR

ANNA = "anna@contoso.example"


@pytest.fixture
def client(engine: Engine) -> tuple[App, str]:
    return Apps(Registry(engine)).add(f"app {object_id()}", OPERATOR)


def introspect(company: Company, client: tuple[App, str], token: str) -> Page:
    app, secret = client
    return company.browser().post("/auth/introspect", {"token": token, "client_id": app.id, "client_secret": secret})


def token_of(browser: Browser) -> str:
    answer = browser.post("/auth/token").json()
    assert answer["token_type"] == "Bearer"
    assert 295 <= answer["expires_in"] <= 300
    return str(answer["access_token"])


def test_who_is_signed_in_for_a_proxy(company: Company) -> None:
    """In headers that no name can break."""
    auditors = object_id()
    company.map(auditors, "auditor")
    company.entra.person(ANNA, name="Zoë Ångström, 松本", email=ANNA, groups=[auditors])
    browser = company.signed_in(ANNA)
    answer = browser.get("/auth/verify")
    assert answer.status == 200
    told = {each: value for each, value in answer.headers.items() if each.startswith("X-Auth")}
    about = browser.me().json()
    assert told["X-Auth-User"] == about["user"]["id"]
    assert told["X-Auth-User-Name"] == ANNA
    assert unquote(told["X-Auth-Name"]) == "Zoë Ångström, 松本"
    assert told["X-Auth-Name"].isascii()
    assert told["X-Auth-Email"] == ANNA
    assert told["X-Auth-Tenant"] == company.scope.tenant_id
    assert told["X-Auth-Roles"] == "employee,auditor"
    assert browser.get("/auth/verify?role=admin,auditor").status == 200
    assert browser.get("/auth/verify?role=admin").status == 403
    assert company.browser().get("/auth/verify").status == 401


def test_an_access_token_is_verified_without_us(company: Company) -> None:
    """By the published keys, with a library that we do not verify with ourselves in any special way."""
    company.entra.person(ANNA, name="Anna Ahorn", groups=[])
    browser = company.signed_in(ANNA)
    keys = company.browser().get("/.well-known/jwks.json")
    assert keys.headers["Cache-Control"] == "public, max-age=300"
    token = token_of(browser)
    keys = company.browser().get("/.well-known/jwks.json")
    published = keys.json()
    assert all("d" not in each for each in published["keys"])
    decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    about = browser.me().json()
    claims = decoded.claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (PUBLIC_URL, PUBLIC_URL, about["user"]["id"])
    assert (claims["tenant_id"], claims["roles"], claims["sid"]) == (company.scope.tenant_id, ["employee"], about["session"]["id"])
    assert claims["exp"] - claims["iat"] == 300
    assert claims["preferred_username"] == ANNA


def test_introspection_knows_what_holds_now(company: Company, client: tuple[App, str]) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    token = token_of(browser)
    answer = introspect(company, client, token).json()
    assert answer["active"] is True
    assert answer["username"] == ANNA
    managers = object_id()
    company.map(managers, "manager")
    company.entra.person(ANNA, groups=[managers])
    browser.post("/auth/refresh")
    assert introspect(company, client, token).json()["roles"] == ["manager"]
    user_id = browser.me().json()["user"]["id"]
    company.scim().patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
    assert introspect(company, client, token).json() == {"active": False}


def test_what_is_no_token_of_ours(company: Company, client: tuple[App, str], new_company: NewCompany) -> None:
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    token = token_of(browser)
    header, claims, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    key = json.loads(base64.urlsafe_b64decode(header + "=="))
    for forged in (
        "",
        "nonsense",
        f"{header}.{part({**said, 'roles': ['admin']})}.{signature}",
        f"{part({**key, 'alg': 'none'})}.{claims}.",
        f"{part({**key, 'kid': object_id()})}.{claims}.{signature}",
        f"{part({**key, 'typ': 'JWT'})}.{claims}.{signature}",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        "x" * 20_000,
    ):
        answer = introspect(company, client, forged)
        assert answer.status in (200, 400)
        assert answer.json().get("active", False) is False, forged


def test_a_token_ends(company: Company, client: tuple[App, str], time_machine: Any) -> None:
    company.entra.person(ANNA, groups=[])
    token = token_of(company.signed_in(ANNA))
    time_machine.move_to(clock.now() + timedelta(minutes=5, seconds=1))
    assert introspect(company, client, token).json() == {"active": False}


def test_who_may_ask(company: Company, client: tuple[App, str], engine: Engine) -> None:
    """A program with its secret, in the header or in the form; anybody else gets one and the same answer."""
    app, secret = client
    basic = base64.b64encode(f"{quote(app.id)}:{quote(secret)}".encode()).decode()
    browser = company.browser(address="192.0.2.77")
    assert browser.post("/auth/introspect", {"token": "x"}, Authorization=f"Basic {basic}").json() == {"active": False}
    answers = set()
    for form, headers in (
        ({}, {}),
        ({"client_id": app.id}, {}),
        ({"client_id": app.id, "client_secret": "wrong"}, {}),
        ({"client_id": object_id(), "client_secret": secret}, {}),
        ({}, {"Authorization": "Basic !!!"}),
        ({}, {"Authorization": f"Bearer {secret}"}),
    ):
        answer = browser.post("/auth/introspect", {"token": "x", **form}, **headers)
        answers.add((answer.status, answer.json()["error"], answer.headers["WWW-Authenticate"]))
    assert answers == {(401, "invalid_client", "Basic realm=apps")}
    rotated = Apps(Registry(engine)).rotate(app, OPERATOR)
    assert rotated is not None
    assert introspect(company, (app, secret), "x").status == 401
    assert introspect(company, (app, rotated), "x").status == 200
    Apps(Registry(engine)).remove(app, OPERATOR)
    assert introspect(company, (app, rotated), "x").status == 401


def test_names_of_apps(engine: Engine) -> None:
    apps = Apps(Registry(engine))
    name = f"app {object_id()}"
    made, _ = apps.add(name, OPERATOR)
    with pytest.raises(Unusable, match="already"):
        apps.add(name, OPERATOR)
    for bad in ("", " ", "x" * 101, "a\nb"):
        with pytest.raises(Unusable):
            apps.add(bad, OPERATOR)
    assert apps.remove(made, OPERATOR)
    assert not apps.remove(made, OPERATOR)
    assert apps.rotate(made, OPERATOR) is None
    apps.add(name, OPERATOR)


@pytest.fixture
def own_registry(databases: Databases) -> Iterator[Registry]:
    """On a database of its own: signing keys are everybody's."""
    engine = create_engine(databases.migrated(), pool_size=2, role=ROLE)
    yield Registry(engine)
    engine.dispose()


def ring(registry: Registry) -> KeyRing:
    return KeyRing.of(Settings(secret_keys=(KEY,)), registry)


def test_keys_change_without_anybody_noticing(own_registry: Registry, time_machine: Any) -> None:
    """The next is published before it signs; the one before stays published as long as anything it signed can be good."""
    now = Clock()
    start = clock.now() + timedelta(seconds=5)
    node, other = (SigningKeys(own_registry, ring(own_registry), now) for _ in range(2))
    first = node.signer().kid
    assert other.signer().kid == first
    assert list(node.published()) == [first]
    assert node.run_due() == 0
    time_machine.move_to(start + ROTATED_AFTER)
    assert node.run_due() == 1
    assert node.run_due() == 0
    now.now += 301
    published = list(other.published())
    assert published[0] == first
    assert len(published) == 2
    assert other.signer().kid == first
    time_machine.move_to(start + ROTATED_AFTER + PUBLISHED_BEFORE + timedelta(seconds=1))
    assert node.signer().kid == other.signer().kid == published[1]
    assert node.run_due() == 0
    time_machine.move_to(start + ROTATED_AFTER + PUBLISHED_BEFORE + KEPT_AFTER + timedelta(seconds=2))
    assert node.run_due() == 1
    now.now += 301
    assert list(other.published()) == [published[1]]
    assert sum(own_registry.sealed.counts().values()) == 1


def test_a_key_that_somebody_else_may_know(own_registry: Registry) -> None:
    keys = SigningKeys(own_registry, ring(own_registry))
    first = keys.signer().kid
    made = keys.rotate(OPERATOR, at_once=True)
    assert keys.signer().kid == made.id != first
    assert list(keys.published()) == [made.id]


def test_without_a_key_to_seal_with(databases: Databases, own_registry: Registry) -> None:
    keys = SigningKeys(own_registry, KeyRing(own_registry.sealed.counts))
    with pytest.raises(NoKeys):
        keys.signer()
    assert keys.published() == {}
