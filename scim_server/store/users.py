"""Users of one tenant: rows of ``users``, with what is kept beside them."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    bindparam,
    case,
    cast,
    delete,
    exists,
    insert,
    literal_column,
    null,
    select,
    union_all,
    update,
)

from scim_server.scim.matching import Bound
from scim_server.scim.ordering import Order
from scim_server.scim.resources import Document, Link, Resource
from scim_server.scim.schemas import ResourceType
from scim_server.store import documents, ids, links, periods, unique_values
from scim_server.store.columns import TENANT, USERS
from scim_server.store.dialects import apart, texts
from scim_server.store.pages import Page, Search
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, user_emails, users

SCIM, SIGN_IN = "scim", "signin"
"""Who keeps a user: SCIM clients; or sign-ins, until a SCIM client writes it."""

_ID = bindparam("id", type_=Id)


def _select_list(user: FromClause, with_groups: bool) -> list[ColumnElement[Any]]:
    """What ``documents.user`` reads."""
    c = user.c
    own = [cast(c.id, Text), c.version, c.created, c.modified, cast(c.doc, Text), links.manager(c.manager_id)]
    return [*own, links.groups_of(c.id)] if with_groups else own


_LIVE = (users.c.tenant_id == TENANT, users.c.id == _ID, users.c.ended.is_(None))
_OF_USER = (user_emails.c.tenant_id == TENANT, user_emails.c.user_id == _ID)
_STORED: dict[str, Any] = {
    name: bindparam(name) for name in ("doc", "keys", "user_name_key", "external_id", "display_name", "active", "manager_id", "source")
}

_GET = {with_groups: Statement(select(*_select_list(users, with_groups)).where(*_LIVE)) for with_groups in (True, False)}
_LOCK = Statement(select(*_select_list(users, True)).where(*_LIVE).with_for_update(key_share=True, of=users))
_MANAGER = Statement(select(links.manager(_ID)))

_NEW = {"tenant_id": TENANT, "id": _ID, "version": literal_column("1"), "created": NOW, "modified": NOW, **_STORED}
_INSERT = Statement(insert(users).values(_NEW))
_UPDATE = Statement(update(users).values({**_STORED, "version": bindparam("version"), "modified": bindparam("modified")}).where(*_LIVE))
_FREED = {"user_name_key": null()}
_END = Statement(update(users).values({"ended": NOW, "version": users.c.version + literal_column("1"), **_FREED}).where(*_LIVE))

# What finds a user by a name stands apart, and asks for nothing else: a planner that were asked for live users as well might walk
# through all of them. A user who has ended has no userName any more.
_EXTERNAL_ID = users.c.external_id == bindparam("external_id", type_=users.c.external_id.type)
_USER_NAME = users.c.user_name_key == bindparam("user_name_key", type_=users.c.user_name_key.type)
_kept = (users.c.id, users.c.ended, users.c.source)
_of_person = apart(select(*_kept).where(users.c.tenant_id == TENANT, _EXTERNAL_ID)).subquery("of_person")
_of_name = apart(select(*_kept).where(users.c.tenant_id == TENANT, _USER_NAME)).subquery("of_name")
_BY_EXTERNAL_ID = Statement(
    select(cast(_of_person.c.id, Text), _of_person.c.ended.is_not(None))
    .order_by(_of_person.c.ended.is_not(None), _of_person.c.id)
    .limit(literal_column("1"))
    .offset(literal_column("0"))
)
_BY_NAME = Statement(select(cast(_of_name.c.id, Text)))
_SOURCE = Statement(select(users.c.source).where(*_LIVE))
_unclaimed = union_all(
    *(
        select(cast(each.c.id, Text)).where(each.c.source == literal_column(f"'{SIGN_IN}'"), each.c.ended.is_(None))
        for each in (_of_person, _of_name)
    )
)
_UNCLAIMED = Statement(_unclaimed)

_NOBODY_UNCLAIMED = Statement(
    select(literal_column("1").op("/")(case((exists(_unclaimed), literal_column("0")), else_=literal_column("1"))))
)

_values = texts(bindparam("emails")).table_valued("value", name="given")
_ADD_EMAILS = Statement(insert(user_emails).from_select(["tenant_id", "value_key", "user_id"], select(TENANT, _values.c.value, _ID)))
_REMOVE_EMAILS = Statement(delete(user_emails).where(*_OF_USER))


class Users:
    """What a Unit can do with users. Ended users are not there for any of it; an id that is not ours is nobody's."""

    def __init__(self, scoped: Scoped, base_url: str) -> None:
        self._scoped = scoped
        self._base_url = base_url

    @property
    def type(self) -> ResourceType:
        """What a user of this tenant is."""
        return self._scoped.types.user

    def get(self, user_id: str, *, groups: bool = True) -> Resource | None:
        """The user as last stored; with the groups unless they are not wanted."""
        row = self._scoped.row(_GET[groups], id=user_id) if ids.is_id(user_id) else None
        return documents.user(row, self.type) if row else None

    def lock(self, user_id: str) -> Resource | None:
        """The user, with the groups, to be changed: nobody else can change the user before this Unit ends. Raises Outdated."""
        resource_type = self.type  # before the row: a change of schemas locks in that order
        row = self._scoped.row(_LOCK, id=user_id) if ids.is_id(user_id) else None
        return self._scoped.up_to_date(documents.user(row, resource_type)) if row else None

    def find(self, bound: Bound | None, start: int, count: int, *, groups: bool = True, order: Order | None = None, **place: Any) -> Page:
        """A page of the users that satisfy the filter (all if None), in that order, or oldest first. ``place``: see ``Search.find``."""
        return _SEARCH.find(self._scoped, self.type, bound, start, count, links=groups, base_url=self._base_url, order=order, **place)

    def insert(self, document: Document, source: str = SCIM) -> Resource:
        """A new user. Raises Taken, at the commit at the latest, if a live user has a value that is unique: the userName, for one."""
        scoped = self._scoped
        user_id = ids.new(scoped.now)
        columns, emails = documents.user_columns(self.type, document)
        scoped.later(_INSERT, taken="userName", id=user_id, now=scoped.now_text, source=source, **columns)
        if emails:
            scoped.later(_ADD_EMAILS, id=user_id, emails=documents.dump(sorted(emails)))
        unique_values.take(scoped, self.type, user_id, document)
        if documents.is_active(document):
            periods.start_activity(scoped, user_id)
        return Resource(self.type, user_id, 1, scoped.now, scoped.now, document, (), self._manager(document))

    def update(self, user: Resource, document: Document, source: str = SCIM) -> Resource:
        """The locked user with another document: the next version, kept by ``source`` from now on. Raises Taken as ``insert`` does."""
        scoped = self._scoped
        modified = max(user.modified, scoped.now)
        columns, emails = documents.user_columns(self.type, document)
        values = {"id": user.id, "version": user.version + 1, "modified": documents.instant_text(modified), "source": source, **columns}
        scoped.later(_UPDATE, taken="userName", **values)
        if document.get("emails") != user.document.get("emails"):
            scoped.later(_REMOVE_EMAILS, id=user.id)
            if emails:
                scoped.later(_ADD_EMAILS, id=user.id, emails=documents.dump(sorted(emails)))
        unique_values.take(scoped, self.type, user.id, document, user.document, user.type)
        active = documents.is_active(document)
        if active != documents.is_active(user.document):
            (periods.start_activity if active else periods.end_activity)(scoped, user.id)
        same = documents.manager_id(document) == documents.manager_id(user.document)
        manager = user.manager if same else self._manager(document)
        return dataclasses.replace(user, version=user.version + 1, modified=modified, document=document, manager=manager)

    def end(self, user_id: str) -> tuple[str, ...]:
        """End the locked user: out of every group, active no more, userName, e-mails and unique values free. The ids of the groups."""
        left = periods.leave_groups(self._scoped, user_id)
        periods.end_activity(self._scoped, user_id)
        self._scoped.later(_REMOVE_EMAILS, id=user_id)
        unique_values.give_back(self._scoped, self.type, user_id)
        self._scoped.later(_END, id=user_id, now=self._scoped.now_text)
        return left

    def of_person(self, external_id: str) -> tuple[str, bool] | None:
        """(id, whether it has ended) of the user with that ``externalId``: a live one, or else one that was removed."""
        row = self._scoped.row(_BY_EXTERNAL_ID, external_id=documents.indexed(external_id))
        return (row[0], bool(row[1])) if row else None

    def named(self, user_name: str) -> str | None:
        """The id of the user with that userName, whatever its case."""
        row = self._scoped.row(_BY_NAME, user_name_key=documents.user_name_key(user_name))
        return row[0] if row else None

    def source(self, user_id: str) -> str | None:
        """Who keeps the user: SCIM or SIGN_IN."""
        row = self._scoped.row(_SOURCE, id=user_id)
        return row[0] if row else None

    def unclaimed(self, document: Document) -> str | None:
        """The id of a user that sign-ins keep, and that has the document's ``externalId`` or userName.

        There seldom is one. So unless the Unit is careful it presumes that there is none, without waiting for the answer; it fails
        (Unforeseen) where there is one after all.
        """
        values = {"user_name_key": documents.user_name_key(document["userName"]), "external_id": documents.external_id(document)}
        if not self._scoped.careful:
            self._scoped.presume(_NOBODY_UNCLAIMED, **values)
            return None
        row = self._scoped.row(_UNCLAIMED, **values)
        return row[0] if row else None

    def _manager(self, document: Document) -> Link | None:
        manager_id = documents.manager_id(document)
        row = self._scoped.row(_MANAGER, id=manager_id) if manager_id else None
        return documents.manager_link(row[0]) if row else None


_SEARCH = Search(USERS, _select_list, documents.user)
