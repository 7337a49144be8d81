"""SQL finds what ``matching.matches`` says, for any filter, on both databases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import text as sql

from scim_server.events import Scope
from scim_server.scim import resources
from scim_server.scim.attributes import Attribute, Mutability, Returned, Target, Type
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters import And, Compare, Filter, Not, Or, Present, ValuePath, parse_filter
from scim_server.scim.matching import bind, matches
from scim_server.scim.resources import Resource, represent
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP_TYPE, USER_TYPE, ResourceType, Schema
from scim_server.store.unit import Store
from tests.store.samples import group, managed_by, user, where
from tests.tenants import BASE_URL, fresh_scope

# Letters whose order, case or composition databases and Python see differently by default; what
# LIKE and JSON paths would misread; the first character beyond the basic plane, and the last in it.
TEXTS = [
    "anna", "Anna", "ANNA", "ann", "b", "B", "_", "%", "a%a", "\\", '"', "'", "$.x", "[0]", "{}", "null", "true", "10", "9",
    "straße", "STRASSE", "é", "e\u0301", "É", "ﬁ", "İ", "ı", "ａ", "\uffee", "\U0001f600", "z", "Z", " ", "a b", "-", "~", "",
]  # fmt: skip


def population() -> list[dict[str, Any]]:
    """The attributes of users, so that each kind of value is there, absent and empty."""
    texts = [each for each in TEXTS if each.strip()]
    people: list[dict[str, Any]] = []
    for n, text in enumerate(texts):
        one: dict[str, Any] = {"userName": f"{text} {n}", "active": n % 3 != 0}
        if n % 2:
            one |= {"displayName": text, "externalId": text, "nickName": "" if n % 3 else text, "title": texts[-n]}
        if n % 3:
            one["name"] = {"familyName": text, "givenName": "" if n % 2 else texts[-n]}
        if n % 4:
            one["emails"] = [{"type": "work", "value": f"{text}@x", "primary": True}, {"type": "HOME", "value": text}][: n % 4]
        if n % 4 == 3:
            one["emails"] += [{"type": "home"}, {"value": "", "primary": False}, {"value": ""}]
        if n % 5 == 0:
            one["addresses"] = [{"locality": text, "type": "work"}, {"country": "DE", "primary": True}]
            one["x509Certificates"] = [{"value": "AAEC"}, {"value": "////"}]
            one["photos"] = [{"value": f"https://x/{n}", "type": "photo"}]
        if n % 7 == 0:
            one[ENTERPRISE_USER] = {"department": text, "employeeNumber": str(n)}
        people.append(one)
    return people


@dataclass
class World:
    """Stored users and groups, and what a client would be shown of them."""

    store: Store
    scope: Scope
    shown: dict[ResourceType, list[tuple[str, dict[str, Any]]]]

    def ids(self, filter: Filter, resource_type: ResourceType) -> tuple[list[str], list[str], int]:
        """By SQL, in memory, and the total."""
        bound = bind(filter, resource_type)
        with self.store.read(self.scope) as unit:
            offered: Any = unit.users if resource_type.name == "User" else unit.groups
            page = offered.find(bound, 1, 1000)
        return [each.id for each in page.resources], [id for id, shown in self.shown[resource_type] if matches(bound, shown)], page.total


@pytest.fixture(scope="module")
def world(store: Store, engine: Engine) -> World:
    scope = fresh_scope(engine)
    with store.write(scope) as unit:
        users: list[Resource] = []
        for n, attributes in enumerate(population()):
            manager = {} if n % 6 or not users else managed_by([users[0].id, users[-1].id, "nobody"][n % 3])
            users.append(unit.users.insert(user(attributes.pop("userName"), **{**attributes, **manager})))
        groups = [unit.groups.insert(group(f"{name} {n}", externalId=name)) for n, name in enumerate(TEXTS[::2])]
        for n, each in enumerate(groups):
            unit.members.add(each.id, [*(one.id for one in users[n :: n + 1]), *(one.id for one in groups[n + 1 : n + 3])])
        unit.members.remove(groups[1].id, [users[1].id])
        unit.users.end(users[-1].id)
        unit.groups.end(groups[-1])
        for each in users[3:5]:
            locked = unit.users.lock(each.id)
            assert locked is not None
            unit.users.update(locked, {**locked.document, "title": "changed"})
    with store.read(scope) as unit:
        pages = {USER_TYPE: unit.users.find(None, 1, 1000), GROUP_TYPE: unit.groups.find(None, 1, 1000)}
    return World(store, scope, {kind: [(each.id, represent(each, BASE_URL)) for each in page.resources] for kind, page in pages.items()})


def literals(target: Target, op: str, world: World, resource_type: ResourceType) -> st.SearchStrategy[Any]:
    """Literals of the right type: values that are there, parts of them, and others."""
    kind = target.leaf.type
    there = [value for _, shown in world.shown[resource_type] for value in _values(target, shown)]
    if kind is Type.BOOLEAN:
        return st.booleans()
    if kind is Type.DATETIME:
        return st.sampled_from([*there[:5], "2020-01-01T00:00:00Z", "2999-12-31T23:59:59.999999+14:00", "0001-01-02T00:00:00"])
    if kind is Type.BINARY:
        return st.sampled_from(["AAEC", "////", "AA==", "AA"])
    if kind is Type.INTEGER:
        return st.sampled_from([*there, -1, 0, 2**53 + 1])
    if kind is Type.DECIMAL:
        return st.sampled_from([*there, 0, Decimal("-0.5"), Decimal("1e300")])
    texts = st.sampled_from([*map(str, there), *TEXTS])
    if op in ("co", "sw", "ew"):
        return st.builds(lambda text, first, length: text[first : first + length], texts, st.integers(0, 3), st.integers(0, 40))
    return st.one_of(texts, texts.map(str.upper), texts.map(str.lower))


def _values(target: Target, shown: dict[str, Any]) -> list[Any]:
    value: Any = shown if target.extension is None else shown.get(target.extension, {})
    for part in (target.attribute, target.sub):
        if part is not None:
            value = [each[part.name] for each in (value if isinstance(value, list) else [value]) if part.name in each]
            value = [each for one in value for each in (one if isinstance(one, list) else [one])]
    return list(value)


def operators(leaf: Attribute) -> list[str]:
    always = ["eq", "ne", "pr"]
    if leaf.is_complex:
        return ["pr"]
    if leaf.type in (Type.BOOLEAN, Type.BINARY):
        return always
    ordered = [*always, "gt", "ge", "lt", "le"]
    return [*ordered, "co", "sw", "ew"] if leaf.type in (Type.STRING, Type.REFERENCE) else ordered


@st.composite
def filters(draw: st.DrawFn, world: World, resource_type: ResourceType) -> Filter:
    paths = [path for path in resource_type.names() if _askable(resource_type, path)]

    def comparison(path: str, target: Target) -> Filter:
        op = draw(st.sampled_from(operators(target.leaf)))
        if op == "pr":
            return Present(path)
        return Compare(path, op, draw(st.one_of(literals(target, op, world, resource_type), *([st.none()] if op in ("eq", "ne") else []))))

    def joined(terms: list[Filter]) -> Filter:
        if len(terms) == 1:
            return terms[0]
        return And(tuple(terms)) if draw(st.booleans()) else Or(tuple(terms))

    def leaf() -> Filter:
        path = draw(st.sampled_from(paths))
        target = resource_type.resolve(path)
        assert target is not None
        attribute = target.attribute
        if attribute is not None and attribute.multi_valued and attribute.is_complex and draw(st.booleans()):
            name = path.rsplit(".", 1)[0] if target.sub else path
            inner = [draw(st.sampled_from(attribute.sub_attributes)) for _ in range(draw(st.integers(1, 3)))]
            terms = [comparison(sub.name, Target(target.extension, attribute, sub)) for sub in inner]
            terms = [Not(term) if draw(st.integers(0, 4)) == 0 else term for term in terms]
            return ValuePath(name, joined(terms))
        return comparison(path, target)

    def tree(depth: int) -> Filter:
        kind = draw(st.sampled_from(["leaf", "leaf", "several", "several", "not"])) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind == "not":
            return Not(tree(depth - 1))
        return joined([tree(depth - 1) for _ in range(draw(st.integers(2, 3)))])

    return tree(draw(st.integers(0, 2)))


def _askable(resource_type: ResourceType, path: str) -> bool:
    target = resource_type.resolve(path)
    parts = (target.attribute, target.sub) if target else ()
    return all(part is None or (part.returned is not Returned.NEVER and part.mutability is not Mutability.WRITE_ONLY) for part in parts)


@pytest.mark.requirement("S-7644-3.4.2.2-37")
@pytest.mark.parametrize("resource_type", [USER_TYPE, GROUP_TYPE], ids=lambda each: each.name)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_sql_and_memory_agree(world: World, resource_type: ResourceType, data: st.DataObject) -> None:
    filter = data.draw(filters(world, resource_type))
    found, expected, total = world.ids(filter, resource_type)
    assert found == expected, str(filter)
    assert total == len(expected)


OTHERWISE: dict[Type, Any] = {Type.BOOLEAN: True, Type.DATETIME: "2020-01-01T00:00:00Z", Type.BINARY: "AAEC"}


@pytest.mark.parametrize("resource_type", [USER_TYPE, GROUP_TYPE], ids=lambda each: each.name)
def test_every_attribute_and_operator_can_be_asked(world: World, resource_type: ResourceType) -> None:
    """The same without chance: each path with each operator."""
    shown = [each for _, each in world.shown[resource_type]]
    for path in resource_type.names():
        target = resource_type.resolve(path)
        assert target is not None
        if not _askable(resource_type, path):
            continue
        there = [value for each in shown for value in _values(target, each) if value != ""]
        for op in operators(target.leaf):
            value = there[len(there) // 2] if there else OTHERWISE.get(target.leaf.type, "anna")
            filter: Filter = Present(path) if op == "pr" else Compare(path, op, value)
            found, expected, _ = world.ids(filter, resource_type)
            assert found == expected, str(filter)


@pytest.mark.parametrize("lookup", ['userName eq "{userName}"', 'id eq "{id}"', 'emails[type pr and value eq "{email}"]'])
def test_a_look_up_may_stand_anywhere_among_other_terms(world: World, lookup: str) -> None:
    """Each literal has to reach its own parameter."""
    shown = next(each for _, each in world.shown[USER_TYPE] if each.get("emails") and each["emails"][0].get("value"))
    sought = lookup.format(userName=shown["userName"], id=shown["id"], email=shown["emails"][0]["value"])
    others = ['(title eq "a" or nickName eq "b" or title pr or title eq null)', 'not (title eq "c" and title eq "d")']
    for text in (sought, " and ".join([others[0], sought, others[1]]), " and ".join([*others, sought]), f"({others[1]} and {sought})"):
        found, expected, _ = world.ids(parse_filter(text), USER_TYPE)
        assert found == expected, text
        assert shown["id"] in found, text


NUMBERED = ResourceType(
    "User",
    "/Users",
    "",
    Schema(
        "urn:example:numbered",
        "Numbered",
        "",
        (
            Attribute("level", Type.DECIMAL),
            Attribute("marks", Type.COMPLEX, multi_valued=True, sub_attributes=(Attribute("value", Type.INTEGER),)),
        ),
    ),
)
NUMBERS: list[Any] = [-3, -2.5, 0, 2, 9.5, 10, 1000.0, 1e30, 2**53 + 1, Decimal(2**53) + Decimal("1.5"), 2**63 - 1, None]


@pytest.mark.parametrize("op", ["eq", "ne", "gt", "ge", "lt", "le", "pr"])
def test_numbers_are_compared_as_numbers(store: Store, owner_engine: Engine, scope: Scope, op: str) -> None:
    """No schema that everybody has has numbers, so the comparison documents are put in by hand."""
    shown: list[dict[str, Any]] = []
    with store.write(scope) as unit:
        for number in NUMBERS:
            made = unit.users.insert(user(f"user {number}"))
            marks = [{"value": each} for each in (number, 7) if isinstance(each, int)]
            shown.append({"id": made.id, **({} if number is None else {"level": number}), "marks": marks})
    with owner_engine.begin() as connection:
        cast = "CAST(:keys AS JSONB)" if owner_engine.dialect.name == "postgresql" else ":keys"
        for each in shown:
            keys = json.dumps(resources.keys(NUMBERED, {**each, "schemas": [NUMBERED.schema.id]}))
            connection.execute(sql(f"UPDATE users SET keys = {cast} WHERE id = :id"), {"keys": keys, "id": each["id"]})
    for path in ("level", "marks.value"):
        for number in NUMBERS[:-1]:
            asked: Filter = Present(path) if op == "pr" else Compare(path, op, number)
            if path == "marks.value" and op != "pr" and not isinstance(number, int):
                continue
            for filter in (asked, Not(asked)):
                bound = bind(filter, NUMBERED)
                with store.read(scope) as unit:
                    found = [each.id for each in unit.users.find(bound, 1, 100).resources]
                assert found == [each["id"] for each in shown if matches(bound, each)], str(filter)


HOSTILE = [
    "",
    "'",
    '"',
    "\\",
    "%",
    "_",
    "; DROP TABLE users; --",
    "$1",
    "%s",
    "%(x)s",
    ":x",
    "?",
    "\u2028",
    "\U0010ffff",
    "a" * 4000,
    "\x00",
    "\ud800",
]


@pytest.mark.parametrize("literal", HOSTILE, ids=lambda each: ascii(each[:12]))
def test_no_literal_makes_the_database_fail(world: World, literal: str) -> None:
    for resource_type in (USER_TYPE, GROUP_TYPE):
        for path in (
            "id",
            "externalId",
            "displayName",
            "meta.version",
            "meta.location",
            "members.value",
            "groups.value",
            "emails.value",
            "userName",
        ):
            for op in ("eq", "ne", "co", "sw", "ew", "gt", "le"):
                try:
                    found, expected, _ = world.ids(Compare(path, op, literal), resource_type)
                except InvalidFilter:
                    continue
                assert found == expected, (path, op)


def test_pages_of_a_search_are_disjoint_and_ordered(world: World) -> None:
    bound = where("active eq true")
    with world.store.read(world.scope) as unit:
        everybody = unit.users.find(bound, 1, 1000)
        total = everybody.total
        assert total == len(everybody.resources) > 10
        walked = []
        for start in range(1, total + 5, 4):
            page = unit.users.find(bound, start, 4)
            assert page.total == total
            walked += page.resources
        assert walked == everybody.resources
        assert [each.id for each in walked] == sorted(each.id for each in walked)
        for start, count in ((1, 0), (10**17, 5), (total + 1, 1), (10**18 - 1, 0)):
            page = unit.users.find(bound, start, count)
            assert (page.total, page.resources) == (total, [])


def test_pages_of_everything_are_the_same(world: World) -> None:
    with world.store.read(world.scope) as unit:
        everybody = unit.users.find(None, 1, 1000)
        walked = [each for start in range(1, everybody.total + 1, 7) for each in unit.users.find(None, start, 7).resources]
        assert walked == everybody.resources
        assert unit.users.find(None, 10**17, 5).total == everybody.total
        assert unit.users.find(None, 1, 0).total == everybody.total
