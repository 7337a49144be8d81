"""Credentials: ``credential create``, ``list``, ``show``, ``rotate``, ``revoke``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from scim_server import clock
from scim_server.cli import opening
from scim_server.cli.durations import expiry, overlap
from scim_server.cli.facts import facts
from scim_server.cli.output import command, iso, json_option, show, table
from scim_server.cli.pasting import WITH_SECRET, Issued, payload, to_paste
from scim_server.cli.terms import label_option, network_option, scope_option, trust_of, trust_options
from scim_server.config import Settings
from scim_server.tenancy.client import ENTRA, FEDERATED, KINDS, SCOPES, SECRET

if TYPE_CHECKING:
    from scim_server.store.registry import Credential, Registry, Tenant
    from scim_server.store.registry.credentials import Secret

LIFETIME = "365d"
_SHOWN = 16
"""Characters of a name that a list has room for."""


def _lifetime(context: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    """What has a secret of ours ends, so that the secret is changed now and then; where there is none there is none to change."""
    return expiry(context, option, text or (LIFETIME if context.params["kind"] in WITH_SECRET else "never"))


@click.group()
def credential() -> None:
    """Credentials: what a tenant's SCIM clients authenticate with."""


@credential.command("create")
@click.option("--tenant", required=True, help="The tenant's name.")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=SECRET,
    show_default=True,
    is_eager=True,  # --expires depends on it
    help="secret: a token. client: OAuth 2.0 client id and secret. federated: an outside issuer's word in place of a secret. "
    "entra: tokens that a directory issues itself.",
)
@label_option
@scope_option
@network_option
@click.option(
    "--expires",
    callback=_lifetime,
    help=f"When it ends: after 12h, 90d, 8w …, or never. [default: {LIFETIME}; never, if there is no secret of ours]",
)
@trust_options
@json_option
def create_command(tenant: str, kind: str, as_json: bool, **given: Any) -> None:
    """Make a credential. A secret is printed once: only its hash is stored."""
    trust = trust_of(kind, given)
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        issued = create(settings, opened.registry, opened.tenant(tenant), kind, **given, **trust)
    show(payload(settings, issued), to_paste(settings, issued), as_json)


@credential.command("list")
@click.option("--tenant", help="Only this tenant's.")
@json_option
def list_command(tenant: str | None, as_json: bool) -> None:
    """List credentials, never their secrets."""
    with opening.database(opening.read_settings()) as opened:
        tenants = [opened.tenant(tenant)] if tenant else opened.registry.tenants.list()
        found = [each for owner in tenants for each in opened.registry.credentials.list(owner.id)]
    making = command("credential", "create", "--tenant", tenant or "NAME")
    text = table([_line(each) for each in found]) or f"There is no credential yet. To make one: {making}"
    show([described(each) for each in found], text, as_json)


@credential.command("show")
@click.argument("id")
@json_option
def show_command(id: str, as_json: bool) -> None:
    """Show a credential: what it may do, from where, who is trusted, and which secrets it has; never what they are."""
    with opening.database(opening.read_settings()) as opened:
        found = _found(opened.registry, id)
        secrets = opened.registry.credentials.secrets(found)
    whole = {**described(found), "secrets": [_secret(each) for each in secrets]}
    show(whole, facts(_facts(found, secrets)), as_json)


@credential.command("rotate")
@click.argument("id")
@click.option(
    "--overlap",
    "for_so_long",
    default="7d",
    show_default=True,
    callback=overlap,
    help="How long the earlier secret stays good: 12h, 7d …, or none.",
)
@click.option("--expires", default=LIFETIME, show_default=True, callback=expiry, help="When the new one ends: after 90d, 8w …, or never.")
@json_option
def rotate_command(id: str, for_so_long: timedelta, expires: datetime | None, as_json: bool) -> None:
    """Give a credential another secret, printed once. The earlier one stays good for the overlap, if it does not end before."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        issued, earlier_ends = _rotate(opened.registry, _found(opened.registry, id), expires, for_so_long)
    when = "has ended" if not for_so_long else f"is good until {earlier_ends:%Y-%m-%d %H:%M} UTC" if earlier_ends else "had ended before"
    text = f"{to_paste(settings, issued)}\nThe earlier secret {when}."
    show({**payload(settings, issued), "earlier_ends": iso(earlier_ends)}, text, as_json)


@credential.command("revoke")
@click.argument("id")
@json_option
def revoke_command(id: str, as_json: bool) -> None:
    """Refuse this credential from the next request on, on every node. It cannot be undone."""
    with opening.database(opening.read_settings()) as opened:
        if not opened.registry.credentials.revoke(id, opening.operator()):
            raise click.ClickException(f"There is no credential {id!r} to revoke. Those there are: {command('credential', 'list')}")
    show({"id": id, "revoked": True}, f"The credential {id} is revoked.", as_json)


def create(
    settings: Settings,
    registry: Registry,
    tenant: Tenant,
    kind: str,
    *,
    label: str = "",
    scopes: frozenset[str] | None = None,
    networks: tuple[Any, ...] = (),
    expires: datetime | None,
    **trust: Any,
) -> Issued:
    """A new credential of that kind, and its secret if it has one, which is known to nobody else."""
    from scim_server.tenancy import credentials

    terms = credentials.Terms(label, credentials.PROVISIONING if scopes is None else scopes, networks, expires)
    by = opening.operator()
    if kind in WITH_SECRET:
        made, secret = credentials.create_with_secret(registry, tenant.id, kind, terms, by)
        return Issued(made.id, kind, expires, secret)
    from scim_server.outbound import Outbound

    making: dict[str, Callable[..., Credential]] = {FEDERATED: credentials.create_federated, ENTRA: credentials.create_entra}
    try:
        made = making[kind](registry, Outbound(allow_custom=settings.allow_custom_cloud), tenant.id, terms, by, **trust)
    except credentials.Unusable as fault:
        raise click.ClickException(str(fault)) from fault
    return Issued(made.id, kind, expires)


def of_use(credential: Credential) -> bool:
    """Whether it is neither revoked nor expired."""
    return state(credential) in ("valid", "ends soon")


def state(credential: Credential) -> str:
    """valid, ends soon, expired or revoked"""
    from scim_server.tenancy.admission import WARN_BEFORE

    if credential.revoked:
        return "revoked"
    if credential.expires is None:
        return "valid"
    left = credential.expires - clock.now()
    return "expired" if left <= timedelta(0) else "ends soon" if left < WARN_BEFORE else "valid"


def described(credential: Credential) -> dict[str, Any]:
    """All that is known of a credential without asking for its secrets."""
    trust = credential.trust
    return {
        "id": credential.id,
        "tenant": credential.tenant_name,
        "label": credential.label,
        "state": state(credential),
        "kind": credential.kind,
        "scopes": sorted(credential.scopes),
        "networks": [str(each) for each in credential.networks],
        "trust": trust
        and {
            "issuer": trust.issuer,
            "subject": trust.subject,
            "audiences": list(trust.audiences),
            "jwks_uri": trust.jwks_uri,
            "directory": trust.directory_id,
        },
        "created": iso(credential.created),
        "expires": iso(credential.expires),
        "revoked": iso(credential.revoked),
        "last_used": iso(credential.last_used),
        "last_address": credential.last_address,
    }


def _found(registry: Registry, id: str) -> Credential:
    found = registry.credentials.get(id)
    if found is None:
        raise click.ClickException(f"There is no credential {id!r}. Those there are: {command('credential', 'list')}")
    return found


def _rotate(registry: Registry, found: Credential, expires: datetime | None, for_so_long: timedelta) -> tuple[Issued, datetime | None]:
    from scim_server.store.errors import Taken
    from scim_server.tenancy import credentials

    another = command("credential", "create", "--tenant", found.tenant_name, "--kind", found.kind)
    try:
        rotated = credentials.rotate(registry, found, opening.operator(), expires=expires, overlap=for_so_long)
    except credentials.NothingToRotate as fault:
        raise click.ClickException(
            f"A credential of kind {found.kind} has no secret: its issuer changes the keys. For other terms make another: {another} …"
        ) from fault
    except credentials.OfNoUse as fault:
        raise click.ClickException(f"The credential {found.id} is {state(found)}. Make another: {another}") from fault
    except Taken as fault:
        raise click.ClickException(
            f"The credential {found.id} has as many secrets already as it may, and a third would end none of them. Wait until the earlier"
            f" one has ended ({command('credential', 'show', found.id)}), or end them all at once with --overlap none."
        ) from fault
    return Issued(found.id, found.kind, expires, rotated.secret), rotated.earlier_ends


def _secret(secret: Secret) -> dict[str, Any]:
    return {"id": secret.id, "created": iso(secret.created), "expires": iso(secret.expires)}


def _line(credential: Credential) -> dict[str, Any]:
    """A row of the list: no wider, all in all, than a terminal."""
    return {
        "id": credential.id,
        "tenant": _short(credential.tenant_name),
        "label": _short(credential.label),
        "state": state(credential),
        "kind": credential.kind,
        "scopes": _scopes(credential),
        "expires": f"{credential.expires:%Y-%m-%d}" if credential.expires else "never",
        "used": _minute(credential.last_used),
        "from": _short(credential.last_address or ""),
    }


def _facts(credential: Credential, secrets: list[Secret]) -> list[tuple[str, Any]]:
    known: list[tuple[str, Any]] = [
        ("Credential", credential.id),
        ("Tenant", credential.tenant_name),
        ("Label", credential.label),
        ("Kind", credential.kind),
        ("State", state(credential)),
        ("Scopes", sorted(credential.scopes)),
        ("Networks", [str(each) for each in credential.networks] or "any"),
    ]
    if trust := credential.trust:
        known += [
            ("Issuer", trust.issuer),
            ("Subject", trust.subject or "any"),
            ("Audiences", list(trust.audiences)),
            ("Keys", trust.jwks_uri or "where the issuer's metadata says"),
        ]
    known += [("Created", _minute(credential.created)), ("Expires", _minute(credential.expires) or "never")]
    if credential.revoked:
        known.append(("Revoked", _minute(credential.revoked)))
    used = f"{_minute(credential.last_used)} from {credential.last_address or 'an unknown address'}" if credential.last_used else "never"
    known.append(("Last used", used))
    if credential.kind in WITH_SECRET:
        of_each = [f"made {_minute(each.created)}, ends {_minute(each.expires) or 'never'}" for each in secrets]
        known.append(("Secrets", of_each or "none that is good"))
    return known


def _scopes(credential: Credential) -> str:
    return ",".join(each.removeprefix("scim.").removesuffix(".read") for each in SCOPES if each in credential.scopes)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _minute(instant: datetime | None) -> str | None:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else None
