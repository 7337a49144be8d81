"""Totals that nobody counts, and pages by index that do not begin at the beginning: exact, whatever comes and goes between them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from scim_server import clock
from scim_server.events import Scope
from scim_server.scim import ordering
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import bind
from scim_server.scim.schemas import USER_TYPE
from scim_server.store import ids, landmarks
from scim_server.store.landmarks import MOST_IN_LIST, MOST_LISTS, SETTLED_S, Landmark, Landmarks
from scim_server.store.scoped import Scoped
from scim_server.store.unit import Store, Unit
from tests.examples import examples
from tests.store.samples import group, user
from tests.store.test_parallel import together
from tests.tenants import BASE_URL, fresh_scope

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATE_S = 10
"""How old what is made may be at most, or migration 0006 counts it as a shift."""


def mark(number: int, shifts: int = 0, age_s: float = SETTLED_S) -> Landmark:
    milliseconds = f"{round((NOW.timestamp() - age_s) * 1000):012x}"
    return Landmark(number, f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-{number:012x}", shifts)


def test_the_nearest_landmark_is_that_up_to_the_index() -> None:
    known = Landmarks(first=10)
    for number in (30, 10, 20, 9):
        known.learn("a", mark(number), NOW)
    assert [known.before("a", number) for number in (9, 10, 19, 20, 29, 30, 10**9)] == [
        None,
        *map(mark, (10, 10, 20, 20, 30, 30)),
    ]
    assert known.before("b", 30) is None


def test_what_is_young_is_no_landmark() -> None:
    """What was made before it may not be there yet."""
    known = Landmarks(first=1)
    known.learn("a", mark(5, age_s=SETTLED_S - 0.01), NOW)
    assert known.before("a", 5) is None
    known.learn("a", mark(5), NOW)
    assert known.before("a", 5) == mark(5)


def test_another_shift_ends_all_landmarks_of_a_list() -> None:
    known = Landmarks(first=1)
    for number in (1, 2, 3):
        known.learn("a", mark(number), NOW)
        known.learn("b", mark(number), NOW)
    known.learn("a", mark(2, shifts=1), NOW)
    assert [known.before("a", number) for number in (1, 2, 3)] == [None, mark(2, 1), mark(2, 1)]
    assert known.before("b", 3) == mark(3)


def test_there_are_only_so_many_and_never_far_apart() -> None:
    known = Landmarks(first=1)
    for number in range(1, 100_001, 100):
        known.learn("a", mark(number), NOW)
    assert len(known._lists["a"]) <= MOST_IN_LIST
    for number in range(1, 100_001, 977):
        nearest = known.before("a", number)
        assert nearest is not None
        assert number - nearest.number < 100_000 / (MOST_IN_LIST / 4)
    for other in range(MOST_LISTS):
        known.before("a", 1)
        known.learn(other, mark(1), NOW)
    assert len(known._lists) == MOST_LISTS
    assert known.before("a", 1) is not None
    assert known.before(0, 1) is None


@pytest.fixture
def store(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A Store in which everything is old enough to be a landmark; ids of one process are in order."""
    monkeypatch.setattr(landmarks, "SETTLED_S", float("-inf"))  # other tests of this process may have been in the future
    own = Store(engine, BASE_URL)
    own._landmarks = Landmarks(first=1)
    return own


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The places at which statements begin."""
    seen: list[dict[str, Any]] = []
    run = Scoped.rows

    def rows(scoped: Scoped, statement: Any, /, **values: Any) -> Any:
        if "limit" in values:
            seen.append({name: values[name] for name in ("offset", "from_id") if name in values})
        return run(scoped, statement, **values)

    with monkeypatch.context() as patched:
        patched.setattr(Scoped, "rows", rows)
        yield seen


def make(store: Store, scope: Scope, *names: str) -> list[str]:
    with store.write(scope) as unit:
        return [unit.users.insert(user(name)).id for name in names]


def end(store: Store, scope: Scope, user_id: str) -> None:
    def use_case(unit: Unit) -> None:
        if unit.users.lock(user_id):
            unit.users.end(user_id)

    store.transact(scope, use_case)


def page(store: Store, scope: Scope, start: int, count: int) -> tuple[list[str], int]:
    with store.read(scope) as unit:
        found = unit.users.find(None, start, count)
    return [each.id for each in found.resources], found.total


@pytest.mark.requirement("S-7644-3.4.2.4-08")
def test_a_walk_in_order_skips_nobody_twice(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    there = make(store, scope, *(f"u{n}" for n in range(60)))
    with watched(monkeypatch) as places:
        walked = [id for start in range(1, 61, 7) for id in page(store, scope, start, 7)[0]]
    assert walked == there
    assert [each["offset"] for each in places] == [0, *[1] * 8]
    with watched(monkeypatch) as places:
        assert page(store, scope, 58, 9) == (there[57:], 60)
        assert page(store, scope, 61, 9) == ([], 60)
        assert page(store, scope, 30, 0) == ([], 60)
    assert [each["offset"] for each in places] == [2, 5]  # behind the last landmark, the 56th


def test_whoever_ends_or_is_made_late_moves_what_comes_behind(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    there = make(store, scope, *(f"u{n}" for n in range(20)))
    for start in range(1, 21, 5):
        page(store, scope, start, 5)
    end(store, scope, there.pop(3))
    with watched(monkeypatch) as places:
        assert page(store, scope, 11, 5) == (there[10:15], 19)
        assert page(store, scope, 16, 5) == (there[15:], 19)
        assert page(store, scope, 20, 5) == ([], 19)
    assert ["from_id" in each for each in places] == [True, False, True, True]
    end(store, scope, there.pop(0))
    assert page(store, scope, 19, 5) == ([], 18)
    assert page(store, scope, 16, 5) == (there[15:], 18)
    page(store, scope, 11, 5)
    monkeypatch.setattr(ids, "new", lambda instant: just_before(there[2]))
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(seconds=LATE_S + 1))
    there += make(store, scope, "late")
    assert page(store, scope, 16, 9) == (sorted(there)[15:], 19)


def just_before(id: str) -> str:
    """An id of the millisecond before."""
    earlier = f"{int(id[:8] + id[9:13], 16) - 1:012x}"
    return f"{earlier[:8]}-{earlier[8:]}-7000-8000-000000000000"


def test_what_is_made_in_time_moves_nobody(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    there = make(store, scope, *(f"u{n}" for n in range(20)))
    for start in range(1, 21, 5):
        page(store, scope, start, 5)
    there += make(store, scope, "one more")
    with watched(monkeypatch) as places:
        assert page(store, scope, 16, 5) == (there[15:20], 21)
    assert ["from_id" in each for each in places] == [True]


def test_what_was_never_committed_is_no_landmark(store: Store, scope: Scope) -> None:
    """Else a change that comes to as many shifts would make it true."""
    there = make(store, scope, *(f"u{n}" for n in range(20)))

    def see_and_give_up(unit: Unit) -> None:
        unit.users.lock(there[0])
        unit.users.end(there[0])
        assert [each.id for each in unit.users.find(None, 6, 5).resources] == there[6:11]
        assert unit.users.find(None, 1, 1).total == 19
        raise InterruptedError

    with pytest.raises(InterruptedError):
        store.transact(scope, see_and_give_up)
    end(store, scope, there.pop(15))
    assert page(store, scope, 11, 5) == (there[10:15], 19)


Act = tuple[str, int]


@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))
@given(
    acts=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["make", "end"]), st.integers(0, 40)),
            st.tuples(st.just("page"), st.integers(1, 40)),
            st.tuples(st.just("page"), st.integers(1, 40)),
        ),
        min_size=5,
        max_size=40,
    )
)
def test_each_page_is_what_a_plain_list_says(store: Store, engine: Engine, acts: list[Act]) -> None:
    scope = fresh_scope(engine)
    there = make(store, scope, *(f"u{n}" for n in range(25)))
    for n, (act, number) in enumerate(acts):
        if act == "make":
            there += make(store, scope, f"later {n}")
        elif act == "end":
            if there:
                end(store, scope, there.pop(number % len(there)))
        else:
            count = 1 + n % 5
            assert page(store, scope, number, count) == (there[number - 1 : number - 1 + count], len(there))


@pytest.mark.requirement("S-7644-3.4.2-03")
def test_many_writers_and_readers_at_once(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards every page is right, and every total; meanwhile no reader met an impossible one."""
    there = make(store, scope, *(f"u{n}" for n in range(40)))
    # What is being written is young, and no landmark.
    monkeypatch.setattr(landmarks, "SETTLED_S", SETTLED_S)
    old = frozenset(there)
    monkeypatch.setattr(ids, "made", lambda id: -math.inf if id in old else math.inf)
    done = threading.Event()

    def writer(name: str) -> list[str]:
        kept = []
        for n in range(15):
            (made,) = make(store, scope, f"{name}{n}")
            with store.write(scope) as unit:
                unit.groups.insert(group(f"{name}{n}"))
            if n % 3:
                end(store, scope, made)
            else:
                kept.append(made)
        return kept

    def reader() -> int:
        read = 0
        while not done.is_set() or not read:
            for start in range(1, 60, 6):
                found, total = page(store, scope, start, 6)
                assert found == sorted(set(found))
                assert 40 <= total <= 40 + 4 * 15
                assert len(found) == min(6, max(0, total - start + 1))
                read += 1
                time.sleep(0.005)
        return read

    def writers() -> list[list[str]]:
        try:
            return together(*(lambda name=name: writer(name) for name in "abcd"))
        finally:
            done.set()

    kept, *read = together(writers, reader, reader)
    assert not [each for each in (*kept, *read) if isinstance(each, Exception)], (kept, read)
    there = sorted([*there, *(id for each in kept for id in each)])
    for start in range(1, len(there) + 1, 7):
        assert page(store, scope, start, 7) == (there[start - 1 : start + 6], len(there))
    with store.read(scope) as unit:
        assert unit.groups.find(None, 1, 1).total == 60


def test_sorted_pages_tell_the_same_total(store: Store, scope: Scope) -> None:
    there = make(store, scope, "b", "a", "c")
    end(store, scope, there[0])
    with store.read(scope) as unit:
        for start in (1, 2, 3, 9):
            assert unit.users.find(None, start, 1, order=ordering.bind(USER_TYPE, "userName", None)).total == 2


def test_the_total_is_told_as_of_the_page(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is counted a moment later, whoever came or went meanwhile makes no page impossible."""
    there = make(store, scope, "u0", "u1", "u2")
    run = Scoped.rows

    def meanwhile(act: Callable[[], Any]) -> None:
        def rows(scoped: Scoped, statement: Any, /, **values: Any) -> Any:
            if "limit" not in values:
                monkeypatch.setattr(Scoped, "rows", run)
                act()
            return run(scoped, statement, **values)

        monkeypatch.setattr(Scoped, "rows", rows)

    everybody = bind(parse_filter("userName pr"), USER_TYPE)
    meanwhile(lambda: make(store, scope, "late"))
    assert page(store, scope, 4, 5) == ([], 3)
    meanwhile(lambda: end(store, scope, there[0]))
    with store.read(scope) as unit:
        found = unit.users.find(everybody, 2, 2)
    assert ([each.id for each in found.resources], found.total) == (there[1:], 4)
