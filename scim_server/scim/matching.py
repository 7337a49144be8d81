"""Filters bound to a resource type: names resolved, literals typed, ready to be asked.

``bind`` turns a parsed filter into a tree of ``Term`` and ``Some`` (under ``And``, ``Or``, ``Not``)
in which nothing can be misread any more: every target exists, every operator fits its type, every
literal is a comparison key (``values.key``). The tree is asked in two ways that must agree:
``matches`` in memory, and ``store.filter_sql`` in SQL.

Where RFC 7644 is silent it is read so: an empty string is no value; a missing ``primary`` is false
(RFC 7643 §2.4), for ``pr`` as well; ``not`` has two values, true and false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, Union

from scim_server.scim import values
from scim_server.scim.attributes import Attribute, Target, Type, Uniqueness, derived
from scim_server.scim.errors import InvalidFilter, InvalidValue
from scim_server.scim.filters import And, Compare, Filter, Not, Or, Present, ValuePath
from scim_server.scim.schemas import EVERYBODYS, ResourceType

Key: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. ``op`` is eq ne co sw ew gt ge lt le, or pr (then ``key`` is None).

    On a multi-valued target it is true if any value satisfies it. ``ne`` is also true when there
    is no value; every other operator is false then.
    """

    target: Target
    op: str
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Some:
    """Some one element of the complex attribute ``target`` satisfies the whole of ``term``.

    ``target`` is multi-valued. Targets inside ``term`` name the element's sub-attributes: same
    ``extension`` and ``attribute`` as ``target``, and a ``sub``.
    """

    target: Target
    term: Bound


Bound: TypeAlias = Union[Term, Some, "And[Bound]", "Or[Bound]", "Not[Bound]"]

_NEVER: Bound = Or(())
_ALWAYS: Bound = Not(_NEVER)


def bind(filter: Filter, resource_type: ResourceType, beside: Sequence[ResourceType] = ()) -> Bound:
    """A filter on resources of one type. InvalidFilter, saying why, if it cannot be asked of them.

    ``beside``: types that are asked the same. What one of them has and this one has not is an attribute without a value (§3.4.2.1).
    """
    if beside and isinstance(filter, (Compare, Present, ValuePath)) and _has_none(resource_type, filter.path, beside):
        # Unassigned: not equal to anything but null.
        return _ALWAYS if isinstance(filter, Compare) and (filter.op == "ne") is (filter.value is not None) else _NEVER
    match filter:
        case Compare(path, op, value):
            return _comparison(_named(path, resource_type), op, value)
        case Present(path):
            return Term(_named(path, resource_type), "pr")
        case ValuePath(path, inside):
            return _selection(_named(path, resource_type), inside, resource_type)
        case And(terms):
            return And(tuple(bind(term, resource_type, beside) for term in terms))
        case Or(terms):
            return Or(tuple(bind(term, resource_type, beside) for term in terms))
        case Not(term):
            return Not(bind(term, resource_type, beside))


def bind_element(filter: Filter, resource_type: ResourceType, target: Target) -> Bound:
    """The filter inside ``target[...]``, on one element of a complex attribute.

    Names in it are sub-attributes, without anything before them. InvalidFilter as for ``bind``.
    """
    match filter:
        case Compare(path, op, value):
            return _comparison(_sub_named(path, target), op, value)
        case Present(path):
            return Term(_sub_named(path, target), "pr")
        case ValuePath(path):
            raise InvalidFilter(f"{target}[...] cannot hold another value path ({_cut(path)}[...]).")
        case And(terms):
            return And(tuple(bind_element(term, resource_type, target) for term in terms))
        case Or(terms):
            return Or(tuple(bind_element(term, resource_type, target) for term in terms))
        case Not(term):
            return Not(bind_element(term, resource_type, target))


def matches(bound: Bound, representation: dict[str, Any]) -> bool:
    """Whether a resource satisfies a filter. The representation is the full one, id and meta included."""
    return _holds(bound, lambda target: _found(target, representation))


def matches_element(bound: Bound, element: dict[str, Any]) -> bool:
    """Whether one element of a complex attribute satisfies the filter between the brackets."""
    return _holds(bound, lambda target: _within(target, [element]))


class Place(NamedTuple):
    """Where the values of an attribute of a tenant's own schema are, without its names: all that a statement depends on.

    So tenants whose schemas differ in names have the same statements. ``unique``: the values are in a table of their own, too.
    """

    is_number: bool
    multi_valued: bool
    has_sub: bool
    sub_multi_valued: bool
    unique: bool


def place(target: Target) -> Place | None:
    """The place of an attribute of a tenant's own schema; None for what every tenant has."""
    if target.extension is None or target.extension in EVERYBODYS:
        return None
    attribute, sub = target.attribute, target.sub
    if attribute is None:
        return Place(False, False, False, False, False)
    leaf = sub or attribute
    unique = leaf.uniqueness is not Uniqueness.NONE
    return Place(leaf.type is Type.INTEGER, attribute.multi_valued, sub is not None, sub is not None and sub.multi_valued, unique)


WAY = "/"
"""Stands between the names of a way. No name has one in it (``definitions``)."""


def ways(target: Target, *, inside: bool = False) -> list[str]:
    """The names of an attribute of a tenant's own schema, as literals that say where its values are in a document.

    One way from the top to the values; to a sub-attribute of a multi-valued attribute two, to the elements and within one;
    ``inside`` the brackets of such an attribute the second only.
    """
    outer = [each for each in (target.extension, target.attribute and target.attribute.name) if each]
    if target.sub is None:
        return [WAY.join(outer)]
    if inside:
        return [target.sub.name]
    assert target.attribute is not None
    return [WAY.join(outer), target.sub.name] if target.attribute.multi_valued else [WAY.join((*outer, target.sub.name))]


def shape(bound: Bound, *, inside: bool = False) -> tuple[Hashable, list[Key]]:
    """What a filter asks, without its literals, and the literals in order; ``inside``: the filter in brackets.

    Filters of equal shape compile to the same statement and differ in its parameters only. The names of a tenant's own
    schemas are literals as well (``ways``), before the one that is compared.
    """
    keys: list[Key] = []
    return _shape(bound, keys, inside), keys


def _shape(bound: Bound, keys: list[Key], inside: bool) -> Hashable:
    match bound:
        case Term(target, op, key):
            found = _place(target, keys, inside)
            if key is not None:
                keys.append(key)
            return found, op
        case Some(target, term):
            return "some", _place(target, keys, False), _shape(term, keys, True)
        case Not(term):
            return "not", _shape(term, keys, inside)
        case And(terms):
            return "and", *(_shape(term, keys, inside) for term in terms)
        case Or(terms):
            return "or", *(_shape(term, keys, inside) for term in terms)


def _place(target: Target, keys: list[Key], inside: bool) -> Hashable:
    found = place(target)
    if found is None:
        return target
    keys.extend(ways(target, inside=inside))
    return found


# Binding


def _named(path: str, resource_type: ResourceType) -> Target:
    target = resource_type.resolve(path)
    if target is None:
        near = resource_type.nearby(path)
        hint = f" It has {' and '.join(near)}." if near else ""
        raise InvalidFilter(f"{resource_type.name} has no attribute {_cut(path)}.{hint}")
    return _askable(target)


@derived
def element_of(attribute: Attribute) -> Attribute:
    """A multi-valued attribute as one whose elements have sub-attributes: a plain element has one, ``value``."""
    if attribute.is_complex:
        return attribute
    value = Attribute("value", attribute.type, case_exact=attribute.case_exact)
    return Attribute(attribute.name, Type.COMPLEX, multi_valued=True, sub_attributes=(value,))


def _has_none(resource_type: ResourceType, path: str, beside: Sequence[ResourceType]) -> bool:
    """Whether the type has no attribute of that name, while one of the others has."""
    return resource_type.resolve(path) is None and any(each.resolve(path) for each in beside)


def _sub_named(path: str, target: Target) -> Target:
    attribute = target.attribute
    if attribute is None or target.sub is not None or not attribute.is_complex:
        raise InvalidFilter(f"{target} has no sub-attributes that a filter in brackets could name.")
    sub = attribute.sub(path)
    if sub is None:
        names = ", ".join(each.name for each in attribute.sub_attributes)
        raise InvalidFilter(f"{target} has no sub-attribute {_cut(path)}. It has {names}.")
    return _askable(Target(target.extension, attribute, sub))


def _askable(target: Target) -> Target:
    """The target, unless its values are never shown: answers to filters would tell them (RFC 7643 §7)."""
    for attribute in (target.attribute, target.sub):
        if attribute and not attribute.shown:
            raise InvalidFilter(f"{target} is never returned, so it cannot be filtered by.")
    return target


def _selection(target: Target, inside: Filter, resource_type: ResourceType) -> Bound:
    """A value path. On an attribute with one value it is about that value, if there is one."""
    attribute = target.attribute
    if attribute is None or target.sub is not None or not (attribute.is_complex or attribute.multi_valued):
        raise InvalidFilter(f"{target} has no elements that a filter in brackets could select.")
    if not attribute.is_complex:
        return _plain_selection(target, inside)
    term = bind_element(inside, resource_type, target)
    if attribute.multi_valued:
        return Some(target, term)
    return And((Term(target, "pr"), *(term.terms if isinstance(term, And) else (term,))))


def _plain_selection(target: Target, inside: Filter) -> Bound:
    """A value path on plain values (``schemas``), where ``value`` is the element itself."""
    if isinstance(inside, (Compare, Present)) and inside.path.lower() == "value":
        if isinstance(inside, Present):
            return Term(target, "pr")
        term = _comparison(target, inside.op, inside.value)
        return And((Term(target, "pr"), term)) if inside.op == "ne" else term
    raise InvalidFilter(f"{target} holds plain values: its brackets can hold one comparison, of value.")


_ORDERED = frozenset(("gt", "ge", "lt", "le"))
_PARTIAL = frozenset(("co", "sw", "ew"))


def _comparison(target: Target, op: str, value: Any) -> Bound:
    if value is None:
        # Null and unassigned are one state (RFC 7643 §2.5).
        present = Term(target, "pr")
        if op == "eq":
            return Not(present)
        if op == "ne":
            return present
        raise InvalidFilter(f"{target} {op} null: null can be compared by eq and ne only.")
    if target.attribute is None:
        raise InvalidFilter(f"{target} is a whole extension: name one of its attributes behind it.")
    leaf = target.sub or target.attribute
    if leaf.is_complex:
        sub = leaf.sub("value") if leaf.multi_valued else None
        if sub is None:
            raise InvalidFilter(f"{target} is complex: name one of its sub-attributes, as in {target}.{leaf.sub_attributes[0].name}.")
        target, leaf = _askable(Target(target.extension, leaf, sub)), sub
    return Term(target, op, _key(target, leaf, op, value))


def _key(target: Target, leaf: Attribute, op: str, value: Any) -> Key:
    """The comparison key of a literal, once operator, attribute and literal fit each other."""
    kind = leaf.type
    if (op in _PARTIAL and kind is not Type.STRING and kind is not Type.REFERENCE) or (
        op in _ORDERED and (kind is Type.BOOLEAN or kind is Type.BINARY)
    ):
        raise InvalidFilter(f"{target} is of type {kind}, which {op} cannot compare.")
    try:
        if isinstance(value, str):
            values.text(value, "The value")
            if op in ("eq", "ne") and _is_username(target):
                return values.username_key(value)
        return values.key(leaf, value)
    except InvalidValue as error:
        raise InvalidFilter(f"{target} {op}: {error.detail}") from None


def _is_username(target: Target) -> bool:
    attribute = target.attribute
    return target.extension is None and attribute is not None and attribute.name == "userName" and attribute.uniqueness is Uniqueness.SERVER


def _cut(path: str) -> str:
    return path if len(path) <= 100 else path[:100] + "…"


# Asking in memory

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "co": operator.contains,
    "sw": str.startswith,
    "ew": str.endswith,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def _holds(bound: Bound, found: Callable[[Target], list[Any]]) -> bool:
    match bound:
        case Term(target, op, key):
            present = found(target)
            if op == "pr":
                return bool(present)
            if not present:
                return op == "ne"
            comparable = values.username_key if op in ("eq", "ne") and _is_username(target) else _keyed(target.leaf)
            return any(_TESTS[op](comparable(value), key) for value in present)
        case Some(target, term):
            return any(matches_element(term, element) for element in found(target))
        case And(terms):
            return all(_holds(term, found) for term in terms)
        case Or(terms):
            return any(_holds(term, found) for term in terms)
        case Not(term):
            return not _holds(term, found)


def _keyed(leaf: Attribute) -> Callable[[Any], Key]:
    return lambda value: values.key(leaf, value)


def _found(target: Target, representation: dict[str, Any]) -> list[Any]:
    """The values at a target that are not empty."""
    holder = representation if target.extension is None else representation.get(target.extension, {})
    value = holder if target.attribute is None else holder.get(target.attribute.name)
    elements = [each for each in (value if isinstance(value, list) else [value]) if is_something(each)]
    return elements if target.sub is None else _within(target, elements)


def _within(target: Target, elements: list[Any]) -> list[Any]:
    """The values, not empty, of the target's sub-attribute in some elements of its attribute."""
    attribute, sub = target.attribute, target.sub
    assert attribute is not None
    assert sub is not None, "an element is asked for its sub-attributes"
    missing = False if attribute.multi_valued and sub.name == "primary" and sub.type is Type.BOOLEAN else None
    found = (element.get(sub.name, missing) for element in elements)
    return [value for each in found for value in (each if isinstance(each, list) else [each]) if is_something(value)]


def is_something(value: Any) -> bool:
    """Whether a value counts as one (RFC 7644 §3.4.2.2, ``pr``): false and 0 do, empty strings and objects do not."""
    if isinstance(value, dict):
        return any(map(is_something, value.values()))
    if isinstance(value, list):
        return any(map(is_something, value))
    return value is not None and value != ""
