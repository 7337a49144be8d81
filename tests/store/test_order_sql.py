"""Sorting and walks: what SQL gives is what ``scim.ordering`` says, for every attribute, both ways, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from scim_server.scim.errors import InvalidValue
from scim_server.scim.ordering import Order, bind, ordered
from scim_server.scim.paging import Position
from scim_server.scim.schemas import GROUP_TYPE, USER_TYPE, ResourceType
from scim_server.store.unit import Unit
from tests.store.samples import where
from tests.store.test_filter_sql import World, world  # noqa: F401  a fixture


def sortable(resource_type: ResourceType) -> list[str]:
    found = []
    for name in resource_type.names():
        try:
            bind(resource_type, name, None)
        except InvalidValue:
            continue
        found.append(name)
    return found


CASES = [(kind, name, way) for kind in (USER_TYPE, GROUP_TYPE) for name in sortable(kind) for way in ("ascending", "descending")]


def of_type(unit: Unit, resource_type: ResourceType) -> Any:
    return unit.users if resource_type is USER_TYPE else unit.groups


@pytest.mark.requirement("S-7644-3.4.2.3-02", "S-7644-3.4.2.3-04", "S-7644-3.4.2.3-06", "S-7644-3.4.2.3-07")
@pytest.mark.parametrize(("resource_type", "name", "way"), CASES, ids=[f"{kind.name} {name[-30:]} {way}" for kind, name, way in CASES])
def test_sql_sorts_as_memory_does(world: World, resource_type: ResourceType, name: str, way: str) -> None:  # noqa: F811
    order = bind(resource_type, name, way)
    expected = [each["id"] for each in ordered((shown for _, shown in world.shown[resource_type]), order)]
    with world.store.read(world.scope) as unit:
        everything = of_type(unit, resource_type).find(None, 1, 1000, order=order)
        assert [each.id for each in everything.resources] == expected
        by_index = [each.id for start in range(1, len(expected) + 1, 7) for each in page(unit, resource_type, order, start=start).resources]
        assert by_index == expected
        assert walk(unit, resource_type, order) == expected


def page(unit: Unit, resource_type: ResourceType, order: Order | None, start: int = 1, after: Position | None = None) -> Any:
    return of_type(unit, resource_type).find(None, start, 7, order=order, after=after)


def walk(unit: Unit, resource_type: ResourceType, order: Order | None) -> list[str]:
    """The ids, page by page, each behind the end of the one before; asserts that the total is told on each."""
    came = page(unit, resource_type, order)
    found, total = [each.id for each in came.resources], came.total
    while came.end is not None:
        came = page(unit, resource_type, order, after=came.end)
        assert came.total == total
        found += [each.id for each in came.resources]
    return found


@pytest.mark.parametrize("filter", ["active eq true", 'emails[type eq "work"]', 'userName sw "a"', "not (title pr)"])
@pytest.mark.parametrize("sort_by", [None, "userName", "emails", "meta.lastModified"])
def test_what_a_filter_finds_is_sorted_and_walked_through(world: World, filter: str, sort_by: str | None) -> None:  # noqa: F811
    bound, order = where(filter), bind(USER_TYPE, sort_by, "descending")
    with world.store.read(world.scope) as unit:
        everybody = unit.users.find(bound, 1, 1000, order=order)
        found, after = [], None
        while True:
            came = unit.users.find(bound, 1, 3, order=order, after=after, total=everybody.total)
            found += came.resources
            after = came.end
            if after is None:
                break
    assert found == everybody.resources
    assert {each.id for each in found} == {each.id for each in unit.users.find(bound, 1, 1000).resources}
