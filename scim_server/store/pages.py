"""Searching: one page of the resources of one type that satisfy a filter, in the order of a sort, or oldest first.

A page begins at an index, or behind a position: where the page before ended. The latter costs the
same however far the walk has come, and nothing that stood still is lost or seen twice, whatever
comes and goes meanwhile.

Nobody is counted to say how many there are in all: that is in ``tallies``. What a filter finds is counted once, unless the page
tells it. Nor does a page of all, oldest first, begin at the beginning to get to its index, if there is a landmark on the way.

Statements are made once per shape of query and kept; a client's queries are few shapes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, and_, bindparam, cast, func, literal_column, null, or_, select

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
from scim_server.store.landmarks import Landmark
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, tallies
from scim_server.store.tables import Key as KeyType

_MAX_SHAPES = 500
_AFTER_ID, _AFTER_KEY, _FROM_ID, _SORT_WAY = "after_id", "after_key", "from_id", "sort_way_"


@dataclass
class Page:
    """Some of ``total`` resources. ``end`` is where the next page begins; None if there is nothing more."""

    total: int
    resources: list[Resource]
    end: Position | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """All of a query that its statements depend on.

    ``after``: what it goes on behind has a sort key ("key"), or has none ("id"). ``landmark``: it is counted from there.
    """

    links: bool
    order: Order | None = None
    after: str | None = None
    landmark: bool = False

    @property
    def key(self) -> Hashable:
        """Equal where the statements are the same: names of a tenant's own schema are parameters."""
        order = self.order
        return self.links, self.after, self.landmark, order and (matching.place(order.target) or order.target, order.descending)

    @property
    def ways(self) -> list[str]:
        """The literals that say where the values are that are sorted by, if they are a tenant's own."""
        return matching.ways(self.order.target) if self.order and matching.place(self.order.target) else []


@dataclass(frozen=True, slots=True)
class _Search:
    """What one shape of query becomes.

    ``page``: rows of the sort key, the total and the shifts (both NULL where there is a filter), and what makes a resource.
    ``total``: the total, and the shifts.
    """

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

        ``total`` is that number where it is known already, as on the later pages of a walk; without a filter nobody has to know it.
        """
        shape = Shape(links, order, None if after is None else "id" if order is None or after.key is None else "key")
        landmarks = scoped.landmarks if bound is None and order is None and after is None else None
        if landmarks is None:
            return self._found(scoped, resource_type, bound, shape, start, count, base_url, after, total)[0]
        everything = scoped.scope.tenant_id, resource_type.name
        landmark = landmarks.before(everything, start)
        page, shifts = self._found(scoped, resource_type, None, shape, start, count, base_url, landmark)
        if landmark is not None and shifts != landmark.shifts:  # something before it has come or gone
            page, shifts = self._found(scoped, resource_type, None, shape, start, count, base_url)
        if page.end is not None:
            landmarks.learn(everything, Landmark(start + count - 1, page.end.id, shifts), scoped.now)
        return page

    def _found(
        self,
        scoped: Scoped,
        resource_type: ResourceType,
        bound: Bound | None,
        shape: Shape,
        start: int,
        count: int,
        base_url: str,
        beginning: Position | Landmark | None = None,
        total: int | None = None,
    ) -> tuple[Page, int]:
        """A page that is counted from its beginning, and the shifts it came with (0 where there is a filter)."""
        place: dict[str, Any] = {"offset": start - 1}
        match beginning:
            case Landmark(number, id):
                place, shape = {_FROM_ID: id, "offset": start - number}, dataclasses.replace(shape, landmark=True)
            case Position(id, key):
                place = {_AFTER_ID: id, _AFTER_KEY: key} if shape.after == "key" else {_AFTER_ID: id}
        search, literals = self.search(bound, shape)
        values = {**search.values(literals), BASE_URL: base_url}
        # One more than asked for tells whether the page is the last.
        found = scoped.rows(search.page, limit=count + 1, **place, **values) if count > 0 else []
        shown = found[:count]
        resources = [self._read(row[3:], resource_type) for row in shown]
        end = Position(resources[-1].id, shown[-1][0] if shape.order else None) if len(found) > count > 0 else None
        if bound is None and found:
            total, shifts = found[0][1:3]
            return Page(total, resources, end), shifts
        if total is None and end is None and "offset" in place and count > 0 and (found or start == 1):
            return Page(start - 1 + len(found), resources), 0
        if total is None or bound is None:
            ((total, shifts),) = scoped.rows(search.total, **values)
            if "offset" in place and count > 0:  # somebody may have come or gone since the page was found: it is told as of then
                total = max(total, start - 1 + len(found)) if found else min(total, start - 1)
            return Page(total, resources, end), shifts or 0
        return Page(total, resources, end), 0

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
        if bound is None:
            total = select(*self._tallied())
        else:
            total = select(func.count(), null()).select_from(select(rows.c.id).where(*conditions).subquery("live"))
        # What a filter finds it has read; else an index has all that finding a page needs, and the rest is read for that page only.
        if bound is not None and shape.order is None:
            page = self._page(columns, live, shape)
        else:
            page = self._page_by_id(columns, live, shape, self._tallied() if bound is None else (null(), null()))
        return _Search(Statement(page), Statement(total), tuple(parameters))

    def _page(self, columns: Columns, live: Select[Any], shape: Shape) -> Select[Any]:
        """The page first, then what is read about its resources: else that would be read of those that OFFSET skips, too."""
        shown = _cut(live, columns.rows.c.id, None, shape).subquery("page")
        return select(null(), null(), null(), *self._select_list(shown, shape.links)).order_by(shown.c.id)

    def _page_by_id(self, columns: Columns, live: Select[Any], shape: Shape, tallied: Sequence[ColumnElement[Any]]) -> Select[Any]:
        rows, table = columns.rows, self._columns.rows
        ways = [bindparam(f"{_SORT_WAY}{n}", type_=KeyType) for n in range(len(shape.ways))]
        key = columns.sort_key(shape.order.target, ways or None) if shape.order else None
        found = live.with_only_columns(rows.c.id) if key is None else live.with_only_columns(rows.c.id, key.sql.label("sort_key"))
        ids = _cut(found, rows.c.id, key, shape).subquery("page")
        shown = table.join(ids, and_(table.c.tenant_id == TENANT, table.c.id == ids.c.id))
        sort_key = None if key is None else ids.c.sort_key
        told = null() if sort_key is None else sort_key
        page = select(told, *tallied, *self._select_list(table, shape.links)).select_from(shown)
        return page.order_by(*_in_order(table.c.id, sort_key, shape.order))

    def _tallied(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """How many live resources there are; and how often the place of one may have become another."""
        return _sum_of(tallies.c.live, self._columns.name), _sum_of(tallies.c.shifts, self._columns.name)


def _sum_of(column: ColumnElement[Any], resource_type: str) -> ColumnElement[Any]:
    its = tallies.c.tenant_id == TENANT, tallies.c.resource_type == literal_column(f"'{resource_type}'")
    return select(cast(func.coalesce(func.sum(column), literal_column("0")), BigInteger)).where(*its).scalar_subquery()


def _cut(rows: Select[Any], id: ColumnElement[Any], key: Operand | None, shape: Shape) -> Select[Any]:
    """Of the rows those of the page."""
    if shape.after is not None:
        rows = rows.where(_behind(id, key, shape))
    if shape.landmark:
        rows = rows.where(id >= bindparam(_FROM_ID, type_=Id))
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
