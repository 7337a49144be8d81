"""What happened on the wire, counted: latencies, statuses, retries, failures, remarks and findings. Safe to use from many threads."""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that the server refused for good (4xx). `detail` is the server's own word."""

    cycle: int
    action: str
    object: str
    status: int
    scim_type: str
    detail: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it must be.

    `acknowledged` tells the worst kind: the server had answered 2xx to exactly this. Kinds: missing, extra, attribute, active, manager,
    member missing, member extra, groups, deleted but there, hidden (an inactive user that no filter finds), listing (pages disagree with
    reads by id); and, noticed while it ran, lost (an acknowledged attribute was not there any more), vanished (an acknowledged resource was
    not) and wrong match (a filter answered with somebody else).
    """

    kind: str
    resource: str
    name: str
    id: str | None
    attribute: str = ""
    expected: Any = None
    found: Any = None
    acknowledged: bool = True
    cycle: int | None = None


@dataclass(slots=True)
class Counts:
    """Numbers of a whole run. `server_errors` counts 5xx answers, `unreachable` attempts without an answer, both before any retry."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    server_errors: int = 0
    unreachable: int = 0
    gave_up: int = 0
    escrowed: int = 0
    healed_conflicts: int = 0
    rematched: int = 0


@dataclass(slots=True)
class Tally:
    counts: Counts = field(default_factory=Counts)
    latencies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    statuses_by_kind: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    failures: list[Failure] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    findings: list[Difference] = field(default_factory=list)
    _found: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, kind: str, status: int, seconds: float) -> None:
        with self._lock:
            self.counts.requests += 1
            self.latencies[kind].append(seconds)
            self.statuses[status] += 1
            self.statuses_by_kind[kind][status] += 1
            self.counts.throttled += status == 429
            self.counts.server_errors += status >= 500

    def unanswered(self) -> None:
        with self._lock:
            self.counts.requests += 1
            self.counts.unreachable += 1

    def count(self, name: str) -> None:
        """Add one to a field of `counts`."""
        with self._lock:
            setattr(self.counts, name, getattr(self.counts, name) + 1)

    def remark(self, text: str) -> None:
        """Something odd that does no harm by itself."""
        with self._lock:
            self.remarks[text] += 1

    def fail(self, failure: Failure) -> None:
        with self._lock:
            self.failures.append(failure)

    def find(self, finding: Difference) -> None:
        """Note a finding; one that is met again on a later try counts once."""
        key = repr(replace(finding, cycle=None))
        with self._lock:
            if key not in self._found:
                self._found.add(key)
                self.findings.append(finding)


def percentile(values: list[float], share: float) -> float:
    """Nearest rank: the smallest value that at least `share` of the values do not exceed; 0 for none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(round(len(values) * share, 6)) - 1)]
