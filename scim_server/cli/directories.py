"""Directories: ``directory add``, ``directory list``, ``directory remove``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import keys, opening
from scim_server.cli.output import command, iso, json_option, show, table
from scim_server.config import Settings

if TYPE_CHECKING:
    from scim_server.store.registry import Directory
    from scim_server.tenancy.certificates import ClientCertificate
    from scim_server.tenancy.directories import Directories

CLOUDS = ("global", "us", "china", "custom")
_MAX_FILE = 65_536

_tenant_option = click.option("--tenant", required=True, help="The tenant's name.")
_tid_option = click.option("--tid", required=True, metavar="GUID", help="The directory's id, which Entra shows as Tenant ID.")
_cloud_option = click.option("--cloud", type=click.Choice(CLOUDS), default="global", show_default=True, help="The cloud that it is in.")


@click.group()
def directory() -> None:
    """Directories: where tenants' people are kept in Microsoft Entra ID."""


@directory.command("add")
@_tenant_option
@_tid_option
@_cloud_option
@click.option("--authority", metavar="URL", help="Of a custom cloud: where it signs people in.")
@click.option("--graph", metavar="URL", help="Of a custom cloud: where its Graph is.")
@click.option("--label", help="What it is; shown in lists.")
@click.option("--client-id", metavar="ID", help="Of our app registration there, for sign-in.")
@click.option("--client-secret-file", type=click.File("rb"), metavar="FILE", help="File with its secret, or - for standard input.")
@click.option("--client-certificate-file", type=click.File("rb"), metavar="FILE", help="In place of a secret: a certificate (PEM) …")
@click.option("--client-key-file", type=click.File("rb"), metavar="FILE", help="… and its private key (PEM, without a passphrase).")
@json_option
def add_command(
    tenant: str,
    tid: str,
    cloud: str,
    client_secret_file: Any,
    client_certificate_file: Any,
    client_key_file: Any,
    as_json: bool,
    **given: str | None,
) -> None:
    """Make a directory a tenant's; or change the label, client id, secret or certificate of one that is.

    Secret and private key are stored encrypted. They are never options themselves: other users of the machine could read those in the
    list of processes.
    """
    from scim_server.tenancy.clouds import Unusable
    from scim_server.tenancy.directories import Registration

    secret = None if client_secret_file is None else _secret(client_secret_file)
    certificate = _certificate(client_certificate_file, client_key_file)
    if secret is not None and certificate is not None:
        raise click.UsageError("Give --client-secret-file, or --client-certificate-file and --client-key-file; not both.")
    settings = opening.read_settings()
    with opening.database(settings) as opened, keys.faults_told():
        directories = _directories(settings, opened)
        owner = opened.tenant(tenant)
        try:
            registration = Registration(client_secret=secret, certificate=certificate, **given)
            added, is_new = directories.add(owner.id, cloud, tid, registration, opening.operator())
        except Unusable as fault:
            raise click.ClickException(str(fault)) from fault
        payload = _payload(directories, added)
    done = f"belongs to {tenant!r} now" if is_new else "is changed"
    show(payload, f"The directory {added.tid} ({added.cloud}) {done}.", as_json)


@directory.command("list")
@click.option("--tenant", help="Only this tenant's.")
@json_option
def list_command(tenant: str | None, as_json: bool) -> None:
    """List directories, never their secrets."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        directories = _directories(settings, opened)
        owners = [opened.tenant(tenant)] if tenant else opened.registry.tenants.list()
        found = [_payload(directories, each) for owner in owners for each in opened.registry.directories.list(owner.id)]
    making = command("directory", "add", "--tenant", tenant or "NAME", "--tid", "GUID")
    rows = [{name: value for name, value in each.items() if name not in ("authority", "graph")} for each in found]
    show(found, table(rows) or f"There is no directory yet. To add one: {making}", as_json)


@directory.command("remove")
@_tenant_option
@_tid_option
@json_option
def remove_command(tenant: str, tid: str, as_json: bool) -> None:
    """Make a directory nobody's, and forget its secret. Its people are signed out; what they did stays in the audit trail."""
    from scim_server.access import departure
    from scim_server.tenancy.clouds import Unusable, parse_tid
    from scim_server.tenancy.directories import InUse

    settings = opening.read_settings()
    with opening.database(settings) as opened:
        owner = opened.tenant(tenant)
        try:
            found = opened.registry.directories.get(parse_tid(tid))
        except Unusable as fault:
            raise click.ClickException(str(fault)) from fault
        listing = command("directory", "list", "--tenant", tenant)
        missing = f"The tenant {tenant!r} has no directory {tid!r}. Those it has: {listing}"
        if found is None or found.tenant_id != owner.id:
            raise click.ClickException(missing)
        try:
            removed = _directories(settings, opened).remove(found, opening.operator())
            ended = opened.store.transact(
                opened.scope(tenant), lambda unit: departure.end_sessions_of_directory(unit, found.id, departure.DIRECTORY_REMOVED)
            )
        except InUse as fault:
            ways = "\n".join(f"  {command('credential', 'revoke', each.id)}" for each in fault.credentials)
            raise click.ClickException(
                f"Tokens of the directory {found.tid} are still good for SCIM. Revoke the credentials that trust them first:\n{ways}"
            ) from fault
    if not removed:
        raise click.ClickException(missing)
    show(
        {"id": found.id, "tid": found.tid, "cloud": found.cloud, "removed": True, "sessions_ended": ended},
        f"The directory {found.tid} is nobody's any more." + (f" {ended} of its people were signed in, and are out." if ended else ""),
        as_json,
    )


def _directories(settings: Settings, opened: opening.Opened) -> Directories:
    from scim_server.outbound import Outbound
    from scim_server.tenancy.directories import Directories

    allow = settings.allow_custom_cloud
    return Directories(opened.registry, keys.ring(settings, opened), Outbound(allow), allow_custom=allow)


def _secret(file: Any) -> str:
    """What the file holds, without the end of its line."""
    name = Path(getattr(file, "name", "-")).name
    data: bytes = file.read(_MAX_FILE + 1)
    try:
        text = data[: _MAX_FILE + 1].decode()
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or len(data) > _MAX_FILE:
        raise click.ClickException(f"There is no client secret in {name}. The file must hold it, and nothing else.")
    return text.strip()


def _certificate(certificate_file: Any, key_file: Any) -> ClientCertificate | None:
    if certificate_file is None and key_file is None:
        return None
    if certificate_file is None or key_file is None:
        raise click.UsageError("Give both --client-certificate-file and --client-key-file.")
    from scim_server.tenancy import certificates

    try:
        return certificates.read(certificate_file.read(_MAX_FILE), key_file.read(_MAX_FILE))
    except certificates.UnusableCertificate as fault:
        raise click.ClickException(str(fault)) from fault


def _credential(directories: Directories, directory: Directory) -> str | None:
    """By what we prove who we are there."""
    if not directories.has_credential(directory):
        return None
    return "secret" if directory.certificate is None else "certificate"


def _payload(directories: Directories, directory: Directory) -> dict[str, Any]:
    from scim_server.tenancy.certificates import expires
    from scim_server.tenancy.clouds import cloud_of

    cloud = cloud_of(directory)
    return {
        "id": directory.id,
        "tenant": directory.tenant_name,
        "cloud": directory.cloud,
        "tid": directory.tid,
        "label": directory.label,
        "client_id": directory.client_id,
        "credential": _credential(directories, directory),
        "certificate_expires": iso(expires(directory.certificate)) if directory.certificate else None,
        "created": iso(directory.created),
        "authority": cloud.authority,
        "graph": cloud.graph,
    }
