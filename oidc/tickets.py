"""Random values that open something, and that name the tenant whose it is: cookies and ``state``.

The tenant in it proves nothing: it tells in which tenant to look, and there only the SHA-256 of the whole is found. So nobody has to
look through all tenants, and what is stored opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid

_RANDOM_BYTES = 32
_TENANT_BYTES = 16
_TICKET = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes


def new(tenant_id: str) -> str:
    """A value that nobody can guess: 256 random bits beside the tenant's id."""
    return base64.urlsafe_b64encode(uuid.UUID(tenant_id).bytes + secrets.token_bytes(_RANDOM_BYTES)).decode()


def tenant_of(ticket: str) -> str | None:
    """The tenant that a value of this form names; None for any other text."""
    if not _TICKET.fullmatch(ticket):
        return None
    return str(uuid.UUID(bytes=base64.urlsafe_b64decode(ticket)[:_TENANT_BYTES]))


def random() -> str:
    """A value of 256 random bits that names nobody."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def digest(ticket: str) -> bytes:
    """What is stored in its place."""
    return hashlib.sha256(ticket.encode()).digest()
