"""The one way out: JSON documents of outside issuers (their metadata, their signing keys), within limits.

Which hosts may be asked is a list, so that nobody can make the server ask whatever he likes. How
long an answer may take, and how big it may be, does not depend on who answers.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
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

HOSTS = frozenset(
    {
        # global; tokens of version 1 name sts.windows.net in every cloud but China's
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        # US Government
        "login.microsoftonline.us",
        # China
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "sts.chinacloudapi.cn",
    }
)
"""Microsoft's sign-in services."""

MAX_URL = 500
MAX_BYTES = 512 * 1024

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
        try:
            parts = self._parts(url)
        except UnusableUrl as fault:
            raise FetchFailed("the URL may not be asked") from fault
        began = time.monotonic()
        try:
            status, body = self._get(url, trust_env=not _is_loopback(parts.hostname or ""))
        # What comes up depends on where it went wrong, and is chained to nothing: a library's text may hold what was answered.
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as fault:
            late = time.monotonic() - began >= self._deadline_s
            raise FetchFailed("no answer in time" if late else f"no answer ({type(fault).__name__})") from None
        if status != HTTPStatus.OK:
            raise FetchFailed(f"status {status} in place of 200")
        if len(body) > MAX_BYTES:
            raise FetchFailed(f"more than {MAX_BYTES} bytes")
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise FetchFailed("no JSON") from None
        if not isinstance(document, dict):
            raise FetchFailed("no JSON object")
        return document

    def _parts(self, url: str) -> SplitResult:
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
        if parts.scheme == "https" and host in HOSTS and port in (None, 443):
            return parts
        if not self._allow_custom:
            raise UnusableUrl(
                f"{named} is not at a sign-in host of Microsoft's by https ({', '.join(sorted(HOSTS))}). "
                "Where others are to be trusted, set ALLOW_CUSTOM_CLOUD=true, for the server too."
            )
        if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
            return parts
        raise UnusableUrl(f"{named} is neither https nor on this machine. Use https.")

    def _get(self, url: str, *, trust_env: bool) -> tuple[int, bytes]:
        """The status, and of the body one byte more than allowed at most."""
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
                headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
                with session.get(url, headers=headers, timeout=_SOCKET_S, allow_redirects=False, stream=True) as answer:
                    body = b""
                    while len(body) <= MAX_BYTES and (more := answer.raw.read(MAX_BYTES + 1 - len(body), decode_content=False)):
                        body += more
                    adapter.raise_if_over()  # that end may look like the end of the body
                    return answer.status_code, body
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
