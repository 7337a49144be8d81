"""Limits of what rules there can be, and that what is refused changes nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scim_server.access import rules
from scim_server.events import Scope
from scim_server.store.unit import Store


def test_not_more_than_so_many(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_MAPPINGS", 2)
    monkeypatch.setattr(rules, "MOST_GROUPS", 2)
    for _ in range(2):
        with store.write(scope) as unit:
            assert rules.add_mapping(unit, str(uuid4()), "agent")
    with pytest.raises(rules.Unusable, match="2 mappings"), store.write(scope) as unit:
        rules.add_mapping(unit, str(uuid4()), "agent")
    with pytest.raises(rules.Unusable, match="at most 2"), store.write(scope) as unit:
        rules.restrict(unit, [str(uuid4()) for _ in range(3)])
    with store.read(scope) as unit:
        assert len(unit.rules.all()) == 2
        assert len([each for each in unit.events.list(99) if each.tag.startswith("operator:mapping")]) == 2


@pytest.mark.parametrize("role", ["root", "", "admin\n x"])
def test_there_are_no_other_roles(store: Store, scope: Scope, role: str) -> None:
    with pytest.raises(rules.Unusable, match="no role"), store.write(scope) as unit:
        rules.add_mapping(unit, str(uuid4()), role)


def test_a_mapping_can_be_removed_and_added_again(store: Store, scope: Scope) -> None:
    group = str(uuid4())
    for _ in range(2):
        with store.write(scope) as unit:
            assert rules.add_mapping(unit, group, "agent")
            assert not rules.add_mapping(unit, group.upper(), " Agent ")
        with store.write(scope) as unit:
            assert rules.remove_mapping(unit, group, "agent")
        with store.write(scope) as unit:
            assert not rules.remove_mapping(unit, group, "agent")
