"""Where in the list of all live resources of a type some of them are, as this process has seen it.

A page that begins at a deep index is found from the nearest of these on, not from the beginning. They hold as long as nothing has
come or gone before them. ``tallies.shifts`` tells: it counts what ended, and what was made under an id that is older than
``_LATE`` seconds of migration 0006. What was made under a younger id stands behind every landmark, since nothing becomes one
before its id is much older than that; the time between is for transactions that take long, and for clocks that differ.

So whoever begins at a landmark compares the ``shifts`` that his page came with, and begins anew where they are others.
Only what was committed may be told here: what a transaction sees of its own changes may never have been.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import NamedTuple

from scim_server.store import ids

FIRST = 500
"""Up to this index walking there costs next to nothing."""
SETTLED_S = 60
"""How old an id has to be; 50 seconds more than what migration 0006 calls late."""
MOST_LISTS, MOST_IN_LIST = 64, 512
"""What a process keeps: some 6 MB."""


class Landmark(NamedTuple):
    """The resource that is the ``number``-th, 1-based, as long as there are no more ``shifts``."""

    number: int
    id: str
    shifts: int


class Landmarks:
    """Of lists, each named by a key; forgotten in the order in which they were used last. Safe to share between threads."""

    def __init__(self, first: int = FIRST) -> None:
        self._first = first
        self._lists: OrderedDict[Hashable, list[Landmark]] = OrderedDict()  # each in order, all of the same shifts
        self._lock = threading.Lock()

    def before(self, key: Hashable, number: int) -> Landmark | None:
        """The last landmark up to that one."""
        with self._lock:
            known = self._lists.get(key)
            place = bisect_right(known, number, key=_number) if known else 0
            if known is None or not place:
                return None
            self._lists.move_to_end(key)
            return known[place - 1]

    def learn(self, key: Hashable, landmark: Landmark, now: datetime) -> None:
        """What was seen, in what had been committed; ``now`` is no later than when it was seen."""
        if landmark.number < self._first or now.timestamp() - ids.made(landmark.id) < SETTLED_S:
            return
        with self._lock:
            known = self._lists.get(key, [])
            if known and known[0].shifts != landmark.shifts:
                known = []
            self._lists[key] = known
            self._lists.move_to_end(key)
            place = bisect_right(known, landmark.number, key=_number)
            if place and known[place - 1].number == landmark.number:
                return
            known.insert(place, landmark)
            if len(known) > MOST_IN_LIST:
                del known[1::2]
            if len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)


def _number(landmark: Landmark) -> int:
    return landmark.number
