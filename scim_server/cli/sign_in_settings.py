"""How a tenant's people sign in: the options of ``tenant set`` that say so, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

DEFAULT = "default"

Command = TypeVar("Command", bound=Callable[..., Any])

_LENGTH = re.compile(r"([1-9]\d{0,5})([mhd])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST_S = 2_592_000
_MAX_CONTACT = 200


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> int | str | None:
    """Option callback: 30m, 8h, 7d; or default."""
    if text is None or text == DEFAULT:
        return text
    found = _LENGTH.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 60 <= seconds <= _LONGEST_S:
        raise click.BadParameter("Use a number with m, h or d, from 1m to 30d, such as 30m or 8h; or default.")
    return seconds


def _contact(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is not None and (len(text) > _MAX_CONTACT or not text.isprintable()):
        raise click.BadParameter(f"Use at most {_MAX_CONTACT} printable characters.")
    return DEFAULT if text == "" else text


def _guests(_context: click.Context, _option: click.Parameter, text: str | None) -> bool | None:
    return None if text is None else text == "allow"


def sign_in_options(function: Command) -> Command:
    """The options by which a tenant says how its people sign in."""
    length = "LENGTH|default"
    for option in reversed(
        (
            click.option(
                "--session-idle", "session_idle_s", callback=_seconds, metavar=length, help="When a session is over that is not used."
            ),
            click.option("--session-max", "session_max_s", callback=_seconds, metavar=length, help="When a session is over anyway."),
            click.option(
                "--link-by-user-name/--no-link-by-user-name",
                default=None,
                help="Whether somebody may be found to be a user by the name he signs in with, in a verified domain of the tenant.",
            ),
            click.option("--guests", type=click.Choice(("allow", "refuse")), callback=_guests, help="Whether guests may sign in."),
            click.option("--contact", callback=_contact, help="Whom somebody asks who was refused; shown to him. Empty: nobody is named."),
        )
    ):
        function = option(function)
    return function


def sign_in_facts(whole: dict[str, Any]) -> list[tuple[str, Any]]:
    """What ``tenant show`` says of it."""
    return [
        ("Sessions", f"over after {_words(whole, 'session_max_s')}, or {_words(whole, 'session_idle_s')} without use"),
        ("Guests", "refused" if whole["guests"] is False else "allowed"),
        ("Link by user name", "in verified domains" if whole["link_by_user_name"] else "never"),
        ("Contact", whole["contact"]),
    ]


def _words(whole: dict[str, Any], name: str) -> str:
    seconds = whole[name] or whole[f"{name}_default"]
    unit = next((each for each in ("d", "h", "m") if seconds % _SECONDS[each] == 0), None)
    length = f"{seconds // _SECONDS[unit]}{unit}" if unit else f"{seconds} s"
    return length if whole[name] else f"{length} (the default)"
