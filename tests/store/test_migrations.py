"""Migrations lead from nothing to exactly the tables of the model, once, whoever runs them."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from json import dumps
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from scim_server.events import Scope
from scim_server.scim.schemas import BASE_TYPES
from scim_server.store import migrations
from scim_server.store.engine import create_engine
from scim_server.store.migrations import HEAD, migrate
from scim_server.store.registry import Registry
from scim_server.store.registry.grants import BEARER
from scim_server.store.tables import metadata
from scim_server.store.unit import Store
from scim_server.store.users import SCIM
from tests.conftest import Databases
from tests.store.samples import ACME, own_schema, user
from tests.tenants import BASE_URL, OPERATOR, fresh_scope

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def empty(databases: Databases) -> Iterator[Callable[[], Engine]]:
    made: list[Engine] = []

    def new() -> Engine:
        made.append(create_engine(databases.empty(), pool_size=1))
        return made[-1]

    yield new
    for engine in made:
        engine.dispose()


def test_head_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_and_model_agree(empty: Callable[[], Engine]) -> None:
    migrated, modelled = empty(), empty()
    migrate(migrated)
    metadata.create_all(modelled)
    with migrated.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    triggers = {each for each in catalogue(migrated) if "TRIGGER" in str(each)}  # of 0006, and in no model; what they do is tested there
    assert catalogue(migrated) - triggers == catalogue(modelled)


def catalogue(engine: Engine) -> set[Any]:
    """All that the database knows of its tables: columns, collations, constraints, indexes with their conditions."""
    queries = {
        "sqlite": ["SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"],
        "postgresql": [
            "SELECT table_name, column_name, data_type, is_nullable, collation_name, character_maximum_length, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname NOT LIKE 'alembic%'",
        ],
    }[engine.dialect.name]
    with engine.connect() as connection:
        rows = [tuple(row) for query in queries for row in connection.execute(text(query))]
    if engine.dialect.name == "sqlite":  # a table that was altered has its columns in another order, others on a line, its name in quotes
        parts = re.compile(r",?\s*\n\s*|, (?=\w+ (?:VARCHAR|TEXT|INTEGER))")
        return {(name, frozenset(parts.split((sql or "").replace('"', "")))) for name, sql in rows}
    return set(rows)


def test_a_second_time_changes_nothing(empty: Callable[[], Engine]) -> None:
    engine = empty()
    migrate(engine)
    store, scope = Store(engine, BASE_URL), fresh_scope(engine)
    with store.write(scope) as unit:
        anna = unit.users.insert(user("anna"))
    before = catalogue(engine)
    migrate(engine)
    assert catalogue(engine) == before
    with store.read(scope) as unit:
        assert unit.users.get(anna.id) == anna


def test_a_step_that_fails_leaves_nothing(empty: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = empty()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (x INTEGER)"))
    with pytest.raises(Exception, match="events"):
        migrate(engine)
    assert not Store(engine, BASE_URL).migrated()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    migrate(engine)
    assert Store(engine, BASE_URL).migrated()


_PROGRAM = """
import sys
from scim_server.store.engine import create_engine
from scim_server.store.migrations import migrate
sys.stdin.readline()
migrate(create_engine(sys.argv[1], pool_size=1))
"""


def test_two_processes_at_once(databases: Databases) -> None:
    url = databases.empty()
    program = [sys.executable, "-W", "ignore", "-c", _PROGRAM, url]
    processes = [subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    engine = create_engine(url, pool_size=1)
    assert Store(engine, BASE_URL).migrated()
    engine.dispose()


def upgrade_to(engine: Engine, step: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, step)


def test_a_token_of_before_opens_what_it_opened(empty: Callable[[], Engine]) -> None:
    """0002 makes of a credential's token the first of its secrets; revoked and expired ones stay so."""
    engine = empty()
    upgrade_to(engine, "0001")
    tenant_id, at = str(uuid4()), "2026-01-02T03:04:05.000000Z"
    rows = [(str(uuid4()), secrets.token_bytes(32), expires, revoked) for expires, revoked in ((None, None), (at, None), (None, at))]
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO tenants (id, name, profile, created) VALUES (:id, 'Birkholm', 'rfc', :at)"), {"id": tenant_id, "at": at}
        )
        for credential_id, token_hash, expires, revoked in rows:
            connection.execute(
                text(
                    "INSERT INTO credentials (tenant_id, id, label, token_hash, created, expires, revoked)"
                    " VALUES (:tenant, :id, 'nightly', :hash, :at, :expires, :revoked)"
                ),
                {"tenant": tenant_id, "id": credential_id, "hash": token_hash, "at": at, "expires": expires, "revoked": revoked},
            )
    migrate(engine)
    registry = Registry(engine)
    found = [registry.grants.by_hash(token_hash) for _, token_hash, _, _ in rows]
    grants = [each[1] for each in found if each is not None and each[0] == BEARER]
    assert [each.credential_id for each in grants] == [credential_id for credential_id, *_ in rows]
    assert {(each.tenant_id, each.tenant_name, each.profile, each.kind, each.suspended) for each in grants} == {
        (tenant_id, "Birkholm", "rfc", "secret", False)
    }
    assert {frozenset(each.scopes) for each in grants} == {frozenset({"scim.read", "scim.write"})}
    assert [each.revoked for each in grants] == [False, False, True]
    assert [each.expires is not None for each in grants] == [False, True, False]


def test_who_was_removed_before_cannot_come_back(empty: Callable[[], Engine]) -> None:
    """0003 gives a removed user the external id back; nodes of the version before go on inserting users."""
    engine = empty()
    upgrade_to(engine, "0002")
    tenant_id, at = str(uuid4()), "2026-01-02T03:04:05.000000Z"
    rows = {
        "removed": (str(uuid4()), "oid-1", at, None),
        "live": (str(uuid4()), "oid-2", None, "oid-2"),
        "long": (str(uuid4()), "x" * 2000, at, None),
        "nameless": (str(uuid4()), None, at, None),
    }
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO tenants (id, name, profile, created) VALUES (:id, 'Birkholm', 'entra', :at)"), {"id": tenant_id, "at": at}
        )
        for user_id, external_id, ended, column in rows.values():
            document = dumps({"schemas": [], "userName": user_id, **({"externalId": external_id} if external_id else {})})
            connection.execute(
                text(
                    "INSERT INTO users (tenant_id, id, version, created, modified, ended, doc, keys, user_name_key, external_id, active)"
                    " VALUES (:tenant, :id, 1, :at, :at, :ended, :doc, :doc, :name, :external_id, :active)"
                ),
                {
                    "tenant": tenant_id,
                    "id": user_id,
                    "at": at,
                    "ended": ended,
                    "doc": document,
                    "active": True,
                    "name": None if ended else user_id,
                    "external_id": column,
                },
            )
    migrate(engine)
    store = Store(engine, BASE_URL)
    with store.read(Scope(tenant_id, OPERATOR, "")) as unit:
        assert unit.users.of_person("oid-1") == (rows["removed"][0], True)
        assert unit.users.of_person("oid-2") == (rows["live"][0], False)
        assert unit.users.of_person("x" * 2000) is None
        assert unit.users.source(rows["live"][0]) == SCIM


def test_a_tenant_of_before_has_no_schemas_and_may_define_some(empty: Callable[[], Engine]) -> None:
    """0004; and a node of the version before goes on making tenants."""
    engine = empty()
    upgrade_to(engine, "0003")
    at, rows = "2026-01-02T03:04:05.000000Z", "INSERT INTO tenants (id, name, profile, created) VALUES (:id, :name, 'entra', :at)"
    before, meanwhile = str(uuid4()), str(uuid4())
    with engine.begin() as connection:
        connection.execute(text(rows), {"id": before, "name": "Birkholm", "at": at})
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text(rows), {"id": meanwhile, "name": "Aarhus", "at": at})
    store = Store(engine, BASE_URL)
    for tenant_id in (before, meanwhile):
        scope = Scope(tenant_id, OPERATOR, "")
        assert store.types(scope) is BASE_TYPES
        with store.write(scope) as unit:
            unit.schemas.lock()
            unit.schemas.put(own_schema(), is_new=True)
        assert [each.id for each in store.types(scope).user.extensions][1:] == [ACME]


def test_what_there_is_of_each_type_is_told_whoever_made_or_ended_it(empty: Callable[[], Engine]) -> None:
    """0006 counts what is there; then its triggers count, also what a node of the version before does, or an operator by hand."""
    engine = empty()
    upgrade_to(engine, "0005")
    tenant_id, other_id, at = str(uuid4()), str(uuid4()), "2026-01-02T03:04:05.000000Z"

    def add(table: str, tenant: str, ended: str | None = None) -> str:
        made = str(uuid4())
        column, more = ("active", True) if table == "users" else ("display_name", made)
        values = {
            "tenant": tenant,
            "id": made,
            "at": at,
            "ended": ended,
            "doc": dumps({"schemas": []}),
            "more": more,
        }
        with engine.begin() as connection:
            connection.execute(
                text(
                    f"INSERT INTO {table} (tenant_id, id, version, created, modified, ended, doc, keys, {column})"
                    " VALUES (:tenant, :id, 1, :at, :at, :ended, :doc, :doc, :more)"
                ),
                values,
            )
        return made

    def change(statement: str, id: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement), {"at": at, "id": id})

    def totals(tenant: str) -> tuple[int, int]:
        with Store(engine, BASE_URL).read(Scope(tenant, OPERATOR, "")) as unit:
            return unit.users.find(None, 1, 0).total, unit.groups.find(None, 1, 0).total

    with engine.begin() as connection:
        for id, name in ((tenant_id, "Birkholm"), (other_id, "Aarhus")):
            connection.execute(
                text("INSERT INTO tenants (id, name, profile, created) VALUES (:id, :name, 'rfc', :at)"), {"id": id, "name": name, "at": at}
            )
    user_ids = [add("users", tenant_id), add("users", tenant_id), add("users", tenant_id, ended=at)]
    group_id = add("groups", tenant_id)
    add("users", other_id)
    migrate(engine)
    assert (totals(tenant_id), totals(other_id)) == ((2, 1), (1, 0))
    add("users", tenant_id)
    add("users", tenant_id, ended=at)
    assert totals(tenant_id) == (3, 1)
    change("UPDATE users SET ended = :at WHERE id = :id", user_ids[0])
    change("UPDATE users SET ended = :at, version = 3 WHERE id = :id", user_ids[0])
    change("UPDATE groups SET ended = :at WHERE id = :id", group_id)
    assert totals(tenant_id) == (2, 0)
    change("UPDATE users SET ended = NULL WHERE id = :id", user_ids[0])
    assert totals(tenant_id) == (3, 0)
    for gone in (user_ids[0], user_ids[2]):
        change("DELETE FROM users WHERE id = :id", gone)
    assert (totals(tenant_id), totals(other_id)) == ((2, 0), (1, 0))
