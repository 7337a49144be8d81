"""While the database is away, a client is told to come back, in SCIM's words."""

from __future__ import annotations

import pytest
from flask import Flask

from scim_server.http.blueprint import register
from scim_server.store.engine import create_engine
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.bearer import Bearer, new_token
from tests.conftest import BASE_URL

AWAY = ["sqlite:////nonexistent/folder/scim.db", "postgresql://nobody@/nothing?host=/nonexistent/folder"]


@pytest.mark.parametrize("url", AWAY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_is_told_to_come_back(url: str, method: str) -> None:
    engine, app = create_engine(url, pool_size=1), Flask("tests")
    register(app, Store(engine, BASE_URL), Bearer(Registry(engine)), base_url=BASE_URL, max_body=1000, max_results=10)
    answer = app.test_client().open("/scim/v2/Users", method=method, headers={"Authorization": f"Bearer {new_token()}"})
    body = answer.get_json(force=True)
    assert (answer.status_code, body["status"], answer.headers["Retry-After"]) == (503, "503", "5")
    assert answer.headers["Content-Type"] == "application/scim+json"
    assert "nothing was changed" not in body["detail"]  # of a commit nobody could know
    assert "nonexistent" not in body["detail"]
    assert app.test_client().get("/readyz").status_code == 503
