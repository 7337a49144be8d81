"""From failures to answers: the only translator, for people (a page) and for programs (JSON).

SignInFailed          a page that says why, what to do and whom to ask; 403, or 503 where it is worth trying again; recorded;
                      where no tenant can be named, the page to sign in again
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

from oidc.blueprint import cookies, pages, wording
from oidc.blueprint.answers import answer, go_to, return_path, wants_json
from oidc.blueprint.wording import STRANGERS
from oidc.refusals import RefusedSignIns, SignInFailed
from oidc.session import SUSPENDED, NotSignedIn
from scim_server import clock, log
from scim_server.config import Settings
from scim_server.store.errors import Busy, StoreError
from scim_server.tenancy.keys import KeyFault
from scim_server.tenancy.rates import TooManyRequests

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
    blueprint.register_error_handler(HTTPException, partial(_http, settings))
    blueprint.register_error_handler(Exception, partial(_unexpected, settings))


def _sign_in_failed(refused: RefusedSignIns, settings: Settings, failure: SignInFailed) -> Response:
    refused.record(failure, g.request_id)
    g.refusal = failure.reason
    again = _again(settings, failure)
    if failure.retry:
        wait = math.ceil(failure.retry_after) if failure.retry_after else None
        response = _error(failure.reason, _LATER) if wants_json() else pages.retry(failure.reason, g.request_id, wait, again, _LATER)
        if wait:
            response.headers["Retry-After"] = str(wait)
        return response
    status = _STATUS.get(failure.reason, _FORBIDDEN)
    if wants_json():
        return _error(failure.reason, status)
    if failure.reason in STRANGERS:  # one page for all of them: whatever is known of the tenant, it does not show
        return pages.sign_in(failure.address or "", failure.reason, return_path(), g.request_id, status)
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


def _again(settings: Settings, failure: SignInFailed) -> str:
    """Where to begin again: at the person's tenant; where it is not proved to be his, at the directory that the browser came from."""
    query = {"tenant": failure.tenant_name} if failure.tenant_name else {"directory": failure.begun_at} if failure.begun_at else {}
    if query and wording.of(failure.reason).other_account:
        query["another"] = "1"
    return settings.prefix + "/login" + ("?" + urlencode(query) if query else "")


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
    return _later("server_error", settings, None)


def _store(settings: Settings, failure: StoreError) -> Response:
    log.get().warning("store_unavailable", reason=type(failure).__name__, request_id=g.request_id)
    return _later("provider_unavailable", settings, 1 if isinstance(failure, Busy) else 5)


def _http(settings: Settings, failure: HTTPException) -> Response:
    status = failure.code or 500
    if _is_program():
        response = _error(failure.name.lower().replace(" ", "_"), status, failure.description)
    else:
        response = pages.retry("not_accepted", g.request_id, None, settings.prefix + "/login", status)
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
