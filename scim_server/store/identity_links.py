"""Identity links of one tenant: which user a person of a directory is. A person is a directory and an object id in it, never an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Text, bindparam, cast, insert, literal_column, select, update

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.connections import Row
from scim_server.store.documents import dump, instant
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, identity_links


@dataclass(frozen=True, slots=True)
class IdentityLink:
    """``claims`` are what the directory said of the person last, and ``claimed`` is when."""

    id: str
    user_id: str
    directory_id: str
    tid: str
    oid: str
    sub: str
    how: str
    created: datetime
    claims: dict[str, Any]
    claimed: datetime


_c = identity_links.c
_COLUMNS = (
    cast(_c.id, Text),
    cast(_c.user_id, Text),
    cast(_c.directory_id, Text),
    *(_c.tid, _c.oid, _c.sub, _c.how, _c.created),
    cast(_c.claims, Text),
    _c.claimed,
)
_LIVE = (_c.tenant_id == TENANT, _c.ended.is_(None))
_ID = bindparam("id", type_=Id)
_USER = bindparam("user_id", type_=Id)
_NEW: dict[str, Any] = {
    "tenant_id": TENANT,
    "id": _ID,
    "user_id": _USER,
    "directory_id": bindparam("directory_id", type_=Id),
    **{name: bindparam(name) for name in ("tid", "oid", "sub", "how", "claims")},
    "created": NOW,
    "claimed": NOW,
}
_ADD = Statement(insert(identity_links).values(_NEW))
_FIND = Statement(select(*_COLUMNS).where(*_LIVE, _c.tid == bindparam("tid"), _c.oid == bindparam("oid")))
_OF_USER = Statement(
    select(*_COLUMNS).where(*_LIVE, _c.user_id == _USER).order_by(_c.claimed.desc()).limit(literal_column("1")).offset(literal_column("0"))
)
_NOTE = Statement(update(identity_links).values(claims=bindparam("claims", type_=_c.claims.type), claimed=NOW).where(*_LIVE, _c.id == _ID))
_END = Statement(update(identity_links).values(ended=NOW).where(*_LIVE, _c.id == _ID))


class IdentityLinks:
    """What a Unit can do with identity links."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def find(self, tid: str, oid: str) -> IdentityLink | None:
        """Of that person."""
        row = self._scoped.row(_FIND, tid=tid, oid=oid)
        return _link(row) if row else None

    def of_user(self, user_id: str) -> IdentityLink | None:
        """The one by which the user signed in last."""
        row = self._scoped.row(_OF_USER, user_id=user_id)
        return _link(row) if row else None

    def add(self, user_id: str, directory_id: str, tid: str, oid: str, sub: str, how: str, claims: Mapping[str, Any]) -> IdentityLink:
        """A new link. Raises Taken ("identity"), at the commit at the latest, if the person has one."""
        link_id = ids.new(self._scoped.now)
        values = {"user_id": user_id, "directory_id": directory_id, "tid": tid, "oid": oid, "sub": sub, "how": how}
        self._scoped.later(_ADD, taken="identity", id=link_id, claims=dump(claims), now=self._scoped.now_text, **values)
        now = self._scoped.now
        return IdentityLink(link_id, user_id, directory_id, tid, oid, sub, how, now, dict(claims), now)

    def note(self, link_id: str, claims: Mapping[str, Any]) -> None:
        """What the directory says of the person now."""
        self._scoped.later(_NOTE, id=link_id, claims=dump(claims), now=self._scoped.now_text)

    def end(self, link_id: str) -> None:
        self._scoped.later(_END, id=link_id, now=self._scoped.now_text)


def _link(row: Row) -> IdentityLink:
    link_id, user_id, directory_id, tid, oid, sub, how, created, claims, claimed = row
    return IdentityLink(link_id, user_id, directory_id, tid, oid, sub, how, instant(created), orjson.loads(claims), instant(claimed))
