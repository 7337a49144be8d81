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
    Table,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.dialects import texts
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


def _named(oid: ColumnElement[Any]) -> Any:
    live = (groups.c.tenant_id == TENANT, groups.c.external_id == oid, groups.c.ended.is_(None))
    return select(func.min(groups.c.display_name)).where(*live).scalar_subquery()


def _provisioned(oid: ColumnElement[Any]) -> Any:
    ever = exists().where(memberships.c.tenant_id == TENANT, memberships.c.group_id == groups.c.id)
    return exists().where(groups.c.tenant_id == TENANT, groups.c.external_id == oid, groups.c.ended.is_(None), ever)


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


def _open(member_id: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    return memberships.c.tenant_id == TENANT, memberships.c.member_id == member_id, memberships.c.valid_to.is_(None)


def _above(first: Any) -> Any:
    """Groups: those that ``first`` selects, and all that they are in."""
    above = first.cte("above", recursive=True)
    return above.union(select(memberships.c.group_id).select_from(above).join(memberships, and_(*_open(above.c.id))))


_in_groups = _above(select(memberships.c.group_id.label("id")).where(*_open(bindparam("user_id", type_=Id))))
_group_of = and_(groups.c.id == _in_groups.c.id, groups.c.tenant_id == TENANT, groups.c.ended.is_(None))
_GROUPS_OF = Statement(
    select(groups.c.external_id).select_from(_in_groups).join(groups, _group_of).where(groups.c.external_id.is_not(None))
)

_watched = _above(select(cast(bindparam("group_id", type_=Id), Id).label("id")))
_watched_group = and_(groups.c.id == _watched.c.id, groups.c.tenant_id == TENANT)
_WATCHED = Statement(
    select(literal_column("1"))
    .select_from(_watched)
    .join(groups, _watched_group)
    .where(
        or_(
            *(
                exists().where(table.c.tenant_id == TENANT, table.c.group_oid == groups.c.external_id, table.c.valid_to.is_(None))
                for table in (mappings, restrictions)
            )
        )
    )
    .limit(literal_column("1"))
    .offset(literal_column("0"))
)

_asked = texts(bindparam("ids")).table_valued("value", name="asked")
_below = select(cast(_asked.c.value, Id).label("id")).cte("below", recursive=True)
_member = and_(memberships.c.tenant_id == TENANT, memberships.c.group_id == _below.c.id, memberships.c.valid_to.is_(None))
_below = _below.union(select(memberships.c.member_id).select_from(_below).join(memberships, _member))
_BELOW = Statement(select(cast(_below.c.id, Text)).where(TENANT.is_not(None)))


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
