"""Secrets of ours: 256 random bits, of which only the SHA-256 is stored.

The look-up is by the hash: it does the same work for a secret that is unknown, expired or revoked,
and its timing tells nothing about any stored one.
"""

from __future__ import annotations

import hashlib
import secrets

from scim_server.store.registry.grants import ACCESS, BEARER, CLIENT

PREFIXES = {BEARER: "scim_", CLIENT: "scim_client_", ACCESS: "scim_access_"}
"""By kind of secret, so that secret scanners and people can tell what they found. With 43 characters each: Entra saves no long ones."""


def new(kind: str) -> str:
    """A fresh secret."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()
