"""The audit trail: ``audit list``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.durations import since
from scim_server.cli.output import iso, json_option, show, table
from scim_server.events import Scope

if TYPE_CHECKING:
    from scim_server.store.unit import Recorded


@click.group()
def audit() -> None:
    """The audit trail: what happened, who did it, when."""


@audit.command("list")
@click.option("--tenant", required=True, help="The tenant's name.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many at most.")
@click.option("--since", "after", callback=since, help="Only what happened in the last 24h, 7d, 2w …, or since a time in ISO 8601.")
@click.option("--subject", help="Only what happened to this user, group or credential (its id).")
@json_option
def list_command(tenant: str, limit: int, after: datetime | None, subject: str | None, as_json: bool) -> None:
    """List a tenant's events, latest first."""
    with opening.database(opening.read_settings()) as opened:
        scope = Scope(opened.tenant(tenant).id, opening.operator(), request_id="")
        with opened.store.read(scope) as unit:
            latest = unit.events.list(limit, subject_id=subject)
    # Latest first: what is too old stands at the end, so leaving it out takes nothing else away.
    found = [_payload(each) for each in latest if after is None or each.occurred >= after]
    show(found, table(found) or "There is no such event.", as_json)


def _payload(recorded: Recorded) -> dict[str, Any]:
    return {
        "time": iso(recorded.occurred),
        "event": recorded.tag,
        "subject": recorded.subject_id,
        "by": f"{recorded.principal.kind} {recorded.principal.id}",
        "request": recorded.request_id,
        "data": recorded.data,
    }
