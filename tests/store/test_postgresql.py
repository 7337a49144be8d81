"""Exchanges with PostgreSQL: what goes in comes out, and nothing that goes wrong is taken for an answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from scim_server.store import postgresql
from scim_server.store.connections import Connection, Values
from scim_server.store.engine import create_engine, database
from scim_server.store.errors import Busy, StoreError, Unavailable
from scim_server.store.statements import GlobalStatement, Sql
from tests.conftest import Databases

pytestmark = pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """One connection, to a database of its own."""
    engine = create_engine(databases.empty(), pool_size=1)
    yield engine
    engine.dispose()


class Ad(GlobalStatement):
    """A statement as PostgreSQL takes it."""

    def __init__(self, text: str, *names: str) -> None:
        super().__init__()
        self._made["postgresql"] = Sql(text, names)


def ask(engine: Engine, text: str, **values: Any) -> list[tuple[Any, ...]]:
    connection = database(engine).connection(transaction=False)
    try:
        return connection.rows(Ad(text, *values), values)
    finally:
        connection.release()


def transaction(engine: Engine) -> Connection:
    return database(engine).connection(transaction=True)


NOTHING: Values = {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "Zoë \u202e\U0001f9d1\u200d\U0001f680 'quoted' \\ %s $1 :name"),
        ("text", ""),
        ("text", "x" * 3_000_000),
        ("bigint", -(2**63)),
        ("integer", 0),
        ("smallint", 7),
        ("boolean", True),
        ("boolean", False),
        ("bigint", None),
    ],
    ids=lambda each: str(each)[:20],
)
def test_values_come_back_as_they_went(engine: Engine, kind: str, value: Any) -> None:
    assert ask(engine, f"SELECT $1::{kind}, 1", value=value) == [(value, 1)]


def test_bytes_are_bytes(engine: Engine) -> None:
    assert ask(engine, "SELECT encode($1::bytea, 'hex')", value=bytes(range(256))) == [(bytes(range(256)).hex(),)]


def test_an_instant_is_iso_8601_in_utc(engine: Engine) -> None:
    assert ask(engine, "SELECT timestamptz '2026-03-01 12:00:00.25+02'") == [("2026-03-01 10:00:00.25+00",)]


def test_a_nul_is_refused_before_anything_is_sent(engine: Engine) -> None:
    """libpq takes it for the end of the text."""
    with pytest.raises(psycopg.DataError):
        ask(engine, "SELECT $1::text", value="a\0b")
    assert ask(engine, "SELECT $1::text", value="a") == [("a",)]


def test_rows_are_those_of_the_last_statement(engine: Engine) -> None:
    connection = transaction(engine)
    connection.later(Ad("CREATE TABLE t (n bigint)"), NOTHING)
    for n in range(3):
        connection.later(Ad("INSERT INTO t VALUES ($1) RETURNING n", "n"), {"n": n})
    assert connection.rows(Ad("SELECT n, n = 1 FROM t ORDER BY n"), NOTHING) == [(0, False), (1, True), (2, False)]
    connection.commit()
    assert ask(engine, "SELECT count(*) FROM t") == [(3,)]


@pytest.mark.parametrize("place", range(3))
def test_the_first_failure_undoes_the_whole_exchange(engine: Engine, place: int) -> None:
    ask(engine, "CREATE TABLE t (n bigint PRIMARY KEY)")
    texts = ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)"]
    texts.insert(place, "INSERT INTO t VALUES (1 / (SELECT 0))")
    connection = transaction(engine)
    for text in texts:
        connection.later(Ad(text), NOTHING)
    with pytest.raises(psycopg.errors.DivisionByZero, match="division by zero"):
        connection.commit()
    assert ask(engine, "SELECT count(*) FROM t") == [(0,)]
    assert ask(engine, texts[place - 1] + " RETURNING n")  # what was never prepared is prepared now


def test_statements_are_prepared_once_and_not_for_ever(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_MAX_PREPARED", 10)
    for n, _ in itertools.product(range(30), range(3)):
        assert ask(engine, f"SELECT {n}") == [(n,)]
    connection = transaction(engine)
    for n in range(30):
        assert connection.rows(Ad(f"SELECT {n} + 100"), NOTHING) == [(n + 100,)]
    connection.commit()
    ((kept,),) = ask(engine, "SELECT count(*) FROM pg_prepared_statements")
    assert 10 <= kept <= 12


def test_a_failed_transaction_ends_though_there_are_too_many_statements(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = transaction(engine)
    for n in range(5):
        connection.rows(Ad(f"SELECT {n}"), NOTHING)
    monkeypatch.setattr(postgresql, "_MAX_PREPARED", 1)
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.rows(Ad("SELECT 1 / 0"), NOTHING)
    connection.rollback()
    assert ask(engine, "SELECT 1") == [(1,)]


def test_a_table_that_became_another_is_asked_anew(engine: Engine) -> None:
    """As when a new version's migration runs beside this one."""
    ask(engine, "CREATE TABLE t AS SELECT 1 AS n")
    assert ask(engine, "SELECT * FROM t") == [(1,)]
    ask(engine, "ALTER TABLE t ADD m text DEFAULT 'x'")
    with pytest.raises(Busy):
        ask(engine, "SELECT * FROM t")
    assert ask(engine, "SELECT * FROM t") == [(1, "x")]


def test_a_plan_for_small_tables_is_not_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While there is next to nothing in them, the planner has no reason to choose well."""
    ask(engine, "CREATE TABLE t (n bigint)")
    question = "SELECT n FROM t WHERE n = $1"
    ask(engine, question, n=1)
    held = database(engine).checkout()
    name = postgresql._wire(held)._prepared[question].name.decode()
    held.close()
    small = ask(engine, f"EXPLAIN EXECUTE {name}(1)")
    ask(engine, "INSERT INTO t SELECT generate_series(1, 10000)")
    assert ask(engine, f"EXPLAIN EXECUTE {name}(1)") == small
    monkeypatch.setattr(postgresql, "_PLANS_LAST_S", 0)
    assert ask(engine, f"EXPLAIN EXECUTE {name}(1)") != small


def test_a_server_that_says_nothing_is_unavailable(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its late answer is nobody's."""
    monkeypatch.setattr(postgresql, "_PATIENCE_MS", 50)
    with pytest.raises(Unavailable, match="does not answer"):
        ask(engine, "SELECT 'late' FROM pg_sleep(0.3)")
    monkeypatch.undo()
    assert ask(engine, "SELECT 'mine'") == [("mine",)]


@pytest.mark.parametrize("begun", [False, True])
def test_a_connection_that_breaks_is_unavailable_and_leaves_the_pool(engine: Engine, begun: bool) -> None:
    connection = transaction(engine)
    if begun:
        connection.rows(Ad("SELECT 1"), NOTHING)
    with pytest.raises(StoreError):
        connection.rows(Ad("SELECT pg_terminate_backend(pg_backend_pid())"), NOTHING)
    connection.rollback()
    assert ask(engine, "SELECT 1") == [(1,)]


def test_a_transaction_that_sent_nothing_costs_nothing(engine: Engine) -> None:
    connection = transaction(engine)
    connection.later(Ad("SELECT 1 / 0"), NOTHING)
    connection.rollback()
    assert ask(engine, "SELECT 1") == [(1,)]
