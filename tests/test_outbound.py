"""Where the server may ask, and that nobody who is asked can hold it up, fill it, or send it elsewhere."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from scim_server.outbound import MAX_BYTES, MAX_URL, FetchFailed, Outbound, UnusableUrl
from tests.site import Site, send, site

TID = "c86f3d4d-87ab-4d5c-b0fd-d36067f400e2"
ENTRA = f"https://login.microsoftonline.com/{TID}/discovery/keys"


@pytest.mark.parametrize(
    "url",
    [
        ENTRA,
        f"{ENTRA}?appid={TID}",
        f"https://login.microsoftonline.com:443/{TID}/v2.0",
        f"https://LOGIN.microsoftonline.com/{TID}/v2.0",
        f"https://sts.windows.net/{TID}/",
        f"https://login.microsoftonline.us/{TID}/v2.0",
        f"https://login.partner.microsoftonline.cn/{TID}/v2.0",
    ],
)
def test_microsofts_sign_in_hosts_may_be_asked(url: str) -> None:
    Outbound(allow_custom=False).check(url)
    Outbound(allow_custom=True).check(url)


@pytest.fixture
def asked() -> Iterator[Site]:
    with site() as running:
        yield running


CUSTOM = [
    "https://idp.example/realms/x",
    "https://idp.example:8443/",
    "https://192.0.2.7/",
    "https://login.microsoftonline.com:8443/",
    "https://login.microsoftonline.com.evil.example/",
    "https://graph.microsoft.com/",
    "http://127.0.0.1:8000/x",
    "http://127.8.9.10/",
    "http://[::1]:8000/",
    "http://localhost:8000/",
]


@pytest.mark.parametrize("url", CUSTOM)
def test_others_only_where_that_is_switched_on(url: str) -> None:
    with pytest.raises(UnusableUrl, match="ALLOW_CUSTOM_CLOUD=true"):
        Outbound(allow_custom=False).check(url)
    Outbound(allow_custom=True).check(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://login.microsoftonline.com/x", "neither https nor"),
        ("http://192.0.2.7/", "neither https nor"),
        ("http://127.0.0.1.evil.example/", "neither https nor"),
        ("http://localhost.evil.example/", "neither https nor"),
        ("http://127.1/", "neither https nor"),
        ("http://0.0.0.0/", "neither https nor"),
        ("http://[::ffff:192.0.2.7]/", "neither https nor"),
        ("ftp://127.0.0.1/", "neither https nor"),
        ("file:///etc/passwd", "no absolute URL"),
        ("https:///x", "no absolute URL"),
        ("//login.microsoftonline.com/x", "neither https nor"),
        ("login.microsoftonline.com/x", "no absolute URL"),
        ("", "no absolute URL"),
        ("https://login.microsoftonline.com/a b", "must be percent-encoded"),
        ("https://login.microsoftonline.com/\n", "must be percent-encoded"),
        ("https://login.microsoftonline.com\\@evil.example/", "must be percent-encoded"),
        ("https://login.microsoftonline.com/ä", "must be percent-encoded"),
        ("https://login.microsoftonline.com:x/", "is no URL"),
        ("https://[::1/", "is no URL"),
        ("https://login.microsoftonline.com@evil.example/", "user name"),
        ("https://user:hunter2@login.microsoftonline.com/", "user name"),
        ("https://user:hunter2@login.microsoftonline.com:x/", "is no URL"),
        ("https://login.microsoftonline.com/x#y", "fragment"),
        (f"https://login.microsoftonline.com/{'x' * MAX_URL}", f"more than {MAX_URL} characters"),
    ],
)
def test_what_is_never_asked(url: str, says: str) -> None:
    with pytest.raises(UnusableUrl, match=says) as refused:
        Outbound(allow_custom=True).check(url)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(FetchFailed, match="may not be asked"):
        Outbound(allow_custom=True).fetch(url)


def test_a_document_is_fetched(asked: Site) -> None:
    asked.answers["/keys?x=1"] = {"keys": []}
    assert Outbound(allow_custom=True).fetch(f"{asked.url}/keys?x=1") == {"keys": []}
    assert "authorization" not in asked.headers[0]
    with pytest.raises(FetchFailed, match="may not be asked"):
        Outbound(allow_custom=False).fetch(f"{asked.url}/keys?x=1")
    assert len(asked.asked) == 1


def _drips(site: Site, start: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """A byte every 20 ms: no time-out of a socket ever runs out."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while not site.over.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return drip


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n",
    ],
    ids=["first line", "header", "body", "body of no length", "body of an error"],
)
def test_whoever_drips_is_left(asked: Site, start: bytes) -> None:
    asked.answers["/"] = _drips(asked, start)
    began = time.monotonic()
    with pytest.raises(FetchFailed, match="no answer in time"):
        Outbound(allow_custom=True, deadline_s=0.2).fetch(asked.url + "/")
    assert time.monotonic() - began < 2


def test_whoever_says_nothing_is_left(asked: Site) -> None:
    def silence(_: BaseHTTPRequestHandler) -> None:
        asked.over.wait(20)

    asked.answers["/"] = silence
    with pytest.raises(FetchFailed, match="no answer in time"):
        Outbound(allow_custom=True, deadline_s=0.2).fetch(asked.url + "/")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda it: send(it, b"", 302, Location="/elsewhere"), "status 302"),
        (lambda it: send(it, b'{"keys": []}', 404), "status 404"),
        (lambda it: send(it, b'{"keys": []}', 201), "status 201"),
        (lambda it: send(it, b"[]"), "no JSON object"),
        (lambda it: send(it, b"null"), "no JSON object"),
        (lambda it: send(it, b""), "no JSON"),
        (lambda it: send(it, b'{"a":'), "no JSON"),
        (lambda it: send(it, b"[" * 5000), "no JSON"),
        (lambda it: send(it, b'{"a": NaN}'), "no JSON"),
        (lambda it: send(it, b'{"a": "\xff"}'), "no JSON"),
        (lambda it: send(it, b'{"a": "' + b"x" * MAX_BYTES + b'"}'), "more than"),
        (lambda it: send(it, gzip.compress(b"{}"), Content_Encoding="gzip"), "no JSON"),
        (lambda it: send(it, b"{}", Content_Length="100"), "no answer"),
        (lambda it: it.wfile.write(b"hunter2\r\n\r\n"), "no answer"),
    ],
)
def test_what_cannot_be_used(asked: Site, answer: Callable[[BaseHTTPRequestHandler], None], reason: str) -> None:
    asked.answers["/"] = answer
    asked.answers["/elsewhere"] = {"keys": []}
    with pytest.raises(FetchFailed, match=reason) as failed:
        Outbound(allow_custom=True).fetch(asked.url + "/")
    assert asked.asked == ["/"]
    assert "hunter2" not in repr(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


def test_a_body_as_big_as_allowed(asked: Site) -> None:
    whole = b'{"a": "' + b"x" * (MAX_BYTES - 9) + b'"}'
    assert len(whole) == MAX_BYTES
    asked.answers["/"] = lambda it: send(it, whole)
    assert len(Outbound(allow_custom=True).fetch(asked.url + "/")["a"]) == MAX_BYTES - 9


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(FetchFailed, match="no answer"):
        Outbound(allow_custom=True).fetch(f"http://127.0.0.1:{port}/")
