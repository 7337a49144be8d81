"""The database: away, not migrated, and not keeping tenants apart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, make_url

from scim_server.store.diagnosis import Diagnosis
from scim_server.store.engine import create_engine
from scim_server.store.migrations import migrate
from tests.cli.doctor.conftest import Doctor, on_postgresql, states
from tests.conftest import Databases


def test_a_database_that_is_away(doctor: Doctor) -> None:
    checks = doctor(DATABASE_URL="postgresql://scim:hunter2@127.0.0.1:1/scim")
    assert "DATABASE_URL" in checks["database"]["remedy"]
    assert "hunter2" not in str(checks)
    assert states(checks, "failed") == {"database"}
    assert all("does not answer" in checks[name]["finding"] for name in ("migrations", "secret-keys", "credentials"))


def test_a_database_that_is_not_there(doctor: Doctor, tmp_path: Path) -> None:
    checks = doctor(DATABASE_URL=f"sqlite:///{tmp_path}/data/none.db")
    assert "db upgrade" in checks["database"]["remedy"]
    assert states(checks, "failed") == {"database"}
    assert list((tmp_path / "data").iterdir()) == []


def test_a_database_that_waits_for_its_migrations(doctor: Doctor, databases: Databases) -> None:
    empty = databases.empty()
    if empty.startswith("sqlite"):
        Path(empty.removeprefix("sqlite:///")).touch()
    checks = doctor(DATABASE_URL=empty)
    assert "db upgrade" in checks["migrations"]["remedy"]
    assert states(checks, "failed") == {"migrations"}
    assert "waits for its migrations" in checks["secret-keys"]["finding"]


@on_postgresql
def test_a_database_that_is_too_old(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Diagnosis, "version", lambda _self: ("14.12", False))
    checks = doctor()
    assert "14.12 is too old" in checks["database"]["finding"]
    assert states(checks, "failed") == {"database"}


@on_postgresql
def test_a_role_that_is_not_there(doctor: Doctor) -> None:
    checks = doctor(DATABASE_ROLE="nobody_knows_it")
    assert states(checks, "failed") == {"migrations"}
    assert "nobody_knows_it is not there" in checks["migrations"]["finding"]


@on_postgresql
def test_a_role_for_whom_policies_do_not_hold(doctor: Doctor, url: str) -> None:
    checks = doctor(DATABASE_ROLE=make_url(url).username or "")
    assert states(checks, "failed") == {"migrations"}
    assert "row-level security does not hold for the role" in checks["migrations"]["finding"]
    assert "DATABASE_ROLE" in checks["migrations"]["remedy"]


@on_postgresql
@pytest.mark.parametrize(
    ("harm", "failing", "finding"),
    [
        ("ALTER TABLE users OWNER TO scim_app", {"migrations"}, "row-level security does not hold for the role scim_app"),
        ("DROP POLICY tenant ON memberships", {"row-level-security"}, "memberships (there is no policy"),
        ("ALTER TABLE events DISABLE ROW LEVEL SECURITY", {"row-level-security"}, "events (row-level security is off)"),
        ("CREATE POLICY lax ON groups USING (true)", {"row-level-security"}, "groups (a policy does not ask for the tenant)"),
        ("CREATE TABLE more (tenant_id uuid)", {"row-level-security"}, "more (row-level security is off)"),
        ("CREATE POLICY strict ON groups AS RESTRICTIVE USING (true)", set(), "has its policy"),
    ],
)
def test_tenants_are_kept_apart_by_the_database(doctor: Doctor, owner: Engine, harm: str, failing: set[str], finding: str) -> None:
    with owner.begin() as connection:
        connection.exec_driver_sql(harm)
    checks = doctor()
    assert states(checks, "failed") == failing
    assert any(finding in each["finding"] for each in checks.values())


@on_postgresql
def test_an_owner_who_may_make_no_role_is_warned_about(doctor: Doctor, databases: Databases, owner: Engine) -> None:
    url, login = make_url(databases.empty()), f"owner_{uuid4().hex}"
    with owner.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {login} LOGIN")
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} OWNER TO {login}")
    own = url.set(username=login).render_as_string(hide_password=False)
    engine = create_engine(own, pool_size=1)
    role = f"missing_{uuid4().hex}"
    migrate(engine, role=role, login=login)
    engine.dispose()
    checks = doctor(DATABASE_URL=own, DATABASE_ROLE=role)
    assert states(checks, "failed") == set()
    assert checks["database-role"]["state"] == "warning"
    assert f"CREATE ROLE {role} NOLOGIN" in checks["database-role"]["remedy"]


@on_postgresql
def test_a_login_that_could_bypass_policies_is_hinted_at(doctor: Doctor, url: str) -> None:
    found = doctor()["database-login"]
    assert found["state"] == "warning"
    assert f"logs in as {make_url(url).username}, who could bypass" in found["finding"]
    assert "DATABASE_OWNER_URL" in found["remedy"]


@on_postgresql
@pytest.mark.parametrize(
    ("ahead", "state", "told"), [(0, "ok", "agrees"), (-1, "ok", "agrees"), (5, "warning", "5.0 s behind"), (-90, "failed", "90.0 s ahead")]
)
def test_the_databases_clock(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, ahead: int, state: str, told: str) -> None:
    measured = Diagnosis.clock
    monkeypatch.setattr(Diagnosis, "clock", lambda self: measured(self) + timedelta(seconds=ahead))
    found = doctor()["database-clock"]
    assert found["state"] == state
    assert told in found["finding"]
