"""For the SaaS's own application: access tokens, the keys that verify them, and whether one still holds (RFC 7662)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import unquote_plus

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest, Unauthorized

from oidc.access_tokens import AccessTokens
from oidc.blueprint.answers import answer
from scim_server import log
from scim_server.store.sessions import Found
from scim_server.tenancy.apps import Apps
from scim_server.tenancy.keys import KeyFault
from scim_server.tenancy.rates import Buckets, TooManyRequests

_MAX_FORM = 32 * 1024
_BASIC = WWWAuthenticate("basic", {"realm": "apps"})
_FAILURES_PER_SECOND, _FAILURES_AT_ONCE = 1.0, 20.0


class _NoClient(Unauthorized):
    """401 invalid_client (RFC 6749 §5.2), the same whatever the reason."""

    name = "invalid_client"


def create_blueprint(tokens: AccessTokens, apps: Apps, current: Callable[[], Found], require_same_origin: Callable[[], None]) -> Blueprint:
    blueprint = Blueprint("apps", __name__)
    failures = Buckets()

    @blueprint.post("/auth/token")
    def token() -> Response:
        """An access token for the session of this request."""
        require_same_origin()
        access_token, expires_in = tokens.issue(current())
        return answer({"access_token": access_token, "token_type": "Bearer", "expires_in": expires_in})

    @blueprint.post("/auth/introspect")
    def introspect() -> Response:
        """Whether a token holds, for one of the SaaS's own programs."""
        request.max_content_length = _MAX_FORM
        client_id, secret = _credential()
        if apps.authenticate(client_id, secret) is None:
            if wait := failures.take(g.address, _FAILURES_PER_SECOND, _FAILURES_AT_ONCE):
                raise TooManyRequests(wait)
            g.refusal = "unknown app"
            raise _NoClient("Authenticate with the app's client id and secret (scim-server app add).", www_authenticate=_BASIC)
        presented = request.form.get("token")
        if not presented:
            raise BadRequest("The parameter token is missing.")
        return answer(tokens.introspect(presented, g.request_id))

    @blueprint.get("/.well-known/jwks.json")
    def jwks() -> Response:
        """The keys that verify access tokens."""
        try:
            body = tokens.jwks()
        except KeyFault as fault:
            log.get().error("signing_keys_not_read", fault=str(fault), request_id=g.request_id)
            body = {"keys": []}
        response = Response(orjson.dumps(body), content_type="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    return blueprint


def _credential() -> tuple[str, str]:
    """Client id and secret, from the header or the form (RFC 6749 §2.3.1). Both empty where there are none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.form.get("client_id", ""), request.form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)
