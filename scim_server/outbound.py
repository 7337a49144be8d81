"""The one way out: JSON documents of outside issuers (their metadata, keys and tokens) and of Graph, within limits.

Which hosts may be asked is a list, so that nobody can make the server ask whatever he likes. How
long an answer may take, and how big it may be, does not depend on who answers.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from scim_server.clouds import GRAPH_HOSTS, SIGN_IN_HOSTS

MAX_URL = 500
MAX_BYTES = 512 * 1024
MAX_GRAPH_BYTES = 2 * 1024 * 1024

_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # what RFC 3986 lets stand in a URL: nothing that two parsers read in two ways
_SOCKET_S = 3.0  # to connect, and between two bytes
_DEADLINE_S = 6.0


class UnusableUrl(ValueError):
    """The text says to an operator what is wrong and how to mend it."""


class FetchFailed(Exception):
    """There is no answer that can be used. ``reason`` is for the log: never a part of what was answered."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` are found whatever their case. Never shown as a whole: there may be tokens in it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    document: dict[str, Any] | None = field(repr=False)


class Outbound:
    """Checks URLs and fetches JSON from them. Safe to share between threads.

    ``allow_custom``: besides Microsoft's sign-in hosts, any host by https, and this machine by http.
    ``deadline_s`` is the longest that one fetch may take, from the connection to the last byte; how long a name takes to be
    resolved is the system's matter. A proxy that the system's environment names is used, except towards this machine.
    """

    def __init__(self, allow_custom: bool, *, deadline_s: float = _DEADLINE_S) -> None:
        self._allow_custom = allow_custom
        self._deadline_s = deadline_s

    def check(self, url: str) -> None:
        """Raise UnusableUrl unless documents may be fetched from there."""
        self._parts(url)

    def fetch(self, url: str) -> dict[str, Any]:
        """The JSON object at the URL. Raises FetchFailed."""
        answer = self.ask("GET", url)
        if answer.status != HTTPStatus.OK:
            raise FetchFailed(f"status {answer.status} in place of 200")
        if answer.document is None:
            raise FetchFailed("no JSON object")
        return answer.document

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        graph: bool = False,
    ) -> Answer:
        """What is answered, whatever its status: a JSON object, or none where an error has another body. Raises FetchFailed.

        ``body`` is a form, encoded. ``graph``: Graph is asked, and no sign-in service. Nobody is followed to another URL.
        """
        try:
            parts = self._parts(url, GRAPH_HOSTS if graph else SIGN_IN_HOSTS)
        except UnusableUrl as fault:
            raise FetchFailed("the URL may not be asked") from fault
        most = MAX_GRAPH_BYTES if graph else MAX_BYTES
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        try:
            status, received, data = self._send(method, url, sent, body, most, trust_env=not _is_loopback(parts.hostname or ""))
        # What comes up depends on where it went wrong, and is chained to nothing: a library's text may hold what was sent or answered.
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as fault:
            late = time.monotonic() - began >= self._deadline_s
            raise FetchFailed("no answer in time" if late else f"no answer ({type(fault).__name__})") from None
        if len(data) > most:
            raise FetchFailed(f"more than {most} bytes")
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            if status == HTTPStatus.OK:
                raise FetchFailed("no JSON") from None
            document = None
        return Answer(status, received, document if isinstance(document, dict) else None)

    def _parts(self, url: str, hosts: frozenset[str] = SIGN_IN_HOSTS) -> SplitResult:
        if len(url) > MAX_URL:
            raise UnusableUrl(f"The URL has more than {MAX_URL} characters.")
        named = "The URL" if "@" in url else repr(url)  # what stands before an @ may be a password
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise UnusableUrl(f"{named} is no URL. Give one such as https://login.microsoftonline.com/…") from None
        if not _PLAIN.fullmatch(url) or not host:
            raise UnusableUrl(f"{named} is no absolute URL, or has characters that must be percent-encoded.")
        if "@" in parts.netloc:
            raise UnusableUrl(f"{named} has a user name in front of its host. Leave out everything up to the @.")
        if "#" in url:
            raise UnusableUrl(f"{named} has a fragment. Leave out the # and what follows it.")
        if parts.scheme == "https" and host in hosts and port in (None, 443):
            return parts
        if not self._allow_custom:
            raise UnusableUrl(
                f"{named} is not at a sign-in host of Microsoft's by https ({', '.join(sorted(hosts))}). "
                "Where others are to be trusted, set ALLOW_CUSTOM_CLOUD=true, for the server too."
            )
        if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
            return parts
        raise UnusableUrl(f"{named} is neither https nor on this machine. Use https.")

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, most: int, *, trust_env: bool
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, the headers, and of the body one byte more than allowed at most."""
        adapter = _Adapter()
        with requests.Session() as session:
            session.trust_env = trust_env
            session.auth = _nobody
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            deadline = threading.Timer(self._deadline_s, adapter.abort)
            deadline.daemon = True
            deadline.start()
            try:
                options: dict[str, Any] = {"timeout": _SOCKET_S, "allow_redirects": False, "stream": True}
                with session.request(method, url, headers=headers, data=body, **options) as answer:
                    data = b""
                    while len(data) <= most and (more := answer.raw.read(most + 1 - len(data), decode_content=False)):
                        data += more
                    adapter.raise_if_over()  # that end may look like the end of the body
                    return answer.status_code, answer.headers, data
            finally:
                deadline.cancel()


class _Adapter(HTTPAdapter):
    """Knows its sockets, so that they can be ended from another thread: a socket's time-out starts again with every byte."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)
        self._sockets: list[socket] = []
        self._over = threading.Event()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        made = pool.ConnectionCls

        def connection(**options: Any) -> Any:
            new = made(**options)
            connect = new.connect

            def connect_in_time() -> None:
                connect()
                self._sockets.append(new.sock)  # the connection forgets it as soon as only the body is left to read
                self.raise_if_over()

            new.connect = connect_in_time
            return new

        pool.ConnectionCls = connection
        return pool

    def abort(self) -> None:
        """Whoever reads, or connects, gets an error or an end."""
        self._over.set()
        for each in self._sockets:
            with suppress(OSError):  # it is closed
                each.shutdown(SHUT_RDWR)

    def raise_if_over(self) -> None:
        if self._over.is_set():
            raise TimeoutError


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, whatever a .netrc says."""
    return request


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
