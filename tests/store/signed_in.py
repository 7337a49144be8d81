"""Somebody who is signed in, as rows: for tests of the store."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import Engine

from scim_server.store.registry import Registry
from scim_server.store.sealed import Sealed
from scim_server.store.unit import Unit
from scim_server.tenancy.keys import key_id
from tests.tenants import KEY, OPERATOR


@dataclass(frozen=True)
class SignedIn:
    """``group`` is the object id that a mapping and a restriction of the tenant are about."""

    directory_id: str
    tid: str
    oid: str
    link_id: str
    session_id: str
    hash: bytes
    state_hash: bytes
    sign_in_id: str
    group: str
    mapping_id: str


def new_directory_id(engine: Engine, tenant_id: str, tid: str) -> str:
    return Registry(engine).directories.add(tenant_id, "global", tid, OPERATOR)


def sign_in(unit: Unit, directory_id: str, tid: str, user_id: str, group: str | None = None) -> SignedIn:
    """The user has a session, a role by a mapping of the group, a sign-in that has begun, and what is sealed for both."""
    oid, group = str(uuid4()), group or str(uuid4())
    hash, state_hash = secrets.token_bytes(32), secrets.token_bytes(32)
    link = unit.links.add(user_id, directory_id, tid, oid, "sub", "created", {"groups": [group]})
    session_id = unit.sessions.start(
        hash=hash,
        user_id=user_id,
        link_id=link.id,
        directory_id=directory_id,
        roles=["manager"],
        sid=f"sid-{session_name()}",
        logout_hint=None,
        address="192.0.2.1",
        user_agent="tests",
        idle_s=1800,
        expires=unit.now + timedelta(hours=8),
    )
    mapping_id = unit.rules.add_mapping(group, "manager")
    unit.rules.restrict({group}, set())
    unit.holdings.begin(user_id, "manager", "token", group, mapping_id)
    sign_in_id = unit.sign_ins.new_id()
    unit.sign_ins.add(
        sign_in_id,
        directory_id=directory_id,
        state_hash=state_hash,
        browser_hash=b"browser",
        nonce_hash=b"nonce",
        return_path="/me",
        login_hint=None,
        expires=unit.now + timedelta(minutes=10),
    )
    for owner, name in ((session_id, "refresh_token"), (sign_in_id, "code_verifier")):
        unit.secrets.put(Sealed(unit.scope.tenant_id, owner, name, key_id(KEY), "ciphertext"))
    return SignedIn(directory_id, tid, oid, link.id, session_id, hash, state_hash, sign_in_id, group, mapping_id)


def session_name() -> str:
    return uuid4().hex
