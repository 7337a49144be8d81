"""What commands print: one JSON document for scripts, or text for people."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from scim_server.scim import json_text

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for scripts.")


def show(payload: Any, text: str, as_json: bool) -> None:
    """The result of a command, on standard output."""
    click.echo(json_text.dumps(payload) if as_json else text)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows under their names in capitals; the empty string where there are none."""
    if not rows:
        return ""
    lines = [[name.upper() for name in rows[0]], *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def _cell(value: Any) -> str:
    """Never a control character: a value must not move the cursor of whoever lists it."""
    if value in (None, ""):
        return "-"
    text = value if isinstance(value, str) else json_text.dumps(value).decode()
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z") if instant else None


def command(*arguments: str) -> str:
    """This program with these arguments, as can be pasted here."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        program = [relative(Path(sys.executable)), "-m", "scim_server.cli"]
    else:
        program = [called.name if shutil.which(called.name) == str(called) else relative(called)]
    return shlex.join([*program, *arguments])


def relative(path: Path) -> str:
    """The path as short as it can be pasted here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
