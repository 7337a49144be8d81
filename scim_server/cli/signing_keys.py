"""What access tokens are signed with: ``signing-key list``, ``signing-key rotate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import keys, opening
from scim_server.cli.output import iso, json_option, show, table
from scim_server.config import Settings

if TYPE_CHECKING:
    from scim_server.store.registry import SigningKey
    from scim_server.tenancy.signing_keys import SigningKeys


@click.group("signing-key")
def signing_key() -> None:
    """Signing keys: what access tokens for your own application are signed with. They change by themselves every 30 days."""


@signing_key.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the keys that are published at /.well-known/jwks.json, in the order in which they sign."""
    settings = opening.read_settings()
    with opening.database(settings) as opened:
        found = [_payload(each) for each in _signing_keys(settings, opened).all()]
    show(found, table(found) or "There is no signing key yet. The first is made when a token is asked for.", as_json)


@signing_key.command("rotate")
@click.option("--now", "at_once", is_flag=True, help="The keys before may be known to somebody: refuse what they signed.")
@json_option
def rotate_command(at_once: bool, as_json: bool) -> None:
    """Make another key. It is published at once, and signs an hour later, when everybody who verifies tokens knows it."""
    settings = opening.read_settings()
    with opening.database(settings) as opened, keys.faults_told():
        made = _signing_keys(settings, opened).rotate(opening.operator(), at_once=at_once)
    how = (
        "signs at once; the keys before are refused within five minutes"
        if at_once
        else f"signs from {made.signs_from:%Y-%m-%d %H:%M} UTC on"
    )
    show(_payload(made), f"The key {made.id} {how}.", as_json)


def _signing_keys(settings: Settings, opened: opening.Opened) -> SigningKeys:
    from scim_server.tenancy.signing_keys import SigningKeys

    return SigningKeys(opened.registry, keys.ring(settings, opened))


def _payload(key: SigningKey) -> dict[str, Any]:
    return {"id": key.id, "created": iso(key.created), "signs_from": iso(key.signs_from)}
