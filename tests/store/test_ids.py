"""Identifiers: UUIDv7, in the order in which they were made."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.store import ids

NOW = datetime(2100, 1, 1, tzinfo=UTC)


def test_an_id_is_a_version_7_uuid_of_its_millisecond() -> None:
    instant = NOW + timedelta(milliseconds=123)
    made = UUID(ids.new(instant))
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == round(instant.timestamp() * 1000)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=50))
def test_ids_of_one_process_are_in_order_even_if_the_clock_is_not(milliseconds: list[int]) -> None:
    made = [ids.new(NOW + timedelta(seconds=1, milliseconds=each)) for each in milliseconds]
    assert made == sorted(set(made))


def test_threads_never_get_the_same_id() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend([ids.new(NOW) for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0190a000-0000-7000-8000-00000000000f", True),
        ("0190A000-0000-7000-8000-00000000000F", False),
        ("0190a00000007000800000000000000f", False),
        ("{0190a000-0000-7000-8000-00000000000f}", False),
        ("0190a000-0000-7000-8000-00000000000f\n", False),
        ("٠190a000-0000-7000-8000-00000000000f", False),
        ("", False),
    ],
)
def test_only_our_own_spelling_is_an_id(text: str, expected: bool) -> None:
    assert ids.is_id(text) is expected
