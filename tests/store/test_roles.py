"""The role that the server works under: made where that is allowed, done without where it is not; policies hold for it always."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from scim_server.store import migrations, postgresql
from scim_server.store.diagnosis import Diagnosis
from scim_server.store.engine import create_engine
from scim_server.store.errors import Busy, Unavailable, Unprepared
from scim_server.store.migrations import migrate
from scim_server.store.unit import Store
from tests.conftest import Databases
from tests.store.samples import group, user
from tests.tenants import BASE_URL, fresh_scope

pytestmark = pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")


class Cluster:
    """An empty database, users of it, and engines that end with the test. What it makes has names that nobody else has."""

    def __init__(self, url: str) -> None:
        self._superuser = create_engine(url, pool_size=1)
        self._made: list[str] = []
        self._engines = [self._superuser]
        self.role = self.name("role")

    def name(self, kind: str) -> str:
        self._made.append(f"{kind}_{uuid4().hex}")
        return self._made[-1]

    def do(self, statement: str) -> Any:
        with self._superuser.connect() as connection:
            result = connection.execute(text(statement))
            return result.scalar_one_or_none() if result.returns_rows else None

    def user(self, kind: str, *rights: str) -> str:
        name = self.name(kind)
        self.do(f"CREATE ROLE {name} LOGIN {' '.join(rights)}")
        return name

    def owner(self, *rights: str) -> str:
        """A user whose database it is."""
        name = self.user("owner", *rights)
        self.do(f"ALTER DATABASE {self._superuser.url.database} OWNER TO {name}")
        return name

    def engine(self, login: str | None = None, *, role: str | None = None) -> Engine:
        url = self._superuser.url.set(username=login or self._superuser.url.username)
        engine = create_engine(url.render_as_string(hide_password=False), pool_size=1, role=role)
        self._engines.append(engine)
        return engine

    def close(self) -> None:
        for engine in self._engines[1:]:
            engine.dispose()
        self.do(f"ALTER DATABASE {self._superuser.url.database} OWNER TO CURRENT_USER")
        self.do("DROP SCHEMA public CASCADE")
        for name in self._made:
            if self.do(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
                self.do(f"DROP OWNED BY {name} CASCADE")
                self.do(f"DROP ROLE {name}")
        self._superuser.dispose()


@pytest.fixture
def cluster(databases: Databases) -> Iterator[Cluster]:
    cluster = Cluster(databases.empty())
    yield cluster
    cluster.close()


def works_apart(server: Engine) -> None:
    """The server can do what it does, and a statement without a tenant condition sees one tenant only."""
    store = Store(server, BASE_URL)
    assert store.migrated()
    one, other = fresh_scope(server), fresh_scope(server)
    for scope in (one, other):
        with store.write(scope) as unit:
            anna = unit.users.insert(user("anna"))
            unit.users.update(anna, user("anna", title="Boss"))
            unit.members.add(unit.groups.insert(group("Team")).id, [anna.id])
    with server.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 0
        connection.execute(text("SELECT set_config('scim.tenant', :tenant, true)"), {"tenant": one.tenant_id})
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 1


def may_rewrite(server: Engine) -> bool:
    with server.connect() as connection:
        return bool(connection.execute(text("SELECT has_table_privilege('events', 'DELETE')")).scalar_one())


def test_it_is_made_once_and_given_to_whom_logs_in(cluster: Cluster) -> None:
    owner, login = cluster.engine(cluster.owner("CREATEROLE")), cluster.user("login")
    for _ in range(2):
        migrate(owner, role=cluster.role, login=login)
    server = cluster.engine(login, role=cluster.role)
    works_apart(server)
    assert not may_rewrite(server)
    with server.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == cluster.role


def test_an_owner_who_may_make_no_role_works_as_himself(cluster: Cluster) -> None:
    """Policies hold for him, too, and a later upgrade sees all rows again while it is under way."""
    login = cluster.owner()
    for _ in range(2):
        migrate(cluster.engine(login), role=cluster.role, login=login)
    works_apart(cluster.engine(login, role=cluster.role))


def test_where_no_role_can_be_made_another_login_gets_the_rights(cluster: Cluster) -> None:
    owner, login = cluster.owner(), cluster.user("login")
    migrate(cluster.engine(owner), role=cluster.role, login=login)
    server = cluster.engine(login, role=cluster.role)
    works_apart(server)
    assert not may_rewrite(server)


def test_a_role_that_somebody_made_later_is_taken_on(cluster: Cluster) -> None:
    login = cluster.owner()
    migrate(cluster.engine(login), role=cluster.role, login=login)
    assert may_rewrite(cluster.engine(login, role=cluster.role))
    cluster.do(f"CREATE ROLE {cluster.role} NOLOGIN")
    cluster.do(f"GRANT {cluster.role} TO {login}")
    assert not Store(cluster.engine(login, role=cluster.role), BASE_URL).migrated()
    migrate(cluster.engine(login), role=cluster.role, login=login)
    server = cluster.engine(login, role=cluster.role)
    works_apart(server)
    assert not may_rewrite(server)
    assert cluster.do("SELECT count(*) FROM pg_class WHERE relforcerowsecurity") == 0


@pytest.mark.parametrize("rights", ["SUPERUSER", "BYPASSRLS"])
def test_nobody_whom_policies_do_not_hold_for_is_let_work(cluster: Cluster, rights: str) -> None:
    """Where the role is missing, as in a database that was restored on another server."""
    migrate(cluster.engine(), role=cluster.role)
    login = cluster.user("almighty", rights)
    other = cluster.engine(login, role=cluster.name("missing"))
    with pytest.raises(Unprepared):
        Store(other, BASE_URL).ping()
    assert not Store(other, BASE_URL).migrated()


@pytest.mark.parametrize("rights", ["SUPERUSER", "BYPASSRLS"])
def test_nor_under_such_a_role(cluster: Cluster, rights: str) -> None:
    """Whoever names it in the settings."""
    migrate(cluster.engine(), role=cluster.role)
    almighty = cluster.user("almighty", rights)
    with pytest.raises(Unavailable, match="does not hold for the role"):
        Store(cluster.engine(role=almighty), BASE_URL).ping()


def test_a_role_that_bypasses_policies_is_refused(cluster: Cluster) -> None:
    cluster.do(f"CREATE ROLE {cluster.role} BYPASSRLS")
    with pytest.raises(Unavailable, match="bypass"):
        migrate(cluster.engine(), role=cluster.role)


def test_an_owner_who_may_make_roles_takes_it_on_himself(cluster: Cluster) -> None:
    """With one URL for both. From PostgreSQL 16 on, who makes a role is a member of it that may not take it on by that alone."""
    login = cluster.owner("CREATEROLE")
    for _ in range(2):
        migrate(cluster.engine(login), role=cluster.role, login=login)
    server = cluster.engine(login, role=cluster.role)
    works_apart(server)
    assert not may_rewrite(server)


def test_connections_without_the_role_do_not_outlive_its_making(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that makes the role lifts what held the owner back."""
    monkeypatch.setattr(postgresql, "_WITHOUT_ROLE_S", 0.1)
    login = cluster.owner()
    migrate(cluster.engine(login), role=cluster.role, login=login)
    server = cluster.engine(login, role=cluster.role)
    Store(server, BASE_URL).ping()
    cluster.do(f"CREATE ROLE {cluster.role} NOLOGIN")
    cluster.do(f"GRANT {cluster.role} TO {login}")
    migrate(cluster.engine(login), role=cluster.role, login=login)
    time.sleep(0.15)
    assert Diagnosis(server).users()[0].name == cluster.role


def test_an_upgrade_lets_readers_finish_and_holds_up_nobody_for_long(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "_LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(migrations, "_PAUSE_S", 0.05)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    owner = cluster.engine()
    with owner.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    reader = cluster.engine()
    with reader.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        begun = connection.begin()
        connection.execute(text("SELECT * FROM tenants"))
        monkeypatch.setattr(migrations, "_ATTEMPTS", 2)
        with pytest.raises(Busy):
            migrate(owner, role=cluster.role)
        threading.Timer(0.3, begun.rollback).start()
        monkeypatch.setattr(migrations, "_ATTEMPTS", 100)
        migrate(owner, role=cluster.role)
    works_apart(cluster.engine(role=cluster.role))


def test_rights_that_somebody_changed_are_seen_and_put_back(cluster: Cluster) -> None:
    owner = cluster.engine()
    migrate(owner, role=cluster.role)
    diagnosis = Diagnosis(cluster.engine(role=cluster.role))
    assert diagnosis.wrong_rights() == {}
    cluster.do(f"REVOKE ALL ON secrets FROM {cluster.role}")
    cluster.do(f"GRANT ALL ON events TO {cluster.role}")
    assert diagnosis.wrong_rights() == {
        "events": "may DELETE and may UPDATE",
        "secrets": "may not DELETE and may not INSERT and may not SELECT and may not UPDATE",
    }
    migrate(owner, role=cluster.role)
    assert diagnosis.wrong_rights() == {}


def test_nobody_elses_tables_are_touched(cluster: Cluster) -> None:
    login = cluster.owner()
    migrate(cluster.engine(login), role=cluster.role, login=login)
    cluster.do("CREATE TABLE payroll (x INTEGER)")
    cluster.do("ALTER TABLE payroll FORCE ROW LEVEL SECURITY")
    migrate(cluster.engine(login), role=cluster.role, login=login)
    assert cluster.do("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'payroll'") is True


def test_a_database_that_only_reads_is_away(cluster: Cluster) -> None:
    """As after a failover to a standby: a client is told to come back."""
    migrate(cluster.engine(), role=cluster.role)
    scope = fresh_scope(cluster.engine(role=cluster.role))
    cluster.do(f"ALTER DATABASE {cluster.engine().url.database} SET default_transaction_read_only = on")
    server = cluster.engine(role=cluster.role)
    assert Diagnosis(server).only_reads()
    with pytest.raises(Unavailable), Store(server, BASE_URL).write(scope) as unit:
        unit.users.insert(user("anna"))
    with cluster.engine().connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {server.url.database} RESET default_transaction_read_only"))
