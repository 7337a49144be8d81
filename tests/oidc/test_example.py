"""The example application: it lets in whom the gateway vouches for now, and nobody on a guess (RFC 7662, as the protected resource)."""

from __future__ import annotations

import base64
import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask, Response, request
from sqlalchemy import Engine
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from scim_server.store.registry import Registry
from scim_server.tenancy.apps import Apps
from tests.oidc.conftest import PUBLIC_URL, Company, object_id
from tests.oidc.test_apps import ANNA, token_of
from tests.server import ROOT, free_port
from tests.tenants import OPERATOR


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Example = Callable[..., Client]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Example:
    """The application, set up for a gateway."""

    def make(gateway: str, client_id: str = "me", client_secret: str = "s%c:ret") -> Client:
        settings = {"GATEWAY": gateway, "ISSUER": PUBLIC_URL, "CLIENT_ID": client_id, "CLIENT_SECRET": client_secret}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return Client(module().app)

    return make


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example", ROOT / "examples" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def ask(client: Client, token: str, path: str = "/ask") -> TestResponse:
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


def refused(answer: TestResponse) -> bool:
    return answer.status_code == 401 and answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"' and not answer.data


@pytest.mark.requirement("S-7662-2.1-01", "S-7662-4-01", "S-7662-2.2-02")
def test_out_is_out_at_once(company: Company, engine: Engine, example: Example) -> None:
    app, secret = Apps(Registry(engine)).add(f"app {object_id()}", OPERATOR)
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    token, user_id = token_of(browser), browser.me().json()["user"]["id"]
    with served(company.app) as gateway:
        client = example(gateway, app.id, secret)
        for path in ("/ask", "/token"):
            answer = ask(client, token, path)
            assert (answer.status_code, json.loads(answer.data)["preferred_username"]) == (200, ANNA), path
        assert refused(ask(client, token[:-8] + "AAAAAAAA"))
        assert refused(ask(client, token[:-8] + "AAAAAAAA", "/token"))
        assert refused(client.get("/ask"))
        assert ask(example(gateway, app.id, "wrong"), token).status_code == 503
        company.scim().patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
        assert refused(ask(client, token))


GOOD = {"active": True, "iss": PUBLIC_URL, "aud": PUBLIC_URL, "exp": 2**40, "sub": "1"}


@pytest.mark.requirement("S-7662-2.1-01", "S-7662-2.2-01", "S-7662-2.2-02")
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (GOOD, 200),
        ({"active": False}, 401),
        ({name: value for name, value in GOOD.items() if name != "active"}, 401),
        *(({**GOOD, "active": active}, 401) for active in ("true", "false", 1, None, [True])),
        ({**GOOD, "aud": "https://another.example"}, 401),
        ({**GOOD, "iss": "https://another.example"}, 401),
        ({**GOOD, "exp": 1}, 401),
        ({}, 401),
    ],
    ids=str,
)
def test_nothing_but_true_is_active(example: Example, answer: dict[str, Any], status: int) -> None:
    gateway, came = Flask("gateway"), []

    @gateway.post("/auth/introspect")
    def introspect() -> Response:
        came.append((request.mimetype, parse_qs(request.get_data(as_text=True)), request.headers["Authorization"]))
        return Response(json.dumps(answer), content_type="application/json")

    with served(gateway) as url:
        assert ask(example(url), "t o&k=en").status_code == status
    basic = base64.b64encode(b"me:s%25c%3Aret").decode()
    form = {"token": ["t o&k=en"], "token_type_hint": ["access_token"]}
    assert came == [("application/x-www-form-urlencoded", form, f"Basic {basic}")]


@pytest.mark.requirement("S-7662-2.3-01")
def test_a_gateway_that_is_away_lets_nobody_in(example: Example) -> None:
    client = example(f"http://127.0.0.1:{free_port()}")
    for path in ("/ask", "/token"):
        answer = ask(client, "x.y.z", path)
        assert (answer.status_code, answer.headers["Retry-After"], answer.data) == (503, "5", b"")
