"""The commands, as an operator or a script meets them, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from scim_server import log
from scim_server.cli import main
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.entra_jwt import EntraTokens
from scim_server.tenancy.rates import Rates
from scim_server.tenancy.refusals import Refusals
from tests.conftest import Databases

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    """A migrated database that only the tests of this module use."""
    return databases.migrated()


@pytest.fixture
def cli(url: str) -> Iterator[Command]:
    yield lambda *arguments, **environ: CliRunner().invoke(main, arguments, env={"DATABASE_URL": url, "LOG_LEVEL": "ERROR", **environ})
    log.configure("INFO")


@pytest.fixture
def tenant(cli: Command) -> str:
    name = f"tenant-{uuid4()}"
    assert done(cli("tenant", "create", name)).startswith(f"The tenant '{name}' is made.")
    return name


@pytest.fixture
def bearer(url: str) -> Iterator[Bearer]:
    engine = create_engine(url, pool_size=1, role=ROLE)
    registry, store = Registry(engine), Store(engine, "https://scim.example/scim/v2")
    entra = EntraTokens(registry, KeySets(Outbound(allow_custom=False), 86_400, 300))
    yield Bearer(registry, entra, Admission(registry), Refusals(store), Rates(1000, 1.0))
    engine.dispose()


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def answer(result: Result) -> Any:
    """What a command printed for a script: one JSON document and nothing else."""
    return json.loads(done(result))


def refusal(result: Result, status: int = 1) -> str:
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def credential(cli: Command, tenant: str, *options: str) -> dict[str, str]:
    made: dict[str, str] = answer(cli("credential", "create", "--tenant", tenant, "--json", *options))
    return made
