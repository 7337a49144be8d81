"""Tenants, credentials and domains that somebody should do something about."""

from __future__ import annotations

import json
from datetime import timedelta

from click.testing import CliRunner
from sqlalchemy import Engine

from scim_server import clock
from scim_server.cli import main
from scim_server.store.registry import Registry
from tests.cli.doctor.conftest import Doctor, states
from tests.tenants import OPERATOR, new_credential


def test_what_somebody_should_do_something_about(doctor: Doctor, registry: Registry, owner: Engine) -> None:
    tenant = registry.tenants.create("Contoso", OPERATOR, "entra")
    assert states(doctor(), "warning") <= {"database-login"}
    now = clock.now()
    expired, _ = new_credential(registry, tenant.id, expires=now - timedelta(days=1))
    ending, _ = new_credential(registry, tenant.id, label="Entra", expires=now + timedelta(days=29))
    new_credential(registry, tenant.id, expires=now + timedelta(days=31))
    revoked, _ = new_credential(registry, tenant.id, expires=now)
    registry.credentials.revoke(revoked.id, OPERATOR)
    registry.tenants.suspend(tenant.id, OPERATOR, "")
    for state in ("lost", "failed", "pending"):
        registry.domains.add(tenant.id, f"{state}.example", "x", state, OPERATOR, next_check=now)
    result = CliRunner().invoke(main, ["doctor", "--offline", "--json"], env={"DATABASE_URL": owner.url.render_as_string(False)})
    told = [each for each in json.loads(result.stdout)["checks"] if each["name"] in ("tenants", "credentials", "domains")]
    assert [each["state"] for each in told] == ["ok", "warning", "warning", "warning", "warning"]
    findings = [each["finding"] for each in told]
    assert findings[0] == "Tenants: 1. Suspended: 'Contoso'."
    assert findings[1] == f"Expired: {expired.id} (tenant 'Contoso', secret)."
    assert f"credential rotate {expired.id}" in told[1]["remedy"]
    assert findings[2] == f"Ending within 30 days: {ending.id} (tenant 'Contoso', Entra)."
    assert ["lost.example" in findings[3], "failed.example" in findings[4]] == [True, True]
    assert not any("pending.example" in each for each in findings)
