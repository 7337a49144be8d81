"""What every test may ask for: a migrated database of each kind, a Store on it, fresh tenants.

A test that asks for any of these runs twice, on SQLite and on PostgreSQL. The databases live as
long as the session; tests keep out of each other's way by having tenants of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import URL, Engine, make_url

from scim_server.events import Scope
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE, migrate
from scim_server.store.unit import Store
from scim_server.tenancy import profiles
from tests import postgres
from tests.chromium import chromium  # noqa: F401  a fixture: one browser for all modules, as there can be but one Playwright
from tests.entra_directory import entra, new_entra  # noqa: F401  fixtures
from tests.provider import directory, new_directory  # noqa: F401  fixtures
from tests.server import Server
from tests.tenants import BASE_URL, KEY, fresh_scope

pytest_plugins = ["tests.standards.plugin"]

_THREADS = 8

# How long an example takes says something about the machine, nothing about the code. A failure prints how to have it again.
hypothesis.settings.register_profile("project", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("project")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the tests that run under each profile, leave out those that say they hold under others, and on PostgreSQL all but the default's.

    What a profile changes is done in memory before the store is asked for anything; the store does not know of profiles.
    """
    items[:] = [each for each in items if _is_wanted(each)]


def _is_wanted(item: pytest.Item) -> bool:
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    profile, said = params.get("profile"), item.get_closest_marker("profiles")
    if profile is None:
        return True
    if said is not None and profile not in said.args:
        return False
    return profile == profiles.DEFAULT or params.get("databases") != "postgresql"


class Databases:
    """Databases of one kind: ``empty`` ones, and ``migrated`` ones, which are copies of one template."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._kind = kind
        self._folder = folder
        self._stack = ExitStack()
        self._server = self._stack.enter_context(postgres.server()) if kind == "postgresql" else None
        self._template: str | None = None

    def empty(self) -> str:
        return self._new(None)

    def migrated(self) -> str:
        if self._template is None:
            self._template = self._new(None)
            engine = create_engine(self._template, pool_size=1)
            migrate(engine)
            engine.dispose()
        return self._new(make_url(self._template).database)

    def close(self) -> None:
        self._stack.close()

    def _new(self, template: str | None) -> str:
        if self._server is not None:
            url = self._stack.enter_context(postgres.database(self._server, template))
            return url.render_as_string(hide_password=False)
        file = self._folder / f"{uuid4().hex}.db"
        if template:
            shutil.copy(template, file)
        return URL.create("sqlite", database=str(file)).render_as_string()


def databases_of(kind: str, folder: Path) -> Databases:
    """Databases of that kind. Without PostgreSQL the test is skipped; in CI it fails."""
    try:
        return Databases(kind, folder)
    except postgres.NoPostgres as missing:
        if os.environ.get("CI"):
            pytest.fail(f"PostgreSQL is what production runs on, and it is not here: {missing}")
        pytest.skip(f"NOT TESTED ON POSTGRESQL: {missing}")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = databases_of(request.param, tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def database_url(databases: Databases) -> str:
    """A migrated database, the same for the whole session."""
    return databases.migrated()


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """As the server has it: on PostgreSQL under a role to which other tenants' rows do not exist."""
    engine = create_engine(database_url, pool_size=_THREADS, role=ROLE)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def owner_engine(database_url: str) -> Iterator[Engine]:
    """With all rights: for looking at what is there, whosever it is."""
    engine = create_engine(database_url, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def store(engine: Engine) -> Store:
    return Store(engine, BASE_URL)


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """A running server of two processes with four threads each, on the session's database."""
    server = Server(tmp_path, DATABASE_URL=database_url, WORKERS="2", THREADS="4", SECRET_KEYS=KEY)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def scope(engine: Engine) -> Scope:
    """A fresh tenant, as one of its clients sees it."""
    return fresh_scope(engine)


@pytest.fixture
def other_scope(engine: Engine) -> Scope:
    """Another fresh tenant."""
    return fresh_scope(engine)
