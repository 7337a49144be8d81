"""Tenants and credentials."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server.events import Principal, Scope
from scim_server.store.engine import create_engine
from scim_server.store.errors import StoreError, Taken
from scim_server.store.registry import Credential, Registry, Tenant
from scim_server.store.registry.grants import BEARER
from scim_server.store.unit import Store
from tests.conftest import Databases
from tests.store.samples import NOBODY
from tests.tenants import OPERATOR


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture
def tenant(registry: Registry) -> Tenant:
    return registry.tenants.create(f"tenant {uuid4()}", OPERATOR, "rfc")


@pytest.fixture
def of_its_own(databases: Databases) -> Iterator[Registry]:
    engine = create_engine(databases.migrated(), pool_size=1)
    yield Registry(engine)
    engine.dispose()


def test_tenants_are_found_by_name(of_its_own: Registry) -> None:
    assert of_its_own.tenants.list() == []
    zeta, alpha = of_its_own.tenants.create("Zeta", OPERATOR, "rfc"), of_its_own.tenants.create("Älpha", OPERATOR, "okta")
    assert of_its_own.tenants.get("Zeta") == zeta
    assert of_its_own.tenants.get("Älpha") == alpha
    assert of_its_own.tenants.get("zeta") is None
    assert sorted(of_its_own.tenants.list(), key=lambda each: each.name) == [zeta, alpha]


def test_a_tenants_name_is_taken(registry: Registry, tenant: Tenant) -> None:
    with pytest.raises(Taken) as taken:
        registry.tenants.create(tenant.name, OPERATOR, "rfc")
    assert taken.value.attribute == "name"


def new_credential(registry: Registry, tenant_id: str, **terms: Any) -> tuple[Credential, bytes]:
    """A credential, and the hash by which it is found."""
    token_hash = secrets.token_bytes(32)
    given = {"label": "label", "scopes": frozenset({"scim.read"}), "expires": None, **terms}
    return registry.credentials.create(tenant_id, "secret", OPERATOR, secret=(BEARER, token_hash), **given), token_hash


def test_a_credential_is_found_by_its_hash(registry: Registry, tenant: Tenant) -> None:
    expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    made, token_hash = new_credential(registry, tenant.id, label="nightly", networks=networks, expires=expires)
    assert (made.tenant_id, made.tenant_name, made.label, made.networks) == (tenant.id, tenant.name, "nightly", networks)
    assert (made.expires, made.revoked, made.last_used, made.trust) == (expires, None, None, None)
    found = registry.grants.by_hash(token_hash)
    assert found is not None
    kind, grant = found
    assert (kind, grant.credential_id, grant.tenant_id, grant.profile) == (BEARER, made.id, tenant.id, "rfc")
    assert (set(grant.scopes), grant.networks, (grant.expires, grant.ends)) == ({"scim.read"}, networks, (expires, expires))
    assert (grant.revoked, grant.suspended) == (False, False)
    assert registry.grants.by_hash(token_hash[:-1]) is None
    other, _ = new_credential(registry, tenant.id)
    assert registry.credentials.list(tenant.id) == [made, other]
    assert registry.credentials.get(made.id) == made


def test_a_credential_belongs_to_a_tenant_that_exists(registry: Registry) -> None:
    for tenant_id in (NOBODY, "x"):
        assert registry.credentials.list(tenant_id) == []
        with pytest.raises(StoreError):
            new_credential(registry, tenant_id)


def test_a_credential_is_revoked_once(registry: Registry, tenant: Tenant) -> None:
    made, token_hash = new_credential(registry, tenant.id)
    revoked = registry.credentials.revoke(made.id, OPERATOR)
    assert revoked is not None
    assert revoked.revoked is not None
    for nothing in (made.id, NOBODY, "x"):
        assert registry.credentials.revoke(nothing, OPERATOR) is None
    found = registry.grants.by_hash(token_hash)
    assert found is not None
    assert found[1].revoked
    assert registry.credentials.get(made.id) == revoked


def test_a_suspension_is_seen_and_nothing_else_changes(registry: Registry, tenant: Tenant) -> None:
    made, token_hash = new_credential(registry, tenant.id)

    def suspended() -> bool:
        found = registry.grants.by_hash(token_hash)
        assert found is not None
        return found[1].suspended

    assert not suspended()
    changed = registry.tenants.suspend(tenant.id, OPERATOR, "unpaid")
    assert changed is not None
    assert changed.suspended is not None
    assert suspended()
    assert registry.tenants.suspend(tenant.id, OPERATOR, "again") is None
    assert registry.tenants.resume(tenant.id, OPERATOR) == tenant
    assert registry.tenants.resume(tenant.id, OPERATOR) is None
    assert not suspended()
    assert registry.credentials.list(tenant.id) == [made]


def test_settings_of_a_tenant_come_with_its_grants(registry: Registry, tenant: Tenant) -> None:
    _, token_hash = new_credential(registry, tenant.id)
    changed = registry.tenants.change(tenant.id, OPERATOR, profile="okta", rate_limit=7)
    assert changed == registry.tenants.get(tenant.name)
    found = registry.grants.by_hash(token_hash)
    assert found is not None
    assert (found[1].profile, found[1].settings.rate_limit) == ("okta", 7)


@pytest.mark.parametrize("cloud", ["global", "us"])
def test_a_directory_belongs_to_one_tenant(registry: Registry, tenant: Tenant, cloud: str) -> None:
    """The database itself says no, whoever asks first."""
    tid = str(uuid4())
    other = registry.tenants.create(f"tenant {uuid4()}", OPERATOR, "entra")
    registry.directories.add(tenant.id, cloud, tid, OPERATOR, label="head office")
    for tenant_id, anywhere in ((other.id, cloud), (tenant.id, cloud), (other.id, "china")):
        with pytest.raises(Taken):
            registry.directories.add(tenant_id, anywhere, tid, OPERATOR)
    found = registry.directories.get(tid)
    assert found is not None
    assert (found.tenant_id, found.label) == (tenant.id, "head office")
    assert registry.directories.remove(found, OPERATOR)
    assert not registry.directories.remove(found, OPERATOR)
    assert registry.directories.get(tid) is None
    registry.directories.add(other.id, cloud, tid, OPERATOR)
    assert [each.tid for each in registry.directories.list(other.id)] == [tid]


def test_what_operators_do_is_in_the_tenants_log(registry: Registry, tenant: Tenant, store: Store) -> None:
    made, _ = new_credential(registry, tenant.id)
    registry.credentials.revoke(made.id, OPERATOR)
    with store.read(Scope(tenant.id, Principal("operator", "reader"), "r")) as unit:
        log = unit.events.list(10)
    assert [each.tag for each in log] == ["operator:credential:revoked", "operator:credential:created", "operator:tenant:created"]
    assert [each.subject_id for each in log] == [made.id, made.id, tenant.id]
    assert {each.principal for each in log} == {OPERATOR}
    assert {each.request_id for each in log} == {""}
