"""/oauth/token (RFC 6749 §3.2), and what it can do (RFC 8414): for clients that exchange a credential for access tokens."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from scim_server.config import TOKEN_PATH
from scim_server.http import oauth_errors
from scim_server.http.oauth_errors import METADATA_PATH
from scim_server.tenancy.client import SCOPES
from scim_server.tenancy.client_credentials import GRANT_TYPE, ClientCredentials, RequestError

_FORM = "application/x-www-form-urlencoded"
_MAX_BYTES = 64 * 1024
_MAX_PARAMETERS = 20
_KNOWN = frozenset({"grant_type", "scope", "client_id", "client_secret", "client_assertion_type", "client_assertion"})


def create_blueprint(clients: ClientCredentials, public_url: str) -> Blueprint:
    """Both routes, at the root of ``public_url``, which is also the issuer's name."""
    blueprint = Blueprint("oauth", __name__)
    oauth_errors.register(blueprint)
    metadata = orjson.dumps(_metadata(public_url))

    @blueprint.post(TOKEN_PATH, strict_slashes=False)
    def token() -> Response:
        issued = clients.token(request.headers.get("Authorization"), _form(), g.address, g.request_id)
        g.client = issued.client
        body = {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "scope": " ".join(issued.scopes),
        }
        return _json(orjson.dumps(body), {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def describe() -> Response:
        return _json(metadata)

    # RFC 8414 §3.1: the path of an issuer that has one comes last. A proxy may send us either.
    for rule in {METADATA_PATH, METADATA_PATH + urlsplit(public_url).path}:
        blueprint.add_url_rule(rule, "describe", describe, methods=["GET"], strict_slashes=False)
    return blueprint


def _metadata(public_url: str) -> dict[str, object]:
    return {
        "issuer": public_url,
        "token_endpoint": public_url + TOKEN_PATH,
        "response_types_supported": [],
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "scopes_supported": list(SCOPES),
    }


def _json(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, content_type="application/json", headers=headers)


def _form() -> dict[str, str]:
    """The parameters that mean something here and have a value (RFC 6749 §3.2). Raises RequestError."""
    if request.mimetype != _FORM:
        raise RequestError("invalid_request", f"Send the parameters in the body, as {_FORM}.")
    try:
        pairs = parse_qsl(_data().decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except UnicodeDecodeError as fault:
        raise RequestError("invalid_request", "The body is not UTF-8, or not once its percent-encoding is undone.") from fault
    except ValueError as fault:
        raise RequestError("invalid_request", f"The body has more than {_MAX_PARAMETERS} parameters.") from fault
    form: dict[str, str] = {}
    for name, value in pairs:
        if not value:
            continue
        if name in form:
            raise RequestError("invalid_request", f"{name if name in _KNOWN else 'A parameter'} is given more than once.")
        if name in _KNOWN and not value.isprintable():
            raise RequestError("invalid_request", f"{name} has a character in it that cannot be, such as a line break. Copy it again.")
        form[name] = value
    return {name: value for name, value in form.items() if name in _KNOWN}


def _data() -> bytes:
    """The bytes of the body, whether its length was announced or it comes in chunks."""
    request.max_content_length = _MAX_BYTES
    too_large = RequestError("invalid_request", f"The body is larger than the {_MAX_BYTES} bytes allowed.", 413)
    try:
        data = request.get_data(cache=False)
    except RequestEntityTooLarge as fault:
        raise too_large from fault
    if request.content_length is None and len(data) >= _MAX_BYTES:  # in chunks: Werkzeug stops at the limit without a word
        raise too_large
    return data
