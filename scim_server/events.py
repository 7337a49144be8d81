"""What can happen, who did it, and what is recorded of it.

Each event is a frozen value with a tag of the form ``source:subject:action``. It is appended by
the use case to the same transaction as the change it tells of (``Unit.events.append``): no event,
no change. What an event records is exactly its ``data()``: attribute paths with old and new value,
members by id; never a secret, never a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts. ``kind`` is credential, operator or system; ``id`` names the one of that kind."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data, on whose behalf, in which request: all that a Unit is bound to."""

    tenant_id: str
    principal: Principal
    request_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that changed. ``old`` or ``new`` is None where it was or is unassigned."""

    path: str
    old: Any
    new: Any

    def data(self) -> dict[str, Any]:
        return {"path": self.path, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one subject of one tenant."""

    tag: ClassVar[str]
    subject_id: str

    @property
    def subject(self) -> str:
        return self.tag.split(":")[1]

    def data(self) -> dict[str, Any]:
        return {}


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


@dataclass(frozen=True, slots=True)
class TenantCreated(Event):
    tag = "operator:tenant:created"
    name: str

    def data(self) -> dict[str, Any]:
        return {"name": self.name}


@dataclass(frozen=True, slots=True)
class CredentialCreated(Event):
    """Never the secret: the label, and when it ends (ISO 8601), if it does."""

    tag = "operator:credential:created"
    label: str
    expires: str | None

    def data(self) -> dict[str, Any]:
        return {"label": self.label, "expires": self.expires}


@dataclass(frozen=True, slots=True)
class CredentialRevoked(Event):
    tag = "operator:credential:revoked"
