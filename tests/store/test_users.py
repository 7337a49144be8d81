"""Users: what is stored is what is read, versions count, names are unique among the living."""

from __future__ import annotations

import random

import pytest
import time_machine

from scim_server.events import Scope
from scim_server.scim.filters import Compare
from scim_server.scim.matching import bind
from scim_server.scim.resources import Document, Link, Resource
from scim_server.scim.schemas import USER_TYPE
from scim_server.store.errors import StoreError, Taken
from scim_server.store.unit import Store, Unit
from tests.store.samples import NOBODY, employee, group, managed_by, notice, user, where


def insert(store: Store, scope: Scope, *documents: Document) -> list[Resource]:
    with store.write(scope) as unit:
        return [unit.users.insert(document) for document in documents]


def found(store: Store, scope: Scope, filter: str) -> list[str]:
    with store.read(scope) as unit:
        return [each.id for each in unit.users.find(where(filter), 1, 100).resources]


def test_an_inserted_user_is_read_as_it_was_returned(store: Store, scope: Scope) -> None:
    document = employee("anna", title='Straße "1" \\ %', active=False)
    (inserted,) = insert(store, scope, document)
    assert inserted.version == 1
    assert inserted.created == inserted.modified
    assert inserted.document == document
    assert inserted.links == ()
    with store.read(scope) as unit:
        assert unit.users.get(inserted.id) == inserted
    with store.write(scope) as unit:
        assert unit.users.lock(inserted.id) == inserted


def test_without_groups_the_groups_are_not_read(store: Store, scope: Scope) -> None:
    (anna,) = insert(store, scope, user("anna"))
    with store.read(scope) as unit:
        alone = unit.users.get(anna.id, groups=False)
        assert alone is not None
        assert alone.links is None
        assert unit.users.find(None, 1, 10, groups=False).resources == [alone]


@pytest.mark.parametrize("user_id", ["", "x", NOBODY, NOBODY.upper(), "{" + NOBODY + "}", "\x00", "\ud800", "0" * 10_000])
def test_an_id_that_is_nobodys_finds_nobody(store: Store, scope: Scope, user_id: str) -> None:
    with store.write(scope) as unit:
        assert unit.users.get(user_id) is None
        assert unit.users.lock(user_id) is None


def test_an_update_is_the_next_version(store: Store, scope: Scope) -> None:
    (before,) = insert(store, scope, employee("anna"))
    with time_machine.travel(before.created.replace(year=2031), tick=False), store.write(scope) as unit:
        locked = unit.users.lock(before.id)
        assert locked is not None
        after = unit.users.update(locked, employee("anna", title="Dr"))
    assert (after.version, after.created, after.modified.year) == (2, before.created, 2031)
    with store.read(scope) as unit:
        assert unit.users.get(before.id) == after


def test_modified_never_goes_back(store: Store, scope: Scope) -> None:
    """A Unit that waited for a lock may have begun before the change that it waited for."""
    (before,) = insert(store, scope, user("anna"))
    with time_machine.travel(before.created.replace(year=2001), tick=False), store.write(scope) as unit:
        assert unit.users.update(before, user("anna", title="Dr")).modified == before.modified


@pytest.mark.parametrize("name", ["Anna", "ANNA", "ａｎｎａ"])
def test_a_user_name_is_taken_whatever_its_case(store: Store, scope: Scope, name: str) -> None:
    insert(store, scope, user("anna"))
    with pytest.raises(Taken) as taken:
        insert(store, scope, user(name))
    assert taken.value.attribute == "userName"


def test_a_user_name_can_be_taken_by_an_update_too(store: Store, scope: Scope) -> None:
    _, ben = insert(store, scope, user("anna"), user("ben"))
    with pytest.raises(Taken), store.write(scope) as unit:
        unit.users.update(ben, user("ANNA"))
    with store.read(scope) as unit:
        assert unit.users.get(ben.id) == ben


def test_a_change_of_case_takes_no_name_from_anybody(store: Store, scope: Scope) -> None:
    (anna,) = insert(store, scope, user("anna"))
    with store.write(scope) as unit:
        assert unit.users.update(anna, user("Anna")).document["userName"] == "Anna"


def test_two_tenants_may_have_one_user_name(store: Store, scope: Scope, other_scope: Scope) -> None:
    insert(store, scope, user("anna"))
    insert(store, other_scope, user("anna"))


def test_after_taken_nothing_of_the_unit_lasts(store: Store, scope: Scope) -> None:
    insert(store, scope, user("anna"))

    def carry_on(unit: Unit) -> None:
        unit.users.insert(user("ben"))
        with pytest.raises(Taken):
            notice(unit, unit.users.insert(user("anna")))

    with pytest.raises(StoreError, match="cannot be committed"):
        store.transact(scope, carry_on)
    assert found(store, scope, 'userName eq "ben"') == []


def test_an_ended_user_is_gone_and_leaves_the_name(store: Store, scope: Scope) -> None:
    (anna,) = insert(store, scope, employee("anna"))
    with store.write(scope) as unit:
        assert unit.users.end(anna.id) == ()
    with store.write(scope) as unit:
        assert unit.users.get(anna.id) is None
        assert unit.users.lock(anna.id) is None
        assert unit.users.find(None, 1, 10).total == 0
        again = unit.users.insert(employee("anna"))
    assert again.id != anna.id
    for filter in ('userName eq "anna"', 'externalId eq "ext-anna"', 'emails.value eq "anna@example.com"', f'not (id eq "{anna.id}")'):
        assert found(store, scope, filter) == [again.id], filter
    assert found(store, scope, f'id eq "{anna.id}"') == []


def test_ending_a_user_takes_it_out_of_its_groups(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        anna, ben = unit.users.insert(user("anna")), unit.users.insert(user("ben"))
        hers, other = unit.groups.insert(group("hers")), unit.groups.insert(group("other"))
        unit.members.add(hers.id, [anna.id, ben.id])
    with store.write(scope) as unit:
        assert unit.users.end(anna.id) == (hers.id,)
    with store.read(scope) as unit:
        left, untouched = unit.groups.get(hers.id), unit.groups.get(other.id)
        assert left is not None
        assert (left.version, left.links) == (2, (Link(ben.id, None, "User"),))
        assert untouched == other


def test_groups_are_links_with_names(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        anna = unit.users.insert(user("anna"))
        groups = [unit.groups.insert(group(name)) for name in ("One", "Two", "Three")]
        for each in groups[:2]:
            unit.members.add(each.id, [anna.id])
    expected = (Link(groups[0].id, "One", "direct"), Link(groups[1].id, "Two", "direct"))
    with store.write(scope) as unit:
        read, locked = unit.users.get(anna.id), unit.users.lock(anna.id)
        assert read is not None
        assert locked is not None
        assert read.links == locked.links == expected
        assert unit.users.find(None, 1, 1).resources[0].links == expected


def test_the_manager_is_a_link_while_there_is_one(store: Store, scope: Scope) -> None:
    (boss,) = insert(store, scope, user("boss", displayName="The Boss"))
    (anna,) = insert(store, scope, user("anna", **managed_by(boss.id)))
    assert anna.manager == Link(boss.id, "The Boss", "User")
    with store.write(scope) as unit:
        assert unit.users.get(anna.id) == anna
        renamed = unit.users.update(boss, user("boss"))
        changed = unit.users.lock(anna.id)
        assert changed is not None
        assert changed.manager == Link(boss.id, None, "User")
        assert unit.users.update(changed, user("anna", **managed_by(anna.id))).manager == Link(anna.id, None, "User")
        assert unit.users.end(renamed.id) == ()
    with store.write(scope) as unit:
        moved = unit.users.lock(anna.id)
        assert moved is not None
        assert unit.users.update(moved, user("anna", **managed_by(boss.id))).manager is None


@pytest.mark.parametrize("value", [NOBODY, "boss@example.com", NOBODY.upper()])
def test_a_manager_that_is_nobody_is_kept_as_sent(store: Store, scope: Scope, value: str) -> None:
    document = user("anna", **managed_by(value))
    (anna,) = insert(store, scope, document)
    assert anna.manager is None
    with store.read(scope) as unit:
        assert unit.users.get(anna.id) == anna


def test_e_mail_addresses_are_found_as_they_are_now(store: Store, scope: Scope) -> None:
    (anna,) = insert(store, scope, user("anna", emails=[{"type": "work", "value": "One@x"}, {"type": "home", "value": "one@X"}]))
    assert found(store, scope, 'emails.value eq "ONE@x"') == [anna.id]
    with store.write(scope) as unit:
        changed = unit.users.update(anna, user("anna", emails=[{"type": "work", "value": "two@x"}]))
    assert found(store, scope, 'emails.value eq "one@x"') == []
    assert found(store, scope, 'emails[type eq "work" and value eq "two@x"]') == [anna.id]
    assert found(store, scope, 'emails[type eq "home" and value eq "two@x"]') == []
    with store.write(scope) as unit:
        unit.users.update(changed, user("anna"))
    assert found(store, scope, 'emails.value eq "two@x"') == []


def test_values_longer_than_an_index_takes_are_told_apart(store: Store, scope: Scope) -> None:
    long = random.Random(7).randbytes(4_000).hex()  # nothing that a database could compress
    documents = [user(long + end, externalId=long + end, emails=[{"value": long + end}]) for end in "ab"]
    anna, ben = insert(store, scope, *documents)
    for attribute in ("userName", "externalId", "emails.value"):
        bounds = [bind(Compare(attribute, "eq", long + end), USER_TYPE) for end in "abc"]  # longer than a filter's text may be
        with store.read(scope) as unit:
            assert [[each.id for each in unit.users.find(bound, 1, 9).resources] for bound in bounds] == [[anna.id], [ben.id], []]
    with pytest.raises(Taken):
        insert(store, scope, documents[0])
