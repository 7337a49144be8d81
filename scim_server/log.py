"""The log: one JSON object a line on standard error, whoever speaks.

Our own lines come through structlog, those of libraries (gunicorn, alembic, warnings) through the
standard library's logging; both end in the same processors. Standard output belongs to the answers
of commands.

Never in a line: a token, a password, a body. Fields of such a name are masked, and so is whatever
looks like a secret within any other text, tracebacks included.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

MASK = "[masked]"

_SECRET_NAME = re.compile(r"authorization|token|secret|passw|cookie|(^|_)body$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"""
      (?P<kept>\b(?:bearer|basic)\s+(?!(?:tokens?|auth|authentication|credentials?|scheme)\b))[^\s"',;]+  # Authorization
    | \bscim_[A-Za-z0-9_-]{16,}                                 # a token of ours
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*    # a JWT
    | (?P<before>://[^\s:/@]*:)[^\s@"']+(?=@)                   # the password in a URL
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SECRET_HINT = re.compile(r"bearer|basic|scim_|eyj|://", re.IGNORECASE)  # no match of _SECRET_TEXT is without one; a tenth of its cost
_MAX_DEPTH = 8

_threshold = logging.INFO


def configure(level: str) -> None:
    """From now on write, in this process, what is at least as severe as this level. May be called again."""
    global _threshold
    _threshold = threshold = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*_stamps(), _mask, _render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_standard_error,
    )
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(_Handler())
    # What libraries say at INFO is of use only to those who debug them.
    root.setLevel(threshold if threshold <= logging.DEBUG else max(threshold, logging.WARNING))
    logging.captureWarnings(True)


def get() -> FilteringBoundLogger:
    """The logger: ``get().warning("what_happened", field=value)``."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def access(**fields: Any) -> None:
    """The one line of a finished request, at level INFO. Fields that are None are left out.

    Made by the same processors as every other line, without structlog's way to them: it is the one line that every request pays for.
    """
    if _threshold > logging.INFO:
        return
    event: EventDict = {name: value for name, value in fields.items() if value is not None}
    event.update(event="request", level="info", time=datetime.now(UTC).isoformat().replace("+00:00", "Z"))
    sys.stderr.write(_render(None, "info", _mask(None, "info", event)) + "\n")


def formatter() -> logging.Formatter:
    """Turns a record of the standard library's logging into a line like ours."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_stamps(),
        processors=[_logger_name, structlog.stdlib.ProcessorFormatter.remove_processors_meta, _mask, _render],
    )


class _Handler(logging.Handler):
    """Writes to what standard error is at that moment, so that nothing holds on to a replaced one."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(formatter())

    def emit(self, record: logging.LogRecord) -> None:
        _standard_error().msg(self.format(record))


def _standard_error(*_names: str) -> structlog.WriteLogger:
    return structlog.WriteLogger(sys.stderr)


def _stamps() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]


def _logger_name(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Which library speaks."""
    event["logger"] = event["_record"].name
    return event


def _mask(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Take out every secret, by the name of its field or by its look."""
    return {name: MASK if _is_secret(name) and value is not None else _clean(value, _MAX_DEPTH) for name, value in event.items()}


@lru_cache(maxsize=512)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _clean(value: Any, depth: int) -> Any:
    """The value as JSON, without secrets. What is no JSON value is written as text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth and isinstance(value, dict):
        return {str(name): MASK if _is_secret(str(name)) else _clean(each, depth - 1) for name, each in value.items()}
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(each, depth - 1) for each in value]
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return _SECRET_TEXT.sub(_masked, text) if _SECRET_HINT.search(text) else text


def _masked(found: re.Match[str]) -> str:
    return (found["kept"] or found["before"] or "") + MASK


def _render(_logger: Any, _method: str, event: EventDict) -> str:
    try:
        return orjson.dumps(event).decode()
    except TypeError:  # a lone surrogate, or an integer beyond 64 bits: a line is written all the same
        return json.dumps(event)
