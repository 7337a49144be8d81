"""What the other tenant tries with the first one's sign-ins, sessions, links, rules, roles and secrets: cases of ``test_isolation``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scim_server.store.sealed import Sealed
from scim_server.store.unit import Unit
from scim_server.tenancy.keys import key_id
from tests.store.conftest import Theirs
from tests.store.samples import user
from tests.tenants import KEY


def nothing(call: Callable[[Unit, Theirs], Any], empty: Any = None) -> Callable[[Unit, Theirs], None]:
    def case(unit: Unit, theirs: Theirs) -> None:
        assert call(unit, theirs) == empty

    return case


def same(found: Any, expected: Any) -> None:
    assert found == expected


def at_once(unit: Unit, change: Callable[[], Any]) -> None:
    """Send the change, and wait for what becomes of it."""
    change()
    unit.users.get(unit.scope.tenant_id)


def same_person_here(unit: Unit, theirs: Theirs) -> None:
    """A person of their directory can be linked to a user of one's own, in one's own directory."""
    signed_in = theirs.signed_in
    unit.links.add(theirs.own_user.id, theirs.own_directory_id, signed_in.tid, signed_in.oid, "sub", "created", {})
    found = unit.links.find(signed_in.tid, signed_in.oid)
    assert found is not None
    assert found.user_id == theirs.own_user.id


def start_of_their_user(unit: Unit, theirs: Theirs) -> None:
    """Refused by the foreign key, which names the tenant."""
    signed_in = theirs.signed_in
    values: dict[str, Any] = {"link_id": signed_in.link_id, "directory_id": signed_in.directory_id, "roles": [], "sid": None}
    rest: dict[str, Any] = {"logout_hint": None, "address": "", "user_agent": "", "idle_s": 60, "expires": unit.now}
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        at_once(unit, lambda: unit.sessions.start(hash=b"another", user_id=theirs.anna.id, **values, **rest))


def sign_in_at_their_directory(unit: Unit, theirs: Theirs) -> None:
    values: dict[str, Any] = {"state_hash": b"s", "browser_hash": b"b", "nonce_hash": b"n", "return_path": "/", "login_hint": None}
    sign_in_id = unit.sign_ins.new_id()
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        at_once(unit, lambda: unit.sign_ins.add(sign_in_id, directory_id=theirs.signed_in.directory_id, expires=unit.now, **values))


def same_mapping_here(unit: Unit, theirs: Theirs) -> None:
    unit.rules.add_mapping(theirs.signed_in.group, "manager")
    assert [each.group for each in unit.rules.all()] == [theirs.signed_in.group]
    assert unit.rules.end_mapping(theirs.signed_in.group, "manager") != theirs.signed_in.mapping_id


def same_restriction_here(unit: Unit, theirs: Theirs) -> None:
    unit.rules.restrict({theirs.signed_in.group}, {theirs.signed_in.group})


def hold_through_their_mapping(unit: Unit, theirs: Theirs) -> None:
    signed_in = theirs.signed_in
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        at_once(unit, lambda: unit.holdings.begin(theirs.own_user.id, "manager", "token", signed_in.group, signed_in.mapping_id))


def put_in_their_place(unit: Unit, theirs: Theirs) -> None:
    """It is stored as one's own."""
    tenant_id = unit.scope.tenant_id
    unit.secrets.put(Sealed("00000000-0000-7000-8000-000000000001", theirs.signed_in.session_id, "refresh_token", key_id(KEY), "mine"))
    found = unit.secrets.get(theirs.signed_in.session_id, "refresh_token")
    assert found is not None
    assert (found.tenant_id, found.ciphertext) == (tenant_id, "mine")


def unclaimed(unit: Unit, theirs: Theirs) -> None:
    """Their user is kept by sign-ins, and is nobody's here to be adopted; nor does who presumes so fail, at the end of the Unit."""
    document = user("anna", externalId="ext-anna")
    assert unit.users.unclaimed(document) is None
    unit._scoped.careful = False
    unit.users.unclaimed(document)


CASES: dict[str, Callable[[Unit, Theirs], None]] = {
    "users.of_person": nothing(lambda unit, _: unit.users.of_person("ext-anna")),
    "users.named": nothing(lambda unit, _: unit.users.named("anna")),
    "users.source": nothing(lambda unit, theirs: unit.users.source(theirs.anna.id)),
    "users.unclaimed": unclaimed,
    "groups.ruled": nothing(lambda unit, theirs: (unit.groups.lock(theirs.team.id), unit.groups.ruled(theirs.team.id)), (None, False)),
    "sign_ins.new_id": lambda unit, _: None,
    "sign_ins.add": sign_in_at_their_directory,
    "sign_ins.take": nothing(lambda unit, theirs: unit.sign_ins.take(theirs.signed_in.state_hash)),
    "sign_ins.forget_old": nothing(lambda unit, _: unit.sign_ins.forget_old(), ()),
    "sessions.start": start_of_their_user,
    "sessions.find": nothing(lambda unit, theirs: unit.sessions.find(theirs.signed_in.hash)),
    "sessions.by_id": nothing(lambda unit, theirs: unit.sessions.by_id(theirs.signed_in.session_id)),
    "sessions.of_user": nothing(lambda unit, theirs: unit.sessions.of_user(theirs.anna.id, 9), []),
    "sessions.live": nothing(lambda unit, _: unit.sessions.live(9), []),
    "sessions.users": nothing(lambda unit, _: unit.sessions.users(), []),
    "sessions.seen": nothing(lambda unit, theirs: unit.sessions.seen(theirs.signed_in.session_id)),
    "sessions.claim": nothing(lambda unit, theirs: unit.sessions.claim(theirs.signed_in.session_id, unit.now + timedelta(days=1)), False),
    "sessions.refreshed": nothing(lambda unit, theirs: unit.sessions.refreshed(theirs.signed_in.session_id, "mine"), False),
    "sessions.failing": nothing(lambda unit, theirs: unit.sessions.failing(theirs.signed_in.session_id)),
    "sessions.set_roles": nothing(lambda unit, theirs: unit.sessions.set_roles(theirs.anna.id, ["admin"])),
    "sessions.end": nothing(lambda unit, theirs: unit.sessions.end(theirs.signed_in.session_id, "x"), []),
    "sessions.end_of_user": nothing(lambda unit, theirs: unit.sessions.end_of_user(theirs.anna.id, "x"), []),
    "sessions.end_of_directory": nothing(lambda unit, theirs: unit.sessions.end_of_directory(theirs.signed_in.directory_id, "x"), []),
    "sessions.end_all": nothing(lambda unit, _: unit.sessions.end_all("x"), []),
    "links.find": nothing(lambda unit, theirs: unit.links.find(theirs.signed_in.tid, theirs.signed_in.oid)),
    "links.of_user": nothing(lambda unit, theirs: unit.links.of_user(theirs.anna.id)),
    "links.add": same_person_here,
    "links.note": nothing(lambda unit, theirs: unit.links.note(theirs.signed_in.link_id, {"name": "Mallory"})),
    "links.end": nothing(lambda unit, theirs: unit.links.end(theirs.signed_in.link_id)),
    "rules.all": nothing(lambda unit, _: unit.rules.all(), []),
    "rules.add_mapping": same_mapping_here,
    "rules.end_mapping": nothing(lambda unit, theirs: unit.rules.end_mapping(theirs.signed_in.group, "manager")),
    "rules.restrict": same_restriction_here,
    "rules.groups_of": nothing(lambda unit, theirs: unit.rules.groups_of(theirs.anna.id), frozenset()),
    "rules.watch": nothing(lambda unit, theirs: unit.rules.watch(theirs.team.id), False),
    "rules.below": lambda unit, theirs: same(unit.rules.below([theirs.team.id]), frozenset({theirs.team.id})),
    "holdings.of_user": nothing(lambda unit, theirs: unit.holdings.of_user(theirs.anna.id), []),
    "holdings.holders": nothing(lambda unit, theirs: unit.holdings.holders([theirs.anna.id]), []),
    "holdings.through": nothing(lambda unit, theirs: unit.holdings.through(theirs.signed_in.mapping_id), []),
    "holdings.begin": hold_through_their_mapping,
    "holdings.end": nothing(lambda unit, theirs: unit.holdings.end(theirs.anna.id, "manager")),
    "holdings.end_all": nothing(lambda unit, theirs: unit.holdings.end_all(theirs.anna.id), []),
    "secrets.put": put_in_their_place,
    "secrets.get": nothing(lambda unit, theirs: unit.secrets.get(theirs.signed_in.session_id, "refresh_token")),
    "secrets.forget": nothing(lambda unit, theirs: unit.secrets.forget(theirs.signed_in.session_id)),
}

TABLES = ("sign_ins", "sessions", "identity_links", "mappings", "restrictions", "holdings", "sealed")
