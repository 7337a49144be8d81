"""``tenant export``: everything of one tenant, as JSON Lines.

The first line says what this is: ``type`` export, ``format``, ``version``. Then a line for each row: its ``type``, and its
values by name (``store.export``). The last line, ``type`` end, counts them: without it something is missing. All of it is as
it was in one moment; the server serves on meanwhile.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click
import orjson

from scim_server import clock
from scim_server.cli import opening
from scim_server.cli.output import iso, json_option
from scim_server.events import Scope, TenantExported
from scim_server.scim import json_text

if TYPE_CHECKING:
    from scim_server.store.unit import Store

FORMAT, VERSION = "scim-server-tenant-export", 1
_STDOUT = "-"
_TELL_EVERY_S = 0.2


@click.command("export")
@click.argument("name")
@click.option("--output", required=True, metavar="FILE", help="Where to; - is standard output.")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@json_option
def export(name: str, output: str, force: bool, as_json: bool) -> None:
    """Write everything of a tenant to a file, as JSON Lines: what ended, too; never a secret, nor its hash.

    It is written for its owner's eyes only, and appears under its name when it is complete. The export is recorded in the
    tenant's audit trail.
    """
    with opening.database(opening.read_settings()) as opened:
        tenant = opened.tenant(name)
        scope = Scope(tenant.id, opening.operator(), request_id="")
        if output == _STDOUT:
            rows = _to_stdout(opened.store, scope)
        else:
            with _file(Path(output), force) as file:
                rows = _written(opened.store, scope, file, Counter())
                _record(opened.store, scope, rows)
    summary = orjson.dumps({"file": output, "rows": rows}) if as_json else _told(name, output, rows)
    click.echo(summary, err=output == _STDOUT)


def _to_stdout(store: Store, scope: Scope) -> Counter[str]:
    """What went out is recorded even if somebody breaks it off: it cannot be taken back."""
    rows: Counter[str] = Counter()
    out = sys.stdout.buffer
    try:
        _written(store, scope, out, rows)
        out.flush()
    except BrokenPipeError:  # nobody reads any more: click ends quietly then
        raise
    except OSError as fault:
        raise click.ClickException(f"Standard output cannot be written: {fault.strerror}. What is there is not complete.") from fault
    finally:
        if rows:
            _record(store, scope, rows)
    return rows


def _written(store: Store, scope: Scope, out: BinaryIO, rows: Counter[str]) -> Counter[str]:
    """Write it all; ``rows`` counts, by type, what was written."""
    progress = _Progress(sys.stderr)
    with store.picture(scope) as unit:
        out.write(_line({"type": "export", "format": FORMAT, "version": VERSION, "exported": iso(clock.now())}))
        for kind, row in unit.export.everything():
            rows[kind] += 1
            out.write(_line({"type": kind, **row}))
            progress.tell(rows)
        out.write(_line({"type": "end", "rows": dict(rows)}))
    progress.end()
    return rows


def _line(value: dict[str, object]) -> bytes:
    return json_text.dumps(value) + b"\n"


def _record(store: Store, scope: Scope, rows: Counter[str]) -> None:
    with store.write(scope) as unit:
        unit.events.append(TenantExported(scope.tenant_id, dict(rows)))


@contextmanager
def _file(target: Path, force: bool) -> Iterator[BinaryIO]:
    """A file beside the target that takes its name at the end, if all went well; else nothing is left of it."""
    if target.is_dir():
        raise click.ClickException(f"{target} is a folder. Name a file in it.")
    _refuse_to_replace(target, force)
    try:
        descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".part")  # mode 0600
    except OSError as fault:
        raise _cannot(target, fault) from fault
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _refuse_to_replace(target, force)
        os.replace(unfinished, target)
    except OSError as fault:
        raise _cannot(target, fault) from fault
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _refuse_to_replace(target: Path, force: bool) -> None:
    if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        raise click.ClickException(f"{target} is no file that could be replaced. Choose another name, or use --output - and a pipe.")
    if not force and os.path.lexists(target):
        raise click.ClickException(f"There is a file {target} already. Choose another name, or replace it with --force.")


def _cannot(target: Path, fault: OSError) -> click.ClickException:
    return click.ClickException(f"{target} cannot be written: {fault.strerror}. Choose a folder that is there, has room, and is yours.")


def _told(name: str, output: str, rows: Counter[str]) -> str:
    counts = ", ".join(f"{count:,} of type {kind}" for kind, count in rows.items())
    where = "standard output" if output == _STDOUT else output
    return f"The tenant {name!r} is exported to {where}: {counts}.\nIt holds personal data; keep it as you keep the database."


class _Progress:
    """How far it is, on a terminal; nothing elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None
        self._due = time.monotonic() + _TELL_EVERY_S
        self._told = False

    def tell(self, rows: Counter[str]) -> None:
        if self._stream is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _TELL_EVERY_S
        self._told = True
        print(f"\r{rows.total():,} rows", end="", file=self._stream, flush=True)

    def end(self) -> None:
        if self._told:
            print(f"\r{' ' * 30}\r", end="", file=self._stream, flush=True)
