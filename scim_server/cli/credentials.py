"""Credentials: ``credential create``, ``credential list``, ``credential revoke``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from scim_server import clock
from scim_server.cli import opening
from scim_server.cli.durations import expiry
from scim_server.cli.output import command, iso, json_option, show, table
from scim_server.config import Settings

if TYPE_CHECKING:
    from scim_server.store.registry import Credential, Registry, Tenant

LIFETIME = "365d"


@click.group()
def credential() -> None:
    """Credentials: what a tenant's SCIM clients authenticate with."""


@credential.command("create")
@click.option("--tenant", required=True, help="The tenant's name.")
@click.option("--label", default="", help="What it is for; shown in lists.")
@click.option("--expires", default=LIFETIME, show_default=True, callback=expiry, help="When it ends: after 12h, 90d, 8w …, or never.")
@json_option
def create_command(tenant: str, label: str, expires: datetime | None, as_json: bool) -> None:
    """Make a credential and print its token, once: only its hash is stored."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        made, token = create(opened.registry, opened.tenant(tenant), label, expires)
    show({"id": made.id, "token": token, "tenant_url": settings.tenant_url}, to_paste(settings, token, expires), as_json)


@credential.command("list")
@click.option("--tenant", help="Only this tenant's.")
@json_option
def list_command(tenant: str | None, as_json: bool) -> None:
    """List credentials, never their tokens."""
    with opening.database(opening.read_settings()) as opened:
        tenants = [opened.tenant(tenant)] if tenant else opened.registry.tenants.list()
        found = [_payload(each) for owner in tenants for each in opened.registry.credentials.list(owner.id)]
    making = command("credential", "create", "--tenant", tenant or "NAME")
    show(found, table(found) or f"There is no credential yet. To make one: {making}", as_json)


@credential.command("revoke")
@click.argument("id")
@json_option
def revoke_command(id: str, as_json: bool) -> None:
    """Refuse this credential from the next request on, on every node. It cannot be undone."""
    with opening.database(opening.read_settings()) as opened:
        if not opened.registry.credentials.revoke(id, opening.operator()):
            raise click.ClickException(f"There is no credential {id!r} to revoke. Those there are: {command('credential', 'list')}")
    show({"id": id, "revoked": True}, f"The credential {id} is revoked.", as_json)


def create(registry: Registry, tenant: Tenant, label: str, expires: datetime | None) -> tuple[Credential, str]:
    """A new credential and its token, which is known to nobody else."""
    from scim_server.tenancy import credentials

    terms = credentials.Terms(label=label, expires=expires)
    return credentials.create_with_secret(registry, tenant.id, credentials.SECRET, terms, opening.operator())


def state(credential: Credential) -> str:
    """valid, expired or revoked"""
    if credential.revoked:
        return "revoked"
    return "expired" if credential.expires and credential.expires <= clock.now() else "valid"


def to_paste(settings: Settings, token: str, expires: datetime | None) -> str:
    """A credential under the names that Entra's provisioning page has for its parts."""
    lines = [
        "Paste into Entra, under Provisioning > Admin Credentials of your enterprise application:",
        "",
        f"  Tenant URL    {settings.tenant_url}",
        f"  Secret Token  {token}",
        "",
        f"The token is shown only now. It is valid {f'until {expires:%Y-%m-%d}' if expires else 'for ever'}.",
    ]
    if not settings.public_url.startswith("https:"):
        lines.append("Entra reaches public https addresses only: put a proxy with TLS before the server, and set PUBLIC_URL.")
    return "\n".join(lines)


def _payload(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "tenant": credential.tenant_name,
        "label": credential.label,
        "state": state(credential),
        "created": iso(credential.created),
        "expires": iso(credential.expires),
        "revoked": iso(credential.revoked),
    }
