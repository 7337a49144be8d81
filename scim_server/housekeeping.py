"""What a server does beside requests: jobs that come due, done in the background by each of its processes.

All processes of all nodes try; which of them does what is settled in the database, job by job. A process that finds
nothing to do has asked one cheap question.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from scim_server import clock, log
from scim_server.config import Settings
from scim_server.store.diagnosis import Diagnosis
from scim_server.store.engine import create_engine
from scim_server.store.errors import StoreError
from scim_server.store.registry import Registry
from scim_server.tenancy.domains import Domains, Resolver
from scim_server.tenancy.keys import KeyRing
from scim_server.tenancy.signing_keys import SigningKeys

FIRST_S = (1.0, 4.0)
"""How long after the start the jobs are run first: somewhere between, so that not all processes ask at once."""

EVERY_S = (240.0, 360.0)
"""How long they rest between."""

_CLOCKS_DIFFER = timedelta(minutes=1)
_MOST_PARTS = 1000
_DOMAINS_AT_ONCE = 4
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """``run`` does one part of what is due, of half a minute at most, and says how much that was; 0 if there was nothing."""

    name: str
    run: Callable[[], int]


@contextmanager
def jobs(settings: Settings) -> Iterator[list[Job]]:
    """Everything there is to do, with a database connection of its own, so that no request waits for it."""
    engine = create_engine(settings.database_url, pool_size=1, role=settings.database_role)
    try:
        registry, diagnosis = Registry(engine), Diagnosis(engine)
        domains = Domains(registry, Resolver(settings.dns_servers))
        signing_keys = SigningKeys(registry, KeyRing.of(settings, registry))
        yield [
            Job("domains", lambda: domains.run_due(_DOMAINS_AT_ONCE) if _clock_is_right(diagnosis) else 0),
            Job("signing_keys", lambda: signing_keys.run_due() if _clock_is_right(diagnosis) else 0),
        ]
    finally:
        engine.dispose()


def _clock_is_right(diagnosis: Diagnosis) -> bool:
    """Against the database's, which all nodes have in common: a node whose clock is wrong must not decide what has lasted too long."""
    if not diagnosis.separates:
        return True
    off = abs(clock.now() - diagnosis.clock())
    if off > _CLOCKS_DIFFER:
        log.get().warning("clock_differs_from_the_databases", seconds=round(off.total_seconds()))
    return off <= _CLOCKS_DIFFER


class Housekeeping:
    """A thread that runs jobs again and again. To be started after forking; whatever goes wrong in it ends with a line in the log."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Sequence[Job]]],
        *,
        first_s: tuple[float, float] = FIRST_S,
        every_s: tuple[float, float] = EVERY_S,
    ) -> None:
        self._opened = opened
        self._first_s = first_s
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the part that is being done; that is not waited for longer than a moment."""
        self._ended.set()
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        try:
            with self._opened() as found:
                rest = self._first_s
                while not self._ended.wait(random.uniform(*rest)):  # noqa: S311  nothing depends on nobody guessing it
                    rest = self._every_s
                    for job in found:
                        self._do(job)
        except Exception:  # a thread has nobody who would hear of it
            log.get().exception("housekeeping_ended")

    def _do(self, job: Job) -> None:
        try:
            for _ in range(_MOST_PARTS):
                if self._ended.is_set() or not job.run():
                    return
        except StoreError as fault:
            log.get().warning("housekeeping_put_off", job=job.name, fault=type(fault).__name__)
        except Exception:  # one job that fails must not keep the others from being done
            log.get().exception("housekeeping_failed", job=job.name)
