"""The server and its database: ``serve``, ``db upgrade``."""

from __future__ import annotations

import click

from scim_server.cli import demo as demo_tenant
from scim_server.cli import keys, opening
from scim_server.cli.output import json_option, show


@click.command()
@click.option("--migrate", is_flag=True, help="Apply pending migrations first. The embedded database is always migrated.")
@click.option(
    "--demo", is_flag=True, help=f"Make a tenant {demo_tenant.NAME!r} with a credential if need be, and print what to paste into Entra."
)
def serve(migrate: bool, demo: bool) -> None:
    """Serve SCIM and sign-in until Ctrl-C or SIGTERM."""
    from scim_server import server

    settings = opening.read_settings()
    try:
        server.check_address(settings)
    except server.CannotListen as fault:
        raise click.ClickException(str(fault)) from fault
    if migrate or settings.embedded_file:
        opening.upgrade(settings)
    # Closed again before the workers are forked: they must not share a connection.
    with opening.database(settings) as opened, keys.faults_told():
        keys.ring(settings, opened).check()
        if demo:
            demo_tenant.prepare(settings, opened)
    server.run(settings)


@click.group()
def db() -> None:
    """The database."""


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Make the database if need be, and apply pending migrations. Safe at any time, and from several nodes at once."""
    settings = opening.read_settings()
    changed = opening.upgrade(settings)
    done = "The migrations were applied" if changed else "There was nothing to do"
    show({"database": settings.database_name, "changed": changed}, f"{done}: {settings.database_name} is up to date.", as_json)
