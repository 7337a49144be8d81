"""Sorting (RFC 7644 §3.4.2.3): by which attribute, which way, and what of a resource is compared.

Values are ordered by their comparison keys (``values.key``), by code point: without regard to case
where the attribute has none, and without any locale, in memory and in SQL alike. Of several values
the primary one counts, else the first. Resources without a value come last, or first if
descending; those with equal ones by their id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from scim_server.scim import values
from scim_server.scim.attributes import Target
from scim_server.scim.documents import is_primary
from scim_server.scim.errors import InvalidValue
from scim_server.scim.matching import Key, is_something
from scim_server.scim.schemas import ResourceType

T = TypeVar("T")

ORDERS = ASCENDING, DESCENDING = "ascending", "descending"


@dataclass(frozen=True, slots=True)
class Order:
    """By the values of a simple attribute."""

    target: Target
    descending: bool = False


def bind(resource_type: ResourceType, sort_by: str | None, sort_order: str | None) -> Order | None:
    """The order that the parameters ask for; None if they ask for none. InvalidValue if there is no such order."""
    if sort_order is not None and sort_order.lower() not in ORDERS:
        raise InvalidValue(f"sortOrder must be {ASCENDING} or {DESCENDING}.")
    if not sort_by:
        return None
    target = resource_type.resolve(sort_by.strip()) if len(sort_by) <= 1000 else None
    if target is None or target.attribute is None:
        nearby = resource_type.nearby(sort_by)
        hint = f" It has {' and '.join(nearby)}." if nearby else ""
        raise InvalidValue(f"sortBy: {resource_type.name} has no attribute {sort_by[:100]!r}.{hint}")
    leaf = target.leaf
    if leaf.is_complex:
        sub = leaf.sub("value") if leaf.multi_valued else None
        if sub is None:
            raise InvalidValue(f"sortBy: {target} is complex: name one of its sub-attributes, as {target}.{leaf.sub_attributes[0].name}.")
        target = Target(target.extension, leaf, sub)
    if target.sub is not None and target.sub.multi_valued:
        raise InvalidValue(f"sortBy: {target} has several values in one place, which have no order among others.")
    for attribute in (target.attribute, target.sub):
        if attribute and not attribute.shown:
            raise InvalidValue(f"sortBy: {target} is never returned, so nothing is sorted by it.")
    return Order(target, (sort_order or ASCENDING).lower() == DESCENDING)


def ordered(representations: Iterable[dict[str, Any]], order: Order | None) -> list[dict[str, Any]]:
    """Full representations, in that order; by their ids if there is none."""
    if order is None:
        return sorted(representations, key=lambda each: str(each["id"]))
    return ranked([(key_of(order.target, each), str(each["id"]), each) for each in representations], order.descending)


def ranked(keyed: Iterable[tuple[Key | None, str, T]], descending: bool) -> list[T]:
    """What comes with a sort key and an id, in order. Where resources of several types are sorted, numbers come before texts."""
    by_id = sorted(keyed, key=lambda each: each[1])
    absent = [each for key, _, each in by_id if key is None]
    present = [(isinstance(key, str), key, each) for key, _, each in by_id if key is not None]
    present.sort(key=lambda each: each[:2], reverse=descending)
    shown = [each for _, _, each in present]
    return [*absent, *shown] if descending else [*shown, *absent]


def key_of(target: Target, representation: dict[str, Any]) -> Key | None:
    """What a resource is sorted by; None if it has no value there."""
    attribute = target.attribute
    assert attribute is not None
    holder = representation if target.extension is None else representation.get(target.extension, {})
    value = holder.get(attribute.name)
    if attribute.multi_valued:
        elements = [each for each in value or () if is_something(each)]
        value = next(filter(is_primary, elements), elements[0] if elements else None)
    if target.sub is not None:
        if target.sub.name == "primary" and value is not None and attribute.multi_valued:
            value = value.get("primary", False)
        else:
            value = (value or {}).get(target.sub.name)
    return values.key(target.leaf, value) if is_something(value) else None
