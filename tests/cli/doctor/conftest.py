"""An installation to be examined, and harmed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from scim_server import log
from scim_server.cli import main
from scim_server.store.engine import create_engine
from scim_server.store.registry import Registry
from scim_server.tenancy.keys import generate
from tests.conftest import Databases

Doctor = Callable[..., dict[str, dict[str, Any]]]

KEY, OTHER = generate(), generate()
_CLIENT = "6731de76-14a6-49ae-97bc-6eba6914391e"
_STATES = {"ok", "warning", "failed", "skipped"}

on_postgresql = pytest.mark.parametrize("databases", ["postgresql"], indirect=True, scope="session")
"""For what SQLite has nothing of."""


@pytest.fixture
def url(databases: Databases) -> str:
    """Of the test alone, to be harmed."""
    return databases.migrated()


@pytest.fixture
def owner(url: str) -> Iterator[Engine]:
    engine = create_engine(url, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def registry(owner: Engine) -> Registry:
    return Registry(owner)


@pytest.fixture
def run(url: str, tmp_path: Path) -> Iterator[Callable[..., Result]]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    environ = {
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "PUBLIC_URL": "https://scim.example",
        "SECRET_KEYS": "",
        "SECRET_KEYS_FILE": "",
        "DNS_SERVERS": "",
    }
    yield lambda *arguments, **more: CliRunner().invoke(main, ["doctor", *arguments], env={**environ, **more})
    log.configure("INFO")


@pytest.fixture
def doctor(run: Callable[..., Result]) -> Doctor:
    """The checks by name. Whether a check failed, the exit status and ``ok`` agree; what is not fine has a remedy."""

    def examine(*arguments: str, **environ: str) -> dict[str, dict[str, Any]]:
        result = run("--json", *(arguments or ("--offline",)), **environ)
        assert result.stderr == "", result.stderr
        told = json.loads(result.stdout)
        checks = {each["name"]: each for each in told["checks"]}
        assert len(checks) == len(told["checks"]) or "settings" in checks
        assert {each["state"] for each in checks.values()} <= _STATES
        failed = any(each["state"] == "failed" for each in checks.values())
        assert (told["ok"], result.exit_code) == (not failed, int(failed))
        assert all(bool(each["remedy"]) == (each["state"] in ("warning", "failed")) for each in checks.values()), checks
        return checks

    return examine


def states(checks: dict[str, dict[str, Any]], state: str) -> set[str]:
    return {name for name, each in checks.items() if each["state"] == state}


@pytest.fixture
def tid(url: str, run: Callable[..., Result]) -> str:
    """A directory of Contoso's, with a secret under KEY."""
    tid = str(uuid4())
    environ = {"DATABASE_URL": url, "SECRET_KEYS": KEY, "LOG_LEVEL": "ERROR"}
    command = ["directory", "add", "--tenant", "Contoso", "--tid", tid, "--client-id", _CLIENT, "--client-secret-file", "-"]
    for arguments, given in ((["tenant", "create", "Contoso"], ""), (command, "s3cret")):
        assert CliRunner().invoke(main, arguments, input=given, env=environ).exit_code == 0
    return tid
