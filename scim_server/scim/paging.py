"""Which part of a result is wanted (RFC 7644 §3.4.2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scim_server.scim.errors import InvalidValue

DEFAULT_COUNT = 100

# Digits enough for every database, few enough that no number is too big for one.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Paging:
    """At most ``count`` results from the 1-based ``start_index`` on."""

    start_index: int
    count: int


def parse(start_index: str | None, count: str | None, *, default: int = DEFAULT_COUNT, maximum: int) -> Paging:
    """The query parameters as Paging. A count above ``maximum`` is capped. InvalidValue if one is no integer."""
    start = 1 if start_index is None else _integer("startIndex", start_index)
    wanted = default if count is None else _integer("count", count)
    return Paging(max(start, 1), min(max(wanted, 0), maximum))


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise InvalidValue(f"{name} must be a whole number of at most 18 digits.")
    return int(text)
