"""/login and /callback."""

from __future__ import annotations

import threading
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from oidc.blueprint import cookies, pages
from oidc.blueprint.answers import go_to, return_path
from oidc.flow import Flow
from oidc.refusals import SignInFailed
from scim_server.config import Settings
from scim_server.tenancy.directories import Directory
from scim_server.tenancy.entrances import Entrance, Entrances
from scim_server.tenancy.rates import Buckets, TooManyRequests

_HOME = "/me"  # where somebody comes to who did not come from anywhere

_ANSWER = ("state", "code", "error", "error_description", "iss")
_MAX_PARAMETER = 8000


def create_blueprint(entrances: Entrances, flow: Flow, settings: Settings) -> Blueprint:
    blueprint = Blueprint("signin", __name__)
    limit = _Limit(settings.signin_rate, 1 / settings.workers)

    @blueprint.get("/login")
    def login() -> Response:
        """To the directory of whoever comes by a tenant's link, with an address, or having chosen."""
        tenant, address, tid = (request.args.get(name, "") for name in ("tenant", "login_hint", "directory"))
        target = return_path() or settings.prefix + _HOME
        if not (tenant or address or tid):
            return pages.sign_in(next=target)
        limit.take(g.address)
        entrance = _entrance(entrances, tenant, address, tid)
        if entrance is None:
            reason = "unknown_domain" if address else "unknown_tenant"
            raise SignInFailed(reason, address.rpartition("@")[2][:100] or tenant[:100], address=address[:320] or None)
        if len(entrance.directories) > 1:
            choices = [_choice(each, entrance, target, settings.prefix) for each in entrance.directories]
            return pages.choose_directory(entrance.tenant.name, choices)
        another = "another" in request.args
        if another:  # the directory takes either a hint or a choice
            entrance = replace(entrance, address=None)
        begun = flow.begin(entrance, entrance.directories[0], target, cookies.browser(), cookies.asked(), another=another)
        response = go_to(begun.url)
        cookies.set_browser(response, begun.browser)
        return response

    @blueprint.get("/callback")
    def callback() -> Response:
        """Back from the directory."""
        limit.take(g.address)
        answer = {name: value for name in _ANSWER if (value := request.args.get(name)) is not None and len(value) <= _MAX_PARAMETER}
        done = flow.complete(answer, cookies.browser(), cookies.session_ticket(), cookies.asked())
        response = go_to(done.return_path)
        cookies.set_session(response, done.ticket)
        return response

    return blueprint


def _entrance(entrances: Entrances, tenant: str, address: str, tid: str) -> Entrance | None:
    """Where the person signs in. What is named twice must agree; an address that belongs to nobody changes nothing about a link."""
    found = None
    if tenant:
        found = entrances.of_tenant(tenant)
    elif tid:
        found = entrances.of_directory(tid)
    elif address:
        found = entrances.of_address(address)
    if found is None:
        return None
    directories = found.directories
    if tid and tenant:
        directories = tuple(each for each in directories if each.tid == tid.strip().lower())
    elif address and tenant:
        by_address = entrances.of_address(address)
        named = by_address.directories if by_address and by_address.tenant.id == found.tenant.id else ()
        directories = named or directories
    hint = address.strip() if 0 < len(address.strip()) <= 320 and address.isprintable() and "@" in address else None
    return Entrance(found.tenant, directories, hint) if directories else None


def _choice(directory: Directory, entrance: Entrance, target: str, prefix: str) -> pages.Choice:
    query = {"tenant": entrance.tenant.name, "directory": directory.tid, "login_hint": entrance.address, "next": target}
    url = f"{prefix}/login?" + urlencode({name: value for name, value in query.items() if value})
    return pages.Choice(directory.label or directory.tid, url)


class _Limit:
    """So many sign-ins a minute of one address: beginning one and ending it counts as two."""

    def __init__(self, per_minute: int, share: float) -> None:
        self._per_second = 2 * per_minute / 60 * share
        self._at_once = max(2.0, 2 * per_minute * share)
        self._buckets = Buckets()
        self._lock = threading.Lock()

    def take(self, address: str) -> None:
        with self._lock:
            wait = self._buckets.take(address, self._per_second, self._at_once)
        if wait:
            raise TooManyRequests(wait)
