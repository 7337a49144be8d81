"""Searching: one page of the resources of one type that satisfy a filter, oldest first.

Statements are made once per shape of filter and kept; a client's filters are few shapes. The
total costs a statement of its own only where the page does not tell it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, bindparam, func, select, true

from scim_server.scim import matching
from scim_server.scim.matching import Bound
from scim_server.scim.resources import Resource
from scim_server.store.columns import BASE_URL, TENANT, Columns
from scim_server.store.connections import Row
from scim_server.store.filter_sql import Condition, condition
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
    page: Statement
    total: Statement
    condition: Condition


class Search:
    """The searches of one resource type. ``select_list`` gives the columns of a row that ``read`` makes a Resource of."""

    def __init__(
        self, columns: Columns, select_list: Callable[[FromClause, bool], list[ColumnElement[Any]]], read: Callable[[Row], Resource]
    ) -> None:
        self._columns = columns
        self._select_list = select_list
        self._read = read
        self._searches: dict[Any, _Search] = {}

    def find(self, scoped: Scoped, bound: Bound | None, start: int, count: int, *, links: bool, base_url: str) -> Page:
        """At most ``count`` resources from the ``start``-th on (1-based), and how many there are in all."""
        shape, literals = matching.shape(bound) if bound is not None else (None, [])
        search = self._searches.get((shape, links))
        if search is None:
            search = self._remember(shape, links, bound)
        values = search.condition.values(literals)
        values[BASE_URL] = base_url
        resources: list[Resource] = []
        if count > 0:
            # One more than asked for tells whether the page is the last.
            found = scoped.rows(search.page, limit=count + 1, offset=start - 1, **values)
            resources = [self._read(row) for row in found[:count]]
            if len(found) <= count and (found or start == 1):
                return Page(start - 1 + len(found), resources)
        ((total,),) = scoped.rows(search.total, **values)
        return Page(total, resources)

    def _remember(self, shape: Any, links: bool, bound: Bound | None) -> _Search:
        if len(self._searches) >= _MAX_SHAPES:
            self._searches.clear()  # somebody makes shapes up; the common ones come back at once
        search = self._searches[shape, links] = self._build(bound, links)
        return search

    def _build(self, bound: Bound | None, links: bool) -> _Search:
        table = self._columns.table
        where = condition(bound, self._columns) if bound is not None else Condition(true(), ())
        live = (table.c.tenant_id == TENANT, table.c.ended.is_(None), where.sql)
        limit, offset = bindparam("limit", type_=BigInteger()), bindparam("offset", type_=BigInteger())
        # The page first, then what is read about its resources: a sub-select in the list of columns
        # would be evaluated for the rows that OFFSET skips, too. All the others need is in an index
        # where there is no filter.
        inner = select(table.c.id if bound is None else table).where(*live).order_by(table.c.id).limit(limit).offset(offset).subquery("page")
        if bound is None:
            page = select(*self._select_list(table, links)).select_from(inner.join(table, (table.c.tenant_id == TENANT) & (table.c.id == inner.c.id)))
            page = page.order_by(table.c.id)
        else:
            page = select(*self._select_list(inner, links)).order_by(inner.c.id)
        total = select(func.count()).select_from(table).where(*live)
        return _Search(Statement(page), Statement(total), where)
