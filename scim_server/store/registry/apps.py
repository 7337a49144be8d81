"""The SaaS's own programs that may ask whether a token holds. The server's, not a tenant's: they stand under SERVER."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, insert, select, update

from scim_server.events import SERVER, AppAdded, AppRemoved, AppRotated, Principal
from scim_server.store import ids
from scim_server.store.documents import instant
from scim_server.store.registry.acts import ID, NOW, TENANT, Part
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, apps


@dataclass(frozen=True, slots=True)
class App:
    id: str
    name: str
    created: datetime


_c = apps.c
_LIVE = (_c.tenant_id == TENANT, _c.revoked.is_(None))
_APP = select(cast(_c.id, Text), _c.name, _c.created).where(*_LIVE)
_ALL = GlobalStatement(_APP.order_by(_c.name))
_OPENED = GlobalStatement(_APP.where(_c.id == ID, _c.hash == bindparam("hash")))
_NEW: dict[str, Any] = {
    "tenant_id": TENANT,
    "id": bindparam("id", type_=Id),
    "name": bindparam("name"),
    "hash": bindparam("hash"),
    "created": NOW,
}
_ADD = GlobalStatement(insert(apps).values(_NEW))
_ROTATE = GlobalStatement(update(apps).values(hash=bindparam("new_hash")).where(*_LIVE, _c.id == ID).returning(_c.name))
_REMOVE = GlobalStatement(update(apps).values(revoked=NOW).where(*_LIVE, _c.id == ID).returning(_c.name))


class Apps(Part):
    def add(self, name: str, hash: bytes, by: Principal) -> App:
        """A new one, opened by what has that SHA-256. Raises Taken ("name")."""
        with self.acting(by) as act:
            app = App(ids.new(act.now), name, act.now)
            act.later(_ADD, taken="name", tenant_id=SERVER, id=app.id, name=name, hash=hash, now=act.now_text)
            act.record(SERVER, AppAdded(app.id, name))
        return app

    def opened(self, app_id: str, hash: bytes) -> App | None:
        """The one with that id, if that is the hash of its secret."""
        rows = self.rows(_OPENED, tenant_id=SERVER, id=app_id, hash=hash) if ids.is_id(app_id) else []
        return _app(rows[0]) if rows else None

    def list(self) -> list[App]:
        return [_app(row) for row in self.rows(_ALL, tenant_id=SERVER)]

    def rotate(self, app: App, hash: bytes, by: Principal) -> bool:
        """Another secret opens it from now on, and the one before no more. False if it was removed."""
        with self.acting(by) as act:
            done = bool(act.rows(_ROTATE, tenant_id=SERVER, id=app.id, new_hash=hash))
            if done:
                act.record(SERVER, AppRotated(app.id, app.name))
        return done

    def remove(self, app: App, by: Principal) -> bool:
        """From now on nothing opens it; False if it was so already."""
        with self.acting(by) as act:
            done = bool(act.rows(_REMOVE, tenant_id=SERVER, id=app.id, now=act.now_text))
            if done:
                act.record(SERVER, AppRemoved(app.id, app.name))
        return done


def _app(row: Any) -> App:
    app_id, name, created = row
    return App(app_id, name, instant(created))
