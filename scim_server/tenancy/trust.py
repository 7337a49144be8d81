"""An outside issuer's token against what a credential trusts: for tokens presented as they are, and for assertions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from scim_server.jwt import tokens
from scim_server.jwt.keys import KeySets, KeysUnavailable
from scim_server.jwt.tokens import Expected, InvalidToken, Unproved
from scim_server.store.errors import Unavailable
from scim_server.store.registry import Grant
from scim_server.store.registry.grants import Trust
from scim_server.tenancy import refusals
from scim_server.tenancy.clouds import GUID
from scim_server.tenancy.refusals import Unauthenticated

_WORTH_RECORDING = ("iss", "tid", "aud", "sub", "oid", "appid", "azp", "uti", "ver")
_MAX_CLAIM = 200


class IssuerUnavailable(Unavailable):
    """The issuer's keys were never fetched and cannot be now: nobody knows whether the token is good. It is worth trying again.

    Not a refusal: a client that is told 401 stops and calls its administrator, one that is told 503 tries again.
    """


def told(token: Unproved) -> dict[str, str]:
    """What the token says of itself that helps to find out whose it is: text as people can read it, nothing long."""
    said: Mapping[str, Any] = {name: token.claims.get(name) for name in _WORTH_RECORDING} | {"kid": token.header.get("kid")}
    return {name: text for name, value in said.items() if (text := _text(value))}


def _text(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = " ".join(value)
    return value[:_MAX_CLAIM] if isinstance(value, str) and value.isprintable() else None


def directory_of(issuer: str) -> str | None:
    """The directory (its ``tid``) that an issuer's URL names, in lower case as its tokens have it; None if it names none."""
    return next((each for each in urlsplit(issuer).path.split("/") if GUID.fullmatch(each)), None)


def prove(keys: KeySets, token: Unproved, grant: Grant, claims: dict[str, str]) -> None:
    """Return if the token is what the grant's credential trusts. Raises Unauthenticated or IssuerUnavailable.

    Where the issuer's URL names a directory, the token must name the same: an issuer that signs for many cannot be made to
    speak for another.
    """
    trust = grant.trust
    assert trust is not None  # by_client and by_issuer return no other
    try:
        tokens.key_id(token)  # nobody is asked for the sake of a token that could not be accepted anyway
        jwks_uri = trust.jwks_uri or keys.jwks_uri(trust.issuer)
        tokens.verify(token, _expected(trust, jwks_uri), keys, jwks_uri)
    except InvalidToken as fault:
        raise refusals.of(Unauthenticated, fault.reason, grant, claims) from fault
    except KeysUnavailable as fault:
        raise IssuerUnavailable("the issuer's keys cannot be had") from fault


def _expected(trust: Trust, jwks_uri: str) -> Expected:
    """Key sets that are kept for all directories of a cloud name version 2 of the issuer, whatever the version of the token."""
    tid = directory_of(trust.issuer)
    keys_at = urlsplit(jwks_uri)
    named = {trust.issuer, trust.issuer.rstrip("/") + "/v2.0"}
    if tid is not None:
        named |= {f"{keys_at.scheme}://{keys_at.netloc}/{tid}/v2.0", f"https://login.microsoftonline.com/{tid}/v2.0"}
    return Expected(trust.issuer, trust.audiences, named, trust.subject, tid)
