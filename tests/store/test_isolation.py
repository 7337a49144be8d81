"""No tenant sees or changes what is another's, whatever ids it knows.

Every public method of what a Unit offers is found by introspection and must have a case here: the
other tenant tries it with the first one's ids. It gets nothing, and not a row of the first one's
is different afterwards. A new method without a case fails.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from json import dumps
from typing import Any

import pytest
from sqlalchemy import Engine, text

from scim_server.events import Scope, UserChanged
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import bind_element
from scim_server.scim.schemas import GROUP_TYPE, USER_TYPE, Types
from scim_server.store.errors import UnknownMembers
from scim_server.store.schemas import Held
from scim_server.store.unit import Store, Unit
from tests.store import isolation_of_sign_in
from tests.store.conftest import Theirs
from tests.store.samples import ACME, employee, group, managed_by, own_schema, user, where, where_group


def user_filters(theirs: Theirs) -> list[str]:
    anna, team = theirs.anna, theirs.team
    return [
        f'id eq "{anna.id}"',
        'userName eq "anna"',
        'externalId eq "ext-anna"',
        'emails.value eq "anna@example.com"',
        'emails[type eq "work" and value eq "anna@example.com"]',
        'displayName eq "display anna"',
        f'groups.value eq "{team.id}"',
        'groups.display eq "team"',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName eq "boss"',
    ]


def find_users(unit: Unit, theirs: Theirs) -> None:
    for filter in user_filters(theirs):
        assert unit.users.find(where(filter), 1, 9).total == 0, filter
    everybody = unit.users.find(None, 1, 9)
    assert (everybody.total, everybody.resources) == (1, [theirs.own_user])
    assert unit.users.find(where(f'not (id eq "{theirs.anna.id}")'), 1, 9).resources == [theirs.own_user]


def find_groups(unit: Unit, theirs: Theirs) -> None:
    filters = [
        f'id eq "{theirs.team.id}"',
        'displayName eq "team"',
        'externalId eq "team-1"',
        f'members.value eq "{theirs.anna.id}"',
        f'members[value eq "{theirs.anna.id}" and type eq "User"]',
        'members.display eq "display anna"',
    ]
    for filter in filters:
        assert unit.groups.find(where_group(filter), 1, 9).total == 0, filter
    everything = unit.groups.find(None, 1, 9)
    assert (everything.total, everything.resources) == (1, [theirs.own_group])


def insert_user(unit: Unit, theirs: Theirs) -> None:
    """The name is free here, and their user is nobody's manager here."""
    made = unit.users.insert(employee("anna", **managed_by(theirs.anna.id)))
    assert made.manager is None
    assert unit.users.get(made.id) == made


def update_users(unit: Unit, theirs: Theirs) -> None:
    for name in ("anna", "taken over"):
        unit.users.update(theirs.anna, user(name, emails=theirs.anna.document["emails"], active=False))


def update_groups(unit: Unit, theirs: Theirs) -> None:
    for document in (None, group("Team"), group("taken over")):
        unit.groups.update(theirs.team, document)


def add_members(unit: Unit, theirs: Theirs) -> None:
    for group_id in (theirs.own_group.id, theirs.team.id):
        for member_id in (theirs.anna.id, theirs.team.id):
            with pytest.raises(UnknownMembers):
                unit.members.add(group_id, [member_id])


def replace_members(unit: Unit, theirs: Theirs) -> None:
    assert unit.members.replace(theirs.team.id, []) == ((), ())
    with pytest.raises(UnknownMembers):
        unit.members.replace(theirs.own_group.id, [theirs.anna.id])


def remove_members_where(unit: Unit, theirs: Theirs) -> None:
    target = GROUP_TYPE.resolve("members")
    assert target is not None
    for filter in (f'value eq "{theirs.anna.id}"', "value pr", 'not (value eq "x")'):
        assert unit.members.remove_where(theirs.team.id, bind_element(parse_filter(filter), GROUP_TYPE, target)) == ()


def list_events(unit: Unit, theirs: Theirs) -> None:
    assert unit.events.list(99, subject_id=theirs.anna.id) == []
    assert {each.subject_id for each in unit.events.list(99)} <= {unit.scope.tenant_id, theirs.own_directory_id}
    assert {each.subject_id for each in unit.events.list(99, before=theirs.event_id)} <= {unit.scope.tenant_id, theirs.own_directory_id}


def append_event(unit: Unit, theirs: Theirs) -> None:
    """It is recorded, in one's own log."""
    unit.events.append(UserChanged(theirs.anna.id, 99, ()))
    assert unit.events.list(1)[0].data["version"] == 99


def export_everything(unit: Unit, theirs: Theirs) -> None:
    body = dumps(list(unit.export.everything()))
    assert theirs.own_user.id in body
    for each in (theirs.anna.id, theirs.team.id, theirs.event_id, "anna", "team-1"):
        assert each not in body


def same_schema_here(unit: Unit, theirs: Theirs) -> None:
    """One's own: theirs is not there to be changed, or in the way."""
    unit.schemas.lock()
    unit.schemas.put(own_schema({"name": "mine"}), is_new=False)
    assert unit.schemas.all() == []
    unit.schemas.put(own_schema({"name": "mine"}), is_new=True)
    assert [each.schema.attributes[0].name for each in unit.schemas.all()] == ["mine"]


def remove_their_schema(unit: Unit, theirs: Theirs) -> None:
    unit.schemas.lock()
    unit.schemas.remove(ACME)


def holders_of_their_schema(unit: Unit, theirs: Theirs) -> None:
    assert list(unit.schemas.holders(USER_TYPE, ACME)) == []
    assert [each.id for each in unit.schemas.holders(USER_TYPE, ACME, having=False, locked=True)] == [theirs.own_user.id]


def rewrite_their_user(unit: Unit, theirs: Theirs) -> None:
    held = Held(theirs.anna.id, 1, theirs.anna.document)
    own = Types.extended([own_schema()]).user
    assert unit.schemas.find_anew(USER_TYPE, own, held)
    unit.schemas.rewrite(USER_TYPE, USER_TYPE, held, user("taken over"))


def none(call: Callable[[Unit, Theirs], Any], nothing: Any) -> Callable[[Unit, Theirs], None]:
    def case(unit: Unit, theirs: Theirs) -> None:
        assert call(unit, theirs) == nothing

    return case


CASES: dict[str, Callable[[Unit, Theirs], None]] = {
    "users.get": none(lambda unit, theirs: unit.users.get(theirs.anna.id), None),
    "users.lock": none(lambda unit, theirs: unit.users.lock(theirs.anna.id), None),
    "users.find": find_users,
    "users.insert": insert_user,
    "users.update": update_users,
    "users.end": none(lambda unit, theirs: unit.users.end(theirs.anna.id), ()),
    "groups.get": none(lambda unit, theirs: unit.groups.get(theirs.team.id), None),
    "groups.lock": none(lambda unit, theirs: unit.groups.lock(theirs.team.id), None),
    "groups.find": find_groups,
    "groups.insert": none(lambda unit, theirs: unit.groups.insert(group("Team")).links, ()),
    "groups.update": update_groups,
    "groups.end": none(lambda unit, theirs: unit.groups.end(theirs.team), ((), ())),
    "members.of": none(lambda unit, theirs: unit.members.of(theirs.team.id), ()),
    "members.add": add_members,
    "members.remove": none(
        lambda unit, theirs: [unit.members.remove(theirs.team.id, ids) for ids in ([theirs.anna.id], [theirs.anna.id, theirs.team.id])],
        [(), ()],
    ),
    "members.remove_where": remove_members_where,
    "members.replace": replace_members,
    "events.append": append_event,
    "events.list": list_events,
    "export.everything": export_everything,
    "schemas.all": none(lambda unit, _: unit.schemas.all(), []),
    "schemas.lock": none(lambda unit, _: unit.schemas.lock(), []),
    "schemas.put": same_schema_here,
    "schemas.remove": remove_their_schema,
    "schemas.holders": holders_of_their_schema,
    "schemas.find_anew": rewrite_their_user,
    "schemas.rewrite": rewrite_their_user,
    **isolation_of_sign_in.CASES,
}


def methods(store: Store, scope: Scope) -> set[str]:
    """Every public method of every object that a Unit offers."""
    found = set()
    with store.read(scope) as unit:
        for part, offered in vars(unit).items():
            if part.startswith("_") or not type(offered).__module__.startswith("scim_server.store"):
                continue
            found |= {f"{part}.{name}" for name, _ in inspect.getmembers(offered, callable) if not name.startswith("_")}
        found |= {f".{name}" for name, _ in inspect.getmembers(unit, inspect.ismethod) if not name.startswith("_")}
    return found


def test_every_method_has_a_case(store: Store, scope: Scope) -> None:
    assert methods(store, scope) == CASES.keys()


@pytest.mark.parametrize("method", CASES)
def test_nothing_of_another_tenant_can_be_had_or_changed(
    store: Store, owner_engine: Engine, scope: Scope, other_scope: Scope, theirs: Theirs, method: str
) -> None:
    before = rows_of(owner_engine, scope)
    assert len(before) > 10
    with store.write(other_scope) as unit:
        CASES[method](unit, theirs)
        connection = unit.users._scoped._connection
        connection._doomed = False  # refusals are part of some cases: what they left is to be committed
    assert rows_of(owner_engine, scope) == before
    with store.read(scope) as unit:
        assert unit.users.get(theirs.anna.id) == unit.users.find(where('userName eq "anna"'), 1, 1).resources[0]


def test_ones_own_user_cannot_be_put_into_anothers_group(
    store: Store, owner_engine: Engine, scope: Scope, other_scope: Scope, theirs: Theirs
) -> None:
    """Use cases lock the group first and do not find it. If one did not: the foreign key names the tenant, too."""
    before = rows_of(owner_engine, scope)
    with pytest.raises(Exception, match=r"(?i)foreign key"), store.write(other_scope) as unit:
        unit.members.add(theirs.team.id, [theirs.own_user.id])
    assert rows_of(owner_engine, scope) == before


def rows_of(engine: Engine, scope: Scope) -> list[tuple[Any, ...]]:
    """Every row of a tenant, of every table that has tenants."""
    rows: list[tuple[Any, ...]] = []
    with engine.connect() as connection:
        own = ("users", "groups", "user_emails", "memberships", "activity", "events", "credentials", "schemas", "tallies", "unique_values")
        for table in (*own, *isolation_of_sign_in.TABLES):
            found = connection.execute(text(f"SELECT * FROM {table} WHERE tenant_id = :t"), {"t": scope.tenant_id})
            rows += [(table, *map(str, row)) for row in found]
    return sorted(rows)
