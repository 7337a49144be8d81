"""Tenants: customers that are kept apart."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, insert, null, select, update

from scim_server.events import Change, Principal, TenantChanged, TenantCreated, TenantResumed, TenantSuspended
from scim_server.store import ids
from scim_server.store.connections import Row
from scim_server.store.documents import instant
from scim_server.store.registry.acts import ID, NOW, Part, instant_or_none
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Json, tenants
from scim_server.store.tenant_settings import TenantSettings


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    name: str
    profile: str
    created: datetime
    suspended: datetime | None
    settings: TenantSettings


_COLUMNS = (
    cast(tenants.c.id, Text),
    *(tenants.c[name] for name in ("name", "profile", "created", "suspended")),
    cast(tenants.c.settings, Text),
)
_TENANT = select(*_COLUMNS)
_BY_NAME = GlobalStatement(_TENANT.where(tenants.c.name == bindparam("name")))
_BY_ID = GlobalStatement(_TENANT.where(tenants.c.id == ID))
_ALL = GlobalStatement(_TENANT.order_by(tenants.c.name))
_NEW: dict[str, Any] = {name: bindparam(name) for name in ("id", "name", "profile", "created", "settings")}
_CREATE = GlobalStatement(insert(tenants).values(_NEW))
_CHANGE = GlobalStatement(
    update(tenants).values(profile=bindparam("profile"), settings=bindparam("settings", type_=Json)).where(tenants.c.id == ID)
)
_LOCK = GlobalStatement(_TENANT.where(tenants.c.id == ID).with_for_update())
_SUSPEND = GlobalStatement(
    update(tenants).values(suspended=NOW).where(tenants.c.id == ID, tenants.c.suspended.is_(None)).returning(*_COLUMNS)
)
_RESUME = GlobalStatement(
    update(tenants).values(suspended=null()).where(tenants.c.id == ID, tenants.c.suspended.is_not(None)).returning(*_COLUMNS)
)
_CURSOR_KEY = GlobalStatement(select(tenants.c.cursor_key).where(tenants.c.id == ID))
_GIVE_CURSOR_KEY = GlobalStatement(
    update(tenants).values(cursor_key=bindparam("key")).where(tenants.c.id == ID, tenants.c.cursor_key.is_(None))
)


class Tenants(Part):
    def create(self, name: str, by: Principal, profile: str) -> Tenant:
        """A new tenant. Raises Taken if there is one of that name."""
        with self.acting(by) as act:
            tenant = Tenant(ids.new(act.now), name, profile, act.now, None, TenantSettings())
            act.later(
                _CREATE, taken="name", id=tenant.id, name=name, profile=profile, created=act.now_text, settings=tenant.settings.text()
            )
            act.record(tenant.id, TenantCreated(tenant.id, name))
        return tenant

    def get(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        rows = self.rows(_BY_NAME, name=name)
        return _tenant(rows[0]) if rows else None

    def by_id(self, tenant_id: str) -> Tenant | None:
        rows = self.rows(_BY_ID, id=tenant_id)
        return _tenant(rows[0]) if rows else None

    def list(self) -> list[Tenant]:
        """All tenants, by name."""
        return [_tenant(row) for row in self.rows(_ALL)]

    def change(self, tenant_id: str, by: Principal, *, profile: str | None = None, **settings: Any) -> Tenant:
        """The tenant with another profile or other settings (fields of TenantSettings); recorded if anything is different."""
        with self.acting(by) as act:
            act.require_tenant(tenant_id)
            before = _tenant(act.rows(_LOCK, id=tenant_id)[0])
            after = dataclasses.replace(
                before, profile=profile or before.profile, settings=dataclasses.replace(before.settings, **settings)
            )
            changes = _changes(before, after)
            if changes:
                act.later(_CHANGE, id=tenant_id, profile=after.profile, settings=after.settings.text())
                act.record(tenant_id, TenantChanged(tenant_id, changes))
        return after

    def cursor_key(self, tenant_id: str, fresh: str) -> str:
        """The tenant's key for cursors; ``fresh`` from now on, if it has none. Nothing that happened: no event."""
        rows = self.rows(_CURSOR_KEY, id=tenant_id)
        if not rows[0][0]:
            connection = self._database.connection(transaction=True)
            try:
                connection.later(_GIVE_CURSOR_KEY, {"id": tenant_id, "key": fresh})
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            rows = self.rows(_CURSOR_KEY, id=tenant_id)
        return str(rows[0][0])

    def suspend(self, tenant_id: str, by: Principal, reason: str) -> Tenant | None:
        """Refuse its clients and sign-ins from the next request on; nothing is lost. None if it is suspended already."""
        with self.acting(by) as act:
            rows = act.rows(_SUSPEND, id=tenant_id, now=act.now_text)
            if rows:
                act.record(tenant_id, TenantSuspended(tenant_id, reason))
        return _tenant(rows[0]) if rows else None

    def resume(self, tenant_id: str, by: Principal) -> Tenant | None:
        """End the suspension. None if there is none."""
        with self.acting(by) as act:
            rows = act.rows(_RESUME, id=tenant_id)
            if rows:
                act.record(tenant_id, TenantResumed(tenant_id))
        return _tenant(rows[0]) if rows else None


def _changes(before: Tenant, after: Tenant) -> list[Change]:
    old, new = ({"profile": each.profile, **dataclasses.asdict(each.settings)} for each in (before, after))
    return [Change(path, old[path], new[path]) for path in old if old[path] != new[path]]


def _tenant(row: Row) -> Tenant:
    tenant_id, name, profile, created, suspended, settings = row
    return Tenant(tenant_id, name, profile, instant(created), instant_or_none(suspended), TenantSettings.parse(settings))
