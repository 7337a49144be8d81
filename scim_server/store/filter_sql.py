"""Bound filters as SQL conditions (RFC 7644 §3.4.2.2); the meaning is that of ``matching.matches``.

What SQL does differently is bent here: a comparison with NULL is false (``ne``: true), also under
``not``; several values are asked by EXISTS, and everything in one pair of brackets by one EXISTS,
so that one and the same element must satisfy it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Boolean, ColumnElement, Select, and_, bindparam, exists, false, func, literal_column, not_, null, or_, select

from scim_server.scim.attributes import Attribute, Target
from scim_server.scim.filters import And, Not, Or
from scim_server.scim.matching import Bound, Some, Term, place, shape, ways
from scim_server.store.columns import Columns, Elements, Leaf, Lookup, Operand
from scim_server.store.dialects import contains, ends_with, starts_with
from scim_server.store.tables import Key

_Condition: TypeAlias = ColumnElement[bool]

_LOOKUP = "sought"

# SQLAlchemy leaves out what stands beside its own false(), the tenant among it.
_NOBODY = literal_column("1 = 0", Boolean())
_COMPARISONS: dict[str, Callable[[Any, Any], _Condition]] = {
    "eq": lambda value, key: value == key,
    "ne": lambda value, key: value.is_distinct_from(key),
    "co": contains,
    "sw": starts_with,
    "ew": ends_with,
    "gt": lambda value, key: value > key,
    "ge": lambda value, key: value >= key,
    "lt": lambda value, key: value < key,
    "le": lambda value, key: value <= key,
}


class Parameter(NamedTuple):
    """A parameter that stands for a literal: its name, the literal's place in ``matching.shape``, what is made of its key."""

    name: str
    place: int
    convert: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on rows, and its parameters."""

    sql: _Condition
    parameters: tuple[Parameter, ...]


def condition(bound: Bound, columns: Columns) -> Condition:
    """The filter as a condition on the rows of ``columns``."""
    writer = _Writer(columns)
    return Condition(writer.write(bound), tuple(writer.parameters))


def element_condition(bound: Bound, elements: Elements) -> Condition:
    """The filter as a condition on one element of a multi-valued attribute, which is a row."""
    writer = _Writer(None)
    return Condition(writer.write_element(bound, elements), tuple(writer.parameters))


def lookup(bound: Bound, columns: Columns) -> Condition | None:
    """A condition that follows from the filter, and by which few rows are found in an index; None if there is none."""
    for term, way, key in _necessary(bound, 0, ()):
        if term.op != "eq":
            continue
        if _is_unique(term.target):
            names = tuple(Parameter(f"{_LOOKUP}_way_{n}", each, str) for n, each in enumerate(way))
            known: Lookup | None = columns.unique(*(bindparam(each.name, type_=Key) for each in names))
        else:
            names, known = (), columns.lookups.get(str(term.target))
        if known is not None:
            parameter = bindparam(_LOOKUP, type_=known.value.type)
            return Condition(known.found(parameter), (*names, Parameter(_LOOKUP, key, known.value.convert)))
    return None


def _is_unique(target: Target) -> bool:
    found = place(target)
    return found is not None and found.unique


class _Writer:
    def __init__(self, columns: Columns | None) -> None:
        self._columns = columns
        self._literals = 0
        self.parameters: list[Parameter] = []

    def write(self, bound: Bound) -> _Condition:
        """What a resource must satisfy."""
        match bound:
            case Term(target):
                return self._term(bound, target)
            case Some(target, term):
                return self._some(target, term)
            case And(terms):
                return and_(*(self.write(each) for each in terms))
            case Or(terms):
                return or_(*(self.write(each) for each in terms)) if terms else _NOBODY
            case Not(term):
                return _negated(self.write(term))

    def write_element(self, bound: Bound, elements: Elements) -> _Condition:
        """What one element must satisfy."""
        match bound:
            case Term(target, op):
                way = self._ways(target, inside=True)
                present, compared = self._asked(elements, target.sub, way[0] if way else None, bound)
                if compared is None:
                    return present
                several = target.sub is not None and target.sub.multi_valued
                return or_(not_(present), compared) if op == "ne" and several else compared
            case And(terms):
                return and_(*(self.write_element(each, elements) for each in terms))
            case Or(terms):
                return or_(*(self.write_element(each, elements) for each in terms))
            case Not(term):
                return _negated(self.write_element(term, elements))
            case Some():
                raise AssertionError("an element has no elements")

    def _term(self, term: Term, target: Target) -> _Condition:
        columns, attribute = self._columns, target.attribute
        assert columns is not None
        way = self._ways(target)
        if attribute is None or not (attribute.multi_valued or target.leaf.multi_valued):
            return columns.present(target, way) if term.op == "pr" else self._compared(columns.leaf(target, way), term)
        elements = columns.elements(target, way)
        sub = target.sub if attribute.multi_valued else None
        if term.op == "pr" and sub is None:
            return _some_row(columns, elements)
        present_in, compared = self._asked(elements, sub, way[1] if way and sub else None, term)
        present = _some_row(columns, elements, present_in)
        if compared is None:
            return present
        if term.op == "ne":
            return or_(not_(present), _some_row(columns, elements, present_in, compared))
        return _some_row(columns, elements, compared)

    def _some(self, target: Target, term: Bound) -> _Condition:
        assert self._columns is not None
        elements = self._columns.elements(target, self._ways(target))
        return _some_row(self._columns, elements, self.write_element(term, elements))

    def _asked(
        self, elements: Elements, sub: Attribute | None, way: ColumnElement[Any] | None, term: Term
    ) -> tuple[_Condition, _Condition | None]:
        """Of one element: whether it has a value there, and whether that, or one of those, compares as the term wants; None for pr."""
        if sub is not None and sub.multi_valued:
            assert elements.inner is not None, "no element of a row has several values"
            inner = elements.inner(sub, way)
            compared = None if term.op == "pr" else _exists(inner, self._compared(inner.leaf(None, None), term))
            return _exists(inner), compared
        leaf = elements.leaf(sub, way)
        return leaf.key.sql.is_not(None), None if term.op == "pr" else self._compared(leaf, term)

    def _compared(self, leaf: Leaf, term: Term) -> _Condition:
        operand = leaf.operand(term.op)
        return _COMPARISONS[term.op](operand.sql, self._parameter(operand))

    def _ways(self, target: Target, *, inside: bool = False) -> list[ColumnElement[Any]] | None:
        """Parameters for the names of a tenant's own schema."""
        if place(target) is None:
            return None
        return [self._parameter(_NAMES) for _ in ways(target, inside=inside)]

    def _parameter(self, operand: Operand) -> ColumnElement[Any]:
        """A parameter for the next literal in the order of ``matching.shape``."""
        name = f"literal_{len(self.parameters)}"
        self.parameters.append(Parameter(name, self._literals, operand.convert))
        self._literals += 1
        return bindparam(name, type_=operand.type)


_NAMES = Operand(null())


def _necessary(bound: Bound, at: int, outer: tuple[int, ...]) -> Iterator[tuple[Term, tuple[int, ...], int]]:
    """The comparisons that all must hold for the filter to hold, each with the places of its ways and of its literal.

    ``outer``: the ways to the elements that the filter is about, if it stands in brackets.
    """
    match bound:
        case Term(target):
            count = 0 if place(target) is None else len(ways(target, inside=bool(outer)))
            yield bound, (*outer, *range(at, at + count)), at + count
        case Some(target, term):
            count = 0 if place(target) is None else 1
            yield from _necessary(term, at + count, tuple(range(at, at + count)))
        case And(terms):
            for each in terms:
                yield from _necessary(each, at, outer)
                at += len(shape(each, inside=bool(outer))[1])


def _exists(elements: Elements, *conditions: _Condition) -> _Condition:
    return exists(select(literal_column("1")).select_from(elements.rows).where(elements.condition, *conditions))


def _some_row(columns: Columns, elements: Elements, *conditions: _Condition) -> _Condition:
    rows: Select[Any] = select(literal_column("1")).select_from(elements.rows).where(elements.condition, *conditions)
    return exists(rows.correlate(columns.rows))


def _negated(condition: _Condition) -> _Condition:
    """Two-valued: what is neither true nor false is not true."""
    return not_(func.coalesce(condition, false()))
