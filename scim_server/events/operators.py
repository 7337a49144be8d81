"""What operators do, and what becomes of what clients authenticate with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.events.event import Change, Event
from scim_server.events.resources import ResourceChanged


@dataclass(frozen=True, slots=True)
class TenantCreated(Event):
    tag = "operator:tenant:created"
    name: str

    def data(self) -> dict[str, Any]:
        return {"name": self.name}


@dataclass(frozen=True, slots=True)
class TenantChanged(Event):
    """Its profile or its settings are others now."""

    tag = "operator:tenant:changed"
    changes: Sequence[Change]

    def data(self) -> dict[str, Any]:
        return {"changes": [change.data() for change in self.changes]}


@dataclass(frozen=True, slots=True)
class TenantSuspended(Event):
    tag = "operator:tenant:suspended"
    reason: str

    def data(self) -> dict[str, Any]:
        return {"reason": self.reason}


class TenantResumed(Event):
    __slots__ = ()
    tag = "operator:tenant:resumed"


@dataclass(frozen=True, slots=True)
class TenantExported(Event):
    """Everything of the tenant was read out; ``rows`` of each table."""

    tag = "operator:tenant:exported"
    rows: dict[str, int]

    def data(self) -> dict[str, Any]:
        return {"rows": self.rows}


@dataclass(frozen=True, slots=True)
class _SchemaEvent(Event):
    """Of a schema of the tenant's own. The subject is its URN; ``changes`` are to what it says, an attribute each, as it is published."""

    resource_type: str
    changes: Sequence[Change]

    def data(self) -> dict[str, Any]:
        return {"resource_type": self.resource_type, "changes": [change.data() for change in self.changes]}


class SchemaAdded(_SchemaEvent):
    __slots__ = ()
    tag = "operator:schema:added"


@dataclass(frozen=True, slots=True)
class _SchemaUnderValues(_SchemaEvent):
    """``dropped``: of so many resources values did not fit any more and are gone; each has an event of its own."""

    dropped: int

    def data(self) -> dict[str, Any]:
        return {"resource_type": self.resource_type, "changes": [change.data() for change in self.changes], "dropped": self.dropped}


class SchemaChanged(_SchemaUnderValues):
    __slots__ = ()
    tag = "operator:schema:changed"


class SchemaRemoved(_SchemaUnderValues):
    __slots__ = ()
    tag = "operator:schema:removed"


class UserValuesDropped(ResourceChanged):
    """What the user had under a schema of the tenant's own does not fit any more, and is gone."""

    __slots__ = ()
    tag = "operator:user:changed"


class GroupValuesDropped(ResourceChanged):
    """The same of a group."""

    __slots__ = ()
    tag = "operator:group:changed"


@dataclass(frozen=True, slots=True)
class DirectoryAdded(Event):
    tag = "operator:directory:added"
    cloud: str
    tid: str
    client_id: str | None

    def data(self) -> dict[str, Any]:
        return {"cloud": self.cloud, "tid": self.tid, "client_id": self.client_id}


@dataclass(frozen=True, slots=True)
class DirectoryChanged(Event):
    """What is known of it is different now. ``secret`` tells whether the secret of our registration there is another."""

    tag = "operator:directory:changed"
    changes: Sequence[Change]
    secret: bool

    def data(self) -> dict[str, Any]:
        return {"changes": [change.data() for change in self.changes], "secret": self.secret}


@dataclass(frozen=True, slots=True)
class DirectoryRemoved(Event):
    tag = "operator:directory:removed"
    cloud: str
    tid: str

    def data(self) -> dict[str, Any]:
        return {"cloud": self.cloud, "tid": self.tid}


@dataclass(frozen=True, slots=True)
class _DomainEvent(Event):
    name: str

    def data(self) -> dict[str, Any]:
        return {"name": self.name}


class DomainAdded(_DomainEvent):
    __slots__ = ()
    tag = "operator:domain:added"


class DomainRemoved(_DomainEvent):
    __slots__ = ()
    tag = "operator:domain:removed"


@dataclass(frozen=True, slots=True)
class DomainVerified(_DomainEvent):
    """From now on it is this tenant's only: its DNS has the proof, or an operator answered for it (``assumed``)."""

    tag = "system:domain:verified"
    assumed: bool = False

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "assumed": self.assumed}


@dataclass(frozen=True, slots=True)
class DomainDirectoryChanged(_DomainEvent):
    """Where its people sign in, if not wherever they choose."""

    tag = "operator:domain:directory-changed"
    directory_id: str | None

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "directory_id": self.directory_id}


@dataclass(frozen=True, slots=True)
class _DomainUnproved(_DomainEvent):
    finding: str

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "finding": self.finding}


class DomainFailed(_DomainUnproved):
    """The proof did not appear in time, or the domain was proved for another tenant."""

    __slots__ = ()
    tag = "system:domain:failed"


class DomainLost(_DomainUnproved):
    """A verified domain's proof has been missing for so long that it is not this tenant's any more."""

    __slots__ = ()
    tag = "system:domain:lost"


@dataclass(frozen=True, slots=True)
class CredentialCreated(Event):
    """Never the secret: what the credential is for, what it may do, who can have it, and when it ends (ISO 8601), if it does."""

    tag = "operator:credential:created"
    label: str
    expires: str | None
    kind: str
    scopes: Sequence[str]
    networks: Sequence[str]
    trust: dict[str, Any] | None

    def data(self) -> dict[str, Any]:
        names = ("label", "expires", "kind", "scopes", "networks", "trust")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class CredentialRotated(Event):
    """It has another secret. ``earlier_ends`` is when those before it do (ISO 8601), if there were any."""

    tag = "operator:credential:rotated"
    expires: str | None
    earlier_ends: str | None

    def data(self) -> dict[str, Any]:
        return {"expires": self.expires, "earlier_ends": self.earlier_ends}


class CredentialRevoked(Event):
    __slots__ = ()
    tag = "operator:credential:revoked"


@dataclass(frozen=True, slots=True)
class TokenIssued(Event):
    """An access token was given out for the credential, until ``expires`` (ISO 8601). ``token_id`` joins what an issuer's own log has."""

    tag = "oauth:token:issued"
    scopes: Sequence[str]
    expires: str
    address: str
    token_id: str | None

    def data(self) -> dict[str, Any]:
        return {"scopes": self.scopes, "expires": self.expires, "address": self.address, "token_id": self.token_id}


@dataclass(frozen=True, slots=True)
class AuthenticationRefused(Event):
    """Somebody was not let in. The subject is the credential, if it is known which one it would have been.

    ``claims`` are what an unproved token says of itself; ``suppressed`` is how many refusals before this one were not
    recorded, so that nobody can flood the log.
    """

    tag = "auth:credential:refused"
    reason: str
    address: str
    claims: dict[str, str]
    suppressed: int

    def data(self) -> dict[str, Any]:
        return {"reason": self.reason, "address": self.address, "claims": self.claims, "suppressed": self.suppressed}


@dataclass(frozen=True, slots=True)
class KeysRotated(Event):
    """So many sealed secrets were put under the key with that id."""

    tag = "operator:keys:rotated"
    secrets: int

    def data(self) -> dict[str, Any]:
        return {"secrets": self.secrets, "key_id": self.subject_id}


@dataclass(frozen=True, slots=True)
class _AppEvent(Event):
    """Of one of the SaaS's own programs, in the server's own log."""

    name: str

    def data(self) -> dict[str, Any]:
        return {"name": self.name}


class AppAdded(_AppEvent):
    __slots__ = ()
    tag = "operator:app:added"


class AppRotated(_AppEvent):
    __slots__ = ()
    tag = "operator:app:rotated"


class AppRemoved(_AppEvent):
    __slots__ = ()
    tag = "operator:app:removed"


@dataclass(frozen=True, slots=True)
class SigningKeyMade(Event):
    """``signs_from`` is when it begins to sign (ISO 8601); it is published at once."""

    tag = "system:signing-key:made"
    signs_from: str

    def data(self) -> dict[str, Any]:
        return {"signs_from": self.signs_from}


class SigningKeyEnded(Event):
    __slots__ = ()
    tag = "system:signing-key:ended"
