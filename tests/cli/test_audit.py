"""The audit trail of a tenant, and the server's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from scim_server import clock
from scim_server.cli import audit
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.refusals import Unauthenticated
from tests.cli.conftest import Command, answer, credential, done, refusal


def test_the_audit_trail_tells_what_operators_did(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant, "--label", "Entra")
    done(cli("credential", "revoke", made["id"]))
    found = answer(cli("audit", "list", "--tenant", tenant, "--json"))
    assert [each["event"] for each in found] == ["operator:credential:revoked", "operator:credential:created", "operator:tenant:created"]
    assert found[1]["data"]["label"] == "Entra"
    assert all(each["by"].startswith("operator ") for each in found)
    assert "operator:tenant:created" in done(cli("audit", "list", "--tenant", tenant))


def test_the_audit_trail_can_be_narrowed(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant)
    credential(cli, tenant)

    def count(*options: str) -> int:
        return len(answer(cli("audit", "list", "--tenant", tenant, "--json", *options)))

    assert count() == 3
    assert count("--limit", "2") == 2
    assert count("--subject", made["id"]) == 1
    assert count("--since", "1h") == 3
    assert count("--since", "2020-01-01") == 3
    assert count("--since", "2999-01-01T00:00:00Z") == 0
    assert "no such event" in done(cli("audit", "list", "--tenant", tenant, "--subject", "nobody"))
    assert "24h" in refusal(cli("audit", "list", "--tenant", tenant, "--since", "yesterday"), 2)


def test_the_servers_own_log_has_what_belongs_to_no_tenant(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    done(cli("credential", "revoke", made["id"]))
    for token in ("scim_unknown", made["token"]):
        with pytest.raises(Unauthenticated):
            bearer.client(f"Bearer {token}", "192.0.2.99", "request-1")
    refused = answer(cli("audit", "list", "--server", "--event", "auth:", "--json"))
    assert refused[0]["data"] == {"reason": "unknown token", "address": "192.0.2.99", "claims": {}, "suppressed": 0}
    assert {each["event"] for each in refused} == {"auth:credential:refused"}
    assert made["id"] not in done(cli("audit", "list", "--server"))
    of_tenant = answer(cli("audit", "list", "--tenant", tenant, "--event", "auth:", "--json"))
    assert [(each["subject"], each["data"]["reason"]) for each in of_tenant] == [(made["id"], "revoked")]


@pytest.mark.parametrize("options", [(), ("--tenant", "x", "--server")])
def test_whose_events_must_be_said(cli: Command, options: tuple[str, ...]) -> None:
    told = refusal(cli("audit", "list", *options), 2)
    assert "--tenant NAME" in told
    assert "--server" in told


def test_what_is_sought_is_found_on_any_page(cli: Command, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE", 2)
    for _ in range(5):
        credential(cli, tenant)

    def count(*options: str) -> int:
        return len(answer(cli("audit", "list", "--tenant", tenant, "--json", *options)))

    assert count("--event", "operator:tenant:created") == 1
    assert count("--event", "operator:credential", "--limit", "3") == 3
    assert count("--limit", "5") == 5
    assert count() == 6
    assert count("--event", "scim:") == 0


def test_what_is_too_old_is_not_listed(cli: Command, tenant: str) -> None:
    with time_machine.travel(clock.now() + timedelta(days=3), tick=False):
        made = credential(cli, tenant)
        found = answer(cli("audit", "list", "--tenant", tenant, "--since", "1d", "--json"))
    assert [each["subject"] for each in found] == [made["id"]]
