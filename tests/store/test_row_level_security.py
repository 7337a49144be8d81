"""The second lock on PostgreSQL: with the tenant condition taken out of every statement, no tenant sees another's rows.

The isolation cases run again with statements that lost their condition. On SQLite, which has no
such lock, they fail: so the condition really is gone, and it is the database that holds.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Any

import psycopg
import pytest
from sqlalchemy import Dialect, Engine, text
from sqlalchemy.exc import ProgrammingError

from scim_server.events import Scope
from scim_server.store.migrations import ROLE
from scim_server.store.statements import GlobalStatement, Sql, Statement
from scim_server.store.tables import metadata
from scim_server.store.unit import Store
from tests.store.conftest import Theirs
from tests.store.samples import user
from tests.store.test_isolation import CASES, rows_of

HAVE_NO_CONDITION = ("sign_ins.new_id", "sign_ins.add", "sessions.start", "links.add", "holdings.begin", "secrets.put")
"""What only inserts, and so names the tenant without comparing it."""

POSTGRESQL = pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")
SQLITE = pytest.mark.parametrize("databases", ["sqlite"], indirect=True, scope="session")

_CONDITION = re.compile(r"\b(?:\w+\.)?tenant_id = (\$\d+(?:::UUID)?|:tenant_id)", re.IGNORECASE)
_TENANT_TABLES = [table.name for table in metadata.sorted_tables if "tenant_id" in table.c]
_STRICT = {
    *("users", "groups", "user_emails", "memberships", "activity", "events"),
    *("sign_ins", "identity_links", "mappings", "restrictions", "holdings", "schemas", "tallies", "unique_values"),
}
"""Of these nothing is there for whom no tenant was named."""


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Statements of Units without their tenant condition; how many conditions were taken out of which statement."""
    taken: Counter[str] = Counter()
    made: dict[tuple[int, str], Sql] = {}
    compiled = GlobalStatement.sql

    def without(statement: GlobalStatement, dialect: Dialect) -> Sql:
        if not isinstance(statement, Statement):
            return compiled(statement, dialect)
        key = (id(statement), dialect.name)
        if key not in made:
            sql = compiled(statement, dialect)
            stripped, count = _CONDITION.subn(r"\1 IS NOT NULL", sql.text)
            taken[sql.text] += count
            made[key] = dataclasses.replace(sql, text=stripped)
        return made[key]

    monkeypatch.setattr(GlobalStatement, "sql", without)
    return taken


@POSTGRESQL
@pytest.mark.parametrize("method", CASES)
def test_without_its_condition_no_statement_reaches_another_tenant(
    store: Store,
    owner_engine: Engine,
    scope: Scope,
    other_scope: Scope,
    theirs: Theirs,
    removed: Counter[str],
    method: str,
) -> None:
    before = rows_of(owner_engine, scope)
    assert len(before) > 10
    with store.write(other_scope) as unit:
        CASES[method](unit, theirs)
        unit.users._scoped._connection._doomed = False  # refusals are part of some cases: what they left is to be committed
    assert rows_of(owner_engine, scope) == before
    assert sum(removed.values()) or method in ("groups.insert", "events.append", *HAVE_NO_CONDITION)


@SQLITE
def test_where_there_is_no_second_lock_the_same_cases_fail(
    store: Store,
    scope: Scope,
    other_scope: Scope,
    theirs: Theirs,
    removed: Counter[str],
) -> None:
    leaking = set()
    for method, case in CASES.items():
        try:
            with store.write(other_scope) as unit:
                case(unit, theirs)
                raise InterruptedError  # nothing of it is to last
        except InterruptedError:
            pass
        except (Exception, pytest.fail.Exception):
            leaking.add(method)
    assert {"users.get", "users.find", "groups.get", "groups.find", "members.of", "members.add", "events.list"} <= leaking


@POSTGRESQL
def test_every_table_that_has_tenants_is_under_a_policy(owner_engine: Engine) -> None:
    guarded = text("SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid WHERE relrowsecurity AND polcmd = '*'")
    with owner_engine.connect() as connection:
        assert set(connection.execute(guarded).scalars()) == {*_TENANT_TABLES, "tenants"}


@POSTGRESQL
def test_whom_no_tenant_was_named_sees_look_ups_only(engine: Engine, store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        unit.users.insert(user("anna"))
    with engine.connect() as connection:
        seen = {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in _STRICT}
        assert set(seen.values()) == {0}
        assert connection.execute(text("SELECT count(*) FROM tenants")).scalar_one() > 0


@POSTGRESQL
def test_a_unit_sees_no_look_up_of_another_tenant(engine: Engine, scope: Scope, other_scope: Scope) -> None:
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        connection.execute(text("SELECT set_config('scim.tenant', :tenant, true)"), {"tenant": scope.tenant_id})
        assert list(connection.execute(text("SELECT CAST(id AS TEXT) FROM tenants")).scalars()) == [scope.tenant_id]


@POSTGRESQL
def test_the_tenant_of_one_unit_is_not_left_to_the_next(engine: Engine, store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        unit.users.insert(user("anna"))
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 1).total == 1
    with engine.connect() as connection:
        assert connection.execute(text("SELECT coalesce(current_setting('scim.tenant', true), '')")).scalar_one() == ""


FORBIDDEN = [
    "UPDATE events SET tag = 'x'",
    "DELETE FROM events",
    "TRUNCATE events",
    "DELETE FROM users",
    "DELETE FROM memberships",
    "DELETE FROM activity",
    "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
    "DROP POLICY tenant ON users",
    "DROP TABLE events",
    "CREATE TABLE mine (x int)",
    "UPDATE alembic_version SET version_num = 'x'",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
]


@POSTGRESQL
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_servers_role_can_neither_rewrite_history_nor_open_the_lock(engine: Engine, statement: str) -> None:
    with engine.connect() as connection, pytest.raises(ProgrammingError) as refused:
        connection.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@POSTGRESQL
def test_the_servers_role_owns_nothing_and_bypasses_nothing(engine: Engine) -> None:
    with engine.connect() as connection:

        def ask(question: str) -> Any:
            return connection.execute(text(question)).scalar_one()

        assert ask("SELECT current_user") == ROLE
        assert not ask("SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert ask("SELECT count(*) FROM pg_class JOIN pg_roles ON relowner = pg_roles.oid WHERE rolname = current_user") == 0
