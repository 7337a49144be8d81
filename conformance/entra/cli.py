"""`python -m conformance entra`: options, one run, exit status 0 (no difference), 1 (differences), 2 (usage, unreachable)."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from conformance import authentication
from conformance.authentication import Authentication
from conformance.entra.compare import Comparison
from conformance.entra.directory import Directory
from conformance.entra.engine import Engine
from conformance.entra.progress import Reporter
from conformance.entra.report import Outcome, show, write_json
from conformance.entra.sender import CredentialRefused, GaveUp, Sender, Stopped
from conformance.entra.service import Refused
from conformance.entra.tally import Tally
from conformance.wire import Wire

_START_PATIENCE = 5.0


def _number(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return value

    return parse


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", text):
        raise argparse.ArgumentTypeError("a letter, then up to 15 letters or digits, all lower case")
    return text


def parser() -> argparse.ArgumentParser:
    it = argparse.ArgumentParser(
        prog="conformance entra",
        description="Plays Entra's provisioning engine against a SCIM server from an invented directory, then reads back and compares.",
        epilog=authentication.EPILOG
        + "\n\nExit status: 0 no difference, 1 differences, 2 usage, unreachable or unreadable. Everything a run makes has its prefix and"
        "\nis left behind; running the same seed again on the same tenant matches what is there, and must converge too.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("--base-url", required=True, help="the Tenant URL, e.g. https://scim.example.com/scim/v2")
    it.add_argument("--users", type=_number(1), default=1000)
    it.add_argument("--groups", type=_number(0), default=50)
    it.add_argument("--cycles", type=_number(0), default=5, help="incremental cycles after the initial one (default: 5)")
    it.add_argument("--dialect", choices=("legacy", "flag", "both"), default="both", help="both: in turn, and on demand the other one")
    it.add_argument("--workers", type=_number(1), default=4, help="requests at the same time (default: 4)")
    it.add_argument("--seed", type=int, default=7, help="decides the directory and all changes")
    it.add_argument("--prefix", type=_prefix, help="marks this run's resources (default: bk and the seed)")
    it.add_argument(
        "--external-id", choices=("mailNickname", "objectId"), default="mailNickname", help="what is mapped to externalId of users"
    )
    it.add_argument("--retry-seconds", type=float, default=60.0, help="how long one request is repeated before escrow (default: 60)")
    it.add_argument("--timeout", type=float, default=20.0, help="seconds to wait for an answer (default: 20)")
    it.add_argument("--show", type=_number(0), default=20, metavar="N", help="rows of each list that are printed (default: 20)")
    it.add_argument("--json", type=Path, metavar="FILE", help="write everything, all differences included, to FILE")
    it.add_argument("--quiet", action="store_true", help="no progress, only the report")
    authentication.add_options(it)
    return it


def main(argv: list[str]) -> int:
    """One run. Ctrl-C stops it and reports what there is."""
    options = parser().parse_args(argv)
    if options.json is not None and not options.json.parent.is_dir():
        parser().error(f"--json: there is no folder {options.json.parent}")
    with ExitStack() as stack:
        try:
            way = stack.enter_context(authentication.opened(options))
            wire = Wire(options.base_url, way.source, options.timeout)
        except ValueError as error:
            parser().error(str(error))
        return _run(options, wire, way)


def _run(options: argparse.Namespace, wire: Wire, way: Authentication) -> int:
    tally = Tally()
    reporter = Reporter(Console(stderr=True), tally, quiet=options.quiet)
    directory = Directory(options.seed, options.users, options.groups, options.prefix)
    sender = Sender(wire, tally, min(options.retry_seconds, _START_PATIENCE))
    external_id = "oid" if options.external_id == "objectId" else "nickname"
    engine = Engine(sender, directory, reporter, dialect=options.dialect, workers=options.workers, external_id=external_id)
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in authentication.public(options).items()}
    outcome = Outcome(settings, tally, engine.cycles, {}, 0.0, {}, way)
    begun = time.monotonic()
    try:
        engine.exporter.test_connection()
        sender.retry_seconds = options.retry_seconds
        engine.run(options.cycles)
        outcome.differences = Comparison(engine.exporter, reporter, options.workers).run()
    except CredentialRefused as error:
        outcome.stopped = str(error)
    except (GaveUp, Refused) as error:
        outcome.stopped = str(error)
    except (KeyboardInterrupt, Stopped):
        outcome.stopped = "interrupted"
    finally:
        wire.close()
    outcome.seconds = time.monotonic() - begun
    for remark in way.source.remarks:
        tally.remark(remark)
    outcome.escrow = engine.left()
    outcome.resources = {"users": len(engine.exporter.ledger.users), "groups": len(engine.exporter.ledger.groups)}
    console = Console() if Console().is_terminal else Console(width=160)
    show(outcome, console, options.show)
    if options.json is not None:
        write_json(outcome, options.json)
    return outcome.exit_status
