"""Every route × every kind of token: the status that is due, nothing of another tenant in any answer, nothing changed.

The rows are made from the application's URL map: a new route without a line in ROUTES fails.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from scim_server import clock
from scim_server.events import Scope
from scim_server.outbound import Outbound
from scim_server.store.registry import Registry
from scim_server.tenancy.credentials import Terms, create_entra
from tests.http.conftest import BULK_REQUEST, GROUP, PATCH_OP, SEARCH_REQUEST, USER, Scim, new_client
from tests.provider import Directory, NewDirectory
from tests.tenants import OPERATOR, fresh_scope, new_app, new_credential

READ, WRITE, IN_PARTS = "reads", "writes", "writes, and tells of each part"
OPEN, BY_FORM = "needs no credential", "takes a client's secret in its body"
OF_USERS = "knows people who have signed in"
BY_COOKIE = "knows sessions, and no bearer token"

SCIM = "/scim/v2"
RENAME = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": "taken over"}]}
BULK = {
    "schemas": [BULK_REQUEST],
    "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER], "userName": "in bulk {unique}"}},
        {"method": "PATCH", "path": "/Users/{user}", "data": RENAME},
        {"method": "DELETE", "path": "/Groups/{group}"},
    ],
}
ROUTES: dict[tuple[str, str], tuple[str, Any]] = {
    ("GET", f"{SCIM}/Users"): (READ, None),
    ("POST", f"{SCIM}/Users"): (WRITE, {"schemas": [USER], "userName": "made by {unique}"}),
    ("GET", f"{SCIM}/Users/<resource_id>"): (READ, None),
    ("PUT", f"{SCIM}/Users/<resource_id>"): (WRITE, {"schemas": [USER], "userName": "taken over"}),
    ("PATCH", f"{SCIM}/Users/<resource_id>"): (WRITE, RENAME),
    ("DELETE", f"{SCIM}/Users/<resource_id>"): (WRITE, None),
    ("GET", f"{SCIM}/Groups"): (READ, None),
    ("POST", f"{SCIM}/Groups"): (WRITE, {"schemas": [GROUP], "displayName": "made by {unique}"}),
    ("GET", f"{SCIM}/Groups/<resource_id>"): (READ, None),
    ("PUT", f"{SCIM}/Groups/<resource_id>"): (WRITE, {"schemas": [GROUP], "displayName": "taken over"}),
    ("PATCH", f"{SCIM}/Groups/<resource_id>"): (WRITE, RENAME),
    ("DELETE", f"{SCIM}/Groups/<resource_id>"): (WRITE, None),
    ("GET", f"{SCIM}/"): (READ, None),
    ("POST", f"{SCIM}/.search"): (READ, {"schemas": [SEARCH_REQUEST]}),
    ("POST", f"{SCIM}/Users/.search"): (READ, {"schemas": [SEARCH_REQUEST]}),
    ("POST", f"{SCIM}/Groups/.search"): (READ, {"schemas": [SEARCH_REQUEST]}),
    **{(method, f"{SCIM}/Me"): (OF_USERS, None) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    ("POST", f"{SCIM}/Bulk"): (IN_PARTS, BULK),
    ("GET", f"{SCIM}/ServiceProviderConfig"): (OPEN, None),
    ("GET", f"{SCIM}/ResourceTypes"): (OPEN, None),
    ("GET", f"{SCIM}/ResourceTypes/<name>"): (OPEN, None),
    ("GET", f"{SCIM}/Schemas"): (OPEN, None),
    ("GET", f"{SCIM}/Schemas/<urn>"): (OPEN, None),
    ("GET", "/openapi.json"): (OPEN, None),
    ("GET", "/healthz"): (OPEN, None),
    ("GET", "/readyz"): (OPEN, None),
    ("POST", "/oauth/token"): (BY_FORM, None),
    ("GET", "/.well-known/oauth-authorization-server"): (OPEN, None),
    ("GET", "/login"): (OPEN, None),
    ("GET", "/signed-out"): (OPEN, None),
    ("GET", "/frontchannel-logout"): (OPEN, None),
    ("GET", "/login-static/<path:filename>"): (OPEN, None),
    ("GET", "/.well-known/jwks.json"): (OPEN, None),
    ("GET", "/callback"): (BY_COOKIE, None),
    ("GET", "/me"): (BY_COOKIE, None),
    ("POST", "/me/sessions/end"): (BY_COOKIE, None),
    ("POST", "/logout"): (BY_COOKIE, None),
    ("POST", "/auth/refresh"): (BY_COOKIE, None),
    ("GET", "/auth/verify"): (BY_COOKIE, None),
    ("POST", "/auth/token"): (BY_COOKIE, None),
    ("POST", "/auth/introspect"): (BY_COOKIE, None),
}
PARAMETERS = {"name": "User", "urn": USER, "path:filename": "style.css"}
UNCHECKED = ("/healthz", "/readyz", "/oauth/token", "/.well-known/", "/login", "/signed-out", "/frontchannel-logout")
"""Routes that look at no bearer token at all: whatever is sent, they answer as to nobody."""

KINDS = ("none", "another tenant's", "another directory's", "read-only", "expired", "revoked", "suspended", "forged", "unsigned")
AUDIENCE = "api://scim"


@dataclass
class World:
    """A tenant with a user and a group; tokens of each kind; and everything by which the tenant could be known."""

    app: Flask
    user_id: str
    group_id: str
    scope: Scope
    tokens: dict[str, str | None] = field(default_factory=dict)
    known_by: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def app(engine: Engine) -> Flask:
    """An application that lets issuers be on this machine."""
    return new_app(engine, allow_custom_cloud=True)


@pytest.fixture
def world(app: Flask, registry: Registry, engine: Engine, scope: Scope, other_scope: Scope, new_directory: NewDirectory) -> World:
    marks = {name: f"{name}-{uuid4()}" for name in ("anna", "team", "title", "external")}
    owner = new_client(app, registry, scope.tenant_id)
    anna = owner.user(marks["anna"], title=marks["title"], externalId=marks["external"])
    team = owner.group(marks["team"], anna["id"])
    suspended = fresh_scope(engine)
    registry.tenants.suspend(suspended.tenant_id, OPERATOR, "a test")
    revoked, revoked_token = new_credential(registry, scope.tenant_id)
    registry.credentials.revoke(revoked.id, OPERATOR)
    directory, other_directory = new_directory(), new_directory()
    trusting(registry, scope.tenant_id, directory)
    trusting(registry, other_scope.tenant_id, other_directory)
    names = {each.name for each in registry.tenants.list() if each.id in (scope.tenant_id, suspended.tenant_id)}
    world = World(app, anna["id"], team["id"], scope)
    world.tokens = {
        "none": None,
        "another tenant's": new_credential(registry, other_scope.tenant_id)[1],
        "read-only": new_credential(registry, scope.tenant_id, scopes=frozenset({"scim.read"}))[1],
        "expired": new_credential(registry, scope.tenant_id, expires=clock.now() - timedelta(seconds=1))[1],
        "revoked": revoked_token,
        "suspended": new_credential(registry, suspended.tenant_id)[1],
        "another directory's": other_directory.token(AUDIENCE),
        "forged": directory.sign(directory.claims(AUDIENCE), key="foreign"),
        "unsigned": unsigned(directory.claims(AUDIENCE, tenant=scope.tenant_id)),
    }
    credentials = {each.id for each in registry.credentials.list(scope.tenant_id)}
    world.known_by = {directory.tid, *marks.values(), anna["id"], team["id"], scope.tenant_id, suspended.tenant_id, *names, *credentials}
    return world


def trusting(registry: Registry, tenant_id: str, directory: Directory) -> None:
    """The tenant lets in whole tokens of the directory."""
    where: dict[str, Any] = {"tid": directory.tid, "issuer": directory.issuer, "jwks_uri": directory.jwks_uri, "audiences": [AUDIENCE]}
    create_entra(registry, Outbound(allow_custom=True), tenant_id, Terms(), OPERATOR, **where)


def unsigned(claims: dict[str, Any]) -> str:
    """A token that says of itself whatever could open a door."""
    parts = ({"alg": "none", "typ": "JWT", "kid": "1"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        yield from ((method, rule.rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_route_has_a_row(app: Flask) -> None:
    assert set(routes(app)) == ROUTES.keys()


def due(kind: str, method: str, rule: str) -> set[int]:
    """What the answer must be."""
    needs, _ = ROUTES[method, rule]
    if needs == BY_FORM:
        return {400}
    if needs == BY_COOKIE:
        return {401, 400} if rule == "/callback" else {303} if rule in ("/me", "/logout") else {401}
    if rule.startswith(UNCHECKED):
        return {200}
    if kind in ("expired", "revoked", "forged", "unsigned"):
        return {401}
    if kind == "suspended":
        return {403}
    if needs == OPEN:
        return {200}
    if needs == OF_USERS:
        return {401} if kind == "none" else {404}
    if kind == "none":
        return {401}
    if kind == "read-only":
        return {403} if needs in (WRITE, IN_PARTS) else {200}
    return {404} if "<" in rule else {201 if method == "POST" and needs == WRITE else 200}


def send(world: World, kind: str, method: str, rule: str) -> tuple[TestResponse, str]:
    """The answer, and all that was sent."""
    resource_id = world.group_id if "Groups" in rule else world.user_id
    path = rule.replace("<resource_id>", resource_id)
    for name, value in PARAMETERS.items():
        path = path.replace(f"<{name}>", value)
    body = json.dumps(ROUTES[method, rule][1]).replace("{unique}", str(uuid4())) if ROUTES[method, rule][1] else None
    body = body and body.replace("{user}", world.user_id).replace("{group}", world.group_id)
    if rule.startswith(SCIM):
        client: Callable[..., TestResponse] = Scim(world.app, world.tokens[kind]).request
        answer = client(method, path.removeprefix(SCIM), body.encode() if body else None)
    else:
        headers = {"Authorization": f"Bearer {world.tokens[kind]}"} if world.tokens[kind] else {}
        answer = world.app.test_client().open(path, method=method, headers=headers, data=body, buffered=True)
    return answer, path + (body or "")


def resources(owner_engine: Engine, scope: Scope) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    with owner_engine.connect() as connection:
        for table in ("users", "groups", "user_emails", "memberships", "activity"):
            rows = connection.execute(text(f"SELECT * FROM {table} WHERE tenant_id = :t"), {"t": scope.tenant_id})
            found += [(table, *map(str, row)) for row in rows]
    return sorted(found)


@pytest.mark.requirement("S-7644-2-02", "S-7644-2-03", "S-7644-6-03", "S-7644-2.2-01", "S-7644-3.7-14")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_token_at_every_route(world: World, owner_engine: Engine, kind: str) -> None:
    before = resources(owner_engine, world.scope)
    assert len(before) >= 4
    wrong, leaks = [], []
    for method, rule in sorted(ROUTES):
        answer, sent = send(world, kind, method, rule)
        if answer.status_code not in due(kind, method, rule):
            wrong.append((method, rule, answer.status_code, answer.get_data(as_text=True)))
        told = answer.get_data(as_text=True) + str(answer.headers)
        own = kind == "read-only" and answer.status_code == 200
        leaks += [(method, rule, mark) for mark in world.known_by if mark in told and mark not in sent and not own]
    assert not wrong
    assert not leaks
    assert resources(owner_engine, world.scope) == before


def test_whoever_is_refused_gets_one_and_the_same_answer(world: World) -> None:
    answers = set()
    for kind in ("expired", "revoked", "forged", "unsigned"):
        answer, _ = send(world, kind, "GET", f"{SCIM}/Users")
        body = answer.get_data(as_text=True).replace(answer.headers["X-Request-Id"], "")
        answers.add((answer.status_code, body, answer.headers["WWW-Authenticate"]))
    assert len(answers) == 1
