"""Making credentials, and giving them other secrets. A secret is known to whom it is returned, and to nobody else.

Kinds, by what a client does with them:

    secret      presents an opaque token                         (RFC 6750)
    client      exchanges a client secret for access tokens      (RFC 6749 §4.4)
    federated   exchanges an outside issuer's assertion for them (RFC 7523 §2.2)
    entra       presents a token that its directory issued
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_server import clock
from scim_server.events import Principal
from scim_server.store.registry import Credential, Registry
from scim_server.store.registry.credentials import BEARER, CLIENT, Network
from scim_server.tenancy import opaque
from scim_server.tenancy.client import READ, WRITE

SECRET, OAUTH_CLIENT, FEDERATED, ENTRA = KINDS = ("secret", "client", "federated", "entra")
PROVISIONING = frozenset({READ, WRITE})
"""The scopes that a provisioning service needs."""

MOST_SECRETS = 2
"""Live secrets of one credential: during a rotation, the one in use and the next."""

_SECRET_KINDS = {SECRET: BEARER, OAUTH_CLIENT: CLIENT}


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
