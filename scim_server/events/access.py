"""Signing in, sessions and roles: who came in or was refused, who was let out, who gained or lost which role through what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scim_server.events.event import Event
from scim_server.events.resources import ResourceChanged, ResourceCreated


@dataclass(frozen=True, slots=True)
class Authentication:
    """What joins an event with the directory's own sign-in log, and says where it came from. None is left out.

    ``uti`` is the token's id, ``request_id`` the same as the log's Request ID. Of ``sub`` and of ``state`` hashes are recorded.
    """

    cloud: str | None = None
    tid: str | None = None
    oid: str | None = None
    sub: str | None = None
    uti: str | None = None
    request_id: str | None = None
    sid: str | None = None
    client_id: str | None = None
    state: str | None = None
    correlation_id: str | None = None
    trace_id: str | None = None
    error: str | None = None
    error_codes: Sequence[int] = ()
    address: str | None = None
    user_agent: str | None = None

    def data(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return {name: list(value) if name == "error_codes" else value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class SignedIn(Event):
    """The user is in: with this session, these roles."""

    tag = "signin:user:signed-in"
    session_id: str
    roles: Sequence[str]
    authentication: Authentication

    def data(self) -> dict[str, Any]:
        return {"session_id": self.session_id, "roles": list(self.roles), **self.authentication.data()}


@dataclass(frozen=True, slots=True)
class SignInRefused(Event):
    """Somebody did not come in. The subject is the user, if it is known which one it would have been.

    ``claims`` are what an unproved token says of itself; ``groups`` those of which one would have let the person in;
    ``suppressed`` is how many refusals before this one were not recorded, so that nobody can flood the log.
    """

    tag = "signin:user:refused"
    reason: str
    authentication: Authentication
    detail: str = ""
    groups: Sequence[str] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    suppressed: int = 0

    def data(self) -> dict[str, Any]:
        return {
            "reason": self.reason,
            "detail": self.detail,
            "groups": list(self.groups),
            "claims": dict(self.claims),
            "suppressed": self.suppressed,
            **self.authentication.data(),
        }


@dataclass(frozen=True, slots=True)
class IdentityLinked(Event):
    """From now on this person of a directory is this user. ``how`` says by what they were found to be one."""

    tag = "signin:user:linked"
    link_id: str
    how: str
    authentication: Authentication

    def data(self) -> dict[str, Any]:
        return {"link_id": self.link_id, "how": self.how, **self.authentication.data()}


class UserCreatedAtSignIn(ResourceCreated):
    __slots__ = ()
    tag = "signin:user:created"


class UserChangedAtSignIn(ResourceChanged):
    """What the directory said of the person at a sign-in or a refresh is different from what was known."""

    __slots__ = ()
    tag = "signin:user:changed"


@dataclass(frozen=True, slots=True)
class SessionRefreshed(Event):
    """The directory was asked again, and the person may go on."""

    tag = "signin:session:refreshed"
    user_id: str
    roles: Sequence[str]
    authentication: Authentication

    def data(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "roles": list(self.roles), **self.authentication.data()}


@dataclass(frozen=True, slots=True)
class RefreshFailed(Event):
    """The directory was asked again, and did not say that the person may go on. What follows from that is an event of its own."""

    tag = "signin:session:refresh-failed"
    user_id: str
    reason: str
    authentication: Authentication

    def data(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "reason": self.reason, **self.authentication.data()}


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    tag = "signin:session:ended"
    user_id: str
    reason: str

    def data(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class DirectoryAlarm(Event):
    """Nobody of the directory can sign in, or go on for long, until an operator or its administrator has mended something."""

    tag = "signin:directory:alarm"
    reason: str
    authentication: Authentication

    def data(self) -> dict[str, Any]:
        return {"reason": self.reason, **self.authentication.data()}


@dataclass(frozen=True, slots=True)
class _RoleEvent(Event):
    """The subject is the user. ``source`` says where it is known from that he is in the group: scim, token, or default (no group)."""

    role: str
    source: str
    group: str | None
    mapping_id: str | None
    cause: str

    def data(self) -> dict[str, Any]:
        return {"role": self.role, "source": self.source, "group": self.group, "mapping_id": self.mapping_id, "cause": self.cause}


class RoleGained(_RoleEvent):
    __slots__ = ()
    tag = "access:user:role-gained"


class RoleLost(_RoleEvent):
    __slots__ = ()
    tag = "access:user:role-lost"


@dataclass(frozen=True, slots=True)
class _MappingEvent(Event):
    group: str
    role: str

    def data(self) -> dict[str, Any]:
        return {"group": self.group, "role": self.role}


class MappingAdded(_MappingEvent):
    __slots__ = ()
    tag = "operator:mapping:added"


class MappingRemoved(_MappingEvent):
    __slots__ = ()
    tag = "operator:mapping:removed"


@dataclass(frozen=True, slots=True)
class RestrictionSet(Event):
    """Only members of these groups may sign in; without any, everybody may. The subject is the tenant."""

    tag = "operator:restriction:set"
    groups: Sequence[str]
    before: Sequence[str]

    def data(self) -> dict[str, Any]:
        return {"groups": list(self.groups), "before": list(self.before)}
