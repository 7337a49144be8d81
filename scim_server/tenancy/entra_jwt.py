"""Tokens that a tenant's directory issued, presented as they are: what Entra does where its Secret Token is left blank.

The audience of such tokens is the same for every customer in the world, so it proves nothing about
us: what tells one customer from another is the issuer alone, whose URL and whose ``tid`` claim name
the directory. A tenant has this way in as long as it has a live credential of kind entra, which no
other tenant can have for the same issuer (the database sees to that).
"""

from __future__ import annotations

from scim_server.jwt import tokens
from scim_server.jwt.keys import KeySets
from scim_server.jwt.tokens import InvalidToken, Unproved
from scim_server.outbound import MAX_URL
from scim_server.store.registry import Grant, Registry
from scim_server.tenancy import opaque, refusals, trust
from scim_server.tenancy.refusals import Unauthenticated


class EntraTokens:
    """Safe to share between threads."""

    def __init__(self, registry: Registry, keys: KeySets) -> None:
        self._grants = registry.grants
        self._keys = keys

    def possible(self, token: str) -> bool:
        """Whether it is to be read as such a token. One of our own never is."""
        return not token.startswith(tuple(opaque.PREFIXES.values())) and tokens.looks_like_one(token)

    def grant(self, token: str) -> tuple[Grant, dict[str, str]]:
        """What the token opens, and what it says of itself. Raises Unauthenticated, IssuerUnavailable or StoreError."""
        try:
            unproved = tokens.peek(token)
        except InvalidToken as fault:
            raise Unauthenticated(fault.reason) from fault
        claims = trust.told(unproved)
        grant = self._by_issuer(unproved)
        if grant is None:
            raise Unauthenticated("unknown issuer", claims=claims)
        if trust.directory_of(grant.trust.issuer if grant.trust else "") is None:
            raise refusals.of(Unauthenticated, "an issuer of no one directory", grant, claims)
        trust.prove(self._keys, unproved, grant, claims)
        return grant, claims

    def _by_issuer(self, token: Unproved) -> Grant | None:
        """Whose it would be. Nothing is asked of a database that is no issuer's name."""
        issuer = token.claims.get("iss")
        if not isinstance(issuer, str) or not issuer.isascii() or not issuer.isprintable() or len(issuer) > MAX_URL:
            return None
        return self._grants.by_issuer(issuer)
