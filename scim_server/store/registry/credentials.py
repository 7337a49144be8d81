"""Credentials: what SCIM clients authenticate with, as operators handle them. What opens them is told by ``grants``.

A credential belongs to one tenant. During a rotation two secrets open one credential.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, delete, insert, null, or_, select, update

from scim_server import clock
from scim_server.events import CredentialCreated, CredentialRevoked, CredentialRotated, Event, Principal
from scim_server.store import ids
from scim_server.store.connections import Row
from scim_server.store.documents import instant, instant_text
from scim_server.store.errors import StoreError, Taken
from scim_server.store.registry.acts import ID, NOW, TENANT, Act, Part, instant_or_none, text_or_none
from scim_server.store.registry.grants import ACCESS, BEARER, CLIENT, TRUST, Grant, Network, Trust, networks_of, scopes_of, trust_of
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, Instant, credentials, directories, secrets, tenants


@dataclass(frozen=True, slots=True)
class Secret:
    """A live secret of a credential. Never what it is: when it was made, and when it ends."""

    id: str
    kind: str
    created: datetime
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client authenticates with, for people to look at."""

    id: str
    tenant_id: str
    tenant_name: str
    kind: str
    label: str
    scopes: frozenset[str]
    networks: tuple[Network, ...]
    trust: Trust | None
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None
    last_address: str | None


_CREDENTIAL = select(
    cast(credentials.c.id, Text),
    cast(credentials.c.tenant_id, Text),
    tenants.c.name,
    *(
        credentials.c[name]
        for name in ("kind", "label", "scopes", "networks", "created", "expires", "revoked", "last_used", "last_address")
    ),
    *TRUST,
).join_from(credentials, tenants, credentials.c.tenant_id == tenants.c.id)
_BY_ID = GlobalStatement(_CREDENTIAL.where(credentials.c.id == ID))
_OF_TENANT = GlobalStatement(_CREDENTIAL.where(credentials.c.tenant_id == TENANT).order_by(credentials.c.id))

_LOCK_DIRECTORY = GlobalStatement(
    select(directories.c.ended).where(directories.c.id == ID, directories.c.tenant_id == TENANT).with_for_update()
)
_NAMES = ("tenant_id", "id", "kind", "label", "scopes", "networks", "issuer", "subject", "audiences", "jwks_uri", "directory_id")
_NEW: dict[str, Any] = {name: bindparam(name) for name in (*_NAMES, "created", "expires")}
_CREATE = GlobalStatement(insert(credentials).values(_NEW))
_REVOKE = GlobalStatement(
    update(credentials)
    .values(revoked=NOW)
    .where(credentials.c.id == ID, credentials.c.revoked.is_(None))
    .returning(cast(credentials.c.tenant_id, Text))
)
_LOCK = GlobalStatement(select(credentials.c.revoked).where(credentials.c.id == ID).with_for_update())
_EXTEND = GlobalStatement(update(credentials).values(expires=bindparam("expires", type_=Instant)).where(credentials.c.id == ID))
_CREDENTIAL_ID = bindparam("credential_id", type_=Id)
_NEW_SECRET: dict[str, Any] = {
    name: bindparam(name) for name in ("tenant_id", "id", "credential_id", "kind", "hash", "scopes", "created", "expires")
}
_ADD_SECRET = GlobalStatement(insert(secrets).values(_NEW_SECRET))
_LIVE = or_(secrets.c.expires.is_(None), secrets.c.expires > NOW)
_LIVE_SECRETS = GlobalStatement(
    select(cast(secrets.c.id, Text), secrets.c.kind, secrets.c.created, secrets.c.expires)
    .where(secrets.c.credential_id == _CREDENTIAL_ID, secrets.c.kind.in_((bindparam("bearer"), bindparam("client"))), _LIVE)
    .order_by(secrets.c.id)
)
_END_ACCESS = GlobalStatement(
    delete(secrets).where(secrets.c.credential_id == _CREDENTIAL_ID, secrets.c.tenant_id == TENANT, secrets.c.kind == bindparam("kind"))
)
_END_BEFORE = GlobalStatement(update(credentials).values(token_hash=null()).where(credentials.c.id == ID))
_END_SECRET = GlobalStatement(update(secrets).values(expires=bindparam("expires", type_=Instant)).where(secrets.c.id == ID))
_FORGET_ENDED = GlobalStatement(
    delete(secrets).where(
        secrets.c.credential_id == _CREDENTIAL_ID,
        secrets.c.tenant_id == TENANT,
        secrets.c.kind == bindparam("kind"),
        secrets.c.expires <= NOW,
    )
)


class DirectoryEnded(StoreError):
    """The directory whose tokens were to open a credential is not the tenant's any more."""


class Credentials(Part):
    def create(
        self,
        tenant_id: str,
        kind: str,
        by: Principal,
        *,
        label: str,
        scopes: frozenset[str],
        networks: tuple[Network, ...] = (),
        expires: datetime | None,
        secret: tuple[str, bytes] | None = None,
        trust: Trust | None = None,
    ) -> Credential:
        """A new credential of the tenant, opened from now on by the secret (its kind and its hash), or by whom it trusts.

        Raises Taken ("issuer") if it trusts whole tokens of an issuer that another does, DirectoryEnded, or StoreError if there is
        no such tenant.
        """
        with self.acting(by) as act:
            act.require_tenant(tenant_id)
            if trust is not None and trust.directory_id is not None:
                _require_directory(act, tenant_id, trust.directory_id)
            credential_id = ids.new(act.now)
            values = {
                "kind": kind,
                "label": label,
                "scopes": _text(scopes),
                "networks": " ".join(map(str, networks)),
                "issuer": trust.issuer if trust else None,
                "subject": trust.subject if trust else None,
                "audiences": " ".join(trust.audiences) if trust else None,
                "jwks_uri": trust.jwks_uri if trust else None,
                "directory_id": trust.directory_id if trust else None,
                "expires": text_or_none(expires),
            }
            act.later(_CREATE, taken="issuer", tenant_id=tenant_id, id=credential_id, created=act.now_text, **values)
            if secret is not None:
                _add_secret(act, tenant_id, credential_id, *secret, expires=expires)
            act.record(
                tenant_id,
                CredentialCreated(
                    credential_id,
                    label=label,
                    expires=_iso(expires),
                    kind=kind,
                    scopes=sorted(scopes),
                    networks=[str(each) for each in networks],
                    trust=asdict(trust) if trust else None,
                ),
            )
        made = self.get(credential_id)
        assert made is not None
        return made

    def get(self, credential_id: str) -> Credential | None:
        """The credential with that id, be it expired or revoked, too."""
        rows = self.rows(_BY_ID, id=credential_id) if ids.is_id(credential_id) else []
        return _credential(rows[0]) if rows else None

    def secrets(self, credential: Credential) -> list[Secret]:
        """Its live secrets, oldest first, without access tokens."""
        return _live(self.rows(_LIVE_SECRETS, **_of(credential.id, clock.now())))

    def issue(self, grant: Grant, hash: bytes, scopes: frozenset[str], expires: datetime, event: Event) -> None:
        """An access token for the credential. Those of it that have ended are forgotten."""
        with self.acting(Principal("credential", grant.credential_id)) as act:
            act.later(_FORGET_ENDED, tenant_id=grant.tenant_id, credential_id=grant.credential_id, kind=ACCESS, now=act.now_text)
            _add_secret(act, grant.tenant_id, grant.credential_id, ACCESS, hash, expires=expires, scopes=scopes)
            act.record(grant.tenant_id, event)

    def rotate(
        self,
        credential: Credential,
        secret: tuple[str, bytes],
        by: Principal,
        *,
        expires: datetime | None,
        overlap_ends: datetime,
        most: int,
    ) -> datetime | None:
        """Another secret for the credential; those there are end with the overlap, if not earlier. When the last of them does.

        Without an overlap the access tokens that were given out for them end, too.

        Raises Taken ("secret") if it has ``most`` live secrets already, StoreError if it is revoked.
        """
        with self.acting(by) as act:
            if act.rows(_LOCK, id=credential.id) != [(None,)]:
                raise act.refused(StoreError("no such credential, or revoked"))
            live = _live(act.rows(_LIVE_SECRETS, **_of(credential.id, act.now)))
            if overlap_ends > act.now and len(live) >= most:
                raise act.refused(Taken("secret"))
            lasting = [each for each in live if each.expires is None or each.expires > overlap_ends]
            ends = [overlap_ends if each in lasting else each.expires for each in live]
            earlier_ends = max((each for each in ends if each is not None), default=None)
            for each in lasting:
                act.later(_END_SECRET, id=each.id, expires=instant_text(overlap_ends))
            _add_secret(act, credential.tenant_id, credential.id, *secret, expires=expires)
            lasts = None if expires is None else max(expires, earlier_ends or expires)
            act.later(_EXTEND, id=credential.id, expires=text_or_none(lasts))
            if overlap_ends <= act.now:
                act.later(_END_ACCESS, credential_id=credential.id, tenant_id=credential.tenant_id, kind=ACCESS)
                act.later(_END_BEFORE, id=credential.id)
            event = CredentialRotated(credential.id, _iso(expires), _iso(earlier_ends))
            act.record(credential.tenant_id, event)
        return earlier_ends

    def revoke(self, credential_id: str, by: Principal) -> Credential | None:
        """The credential, from now on of no use; None if there is none of that id that was of use."""
        if not ids.is_id(credential_id):
            return None
        with self.acting(by) as act:
            revoked = act.rows(_REVOKE, id=credential_id, now=act.now_text)
            if revoked:
                act.record(revoked[0][0], CredentialRevoked(credential_id))
        return self.get(credential_id) if revoked else None

    def list(self, tenant_id: str) -> list[Credential]:
        """The tenant's credentials, oldest first; those that are expired or revoked, too."""
        return [_credential(row) for row in self.rows(_OF_TENANT, tenant_id=tenant_id)] if ids.is_id(tenant_id) else []


def _require_directory(act: Act, tenant_id: str, directory_id: str) -> None:
    """It stays the tenant's until the act is done. Raises DirectoryEnded."""
    if act.rows(_LOCK_DIRECTORY, id=directory_id, tenant_id=tenant_id) != [(None,)]:
        raise act.refused(DirectoryEnded("the directory is not the tenant's any more"))


def _add_secret(
    act: Act, tenant_id: str, credential_id: str, kind: str, hash: bytes, *, expires: datetime | None, scopes: frozenset[str] | None = None
) -> None:
    act.later(
        _ADD_SECRET,
        tenant_id=tenant_id,
        id=ids.new(act.now),
        credential_id=credential_id,
        kind=kind,
        hash=hash,
        scopes=None if scopes is None else _text(scopes),
        created=act.now_text,
        expires=text_or_none(expires),
    )


def _of(credential_id: str, now: datetime) -> dict[str, Any]:
    return {"credential_id": credential_id, "bearer": BEARER, "client": CLIENT, "now": instant_text(now)}


def _live(rows: list[Row]) -> list[Secret]:
    return [Secret(secret_id, kind, instant(created), instant_or_none(expires)) for secret_id, kind, created, expires in rows]


def _iso(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _text(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def _credential(row: Row) -> Credential:
    credential_id, tenant_id, tenant_name, kind, label, scopes, networks, created, expires, revoked, last_used, last_address, *trust = row
    return Credential(
        credential_id,
        tenant_id,
        tenant_name,
        kind,
        label,
        scopes_of(scopes),
        networks_of(networks),
        trust_of(tuple(trust)),
        instant(created),
        instant_or_none(expires),
        instant_or_none(revoked),
        instant_or_none(last_used),
        last_address,
    )
