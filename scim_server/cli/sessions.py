"""Who is signed in: ``session list``, ``session end``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.output import command, iso, json_option, show, table

if TYPE_CHECKING:
    from scim_server.store.sessions import Session
    from scim_server.store.unit import Unit

_MOST = 1000
_IN_TABLE = ("id", "user_name", "roles", "created", "last_used", "address")
_tenant_option = click.option("--tenant", required=True, help="The tenant's name.")


@click.group()
def session() -> None:
    """Sessions: who is signed in."""


@session.command("list")
@_tenant_option
@click.option("--user", help="Only this user's, by userName or id.")
@click.option("--all", "with_ended", is_flag=True, help="Of that user, also those that have ended, and why.")
@json_option
def list_command(tenant: str, user: str | None, with_ended: bool, as_json: bool) -> None:
    """List sessions, newest first; never what opens them."""
    if with_ended and user is None:
        raise click.UsageError("--all needs --user: whose sessions?")
    with opening.database(opening.read_settings()) as opened, opened.store.read(opened.scope(tenant)) as unit:
        if user is None:
            found = [_payload(each, document["userName"]) for each, document in unit.sessions.live(_MOST)]
        else:
            user_id, name = _user(unit, user, tenant)
            found = [_payload(each, name) for each in unit.sessions.of_user(user_id, _MOST) if with_ended or each.ended is None]
    columns = (*_IN_TABLE, "ended", "end_reason") if with_ended else _IN_TABLE
    rows = [{name: " ".join(each[name]) if name == "roles" else each[name] for name in columns} for each in found]
    show(found, table(rows) or "Nobody is signed in.", as_json)


@session.command("end")
@_tenant_option
@click.argument("id", required=False)
@click.option("--user", help="All sessions of this user, by userName or id.")
@click.option("--all", "everybodys", is_flag=True, help="All sessions of the tenant.")
@json_option
def end_command(tenant: str, id: str | None, user: str | None, everybodys: bool, as_json: bool) -> None:
    """End a session, or all of a user or tenant: the next request with it is refused, on every node. People may sign in again."""
    if sum((id is not None, user is not None, everybodys)) != 1:
        raise click.UsageError("Say which: the id of a session, --user, or --all.")

    def end(unit: Unit) -> int:
        from scim_server.access import departure

        reason = departure.ENDED_BY_OPERATOR
        if everybodys:
            return departure.end_all_sessions(unit, reason)
        if user is not None:
            return departure.end_sessions_of_user(unit, _user(unit, user, tenant)[0], reason)
        return int(departure.end_session(unit, id or "", reason))

    with opening.database(opening.read_settings()) as opened:
        ended = opened.store.transact(opened.scope(tenant), end)
    if id is not None and not ended:
        listing = command("session", "list", "--tenant", tenant)
        raise click.ClickException(f"There is no session {id!r} to end. Those there are: {listing}")
    show({"tenant": tenant, "ended": ended}, f"{ended} session{' is' if ended == 1 else 's are'} ended.", as_json)


def _user(unit: Unit, text: str, tenant: str) -> tuple[str, str]:
    """Id and userName."""
    found = unit.users.get(text, groups=False) or unit.users.get(unit.users.named(text) or "", groups=False)
    if found is None:
        raise click.ClickException(f"The tenant {tenant!r} has no user {text!r}.")
    return found.id, found.document["userName"]


def _payload(session: Session, user_name: str) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "user_name": user_name,
        "roles": list(session.roles),
        "created": iso(session.created),
        "last_used": iso(session.seen),
        "confirmed": iso(session.refreshed),
        "expires": iso(session.expires),
        "address": session.address,
        "user_agent": session.user_agent,
        "ended": iso(session.ended),
        "end_reason": session.end_reason,
    }
