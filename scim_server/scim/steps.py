"""Steps of a PATCH plan: one change each, carried out on a document (RFC 7644 §3.5.2).

A step is all resolved and checked but for what depends on the state: whether a value path matches
anything, whether an immutable attribute has a value, whether anything required is left.

Where the RFC is silent: an element that is matched and replaced is replaced whole; what is removed
and was not there is no error; a value path that matches nothing makes ``remove`` do nothing, and
makes ``add`` and ``replace`` create the element that the path describes (if lenient, and if with the
value it is still what the path describes; else noTarget).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from scim_server.scim.attributes import Attribute, Mutability, Target, derived
from scim_server.scim.documents import (
    Document,
    demand_parts,
    distinct,
    identity,
    is_primary,
    layout_of,
    same,
    schemas_of,
    telling,
)
from scim_server.scim.errors import InvalidValue, MutabilityError, NoTarget
from scim_server.scim.matching import Bound, matches_element
from scim_server.scim.schemas import ResourceType


class Missing(Enum):
    """Told apart from JSON's null: there is no value at all."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one attribute, or of a whole extension (then ``op`` is remove).

    ``target.sub`` is the sub-attribute meant, also behind a value path. ``value`` is canonical: an
    object of sub-attributes for a complex attribute with one value and for elements of one with
    many (None in it: unassign), else as in a document; MISSING if there is none. ``where`` selects
    elements; ``described`` is the element that it describes, None if it does not describe one.
    """

    op: str
    target: Target
    value: Any = MISSING
    where: Bound | None = None
    described: dict[str, Any] | None = None


def apply(resource_type: ResourceType, document: Document, steps: Sequence[Step], *, lenient: bool) -> Document:
    """A new document: the old one after all steps, in their order.

    Only what the steps touch is judged: what was stored under another schema stops no other change.
    NoTarget for a value path that matches nothing (see the top); MutabilityError for immutable
    attributes that have a value, and for required ones, or extensions, that would have none; InvalidValue.
    """
    result = dict(document)
    for step in steps:
        urn, attribute = step.target.extension, step.target.attribute
        holder = result if urn is None else dict(result.get(urn, {}))
        if attribute is None:
            _refuse_to_clear(resource_type, step.target, holder)
            holder.clear()
        else:
            _change(holder, step, attribute, lenient)
        if urn is not None:
            if holder:
                result[urn] = holder
            else:
                result.pop(urn, None)
    for step in steps:
        _demand(resource_type, result, step.target)
    for urn in resource_type.required:
        if urn in document and urn not in result:
            raise MutabilityError(f"{urn} is required: the operations would leave it without a value.")
    result["schemas"] = schemas_of(resource_type, result)
    return result


def _refuse_to_clear(resource_type: ResourceType, target: Target, holder: dict[str, Any]) -> None:
    """MutabilityError if a whole extension cannot go, because something in it that has a value is immutable."""
    for urn, attribute in layout_of(resource_type).immutable:
        if urn == target.extension and attribute.mutability is Mutability.IMMUTABLE and attribute.name in holder:
            raise MutabilityError(f"{urn}:{attribute.name} is immutable: it has a value, which cannot change.")


def _demand(resource_type: ResourceType, document: Document, target: Target) -> None:
    """InvalidValue if what a step has touched lacks something that is required of it."""
    holder = document
    if target.extension is not None:
        holder = document.get(target.extension, {})
        if holder:
            demand_parts(layout_of(resource_type).extensions[target.extension], holder, target.extension)
    attribute = target.attribute
    if attribute is not None and attribute.is_complex and (value := holder.get(attribute.name)):
        for each in value if attribute.multi_valued else [value]:
            demand_parts(attribute, each, attribute.name)


def _change(holder: dict[str, Any], step: Step, attribute: Attribute, lenient: bool) -> None:
    """Carry out one step on the object that holds its attribute."""
    name = attribute.name
    old = holder.get(name)
    if attribute.multi_valued:
        new: Any = _elements(step, attribute, old or [], lenient)
    elif attribute.is_complex:
        new = _merged(step, attribute, old or {})
    elif step.op == "remove":
        new = None
    else:
        new = step.value
    if attribute.mutability is Mutability.IMMUTABLE and old is not None:
        if not same(attribute, old, new):
            raise MutabilityError(f"{step.target} is immutable: it has a value, which cannot change.")
        new = old
    if new is not None and new != [] and new != {}:
        holder[name] = new
    elif attribute.required:
        raise MutabilityError(f"{step.target} is required: the operation would leave it without a value.")
    else:
        holder.pop(name, None)


def _merged(step: Step, attribute: Attribute, old: dict[str, Any]) -> dict[str, Any]:
    """An object after a step: that of a complex attribute with one value, or an element of one with many."""
    sub = step.target.sub
    if sub is None and step.op == "remove":
        return {}
    new = dict(old)
    if sub is None:
        for name, value in step.value.items():
            if value is not None:
                new[name] = value
            elif step.op == "replace":
                new.pop(name, None)
    elif step.op == "remove":
        left = [] if step.value is MISSING else _without(sub, old.get(sub.name, []), step.value)
        if left:
            new[sub.name] = left
        else:
            new.pop(sub.name, None)
    elif step.op == "add" and sub.multi_valued:
        new[sub.name] = distinct(sub, [*old.get(sub.name, ()), *step.value])
    else:
        new[sub.name] = step.value
    _hold(attribute, old, new)
    return new


def _elements(step: Step, attribute: Attribute, old: list[Any], lenient: bool) -> list[Any]:
    """The elements of a multi-valued attribute after a step."""
    if step.where is not None:
        new, preferred = _selected(step, attribute, old, lenient)
    elif step.op == "replace":
        return list(step.value)
    elif step.op == "add":
        new, preferred = [*old, *step.value], [each for each in step.value if is_primary(each)]
    elif step.value is MISSING:
        return []
    else:
        return _without(attribute, old, step.value)
    if new == old:
        return old
    new = distinct(attribute, new)
    if step.op == "add" and _immutable(attribute):
        after = {identity(attribute, each): each for each in new}
        for each in old:
            _hold(attribute, each, after.get(identity(attribute, each), each))
    if not preferred:
        return new
    chosen = identity(attribute, preferred[0])
    return [{**each, "primary": False} if is_primary(each) and identity(attribute, each) != chosen else each for each in new]


def _selected(step: Step, attribute: Attribute, old: list[Any], lenient: bool) -> tuple[list[Any], list[Any]]:
    """The elements after a step on those that a filter selects; and those that the step made primary."""
    assert step.where is not None
    new: list[Any] = []
    changed: list[Any] = []
    hit = False
    for element in old:
        if not matches_element(step.where, element if attribute.is_complex else {"value": element}):
            new.append(element)
            continue
        hit = True
        if not attribute.is_complex:
            new += [] if step.op == "remove" else step.value
        elif after := _element(step, attribute, element, lenient):
            new.append(after)
            changed.append(after)
    if not hit and step.op != "remove":
        changed = _created(step, step.where, attribute, lenient)
        new += changed
    elif not _makes_primary(step):
        return new, []
    preferred = [each for each in changed if is_primary(each)]
    if len(preferred) > 1:
        raise InvalidValue(f"More than one of {attribute.name} would be primary.")
    return new, preferred


def _element(step: Step, attribute: Attribute, element: dict[str, Any], lenient: bool) -> dict[str, Any]:
    """One selected element after the step; empty if it is to go."""
    if step.op != "replace" or step.target.sub is not None:
        return _merged(step, attribute, element)
    # Replaced whole. It stays what the path called it, so that the same path finds it again.
    described = step.described if lenient and step.described else {}
    new = {name: value for name, value in {**described, **step.value}.items() if value is not None}
    if new:
        _hold(attribute, element, new)
    return new


def _created(step: Step, where: Bound, attribute: Attribute, lenient: bool) -> list[Any]:
    """The element that a value path describes and that is not there yet, with the value of the step."""
    sub = step.target.sub
    if lenient and not attribute.is_complex and all(matches_element(where, {"value": each}) for each in step.value):
        return list(step.value)
    if not lenient or not attribute.is_complex or step.described is None:
        part = f".{sub.name}" if sub else ""
        raise NoTarget(f"{attribute.name} has no element that the filter in {attribute.name}[...]{part} selects.")
    given = {sub.name: step.value} if sub else step.value
    new = {name: value for name, value in {**step.described, **given}.items() if value is not None}
    if not matches_element(where, new):
        raise NoTarget(f"{attribute.name} has no element that the filter selects, and with this value a new one would not be that either.")
    return [new]


def _makes_primary(step: Step) -> bool:
    if step.target.sub is not None:
        return step.target.sub.name == "primary" and step.value is True
    return is_primary(step.value)


def _without(attribute: Attribute, elements: list[Any], given: list[Any]) -> list[Any]:
    """The elements without those that values given with ``remove`` name."""
    return [each for each in elements if not any(_is_meant(attribute, each, one) for one in given)]


def _is_meant(attribute: Attribute, element: Any, given: Any) -> bool:
    """Whether an element is one that a value given with ``remove`` names: by its value and type, if they are given."""
    if not isinstance(given, dict) or not isinstance(element, dict):
        return bool(identity(attribute, given) == identity(attribute, element))
    names = [name for name in telling(given) if name in given]
    part = {name: element[name] for name in names if name in element}
    return bool(names) and bool(identity(attribute, part) == identity(attribute, {name: given[name] for name in names}))


def _hold(attribute: Attribute, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Leave immutable sub-attributes as they are. MutabilityError if one that has a value would change."""
    for sub in _immutable(attribute):
        if sub.name not in old:
            continue
        if not same(sub, old[sub.name], new.get(sub.name)):
            raise MutabilityError(f"{attribute.name}.{sub.name} is immutable: it has a value, which cannot change.")
        new[sub.name] = old[sub.name]


@derived
def _immutable(attribute: Attribute) -> tuple[Attribute, ...]:
    return tuple(each for each in attribute.sub_attributes if each.mutability is Mutability.IMMUTABLE)
