"""Tokens that are fetched: when, how often, how the client proves itself, and what becomes of an answer that is none."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from conformance.bearer import Issued, NoToken, Secret, Source, redact
from conformance.credentials import JWT_BEARER, ClientAssertion, ClientCredentials, IssuedToken
from conformance.entra.sender import CredentialRefused, Sender, error_detail
from conformance.entra.tally import Tally
from conformance.wire import Unreachable, Wire
from tests.conformance.fake import Fake
from tests.conformance.token_endpoint import Answer, TokenEndpoint, token

SECRET = "a b:c/ü+%&=secret"  # every character that the two encodings disagree on


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(endpoint: TokenEndpoint, clock: Clock, **more: Any) -> ClientCredentials:
    return ClientCredentials(endpoint.url, "the client", SECRET, now=clock, timeout=5, **more)


# -- how the client proves itself ------------------------------------------------------------------------------------


def test_basic_encodes_id_and_secret_before_it_joins_them(clock: Clock) -> None:
    """RFC 6749 §2.3.1: otherwise a colon in the id, or a letter that is not ASCII, would change who is meant."""
    with TokenEndpoint() as endpoint:
        assert client(endpoint, clock).bearer() == "token-1"
    [asked] = endpoint.asked
    assert asked.form == {"grant_type": "client_credentials"}
    scheme, _, both = str(asked.authorization).partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(both) == b"the+client:a+b%3Ac%2F%C3%BC%2B%25%26%3Dsecret"
    assert asked.content_type == "application/x-www-form-urlencoded"
    assert asked.target == "/oauth/token"


def test_post_sends_them_in_the_form_and_nowhere_else(clock: Clock) -> None:
    with TokenEndpoint() as endpoint:
        client(endpoint, clock, location="post", scope="scim.read scim.write").bearer()
    [asked] = endpoint.asked
    form = {"grant_type": "client_credentials", "client_id": "the client", "client_secret": SECRET, "scope": "scim.read scim.write"}
    assert asked.form == form
    assert asked.authorization is None


def test_an_assertion_is_presented_again_until_it_ends(clock: Clock) -> None:
    numbers = iter(range(1, 9))
    assertion = IssuedToken(lambda: Issued(f"assertion-{next(numbers)}", 3600), now=clock)
    with TokenEndpoint(lambda number: token(f"token-{number}", expires_in=1000)) as endpoint:
        source = ClientAssertion(endpoint.url, "the client", assertion, scope="scim", timeout=5, now=clock)
        for moment in (0, 900, 1800, 3300):
            clock.now = moment
            source.bearer()
    assert [asked.form["client_assertion"] for asked in endpoint.asked] == ["assertion-1"] * 3 + ["assertion-2"]
    form = {"grant_type": "client_credentials", "client_id": "the client", "client_assertion_type": JWT_BEARER, "scope": "scim"}
    assert {name: value for name, value in endpoint.asked[0].form.items() if name != "client_assertion"} == form
    assert {"token-4", "assertion-2"} <= set(source.confidential)


@pytest.mark.parametrize(
    "url", ["", "h/token", "ftp://h/token", "http://", "http://h/token#x", "http://me:secret@h/token", "http://h:port/token"]
)
def test_a_token_url_must_be_one(url: str) -> None:
    with pytest.raises(ValueError, match=r"token endpoint|Port"):
        ClientCredentials(url, "i", "s")


def test_a_query_of_the_token_url_is_kept(clock: Clock) -> None:
    """RFC 6749 §3.2."""
    with TokenEndpoint() as endpoint:
        ClientCredentials(endpoint.url + "/?tenant=a%20b", "i", "secret", now=clock).bearer()
    assert endpoint.asked[0].target == "/oauth/token/?tenant=a%20b"


# -- when a token is fetched -----------------------------------------------------------------------------------------


def test_a_token_is_used_for_nine_tenths_of_its_life(clock: Clock) -> None:
    with TokenEndpoint() as endpoint:
        source = client(endpoint, clock)
        for moment, number in ((0, 1), (3239, 1), (3240, 2), (6479, 2), (6480, 3)):
            clock.now = moment
            assert source.bearer() == f"token-{number}"
    assert source.fetched == len(endpoint.asked) == 3


def test_an_answer_without_expires_in_is_taken_for_an_hour(clock: Clock) -> None:
    with TokenEndpoint(lambda number: token(f"token-{number}", expires_in=None)) as endpoint:
        source = client(endpoint, clock)
        for moment, number in ((0, 1), (3239, 1), (3240, 2)):
            clock.now = moment
            assert source.bearer() == f"token-{number}"


def test_of_many_threads_one_fetches(clock: Clock) -> None:
    everybody = threading.Barrier(8)

    def take(source: Source) -> str:
        everybody.wait()
        return source.bearer()

    with TokenEndpoint() as endpoint, ThreadPoolExecutor(8) as pool:
        assert {each.result() for each in [pool.submit(take, client) for client in [client(endpoint, clock)] * 8]} == {"token-1"}
    assert len(endpoint.asked) == 1


def test_of_many_threads_that_were_refused_one_fetches(clock: Clock) -> None:
    with TokenEndpoint() as endpoint, ThreadPoolExecutor(8) as pool:
        source = client(endpoint, clock)
        old = source.bearer()
        assert all(pool.map(lambda _: source.renew(old), range(8)))
        assert source.bearer() == "token-2"
    assert len(endpoint.asked) == 2


def test_while_the_endpoint_is_away_a_token_that_is_still_good_is_used(clock: Clock) -> None:
    away = {2, 3}
    with TokenEndpoint(lambda number: Answer({}, 503) if number in away else token(f"token-{number}")) as endpoint:
        source = client(endpoint, clock)
        asked = []
        for moment in (0, 3300, 3310, 3320, 3340):
            clock.now = moment
            asked.append((source.bearer(), len(endpoint.asked)))
    assert asked == [("token-1", 1), ("token-1", 2), ("token-1", 2), ("token-1", 3), ("token-4", 4)]


def test_once_the_token_has_ended_nothing_else_helps(clock: Clock) -> None:
    with TokenEndpoint(lambda number: Answer({}, 503) if number > 1 else token("token-1")) as endpoint:
        source = client(endpoint, clock)
        source.bearer()
        clock.now = 3600
        with pytest.raises(Unreachable, match="503"):
            source.bearer()
    assert source.fetched == 1


def test_who_waited_for_a_fetch_that_failed_does_not_fetch_too() -> None:
    """Four workers would otherwise wait for one time-out after the other."""
    waiting = threading.Event()
    workers = 4

    def answer(number: int) -> Answer:
        waiting.wait(5)
        return Answer({}, 503)

    with TokenEndpoint(answer) as endpoint, ThreadPoolExecutor(workers) as pool:
        begun = threading.Semaphore(0)
        clock = [0.0]

        def now() -> float:
            begun.release()
            clock[0] += 1.0
            return clock[0]

        source = ClientCredentials(endpoint.url, "i", "secret", timeout=5, now=now)
        takers = [pool.submit(source.bearer) for _ in range(workers)]
        for _ in range(workers + 1):  # each has looked at the clock when it came, and the first once more before it asked
            assert begun.acquire(timeout=5)
        waiting.set()
        assert all(isinstance(taker.exception(10), Unreachable) for taker in takers)
    assert len(endpoint.asked) == 1


# -- answers that are none -------------------------------------------------------------------------------------------

TEMPORARY = [
    (Answer({"error": "temporarily_unavailable"}, 503), "503 temporarily_unavailable"),
    (Answer(b"<html>Bad gateway</html>", 502), "502 <html>Bad gateway</html>"),
    (Answer({"error": "slow_down"}, 429), "429 slow_down"),
]
FINAL = [
    (Answer({"error": "invalid_client", "error_description": "Another secret."}, 401), "401 invalid_client Another secret."),
    (Answer({"error": "invalid_scope"}, 400), "400 invalid_scope"),
    (Answer({"error": 7}, 400), '400 {"error": 7}'),
    (Answer(b"", 404), "refuses: 404"),
    (Answer(b"", 302, {"Location": "http://127.0.0.1:9/"}), "refuses: 302"),
    (Answer({"error": "x", "error_description": "a\x1b[2Jb\nc"}, 400), "400 x a [2Jb c"),
    (Answer(b"token"), "not with a JSON object"),
    (Answer([]), "not with a JSON object"),
    (Answer(b"[" * 60_000), "not with a JSON object"),
    (Answer(b'{"access_token": "a", "expires_in": ' + b"9" * 5000 + b"}"), "not with a JSON object"),
    (Answer(b" " * 70_000), "more than 65536 bytes"),
    (token(""), "access_token"),
    (token("a", access_token=None), "access_token"),
    (token("a", access_token=7), "access_token"),
    (token("line\r\nX-Injected: yes"), "access_token"),
    (token("a" * 9000), "access_token"),
    (token("a", token_type="mac"), "token_type"),
    (token("a", token_type=None), "token_type"),
    (token("a", expires_in="3600"), "expires_in"),
    (token("a", expires_in=0), "expires_in"),
    (token("a", expires_in=True), "expires_in"),
    (token("a", expires_in=3.5), "expires_in"),
]


@pytest.mark.parametrize(("answer", "reason"), TEMPORARY, ids=lambda value: None)
def test_trouble_that_may_pass_is_told_apart(answer: Answer, reason: str, clock: Clock) -> None:
    with TokenEndpoint(lambda number: answer) as endpoint, pytest.raises(Unreachable) as caught:
        client(endpoint, clock).bearer()
    assert reason in str(caught.value)
    assert not caught.value.sent


def test_an_endpoint_that_is_not_there_may_come_back() -> None:
    with pytest.raises(Unreachable, match="cannot connect") as caught:
        ClientCredentials("http://127.0.0.1:9/token", "i", "secret").bearer()
    assert not caught.value.sent


@pytest.mark.parametrize(("answer", "reason"), FINAL, ids=lambda value: None)
def test_what_asking_again_does_not_change(answer: Answer, reason: str, clock: Clock) -> None:
    with TokenEndpoint(lambda number: answer) as endpoint, pytest.raises(NoToken) as caught:
        client(endpoint, clock).bearer()
    assert reason in str(caught.value)
    assert endpoint.url in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_secret_that_is_thrown_back_is_not_told(clock: Clock) -> None:
    """Neither what was sent in the form, nor in the header, nor percent-encoded, nor cut in two by the end of the excerpt."""
    both = base64.b64encode(b"the+client:a+b%3Ac%2F%C3%BC%2B%25%26%3Dsecret").decode()
    for thrown in (SECRET, both, "a b%3ac%2F\u00fc%2B%25%26%3dsecret", "x" * 290 + SECRET):
        answer = Answer({"error": "no", "error_description": thrown}, 400)
        with TokenEndpoint(partial(lambda answer, number: answer, answer)) as endpoint, pytest.raises(NoToken) as caught:
            client(endpoint, clock).bearer()
        assert "[token]" in str(caught.value)
        assert SECRET[:6] not in str(caught.value)
        assert both not in str(caught.value)
        assert "secret" not in str(caught.value)


def test_the_source_shows_no_secret_of_itself(clock: Clock) -> None:
    with TokenEndpoint() as endpoint:
        source = client(endpoint, clock)
        source.bearer()
    for shown in (repr(source), str(source), repr(Secret("hush-hush")), repr(Issued("hush-hush", 1))):
        assert not [secret for secret in (SECRET, "token-1", "hush-hush") if secret in shown]


def test_what_the_specification_wants_of_the_answer_is_remarked_once(clock: Clock) -> None:
    plain = Answer(token("a").body, headers={"Content-Type": "text/plain"})
    with TokenEndpoint(lambda number: plain) as endpoint:
        source = client(endpoint, clock)
        for moment in (0, 3600):
            clock.now = moment
            source.bearer()
    assert len(source.remarks) == 2
    assert "no-store" in source.remarks[0]
    assert "application/json" in source.remarks[1]


# -- a 401 in the middle ---------------------------------------------------------------------------------------------


def send(source: Source, fault: Any, method: str = "POST") -> tuple[int | str, Tally, Fake]:
    """One request of the engine's through the source: the status of the answer, or why it was broken off."""
    tally = Tally()
    with Fake(fault) as fake, Wire(fake.url, source, timeout=5) as wire:
        try:
            answer = Sender(wire, tally, 0.0).send("try", method, "/Users", {"userName": "a"} if method == "POST" else None)
        except CredentialRefused as error:
            return str(error), tally, fake
    return answer.status, tally, fake


def test_after_a_401_the_request_goes_out_once_more_with_another_token(clock: Clock) -> None:
    with TokenEndpoint() as endpoint:
        status, tally, fake = send(client(endpoint, clock), lambda method, path, number: 401 if number == 1 else None)
    assert status == 201
    assert [headers["Authorization"] for _, _, headers, _ in fake.seen] == ["Bearer token-1", "Bearer token-2"]
    assert len(fake.users) == 1
    assert tally.statuses == {401: 1, 201: 1}
    assert tally.counts.retries == 1


def test_a_second_401_is_final(clock: Clock) -> None:
    with TokenEndpoint() as endpoint:
        reason, tally, fake = send(client(endpoint, clock), lambda method, path, number: 401)
    assert reason == "401, the credential is refused. fault 401"
    assert len(fake.seen) == len(endpoint.asked) == 2
    assert tally.statuses == {401: 2}


def test_a_token_that_was_given_is_not_tried_twice() -> None:
    reason, _, fake = send(Secret("given"), lambda method, path, number: 401)
    assert reason == "401, the credential is refused. fault 401"
    assert len(fake.seen) == 1


def test_a_credential_that_the_endpoint_refuses_in_the_middle_stops_everything(clock: Clock) -> None:
    def answer(number: int) -> Answer:
        return token("token-1") if number == 1 else Answer({"error": "invalid_client"}, 401)

    with TokenEndpoint(answer) as endpoint:
        reason, _, fake = send(client(endpoint, clock), lambda method, path, number: 401)
    assert str(reason).endswith("refuses: 401 invalid_client")
    assert len(fake.seen) == 1


def test_an_endpoint_that_is_away_is_waited_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.entra.sender._FIRST_PAUSE", 0.001)
    tally = Tally()
    with (
        TokenEndpoint(lambda number: Answer({}, 503) if number < 3 else token("token")) as endpoint,
        Fake() as fake,
        Wire(fake.url, client(endpoint, clock), timeout=5) as wire,
    ):
        assert Sender(wire, tally, 30).send("try", "POST", "/Users", {"userName": "a"}).status == 201
    assert (tally.counts.unreachable, tally.counts.retries, len(fake.seen)) == (2, 2, 1)


@pytest.mark.parametrize("headers", [{"authorization": "Basic eDp5"}, {"Authorization": "Bearer another"}])
def test_a_request_with_a_credential_of_its_own_takes_none_from_the_source(headers: dict[str, str], clock: Clock) -> None:
    with TokenEndpoint() as endpoint, Fake() as fake, Wire(fake.url, client(endpoint, clock)) as wire:
        assert wire.request("GET", "/Users", headers=headers).bearer is None
    assert endpoint.asked == []


def test_the_engine_tells_no_token_that_the_server_throws_back() -> None:
    with Fake() as fake, Wire(fake.url, "tok-en/of+tests") as wire:
        answer = wire.request("GET", "/Users")
    thrown = type(answer)(400, answer.headers, b'{"detail": "not Bearer tok-en%2Fof+tests"}', 0.0, bearer=answer.bearer)
    assert error_detail(thrown) == ("", "not Bearer [token]")
    assert "tok-en" not in repr(answer)


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (("abcdef", "abcdefgh"), "abcdefgh abcdef", "[token] [token]"),
        (("a+b/c",), "a%2Bb%2fc A+B/C", "[token] [token]"),
        (("x",), "extra", "extra"),
        ((), "anything", "anything"),
    ],
)
def test_redaction(secrets: tuple[str, ...], text: str, shown: str) -> None:
    assert redact(text, secrets) == shown
