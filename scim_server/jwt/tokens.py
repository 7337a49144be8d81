"""Signed tokens (RFC 7515, 7519): what one says of itself, and whether that is its issuer's word and holds now.

Nothing is left to a library's defaults: the algorithm is RS256 and no other, the key comes from the
issuer's set and never from the token (RFC 8725 §3.1, §3.5), and every claim is compared with what
the caller names.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from scim_server import clock
from scim_server.jwt.keys import MAX_KID, Key, KeySets

MAX_TOKEN = 16 * 1024
LEEWAY_S = 60
"""By how much an issuer's clock may differ from ours."""

_ALGORITHM = "RS256"
_TYPES = (None, "jwt", "at+jwt")
_NEVER = ("crit", "jwk", "jku", "x5u", "b64", "zip")  # would change how the token is read, or bring a key of its own
_TENANT = re.compile(r"\{tenantid\}", re.IGNORECASE)  # in the issuer that a key set says a key is for
_MAX_HEADER = 4096
_MAX_DEPTH = 8
_PARTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")  # `none` has an empty signature, and is told by its name


class InvalidToken(Exception):
    """The token is refused. ``reason`` is one of a few, and never a part of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Unproved:
    """A token as it describes itself; anybody can have written it."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. ``subject`` or ``tid`` None: whatever it says, or nothing.

    ``key_issuers``: whose the signing key may be said to be, in the set that it comes from.
    """

    issuer: str
    audiences: Collection[str]
    key_issuers: Collection[str]
    subject: str | None = None
    tid: str | None = None


def looks_like_one(text: str) -> bool:
    """Whether somebody who presents this means a token of this kind."""
    return text.count(".") == 2


def peek(text: str) -> Unproved:
    """What the token says, not proved. Raises InvalidToken where it is none, or one of a size or shape that no issuer makes."""
    if len(text) > MAX_TOKEN:
        raise InvalidToken("too large")
    parts = _PARTS.fullmatch(text)
    if parts is None or len(parts[1]) > _MAX_HEADER:
        raise InvalidToken("malformed token")
    return Unproved(text, _object(parts[1]), _object(parts[2]))


def verify(token: Unproved, expected: Expected, keys: KeySets, jwks_uri: str) -> dict[str, Any]:
    """The claims, proved. Raises InvalidToken, or KeysUnavailable.

    The signature comes before the claims: what is refused for a claim was said by the issuer indeed.
    """
    key = keys.key(jwks_uri, key_id(token))
    if key is None:
        raise InvalidToken("unknown key")
    _check_signature(token, key)
    claims = token.claims
    if claims.get("iss") != expected.issuer:
        raise InvalidToken("wrong issuer")
    if expected.tid is not None and claims.get("tid") != expected.tid:
        raise InvalidToken("wrong tid")
    if key.issuer is not None and _TENANT.sub(lambda _: str(claims.get("tid")), key.issuer) not in expected.key_issuers:
        raise InvalidToken("another issuer's key")
    _check_audience(claims.get("aud"), expected.audiences)
    _check_times(claims)
    if expected.subject is not None and claims.get("sub") != expected.subject:
        raise InvalidToken("wrong subject")
    return claims


def _object(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(urlsafe_b64decode(part.encode()))
    except ValueError:  # of base64, of UTF-8, of JSON
        raise InvalidToken("malformed token") from None
    if not isinstance(value, dict) or _is_deep(value):
        raise InvalidToken("malformed token")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for each in level if isinstance(each, dict | list) for inner in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return True


def key_id(token: Unproved) -> str:
    """The id of the key that signed it. Raises InvalidToken where the header is not one that could be accepted."""
    header = token.header
    if header.get("alg") != _ALGORITHM:
        raise InvalidToken("wrong algorithm")
    kind, kid = header.get("typ"), header.get("kid")
    if any(name in header for name in _NEVER) or (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise InvalidToken("unsupported header")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
        raise InvalidToken("no key id")
    return kid


class _Registry(jws.JWSRegistry):
    """Sizes are limited in ``peek``; those of the library are too small for what issuers put in headers."""

    max_header_length = _MAX_HEADER
    max_payload_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN


_REGISTRY = _Registry(algorithms=[_ALGORITHM], strict_check_header=False)


def _check_signature(token: Unproved, key: Key) -> None:
    try:
        jws.deserialize_compact(token.text, key.public, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):  # a part of the header that the library looks at may be of any type
        raise InvalidToken("bad signature") from None


def _check_audience(audience: Any, accepted: Collection[str]) -> None:
    """One audience, which is ours. A token that others accept too could have been taken from them."""
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or not audience or audience not in accepted:
        raise InvalidToken("wrong audience")


def _check_times(claims: dict[str, Any]) -> None:
    times: tuple[Any, ...] = (claims.get("exp"), claims.get("iat"), claims.get("nbf", 0))
    if not all(isinstance(each, int) and not isinstance(each, bool) for each in times):
        raise InvalidToken("no usable times")
    expires, issued, begins = times
    now = clock.now().timestamp()
    if now >= expires + LEEWAY_S:
        raise InvalidToken("expired")
    if max(issued, begins) > now + LEEWAY_S:
        raise InvalidToken("not yet valid")
