"""Which attributes of a resource are answered (RFC 7644 §3.4.2.5, §3.9; RFC 7643 §7 "returned").

Names that no schema has are ignored, as unknown query parameters are. What is returned "always"
is, whatever the client asks for; what is returned "never" is in no representation to begin with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from scim_server.scim.attributes import Attribute, Returned, Target
from scim_server.scim.errors import InvalidValue
from scim_server.scim.schemas import COMMON, ResourceType

# Names within an object (attributes, extensions, sub-attributes), each with the names meant
# within its value; None if the whole value is meant.
_Tree: TypeAlias = "dict[str, _Tree | None]"


@dataclass(frozen=True, slots=True)
class Projection:
    """What to show of a resource: ``only`` what is named, or all but that."""

    only: bool = False
    named: _Tree = field(default_factory=dict)

    @classmethod
    def parse(cls, resource_type: ResourceType, attributes: str | None, excluded: str | None) -> Projection:
        """The query parameters ``attributes`` and ``excludedAttributes``: names with commas between.

        A parameter without a name in it is as good as none. InvalidValue if both are given, or if a
        name has a filter behind it.
        """
        wanted, unwanted = _split("attributes", attributes), _split("excludedAttributes", excluded)
        if wanted and unwanted:
            raise InvalidValue("attributes and excludedAttributes cannot be used together.")
        named: _Tree = {}
        if wanted:
            for target in _returned(resource_type, Returned.ALWAYS):
                _add(named, target)
            for target in _targets(resource_type, wanted):
                _add(named, target)
                for sub in target.attribute.sub_attributes if target.attribute and target.sub else ():
                    if sub.returned is Returned.ALWAYS:
                        _add(named, Target(target.extension, target.attribute, sub))
            return cls(True, named)
        for target in _returned(resource_type, Returned.REQUEST):
            _add(named, target)
        for target in _targets(resource_type, unwanted):
            if target.attribute is None or target.leaf.returned is not Returned.ALWAYS:
                _add(named, target)
        return cls(False, named) if named else EVERYTHING

    def apply(self, representation: dict[str, Any]) -> dict[str, Any]:
        """What is shown of a representation, which stays as it is."""
        if not self.only and not self.named:
            return representation
        shown: dict[str, Any] = (_only if self.only else _without)(representation, self.named)
        return shown

    def wants(self, name: str) -> bool:
        """Whether anything of the attribute of the resource itself, named as the schema does, is shown."""
        return name in self.named if self.only else self.named.get(name, {}) is not None


EVERYTHING = Projection()


def _split(parameter: str, text: str | None) -> list[str]:
    names = [name for each in (text or "").split(",") if (name := each.strip())]
    if any("[" in name for name in names):
        raise InvalidValue(f"{parameter} takes names of attributes, without filters in brackets.")
    return names


def _targets(resource_type: ResourceType, names: Iterable[str]) -> Iterable[Target]:
    return (target for name in names if (target := resource_type.resolve(name)) is not None)


@lru_cache(maxsize=256)
def _returned(resource_type: ResourceType, returned: Returned) -> tuple[Target, ...]:
    """The attributes of that characteristic."""
    placed: list[tuple[str | None, Attribute]] = [(None, each) for each in (*COMMON.attributes, *resource_type.schema.attributes)]
    placed += [(extension.id, each) for extension in resource_type.extensions for each in extension.attributes]
    return tuple(Target(urn, each) for urn, each in placed if each.returned is returned)


def _add(tree: _Tree, target: Target) -> None:
    """Name a target in the tree. What is within something that is named whole changes nothing."""
    *above, last = (each for each in (target.extension, target.attribute and target.attribute.name, target.sub and target.sub.name) if each)
    for name in above:
        below = tree.setdefault(name, {})
        if below is None:
            return
        tree = below
    tree[last] = None


def _only(value: Any, named: _Tree) -> Any:
    """The named parts of a value; empty where there are none."""
    if isinstance(value, list):
        return [shown for each in value if (shown := _only(each, named))]
    result = {}
    for name, each in value.items():
        if name in named:
            below = named[name]
            if below is None:
                result[name] = each
            elif shown := _only(each, below):
                result[name] = shown
    return result


def _without(value: Any, named: _Tree) -> Any:
    """A value without its named parts; empty where nothing is left."""
    if isinstance(value, list):
        return [shown for each in value if (shown := _without(each, named))]
    result = {}
    for name, each in value.items():
        if name not in named:
            result[name] = each
        elif (below := named[name]) is not None and (shown := _without(each, below)):
            result[name] = shown
    return result
