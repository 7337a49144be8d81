"""The schema, step by step. ``versions/`` holds one file per step, numbered ``0001`` and so on.

A step that was released is never changed. A step must leave the tables fit for the version before
it, too, so that nodes can be upgraded one after the other.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from scim_server.store.connections import raise_translated
from scim_server.store.errors import Busy, StoreError
from scim_server.store.migrations import roles

HEAD = "0006"
"""The newest step."""

ROLE = "scim_app"
"""The role that the server works under, unless another is named."""

_LOCK_TIMEOUT_S = 2
"""How long a step waits for a table that somebody reads: all requests that need it wait behind it meanwhile."""
_ATTEMPTS = 15
_PAUSE_S = 1.0

_LOCK = 0x5C1D_0001  # any number that is nobody else's


def migrate(engine: Engine, *, role: str = ROLE, login: str | None = None) -> None:
    """Bring the tables to the newest step, whatever step they are at; all steps or none. ``engine`` is the owner's.

    On PostgreSQL the server works under ``role``, which is made if need be, and granted to the owner and to ``login``.
    Safe to do in several processes at once: one works, the others wait and find it done. Raises Busy where others keep reading
    a table that has to be altered, Unavailable where the database cannot be had, or its user may not make tables.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _migrate(engine, role, login)
        except Busy:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _migrate(engine: Engine, role: str, login: str | None) -> None:
    # Alembic takes most of a second to import, and only this needs it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    try:
        with _transaction(engine) as connection:
            config.attributes["connection"] = connection
            if engine.dialect.name == "postgresql":
                roles.release(connection)
            command.upgrade(config, "head")
            if engine.dialect.name == "postgresql":
                roles.prepare(connection, role, login)
    except DBAPIError as error:
        if isinstance(error.orig, (psycopg.Error, sqlite3.Error)):
            raise_translated(error.orig)
        raise


def _rebuilding(connection: Connection) -> Iterator[Connection]:
    """A transaction of SQLite in which a table that others refer to can be made anew; nobody refers to nothing at its end."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")  # has no effect within a transaction
    try:
        with connection.begin():  # BEGIN IMMEDIATE: the database has one writer
            yield connection
            dangling = connection.execute(text("PRAGMA foreign_key_check")).all()
            if dangling:
                raise StoreError(f"the migration would leave {len(dangling)} rows that refer to nothing: {dangling[0]}")
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction, with which no other migration can be at work."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            yield from _rebuilding(connection)
        return
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
        yield connection
