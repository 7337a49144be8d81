"""Tenants take turns at the threads of a process, so that one tenant's flood is its own trouble.

While a tenant is alone it may have all threads. As soon as others send requests too, each tenant
has only its share at a time; what is beyond waits, without a thread, until one of its own is
done. So whoever sends little finds a thread free, and contends with few, however much others send.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

TENANT_OF = "scim_server.tenant_of"
"""The application's extension: by the name of a header (in capitals) what tells a request's tenant by its value, or the empty string."""

UNKNOWN = "?"
"""In place of a tenant, with an address behind it: somebody of whom nobody knows yet who he is.

He is present only while he has a request under way.
"""

_LONGEST_REST_S = 0.1
_RECENT_S = 2.0
"""A tenant counts as sending requests for so long after the last one."""


@dataclass(slots=True)
class _Tenant(Generic[T]):
    seen: float
    under_way: int = 0
    waiting: deque[T] = field(default_factory=deque)


class Turns(Generic[T]):
    """Who may go on and who waits, among the requests of one process. Safe to share between threads."""

    def __init__(self, threads: int, now: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._now = now
        self._tenants: dict[str, _Tenant[T]] = {}
        self._lock = threading.Lock()

    def begin(self, tenant: str, request: T) -> bool:
        """Whether the request may go on; if not, ``end`` gives it back when it may."""
        with self._lock:
            now = self._now()
            known = self._tenants.get(tenant)
            if known is None:
                known = self._tenants[tenant] = _Tenant(now)
            known.seen = now
            if known.under_way < self._share(now):
                known.under_way += 1
                return True
            known.waiting.append(request)
            return False

    def rest(self, tenant: str, took: float) -> float:
        """How long to wait before ``end``, after a request that took so many seconds.

        As long as it took, if others send requests, and more of this tenant wait: then it works half the time at most, and
        leaves the processor to others the other half.
        """
        with self._lock:
            crowded = self._share(self._now()) < self._threads
            return min(took, _LONGEST_REST_S) if crowded and self._tenants[tenant].waiting else 0.0

    def end(self, tenant: str) -> list[T]:
        """A request of the tenant is done. Those of it that may go on now."""
        with self._lock:
            known = self._tenants[tenant]
            known.under_way -= 1
            released = []
            share = self._share(self._now())
            while known.waiting and known.under_way < share:
                known.under_way += 1
                released.append(known.waiting.popleft())
            if tenant.startswith(UNKNOWN) and not known.under_way:
                self._tenants.pop(tenant, None)  # it may have been forgotten already, if it took long
            return released

    def _share(self, now: float) -> int:
        """How many requests of each tenant may be under way. Tenants of whom nothing was heard lately are forgotten."""
        if len(self._tenants) > 1:
            for name, each in list(self._tenants.items()):
                if now - each.seen > _RECENT_S and not (each.under_way or each.waiting):
                    del self._tenants[name]
        others = len(self._tenants) - 1
        return self._threads if others < 1 else 1
