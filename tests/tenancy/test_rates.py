"""So many requests a second, and what is said to whom sends more."""

from __future__ import annotations

import pytest

from scim_server.tenancy.rates import Buckets, Rates, TooManyRequests
from tests.clock import Clock

A, B = b"token of a", b"token of b"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(rates: Rates, tenant: str, presented: bytes, times: int, limit: int | None = None) -> int:
    """How many of so many requests are let through."""
    through = 0
    for _ in range(times):
        try:
            rates.refuse_early(presented)
            rates.take(tenant, limit, presented)
            through += 1
        except TooManyRequests:
            pass
    return through


def test_two_seconds_worth_may_come_at_once(clock: Clock) -> None:
    rates = Rates(100, 1.0, clock)
    assert taken(rates, "a", A, 500) == 200
    assert taken(rates, "b", B, 500) == 200


def test_after_the_time_that_was_said_requests_are_let_through_again(clock: Clock) -> None:
    rates = Rates(10, 1.0, clock)
    taken(rates, "a", A, 20)
    with pytest.raises(TooManyRequests) as refused:
        rates.take("a", None, A)
    assert refused.value.wait == 1
    clock.now += 0.9
    with pytest.raises(TooManyRequests):
        rates.refuse_early(A)
    rates.refuse_early(B)
    clock.now += 0.1
    assert taken(rates, "a", A, 50) == 10


def test_in_the_long_run_no_more_than_the_limit_comes_through(clock: Clock) -> None:
    rates = Rates(50, 1.0, clock)
    through = 0
    for _ in range(600):  # a minute, at 100 times the limit
        clock.now += 0.1
        through += taken(rates, "a", A, 500)
    assert 0.5 * 50 * 60 < through <= 50 * 60 + 100


def test_a_process_has_its_share_of_a_tenants_own_limit(clock: Clock) -> None:
    rates = Rates(1000, 0.5, clock)
    assert taken(rates, "a", A, 100, limit=10) == 10
    assert taken(Rates(1, 0.01, clock), "a", A, 9) == 5  # a few requests at once are nobody's flood


def test_a_bucket_fills_up_to_its_brim_only(clock: Clock) -> None:
    buckets = Buckets(clock)
    assert [buckets.take("a", 1.0, 2.0) for _ in range(3)] == [0.0, 0.0, 1.0]
    clock.now += 1000
    assert [buckets.take("a", 1.0, 2.0) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_what_nobody_asks_for_is_forgotten(clock: Clock) -> None:
    buckets = Buckets(clock)
    for number in range(30_000):
        buckets.take(str(number), 1.0, 1.0)
    assert len(buckets._levels) <= 10_000
