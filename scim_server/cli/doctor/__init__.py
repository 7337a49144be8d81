"""``doctor``: what is not as it should be, and how to mend it.

examination   the checks in their order, and what keeps one from being made
verdicts      what a check says
settings      the settings themselves, and the folder of the embedded database
databases     the database, and whether it keeps tenants apart
secrets       keys, and what is encrypted under them
records       tenants, credentials, domains
outside       DNS, issuers, clocks, our own address
asking        a question to a web server: when did it answer what
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from scim_server.cli.output import json_option, show

if TYPE_CHECKING:
    from scim_server.cli.doctor.examination import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "cyan"}


@click.command()
@click.option("--offline", is_flag=True, help="Ask nobody but the database.")
@json_option
def doctor(offline: bool, as_json: bool) -> None:
    """Check the settings, the database, the keys, the clock and the way out, and say how to mend what is not right.

    Exit status 1 if a check failed; warnings alone are 0.
    """
    from scim_server.cli.doctor.examination import examine

    found = examine(offline=offline)
    healthy = all(each.state != "failed" for each in found)
    checks = [{"name": each.name, "state": each.state, "finding": each.finding, "remedy": each.remedy} for each in found]
    show({"ok": healthy, "checks": checks}, _text(found), as_json)
    if not healthy:
        click.get_current_context().exit(1)


def _text(found: list[Finding]) -> str:
    width = max(len(each.name) for each in found)
    lines = []
    for each in found:
        first, *more = each.finding.splitlines()
        lines.append(f"{click.style(each.state.ljust(7), _COLOURS[each.state])}  {each.name.ljust(width)}  {first}")
        lines += [" " * (width + 11) + line for line in more]
        lines += [" " * (width + 11) + line for line in (f"Mend: {each.remedy}".splitlines() if each.remedy else [])]
    counts = Counter(each.state for each in found)
    summary = ", ".join(f"{counts[state]} {state}" for state in _COLOURS if counts[state])
    return "\n".join([*lines, "", f"{len(found)} checks: {summary}."])
