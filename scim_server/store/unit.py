"""The store's front: a Store is a database, a Unit one tenant's share of it for one request.

Nobody gets a connection, or a statement without a tenant: what there is to do is what a Unit
offers. Leaving ``with store.write(scope) as unit`` normally commits, an exception rolls back.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from sqlalchemy import Engine, literal_column, select, text

from scim_server import clock
from scim_server.events import Scope
from scim_server.scim.schemas import Types
from scim_server.store.audit_log import Events, Recorded
from scim_server.store.connections import Connection
from scim_server.store.engine import database
from scim_server.store.errors import Busy, Outdated, Unavailable, Unforeseen, Unprepared
from scim_server.store.export import Export
from scim_server.store.groups import Groups
from scim_server.store.holdings import Holdings
from scim_server.store.identity_links import IdentityLinks
from scim_server.store.landmarks import Landmarks
from scim_server.store.members import Members
from scim_server.store.migrations import HEAD
from scim_server.store.pages import Page
from scim_server.store.resource_types import ResourceTypes, hold
from scim_server.store.rules import Rules
from scim_server.store.schemas import Schemas
from scim_server.store.scoped import Scoped
from scim_server.store.sealed import SealedSecrets
from scim_server.store.sessions import Sessions
from scim_server.store.sign_ins import SignIns
from scim_server.store.statements import GlobalStatement
from scim_server.store.users import Users

__all__ = ["Page", "Recorded", "Store", "Unit"]

T = TypeVar("T")

_ATTEMPTS = 3
_PAUSE_S = 0.02

_PING = GlobalStatement(select(literal_column("1")))
_REVISION = GlobalStatement(text("SELECT version_num FROM alembic_version"))


class Unit:
    """What there is of one tenant; within one transaction if it may write.

    ``now`` is when it began: the one instant of all that it does. ``base_url`` is the Store's.
    """

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        base_url: str,
        types: Callable[[], Types],
        landmarks: Landmarks | None = None,
        careful: bool = True,
    ) -> None:
        self.scope = scope
        self.base_url = base_url
        self.now = clock.now()
        self._scoped = scoped = Scoped(connection, scope, self.now, types, landmarks, careful)
        self.users = Users(scoped, base_url)
        self.groups = Groups(scoped, base_url)
        self.members = Members(scoped, base_url)
        self.events = Events(scoped)
        self.sign_ins = SignIns(scoped)
        self.sessions = Sessions(scoped)
        self.links = IdentityLinks(scoped)
        self.rules = Rules(scoped)
        self.holdings = Holdings(scoped)
        self.secrets = SealedSecrets(scoped)
        self.schemas = Schemas(scoped)
        self.export = Export(scoped)

    @property
    def types(self) -> Types:
        """The tenant's resource types."""
        return self._scoped.types


class Store:
    """A database. Safe to share between threads; to be made after forking.

    ``base_url`` is what ``meta.location`` and every ``$ref`` begin with: filters may ask for them.
    """

    def __init__(self, engine: Engine, base_url: str) -> None:
        self._database = database(engine)
        self._base_url = base_url
        self._types = ResourceTypes()
        self._landmarks = Landmarks()

    @contextmanager
    def read(self, scope: Scope) -> Iterator[Unit]:
        """A Unit that only reads; each of its statements sees the database as it is then."""
        with self._connection() as connection:
            connection.enter(scope.tenant_id)
            yield self._unit(connection, scope, landmarks=self._landmarks)

    @contextmanager
    def picture(self, scope: Scope) -> Iterator[Unit]:
        """A Unit that only reads, and in which everything is as it was at its first statement. It is in nobody's way."""
        connection = self._database.connection(transaction=False, picture=True)
        connection.enter(scope.tenant_id)
        try:
            yield self._unit(connection, scope)
        finally:
            connection.rollback()

    @contextmanager
    def write(self, scope: Scope, *, careful: bool = True) -> Iterator[Unit]:
        """A Unit that reads and writes: all of it lasts, or nothing. Raises Outdated, at its end at the latest, if schemas have changed.

        ``careful``: it takes nothing for granted; else it may raise Unforeseen as well, and has to be run again carefully.
        """
        connection = self._database.connection(transaction=True)
        connection.enter(scope.tenant_id)
        try:
            if scope.schemas:  # before any row is locked, as a change of schemas does it
                hold(scope, connection)
            yield self._unit(connection, scope, writes=True, careful=careful)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def transact(self, scope: Scope, use_case: Callable[[Unit], T]) -> T:
        """What ``use_case`` gives in a Unit that writes; in a fresh one where it took too much for granted, or the database asks for it.

        The database does when two Units wait for each other's rows. Raises Busy if it goes on; and Outdated, since what a request
        says was read by the schemas of before.
        """
        careful, failures = False, 0
        while True:
            try:
                with self.write(scope, careful=careful) as unit:
                    return use_case(unit)
            except Unforeseen:
                careful = True
            except Outdated:
                raise
            except Busy:
                failures += 1
                if failures == _ATTEMPTS:
                    raise
                time.sleep(_PAUSE_S * failures)

    def types(self, scope: Scope) -> Types:
        """The resource types of the tenant."""
        known = self._types.known(scope)
        if known is not None:
            return known
        with self._connection() as connection:
            connection.enter(scope.tenant_id)
            return self._types.of(scope, connection, holds=False)

    def ping(self) -> None:
        """Raise Unavailable if the database does not answer."""
        with self._connection() as connection:
            connection.rows(_PING, {})

    def migrated(self) -> bool:
        """Whether the tables are those that this version needs (or a later one left)."""
        with self._connection() as connection:
            try:
                return connection.rows(_REVISION, {}) >= [(HEAD,)]
            except (Unprepared, psycopg.errors.UndefinedTable, sqlite3.OperationalError):
                return False
            except Unavailable as fault:
                if isinstance(fault.__cause__, psycopg.errors.InsufficientPrivilege):
                    return False
                raise

    def _unit(
        self, connection: Connection, scope: Scope, *, writes: bool = False, landmarks: Landmarks | None = None, careful: bool = True
    ) -> Unit:
        return Unit(connection, scope, self._base_url, lambda: self._types.of(scope, connection, holds=writes), landmarks, careful)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._database.connection(transaction=False)
        try:
            yield connection
        finally:
            connection.release()
