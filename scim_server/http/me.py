"""/Me (RFC 7644 §3.11): for principals that are users, which are people who have signed in and come with an access token of ours.

They may look at themselves. What is known of them their organisation's directory keeps, so nothing can be changed here.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, g, request

from scim_server.access.own_tokens import OwnTokens
from scim_server.events import Principal, Scope
from scim_server.http import requests, responses
from scim_server.provisioning import users
from scim_server.scim.errors import NotFound, ScimError
from scim_server.store.unit import Store
from scim_server.tenancy.bearer import Bearer


class NotHere(ScimError):
    """Not for whoever asks."""

    status = 403


class NotImplementedHere(ScimError):
    status = 501


@dataclass(frozen=True, slots=True)
class Me:
    """The endpoint."""

    own: OwnTokens
    bearer: Bearer
    store: Store
    base_url: str

    def register(self, blueprint: Blueprint) -> None:
        """Add the routes."""
        for method, view in (
            ("GET", self.read),
            ("PUT", self.change),
            ("PATCH", self.change),
            ("DELETE", self.change),
            ("POST", self.create),
        ):
            blueprint.add_url_rule("/Me", f"me_{method}", view, methods=[method], provide_automatic_options=False, strict_slashes=False)

    def read(self) -> Response:
        """The user's own resource, at its own address."""
        scope = self._scope()
        incoming = requests.Incoming(self.store.types(scope).user, requests.parameters(), None)
        projection = incoming.projection
        with self.store.read(scope) as unit:
            found = users.read(unit, scope.principal.id, links=projection.wants("groups"))
        return responses.unless_known(found, self.base_url, projection)

    def change(self) -> Response:
        self._scope()
        raise NotHere("What is known of you is kept by your organisation's directory; have it changed there.")

    def create(self) -> Response:
        self._scope()
        raise NotImplementedHere("Nobody makes himself a user here: people are made by their organisation, or at their first sign-in.")

    def _scope(self) -> Scope:
        """Who asks. NotFound for a client that is no user; what Bearer raises for nobody."""
        authorization = request.headers.get("Authorization") or ""
        scheme, _, token = authorization.partition(" ")
        read = self.own.read(token.strip(), g.request_id) if scheme.lower() == "bearer" and token else None
        if read is None:
            g.client = self.bearer.client(authorization or None, g.address, g.request_id)
            raise NotFound("This credential is a client's, which is no user: there is nobody that /Me could be.")
        _, g.signed_in = read
        found = g.signed_in
        return Scope(found.tenant_id, Principal("user", found.session.user_id), g.request_id)
