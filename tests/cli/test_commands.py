"""Tenants, credentials, the audit trail, the database; and what holds for every command."""

from __future__ import annotations

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
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.refusals import Unauthenticated
from tests.cli.conftest import Command, answer, credential, done, refusal
from tests.conftest import Databases
from tests.server import free_port

ROOT = Path(__file__).parent.parent.parent


def test_a_tenant_is_made_and_listed(cli: Command) -> None:
    name = f"Contoso \N{LATIN SMALL LETTER O WITH STROKE} {uuid4()}"
    made = answer(cli("tenant", "create", name, "--json", PUBLIC_URL="https://scim.example"))
    assert made.pop("tenant_url") == "https://scim.example/scim/v2"
    assert made.keys() == {"id", "name", "profile", "created"}
    assert made["name"] == name
    assert made in answer(cli("tenant", "list", "--json"))
    assert name in done(cli("tenant", "list"))


def test_a_tenants_profile_can_be_chosen(cli: Command) -> None:
    assert answer(cli("tenant", "create", str(uuid4()), "--profile", "rfc", "--json"))["profile"] == "rfc"
    assert "rfc" in refusal(cli("tenant", "create", "x", "--profile", "lax"), 2)


def test_a_name_is_taken_once(cli: Command, tenant: str) -> None:
    told = refusal(cli("tenant", "create", tenant))
    assert "already" in told
    assert "tenant list" in told


@pytest.mark.parametrize("name", ["", " ", " x", "x ", "a\nb", "\x1b[2J", "x" * 101])
def test_a_name_that_cannot_be_typed_is_refused(cli: Command, name: str) -> None:
    assert "1 to 100 printable characters" in refusal(cli("tenant", "create", name))


def test_a_credential_opens_its_tenant_and_no_other(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    assert made.keys() == {"id", "token", "tenant_url"}
    assert made["tenant_url"] == "http://127.0.0.1:8000/scim/v2"
    client = bearer.client(f"Bearer {made['token']}", "192.0.2.1", "r")
    assert (client.tenant_name, client.credential_id) == (tenant, made["id"])


def test_the_tenant_url_follows_from_public_url(cli: Command, tenant: str) -> None:
    made = answer(cli("credential", "create", "--tenant", tenant, "--json", PUBLIC_URL="https://scim.example.com"))
    assert made["tenant_url"] == "https://scim.example.com/scim/v2"


def test_people_are_told_what_to_paste_where(cli: Command, tenant: str) -> None:
    told = done(cli("credential", "create", "--tenant", tenant))
    assert "Tenant URL    http://127.0.0.1:8000/scim/v2" in told
    assert "Secret Token  scim_" in told
    assert "PUBLIC_URL" in told
    assert "PUBLIC_URL" not in done(cli("credential", "create", "--tenant", tenant, PUBLIC_URL="https://scim.example.com"))


def test_a_token_is_shown_once(cli: Command, tenant: str) -> None:
    token = credential(cli, tenant, "--label", "Entra")["token"]
    for command in (("credential", "list"), ("credential", "list", "--json"), ("audit", "list", "--tenant", tenant, "--json")):
        assert token not in done(cli(*command))


def test_credentials_are_listed_with_their_state(cli: Command, tenant: str) -> None:
    lasting = credential(cli, tenant, "--label", "lasting", "--expires", "never")
    yearly = credential(cli, tenant)
    revoked = credential(cli, tenant)
    done(cli("credential", "revoke", revoked["id"]))
    found = {each["id"]: each for each in answer(cli("credential", "list", "--tenant", tenant, "--json"))}
    assert {id: each["state"] for id, each in found.items()} == {lasting["id"]: "valid", yearly["id"]: "valid", revoked["id"]: "revoked"}
    assert found[lasting["id"]]["label"] == "lasting"
    assert found[lasting["id"]]["expires"] is None
    assert found[yearly["id"]]["expires"] is not None
    table = done(cli("credential", "list", "--tenant", tenant)).splitlines()
    assert table[0].split()[:4] == ["ID", "TENANT", "LABEL", "STATE"]
    assert len(table) == 4


def test_a_revoked_credential_opens_nothing(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    assert answer(cli("credential", "revoke", made["id"], "--json")) == {"id": made["id"], "revoked": True}
    with pytest.raises(Unauthenticated):
        bearer.client(f"Bearer {made['token']}", "192.0.2.1", "r")
    assert "to revoke" in refusal(cli("credential", "revoke", made["id"]))
    assert "to revoke" in refusal(cli("credential", "revoke", "no-such-id"))


@pytest.mark.parametrize("text", ["90", "0d", "-1d", "d", "1y", "1.5d", "tomorrow"])
def test_a_lifetime_that_is_none_is_refused(cli: Command, text: str) -> None:
    assert "90d" in refusal(cli("credential", "create", "--tenant", "x", "--expires", text), 2)


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


def test_the_audit_trail_tells_what_operators_did(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant, "--label", "Entra")
    done(cli("credential", "revoke", made["id"]))
    found = answer(cli("audit", "list", "--tenant", tenant, "--json"))
    assert [each["event"] for each in found] == ["operator:credential:revoked", "operator:credential:created", "operator:tenant:created"]
    assert found[1]["data"]["label"] == "Entra"
    assert all(each["by"].startswith("operator ") for each in found)
    assert "operator:tenant:created" in done(cli("audit", "list", "--tenant", tenant))


def test_the_audit_trail_can_be_narrowed(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant)
    credential(cli, tenant)

    def count(*options: str) -> int:
        return len(answer(cli("audit", "list", "--tenant", tenant, "--json", *options)))

    assert count() == 3
    assert count("--limit", "2") == 2
    assert count("--subject", made["id"]) == 1
    assert count("--since", "1h") == 3
    assert count("--since", "2020-01-01") == 3
    assert count("--since", "2999-01-01T00:00:00Z") == 0
    assert "no such event" in done(cli("audit", "list", "--tenant", tenant, "--subject", "nobody"))
    assert "24h" in refusal(cli("audit", "list", "--tenant", tenant, "--since", "yesterday"), 2)


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
    program = "import sys, scim_server.cli as c; print(*{'sqlalchemy', 'alembic', 'flask', 'gunicorn'} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout
    assert loaded.strip() == ""
