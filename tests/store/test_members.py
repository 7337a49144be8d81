"""Members: each way to change them says exactly what changed, and what it cost does not depend on the group."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from scim_server.events import Scope
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import Bound, bind_element
from scim_server.scim.schemas import GROUP_TYPE
from scim_server.store.errors import StoreError, UnknownMembers
from scim_server.store.unit import Store
from tests.store.samples import NOBODY, group, user
from tests.tenants import BASE_URL


class People:
    """A group, and some users who are not in it."""

    def __init__(self, store: Store, scope: Scope, number: int = 6) -> None:
        self.store, self.scope = store, scope
        with store.write(scope) as unit:
            self.group = unit.groups.insert(group("G")).id
            self.ids = [unit.users.insert(user(f"user-{n}", displayName=f"User {n}")).id for n in range(number)]

    def add(self, *members: str) -> tuple[str, ...]:
        with self.store.write(self.scope) as unit:
            return unit.members.add(self.group, members)

    def remove(self, *members: str) -> tuple[str, ...]:
        with self.store.write(self.scope) as unit:
            return unit.members.remove(self.group, members)

    @property
    def members(self) -> set[str]:
        with self.store.read(self.scope) as unit:
            return {each.id for each in unit.members.of(self.group)}


@pytest.fixture
def people(store: Store, scope: Scope) -> People:
    return People(store, scope)


def test_adding_tells_who_is_new_in_the_order_asked_for(people: People) -> None:
    a, b, c, *_ = people.ids
    assert people.add() == ()
    assert people.add(b) == (b,)
    assert people.add(c, b, a, c) == (c, a)
    assert people.add(a, b, c) == ()
    assert people.members == {a, b, c}


def test_a_group_can_be_a_member(people: People, store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        inner = unit.groups.insert(group("inner")).id
    assert people.add(inner, people.ids[0]) == (inner, people.ids[0])


@pytest.mark.parametrize("unknown", [NOBODY, "", "x", NOBODY.upper(), "\x00", "\ud800"])
def test_unknown_ids_are_named_and_nothing_is_added(people: People, unknown: str) -> None:
    a, b, *_ = people.ids
    people.add(a)
    with pytest.raises(UnknownMembers) as refused:
        people.add(b, unknown, a, unknown)
    assert refused.value.ids == (unknown,)
    assert people.members == {a}


def test_ended_ones_are_unknown(people: People, store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        inner = unit.groups.insert(group("inner"))
        unit.groups.end(inner)
        unit.users.end(people.ids[0])
    with pytest.raises(UnknownMembers) as refused:
        people.add(people.ids[0], people.ids[1], inner.id)
    assert refused.value.ids == (people.ids[0], inner.id)


def test_after_unknown_members_nothing_of_the_unit_lasts(people: People, store: Store, scope: Scope) -> None:
    with pytest.raises(StoreError), store.write(scope) as unit, pytest.raises(UnknownMembers):
        unit.members.add(people.group, [people.ids[0], NOBODY])
    assert people.members == set()


def test_removing_tells_who_was_a_member_in_the_order_asked_for(people: People) -> None:
    a, b, c, d, *_ = people.ids
    people.add(a, b, c, d)
    assert people.remove() == ()
    assert people.remove(b) == (b,)
    assert people.remove(b) == ()
    assert people.remove(d, "x", b, a, d, NOBODY) == (d, a)
    assert people.members == {c}


def test_replacing_tells_who_came_and_who_went(people: People, store: Store, scope: Scope) -> None:
    a, b, c, d, *_ = people.ids
    people.add(a, b, c)
    for wanted, change in (
        ([d, b, b], ((d,), tuple(sorted((a, c))))),
        ([b, d], ((), ())),
        ([], ((), tuple(sorted((b, d))))),
        ([], ((), ())),
        ([c, a], ((c, a), ())),
    ):
        with store.write(scope) as unit:
            assert unit.members.replace(people.group, wanted) == change
        assert people.members == set(wanted)
    with pytest.raises(UnknownMembers) as refused, store.write(scope) as unit:
        unit.members.replace(people.group, [b, NOBODY, "x"])
    assert refused.value.ids == (NOBODY, "x")
    assert people.members == {a, c}


def element(text: str) -> Bound:
    target = GROUP_TYPE.resolve("members")
    assert target is not None
    return bind_element(parse_filter(text), GROUP_TYPE, target)


def test_members_are_removed_by_what_they_are(people: People, store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        inner = unit.groups.insert(group("inner")).id
    everybody = {inner, *people.ids}
    a, b, c, *_ = people.ids
    for text_, gone in (
        (f'value eq "{a}"', {a}),
        (f'value eq "{a}" or value eq "{b}"', {a, b}),
        ('value eq "x"', set()),
        ('type eq "GROUP"', {inner}),
        ('not (type eq "group") and display sw "user"', set(people.ids)),
        ('display eq "USER 2" or display eq "Inner"', {c, inner}),
        (f'$ref eq "{BASE_URL}/Users/{c}"', {c}),
    ):
        people.add(*everybody)
        with store.write(scope) as unit:
            removed = unit.members.remove_where(people.group, element(text_))
        assert set(removed) == gone, text_
        assert people.members == everybody - gone


def test_each_membership_is_a_period(people: People, owner_engine: Engine, scope: Scope) -> None:
    """In, out and in again leave two periods, the first one closed; also within one Unit."""
    a, b, *_ = people.ids
    people.add(a)
    people.remove(a)
    people.add(a)
    with people.store.write(scope) as unit:
        for _ in range(2):
            unit.members.add(people.group, [b])
            unit.members.remove(people.group, [b])
        unit.members.add(people.group, [b])
    periods = text("SELECT valid_from, valid_to FROM memberships WHERE tenant_id = :t AND member_id = :m ORDER BY id")
    with owner_engine.connect() as connection:
        for member, closed in ((a, 1), (b, 2)):
            rows = connection.execute(periods, {"t": scope.tenant_id, "m": member}).all()
            assert [row.valid_to is None for row in rows] == [False] * closed + [True]
            assert all(row.valid_to >= row.valid_from for row in rows[:-1])


@pytest.fixture
def big(store: Store, scope: Scope) -> People:
    people = People(store, scope, 1500)
    people.add(*people.ids)
    return people


# SQLite does not count rows; its plans are in test_plans.
@pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")
def test_a_change_of_few_members_reads_few_rows(big: People, engine: Engine, store: Store, scope: Scope) -> None:
    """PostgreSQL counts the rows that it reads; with plans made for any group, as prepared statements have."""
    few = big.ids[100:103]
    with store.write(scope) as unit:
        unit.groups.lock(big.group)
        held: Any = unit.members._scoped._connection._held
        driver = held.driver_connection
        driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        before = _rows_read(driver)
        members = unit.members
        for change, ids in (
            (members.remove, few[:1]),
            (members.add, few[:1]),
            (members.remove, few),
            (members.add, few),
            (members.add, few),
        ):
            change(big.group, ids)
            after = _rows_read(driver)
            assert after - before <= 10 * len(few), (change, ids)
            before = after


def _rows_read(driver: Any) -> int:
    counted = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    return int(driver.execute(counted).fetchone()[0])
