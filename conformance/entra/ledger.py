"""What the server acknowledged: the ids it gave, the values and the members that it answered 2xx to, and what is in doubt.

The engine writes what the directory wants and the ledger does not have. So a request that was lost, refused or put into escrow needs no
queue of its own: the difference stays until it is acknowledged. *Doubtful* is what an unanswered request may or may not have changed; it is
written again whatever the ledger says.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conformance.entra.dialect import MANAGER, Set
from conformance.entra.directory import Flat


@dataclass(slots=True)
class Link:
    """One object of the directory and its counterpart. The lock guards `members` and `doubtful_members`: groups have several writers."""

    id: str
    sent: Flat
    doubtful: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    doubtful_members: set[str] = field(default_factory=set)
    primaries: frozenset[str] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pending(self, wanted: Flat) -> list[Set]:
        """What must be written so that the attributes are as wanted. A value that is no longer wanted stays: null sources are skipped."""
        return [
            Set(path, value, path in self.sent)
            for path, value in wanted.items()
            if path != MANAGER and (path in self.doubtful or self.sent.get(path) != value)
        ]

    def pending_members(self, wanted: Iterable[str]) -> tuple[list[str], list[str]]:
        """Ids to add, in the given order, and to remove."""
        order = list(wanted)
        with self.lock:
            add = [member for member in order if member not in self.members or member in self.doubtful_members]
            remove = (self.members | self.doubtful_members).difference(order)
        return add, list(remove)

    def members_changed(self, add: Sequence[str], remove: Sequence[str]) -> None:
        with self.lock:
            self.members.update(add)
            self.members.difference_update(remove)
            self.doubtful_members.difference_update(add, remove)

    def members_in_doubt(self, ids: list[str]) -> None:
        with self.lock:
            self.doubtful_members.update(ids)

    def forget_member(self, member: str) -> None:
        with self.lock:
            self.members.discard(member)
            self.doubtful_members.discard(member)


@dataclass(slots=True)
class Ledger:
    """Links by object id; resources whose deletion was acknowledged; objects whose creation was not answered."""

    users: dict[str, Link] = field(default_factory=dict)
    groups: dict[str, Link] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # resource id → object id
    deleted: list[tuple[str, str, str]] = field(default_factory=list)  # resource type, id, name
    unsure: set[str] = field(default_factory=set)

    def enter(self, links: dict[str, Link], oid: str, link: Link) -> Link:
        """Note an object's counterpart, in `users` or `groups`."""
        links[oid] = link
        self.owners[link.id] = oid
        self.unsure.discard(oid)
        return link

    def strike(self, links: dict[str, Link], oid: str) -> None:
        """The counterpart is no more. As a member it is gone with it: the server sees to that, or must be told of its successor."""
        link = links.pop(oid)
        self.owners.pop(link.id, None)
        for group in list(self.groups.values()):
            group.forget_member(link.id)

    def id_of(self, oid: str) -> str | None:
        link = self.users.get(oid) or self.groups.get(oid)
        return link.id if link is not None else None
