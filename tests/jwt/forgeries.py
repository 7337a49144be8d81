"""Tokens that must open nothing, and why: each is good but for one thing, and signed by the issuer's own key wherever that can be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from tests.provider import Directory

AUDIENCE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
OTHER_TID = "99999999-04e1-4d6c-a7a9-0a3c5a1f1f6b"


@dataclass(frozen=True)
class Forgery:
    """``reason`` is what is recorded. ``unread``: nothing of it is believed even so far as to say whose log that is."""

    make: Callable[[Directory], str]
    reason: str
    unread: bool = False


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claims(reason: str, unread: bool = False, **changes: Any) -> Forgery:
    """These claims are different. One that is a function is given the time, in seconds."""

    def make(directory: Directory) -> str:
        now = int(time.time())
        return directory.sign(directory.claims(AUDIENCE, **{name: each(now) if callable(each) else each for name, each in changes.items()}))

    return Forgery(make, reason, unread)


def header(reason: str, **changes: Any) -> Forgery:
    """These members of the header are different."""
    return Forgery(lambda directory: directory.sign(directory.claims(AUDIENCE), changes), reason)


def _none(directory: Directory) -> str:
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(directory.claims(AUDIENCE))}."


def _hmac(directory: Directory) -> str:
    """The issuer's public key, which everybody has, as the secret of HS256."""
    (key,) = directory.jwks()["keys"]
    numbers = [int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big") for name in ("e", "n")]
    public = RSAPublicNumbers(*numbers).public_key()
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': key['kid']})}.{encoded(directory.claims(AUDIENCE))}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _tampered(directory: Directory) -> str:
    head, body, signature = directory.sign(directory.claims(AUDIENCE)).split(".")
    return f"{head}.{encoded({**decoded(body), 'exp': decoded(body)['exp'] + 1})}.{signature}"


def _with_own_key(directory: Directory) -> str:
    (key,) = directory.jwks()["keys"]
    return directory.sign(directory.claims(AUDIENCE), {"jwk": key}, "foreign")


def _foreign(directory: Directory) -> str:
    return directory.sign(directory.claims(AUDIENCE), key="foreign")


def _unsigned(directory: Directory) -> str:
    return directory.sign(directory.claims(AUDIENCE)).rpartition(".")[0] + "."


def _extended(directory: Directory) -> str:
    return directory.sign(directory.claims(AUDIENCE)) + "A"


FORGERIES = {
    "wrong audience": claims("wrong audience", aud="api://someone-else"),
    "audience with our own in it": claims("wrong audience", aud=f"api://{AUDIENCE}"),
    "two audiences": claims("wrong audience", aud=[AUDIENCE, "api://someone-else"]),
    "the same audience twice": claims("wrong audience", aud=[AUDIENCE, AUDIENCE]),
    "no audience in the list": claims("wrong audience", aud=[]),
    "an empty audience": claims("wrong audience", aud=""),
    "an empty audience in a list": claims("wrong audience", aud=[""]),
    "a list in a list": claims("wrong audience", aud=[[AUDIENCE]]),
    "an audience that is an object": claims("wrong audience", aud={AUDIENCE: True}),
    "no audience": claims("wrong audience", aud=None),
    "wrong tid": claims("wrong tid", tid=OTHER_TID),
    "no tid": claims("wrong tid", tid=None),
    "tids in a list": Forgery(lambda it: it.sign(it.claims(AUDIENCE, tid=[it.tid])), "wrong tid"),
    "tid in capitals": Forgery(lambda it: it.sign(it.claims(AUDIENCE, tid=it.tid.upper())), "wrong tid"),
    "algorithm none": Forgery(_none, "wrong algorithm"),
    "HS256 with the public key": Forgery(_hmac, "wrong algorithm"),
    "another name for none": header("wrong algorithm", alg="nOnE"),
    "RS512": header("wrong algorithm", alg="RS512"),
    "PS256": header("wrong algorithm", alg="PS256"),
    "algorithms in a list": header("wrong algorithm", alg=["RS256"]),
    "no algorithm": header("wrong algorithm", alg=None),
    "expired": claims("expired", exp=lambda now: now - 61),
    "expired in the year 0": claims("expired", exp=-62135596800),
    "not yet valid": claims("not yet valid", nbf=lambda now: now + 90),
    "issued in the future": claims("not yet valid", iat=lambda now: now + 90),
    "no exp": claims("no usable times", exp=None),
    "no iat": claims("no usable times", iat=None),
    "exp that is text": claims("no usable times", exp="9999999999"),
    "exp that is true": claims("no usable times", exp=True),
    "exp with a fraction": claims("no usable times", exp=9999999999.5),
    "nbf that is text": claims("no usable times", nbf="0"),
    "unknown kid": header("unknown key", kid="nobody's"),
    "no kid": header("no key id", kid=None),
    "empty kid": header("no key id", kid=""),
    "kid that is a number": header("no key id", kid=7),
    "kid that is long": header("no key id", kid="k" * 201),
    "crit": header("unsupported header", crit=["exp"]),
    "crit that is empty": header("unsupported header", crit=[]),
    "b64": header("unsupported header", b64=False, crit=["b64"]),
    "zip": header("unsupported header", zip="DEF"),
    "jku": header("unsupported header", jku="https://evil.example/keys"),
    "x5u": header("unsupported header", x5u="https://evil.example/cert"),
    "a key in the header": Forgery(_with_own_key, "unsupported header"),
    "another type": header("unsupported header", typ="logout+jwt"),
    "a type that is a number": header("unsupported header", typ=7),
    "another's key": Forgery(_foreign, "bad signature"),
    "tampered": Forgery(_tampered, "bad signature"),
    "no signature": Forgery(_unsigned, "bad signature"),
    "a signature that is longer": Forgery(_extended, "bad signature"),
    "oversized": claims("too large", unread=True, roles=["x" * 16_000]),
    "deep": claims("malformed token", unread=True, cnf=[[[[[[[[[[]]]]]]]]]]),
    "no JSON": Forgery(lambda _: f"{encoded({'alg': 'RS256', 'kid': 'k'})}.bm90IEpTT04.c2lnbmF0dXJl", "malformed token", unread=True),
    "no object": Forgery(lambda _: f"{encoded({'alg': 'RS256', 'kid': 'k'})}.{encoded([1])}.c2lnbmF0dXJl", "malformed token", unread=True),
    "padded": Forgery(lambda it: it.sign(it.claims(AUDIENCE)) + "==", "malformed token", unread=True),
    "empty parts": Forgery(lambda _: "..", "malformed token", unread=True),
}

each_forgery = pytest.mark.parametrize("forgery", [pytest.param(each, id=name) for name, each in FORGERIES.items()])
