"""What a client is given of a credential: keys for scripts, and for people what goes where in Entra's portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim_server.cli.output import iso
from scim_server.config import Settings
from scim_server.tenancy.client import FEDERATED, OAUTH_CLIENT, SECRET

WITH_SECRET = (SECRET, OAUTH_CLIENT)
"""Kinds of credentials that have a secret of ours."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential that was made or rotated just now. ``secret`` is known to nobody else; None if its kind has none."""

    id: str
    kind: str
    expires: datetime | None
    secret: str | None = None


def payload(settings: Settings, issued: Issued) -> dict[str, Any]:
    """Everything that the client needs, by the names that scripts know."""
    known: dict[str, Any] = {"id": issued.id}
    if issued.kind == SECRET:
        known["token"] = issued.secret
    if issued.kind in (OAUTH_CLIENT, FEDERATED):
        known["client_id"] = issued.id
        if issued.kind == OAUTH_CLIENT:
            known["client_secret"] = issued.secret
        known["token_url"] = settings.token_url
    return {**known, "tenant_url": settings.tenant_url, "expires": iso(issued.expires)}


def to_paste(settings: Settings, issued: Issued) -> str:
    """The same under the names that Entra's provisioning page has for its parts."""
    return "\n".join(_lines(settings, issued))


def _lines(settings: Settings, issued: Issued) -> Iterator[str]:
    token_url = settings.token_url
    if issued.kind == SECRET:
        yield from (_UNDER + ":", "", f"  Tenant URL    {settings.tenant_url}", f"  Secret Token  {issued.secret}")
    elif issued.kind == OAUTH_CLIENT:
        yield from (_UNDER + ",", "with OAuth 2.0 client credentials as the authentication method:", "")
        yield f"  Tenant URL         {settings.tenant_url}"
        yield f"  Token Endpoint     {token_url}"
        yield f"  Client Identifier  {issued.id}"
        yield f"  Client Secret      {issued.secret}"
    elif issued.kind == FEDERATED:
        yield from (_UNDER + ",", "with workload identity federation as the authentication method:", "")
        yield f"  Tenant URL         {settings.tenant_url}"
        yield f"  Token Endpoint     {token_url}"
        yield f"  Client Identifier  {issued.id}"
        yield from ("", "No secret is exchanged: whoever proves to be the subject with the issuer's signature is let in.")
    else:
        yield from (_UNDER + ",", "and leave Secret Token blank:", "", f"  Tenant URL    {settings.tenant_url}", "")
        yield "Entra presents tokens of its own then, and those of this directory are let in. Microsoft means this for tests."
    yield ""
    until = f"until {issued.expires:%Y-%m-%d}" if issued.expires else "for ever"
    if issued.kind in WITH_SECRET:
        yield f"The {'token' if issued.kind == SECRET else 'client secret'} is shown only now. It is valid {until}."
    else:
        yield f"The credential {issued.id} is valid {until}."
    if not settings.public_url.startswith("https:"):
        yield "Entra reaches public https addresses only: put a proxy with TLS before the server, and set PUBLIC_URL."


_UNDER = "Paste into Entra, under Provisioning > Admin Credentials of your enterprise application"
