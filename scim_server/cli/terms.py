"""What a credential may do, from where, and whom it trusts: the options that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any, TypeVar

import click

from scim_server.tenancy.client import ENTRA, FEDERATED, READ, SCOPES, WRITE

MAX_NETWORKS = 100
_MAX_LABEL = 100

Command = TypeVar("Command", bound=Callable[..., Any])

_TRUST = {
    "issuer": (FEDERATED, ENTRA),
    "subject": (FEDERATED,),
    "audiences": (FEDERATED, ENTRA),
    "jwks_uri": (FEDERATED, ENTRA),
    "tid": (ENTRA,),
}
"""Which kinds an option belongs to."""
_NEEDED = {FEDERATED: ("issuer", "subject", "audiences"), ENTRA: ("tid",)}
_NAMES = {"audiences": "--audience", "jwks_uri": "--jwks-uri"}


def _parts(given: Iterable[str]) -> tuple[str, ...]:
    """What an option that may be repeated says, and may say with commas, too."""
    return tuple(dict.fromkeys(part.strip() for text in given for part in text.split(",") if part.strip()))


def _label(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if len(text) > _MAX_LABEL or not text.isprintable():
        raise click.BadParameter(f"Use at most {_MAX_LABEL} printable characters.")
    return text


def _scopes(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> frozenset[str]:
    scopes = frozenset(_parts(given))
    if not scopes or not scopes <= set(SCOPES):
        raise click.BadParameter(f"Use some of {', '.join(SCOPES)}, separated by commas.")
    return scopes


def _networks(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[Any, ...]:
    parts = _parts(given)
    if len(parts) > MAX_NETWORKS:
        raise click.BadParameter(f"Use at most {MAX_NETWORKS} networks.")
    return tuple(_network(each) for each in parts)


def _network(text: str) -> Any:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        around = ip_network(text, strict=False)
    except ValueError as fault:
        raise click.BadParameter(f"{text!r} is no network. Use CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32.") from fault
    raise click.BadParameter(f"{text!r} is an address within a network. Do you mean {around}?")


def _audiences(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    return _parts(given)


label_option = click.option("--label", default="", callback=_label, help="What it is for; shown in lists.")
scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=(f"{READ},{WRITE}",),
    show_default=f"{READ},{WRITE}",
    callback=_scopes,
    help=f"What it may do: some of {', '.join(SCOPES)}.",
)
network_option = click.option(
    "--network",
    "networks",
    multiple=True,
    callback=_networks,
    metavar="CIDR",
    help="Only from this network; may be repeated. Behind a proxy TRUSTED_PROXIES must name it.",
)


def trust_options(function: Command) -> Command:
    """The options by which a credential without a secret of ours says whom it trusts."""
    for option in reversed(
        (
            click.option("--issuer", metavar="URL", help="federated: whose tokens; entra: a custom cloud's issuer."),
            click.option("--subject", help="federated: about whom (the claim sub)."),
            click.option("--audience", "audiences", multiple=True, callback=_audiences, help="For whom (the claim aud); may be repeated."),
            click.option("--jwks-uri", metavar="URL", help="Where the issuer's keys are, if its metadata is not to say."),
            click.option("--tid", metavar="GUID", help="entra: the directory's id; it becomes the tenant's if it is nobody's yet."),
        )
    ):
        function = option(function)
    return function


def trust_of(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Take out of what is given what says whom to trust: as it is for that kind. Raises UsageError where it is for another."""
    trust = {name: value for name in _TRUST if (value := given.pop(name))}
    for name in trust:
        if kind not in _TRUST[name]:
            kinds = " or ".join(_TRUST[name])
            raise click.UsageError(f"{_option(name)} belongs to a credential of kind {kinds}; this one is to be of kind {kind}.")
    missing = [_option(name) for name in _NEEDED.get(kind, ()) if name not in trust]
    if missing:
        raise click.UsageError(f"A credential of kind {kind} needs {' and '.join(missing)}: whose word is to open it?")
    return trust


def _option(name: str) -> str:
    return _NAMES.get(name, f"--{name}")
