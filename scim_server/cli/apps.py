"""The SaaS's own programs: ``app add``, ``app list``, ``app rotate``, ``app remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.output import command, iso, json_option, show, table

if TYPE_CHECKING:
    from scim_server.store.registry import App
    from scim_server.tenancy.apps import Apps


@click.group()
def app() -> None:
    """Apps: your own programs that may ask whether an access token holds (RFC 7662)."""


@app.command("add")
@click.argument("name")
@json_option
def add_command(name: str, as_json: bool) -> None:
    """Register a program. Its secret is printed once: only its hash is stored."""
    from scim_server.tenancy.apps import Unusable

    with opening.database(opening.read_settings()) as opened:
        try:
            added, secret = _apps(opened).add(name, opening.operator())
        except Unusable as fault:
            raise click.ClickException(str(fault)) from fault
    show({**_payload(added), "client_secret": secret}, _to_paste(added, secret), as_json)


@app.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List programs, never their secrets."""
    with opening.database(opening.read_settings()) as opened:
        found = [_payload(each) for each in _apps(opened).list()]
    show(found, table(found) or f"There is no app yet. To add one: {command('app', 'add', 'NAME')}", as_json)


@app.command("rotate")
@click.argument("name")
@json_option
def rotate_command(name: str, as_json: bool) -> None:
    """Give a program another secret, printed once. The earlier one is refused from the next request on."""
    with opening.database(opening.read_settings()) as opened:
        apps = _apps(opened)
        found = _found(apps, name)
        secret = apps.rotate(found, opening.operator())
    if secret is None:
        raise click.ClickException(f"The app {name!r} was removed meanwhile.")
    show({**_payload(found), "client_secret": secret}, _to_paste(found, secret), as_json)


@app.command("remove")
@click.argument("name")
@json_option
def remove_command(name: str, as_json: bool) -> None:
    """Refuse a program from the next request on. It cannot be undone."""
    with opening.database(opening.read_settings()) as opened:
        apps = _apps(opened)
        found = _found(apps, name)
        apps.remove(found, opening.operator())
    show({**_payload(found), "removed": True}, f"The app {found.name!r} is removed.", as_json)


def _apps(opened: opening.Opened) -> Apps:
    from scim_server.tenancy.apps import Apps

    return Apps(opened.registry)


def _found(apps: Apps, name: str) -> App:
    found = apps.get(name)
    if found is None:
        raise click.ClickException(f"There is no app {name!r}. Those there are: {command('app', 'list')}")
    return found


def _payload(app: App) -> dict[str, Any]:
    return {"client_id": app.id, "name": app.name, "created": iso(app.created)}


def _to_paste(app: App, secret: str) -> str:
    return f"Client id      {app.id}\nClient secret  {secret}\nThe secret is not shown again. What to do with it: docs/apps.md"
