"""The database, the settings; and what holds for every command."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from scim_server.cli import main
from scim_server.store.engine import create_engine
from tests.cli.conftest import Command, answer, done, refusal
from tests.conftest import Databases
from tests.server import free_port

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "command",
    [("credential", "create", "--tenant", "nobody"), ("credential", "list", "--tenant", "nobody"), ("audit", "list", "--tenant", "nobody")],
)
def test_an_unknown_tenant_is_refused_with_a_way_on(cli: Command, command: tuple[str, ...]) -> None:
    told = refusal(cli(*command))
    assert "'nobody'" in told
    assert "tenant list" in told


def test_empty_lists_say_how_to_go_on(cli: Command, tenant: str, databases: Databases) -> None:
    assert "credential create" in done(cli("credential", "list", "--tenant", tenant))
    assert answer(cli("credential", "list", "--tenant", tenant, "--json")) == []
    fresh = databases.migrated()
    assert "tenant create" in done(cli("tenant", "list", DATABASE_URL=fresh))
    assert answer(cli("tenant", "list", "--json", DATABASE_URL=fresh)) == []


def test_an_empty_database_is_migrated_once(cli: Command, databases: Databases) -> None:
    empty = databases.empty()
    told = refusal(cli("tenant", "list", DATABASE_URL=empty))
    assert "db upgrade" in told
    first, second = (answer(cli("db", "upgrade", "--json", DATABASE_URL=empty)) for _ in range(2))
    assert first["changed"] is True
    assert second["changed"] is False
    assert "up to date" in done(cli("db", "upgrade", DATABASE_URL=empty))
    assert answer(cli("tenant", "list", "--json", DATABASE_URL=empty)) == []


def test_asking_makes_no_database(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    told = refusal(CliRunner().invoke(main, ["tenant", "list"], env={"DATA_DIR": str(folder)}))
    assert str(folder / "scim.db") in told
    assert "db upgrade" in told
    assert not folder.exists()


def test_upgrade_makes_the_folder_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "data"
    done(CliRunner().invoke(main, ["db", "upgrade"], env={"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}))
    assert (folder / "scim.db").exists()
    assert [path for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077] == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {"DATA_DIR": str(tmp_path / "file" / "data"), "LOG_LEVEL": "ERROR"}
    told = refusal(CliRunner().invoke(main, ["db", "upgrade"], env=environ))
    assert "cannot be made" in told
    assert "DATA_DIR" in told
    assert "db upgrade" in refusal(CliRunner().invoke(main, ["tenant", "list"], env=environ))


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    result = CliRunner().invoke(main, ["tenant", "list"], env={"DATABASE_URL": "postgresql://scim:hunter2@127.0.0.1:1/scim"})
    told = refusal(result)
    assert "postgresql://127.0.0.1:1/scim cannot be used" in told
    assert "DATABASE_URL" in told
    assert "hunter2" not in told


@pytest.fixture
def unfit(databases: Databases, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A database in which no table can be made, and what the driver says of it."""
    url = make_url(databases.empty())
    if url.get_backend_name() == "sqlite":
        (tmp_path / "scim.db").write_text("This is a letter, and no database at all. " * 100)
        yield f"sqlite:///{tmp_path}/scim.db", "not a database"
        return
    engine = create_engine(url.render_as_string(hide_password=False), pool_size=1)
    role = f"reader_{uuid4().hex}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        yield url.set(username=role).render_as_string(hide_password=False), "permission denied"
        connection.exec_driver_sql(f"DROP ROLE {role}")
    engine.dispose()


def test_a_database_that_may_not_be_changed_is_told(cli: Command, unfit: tuple[str, str]) -> None:
    url, reason = unfit
    for arguments in (("db", "upgrade"), ("serve", "--migrate")):
        told = refusal(cli(*arguments, DATABASE_URL=url, PORT=str(free_port())))
        assert "cannot be used" in told
        assert reason in told
        assert "make tables" in told


def test_all_faults_of_the_settings_are_told_at_once() -> None:
    told = refusal(CliRunner().invoke(main, ["tenant", "list"], env={"PORT": "eighty", "WORKERS": "0"}))
    assert "PORT is 'eighty'" in told
    assert "WORKERS is '0'" in told


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


def test_every_command_but_the_server_answers_scripts() -> None:
    silent = {path for path, command in commands(main) if "--json" not in {option for each in command.params for option in each.opts}}
    assert silent == {("serve",)}


def test_no_command_pays_for_libraries_that_another_needs() -> None:
    slow = {"sqlalchemy", "alembic", "flask", "gunicorn", "requests", "dns", "cryptography", "joserfc"}
    program = f"import sys, scim_server.cli as c; print(*{slow} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout
    assert loaded.strip() == ""


def test_two_urls_of_two_databases_are_told_apart(cli: Command, databases: Databases, tmp_path: Path) -> None:
    """What was migrated must be what the server sees."""
    empty, other = databases.empty(), databases.empty()
    if empty.startswith("sqlite"):
        told = refusal(cli("db", "upgrade", DATABASE_URL=empty, DATABASE_OWNER_URL="postgresql://scim@127.0.0.1:1/scim"))
        assert "two kinds" in told
        return
    told = refusal(cli("db", "upgrade", DATABASE_URL=empty, DATABASE_OWNER_URL=other))
    assert "the same database" in told
    assert "two kinds" in refusal(cli("db", "upgrade", DATABASE_URL=empty, DATABASE_OWNER_URL=f"sqlite:///{tmp_path}/scim.db"))
    assert not (tmp_path / "scim.db").exists()


def test_the_operator_is_who_runs_the_command(cli: Command, tenant: str) -> None:
    """Not who the environment says."""
    done(cli("tenant", "suspend", tenant, LOGNAME="alice", USER="alice"))
    latest = answer(cli("audit", "list", "--tenant", tenant, "--limit", "1", "--json"))[0]
    assert latest["by"] == f"operator {pwd.getpwuid(os.getuid()).pw_name}"


@pytest.mark.parametrize("command", [("tenant", "show"), ("tenant", "suspend"), ("credential", "list", "--tenant")])
def test_an_argument_that_is_no_text_is_refused(cli: Command, command: tuple[str, ...]) -> None:
    assert "UTF-8" in refusal(cli(*command, "\udcff"))
