"""`python -m conformance check`: run the checks against a server and say how it did.

Exit status: 0 no MUST failed, 1 a MUST failed or could not be carried out, 2 usage, or the server cannot be reached or refuses the token.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from conformance import authentication
from conformance.bearer import NoToken
from conformance.checks import offer, report, runner
from conformance.checks.catalogue import select
from conformance.wire import Unreachable, Wire

USAGE = 2


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="python -m conformance check",
        description="Graded black-box checks of a SCIM 2.0 server. They make users and groups of their own and delete them again.",
        epilog=authentication.EPILOG
        + "\n\nExit status: 0 no MUST failed, 1 a MUST failed or could not be carried out, 2 usage or server out of reach.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_argument("--base-url", metavar="URL", help="the base URL, as https://host/scim/v2")
    arguments.add_argument("--json", metavar="FILE", type=Path, help="write the results as JSON")
    arguments.add_argument("--junit", metavar="FILE", type=Path, help="write the results as JUnit XML")
    arguments.add_argument(
        "--only", metavar="GROUP|ID", nargs="+", action="extend", help="only these groups or checks (users, users.create, …)"
    )
    arguments.add_argument("--list", action="store_true", help="show the checks and run none")
    arguments.add_argument("--quiet", action="store_true", help="show the summary only")
    arguments.add_argument("--timeout", metavar="SECONDS", type=float, default=20.0, help="how long to wait for an answer (default 20)")
    authentication.add_options(arguments)
    return arguments


def main(argv: list[str]) -> int:
    try:
        options = parser().parse_args(argv)
    except SystemExit as ended:  # argparse has said what was wrong, or shown the help
        return ended.code if isinstance(ended.code, int) else USAGE
    console, complaints = Console(), Console(stderr=True)

    def refuse(message: str) -> int:
        complaints.print(message, style="bold red", markup=False, soft_wrap=True)
        return USAGE

    try:
        checks = select(options.only)
    except ValueError as unknown:
        return refuse(f"{unknown}; --list shows what there is")
    if options.list:
        report.catalogue(console, checks)
        return 0
    if not options.base_url:
        return refuse("--base-url is needed")
    with ExitStack() as stack:
        try:
            way = stack.enter_context(authentication.opened(options))
            wire = stack.enter_context(Wire(options.base_url, way.source, timeout=options.timeout))
        except ValueError as bad:
            return refuse(str(bad))
        try:
            if refusal := greet(wire):
                return refuse(refusal)
            offered = offer.read(wire)
        except NoToken as none:
            return refuse(str(none))
        except Unreachable as unreachable:
            return refuse(f"the server cannot be reached: {unreachable.reason}")
        outcome = replace(runner.run(wire, offered, checks), authentication=way)
    for path, written in ((options.json, report.to_json), (options.junit, report.to_junit)):
        if path is not None:
            try:
                path.write_text(written(outcome), encoding="utf-8")
            except OSError as error:
                return refuse(f"cannot write {path}: {error.strerror}")
    (report.summary if options.quiet else report.text)(console, outcome)
    return outcome.exit_status


def greet(wire: Wire) -> str | None:
    """Why it makes no sense to go on, if so: with a token that is refused every check would fail for the same reason."""
    answer = wire.request("GET", "/Users", query={"count": 1})
    if answer.status in (401, 403):
        return f"the server refuses the token: GET {wire.base_url}/Users answers {answer.status}"
    if answer.status == 404:
        return f"no SCIM server there: GET {wire.base_url}/Users answers 404"
    return None
