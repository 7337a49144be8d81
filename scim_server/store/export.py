"""Everything there is of one tenant, row by row: for a customer who leaves, and for whoever must prove what was.

Ended resources and closed periods are part of it. Never what opens anything (hashes, sealed secrets), nor what is kept only to
find something by (comparison keys, e-mail values): that follows from the documents.

Rows come in pages by key, so that no more than a page of them is in memory, whatever the tenant's size. Each page is found by
an index: memberships group by group, activity for the users of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, Select, Table, Text, bindparam, cast, literal_column, select, true, tuple_

from scim_server.scim import json_text
from scim_server.store import documents
from scim_server.store.columns import TENANT
from scim_server.store.connections import Row
from scim_server.store.dialects import apart, texts
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import (
    Id,
    Instant,
    Json,
    activity,
    credentials,
    directories,
    domains,
    events,
    groups,
    holdings,
    identity_links,
    mappings,
    memberships,
    restrictions,
    schemas,
    sessions,
    tenants,
    users,
)

TYPES = (
    *("tenant", "schema", "directory", "domain", "credential", "user", "activity", "group", "membership"),
    *("mapping", "restriction", "identity_link", "session", "holding", "event"),
)
"""Of rows, in the order in which they come; but a page of users comes with their activity, and a group with its memberships."""

_PAGE = 200
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
_LISTS = {credentials: ("scopes", "networks", "audiences"), sessions: ("roles",)}
"""Columns that hold several values, separated by blanks."""

_AFTER = bindparam("after", type_=Id)


class _Kind:
    """Rows of one table: what is read of it, and what a row becomes. ``names`` are columns, under the names they get."""

    def __init__(self, table: Table, *columns: str, **renamed: str) -> None:
        self.table = table
        self.columns = {**{name: name for name in columns}, **renamed}
        self._loads = {name: _load(table, column) for name, column in self.columns.items()}

    def select_list(self, rows: FromClause) -> list[ColumnElement[Any]]:
        return [_text(rows.c[column]) for column in self.columns.values()]

    def read(self, row: Row) -> dict[str, Any]:
        return {name: None if value is None else load(value) for (name, load), value in zip(self._loads.items(), row, strict=True)}

    def page(self) -> Statement:
        """Rows of the tenant after the one with the id ``after``."""
        own = select(*self.select_list(self.table)).where(self.table.c.tenant_id == TENANT, self.table.c.id > _AFTER)
        return _limited(own, self.table.c.id)


def _limited(rows: Select[Any], *order: ColumnElement[Any]) -> Statement:
    return Statement(rows.order_by(*order).limit(bindparam("limit")).offset(literal_column("0")))


def _text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, Text) if column.type is Id or column.type is Json else column


def _load(table: Table, column: str) -> Callable[[Any], Any]:
    kind = table.c[column].type
    if kind is Instant:
        return lambda value: documents.instant_text(documents.instant(value))
    if kind is Json:
        return partial(json_text.loads, exact=True)
    if isinstance(kind, Boolean):
        return bool
    return str.split if column in _LISTS.get(table, ()) else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


_TENANT = _Kind(tenants, "id", "name", "profile", "created", "suspended", "settings")
_SCHEMA = _Kind(schemas, "id", "resource_type", "required", "definition", "created", "modified")
_DIRECTORY = _Kind(directories, "id", "cloud", "tid", "label", "client_id", "authority", "graph", "certificate", "created", "ended")
_DOMAIN = _Kind(domains, "id", "name", "challenge", "state", "created", "verified", "checked", "missing_since", "finding", "directory_id")
_CREDENTIAL = _Kind(
    credentials,
    *("id", "kind", "label", "scopes", "networks", "issuer", "subject", "audiences", "jwks_uri", "directory_id"),
    *("created", "expires", "revoked", "last_used", "last_address"),
)
_USER = _Kind(users, "id", "version", "created", "modified", "ended", "source", document="doc")
_ACTIVITY = _Kind(activity, "id", "user_id", "valid_from", "valid_to")
_GROUP = _Kind(groups, "id", "version", "created", "modified", "ended", document="doc")
_MEMBERSHIP = _Kind(memberships, "id", "group_id", "member_id", "member_type", "valid_from", "valid_to")
_MAPPING = _Kind(mappings, "id", "role", "valid_from", "valid_to", group="group_oid")
_RESTRICTION = _Kind(restrictions, "id", "valid_from", "valid_to", group="group_oid")
_LINK = _Kind(identity_links, "id", "user_id", "directory_id", "tid", "oid", "sub", "how", "created", "ended", "claims", "claimed")
_SESSION = _Kind(
    sessions,
    *("id", "user_id", "link_id", "directory_id", "roles", "sid", "address", "user_agent"),
    *("created", "seen", "expires", "refreshed", "failing", "ended", "end_reason"),
)
_HOLDING = _Kind(holdings, "id", "user_id", "role", "source", "mapping_id", "valid_from", "valid_to", group="group_oid")
_SIGN_IN = {"mapping": _MAPPING, "restriction": _RESTRICTION, "identity_link": _LINK, "session": _SESSION, "holding": _HOLDING}
_EVENT = _Kind(events, "id", "occurred", "tag", "subject_id", "principal_kind", "principal_id", "request_id", "data")

_THE_TENANT = Statement(select(*_TENANT.select_list(tenants)).where(tenants.c.id == TENANT))
_SCHEMAS = Statement(select(*_SCHEMA.select_list(schemas)).where(schemas.c.tenant_id == TENANT).order_by(schemas.c.id))
_PAGES = {kind: kind.page() for kind in (_DIRECTORY, _DOMAIN, _CREDENTIAL, _USER, _GROUP, *_SIGN_IN.values(), _EVENT)}

_asked = texts(bindparam("user_ids")).table_valued("value", name="asked")
_of_asked = select(activity).where(activity.c.tenant_id == TENANT, activity.c.user_id == cast(_asked.c.value, Id))
_each = apart(_of_asked).lateral("periods")
_in_order = (activity.c.user_id, activity.c.id)
_ACTIVITY_OF = Statement(
    postgresql=select(*_ACTIVITY.select_list(_each)).select_from(_asked.join(_each, true())).order_by(_each.c.user_id, _each.c.id),
    sqlite=select(*_ACTIVITY.select_list(activity))
    .where(activity.c.tenant_id == TENANT, activity.c.user_id.in_(select(_asked.c.value)))
    .order_by(*_in_order),
)

_member_key = (memberships.c.member_id, memberships.c.tenant_id, memberships.c.id)
_MEMBERSHIPS_OF = _limited(
    select(*_MEMBERSHIP.select_list(memberships)).where(
        memberships.c.tenant_id == TENANT,
        memberships.c.group_id == bindparam("group_id", type_=Id),
        tuple_(*_member_key) > tuple_(bindparam("member_id", type_=Id), TENANT, _AFTER),
    ),
    *_member_key,
)


class Export:
    """What a Unit can tell of everything. In a Unit of ``Store.picture`` all of it is as it was in one moment."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def everything(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row as its type (one of ``TYPES``) and its values: instants as text in UTC, documents and event data as JSON values.

        Rows refer to one another by id. What is named comes before what names it, except that a group may be a member of one
        before it.
        """
        yield from (("tenant", _TENANT.read(row)) for row in self._scoped.rows(_THE_TENANT))
        yield from (("schema", _SCHEMA.read(row)) for row in self._scoped.rows(_SCHEMAS))
        for kind, name in ((_DIRECTORY, "directory"), (_DOMAIN, "domain"), (_CREDENTIAL, "credential")):
            for page in self._pages(kind):
                yield from ((name, each) for each in page)
        for page in self._pages(_USER):
            yield from (("user", each) for each in page)
            yield from (("activity", each) for each in self._activity([user["id"] for user in page]))
        for page in self._pages(_GROUP):
            for group in page:
                yield "group", group
                yield from (("membership", each) for each in self._memberships(group["id"]))
        for name, kind in _SIGN_IN.items():
            for page in self._pages(kind):
                yield from ((name, each) for each in page)
        for page in self._pages(_EVENT):
            yield from (("event", each) for each in page)

    def _pages(self, kind: _Kind) -> Iterator[list[dict[str, Any]]]:
        after = _BEFORE_ALL
        while page := [kind.read(row) for row in self._scoped.rows(_PAGES[kind], after=after, limit=_PAGE)]:
            yield page
            if len(page) < _PAGE:
                return
            after = page[-1]["id"]

    def _activity(self, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        return [_ACTIVITY.read(row) for row in self._scoped.rows(_ACTIVITY_OF, user_ids=documents.dump(user_ids))]

    def _memberships(self, group_id: str) -> Iterator[dict[str, Any]]:
        member_id = after = _BEFORE_ALL
        while True:
            rows = self._scoped.rows(_MEMBERSHIPS_OF, group_id=group_id, member_id=member_id, after=after, limit=_PAGE)
            page = [_MEMBERSHIP.read(row) for row in rows]
            yield from page
            if len(page) < _PAGE:
                return
            member_id, after = page[-1]["member_id"], page[-1]["id"]
