"""Access tokens that we signed (RFC 9068), read again: whose they are, as long as the session behind them holds.

The session is looked up, not believed: whoever is out is out at once, however long his token would last.
"""

from __future__ import annotations

from typing import Any

from scim_server import clock
from scim_server.access import departure
from scim_server.events import Principal, Scope
from scim_server.jwt import signing
from scim_server.store.sessions import Found
from scim_server.store.unit import Store
from scim_server.tenancy.signing_keys import SigningKeys

_READING = Principal("system", "access-tokens")


class OwnTokens:
    """Safe to share between threads. ``issuer`` is PUBLIC_URL, ``audience`` whom the tokens are for."""

    def __init__(self, keys: SigningKeys, store: Store, issuer: str, audience: str) -> None:
        self._keys = keys
        self._store = store
        self._issuer = issuer
        self._audience = audience

    def read(self, token: str, request_id: str) -> tuple[dict[str, Any], Found] | None:
        """What the token says, and the session that it is of; None if it is none of ours, or does not hold any more."""
        claims = signing.verify(token, self._keys.published())
        if claims is None or (claims.get("iss"), claims.get("aud")) != (self._issuer, self._audience):
            return None
        now = clock.now()
        if claims.get("exp", 0) <= now.timestamp():
            return None
        scope = Scope(str(claims.get("tenant_id")), _READING, request_id)
        with self._store.read(scope) as unit:
            found = unit.sessions.by_id(str(claims.get("sid")))
        if found is None or found.session.ended is not None or found.suspended or departure.why_over(found, now):
            return None
        return claims, found
