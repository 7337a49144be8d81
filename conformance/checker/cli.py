"""`python -m conformance check`: run the checks against a server and say how it did.

Exit status: 0 no MUST failed, 1 a MUST failed or could not be carried out, 2 usage, or the server cannot be reached or refuses the token.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from conformance import authentication
from conformance.bearer import NoToken
from conformance.checker import offer, report, runner
from conformance.checker.catalogue import select
from conformance.checker.offer import ME, OTHER
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
    arguments.add_argument(
        "--requirements",
        action="store_true",
        help="show, for each requirement, by which checks it is shown and how they ended (in --json always)",
    )
    arguments.add_argument(
        "--other-token", metavar="TOKEN", help="a token of another tenant, for the checks of isolation (default: SCIM_OTHER_TOKEN)"
    )
    arguments.add_argument(
        "--me-token", metavar="TOKEN", help="a token of a person, for the checks of /Me (default: SCIM_ME_TOKEN, or else the first token)"
    )
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
        (report.requirements_of if options.requirements else report.catalogue)(console, checks)
        return 0
    if not options.base_url:
        return refuse("--base-url is needed")
    with ExitStack() as stack:
        try:
            way = stack.enter_context(authentication.opened(options))
            wire = stack.enter_context(Wire(options.base_url, way.source, timeout=options.timeout))
            besides = {
                name: stack.enter_context(Wire(options.base_url, token, timeout=options.timeout))
                for name, token in ((OTHER, _besides(options, "other_token")), (ME, _besides(options, "me_token")))
                if token
            }
        except ValueError as bad:
            return refuse(str(bad))
        try:
            if refusal := greet(wire) or greet_others(besides):
                return refuse(refusal)
            offered = offer.read(wire)
            others = {name: (each, offer.read(each)) for name, each in besides.items()}
        except NoToken as none:
            return refuse(str(none))
        except Unreachable as unreachable:
            return refuse(f"the server cannot be reached: {unreachable.reason}")
        outcome = replace(runner.run(wire, offered, checks, others=others), authentication=way)
    for path, written in ((options.json, report.to_json), (options.junit, report.to_junit)):
        if path is not None:
            try:
                path.write_text(written(outcome), encoding="utf-8")
            except OSError as error:
                return refuse(f"cannot write {path}: {error.strerror}")
    (report.summary if options.quiet else report.text)(console, outcome)
    if options.requirements:
        report.requirements(console, outcome)
    return outcome.exit_status


def _besides(options: argparse.Namespace, name: str) -> str | None:
    """A token besides the first: as it is given, or from the environment. ValueError if it cannot be one."""
    token = getattr(options, name) or os.environ.get(f"SCIM_{name.upper()}") or None
    if token and not (token.isascii() and token.isprintable()):
        raise ValueError(f"the value of --{name.replace('_', '-')} has characters in it that cannot be part of it; copy it once more")
    return token


def greet_others(besides: Mapping[str, Wire]) -> str | None:
    """Why it makes no sense to go on with the credentials besides the first, if so."""
    for name, path in ((OTHER, "/Users"), (ME, "/Me")):
        if (wire := besides.get(name)) and (status := wire.request("GET", path, query={"count": 1}).status) in (401, 403):
            return f"the server refuses the token of {name}: GET {wire.base_url}{path} answers {status}"
    return None


def greet(wire: Wire) -> str | None:
    """Why it makes no sense to go on, if so: with a token that is refused every check would fail for the same reason."""
    answer = wire.request("GET", "/Users", query={"count": 1})
    if answer.status in (401, 403):
        return f"the server refuses the token: GET {wire.base_url}/Users answers {answer.status}"
    if answer.status == 404:
        return f"no SCIM server there: GET {wire.base_url}/Users answers 404"
    return None
