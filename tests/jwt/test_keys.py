"""Issuers' keys: how old they may be, when they are fetched again, and that an issuer which is away changes nothing."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from scim_server.jwt import keys as module
from scim_server.jwt.keys import MAX_KEYS, KeySets, KeysUnavailable
from scim_server.outbound import Outbound
from tests.site import Site, send

MAX_AGE, FLOOR, PAUSE = 1000, 300, 10


class Clock:
    def __init__(self) -> None:
        self.time = 50.0  # less than any of the spans: a clock that has just begun must not make anything due or not due

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> KeySets:
    return KeySets(Outbound(allow_custom=True), MAX_AGE, FLOOR, clock)


@cache
def modulus(bits: int = 2048) -> str:
    number = rsa.generate_private_key(65537, bits).public_key().public_numbers().n
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


def jwk(kid: Any = "a", **changes: Any) -> dict[str, Any]:
    members = {"kty": "RSA", "use": "sig", "kid": kid, "n": modulus(), "e": "AQAB", **changes}
    return {name: value for name, value in members.items() if value is not None}


def jwks(*kids: str) -> dict[str, Any]:
    return {"keys": [jwk(kid) for kid in kids]}


def away(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b"", 503)


AWAY = "away"


@pytest.mark.parametrize(
    "steps",
    [
        # Each step: seconds that pass, what the issuer publishes, the key asked for, whether it is there (None: no keys at all), fetches.
        [(0, "ab", "a", True, 1), (0, "ab", "b", True, 0), (MAX_AGE, "b", "a", True, 0)],
        [(0, "ab", "a", True, 1), (MAX_AGE + 1, "b", "a", False, 1), (0, "b", "b", True, 0)],  # withdrawn
        [(0, "a", "a", True, 1), (0, "ab", "b", True, 1), (0, "ab", "a", True, 0)],  # new, right after the first load
        [(0, "a", "a", True, 1), (0, "a", "x", False, 1), (0, "a", "y", False, 0), (FLOOR - 1, "ax", "x", False, 0)],
        [(0, "a", "a", True, 1), (0, "a", "x", False, 1), (FLOOR, "ax", "x", True, 1)],
        [(0, "a", "x", False, 1), (0, "a", "x", False, 1), (0, "a", "x", False, 0), (0, "a", "a", True, 0)],  # unknown to begin with
        [(0, "a", "a", True, 1), (0, "a", "x", False, 1), (MAX_AGE + 1, "ax", "x", True, 1), (0, "axy", "y", True, 1)],
        # Away: the last good copy, and a pause before the next try.
        [(0, "a", "a", True, 1), (MAX_AGE + 1, AWAY, "a", True, 1), (PAUSE - 1, AWAY, "a", True, 0), (1, AWAY, "a", True, 1)],
        [(0, "a", "a", True, 1), (MAX_AGE + 1, AWAY, "a", True, 1), (PAUSE, "b", "a", False, 1), (0, "b", "b", True, 0)],
        [(0, "a", "a", True, 1), (0, AWAY, "b", False, 1), (0, "ab", "b", False, 0), (PAUSE, "ab", "b", True, 1)],
        [(0, AWAY, "a", None, 1), (PAUSE - 1, "a", "a", None, 0), (1, "a", "a", True, 1)],
        [(0, "", "a", False, 1), (0, "a", "a", True, 1)],
    ],
)
def test_when_keys_are_fetched(asked: Site, keys: KeySets, clock: Clock, steps: list[tuple[int, str, str, bool | None, int]]) -> None:
    for number, (seconds, published, kid, there, fetches) in enumerate(steps):
        clock.time += seconds
        asked.answers["/keys"] = away if published == AWAY else jwks(*published)
        asked.asked.clear()
        found: bool | None
        try:
            found = keys.key(asked.url + "/keys", kid) is not None
        except KeysUnavailable:
            found = None
        assert (found, len(asked.asked)) == (there, fetches), f"step {number}"


def test_sets_do_not_mix(asked: Site, keys: KeySets) -> None:
    asked.answers.update({"/one": jwks("a"), "/two": jwks("b")})
    assert keys.key(asked.url + "/one", "a")
    assert keys.key(asked.url + "/two", "a") is None
    assert keys.key(asked.url + "/two", "b")


@pytest.mark.parametrize(
    ("listed", "taken"),
    [
        ([jwk("a", n=modulus(3072)), jwk("b", use=None), jwk("c", alg="RS256"), jwk("d", issuer="https://x/")], "abcd"),
        ([jwk("a", n=modulus(1024))], ""),
        ([jwk("a", n="A" * 1400 + modulus(2048))], ""),
        ([jwk("a", n="A" * 172 + modulus(1024))], ""),
        ([jwk("a", use="enc"), jwk("b", alg="RS512"), jwk("c", alg="PS256"), jwk("d", kty="EC"), jwk("e", kty="oct", k="AAAA")], ""),
        ([jwk(None), jwk(7), jwk(""), jwk("k" * 201), jwk(["a"])], ""),
        ([jwk("a", n=None), jwk("b", e=None), jwk("c", n=7), jwk("d", n="!"), jwk("e", n=""), jwk("f", e="AA"), jwk("g", e="A" * 400)], ""),
        ([None, "a", [], jwk("a"), 7], "a"),
        ([jwk("a", issuer=7)], "a"),
    ],
)
def test_which_keys_are_taken(asked: Site, keys: KeySets, listed: list[Any], taken: str) -> None:
    asked.answers["/keys"] = {"keys": listed}
    assert {kid for kid in "abcdefg" if keys.key(asked.url + "/keys", kid)} == set(taken)


def test_an_elliptic_key_is_none_of_ours(asked: Site, keys: KeySets) -> None:
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(each.to_bytes(32)).rstrip(b"=").decode() for each in (point.x, point.y))
    asked.answers["/keys"] = {"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "a", "use": "sig"}]}
    assert keys.key(asked.url + "/keys", "a") is None


def test_of_two_keys_with_one_id_the_first(asked: Site, keys: KeySets) -> None:
    asked.answers["/keys"] = {"keys": [jwk("a", issuer="first"), jwk("a", issuer="second")]}
    found = keys.key(asked.url + "/keys", "a")
    assert found is not None
    assert found.issuer == "first"


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": [{}] * (MAX_KEYS + 1)}])
def test_what_is_no_key_set_replaces_nothing(asked: Site, keys: KeySets, clock: Clock, document: dict[str, Any]) -> None:
    asked.answers["/keys"] = jwks("a")
    assert keys.key(asked.url + "/keys", "a")
    asked.answers["/keys"] = document
    clock.time += MAX_AGE + 1
    assert keys.key(asked.url + "/keys", "a")
    assert len(asked.asked) == 2
    with pytest.raises(KeysUnavailable):
        KeySets(Outbound(allow_custom=True), MAX_AGE, FLOOR).key(asked.url + "/keys", "a")


def _held(document: dict[str, Any], go: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answers when it is told to."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        go.wait(10)
        send(handler, json.dumps(document).encode())

    return answer


def _all_at_once(keys: KeySets, url: str, kids: str, go: threading.Event, site: Site) -> list[bool]:
    """Whether each key is there, asked for by a thread each; the answer comes when all of them have had the time to ask."""
    with ThreadPoolExecutor(len(kids)) as pool:
        futures = [pool.submit(keys.key, url, kid) for kid in kids]
        while not site.asked:
            go.wait(0.005)
        go.wait(0.05)
        go.set()
        return [each.result() is not None for each in futures]


def test_the_first_load_is_one_fetch_whoever_waits_for_it(asked: Site, keys: KeySets) -> None:
    go = threading.Event()
    asked.answers["/keys"] = _held(jwks("a", "b"), go)
    assert _all_at_once(keys, asked.url + "/keys", "aabbaabb", go, asked) == [True] * 8
    assert len(asked.asked) == 1


def test_a_new_key_is_one_fetch_whoever_waits_for_it(asked: Site, keys: KeySets) -> None:
    asked.answers["/keys"] = jwks("a")
    assert keys.key(asked.url + "/keys", "a")
    asked.asked.clear()
    go = threading.Event()
    asked.answers["/keys"] = _held(jwks("a", "b"), go)
    assert _all_at_once(keys, asked.url + "/keys", "bbbbbbbb", go, asked) == [True] * 8
    assert len(asked.asked) == 1


def test_nobody_waits_whose_key_is_there(asked: Site, keys: KeySets, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread fetches what is too old, or what somebody invented; the others go on with what there is."""
    monkeypatch.setattr(module, "_WAIT_S", 60.0)
    asked.answers["/keys"] = jwks("a")
    assert keys.key(asked.url + "/keys", "a")
    go = threading.Event()
    asked.answers["/keys"] = _held(jwks("b"), go)
    with ThreadPoolExecutor(1) as pool:
        clock.time += MAX_AGE + 1
        asked.asked.clear()
        fetching = pool.submit(keys.key, asked.url + "/keys", "a")
        while not asked.asked:
            go.wait(0.005)
        assert keys.key(asked.url + "/keys", "a")
        assert not fetching.done()
        go.set()
        assert fetching.result() is None
    assert keys.key(asked.url + "/keys", "a") is None


def test_nobody_waits_for_long(asked: Site, keys: KeySets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_S", 0.05)
    go = threading.Event()
    asked.answers["/keys"] = _held(jwks("a"), go)
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(keys.key, asked.url + "/keys", "a")
        while not asked.asked:
            go.wait(0.005)
        with pytest.raises(KeysUnavailable):
            keys.key(asked.url + "/keys", "a")
        go.set()
        assert fetching.result()


def test_metadata_says_where_the_keys_are(asked: Site, keys: KeySets, clock: Clock) -> None:
    for issuer, path in ((asked.url, ""), (f"{asked.url}/x/v2.0", "/x/v2.0"), (f"{asked.url}/y/", "/y")):
        at = f"{path}/.well-known/openid-configuration"
        asked.answers[at] = {"issuer": issuer, "jwks_uri": f"{asked.url}/keys"}
        assert keys.jwks_uri(issuer) == f"{asked.url}/keys"
        asked.answers[at] = {"issuer": issuer, "jwks_uri": f"{asked.url}/others"}
        assert keys.jwks_uri(issuer) == f"{asked.url}/keys"
    clock.time += MAX_AGE + 1
    assert keys.jwks_uri(asked.url) == f"{asked.url}/others"
    asked.answers["/.well-known/openid-configuration"] = away
    clock.time += MAX_AGE + 1
    assert keys.jwks_uri(asked.url) == f"{asked.url}/others"


@pytest.mark.parametrize(
    ("issuer", "jwks_uri"),
    [
        ("/other", "/keys"),
        ("/x/", "/keys"),
        (None, "/keys"),
        ("/x", None),
        ("/x", 7),
        ("/x", "http://192.0.2.7/keys"),
        ("/x", "file:///etc/passwd"),
        ("/x", ""),
    ],
)
def test_metadata_that_cannot_be_believed(asked: Site, keys: KeySets, issuer: Any, jwks_uri: Any) -> None:
    def full(part: Any) -> Any:
        return asked.url + part if isinstance(part, str) and part.startswith("/") else part

    asked.answers["/x/.well-known/openid-configuration"] = {"issuer": full(issuer), "jwks_uri": full(jwks_uri)}
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            keys.jwks_uri(asked.url + "/x")
    assert len(asked.asked) == 1


def test_microsofts_issuers_cannot_send_us_elsewhere(asked: Site) -> None:
    """Where custom clouds are switched off, no document is even asked for outside Microsoft's hosts."""
    with pytest.raises(KeysUnavailable):
        KeySets(Outbound(allow_custom=False), MAX_AGE, FLOOR).key(asked.url + "/keys", "a")
    assert not asked.asked


def test_an_operator_is_told_of_a_fetch_that_failed(asked: Site, keys: KeySets, capsys: pytest.CaptureFixture[str]) -> None:
    asked.answers["/keys"] = lambda it: send(it, b"hunter2")
    with pytest.raises(KeysUnavailable):
        keys.key(asked.url + "/keys", "a")
    told = capsys.readouterr()
    assert "issuer_not_fetched" in told.out + told.err
    assert "hunter2" not in told.out + told.err
