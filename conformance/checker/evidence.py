"""What a check saw: the exchanges with the server, shortened and without secrets, and how a check ends other than well."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.wire import Response

EXCERPT = 1500  # characters of a body that are kept
HEAD = 1 << 16  # characters of it that are looked at: many more, but not megabytes


class Failed(Exception):
    """The server did something else than the check demands."""

    def __init__(self, sent: str, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.sent = sent
        self.expected = expected
        self.came = came


class Skipped(Exception):
    """The check means nothing for this server; the message is the reason."""


class Broken(Exception):
    """The check could not be carried out: what it builds on did not work. The message says what."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as text."""

    sent: str
    came: str


def excerpt(text: str, limit: int = EXCERPT) -> str:
    """A text, cut when it is long."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def clean(text: str, redact: Callable[[str], str]) -> str:
    """A text, redacted and cut. The redacting comes first, so that no half of a secret is left where the text is cut; but what lies far
    beyond the cut need not be looked at."""
    return excerpt(redact(text[:HEAD])) + (f"… ({len(text)} characters)" if len(text) > HEAD else "")


def describe(response: Response, redact: Callable[[str], str]) -> str:
    """An answer as text: status, media type, body."""
    kind = response.headers.get("Content-Type")
    body = clean(response.body.decode("utf-8", "backslashreplace"), redact)
    return f"{response.status}" + (f" ({redact(kind)})" if kind else "") + (f" {body}" if body else "")


def shown(value: Any) -> str:
    """A value in a message, whole: what is made of it is redacted and cut."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return repr(value)
