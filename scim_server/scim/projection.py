"""Which attributes of a resource are answered (RFC 7644 §3.4.2.5, §3.9; RFC 7643 §7 "returned").

Names that no schema has are ignored, as unknown query parameters are. What is returned "always"
is, whatever the client asks for (a sub-attribute: wherever its attribute is); what is returned "never" is in
no representation to begin with. What is returned on "request" has to be named itself: its attribute's name, or
its extension's, is not enough. Or the client has set it in this very write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from scim_server.scim.attributes import Attribute, Returned, Target, derived
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
    def parse(
        cls, resource_type: ResourceType, attributes: str | None, excluded: str | None, written: Collection[Target] = ()
    ) -> Projection:
        """The query parameters ``attributes`` and ``excludedAttributes``: names with commas between.

        A parameter without a name in it is as good as none. ``written`` is what the client has set, of what is returned on
        request only (``written_on_request``). InvalidValue if both are given, or if a name has a filter behind it.
        """
        wanted, unwanted = _split("attributes", attributes), _split("excludedAttributes", excluded)
        if wanted and unwanted:
            raise InvalidValue("attributes and excludedAttributes cannot be used together.")
        named: _Tree = {}
        if wanted:
            targets = _targets(resource_type, wanted)
            for target in _returned(resource_type, Returned.ALWAYS):
                if target.sub is None or any(target.attribute is each.attribute for each in targets):
                    _add(named, target)
            for target in targets:
                for part in _parts(resource_type, target, without=Returned.REQUEST):
                    _add(named, part)
            return cls(True, named)
        for target in _returned(resource_type, Returned.REQUEST):
            if target not in written:
                _add(named, target)
        for target in _targets(resource_type, unwanted):
            if target.attribute is None or target.leaf.returned is not Returned.ALWAYS:
                for part in [target] if target.attribute else _parts(resource_type, target, without=Returned.ALWAYS):
                    _add(named, part)
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


def _targets(resource_type: ResourceType, names: Iterable[str]) -> list[Target]:
    return [target for name in names if (target := resource_type.resolve(name)) is not None]


def _returned(resource_type: ResourceType, returned: Returned) -> tuple[Target, ...]:
    """The attributes and sub-attributes of that characteristic, "always" or "request"."""
    return _unusual(resource_type)[returned]


@derived
def _unusual(resource_type: ResourceType) -> dict[Returned, tuple[Target, ...]]:
    placed: list[tuple[str | None, Attribute]] = [(None, each) for each in (*COMMON.attributes, *resource_type.schema.attributes)]
    placed += [(extension.id, each) for extension in resource_type.extensions for each in extension.attributes]
    targets = [Target(urn, each, sub) for urn, each in placed for sub in (None, *each.sub_attributes)]
    return {wanted: tuple(each for each in targets if each.leaf.returned is wanted) for wanted in (Returned.ALWAYS, Returned.REQUEST)}


def _parts(resource_type: ResourceType, target: Target, *, without: Returned) -> list[Target]:
    """A target; or, if something in it is of that characteristic, all the rest of it, piece by piece."""
    if target.sub is not None:
        return [target]
    if target.attribute is not None:
        subs = target.attribute.sub_attributes
        rest = [Target(target.extension, target.attribute, each) for each in subs if each.returned is not without]
        return [target] if len(rest) == len(subs) else rest
    schema = resource_type.extension(target.extension or "")
    inner = [Target(target.extension, each) for each in (schema.attributes if schema else ())]
    rest = [each for each in inner if each.leaf.returned is not without]
    if without is Returned.REQUEST:
        rest = [part for each in rest for part in _parts(resource_type, each, without=without)]
    return [target] if rest == inner else rest


def written_on_request(resource_type: ResourceType, body: Any) -> frozenset[Target]:
    """What of that which is returned on request only the body of a POST, PUT or PATCH sets, be it a good one or not."""
    wanted = _returned(resource_type, Returned.REQUEST)
    if not wanted or not isinstance(body, dict):
        return frozenset()
    said = set(_said(resource_type, body, ""))
    for operation in next((each for name, each in body.items() if name.lower() == "operations"), ()):
        if isinstance(operation, dict):
            told = {name.lower(): each for name, each in operation.items()}
            path, value = told.get("path"), told.get("value")
            if isinstance(path, str):  # a filter selects elements, and says nothing of what becomes of them
                value = {path.partition("[")[0] + path.rpartition("]")[2] if "[" in path else path: value}
            said |= set(_said(resource_type, value, ""))
    targets = {Target(each.extension, each.attribute, sub) for each in _targets(resource_type, said) for sub in (None, each.sub)}
    return frozenset(each for each in wanted if each in targets)


def _said(resource_type: ResourceType, value: Any, prefix: str) -> Iterator[str]:
    """The notations of what an object of attributes says something of."""
    for name, each in value.items() if isinstance(value, dict) else ():
        yield (notation := prefix + name)
        target = resource_type.resolve(notation)
        if target is not None and target.attribute is None:
            yield from _said(resource_type, each, f"{notation}:")
        elif target is not None and target.sub is None:
            for element in each if isinstance(each, list) else [each]:
                yield from (f"{notation}.{sub}" for sub in element) if isinstance(element, dict) else ()


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
