"""Groups of one tenant: rows of ``groups``. Their members are rows of ``memberships`` (``members``)."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, bindparam, cast, exists, insert, literal_column, null, or_, select, update

from scim_server.scim.matching import Bound
from scim_server.scim.ordering import Order
from scim_server.scim.resources import Document, Resource
from scim_server.scim.schemas import ResourceType
from scim_server.store import documents, ids, links, periods, unique_values
from scim_server.store.columns import GROUPS, TENANT
from scim_server.store.dialects import apart
from scim_server.store.pages import Page, Search
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, groups, mappings, memberships, restrictions

_ID = bindparam("id", type_=Id)
_above = memberships.alias("above")


def _select_list(group: FromClause, with_members: bool) -> list[ColumnElement[Any]]:
    """What ``documents.group`` reads."""
    c = group.c
    own = [cast(c.id, Text), c.version, c.created, c.modified, cast(c.doc, Text)]
    return [*own, links.members_of(c.id)] if with_members else own


_LIVE = (groups.c.tenant_id == TENANT, groups.c.id == _ID, groups.c.ended.is_(None))
_STORED: dict[str, Any] = {name: bindparam(name) for name in ("doc", "keys", "external_id", "display_name", "display_name_key")}
_NEXT: dict[str, Any] = {"version": bindparam("version"), "modified": bindparam("modified")}

_GET = {with_members: Statement(select(*_select_list(groups, with_members)).where(*_LIVE)) for with_members in (True, False)}
# Whether a rule is about the group, or it is in another one, which a rule may be about.
_RULED = or_(
    *(
        exists(
            apart(
                select(literal_column("1"))
                .where(table.c.tenant_id == TENANT, table.c.group_oid == groups.c.external_id, table.c.valid_to.is_(None))
                .correlate(groups)
            )
        )
        for table in (mappings, restrictions)
    ),
    exists().where(_above.c.tenant_id == TENANT, _above.c.member_id == groups.c.id, _above.c.valid_to.is_(None)),
)
_LOCK = Statement(select(*_select_list(groups, False), _RULED).where(*_LIVE).with_for_update(key_share=True, of=groups))

_NEW = {"tenant_id": TENANT, "id": _ID, "version": literal_column("1"), "created": NOW, "modified": NOW, **_STORED}
_INSERT = Statement(insert(groups).values(_NEW))
_TOUCH = Statement(update(groups).values(_NEXT).where(*_LIVE))
_UPDATE = Statement(update(groups).values({**_NEXT, **_STORED}).where(*_LIVE))
_FREED = {"display_name_key": null(), "external_id": null()}
_END = Statement(update(groups).values({"ended": NOW, "version": groups.c.version + literal_column("1"), **_FREED}).where(*_LIVE))

_MEMBERSHIPS = (memberships.c.tenant_id == TENANT, memberships.c.group_id == _ID, memberships.c.valid_to.is_(None))
_DISMISS = Statement(periods.closed_memberships().where(*_MEMBERSHIPS).returning(cast(memberships.c.member_id, Text)))


class Groups:
    """What a Unit can do with groups. Ended groups are not there for any of it; an id that is not ours is nobody's."""

    def __init__(self, scoped: Scoped, base_url: str) -> None:
        self._scoped = scoped
        self._base_url = base_url
        self._ruled: set[str] = set()

    @property
    def type(self) -> ResourceType:
        """What a group of this tenant is."""
        return self._scoped.types.group

    def get(self, group_id: str, *, members: bool = True) -> Resource | None:
        """The group as last stored; with the members unless they are not wanted."""
        row = self._scoped.row(_GET[members], id=group_id) if ids.is_id(group_id) else None
        return documents.group(row, self.type) if row else None

    def lock(self, group_id: str) -> Resource | None:
        """The group, without members, to be changed: nobody else can change it or its members before this Unit ends. Raises Outdated."""
        resource_type = self.type  # before the row: a change of schemas locks in that order
        row = self._scoped.row(_LOCK, id=group_id) if ids.is_id(group_id) else None
        if row is None:
            return None
        *own, ruled = row
        if ruled:
            self._ruled.add(group_id)
        return self._scoped.up_to_date(documents.group(tuple(own), resource_type))

    def ruled(self, group_id: str) -> bool:
        """Whether there can be a rule about the group, which this Unit has locked: what that rule gives may follow its members."""
        return group_id in self._ruled

    def find(self, bound: Bound | None, start: int, count: int, *, members: bool = True, order: Order | None = None, **place: Any) -> Page:
        """A page of the groups that satisfy the filter (all if None), in that order, or oldest first. ``place``: see ``Search.find``."""
        return _SEARCH.find(self._scoped, self.type, bound, start, count, links=members, base_url=self._base_url, order=order, **place)

    def insert(self, document: Document) -> Resource:
        """A new group, without members. Raises Taken, at the commit at the latest, if a live group has a value that is unique."""
        scoped = self._scoped
        group_id = ids.new(scoped.now)
        scoped.later(_INSERT, taken="displayName", id=group_id, now=scoped.now_text, **documents.group_columns(self.type, document))
        unique_values.take(scoped, self.type, group_id, document)
        return Resource(self.type, group_id, 1, scoped.now, scoped.now, document, ())

    def update(self, group: Resource, document: Document | None) -> Resource:
        """The locked group's next version: with another document, or (None) with other members only.

        Raises Taken as ``insert`` does.
        """
        modified = max(group.modified, self._scoped.now)
        values: dict[str, Any] = {"id": group.id, "version": group.version + 1, "modified": documents.instant_text(modified)}
        if document is None:
            self._scoped.later(_TOUCH, **values)
            document = group.document
        else:
            self._scoped.later(_UPDATE, taken="displayName", **values, **documents.group_columns(self.type, document))
            unique_values.take(self._scoped, self.type, group.id, document, group.document, group.type)
        return dataclasses.replace(group, version=group.version + 1, modified=modified, document=document)

    def end(self, group: Resource) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """End the locked group: no members, in no group, displayName free. The ids of members, and of groups it was in."""
        scoped = self._scoped
        left = periods.leave_groups(scoped, group.id)
        removed = tuple(sorted(member_id for (member_id,) in scoped.rows(_DISMISS, id=group.id, now=scoped.now_text)))
        unique_values.give_back(scoped, self.type, group.id)
        scoped.later(_END, id=group.id, now=scoped.now_text)
        return removed, left


_SEARCH = Search(GROUPS, _select_list, documents.group)
