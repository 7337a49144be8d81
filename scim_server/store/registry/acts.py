"""How the registry works with the database: reads across tenants, and acts that are recorded in the log of the tenant they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, select

from scim_server import clock
from scim_server.events import Event, Principal, Scope
from scim_server.scim.schemas import BASE_TYPES
from scim_server.store import ids
from scim_server.store.audit_log import Events
from scim_server.store.connections import Connection, Database, Row
from scim_server.store.documents import instant, instant_text
from scim_server.store.errors import StoreError
from scim_server.store.scoped import Scoped
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, Instant, tenants

ID = bindparam("id", type_=Id)
TENANT = bindparam("tenant_id", type_=Id)
NOW = bindparam("now", type_=Instant)
_TENANT_EXISTS = GlobalStatement(select(cast(tenants.c.id, Text)).where(tenants.c.id == ID))


class Act:
    """One transaction across tenants. What is done in it lasts together with its events."""

    def __init__(self, connection: Connection, by: Principal, now: datetime) -> None:
        self._connection = connection
        self._by = by
        self.now = now
        self.now_text = instant_text(now)

    def rows(self, statement: GlobalStatement, **values: Any) -> list[Row]:
        return self._connection.rows(statement, values)

    def later(self, statement: GlobalStatement, *, taken: str | None = None, **values: Any) -> None:
        """A change whose result nobody waits for; ``taken`` is what a Taken is about that a unique key gives rise to."""
        self._connection.later(statement, values, taken)

    def require_tenant(self, tenant_id: str) -> None:
        """Raises StoreError if there is no such tenant."""
        if not (ids.is_id(tenant_id) and self.rows(_TENANT_EXISTS, id=tenant_id)):
            raise self.refused(StoreError("no such tenant"))

    def record(self, tenant_id: str, event: Event) -> None:
        """Append the event to the tenant's log. No request is behind it. From here on the act is about this tenant only."""
        self._connection.enter(tenant_id)
        Events(Scoped(self._connection, Scope(tenant_id, self._by, ""), self.now, lambda: BASE_TYPES)).append(event)

    def refused(self, error: StoreError) -> StoreError:
        """The error, to be raised: from here on the act cannot be committed."""
        self._connection.doom()
        return error


class Part:
    """A part of the registry: what it has of the database."""

    def __init__(self, shared: Database) -> None:
        self._database = shared

    @contextmanager
    def acting(self, by: Principal) -> Iterator[Act]:
        """A transaction: leaving it normally commits, an exception rolls back."""
        connection = self._database.connection(transaction=True)
        try:
            yield Act(connection, by, clock.now())
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def rows(self, statement: GlobalStatement, **values: Any) -> list[Row]:
        """What one SELECT gives."""
        connection = self._database.connection(transaction=False)
        try:
            return connection.rows(statement, values)
        finally:
            connection.release()


def instant_or_none(value: Any) -> datetime | None:
    return None if value is None else instant(value)


def text_or_none(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)
