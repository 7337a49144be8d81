"""Assertions: tokens of an outside issuer in place of a client secret (RFC 7523 §2.2). Workload identity federation, in Entra's words.

A credential names the issuer, the subject and a set of audiences, because which of several spellings
of an audience an issuer uses depends on its version. An assertion may be presented again until it
expires: Entra keeps and reuses its own, and has no ``jti`` in it.
"""

from __future__ import annotations

from scim_server.jwt import tokens
from scim_server.jwt.keys import KeySets
from scim_server.jwt.tokens import InvalidToken
from scim_server.store.registry import Grant, Registry
from scim_server.tenancy import refusals, trust
from scim_server.tenancy.refusals import Unauthenticated


class Assertions:
    """Safe to share between threads."""

    def __init__(self, registry: Registry, keys: KeySets) -> None:
        self._grants = registry.grants
        self._keys = keys

    def grant(self, client_id: str, assertion: str) -> tuple[Grant, dict[str, str]]:
        """What the assertion opens for the client of that id, and what it says of itself.

        Whether the credential has ended is for ``Admission`` to say. Raises Unauthenticated, IssuerUnavailable or StoreError.
        """
        grant = self._grants.by_client(client_id)
        try:
            unproved = tokens.peek(assertion)
        except InvalidToken as fault:
            raise refusals.of(Unauthenticated, fault.reason, grant) if grant else Unauthenticated(fault.reason) from fault
        claims = trust.told(unproved)
        if grant is None:
            raise Unauthenticated("unknown client", claims=claims)
        trust.prove(self._keys, unproved, grant, claims)
        return grant, claims
