"""Tenants and credentials: the only reads and writes that are not bound to one tenant.

For ``tenancy``, which finds out whose request it is, and for operators' commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Text, bindparam, cast, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scim_server import clock
from scim_server.events import CredentialCreated, CredentialRevoked, Event, Principal, Scope, TenantCreated
from scim_server.store import documents, ids
from scim_server.store.audit_log import Events
from scim_server.store.connections import Connection, Row
from scim_server.store.engine import database
from scim_server.store.errors import StoreError, Taken
from scim_server.store.scoped import Scoped
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, Instant, credentials, tenants


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    name: str
    profile: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client authenticates with, and the tenant that follows from it. Never the secret."""

    id: str
    tenant_id: str
    tenant_name: str
    profile: str
    label: str
    created: datetime
    expires: datetime | None
    revoked: datetime | None


_ID = bindparam("id", type_=Id)
_TENANT = select(cast(tenants.c.id, Text), tenants.c.name, tenants.c.profile, tenants.c.created)
_TENANT_BY_NAME = GlobalStatement(_TENANT.where(tenants.c.name == bindparam("name")))
_TENANT_BY_ID = GlobalStatement(_TENANT.where(tenants.c.id == _ID))
_TENANTS = GlobalStatement(_TENANT.order_by(tenants.c.name))
_NEW_TENANT: dict[str, Any] = {name: bindparam(name) for name in ("id", "name", "profile", "created")}
_CREATE_TENANT = GlobalStatement(
    postgresql=postgresql.insert(tenants).values(_NEW_TENANT).on_conflict_do_nothing().returning(tenants.c.name),
    sqlite=sqlite.insert(tenants).values(_NEW_TENANT).on_conflict_do_nothing().returning(tenants.c.name),
)

_CREDENTIAL = select(
    cast(credentials.c.id, Text),
    cast(credentials.c.tenant_id, Text),
    tenants.c.name,
    tenants.c.profile,
    credentials.c.label,
    credentials.c.created,
    credentials.c.expires,
    credentials.c.revoked,
).join_from(credentials, tenants, credentials.c.tenant_id == tenants.c.id)
_CREDENTIAL_BY_HASH = GlobalStatement(_CREDENTIAL.where(credentials.c.token_hash == bindparam("token_hash")))
_CREDENTIAL_BY_ID = GlobalStatement(_CREDENTIAL.where(credentials.c.id == _ID))
_CREDENTIALS = GlobalStatement(_CREDENTIAL.where(credentials.c.tenant_id == bindparam("tenant_id")).order_by(credentials.c.id))
_NEW_CREDENTIAL: dict[str, Any] = {name: bindparam(name) for name in ("tenant_id", "id", "label", "token_hash", "created", "expires")}
_CREATE_CREDENTIAL = GlobalStatement(insert(credentials).values(_NEW_CREDENTIAL))
_REVOKE = GlobalStatement(
    update(credentials)
    .values(revoked=bindparam("now", type_=Instant))
    .where(credentials.c.id == _ID, credentials.c.revoked.is_(None))
    .returning(cast(credentials.c.tenant_id, Text))
)


@dataclass(frozen=True, slots=True)
class _Act:
    """Something that an operator does."""

    connection: Connection
    by: Principal
    now: datetime

    def record(self, tenant_id: str, event: Event) -> None:
        """Append the event to the tenant's log. No request is behind it."""
        Events(Scoped(self.connection, Scope(tenant_id, self.by, ""), self.now)).append(event)


class Registry:
    """Every tenant, and every credential, of a database."""

    def __init__(self, engine: Engine) -> None:
        self._database = database(engine)

    def create_tenant(self, name: str, by: Principal, profile: str) -> Tenant:
        """A new tenant. Raises Taken if there is one of that name."""
        now = clock.now()
        tenant = Tenant(ids.new(now), name, profile, now)
        values = {"id": tenant.id, "name": name, "profile": profile, "created": documents.instant_text(now)}
        with self._acting(by, now) as act:
            if not act.connection.rows(_CREATE_TENANT, values):
                raise Taken("name")
            act.record(tenant.id, TenantCreated(tenant.id, name))
        return tenant

    def tenant(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        rows = self._rows(_TENANT_BY_NAME, name=name)
        return _tenant(rows[0]) if rows else None

    def tenants(self) -> list[Tenant]:
        """All tenants, by name."""
        return [_tenant(row) for row in self._rows(_TENANTS)]

    def create_credential(self, tenant_id: str, label: str, token_hash: bytes, expires: datetime | None, by: Principal) -> Credential:
        """A new credential of the tenant, found by the hash of its secret from now on. Raises StoreError if there is no such tenant."""
        now = clock.now()
        credential_id = ids.new(now)
        ends = documents.instant_text(expires) if expires else None
        created = documents.instant_text(now)
        with self._acting(by, now) as act:
            rows = act.connection.rows(_TENANT_BY_ID, {"id": tenant_id}) if ids.is_id(tenant_id) else []
            if not rows:
                raise StoreError("no such tenant")
            tenant = _tenant(rows[0])
            values = {
                "tenant_id": tenant_id,
                "id": credential_id,
                "label": label,
                "token_hash": token_hash,
                "created": created,
                "expires": ends,
            }
            act.connection.later(_CREATE_CREDENTIAL, values)
            act.record(tenant_id, CredentialCreated(credential_id, label, expires.isoformat() if expires else None))
        return Credential(credential_id, tenant_id, tenant.name, tenant.profile, label, now, expires, None)

    def credential_by_hash(self, token_hash: bytes) -> Credential | None:
        """The credential with that hash, be it expired or revoked, too."""
        rows = self._rows(_CREDENTIAL_BY_HASH, token_hash=token_hash)
        return _credential(rows[0]) if rows else None

    def credentials(self, tenant_id: str) -> list[Credential]:
        """The tenant's credentials, oldest first; those that are expired or revoked, too."""
        return [_credential(row) for row in self._rows(_CREDENTIALS, tenant_id=tenant_id)] if ids.is_id(tenant_id) else []

    def revoke(self, credential_id: str, by: Principal) -> Credential | None:
        """The credential, from now on of no use; None if there is none of that id that was of use."""
        if not ids.is_id(credential_id):
            return None
        now = clock.now()
        with self._acting(by, now) as act:
            revoked = act.connection.rows(_REVOKE, {"id": credential_id, "now": documents.instant_text(now)})
            if not revoked:
                return None
            act.record(revoked[0][0], CredentialRevoked(credential_id))
            return _credential(act.connection.rows(_CREDENTIAL_BY_ID, {"id": credential_id})[0])

    @contextmanager
    def _acting(self, by: Principal, now: datetime) -> Iterator[_Act]:
        """A transaction: what is done in it lasts together with its events."""
        connection = self._database.connection(transaction=True)
        try:
            yield _Act(connection, by, now)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _rows(self, statement: GlobalStatement, **values: Any) -> list[Row]:
        connection = self._database.connection(transaction=False)
        try:
            return connection.rows(statement, values)
        finally:
            connection.release()


def _tenant(row: Row) -> Tenant:
    tenant_id, name, profile, created = row
    return Tenant(tenant_id, name, profile, documents.instant(created))


def _credential(row: Row) -> Credential:
    credential_id, tenant_id, tenant_name, profile, label, created, expires, revoked = row
    periods = (documents.instant(created), _instant(expires), _instant(revoked))
    return Credential(credential_id, tenant_id, tenant_name, profile, label, *periods)


def _instant(value: Any) -> datetime | None:
    return None if value is None else documents.instant(value)
