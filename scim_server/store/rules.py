"""The rules of one tenant that give roles and let in: mappings and restrictions, by the object ids of the directory's groups.

Whether somebody is in such a group is known from SCIM, where the group is provisioned: there is a live group with that
object id as ``externalId``, and it has had a member. A group in a group counts, as it does in the directory.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.dialects import apart, texts
from scim_server.store.documents import dump, instant
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, groups, mappings, memberships, restrictions


@dataclass(frozen=True, slots=True)
class Rule:
    """Members of the group have the role; or (role None) they may sign in, and others may not.

    ``group`` is an object id in a directory. ``group_name`` is known where the group is in SCIM; ``provisioned``: SCIM says who is in it.
    """

    id: str
    group: str
    role: str | None
    since: datetime
    group_name: str | None
    provisioned: bool


def _called(oid: ColumnElement[Any]) -> Any:
    """The groups of that object id, apart. A group that has ended has none any more."""
    found = select(groups.c.id, groups.c.display_name).where(groups.c.tenant_id == TENANT, groups.c.external_id == oid)
    return apart(found.correlate(mappings, restrictions)).subquery("called")


def _named(oid: ColumnElement[Any]) -> Any:
    return select(func.min(_called(oid).c.display_name)).scalar_subquery()


def _provisioned(oid: ColumnElement[Any]) -> Any:
    called = _called(oid)
    ever = apart(select(literal_column("1")).where(memberships.c.tenant_id == TENANT, memberships.c.group_id == called.c.id))
    return exists(select(literal_column("1")).select_from(called).where(exists(ever.correlate(called))))


def _rules(table: Table, role: ColumnElement[Any]) -> Any:
    oid = table.c.group_oid
    columns = (cast(table.c.id, Text), oid.label("oid"), role.label("role"), table.c.valid_from, _named(oid), _provisioned(oid))
    return select(*columns).where(table.c.tenant_id == TENANT, table.c.valid_to.is_(None))


_ALL = Statement(union_all(_rules(mappings, mappings.c.role), _rules(restrictions, cast(null(), Text))).order_by("oid", "role"))

_ID = bindparam("id", type_=Id)
_OID: ColumnElement[Any] = bindparam("group_oid")
_PLACE: dict[str, Any] = {"tenant_id": TENANT, "id": _ID, "group_oid": _OID, "valid_from": NOW}
_ADD_MAPPING = Statement(insert(mappings).values({**_PLACE, "role": bindparam("role")}))
_ADD_RESTRICTION = Statement(insert(restrictions).values(_PLACE))
_END_MAPPING = Statement(
    update(mappings)
    .values(valid_to=NOW)
    .where(
        mappings.c.tenant_id == TENANT, mappings.c.group_oid == _OID, mappings.c.role == bindparam("role"), mappings.c.valid_to.is_(None)
    )
    .returning(cast(mappings.c.id, Text))
)
_END_RESTRICTION = Statement(
    update(restrictions)
    .values(valid_to=NOW)
    .where(restrictions.c.tenant_id == TENANT, restrictions.c.group_oid == _OID, restrictions.c.valid_to.is_(None))
)


def _looked_up(rows: Select[Any], outer: FromClause, name: str) -> Any:
    """The rows for each row of ``outer``, which they name: looked up one by one (PostgreSQL)."""
    return apart(rows.correlate(outer)).lateral(name)


def _of_member(member_id: ColumnElement[Any]) -> Select[Any]:
    open_ = (memberships.c.tenant_id == TENANT, memberships.c.member_id == member_id, memberships.c.valid_to.is_(None))
    return select(memberships.c.group_id).where(*open_)


def _above(first: Any, *, lateral: bool) -> Any:
    """Groups: those that ``first`` selects, and all that they are in."""
    above: Any = first.cte("above", recursive=True)
    if lateral:
        outer = _looked_up(_of_member(above.c.id), above, "outer_groups")
        return above.union(select(outer.c.group_id).select_from(above.join(outer, true())))
    return above.union(_of_member(above.c.id))


def _external_ids(above: Any, *, lateral: bool) -> Select[Any]:
    """Of those groups; a group that has ended has none."""
    found = select(groups.c.external_id).where(groups.c.tenant_id == TENANT, groups.c.id == above.c.id)
    if lateral:
        group = _looked_up(found, above, "group")
        return select(group.c.external_id).select_from(above.join(group, true())).where(group.c.external_id.is_not(None))
    return found.where(groups.c.external_id.is_not(None))


def _about(table: Table, external_id: ColumnElement[Any], outer: FromClause) -> Any:
    """Whether a rule of that kind is about it."""
    rule: Select[Any] = select(literal_column("1")).where(
        table.c.tenant_id == TENANT, table.c.group_oid == external_id, table.c.valid_to.is_(None)
    )
    return exists(apart(rule.correlate(outer)))


def _watched(*, lateral: bool) -> Select[Any]:
    itself = select(cast(bindparam("group_id", type_=Id), Id).label("id"))
    ids = _external_ids(_above(itself, lateral=lateral), lateral=lateral).subquery("ids")
    ruled = or_(*(_about(table, ids.c.external_id, ids) for table in (mappings, restrictions)))
    return select(literal_column("1")).select_from(ids).where(ruled).limit(literal_column("1")).offset(literal_column("0"))


_USERS_GROUPS = _of_member(bindparam("user_id", type_=Id)).with_only_columns(memberships.c.group_id.label("id"))
_GROUPS_OF = Statement(
    postgresql=_external_ids(_above(_USERS_GROUPS, lateral=True), lateral=True),
    sqlite=_external_ids(_above(_USERS_GROUPS, lateral=False), lateral=False),
)
_WATCHED = Statement(postgresql=_watched(lateral=True), sqlite=_watched(lateral=False))

_asked = texts(bindparam("ids")).table_valued("value", name="asked")


def _below(*, lateral: bool) -> Select[Any]:
    below: Any = select(cast(_asked.c.value, Id).label("id")).cte("below", recursive=True)
    # Without regard to which are open: then there is one index only that finds them.
    members = select(memberships.c.member_id, memberships.c.valid_to).where(
        memberships.c.tenant_id == TENANT, memberships.c.group_id == below.c.id
    )
    if lateral:
        inner = _looked_up(members, below, "inner_members")
        found = select(inner.c.member_id).select_from(below.join(inner, true())).where(inner.c.valid_to.is_(None))
    else:
        found = members.with_only_columns(memberships.c.member_id).where(memberships.c.valid_to.is_(None))
    return select(cast(below.union(found).c.id, Text))


_BELOW = Statement(postgresql=_below(lateral=True), sqlite=_below(lateral=False))


class Rules:
    """What a Unit can do with mappings and restrictions."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def all(self) -> list[Rule]:
        """Those that hold now, by group; mappings have a role, restrictions have none."""
        return [
            Rule(rule_id, group, role, instant(since), name, bool(provisioned))
            for rule_id, group, role, since, name, provisioned in self._scoped.rows(_ALL)
        ]

    def add_mapping(self, group: str, role: str) -> str:
        """The id of a new mapping. Raises Taken ("mapping"), at the commit at the latest, if it is there."""
        mapping_id = ids.new(self._scoped.now)
        self._scoped.later(_ADD_MAPPING, taken="mapping", id=mapping_id, group_oid=group, role=role, now=self._scoped.now_text)
        return mapping_id

    def end_mapping(self, group: str, role: str) -> str | None:
        """The id of the mapping that ended, if there was one."""
        row = self._scoped.row(_END_MAPPING, group_oid=group, role=role, now=self._scoped.now_text)
        return row[0] if row else None

    def restrict(self, add: Collection[str], remove: Collection[str]) -> None:
        """Let members of these groups sign in, and no more those of these."""
        for group in remove:
            self._scoped.later(_END_RESTRICTION, group_oid=group, now=self._scoped.now_text)
        for group in add:
            self._scoped.later(
                _ADD_RESTRICTION, taken="restriction", id=ids.new(self._scoped.now), group_oid=group, now=self._scoped.now_text
            )

    def groups_of(self, user_id: str) -> frozenset[str]:
        """The external ids of the groups that the user is in, in SCIM; also by way of another group."""
        return frozenset(external_id for (external_id,) in self._scoped.rows(_GROUPS_OF, user_id=user_id))

    def watch(self, group_id: str) -> bool:
        """Whether a rule is about the group (a row of ``groups``), or about one that it is in."""
        return self._scoped.row(_WATCHED, group_id=group_id) is not None

    def below(self, member_ids: Collection[str]) -> frozenset[str]:
        """These members, and all who are in them."""
        return (
            frozenset(member_id for (member_id,) in self._scoped.rows(_BELOW, ids=dump(sorted(member_ids)))) if member_ids else frozenset()
        )
