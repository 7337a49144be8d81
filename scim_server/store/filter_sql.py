"""Bound filters as SQL conditions (RFC 7644 §3.4.2.2); the meaning is that of ``matching.matches``.

What SQL does differently is bent here: a comparison with NULL is false (``ne``: true), also under
``not``; several values are asked by EXISTS, and everything in one pair of brackets by one EXISTS,
so that one and the same element must satisfy it all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, bindparam, exists, false, func, literal_column, not_, or_, select

from scim_server.scim.attributes import Target
from scim_server.scim.filters import And, Not, Or
from scim_server.scim.matching import Bound, Key, Some, Term
from scim_server.store.columns import Columns, Elements, Leaf, Operand, Place
from scim_server.store.dialects import contains, ends_with, starts_with

_Condition: TypeAlias = ColumnElement[bool]

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


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition whose literals are parameters: ``values`` tells for each what it is, by the literal's place."""

    sql: _Condition
    parameters: tuple[tuple[str, int, Callable[[Any], Any]], ...]

    def values(self, literals: Sequence[Key]) -> dict[str, Any]:
        """The parameters for a filter of the same shape with these literals (``matching.shape``)."""
        return {name: convert(literals[place]) for name, place, convert in self.parameters}


def condition(bound: Bound, columns: Columns) -> Condition:
    """The condition on rows of the resource's table."""
    writer = _Writer(columns)
    return Condition(writer.write(bound), tuple(writer.parameters))


def element_condition(bound: Bound, leaf: Callable[[Any], Leaf]) -> Condition:
    """The condition on one element of a multi-valued attribute, which is a row."""
    writer = _Writer(None)
    return Condition(writer.write_element(bound, leaf), tuple(writer.parameters))


class _Writer:
    def __init__(self, columns: Columns | None) -> None:
        self._columns = columns
        self._literals = 0
        self.parameters: list[tuple[str, int, Callable[[Any], Any]]] = []

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
                return or_(*(self.write(each) for each in terms))
            case Not(term):
                return _negated(self.write(term))

    def write_element(self, bound: Bound, leaf: Callable[[Any], Leaf]) -> _Condition:
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
        place = columns.places.get(str(target)) if term.op == "eq" else None
        if place is not None:
            return self._found_in(place, self._literals_taken(1))
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
        """One EXISTS; beside it an indexed look-up, where the term holds one value to be found by."""
        columns = self._columns
        assert columns is not None
        elements = columns.elements(target)
        first = self._literals
        found = _some_row(columns, elements, self.write_element(term, elements.leaf))
        for each, literal in _conjuncts(term, first):
            place = columns.places.get(str(each.target)) if each.op == "eq" else None
            if place is not None:
                return and_(self._found_in(place, literal), found)
        return found

    def _found_in(self, place: Place, literal: int) -> _Condition:
        assert self._columns is not None
        found = select(place.resource_id).where(place.condition, place.value.sql == self._parameter(place.value, literal))
        return self._columns.table.c.id.in_(found)

    def _compared(self, leaf: Leaf, term: Term) -> _Condition:
        operand = leaf.operand(term.op)
        return _COMPARISONS[term.op](operand.sql, self._parameter(operand, self._literals_taken(1)))

    def _literals_taken(self, number: int) -> int:
        """The place of the next literal, in the order of ``matching.shape``."""
        place = self._literals
        self._literals += number
        return place

    def _parameter(self, operand: Operand, literal: int) -> ColumnElement[Any]:
        name = f"literal_{len(self.parameters)}"
        self.parameters.append((name, literal, operand.convert))
        return bindparam(name, type_=operand.type)


def _conjuncts(term: Bound, literal: int) -> list[tuple[Term, int]]:
    """The comparisons that must all hold, as far as they come first, each with the place of its literal."""
    found: list[tuple[Term, int]] = []
    for each in term.terms if isinstance(term, And) else (term,):
        if not isinstance(each, Term):
            break
        if each.op != "pr":
            found.append((each, literal))
            literal += 1
    return found


def _some_row(columns: Columns, elements: Elements, *conditions: _Condition) -> _Condition:
    rows = select(literal_column("1")).select_from(elements.rows).where(elements.condition, *conditions)
    return exists(rows.correlate(columns.table))


def _negated(condition: _Condition) -> _Condition:
    """Two-valued: what is neither true nor false is not true."""
    return not_(func.coalesce(condition, false()))
