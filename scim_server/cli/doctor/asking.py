"""A question to a web server: what it answered, and when by its clock."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

LIMIT_S = 5.0
_HERE = ("localhost", "127.0.0.1", "::1")


class NoAnswer(Exception):
    """The text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``body``: its first 200 bytes. ``date``: when it was sent, by the server's clock, to the second; None if it does not say.

    ``asked`` and ``answered`` are by this machine's clock.
    """

    status: int
    body: bytes
    date: datetime | None
    asked: datetime
    answered: datetime

    @property
    def ahead(self) -> tuple[timedelta, timedelta]:
        """How far the server's clock is ahead of this machine's, and give or take how much. Only where it says its time."""
        assert self.date is not None
        travel = (self.answered - self.asked) / 2
        half = timedelta(seconds=0.5)  # the header has no fractions
        return self.date + half - (self.asked + travel), half + travel


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def ask(url: str) -> Answer:
    """GET the http or https URL, within LIMIT_S from one byte to the next, without following where it leads. Raises NoAnswer."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise NoAnswer("neither http nor https")
    proxies = [urllib.request.ProxyHandler({})] if parts.hostname in _HERE else []
    opener = urllib.request.build_opener(_NoRedirect, *proxies)
    with _no_answers():
        asked = datetime.now(UTC)
        try:
            response = opener.open(url, timeout=LIMIT_S)
        except urllib.error.HTTPError as refused:
            response = refused
        with response:
            answered = datetime.now(UTC)
            return Answer(response.status, response.read(200), _date(response.headers.get("Date")), asked, answered)


@contextmanager
def _no_answers() -> Iterator[None]:
    try:
        yield
    except urllib.error.URLError as fault:
        raise NoAnswer(_reason(fault.reason)) from fault
    except (OSError, http.client.HTTPException) as fault:
        raise NoAnswer(_reason(fault)) from fault


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else None


def _reason(fault: object) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {fault.verify_message}"
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault)[:200] or type(fault).__name__
