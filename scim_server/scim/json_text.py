"""JSON as text. Where it is read exactly, numbers stay as they were sent: a decimal may have more digits than a float holds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson

_LEAST, _LONGEST = -(2**63), 20
"""What an integer of 64 bits is, and how long its text can be."""


class NamedTwice(ValueError):
    """An object has two members of one name, ``name``: whoever reads it may take the one or the other (RFC 8259 §4)."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def loads(text: bytes | str, *, exact: bool = False) -> Any:
    """The value of a JSON text; with ``exact``, numbers that are no integers of 64 bits as Decimal. orjson.JSONDecodeError."""
    value = orjson.loads(text)  # what is no JSON, or nests too deep, gets no further
    if not exact:
        return value
    try:
        return json.loads(text, parse_float=Decimal, parse_int=_whole)
    except (ArithmeticError, RecursionError, ValueError) as fault:
        raise orjson.JSONDecodeError("it nests too deep, or holds a number that is too large", "", 0) from fault


def received(text: bytes, *, exact: bool = False) -> Any:
    """``loads`` for what a client has sent. Also raises NamedTwice."""
    value = loads(text, exact=exact)
    try:
        _NAMES.decode(text.decode())
    except RecursionError as fault:
        raise orjson.JSONDecodeError("it nests too deep", "", 0) from fault
    return value


def dumps(value: Any) -> bytes:
    """The value as JSON text in UTF-8, a Decimal with all its digits."""
    return orjson.dumps(value, default=_digits)


def _whole(digits: str) -> int | Decimal:
    return value if len(digits) <= _LONGEST and _LEAST <= (value := int(digits)) <= -_LEAST - 1 else Decimal(digits)


def _once(members: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            raise NamedTwice(name)
        seen.add(name)


_NAMES = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)
"""Looks at names only."""


def _digits(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(type(value))
