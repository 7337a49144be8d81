"""``doctor``: healthy installations, how it is told, and what keeps a check from being made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import Result
from sqlalchemy import Engine, make_url

from scim_server.store.errors import Unavailable
from scim_server.store.registry import Registry
from tests.cli.doctor.conftest import Doctor, states
from tests.tenants import OPERATOR


@contextmanager
def plain_login(owner: Engine, url: str) -> Iterator[str]:
    """The URL of somebody who may do nothing but take on the role."""
    name = f"login_{uuid4().hex}"
    with owner.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN NOINHERIT")
        connection.exec_driver_sql(f"GRANT scim_app TO {name}")
        yield make_url(url).set(username=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP ROLE {name}")


def test_a_healthy_installation(doctor: Doctor, owner: Engine, url: str) -> None:
    if url.startswith("sqlite"):
        checks = doctor(DATA_DIR=str(Path(url.removeprefix("sqlite:///")).parent))
        assert states(checks, "skipped") >= {"database-role", "row-level-security", "database-login", "database-clock"}
        assert "SQLite" in checks["database"]["finding"]
    else:
        with plain_login(owner, url) as login:
            checks = doctor(DATABASE_URL=login)
        assert "PostgreSQL" in checks["database"]["finding"]
        assert "scim_app" in checks["database-role"]["finding"]
    assert states(checks, "warning") | states(checks, "failed") == set()
    assert states(checks, "skipped") >= {"dns", "outbound", "clock", "reachable"}


def test_people_get_a_list_with_a_summary(run: Callable[..., Result]) -> None:
    result = run("--offline", PUBLIC_URL="http://scim.example")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["ok", "settings"]
    warned = next(number for number, line in enumerate(lines) if line.startswith("warning  public-url"))
    assert lines[warned + 1].strip().startswith("Mend: ")
    assert "checks: " in lines[-1]
    assert "warning" in lines[-1]


def test_all_faults_of_the_settings_and_nothing_else(run: Callable[..., Result]) -> None:
    result = run("--json", PORT="eighty", SECRET_KEYS="hunter2")
    assert result.exit_code == 1
    checks = json.loads(result.stdout)["checks"]
    faults = [each["finding"] for each in checks if each["name"] == "settings"]
    assert len(faults) == 2
    assert any("PORT is 'eighty'" in each for each in faults)
    assert {each["state"] for each in checks if each["name"] != "settings"} == {"skipped"}
    assert all("settings cannot be used" in each["finding"] for each in checks if each["name"] != "settings")


@pytest.mark.parametrize(
    ("public_url", "state"),
    [
        ("https://scim.example", "ok"),
        ("http://scim.example", "warning"),
        ("https://127.0.0.1", "warning"),
        ("https://localhost", "warning"),
    ],
)
def test_entra_needs_a_public_https_address(doctor: Doctor, public_url: str, state: str) -> None:
    assert doctor(PUBLIC_URL=public_url)["public-url"]["state"] == state


def test_a_folder_that_others_may_enter(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "scim.db").touch()
    for mode, state in ((0o755, "warning"), (0o700, "ok")):
        folder.chmod(mode)
        assert doctor(DATABASE_URL=f"sqlite:///{folder}/scim.db")["data-folder"]["state"] == state


def test_a_check_that_breaks_off_keeps_no_other_from_being_made(doctor: Doctor, owner: Engine, registry: Registry) -> None:
    registry.tenants.create("Contoso", OPERATOR, "entra")
    with owner.begin() as connection:
        connection.exec_driver_sql("DROP TABLE domains")
    checks = doctor()
    assert states(checks, "failed") - {"database-role"} == {"domains"}
    assert "broke off" in checks["domains"]["finding"]
    assert checks["issuers"]["state"] == "ok"


def test_a_database_that_goes_away_meanwhile(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: object) -> None:
        raise Unavailable("the server closed the connection")

    monkeypatch.setattr("scim_server.store.registry.tenants.Tenants.list", gone)
    checks = doctor()
    assert states(checks, "failed") == {"tenants", "credentials", "certificates", "domains", "issuers"}
    assert "closed the connection" in checks["domains"]["finding"]
