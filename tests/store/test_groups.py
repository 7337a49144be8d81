"""Groups: what differs from users is that their members are rows."""

from __future__ import annotations

import pytest

from scim_server.events import Scope
from scim_server.scim.resources import Link
from scim_server.store.errors import Taken
from scim_server.store.unit import Store
from tests.store.samples import NOBODY, group, user, where_group


def test_an_inserted_group_is_read_as_it_was_returned(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        inserted = unit.groups.insert(group("Tour Guides", externalId="x"))
    assert (inserted.version, inserted.links) == (1, ())
    with store.write(scope) as unit:
        assert unit.groups.get(inserted.id) == inserted
        locked = unit.groups.lock(inserted.id)
        assert locked is not None
        assert locked.links is None
        assert unit.groups.get(inserted.id, members=False) == locked
        assert unit.groups.find(where_group('externalId eq "x"'), 1, 5, members=False).resources == [locked]


@pytest.mark.parametrize("group_id", ["", NOBODY, "\x00", "x" * 1000])
def test_an_id_that_is_nobodys_finds_nothing(store: Store, scope: Scope, group_id: str) -> None:
    with store.write(scope) as unit:
        assert unit.groups.get(group_id) is None
        assert unit.groups.lock(group_id) is None


def test_a_group_with_other_members_is_the_next_version_of_the_same_document(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        before = unit.groups.insert(group("Tour Guides"))
        after = unit.groups.update(before, None)
    assert (after.version, after.document) == (2, before.document)
    with store.read(scope) as unit:
        assert unit.groups.get(before.id) == after


def test_a_display_name_is_taken_among_live_groups_of_one_tenant(store: Store, scope: Scope, other_scope: Scope) -> None:
    for each in (scope, other_scope):
        with store.write(each) as unit:
            first = unit.groups.insert(group("Tour Guides"))
            second = unit.groups.insert(group("Others"))
    with pytest.raises(Taken) as taken, store.write(other_scope) as unit:
        unit.groups.insert(group("TOUR guides"))
    assert taken.value.attribute == "displayName"
    with pytest.raises(Taken), store.write(other_scope) as unit:
        unit.groups.update(second, group("TOUR guides"))
    with store.write(other_scope) as unit:
        unit.groups.end(first)
        assert unit.groups.update(second, group("TOUR guides")).version == 2


def test_an_ended_group_has_no_members_and_is_in_no_group(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        anna = unit.users.insert(user("anna"))
        outer, middle, inner = (unit.groups.insert(group(name)) for name in ("outer", "middle", "inner"))
        unit.members.add(outer.id, [middle.id])
        unit.members.add(middle.id, [anna.id, inner.id])
    with store.write(scope) as unit:
        assert unit.groups.end(middle) == (tuple(sorted((anna.id, inner.id))), (outer.id,))
    with store.write(scope) as unit:
        assert unit.groups.get(middle.id) is None
        assert unit.groups.lock(middle.id) is None
        assert unit.groups.find(None, 1, 9).total == 2
        assert unit.members.of(middle.id) == ()
        left, person = unit.groups.get(outer.id), unit.users.get(anna.id)
        assert left is not None
        assert (left.version, left.links) == (2, ())
        assert person is not None
        assert person.links == ()


def test_members_are_links_with_names(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        anna = unit.users.insert(user("anna", displayName="Anna"))
        ben = unit.users.insert(user("ben"))
        inner, outer = unit.groups.insert(group("inner")), unit.groups.insert(group("outer"))
        unit.members.add(outer.id, [inner.id, ben.id, anna.id])
    expected = (Link(anna.id, "Anna", "User"), Link(ben.id, None, "User"), Link(inner.id, "inner", "Group"))
    with store.read(scope) as unit:
        read = unit.groups.get(outer.id)
        assert read is not None
        assert read.links == unit.members.of(outer.id) == expected
        assert unit.groups.find(where_group('displayName eq "OUTER"'), 1, 5).resources == [read]
