"""What another definition of a schema means for values that are stored under the present one.

A definition may become any other; what matters is the values that are there. Those that the other definition takes stay as they
are, be it that they are found by another key. The rest is named: what would be lost, what would be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scim_server.scim import discovery, values
from scim_server.scim.attributes import Attribute, Uniqueness
from scim_server.scim.changes import Difference
from scim_server.scim.documents import distinct, joined
from scim_server.scim.errors import InvalidValue
from scim_server.scim.schemas import Extension, Schema


@dataclass(frozen=True, slots=True)
class Fit:
    """How the values of one resource fit a schema: what stays, and the notations of what does not, or is not there and has to be."""

    values: dict[str, Any]
    lost: tuple[str, ...]
    missing: tuple[str, ...]


def differences(old: Extension | None, new: Extension | None) -> tuple[Difference, ...]:
    """(what, old, new) for each attribute that differs, as it is published, and for what is said of the schema itself."""
    before, after = _facts(old), _facts(new)
    names = [*before, *(name for name in after if name not in before)]
    return tuple((name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name))


def concerns_values(old: Extension | None, new: Extension | None) -> bool:
    """Whether any stored value has to be looked at. Where nothing was, nothing is stored; whether that is enough is another question."""
    if old is None:
        return False
    if new is None:
        return True
    return any(_concerns(each, new.schema.attribute(each.name)) for each in old.schema.attributes) or _demands(old.schema, new.schema)


def fit(schema: Schema | None, held: dict[str, Any], urn: str) -> Fit:
    """How the values of an extension object fit the schema that it is to have; None: it is to have none."""
    if schema is None:
        return Fit({}, (urn,), ())
    misfits = _Misfits()
    return Fit(misfits.kept(schema, held, urn), tuple(misfits.lost), tuple(misfits.missing))


class _Misfits:
    """Gathers the notations of what does not fit, and of what is missing."""

    def __init__(self) -> None:
        self.lost: dict[str, None] = {}
        self.missing: dict[str, None] = {}

    def kept(self, holder: Schema | Attribute, held: dict[str, Any], name: str) -> dict[str, Any]:
        """What stays of an object. Names are compared as they are spelled: under that spelling values are kept."""
        parts = _parts(holder)
        kept: dict[str, Any] = {}
        for part, value in held.items():
            notation = joined(holder, name, part)
            found = self._value(parts[part], value, notation) if part in parts and parts[part].kept else None
            if found is None:
                self.lost[notation] = None
            else:
                kept[part] = found
        for part, attribute in parts.items():
            if attribute.required and attribute.kept and part not in kept:
                self.missing[joined(holder, name, part)] = None
        return kept

    def _value(self, attribute: Attribute, value: Any, name: str) -> Any:
        """What stays of a value; None if nothing does."""
        if attribute.multi_valued is not isinstance(value, list):
            return None
        if not attribute.multi_valued:
            return self._one(attribute, value, name)
        elements = [found for each in value if (found := self._one(attribute, each, name)) is not None]
        kept = distinct(attribute, elements)
        if len(kept) < len(value):
            self.lost[name] = None
        return kept or None

    def _one(self, attribute: Attribute, value: Any, name: str) -> Any:
        if attribute.is_complex is not isinstance(value, dict):
            return None
        if attribute.is_complex:
            return self.kept(attribute, value, name) or None
        try:
            return values.check(attribute, value, name)
        except InvalidValue:
            return None


def _concerns(old: Attribute, new: Attribute | None) -> bool:
    """Whether values under the old attribute may not be values under the new one, or not be found there."""
    if new is None or _of_values(old) != _of_values(new):
        return True
    return any(_concerns(each, new.sub(each.name)) for each in old.sub_attributes) or _demands(old, new)


def _of_values(attribute: Attribute) -> tuple[Any, ...]:
    """What values depend on, and the keys by which they are found."""
    unique = attribute.uniqueness is not Uniqueness.NONE
    return attribute.name, attribute.type, attribute.multi_valued, attribute.case_exact, attribute.kept, unique


def _demands(old: Schema | Attribute, new: Schema | Attribute) -> bool:
    """Whether something is required that was not."""
    before, after = _parts(old), _parts(new)
    return any(each.required and each.kept and not (each.name in before and before[each.name].required) for each in after.values())


def _parts(holder: Schema | Attribute) -> dict[str, Attribute]:
    return {each.name: each for each in (holder.attributes if isinstance(holder, Schema) else holder.sub_attributes)}


def _facts(extension: Extension | None) -> dict[str, Any]:
    if extension is None:
        return {}
    published = discovery.schema(extension.schema, "")
    facts = {name: published[name] for name in ("name", "description")} | {"required": extension.required}
    return facts | {f"attributes.{each['name']}": each for each in published["attributes"]}
