"""Opaque bearer credentials (RFC 6750): a token of 256 random bits names one credential of one tenant.

Only the SHA-256 of a token is stored, so the look-up is by the hash: it does the same work for a
token that is unknown, expired or revoked, and its timing tells nothing about any stored token.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from scim_server import clock
from scim_server.events import Principal, Scope
from scim_server.store.registry import Registry

PREFIX = "scim_"
_MAX_TOKEN = 256  # Entra refuses to save over-long secrets; ours are 48 characters


class Unauthenticated(Exception):
    """No valid credential. ``presented`` tells whether there was one at all (RFC 6750 §3.1).

    ``reason`` is for the log only; the answer is the same for every reason.
    """

    def __init__(self, reason: str, *, presented: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.presented = presented


@dataclass(frozen=True, slots=True)
class Client:
    """An authenticated SCIM client: which credential of which tenant, and how lenient its wire is."""

    tenant_id: str
    tenant_name: str
    credential_id: str
    profile: str

    @property
    def lenient(self) -> bool:
        return self.profile != "rfc"

    def scope(self, request_id: str) -> Scope:
        return Scope(self.tenant_id, Principal("credential", self.credential_id), request_id)


def new_token() -> str:
    """A fresh secret, recognisable by its prefix for secret scanners."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


class Bearer:
    """Tells from an Authorization header which client is calling."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def client(self, authorization: str | None) -> Client:
        """The client behind the header. Raises Unauthenticated."""
        if not authorization:
            raise Unauthenticated("no credential", presented=False)
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("not a bearer token", presented=True)
        if len(token) > _MAX_TOKEN or not token.isascii():
            raise Unauthenticated("not one of our tokens", presented=True)
        credential = self._registry.credential_by_hash(digest(token))
        if credential is None:
            raise Unauthenticated("unknown token", presented=True)
        if credential.revoked is not None:
            raise Unauthenticated("revoked token", presented=True)
        if credential.expires is not None and credential.expires <= clock.now():
            raise Unauthenticated("expired token", presented=True)
        return Client(credential.tenant_id, credential.tenant_name, credential.id, credential.profile)
