"""What happens to users and groups, by SCIM clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.events.event import Change, Event


@dataclass(frozen=True, slots=True)
class ResourceCreated(Event):
    version: int
    document: dict[str, Any]

    def data(self) -> dict[str, Any]:
        return {"version": self.version, "document": self.document}


@dataclass(frozen=True, slots=True)
class ResourceChanged(Event):
    version: int
    changes: Sequence[Change]

    def data(self) -> dict[str, Any]:
        return {"version": self.version, "changes": [change.data() for change in self.changes]}


@dataclass(frozen=True, slots=True)
class ResourceDeleted(Event):
    version: int
    document: dict[str, Any]

    def data(self) -> dict[str, Any]:
        return {"version": self.version, "document": self.document}


class UserCreated(ResourceCreated):
    __slots__ = ()
    tag = "scim:user:created"


class UserChanged(ResourceChanged):
    __slots__ = ()
    tag = "scim:user:changed"


@dataclass(frozen=True, slots=True)
class UserDeleted(ResourceDeleted):
    """``groups`` are the ids of the groups that the user was taken out of."""

    tag = "scim:user:deleted"
    groups: Sequence[str] = ()

    def data(self) -> dict[str, Any]:
        return {"version": self.version, "document": self.document, "groups": list(self.groups)}


@dataclass(frozen=True, slots=True)
class GroupCreated(ResourceCreated):
    tag = "scim:group:created"
    added: Sequence[str] = ()

    def data(self) -> dict[str, Any]:
        return {"version": self.version, "document": self.document, "added": list(self.added)}


@dataclass(frozen=True, slots=True)
class GroupChanged(ResourceChanged):
    """``added`` and ``removed`` are the ids of members, in the order they were asked for."""

    tag = "scim:group:changed"
    added: Sequence[str] = ()
    removed: Sequence[str] = ()

    def data(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "changes": [change.data() for change in self.changes],
            "added": list(self.added),
            "removed": list(self.removed),
        }


@dataclass(frozen=True, slots=True)
class GroupDeleted(ResourceDeleted):
    """``removed`` are the ids of the members it had; ``groups`` those of the groups it was taken out of."""

    tag = "scim:group:deleted"
    removed: Sequence[str] = ()
    groups: Sequence[str] = ()

    def data(self) -> dict[str, Any]:
        return {"version": self.version, "document": self.document, "removed": list(self.removed), "groups": list(self.groups)}


class UserAdopted(ResourceChanged):
    """A user that a sign-in had made is kept by a SCIM client from now on: its POST met that user instead of making another."""

    __slots__ = ()
    tag = "scim:user:adopted"
