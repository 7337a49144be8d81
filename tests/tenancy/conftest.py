"""Domains of tenants, and a DNS server that has what a test puts there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server.events import Principal
from scim_server.store.registry import Domain, Registry
from scim_server.tenancy.domains import Domains, Resolver, record
from tests.nameserver import Nameserver
from tests.tenants import OPERATOR

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PROOF, OTHER = "proof", "other values"


@pytest.fixture(scope="module")
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        yield nameserver


@pytest.fixture
def resolver(nameserver: Nameserver) -> Resolver:
    return Resolver([nameserver.address])


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture
def domains(registry: Registry, resolver: Resolver) -> Domains:
    return Domains(registry, resolver)


@pytest.fixture
def hasty(registry: Registry, nameserver: Nameserver) -> Domains:
    """Waits for next to nothing: for a server that is silent anyway."""
    return Domains(registry, Resolver([nameserver.address], each_s=0.1, in_all_s=0.1))


def new(domains: Domains, tenant_id: str, name: str | None = None) -> Domain:
    added, is_new = domains.add(tenant_id, name or f"d-{uuid4().hex}.example", OPERATOR)
    assert is_new
    return added


def check(domains: Domains, domain: Domain, by: Principal = OPERATOR) -> Domain:
    checked = domains.check(domain, by)
    assert checked is not None
    return checked


def put(nameserver: Nameserver, domain: Domain, what: Any) -> None:
    proof = record(domain)
    if what == PROOF:
        nameserver.has(proof.name, "v=spf1 -all", proof.value)
    elif what == OTHER:
        nameserver.has(proof.name, "v=spf1 -all", proof.value[:-1])
    else:
        nameserver.gives(proof.name, what)


def between(earlier: datetime | None, later: datetime | None) -> timedelta | None:
    return later - earlier if earlier and later else None


def about(found: timedelta | None, expected: timedelta | None) -> bool:
    """A time-out of the resolver may lie between."""
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) < timedelta(seconds=5)
