"""Grants: what somebody who presents something may do, and of which tenant. The look-ups that every request begins with.

What opens a credential is a secret of it, of which only the SHA-256 is stored (bearer secrets, client
secrets, and access tokens given out for them), or an outside issuer's signed word (``Trust``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeAlias

from sqlalchemy import Text, and_, bindparam, cast, or_, select, update

from scim_server.store import ids
from scim_server.store.connections import Row
from scim_server.store.registry.acts import ID, NOW, Part, instant_or_none, text_or_none
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Instant, credentials, directories, secrets, tenants
from scim_server.store.tenant_settings import TenantSettings

Network: TypeAlias = IPv4Network | IPv6Network

BEARER, CLIENT, ACCESS = "bearer", "client", "access"
"""Kinds of secrets: presented as they are; exchanged for an access token at the token endpoint; such a token."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signed word opens a credential: tokens of this issuer, about this subject (None: of anybody), for one of these audiences."""

    issuer: str
    subject: str | None
    audiences: tuple[str, ...]
    jwks_uri: str | None
    directory_id: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody who presents something may do, if nothing of it has ended: which credential, of which tenant.

    ``ends`` is the end of the credential; ``expires`` that or the end of what was presented, whichever comes first. ``lasts`` is
    until when the client can go on as it does: an access token it can have anew. ``schemas`` counts the changes of the tenant's own
    schemas.
    """

    credential_id: str
    tenant_id: str
    tenant_name: str
    profile: str
    settings: TenantSettings
    schemas: int
    suspended: bool
    kind: str
    scopes: frozenset[str]
    networks: tuple[Network, ...]
    expires: datetime | None
    ends: datetime | None
    lasts: datetime | None
    revoked: bool
    last_used: datetime | None
    trust: Trust | None


TRUST = (*(credentials.c[name] for name in ("issuer", "subject", "audiences", "jwks_uri")), cast(credentials.c.directory_id, Text))
"""Columns of a Trust, for ``trust_of``."""

_GRANT_COLUMNS = (
    cast(credentials.c.id, Text),
    cast(credentials.c.tenant_id, Text),
    tenants.c.name,
    tenants.c.profile,
    cast(tenants.c.settings, Text),
    tenants.c.schema_version,
    tenants.c.suspended,
    *(credentials.c[name] for name in ("kind", "scopes", "networks", "expires", "revoked", "last_used")),
)
_OWNER = credentials.c.tenant_id == tenants.c.id
_BY_HASH = GlobalStatement(
    select(*_GRANT_COLUMNS, secrets.c.kind, secrets.c.expires, secrets.c.scopes)
    .join_from(secrets, credentials, and_(secrets.c.credential_id == credentials.c.id, secrets.c.tenant_id == credentials.c.tenant_id))
    .join(tenants, _OWNER)
    .where(secrets.c.hash == bindparam("hash"))
)
_TRUSTING = select(*_GRANT_COLUMNS, *TRUST).join_from(credentials, tenants, _OWNER).where(credentials.c.issuer.is_not(None))
_BY_CLIENT = GlobalStatement(_TRUSTING.where(credentials.c.id == ID, credentials.c.subject.is_not(None)))
_DIRECTORY = and_(directories.c.tenant_id == credentials.c.tenant_id, directories.c.id == credentials.c.directory_id)
_BY_ISSUER = GlobalStatement(
    _TRUSTING.join(directories, _DIRECTORY).where(
        credentials.c.issuer == bindparam("issuer"),
        credentials.c.subject.is_(None),
        credentials.c.revoked.is_(None),
        directories.c.ended.is_(None),
    )
)

_USED = GlobalStatement(
    update(credentials)
    .values(last_used=NOW, last_address=bindparam("address"))
    .where(
        credentials.c.id == ID,
        or_(credentials.c.last_used.is_(None), credentials.c.last_used < bindparam("before", type_=Instant)),
    )
)


class Grants(Part):
    def by_hash(self, hash: bytes) -> tuple[str, Grant] | None:
        """What the secret with that hash opens, and of which kind it is; ended or not."""
        rows = self.rows(_BY_HASH, hash=hash)
        if not rows:
            return None
        *row, kind, expires, scopes = rows[0]
        return kind, _grant(row, instant_or_none(expires), scopes, None, renewed=kind == ACCESS)

    def by_client(self, client_id: str) -> Grant | None:
        """What a trusted issuer's assertion opens for the client of that id."""
        rows = self.rows(_BY_CLIENT, id=client_id if ids.is_id(client_id) else _NOBODY)
        return _trusting(rows[0]) if rows else None

    def by_issuer(self, issuer: str) -> Grant | None:
        """What a whole token of that issuer opens: as long as its directory is the tenant's."""
        rows = self.rows(_BY_ISSUER, issuer=issuer)
        return _trusting(rows[0]) if rows else None

    def used(self, grant: Grant, address: str, now: datetime, before: datetime) -> None:
        """Note that the credential was used now, unless another node noted a use later than ``before``. No event."""
        connection = self._database.connection(transaction=True)
        try:
            connection.later(
                _USED, {"id": grant.credential_id, "now": text_or_none(now), "address": address, "before": text_or_none(before)}
            )
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


_NOBODY = "00000000-0000-0000-0000-000000000000"


@lru_cache(maxsize=256)
def scopes_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


@lru_cache(maxsize=1024)
def networks_of(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(each) for each in text.split())


def trust_of(row: Row) -> Trust | None:
    issuer, subject, audiences, jwks_uri, directory_id = row
    return None if issuer is None else Trust(issuer, subject, tuple((audiences or "").split()), jwks_uri, directory_id)


def _trusting(row: Row) -> Grant:
    return _grant(row[:-5], None, None, trust_of(row[-5:]))


def _grant(
    row: list[Any] | Row, presented_expires: datetime | None, presented_scopes: str | None, trust: Trust | None, *, renewed: bool = False
) -> Grant:
    credential_id, tenant_id, tenant_name, profile, settings, schemas, suspended, kind, *rest = row
    scopes, networks, expires, revoked, last_used = rest
    granted = scopes_of(scopes)
    ends = instant_or_none(expires)
    first = min((each for each in (ends, presented_expires) if each is not None), default=None)
    return Grant(
        credential_id,
        tenant_id,
        tenant_name,
        profile,
        TenantSettings.parse(settings),
        schemas,
        suspended is not None,
        kind,
        granted if presented_scopes is None else granted & scopes_of(presented_scopes),
        networks_of(networks),
        first,
        ends,
        ends if renewed else first,
        revoked is not None,
        instant_or_none(last_used),
        trust,
    )
