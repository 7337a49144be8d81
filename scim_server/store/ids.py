"""Identifiers: UUIDv7 (RFC 9562 §5.7), made by us and never taken from a client.

Their order is the order in which they were made, so a list sorted by id is sorted by age.
"""

from __future__ import annotations

import re
import secrets
import threading
from datetime import datetime

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RANDOM_BITS = 74  # rand_a and rand_b
_STEP_BITS = 32

_lock = threading.Lock()
_latest = (0, 0)


def new(instant: datetime) -> str:
    """A fresh id for that instant, greater than every id that this process made before."""
    global _latest
    milliseconds = round(instant.timestamp() * 1000)
    with _lock:
        if milliseconds > _latest[0]:
            # One bit less: above every start there is room for 2**41 steps in the same millisecond.
            random = secrets.randbits(_RANDOM_BITS - 1)
        else:
            # RFC 9562 §6.2, method 2: go on from the latest by a random step.
            milliseconds, random = _latest[0], _latest[1] + 1 + secrets.randbits(_STEP_BITS)
        _latest = (milliseconds, random)
    number = milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & ((1 << 62) - 1)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made(id: str) -> float:
    """When an id was made, in seconds since 1970."""
    return int(id[:8] + id[9:13], 16) / 1000


def is_id(text: str) -> bool:
    """Whether this could be one of our ids. Any other spelling of a UUID is not: ids are case-sensitive."""
    return _CANONICAL.fullmatch(text) is not None
