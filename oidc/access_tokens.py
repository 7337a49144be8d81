"""Access tokens of ours, for the SaaS's own application: who is signed in, in a form that can be verified without asking (RFC 9068).

They last five minutes and no longer than the session; whoever cannot wait so long to learn that somebody is out asks (RFC 7662).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from scim_server import clock
from scim_server.access.own_tokens import OwnTokens
from scim_server.store.documents import primary_email
from scim_server.store.sessions import Found
from scim_server.tenancy.signing_keys import SigningKeys

LIFETIME = timedelta(minutes=5)

_INACTIVE: dict[str, Any] = {"active": False}


class AccessTokens:
    """Safe to share between threads. ``issuer`` is PUBLIC_URL."""

    def __init__(self, keys: SigningKeys, own: OwnTokens, issuer: str, audience: str) -> None:
        self._keys = keys
        self._own = own
        self._issuer = issuer
        self._audience = audience

    def issue(self, found: Found) -> tuple[str, int]:
        """A token for the session, and for how many seconds it holds. Raises KeyFault."""
        now = clock.now()
        expires = min(now + LIFETIME, found.session.expires)
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": found.session.user_id,
            "jti": str(uuid4()),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            **_about(found),
        }
        return self._keys.signer().sign(claims), int((expires - now).total_seconds())

    def jwks(self) -> dict[str, Any]:
        """The keys by which tokens are verified (RFC 7517 §5)."""
        return {"keys": list(self._keys.published().values())}

    def introspect(self, token: str, request_id: str) -> dict[str, Any]:
        """Whether the token holds now, and what it stands for now (RFC 7662 §2.2): the session is looked up, not believed."""
        read = self._own.read(token, request_id)
        if read is None:
            return _INACTIVE
        claims, found = read
        return {**claims, **_about(found), "active": True, "token_type": "Bearer", "username": found.document["userName"]}


def _about(found: Found) -> dict[str, Any]:
    """The claims that say who it is, where, as what."""
    document, email = found.document, primary_email(found.document)
    return {
        "tenant_id": found.tenant_id,
        "tenant": found.tenant_name,
        "sid": found.session.id,
        "roles": list(found.session.roles),
        "preferred_username": document["userName"],
        **({"name": document["displayName"]} if document.get("displayName") else {}),
        **({"email": email} if email else {}),
    }
