"""Random changes over the store, on both databases, against models that share nothing with it: PATCH of members, PUT and PATCH of users."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from scim_server.provisioning import groups, users
from scim_server.scim.errors import InvalidValue, ScimError
from scim_server.scim.messages import PATCH_OP
from scim_server.scim.resources import accept
from scim_server.scim.schemas import GROUP, USER, USER_TYPE
from scim_server.store.errors import Taken, UnknownMembers
from scim_server.store.unit import Store, Unit
from tests.examples import examples
from tests.scim.bodies import users as bodies
from tests.scim.test_patch_oracle import operations
from tests.store.samples import user
from tests.tenants import fresh_scope

NOBODY = "0190a000-0000-7000-8000-000000000001"
PEOPLE, TEAMS = "abcde", "xy"
SETTINGS = settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))


def message(changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": changes}


class World:
    """Five users and two groups, by letters; "?" is nobody."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store, self.scope = store, fresh_scope(engine)
        with store.write(self.scope) as unit:
            self.ids = {letter: unit.users.insert(user(letter, displayName=f"Person {letter}")).id for letter in PEOPLE}
            self.ids |= {each: groups.create(unit, {"schemas": [GROUP], "displayName": each}, lenient=True).id for each in TEAMS}
        self.ids["?"] = NOBODY
        self.letters = {each: letter for letter, each in self.ids.items()}


@pytest.fixture(scope="module")
def world(store: Store, engine: Engine) -> World:
    return World(store, engine)


LETTERS = st.text(PEOPLE + TEAMS, min_size=1, max_size=4)
MEMBERS = st.one_of(LETTERS, st.text(PEOPLE + TEAMS, max_size=3), st.sampled_from(["a?", "?"]))
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["add", "add, no path", "replace", "replace, no path", "remove listed"]), MEMBERS),
    st.tuples(st.sampled_from(["remove any of", "remove none of"]), LETTERS),
    st.tuples(st.sampled_from(["remove all", "replace null", "remove users", "remove groups", "remove b and groups"]), st.just("")),
    st.tuples(st.just("rename"), st.sampled_from("GH")),
)


def operation(world: World, kind: str, letters: str) -> dict[str, Any]:
    """A change as a client says it."""
    if kind == "rename":
        return {"op": "replace", "path": "displayName", "value": letters}
    value = [{"value": world.ids[each]} for each in letters]
    any_of = " or ".join(f'value eq "{world.ids[each]}"' for each in letters)
    match kind:
        case "add" | "replace":
            return {"op": kind, "path": "members", "value": value}
        case "add, no path" | "replace, no path":
            return {"op": kind.partition(",")[0], "value": {"members": value}}
        case "remove listed":
            return {"op": "remove", "path": "members", "value": value}
        case "remove any of":
            return {"op": "remove", "path": f"members[{any_of}]"}
        case "remove none of":
            return {"op": "remove", "path": f"members[not ({any_of})]"}
        case "remove all":
            return {"op": "remove", "path": "members"}
        case "replace null":
            return {"op": "replace", "path": "members", "value": None}
        case "remove users" | "remove groups":
            return {"op": "remove", "path": f'members[type eq "{kind[7:-1]}"]'}
        case "remove b and groups":
            return {"op": "remove", "path": 'members[display eq "PERSON B" or type ne "User"]'}
    raise AssertionError(kind)


class Refused(Exception):
    pass


def modelled(members: set[str], kind: str, letters: str) -> set[str]:
    """Who is a member after a change, as plain sets have it."""
    said = set(letters)
    if "?" in said and kind.startswith(("add", "replace")):
        raise Refused
    match kind:
        case "add" | "add, no path":
            return members | said
        case "replace" | "replace, no path" | "replace null":
            return said
        case "remove listed" | "remove any of":
            return members - said
        case "remove none of":
            return members & said
        case "remove all":
            return set()
        case "remove users":
            return members & set(TEAMS)
        case "remove groups":
            return members & set(PEOPLE)
        case "remove b and groups":
            return members & set(PEOPLE) - {"b"}
    return members


@pytest.mark.requirement("S-7644-3.5.2-14", "S-7644-3.5.2-15", "S-7644-3.5.2.1-09", "S-7644-3.5.2.2-11")
@SETTINGS
@given(st.text(PEOPLE + TEAMS, max_size=4), st.lists(CHANGES, min_size=1, max_size=5))
def test_members_are_those_that_sets_have(world: World, before: str, changes: list[tuple[str, str]]) -> None:
    """And who came and who went is told by the event, and by nothing if nobody did."""
    name = f"group {uuid4()}"
    body = {"schemas": [GROUP], "displayName": name, "members": [{"value": world.ids[each]} for each in set(before)]}
    with world.store.write(world.scope) as unit:
        group = groups.create(unit, body, lenient=True)
    expected, came, went, called = set(before), set[str](), set[str](), name
    try:
        for kind, letters in changes:
            after_it = modelled(expected, kind, letters)
            came, went, expected = came | (after_it - expected), went | (expected - after_it), after_it
            called = name + letters if kind == "rename" else called
    except Refused:
        expected, came, went, called = set(before), set(), set(), name
    sent = message([operation(world, kind, name + letters if kind == "rename" else letters) for kind, letters in changes])

    def patch(unit: Unit) -> None:
        groups.patch(unit, group.id, sent, lenient=True)

    try:
        world.store.transact(world.scope, patch)
    except UnknownMembers:
        assert any("?" in letters for _, letters in changes)
    with world.store.read(world.scope) as unit:
        after = groups.read(unit, group.id, links=True)
        told = [each for each in unit.events.list(20) if each.subject_id == group.id and each.tag == "scim:group:changed"]
    assert {world.letters[each.id] for each in after.links or ()} == expected
    assert after.document["displayName"] == called
    if not (came or went or called != name):
        assert (after.version, told) == (1, [])
        return
    assert after.version == 2
    (event,) = told
    assert [{world.letters[each] for each in event.data[side]} for side in ("added", "removed")] == [came, went]


def said(resource: Any) -> dict[str, Any]:
    return {name: value for name, value in resource.document.items() if name not in ("userName", "schemas")}


def outcome(unit: Unit, replaced: str | None, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST, or a PUT on the user who is replaced, has made; or why not."""
    try:
        made = users.create(unit, body, lenient=True) if replaced is None else users.replace(unit, replaced, body, lenient=True)
    except InvalidValue as refusal:
        return {"refused": refusal.detail}
    read = unit.users.get(made.id)
    assert read is not None
    assert said(read) == said(made)
    return said(read)


@pytest.mark.requirement("S-7644-3.5.1-02", "S-7644-3.5.1-03")
@SETTINGS
@given(bodies, bodies)
def test_a_put_makes_what_a_post_would(world: World, before: dict[str, Any], body: dict[str, Any]) -> None:
    """Whatever was there: but for active, of which it is said."""
    body = {**body, "active": body.get("active", True)}
    outcomes = []
    with world.store.write(world.scope) as unit:
        there = users.create(unit, {**before, "userName": f"{uuid4()}"}, lenient=True)
        for there_already in (None, there.id):
            outcomes.append(outcome(unit, there_already, {**body, "userName": f"{uuid4()}"}))
    assert outcomes[0] == outcomes[1]


@pytest.mark.requirement("S-7644-3.5.2-15", "S-7644-3.5.2.3-17")
@SETTINGS
@given(bodies, st.lists(operations(), max_size=4), st.booleans())
def test_what_the_store_has_after_a_patch_is_what_the_core_says(
    world: World, before: dict[str, Any], changes: list[dict[str, Any]], lenient: bool
) -> None:
    """A refusal leaves what was there; what changes nothing leaves the version."""
    body = {**before, "userName": f"{uuid4()}"}
    with world.store.write(world.scope) as unit:
        made = users.create(unit, body, lenient=True)

    def patch(unit: Unit) -> Any:
        return users.patch(unit, made.id, message(changes), lenient=lenient)

    try:
        after = world.store.transact(world.scope, patch)
    except (ScimError, Taken):  # the names that some operations give are in use after the first example
        after = made
    with world.store.read(world.scope) as unit:
        read = users.read(unit, made.id, links=False)
    assert (read.document, read.version, read.modified) == (after.document, after.version, after.modified)
    assert (read.version == made.version) is (read.document == made.document)
    assert accept(USER_TYPE, {**read.document, "schemas": [USER]}, lenient=True, current=read.document).document == read.document
