"""``session``, ``app`` and ``signing-key``: who is signed in, and what the SaaS's own programs have."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.keys import generate
from tests.cli.conftest import Command, answer, done, refusal
from tests.store.samples import user
from tests.store.signed_in import new_directory_id, sign_in
from tests.tenants import BASE_URL, OPERATOR

KEY = generate()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, pool_size=1, role=ROLE)
    yield engine
    engine.dispose()


@pytest.fixture
def people(engine: Engine, tenant: str) -> dict[str, str]:
    """Two people who are signed in: their sessions."""
    found = Registry(engine).tenants.get(tenant)
    assert found is not None
    tid = str(uuid4())
    directory_id = new_directory_id(engine, found.id, tid)
    with Store(engine, BASE_URL).write(Scope(found.id, OPERATOR, "")) as unit:
        return {
            name: sign_in(unit, directory_id, tid, unit.users.insert(user(name)).id).session_id
            for name in ("anna@x.example", "bert@x.example")
        }


def sessions(cli: Command, tenant: str, *options: str) -> dict[str, str]:
    return {each["user_name"]: each["id"] for each in answer(cli("session", "list", "--tenant", tenant, "--json", *options))}


def test_sessions_are_listed_and_ended(cli: Command, tenant: str, people: dict[str, str]) -> None:
    assert sessions(cli, tenant) == people
    told = done(cli("session", "list", "--tenant", tenant))
    assert "anna@x.example" in told
    assert "manager" in told
    assert sessions(cli, tenant, "--user", "ANNA@x.example") == {"anna@x.example": people["anna@x.example"]}
    assert answer(cli("session", "end", "--tenant", tenant, people["anna@x.example"], "--json")) == {"tenant": tenant, "ended": 1}
    assert "no session" in refusal(cli("session", "end", "--tenant", tenant, people["anna@x.example"]))
    assert sessions(cli, tenant) == {"bert@x.example": people["bert@x.example"]}
    (ended,) = answer(cli("session", "list", "--tenant", tenant, "--user", "anna@x.example", "--all", "--json"))
    assert ended["end_reason"] == "ended_by_operator"
    assert answer(cli("session", "end", "--tenant", tenant, "--user", "bert@x.example", "--json"))["ended"] == 1
    assert answer(cli("session", "end", "--tenant", tenant, "--all", "--json"))["ended"] == 0
    assert done(cli("session", "list", "--tenant", tenant)) == "Nobody is signed in.\n"


def test_which_sessions(cli: Command, tenant: str, people: dict[str, str]) -> None:
    assert len(people) == 2
    for options in ((), ("--all", "--user", "anna@x.example"), (people["anna@x.example"], "--all")):
        refusal(cli("session", "end", "--tenant", tenant, *options), 2)
    refusal(cli("session", "list", "--tenant", tenant, "--all"), 2)
    assert "no user" in refusal(cli("session", "end", "--tenant", tenant, "--user", "nobody"))
    assert answer(cli("session", "end", "--tenant", tenant, "--all", "--json"))["ended"] == 2


def test_a_directory_that_is_removed_takes_its_sessions_along(cli: Command, tenant: str, people: dict[str, str]) -> None:
    (directory,) = answer(cli("directory", "list", "--tenant", tenant, "--json"))
    removed = answer(cli("directory", "remove", "--tenant", tenant, "--tid", directory["tid"], "--json"))
    assert removed["sessions_ended"] == len(people)
    assert sessions(cli, tenant) == {}


def test_apps(cli: Command) -> None:
    name = f"app {uuid4()}"
    made = answer(cli("app", "add", name, "--json"))
    assert made["client_secret"].startswith("scim_app_")
    assert "already" in refusal(cli("app", "add", name))
    listed = next(each for each in answer(cli("app", "list", "--json")) if each["name"] == name)
    assert listed["client_id"] == made["client_id"]
    assert made["client_secret"] not in str(listed)
    told = done(cli("app", "rotate", name))
    assert "not shown again" in told
    assert made["client_secret"] not in told
    assert answer(cli("app", "remove", made["client_id"], "--json"))["removed"] is True
    assert "no app" in refusal(cli("app", "rotate", name))


def test_signing_keys(cli: Command) -> None:
    assert "no signing key yet" in done(cli("signing-key", "list", SECRET_KEYS=KEY))
    first = answer(cli("signing-key", "rotate", "--json", SECRET_KEYS=KEY))
    assert first["signs_from"] == first["created"]
    second = answer(cli("signing-key", "rotate", "--json", SECRET_KEYS=KEY))
    assert second["signs_from"] > second["created"]
    assert [each["id"] for each in answer(cli("signing-key", "list", "--json", SECRET_KEYS=KEY))] == [first["id"], second["id"]]
    third = answer(cli("signing-key", "rotate", "--now", "--json", SECRET_KEYS=KEY))
    assert [each["id"] for each in answer(cli("signing-key", "list", "--json", SECRET_KEYS=KEY))] == [third["id"]]
