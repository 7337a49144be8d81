"""The log of events: what was appended is what is listed, newest first, and only with its Unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from scim_server.events import Change, Event, GroupChanged, Scope, UserChanged, UserCreated
from scim_server.store.unit import Store, Unit
from tests.store.samples import NOBODY, user

UNICODE = 'Straße 😀 "quoted" \\ %s %(x)s :name'


def test_an_event_is_listed_as_it_was_appended(store: Store, scope: Scope) -> None:
    event = UserChanged(NOBODY, 7, [Change("displayName", None, UNICODE), Change("emails", [{"value": "a"}], None)])
    with store.write(scope) as unit:
        unit.events.append(event)
        at = unit.now
    with store.read(scope) as unit:
        (recorded, *_) = unit.events.list(1)
    assert (recorded.tag, recorded.subject_id, recorded.occurred) == ("scim:user:changed", NOBODY, at)
    assert (recorded.principal, recorded.request_id) == (scope.principal, scope.request_id)
    assert recorded.data == event.data()


def test_the_log_is_paged_backwards(store: Store, scope: Scope) -> None:
    with store.write(scope) as unit:
        for version in range(5):
            unit.events.append(UserChanged(NOBODY, version, ()))
            unit.events.append(GroupChanged("other", version, ()))
    with store.read(scope) as unit:
        everything = unit.events.list(100)
        first = unit.events.list(3)
        second = unit.events.list(3, before=first[-1].id)
        assert [*first, *second] == everything[:6]
        assert [each.data["version"] for each in unit.events.list(10, subject_id=NOBODY)] == [4, 3, 2, 1, 0]
        assert unit.events.list(2, before=everything[1].id, subject_id="other") == [everything[2], everything[4]]
        assert unit.events.list(10, before="x") == []
        assert unit.events.list(10, subject_id="nobody") == []


@dataclass(frozen=True, slots=True)
class Broken(Event):
    tag = "scim:user:broken"

    def data(self) -> dict[str, Any]:
        raise ZeroDivisionError


def test_if_an_event_cannot_be_appended_nothing_happened(store: Store, scope: Scope) -> None:
    with store.read(scope) as unit:
        before = unit.events.list(100)

    def create(unit: Unit) -> None:
        anna = unit.users.insert(user("anna"))
        unit.events.append(UserCreated(anna.id, 1, anna.document))
        unit.events.append(Broken(anna.id))

    with pytest.raises(ZeroDivisionError):
        store.transact(scope, create)
    with store.read(scope) as unit:
        assert unit.users.find(None, 1, 1).total == 0
        assert unit.events.list(100) == before
    with store.write(scope) as unit:
        unit.users.insert(user("anna"))
