"""The engine: a pool of driver connections that are set up right, for either database.

Connections are in the driver's autocommit mode. A Unit that writes says BEGIN and COMMIT itself,
so that one that only reads has neither on the wire, and nothing is reset when it is given back.
Make the engine after forking: connections cannot be shared between processes.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url

_BUSY_MS = 10_000
_POOL_TIMEOUT_S = 10

_SQLITE_SETTINGS = (
    f"PRAGMA busy_timeout = {_BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an answered change survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16000",  # KiB
    "PRAGMA temp_store = MEMORY",
)

# No statement may hold a worker for ever; a lock not had after 10 s is answered with "try again".
# Every statement has an index to go by. A plan that reads a whole table, made while the table was
# small and kept with the prepared statement, would be a trap, and so is compiling it.
_POSTGRES_OPTIONS = {
    "timezone": "UTC",
    "enable_seqscan": "off",
    "jit": "off",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


def create_engine(url: str, pool_size: int) -> Engine:
    """The engine for ``sqlite:///FILE`` or ``postgresql://…``, with ``pool_size`` connections at most, and two in need.

    No connection is made before the first is needed.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = sqlalchemy.create_engine(
            address,
            paramstyle="named",
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=_POOL_TIMEOUT_S,
            pool_reset_on_return=None,
            connect_args={"isolation_level": None, "cached_statements": 256},
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sqlalchemy.create_engine(
        address.set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=_POOL_TIMEOUT_S,
        pool_reset_on_return=None,
        connect_args=_postgresql_arguments(address),
    )


def _postgresql_arguments(address: URL) -> dict[str, Any]:
    """What the URL does not say itself. Its own ``options`` come last, and so win."""
    given = address.query.get("options", "")
    settings = [f"-c {name}={value}" for name, value in _POSTGRES_OPTIONS.items()]
    arguments: dict[str, Any] = {"connect_timeout": 5, "application_name": "scim-server"}
    for name in arguments.keys() & address.query.keys():
        del arguments[name]
    # Prepared from the second use on: every statement of the hot path is used again.
    return {**arguments, "prepare_threshold": 1, "options": " ".join([*settings, *([given] if isinstance(given, str) else given)])}


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    for setting in _SQLITE_SETTINGS:
        connection.execute(setting).close()


def _begin_sqlite(connection: Connection) -> None:
    """For transactions of SQLAlchemy's own (migrations): take the one write lock at once, not half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
