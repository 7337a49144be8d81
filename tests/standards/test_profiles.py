"""What a tenant's profile makes of a request: the table of ``docs/decisions/profiles.md``, request by request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scim_server.scim.schemas import ENTERPRISE_USER as E
from tests.http.conftest import USER, Scim

Request = Callable[[Scim], TestResponse]
NEW: dict[str, Any] = {"schemas": [USER, E], "userName": "new"}
H, W = {"type": "home", "value": "h@x"}, {"type": "work", "value": "w@x"}
FOUND, NOT_FOUND = "found", "not found"


def post(**attributes: Any) -> Request:
    return lambda scim: scim.post("/Users", {**NEW, **attributes})


def put(**attributes: Any) -> Request:
    def request(scim: Scim) -> TestResponse:
        made = scim.post("/Users", NEW).get_json(force=True)
        return scim.put(f"/Users/{made['id']}", {**NEW, **attributes})

    return request


def patch(before: dict[str, Any], *operations: dict[str, Any]) -> Request:
    def request(scim: Scim) -> TestResponse:
        made = scim.post("/Users", {**NEW, **before}).get_json(force=True)
        return scim.patch(f"/Users/{made['id']}", *operations)

    return request


def replace(value: Any, path: str | None = None) -> dict[str, Any]:
    return {"op": "replace", "value": value} if path is None else {"op": "replace", "path": path, "value": value}


def find(text: str, **before: Any) -> Request:
    def request(scim: Scim) -> TestResponse:
        assert scim.post("/Users", {**NEW, **before}).status_code == 201
        return scim.get("/Users", filter=text)

    return request


def outcome(answer: TestResponse) -> Any:
    """What is there afterwards beside ``new`` as userName and a true active; or whether anybody was found; or the scimType."""
    body = answer.get_json(force=True)
    if answer.status_code >= 400:
        return body["scimType"]
    if "Resources" in body:
        return FOUND if body["Resources"] else NOT_FOUND
    usual = [("userName", "new"), ("active", True)]
    return {name: value for name, value in body.items() if name not in ("schemas", "id", "meta") and (name, value) not in usual}


SAME: Any = ...
# What, requirements, the request; what comes of it for entra, okta (``SAME``: as for entra), rfc.
TABLE: list[tuple[str, str, Request, Any, Any, Any]] = [
    # what no schema has
    ("an unknown attribute", "", post(shoeSize=42), {}, SAME, "invalidSyntax"),
    ("an unknown attribute in a PUT", "", put(shoeSize=42), {}, SAME, "invalidSyntax"),
    ("an unknown sub-attribute", "", post(name={"givenName": "A", "x": 1}), {"name": {"givenName": "A"}}, SAME, "invalidSyntax"),
    ("an unknown extension", "S-7643-3.3-03", post(**{"urn:x:y": {"a": 1}}), {}, SAME, "invalidSyntax"),
    ("an unknown URN in schemas", "S-7643-3-02", post(schemas=[USER, "urn:x:y"]), {}, SAME, "invalidValue"),
    ("an unknown attribute, no path", "", patch({}, replace({"shoeSize": 42, "title": "T"})), {"title": "T"}, SAME, "invalidPath"),
    ("an unknown attribute as path", "S-7644-3.5.2-09", patch({}, replace(42, "shoeSize")), "invalidPath", SAME, "invalidPath"),
    ("an unknown attribute in a filter", "S-7644-3.4.2.1-04", find("shoeSize eq 42"), "invalidFilter", SAME, "invalidFilter"),
    # what a value path describes and is not there
    ("an element that is not there", "S-7644-3.5.2.3-08", patch({"emails": [H]}, replace({"value": "w@x"}, 'emails[type eq "work"]')),
     {"emails": [H, W]}, SAME, "noTarget"),
    ("a part of one that is not there", "S-7644-3.5.2.3-08", patch({"emails": [H]}, replace("w@x", 'emails[type eq "work"].value')),
     {"emails": [H, W]}, SAME, "noTarget"),
    ("where there are none", "S-7644-3.5.2.3-09", patch({}, replace("w@x", 'emails[type eq "work"].value')), {"emails": [W]}, SAME,
     "noTarget"),
    ("one that is there, whole", "S-7644-3.5.2.3-06", patch({"emails": [W]}, replace({"value": "z@x"}, 'emails[type eq "work"]')),
     {"emails": [{"type": "work", "value": "z@x"}]}, SAME, {"emails": [{"value": "z@x"}]}),
    ("one is added", "S-7644-3.5.2.1-13", patch({}, {"op": "add", "path": 'emails[type eq "work"].value', "value": "w@x"}),
     {"emails": [W]}, SAME, "noTarget"),
    ("one is removed", "S-7644-3.5.2.2-09", patch({"emails": [H]}, {"op": "remove", "path": 'emails[type eq "work"]'}), {"emails": [H]},
     SAME, {"emails": [H]}),
    # what the server sets
    ("meta of another version", "S-7644-3.5.2.3-12", patch({}, replace({"meta": {"version": "x"}, "title": "T"})), {"title": "T"}, SAME,
     "mutability"),
    ("another id", "S-7644-3.5.2.3-12", patch({}, replace({"id": "x", "title": "T"})), "mutability", SAME, "mutability"),
    # the message
    ("no operations", "S-7644-3.5.2-03", patch({"title": "T"}), {"title": "T"}, SAME, "invalidSyntax"),
    ("an operation in capitals", "S-7644-3.5.2-05", patch({}, {"op": "Replace", "path": "title", "value": "T"}), {"title": "T"}, SAME,
     {"title": "T"}),
    # booleans as text
    ("a boolean as text", "S-7643-2.3.2-01", post(active="False"), {"active": False}, SAME, "invalidValue"),
    ("a boolean as text in a PUT", "S-7643-2.3.2-01", put(active="false"), {"active": False}, SAME, "invalidValue"),
    ("a boolean as text in an element", "S-7643-2.3.2-01", post(emails=[{**W, "primary": "True"}]), {"emails": [{**W, "primary": True}]},
     SAME, "invalidValue"),
    ("a boolean as text in a PATCH", "S-7644-3.5.2.3-16", patch({}, replace("False", "active")), {"active": False}, SAME, "invalidValue"),
    ("a boolean as text without a path", "S-7644-3.5.2.3-16", patch({}, replace({"active": "FALSE"})), {"active": False}, SAME,
     "invalidValue"),
    ("a boolean as text in a path", "S-7644-3.5.2.3-16",
     patch({"roles": [{"value": "a", "primary": True}]}, replace("b", 'roles[primary eq "True"].value')),
     {"roles": [{"value": "b", "primary": True}]}, SAME, "invalidFilter"),
    ("a boolean as text in a filter", "S-7644-3.4.2.2-31", find('active eq "True"'), FOUND, SAME, "invalidFilter"),
    ("and in brackets", "S-7644-3.4.2.2-31", find('emails[primary eq "TRUE"]', emails=[{**W, "primary": True}]), FOUND, SAME,
     "invalidFilter"),
    ("what looks like one and is text", "S-7644-3.4.2.2-31", find('title eq "True"', title="true"), FOUND, SAME, FOUND),
    ("no boolean at all", "S-7643-2.3.2-01", post(active="yes"), "invalidValue", SAME, "invalidValue"),
    # what a value says beside its type
    ("a country that is no code", "S-7643-4.1.2-03", post(addresses=[{"country": "USA"}]), {"addresses": [{"country": "USA"}]}, SAME,
     "invalidValue"),
    ("a country", "S-7643-4.1.2-03", post(addresses=[{"country": "DE"}]), {"addresses": [{"country": "DE"}]}, SAME,
     {"addresses": [{"country": "DE"}]}),
    ("a user name with a ligature", "S-8265-3.3-01", post(userName="o\ufb01ce"), {"userName": "o\ufb01ce"}, SAME, "invalidValue"),
    ("it becomes one with a ligature", "S-8265-3.3-01", patch({}, replace("o\ufb01ce", "userName")), {"userName": "o\ufb01ce"}, SAME,
     "invalidValue"),
    ("a user name with a space", "S-8265-3.3-03", post(userName="Jane Doe"), {"userName": "Jane Doe"}, SAME, {"userName": "Jane Doe"}),
    ("what is no certificate", "S-7643-4.1.2-08", post(x509Certificates=[{"value": "AAEC"}]), {"x509Certificates": [{"value": "AAEC"}]},
     SAME, "invalidValue"),
    ("a type that RFC 7643 does not name", "S-7643-2.3.1-01", post(emails=[{"type": "ship", "value": "s@x"}]),
     {"emails": [{"type": "ship", "value": "s@x"}]}, SAME, {"emails": [{"type": "ship", "value": "s@x"}]}),
    # Entra's own
    ("text without quotes", "S-7644-3.4.2.2-09", find("userName eq new"), FOUND, "invalidFilter", "invalidFilter"),
    ("a lone backslash", "S-7644-3.4.2.2-08", find('userName eq "a\\z"'), NOT_FOUND, "invalidFilter",
     "invalidFilter"),
    ("a manager as text", "S-7643-4.3-02", post(**{E: {"manager": "m"}}), {E: {"manager": {"value": "m"}}}, "invalidValue", "invalidValue"),
    ("a manager by his bare name", "S-7644-3.10-03", find('manager eq "m"', **{E: {"manager": {"value": "m"}}}), FOUND, "invalidFilter",
     "invalidFilter"),
    ("an empty text in a PATCH", "", patch({"title": "T"}, replace("", "title")), {}, {"title": ""}, {"title": ""}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(
            request, (entra, entra if okta is SAME else okta, rfc), id=what, marks=pytest.mark.requirement(*ids.split()) if ids else ()
        )
        for what, ids, request, entra, okta, rfc in TABLE
    ],
)
def test_what_comes_of_it(scim: Scim, profile: str, request_: Request, expected: tuple[Any, Any, Any]) -> None:
    assert outcome(request_(scim)) == dict(zip(("entra", "okta", "rfc"), expected, strict=True))[profile]
