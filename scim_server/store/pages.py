"""Searching: one page of the resources of one type that satisfy a filter, oldest first.

Statements are made once per shape of filter and kept; a client's filters are few shapes. The
total costs a statement of its own only where the page does not tell it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, and_, bindparam, func, select

from scim_server.scim import matching
from scim_server.scim.matching import Bound, Key
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import ResourceType
from scim_server.store.columns import BASE_URL, TENANT, Columns
from scim_server.store.connections import Row
from scim_server.store.dialects import apart
from scim_server.store.filter_sql import Parameter, condition, lookup
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement

_MAX_SHAPES = 500


@dataclass
class Page:
    """Some of ``total`` resources."""

    total: int
    resources: list[Resource]


@dataclass(frozen=True, slots=True)
class _Search:
    """What one shape of filter becomes."""

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
        self, scoped: Scoped, resource_type: ResourceType, bound: Bound | None, start: int, count: int, *, links: bool, base_url: str
    ) -> Page:
        """At most ``count`` resources from the ``start``-th on (1-based), and how many there are in all."""
        search, literals = self.search(bound, links)
        values = search.values(literals)
        values[BASE_URL] = base_url
        resources: list[Resource] = []
        if count > 0:
            # One more than asked for tells whether the page is the last.
            found = scoped.rows(search.page, limit=count + 1, offset=start - 1, **values)
            resources = [self._read(row, resource_type) for row in found[:count]]
            if len(found) <= count and (found or start == 1):
                return Page(start - 1 + len(found), resources)
        ((total,),) = scoped.rows(search.total, **values)
        return Page(total, resources)

    def search(self, bound: Bound | None, links: bool) -> tuple[_Search, list[Key]]:
        """The statements for a filter, and its literals."""
        shape, literals = matching.shape(bound) if bound is not None else (None, [])
        search = self._searches.get((shape, links))
        if search is None:
            if len(self._searches) >= _MAX_SHAPES:
                self._searches.clear()  # somebody makes shapes up; the common ones come back at once
            search = self._searches[shape, links] = self._everything(links) if bound is None else self._filtered(bound, links)
        return search, literals

    def _everything(self, links: bool) -> _Search:
        """An index has all that finding a page needs; the rest is read for that page only."""
        table = self._columns.rows
        live = select(table.c.id).where(table.c.tenant_id == TENANT, table.c.ended.is_(None))
        ids = _page_of(live, table.c.id).subquery("page")
        rows = table.join(ids, and_(table.c.tenant_id == TENANT, table.c.id == ids.c.id))
        page = select(*self._select_list(table, links)).select_from(rows).order_by(table.c.id)
        return _Search(Statement(page), Statement(select(func.count()).select_from(live.subquery("live"))), ())

    def _filtered(self, bound: Bound, links: bool) -> _Search:
        columns = self._columns
        table = columns.rows
        found = lookup(bound, columns)
        if found is not None:
            # With ORDER BY and LIMIT in sight the planner might walk through the tenant in order instead.
            few = apart(select(table).where(table.c.tenant_id == TENANT, found.sql))
            columns = columns.over(few.subquery("found"))
        rows = columns.rows
        where = condition(bound, columns)
        live = select(rows).where(rows.c.tenant_id == TENANT, rows.c.ended.is_(None), where.sql)
        # The page first, then what is read about its resources: a sub-select in the list of columns
        # would be evaluated for the rows that OFFSET skips, too.
        shown = _page_of(live, rows.c.id).subquery("page")
        page = select(*self._select_list(shown, links)).order_by(shown.c.id)
        total = select(func.count()).select_from(live.subquery("live"))
        return _Search(Statement(page), Statement(total), (*(found.parameters if found else ()), *where.parameters))


def _page_of(rows: Select[Any], order: ColumnElement[Any]) -> Select[Any]:
    limit, offset = bindparam("limit", type_=BigInteger()), bindparam("offset", type_=BigInteger())
    return rows.order_by(order).limit(limit).offset(offset)
