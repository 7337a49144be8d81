"""Who may sign in: ``restriction set``, ``restriction list``, ``restriction clear``."""

from __future__ import annotations

import click

from scim_server.cli import opening
from scim_server.cli.mappings import payload
from scim_server.cli.output import command, json_option, show, table

_tenant_option = click.option("--tenant", required=True, help="The tenant's name.")


@click.group()
def restriction() -> None:
    """Restrictions: only members of certain groups may sign in. Without any, everybody of the tenant's directories may."""


@restriction.command("set")
@_tenant_option
@click.option("--group", "groups", multiple=True, required=True, metavar="OBJECT_ID…", help="A group's object id; more may follow.")
@click.argument("more", nargs=-1, metavar="")
@json_option
def set_command(tenant: str, groups: tuple[str, ...], more: tuple[str, ...], as_json: bool) -> None:
    """Let only members of these groups sign in, in place of those that were set before. Sessions of others end at once."""
    _set(tenant, [*groups, *more], as_json)


@restriction.command("list")
@_tenant_option
@json_option
def list_command(tenant: str, as_json: bool) -> None:
    """List the groups whose members may sign in."""
    from scim_server.access import rules

    with opening.database(opening.read_settings()) as opened, opened.store.read(opened.scope(tenant)) as unit:
        found = [payload(each) for each in rules.restrictions(unit.rules.all())]
    setting = command("restriction", "set", "--tenant", tenant, "--group", "OBJECT_ID")
    show(found, table(found) or f"There is no restriction: everybody may sign in. To set one: {setting}", as_json)


@restriction.command("clear")
@_tenant_option
@json_option
def clear_command(tenant: str, as_json: bool) -> None:
    """Let everybody of the tenant's directories sign in."""
    _set(tenant, [], as_json)


def _set(tenant: str, groups: list[str], as_json: bool) -> None:
    from scim_server.access import rules

    with opening.database(opening.read_settings()) as opened:
        try:
            changed, ended = opened.store.transact(opened.scope(tenant), lambda unit: rules.restrict(unit, groups))
        except rules.Unusable as fault:
            raise click.ClickException(str(fault)) from fault
    wanted = sorted({each.strip().lower() for each in groups})
    who = f"Only members of {', '.join(wanted)} may sign in" if wanted else "Everybody may sign in"
    text = f"{who} now." if changed else f"{who}; that was so before."
    if ended:
        text += f" {ended} session{'' if ended == 1 else 's'} of others ended."
    show({"tenant": tenant, "groups": wanted, "changed": changed, "sessions_ended": ended}, text, as_json)
