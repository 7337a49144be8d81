"""One query, asked in every way there is: the same resources in the same order, whoever answers.

Random resources are stored in SQLite and in PostgreSQL with the same ids at the same instants, so that answers can be compared as
they are: in memory (``matching.matches`` and ``ordering.ordered``), by SQL on both, by GET, by POST /.search, page by page and in
a walk by cursor, at the endpoint and at the root. As many examples as SCIM_EXAMPLES says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from scim_server import clock
from scim_server.events import Scope
from scim_server.provisioning import groups, users
from scim_server.scim import ordering
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters import MAX_LENGTH, Filter, parse_filter
from scim_server.scim.matching import Bound, Key, bind, matches
from scim_server.scim.references import in_filter
from scim_server.scim.resources import represent
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP, GROUP_TYPE, USER_TYPE, ResourceType
from scim_server.store import ids
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.conftest import databases_of
from tests.examples import examples
from tests.http.conftest import PATCH_OP, SEARCH_REQUEST, Scim, new_client
from tests.scim.bodies import text
from tests.scim.bodies import users as bodies
from tests.store.test_filter_sql import World, filters
from tests.store.test_order_sql import sortable
from tests.tenants import BASE_URL, fresh_scope, new_app

KINDS = (USER_TYPE, GROUP_TYPE)
MOST = 1000
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(repr=False)
class Side:
    """One of the two databases, with an application on it."""

    engine: Engine
    app: Flask
    store: Store
    scope: Scope = field(init=False)
    client: Scim = field(init=False)

    def begin(self) -> None:
        """Go on with a fresh tenant."""
        self.scope = fresh_scope(self.engine, "rfc")
        self.client = new_client(self.app, Registry(self.engine), self.scope.tenant_id)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Side]]:
    with ExitStack() as stack:
        made = []
        for kind in ("sqlite", "postgresql"):
            databases = databases_of(kind, tmp_path_factory.mktemp("both"))
            stack.callback(databases.close)
            engine = create_engine(databases.migrated(), pool_size=2, role=ROLE)
            stack.callback(engine.dispose)
            made.append(Side(engine, new_app(engine), Store(engine, BASE_URL)))
        yield made


@contextmanager
def at_known_times() -> Iterator[None]:
    """Ids and instants are the same each time."""
    with pytest.MonkeyPatch.context() as patched:
        numbers, moments = count(int(BEGAN.timestamp() * 1000)), count()
        patched.setattr(ids, "new", lambda _: f"{(made := f'{next(numbers):012x}')[:8]}-{made[8:]}-7000-8000-{0:012x}")
        patched.setattr(clock, "now", lambda: BEGAN + timedelta(milliseconds=7 * next(moments)))
        yield


Shown = dict[ResourceType, list[tuple[str, dict[str, Any]]]]


@dataclass
class Population:
    """What is to be there. Numbers of managers and members are places among the users, or behind them among the groups."""

    people: list[dict[str, Any]]
    managers: dict[int, int]
    teams: list[dict[str, Any]]
    members: list[list[int]]
    renamed: list[int]
    gone: list[int]

    def store(self, side: Side) -> Shown:
        """As it is shown to a client then."""
        side.begin()
        with at_known_times():
            there: list[str] = []

            def change(act: Any, *values: Any, **options: Any) -> Any:
                return side.store.transact(side.scope, lambda unit: act(unit, *values, **options))

            for number, body in enumerate(self.people):
                person = {**body, "userName": f"{body['userName']}{number}"}
                if number and number in self.managers:
                    manager = {"value": there[self.managers[number] % number]}
                    person[ENTERPRISE_USER] = {**(body.get(ENTERPRISE_USER) or {}), "manager": manager}
                there.append(change(users.create, person, lenient=True).id)
            for number, (body, chosen) in enumerate(zip(self.teams, self.members, strict=True)):
                members = [{"value": there[each % len(there)]} for each in chosen]
                body = {"schemas": [GROUP], **body, "displayName": f"{body['displayName']}{number}", "members": members}
                there.append(change(groups.create, body, lenient=True).id)
            for each in self.renamed:
                operation = {"op": "replace", "path": "title", "value": "another"}
                change(users.patch, there[each % len(self.people)], {"schemas": [PATCH_OP], "Operations": [operation]}, lenient=True)
            for each in {each % len(self.people) for each in self.gone}:
                change(users.delete, there[each])
        with side.store.read(side.scope) as unit:
            pages = {USER_TYPE: unit.users.find(None, 1, MOST), GROUP_TYPE: unit.groups.find(None, 1, MOST)}
        return {kind: [(each.id, represent(each, BASE_URL)) for each in page.resources] for kind, page in pages.items()}


PLACES = st.integers(0, 20)
TEAMS = st.fixed_dictionaries({"displayName": text.filter(str.strip)}, optional={"externalId": text})
POPULATIONS = st.lists(TEAMS, max_size=3).flatmap(
    lambda teams: st.builds(
        Population,
        st.lists(bodies, min_size=1, max_size=6),
        st.dictionaries(PLACES, PLACES, max_size=3),
        st.just(teams),
        st.lists(st.lists(PLACES, max_size=4), min_size=len(teams), max_size=len(teams)),
        st.lists(PLACES, max_size=1),
        st.lists(PLACES, max_size=1),
    )
)


@dataclass
class Query:
    """What is asked for, and what a plain evaluation in memory finds."""

    parameters: dict[str, str]
    expected: list[dict[str, Any]]

    def check(self, side: Side, path: str, start: int, size: int) -> None:
        """A page by index, by GET and by POST; and at an endpoint a walk by cursor."""
        asked = {**self.parameters, "startIndex": start, "count": size}
        by_get, by_post = self._answers(side, path, asked)
        assert by_get == by_post
        assert by_get["Resources"] == self.expected[start - 1 : start - 1 + size]
        assert by_get["totalResults"] == len(self.expected)
        if path == "/":
            return
        walked: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = side.client.get(path, **{**self.parameters, "count": size, "cursor": cursor}).get_json(force=True)
            assert page["totalResults"] == len(self.expected)
            walked += page["Resources"]
            cursor = page.get("nextCursor")
        assert walked == self.expected

    def _answers(self, side: Side, path: str, asked: dict[str, Any]) -> tuple[Any, Any]:
        by_get = side.client.get(path, **asked)
        by_post = side.client.post(f"{path.rstrip('/')}/.search", {"schemas": [SEARCH_REQUEST], **asked})
        return by_get.get_json(force=True), by_post.get_json(force=True)


SORTS = {kind: sortable(kind) for kind in KINDS}


@pytest.mark.requirement("S-7644-3.4.3-03", "S-7644-3.4.2.2-37", "S-7644-3.4.2.3-06", "S-7644-3.4.2.1-01", "S-9865-3-01")
@settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))
@given(population=POPULATIONS, name=st.sampled_from([each.name for each in KINDS]), data=st.data())
def test_whichever_way_it_is_asked_the_answer_is_the_same(
    sides: list[Side], population: Population, name: str, data: st.DataObject
) -> None:
    (kind,) = (each for each in KINDS if each.name == name)
    shown, elsewhere = (population.store(side) for side in sides)
    assert shown == elsewhere
    asked: Filter | None = data.draw(st.none() | filters(World(sides[0].store, sides[0].scope, shown), kind))
    sort_by, way = data.draw(st.sampled_from([None, *SORTS[kind]])), data.draw(st.sampled_from(["ascending", "descending"]))
    start, size = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 4))
    parameters: dict[str, str] = {"sortBy": sort_by, "sortOrder": way} if sort_by else {}
    if asked is not None:
        parameters["filter"] = str(asked)
        assume(len(parameters["filter"]) <= MAX_LENGTH)

    def found(of: ResourceType, beside: list[ResourceType]) -> tuple[Bound | None, list[dict[str, Any]]]:
        bound = None if asked is None else bind(in_filter(parse_filter(str(asked)), of, BASE_URL), of, beside)
        return bound, [each for _, each in shown[of] if bound is None or matches(bound, each)]

    bound, matching = found(kind, [])
    order = ordering.bind(kind, sort_by, way)
    query = Query(parameters, ordering.ordered(matching, order))
    for side in sides:
        with side.store.read(side.scope) as unit:
            offered: Any = unit.users if kind is USER_TYPE else unit.groups
            by_sql = offered.find(bound, 1, MOST, order=order)
        assert ([represent(each, BASE_URL) for each in by_sql.resources], by_sql.total) == (query.expected, len(query.expected))
        query.check(side, kind.endpoint, start, size)

    (other,) = set(KINDS) - {kind}
    try:
        both = {each: found(each, [beside])[1] for each, beside in ((kind, other), (other, kind))}
    except InvalidFilter:  # of what both have, each in its own way
        return
    keyed: list[tuple[Key | None, str, dict[str, Any]]] = []
    for of in KINDS:
        its = ordering.bind(of, sort_by if sort_by and of.resolve(sort_by) else None, way)
        keyed += [(ordering.key_of(its.target, each) if its else None, each["id"], each) for each in both[of]]
    together = [each for *_, each in keyed] if sort_by is None else ordering.ranked(keyed, way == "descending")
    for side in sides:
        Query(parameters, together).check(side, "/", start, size)
