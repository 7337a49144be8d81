"""Connections as Units use them: few round trips, and the store's own errors.

``Database`` is what all Units of a process share, ``Connection`` what one Unit holds: it leaves
the pool at the first statement and is given back at the end. Without a transaction each statement
stands for itself, and costs one round trip. With one, BEGIN goes out with the first statement,
and statements whose result nobody waits for (``later``) go out with the next, or with COMMIT.

How that is done is told by ``postgresql`` and ``sqlite``, one module for each database.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, TypeAlias

import psycopg
from sqlalchemy import Dialect, Engine
from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.pool import PoolProxiedConnection

from scim_server.store.errors import Busy, StoreError, Unavailable, Unprepared
from scim_server.store.statements import GlobalStatement, Sql

Row: TypeAlias = tuple[Any, ...]
Values: TypeAlias = Mapping[str, Any]


NOT_SO = "what the Unit goes by is not so"


class Message(NamedTuple):
    """A statement to be run. ``taken``: what a refusal of a unique key says is in use; None if there is none to be refused.

    ``otherwise``: what is raised unless something is so (``Connection.demand``).
    """

    sql: Sql
    values: Values
    taken: str | None = None
    otherwise: type[StoreError] | None = None


# Serialization failure, deadlock, lock not had in time; and statements that the server made before the tables became what they are.
_TRY_AGAIN = {"40001", "40P01", "55P03", "0A000", "26000"}
# Connection trouble, a transaction that was left idle, no room, no memory or no connection left, shutdown or statement_timeout,
# a disk that fails; and what only an operator can mend: a database that only reads, no right.
_AWAY = ("08", "25006", "25P03", "53", "57", "58", "42501")
# The role that the server works under is not there, or not granted to its user.
_NO_ROLE = {"22023", "42501"}
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


class Database(ABC):
    """One of the two databases, behind its pool."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self.dialect = dialect
        self._pool = engine.pool

    def checkout(self) -> PoolProxiedConnection:
        """A connection out of the pool. Raises Unavailable if all stay in use, or none can be made."""
        try:
            return self._pool.connect()
        except sqlalchemy_errors.TimeoutError as error:
            raise Unavailable("all connections are in use") from error
        except (psycopg.Error, sqlite3.Error) as error:
            raise (Unprepared if getattr(error, "sqlstate", None) in _NO_ROLE else Unavailable)(str(error)) from error

    @abstractmethod
    def connection(self, *, transaction: bool, picture: bool = False) -> Connection:
        """What one Unit needs: with a transaction if it writes; or with one that only reads, and in which nothing changes."""


class Connection(ABC):
    """What one Unit, or one act of the registry, has of the database."""

    def __init__(self, database: Database, *, transaction: bool, picture: bool) -> None:
        self._database = database
        self._dialect = database.dialect
        self._transaction = transaction or picture
        self._picture = picture
        self._tenant_id: str | None = None
        self._doomed = False
        self._held: PoolProxiedConnection | None = None

    def enter(self, tenant_id: str) -> None:
        """From here on the rows of other tenants are out of reach, where the database can see to that itself."""
        self._tenant_id = tenant_id

    def rows(self, statement: GlobalStatement, values: Values) -> list[Row]:
        """Run a SELECT, or a change with RETURNING. Raises Busy, Unavailable, or the driver's own error."""
        try:
            if self._held is None:
                self._open()
            return self._rows(statement.sql(self._dialect), values)
        except (psycopg.Error, sqlite3.Error, StoreError) as error:
            self._doomed = True
            raise_translated(error)

    def later(self, statement: GlobalStatement, values: Values, taken: str | None = None) -> None:
        """Run a change, at the commit at the latest. Its errors may come from there.

        ``taken`` is what is in use already if a unique key refuses the change: that is a Taken then.
        """
        try:
            if self._held is None:
                self._open()
            self._later(Message(statement.sql(self._dialect), values, taken))
        except (psycopg.Error, sqlite3.Error, StoreError) as error:
            self._doomed = True
            raise_translated(error)

    def demand(self, statement: GlobalStatement, values: Values, otherwise: type[StoreError]) -> None:
        """Go on only if something is so, which the statement finds out; else ``otherwise`` is raised, at the commit at the latest.

        Nobody waits for what it finds, so the database itself has to fail: the statement divides by what it finds. Where
        that is no failure, its result is looked at.
        """
        try:
            if self._held is None:
                self._open()
            self._demand(Message(statement.sql(self._dialect), values, otherwise=otherwise))
        except (psycopg.Error, sqlite3.Error, StoreError) as error:
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
        except (psycopg.Error, sqlite3.Error, StoreError) as error:
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
        self._use(self._held)
        if self._transaction:
            self._begin()

    def _close(self) -> None:
        assert self._held is not None
        self._held.close()
        self._held = None

    @abstractmethod
    def _use(self, held: PoolProxiedConnection) -> None:
        """This is the connection from here on."""

    @abstractmethod
    def _rows(self, sql: Sql, values: Values) -> list[Row]: ...

    @abstractmethod
    def _later(self, message: Message) -> None: ...

    @abstractmethod
    def _demand(self, message: Message) -> None: ...

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _commit(self) -> None: ...

    @abstractmethod
    def _rollback(self) -> None: ...


def raise_translated(error: psycopg.Error | sqlite3.Error | StoreError) -> NoReturn:
    """Raise the store's word for a driver's error that is being handled; the error itself if it has none, or is one."""
    word = None if isinstance(error, StoreError) else _word(error)
    if word is None:
        raise error
    raise word(str(error)) from error


def _word(error: psycopg.Error | sqlite3.Error) -> type[StoreError] | None:
    if isinstance(error, sqlite3.Error):
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in _SQLITE_TRY_AGAIN:
            return Busy
        return Unavailable if primary in _SQLITE_AWAY else None
    state = error.sqlstate
    if state in _TRY_AGAIN:
        return Busy
    if state is None:
        return Unavailable if isinstance(error, psycopg.OperationalError) else None
    return Unavailable if state.startswith(_AWAY) else None
