"""The SCIM endpoints under /scim/v2: who calls, what is served, what is logged of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

import orjson
from flask import Blueprint, Flask, Response, g, request

from scim_server import log
from scim_server.access.own_tokens import OwnTokens
from scim_server.config import BASE_PATH, TOKEN_PATH, Network, Settings
from scim_server.http import discovery, errors, health, oauth_token
from scim_server.http.addresses import client_address
from scim_server.http.bulk import Bulk
from scim_server.http.me import Me
from scim_server.http.resources import Endpoint
from scim_server.http.root import Root
from scim_server.http.walks import Walks
from scim_server.scim import openapi
from scim_server.scim.schemas import BASE_TYPES, GROUP_TYPE, USER_TYPE
from scim_server.store.unit import Store
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.client import READ, WRITE
from scim_server.tenancy.client_credentials import ClientCredentials
from scim_server.tenancy.cursors import Cursors
from scim_server.turns import TENANT_OF

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SEARCH = "/.search"  # a POST that only reads (RFC 7644 §3.4.3)


def register(
    app: Flask, store: Store, bearer: Bearer, clients: ClientCredentials, cursors: Cursors, own: OwnTokens, settings: Settings
) -> None:
    """Serve SCIM, access tokens for it, and the health checks from this app.

    Where the world reaches it, the base of every ``meta.location`` and ``$ref``, is configured, never taken from a request.
    """
    base_url, max_results = settings.tenant_url, settings.max_page_size
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    # Nobody is sent anywhere: a redirect would be made from the request's Host.
    app.url_map.redirect_defaults = app.url_map.merge_slashes = False
    app.before_request(partial(_begin, settings.trusted_proxies))
    app.after_request(_end)
    app.extensions[TENANT_OF] = {"AUTHORIZATION": bearer.tenant_of}
    errors.register(app)
    app.register_blueprint(health.create_blueprint(store))
    app.register_blueprint(_resources(store, bearer, cursors, base_url, max_results))
    app.register_blueprint(_discovery(store, bearer, base_url, max_results, settings.max_body_bytes))
    app.register_blueprint(_of_oneself(own, bearer, store, base_url))
    app.register_blueprint(_description(store, bearer, settings))
    app.register_blueprint(oauth_token.create_blueprint(clients, settings.public_url))


def _resources(store: Store, bearer: Bearer, cursors: Cursors, base_url: str, max_results: int) -> Blueprint:
    blueprint = Blueprint("scim", __name__, url_prefix=BASE_PATH)

    @blueprint.before_request
    def authenticate() -> None:
        if (
            "access_token" in request.environ.get("QUERY_STRING", "")
            and "Authorization" in request.headers
            and "access_token" in request.args
        ):
            raise errors.TwoCredentials
        needs = READ if request.method in _SAFE or request.path.rstrip("/").endswith(_SEARCH) else WRITE
        g.client = bearer.client(request.headers.get("Authorization"), g.address, g.request_id, needs)
        g.scope = g.client.scope(g.request_id)

    for kind, linked, patch_answers_in_full in ((USER_TYPE, "groups", True), (GROUP_TYPE, "members", False)):
        walks = Walks(kind.endpoint, cursors, max_results)
        Endpoint(kind.name, kind.endpoint, linked, patch_answers_in_full, store, base_url, walks).register(blueprint)
    Root(store, base_url, max_results).register(blueprint)
    Bulk(store, base_url).register(blueprint)
    return blueprint


def _of_oneself(own: OwnTokens, bearer: Bearer, store: Store, base_url: str) -> Blueprint:
    blueprint = Blueprint("me", __name__, url_prefix=BASE_PATH)
    Me(own, bearer, store, base_url).register(blueprint)
    return blueprint


def _discovery(store: Store, bearer: Bearer, base_url: str, max_results: int, max_body_bytes: int) -> Blueprint:
    blueprint = Blueprint("discovery", __name__, url_prefix=BASE_PATH)

    @blueprint.before_request
    def authenticate_if_asked() -> None:
        """A credential is not needed; a wrong one is still refused, so that nobody takes it for right."""
        if authorization := request.headers.get("Authorization"):
            g.client = bearer.client(authorization, g.address, g.request_id)

    discovery.register(blueprint, store, base_url, max_results, max_body_bytes)
    return blueprint


def _description(store: Store, bearer: Bearer, settings: Settings) -> Blueprint:
    """The OpenAPI document: the tenant's with a credential, else that of a tenant with nothing of its own."""
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get("/openapi.json")
    def describe() -> Response:
        types = BASE_TYPES
        if authorization := request.headers.get("Authorization"):
            g.client = bearer.client(authorization, g.address, g.request_id)
            types = store.types(g.client.scope(g.request_id))
        described = openapi.document(types, settings.tenant_url, settings.public_url + TOKEN_PATH, version("scim-server"))
        return Response(orjson.dumps(described), content_type="application/json")

    return blueprint


def _begin(trusted_proxies: Sequence[Network]) -> None:
    g.began = time.perf_counter()
    g.request_id = secrets.token_hex(8)
    g.address = client_address(request.environ, trusted_proxies)


def _end(response: Response) -> Response:
    """Stamp the answer and write the access line: who, what, how long; no query (it holds names), no body."""
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    client, signed_in = g.get("client"), g.get("signed_in")
    log.access(
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round((time.perf_counter() - g.began) * 1000, 2),
        request_id=g.request_id,
        tenant=client.tenant_name if client else signed_in.tenant_name if signed_in else None,
        credential=client.credential_id if client else None,
        user=signed_in.session.user_id if signed_in else None,
        address=g.address,
        refusal=g.get("refusal"),
    )
    return response
