"""What a server does beside requests: run again and again, ended with the process, and never its end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine

from scim_server import clock, log
from scim_server.config import Settings
from scim_server.housekeeping import Housekeeping, Job, jobs
from scim_server.store.engine import create_engine
from scim_server.store.errors import Unavailable
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry
from scim_server.store.registry.acts import Part
from scim_server.store.statements import GlobalStatement
from scim_server.tenancy.domains import Domains, Resolver, record
from tests.conftest import Databases
from tests.nameserver import SILENCE, Nameserver
from tests.server import Server
from tests.tenants import KEY, OPERATOR
from wsgi import create_app

_LIMIT_S = 30.0
_NOW = (0.0, 0.0)
_SOON = (0.001, 0.002)


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    log.configure("INFO")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(*found: Job, closed: threading.Event | None = None) -> Housekeeping:
    @contextmanager
    def opened() -> Iterator[list[Job]]:
        try:
            yield list(found)
        finally:
            if closed:
                closed.set()

    housekeeping = Housekeeping(opened, first_s=_NOW, every_s=_SOON)
    housekeeping.start()
    return housekeeping


def test_every_job_is_run_until_it_has_nothing_to_do_and_then_again() -> None:
    left = [2, 1, 0, 3, 0]
    order: list[str] = []
    enough = threading.Event()

    def first() -> int:
        order.append("first")
        return left.pop(0) if left else 0

    def second() -> int:
        order.append("second")
        if order.count("second") == 3:
            enough.set()
        return 0

    closed = threading.Event()
    housekeeping = running(Job("first", first), Job("second", second), closed=closed)
    assert enough.wait(_LIMIT_S)
    housekeeping.stop()
    assert closed.is_set()
    assert order[:7] == ["first", "first", "first", "second", "first", "first", "second"]


def test_what_goes_wrong_is_in_the_log_and_the_next_job_is_run(logged: Callable[[], list[dict[str, Any]]]) -> None:
    def away() -> int:
        raise Unavailable("postgresql://scim:hunter2@db.example/scim is away")

    def broken() -> int:
        raise ZeroDivisionError

    rounds: list[None] = []

    def counted() -> int:
        rounds.append(None)
        return 0

    housekeeping = running(Job("away", away), Job("broken", broken), Job("counted", counted))
    until(lambda: len(rounds) >= 2)
    housekeeping.stop()
    lines = logged()
    put_off, failed = lines[:2]
    assert (put_off["event"], put_off["job"], put_off["fault"]) == ("housekeeping_put_off", "away", "Unavailable")
    assert "exception" not in put_off
    assert (failed["event"], failed["job"]) == ("housekeeping_failed", "broken")
    assert "ZeroDivisionError" in failed["exception"]
    assert "hunter2" not in str(lines)


def test_jobs_that_cannot_be_had_end_the_thread_and_nothing_else(logged: Callable[[], list[dict[str, Any]]]) -> None:
    @contextmanager
    def opened() -> Iterator[list[Job]]:
        raise ZeroDivisionError
        yield []

    housekeeping = Housekeeping(opened)
    housekeeping.start()
    housekeeping.stop()
    assert [each["event"] for each in logged()] == ["housekeeping_ended"]


def test_the_end_does_not_wait_for_a_job_that_has_more_to_do() -> None:
    started = threading.Event()

    def endless() -> int:
        started.set()
        return 1

    housekeeping = running(Job("endless", endless))
    assert started.wait(_LIMIT_S)
    began = time.monotonic()
    housekeeping.stop()
    assert time.monotonic() - began < 1
    assert not housekeeping._thread.is_alive()


def test_before_the_first_run_it_ends_at_once() -> None:
    @contextmanager
    def opened() -> Iterator[list[Job]]:
        yield [Job("never", lambda: pytest.fail("it was run"))]

    housekeeping = Housekeeping(opened)
    housekeeping.start()
    began = time.monotonic()
    housekeeping.stop()
    assert time.monotonic() - began < 1
    assert not housekeeping._thread.is_alive()


def test_with_nothing_due_the_database_is_asked_one_question_for_each_job(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    rows = Part.rows

    def reads(self: Part, statement: GlobalStatement, **values: Any) -> list[Any]:
        asked.append(True)
        return rows(self, statement, **values)

    monkeypatch.setattr(Part, "rows", reads)
    monkeypatch.setattr(Part, "acting", lambda *_arguments: pytest.fail("a transaction"))
    with jobs(Settings(database_url=databases.migrated())) as found:
        assert [(each.name, each.run()) for each in found] == [("domains", 0), ("signing_keys", 0)]
    assert asked == [True, True]


def test_an_application_alone_keeps_no_house(engine: Engine) -> None:
    """Whoever makes one in a test, or under another server, has no thread that he did not ask for."""
    before = threading.active_count()
    create_app(Settings(log_level="ERROR", secret_keys=(KEY,)), engine)
    assert threading.active_count() == before


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        yield nameserver


@pytest.fixture
def url(databases: Databases) -> str:
    """A database in which nothing else comes due."""
    return databases.migrated()


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    engine = create_engine(url, pool_size=1, role=ROLE)
    yield Registry(engine)
    engine.dispose()


def test_a_server_finds_a_proof_by_itself(url: str, registry: Registry, nameserver: Nameserver, tmp_path: Path) -> None:
    """Of its two processes one asks; and a DNS server that is silent keeps neither from ending when told to."""
    tenant = registry.tenants.create("tenant", OPERATOR, "rfc")
    domains = Domains(registry, Resolver([nameserver.address]))
    proofs = []
    for hours, name in ((2, "proved.example"), (1, "silent.example")):
        with time_machine.travel(clock.now() - timedelta(hours=hours)):
            proofs.append(record(domains.add(tenant.id, name, OPERATOR)[0]))
    proved, silent = proofs
    nameserver.has(proved.name, proved.value)
    nameserver.gives(silent.name, SILENCE)

    server = Server(tmp_path, DATABASE_URL=url, WORKERS="2", DNS_SERVERS=nameserver.setting)
    server.start()
    try:
        until(lambda: ("udp", silent.name) in nameserver.asked)
    finally:
        status = server.stop()
    assert status == 0
    assert nameserver.asked[0] == ("udp", proved.name)
    assert {name for _, name in nameserver.asked[1:]} == {silent.name}
    assert [each.state for each in registry.domains.list(tenant.id)] == ["verified", "pending"]
    assert "Traceback" not in server.log.read_text()
    assert "housekeeping" not in server.log.read_text()
