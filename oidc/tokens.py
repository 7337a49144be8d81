"""The ID token: whether it is the directory's word about somebody who signed in for us, just now (OpenID Connect Core §3.1.3.7).

Ours first: signature, issuer, audience and times are compared by ``scim_server.jwt``, which leaves nothing to a library's defaults.
Then Authlib's, over the same claims. The options that Authlib gets are made anew each time: it takes things out of them.

Which tenant the directory is of, and whether it is one at all, is the caller's question.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from oidc import groups
from oidc.groups import Groups
from scim_server import clock
from scim_server.jwt import tokens
from scim_server.jwt.keys import KeySets
from scim_server.tenancy.clouds import CONSUMERS, GUID

_MAX_TEXT = 400
_MAX_SUB = 255
_MAX_TOLD = 200
_TOLD = ("iss", "aud", "azp", "tid", "oid", "sub", "preferred_username", "uti", "sid", "ver")
_VERSION = "2.0"
_OID = re.compile(r"[0-9A-Za-z-]{1,64}")
_WORD = re.compile(r"[\x21-\x7e]{1,255}")


class InvalidToken(Exception):
    """The token is refused. ``reason`` is one of a few sentences, ``claims`` what it says of itself, which anybody can have written."""

    def __init__(self, reason: str, claims: dict[str, str]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.claims = claims


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say. Its issuer is ``authority``, the token's own ``tid`` and ``/v2.0``.

    ``nonce_hash`` is the SHA-256 of the nonce that was sent; None at a refresh, where there need not be one. ``same_as``: (tid, oid,
    sub) of whom it must be, at a refresh (OpenID Connect Core §12.2).
    """

    authority: str
    client_id: str
    jwks_uri: str
    nonce_hash: bytes | None
    access_token: str | None
    same_as: tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class Claims:
    """Proved. What only informs is None where it is absent, or is no text that can be shown. ``acct`` is 1 for guests."""

    tid: str
    oid: str
    sub: str
    uti: str | None
    sid: str | None
    name: str | None
    preferred_username: str | None
    email: str | None
    upn: str | None
    acct: int | None
    login_hint: str | None
    auth_time: int | None
    groups: Groups


def check(id_token: str, expected: Expected, keys: KeySets) -> Claims:
    """Raises InvalidToken, or KeysUnavailable."""
    said: dict[str, str] = {}
    try:
        unproved = tokens.peek(id_token)
        said = _told(unproved.claims)
        tokens.key_id(unproved)  # nobody is asked for the sake of a token that could not be accepted anyway
        tid = _tid(unproved.claims)
        issuer = f"{expected.authority}/{tid}/v2.0"
        demanded = tokens.Expected(issuer, (expected.client_id,), (issuer,), None, tid)
        claims = tokens.verify(unproved, demanded, keys, expected.jwks_uri)
        _check_client(claims, expected)
        _check_person(claims, expected, tid)
        _check_nonce(claims, expected)
        _check_again(claims, unproved.header, issuer, expected)
    except tokens.InvalidToken as fault:
        raise InvalidToken(fault.reason, said) from fault
    return _claims(claims, tid, said)


def _tid(claims: dict[str, Any]) -> str:
    tid = claims.get("tid")
    if not isinstance(tid, str) or not GUID.fullmatch(tid):
        raise tokens.InvalidToken("no usable tid")
    if tid == CONSUMERS:
        raise tokens.InvalidToken("a personal account")
    return tid


def _check_client(claims: dict[str, Any], expected: Expected) -> None:
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise tokens.InvalidToken("wrong azp")
    if claims.get("ver") != _VERSION:
        raise tokens.InvalidToken("wrong version")


def _check_person(claims: dict[str, Any], expected: Expected, tid: str) -> None:
    oid, sub = claims.get("oid"), claims.get("sub")
    if not isinstance(oid, str) or not _OID.fullmatch(oid):
        raise tokens.InvalidToken("no usable oid")
    if not isinstance(sub, str) or not 0 < len(sub) <= _MAX_SUB or not sub.isprintable():
        raise tokens.InvalidToken("no usable sub")
    if expected.same_as is not None and (tid, oid, sub) != expected.same_as:
        raise tokens.InvalidToken("of another person than before")


def _check_nonce(claims: dict[str, Any], expected: Expected) -> None:
    if expected.nonce_hash is None:
        return
    nonce = claims.get("nonce")
    hashed = hashlib.sha256(nonce.encode("utf-8", "replace")).digest() if isinstance(nonce, str) else b""
    if not hmac.compare_digest(hashed, expected.nonce_hash):
        raise tokens.InvalidToken("wrong nonce" if nonce is not None else "no nonce")


def _check_again(claims: dict[str, Any], header: dict[str, Any], issuer: str, expected: Expected) -> None:
    """Authlib's checks, with nothing left out that it can be told; ``at_hash`` is checked there only."""
    essential: dict[str, Any] = {name: {"essential": True} for name in ("sub", "exp", "iat", "oid", "tid")}
    options: dict[str, Any] = {
        **essential,
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "ver": {"essential": True, "value": _VERSION},
    }
    if expected.nonce_hash is not None:
        options["nonce"] = {"essential": True}
    params = {"client_id": expected.client_id, "access_token": expected.access_token}
    try:
        CodeIDToken(claims, header, options, params).validate(now=int(clock.now().timestamp()), leeway=tokens.LEEWAY_S)
    except (JoseError, ValueError, TypeError) as fault:
        at_hash = "at_hash" in str(fault)
        raise tokens.InvalidToken("wrong at_hash" if at_hash else "refused by the library") from None


def _claims(claims: dict[str, Any], tid: str, said: dict[str, str]) -> Claims:
    of_groups = groups.of_claims(claims)
    if of_groups is None:
        raise InvalidToken("groups that cannot be", said)
    acct, auth_time = claims.get("acct"), claims.get("auth_time")
    texts = {name: _text(claims.get(name)) for name in ("name", "preferred_username", "email", "upn", "login_hint")}
    words = {name: _word(claims.get(name)) for name in ("uti", "sid")}
    return Claims(
        tid=tid,
        oid=claims["oid"],
        sub=claims["sub"],
        acct=acct if type(acct) is int else None,
        auth_time=auth_time if type(auth_time) is int else None,
        groups=of_groups,
        **texts,
        **words,
    )


def _text(value: Any) -> str | None:
    """For people; None if it is not one that can be shown on one line."""
    if not isinstance(value, str):
        return None
    value = value.strip()
    return value if 0 < len(value) <= _MAX_TEXT and value.isprintable() else None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _told(claims: dict[str, Any]) -> dict[str, str]:
    """What a token says of itself, for the event: as text, within limits."""
    texts = {name: value if isinstance(value, str) else repr(value) for name in _TOLD if (value := claims.get(name)) is not None}
    return {name: text[:_MAX_TOLD] for name, text in texts.items() if text.isprintable()}
