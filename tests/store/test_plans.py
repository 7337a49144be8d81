"""What has to be found by an index is: the databases are asked for their plans.

With no statistics, as in a database that is being filled for the first time, and with them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, PrimaryKeyConstraint, UniqueConstraint

from scim_server.events import Scope
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import Types
from scim_server.store import groups, holdings, members, rules, sessions, users
from scim_server.store.documents import dump
from scim_server.store.engine import create_engine, database
from scim_server.store.migrations import ROLE
from scim_server.store.pages import Search, Shape
from scim_server.store.statements import GlobalStatement, Statement
from scim_server.store.tables import metadata
from scim_server.store.unit import Store
from tests.conftest import Databases
from tests.store.samples import ACME, NOBODY, employee, group, own_schema, where, where_group
from tests.store.signed_in import new_directory_id, sign_in
from tests.tenants import BASE_URL, fresh_scope

_USERS = 2000


@dataclass
class Tenants:
    """One tenant of 2,000 users and 300 groups, one of them with everybody, in a database of its own."""

    engine: Engine
    owner_engine: Engine
    scope: Scope
    user: Resource
    group: Resource

    def plan(self, statement: Statement, **values: Any) -> str:
        explain = "EXPLAIN QUERY PLAN " if self.engine.dialect.name == "sqlite" else "EXPLAIN "
        known = database(self.engine)
        sql = statement.sql(known.dialect)
        explained = GlobalStatement()
        explained._made[known.dialect.name] = dataclasses.replace(sql, text=explain + sql.text)
        connection = known.connection(transaction=False)
        connection.enter(self.scope.tenant_id)
        try:
            rows = connection.rows(explained, {"tenant_id": self.scope.tenant_id, **values})
        finally:
            connection.release()
        return "\n".join(str(row[-1]) for row in rows)

    def analyse(self) -> None:
        connection = self.owner_engine.raw_connection()
        driver: Any = connection.driver_connection
        driver.execute("ANALYZE")
        connection.close()


@pytest.fixture(scope="module", params=["no statistics", "statistics"])
def tenants(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Tenants]:
    url = databases.migrated()
    engine, owner_engine = create_engine(url, pool_size=2, role=ROLE), create_engine(url, pool_size=1)
    store, scope = Store(engine, BASE_URL), fresh_scope(engine)
    with store.write(scope) as unit:
        made = [unit.users.insert(employee(f"user{n}")) for n in range(_USERS)]
        teams = [unit.groups.insert(group(f"Team {n}", externalId=f"team-{n}")) for n in range(300)]
        unit.members.add(teams[0].id, [each.id for each in made])
        for n, team in enumerate(teams[1:]):
            unit.members.add(team.id, [each.id for each in made[n * 5 : n * 5 + 20]])
    tid = str(uuid4())
    directory_id = new_directory_id(engine, scope.tenant_id, tid)
    with store.write(scope) as unit:
        for each in made[:300]:
            sign_in(unit, directory_id, tid, each.id)
    world = Tenants(engine, owner_engine, scope, made[77], teams[0])
    if request.param == "statistics":
        world.analyse()
    yield world
    engine.dispose()
    owner_engine.dispose()


# What the plan must name: the index, as PostgreSQL and as SQLite call it, with all columns it is asked by.
SEARCHES: list[tuple[Search, str, str, str]] = [
    (users._SEARCH, 'userName eq "USER77"', "users_user_name_key_tenant_id_key", r"user_name_key=\? AND tenant_id=\?"),
    (users._SEARCH, 'externalId eq "ext-user77"', "users_external_id", r"external_id=\? AND tenant_id=\?"),
    (users._SEARCH, f'id eq "{NOBODY}"', "users_pkey", r"id=\? AND tenant_id=\?"),
    (users._SEARCH, f'id eq "{NOBODY}" and active eq true', "users_pkey", r"id=\? AND tenant_id=\?"),
    (users._SEARCH, 'active eq true and userName eq "user77"', "users_user_name_key_tenant_id_key", r"user_name_key=\? AND tenant_id=\?"),
    (users._SEARCH, 'emails[type eq "work" and value eq "user77@example.com"]', "user_emails_pkey", r"value_key=\? AND tenant_id=\?"),
    (users._SEARCH, 'emails.value eq "user77@example.com"', "user_emails_pkey", r"value_key=\? AND tenant_id=\?"),
    (groups._SEARCH, 'displayName eq "team 7"', "groups_display_name_key_tenant_id_key", r"display_name_key=\? AND tenant_id=\?"),
    (groups._SEARCH, 'externalId eq "team-7"', "groups_external_id", r"external_id=\? AND tenant_id=\?"),
    (groups._SEARCH, f'id eq "{NOBODY}" and members.value eq "{NOBODY}"', "groups_pkey", r"id=\? AND tenant_id=\?"),
    (groups._SEARCH, f'members[value eq "{NOBODY}"]', "memberships_of_member", r"member_id=\? "),
]


@pytest.mark.parametrize(("search", "filter", "index", "sought"), SEARCHES, ids=[each[1] for each in SEARCHES])
def test_what_clients_look_up_is_found_by_an_index(tenants: Tenants, search: Search, filter: str, index: str, sought: str) -> None:
    bound = where(filter) if search is users._SEARCH else where_group(filter)
    statements, literals = search.search(bound, Shape(links=True))
    values = {**statements.values(literals), "limit": 101, "offset": 0}
    for statement in (statements.page, statements.total):
        plan = tenants.plan(statement, **values)
        if tenants.engine.dialect.name == "sqlite":
            assert re.search(sought, plan + " "), plan
            # Of the rows themselves none is read but by a look-up.
            rows = re.findall(r"(?:SCAN|SEARCH) (?:users|groups|memberships)\b.*", plan)
            assert rows, plan
            assert not [row for row in rows if "SCAN" in row or row.endswith("(tenant_id=?)")], plan
            continue
        assert index in plan, plan
        assert by_first_columns(plan), plan


def test_a_unique_value_of_a_tenants_own_is_found_by_an_index(tenants: Tenants) -> None:
    """Whatever else is asked beside it; with one value, with several, and within elements."""
    tools = {"name": "tools", "type": "complex", "multiValued": True, "subAttributes": [{"name": "plate", "uniqueness": "server"}]}
    user_type = Types.extended([own_schema({"name": "badge", "uniqueness": "server"}, tools)]).user
    for filter in (f'{ACME}:badge eq "7"', f'active eq true and {ACME}:tools.plate eq "7"', f'{ACME}:tools[plate eq "7"]'):
        statements, literals = users._SEARCH.search(where(filter, user_type), Shape(links=True))
        values = {**statements.values(literals), "limit": 101, "offset": 0}
        for statement in (statements.page, statements.total):
            plan = tenants.plan(statement, **values)
            if tenants.engine.dialect.name == "sqlite":
                assert re.search(r"value_key=\? AND attribute=\? AND tenant_id=\?", plan), plan
                rows = re.findall(r"(?:SCAN|SEARCH) users\b.*", plan)
                assert rows, plan
                assert not [row for row in rows if "SCAN" in row or row.endswith("(tenant_id=?)")], plan
            else:
                assert "unique_values_value_key_attribute_tenant_id_key" in plan, plan
                assert by_first_columns(plan), plan


def by_first_columns(plan: str) -> bool:
    """Whether each index is entered by its first column: by any other it would be gone through from end to end (PostgreSQL)."""
    first = {str(index.name): next(iter(index.columns)).name for table in metadata.tables.values() for index in table.indexes}
    for table in metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, (PrimaryKeyConstraint, UniqueConstraint)):
                suffix = "pkey" if isinstance(constraint, PrimaryKeyConstraint) else f"{'_'.join(c.name for c in constraint.columns)}_key"
                first[f"{table.name}_{suffix}"] = next(iter(constraint.columns)).name
    scans = re.findall(r"Scan (?:using|on) (\w+)(?: on .*|  \(.*)\n +Index Cond: (.*)", plan)
    assert scans, plan
    return "Seq Scan" not in plan and all(re.search(rf"\b{first[index]} = ", condition) for index, condition in scans)


@pytest.mark.parametrize("place", [{"offset": 500}, {"offset": 50, "from_id": NOBODY}, {"after_id": NOBODY}], ids=str)
def test_a_page_of_everything_is_found_in_an_index_and_nobody_is_counted(tenants: Tenants, place: dict[str, Any]) -> None:
    shape = Shape(links=True, after="id" if "after_id" in place else None, landmark="from_id" in place)
    statements, _ = users._SEARCH.search(None, shape)
    page, total = tenants.plan(statements.page, limit=101, **place), tenants.plan(statements.total)
    sqlite = tenants.engine.dialect.name == "sqlite"
    tallied = r"SEARCH tallies .*\(tenant_id=\? AND resource_type=\?\)" if sqlite else "tallies_pkey"
    for plan in (page, total):
        assert len(re.findall(tallied, plan)) == 2, plan  # the total and the shifts
    assert "users" not in total, total
    assert "users_live" in page, page
    if place.keys() & {"from_id", "after_id"}:  # the index is entered there, and not gone through up to there
        assert re.search(r"users_live \(tenant_id=\? AND id>\?\)" if sqlite else r"Index Cond: .*\(id >", page), page


@pytest.mark.parametrize("name", ["_REMOVE", "_REMOVE_ONE", "_ALREADY", "_ADD"])
def test_members_are_looked_up_one_by_one(tenants: Tenants, name: str) -> None:
    few = [tenants.user.id, NOBODY]
    values = {
        "group_id": tenants.group.id,
        "ids": dump(few),
        "member_id": few[0],
        "period_id": NOBODY,
        "now": "2020-01-01T00:00:00.000000Z",
    }
    plan = tenants.plan(getattr(members, name), **values)
    if tenants.engine.dialect.name == "sqlite":
        looked_up = [line for line in plan.splitlines() if "USING" in line and "SUBQUERY" not in line]
        assert looked_up, plan
        for line in looked_up:
            assert "member_id=?" in line or "id=?" in line.replace("tenant_id=?", "").replace("group_id=?", ""), plan
        return
    assert "Seq Scan" not in plan, plan
    for condition in re.findall(r"Index Cond: (.*)", plan):
        assert "member_id = " in condition or re.search(r"\(id = ", condition), plan


_HASH = b"\x00" * 32
SIGN_IN: dict[str, tuple[Statement, dict[str, Any]]] = {
    "users.of_person": (users._BY_EXTERNAL_ID, {"external_id": "oid"}),
    "users.named": (users._BY_NAME, {"user_name_key": "anna"}),
    "users.unclaimed": (users._UNCLAIMED, {"external_id": "oid", "user_name_key": "anna"}),
    "users.nobody unclaimed": (users._NOBODY_UNCLAIMED, {"external_id": "oid", "user_name_key": "anna"}),
    "rules.groups_of": (rules._GROUPS_OF, {"user_id": NOBODY}),
    "rules.watch": (rules._WATCHED, {"group_id": NOBODY}),
    "rules.below": (rules._BELOW, {"ids": dump([NOBODY])}),
    "holdings.holders": (holdings._HOLDERS, {"user_ids": dump([NOBODY])}),
    "holdings.through": (holdings._THROUGH, {"mapping_id": NOBODY}),
    "sessions of a user": (sessions._LIVE_OF_USER, {"user_id": NOBODY}),
}


@pytest.mark.parametrize("name", SIGN_IN)
def test_sign_in_looks_up_what_it_needs(tenants: Tenants, name: str) -> None:
    """Whatever the planner believes of the sizes: no statement walks through the users, groups or memberships of a tenant."""
    statement, values = SIGN_IN[name]
    plan = tenants.plan(statement, **values)
    if tenants.engine.dialect.name == "sqlite":
        rows = re.findall(r"(?:SCAN|SEARCH) (?:users|groups|memberships|holdings|sessions)\b.*", plan)
        assert rows, plan
        assert not [row for row in rows if "SCAN" in row or row.endswith("(tenant_id=?)")], plan
        return
    assert by_first_columns(plan), plan


def test_a_session_is_found_by_its_cookie(tenants: Tenants) -> None:
    plan = tenants.plan(sessions._FIND, hash=_HASH)
    assert "sessions_hash_key" in plan or "(hash=?" in plan, plan


def test_the_groups_of_rules_are_looked_up_one_by_one(tenants: Tenants) -> None:
    """The rules themselves are few; there are none here, and any index of theirs will do."""
    plan = tenants.plan(rules._ALL)
    if tenants.engine.dialect.name == "sqlite":
        assert not re.search(r"SCAN (?:groups|memberships)\b", plan), plan
        return
    assert set(re.findall(r"using (\w+) on (?:groups|memberships)", plan)) == {"groups_external_id", "memberships_pkey"}, plan
