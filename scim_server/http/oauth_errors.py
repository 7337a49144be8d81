"""From failures to answers, as OAuth clients read them (RFC 6749 §5.2): what ``errors`` is for SCIM.

RequestError        its own error and status
Unauthenticated     401 invalid_client, the same body whatever the reason
Suspended           400 unauthorized_client
TooManyRequests     429 temporarily_unavailable with Retry-After
StoreError          503 temporarily_unavailable with Retry-After
HTTPException       its own status: unknown path, wrong method
anything else       500 server_error, logged with its traceback; the answer names the request only

RFC 6749 has no error of the token endpoint for "later"; temporarily_unavailable is what its §4.1.2.1 says for that elsewhere.
"""

from __future__ import annotations

import math
import re

import orjson
from flask import Blueprint, Response, g
from werkzeug.exceptions import HTTPException

from scim_server import log
from scim_server.config import TOKEN_PATH
from scim_server.store.errors import Busy, StoreError
from scim_server.tenancy.client_credentials import RequestError
from scim_server.tenancy.rates import TooManyRequests
from scim_server.tenancy.refusals import Suspended, Unauthenticated

METADATA_PATH = "/.well-known/oauth-authorization-server"
PREFIXES = ("/oauth/", METADATA_PATH)

_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")  # in an error_description


def register(blueprint: Blueprint) -> None:
    """Answer every failure of the blueprint's routes in this form."""
    blueprint.register_error_handler(RequestError, _request)
    blueprint.register_error_handler(Unauthenticated, _unauthenticated)
    blueprint.register_error_handler(Suspended, _suspended)
    blueprint.register_error_handler(TooManyRequests, _too_many)
    blueprint.register_error_handler(StoreError, _store)
    blueprint.register_error_handler(HTTPException, http)
    blueprint.register_error_handler(Exception, _unexpected)


def http(failure: HTTPException) -> Response:
    """Also for what no route takes below PREFIXES."""
    status = failure.code or 500
    text = {
        404: f"There is nothing here. Tokens are given out at {TOKEN_PATH}, by POST.",
        405: "This method is not possible here. The Allow header names those that are.",
    }.get(status, failure.description or failure.name)
    response = _answer("invalid_request", text, status)
    for name, value in failure.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _answer(error: str, description: str, status: int, retry_after_s: int | None = None) -> Response:
    text = f"{description} (request {g.request_id})"
    body = {"error": error, "error_description": _NOT_ALLOWED.sub("?", text)}
    response = Response(orjson.dumps(body), status, content_type="application/json", headers={"Cache-Control": "no-store"})
    response.headers["Pragma"] = "no-cache"
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def _request(failure: RequestError) -> Response:
    g.refusal = failure.error
    return _answer(failure.error, failure.description, failure.status)


def _unauthenticated(failure: Unauthenticated) -> Response:
    g.refusal = failure.reason
    response = _answer(
        "invalid_client",
        "The client could not be authenticated. Check Client Identifier and Client Secret (or issuer, subject and audience of a federated "
        "credential) in the provisioning settings, or ask for new ones: they may have expired or been revoked.",
        401,
    )
    response.headers["WWW-Authenticate"] = 'Basic realm="scim"'
    return response


def _suspended(failure: Suspended) -> Response:
    g.refusal = failure.reason
    return _answer("unauthorized_client", "This customer's access is suspended. Ask the operator of this service.", 400)


def _too_many(failure: TooManyRequests) -> Response:
    g.refusal = "too many requests"
    text = "Too many tokens were asked for. Use a token until it expires; try again after the time in Retry-After."
    return _answer("temporarily_unavailable", text, 429, math.ceil(failure.wait))


def _store(failure: StoreError) -> Response:
    log.get().warning("store_unavailable", reason=type(failure).__name__, request_id=g.request_id)
    text = "The service cannot give out a token now. Try again after the time in Retry-After."
    return _answer("temporarily_unavailable", text, 503, 1 if isinstance(failure, Busy) else 5)


def _unexpected(failure: Exception) -> Response:
    log.get().error("unexpected", request_id=g.request_id, exc_info=failure)
    return _answer("server_error", "The server failed at this request. Tell its operator the request id.", 500)
