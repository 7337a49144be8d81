"""Tenants and credentials."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server.events import Principal, Scope
from scim_server.store.engine import create_engine
from scim_server.store.errors import StoreError, Taken
from scim_server.store.registry import Registry, Tenant
from scim_server.store.unit import Store
from tests.conftest import OPERATOR, Databases
from tests.store.samples import NOBODY


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture
def tenant(registry: Registry) -> Tenant:
    return registry.create_tenant(f"tenant {uuid4()}", OPERATOR, "rfc")


@pytest.fixture
def of_its_own(databases: Databases) -> Iterator[Registry]:
    engine = create_engine(databases.migrated(), pool_size=1)
    yield Registry(engine)
    engine.dispose()


def test_tenants_are_found_by_name(of_its_own: Registry) -> None:
    assert of_its_own.tenants() == []
    zeta, alpha = of_its_own.create_tenant("Zeta", OPERATOR, "rfc"), of_its_own.create_tenant("Älpha", OPERATOR, "okta")
    assert of_its_own.tenant("Zeta") == zeta
    assert of_its_own.tenant("Älpha") == alpha
    assert of_its_own.tenant("zeta") is None
    assert sorted(of_its_own.tenants(), key=lambda each: each.name) == [zeta, alpha]


def test_a_tenants_name_is_taken(registry: Registry, tenant: Tenant) -> None:
    with pytest.raises(Taken) as taken:
        registry.create_tenant(tenant.name, OPERATOR, "rfc")
    assert taken.value.attribute == "name"


def test_a_credential_is_found_by_its_hash(registry: Registry, tenant: Tenant) -> None:
    token_hash, expires = secrets.token_bytes(32), datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = registry.create_credential(tenant.id, "nightly", token_hash, expires, OPERATOR)
    assert (made.tenant_id, made.tenant_name, made.profile, made.label) == (tenant.id, tenant.name, "rfc", "nightly")
    assert (made.expires, made.revoked) == (expires, None)
    assert registry.credential_by_hash(token_hash) == made
    assert registry.credential_by_hash(token_hash[:-1]) is None
    other = registry.create_credential(tenant.id, "other", secrets.token_bytes(32), None, OPERATOR)
    assert registry.credentials(tenant.id) == [made, other]


def test_a_credential_belongs_to_a_tenant_that_exists(registry: Registry) -> None:
    for tenant_id in (NOBODY, "x"):
        assert registry.credentials(tenant_id) == []
        with pytest.raises(StoreError):
            registry.create_credential(tenant_id, "label", secrets.token_bytes(32), None, OPERATOR)


def test_a_credential_is_revoked_once(registry: Registry, tenant: Tenant) -> None:
    token_hash = secrets.token_bytes(32)
    made = registry.create_credential(tenant.id, "label", token_hash, None, OPERATOR)
    revoked = registry.revoke(made.id, OPERATOR)
    assert revoked is not None
    assert revoked.revoked is not None
    assert registry.credential_by_hash(token_hash) == revoked
    for nothing in (made.id, NOBODY, "x"):
        assert registry.revoke(nothing, OPERATOR) is None
    assert registry.credential_by_hash(token_hash) == revoked


def test_what_operators_do_is_in_the_tenants_log(registry: Registry, tenant: Tenant, store: Store) -> None:
    made = registry.create_credential(tenant.id, "label", secrets.token_bytes(32), None, OPERATOR)
    registry.revoke(made.id, OPERATOR)
    with store.read(Scope(tenant.id, Principal("operator", "reader"), "r")) as unit:
        log = unit.events.list(10)
    assert [each.tag for each in log] == ["operator:credential:revoked", "operator:credential:created", "operator:tenant:created"]
    assert [each.subject_id for each in log] == [made.id, made.id, tenant.id]
    assert {each.principal for each in log} == {OPERATOR}
    assert {each.request_id for each in log} == {""}
