"""`python -m conformance`: point the stranger at a SCIM server.

python -m conformance entra --base-url https://host/scim/v2 --token …   # play Entra's provisioning engine, then compare
python -m conformance check --base-url https://host/scim/v2 --token …   # graded checks, one requirement each
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from io import TextIOWrapper

_PROGRAMS = {
    "entra": ("conformance.entra.cli", "play Entra's provisioning engine against the server, read everything back and compare"),
    "check": ("conformance.checker.cli", "run the graded checks, each of one requirement"),
}


def main(argv: list[str] | None = None) -> int:
    """Hand everything after the subcommand to the program that owns it, which is imported only then."""
    parser = argparse.ArgumentParser(
        prog="conformance", description="A black-box SCIM 2.0 client. Exit status: 0 clean, 1 findings, 2 usage or unreachable."
    )
    parser.add_argument("program", choices=_PROGRAMS, help="; ".join(f"{name}: {text}" for name, (_, text) in _PROGRAMS.items()))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see `conformance PROGRAM --help`")
    options = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):  # what a server says may hold what no terminal can show
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    module, _ = _PROGRAMS[options.program]
    status: int = import_module(module).main(options.arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
