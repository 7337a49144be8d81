"""Everything of a tenant, in one picture: what ended is there, and not a word of anybody else's."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from scim_server import clock
from scim_server.events import Scope, UserChanged
from scim_server.store import export, postgresql
from scim_server.store.engine import create_engine
from scim_server.store.errors import Unavailable
from scim_server.store.export import TYPES
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry
from scim_server.store.registry.grants import Trust
from scim_server.store.unit import Store
from tests.store.samples import employee, group, managed_by, own_schema, user
from tests.store.signed_in import sign_in
from tests.tenants import BASE_URL, OPERATOR, new_credential

LATER = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_PAGE", 3)


def furnish(engine: Engine, store: Store, scope: Scope) -> dict[str, Any]:
    """Some of everything for a tenant, and what became of it."""
    registry, tenant_id, mark = Registry(engine), scope.tenant_id, uuid4().hex
    registry.tenants.change(tenant_id, OPERATOR, rate_limit=9)
    directory_id = registry.directories.add(tenant_id, "global", str(uuid4()), OPERATOR, label=f"office {mark}")
    for n in range(4):
        registry.domains.add(tenant_id, f"{n}.{mark}.example", f"challenge-{mark}", "pending", OPERATOR, next_check=clock.now())
    trust = Trust(f"https://issuer.example/{mark}", f"subject {mark}", ("api://a", "api://b"), None, directory_id)
    terms: dict[str, Any] = {"label": f"label {mark}", "scopes": frozenset({"scim.write", "scim.read"}), "expires": LATER}
    registry.credentials.create(tenant_id, "federated", OPERATOR, **terms, networks=(ip_network("192.0.2.0/24"),), trust=trust)
    credential, token = new_credential(registry, tenant_id, label=f"token {mark}")
    registry.credentials.revoke(credential.id, OPERATOR)
    with store.write(scope) as unit:
        unit.schemas.lock()
        unit.schemas.put(own_schema(urn=f"urn:example:{mark}:User"), is_new=True)
        boss = unit.users.insert(user(f"boss.{mark}"))
        people = [unit.users.insert(employee(f"anna{n}.{mark}", **managed_by(boss.id))) for n in range(7)]
        teams = [unit.groups.insert(group(f"Team {n} {mark}")) for n in range(4)]
        unit.members.add(teams[0].id, [each.id for each in people])
        unit.members.add(teams[1].id, [teams[2].id, boss.id])
        unit.events.append(UserChanged(boss.id, 1, ()))
        for _ in range(4):
            sign_in(unit, directory_id, str(uuid4()), boss.id)
            unit.holdings.end(boss.id, "manager")
    with store.write(scope) as unit:
        unit.members.remove(teams[0].id, [people[1].id])
    with store.write(scope) as unit:
        unit.members.add(teams[0].id, [people[1].id])
        unit.users.update(people[2], user(f"anna2.{mark}", active=False))
        unit.users.end(people[0].id)
        unit.groups.end(teams[3])
    return {"mark": mark, "token": token, "people": people, "teams": teams, "credential": credential.id, "directory": directory_id}


def exported(store: Store, scope: Scope) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in TYPES}
    with store.picture(scope) as unit:
        for name, row in unit.export.everything():
            found[name].append(row)
    return found


def test_everything_is_there(engine: Engine, owner_engine: Engine, store: Store, scope: Scope) -> None:
    """Counted with all rights, in every table that has tenants."""
    had = furnish(engine, store, scope)
    found = exported(store, scope)
    tables = dict(
        zip(
            TYPES,
            (
                *("tenants", "schemas", "directories", "domains", "credentials", "users", "activity", "groups", "memberships"),
                *("mappings", "restrictions", "identity_links", "sessions", "holdings", "events"),
            ),
            strict=True,
        )
    )
    with owner_engine.connect() as connection:
        for name, table in tables.items():
            column = "id" if table == "tenants" else "tenant_id"
            statement = text(f"SELECT count(*) FROM {table} WHERE {column} = :tenant")
            assert len(found[name]) == connection.execute(statement, {"tenant": scope.tenant_id}).scalar_one() > 0, table
    for name, rows in found.items():
        # One call may open several periods: they have its id, and differ in whose they are.
        assert len({(each["id"], each.get("member_id")) for each in rows}) == len(rows), name

    (tenant,) = found["tenant"]
    assert (tenant["id"], tenant["settings"], tenant["suspended"]) == (scope.tenant_id, {"rate_limit": 9}, None)
    (schema,) = found["schema"]
    assert (schema["id"], schema["required"]) == (f"urn:example:{had['mark']}:User", False)
    assert [each["name"] for each in schema["definition"]["attributes"]] == ["badge"]
    federated, revoked = found["credential"]
    assert (federated["scopes"], federated["networks"]) == (["scim.read", "scim.write"], ["192.0.2.0/24"])
    assert (federated["audiences"], federated["directory_id"]) == (["api://a", "api://b"], had["directory"])
    assert (federated["expires"], federated["revoked"]) == ("2031-05-06T07:08:09.123456Z", None)
    assert (revoked["id"], revoked["issuer"], revoked["audiences"]) == (had["credential"], None, None)
    assert revoked["revoked"] >= revoked["created"]

    users = {each["id"]: each for each in found["user"]}
    gone, disabled = users[had["people"][0].id], users[had["people"][2].id]
    assert gone["ended"] is not None
    assert gone["document"] == had["people"][0].document
    assert (disabled["ended"], disabled["document"]["active"], disabled["version"]) == (None, False, 2)
    periods = [each for each in found["activity"] if each["user_id"] == disabled["id"]]
    assert [each["valid_to"] is None for each in periods] == [False]
    assert [each["ended"] is not None for each in found["group"]] == [False, False, False, True]
    stays = [each for each in found["membership"] if each["member_id"] == had["people"][1].id]
    assert [each["valid_to"] is None for each in stays] == [False, True]
    assert {each["member_type"] for each in found["membership"]} == {"User", "Group"}
    with store.read(scope) as unit:
        log = unit.events.list(100)
    assert [(each["id"], each["tag"], each["data"]) for each in found["event"]] == [
        (each.id, each.tag, each.data) for each in reversed(log)
    ]


def test_rows_stand_behind_what_they_name(engine: Engine, store: Store, scope: Scope) -> None:
    furnish(engine, store, scope)
    seen: set[str] = set()
    with store.picture(scope) as unit:
        for name, row in unit.export.everything():
            named = [row[each] for each in ("user_id", "group_id", "directory_id") if row.get(each)]
            if name == "membership" and row["member_type"] == "User":
                named.append(row["member_id"])
            assert seen.issuperset(named), (name, row)
            seen.add(row["id"])


def test_nothing_of_anybody_else_is_there(engine: Engine, store: Store, scope: Scope, other_scope: Scope) -> None:
    """Their ids and names are looked for in every byte."""
    mine, theirs = (furnish(engine, store, each) for each in (scope, other_scope))
    bodies = [json.dumps(exported(store, each)) for each in (scope, other_scope)]
    known = [{row["id"] for rows in exported(store, each).values() for row in rows} for each in (scope, other_scope)]
    assert not known[0] & known[1]
    for body, own, others in ((bodies[0], known[0], known[1]), (bodies[1], known[1], known[0])):
        assert [each for each in others if each in body] == []
        assert all(each in body for each in own)
    assert (mine["mark"] in bodies[0], theirs["mark"] in bodies[0]) == (True, False)
    assert (mine["mark"] in bodies[1], theirs["mark"] in bodies[1]) == (False, True)
    assert mine["token"] not in bodies[0]


def test_no_hash_is_there(engine: Engine, owner_engine: Engine, store: Store, scope: Scope) -> None:
    furnish(engine, store, scope)
    body = json.dumps(exported(store, scope))
    with owner_engine.connect() as connection:
        hashes = connection.execute(text("SELECT hash FROM secrets WHERE tenant_id = :tenant"), {"tenant": scope.tenant_id}).scalars().all()
    assert hashes
    for each in map(bytes, hashes):
        assert each.hex() not in body
    assert "hash" not in body


def test_it_is_one_picture(store: Store, scope: Scope) -> None:
    """What happens while it is read waits for nobody, and is not in it."""
    with store.write(scope) as unit:
        people = [unit.users.insert(user(f"anna{n}")) for n in range(7)]
        team = unit.groups.insert(group("Team"))
        unit.members.add(team.id, [people[0].id])
    counted: Counter[str] = Counter()
    with store.picture(scope) as unit:
        rows = unit.export.everything()
        counted[next(rows)[0]] += 1
        with store.write(scope) as other:
            late = other.users.insert(user("late"))
            other.members.add(team.id, [late.id, people[1].id])
            other.users.update(people[6], user("renamed"))
            other.users.end(people[0].id)
            other.groups.insert(group("Late"))
            other.events.append(UserChanged(late.id, 1, ()))
        for name, row in rows:
            counted[name] += 1
            assert row.get("ended") is None
            assert "renamed" not in str(row)
            assert late.id not in str(row)
    assert counted == {"tenant": 1, "user": 7, "activity": 7, "group": 1, "membership": 1, "event": 1}
    assert exported(store, scope)["user"][-1]["id"] == late.id


def test_a_picture_changes_nothing_and_ends(store: Store, scope: Scope, engine: Engine) -> None:
    with suppress(Unavailable), store.picture(scope) as unit:
        unit.users.insert(user("anna"))
        assert unit.users.find(None, 1, 1).total == 1
        assert engine.dialect.name == "sqlite"
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 1).total == 0
    with store.picture(scope) as unit:
        assert next(unit.export.everything())[0] == "tenant"  # broken off in the middle
    with store.write(scope) as unit:
        unit.users.insert(user("anna"))


def test_whoever_looks_at_a_picture_may_pause(engine: Engine, scope: Scope) -> None:
    """A pipe whose reader waits for a passphrase."""
    if engine.dialect.name != "postgresql":
        return
    url = engine.url.update_query_dict({"options": "-c idle_in_transaction_session_timeout=100ms"})
    hasty = create_engine(url.render_as_string(hide_password=False), pool_size=1, role=ROLE)
    with Store(hasty, BASE_URL).picture(scope) as unit:
        assert unit.users.find(None, 1, 1).total == 0
        time.sleep(0.3)
        assert unit.users.find(None, 1, 1).total == 0
    hasty.dispose()


def test_a_picture_can_be_taken_on_a_connection_that_prepared_much(engine: Engine, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_MAX_PREPARED", 0)
    one = create_engine(engine.url.render_as_string(hide_password=False), pool_size=1, role=ROLE)
    store = Store(one, BASE_URL)
    with store.read(scope) as unit:
        unit.users.find(None, 1, 1)
        unit.groups.find(None, 1, 1)
    with store.picture(scope) as unit:
        assert unit.users.find(None, 1, 1).total == 0
    one.dispose()


@pytest.mark.parametrize("count", [0, 2, 3, 4, 6])
def test_no_row_is_lost_between_pages(store: Store, scope: Scope, count: int) -> None:
    with store.write(scope) as unit:
        people = [unit.users.insert(user(f"anna{n}")) for n in range(count)]
        team = unit.groups.insert(group("Team"))
    for _ in range(3):
        with store.write(scope) as unit:
            unit.members.add(team.id, [each.id for each in people])
        with store.write(scope) as unit:
            unit.members.remove(team.id, [each.id for each in people])
    found = exported(store, scope)
    assert [each["id"] for each in found["user"]] == [each.id for each in people]
    assert Counter(each["member_id"] for each in found["membership"]) == {each.id: 3 for each in people}
