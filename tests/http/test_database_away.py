"""While the database is away, a client is told to come back, in SCIM's words."""

from __future__ import annotations

import pytest

from scim_server.store.engine import create_engine
from scim_server.store.registry.grants import BEARER
from scim_server.tenancy import opaque
from tests.tenants import new_app

AWAY = ["sqlite:////nonexistent/folder/scim.db", "postgresql://nobody@/nothing?host=/nonexistent/folder"]


@pytest.mark.parametrize("url", AWAY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_is_told_to_come_back(url: str, method: str) -> None:
    app = new_app(create_engine(url, pool_size=1))
    answer = app.test_client().open("/scim/v2/Users", method=method, headers={"Authorization": f"Bearer {opaque.new(BEARER)}"})
    body = answer.get_json(force=True)
    assert (answer.status_code, body["status"], answer.headers["Retry-After"]) == (503, "503", "5")
    assert answer.headers["Content-Type"] == "application/scim+json"
    assert "nothing was changed" not in body["detail"]  # of a commit nobody could know
    assert "nonexistent" not in body["detail"]
    assert app.test_client().get("/readyz").status_code == 503
