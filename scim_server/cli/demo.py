"""The tenant that ``make run`` makes, so that there is something to connect to."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scim_server import clock
from scim_server.cli import credentials, tenants
from scim_server.cli.durations import duration
from scim_server.cli.opening import Opened
from scim_server.cli.output import command, relative
from scim_server.cli.pasting import to_paste
from scim_server.config import Settings
from scim_server.tenancy.client import SECRET

NAME = "demo"
_SAMPLE = "--users 100 --groups 10 --cycles 2"


def prepare(settings: Settings, opened: Opened) -> None:
    """See to it that the tenant has a credential that is of use, and print what to paste into Entra."""
    tenant = opened.registry.tenants.get(NAME) or tenants.create(opened.registry, NAME, "entra")
    if any(credentials.of_use(each) for each in opened.registry.credentials.list(tenant.id)):
        click.echo(
            f"\nThe tenant {NAME!r} is as it was left. Its Secret Token was shown at the first start.\n"
            "For another one, with the same settings in the environment as here:\n\n"
            f"  {command('credential', 'create', '--tenant', NAME)}\n\n"
            f"  Tenant URL    {settings.tenant_url}"
        )
    else:
        expires = clock.now() + duration(credentials.LIFETIME)
        issued = credentials.create(settings, opened.registry, tenant, SECRET, label="made at the first start", expires=expires)
        emulator = f"{relative(Path(sys.executable))} -m conformance entra"
        click.echo(
            f"\n{to_paste(settings, issued)}\n\n"
            "To push a sample directory into it, from another terminal:\n\n"
            f"  {emulator} --base-url {settings.tenant_url} --token {issued.secret} {_SAMPLE}"
        )
    click.echo("\nCtrl-C stops the server. Its log follows.\n")
