"""What two tenants have, for tests of what one can have of the other's."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server.events import Scope, UserChanged
from scim_server.scim.resources import Resource
from scim_server.store.unit import Store
from scim_server.store.users import SIGN_IN
from tests.store.samples import employee, group, managed_by, own_schema, user, with_badge
from tests.store.signed_in import SignedIn, new_directory_id, sign_in


@dataclass
class Theirs:
    """What the first tenant has, and what the second has of its own."""

    anna: Resource
    team: Resource
    event_id: str
    own_user: Resource
    own_group: Resource
    signed_in: SignedIn
    own_directory_id: str


@pytest.fixture
def theirs(store: Store, engine: Engine, scope: Scope, other_scope: Scope) -> Theirs:
    tid = str(uuid4())
    directory_id = new_directory_id(engine, scope.tenant_id, tid)
    own_directory_id = new_directory_id(engine, other_scope.tenant_id, str(uuid4()))
    with store.write(scope) as unit:
        unit.schemas.lock()
        unit.schemas.put(own_schema(), is_new=True)
        boss = unit.users.insert(user("boss", displayName="Boss"))
        anna = unit.users.insert(with_badge(employee("anna", **managed_by(boss.id)), "anna-7"), SIGN_IN)
        team = unit.groups.insert(group("Team", externalId="team-1"))
        unit.members.add(team.id, [anna.id, boss.id])
        unit.events.append(UserChanged(anna.id, 1, ()))
        event_id = unit.events.list(1)[0].id
        signed_in = sign_in(unit, directory_id, tid, anna.id, "team-1")
    with store.write(other_scope) as unit:
        own_user, own_group = unit.users.insert(user("own")), unit.groups.insert(group("Own"))
    return Theirs(anna, team, event_id, own_user, own_group, signed_in, own_directory_id)
