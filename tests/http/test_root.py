"""Queries over users and groups together (RFC 7644 §3.4.2.1, §3.4.3)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_server.http import root
from tests.http.conftest import ENTERPRISE, SEARCH_REQUEST, Scim


@pytest.fixture
def everything(scim: Scim) -> Scim:
    ada = scim.user("ada", displayName="M", title="T", **{ENTERPRISE: {"department": "R"}})
    scim.user("bob", displayName="B", emails=[{"value": "b@example.com", "type": "work"}])
    scim.user("cyd")
    scim.group("team", ada["id"])
    scim.group("A")
    return scim


def asked(scim: Scim, **query: Any) -> tuple[list[str], int]:
    """By GET and by POST, which must agree: who is found, and how many there are."""
    by_get = scim.get("/", **query).get_json(force=True)
    message = {name: value.split(",") if name in ("attributes", "excludedAttributes") else value for name, value in query.items()}
    by_post = scim.post("/.search", {"schemas": [SEARCH_REQUEST], **message}).get_json(force=True)
    assert by_get == by_post
    return [each.get("userName") or each.get("displayName") for each in by_get["Resources"]], by_get["totalResults"]


ALL = ["ada", "bob", "cyd", "team", "A"]


@pytest.mark.requirement("S-7644-3.4.2.1-01", "S-7644-3.4.2.1-03", "S-7644-3.4.3-01", "S-7644-3.4.3-06")
@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ('meta.resourceType eq "User"', ALL[:3]),
        ('meta.resourceType eq "Group"', ALL[3:]),
        ('userName eq "ADA"', ["ada"]),
        ('userName eq "ada" or displayName eq "team"', ["ada", "team"]),
        ("userName pr", ALL[:3]),
        ("not (userName pr)", ALL[3:]),
        ('userName ne "ada"', ALL[1:]),
        ("userName eq null", ALL[3:]),
        ("userName ne null", ALL[:3]),
        ("members pr", ["team"]),
        ('emails[type eq "work"]', ["bob"]),
        ('not (emails[type eq "work"])', ["ada", "cyd", "team", "A"]),
        (f'{ENTERPRISE}:department eq "r"', ["ada"]),
        ('displayName co "a" and not (title pr)', ["team", "A"]),
        ("id pr", ALL),
        ('id eq "nobody"', []),
    ],
)
def test_an_attribute_that_a_type_lacks_has_no_value_there(everything: Scim, filter: str, found: list[str]) -> None:
    assert asked(everything, filter=filter) == (found, len(found))
    assert asked(everything, filter=filter, startIndex=100) == ([], len(found))


@pytest.mark.requirement("S-7644-3.4.2.1-01", "S-7644-3.4.2-03")
def test_pages_go_from_the_one_type_to_the_other(everything: Scim) -> None:
    for count in (1, 2, 3, 10):
        walked = [asked(everything, startIndex=start, count=count) for start in range(1, 6, count)]
        assert [name for page, _ in walked for name in page] == ALL
        assert {total for _, total in walked} == {5}
    assert asked(everything, count=0) == ([], 5)
    assert asked(everything, startIndex=6) == ([], 5)


@pytest.mark.requirement("S-7644-3.4.2.3-04", "S-7644-3.4.2.3-06")
@pytest.mark.parametrize(
    ("query", "order"),
    [
        ({"sortBy": "displayName"}, ["A", "bob", "ada", "team", "cyd"]),
        ({"sortBy": "displayName", "sortOrder": "descending"}, ["cyd", "team", "ada", "bob", "A"]),
        ({"sortBy": "userName", "sortOrder": "descending"}, ["team", "A", "cyd", "bob", "ada"]),
        ({"sortBy": "title"}, ["ada", "bob", "cyd", "team", "A"]),
        ({"sortBy": "members.value"}, ["team", "ada", "bob", "cyd", "A"]),
    ],
)
def test_both_types_are_sorted_together(everything: Scim, query: dict[str, str], order: list[str]) -> None:
    assert asked(everything, **query) == (order, 5)
    assert [asked(everything, startIndex=start, count=1, **query)[0][0] for start in range(1, 6)] == order


def test_what_is_shown_is_chosen_for_each_type(everything: Scim) -> None:
    for each in everything.get("/", attributes="userName,members").get_json(force=True)["Resources"]:
        assert each.keys() - {"schemas", "id", "userName", "members"} == set()
    for each in everything.get("/", excludedAttributes="members,userName").get_json(force=True)["Resources"]:
        assert {"members", "userName"}.isdisjoint(each)


@pytest.mark.requirement("S-7644-3.4.2.1-02")
def test_what_would_take_too_much_is_refused(everything: Scim) -> None:
    assert asked(everything, sortBy="id", startIndex=root.DEEPEST_SORTED, count=1) == ([], 5)
    answer = everything.get("/", sortBy="id", startIndex=root.DEEPEST_SORTED + 1, count=1)
    assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, "tooMany")


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ({"filter": 'nobody eq "x"'}, "invalidFilter"),
        ({"filter": ""}, "invalidFilter"),
        ({"filter": "userName eq 5"}, "invalidFilter"),
        ({"filter": 'password eq "x"'}, "invalidFilter"),
        ({"sortBy": "nothing"}, "invalidValue"),
        ({"sortBy": "name"}, "invalidValue"),
        ({"cursor": ""}, "invalidValue"),
        ({"startIndex": "x"}, "invalidValue"),
    ],
)
def test_what_no_type_understands_is_refused(everything: Scim, query: dict[str, str], scim_type: str) -> None:
    answer = everything.get("/", **query)
    assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, scim_type)
