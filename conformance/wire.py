"""The wire: a small HTTP/1.1 client for JSON, as a provisioning service has one.

It keeps one connection per thread alive, follows no redirect, negotiates nothing, keeps no cookie, and gives back what was
answered without judging it. Whatever is not an answer (refused, reset, timed out, not HTTP) is one exception, `Unreachable`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from conformance.bearer import Secret, Source

SCIM_JSON = "application/scim+json; charset=utf-8"

Query = Mapping[str, str | int] | Iterable[tuple[str, str | int]] | str


class Unreachable(Exception):
    """No answer was received. `sent` tells whether the request may have reached the server, and so may have been carried out."""

    def __init__(self, method: str, target: str, reason: str, *, sent: bool) -> None:
        super().__init__(f"{method} {target}: {reason}")
        self.method = method
        self.target = target
        self.reason = reason
        self.sent = sent


class TooLong(Unreachable):
    """The answer is longer than the wire was told to read."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `headers` ignores the case of names (`headers.get("Location")`); `elapsed` is in seconds, to the last byte.

    `bearer` is the token that the wire put into the request, None if it put none.
    """

    status: int
    headers: Message
    body: bytes
    elapsed: float
    method: str = ""
    target: str = ""
    bearer: str | None = field(default=None, repr=False)

    def json(self) -> Any:
        """The body as JSON; ValueError if it is not."""
        return json.loads(self.body)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Wire:
    """A server's base URL and where bearer tokens come from. May be used by many threads at once: each has its own connection.

    `token` None sends no Authorization; a string is sent as it is, a source is asked before each request. A query in the base URL
    (`…/scim/v2?aadOptscim062020`) is a switch of the client's, not a part of the address, and is left out. An answer of more than `most`
    bytes is given up (TooLong).
    """

    def __init__(
        self,
        base_url: str,
        token: str | Source | None,
        timeout: float = 20.0,
        user_agent: str | None = "scim-conformance/1",
        most: int | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http(s) base URL: {base_url!r}")
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.prefix = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.base_url = self.origin + self.prefix
        self.source = Secret(token) if isinstance(token, str) else token
        self.timeout = timeout
        self.most = most
        self.user_agent = user_agent
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._local = threading.local()
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def token(self) -> str | None:
        """The token that the next request will bear."""
        return None if self.source is None else self.source.bearer()

    def close(self) -> None:
        """Close the connections of all threads; they may still be used and then connect anew."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            connection.close()

    def below(self, url: str) -> str | None:
        """The path of a URL (a `Location`, say) below the base URL, as `request` takes it; None if it is not below."""
        parts = urlsplit(url)
        if parts.netloc and f"{parts.scheme}://{parts.netloc}".lower() != self.origin.lower():
            return None
        if not parts.path.startswith(self.prefix + "/"):
            return None
        return parts.path[len(self.prefix) :] + (f"?{parts.query}" if parts.query else "")

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        raw_body: bytes | str | None = None,
        content_type: str | None = SCIM_JSON,
    ) -> Response:
        """Send one request and read the whole answer.

        `path` is below the base URL ("/Users"). `body` is sent as JSON, `raw_body` as it is; Content-Type goes out only with one of them.
        `query` is form-encoded (blank is `+`, a quote is `%22`); a string is sent as it is. `headers` win over all that would be sent
        otherwise. Raises Unreachable when there is no answer, NoToken when the source of tokens has none.
        """
        target = self.prefix + quote(path, safe="/?#[]@!$&'()*+,;=:%-._~\"<>\\^`{|}")
        if query is not None:
            encoded = query if isinstance(query, str) else urlencode(list(query.items()) if isinstance(query, Mapping) else list(query))
            if encoded:
                target += ("&" if "?" in target else "?") + encoded
        payload: bytes | None = None
        if raw_body is not None:
            payload = raw_body.encode() if isinstance(raw_body, str) else raw_body
        elif body is not None:
            payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        sent: dict[str, str] = {}
        bearer = None
        if self.source is not None and not any(name.lower() == "authorization" for name in headers or ()):
            bearer = self.source.bearer()
            sent["Authorization"] = f"Bearer {bearer}"
        if self.user_agent is not None:
            sent["User-Agent"] = self.user_agent
        if payload is not None and content_type is not None:
            sent["Content-Type"] = content_type
        for name, value in (headers or {}).items():
            for known in [known for known in sent if known.lower() == name.lower()]:
                del sent[known]
            sent[name] = value
        return self._exchange(method, target, payload, sent, bearer)

    def _exchange(self, method: str, target: str, payload: bytes | None, headers: dict[str, str], bearer: str | None) -> Response:
        # A connection that the server closed while it lay idle is noticed before use. If it closes in the very moment of use, only a
        # request without effect may be sent again on our own account (RFC 9110 §9.2.2); for others the caller must find out.
        repeatable = method in ("GET", "HEAD", "OPTIONS")
        started = time.perf_counter()
        while True:
            connection, reused = self._connection(method, target)
            try:
                # A server may answer before it has read everything (413, say) and close: what it said can still be read.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, target, body=payload, headers=headers)
                answer = connection.getresponse()
                content = answer.read() if self.most is None else answer.read(self.most + 1)
            except TimeoutError as error:
                self._drop(connection)
                raise Unreachable(method, target, f"timed out after {self.timeout:g} s", sent=True) from error
            except (OSError, http.client.HTTPException) as error:
                self._drop(connection)
                if reused and repeatable:
                    continue
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                raise Unreachable(method, target, reason, sent=True) from error
            too_long = self.most is not None and len(content) > self.most
            if answer.will_close or too_long:
                self._drop(connection)
            if too_long:
                answer.close()  # it holds the socket as long as there is something to read
                raise TooLong(method, target, f"an answer of more than {self.most} bytes", sent=True)
            return Response(answer.status, answer.headers, content, time.perf_counter() - started, method, target, bearer)

    def _connection(self, method: str, target: str) -> tuple[http.client.HTTPConnection, bool]:
        """This thread's connection, and whether it was used before."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            if connection.sock is not None and not _readable(connection.sock):
                return connection, True
            self._drop(connection)
        if self._tls is not None:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise Unreachable(method, target, f"cannot connect: {error}", sent=False) from error
        with self._lock:
            self._open.add(connection)
        self._local.connection = connection
        return connection, False

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        with self._lock:
            self._open.discard(connection)
        if getattr(self._local, "connection", None) is connection:
            self._local.connection = None


def _readable(sock: socket.socket) -> bool:
    """Whether an idle connection has something to read: the server's farewell, or bytes that belong to no request. Useless either way."""
    if hasattr(select, "poll"):  # select() refuses descriptors above 1023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])
