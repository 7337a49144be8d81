"""Schemas of tenants' own in the store: nobody writes by one that is not so any more, and many tenants cost no more than one."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server.events import Principal, Scope
from scim_server.provisioning import schemas, users
from scim_server.scim.ordering import bind
from scim_server.scim.resources import accept
from scim_server.scim.schemas import BASE_TYPES, USER, USER_TYPE, Extension
from scim_server.store import resource_types
from scim_server.store import users as store_users
from scim_server.store.engine import database
from scim_server.store.errors import Busy, Outdated, Taken
from scim_server.store.resource_types import ResourceTypes
from scim_server.store.statements import GlobalStatement
from scim_server.store.unit import Store
from tests.store.samples import ACME, own_schema, where
from tests.store.test_parallel import together
from tests.tenants import BASE_URL, fresh_scope

BADGE, LEVEL = {"name": "badge", "uniqueness": "server"}, {"name": "level", "type": "integer"}
PATCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}


def client(scope: Scope, schemas: int) -> Scope:
    """A request that knows how often the tenant's schemas had changed when it was let in."""
    return dataclasses.replace(scope, schemas=schemas)


def add(store: Store, scope: Scope, *attributes: dict[str, Any], urn: str = ACME) -> None:
    store.transact(scope, lambda unit: schemas.add(unit, own_schema(*attributes, urn=urn), accept_missing=False))


def change(store: Store, scope: Scope, *attributes: dict[str, Any]) -> None:
    store.transact(scope, lambda unit: schemas.change(unit, own_schema(*attributes), drop_values=True, accept_missing=False))


def create(store: Store, scope: Scope, name: str, **values: Any) -> str:
    body = {"schemas": [USER], "userName": name, **({ACME: values} if values else {})}
    return store.transact(scope, lambda unit: users.create(unit, body, lenient=True)).id


def stored(store: Store, scope: Scope, user_id: str) -> Any:
    with store.read(scope) as unit:
        found = unit.users.get(user_id)
        assert found is not None
        return found.document.get(ACME)


def names(store: Store, scope: Scope) -> list[str]:
    return [each.name for extension in store.types(scope).user.extensions[1:] for each in extension.attributes]


# Which types a request goes by


def test_the_number_that_a_request_knows_is_the_types_it_gets(store: Store, scope: Scope) -> None:
    assert store.types(client(scope, 0)) is BASE_TYPES
    assert list(store.types(scope).user.extensions) == list(USER_TYPE.extensions)
    add(store, scope, BADGE)
    assert names(store, client(scope, 1)) == names(store, scope) == ["badge"]
    assert store.types(client(scope, 1)) is store.types(client(scope, 1))
    change(store, scope, LEVEL)
    assert names(store, client(scope, 2)) == names(store, scope) == ["level"]
    with store.write(client(scope, 2)) as unit:
        assert unit.types is store.types(client(scope, 2))
    with store.read(scope) as unit:
        assert unit.users.type is unit.types.user is store.types(client(scope, 2)).user


def test_another_process_finds_out_by_itself(engine: Engine, store: Store, scope: Scope) -> None:
    other = Store(engine, BASE_URL)
    add(store, scope, BADGE)
    assert names(other, client(scope, 1)) == ["badge"]
    change(store, scope, LEVEL)
    assert names(other, client(scope, 1)) == ["badge"]  # a request that began before; it may read by what it knew
    assert names(other, client(scope, 2)) == ["level"]
    assert names(Store(engine, BASE_URL), client(scope, 1)) == ["level"]  # who does not know it any more has what is so now


# A write by schemas that are not so any more


def test_a_write_by_what_is_not_so_any_more_is_refused(store: Store, scope: Scope) -> None:
    add(store, scope, BADGE, LEVEL)
    user_id = create(store, client(scope, 1), "ada", badge="7", level=1)
    change(store, scope, {**LEVEL, "type": "string"})
    body = {**PATCH, "Operations": [{"op": "replace", "path": f"{ACME}:level", "value": 5}]}
    before = client(scope, 1)
    tasks: list[Callable[[], Any]] = [
        lambda: create(store, before, "bea", level=1),
        lambda: store.transact(before, lambda unit: users.patch(unit, user_id, body, lenient=True)),
        lambda: store.transact(before, lambda unit: users.replace(unit, user_id, {"schemas": [USER], "userName": "x"}, lenient=True)),
        lambda: store.transact(before, lambda unit: users.delete(unit, user_id)),
    ]
    for task in tasks:
        began = time.monotonic()
        with pytest.raises(Outdated):
            task()
        assert time.monotonic() - began < 1
    assert issubclass(Outdated, Busy)  # so that the client is told to try again
    with store.read(scope) as unit:
        assert [each.document["userName"] for each in unit.users.find(None, 1, 9).resources] == ["ada"]
    create(store, client(scope, 2), "bea", level="x")


@pytest.mark.parametrize("knows", [True, False], ids=["a client", "a sign-in"])
def test_a_change_waits_for_who_writes_and_who_writes_waits_for_the_change(store: Store, scope: Scope, knows: bool) -> None:
    """Whoever comes first: nothing is stored that does not fit. A client that came second is told to try again; a sign-in goes on."""
    add(store, scope, LEVEL)
    writes = client(scope, 1) if knows else scope
    ready, go = threading.Event(), threading.Event()

    def write() -> Any:
        with store.write(writes) as unit:
            unit.users.insert(accept(unit.users.type, {"schemas": [USER], "userName": "ada", ACME: {"level": 5}}, lenient=True).document)
            ready.set()
            assert go.wait(10)

    def alter() -> float:
        assert ready.wait(10)
        threading.Timer(0.3, go.set).start()
        began = time.monotonic()
        change(store, scope, {**LEVEL, "type": "string"})
        return time.monotonic() - began

    written, waited = together(write, alter)
    assert written is None
    assert waited >= 0.2
    with store.read(scope) as unit:
        (ada,) = unit.users.find(None, 1, 9).resources
        assert (ada.document.get(ACME), ada.version) == (None, 2)

    entered, leave = threading.Event(), threading.Event()

    def alter_slowly() -> None:
        with store.write(scope) as unit:
            schemas.change(unit, own_schema({"name": "other"}), drop_values=True, accept_missing=False)
            entered.set()
            assert leave.wait(10)

    def write_meanwhile() -> Any:
        assert entered.wait(10)
        threading.Timer(0.3, leave.set).start()
        return create(store, client(scope, 2) if knows else scope, "bea", level="x", other="y")

    _, made = together(alter_slowly, write_meanwhile)
    if knows:
        assert isinstance(made, Outdated)
    else:
        assert stored(store, scope, made) == {"other": "y"}


def test_whoever_does_not_know_the_schemas_and_a_change_of_them_never_wait_for_each_other(store: Store, scope: Scope) -> None:
    """A sign-in locks a user whose values a change takes away: the one comes after the other, and neither has to be run again."""
    add(store, scope, LEVEL)
    ada = create(store, client(scope, 1), "ada", level=5)
    entered = threading.Event()

    def alter() -> None:
        with store.write(scope) as unit:
            unit.schemas.lock()
            entered.set()
            time.sleep(0.3)
            schemas.change(unit, own_schema({**LEVEL, "type": "string"}), drop_values=True, accept_missing=False)

    def sign_in() -> Any:
        assert entered.wait(10)
        with store.write(scope) as unit:
            return unit.users.lock(ada)

    altered, locked = together(alter, sign_in)
    assert altered is None
    assert (locked.version, locked.document.get(ACME)) == (2, None)


def test_many_writers_and_many_changes(store: Store, scope: Scope) -> None:
    """Whatever is there at the end fits what the schema is then."""
    add(store, scope, LEVEL)
    end = threading.Event()

    def write(name: str) -> int:
        told = 0
        for n in range(200):
            if end.is_set():
                break
            with store.read(scope) as unit:
                version = unit._scoped.rows(resource_types._VERSION[False])[0][0]
            text = store.types(client(scope, version)).user.resolve(f"{ACME}:level")
            value: Any = "x" if text is not None and text.leaf.type == "string" else 5
            try:
                create(store, client(scope, version), f"{name}-{n}", level=value)
            except Busy:
                told += 1
        return told

    def alter() -> int:
        for n in range(10):
            change(store, scope, {**LEVEL, "type": "integer" if n % 2 else "string"})
            time.sleep(0.02)
        end.set()
        return 0

    results = together(*(lambda name=name: write(name) for name in "abc"), alter)
    assert not [each for each in results if isinstance(each, Exception)], results
    with store.read(scope) as unit:
        held = [each.document[ACME]["level"] for each in unit.users.find(None, 1, 1000).resources if ACME in each.document]
        assert all(type(each) is int for each in held)
        assert unit.users.find(where_level(unit.users.type), 1, 1000).total == len(held)


def where_level(user_type: Any) -> Any:
    return where(f"{ACME}:level pr and {ACME}:level eq 5", user_type)


def test_the_first_schema_comes_while_a_request_is_under_way(store: Store, scope: Scope) -> None:
    """Who was let in before it knows of none: what others have under it since is not his to lose."""
    before = client(scope, 0)
    with store.write(before) as unit:
        assert unit.types is BASE_TYPES
    add(store, scope, BADGE)
    user_id = create(store, client(scope, 1), "ada", badge="7")
    for use_case in (
        lambda unit: users.replace(unit, user_id, {"schemas": [USER], "userName": "ada"}, lenient=True),
        lambda unit: users.patch(unit, user_id, {**PATCH, "Operations": [{"op": "replace", "path": "title", "value": "T"}]}, lenient=True),
        lambda unit: users.delete(unit, user_id),
    ):
        with pytest.raises(Outdated):
            store.transact(before, use_case)
    assert stored(store, scope, user_id) == {"badge": "7"}
    assert stored(store, scope, create(store, before, "bea")) is None


# Unique values


def test_of_many_who_take_one_value_at_once_one_has_it(store: Store, scope: Scope) -> None:
    add(store, scope, BADGE)
    results = together(*(lambda n=n: create(store, client(scope, 1), f"u{n}", badge="Seven") for n in range(6)))
    made = [each for each in results if isinstance(each, str)]
    assert len(made) == 1
    assert [str(each) for each in results if not isinstance(each, str)] == [f"{ACME}:badge is in use"] * 5
    assert all(isinstance(each, str | Taken) for each in results)
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 9).total == 1


def test_two_who_exchange_their_values_do_not_both_get_them(store: Store, scope: Scope) -> None:
    add(store, scope, {**BADGE, "multiValued": True})
    ids = [create(store, client(scope, 1), name, badge=[name]) for name in ("a", "b")]

    def take(user_id: str, value: str) -> str:
        body = {**PATCH, "Operations": [{"op": "add", "path": f"{ACME}:badge", "value": [value, "c"]}]}
        return store.transact(client(scope, 1), lambda unit: users.patch(unit, user_id, body, lenient=True)).id

    results = together(lambda: take(ids[0], "x"), lambda: take(ids[1], "x"))
    assert len([each for each in results if isinstance(each, Taken)]) == 1
    held = [each for user_id in ids for each in stored(store, scope, user_id)["badge"]]
    assert sorted(held) == ["a", "b", "c", "x"]


# Many tenants


def test_a_tenant_without_schemas_costs_no_statement(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    compiled = GlobalStatement.sql

    def noting(statement: GlobalStatement, dialect: Any) -> Any:
        asked.append(compiled(statement, dialect).text)
        return compiled(statement, dialect)

    monkeypatch.setattr(GlobalStatement, "sql", noting)
    create(store, client(scope, 0), "ada")
    assert not [each for each in asked if "schema" in each.lower() or "unique_values" in each]
    add(store, scope, BADGE)
    store.types(client(scope, 1))
    asked.clear()
    create(store, client(scope, 1), "bea")
    assert len([each for each in asked if "schema_version" in each]) == 1
    assert not [each for each in asked if "definition" in each]


def test_what_is_kept_of_tenants_is_bounded(engine: Engine) -> None:
    """The latest used are kept; what is asked for again is loaded again."""
    known = ResourceTypes(most_attributes=3 * (10 + 2))
    store = Store(engine, BASE_URL)
    scopes = [fresh_scope(engine) for _ in range(5)]
    for each in scopes:
        add(store, each, BADGE, LEVEL)

    def types(scope: Scope) -> Any:
        connection = database(engine).connection(transaction=False)
        connection.enter(scope.tenant_id)
        try:
            return known.of(client(scope, 1), connection, holds=False)
        finally:
            connection.release()

    first = types(scopes[0])
    for each in scopes[1:3]:
        types(each)
    assert types(scopes[0]) is first
    for each in scopes[3:]:
        types(each)
        types(scopes[0])
    assert [known.known(client(each, 1)) is not None for each in scopes] == [True, False, False, True, True]
    assert types(scopes[0]) is first
    assert len(known._known) == 3


def test_tenants_with_other_names_have_the_same_statements(store: Store, engine: Engine) -> None:
    """Whatever attributes are called: a filter of one kind is one statement, and no tenant's schema is kept by it."""
    store_users._SEARCH._searches.clear()
    sizes = set()
    for n in range(8):
        scope = fresh_scope(engine)
        desk = {"name": f"desk{n}", "type": "complex", "multiValued": True, "subAttributes": [{"name": f"room{n}"}, {"name": "value"}]}
        urn = f"urn:example:x{n}:User"
        add(store, scope, {**BADGE, "name": f"badge{n}"}, {**LEVEL, "name": f"level{n}"}, desk, urn=urn)
        with store.read(scope) as unit:
            for filter in (
                f'{urn}:badge{n} eq "7"',
                f"{urn}:level{n} gt {n}",
                f'{urn}:desk{n}[room{n} eq "x" and value pr]',
                f'{urn}:desk{n}.room{n} co "x"',
                f"{urn}:desk{n} pr",
                f"{urn} pr",
                f'not ({urn}:badge{n} sw "7") and title eq "x"',
            ):
                assert unit.users.find(where(filter, unit.users.type), 1, 1).total == 0
            for name in (f"level{n}", f"desk{n}.room{n}", f"desk{n}"):
                order = bind(unit.users.type, f"{urn}:{name}", "descending")
                assert unit.users.find(where(f"{urn} pr", unit.users.type), 1, 1, order=order).total == 0
        sizes.add(len(store_users._SEARCH._searches))
    assert sizes == {9}
    assert "urn:example" not in str(list(store_users._SEARCH._searches))


@pytest.mark.parametrize("literal", ["'", '"', "\\", "%", "{}", '","', "$", "/", "; DROP TABLE users", "a" * 3000, "\U0010ffff"])
def test_no_value_makes_the_database_fail(store: Store, scope: Scope, literal: str) -> None:
    add(store, scope, BADGE, {"name": "x-$_y", "multiValued": True})
    user_id = create(store, client(scope, 1), "ada", badge=literal, **{"x-$_y": [literal]})
    with store.read(client(scope, 1)) as unit:
        for name in ("badge", "x-$_y"):
            for op in ("eq", "co", "sw", "ew", "ge"):
                bound = where(f"{ACME}:{name} {op} {text(literal)}", unit.users.type)
                assert [each.id for each in unit.users.find(bound, 1, 9).resources] == [user_id], (name, op)
    with pytest.raises(Taken):
        create(store, client(scope, 1), "bea", badge=literal)


def text(literal: str) -> str:
    return json.dumps(literal, ensure_ascii=False)


def test_a_scope_of_nobody_has_what_everybody_has(store: Store) -> None:
    nobody = Scope(str(uuid4()), Principal("system", "tests"), "r")
    assert store.types(nobody) is BASE_TYPES
    assert Extension("User", own_schema().schema).required is False
