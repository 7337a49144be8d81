"""Run checks against a server, one after the other, and gather what they found."""

from __future__ import annotations

import secrets
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from conformance.authentication import Authentication
from conformance.checker.answer import at
from conformance.checker.evidence import Broken, Exchange, Failed, Skipped
from conformance.checker.offer import OTHER, Offer
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, Check, Level
from conformance.wire import Unreachable, Wire


class Outcome(StrEnum):
    """How a check ended. An error is a check that could not be carried out: it proves nothing, in either direction."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    FAIL = "fail"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Result:
    """One check's end. `reason` says why it was skipped or could not be carried out; `sent`, `expected` and `came` are the evidence of a
    failure; `conversation` is all that was said."""

    check: Check
    outcome: Outcome
    seconds: float
    reason: str = ""
    sent: str = ""
    expected: str = ""
    came: str = ""
    conversation: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run: `left` are the paths of resources that could not be deleted again; `lost` says why the run ended early, if it did;
    `authentication` is told with it, if it is given."""

    base_url: str
    run: str
    started: datetime
    seconds: float
    results: tuple[Result, ...]
    left: tuple[str, ...] = ()
    lost: str | None = None
    authentication: Authentication | None = None

    def count(self, level: Level) -> Counter[Outcome]:
        return Counter(result.outcome for result in self.results if result.check.level is level)

    @property
    def exit_status(self) -> int:
        """0 if every MUST that applies was shown to hold, 1 if one failed or could not be shown, 2 if the server went away."""
        if self.lost is not None:
            return 2
        musts = self.count(MUST)
        return 1 if musts[Outcome.FAIL] or musts[Outcome.ERROR] else 0


@dataclass(slots=True)
class _Progress:
    results: list[Result] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lost: str | None = None


Others = Mapping[str, tuple[Wire, Offer]]
"""Credentials besides the first, by what they are (`offer.OTHER`, `offer.ME`), and what the server offers to each."""


def run(
    wire: Wire,
    offer: Offer,
    checks: Iterable[Check],
    tell: Callable[[Result], None] = lambda result: None,
    others: Others | None = None,
) -> Report:
    """Run the checks; `tell` hears of each result at once. A server that stops answering ends the run."""
    others = others or {}
    offer = replace(offer, credentials=frozenset(others))
    name = f"chk-{secrets.token_hex(4)}"
    started, clock = datetime.now(UTC), time.perf_counter()
    progress = _Progress()
    for number, check in enumerate(checks):
        result, left = one(Probe(wire, offer, f"{name}-{number:03}", others), check)
        progress.results.append(result)
        progress.left += left
        tell(result)
        if result.outcome is Outcome.ERROR and (gone := _gone(wire)):
            progress.lost = gone
            break
    if progress.lost is None:
        progress.left = sweep(wire, offer, name, progress.left)
        if OTHER in others:
            progress.left += sweep(*others[OTHER], name, [])
    seconds = time.perf_counter() - clock
    return Report(wire.base_url, name, started, seconds, tuple(progress.results), tuple(progress.left), progress.lost)


def one(probe: Probe, check: Check) -> tuple[Result, list[str]]:
    """Run one check and delete what it made; the result, and what could not be deleted."""
    started = time.perf_counter()
    lacking = next((reason for need in check.needs if (reason := probe.offer.lack(need))), None)
    outcome, reason, failure = Outcome.PASS, "", None
    if lacking is not None:
        outcome, reason = Outcome.SKIPPED, lacking
    else:
        try:
            check.run(probe)
        except Failed as failed:
            outcome, failure = Outcome.FAIL, failed
        except Skipped as skipped:
            outcome, reason = Outcome.SKIPPED, str(skipped)
        except (Broken, Unreachable) as broken:
            outcome, reason = Outcome.ERROR, str(broken)
        except Exception as error:  # an answer of a shape that nobody thought of must not end the run
            place = traceback.extract_tb(error.__traceback__)[-1]
            outcome, reason = Outcome.ERROR, f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})"
    left = probe.clean()
    evidence = (failure.sent, failure.expected, failure.came) if failure else ("", "", "")
    seconds = time.perf_counter() - started
    return Result(check, outcome, seconds, probe.redact(reason), *evidence, conversation=tuple(probe.conversation)), left


def _gone(wire: Wire) -> str | None:
    try:
        wire.request("GET", "/ServiceProviderConfig")
    except Unreachable as unreachable:
        return f"the server does not answer any more: {unreachable.reason}"
    return None


def sweep(wire: Wire, offer: Offer, name: str, left: list[str]) -> list[str]:
    """Delete what still bears the run's name (a create whose answer was lost, a bulk); what is left even then.

    A server that ignores filters would show us everybody: nothing is touched whose name does not begin with the run's.
    """
    found = list(left)
    for endpoint, named in (("/Groups", "displayName"), ("/Users", "userName")) if offer.supports("filter") else ():
        try:
            resources = at(wire.request("GET", endpoint, query={"filter": f'{named} sw "{name}"'}).json(), "Resources")
        except (Unreachable, ValueError):
            continue
        for resource in resources if isinstance(resources, list) else []:
            if str(at(resource, named)).lower().startswith(name):
                found.append(f"{endpoint}/{at(resource, 'id')}")
    remaining = []
    for path in dict.fromkeys(found):
        try:
            if wire.request("DELETE", path).status not in (200, 202, 204, 404, 410):
                remaining.append(path)
        except Unreachable:
            remaining.append(path)
    return remaining
