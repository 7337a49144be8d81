"""Searching: one page of the resources of one type that satisfy a filter, in the order of a sort, or oldest first.

A page begins at an index, or behind a position: where the page before ended. The latter costs the
same however far the walk has come, and nothing that stood still is lost or seen twice, whatever
comes and goes meanwhile.

Statements are made once per shape of query and kept; a client's queries are few shapes. The total
costs a statement of its own only where the page does not tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, and_, bindparam, func, literal_column, or_, select

from scim_server.scim import matching
from scim_server.scim.matching import Bound, Key
from scim_server.scim.ordering import Order
from scim_server.scim.paging import Position
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import ResourceType
from scim_server.store.columns import BASE_URL, TENANT, Columns, Operand
from scim_server.store.connections import Row
from scim_server.store.dialects import apart
from scim_server.store.filter_sql import Parameter, condition, lookup
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id
from scim_server.store.tables import Key as KeyType

_MAX_SHAPES = 500
_AFTER_ID, _AFTER_KEY, _SORT_WAY = "after_id", "after_key", "sort_way_"


@dataclass
class Page:
    """Some of ``total`` resources. ``end`` is where the next page begins; None if there is nothing more."""

    total: int
    resources: list[Resource]
    end: Position | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """All of a query that its statements depend on. ``after``: what it goes on behind has a sort key ("key"), or has none ("id")."""

    links: bool
    order: Order | None = None
    after: str | None = None

    @property
    def key(self) -> Hashable:
        """Equal where the statements are the same: names of a tenant's own schema are parameters."""
        order = self.order
        return self.links, self.after, order and (matching.place(order.target) or order.target, order.descending)

    @property
    def ways(self) -> list[str]:
        """The literals that say where the values are that are sorted by, if they are a tenant's own."""
        return matching.ways(self.order.target) if self.order and matching.place(self.order.target) else []


@dataclass(frozen=True, slots=True)
class _Search:
    """What one shape of query becomes."""

    page: Statement
    total: Statement
    parameters: tuple[Parameter, ...]

    def values(self, literals: list[Key]) -> dict[str, Any]:
        return {each.name: each.convert(literals[each.place]) for each in self.parameters}


class Search:
    """The searches of one resource type. ``select_list`` gives the columns of a row that ``read`` makes a Resource of."""

    def __init__(
        self,
        columns: Columns,
        select_list: Callable[[FromClause, bool], list[ColumnElement[Any]]],
        read: Callable[[Row, ResourceType], Resource],
    ) -> None:
        self._columns = columns
        self._select_list = select_list
        self._read = read
        self._searches: dict[Any, _Search] = {}

    def find(
        self,
        scoped: Scoped,
        resource_type: ResourceType,
        bound: Bound | None,
        start: int,
        count: int,
        *,
        links: bool,
        base_url: str,
        order: Order | None = None,
        after: Position | None = None,
        total: int | None = None,
    ) -> Page:
        """At most ``count`` resources from the ``start``-th on (1-based), or behind ``after``; and how many there are in all.

        ``total`` is that number where it is known already, as on the later pages of a walk.
        """
        shape = Shape(links, order, None if after is None else "id" if order is None or after.key is None else "key")
        search, literals = self.search(bound, shape)
        values = search.values(literals)
        values[BASE_URL] = base_url
        resources: list[Resource] = []
        end = None
        if count > 0:
            # One more than asked for tells whether the page is the last.
            place = {"offset": start - 1} if after is None else {_AFTER_ID: after.id}
            if shape.after == "key":
                place[_AFTER_KEY] = after.key  # type: ignore[assignment, union-attr]  # there is one, or the shape would be another
            found = scoped.rows(search.page, limit=count + 1, **place, **values)
            shown = found[:count]
            resources = [self._read(row[1:], resource_type) for row in shown]
            if len(found) > count:
                end = Position(resources[-1].id, shown[-1][0] if order else None)
            elif after is None and (found or start == 1):
                return Page(start - 1 + len(found), resources)
        if total is None:
            ((total,),) = scoped.rows(search.total, **values)
        return Page(total, resources, end)

    def search(self, bound: Bound | None, shape: Shape) -> tuple[_Search, list[Key]]:
        """The statements for a filter, and its literals."""
        asked, literals = matching.shape(bound) if bound is not None else (None, [])
        key = asked, shape.key
        search = self._searches.get(key)
        if search is None:
            if len(self._searches) >= _MAX_SHAPES:
                self._searches.clear()  # somebody makes shapes up; the common ones come back at once
            search = self._searches[key] = self._made(bound, shape, len(literals))
        return search, [*literals, *shape.ways]

    def _made(self, bound: Bound | None, shape: Shape, literals: int) -> _Search:
        columns = self._columns
        parameters = [Parameter(f"{_SORT_WAY}{n}", literals + n, str) for n in range(len(shape.ways))]
        if bound is not None and (found := lookup(bound, columns)) is not None:
            # With ORDER BY and LIMIT in sight the planner might walk through the tenant in order instead.
            few = apart(select(columns.rows).where(columns.rows.c.tenant_id == TENANT, found.sql))
            columns = columns.over(few.subquery("found"))
            parameters += found.parameters
        rows = columns.rows
        conditions = [rows.c.tenant_id == TENANT, rows.c.ended.is_(None)]
        if bound is not None:
            where = condition(bound, columns)
            conditions.append(where.sql)
            parameters += where.parameters
        live = select(rows).where(*conditions)
        total = select(func.count()).select_from(select(rows.c.id).where(*conditions).subquery("live"))
        # What a filter finds it has read; else an index has all that finding a page needs, and the rest is read for that page only.
        page = self._page(columns, live, shape) if bound is not None and shape.order is None else self._page_by_id(columns, live, shape)
        return _Search(Statement(page), Statement(total), tuple(parameters))

    def _page(self, columns: Columns, live: Select[Any], shape: Shape) -> Select[Any]:
        """The page first, then what is read about its resources: else that would be read of those that OFFSET skips, too."""
        shown = _cut(live, columns.rows.c.id, None, shape).subquery("page")
        return select(shown.c.id, *self._select_list(shown, shape.links)).order_by(shown.c.id)

    def _page_by_id(self, columns: Columns, live: Select[Any], shape: Shape) -> Select[Any]:
        rows, table = columns.rows, self._columns.rows
        ways = [bindparam(f"{_SORT_WAY}{n}", type_=KeyType) for n in range(len(shape.ways))]
        key = columns.sort_key(shape.order.target, ways or None) if shape.order else None
        found = live.with_only_columns(rows.c.id) if key is None else live.with_only_columns(rows.c.id, key.sql.label("sort_key"))
        ids = _cut(found, rows.c.id, key, shape).subquery("page")
        shown = table.join(ids, and_(table.c.tenant_id == TENANT, table.c.id == ids.c.id))
        told, sort_key = (table.c.id, None) if key is None else (ids.c.sort_key, ids.c.sort_key)
        page = select(told, *self._select_list(table, shape.links)).select_from(shown)
        return page.order_by(*_in_order(table.c.id, sort_key, shape.order))


def _cut(rows: Select[Any], id: ColumnElement[Any], key: Operand | None, shape: Shape) -> Select[Any]:
    """Of the rows those of the page."""
    if shape.after is not None:
        rows = rows.where(_behind(id, key, shape))
    page = rows.order_by(*_in_order(id, None if key is None else key.sql, shape.order)).limit(bindparam("limit", type_=BigInteger()))
    return page.offset(literal_column("0") if shape.after is not None else bindparam("offset", type_=BigInteger()))


def _in_order(id: ColumnElement[Any], key: ColumnElement[Any] | None, order: Order | None) -> Iterator[ColumnElement[Any]]:
    if key is not None and order is not None:
        yield key.is_(None).desc() if order.descending else key.is_(None)
        yield key.desc() if order.descending else key
    yield id


def _behind(id: ColumnElement[Any], key: Operand | None, shape: Shape) -> ColumnElement[bool]:
    """What comes after a position, in an order in which nothing is equal."""
    after_id = id > bindparam(_AFTER_ID, type_=Id)
    if key is None or shape.order is None:
        return after_id
    if shape.after == "id":
        behind = and_(key.sql.is_(None), after_id)
        return or_(behind, key.sql.is_not(None)) if shape.order.descending else behind
    known = bindparam(_AFTER_KEY, type_=key.type)
    if shape.order.descending:
        return or_(key.sql < known, and_(key.sql == known, after_id))
    return or_(key.sql > known, and_(key.sql == known, after_id), key.sql.is_(None))
