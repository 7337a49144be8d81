"""Units: all or nothing, again if the database asks for it, in the store's own words if it is away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from scim_server.events import Scope
from scim_server.store import periods
from scim_server.store.engine import create_engine
from scim_server.store.errors import Busy, StoreError, Taken, Unavailable, Unforeseen
from scim_server.store.unit import Store, Unit
from scim_server.store.users import SIGN_IN
from tests.conftest import Databases
from tests.store.samples import NOBODY, group, notice, user
from tests.tenants import BASE_URL

ELSEWHERE = ["sqlite:////nonexistent/folder/scim.db", "postgresql://nobody@/nothing?host=/nonexistent/folder"]


def test_leaving_normally_commits_and_an_exception_rolls_back(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        kept = unit.users.insert(user("kept"))

    def fail(unit: Unit) -> None:
        unit.users.insert(user("lost"))
        unit.users.update(kept, user("kept", title="lost"))
        raise KeyError

    with pytest.raises(KeyError):
        store.transact(scope, fail)
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 9).resources == [kept]


def test_a_unit_reads_what_it_wrote(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        anna = unit.users.insert(user("anna", emails=[{"value": "a@x"}]))
        changed = unit.users.update(anna, user("anna", title="Dr"))
        assert unit.users.get(anna.id) == changed
        with store.read(scope) as outside:
            assert outside.users.get(anna.id) is None


def test_a_unit_that_does_nothing_needs_no_database() -> None:
    for url in ELSEWHERE:
        with Store(create_engine(url, pool_size=1), BASE_URL).write(Scope("t", None, "r")) as unit:  # type: ignore[arg-type]  # nobody acts
            assert unit.users.get("not an id") is None


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_database_that_is_away_is_unavailable(url: str, scope: Scope) -> None:
    store = Store(create_engine(url, pool_size=1), BASE_URL)
    for attempt in (store.ping, store.migrated, lambda: store.transact(scope, lambda unit: unit.users.find(None, 1, 1))):
        with pytest.raises(Unavailable):
            attempt()


# SQLite has no server.
@pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")
def test_connections_that_the_server_closed_are_made_anew(owner_engine: Engine, store: Store, scope: Scope) -> None:
    """As after a restart or a failover: no request is lost to a connection that had been idle."""
    store.ping()
    others = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with owner_engine.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
        while connection.execute(text(f"SELECT count(*) {others}")).scalar():
            time.sleep(0.01)
    for _ in range(20):
        store.ping()
        with store.write(scope) as unit:
            unit.users.find(None, 1, 1)


def test_no_answer_from_the_pool_is_unavailable(database_url: str, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine(database_url, pool_size=1)
    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    store = Store(engine, BASE_URL)
    held = [engine.pool.connect() for _ in range(3)]
    with pytest.raises(Unavailable):
        store.ping()
    for each in held:
        each.close()
    store.ping()
    engine.dispose()


def test_a_use_case_runs_again_while_the_database_asks_for_it(store: Store, scope: Scope) -> None:
    attempts: list[Unit] = []

    def busy(unit: Unit, times: int) -> str:
        attempts.append(unit)
        unit.users.insert(user(f"anna-{times}"))
        if len(attempts) <= times:
            raise Busy
        return "done"

    assert store.transact(scope, lambda unit: busy(unit, 2)) == "done"
    assert len(set(map(id, attempts))) == 3
    attempts.clear()
    with pytest.raises(Busy):
        store.transact(scope, lambda unit: busy(unit, 99))
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 9).total == 1


def test_what_was_taken_for_granted_and_is_not_so_is_found_out(store: Store, scope: Scope) -> None:
    """By the end of the Unit, of which nothing lasts then; run again, the use case is told the truth."""
    with store.write(scope) as unit:
        kept = unit.users.insert(user("anna", externalId="oid"), SIGN_IN)
    meant = user("a.ahorn", externalId="oid")
    answers: list[str | None] = []

    def make(unit: Unit) -> None:
        answers.append(unit.users.unclaimed(meant))
        unit.groups.insert(group("one"))

    with pytest.raises(Unforeseen), store.write(scope, careful=False) as careless:
        make(careless)
    assert issubclass(Unforeseen, Busy)  # whoever lets it out tells the client to try again
    store.transact(scope, make)
    assert answers in ([None, None, kept.id], [kept.id])  # SQLite finds it out at once, before there is an answer
    with store.read(scope) as unit:
        assert unit.groups.find(None, 1, 9).total == 1


def test_refusals_are_not_tried_again(store: Store, scope: Scope) -> None:
    attempts = []

    def taken(unit: Unit) -> None:
        attempts.append(unit)
        unit.groups.insert(group("one"))
        unit.groups.insert(group("one"))

    with pytest.raises(Taken):
        store.transact(scope, taken)
    assert len(attempts) == 1


def test_a_failure_kept_quiet_is_not_committed(store: Store, scope: Scope) -> None:
    """PostgreSQL answers COMMIT with a rollback after an error, and says so to nobody."""
    with store.write(scope) as unit:
        anna, ben = unit.users.insert(user("anna")), unit.users.insert(user("ben"))

    def carry_on(unit: Unit) -> None:
        unit.users.update(anna, user("anna", title="lost"))
        with pytest.raises(Taken):
            notice(unit, unit.users.update(ben, user("ANNA")))

    with pytest.raises(StoreError, match="cannot be committed"):
        store.transact(scope, carry_on)
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 9).resources == [anna, ben]


def test_an_error_of_a_put_off_statement_comes_from_the_commit(store: Store, scope: Scope) -> None:
    """A group of nobody: the foreign key refuses its period, in whatever form the driver says so."""

    def break_a_rule(unit: Unit) -> None:
        unit.users.insert(user("anna"))
        periods.start_activity(unit.users._scoped, NOBODY)

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        store.transact(scope, break_a_rule)
    with store.write(scope) as unit:
        assert unit.users.find(None, 1, 9).total == 0


def test_an_empty_database_is_not_migrated(databases: Databases, tmp_path: Path) -> None:
    engine = create_engine(databases.empty(), pool_size=1)
    store = Store(engine, BASE_URL)
    store.ping()
    assert not store.migrated()
    engine.dispose()


def test_a_migrated_database_is(store: Store) -> None:
    assert store.migrated()
