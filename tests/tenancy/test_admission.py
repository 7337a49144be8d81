"""From a credential to a client and back: suspended and resumed, rotated and revoked, ended; and when it was last used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine
from structlog.testing import capture_logs

from scim_server import clock
from scim_server.events import Scope
from scim_server.store.errors import Unavailable
from scim_server.store.registry import Credential, Registry
from scim_server.store.unit import Store
from scim_server.tenancy import opaque
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.client import OAUTH_CLIENT
from scim_server.tenancy.credentials import Terms, create_with_secret, rotate
from scim_server.tenancy.refusals import Unauthenticated
from tests.http.conftest import Scim
from tests.tenants import OPERATOR, new_app, new_credential

ADDRESS = "192.0.2.1"


@pytest.fixture(scope="module")
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture
def app(engine: Engine) -> Flask:
    """A fresh one: what was noted of a use is remembered in it."""
    return new_app(engine)


@pytest.fixture
def at() -> Iterator[time_machine.Traveller]:
    """A clock that stands still unless it is put forward."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


def refusals(store: Store, scope: Scope) -> list[tuple[str, str]]:
    """Whom was refused and why, latest first."""
    with store.read(scope) as unit:
        events = unit.events.list(100)
    return [(each.subject_id, each.data["reason"]) for each in events if each.tag == "auth:credential:refused"]


def test_a_suspended_tenant_is_refused_and_loses_nothing(
    app: Flask, registry: Registry, store: Store, scope: Scope, other_scope: Scope
) -> None:
    credential, token = new_credential(registry, scope.tenant_id)
    scim, stranger = Scim(app, token), Scim(app, new_credential(registry, other_scope.tenant_id)[1])
    anna = scim.user("anna")
    team = scim.group("Team", anna["id"])
    before = [scim.get(path).get_data() for path in ("/Users", "/Groups", f"/Users/{anna['id']}")]

    registry.tenants.suspend(scope.tenant_id, OPERATOR, "unpaid")
    answers = [
        scim.get("/Users"),
        scim.get(f"/Users/{anna['id']}"),
        scim.post("/Users", {"userName": "bert"}),
        scim.patch(f"/Users/{anna['id']}", {"op": "replace", "path": "active", "value": False}),
        scim.delete(f"/Groups/{team['id']}"),
        scim.get("/Schemas"),
    ]
    for answer in answers:
        assert answer.status_code == 403
        detail = answer.get_json(force=True)["detail"]
        assert "suspended" in detail
        assert "nothing was changed" in detail
        assert "unpaid" not in answer.get_data(as_text=True)
    assert stranger.get("/Users").status_code == 200
    assert refusals(store, scope) == [(credential.id, "tenant suspended")] * len(answers)

    registry.tenants.resume(scope.tenant_id, OPERATOR)
    assert [scim.get(path).get_data() for path in ("/Users", "/Groups", f"/Users/{anna['id']}")] == before
    assert scim.user("bert")["userName"] == "bert"


def test_a_wrong_credential_of_a_suspended_tenant_is_told_nothing(app: Flask, registry: Registry, scope: Scope) -> None:
    """Whether a tenant is suspended is told only to whom it trusts."""
    credential, token = new_credential(registry, scope.tenant_id)
    registry.credentials.revoke(credential.id, OPERATOR)
    registry.tenants.suspend(scope.tenant_id, OPERATOR, "")
    answer = Scim(app, token).get("/Users")
    assert answer.status_code == 401
    assert "suspended" not in answer.get_data(as_text=True)


def test_a_rotated_secret_overlaps_with_the_one_before_it(
    app: Flask, registry: Registry, store: Store, scope: Scope, at: time_machine.Traveller
) -> None:
    credential, first = new_credential(registry, scope.tenant_id, expires=clock.now() + timedelta(days=365))

    def statuses(*tokens: str) -> list[int]:
        return [Scim(app, each).get("/Users").status_code for each in tokens]

    rotated = rotate(registry, credential, OPERATOR, expires=clock.now() + timedelta(days=365), overlap=timedelta(days=7))
    assert rotated.earlier_ends == clock.now() + timedelta(days=7)
    assert statuses(first, rotated.secret) == [200, 200]
    at.shift(timedelta(days=7) - timedelta(seconds=1))
    assert statuses(first, rotated.secret) == [200, 200]
    at.shift(timedelta(seconds=1))
    assert statuses(first, rotated.secret) == [401, 200]
    third = rotate(registry, credential, OPERATOR, expires=None, overlap=timedelta(0))
    assert statuses(first, rotated.secret, third.secret) == [401, 401, 200]
    fourth = rotate(registry, credential, OPERATOR, expires=None, overlap=timedelta(hours=1))
    registry.credentials.revoke(credential.id, OPERATOR)
    assert statuses(third.secret, fourth.secret) == [401, 401]
    assert [reason for _, reason in refusals(store, scope)] == ["revoked", "revoked", "expired", "expired", "expired"]
    assert {subject for subject, _ in refusals(store, scope)} == {credential.id}


def test_an_earlier_secret_does_not_last_longer_by_a_rotation(registry: Registry, scope: Scope, at: time_machine.Traveller) -> None:
    ends = clock.now() + timedelta(days=2)
    credential, _ = new_credential(registry, scope.tenant_id, expires=ends)
    rotated = rotate(registry, credential, OPERATOR, expires=None, overlap=timedelta(days=7))
    assert rotated.earlier_ends == ends
    assert [each.expires for each in registry.credentials.secrets(credential)] == [ends, None]


def test_a_client_secret_is_no_token(app: Flask, registry: Registry, store: Store, scope: Scope) -> None:
    credential, secret = create_with_secret(registry, scope.tenant_id, OAUTH_CLIENT, Terms(), OPERATOR)
    assert Scim(app, secret).get("/Users").status_code == 401
    assert refusals(store, scope) == [(credential.id, "a client secret in place of a token")]


def test_what_a_credential_may_not_do_is_named(app: Flask, registry: Registry, store: Store, scope: Scope) -> None:
    credential, token = new_credential(registry, scope.tenant_id, scopes=frozenset({"scim.read"}))
    scim = Scim(app, token)
    assert scim.get("/Users").status_code == 200
    answer = scim.post("/Users", {"userName": "anna"})
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="scim.write"' in answer.headers["WWW-Authenticate"]
    assert "scim.write" in answer.get_json(force=True)["detail"]
    assert refusals(store, scope) == [(credential.id, "needs scim.write")]


def last_use(registry: Registry, credential: Credential) -> tuple[datetime | None, str | None]:
    found = registry.credentials.get(credential.id)
    assert found is not None
    return found.last_used, found.last_address


def test_the_last_use_is_noted_with_its_address(engine: Engine, registry: Registry, scope: Scope, at: time_machine.Traveller) -> None:
    """Once a minute at most, whatever the number of processes."""
    credential, token = new_credential(registry, scope.tenant_id)

    def use(address: str) -> None:
        """In a process of its own."""
        answer = Scim(new_app(engine), token).request("GET", "/Users", environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 200

    assert last_use(registry, credential) == (None, None)
    first = clock.now()
    use("192.0.2.1")
    assert last_use(registry, credential) == (first, "192.0.2.1")
    at.shift(timedelta(seconds=59))
    use("192.0.2.2")
    assert last_use(registry, credential) == (first, "192.0.2.1")
    at.shift(timedelta(seconds=2))
    use("192.0.2.3")
    assert last_use(registry, credential) == (clock.now(), "192.0.2.3")


def test_a_refused_use_is_none(app: Flask, registry: Registry, scope: Scope) -> None:
    credential, token = new_credential(registry, scope.tenant_id, expires=clock.now())
    assert Scim(app, token).get("/Users").status_code == 401
    assert last_use(registry, credential) == (None, None)


@pytest.fixture
def granted(registry: Registry, scope: Scope) -> Any:
    """A grant of a credential that ends in three weeks."""
    new_credential(registry, scope.tenant_id)
    _, token = new_credential(registry, scope.tenant_id, label="ends", expires=clock.now() + timedelta(days=21))
    found = registry.grants.by_hash(opaque.digest(token))
    assert found is not None
    return found[1]


def test_a_database_that_takes_no_note_lets_the_client_in(registry: Registry, granted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(*note: Any) -> None:
        asked.append(note)
        raise Unavailable("away")

    monkeypatch.setattr(registry.grants, "used", away)
    admission = Admission(registry)
    with capture_logs() as logs:
        for _ in range(3):
            assert admission.admit(granted, ADDRESS).credential_id == granted.credential_id
    assert len(asked) == 1, "a database in trouble is not asked again at every request"
    assert [each["event"] for each in logs if each["event"] == "use_not_noted"] == ["use_not_noted"]


def test_a_credential_that_ends_soon_is_told_once_a_day(registry: Registry, granted: Any) -> None:
    admission = Admission(registry)
    with capture_logs() as logs:
        for _ in range(3):
            admission.admit(granted, ADDRESS)
    (warning,) = [each for each in logs if each["event"] == "credential_ends_soon"]
    assert warning["credential"] == granted.credential_id
    assert warning["tenant"] == granted.tenant_name
    assert warning["ends"] == granted.ends.isoformat()


def test_who_comes_from_nowhere_is_not_let_in_where_it_matters(registry: Registry, granted: Any) -> None:
    """A Unix socket has no address."""
    admission = Admission(registry)
    assert admission.admit(granted, "").tenant_id == granted.tenant_id
    with pytest.raises(Unauthenticated):
        admission.admit(replace(granted, networks=(ip_network("0.0.0.0/0"),)), "")


def test_without_an_overlap_the_tokens_that_the_earlier_secret_got_end_too(engine: Engine, registry: Registry, scope: Scope) -> None:
    """A secret that leaked must be of no use from then on, nor what was had for it."""
    app, oauth = new_app(engine), {"grant_type": "client_credentials"}
    credential, secret = create_with_secret(registry, scope.tenant_id, OAUTH_CLIENT, Terms(), OPERATOR)

    def token(secret: str) -> str:
        answer = app.test_client().post("/oauth/token", data={**oauth, "client_id": credential.id, "client_secret": secret})
        assert answer.status_code == 200
        return str(answer.get_json()["access_token"])

    first = token(secret)
    rotated = rotate(registry, credential, OPERATOR, expires=None, overlap=timedelta(hours=1))
    second = token(rotated.secret)
    assert [Scim(app, each).get("/Users").status_code for each in (first, second)] == [200, 200]
    third = rotate(registry, credential, OPERATOR, expires=None, overlap=timedelta(0))
    assert [Scim(app, each).get("/Users").status_code for each in (first, second)] == [401, 401]
    assert Scim(app, token(third.secret)).get("/Users").status_code == 200


def test_an_earlier_secret_is_not_cut_off_by_a_new_one_that_ends_sooner(
    app: Flask, registry: Registry, scope: Scope, at: time_machine.Traveller
) -> None:
    credential, first = new_credential(registry, scope.tenant_id)
    rotated = rotate(registry, credential, OPERATOR, expires=clock.now() + timedelta(hours=1), overlap=timedelta(days=7))
    assert rotated.earlier_ends == clock.now() + timedelta(days=7)
    at.shift(timedelta(days=7) - timedelta(seconds=1))
    assert [Scim(app, each).get("/Users").status_code for each in (first, rotated.secret)] == [200, 401]
    at.shift(timedelta(seconds=1))
    assert Scim(app, first).get("/Users").status_code == 401


def test_whoever_goes_on_with_the_earlier_secret_is_warned_of(app: Flask, registry: Registry, scope: Scope) -> None:
    credential, first = new_credential(registry, scope.tenant_id)
    rotate(registry, credential, OPERATOR, expires=None, overlap=timedelta(days=7))
    with capture_logs() as logs:
        assert Scim(app, first).get("/Users").status_code == 200
    assert [each["credential"] for each in logs if each["event"] == "credential_ends_soon"] == [credential.id]


def test_a_suspended_tenants_flood_is_refused_early(engine: Engine, registry: Registry, scope: Scope) -> None:
    app = new_app(engine, rate_limit=1)
    client = Scim(app, new_credential(registry, scope.tenant_id)[1])
    registry.tenants.suspend(scope.tenant_id, OPERATOR, "a test")
    statuses = [client.get("/Users").status_code for _ in range(10)]
    assert statuses[:5] == [403] * 5
    assert statuses.count(429) >= 4
