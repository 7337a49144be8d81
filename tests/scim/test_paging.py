"""startIndex and count."""

from __future__ import annotations

import pytest

from scim_server.scim.errors import InvalidValue
from scim_server.scim.paging import Paging, parse


@pytest.mark.parametrize(
    ("start_index", "count", "expected"),
    [
        (None, None, Paging(1, 100)),
        ("1", "10", Paging(1, 10)),
        ("0", "0", Paging(1, 0)),
        ("-5", "-1", Paging(1, 0)),
        ("+7", "007", Paging(7, 7)),
        (None, "201", Paging(1, 200)),
        (None, "999999999999999999", Paging(1, 200)),
        ("999999999999999999", None, Paging(999999999999999999, 100)),
    ],
)
def test_values(start_index: str | None, count: str | None, expected: Paging) -> None:
    assert parse(start_index, count, maximum=200) == expected


@pytest.mark.parametrize("text", ["", " ", "x", "1.0", "1e3", "1 ", "0x1", "٣", "1_000", "9" * 19, "9" * 5000, "null"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="startIndex"):
        parse(text, None, maximum=200)
    with pytest.raises(InvalidValue, match="count"):
        parse(None, text, maximum=200)


def test_the_default_is_within_the_maximum() -> None:
    assert parse(None, None, maximum=50) == Paging(1, 50)
    assert parse(None, None, default=20, maximum=50) == Paging(1, 20)
