"""Bound filters as SQL conditions (RFC 7644 §3.4.2.2); the meaning is that of ``matching.matches``.

What SQL does differently is bent here: a comparison with NULL is false (``ne``: true), also under
``not``; several values are asked by EXISTS, and everything in one pair of brackets by one EXISTS,
so that one and the same element must satisfy it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, func, literal_column, not_, or_, select

from scim_server.scim.attributes import Attribute, Target
from scim_server.scim.filters import And, Not, Or
from scim_server.scim.matching import Bound, Some, Term, shape
from scim_server.store.columns import Columns, Elements, Leaf, Operand
from scim_server.store.dialects import contains, ends_with, starts_with

_Condition: TypeAlias = ColumnElement[bool]

_LOOKUP = "sought"

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


def element_condition(bound: Bound, leaf: Callable[[Attribute | None], Leaf]) -> Condition:
    """The filter as a condition on one element of a multi-valued attribute, which is a row."""
    writer = _Writer(None)
    return Condition(writer.write_element(bound, leaf), tuple(writer.parameters))


def lookup(bound: Bound, columns: Columns) -> Condition | None:
    """A condition that follows from the filter, and by which few rows are found in an index; None if there is none."""
    for term, place in _necessary(bound, 0):
        known = columns.lookups.get(str(term.target)) if term.op == "eq" else None
        if known is not None:
            parameter = bindparam(_LOOKUP, type_=known.value.type)
            return Condition(known.found(parameter), (Parameter(_LOOKUP, place, known.value.convert),))
    return None


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
                return or_(*(self.write(each) for each in terms)) if terms else false()
            case Not(term):
                return _negated(self.write(term))

    def write_element(self, bound: Bound, leaf: Callable[[Attribute | None], Leaf]) -> _Condition:
        """What one element must satisfy."""
        match bound:
            case Term(target, "pr"):
                return leaf(target.sub).key.sql.is_not(None)
            case Term(target):
                return self._compared(leaf(target.sub), bound)
            case And(terms):
                return and_(*(self.write_element(each, leaf) for each in terms))
            case Or(terms):
                return or_(*(self.write_element(each, leaf) for each in terms))
            case Not(term):
                return _negated(self.write_element(term, leaf))
            case Some():
                raise AssertionError("an element has no elements")

    def _term(self, term: Term, target: Target) -> _Condition:
        columns, attribute = self._columns, target.attribute
        assert columns is not None
        if attribute is None or not attribute.multi_valued:
            return columns.present(target) if term.op == "pr" else self._compared(columns.leaf(target), term)
        elements = columns.elements(target)
        if term.op == "pr" and target.sub is None:
            return _some_row(columns, elements)
        leaf = elements.leaf(target.sub)
        present = _some_row(columns, elements, leaf.key.sql.is_not(None))
        if term.op == "pr":
            return present
        compared = self._compared(leaf, term)
        if term.op == "ne":
            return or_(not_(present), _some_row(columns, elements, leaf.key.sql.is_not(None), compared))
        return _some_row(columns, elements, compared)

    def _some(self, target: Target, term: Bound) -> _Condition:
        assert self._columns is not None
        elements = self._columns.elements(target)
        return _some_row(self._columns, elements, self.write_element(term, elements.leaf))

    def _compared(self, leaf: Leaf, term: Term) -> _Condition:
        operand = leaf.operand(term.op)
        parameter = self._parameter(operand, self._literals)
        self._literals += 1
        return _COMPARISONS[term.op](operand.sql, parameter)

    def _parameter(self, operand: Operand, place: int) -> ColumnElement[Any]:
        """A parameter for the literal that has this place in the order of ``matching.shape``."""
        name = f"literal_{len(self.parameters)}"
        self.parameters.append(Parameter(name, place, operand.convert))
        return bindparam(name, type_=operand.type)


def _necessary(bound: Bound, place: int) -> Iterator[tuple[Term, int]]:
    """The comparisons that all must hold for the filter to hold, each with the place of its literal."""
    match bound:
        case Term():
            yield bound, place
        case Some(_, term):
            yield from _necessary(term, place)
        case And(terms):
            for each in terms:
                yield from _necessary(each, place)
                place += len(shape(each)[1])


def _some_row(columns: Columns, elements: Elements, *conditions: _Condition) -> _Condition:
    rows: Select[Any] = select(literal_column("1")).select_from(elements.rows).where(elements.condition, *conditions)
    return exists(rows.correlate(columns.rows))


def _negated(condition: _Condition) -> _Condition:
    """Two-valued: what is neither true nor false is not true."""
    return not_(func.coalesce(condition, false()))
