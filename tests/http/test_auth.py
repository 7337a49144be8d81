"""Who may come in: every way a token can be wrong has the same answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

import wsgi
from scim_server import clock
from scim_server.events import Scope
from scim_server.store.registry import Registry
from scim_server.store.registry.grants import BEARER
from scim_server.tenancy import opaque
from scim_server.tenancy.rates import Rates
from tests.http.conftest import USER, Scim, new_client
from tests.tenants import OPERATOR, new_app, new_credential


@pytest.mark.requirement("S-6750-3-02", "S-6750-3.1-01", "S-7644-7.4-02", "S-7644-2-04")
def test_a_wrong_token_is_told_nothing(app: Flask, registry: Registry, scope: Any, scim: Scim) -> None:
    _, expired = new_credential(registry, scope.tenant_id, expires=clock.now() - timedelta(seconds=1))
    credential, revoked = new_credential(registry, scope.tenant_id)
    assert Scim(app, revoked).get("/Users").status_code == 200
    registry.credentials.revoke(credential.id, OPERATOR)
    bodies = set()
    for token in (expired, revoked, opaque.new(BEARER), "x", "x" * 5000, scim.token[:-1] if scim.token else ""):
        for method, path in (("GET", "/Users"), ("POST", "/Users"), ("GET", "/Groups/x"), ("DELETE", "/Users/x"), ("GET", "/Schemas")):
            answer = Scim(app, token).request(method, path, {} if method == "POST" else None)
            assert answer.status_code == 401
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            detail = answer.get_json(force=True)["detail"]
            bodies.add(detail.replace(answer.headers["X-Request-Id"], ""))
    assert len(bodies) == 1


@pytest.mark.requirement("S-6750-3-01", "S-6750-2.2-01", "S-6750-2.3-01", "S-6750-2.1-01", "S-7644-2-06")
def test_no_credential_and_other_ways_to_send_one(app: Flask, scim: Scim) -> None:
    nobody = Scim(app, None)
    for answer in (
        nobody.get("/Users"),
        nobody.get("/Users", access_token=scim.token),
        nobody.request("POST", "/Users", b"access_token=" + str(scim.token).encode(), content_type="application/x-www-form-urlencoded"),
    ):
        assert answer.status_code == 401
        assert "error" not in answer.headers["WWW-Authenticate"]
    for header in (f"Basic {scim.token}", f"bearer{scim.token}", "Bearer", "Bearer ", f"Token {scim.token}", "Bearer \u00e9"):
        assert nobody.request("GET", "/Users", headers={"Authorization": header}).status_code == 401
    assert nobody.request("GET", "/Users", headers={"Authorization": f"bEARER  {scim.token}"}).status_code == 200


def test_an_expiry_in_the_future_is_no_hindrance(app: Flask, registry: Registry, scope: Any) -> None:
    _, token = new_credential(registry, scope.tenant_id, expires=clock.now() + timedelta(hours=1))
    assert Scim(app, token).get("/Users").status_code == 200


@pytest.fixture
def standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the rate limit of applications made from here on no time goes by."""
    monkeypatch.setattr(wsgi, "Rates", lambda default, share: Rates(default, share, lambda: 1000.0))


@pytest.mark.requirement("S-7644-7-04")
@pytest.mark.usefixtures("standing_still")
def test_a_tenant_above_its_limit_is_told_when_to_come_back(engine: Engine, registry: Registry, scope: Scope, other_scope: Scope) -> None:
    """Two seconds' worth at once, then 429, whatever is asked; nobody else notices."""
    app = new_app(engine, rate_limit=5)
    noisy, quiet = (new_client(app, registry, each.tenant_id) for each in (scope, other_scope))
    assert {noisy.get("/Users").status_code for _ in range(10)} == {200}
    refused = [noisy.get("/Users"), noisy.post("/Users", {"schemas": [USER], "userName": "x"}), noisy.get("/ServiceProviderConfig")]
    for answer in refused:
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert answer.get_json(force=True)["status"] == "429"
    assert quiet.find("/Users", 'userName eq "x"') == []
    assert Scim(app, new_credential(registry, scope.tenant_id)[1]).get("/Users").status_code == 429


@pytest.mark.usefixtures("standing_still")
def test_a_tenant_may_have_a_limit_of_its_own(engine: Engine, registry: Registry, scope: Scope) -> None:
    client = new_client(new_app(engine), registry, scope.tenant_id)
    registry.tenants.change(scope.tenant_id, OPERATOR, rate_limit=3)
    statuses = [client.get("/Users").status_code for _ in range(8)]
    assert statuses == [200] * 6 + [429] * 2


@pytest.mark.parametrize(
    "path", ["//scim/v2/Users", "/scim/v2//Users", "/scim/v2/Users//x", "/scim//v2/Users", "//evil.example/scim/v2/Users"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_is_sent_anywhere(app: Flask, path: str, method: str) -> None:
    """A redirect would be made from the request's Host, which anybody can write."""
    answer = app.test_client().open(path, method=method, base_url="http://evil.example")
    assert answer.status_code in (401, 404, 405)
    assert "Location" not in answer.headers
    assert "evil" not in answer.get_data(as_text=True).replace(path, "")
