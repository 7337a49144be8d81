"""Which part of a result is wanted (RFC 7644 §3.4.2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scim_server.scim.errors import InvalidValue

DEFAULT_COUNT = 100
CURSOR_TIMEOUT_S = 3600
"""How long a cursor holds, counted from the page that it came with (RFC 9865 §4)."""

# Digits enough for every database, few enough that no number is too big for one.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in ordered results: behind the one with this id, which has this sort key (None: no value, or nothing is sorted)."""

    id: str
    key: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """At most ``count`` results from the 1-based ``start_index`` on; or behind ``after``, where ``total`` is known of the page before."""

    start_index: int
    count: int
    after: Position | None = None
    total: int | None = None


def parse(start_index: str | None, count: str | None, *, default: int = DEFAULT_COUNT, maximum: int) -> Paging:
    """The query parameters as Paging. A count above ``maximum`` is capped. InvalidValue if one is no integer."""
    start = 1 if start_index is None else _integer("startIndex", start_index)
    wanted = default if count is None else _integer("count", count)
    return Paging(max(start, 1), min(max(wanted, 0), maximum))


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise InvalidValue(f"{name} must be a whole number of at most 18 digits.")
    return int(text)
