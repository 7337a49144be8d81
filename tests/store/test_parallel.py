"""Several Units at once: nothing is lost, nothing comes back, one of two wins."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text

from scim_server.events import GroupChanged, Scope
from scim_server.store.errors import UnknownMembers
from scim_server.store.unit import Store, Unit
from tests.store.samples import group, user


def together(*tasks: Callable[[], Any]) -> list[Any]:
    """Run all at once; what each gave, or the exception it ended with."""
    gate = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return task()
        except Exception as failure:
            return failure

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def change(store: Store, scope: Scope, group_id: str, act: Callable[[Unit], tuple[str, ...]]) -> tuple[str, ...]:
    """One change of members as the use case makes it."""

    def use_case(unit: Unit) -> tuple[str, ...]:
        locked = unit.groups.lock(group_id)
        assert locked is not None
        changed = act(unit)
        if changed:
            version = unit.groups.update(locked, None).version
            unit.events.append(GroupChanged(group_id, version, (), changed))
        return changed

    return store.transact(scope, use_case)


def join(group_id: str, person_id: str) -> Callable[[Unit], tuple[str, ...]]:
    return lambda unit: unit.members.add(group_id, [person_id])


def leave(group_id: str, person_id: str) -> Callable[[Unit], tuple[str, ...]]:
    return lambda unit: unit.members.remove(group_id, [person_id])


@pytest.mark.parametrize("writers", [4, 8])
def test_single_members_of_one_group(store: Store, scope: Scope, writers: int) -> None:
    """Each writer puts his own people in and out; at the end exactly those are in that he left in."""
    with store.write(scope) as unit:
        team = unit.groups.insert(group("team"))
        people = [[unit.users.insert(user(f"user-{w}-{n}")).id for n in range(4)] for w in range(writers)]

    def writer(own: list[str], seed: int) -> tuple[set[str], int]:
        choice, inside, changes = random.Random(seed), set[str](), 0
        for _ in range(25):
            person = choice.choice(own)
            assert change(store, scope, team.id, leave(team.id, person) if person in inside else join(team.id, person)) == (person,)
            inside ^= {person}
            changes += 1
        return inside, changes

    results = together(*(lambda own=own, seed=seed: writer(own, seed) for seed, own in enumerate(people)))
    assert not [each for each in results if isinstance(each, Exception)]
    with store.read(scope) as unit:
        after = unit.groups.get(team.id)
        assert after is not None
        assert after.links is not None
        assert {each.id for each in after.links} == set().union(*(inside for inside, _ in results))
        versions = [each.data["version"] for each in unit.events.list(1000, subject_id=team.id)]
    changes = sum(number for _, number in results)
    assert after.version == 1 + changes
    assert sorted(versions) == list(range(2, changes + 2))


def test_two_users_of_one_name(store: Store, scope: Scope) -> None:
    for attempt in range(10):

        def create(attempt: int = attempt) -> str:
            return store.transact(scope, lambda unit: unit.users.insert(user(f"anna-{attempt}")).id)

        outcomes = together(create, create, create)
        assert sorted(type(each).__name__ for each in outcomes) == ["Taken", "Taken", "str"]
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 100).total == 10


def test_two_changes_of_one_user_are_one_after_the_other(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        anna = unit.users.insert(user("anna", title="0"))

    def count(unit: Unit) -> None:
        locked = unit.users.lock(anna.id)
        assert locked is not None
        unit.users.update(locked, user("anna", title=str(int(locked.document["title"]) + 1)))

    outcomes = together(*[lambda: [store.transact(scope, count) for _ in range(10)]] * 4)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    with store.read(scope) as unit:
        after = unit.users.get(anna.id)
    assert after is not None
    assert (after.document["title"], after.version) == ("40", 41)


def test_nobody_is_left_in_a_group_that_ends_or_joins_as_he_ends(store: Store, owner_engine: Engine, scope: Scope) -> None:
    for attempt in range(15):
        with store.write(scope) as unit:
            person, team = unit.users.insert(user(f"user-{attempt}")), unit.groups.insert(group(f"team-{attempt}"))
            other = unit.groups.insert(group(f"other-{attempt}"))
            unit.members.add(other.id, [person.id])

        def end(unit: Unit, person_id: str = person.id) -> bool:
            assert unit.users.lock(person_id) is not None
            unit.users.end(person_id)
            return True

        outcomes = together(
            lambda: store.transact(scope, end),
            partial(change, store, scope, team.id, join(team.id, person.id)),
            partial(change, store, scope, other.id, leave(other.id, person.id)),
        )
        assert outcomes[0] is True
        assert outcomes[1] == (person.id,) or isinstance(outcomes[1], UnknownMembers)
        assert outcomes[2] in ((person.id,), ())
    left = text("SELECT count(*) FROM memberships WHERE tenant_id = :t AND valid_to IS NULL")
    with owner_engine.connect() as connection:
        assert connection.execute(left, {"t": scope.tenant_id}).scalar() == 0


def test_users_of_the_same_groups_can_end_at_once(store: Store, scope: Scope) -> None:
    """Groups are locked in one order by all, whatever the order in which their members came: nobody has to try again."""
    for attempt in range(8):
        with store.write(scope) as unit:
            teams = [unit.groups.insert(group(f"team-{attempt}-{n}")).id for n in range(40)]
            pair = [unit.users.insert(user(f"user-{attempt}-{n}")).id for n in range(2)]
            for person, order in zip(pair, (teams, teams[::-1]), strict=True):
                for team in order:
                    unit.members.add(team, [person])

        def end(user_id: str) -> tuple[str, ...]:
            with store.write(scope) as unit:
                assert unit.users.lock(user_id) is not None
                return unit.users.end(user_id)

        assert together(*(partial(end, each) for each in pair)) == [tuple(teams), tuple(teams)]


# SQLite has one writer at a time.
@pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")
def test_units_that_wait_for_each_other_both_end_well(store: Store, scope: Scope) -> None:
    """A deadlock: the database ends one of the two, and that one runs again."""
    with store.write(scope) as unit:
        pair = [unit.users.insert(user(name)).id for name in ("anna", "ben")]
    met = threading.Barrier(2, timeout=10)
    attempts = []

    def lock(unit: Unit, order: list[str]) -> None:
        attempts.append(order)
        for n, user_id in enumerate(order):
            locked = unit.users.lock(user_id)
            assert locked is not None
            unit.users.update(locked, {**locked.document, "title": "x"})
            if n == 0 and len(attempts) <= 2:
                met.wait()

    outcomes = together(*(lambda order=order: store.transact(scope, lambda unit: lock(unit, order)) for order in (pair, pair[::-1])))
    assert outcomes == [None, None]
    assert len(attempts) == 3
    with store.read(scope) as unit:
        assert [each.version for each in unit.users.find(None, 1, 9).resources] == [3, 3]
