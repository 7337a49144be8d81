"""What a check is, and the list of all of them.

A check is a small function that talks to the server through a `Probe` and returns if the server behaved, with a decorator that says
what it proves:

    @check("delete.gone", MUST, "RFC 7644 §3.6", "S-7644-3.6-02")
    def gone(probe: Probe) -> None:
        "After a DELETE every operation on the resource answers 404."
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.checker.probe import Probe


class Level(enum.StrEnum):
    """How much a failure weighs."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY

Run = Callable[["Probe"], None]


@dataclass(frozen=True, slots=True)
class Check:
    """`id` is "group.what"; `clause` the text that demands it; `requirements` the ids of the requirement checklist; `statement` the
    behaviour in one line; `needs` what the server must offer for the check to mean anything (see `Offer.lack`)."""

    id: str
    level: Level
    clause: str
    requirements: tuple[str, ...]
    statement: str
    needs: tuple[str, ...]
    run: Run

    @property
    def group(self) -> str:
        return self.id.split(".", 1)[0]


CHECKS: dict[str, Check] = {}


def check(
    id: str, level: Level, clause: str, *requirements: str, needs: Iterable[str] = (), says: str | None = None
) -> Callable[[Run], Run]:
    """Put the decorated function among the checks. The statement is `says`, or the first line of the docstring."""

    def register(run: Run) -> Run:
        statement = says or (run.__doc__ or "").strip().split("\n", 1)[0]
        if not statement or id in CHECKS or "." not in id:
            raise ValueError(f"check {id!r} has no statement, is there twice, or has no group")
        CHECKS[id] = Check(id, level, clause, requirements, statement, tuple(needs), run)
        return run

    return register


def select(only: Iterable[str] | None = None) -> list[Check]:
    """All checks, or those that one of the names is: an id, or the beginning of ids up to a dot ("users", "users.create").

    ValueError names what fits no check.
    """
    if only is None:
        return list(CHECKS.values())
    wanted: dict[str, Check] = {}
    for name in only:
        found = {id: one for id, one in CHECKS.items() if id == name or id.startswith(f"{name}.")}
        if not found:
            raise ValueError(f"no check or group is called {name!r}")
        wanted |= found
    return [one for one in CHECKS.values() if one.id in wanted]
