"""Tokens of ours: long, never twice, and known to the database by their hash only."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import Engine, inspect, text

from scim_server.events import Scope
from scim_server.store.registry import Registry
from scim_server.tenancy import opaque
from tests.tenants import new_credential


@pytest.mark.requirement("S-7644-7.4-01")
def test_a_token_is_256_bits_and_never_the_same() -> None:
    for kind in opaque.PREFIXES:
        made = {opaque.new(kind) for _ in range(100)}
        assert len(made) == 100
        for each in made:
            random = each.removeprefix(opaque.PREFIXES[kind])
            assert len(base64.urlsafe_b64decode(random + "=" * (-len(random) % 4))) == 32


@pytest.mark.requirement("S-7644-7.4-01")
def test_the_database_does_not_know_a_token(registry: Registry, scope: Scope, owner_engine: Engine) -> None:
    _, token = new_credential(registry, scope.tenant_id)
    random = token.partition("_")[2]
    with owner_engine.connect() as connection:
        for table in inspect(owner_engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                told = " ".join(each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in row)
                assert random not in told, table
