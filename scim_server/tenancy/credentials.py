"""Making credentials, and giving them other secrets. A secret is known to whom it is returned, and to nobody else.

Kinds, by what a client does with them:

    secret      presents an opaque token                         (RFC 6750)
    client      exchanges a client secret for access tokens      (RFC 6749 §4.4)
    federated   exchanges an outside issuer's assertion for them (RFC 7523 §2.2)
    entra       presents a token that its directory issued
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scim_server import clock
from scim_server.clouds import CLOUDS
from scim_server.events import Principal
from scim_server.store.errors import Taken
from scim_server.store.registry import Credential, Registry
from scim_server.store.registry.credentials import DirectoryEnded
from scim_server.store.registry.grants import BEARER, CLIENT, Network, Trust
from scim_server.tenancy import opaque
from scim_server.tenancy.client import ENTRA, FEDERATED, OAUTH_CLIENT, READ, SECRET, WRITE
from scim_server.tenancy.clouds import CUSTOM, GLOBAL, GUID, parse_tid
from scim_server.tenancy.clouds import Unusable as Unusable  # for whoever makes credentials

if TYPE_CHECKING:
    from scim_server.outbound import Outbound

PROVISIONING = frozenset({READ, WRITE})
"""The scopes that a provisioning service needs."""

MOST_SECRETS = 2
"""Live secrets of one credential: during a rotation, the one in use and the next."""

SHARED_AUDIENCE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
"""Of Entra's tokens for every application that is not in its gallery, whosever it is. Those in it have one of their own."""

MAX_AUDIENCES = 10
MAX_AUDIENCE = 300
MAX_SUBJECT = 255
_LONGEST_ISSUER = 450  # there is room for the path of its metadata

_SECRET_KINDS = {SECRET: BEARER, OAUTH_CLIENT: CLIENT}
_CLOUD_OF_HOST = {host: name for name, cloud in CLOUDS.items() for host in cloud.hosts}


class NothingToRotate(Exception):
    """The credential has no secret of ours: an outside issuer's keys open it, and he changes them himself."""


class OfNoUse(Exception):
    """The credential is revoked, or expired."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a credential is for, what it may do, from where, and until when."""

    label: str = ""
    scopes: frozenset[str] = PROVISIONING
    networks: tuple[Network, ...] = ()
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rotated:
    """``earlier_ends`` is when the last of the secrets before this one ends; None if there was none."""

    secret: str
    expires: datetime | None
    earlier_ends: datetime | None


def create_with_secret(registry: Registry, tenant_id: str, kind: str, terms: Terms, by: Principal) -> tuple[Credential, str]:
    """A new credential of kind secret or client, and its secret. Raises StoreError if there is no such tenant."""
    secret_kind = _SECRET_KINDS[kind]
    secret = opaque.new(secret_kind)
    made = registry.credentials.create(
        tenant_id,
        kind,
        by,
        label=terms.label,
        scopes=terms.scopes,
        networks=terms.networks,
        expires=terms.expires,
        secret=(secret_kind, opaque.digest(secret)),
    )
    return made, secret


def create_federated(
    registry: Registry,
    outbound: Outbound,
    tenant_id: str,
    terms: Terms,
    by: Principal,
    *,
    issuer: str,
    subject: str,
    audiences: Sequence[str],
    jwks_uri: str | None = None,
) -> Credential:
    """A new credential that assertions of the issuer open, about the subject, for one of the audiences (RFC 7523 §2.2).

    Without ``jwks_uri`` the issuer's metadata says where its keys are. Raises Unusable, or StoreError if there is no such tenant.
    """
    if not (0 < len(subject) <= MAX_SUBJECT and subject.isprintable() and subject == subject.strip()):
        raise Unusable(f"The subject must have 1 to {MAX_SUBJECT} printable characters, with no blank around them. Copy it again.")
    if not audiences:
        raise Unusable("At least one audience is needed: what the tokens have in their claim aud.")
    trust = Trust(_issuer(outbound, issuer), subject, _audiences(audiences), _keys_at(outbound, jwks_uri))
    return _create_trusting(registry, tenant_id, FEDERATED, terms, by, trust)


def create_entra(
    registry: Registry,
    outbound: Outbound,
    tenant_id: str,
    terms: Terms,
    by: Principal,
    *,
    tid: str,
    audiences: Sequence[str] = (),
    issuer: str | None = None,
    jwks_uri: str | None = None,
) -> Credential:
    """A new credential that every token of the directory opens which is for one of the audiences. It switches that way in on.

    The directory becomes the tenant's, if it is nobody's. By default the issuer, keys and audience are those of Entra's tokens of
    version 1 for an application that is not in the gallery. Raises Unusable, or StoreError if there is no such tenant.
    """
    tid = parse_tid(tid)
    known = registry.directories.get(tid)
    cloud = known.cloud if known is not None and known.tenant_id == tenant_id and known.cloud in CLOUDS else GLOBAL
    if issuer is None:
        issuer = f"{CLOUDS[cloud].issuer_v1}/{tid}/"
        jwks_uri = jwks_uri or f"{CLOUDS[cloud].authority}/{tid}/discovery/keys"
    issuer, jwks_uri = _issuer(outbound, issuer), _keys_at(outbound, jwks_uri)
    place = urlsplit(issuer)
    if [each for each in place.path.split("/") if GUID.fullmatch(each)] != [tid]:
        raise Unusable(f"The issuer {issuer!r} must have the directory's id, and no other's, as a part of its path: …/{tid}/…")
    accepted = _audiences(audiences or (SHARED_AUDIENCE,))
    if registry.grants.by_issuer(issuer) is not None:
        raise _opened_already(issuer)
    host = urlsplit(jwks_uri or issuer).hostname or ""
    directory_id = _directory(registry, tenant_id, _CLOUD_OF_HOST.get(host, CUSTOM), tid, by)
    trust = Trust(issuer, None, accepted, jwks_uri, directory_id)
    return _create_trusting(registry, tenant_id, ENTRA, terms, by, trust)


def _create_trusting(registry: Registry, tenant_id: str, kind: str, terms: Terms, by: Principal, trust: Trust) -> Credential:
    try:
        return registry.credentials.create(
            tenant_id,
            kind,
            by,
            label=terms.label,
            scopes=terms.scopes,
            networks=terms.networks,
            expires=terms.expires,
            trust=trust,
        )
    except Taken as fault:  # by somebody who was quicker
        raise _opened_already(trust.issuer) from fault
    except DirectoryEnded as fault:
        raise Unusable("Somebody else removed the directory at the same time. Look what there is, and try again.") from fault


def _directory(registry: Registry, tenant_id: str, cloud: str, tid: str, by: Principal) -> str:
    """The id of the tenant's directory, which becomes the tenant's if it is nobody's."""
    found = registry.directories.get(tid)
    if found is None:
        try:
            return registry.directories.add(tenant_id, cloud, tid, by)
        except Taken:  # by somebody who was quicker
            found = registry.directories.get(tid)
    if found is None or found.tenant_id != tenant_id:
        raise Unusable(f"The directory {tid} cannot be this tenant's: it is another tenant's already. A directory belongs to one tenant.")
    return found.id


def _opened_already(issuer: str) -> Unusable:
    return Unusable(f"Tokens of {issuer} open a credential already, and they can open only one. Revoke that one first, or use it.")


def _issuer(outbound: Outbound, issuer: str) -> str:
    try:
        outbound.check(issuer)
    except ValueError as fault:
        raise Unusable(f"The issuer cannot be used. {fault}") from fault
    if len(issuer) > _LONGEST_ISSUER:
        raise Unusable(f"The issuer has more than {_LONGEST_ISSUER} characters.")
    if "?" in issuer:
        raise Unusable(f"The issuer {issuer!r} must have no query: give exactly what the tokens have in their claim iss.")
    return issuer


def _keys_at(outbound: Outbound, jwks_uri: str | None) -> str | None:
    try:
        if jwks_uri is not None:
            outbound.check(jwks_uri)
    except ValueError as fault:
        raise Unusable(f"The URL of the keys cannot be used. {fault}") from fault
    return jwks_uri


def _audiences(audiences: Sequence[str]) -> tuple[str, ...]:
    """Each once. They are stored with blanks between them."""
    if len(audiences) > MAX_AUDIENCES:
        raise Unusable(f"There can be {MAX_AUDIENCES} audiences at most.")
    for each in audiences:
        if not (0 < len(each) <= MAX_AUDIENCE and each.isprintable() and each.isascii() and " " not in each):
            raise Unusable(f"An audience has 1 to {MAX_AUDIENCE} printable ASCII characters without a blank, not {each[:100]!r}.")
    return tuple(dict.fromkeys(audiences))


def rotate(registry: Registry, credential: Credential, by: Principal, *, expires: datetime | None, overlap: timedelta) -> Rotated:
    """Another secret for the credential. Those before it stay good for the overlap, if they do not end earlier.

    Raises NothingToRotate, OfNoUse, or Taken ("secret") if it has as many live ones already as it may: an overlap of nothing
    ends them at once.
    """
    if credential.kind not in _SECRET_KINDS:
        raise NothingToRotate
    now = clock.now()
    if credential.revoked is not None or (credential.expires is not None and credential.expires <= now):
        raise OfNoUse
    kind = _SECRET_KINDS[credential.kind]
    secret = opaque.new(kind)
    earlier = registry.credentials.rotate(
        credential, (kind, opaque.digest(secret)), by, expires=expires, overlap_ends=now + overlap, most=MOST_SECRETS
    )
    return Rotated(secret, expires, earlier)
