"""What two tenants have, for tests of what one can have of the other's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from scim_server.events import Scope, UserChanged
from scim_server.scim.resources import Resource
from scim_server.store.unit import Store
from tests.store.samples import employee, group, managed_by, user


@dataclass
class Theirs:
    """What the first tenant has, and what the second has of its own."""

    anna: Resource
    team: Resource
    event_id: str
    own_user: Resource
    own_group: Resource


@pytest.fixture
def theirs(store: Store, scope: Scope, other_scope: Scope) -> Theirs:
    with store.write(scope) as unit:
        boss = unit.users.insert(user("boss", displayName="Boss"))
        anna = unit.users.insert(employee("anna", **managed_by(boss.id)))
        team = unit.groups.insert(group("Team", externalId="team-1"))
        unit.members.add(team.id, [anna.id, boss.id])
        unit.events.append(UserChanged(anna.id, 1, ()))
        event_id = unit.events.list(1)[0].id
    with store.write(other_scope) as unit:
        own_user, own_group = unit.users.insert(user("own")), unit.groups.insert(group("Own"))
    return Theirs(anna, team, event_id, own_user, own_group)
