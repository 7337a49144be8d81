"""From failures to answers: the only translator.

ScimError           its own status and scimType
Unauthenticated     401, the same body whatever the reason (RFC 6750 §3)
Suspended           403: the tenant is suspended
InsufficientScope   403, naming the scope (RFC 6750 §3.1)
TooManyRequests     429 with Retry-After
Taken               409 uniqueness
UnknownMembers      400 invalidValue, naming the ids
IssuerUnavailable   503 with Retry-After: nobody knows whether the token is good
Busy                503 with Retry-After: the client tries again, nothing was changed; so with Outdated, its subclass
Unavailable         503 with Retry-After; if the database went away at the commit, nobody knows whether it was done
HTTPException       its own status: unknown route, wrong method, ...
anything else       500, logged with its traceback; the answer names the request only
"""

from __future__ import annotations

import math

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from scim_server import log
from scim_server.http import oauth_errors, responses
from scim_server.provisioning.failures import refusal
from scim_server.scim.errors import ScimError
from scim_server.scim.messages import error
from scim_server.store.errors import Busy, Taken, Unavailable, UnknownMembers
from scim_server.tenancy.rates import TooManyRequests
from scim_server.tenancy.refusals import InsufficientScope, Suspended, Unauthenticated
from scim_server.tenancy.trust import IssuerUnavailable

PREFIX = "/scim/"


class _Answer(ScimError):
    """A failure that is not the protocol core's: a status and a detail."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class TwoCredentials(ScimError):
    """A credential in the header and one in the URL, where each log holds it (RFC 6750 §2)."""

    def __init__(self) -> None:
        super().__init__(
            "The credential came in two ways. Send it in the Authorization header only; the one in the URL should be replaced."
        )


def register(app: Flask) -> None:
    """Answer every failure under /scim with a SCIM error body (RFC 7644 §3.12)."""
    app.register_error_handler(ScimError, _render)
    app.register_error_handler(Unauthenticated, _unauthenticated)
    app.register_error_handler(TwoCredentials, _two_credentials)
    app.register_error_handler(Suspended, _suspended)
    app.register_error_handler(InsufficientScope, _insufficient_scope)
    app.register_error_handler(TooManyRequests, _too_many)
    app.register_error_handler(Taken, _refused)
    app.register_error_handler(UnknownMembers, _refused)
    app.register_error_handler(IssuerUnavailable, _issuer_away)
    app.register_error_handler(Busy, _try_again)
    app.register_error_handler(Unavailable, _try_again)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _render(failure: ScimError) -> Response:
    return responses.json(error(failure, g.get("request_id")), failure.status)


def _unauthenticated(failure: Unauthenticated) -> Response:
    g.refusal = failure.reason
    response = _render(
        _Answer(401, "A valid bearer token is needed. Check the secret token in the provisioning settings, or create a new one.")
    )
    response.headers["WWW-Authenticate"] = 'Bearer realm="scim", error="invalid_token"' if failure.presented else 'Bearer realm="scim"'
    return response


def _two_credentials(failure: TwoCredentials) -> Response:
    g.refusal = "two credentials"
    response = _render(failure)
    response.headers["WWW-Authenticate"] = 'Bearer realm="scim", error="invalid_request"'
    return response


def _suspended(failure: Suspended) -> Response:
    g.refusal = failure.reason
    return _render(_Answer(403, "This customer's access is suspended; nothing was changed. Ask the operator of this service."))


def _insufficient_scope(failure: InsufficientScope) -> Response:
    g.refusal = failure.reason
    response = _render(_Answer(403, f"This credential may not do that: it lacks the scope {failure.needed}. Use one that has it."))
    response.headers["WWW-Authenticate"] = f'Bearer realm="scim", error="insufficient_scope", scope="{failure.needed}"'
    return response


def _too_many(failure: TooManyRequests) -> Response:
    g.refusal = "too many requests"
    response = _render(_Answer(429, "Too many requests; nothing was changed. Try again after the time in Retry-After."))
    response.headers["Retry-After"] = str(math.ceil(failure.wait))
    return response


def _issuer_away(_failure: IssuerUnavailable) -> Response:
    g.refusal = "issuer unavailable"
    response = _render(_Answer(503, "The keys of this token's issuer cannot be fetched now; nothing was changed. Try again."))
    response.headers["Retry-After"] = "10"
    return response


def _refused(failure: Taken | UnknownMembers) -> Response:
    told = refusal(failure)
    assert told is not None
    return _render(told)


def _try_again(failure: Busy | Unavailable) -> Response:
    log.get().warning("store_unavailable", reason=type(failure).__name__, request_id=g.get("request_id"))
    busy = isinstance(failure, Busy)
    response = _render(
        _Answer(
            503,
            "The service is busy; nothing was changed. Try again." if busy else "The service has no answer from its database. Try again.",
        )
    )
    response.headers["Retry-After"] = "1" if busy else "5"
    return response


def _http(failure: HTTPException) -> Response | HTTPException:
    if request.path.startswith(oauth_errors.PREFIXES):
        return oauth_errors.http(failure)
    if not request.path.startswith(PREFIX):
        return failure
    detail = {
        404: f"There is nothing at {request.path[:200]}. The endpoints are listed at /scim/v2/ResourceTypes.",
        405: f"{request.method} is not possible at {request.path[:200]}.",
        413: f"The body is larger than the {request.max_content_length} bytes allowed.",
    }.get(failure.code or 500, failure.description or failure.name)
    response = _render(_Answer(failure.code or 500, detail))
    for name, value in failure.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    if isinstance(failure, RequestEntityTooLarge):
        response.headers["Connection"] = "close"
    return response


def _unexpected(failure: Exception) -> Response:
    log.get().error("unexpected", request_id=g.get("request_id"), exc_info=failure)
    return _render(_Answer(500, "The server failed at this request; nothing was changed. Tell its operator the request id."))
