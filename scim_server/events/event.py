"""What every event has: whose it is, who did it, and what is recorded of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

SERVER = "00000000-0000-0000-0000-000000000000"
"""In place of a tenant: the server's own log, for what cannot be told whose it is."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts. ``kind`` is credential, operator or system; ``id`` names the one of that kind."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data, on whose behalf, in which request: all that a Unit is bound to.

    ``schemas`` counts the changes of the tenant's own schemas up to the request; None if nobody has looked.
    """

    tenant_id: str
    principal: Principal
    request_id: str
    schemas: int | None = None


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
