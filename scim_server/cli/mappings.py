"""Roles by group: ``mapping add``, ``mapping list``, ``mapping remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.output import command, iso, json_option, show, table

if TYPE_CHECKING:
    from scim_server.store.rules import Rule

ROLES = ("employee", "agent", "manager", "admin", "auditor")

_tenant_option = click.option("--tenant", required=True, help="The tenant's name.")
_group_option = click.option("--group", required=True, metavar="OBJECT_ID", help="The group's object id in Microsoft Entra ID.")
_role_option = click.option("--role", required=True, type=click.Choice(ROLES), help="What its members are.")


@click.group()
def mapping() -> None:
    """Mappings: which group gives which role. Of several ranked roles a person has the highest; auditor is beside them."""


@mapping.command("add")
@_tenant_option
@_group_option
@_role_option
@json_option
def add_command(tenant: str, group: str, role: str, as_json: bool) -> None:
    """Give members of a group a role. Whoever is signed in has it at once.

    A mapping that is there already stays as it is: that is told, and no failure.
    """
    from scim_server.access import rules
    from scim_server.store.errors import Taken

    with opening.database(opening.read_settings()) as opened:
        scope = opened.scope(tenant)
        try:
            added = opened.store.transact(scope, lambda unit: rules.add_mapping(unit, group, role))
        except Taken:
            added = False
        except rules.Unusable as fault:
            raise click.ClickException(str(fault)) from fault
    done = f"Members of {group} have the role {role} now." if added else f"Members of {group} had the role {role} before; that stays."
    show({"tenant": tenant, "group": group.strip().lower(), "role": role, "added": added}, done, as_json)


@mapping.command("list")
@_tenant_option
@json_option
def list_command(tenant: str, as_json: bool) -> None:
    """List a tenant's mappings. Who is in a group is known from SCIM, where it is provisioned; else from the sign-in token."""
    from scim_server.access import rules

    with opening.database(opening.read_settings()) as opened, opened.store.read(opened.scope(tenant)) as unit:
        found = [payload(each) for each in rules.mappings(unit.rules.all())]
    adding = command("mapping", "add", "--tenant", tenant, "--group", "OBJECT_ID", "--role", "ROLE")
    show(found, table(found) or f"There is no mapping yet: everybody is an employee. To add one: {adding}", as_json)


@mapping.command("remove")
@_tenant_option
@_group_option
@_role_option
@json_option
def remove_command(tenant: str, group: str, role: str, as_json: bool) -> None:
    """Give members of a group a role no more. Whoever is signed in loses it at once, unless another group gives it."""
    from scim_server.access import rules

    with opening.database(opening.read_settings()) as opened:
        try:
            removed = opened.store.transact(opened.scope(tenant), lambda unit: rules.remove_mapping(unit, group, role))
        except rules.Unusable as fault:
            raise click.ClickException(str(fault)) from fault
    if not removed:
        listing = command("mapping", "list", "--tenant", tenant)
        raise click.ClickException(f"The tenant {tenant!r} has no mapping of {group} to {role}. Those it has: {listing}")
    done = f"Members of {group} do not have the role {role} by that any more."
    show({"tenant": tenant, "group": group.strip().lower(), "role": role, "removed": True}, done, as_json)


def payload(rule: Rule) -> dict[str, Any]:
    """A rule, for lists: with the group's name where SCIM knows it, and where it is known from who is in it."""
    told = {"group": rule.group, "name": rule.group_name, "role": rule.role}
    known_from = "scim" if rule.provisioned else "token"
    return {**{name: value for name, value in told.items() if name != "role" or value}, "known_from": known_from, "since": iso(rule.since)}
