"""Members of groups: open rows of ``memberships``. Whoever changes them has locked the group, or just made it.

What changes k members costs O(k), whatever the size of the group. PostgreSQL's planner would now
and then read the whole group instead (for ``= ANY``, or a join, under a plan made before the
values are known), so each id is looked up by itself: by plain equality if it is one, else in a
LATERAL sub-select that cannot be merged into its surroundings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, Text, bindparam, cast, except_, func, literal_column, select, true, union_all
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.scim import matching
from scim_server.scim.matching import Bound
from scim_server.scim.resources import Link
from scim_server.store import documents, ids, links
from scim_server.store.columns import BASE_URL, TENANT, Elements, member_leaf
from scim_server.store.dialects import apart, texts
from scim_server.store.errors import UnknownMembers
from scim_server.store.filter_sql import Parameter, element_condition
from scim_server.store.periods import NOW, closed_memberships
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, groups, memberships, users

_MAX_SHAPES = 100

_GROUP = bindparam("group_id", type_=Id)
_MEMBER = bindparam("member_id", type_=Id)
_PERIOD = bindparam("period_id", type_=Id)

_asked = texts(bindparam("ids")).table_valued("value", name="asked")
_asked_id = cast(_asked.c.value, Id)
_member_id = cast(memberships.c.member_id, Text)

_OPEN = (memberships.c.tenant_id == TENANT, memberships.c.group_id == _GROUP, memberships.c.valid_to.is_(None))


def _membership(member_id: ColumnElement[Any], kind: str) -> Select[Any]:
    return select(TENANT, _GROUP, member_id, _PERIOD, literal_column(f"'{kind}'"), NOW)


def _live(table: Table, kind: str) -> Select[Any]:
    """Rows for ``memberships`` from those ids that are asked for and live in the table (SQLite)."""
    live = (table.c.tenant_id == TENANT, table.c.ended.is_(None), table.c.id.in_(select(_asked.c.value)))
    return _membership(table.c.id, kind).where(*live)


def _live_locked(table: Table, kind: str) -> Select[Any]:
    """The same (PostgreSQL): they cannot end before this Unit does, so no membership is left open without them."""
    live = (table.c.tenant_id == TENANT, table.c.ended.is_(None), table.c.id == _asked_id)
    found = select(table.c.id).where(*live).with_for_update(read=True).lateral(table.name)
    return _membership(found.c.id, kind).select_from(_asked.join(found, true()))


_COLUMNS = ["tenant_id", "group_id", "member_id", "id", "member_type", "valid_from"]
_NOT_YET: dict[str, Any] = {
    "index_elements": ["group_id", "member_id", "tenant_id"],
    "index_where": memberships.c.valid_to.is_(None),
}
_ADD = Statement(
    postgresql=postgresql.insert(memberships)
    .from_select(_COLUMNS, union_all(_live_locked(users, "User"), _live_locked(groups, "Group")))
    .on_conflict_do_nothing(**_NOT_YET)
    .returning(_member_id),
    sqlite=sqlite.insert(memberships)
    .from_select(_COLUMNS, union_all(_live(users, "User"), _live(groups, "Group")))
    .on_conflict_do_nothing(**_NOT_YET)
    .returning(_member_id),
)

_place: ColumnElement[Any] = literal_column("memberships.ctid")
_one_open = select(_place.label("place"), memberships.c.member_id).where(*_OPEN, memberships.c.member_id == _asked_id)
_each_open = apart(_one_open).lateral("found")
_among_asked = memberships.c.member_id.in_(select(_asked.c.value))
_ALREADY = Statement(
    postgresql=select(cast(_each_open.c.member_id, Text)).select_from(_asked.join(_each_open, true())),
    sqlite=select(_member_id).where(*_OPEN, _among_asked),
)

_REMOVE_ONE = Statement(closed_memberships().where(*_OPEN, memberships.c.member_id == _MEMBER).returning(_member_id))
_places = select(_each_open.c.place).select_from(_asked.join(_each_open, true())).scalar_subquery()
_REMOVE = Statement(
    # No condition of the group's here: it would offer the planner the group's index.
    postgresql=closed_memberships().where(_place == func.any(func.array(_places))).returning(_member_id),
    sqlite=closed_memberships().where(*_OPEN, _among_asked).returning(_member_id),
)

_REMOVE_OTHERS = Statement(closed_memberships().where(*_OPEN, memberships.c.member_id.not_in(select(_asked_id))).returning(_member_id))
_missing = except_(select(_asked_id.label("id")), select(memberships.c.member_id).where(*_OPEN)).subquery("missing")
_MISSING = Statement(select(cast(_missing.c.id, Text)))

_OF = Statement(select(links.members_of(_GROUP)))


class Members:
    """What a Unit can do with the members of a group."""

    _searches: dict[Any, tuple[Statement, tuple[Parameter, ...]]] = {}  # noqa: RUF012  one for all: statements by shape of filter

    def __init__(self, scoped: Scoped, base_url: str) -> None:
        self._scoped = scoped
        self._base_url = base_url

    def of(self, group_id: str) -> tuple[Link, ...]:
        """The members, users and groups."""
        row = self._scoped.row(_OF, group_id=group_id) if ids.is_id(group_id) else None
        return documents.members(row[0]) if row else ()

    def add(self, group_id: str, member_ids: Iterable[str]) -> tuple[str, ...]:
        """Make live users and groups members. Those that were none yet, in the order asked for.

        Raises UnknownMembers if there are ids that no live user or group of the tenant has.
        """
        asked = list(dict.fromkeys(member_ids))
        added = self._add(group_id, [each for each in asked if ids.is_id(each)])
        if len(added) < len(asked):
            rest = [each for each in asked if each not in added]
            already = self._ids(_ALREADY, group_id, [each for each in rest if ids.is_id(each)])
            unknown = [each for each in rest if each not in already]
            if unknown:
                raise self._scoped.refused(UnknownMembers(unknown))
        return tuple(each for each in asked if each in added)

    def remove(self, group_id: str, member_ids: Iterable[str]) -> tuple[str, ...]:
        """Make these members no more. Those that were members, in the order asked for."""
        asked = [each for each in dict.fromkeys(member_ids) if ids.is_id(each)]
        if len(asked) == 1:
            row = self._scoped.row(_REMOVE_ONE, group_id=group_id, member_id=asked[0], now=self._scoped.now_text)
            return tuple(asked) if row else ()
        removed = self._ids(_REMOVE, group_id, asked, now=self._scoped.now_text)
        return tuple(each for each in asked if each in removed)

    def remove_where(self, group_id: str, bound: Bound) -> tuple[str, ...]:
        """Make the members that satisfy the filter (``matching.bind_element``) members no more. Who they were."""
        shape, literals = matching.shape(bound)
        statement, parameters = self._searches.get(shape) or self._remember(shape, bound)
        values = {
            "group_id": group_id,
            "now": self._scoped.now_text,
            BASE_URL: self._base_url,
            **{each.name: each.convert(literals[each.place]) for each in parameters},
        }
        return tuple(sorted(member_id for (member_id,) in self._scoped.rows(statement, **values)))

    def replace(self, group_id: str, member_ids: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Make exactly these the members. Who came, in the order asked for, and who went.

        Raises UnknownMembers as ``add`` does.
        """
        asked = list(dict.fromkeys(member_ids))
        valid = [each for each in asked if ids.is_id(each)]
        values = {"group_id": group_id, "ids": documents.dump(valid)}
        removed = [member_id for (member_id,) in self._scoped.rows(_REMOVE_OTHERS, now=self._scoped.now_text, **values)]
        missing = {member_id for (member_id,) in self._scoped.rows(_MISSING, **values)} if valid else set()
        new = [each for each in asked if each in missing or not ids.is_id(each)]
        return self.add(group_id, new) if new else (), tuple(sorted(removed))

    def _add(self, group_id: str, member_ids: Sequence[str]) -> set[str]:
        values = {"period_id": ids.new(self._scoped.now), "now": self._scoped.now_text}
        return self._ids(_ADD, group_id, member_ids, **values)

    def _ids(self, statement: Statement, group_id: str, member_ids: Sequence[str], **values: Any) -> set[str]:
        """The ids that a statement gives for a list of ids."""
        if not member_ids:
            return set()
        return {row[0] for row in self._scoped.rows(statement, group_id=group_id, ids=documents.dump(member_ids), **values)}

    def _remember(self, shape: Any, bound: Bound) -> tuple[Statement, tuple[Parameter, ...]]:
        if len(self._searches) >= _MAX_SHAPES:
            self._searches.clear()
        condition = element_condition(bound, Elements(memberships, lambda sub, _: member_leaf(sub)))
        statement = Statement(closed_memberships().where(*_OPEN, condition.sql).returning(_member_id))
        self._searches[shape] = statement, condition.parameters
        return statement, condition.parameters
