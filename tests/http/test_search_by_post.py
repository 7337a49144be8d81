"""POST /.search is the same query in a message (RFC 7644 §3.4.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import PATCH_OP, SEARCH_REQUEST, USER, Scim

QUERIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"filter": 'userName sw "b"'}, {"filter": 'userName sw "b"'}),
    ({"startIndex": 2, "count": 2}, {"startIndex": 2, "count": 2}),
    ({"count": 0}, {"count": 0}),
    ({"count": -1, "startIndex": -5}, {"count": -1, "startIndex": -5}),
    ({"attributes": ["userName", "name.givenName"]}, {"attributes": "userName,name.givenName"}),
    ({"excludedAttributes": ["meta", "name"]}, {"excludedAttributes": "meta,name"}),
    ({"attributes": []}, {"attributes": ""}),
    ({"FILTER": "title pr", "nothing": "known"}, {"filter": "title pr"}),
    ({"filter": None, "count": None}, {}),
]


@pytest.fixture
def people(scim: Scim) -> Scim:
    for name in ("anna", "bea", "ben"):
        scim.post("/Users", {"schemas": [USER], "userName": name, "name": {"givenName": name}, "title": "T" if name == "ben" else None})
    return scim


@pytest.mark.requirement("S-7644-3.4.3-01", "S-7644-3.4.3-03", "S-7644-3.4.3-04")
@pytest.mark.parametrize(("message", "query"), QUERIES)
def test_the_answer_is_that_of_the_query(people: Scim, message: dict[str, Any], query: dict[str, Any]) -> None:
    asked = people.get("/Users", **query)
    found = people.post("/Users/.search", {"schemas": [SEARCH_REQUEST], **message})
    assert asked.status_code == found.status_code == 200
    assert found.get_json(force=True) == asked.get_json(force=True)


@pytest.mark.requirement("S-7644-3.4.3-05")
def test_what_stands_in_the_url_means_nothing(people: Scim) -> None:
    found = people.post("/Users/.search", {"schemas": [SEARCH_REQUEST]}, query={"filter": 'userName eq "anna"', "count": "1"})
    assert found.get_json(force=True)["totalResults"] == 3


def test_groups_are_searched_too(scim: Scim) -> None:
    scim.group("team")
    found = scim.post("/Groups/.search", {"schemas": [SEARCH_REQUEST], "filter": 'displayName eq "TEAM"'})
    assert [each["displayName"] for each in found.get_json(force=True)["Resources"]] == ["team"]


@pytest.mark.parametrize(
    ("body", "scim_type"),
    [
        pytest.param({}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-02")),
        pytest.param({"schemas": []}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-02")),
        pytest.param({"schemas": SEARCH_REQUEST}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-02")),
        pytest.param({"schemas": [PATCH_OP]}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-02", "S-7644-3.1-03")),
        pytest.param({"schemas": [USER]}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.1-03")),
        pytest.param({"schemas": [SEARCH_REQUEST, USER]}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-02")),
        pytest.param({"attributes": "userName"}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-05")),
        pytest.param({"attributes": [1]}, "invalidSyntax", marks=pytest.mark.requirement("S-7644-3.4.3-05")),
        ({"excludedAttributes": {"id": True}}, "invalidSyntax"),
        ({"count": "10"}, "invalidSyntax"),
        ({"count": True}, "invalidSyntax"),
        ({"count": 1.5}, "invalidSyntax"),
        ({"startIndex": [1]}, "invalidSyntax"),
        ({"count": 10**18}, "invalidValue"),
        ({"filter": 5}, "invalidSyntax"),
        ({"filter": ""}, "invalidFilter"),
        ({"filter": "userName regex 1"}, "invalidFilter"),
        ({"filter": "a" * 1_000_000}, "invalidFilter"),
        ({"filter": "userName pr", "Filter": "title pr"}, "invalidSyntax"),
        ({"attributes": ["id"], "excludedAttributes": ["id"]}, "invalidValue"),
    ],
)
def test_what_is_no_search_is_refused(scim: Scim, body: dict[str, Any], scim_type: str) -> None:
    sent = body if "schemas" in body or not body else {"schemas": [SEARCH_REQUEST], **body}
    answer = scim.post("/Users/.search", sent)
    assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, scim_type)


def test_there_is_a_search_only_by_post(scim: Scim) -> None:
    assert scim.get("/Users/.search").status_code == 404
    for method in ("PUT", "PATCH"):
        assert scim.request(method, "/Users/.search", {"schemas": [SEARCH_REQUEST]}).status_code == 404
    assert scim.delete("/Users/.search").status_code == 404
