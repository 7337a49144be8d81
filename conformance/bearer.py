"""What goes into the Authorization header: the seam between the wire and the ways to authenticate (RFC 6750 §2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

_LEAST = 4  # characters: what is shorter is no secret, and stands in every other word


class NoToken(Exception):
    """There is no token to be had, and asking again changes nothing. The message says why, without a secret in it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, and for how many seconds from now it is good."""

    token: str = field(repr=False)
    expires_in: int


class Source(Protocol):
    """Where bearer tokens come from. Used by many threads at once.

    `fetched` counts the tokens that were had from somewhere; `confidential` is what must be shown to nobody; `remarks` are oddities that
    do no harm.
    """

    fetched: int
    remarks: list[str]

    @property
    def confidential(self) -> tuple[str, ...]: ...

    def bearer(self) -> str:
        """A token that is good now. Raises NoToken, or Unreachable where it is worth trying again."""
        ...

    def renew(self, refused: str) -> bool:
        """After a 401 to the token `refused`: whether `bearer` gives another one from now on. Raises as `bearer` does."""
        ...


@dataclass(slots=True)
class Secret:
    """A token that was given once and for all."""

    token: str = field(repr=False)
    fetched: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def confidential(self) -> tuple[str, ...]:
        return (self.token,)

    def bearer(self) -> str:
        return self.token

    def renew(self, refused: str) -> bool:
        return False


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """The text with `[token]` in place of each secret, however its letters are percent-encoded."""
    pattern = _pattern(secrets)
    return pattern.sub("[token]", text) if pattern else text


@lru_cache(maxsize=8)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    spelled = [
        "".join(f"(?:{re.escape(letter)}|%{ord(letter):02x})" for letter in secret)
        for secret in sorted(secrets, key=len, reverse=True)
        if len(secret) >= _LEAST
    ]
    return re.compile("|".join(spelled), re.IGNORECASE) if spelled else None
