"""A running app on each database, and a SCIM client of a fresh tenant whose every exchange is linted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from scim_server.events import Scope
from scim_server.provisioning import schemas
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy import profiles
from tests import lint
from tests.http.acme import extension
from tests.tenants import OPERATOR, fresh_scope, new_app, new_credential

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@dataclass
class Scim:
    """A client of one tenant. Paths are relative to the SCIM base; every answer is linted."""

    app: Flask
    token: str | None

    def request(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers.update(options.pop("headers", {}))
        if body is not None:
            options.setdefault("content_type", "application/scim+json; charset=utf-8")
            options["json" if not isinstance(body, bytes) else "data"] = body
        address = "/scim/v2" + path + ("?" + urlencode(query) if query else "")
        response = self.app.test_client().open(address, method=method, headers=headers, **options)
        lint.check(method, path, response)
        return response

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.request("GET", path, query=query)

    def find(self, path: str, filter: str, **query: Any) -> list[dict[str, Any]]:
        response = self.get(path, filter=filter, **query)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json(force=True)["Resources"]  # type: ignore[no-any-return]  # werkzeug types JSON as Any

    def post(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, *operations: dict[str, Any], **options: Any) -> TestResponse:
        return self.request("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, **options)

    def delete(self, path: str) -> TestResponse:
        return self.request("DELETE", path)

    def user(self, name: str, **attributes: Any) -> dict[str, Any]:
        """A new user; asserts that it was made."""
        response = self.post("/Users", {"schemas": [USER], "userName": name, **attributes})
        assert response.status_code == 201, response.get_data(as_text=True)
        return response.get_json(force=True)  # type: ignore[no-any-return]  # werkzeug types JSON as Any

    def group(self, name: str, *members: str, **attributes: Any) -> dict[str, Any]:
        """A new group; asserts that it was made."""
        body = {"schemas": [GROUP], "displayName": name, **attributes}
        if members:
            body["members"] = [{"value": each} for each in members]
        response = self.post("/Groups", body)
        assert response.status_code == 201, response.get_data(as_text=True)
        return response.get_json(force=True)  # type: ignore[no-any-return]  # werkzeug types JSON as Any

    def members(self, group_id: str) -> set[str]:
        body = self.get(f"/Groups/{group_id}").get_json(force=True)
        return {each["value"] for each in body.get("members", [])}


@pytest.fixture(scope="session")
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture(scope="session")
def app(engine: Engine) -> Flask:
    """The application on the session's engine."""
    return new_app(engine)


def new_client(app: Flask, registry: Registry, tenant_id: str, **terms: Any) -> Scim:
    """A client of the tenant, with a credential of these terms."""
    return Scim(app, new_credential(registry, tenant_id, **terms)[1])


@pytest.fixture(scope="module", params=list(profiles.PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    """How the wire of the tenants is read: each test that asks for a client runs under each profile, unless it says for which it is.

    That is said by ``@pytest.mark.profiles``. On PostgreSQL only the default is run (``tests/conftest.py``): a profile is done with
    before the store is asked for anything.
    """
    return str(request.param)


@pytest.fixture
def scope(engine: Engine, request: pytest.FixtureRequest) -> Scope:
    """A fresh tenant, as one of its clients sees it."""
    return _scope(engine, request)


@pytest.fixture
def other_scope(engine: Engine, request: pytest.FixtureRequest) -> Scope:
    """Another fresh tenant."""
    return _scope(engine, request)


def _scope(engine: Engine, request: pytest.FixtureRequest) -> Scope:
    return fresh_scope(engine, request.getfixturevalue("profile") if "profile" in request.fixturenames else profiles.DEFAULT)


@pytest.fixture
def scim(app: Flask, registry: Registry, profile: str, scope: Scope) -> Scim:
    """A client of a fresh tenant."""
    return new_client(app, registry, scope.tenant_id)


@pytest.fixture
def stranger(app: Flask, registry: Registry, profile: str, other_scope: Scope) -> Scim:
    """A client of another fresh tenant."""
    return new_client(app, registry, other_scope.tenant_id)


Define = Callable[..., Scim]


@pytest.fixture
def defined(app: Flask, registry: Registry, store: Store, scope: Scope) -> Define:
    """A client of the tenant, once it has the schema."""

    def define(*attributes: dict[str, Any], profile: str = "entra", **options: Any) -> Scim:
        registry.tenants.change(scope.tenant_id, OPERATOR, profile=profile)
        store.transact(scope, lambda unit: schemas.add(unit, extension(list(attributes), **options), accept_missing=False))
        return new_client(app, registry, scope.tenant_id)

    return define


@pytest.fixture
def acme(defined: Define) -> Scim:
    return defined()
