"""``keys generate``, ``list``, ``rotate``; and a server whose keys are lost, which does not start."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from scim_server import log
from scim_server.cli import keys as commands
from scim_server.cli import main
from scim_server.store.engine import create_engine
from scim_server.tenancy.keys import generate, key_id
from tests.cli.conftest import Command, answer, done, refusal
from tests.conftest import Databases
from tests.server import ROOT, Server, free_port

OLD, NEW, OTHER = generate(), generate(), generate()
CLIENT = "6731de76-14a6-49ae-97bc-6eba6914391e"


@pytest.fixture
def url(databases: Databases) -> str:
    """Of the test alone: secrets are counted over all tenants."""
    return databases.migrated()


@pytest.fixture
def cli(url: str, tmp_path: Path) -> Iterator[Command]:
    environ = {"DATABASE_URL": url, "DATA_DIR": str(tmp_path / "data"), "LOG_LEVEL": "ERROR", "SECRET_KEYS": "", "SECRET_KEYS_FILE": ""}
    yield lambda *arguments, given=None, **more: CliRunner().invoke(main, arguments, input=given, env={**environ, **more})
    log.configure("INFO")


@pytest.fixture
def secrets(cli: Command, tenant: str) -> list[str]:
    """Three directories with a secret each, under OLD."""
    tids = [str(uuid4()) for _ in range(3)]
    for tid in tids:
        add_secret(cli, tenant, tid, SECRET_KEYS=OLD)
    return tids


def add_secret(cli: Command, tenant: str, tid: str, **environ: str) -> None:
    options = ("--tenant", tenant, "--tid", tid, "--client-id", CLIENT, "--client-secret-file", "-")
    done(cli("directory", "add", *options, given="s3cret\n", **environ))


def test_a_key_is_printed_for_the_environment(cli: Command) -> None:
    first, second = (cli("keys", "generate") for _ in range(2))
    assert first.exit_code == 0
    assert re.fullmatch(r"[\w-]{43}=\n", first.stdout)
    assert first.stdout != second.stdout
    assert first.stdout.strip() not in first.stderr
    made = json.loads(cli("keys", "generate", "--json").stdout)
    assert made == {"key_id": key_id(made["key"]), "key": made["key"]}


def test_a_key_is_put_first_into_a_file(cli: Command, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    first = answer(cli("keys", "generate", "--file", str(file), "--json"))
    assert first == {"key_id": first["key_id"], "file": str(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    told = done(cli("keys", "generate", "--file", str(file)))
    assert "keys rotate" in told
    assert not any(line in told for line in file.read_text().splitlines())
    listed = answer(cli("keys", "list", "--json", SECRET_KEYS_FILE=str(file)))
    assert [each["key_id"] for each in listed][1:] == [first["key_id"]]


def test_a_file_that_holds_something_else_is_left_alone(cli: Command, tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_text("Dear all,\n")
    assert "line 1" in refusal(cli("keys", "generate", "--file", str(file)))
    assert file.read_text() == "Dear all,\n"
    assert "line 1" in refusal(cli("keys", "list", SECRET_KEYS_FILE=str(file)))


def test_keys_are_listed_with_what_is_under_them(cli: Command, tenant: str, secrets: list[str]) -> None:
    add_secret(cli, tenant, str(uuid4()), SECRET_KEYS=OTHER)
    found = answer(cli("keys", "list", "--json", SECRET_KEYS=f"{NEW},{OLD}"))
    assert found == [
        {"key_id": key_id(NEW), "role": "encrypts", "secrets": 0},
        {"key_id": key_id(OLD), "role": "decrypts", "secrets": 3},
        {"key_id": key_id(OTHER), "role": "MISSING", "secrets": 1},
    ]
    told = done(cli("keys", "list", SECRET_KEYS=f"{NEW},{OLD}"))
    assert "MISSING" in told
    assert not any(key in told for key in (NEW, OLD, OTHER))


def test_where_there_are_none_the_list_says_how_to_make_one(cli: Command) -> None:
    assert "keys generate" in done(cli("keys", "list"))
    assert answer(cli("keys", "list", "--json")) == []


def test_secrets_are_rotated_once(cli: Command, tenant: str, secrets: list[str]) -> None:
    both = {"SECRET_KEYS": f"{NEW},{OLD}"}
    assert answer(cli("keys", "rotate", "--json", **both)) == {"key_id": key_id(NEW), "secrets": 3, "left": 0, "unused": [key_id(OLD)]}
    told = done(cli("keys", "rotate", **both))
    assert "nothing to do" in told
    assert key_id(OLD) in told
    assert answer(cli("keys", "list", "--json", SECRET_KEYS=NEW)) == [{"key_id": key_id(NEW), "role": "encrypts", "secrets": 3}]
    assert "MISSING" in done(cli("keys", "list", SECRET_KEYS=OLD))


def test_without_its_key_nothing_is_rotated(cli: Command, secrets: list[str]) -> None:
    told = refusal(cli("keys", "rotate", SECRET_KEYS=NEW))
    assert f"3 secrets are encrypted under key {key_id(OLD)}" in told
    assert "Put the key back" in told


def test_a_secret_that_does_not_open_is_told(cli: Command, secrets: list[str], url: str) -> None:
    engine = create_engine(url, pool_size=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE sealed SET ciphertext = 'gAAAAA' WHERE owner_id = (SELECT owner_id FROM sealed LIMIT 1)"))
    engine.dispose()
    result = cli("keys", "rotate", SECRET_KEYS=f"{NEW},{OLD}")
    assert result.exit_code == 1
    assert "2 secrets are encrypted anew" in result.stdout
    assert "Not opened" in result.stdout
    assert "1 secret is still under other keys" in result.stderr


def test_progress_is_shown_on_a_terminal_only(cli: Command, secrets: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MANY", 3)
    assert "3 of 3" not in cli("keys", "rotate", SECRET_KEYS=f"{NEW},{OLD}").stderr
    monkeypatch.setattr(commands, "_is_terminal", lambda: True)
    assert "3 of 3" in cli("keys", "rotate", SECRET_KEYS=f"{OLD},{NEW}").stderr


def test_a_server_without_its_key_does_not_start(url: str, tmp_path: Path) -> None:
    server = Server(tmp_path, DATABASE_URL=url, SECRET_KEYS=OLD)
    server.cli("tenant", "create", "contoso")
    file = tmp_path / "secret"
    file.write_text("s3cret")
    server.cli("directory", "add", "--tenant", "contoso", "--tid", str(uuid4()), "--client-id", CLIENT, "--client-secret-file", str(file))
    lost = {**server.environment, "SECRET_KEYS": NEW}
    told = f"1 secret is encrypted under key {key_id(OLD)}: it is not among the keys of SECRET_KEYS."
    ran = run([sys.executable, "-m", "scim_server.cli", "serve"], lost)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"Error: {told}\nPut the key back there")
    assert "Traceback" not in ran.stderr
    bare = run([sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{free_port()}", "wsgi:create_app()"], lost)
    assert bare.returncode not in (0, None)
    assert told in bare.stderr
    assert not any(key in ran.stderr + bare.stderr for key in (OLD, NEW))
    server.environment["SECRET_KEYS"] = f"{NEW},{OLD}"
    server.start()
    assert server.stop() == 0


def run(command: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False)
