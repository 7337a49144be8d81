"""Sending with patience: what the provisioning engine repeats by itself, and for how long.

429 is repeated after Retry-After (capped), other trouble with exponential backoff and jitter: no answer at all, and 5xx. The patience of
one request ends `retry_seconds` after its first failure, or as soon as nobody has had a sound answer for as long: when the server is down
for good, a thousand objects must not wait a minute each. After that the object belongs in escrow.
"""

from __future__ import annotations

import random
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

from conformance.bearer import NoToken, redact
from conformance.entra.tally import Tally
from conformance.wire import Query, Response, Unreachable, Wire

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 3.0
_LONGEST_RETRY_AFTER = 30.0
_ATTEMPTS_AT_500 = 4


class GaveUp(Exception):
    """Repeated without success. `doubtful`: one of the attempts may have been carried out all the same."""

    def __init__(self, reason: str, *, doubtful: bool, reachable: bool) -> None:
        super().__init__(reason)
        self.doubtful = doubtful
        self.reachable = reachable


class CredentialRefused(Exception):
    """401, or no token is to be had: the engine stops at once (quarantine)."""


class Stopped(Exception):
    """The run was broken off."""


class Sender:
    """Requests through one `Wire`, counted in one `Tally`."""

    def __init__(self, wire: Wire, tally: Tally, retry_seconds: float) -> None:
        self.wire = wire
        self.tally = tally
        self.retry_seconds = retry_seconds
        self.stop = threading.Event()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, keeps no secret
        self._last_sound = time.monotonic()

    def grant_patience(self) -> None:
        """Begin waiting anew: called at the start of a phase, so that each of them gives a dead server its time to come back."""
        self._last_sound = time.monotonic()

    def send(self, kind: str, method: str, path: str, body: Any = None, query: Query | None = None) -> Response:
        """The first answer that is neither 429 nor 5xx. Raises GaveUp, CredentialRefused or Stopped."""
        first_failure: float | None = None
        doubtful = False
        attempt = 0
        while True:
            if self.stop.is_set():
                raise Stopped
            attempt += 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
            reachable, status = True, 0
            try:
                response = self._ask(kind, method, path, body, query)
            except NoToken as error:
                raise CredentialRefused(str(error)) from error
            except Unreachable as error:
                self.tally.unanswered()
                reason, reachable = str(error), False
                doubtful = doubtful or error.sent
            else:
                status = response.status
                self.tally.answered(kind, status, response.elapsed)
                if status < 500 and status != 429:
                    self._last_sound = time.monotonic()
                    if status == 401:
                        raise CredentialRefused(f"401, the credential is refused. {_detail(response)}")
                    return response
                if status == 429 or response.headers.get("Retry-After"):
                    pause = max(pause, _retry_after(response))
                doubtful = doubtful or status >= 500
                reason = f"{method} {path}: {status} {_detail(response)}".strip()
            now = time.monotonic()
            if status == 429:
                self._last_sound = now
            first_failure = first_failure if first_failure is not None else now
            # A plain 500 is a fault of this request, hardly of the moment.
            hopeless = status == 501 or (status == 500 and attempt >= _ATTEMPTS_AT_500)
            if hopeless or now - first_failure >= self.retry_seconds or now - self._last_sound >= self.retry_seconds:
                self.tally.count("gave_up")
                raise GaveUp(reason, doubtful=doubtful and method not in ("GET", "HEAD"), reachable=reachable)
            self.tally.count("retries")
            if self.stop.wait(pause * self._jitter.uniform(0.6, 1.2)):
                raise Stopped

    def _ask(self, kind: str, method: str, path: str, body: Any, query: Query | None) -> Response:
        """One attempt; after a 401 one more with another token, if one is to be had. 401 means that nothing was carried out, so that a
        creation may be repeated too."""
        response = self.wire.request(method, path, body, query)
        source = self.wire.source
        if response.status == 401 and source is not None and response.bearer is not None and source.renew(response.bearer):
            self.tally.answered(kind, 401, response.elapsed)
            self.tally.count("retries")
            response = self.wire.request(method, path, body, query)
        return response


def _retry_after(response: Response) -> float:
    """Seconds that the server asks for, as a number or a date; at most half a minute."""
    text = (response.headers.get("Retry-After") or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER) if seconds == seconds else 0.0


def _detail(response: Response) -> str:
    return error_detail(response)[1]


def error_detail(response: Response) -> tuple[str, str]:
    """scimType and detail of a SCIM error; for other bodies their beginning. Never the token, should the server throw it back."""
    try:
        body = response.json()
    except ValueError:
        body = None
    secrets = (response.bearer,) if response.bearer else ()
    if isinstance(body, dict) and ("detail" in body or "scimType" in body):
        return redact(str(body.get("scimType") or ""), secrets), redact(str(body.get("detail") or ""), secrets)
    return "", " ".join(redact(response.text, secrets).split())[:300]
