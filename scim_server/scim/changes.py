"""What differs between two documents, attribute by attribute, for the record of a change."""

from __future__ import annotations

from typing import Any

from scim_server.scim.documents import Document
from scim_server.scim.schemas import ResourceType

Difference = tuple[str, Any, Any]


def differences(resource_type: ResourceType, old: Document, new: Document) -> tuple[Difference, ...]:
    """(path, old, new) for each attribute that differs; None where it is unassigned.

    Paths are as RFC 7644 §3.10 writes them. An attribute with many values is one difference, with
    all its values; a complex one with one value is as many as sub-attributes differ. ``schemas``
    follows from the rest and is left out.
    """
    found: list[Difference] = []
    extensions = {each.id for each in resource_type.extensions}
    for name in _names(old, new):
        if name in extensions:
            before, after = old.get(name, {}), new.get(name, {})
            for inner in _names(before, after):
                _compare(f"{name}:{inner}", before.get(inner), after.get(inner), found)
        elif name != "schemas":
            _compare(name, old.get(name), new.get(name), found)
    return tuple(found)


def _names(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [*old, *(name for name in new if name not in old)]


def _compare(path: str, old: Any, new: Any, found: list[Difference]) -> None:
    if old == new:
        return
    if isinstance(old, dict) or isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        after = new if isinstance(new, dict) else {}
        for name in _names(before, after):
            _compare(f"{path}.{name}", before.get(name), after.get(name), found)
        return
    found.append((path, old, new))
