"""How a client proves who it is, and what the token that it is given for that opens, and until when."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote_plus

import pytest
import time_machine
from sqlalchemy import Engine

from scim_server import clock
from scim_server.events import SERVER, Principal, Scope
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.audit_log import Recorded
from scim_server.store.registry import Credential, Registry
from scim_server.store.registry.grants import ACCESS, CLIENT
from scim_server.store.unit import Store
from scim_server.tenancy import opaque
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.assertion import Assertions
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.client import AUDIT, OAUTH_CLIENT, READ, WRITE
from scim_server.tenancy.client_credentials import ASSERTION_TYPE, GRANT_TYPE, LIFETIME, ClientCredentials, Issued, RequestError
from scim_server.tenancy.credentials import Terms, create_with_secret, rotate
from scim_server.tenancy.entra_jwt import EntraTokens
from scim_server.tenancy.rates import Rates, TooManyRequests
from scim_server.tenancy.refusals import Refusals, Refused, Suspended, Unauthenticated
from tests.tenants import OPERATOR, new_credential

ADDRESS, REQUEST = "192.0.2.7", "request-of-a-token"
NOBODY = "00000000-0000-7000-8000-000000000000"


@dataclass
class Endpoint:
    """The token endpoint and the SCIM endpoints' door, as one process has them."""

    registry: Registry
    store: Store
    clients: ClientCredentials
    bearer: Bearer

    def client(self, tenant_id: str, **terms: Any) -> tuple[Credential, str]:
        return create_with_secret(self.registry, tenant_id, OAUTH_CLIENT, Terms(**terms), OPERATOR)

    def token(self, authorization: str | None = None, request_id: str = REQUEST, **form: str) -> Issued:
        return self.clients.token(authorization, {"grant_type": GRANT_TYPE, **form}, ADDRESS, request_id)

    def opens(self, token: str) -> frozenset[str]:
        """The scopes that the token opens; none if it opens nothing."""
        try:
            return self.bearer.client(f"Bearer {token}", ADDRESS, REQUEST).scopes
        except Unauthenticated:
            return frozenset()

    def events(self, log_of: str, request_id: str | None = None) -> list[Recorded]:
        with self.store.read(Scope(log_of, Principal("system", "tests"), "")) as unit:
            return [each for each in unit.events.list(1000) if request_id in (None, each.request_id)]


def new_endpoint(engine: Engine, store: Store, tokens: Rates) -> Endpoint:
    registry = Registry(engine)
    admission, refusals = Admission(registry), Refusals(store)
    keys = KeySets(Outbound(allow_custom=False), 86_400, 300)
    assertions, entra = Assertions(registry, keys), EntraTokens(registry, keys)
    clients = ClientCredentials(registry, assertions, admission, refusals, tokens)
    return Endpoint(registry, store, clients, Bearer(registry, entra, admission, refusals, Rates(100_000, 1.0)))


@pytest.fixture
def endpoint(engine: Engine, store: Store) -> Endpoint:
    return new_endpoint(engine, store, Rates(100_000, 1.0))


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    "proof",
    [
        lambda i, s: (None, {"client_id": i, "client_secret": s}),
        lambda i, s: (basic(i, s), {}),
        lambda i, s: (basic(i, s).replace("Basic ", "bAsIc  "), {}),
        lambda i, s: (basic(quote_plus(i), quote_plus(s)), {}),
        lambda i, s: (basic("".join(f"%{ord(each):02x}" for each in i), s), {}),
        lambda i, s: (basic(i, s), {"client_id": i}),
    ],
    ids=["body", "basic", "basic in other letters", "basic urlencoded", "basic all percent", "basic with the same id in the body"],
)
def test_each_way_to_present_a_secret_gives_a_token(endpoint: Endpoint, scope: Scope, proof: Callable[..., Any]) -> None:
    made, secret = endpoint.client(scope.tenant_id)
    authorization, form = proof(made.id, secret)
    issued = endpoint.token(authorization, **form)
    assert (issued.expires_in, issued.scopes) == (3600, (READ, WRITE))
    assert (issued.client.tenant_id, issued.client.credential_id) == (scope.tenant_id, made.id)
    assert endpoint.opens(issued.access_token) == {READ, WRITE}
    event = endpoint.events(scope.tenant_id)[0]
    assert (event.tag, event.subject_id, event.principal) == ("oauth:token:issued", made.id, Principal("credential", made.id))
    assert event.data["scopes"] == [READ, WRITE]
    assert (event.data["address"], event.data["token_id"]) == (ADDRESS, None)
    assert not any(each in str(endpoint.events(scope.tenant_id)) for each in (secret, issued.access_token))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, {READ, WRITE}),
        ("", {READ, WRITE}),
        ("scim", {READ, WRITE}),
        ("https://graph.example/.default openid", {READ, WRITE}),
        ("SCIM.READ", {READ, WRITE}),
        (READ, {READ}),
        (f"scim {READ}", {READ}),
        (f"{WRITE}  {READ} {READ}", {READ, WRITE}),
        (AUDIT, None),
        (f"{READ} {AUDIT}", None),
    ],
)
def test_a_scope_narrows_and_never_widens(endpoint: Endpoint, scope: Scope, asked: str | None, given: set[str] | None) -> None:
    made, secret = endpoint.client(scope.tenant_id)
    form = {"client_id": made.id, "client_secret": secret} | ({} if asked is None else {"scope": asked})
    if given is None:
        with pytest.raises(RequestError) as refused:
            endpoint.token(**form)
        assert refused.value.error == "invalid_scope"
        assert AUDIT in refused.value.description
        assert not [each for each in endpoint.events(scope.tenant_id) if each.tag == "oauth:token:issued"]
        return
    issued = endpoint.token(**form)
    assert set(issued.scopes) == given == endpoint.opens(issued.access_token)


def test_a_token_lasts_an_hour_and_the_next_one_does_not_end_it(endpoint: Endpoint, scope: Scope) -> None:
    made, secret = endpoint.client(scope.tenant_id)
    start = clock.now()
    with time_machine.travel(start, tick=False) as time:
        first = endpoint.token(client_id=made.id, client_secret=secret).access_token
        time.shift(LIFETIME - timedelta(seconds=1))
        second = endpoint.token(client_id=made.id, client_secret=secret).access_token
        assert first != second
        assert endpoint.opens(first) == endpoint.opens(second) == {READ, WRITE}
        time.shift(timedelta(seconds=1))
        assert not endpoint.opens(first)
        assert endpoint.opens(second)
        endpoint.token(client_id=made.id, client_secret=secret)  # and what has ended is forgotten
        assert endpoint.registry.grants.by_hash(opaque.digest(first)) is None
        assert endpoint.opens(second)


@pytest.mark.parametrize(("left", "expires_in"), [(timedelta(seconds=300.9), 300), (timedelta(days=1), 3600)])
def test_a_token_never_outlives_its_credential(endpoint: Endpoint, scope: Scope, left: timedelta, expires_in: int) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        made, secret = endpoint.client(scope.tenant_id, expires=clock.now() + left)
        issued = endpoint.token(client_id=made.id, client_secret=secret)
        assert issued.expires_in == expires_in
        time.shift(min(left, LIFETIME) - timedelta(seconds=1))
        assert endpoint.opens(issued.access_token)
        time.shift(timedelta(seconds=1.1))
        assert not endpoint.opens(issued.access_token)


def test_a_token_ends_with_the_credential_and_while_the_tenant_is_suspended(endpoint: Endpoint, scope: Scope) -> None:
    made, secret = endpoint.client(scope.tenant_id)
    token = endpoint.token(client_id=made.id, client_secret=secret).access_token
    endpoint.registry.tenants.suspend(scope.tenant_id, OPERATOR, "unpaid")
    for attempt in (lambda: endpoint.token(client_id=made.id, client_secret=secret), lambda: endpoint.opens(token)):
        with pytest.raises(Suspended):
            attempt()
    endpoint.registry.tenants.resume(scope.tenant_id, OPERATOR)
    assert endpoint.opens(token)
    endpoint.registry.credentials.revoke(made.id, OPERATOR)
    assert not endpoint.opens(token)


def test_during_a_rotation_both_secrets_give_tokens(endpoint: Endpoint, scope: Scope) -> None:
    made, old = endpoint.client(scope.tenant_id)
    with time_machine.travel(clock.now(), tick=False) as time:
        new = rotate(endpoint.registry, made, OPERATOR, expires=None, overlap=timedelta(days=7)).secret
        assert all(endpoint.token(client_id=made.id, client_secret=each) for each in (old, new))
        time.shift(timedelta(days=7))
        assert endpoint.token(client_id=made.id, client_secret=new)
        with pytest.raises(Unauthenticated, match="expired"):
            endpoint.token(client_id=made.id, client_secret=old)


WRONG = {
    "unknown secret": ("unknown client secret", False),
    "unknown client": ("another client's secret", True),
    "no id at all": ("another client's secret", True),
    "another tenant's client": ("another client's secret", True),
    "an id in capitals": ("another client's secret", True),
    "a secret with a blank": ("unknown client secret", False),
    "expired credential": ("expired", True),
    "ended secret": ("expired", True),
    "revoked": ("revoked", True),
    "not from there": ("not from an allowed network", True),
    "an access token": ("a token in place of a client secret", True),
    "a bearer secret": ("a token in place of a client secret", True),
    "id and secret exchanged": ("unknown client secret", False),
}


def wrong(name: str, endpoint: Endpoint, tenant_id: str, other_tenant_id: str) -> tuple[str, str]:
    """A client id and a secret that must not be taken, by the name of what is wrong with them."""
    terms: dict[str, dict[str, Any]] = {
        "expired credential": {"expires": clock.now()},
        "not from there": {"networks": (ip_network("198.51.100.0/24"),)},
    }
    made, secret = endpoint.client(tenant_id, **terms.get(name, {}))
    match name:
        case "unknown secret":
            return made.id, opaque.new(CLIENT)
        case "unknown client":
            return NOBODY, secret
        case "no id at all":
            return "x' OR 1=1 --", secret
        case "another tenant's client":
            return endpoint.client(other_tenant_id)[0].id, secret
        case "an id in capitals":
            return made.id.upper(), secret
        case "a secret with a blank":
            return made.id, secret + " "
        case "ended secret":
            rotate(endpoint.registry, made, OPERATOR, expires=None, overlap=timedelta(0))
        case "revoked":
            endpoint.registry.credentials.revoke(made.id, OPERATOR)
        case "an access token":
            return made.id, endpoint.token(client_id=made.id, client_secret=secret).access_token
        case "a bearer secret":
            bearer, token = new_credential(endpoint.registry, tenant_id)
            return bearer.id, token
        case "id and secret exchanged":
            return secret, made.id
    return made.id, secret


@pytest.mark.parametrize("name", WRONG)
def test_whoever_is_not_the_client_gets_no_token_and_is_recorded_once(
    endpoint: Endpoint, scope: Scope, other_scope: Scope, name: str
) -> None:
    reason, attributed = WRONG[name]
    client_id, secret = wrong(name, endpoint, scope.tenant_id, other_scope.tenant_id)
    before = len(endpoint.events(scope.tenant_id))
    request_id = f"{scope.tenant_id}-{name}"
    with pytest.raises(Unauthenticated) as refused:
        endpoint.token(client_id=client_id, client_secret=secret, request_id=request_id)
    assert refused.value.reason == reason
    (event,) = endpoint.events(scope.tenant_id if attributed else SERVER, request_id)
    assert (event.tag, event.data["reason"], event.data["address"]) == ("auth:credential:refused", reason, ADDRESS)
    assert not any(each.startswith("scim_") for each in (str(event.data["claims"]), *event.data["claims"].values()))
    assert len(endpoint.events(scope.tenant_id)) == before + attributed
    assert not endpoint.events(other_scope.tenant_id, request_id)


def test_a_client_secret_opens_no_resource(endpoint: Endpoint, scope: Scope) -> None:
    _, secret = endpoint.client(scope.tenant_id)
    assert not endpoint.opens(secret)
    assert not endpoint.opens(opaque.new(ACCESS))


@pytest.mark.parametrize(
    "header",
    ["Bearer x", "Basic", "Basic ", "Basic :", "Digest username=x", "Basic ?", "Basic eHg", "Basic eHg=", "Basic eA==",
     "Basic Ong=", "Basic eDo=", "Basic /zo/", "Basic eDol/w==", "Basic eDolZmY=", "\u00e9"],
)  # fmt: skip
def test_a_header_that_is_not_basic_is_a_refused_client(endpoint: Endpoint, scope: Scope, header: str) -> None:
    request_id = f"{scope.tenant_id}-basic"
    with pytest.raises(Unauthenticated):
        endpoint.token(header, request_id)
    (event,) = endpoint.events(SERVER, request_id)
    assert event.data["reason"] in ("not HTTP Basic", "malformed HTTP Basic")


def test_without_a_credential_nothing_is_recorded(endpoint: Endpoint, scope: Scope) -> None:
    for number, form in enumerate(({}, {"client_id": NOBODY}, {"scope": READ})):
        request_id = f"{scope.tenant_id}-nothing-{number}"
        with pytest.raises(Unauthenticated) as refused:
            endpoint.token(None, request_id, **form)
        assert not refused.value.presented
        assert not endpoint.events(SERVER, request_id)


ASSERTION = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "a.b.c"}
SECRET = {"client_secret": "x"}
ID = {"client_id": NOBODY}


@pytest.mark.parametrize(
    ("authorization", "form", "error", "names"),
    [
        (None, {"grant_type": "password"}, "unsupported_grant_type", GRANT_TYPE),
        (None, {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}, "unsupported_grant_type", GRANT_TYPE),
        (None, {"grant_type": "Client_Credentials", **ID, **SECRET}, "unsupported_grant_type", GRANT_TYPE),
        (basic("a", "b"), {**ID, **SECRET}, "invalid_request", "more than one way"),
        (basic("a", "b"), {**ID, **ASSERTION}, "invalid_request", "more than one way"),
        (basic("a", "b"), {"client_assertion_type": ASSERTION_TYPE}, "invalid_request", "more than one way"),
        (basic("a", "b"), {"client_id": "c"}, "invalid_request", "client_id"),
        ("Bearer x", {**ID, **SECRET}, "invalid_request", "more than one way"),
        (None, {**ID, **SECRET, **ASSERTION}, "invalid_request", "more than one way"),
        (None, {**ID, **SECRET, "client_assertion_type": "x"}, "invalid_request", "more than one way"),
        (None, SECRET, "invalid_request", "client_id"),
        (None, ASSERTION, "invalid_request", "client_id"),
        (None, {**ID, "client_assertion": "a.b.c"}, "invalid_request", "client_assertion_type"),
        (None, {**ID, "client_assertion_type": ASSERTION_TYPE}, "invalid_request", "client_assertion"),
        (
            None,
            {**ID, **ASSERTION, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
            "invalid_request",
            ASSERTION_TYPE,
        ),
    ],
)
def test_a_request_that_nobody_could_be_served_with(
    endpoint: Endpoint, authorization: str | None, form: dict[str, str], error: str, names: str
) -> None:
    with pytest.raises(RequestError) as refused:
        endpoint.token(authorization, **form)
    assert (refused.value.error, refused.value.status) == (error, 400)
    assert names in refused.value.description


def test_an_assertion_for_nobody_is_a_refused_client(endpoint: Endpoint, scope: Scope) -> None:
    made, _ = endpoint.client(scope.tenant_id)  # which has a secret, and no issuer
    for client_id in (NOBODY, made.id, "x"):
        request_id = f"{scope.tenant_id}-{client_id}"
        with pytest.raises(Unauthenticated):
            endpoint.token(None, request_id, **{**ASSERTION, "client_id": client_id})
        assert len(endpoint.events(SERVER, request_id)) == 1


def test_one_tenant_cannot_flood_the_store(engine: Engine, store: Store, scope: Scope, other_scope: Scope) -> None:
    now = 0.0
    endpoint = new_endpoint(engine, store, Rates(10, 0.5, lambda: now))
    made, secret = endpoint.client(scope.tenant_id)
    other, other_secret = endpoint.client(other_scope.tenant_id)

    def issued(attempts: int) -> int:
        count = 0
        for _ in range(attempts):
            with suppress(TooManyRequests):
                endpoint.token(client_id=made.id, client_secret=secret)
                count += 1
        return count

    assert issued(30) == 10  # two seconds' worth of this process's half
    assert endpoint.token(client_id=other.id, client_secret=other_secret)
    now += 1
    assert issued(30) == 5
    assert sum(each.tag == "oauth:token:issued" for each in endpoint.events(scope.tenant_id)) == 15


def test_the_server_log_does_not_grow_with_every_guess(endpoint: Endpoint, scope: Scope) -> None:
    for number in range(150):
        with pytest.raises(Refused):
            endpoint.token(client_id=NOBODY, client_secret=f"guess {number}", request_id=f"{scope.tenant_id}-guess")
    assert 100 <= len(endpoint.events(SERVER, f"{scope.tenant_id}-guess")) <= 105


def test_tokens_asked_for_at_the_same_time_are_all_good(endpoint: Endpoint, scope: Scope) -> None:
    made, secret = endpoint.client(scope.tenant_id)
    with time_machine.travel(clock.now() - 2 * LIFETIME, tick=False):
        ended = [endpoint.token(client_id=made.id, client_secret=secret) for _ in range(5)]
    with ThreadPoolExecutor(8) as threads:
        tokens = list(threads.map(lambda _: endpoint.token(client_id=made.id, client_secret=secret).access_token, range(24)))
    assert len(set(tokens)) == 24
    assert all(endpoint.opens(each) for each in tokens)
    assert not any(endpoint.opens(each.access_token) for each in ended)
