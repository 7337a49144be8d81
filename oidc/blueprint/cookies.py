"""The two cookies: of a sign-in that has begun (the same browser must come back), and of a session. And where a request comes from.

Both have the prefix ``__Host-``: no other host and no unencrypted page can have set them. SameSite=Lax: they come along when the
directory sends the browser back, and never with a form or a picture of another site.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, request
from werkzeug.exceptions import Forbidden
from werkzeug.http import parse_cookie

from oidc.flow import LIFETIME, MAX_USER_AGENT, Request
from oidc.session import Sessions

SESSION = "__Host-session"
BROWSER = "__Host-signin"

_LONGEST = 100


def asked() -> Request:
    """From where this request comes, and under which id."""
    agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return Request(g.address, agent if agent.isprintable() else "", g.request_id)


def session_ticket() -> str | None:
    return _read(SESSION)


def browser() -> str | None:
    return _read(BROWSER)


def set_session(response: Response, ticket: str) -> None:
    response.set_cookie(SESSION, ticket, path="/", secure=True, httponly=True, samesite="Lax")


def set_browser(response: Response, value: str) -> None:
    response.set_cookie(BROWSER, value, path="/", secure=True, httponly=True, samesite="Lax", max_age=int(LIFETIME.total_seconds()))


def clear_session(response: Response) -> None:
    response.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="Lax")


def tenant_of(known: Sessions, header: str) -> str:
    """Whose session a Cookie header names, as far as that is known already: for the turns that tenants take."""
    ticket = parse_cookie(header).get(SESSION, "") if SESSION in header else ""
    return known.tenant_of(ticket) if 0 < len(ticket) <= _LONGEST else ""


def require_same_origin(public_url: str) -> None:
    """Raise Forbidden for what a page of another site makes a browser send.

    Browsers say where a POST comes from, and a page cannot forge it: in Sec-Fetch-Site, or where that is not known yet, in Origin. What
    says neither is no browser, and carries no cookie that it was not given.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = origin is None or origin == "{0.scheme}://{0.netloc}".format(urlsplit(public_url))
    if not is_ours:
        raise Forbidden("This was sent by a page of another site; nothing was done.")


def _read(name: str) -> str | None:
    value = request.cookies.get(name)
    return value if value and len(value) <= _LONGEST else None
