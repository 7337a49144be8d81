"""E-mail domains: ``domain add``, ``domain set``, ``domain list``, ``domain check``, ``domain remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.output import command, iso, json_option, show, table

if TYPE_CHECKING:
    from scim_server.cli.opening import Opened
    from scim_server.config import Settings
    from scim_server.store.registry import Directory, Domain
    from scim_server.tenancy.domains import Domains

_IN_TABLE = ("domain", "tenant", "state", "missing_since", "checked", "next_check", "finding")
_tenant_option = click.option("--tenant", required=True, help="The tenant's name.")


@click.group()
def domain() -> None:
    """E-mail domains of tenants, and their proof in DNS."""


@domain.command("add")
@click.argument("domain")
@_tenant_option
@click.option(
    "--assume-verified", is_flag=True, help="Take it as the tenant's without proof. Only with ALLOW_CUSTOM_CLOUD=true, for tests."
)
@json_option
def add_command(domain: str, tenant: str, assume_verified: bool, as_json: bool) -> None:
    """Add a domain to a tenant, and print what to put into its DNS.

    A domain that is there already keeps its record, which is shown again: that is no failure.
    """
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        added, new = _add(opened, settings, tenant, domain, assume_verified)
    show({**_payload(added), "added": new}, _to_put_into_dns(added, new), as_json)


@domain.command("set")
@click.argument("domain")
@_tenant_option
@click.option(
    "--directory", "tid", required=True, metavar="GUID|none", help="Where its people sign in; none: they are asked, if there are several."
)
@json_option
def set_command(domain: str, tenant: str, tid: str, as_json: bool) -> None:
    """Say at which of the tenant's directories the people of a domain sign in."""
    with opening.database(opening.read_settings()) as opened:
        found = _find(opened, tenant, domain)
        directory = None if tid == "none" else _directory(opened, found, tid)
        changed = opened.registry.domains.sign_in_at(found, directory.id if directory else None, opening.operator())
        after = opened.registry.domains.find(found.tenant_id, found.name) or found
    where = f"People of {found.name} sign in at {tid}" if directory else f"People of {found.name} are asked where they sign in"
    show({**_payload(after), "changed": changed}, f"{where}{'' if changed else ', as before'}.", as_json)


@domain.command("list")
@click.option("--tenant", help="Only this tenant's.")
@json_option
def list_command(tenant: str | None, as_json: bool) -> None:
    """List domains: how far their proof is, and what the last look into DNS found instead of it."""
    with opening.database(opening.read_settings()) as opened:
        tenants = [opened.tenant(tenant)] if tenant else opened.registry.tenants.list()
        found = [_payload(each) for owner in tenants for each in opened.registry.domains.list(owner.id)]
    adding = command("domain", "add", "--tenant", tenant or "NAME", "DOMAIN")
    rows = [{name: each[name] for name in _IN_TABLE} for each in found]
    show(found, table(rows) or f"There is no domain yet. To add one: {adding}", as_json)


@domain.command("check")
@click.argument("domain")
@_tenant_option
@json_option
@click.pass_context
def check_command(context: click.Context, domain: str, tenant: str, as_json: bool) -> None:
    """Look for a domain's proof in DNS now. Exit status 0 if the domain is the tenant's (verified), 1 if it is not."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        checked = _use_cases(opened, settings).check(_find(opened, tenant, domain), opening.operator())
    if checked is None:
        raise click.ClickException(f"{domain} was removed while it was checked.")
    if checked.state == "verified":
        show(_payload(checked), _verified(checked), as_json)
        return
    if not as_json:
        raise click.ClickException(_unproved(checked))
    show(_payload(checked), "", as_json)
    context.exit(1)


@domain.command("remove")
@click.argument("domain")
@_tenant_option
@json_option
def remove_command(domain: str, tenant: str, as_json: bool) -> None:
    """Take a domain from a tenant. Added again, it has another proof to give."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        found = _find(opened, tenant, domain)
        _use_cases(opened, settings).remove(found, opening.operator())
    show(
        {"domain": found.name, "tenant": tenant, "removed": True},
        f"The tenant {tenant!r} does not have {found.name} any more. Its TXT record can be deleted.",
        as_json,
    )


def _directory(opened: Opened, domain: Domain, tid: str) -> Directory:
    found = opened.registry.directories.get(tid.strip().lower())
    if found is None or found.tenant_id != domain.tenant_id:
        listing = command("directory", "list", "--tenant", domain.tenant_name)
        raise click.ClickException(f"The tenant {domain.tenant_name!r} has no directory {tid!r}. Those it has: {listing}")
    return found


def _use_cases(opened: Opened, settings: Settings) -> Domains:
    from scim_server.tenancy.domains import Domains, Resolver

    return Domains(opened.registry, Resolver(settings.dns_servers), may_assume=settings.allow_custom_cloud)


def _add(opened: Opened, settings: Settings, tenant: str, text: str, assume_verified: bool) -> tuple[Domain, bool]:
    from scim_server.store.errors import Taken
    from scim_server.tenancy.domain_names import NotADomain
    from scim_server.tenancy.domains import MOST_DOMAINS, MayNotAssume, TooManyDomains

    owner = opened.tenant(tenant)
    try:
        return _use_cases(opened, settings).add(owner.id, text, opening.operator(), assume_verified=assume_verified)
    except NotADomain as fault:
        raise click.ClickException(str(fault)) from fault
    except MayNotAssume as fault:
        raise click.ClickException(
            "--assume-verified is for tests: it needs ALLOW_CUSTOM_CLOUD=true. Without it, the domain is proved in DNS."
        ) from fault
    except TooManyDomains as fault:
        removing = command("domain", "remove", "--tenant", tenant, "DOMAIN")
        raise click.ClickException(f"{tenant!r} has {MOST_DOMAINS} domains, and more are not allowed. To make room: {removing}") from fault
    except Taken as fault:
        raise click.ClickException(f"The domain is another tenant's. To see whose: {command('domain', 'list')}") from fault


def _find(opened: Opened, tenant: str, text: str) -> Domain:
    from scim_server.tenancy.domain_names import NotADomain, normalise

    owner = opened.tenant(tenant)
    try:
        found = opened.registry.domains.find(owner.id, normalise(text))
    except NotADomain as fault:
        raise click.ClickException(str(fault)) from fault
    if found is None:
        raise click.ClickException(
            f"The tenant {tenant!r} has no domain {text!r}. Those it has: {command('domain', 'list', '--tenant', tenant)}"
        )
    return found


def _to_put_into_dns(domain: Domain, new: bool) -> str:
    owner = f"The tenant {domain.tenant_name!r} has"
    told = f"{owner} another domain: {domain.name}." if new else f"{owner} {domain.name} already."
    if domain.state == "verified":
        return f"{told}\n{_verified(domain)}"
    waiting = (
        "The server looks for it by itself, after 10 minutes first and for 30 days; DNS may take some hours to show it."
        if domain.state == "pending"
        else f"It is {domain.state}: {domain.finding}"
    )
    return "\n".join([told, *_record_lines(domain), "", waiting, "To look now:", f"  {_checking(domain)}"])


def _verified(domain: Domain) -> str:
    told = f"{domain.name} is verified."
    return f"{told} {domain.finding}" if domain.finding else told


def _unproved(domain: Domain) -> str:
    again = {
        "pending": "The server goes on looking by itself.",
        "lost": "It was verified once; the server goes on looking by itself.",
    }.get(domain.state, "The server does not look for it by itself any more.")
    return "\n".join(
        [
            f"{domain.name} is {domain.state}. {domain.finding}",
            again,
            *_record_lines(domain),
            "",
            "To look again:",
            f"  {_checking(domain)}",
        ]
    )


def _record_lines(domain: Domain) -> list[str]:
    from scim_server.tenancy.domains import record

    proof = record(domain)
    return [
        "Its proof is this record in the domain's DNS:",
        "",
        "  Type   TXT",
        f"  Name   {proof.name}",
        f"  Value  {proof.value}",
        "",
        "Some DNS consoles append the zone's name to Name by themselves: leave it out there.",
    ]


def _checking(domain: Domain) -> str:
    return command("domain", "check", "--tenant", domain.tenant_name, domain.name)


def _payload(domain: Domain) -> dict[str, Any]:
    from scim_server.tenancy.domains import record

    proof = record(domain)
    return {
        "id": domain.id,
        "tenant": domain.tenant_name,
        "domain": domain.name,
        "state": domain.state,
        "record": {"type": "TXT", "name": proof.name, "value": proof.value},
        "created": iso(domain.created),
        "verified": iso(domain.verified),
        "missing_since": iso(domain.missing_since),
        "checked": iso(domain.checked),
        "next_check": iso(domain.next_check),
        "finding": domain.finding,
        "directory_id": domain.directory_id,
    }
