"""Driver connections as Units use them: few round trips, and the store's own errors.

``Database`` is what all Units of a process share, ``Connection`` what one Unit holds: it leaves
the pool at the first statement and is given back at the end. Without a transaction each statement
stands for itself, and costs one round trip. With one, BEGIN goes out with the first statement,
and statements whose result nobody waits for (``later``) go out with the next, or with COMMIT.
"""

from __future__ import annotations

import fcntl
import os
import select
import sqlite3
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any, NoReturn, TypeAlias

import psycopg
from sqlalchemy import Engine
from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.pool import PoolProxiedConnection

from scim_server.store.errors import Busy, StoreError, Unavailable
from scim_server.store.statements import GlobalStatement

Row: TypeAlias = tuple[Any, ...]
Values: TypeAlias = Mapping[str, Any]

_TRY_AGAIN = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not had in time
_UNIQUE_VIOLATION = "23505"
# Connection trouble, too many connections, shutdown or statement_timeout; and what only an operator can mend: no right.
_AWAY = ("08", "53300", "57", "42501")
_TURN_TIMEOUT_S = 10
_SQLITE_TRY_AGAIN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_AWAY = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}


class Duplicate(StoreError):
    """A unique key was to be had twice. Whoever ran the statement knows which, and says Taken."""


class Database(ABC):
    """One of the two databases, behind its pool."""

    def __init__(self, engine: Engine) -> None:
        self.dialect = engine.dialect
        self._pool = engine.pool

    def checkout(self) -> PoolProxiedConnection:
        """A connection out of the pool. Raises Unavailable if all stay in use, or none can be made."""
        try:
            return self._pool.connect()
        except sqlalchemy_errors.TimeoutError as error:
            raise Unavailable("all connections are in use") from error
        except (psycopg.Error, sqlite3.Error) as error:
            raise Unavailable(str(error)) from error

    @abstractmethod
    def connection(self, *, transaction: bool) -> Connection:
        """What one Unit needs: with a transaction if it writes."""


class PostgreSQL(Database):
    def checkout(self) -> PoolProxiedConnection:
        connection = super().checkout()
        while _hung_up(connection.driver_connection):
            connection.invalidate()
            connection = super().checkout()
        return connection

    def connection(self, *, transaction: bool) -> Connection:
        return _PostgreSQLConnection(self, transaction=transaction)


class SQLite(Database):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.turn = _Turn(f"{engine.url.database}-turn")

    def connection(self, *, transaction: bool) -> Connection:
        return _SQLiteConnection(self, self.turn, transaction=transaction)


def database(engine: Engine) -> Database:
    return PostgreSQL(engine) if engine.dialect.name == "postgresql" else SQLite(engine)


class Connection(ABC):
    """What one Unit, or one act of the registry, has of the database."""

    def __init__(self, database: Database, *, transaction: bool) -> None:
        self._database = database
        self._dialect = database.dialect
        self._transaction = transaction
        self._doomed = False
        self._held: PoolProxiedConnection | None = None
        self._driver: Any = None

    def rows(self, statement: GlobalStatement, values: Values) -> list[Row]:
        """Run a SELECT, or a change with RETURNING. Raises Busy, Unavailable, or the driver's own error."""
        try:
            if self._held is None:
                self._open()
            result: list[Row] = self._driver.execute(statement.text(self._dialect), values).fetchall()
            return result
        except (psycopg.Error, sqlite3.Error) as error:
            self._doomed = True
            raise_translated(error)

    def later(self, statement: GlobalStatement, values: Values) -> None:
        """Run a change, at the commit at the latest. Its errors may come from there."""
        try:
            if self._held is None:
                self._open()
            self._driver.execute(statement.text(self._dialect), values)
        except (psycopg.Error, sqlite3.Error) as error:
            self._doomed = True
            raise_translated(error)

    def doom(self) -> None:
        """From here on, nothing of this can be committed."""
        self._doomed = True

    def commit(self) -> None:
        """Make it last. Raises StoreError after a failure that somebody kept quiet about: then nothing lasts."""
        if self._held is None:
            return
        if self._doomed:
            self.rollback()
            raise StoreError("a failed Unit cannot be committed")
        try:
            self._commit()
        except (psycopg.Error, sqlite3.Error) as error:
            self.rollback()
            raise_translated(error)
        self._close()

    def rollback(self) -> None:
        """Undo it all. A connection that cannot even do that is thrown away."""
        if self._held is None:
            return
        with suppress(psycopg.Error, sqlite3.Error):
            self._rollback()
            self._close()
            return
        self._held.invalidate()
        self._close()

    def release(self) -> None:
        """Give back a connection without a transaction."""
        if self._held is not None:
            self._close()

    def _open(self) -> None:
        self._held = self._database.checkout()
        self._driver = self._held.driver_connection
        if self._transaction:
            self._begin()

    def _close(self) -> None:
        assert self._held is not None
        self._held.close()
        self._held = self._driver = None

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _commit(self) -> None: ...

    @abstractmethod
    def _rollback(self) -> None: ...


class _PostgreSQLConnection(Connection):
    """A transaction is one pipeline: the driver waits only where a result is asked for."""

    def __init__(self, database: Database, *, transaction: bool) -> None:
        super().__init__(database, transaction=transaction)
        self._pipeline = ExitStack()

    def _begin(self) -> None:
        self._pipeline.enter_context(self._driver.pipeline())
        self._driver.execute("BEGIN")

    def _commit(self) -> None:
        self._driver.execute("COMMIT")
        self._pipeline.close()  # waits for all that was sent, and raises the first failure

    def _rollback(self) -> None:
        self._driver.rollback()
        self._pipeline.close()


class _Turn:
    """Writers of one SQLite file take turns, in this process and across processes.

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
    def __init__(self, database: Database, turn: _Turn, *, transaction: bool) -> None:
        super().__init__(database, transaction=transaction)
        self._turn = turn
        self._has_turn = False

    def _begin(self) -> None:
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


def raise_translated(error: psycopg.Error | sqlite3.Error) -> NoReturn:
    """Raise the store's word for a driver's error that is being handled; the error itself if it has none."""
    word = _word(error)
    if word is None:
        raise error
    raise word(str(error)) from error


def _word(error: psycopg.Error | sqlite3.Error) -> type[StoreError] | None:
    if isinstance(error, sqlite3.Error):
        extended = getattr(error, "sqlite_errorcode", 0)
        primary = extended & 0xFF
        if primary in _SQLITE_TRY_AGAIN:
            return Busy
        if extended == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
            return Duplicate
        return Unavailable if primary in _SQLITE_AWAY else None
    state = error.sqlstate
    if state in _TRY_AGAIN:
        return Busy
    if state == _UNIQUE_VIOLATION:
        return Duplicate
    if state is None:
        return Unavailable if isinstance(error, psycopg.OperationalError) else None
    return Unavailable if state.startswith(_AWAY) else None


def _hung_up(driver: Any) -> bool:
    """Whether an idle connection has something to read: then it is the server's good-bye."""
    if driver.closed:
        return True
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN | select.POLLHUP)
    return bool(poll.poll(0))
