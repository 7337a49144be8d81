"""One thing in detail, for people: a line for each fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scim_server.cli.output import table


def facts(known: Sequence[tuple[str, Any]]) -> str:
    """Names and values beside each other. Of a list each element has a line, and only the first the name."""
    rows = []
    for name, value in known:
        values = (value or [None]) if isinstance(value, list | tuple) else [value]
        rows += [{"name": " " if nth else name, "value": each} for nth, each in enumerate(values)]
    return "\n".join(table(rows).splitlines()[1:])
