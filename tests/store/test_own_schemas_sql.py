"""Attributes of a tenant's own schema are filtered and sorted in SQL as in memory: every type, single, several, and within others."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from scim_server.provisioning import schemas
from scim_server.scim.attributes import Attribute
from scim_server.scim.definitions import load
from scim_server.scim.errors import InvalidValue
from scim_server.scim.ordering import bind, ordered
from scim_server.scim.resources import accept, represent
from scim_server.scim.schemas import USER, Extension, ResourceType
from scim_server.store.unit import Store
from tests.store.samples import ACME
from tests.store.test_filter_sql import TEXTS, World, filters
from tests.tenants import BASE_URL, fresh_scope

SIMPLE = ("string", "boolean", "integer", "decimal", "dateTime", "binary", "reference")
UNIQUE = {"name": "badge", "uniqueness": "server"}
DEFINITION: dict[str, Any] = {
    "id": ACME,
    "attributes": [
        UNIQUE,
        {"name": "exact", "caseExact": True},
        *({"name": f"one-{kind}", "type": kind} for kind in SIMPLE),
        *({"name": f"many_{kind}", "type": kind, "multiValued": True} for kind in SIMPLE),
        *(
            {
                "name": name,
                "type": "complex",
                "multiValued": several,
                "subAttributes": [
                    {"name": "primary", "type": "boolean"},
                    *({"name": "value" if kind == "string" else f"{kind}1", "type": kind} for kind in SIMPLE),
                    *({"name": f"{kind}s", "type": kind, "multiValued": True} for kind in SIMPLE),
                ],
            }
            for name, several in (("single", False), ("plural", True))
        ),
    ],
}

POOL: dict[str, list[Any]] = {
    "string": [each for each in TEXTS if each.strip()],
    "boolean": [True, False],
    "integer": [0, -1, 5, 10, 9, 2**53 + 1, 2**53, -(2**63), 2**63 - 1],
    "decimal": [0, 1, Decimal("1.5"), Decimal("-1.5"), Decimal("0.1"), Decimal("1e-30"), Decimal("9007199254740993.5"), -10, 9],
    "dateTime": ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+02:00", "1999-12-31T23:59:59.5", "2026-01-31T12:00:00.000001Z"],
    "binary": ["AAEC", "////", "AA==", "AA"],
    "reference": ["https://h/a", "https://h/B", "../Users/1", "urn:a"],
}


def population() -> Iterator[dict[str, Any]]:
    """Users of whom each has some of the values, in all places."""
    taken = {kind: cycle(pool) for kind, pool in POOL.items()}

    def some(kind: str, count: int) -> list[Any]:
        return list(islice(taken[kind], count))

    def element(n: int, kinds: list[str]) -> dict[str, Any]:
        one = {("value" if kind == "string" else f"{kind}1"): some(kind, 1)[0] for kind in kinds[::2]}
        return {**one, **{f"{kind}s": some(kind, 1 + n % 3) for kind in kinds[1::2]}}

    for n in range(36):
        kinds = [SIMPLE[(n + m) % len(SIMPLE)] for m in range(5)]
        values: dict[str, Any] = {"badge": f"B{n}"} if n % 2 else {}
        values |= {f"one-{kind}": some(kind, 1)[0] for kind in kinds}
        values |= {f"many_{kind}": some(kind, 1 + (n + m) % 3) for m, kind in enumerate(kinds)}
        if n % 3:
            values |= {"single": element(n, kinds), "exact": some("string", 1)[0]}
        if n % 4:
            elements = [element(n + m, kinds[m:] + kinds[:m]) for m in range(n % 4)]
            values["plural"] = [{**each, "primary": m == 1} if n % 5 else each for m, each in enumerate(elements)]
        yield values if n % 6 else {}


@pytest.fixture(scope="module")
def world(store: Store, engine: Engine) -> World:
    scope = fresh_scope(engine)
    extension = Extension("User", load(DEFINITION))
    store.transact(scope, lambda unit: schemas.add(unit, extension, accept_missing=False))
    with store.write(scope) as unit:
        for n, values in enumerate(population()):
            unit.users.insert(accept(unit.users.type, {"schemas": [USER], "userName": f"u{n}", ACME: values}, lenient=False).document)
    with store.read(scope) as unit:
        page = unit.users.find(None, 1, 1000)
        return World(store, scope, {unit.users.type: [(each.id, represent(each, BASE_URL)) for each in page.resources]})


class Own(ResourceType):
    """The user type with nothing to ask of but what is the tenant's own."""

    def names(self) -> Iterator[str]:
        return (each for each in super().names() if each.startswith(ACME))


@pytest.mark.requirement("S-7644-3.4.2.2-37")
@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_filters(world: World, data: st.DataObject) -> None:
    (kind,) = world.shown
    own = Own(kind.name, kind.endpoint, kind.description, kind.schema, kind.extensions)
    filter = data.draw(filters(World(world.store, world.scope, {own: world.shown[kind]}), own))
    found, expected, total = world.ids(filter, kind)
    assert found == expected, str(filter)
    assert total == len(expected)


def sortable(kind: ResourceType) -> list[str]:
    found = []
    for name in kind.names():
        try:
            bind(kind, name, None)
        except InvalidValue:
            continue
        found.append(name)
    return found


@pytest.mark.requirement("S-7644-3.4.2.3-02", "S-7644-3.4.2.3-06")
@pytest.mark.parametrize("way", ["ascending", "descending"])
def test_sorts(world: World, way: str) -> None:
    (kind,) = world.shown
    names = [each for each in sortable(kind) if each.startswith(ACME)]
    assert len(names) > 30
    for name in names:
        order = bind(kind, name, way)
        expected = [each["id"] for each in ordered((shown for _, shown in world.shown[kind]), order)]
        with world.store.read(world.scope) as unit:
            assert [each.id for each in unit.users.find(None, 1, 1000, order=order).resources] == expected, name
            walked: list[str] = []
            after = None
            while not walked or after is not None:
                came = unit.users.find(None, 1, 7, order=order, after=after)
                walked += [each.id for each in came.resources]
                after = came.end
            assert walked == expected, name


def test_each_kind_of_attribute_is_there() -> None:
    schema = load(DEFINITION)
    leaves: list[Attribute] = [sub for each in schema.attributes for sub in (each, *each.sub_attributes) if not sub.is_complex]
    assert {(each.type.value, each.multi_valued) for each in leaves} == {(kind, several) for kind in SIMPLE for several in (True, False)}
