"""SQLite, the embedded database: one file, many readers, writers that take turns."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import weakref
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Engine, event
from sqlalchemy.pool import PoolProxiedConnection

from scim_server.store.connections import NOT_SO, Connection, Database, Message, Row, Values
from scim_server.store.errors import Busy, Taken, Unavailable
from scim_server.store.statements import Sql

_TURN_TIMEOUT_S = 10

_SETTINGS = (
    "PRAGMA busy_timeout = 10000",  # ms
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an answered change survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16000",  # KiB
    "PRAGMA temp_store = MEMORY",
)


def create_engine(address: URL, **pool: Any) -> Engine:
    """A pool of connections in the driver's autocommit mode."""
    engine = sqlalchemy.create_engine(address, paramstyle="named", connect_args={"isolation_level": None, "cached_statements": 256}, **pool)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
    for setting in _SETTINGS:
        connection.execute(setting).close()


def _begin(connection: sqlalchemy.Connection) -> None:
    """For transactions of SQLAlchemy's own (migrations): take the one write lock at once, not half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class SQLite(Database):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, engine.dialect)
        self.turn = _Turn(f"{engine.url.database}-turn")

    def connection(self, *, transaction: bool, picture: bool = False) -> Connection:
        return _SQLiteConnection(self, self.turn, transaction=transaction, picture=picture)


class _Turn:
    """Writers of one file take turns, in this process and across processes.

    SQLite itself would let a second writer sleep and ask again, up to a tenth of a second at a time.
    Here it is woken at once. The lock of the file beside the database ends with the process that
    holds it, however that ends.
    """

    def __init__(self, file: str) -> None:
        self._here = threading.Lock()
        self._file = file
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises Busy if the turn does not come."""
        if not self._here.acquire(timeout=_TURN_TIMEOUT_S):
            raise Busy("another change takes too long")
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                weakref.finalize(self, os.close, self._descriptor)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self._here.release()
            raise Unavailable(str(error)) from error

    def give(self) -> None:
        assert self._descriptor is not None
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._here.release()


class _SQLiteConnection(Connection):
    """Statements run at once: there is no way to them that could be saved."""

    _driver: Any

    def __init__(self, database: Database, turn: _Turn, *, transaction: bool, picture: bool) -> None:
        super().__init__(database, transaction=transaction, picture=picture)
        self._turn = turn
        self._has_turn = False

    def _use(self, held: PoolProxiedConnection) -> None:
        self._driver = held.driver_connection

    def _rows(self, sql: Sql, values: Values) -> list[Row]:
        rows: list[Row] = self._driver.execute(sql.text, values).fetchall()
        return rows

    def _later(self, message: Message) -> None:
        try:
            self._driver.execute(message.sql.text, message.values)
        except sqlite3.IntegrityError as error:
            if message.taken and error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise Taken(message.taken) from error
            raise

    def _demand(self, message: Message) -> None:
        if message.otherwise and self._rows(message.sql, message.values) != [(1,)]:  # dividing by nothing gives NULL
            raise message.otherwise(NOT_SO)

    def _begin(self) -> None:
        if self._picture:  # as the database is at the first read; nobody has to wait for it
            self._driver.execute("BEGIN")
            return
        self._turn.take()
        self._has_turn = True
        self._driver.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._driver.execute("COMMIT")

    def _rollback(self) -> None:
        self._driver.rollback()

    def _close(self) -> None:
        super()._close()
        if self._has_turn:
            self._has_turn = False
            self._turn.give()
