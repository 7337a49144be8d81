"""The audit trail: ``audit list``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.durations import since
from scim_server.cli.output import iso, json_option, show, table
from scim_server.events import SERVER, Scope

if TYPE_CHECKING:
    from scim_server.store.unit import Recorded, Store

_PAGE = 1000
_OUT_OF_ORDER = timedelta(minutes=5)
"""What had to wait for something else stands behind it, with the time at which it began."""


@click.group()
def audit() -> None:
    """The audit trail: what happened, who did it, when."""


@audit.command("list")
@click.option("--tenant", help="The tenant's name.")
@click.option("--server", is_flag=True, help="The server's own log: what belongs to no tenant, such as refusals of unknown credentials.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many at most.")
@click.option("--since", "after", callback=since, help="Only what happened in the last 24h, 7d, 2w …, or since a time in ISO 8601.")
@click.option("--subject", help="Only what happened to this user, group or credential (its id).")
@click.option("--event", "tag", default="", help="Only events whose name begins so, such as operator: or auth:credential:refused.")
@json_option
def list_command(
    tenant: str | None, server: bool, limit: int, after: datetime | None, subject: str | None, tag: str, as_json: bool
) -> None:
    """List the events of a tenant (--tenant), or of the server itself (--server), latest first."""
    if (tenant is not None) == server:
        raise click.UsageError("Say whose events: --tenant NAME, or --server for those that belong to no tenant.")
    with opening.database(opening.read_settings()) as opened:
        scope = Scope(SERVER if tenant is None else opened.tenant(tenant).id, opening.operator(), request_id="")
        latest = _latest(opened.store, scope, _PAGE if tag else min(limit, _PAGE), subject)
        wanted = (each for each in _since(latest, after) if each.tag.startswith(tag))
        found = [_payload(each) for each in islice(wanted, limit)]
    show(found, table(found) or "There is no such event.", as_json)


def _latest(store: Store, scope: Scope, page_size: int, subject: str | None) -> Iterator[Recorded]:
    """All events, latest first, read as far as somebody wants them."""
    before = None
    while True:
        with store.read(scope) as unit:
            page = unit.events.list(page_size, before=before, subject_id=subject)
        yield from page
        if len(page) < page_size:
            return
        before = page[-1].id


def _since(latest: Iterator[Recorded], after: datetime | None) -> Iterator[Recorded]:
    """Those that are recent enough. Where one is much too old there is none further on."""
    for each in latest:
        if after is None or each.occurred >= after:
            yield each
        elif after - each.occurred > _OUT_OF_ORDER:
            return


def _payload(recorded: Recorded) -> dict[str, Any]:
    return {
        "time": iso(recorded.occurred),
        "event": recorded.tag,
        "subject": recorded.subject_id,
        "by": f"{recorded.principal.kind} {recorded.principal.id}",
        "request": recorded.request_id,
        "data": recorded.data,
    }
