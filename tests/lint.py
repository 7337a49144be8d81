"""The protocol's rules as a machine that watches every exchange in the tests.

Whatever a test is about, each answer of the server passes through ``check``: media type, error
shape, envelope, no null, no secret, versions that agree. A rule here is asserted thousands of times.
"""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SCIM_TYPES = {"invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget", "invalidValue"}
SCIM_TYPES |= {"sensitive", "invalidCursor", "expiredCursor", "invalidCount"}


def check(method: str, path: str, response: TestResponse) -> None:
    """Raise AssertionError where an answer breaks a rule that holds for every answer."""
    status = response.status_code
    assert status < 500 or status == 501, f"{method} {path}: {status} {response.get_data(as_text=True)[:500]}"
    assert response.headers["X-Request-Id"]
    assert "no-store" in response.headers["Cache-Control"]
    if status in (204, 304) or method == "HEAD":
        assert not response.data
        return
    assert response.headers["Content-Type"] == MEDIA_TYPE
    body = response.get_json(force=True)
    assert isinstance(body, dict)
    _no_null(body, path)
    assert body["schemas"]
    if status >= 400:
        _error(response, body)
    elif LIST in body["schemas"]:
        _list(body)
    else:
        _resource(body)
        if status == 201:
            location = response.headers["Location"]
            assert location.endswith("/" + body["id"])
            assert body.get("meta", {}).get("location", location) == location


def _error(response: TestResponse, body: dict[str, Any]) -> None:
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(response.status_code)
    assert body.get("scimType", "invalidValue") in SCIM_TYPES
    assert body["detail"]
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    if response.status_code == 405:
        assert response.headers["Allow"]


def _list(body: dict[str, Any]) -> None:
    resources = body["Resources"]
    assert body["schemas"] == [LIST]
    assert body["totalResults"] >= len(resources) == body["itemsPerPage"]
    assert body.get("startIndex", 1) >= 1
    assert not {"startIndex", "nextCursor"} <= body.keys()
    for resource in resources:
        _resource(resource)


def _resource(body: dict[str, Any]) -> None:
    assert "password" not in body
    assert len(set(body["schemas"])) == len(body["schemas"])
    for key in body:
        if key.startswith("urn:"):
            assert key in body["schemas"]
            assert body[key]
    meta = body.get("meta")
    if meta and "id" in body and "location" in meta:
        assert meta["location"].endswith(body["id"])
    if meta and "version" in meta:
        assert meta["version"].startswith('W/"')


def _no_null(value: Any, path: str) -> None:
    stack = [value]
    while stack:
        each = stack.pop()
        assert each is not None, f"{path}: a null in the answer"
        if isinstance(each, dict):
            stack += each.values()
        elif isinstance(each, list):
            stack += each
