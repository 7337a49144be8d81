"""A token endpoint on loopback that gives out numbered tokens, or answers what it is told to; and what it was sent.

It is no example of one: it checks nothing, so that the client's own manners are seen.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Asked:
    """One token request. `form` has the parameters of the body, each of which must come once."""

    target: str
    form: dict[str, str]
    authorization: str | None
    content_type: str | None


@dataclass(frozen=True)
class Answer:
    """`body` is sent as it is if it is bytes, else as JSON."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json", "Cache-Control": "no-store"})


def token(text: str, **changes: Any) -> Answer:
    """A right answer, with changes; a change to None leaves that out."""
    body = {"access_token": text, "token_type": "Bearer", "expires_in": 3600, **changes}
    return Answer({name: value for name, value in body.items() if value is not None})


class TokenEndpoint:
    """`answer(number)` decides about each request, counted from 1."""

    def __init__(self, answer: Callable[[int], Answer] = lambda number: token(f"token-{number}")) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: value for name, (value,) in parse_qs(raw, strict_parsing=True).items()}
                with endpoint.lock:
                    endpoint.asked.append(Asked(self.path, form, self.headers["Authorization"], self.headers["Content-Type"]))
                    number = len(endpoint.asked)
                answer = endpoint.answer(number)
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        class Listening(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that reads no further is what some tests are about

        self._server = Listening(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/oauth/token"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
