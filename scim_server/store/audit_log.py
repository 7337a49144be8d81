"""The log of events of one tenant: appended in the transaction of the change, never altered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Text, bindparam, cast, insert, literal_column, select

from scim_server.events import Event, Principal
from scim_server.scim import json_text
from scim_server.store import documents, ids
from scim_server.store.columns import TENANT
from scim_server.store.connections import Row
from scim_server.store.dialects import apart
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, events

_AFTER_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_COLUMNS = ("id", "occurred", "tag", "subject_id", "principal_kind", "principal_id", "request_id", "data")
_APPEND = Statement(insert(events).values(tenant_id=TENANT, **{name: bindparam(name) for name in _COLUMNS}))


def _latest(rows: FromClause) -> Statement:
    columns = (cast(rows.c.id, Text), *(rows.c[name] for name in _COLUMNS[1:-1]), cast(rows.c.data, Text))
    earlier = select(*columns).where(rows.c.tenant_id == TENANT, rows.c.id < bindparam("before", type_=Id))
    return Statement(earlier.order_by(rows.c.id.desc()).limit(bindparam("limit")).offset(literal_column("0")))


_of_subject = select(events).where(events.c.tenant_id == TENANT, events.c.subject_id == bindparam("subject_id"))
_LIST, _LIST_OF_SUBJECT = _latest(events), _latest(apart(_of_subject).subquery("of_subject"))


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the log has it. ``data`` is what ``Event.data`` gave."""

    id: str
    occurred: datetime
    tag: str
    subject_id: str
    principal: Principal
    request_id: str
    data: dict[str, Any]


class Events:
    """What a Unit can do with the log."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def append(self, event: Event) -> None:
        """Record that this happens with this Unit: if the Unit is not committed, it did not happen."""
        scope = self._scoped.scope
        self._scoped.later(
            _APPEND,
            id=ids.new(self._scoped.now),
            occurred=self._scoped.now_text,
            tag=event.tag,
            subject_id=event.subject_id,
            principal_kind=scope.principal.kind,
            principal_id=scope.principal.id,
            request_id=scope.request_id,
            data=documents.dump(event.data()),
        )

    def list(self, limit: int, before: str | None = None, subject_id: str | None = None) -> list[Recorded]:
        """The latest events, newest first: of one subject, or of all; those before the event with the id ``before``."""
        if before is not None and not ids.is_id(before):
            return []
        values = {"limit": limit, "before": before or _AFTER_ALL}
        if subject_id is None:
            return [_recorded(row) for row in self._scoped.rows(_LIST, **values)]
        return [_recorded(row) for row in self._scoped.rows(_LIST_OF_SUBJECT, subject_id=subject_id, **values)]


def _recorded(row: Row) -> Recorded:
    event_id, occurred, tag, subject_id, principal_kind, principal_id, request_id, data = row
    principal = Principal(principal_kind, principal_id)
    return Recorded(event_id, documents.instant(occurred), tag, subject_id, principal, request_id, json_text.loads(data, exact=True))
