"""Sign-in over HTTP: the edge.

    signin      /login, /callback: to the directory and back
    sessions    /me, /logout, and what the SaaS's own app asks: /auth/verify, /auth/refresh
    apps        access tokens for the SaaS's own app, their keys, and whether they hold
    cookies     the two cookies, and whose request it is
    failures    the only translator from failures to answers
    pages       values -> pages, in two languages; wording has the words
    answers     JSON, and where to go next

A route parses, calls one function of ``oidc``, renders.
"""

from __future__ import annotations

from functools import partial

from flask import Flask

from oidc.access_tokens import AccessTokens
from oidc.assembly import SignIn
from oidc.blueprint import apps, cookies, failures, pages, sessions, signin
from oidc.refusals import RefusedSignIns
from scim_server.tenancy.apps import Apps
from scim_server.turns import TENANT_OF


def register(app: Flask, sign_in: SignIn, tokens: AccessTokens, clients: Apps) -> None:
    """Serve sign-in, sessions and what belongs to them from this app, below PUBLIC_URL."""
    settings, known = sign_in.settings, sign_in.sessions
    pages.install(app, settings)
    refused = RefusedSignIns(sign_in.store)
    same_origin = partial(cookies.require_same_origin, settings.public_url)
    for blueprint in (
        signin.create_blueprint(sign_in.entrances, sign_in.flow, settings),
        sessions.create_blueprint(sign_in.store, known, sign_in.flow, settings),
        apps.create_blueprint(tokens, clients, partial(sessions.current, known), same_origin),
    ):
        failures.register(blueprint, refused, settings)
        app.register_blueprint(blueprint)
    app.extensions[TENANT_OF]["COOKIE"] = partial(cookies.tenant_of, known)
