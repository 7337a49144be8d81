"""From failures to answers: the only translator, for people (a page) and for programs (JSON).

SignInFailed          a page that says why, what to do and whom to ask; 403, or 503 where it is worth trying again; recorded
NotSignedIn           to /login and back, for a page; 401 for whoever asks for JSON, and below /auth
TooManyRequests       429 with Retry-After
KeyFault              503: secrets cannot be read; the log says which key is missing
StoreError            503 with Retry-After
HTTPException         its own status
anything else         500, logged with its traceback; the answer names the request only
"""

from __future__ import annotations

import math
from functools import partial
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from oidc.blueprint import cookies, pages
from oidc.blueprint.answers import answer, go_to, wants_json
from oidc.refusals import RefusedSignIns, SignInFailed
from oidc.session import SUSPENDED, NotSignedIn
from scim_server import clock, log
from scim_server.config import Settings
from scim_server.store.errors import Busy, StoreError
from scim_server.tenancy.keys import KeyFault
from scim_server.tenancy.rates import TooManyRequests

STRANGERS = ("unknown_domain", "unknown_tenant", "no_directory", "tenant_suspended")
"""To a stranger these are one: nobody learns from them who is a customer."""

_STATUS = {
    **dict.fromkeys(STRANGERS, 404),
    **dict.fromkeys(("state_missing", "state_unknown", "state_expired", "state_used", "other_browser", "wrong_issuer_parameter"), 400),
    **dict.fromkeys(("no_id_token", "invalid_token", "provider_refused", "request_refused"), 400),
}
"""By reason."""

_FORBIDDEN, _LATER = 403, 503


def register(blueprint: Blueprint, refused: RefusedSignIns, settings: Settings) -> None:
    """Answer every failure of the blueprint's routes."""
    blueprint.register_error_handler(SignInFailed, partial(_sign_in_failed, refused, settings))
    blueprint.register_error_handler(NotSignedIn, partial(_not_signed_in, settings))
    blueprint.register_error_handler(TooManyRequests, partial(_too_many, settings))
    blueprint.register_error_handler(KeyFault, partial(_no_key, settings))
    blueprint.register_error_handler(StoreError, partial(_store, settings))
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, partial(_unexpected, settings))


def _sign_in_failed(refused: RefusedSignIns, settings: Settings, failure: SignInFailed) -> Response:
    refused.record(failure, g.request_id)
    g.refusal = failure.reason
    again = settings.prefix + "/login"
    if failure.tenant_name and failure.reason not in STRANGERS:
        again += "?" + urlencode({"tenant": failure.tenant_name, **({} if failure.retry else {"another": "1"})})
    if failure.retry:
        wait = math.ceil(failure.retry_after) if failure.retry_after else None
        response = _error(failure.reason, _LATER) if wants_json() else pages.retry(failure.reason, g.request_id, wait, again, _LATER)
        if wait:
            response.headers["Retry-After"] = str(wait)
        return response
    status = _STATUS.get(failure.reason, _FORBIDDEN)
    if wants_json():
        return _error(failure.reason, status)
    shown = pages.Refusal(
        reason=failure.reason,
        tenant_name=failure.tenant_name,
        address=failure.address,
        missing_groups=failure.groups,
        contact=failure.contact,
        reference=g.request_id,
        time=clock.now(),
        sign_in_url=again,
    )
    return pages.refused(shown, status)


def _not_signed_in(settings: Settings, failure: NotSignedIn) -> Response:
    g.refusal = f"not signed in: {failure.reason}" if failure.reason else "not signed in"
    if request.path.startswith("/auth/") or request.method != "GET" or wants_json():
        response = answer({"error": "not_signed_in", "login": settings.public_url + "/login"}, 401)
    else:
        response = go_to(settings.prefix + "/login?" + urlencode({"next": settings.prefix + request.path}))
    if cookies.session_ticket() is not None and failure.reason != SUSPENDED:
        cookies.clear_session(response)
    return response


def _too_many(settings: Settings, failure: TooManyRequests) -> Response:
    g.refusal = "too many requests"
    wait = math.ceil(failure.wait)
    again = settings.prefix + "/login"
    response = _error("too_many_requests", 429) if _is_program() else pages.retry("too_many_requests", g.request_id, wait, again, 429)
    response.headers["Retry-After"] = str(wait)
    return response


def _no_key(settings: Settings, failure: KeyFault) -> Response:
    log.get().error("secret_not_read", fault=str(failure), request_id=g.request_id)
    return _later("our_credential", settings, None)


def _store(settings: Settings, failure: StoreError) -> Response:
    log.get().warning("store_unavailable", reason=type(failure).__name__, request_id=g.request_id)
    return _later("provider_unavailable", settings, 1 if isinstance(failure, Busy) else 5)


def _http(failure: HTTPException) -> Response | HTTPException:
    if not _is_program():
        return failure
    response = _error(failure.name.lower().replace(" ", "_"), failure.code or 500, failure.description)
    for name, value in failure.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def _unexpected(settings: Settings, failure: Exception) -> Response:
    log.get().error("unexpected", request_id=g.request_id, exc_info=failure)
    return (
        _error("server_error", 500) if _is_program() else pages.retry("server_error", g.request_id, None, settings.prefix + "/login", 500)
    )


def _later(reason: str, settings: Settings, wait: int | None) -> Response:
    page = partial(pages.retry, reason, g.request_id, wait, settings.prefix + "/login", _LATER)
    response = _error(reason, _LATER) if _is_program() else page()
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _is_program() -> bool:
    return wants_json() or request.path.startswith("/auth/")


def _error(reason: str, status: int, description: str | None = None) -> Response:
    body = {"error": reason, "reference": g.request_id}
    return answer({**body, "error_description": description} if description else body, status)
