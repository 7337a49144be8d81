"""Tokens that we sign ourselves (RFC 7515, 7519).

Access tokens by ES256, whose signatures are short and quick to make; typed ``at+jwt`` (RFC 9068). And who we are at others' token
endpoints.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from scim_server import clock
from scim_server.jwt import tokens

ALGORITHM = "ES256"
TYPE = "at+jwt"


def generate(kid: str) -> tuple[str, dict[str, Any]]:
    """(the private half as PEM, the public half as a JWK) of a new key."""
    key = ECKey.generate_key("P-256")
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    return key.as_pem(private=True).decode(), public


class Signer:
    """A key that signs."""

    def __init__(self, kid: str, private_pem: str) -> None:
        self.kid = kid
        self._key = ECKey.import_key(private_pem)

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a compact token."""
        return jws.serialize_compact(
            {"alg": ALGORITHM, "typ": TYPE, "kid": self.kid}, orjson.dumps(claims), self._key, algorithms=[ALGORITHM]
        )


def client_assertion(private_key_pem: str, client_id: str, audience: str, thumbprint: str, lifetime_s: int) -> str:
    """Who we are at a token endpoint (RFC 7523 §2.2), as Entra wants it from whoever has a certificate: PS256, ``x5t#S256``."""
    now = int(clock.now().timestamp())
    header = {"typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint}
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "jti": str(uuid4()), "nbf": now, "iat": now, "exp": now + lifetime_s}
    return jws.serialize_compact(header, orjson.dumps(claims), RSAKey.import_key(private_key_pem), algorithms=["PS256"])


def verify(token: str, public: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The claims of a token that one of these keys (by kid) signed; None for any other text. Times are not looked at."""
    try:
        unproved = tokens.peek(token)
        header = unproved.header
        kid = header.get("kid")
        jwk = public.get(kid) if isinstance(kid, str) else None
        if jwk is None or set(header) != {"alg", "typ", "kid"} or (header["alg"], header["typ"]) != (ALGORITHM, TYPE):
            return None
        jws.deserialize_compact(token, ECKey.import_key(jwk), algorithms=[ALGORITHM])
    except (tokens.InvalidToken, JoseError, ValueError, TypeError):
        return None
    return unproved.claims
