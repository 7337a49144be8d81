"""Filters over HTTP, on both databases (requirement group E): the same by GET and by POST /.search."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from scim_server.store.registry import Registry
from tests.http.conftest import ENTERPRISE, SEARCH_REQUEST, USER, Scim, new_client
from tests.standards.filter_cases import FOUND, PEOPLE, REFUSED, ids
from tests.tenants import fresh_scope


@dataclass
class World:
    scim: Scim
    people: dict[str, dict[str, Any]]

    def ask(self, text: str) -> tuple[int, dict[str, Any]]:
        """The answer to the filter. Asserts that it is one answer, whichever way it is asked for."""
        asked = self.scim.get("/Users", filter=text)
        posted = self.scim.post("/Users/.search", {"schemas": [SEARCH_REQUEST], "filter": text})
        body, same = asked.get_json(force=True), posted.get_json(force=True)
        assert asked.status_code == posted.status_code
        assert body.get("Resources") == same.get("Resources")
        assert body.get("scimType") == same.get("scimType")
        return asked.status_code, body

    def find(self, text: str) -> str:
        """The initials of whom the filter finds."""
        status, body = self.ask(text)
        assert status == 200, body
        assert body["totalResults"] == len(body["Resources"])
        found = {each["id"] for each in body["Resources"]}
        return "".join(sorted(initial for initial, each in self.people.items() if each["id"] in found))


@pytest.fixture(scope="module")
def world(app: Flask, registry: Registry, engine: Engine, profile: str) -> World:
    scim = new_client(app, registry, fresh_scope(engine, profile).tenant_id)
    people: dict[str, dict[str, Any]] = {}
    for initial, attributes in reversed(PEOPLE.items()):
        body = {"schemas": [USER], **attributes}
        if ENTERPRISE in body:
            manager = {"value": people[body[ENTERPRISE]["manager"]["value"]]["id"]}
            body |= {"schemas": [USER, ENTERPRISE], ENTERPRISE: {**body[ENTERPRISE], "manager": manager}}
        people[initial] = scim.post("/Users", body).get_json(force=True)
    return World(scim, people)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        pytest.param(text, who, id=f"{n} {text[:60]}", marks=pytest.mark.requirement(*ids(named)))
        for n, (named, text, who) in enumerate(FOUND)
    ],
)
def test_found(world: World, text: str, who: str) -> None:
    assert world.find(text) == who


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=f"{n} {text[:60]}", marks=pytest.mark.requirement(*ids(named))) for n, (named, text) in enumerate(REFUSED)],
)
def test_refused(world: World, text: str) -> None:
    """And never answered with everybody."""
    status, body = world.ask(text)
    assert (status, body["scimType"]) == (400, "invalidFilter")
    assert len(body["detail"]) > 20


@pytest.mark.requirement("S-7644-3.4.2.2-29")
def test_instants_are_equal_in_every_zone_and_with_every_fraction(world: World) -> None:
    created = world.people["a"]["meta"]["created"]
    instant = datetime.fromisoformat(created)
    east = instant.astimezone(timezone(timedelta(hours=2)))
    for same in (created, east.isoformat(timespec="milliseconds"), created.removesuffix("Z") + "000Z", created.removesuffix("Z")):
        assert "a" in world.find(f'meta.created eq "{same}"'), same
        assert "a" not in world.find(f'meta.created gt "{same}"')
    assert "a" in world.find(f'meta.created gt "{(instant - timedelta(milliseconds=1)).isoformat()}"')


VALUES = list(itertools.product((True, False), repeat=3))
TABLE: list[tuple[str, Callable[[bool, bool, bool], bool]]] = [
    ("{0} or {1} and {2}", lambda a, b, c: a or (b and c)),
    ("{0} and {1} or {2}", lambda a, b, c: (a and b) or c),
    ("({0} or {1}) and {2}", lambda a, b, c: (a or b) and c),
    ("{0} and ({1} or {2})", lambda a, b, c: a and (b or c)),
    ("not ({0}) and {1}", lambda a, b, c: (not a) and b),
    ("not ({0} and {1})", lambda a, b, c: not (a and b)),
    ("not ({0}) or {1} and {2}", lambda a, b, c: (not a) or (b and c)),
    ("not ({0} or {1}) and not ({2})", lambda a, b, c: not (a or b) and not c),
    ("{0} or {1} or {2}", lambda a, b, c: a or b or c),
    ("{0} and {1} and {2}", lambda a, b, c: a and b and c),
    ("not (not ({0} and not ({1})) or {2})", lambda a, b, c: not (not (a and not b) or c)),
]


@pytest.fixture(scope="module")
def eight(app: Flask, registry: Registry, engine: Engine, profile: str) -> World:
    """Of three attributes, each person has others."""
    scim = new_client(app, registry, fresh_scope(engine, profile).tenant_id)
    names = ("title", "nickName", "locale")
    people = {
        str(n): scim.user(f"person{n}", **{name: "de" for name, there in zip(names, values, strict=True) if there})
        for n, values in enumerate(VALUES)
    }
    return World(scim, people)


@pytest.mark.requirement("S-7644-3.4.2.2-05", "S-7644-3.4.2.2-06", "S-7644-3.4.2.2-35")
@pytest.mark.parametrize(("text", "holds"), TABLE, ids=[text for text, _ in TABLE])
def test_and_or_and_not_by_their_truth_tables(eight: World, text: str, holds: Callable[[bool, bool, bool], bool]) -> None:
    for asked in (["title pr", "nickName pr", "locale pr"], ['title eq "de"', 'nickName sw "d"', "locale ne null"]):
        assert eight.find(text.format(*asked)) == "".join(str(n) for n, values in enumerate(VALUES) if holds(*values))


@pytest.mark.requirement("S-7644-1.2-01")
@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("filter=title%20eq%20%2210%22", "a"),
        ("filter=title+eq+%2210%22", "a"),
        ("filter=displayName%20eq%20%22100%25%20a_b%22", "b"),
        ("filter=title%20eq%20%2210%22%20or%20title%20eq%20%2B9", None),
        ("filter=userName%20eq%20%22bob%2Bx%22", ""),
        ("filter=displayName%20co%20%22%C3%9F%22", "a"),
        ("filter=displayName%20co%20%22%ZZ%22", None),
        ("filter=displayName%20co%20%22100%", None),
        ("filter=title%20pr&x=%2", None),
        ("filter=displayName%20co%20%22%C3%22", None),
    ],
)
def test_queries_are_percent_encoded(world: World, query: str, who: str | None) -> None:
    answer = world.scim.request("GET", f"/Users?{query}")
    assert answer.status_code == (400 if who is None else 200)
    if who is not None:
        found = {each["id"] for each in answer.get_json(force=True)["Resources"]}
        assert found == {world.people[initial]["id"] for initial in who}


@pytest.mark.requirement("S-7644-1.2-01")
def test_a_plus_that_is_encoded_is_a_plus(scim: Scim) -> None:
    made = scim.user("bob+x@example.com")
    answer = scim.request("GET", "/Users?filter=userName%20eq%20%22bob%2Bx@example.com%22").get_json(force=True)
    assert [each["id"] for each in answer["Resources"]] == [made["id"]]
    assert scim.request("GET", "/Users?filter=userName%20eq%20%22bob+x@example.com%22").get_json(force=True)["Resources"] == []


@pytest.mark.requirement("S-7644-3.4.2.2-41")
def test_what_is_never_shown_cannot_be_found_out(scim: Scim) -> None:
    """Neither what the password was, nor that there was one: by no operator, under no name, in no place."""
    scim.user("ada@example.com", password="s3cret!")
    for name in ("password", "PASSWORD", f"{USER}:password"):
        for text in (f'{name} eq "s3cret!"', f'{name} sw "s"', f'{name} ne "x"', f"{name} pr", f'userName eq "x" or {name} pr'):
            assert scim.get("/Users", filter=text).get_json(force=True)["scimType"] == "invalidFilter"


@pytest.mark.requirement("S-7644-3.4.2.2-01")
def test_filters_are_announced(scim: Scim) -> None:
    assert scim.get("/ServiceProviderConfig").get_json(force=True)["filter"]["supported"] is True
