"""Tenants: ``tenant create``, ``tenant list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.output import command, iso, json_option, show, table

if TYPE_CHECKING:
    from scim_server.store.registry import Registry, Tenant

PROFILES = ("entra", "okta", "rfc")
_MAX_NAME = 100


@click.group()
def tenant() -> None:
    """Tenants: customers that are kept apart."""


@tenant.command("create")
@click.argument("name")
@click.option("--profile", type=click.Choice(PROFILES), default="entra", show_default=True, help="How lenient the wire is; rfc is strict.")
@json_option
def create_command(name: str, profile: str, as_json: bool) -> None:
    """Make a tenant."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        made = create(opened.registry, name, profile)
    following = command("credential", "create", "--tenant", made.name)
    show(
        {**_payload(made), "tenant_url": settings.tenant_url},
        f"The tenant {made.name!r} is made. Next, a credential for its SCIM client:\n  {following}",
        as_json,
    )


@tenant.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the tenants."""
    with opening.database(opening.read_settings()) as opened:
        found = [_payload(each) for each in opened.registry.tenants.list()]
    show(found, table(found) or f"There is no tenant yet. To make one: {command('tenant', 'create', 'NAME')}", as_json)


def create(registry: Registry, name: str, profile: str) -> Tenant:
    """A new tenant, if the name is free and can be typed."""
    from scim_server.store.errors import Taken

    if not (name.isprintable() and name == name.strip() and 0 < len(name) <= _MAX_NAME):
        raise click.ClickException(f"A tenant's name has 1 to {_MAX_NAME} printable characters, and no space at either end.")
    try:
        return registry.tenants.create(name, opening.operator(), profile=profile)
    except Taken as fault:
        raise click.ClickException(
            f"There is a tenant {name!r} already. Choose another name; those taken: {command('tenant', 'list')}"
        ) from fault


def _payload(tenant: Tenant) -> dict[str, Any]:
    return {"id": tenant.id, "name": tenant.name, "profile": tenant.profile, "created": iso(tenant.created)}
