"""Tenants: ``tenant create``, ``list``, ``show``, ``set``, ``suspend``, ``resume``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import credentials, opening
from scim_server.cli.facts import facts
from scim_server.cli.output import command, iso, json_option, show, table
from scim_server.cli.sign_in_settings import DEFAULT, sign_in_facts, sign_in_options
from scim_server.config import Settings
from scim_server.events import Scope, TenantSuspended
from scim_server.tenancy.profiles import DEFAULT as DEFAULT_PROFILE
from scim_server.tenancy.profiles import PROFILES

if TYPE_CHECKING:
    from scim_server.cli.opening import Opened
    from scim_server.store.registry import Registry, Tenant

_PROFILE = "How the wire is read: for clients of Entra or Okta, or strictly as the RFCs have it."
_MAX_NAME = 100
_MAX_REASON = 500
_MAX_RATE = 100_000
_PAGE = 100


def _rate_limit(_context: click.Context, _option: click.Parameter, text: str | None) -> int | str | None:
    """Option callback: requests per second, or default."""
    if text is None or text == "default":
        return text
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= _MAX_RATE):
        raise click.BadParameter(f"Use a whole number from 1 to {_MAX_RATE}, or default.")
    return int(text)


def _reason(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if len(text) > _MAX_REASON or not text.isprintable():
        raise click.BadParameter(f"Use at most {_MAX_REASON} printable characters.")
    return text


@click.group()
def tenant() -> None:
    """Tenants: customers that are kept apart."""


@tenant.command("create")
@click.argument("name")
@click.option("--profile", type=click.Choice(list(PROFILES)), default=DEFAULT_PROFILE, show_default=True, help=_PROFILE)
@json_option
def create_command(name: str, profile: str, as_json: bool) -> None:
    """Make a tenant."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        made = create(opened.registry, name, profile)
    following = command("credential", "create", "--tenant", made.name)
    show(
        {**_described(made), "tenant_url": settings.tenant_url},
        f"The tenant {made.name!r} is made. Next, a credential for its SCIM client:\n  {following}",
        as_json,
    )


@tenant.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the tenants."""
    with opening.database(opening.read_settings()) as opened:
        found = [_described(each) for each in opened.registry.tenants.list()]
    show(found, table(found) or f"There is no tenant yet. To make one: {command('tenant', 'create', 'NAME')}", as_json)


@tenant.command("show")
@click.argument("name")
@json_option
def show_command(name: str, as_json: bool) -> None:
    """Show a tenant: its state and settings, what it has, and how much."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        whole = _whole(settings, opened, opened.tenant(name))
    show(whole, facts(_facts(whole)), as_json)


@tenant.command("set")
@click.argument("name")
@click.option("--profile", type=click.Choice(list(PROFILES)), help=_PROFILE)
@click.option(
    "--rate-limit",
    callback=_rate_limit,
    metavar="N|default",
    help="Most SCIM requests per second on one node; default: what RATE_LIMIT says.",
)
@sign_in_options
@json_option
def set_command(name: str, profile: str | None, as_json: bool, **options: Any) -> None:
    """Change a tenant's settings. They hold from the next request on, on every node."""
    given = {option: None if value == DEFAULT else value for option, value in options.items() if value is not None}
    if profile is None and not given:
        raise click.UsageError("Say what is to be different, for example --profile or --rate-limit; --help has all of it.")
    with opening.database(opening.read_settings()) as opened:
        before = opened.tenant(name)
        after = opened.registry.tenants.change(before.id, opening.operator(), profile=profile, **given)
    old, new = _settings(before), _settings(after)
    changed = {each: {"old": old[each], "new": new[each]} for each in new if old[each] != new[each]}
    told = [f"  {each}: {_word(change['old'])} -> {_word(change['new'])}" for each, change in changed.items()]
    text = "\n".join([f"The tenant {name!r} is changed:", *told]) if changed else f"The tenant {name!r} has these settings already."
    show({**_described(after), **new, "changed": changed}, text, as_json)


@tenant.command("suspend")
@click.argument("name")
@click.option("--reason", default="", callback=_reason, help="Why; kept in the audit trail, shown to operators only.")
@json_option
def suspend_command(name: str, reason: str, as_json: bool) -> None:
    """Refuse a tenant's SCIM clients (403) and sign-ins from the next request on, on every node. Nothing is lost.

    A tenant that is suspended already stays as it is: that is told, and no failure.
    """
    with opening.database(opening.read_settings()) as opened:
        found = opened.tenant(name)
        suspended = opened.registry.tenants.suspend(found.id, opening.operator(), reason)
    back = f"To end that: {command('tenant', 'resume', name)}"
    done = f"The tenant {name!r} is suspended. Nothing of it is lost."
    text = f"{done if suspended else f'The tenant {name!r} was suspended before; that stays as it is.'} {back}"
    show({**_described(suspended or found), "changed": suspended is not None}, text, as_json)


@tenant.command("resume")
@click.argument("name")
@json_option
def resume_command(name: str, as_json: bool) -> None:
    """End a tenant's suspension: its clients and people are let in again.

    A tenant that is not suspended stays as it is: that is told, and no failure.
    """
    with opening.database(opening.read_settings()) as opened:
        found = opened.tenant(name)
        resumed = opened.registry.tenants.resume(found.id, opening.operator())
    text = f"The tenant {name!r} is active again." if resumed else f"The tenant {name!r} was not suspended; it stays active."
    show({**_described(resumed or found), "changed": resumed is not None}, text, as_json)


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


def _described(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "profile": tenant.profile,
        "state": "suspended" if tenant.suspended else "active",
        "created": iso(tenant.created),
        "suspended": iso(tenant.suspended),
    }


def _settings(tenant: Tenant) -> dict[str, Any]:
    """What ``tenant set`` can change; None where the server's own settings hold."""
    return {"profile": tenant.profile, **dataclasses.asdict(tenant.settings)}


def _word(value: Any) -> str:
    return "default" if value is None else str(value)


def _whole(settings: Settings, opened: Opened, tenant: Tenant) -> dict[str, Any]:
    registry = opened.registry
    scope = Scope(tenant.id, opening.operator(), request_id="")
    with opened.store.read(scope) as unit:
        counts = {"users": unit.users.find(None, 1, 0).total, "groups": unit.groups.find(None, 1, 0).total}
    return {
        **_described(tenant),
        "reason": _why(opened, scope) if tenant.suspended else None,
        **dataclasses.asdict(tenant.settings),
        "rate_limit_default": settings.rate_limit,
        "session_idle_s_default": settings.session_idle_s,
        "session_max_s_default": settings.session_max_s,
        "tenant_url": settings.tenant_url,
        **counts,
        "credentials": dict(Counter(credentials.state(each) for each in registry.credentials.list(tenant.id))),
        "directories": [{"cloud": each.cloud, "tid": each.tid, "label": each.label} for each in registry.directories.list(tenant.id)],
        "domains": [{"name": each.name, "state": each.state} for each in registry.domains.list(tenant.id)],
    }


def _why(opened: Opened, scope: Scope) -> str | None:
    """The reason that was given for the present suspension."""
    before = None
    while True:
        with opened.store.read(scope) as unit:
            page = unit.events.list(_PAGE, before=before, subject_id=scope.tenant_id)
        for each in page:
            if each.tag == TenantSuspended.tag:
                return each.data["reason"] or None
        if len(page) < _PAGE:
            return None
        before = page[-1].id


def _facts(whole: dict[str, Any]) -> list[tuple[str, Any]]:
    state = whole["state"]
    if whole["suspended"]:
        state += f" since {whole['suspended']}" + (f": {whole['reason']}" if whole["reason"] else "")
    limit = whole["rate_limit"] or whole["rate_limit_default"]
    whose = "" if whole["rate_limit"] else " (the default)"
    return [
        ("Tenant", whole["name"]),
        ("Id", whole["id"]),
        ("State", state),
        ("Profile", whole["profile"]),
        ("Rate limit", f"{limit} requests per second and node{whose}"),
        *sign_in_facts(whole),
        ("Created", whole["created"]),
        ("Tenant URL", whole["tenant_url"]),
        ("Users", str(whole["users"])),
        ("Groups", str(whole["groups"])),
        ("Credentials", ", ".join(f"{count} {state}" for state, count in whole["credentials"].items()) or "none"),
        ("Directories", [f"{each['tid']} ({each['cloud']})" for each in whole["directories"]] or "none"),
        ("Domains", [f"{each['name']} ({each['state']})" for each in whole["domains"]] or "none"),
    ]
