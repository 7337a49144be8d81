"""So many requests per tenant, on this node.

Each process keeps its share of the count in memory: a count that all nodes share would cost a
round trip for every request, to protect nodes that each protect themselves. A tenant that is over
its limit is refused without asking the database who it is, so that its flood costs the others
next to nothing.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
_LEAST_AT_ONCE = 5.0
_BURST_S = 2
"""How many seconds' worth of requests may come at once."""


class TooManyRequests(Exception):
    """``wait`` is in seconds: when it is worth trying again."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.1f} s")
        self.wait = wait


class Buckets:
    """Token buckets by key. A bucket that nobody asked for is forgotten when there are too many; then it would be full anyway, or soon."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, per_second: float, at_once: float) -> float:
        """Take one token: 0, or the seconds until there is one, and then none was taken. Not safe between threads."""
        now = self._now()
        level, then = self._levels.pop(key, (at_once, now))
        level = min(at_once, level + (now - then) * per_second)
        wait = 0.0 if level >= 1 else (1 - level) / per_second
        self._levels[key] = (level - 1 if not wait else level, now)
        if len(self._levels) > _MOST:
            self._levels.popitem(last=False)
        return wait


class Rates:
    """The limit for SCIM requests: ``default`` where a tenant has none of its own. ``share`` is this process's part of what a node has."""

    def __init__(self, default: int, share: float, now: Callable[[], float] = time.monotonic) -> None:
        self._default = default
        self._share = share
        self._now = now
        self._buckets = Buckets(now)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def refuse_early(self, presented: bytes) -> None:
        """Raise TooManyRequests if whoever presented the same before (its hash) is over the limit still."""
        until = self._until.get(presented)
        if until is None:
            return
        wait = until - self._now()
        if wait > 0:
            raise TooManyRequests(wait)
        self._until.pop(presented, None)

    def take(self, tenant_id: str, limit: int | None, presented: bytes) -> None:
        """Count one request of the tenant. Raises TooManyRequests above its limit (requests per second and node)."""
        per_second = (limit or self._default) * self._share
        with self._lock:
            wait = self._buckets.take(tenant_id, per_second, max(_LEAST_AT_ONCE, per_second * _BURST_S))
            if not wait:
                return
            wait = math.ceil(wait)  # as Retry-After will say it: who does not wait so long is refused early
            self._until[presented] = self._now() + wait
            if len(self._until) > _MOST:
                self._until.popitem(last=False)
        raise TooManyRequests(wait)
