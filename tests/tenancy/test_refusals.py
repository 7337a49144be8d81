"""Refusals are recorded for those they concern, and nobody can fill a log with them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from scim_server.events import SERVER, Principal, Scope
from scim_server.store.errors import Unavailable
from scim_server.store.registry import Registry
from scim_server.store.unit import Recorded, Store
from scim_server.tenancy import refusals
from scim_server.tenancy.rates import Buckets
from scim_server.tenancy.refusals import Refusals, Unauthenticated
from tests.clock import Clock
from tests.http.conftest import Scim
from tests.tenants import new_app, new_credential


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Refusals:
    """Three at once, and one in ten seconds."""
    monkeypatch.setattr(refusals, "_AT_ONCE", 3)
    made = Refusals(store)
    monkeypatch.setattr(made, "_buckets", Buckets(clock))
    return made


def recorded(store: Store, log_of: str, request_id: str | None = None) -> list[Recorded]:
    """Oldest first."""
    with store.read(Scope(log_of, Principal("operator", "tests"), "")) as unit:
        events = unit.events.list(200)
    wanted = [each for each in events if each.tag == "auth:credential:refused" and request_id in (None, each.request_id)]
    return wanted[::-1]


def refusal(scope: Scope | None, reason: str = "expired", **more: Any) -> Unauthenticated:
    whose: dict[str, Any] = {"tenant_id": scope.tenant_id, "credential_id": str(uuid4())} if scope else {}
    return Unauthenticated(reason, **whose, **more)


def test_a_refusal_is_in_the_log_of_whom_it_concerns(record: Refusals, store: Store, scope: Scope, other_scope: Scope) -> None:
    known = refusal(scope, claims={"iss": "https://x"})
    record.record(known, "192.0.2.1", "request 1")
    (event,) = recorded(store, scope.tenant_id)
    assert event.subject_id == known.credential_id
    assert event.principal == Principal("system", "authentication")
    assert event.request_id == "request 1"
    assert event.data == {"reason": "expired", "address": "192.0.2.1", "claims": {"iss": "https://x"}, "suppressed": 0}
    assert recorded(store, other_scope.tenant_id) == []


def test_what_is_nobodys_is_in_the_servers_own_log(record: Refusals, store: Store) -> None:
    request_id = str(uuid4())
    record.record(refusal(None, "unknown token"), "192.0.2.1", request_id)
    (event,) = recorded(store, SERVER, request_id)
    assert (event.subject_id, event.data["reason"]) == ("", "unknown token")


def test_who_presented_nothing_is_not_recorded(record: Refusals, store: Store) -> None:
    """Whatever crawls the web would fill the log."""
    request_id = str(uuid4())
    record.record(refusal(None, "no credential", presented=False), "192.0.2.1", request_id)
    assert recorded(store, SERVER, request_id) == []


def test_what_an_unproved_token_says_is_cut(record: Refusals, store: Store, scope: Scope) -> None:
    record.record(refusal(scope, claims={"sub": "x" * 10_000}), "192.0.2.1", "r")
    assert recorded(store, scope.tenant_id)[0].data["claims"] == {"sub": "x" * 200}


def test_a_flood_is_counted_not_recorded(record: Refusals, store: Store, clock: Clock, scope: Scope, other_scope: Scope) -> None:
    for _ in range(50):
        record.record(refusal(scope), "192.0.2.1", "r")
    assert [each.data["suppressed"] for each in recorded(store, scope.tenant_id)] == [0, 0, 0]
    record.record(refusal(other_scope), "192.0.2.1", "r")
    assert len(recorded(store, other_scope.tenant_id)) == 1, "one tenant's flood is no other's"
    clock.now += 10
    for _ in range(5):
        record.record(refusal(scope), "192.0.2.1", "r")
    clock.now += 3600
    record.record(refusal(scope), "192.0.2.1", "r")
    assert [each.data["suppressed"] for each in recorded(store, scope.tenant_id)] == [0, 0, 0, 47, 4]


def test_a_database_that_is_away_changes_no_answer(record: Refusals, store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_scope: Scope) -> Any:
        raise Unavailable("away")

    with monkeypatch.context() as meanwhile, capture_logs() as logs:
        meanwhile.setattr(store, "write", away)
        record.record(refusal(scope), "192.0.2.1", "request 7")
    assert [(each["event"], each["request_id"]) for each in logs] == [("refusal_not_recorded", "request 7")]
    record.record(refusal(scope), "192.0.2.1", "request 8")
    assert [each.data["suppressed"] for each in recorded(store, scope.tenant_id)] == [1]


def test_a_guesser_at_full_speed_leaves_a_bounded_log(engine: Engine, store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: so many events at most, the same answer to every guess, and the real client is let in meanwhile."""
    monkeypatch.setattr(refusals, "_AT_ONCE", 5)
    app = new_app(engine)
    guesses = [f"scim_{uuid4()}" for _ in range(30)]
    answers = [Scim(app, each).get("/Users") for each in guesses]
    assert {each.status_code for each in answers} == {401}
    requests = [each.headers["X-Request-Id"] for each in answers]
    assert [each.request_id for each in recorded(store, SERVER) if each.request_id in requests] == requests[:5]
    assert Scim(app, new_credential(Registry(engine), scope.tenant_id)[1]).get("/Users").status_code == 200
    with store.read(Scope(SERVER, Principal("operator", "tests"), "")) as unit:
        log = str([each.data for each in unit.events.list(200)])
    assert [each for each in guesses if each in log] == []
