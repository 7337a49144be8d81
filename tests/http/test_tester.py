"""What an independent judge says: every check of scim2-tester, on both databases."""

from __future__ import annotations

from flask import Flask
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.http.conftest import Scim
from tests.tenants import BASE_URL


def test_scim2_tester_finds_no_fault(app: Flask, scim: Scim) -> None:
    client = WSGISCIMClient(app.wsgi_app, base_url=BASE_URL, headers={"Authorization": f"Bearer {scim.token}"})
    results = check_server(client)
    faults = {result.title: result.reason for result in results if result.status is not Status.SUCCESS}
    assert not faults
    assert len(results) > 100
