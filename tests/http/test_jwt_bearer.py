"""Tokens that a tenant's directory issued, presented to SCIM: what opens the door, and that nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from scim_server.events import SERVER, Principal, Scope
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.audit_log import Recorded
from scim_server.store.registry import Credential, Registry
from scim_server.store.tables import events, metadata
from scim_server.store.unit import Store
from scim_server.tenancy.credentials import SHARED_AUDIENCE, Terms, create_entra, create_federated
from tests.http.conftest import USER, Scim
from tests.jwt.forgeries import AUDIENCE, OTHER_TID, Forgery, each_forgery
from tests.provider import SUBJECT, Directory, NewDirectory
from tests.server import free_port
from tests.tenants import OPERATOR, fresh_scope, new_app

OUTBOUND = Outbound(allow_custom=True)
MAX_AGE = 1000


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Customer:
    """A tenant whose directory's tokens open its credential."""

    tenant_id: str
    directory: Directory
    credential: Credential


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The key sets' clock."""
    return Clock()


@pytest.fixture(scope="module")
def app(engine: Engine, clock: Clock) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wsgi.KeySets", partial(KeySets, now=clock))
        yield new_app(engine, allow_custom_cloud=True, jwks_max_age_s=MAX_AGE)


def new_customer(engine: Engine, directory: Directory, **terms: Any) -> Customer:
    tenant_id = fresh_scope(engine).tenant_id
    given = {"tid": directory.tid, "issuer": directory.issuer, "jwks_uri": directory.jwks_uri}
    return Customer(tenant_id, directory, create_entra(Registry(engine), OUTBOUND, tenant_id, Terms(**terms), OPERATOR, **given))


@pytest.fixture(scope="module")
def lasting(engine: Engine, new_directory: NewDirectory) -> Customer:
    """The same for all tests that leave it as it is."""
    return new_customer(engine, new_directory())


@pytest.fixture
def customer(engine: Engine, directory: Directory) -> Customer:
    return new_customer(engine, directory)


def attempt(app: Flask, token: str) -> TestResponse:
    """What would make a user."""
    return Scim(app, token).post("/Users", {"schemas": [USER], "userName": f"user-{uuid4()}"})


def log_of(store: Store, tenant_id: str) -> list[Recorded]:
    with store.read(Scope(tenant_id, Principal("system", "tests"), "")) as unit:
        return unit.events.list(500)


def everything_of(owner_engine: Engine, tenant_id: str) -> dict[str, list[Any]]:
    """All rows of the tenant but its events."""
    with owner_engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table).where(owner == tenant_id))))
            for table in metadata.sorted_tables
            if table is not events
            for owner in [table.c.id if table.name == "tenants" else table.c.tenant_id]
        }


def without_id(answer: TestResponse) -> str:
    return answer.get_data(as_text=True).replace(answer.headers["X-Request-Id"], "")


@dataclass
class Watch:
    """That an attempt is refused like any other, is recorded once, in the right log, and changes nothing."""

    app: Flask
    store: Store
    owner_engine: Engine

    def refusal(self, token: str, customer: Customer, reason: str, *, in_its_log: bool) -> Recorded:
        before = everything_of(self.owner_engine, customer.tenant_id)
        logs = {owner: {each.id for each in log_of(self.store, owner)} for owner in (customer.tenant_id, SERVER)}
        answer = attempt(self.app, token)
        assert answer.status_code == 401
        usual = attempt(self.app, "scim_not-a-token-of-ours")
        assert without_id(answer) == without_id(usual)
        assert answer.headers["WWW-Authenticate"] == usual.headers["WWW-Authenticate"]
        new = {owner: [each for each in log_of(self.store, owner) if each.id not in logs[owner]] for owner in logs}
        new[SERVER] = [each for each in new[SERVER] if each.request_id != usual.headers["X-Request-Id"]]
        right, wrong = (customer.tenant_id, SERVER) if in_its_log else (SERVER, customer.tenant_id)
        assert new[wrong] == []
        (event,) = new[right]
        assert (event.tag, event.data["reason"], event.data["suppressed"]) == ("auth:credential:refused", reason, 0)
        assert event.subject_id == (customer.credential.id if in_its_log else "")
        assert event.request_id == answer.headers["X-Request-Id"]
        assert token not in json.dumps(event.data)
        assert everything_of(self.owner_engine, customer.tenant_id) == before
        return event


@pytest.fixture
def watch(app: Flask, store: Store, owner_engine: Engine) -> Watch:
    return Watch(app, store, owner_engine)


@pytest.mark.requirement("S-6750-5.2-01")
@each_forgery
def test_a_forged_token_opens_nothing(watch: Watch, lasting: Customer, forgery: Forgery) -> None:
    token = forgery.make(lasting.directory)
    event = watch.refusal(token, lasting, forgery.reason, in_its_log=not forgery.unread)
    assert forgery.unread or event.data["claims"]["iss"] == lasting.directory.issuer


def test_a_wrong_issuer(watch: Watch, lasting: Customer, new_directory: NewDirectory) -> None:
    """Signed by the tenant's issuer, in the name of others: whose log that belongs in is not known."""
    others = ["https://sts.windows.net/" + OTHER_TID + "/", lasting.directory.issuer + "/", "x" * 501, "\x00", "ä", ["a"], None]
    for issuer in others:
        claims = lasting.directory.claims(AUDIENCE, iss=issuer)
        watch.refusal(lasting.directory.sign(claims), lasting, "unknown issuer", in_its_log=False)


def test_a_withdrawn_key(watch: Watch, customer: Customer, clock: Clock) -> None:
    """Good until it is withdrawn and what we have of the issuer is older than allowed; never since."""
    directory = customer.directory
    token = directory.token(SHARED_AUDIENCE)
    assert attempt(watch.app, token).status_code == 201
    directory.rotate()
    directory.withdraw()
    clock.time += MAX_AGE + 1
    watch.refusal(token, customer, "unknown key", in_its_log=True)
    watch.refusal(directory.sign(directory.claims(AUDIENCE), key="withdrawn"), customer, "unknown key", in_its_log=True)
    assert attempt(watch.app, directory.token(SHARED_AUDIENCE)).status_code == 201


def test_what_the_provider_gives_out_opens_the_tenant(app: Flask, store: Store, customer: Customer) -> None:
    scim = Scim(app, customer.directory.token(SHARED_AUDIENCE))
    made = scim.user("anna")
    assert [each["id"] for each in scim.find("/Users", 'userName eq "anna"')] == [made["id"]]
    (created,) = [each for each in log_of(store, customer.tenant_id) if each.tag == "scim:user:created"]
    assert created.principal == Principal("credential", customer.credential.id)
    assert attempt(app, customer.directory.sign(customer.directory.claims([SHARED_AUDIENCE]))).status_code == 201


def test_its_last_use_is_noted(app: Flask, engine: Engine, customer: Customer) -> None:
    attempt(app, customer.directory.token(SHARED_AUDIENCE))
    used = Registry(engine).credentials.get(customer.credential.id)
    assert used is not None
    assert used.last_used is not None
    assert used.last_address == "127.0.0.1"


def test_a_new_key_is_taken_without_a_restart(app: Flask, customer: Customer) -> None:
    before = customer.directory.token(SHARED_AUDIENCE)
    assert attempt(app, before).status_code == 201
    customer.directory.rotate()
    after = customer.directory.token(SHARED_AUDIENCE)
    assert [attempt(app, token).status_code for token in (after, before)] == [201, 201]


def test_one_tenants_token_never_opens_another(watch: Watch, engine: Engine, new_directory: NewDirectory) -> None:
    one, other = (new_customer(engine, new_directory()) for _ in range(2))
    for mine, theirs in ((one, other), (other, one)):
        before = everything_of(watch.owner_engine, theirs.tenant_id)
        scim = Scim(watch.app, mine.directory.token(SHARED_AUDIENCE))
        made = scim.user(f"user-{uuid4()}")
        assert everything_of(watch.owner_engine, theirs.tenant_id) == before
        assert Scim(watch.app, theirs.directory.token(SHARED_AUDIENCE)).get(f"/Users/{made['id']}").status_code == 404
        # Mine signs in their name, with either's key id.
        (key,) = theirs.directory.jwks()["keys"]
        claims = theirs.directory.claims(AUDIENCE)
        watch.refusal(mine.directory.sign(claims), theirs, "unknown key", in_its_log=True)
        watch.refusal(mine.directory.sign(claims, {"kid": key["kid"]}), theirs, "bad signature", in_its_log=True)
        # Mine signs for itself, and for a directory that is theirs.
        claims = mine.directory.claims(AUDIENCE, tid=theirs.directory.tid)
        watch.refusal(mine.directory.sign(claims), mine, "wrong tid", in_its_log=True)


def test_off_unless_it_is_switched_on(watch: Watch, engine: Engine, directory: Directory) -> None:
    token = directory.token(SHARED_AUDIENCE)
    nobody = Customer(fresh_scope(engine).tenant_id, directory, None)  # type: ignore[arg-type]  # that is the case
    watch.refusal(token, nobody, "unknown issuer", in_its_log=False)
    customer = new_customer(engine, directory)
    assert attempt(watch.app, token).status_code == 201
    Registry(engine).credentials.revoke(customer.credential.id, OPERATOR)
    watch.refusal(token, customer, "unknown issuer", in_its_log=False)


def test_a_federated_credential_does_not_open_it(watch: Watch, engine: Engine, directory: Directory) -> None:
    """It trusts the issuer for assertions at the token endpoint, about one subject; not for whole tokens."""
    tenant_id = fresh_scope(engine).tenant_id
    terms: dict[str, Any] = {"issuer": directory.issuer, "subject": SUBJECT, "audiences": [AUDIENCE], "jwks_uri": directory.jwks_uri}
    made = create_federated(Registry(engine), OUTBOUND, tenant_id, Terms(), OPERATOR, **terms)
    watch.refusal(directory.token(AUDIENCE), Customer(tenant_id, directory, made), "unknown issuer", in_its_log=False)


def test_scopes_and_suspension_hold_for_it_too(app: Flask, engine: Engine, directory: Directory) -> None:
    customer = new_customer(engine, directory, scopes=frozenset({"scim.read"}))
    token = directory.token(SHARED_AUDIENCE)
    assert attempt(app, token).status_code == 403
    assert Scim(app, token).get("/Users").status_code == 200
    Registry(engine).tenants.suspend(customer.tenant_id, OPERATOR, "test")
    assert Scim(app, token).get("/Users").status_code == 403


def test_as_microsoft_has_it(watch: Watch, engine: Engine, directory: Directory) -> None:
    """Version 1 of the issuer; a key set that names version 2, for all directories or for one."""
    tenant_id, tid = fresh_scope(engine).tenant_id, directory.tid
    terms = {"tid": tid.upper(), "jwks_uri": directory.jwks_uri}
    made = create_entra(Registry(engine), OUTBOUND, tenant_id, Terms(), OPERATOR, **terms)
    customer = Customer(tenant_id, directory, made)
    token = directory.sign(directory.claims("8adf8e6e-67b2-4cf2-a259-e3dc5476c621", iss=f"https://sts.windows.net/{tid}/"))
    assert attempt(watch.app, token).status_code == 201
    for number, issuer in enumerate(
        (
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            f"https://login.microsoftonline.com/{tid}/v2.0",
            f"https://sts.windows.net/{tid}/",
        )
    ):
        directory.publish(issuer=issuer)
        assert attempt(new_app(engine, allow_custom_cloud=True), token).status_code == 201, number
    for issuer in (f"https://login.microsoftonline.com/{OTHER_TID}/v2.0", "https://evil.example/{tenantid}/v2.0"):
        directory.publish(issuer=issuer)
        new = Watch(new_app(engine, allow_custom_cloud=True), watch.store, watch.owner_engine)
        new.refusal(token, customer, "another issuer's key", in_its_log=True)


def test_an_issuer_that_is_away_is_no_refusal(app: Flask, engine: Engine, store: Store, directory: Directory) -> None:
    """A client that is told 401 gives up; nobody knows whether it was right."""
    tenant_id = fresh_scope(engine).tenant_id
    away = f"http://127.0.0.1:{free_port()}/keys"
    given = {"tid": directory.tid, "issuer": directory.issuer, "jwks_uri": away}
    create_entra(Registry(engine), OUTBOUND, tenant_id, Terms(), OPERATOR, **given)
    before = log_of(store, tenant_id)
    answer = app.test_client().get("/scim/v2/Users", headers={"Authorization": f"Bearer {directory.token(SHARED_AUDIENCE)}"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert log_of(store, tenant_id) == before


def test_custom_issuers_are_not_asked_once_they_are_switched_off(engine: Engine, customer: Customer) -> None:
    app = new_app(engine)
    headers = {"Authorization": f"Bearer {customer.directory.token(SHARED_AUDIENCE)}"}
    assert app.test_client().get("/scim/v2/Users", headers=headers).status_code == 503


def test_an_assertion_is_exchanged_for_a_token(app: Flask, engine: Engine, store: Store, directory: Directory) -> None:
    """Keys by the issuer's metadata."""
    tenant_id = fresh_scope(engine).tenant_id
    trusted: dict[str, Any] = {"issuer": directory.issuer, "subject": SUBJECT, "audiences": ["api://scim", AUDIENCE]}
    made = create_federated(Registry(engine), OUTBOUND, tenant_id, Terms(), OPERATOR, **trusted)
    for audience in trusted["audiences"]:
        form = {
            "grant_type": "client_credentials",
            "client_id": made.id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": directory.token(audience),
        }
        answer = app.test_client().post("/oauth/token", data=form)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert attempt(app, answer.get_json()["access_token"]).status_code == 201
    assert "oauth:token:issued" in {each.tag for each in log_of(store, tenant_id)}
