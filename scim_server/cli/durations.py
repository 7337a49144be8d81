"""Lengths of time and instants, as options of commands give them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from scim_server import clock

_LENGTH = re.compile(r"([1-9]\d{0,4})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """``12h``, ``90d`` or ``8w``."""
    found = _LENGTH.fullmatch(text)
    if not found:
        raise click.BadParameter("Use a number with h, d or w, such as 12h, 90d or 8w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def expiry(_context: click.Context, _option: click.Parameter, text: str) -> datetime | None:
    """Option callback: so long from now, or never."""
    return None if text == "never" else clock.now() + duration(text)


def overlap(_context: click.Context, _option: click.Parameter, text: str) -> timedelta:
    """Option callback: so long, or none."""
    return timedelta(0) if text == "none" else duration(text)


def since(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """Option callback: so long ago, or a time in ISO 8601, in UTC where it names no zone."""
    if text is None:
        return None
    if _LENGTH.fullmatch(text):
        return clock.now() - duration(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as fault:
        raise click.BadParameter("Use 24h, 7d or 2w, or a time such as 2026-11-23T14:00:00Z.") from fault
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
