"""The engine: an initial cycle, incremental cycles, provisioning on demand between them, and escrow for what failed.

A cycle writes users, then groups, then references (managers and members together), then what went into escrow. One object's requests stay
in order, since one task owns it for a phase; different objects, and different batches of one group's members, run at the same time.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import zip_longest

from conformance.entra.changes import ON_DEMAND_MEMBERS, Change, Life
from conformance.entra.dialect import Dialect, other
from conformance.entra.directory import Directory, Person, Team
from conformance.entra.exporter import WORK_MAIL, Deferred, Exporter
from conformance.entra.progress import Reporter
from conformance.entra.sender import GaveUp, Sender, Stopped
from conformance.entra.service import Refused
from conformance.entra.tally import Failure

_BATCHES = (1, 2, 3, 5, 8, 13, 20, 40)
_REFUSALS = 3  # refused in so many phases, an object is left alone
_DRAINS = 10

Key = tuple[str, str]  # "user", "group", "manager" or "members"; object id
Task = tuple[Key, Callable[[], None]]


@dataclass(slots=True)
class CycleSummary:
    number: int
    dialect: Dialect
    changes: dict[str, int] = field(default_factory=dict)
    on_demand: list[str] = field(default_factory=list)
    requests: int = 0
    seconds: float = 0.0
    left_in_escrow: int = 0


class Engine:
    """Plays `directory` to a server. `dialect` is "legacy", "flag" or "both" (in turn, and on demand the other one)."""

    def __init__(self, sender: Sender, directory: Directory, reporter: Reporter, *, dialect: str, workers: int, external_id: str) -> None:
        self.sender = sender
        self.tally = sender.tally
        self.directory = directory
        self.life = Life(directory)
        self.exporter = Exporter(sender, directory, external_id)
        self.reporter = reporter
        self.escrow: dict[Key, str] = {}
        self.cycles: list[CycleSummary] = []
        self._dialect = dialect
        self._refused: dict[Key, set[int]] = defaultdict(set)  # in which phases
        self._phases = 0
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="entra")

    def run(self, cycles: int) -> None:
        """The initial cycle, `cycles` incremental ones, and the drain. Raises CredentialRefused, Stopped."""
        try:
            self._cycle(0, [])
            for number in range(1, cycles + 1):
                self._on_demand()
                self._cycle(number, self.life.cycle())
            self._drain()
        except BaseException:
            self.sender.stop.set()
            raise
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def dialect_of(self, cycle: int) -> Dialect:
        if self._dialect == "both":
            return "flag" if cycle % 2 else "legacy"
        return "flag" if self._dialect == "flag" else "legacy"

    # -- cycles

    def _cycle(self, number: int, changes: list[Change]) -> None:
        """Cycle 0 is the initial one: everything is new. The others take up what changed since the watermark, and the escrow."""
        begun, before = time.monotonic(), self.tally.counts.requests
        self.exporter.cycle = number
        dialect = self.dialect_of(number)
        self.cycles.append(CycleSummary(number, dialect, dict(Counter(change.kind for change in changes))))
        label = f"cycle {number} {dialect}"
        if number == 0:
            people, teams, returning = list(self.directory.people), list(self.directory.teams), set[str]()
        else:
            escrowed = list(self.escrow)
            people = list(dict.fromkeys([oid for kind, oid in escrowed if kind == "user"] + [c.oid for c in changes if not c.team]))
            teams = list(dict.fromkeys([oid for kind, oid in escrowed if kind == "group"] + [c.oid for c in changes if c.team]))
            returning = {change.oid for change in changes if change.kind in ("restored", "re-assigned", "enabled")}
        self._export(label, people, teams, dialect, returning)
        self._references(f"{label} references", dialect)
        if self.escrow:
            self._retry_escrow(f"{label} escrow", dialect)
        summary = self.cycles[-1]
        summary.seconds = time.monotonic() - begun
        summary.requests = self.tally.counts.requests - before
        summary.left_in_escrow = len(self.escrow)

    def _drain(self) -> None:
        """Passes over what is left, until nothing is, or nothing helps any more."""
        fruitless = 0
        for number in range(_DRAINS):
            if not self.escrow and not self._reference_tasks(self.dialect_of(len(self.cycles))):
                return
            before = set(self.escrow)
            self._retry_escrow(f"drain {number + 1}", self.dialect_of(number))
            fruitless = fruitless + 1 if set(self.escrow) >= before else 0
            if fruitless >= 3:
                return

    def _retry_escrow(self, label: str, dialect: Dialect) -> None:
        people = [oid for kind, oid in self.escrow if kind == "user"]
        teams = [oid for kind, oid in self.escrow if kind == "group"]
        for key in [key for key in self.escrow if key[0] in ("manager", "members")]:
            del self.escrow[key]  # what is left to write of them is seen from the ledger
        self._export(label, people, teams, dialect, set())
        self._references(f"{label} references", dialect)

    def _export(self, label: str, people: Iterable[str], teams: Iterable[str], dialect: Dialect, returning: set[str]) -> None:
        def user(person: Person) -> Callable[[], None]:
            return lambda: self.exporter.user(person, dialect, returning=person.oid in returning)

        def group(team: Team) -> Callable[[], None]:
            return lambda: self.exporter.group(team, dialect)

        self._phase(f"{label} users", [(("user", oid), user(self.directory.people[oid])) for oid in people])
        self._phase(f"{label} groups", [(("group", oid), group(self.directory.teams[oid])) for oid in teams])

    def _references(self, label: str, dialect: Dialect) -> None:
        self._phase(label, self._reference_tasks(dialect))

    def _reference_tasks(self, dialect: Dialect) -> list[Task]:
        tasks: list[Task] = []
        for person in self.directory.people.values():
            key = ("manager", person.oid)
            if not self._hopeless(key) and self.exporter.manager_change(person) is not None:
                tasks.append((key, self._manager_task(person, dialect)))
        # Groups come between the managers, so that both kinds of reference are written at the same time.
        batches = [task for team in self.directory.living_teams() for task in self._batches(team, dialect)]
        mixed = zip_longest(tasks, batches)
        return [task for pair in mixed for task in pair if task is not None]

    def _manager_task(self, person: Person, dialect: Dialect) -> Callable[[], None]:
        return lambda: self.exporter.manager(person, dialect)

    def _batches(self, team: Team, dialect: Dialect, limit: int | None = None) -> list[Task]:
        """A group's outstanding members in PATCHes of varying size; with removals and additions apart or in one request."""
        key = ("members", team.oid)
        if self._hopeless(key):
            return []
        add, remove = self.exporter.member_changes(team)
        if limit is not None:
            add, remove = add[:limit], []
        variant = self.exporter.variant(team.oid, "batches")
        if remove and not team.members and dialect == "flag" and limit is None:
            return [(key, lambda: self.exporter.members(team, dialect, [], remove, 0, empty=True))]
        adding, removing = _cut(add, variant), _cut(remove, variant // 7)
        if variant % 2:
            pairs = list(zip_longest(adding, removing, fillvalue=list[str]()))
        else:
            pairs = [(chunk, list[str]()) for chunk in adding] + [(list[str](), chunk) for chunk in removing]

        def batch(number: int, added: list[str], removed: list[str]) -> Callable[[], None]:
            return lambda: self.exporter.members(team, dialect, added, removed, number)

        return [(key, batch(number, added, removed)) for number, (added, removed) in enumerate(pairs)]

    # -- on demand

    def _on_demand(self) -> None:
        """One object at a time, each begun with a connection test, in the other dialect; people found by another matching attribute."""
        cycle = self.cycles[-1]
        dialect = other(cycle.dialect) if self._dialect == "both" else "legacy"
        changes = self.life.on_demand()
        cycle.on_demand += [change.kind for change in changes]
        self.reporter.say(f"on demand, {dialect}: " + ", ".join(change.kind.removeprefix("on demand: ") for change in changes))
        for number, change in enumerate(changes):
            if change.team:
                self._group_on_demand(self.directory.teams[change.oid], dialect)
            else:
                matching = ("externalId", WORK_MAIL, "userName")[(cycle.number + number) % 3]
                self._user_on_demand(self.directory.people[change.oid], dialect, matching)

    def _user_on_demand(self, person: Person, dialect: Dialect, matching: str) -> None:
        def work() -> None:
            self.exporter.test_connection()
            self.exporter.user(person, dialect, matching=matching)
            self.exporter.manager(person, dialect)

        self._guard(("user", person.oid), work)

    def _group_on_demand(self, team: Team, dialect: Dialect) -> None:
        def work() -> None:
            self.exporter.test_connection()
            self.exporter.group(team, dialect)

        self._guard(("group", team.oid), work)
        for key, task in self._batches(team, dialect, ON_DEMAND_MEMBERS):
            self._guard(key, task)

    # -- work

    def _phase(self, label: str, tasks: list[Task]) -> None:
        if not tasks:
            return
        self.sender.grant_patience()
        self._phases += 1
        with self.reporter.phase(label, len(tasks)) as phase:
            futures: list[Future[None]] = [self._pool.submit(self._guard, key, task) for key, task in tasks]
            for future in as_completed(futures):
                future.result()
                phase.advance()

    def _guard(self, key: Key, task: Callable[[], None]) -> None:
        """Do one task; what fails goes into escrow. Whatever stops the whole run passes through."""
        if self._hopeless(key):
            return
        try:
            task()
        except GaveUp as error:
            self._put_into_escrow(key, str(error))
        except Deferred as error:
            self._put_into_escrow(key, str(error))
        except Refused as error:
            self.tally.fail(Failure(self.exporter.cycle, key[0], self._name(key), error.status, error.scim_type, error.detail))
            self._refused[key].add(self._phases)
            self._put_into_escrow(key, f"{error.status} {error.detail}")
        except Stopped:
            raise
        else:
            if key[0] in ("user", "group"):
                self.escrow.pop(key, None)

    def _hopeless(self, key: Key) -> bool:
        return len(self._refused[key]) >= _REFUSALS

    def _put_into_escrow(self, key: Key, reason: str) -> None:
        self.escrow[key] = reason
        self.tally.count("escrowed")

    def left(self) -> dict[tuple[str, str], str]:
        """The escrow, with names instead of object ids."""
        return {(key[0], self._name(key)): reason for key, reason in self.escrow.items()}

    def _name(self, key: Key) -> str:
        kind, oid = key
        return self.directory.people[oid].upn if kind in ("user", "manager") else self.directory.teams[oid].name


def _cut(ids: list[str], variant: int) -> list[list[str]]:
    """Batches of varying size; larger ones for what is large, so that the number of requests stays within reason."""
    scale = 1 if len(ids) < 400 else 4
    batches = []
    position = number = 0
    while position < len(ids):
        size = _BATCHES[(variant + number * 5) % len(_BATCHES)] * scale
        batches.append(ids[position : position + size])
        position += size
        number += 1
    return batches
