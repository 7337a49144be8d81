"""Reading tokens, and the edges of what holds. What must open nothing is a table of its own (``forgeries``), tried where doors are."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from scim_server.jwt import tokens
from scim_server.jwt.keys import KeySets
from scim_server.jwt.tokens import LEEWAY_S, MAX_TOKEN, Expected, InvalidToken, Unproved
from scim_server.outbound import Outbound
from tests.jwt.forgeries import AUDIENCE, Forgery, each_forgery, encoded
from tests.provider import SUBJECT, Directory, NewDirectory

HEAD = {"alg": "RS256", "kid": "k"}


@pytest.fixture(scope="module")
def directory(new_directory: NewDirectory) -> Directory:
    return new_directory()


@pytest.fixture(scope="module")
def keys() -> KeySets:
    return KeySets(Outbound(allow_custom=True), 1000, 300)


def expected(directory: Directory, **changes: Any) -> Expected:
    known = {"issuer": directory.issuer, "audiences": [AUDIENCE, "api://x"], "key_issuers": [directory.issuer], "tid": directory.tid}
    return Expected(**{**known, "subject": SUBJECT, **changes})


def reason(check: Callable[[], object]) -> str:
    """Why it is refused; empty if it is not."""
    try:
        check()
    except InvalidToken as refused:
        return refused.reason
    return ""


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (f"{encoded(HEAD)}.{encoded({'iss': 'x'})}.c2ln", ""),
        (f"{encoded(HEAD)}.{encoded({})}.", ""),
        (f"{encoded({})}.{encoded({'a': [{'b': [{'c': [{}]}]}]})}.x", ""),
        ("", "malformed token"),
        ("..", "malformed token"),
        ("a.b", "malformed token"),
        (f"{encoded(HEAD)}.{encoded({})}", "malformed token"),
        (f"{encoded(HEAD)}.{encoded({})}.c2ln.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.{encoded({})}.c2ln.c2ln.c2ln", "malformed token"),
        (f" {encoded(HEAD)}.{encoded({})}.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.{encoded({})}.c2ln\n", "malformed token"),
        (f"{encoded(HEAD)}=.{encoded({})}.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.{encoded([])}.c2ln", "malformed token"),
        (f"{encoded('a')}.{encoded({})}.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.ew.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.e30x.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.e31.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.eyJhIjoi_yJ9.c2ln", "malformed token"),
        (f"{encoded({**HEAD, 'x5c': ['x' * 4000]})}.{encoded({})}.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.{'W1tb' * 2000}.c2ln", "malformed token"),
        (f"{encoded(HEAD)}.{encoded({'a': 'x' * 16_000})}.c2ln", "too large"),
        ("x" * (MAX_TOKEN + 1), "too large"),
        ("ä.ö.ü", "malformed token"),
    ],
)
def test_what_can_be_read(text: str, refused: str) -> None:
    assert reason(lambda: tokens.peek(text)) == refused


@given(st.text() | st.lists(st.text() | st.binary().map(lambda it: it.hex()), min_size=3, max_size=3).map(".".join))
def test_whatever_is_presented_is_read_or_refused(text: str) -> None:
    with suppress(InvalidToken):
        assert isinstance(tokens.peek(text), Unproved)


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


def test_a_header_of_any_types_is_refused(directory: Directory, keys: KeySets) -> None:
    """Nothing but a refusal comes of what anybody may write."""
    (key,) = directory.jwks()["keys"]

    @given(st.dictionaries(st.sampled_from(["typ", "crit", "b64", "cty", "x5c", "x5t", "x5t#S256", "nonce", "enc"]), json_values))
    def try_it(header: dict[str, Any]) -> None:
        text = f"{encoded({**header, 'alg': 'RS256', 'kid': key['kid']})}.{encoded(directory.claims(AUDIENCE))}.c2ln"
        refused = reason(lambda: tokens.verify(tokens.peek(text), expected(directory), keys, directory.jwks_uri))
        assert refused in ("bad signature", "unsupported header", "malformed token")

    try_it()


@each_forgery
def test_a_forgery_is_refused(directory: Directory, keys: KeySets, forgery: Forgery) -> None:
    text = forgery.make(directory)
    assert reason(lambda: tokens.verify(tokens.peek(text), expected(directory), keys, directory.jwks_uri)) == forgery.reason


@pytest.mark.parametrize(
    ("claims", "changes", "refused"),
    [
        ({}, {}, ""),
        ({"aud": "api://x"}, {}, ""),
        ({"aud": ["api://x"]}, {}, ""),
        ({"aud": "API://x"}, {}, "wrong audience"),
        ({"nbf": None}, {}, ""),
        ({"extra": {"a": {"b": None}}}, {}, ""),
        ({"iss": "https://x/"}, {}, "wrong issuer"),
        ({}, {"issuer": "https://x/"}, "wrong issuer"),
        ({"sub": "somebody"}, {}, "wrong subject"),
        ({"sub": None}, {}, "wrong subject"),
        ({"sub": [SUBJECT]}, {}, "wrong subject"),
        ({"sub": "somebody"}, {"subject": None}, ""),
        ({"sub": None}, {"subject": None}, ""),
        ({"tid": None}, {"tid": None}, ""),
    ],
)
def test_what_a_token_must_say(directory: Directory, keys: KeySets, claims: dict[str, Any], changes: dict[str, Any], refused: str) -> None:
    token = tokens.peek(directory.sign(directory.claims(AUDIENCE, **claims)))
    assert reason(lambda: tokens.verify(token, expected(directory, **changes), keys, directory.jwks_uri)) == refused


@pytest.mark.parametrize(
    "header", [{"typ": None}, {"typ": "JWT"}, {"typ": "jwt"}, {"typ": "at+jwt"}, {"x5t": "abc", "nonce": "n", "new": 1}]
)
def test_headers_that_issuers_send(directory: Directory, keys: KeySets, header: dict[str, Any]) -> None:
    token = tokens.peek(directory.sign(directory.claims(AUDIENCE), header))
    assert tokens.verify(token, expected(directory), keys, directory.jwks_uri) == token.claims


@pytest.mark.parametrize(
    ("claim", "seconds", "refused"),
    [
        ("exp", -LEEWAY_S, "expired"),
        ("exp", 1 - LEEWAY_S, ""),
        ("nbf", LEEWAY_S, ""),
        ("nbf", LEEWAY_S + 1, "not yet valid"),
        ("iat", LEEWAY_S, ""),
        ("iat", LEEWAY_S + 1, "not yet valid"),
    ],
)
def test_clocks_may_differ_a_little(directory: Directory, keys: KeySets, claim: str, seconds: int, refused: str) -> None:
    claims = directory.claims(AUDIENCE)
    now = claims["iat"]
    token = tokens.peek(directory.sign({**claims, claim: now + seconds}))
    with time_machine.travel(datetime.fromtimestamp(now, UTC), tick=False):
        assert reason(lambda: tokens.verify(token, expected(directory), keys, directory.jwks_uri)) == refused


@pytest.mark.parametrize(("value", "refused"), [(2**53, ""), (10**30, "no usable times"), (-(2**53), "expired")])
def test_times_of_any_size(directory: Directory, keys: KeySets, value: int, refused: str) -> None:
    token = tokens.peek(directory.sign(directory.claims(AUDIENCE, exp=value)))
    assert reason(lambda: tokens.verify(token, expected(directory), keys, directory.jwks_uri)) == refused


@pytest.mark.parametrize(
    ("of_key", "named", "refused"),
    [
        ("https://x/{tenantid}/v2.0", "https://x/{tid}/v2.0", ""),
        ("https://x/{TenantId}/v2.0", "https://x/{tid}/v2.0", ""),
        ("https://x/{tenantid}/v2.0", "https://y/{tid}/v2.0", "another issuer's key"),
        ("https://x/{tenantid}/v2.0", "https://x/{tenantid}/v2.0", "another issuer's key"),
        ("https://x/1/v2.0", "https://x/{tid}/v2.0", "another issuer's key"),
        ("", "https://x/{tid}/v2.0", "another issuer's key"),
        (7, "https://x/{tid}/v2.0", ""),
    ],
)
def test_whose_key_it_may_be(new_directory: NewDirectory, of_key: Any, named: str, refused: str) -> None:
    directory = new_directory()
    directory.publish(issuer=of_key)
    keys = KeySets(Outbound(allow_custom=True), 1000, 300)
    wanted = expected(directory, key_issuers=[named.replace("{tid}", directory.tid)])
    token = tokens.peek(directory.token(AUDIENCE))
    assert reason(lambda: tokens.verify(token, wanted, keys, directory.jwks_uri)) == refused


@pytest.mark.parametrize(("text", "is_one"), [("a.b.c", True), ("..", True), ("scim_abc", False), ("a.b", False), ("a.b.c.d.e", False)])
def test_what_looks_like_one(text: str, is_one: bool) -> None:
    assert tokens.looks_like_one(text) == is_one


def test_a_refusal_tells_nothing_of_the_token(directory: Directory, keys: KeySets) -> None:
    token = directory.sign(directory.claims(AUDIENCE, iss="hunter2"))
    with pytest.raises(InvalidToken) as refused:
        tokens.verify(tokens.peek(token), expected(directory), keys, directory.jwks_uri)
    assert "hunter2" not in json.dumps([str(refused.value), repr(refused.value), repr(refused.value.__cause__)])
