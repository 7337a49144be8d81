"""Every use case that changes something writes its event in the same transaction: no event, no change."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from scim_server.events import Scope
from scim_server.provisioning import groups, users
from scim_server.scim.paging import Paging
from scim_server.scim.schemas import GROUP, USER
from scim_server.store.unit import Store, Unit

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Case = tuple[ModuleType, str, Callable[[Unit, str, str], object], str]


def user(name: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": name, **attributes}


def group(name: str, *members: str) -> dict[str, Any]:
    return {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}


def message(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


CASES: list[Case] = [
    (users, "create", lambda unit, u, g: users.create(unit, user("new@example.com"), lenient=True), "scim:user:created"),
    (users, "replace", lambda unit, u, g: users.replace(unit, u, user("old@example.com", title="T"), lenient=True), "scim:user:changed"),
    (
        users,
        "patch",
        lambda unit, u, g: users.patch(unit, u, message({"op": "replace", "path": "active", "value": False}), lenient=True),
        "scim:user:changed",
    ),
    (users, "delete", lambda unit, u, g: users.delete(unit, u), "scim:user:deleted"),
    (groups, "create", lambda unit, u, g: groups.create(unit, group("new", u, g), lenient=True), "scim:group:created"),
    (groups, "replace", lambda unit, u, g: groups.replace(unit, g, group("old"), lenient=True), "scim:group:changed"),
    (
        groups,
        "patch",
        lambda unit, u, g: groups.patch(unit, g, message({"op": "remove", "path": f'members[value eq "{u}"]'}), lenient=True),
        "scim:group:changed",
    ),
    (groups, "delete", lambda unit, u, g: groups.delete(unit, g), "scim:group:deleted"),
]
READS = {"read", "search"}


def state(store: Store, scope: Scope) -> object:
    with store.read(scope) as unit:
        everybody = users.search(unit, None, None, Paging(1, 100), links=True)
        everything = groups.search(unit, None, None, Paging(1, 100), links=True)
        return everybody.resources, everything.resources


@pytest.fixture
def ids(store: Store, scope: Scope) -> tuple[str, str]:
    """A user and a group that has him."""
    with store.write(scope) as unit:
        made = users.create(unit, user("old@example.com"), lenient=True)
        return made.id, groups.create(unit, group("old", made.id), lenient=True).id


def test_every_use_case_has_a_case() -> None:
    offered = {
        (module.__name__, name)
        for module in (users, groups)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_") and name not in READS
    }
    assert offered == {(module.__name__, name) for module, name, _, _ in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__.rpartition('.')[2]}.{case[1]}")
def test_the_event_names_who_and_what(store: Store, scope: Scope, ids: tuple[str, str], case: Case) -> None:
    _, _, change, tag = case
    with store.write(scope) as unit:
        change(unit, *ids)
    with store.read(scope) as unit:
        latest = unit.events.list(1)[0]
    assert latest.tag == tag
    assert (latest.principal, latest.request_id) == (scope.principal, scope.request_id)
    assert latest.data


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__.rpartition('.')[2]}.{case[1]}")
def test_without_the_event_nothing_changes(
    store: Store, scope: Scope, ids: tuple[str, str], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, change, _ = case
    before = state(store, scope)

    def fail(self: object, event: object) -> None:
        raise OSError("the log is full")

    with store.read(scope) as unit:
        log = type(unit.events)
    monkeypatch.setattr(log, "append", fail)
    with pytest.raises(OSError, match="the log is full"), store.write(scope) as unit:
        change(unit, *ids)
    assert state(store, scope) == before
