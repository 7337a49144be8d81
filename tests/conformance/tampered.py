"""A server that is right in all that the checks ask for, but for what a test makes it do wrong.

The small server (`checked_server`) knows users and little else. For bulk, cursors, sorting, versions, tenants and attributes of every
type this takes the real server, in this process, and stands before it: a fault changes what it hears, or what it says. What the checks
know of it comes over HTTP, as always.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask

BASE = "/scim/v2"


@dataclass(frozen=True)
class Sent:
    """A request: `path` as it was sent, whole; `query` in order, None if there was none; `raw` the body, `body` the same as JSON."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    raw: bytes

    @property
    def endpoint(self) -> str:
        return self.path.removeprefix(BASE)

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return None

    def parameter(self, name: str) -> str | None:
        """A query parameter, in the URL or in a SearchRequest."""
        if self.endpoint.endswith("/.search"):
            found = (self.body or {}).get(name)
            return None if found is None else str(found)
        return next((value for key, value in self.query if key == name), None)

    def without(self, *names: str) -> Sent:
        """The same without these parameters."""
        if self.endpoint.endswith("/.search"):
            return self.saying({name: value for name, value in (self.body or {}).items() if name not in names})
        return replace(self, query=tuple((name, value) for name, value in self.query if name not in names))

    def saying(self, body: Any) -> Sent:
        return replace(self, raw=json.dumps(body).encode())


@dataclass(frozen=True)
class Came:
    """An answer; `body` None is no body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """The body as it was, unless it was changed."""

    def saying(self, body: Any) -> Came:
        return replace(self, body=body, raw=None)


Ask = Callable[[Sent], Came]
Fault = Callable[[Sent, Ask], Came]
"""A server that asks the right one, and does with the answer what it likes."""


def right(sent: Sent, ask: Ask) -> Came:
    return ask(sent)


@dataclass
class Tampered:
    """`app` is the right server; `fault` what stands before it."""

    app: Flask
    fault: Fault = right
    base_url: str = ""

    def answer(self, sent: Sent) -> Came:
        return self.fault(sent, self._ask)

    def _ask(self, sent: Sent) -> Came:
        headers = {name: value for name, value in sent.headers.items() if name.lower() not in ("host", "content-length", "connection")}
        response = self.app.test_client().open(
            sent.path, method=sent.method, headers=headers, query_string=urlencode(sent.query), data=sent.raw or None
        )
        raw = response.get_data()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        kept = {name: value for name, value in response.headers if name.lower() not in ("content-length", "connection", "date", "server")}
        return Came(response.status_code, body, kept, raw)


@contextmanager
def serving(make: Callable[[str], Flask]) -> Iterator[Tampered]:
    """The server on a port of its own while the block lasts. `make` makes the app for the URL that it has to the world."""
    tampered: list[Tampered] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            pairs = tuple(parse_qsl(query, keep_blank_values=True))
            came = tampered[0].answer(Sent(self.command, path, pairs, dict(self.headers.items()), raw))
            content = came.raw if came.raw is not None else b"" if came.body is None else json.dumps(came.body).encode()
            self.send_response(came.status)
            for name, value in came.headers.items():
                self.send_header(name, value)
            if came.status not in (204, 304):
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD" and came.status not in (204, 304):
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    origin = f"http://127.0.0.1:{server.server_port}"
    tampered.append(Tampered(make(origin), base_url=origin + BASE))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield tampered[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- faults ---------------------------------------------------------------------------------------------------------


def concerns(sent: Sent, method: str | None, start: str) -> bool:
    return (method is None or sent.method == method) and sent.endpoint.startswith(start)


def ignoring(*names: str, start: str = "") -> Fault:
    """It does not look at these query parameters."""
    return lambda sent, ask: ask(sent.without(*names) if sent.endpoint.startswith(start) else sent)


def deaf(*headers: str) -> Fault:
    """It does not look at these headers."""
    lower = {name.lower() for name in headers}
    return lambda sent, ask: ask(replace(sent, headers={name: value for name, value in sent.headers.items() if name.lower() not in lower}))


def mute(*headers: str) -> Fault:
    """It does not send these headers."""
    return header(lambda name, value: None, *headers)


def header(change: Callable[[str, str], str | None], *headers: str) -> Fault:
    """It sends these headers changed, or, for None, not at all."""
    lower = {name.lower() for name in headers}

    def fault(sent: Sent, ask: Ask) -> Came:
        came = ask(sent)
        changed = {name: change(name, value) if name.lower() in lower else value for name, value in came.headers.items()}
        return replace(came, headers={name: value for name, value in changed.items() if value is not None})

    return fault


def forgiving(method: str | None = None, start: str = "") -> Fault:
    """It says that all is well where it should refuse."""

    def fault(sent: Sent, ask: Ask) -> Came:
        came = ask(sent)
        refused = 400 <= came.status < 500 and concerns(sent, method, start)
        return Came(200, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0}) if refused else came

    return fault


def refusing(method: str | None = None, start: str = "", status: int = 400, when: Callable[[Sent], bool] = lambda sent: True) -> Fault:
    """It refuses what it should do."""

    def fault(sent: Sent, ask: Ask) -> Came:
        return refusal(status) if concerns(sent, method, start) and when(sent) else ask(sent)

    return fault


def refusal(status: int, kind: str = "invalidValue", detail: str = "No.") -> Came:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "scimType": kind, "detail": detail}
    return Came(status, body, {"Content-Type": "application/scim+json"})


def hearing(change: Callable[[Any], Any], method: str | None = None, start: str = "") -> Fault:
    """It understands a body otherwise than it was sent."""

    def fault(sent: Sent, ask: Ask) -> Came:
        body = sent.body
        return ask(sent.saying(change(body)) if body is not None and concerns(sent, method, start) else sent)

    return fault


def saying(change: Callable[[Any], Any], method: str | None = None, start: str = "") -> Fault:
    """It says something else than it should."""

    def fault(sent: Sent, ask: Ask) -> Came:
        came = ask(sent)
        return came.saying(change(came.body)) if came.body is not None and concerns(sent, method, start) else came

    return fault


def each(change: Callable[[dict[str, Any]], dict[str, Any]], start: str = "/Users") -> Fault:
    """It shows each resource otherwise, alone and in lists."""

    def changed(body: Any) -> Any:
        if isinstance(body, dict) and isinstance(body.get("Resources"), list):
            return body | {"Resources": [change(one) for one in body["Resources"]]}
        return change(body) if isinstance(body, dict) and "id" in body else body

    return saying(changed, start=start)


def both(*faults: Fault) -> Fault:
    """One before the other: the first is the one that the client speaks to."""

    def fault(sent: Sent, ask: Ask) -> Came:
        inner = ask
        for one in reversed(faults):
            inner = _before(one, inner)
        return inner(sent)

    return fault


def _before(fault: Fault, ask: Ask) -> Ask:
    return lambda sent: fault(sent, ask)
