"""What can go wrong in the store, in the store's own words: no caller sees a driver's error.

    StoreError
    ├── Taken            a value that must be unique belongs to another live resource
    ├── UnknownMembers   ids that no live user or group of the tenant has
    ├── Busy             the database asked to try again (deadlock, lock held too long), and went on asking
    │   ├── Outdated     the tenant's schemas have changed since the request began: it has to be read again
    │   └── Unforeseen   a Unit took for granted what is not so: it has to be run again, with care (``Store.transact`` does)
    └── Unavailable      the database cannot be reached, does not answer in time, or does not let us
        └── Unprepared   it waits for `db upgrade`: the role that the server works under is missing

After any of them nothing of the Unit is stored.
"""

from __future__ import annotations

from collections.abc import Sequence


class StoreError(Exception):
    """The store could not do what was asked."""


class Taken(StoreError):
    def __init__(self, attribute: str) -> None:
        super().__init__(f"{attribute} is in use")
        self.attribute = attribute


class UnknownMembers(StoreError):
    """``ids`` in the order they were asked for, each once."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} ids are no user's and no group's")
        self.ids = tuple(ids)


class Busy(StoreError):
    pass


class Outdated(Busy):
    pass


class Unforeseen(Busy):
    pass


class Unavailable(StoreError):
    pass


class Unprepared(Unavailable):
    pass
