"""Roles that users of one tenant hold and held: periods, each with the group and the mapping that gave the role."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, insert, select, true, update

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.dialects import apart, latest, texts
from scim_server.store.documents import dump, instant
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, holdings


@dataclass(frozen=True, slots=True)
class Holding:
    """A role that is held. ``source`` says where it is known from that the user is in the group: scim or token; or default."""

    role: str
    source: str
    group: str | None
    mapping_id: str | None
    since: datetime


_c = holdings.c
_COLUMNS = (_c.role, _c.source, _c.group_oid, cast(_c.mapping_id, Text), _c.valid_from)
_USER = bindparam("user_id", type_=Id)
_OPEN = (_c.tenant_id == TENANT, _c.user_id == _USER, _c.valid_to.is_(None))
_OF_USER = Statement(select(*_COLUMNS).where(*_OPEN).order_by(_c.role))
_ANYBODYS = (_c.tenant_id == TENANT, _c.valid_to.is_(None))
_asked = texts(bindparam("user_ids")).table_valued("value", name="asked")
_held = apart(select(_c.user_id).where(*_ANYBODYS, _c.user_id == cast(_asked.c.value, Id))).lateral("held")
_HOLDERS = Statement(
    postgresql=select(cast(_held.c.user_id, Text)).select_from(_asked.join(_held, true())).distinct(),
    sqlite=select(_c.user_id).where(*_ANYBODYS, _c.user_id.in_(select(_asked.c.value))).distinct(),
)
_THROUGH = Statement(select(cast(_c.user_id, Text)).where(*_ANYBODYS, _c.mapping_id == bindparam("mapping_id", type_=Id)).distinct())
_NEW: dict[str, Any] = {
    "tenant_id": TENANT,
    "id": bindparam("id", type_=Id),
    "user_id": _USER,
    "mapping_id": bindparam("mapping_id", type_=Id),
    **{name: bindparam(name) for name in ("role", "source", "group_oid")},
    "valid_from": NOW,
}
_BEGIN = Statement(insert(holdings).values(_NEW))
_END = Statement(update(holdings).values(valid_to=latest(_c.valid_from, NOW)).where(*_OPEN, _c.role == bindparam("role")))
_END_ALL = Statement(update(holdings).values(valid_to=latest(_c.valid_from, NOW)).where(*_OPEN).returning(*_COLUMNS))


class Holdings:
    """What a Unit can do with the roles that users hold. ``access.standing`` decides which, and records it."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def of_user(self, user_id: str) -> list[Holding]:
        """The roles the user holds now."""
        return [_holding(row) for row in self._scoped.rows(_OF_USER, user_id=user_id)]

    def holders(self, user_ids: Collection[str]) -> list[str]:
        """Those of these users who hold a role."""
        return [user_id for (user_id,) in self._scoped.rows(_HOLDERS, user_ids=dump(sorted(user_ids)))] if user_ids else []

    def through(self, mapping_id: str) -> list[str]:
        """The ids of users who hold a role through that mapping."""
        return [user_id for (user_id,) in self._scoped.rows(_THROUGH, mapping_id=mapping_id)]

    def begin(self, user_id: str, role: str, source: str, group: str | None, mapping_id: str | None) -> None:
        values = {"user_id": user_id, "role": role, "source": source, "group_oid": group, "mapping_id": mapping_id}
        self._scoped.later(_BEGIN, taken="role", id=ids.new(self._scoped.now), now=self._scoped.now_text, **values)

    def end(self, user_id: str, role: str) -> None:
        self._scoped.later(_END, user_id=user_id, role=role, now=self._scoped.now_text)

    def end_all(self, user_id: str) -> list[Holding]:
        """The roles that the user held until now."""
        return [_holding(row) for row in self._scoped.rows(_END_ALL, user_id=user_id, now=self._scoped.now_text)]


def _holding(row: Any) -> Holding:
    role, source, group, mapping_id, since = row
    return Holding(role, source, group, mapping_id, instant(since))
