"""Tenants as operators handle them: made, listed, shown, changed, suspended and resumed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.refusals import Suspended
from tests.cli.conftest import Command, answer, credential, done, refusal


def test_a_tenant_is_made_and_listed(cli: Command) -> None:
    name = f"Contoso \N{LATIN SMALL LETTER O WITH STROKE} {uuid4()}"
    made = answer(cli("tenant", "create", name, "--json", PUBLIC_URL="https://scim.example"))
    assert made.pop("tenant_url") == "https://scim.example/scim/v2"
    assert made.keys() == {"id", "name", "profile", "state", "created", "suspended"}
    assert made["name"] == name
    assert made in answer(cli("tenant", "list", "--json"))
    assert name in done(cli("tenant", "list"))


def test_a_tenants_profile_can_be_chosen(cli: Command) -> None:
    assert answer(cli("tenant", "create", str(uuid4()), "--profile", "rfc", "--json"))["profile"] == "rfc"
    assert "rfc" in refusal(cli("tenant", "create", "x", "--profile", "lax"), 2)


def test_a_name_is_taken_once(cli: Command, tenant: str) -> None:
    told = refusal(cli("tenant", "create", tenant))
    assert "already" in told
    assert "tenant list" in told


@pytest.mark.parametrize("name", ["", " ", " x", "x ", "a\nb", "\x1b[2J", "x" * 101])
def test_a_name_that_cannot_be_typed_is_refused(cli: Command, name: str) -> None:
    assert "1 to 100 printable characters" in refusal(cli("tenant", "create", name))


def test_a_tenant_is_shown_with_what_it_has(cli: Command, tenant: str) -> None:
    credential(cli, tenant)
    done(cli("credential", "revoke", credential(cli, tenant)["id"]))
    tid = str(uuid4())
    credential(cli, tenant, "--kind", "entra", "--tid", tid)
    shown = answer(cli("tenant", "show", tenant, "--json", RATE_LIMIT="77"))
    assert (shown["name"], shown["profile"], shown["state"], shown["reason"]) == (tenant, "entra", "active", None)
    assert (shown["rate_limit"], shown["rate_limit_default"], shown["users"], shown["groups"]) == (None, 77, 0, 0)
    assert shown["credentials"] == {"valid": 2, "revoked": 1}
    assert [each["tid"] for each in shown["directories"]] == [tid]
    assert shown["domains"] == []
    text = done(cli("tenant", "show", tenant, RATE_LIMIT="77"))
    for told in (
        shown["id"],
        "active",
        "77 requests per second and node (the default)",
        "2 valid, 1 revoked",
        f"{tid} (global)",
        "/scim/v2",
    ):
        assert told in text


@pytest.mark.parametrize("command", [("show",), ("set", "--rate-limit", "5"), ("suspend",), ("resume",)])
def test_an_unknown_tenant_is_refused(cli: Command, command: tuple[str, ...]) -> None:
    verb, *options = command
    told = refusal(cli("tenant", verb, "nobody", *options))
    assert "'nobody'" in told
    assert "tenant list" in told


def test_settings_are_changed_and_what_changed_is_told(cli: Command, tenant: str) -> None:
    changed = answer(cli("tenant", "set", tenant, "--profile", "rfc", "--rate-limit", "30", "--json"))
    assert changed["changed"] == {"profile": {"old": "entra", "new": "rfc"}, "rate_limit": {"old": None, "new": 30}}
    assert (changed["profile"], changed["rate_limit"]) == ("rfc", 30)
    assert answer(cli("tenant", "set", tenant, "--rate-limit", "30", "--json"))["changed"] == {}
    assert "already" in done(cli("tenant", "set", tenant, "--profile", "rfc"))
    assert "rate_limit: 30 -> default" in done(cli("tenant", "set", tenant, "--rate-limit", "default"))
    shown = answer(cli("tenant", "show", tenant, "--json"))
    assert (shown["profile"], shown["rate_limit"]) == ("rfc", None)
    events = answer(cli("audit", "list", "--tenant", tenant, "--event", "operator:tenant:changed", "--json"))
    assert [[each["path"] for each in event["data"]["changes"]] for event in events] == [["rate_limit"], ["profile", "rate_limit"]]


@pytest.mark.parametrize(
    "options", [(), ("--rate-limit", "0"), ("--rate-limit", "100001"), ("--rate-limit", "9" * 30), ("--rate-limit", "-1")]
)
def test_a_change_that_is_none_is_refused(cli: Command, tenant: str, options: tuple[str, ...]) -> None:
    assert "rate-limit" in refusal(cli("tenant", "set", tenant, *options), 2)


def test_a_tenant_is_suspended_and_resumed(cli: Command, tenant: str, bearer: Bearer) -> None:
    header = f"Bearer {credential(cli, tenant)['token']}"
    suspended = answer(cli("tenant", "suspend", tenant, "--reason", "unpaid", "--json"))
    assert (suspended["state"], suspended["changed"]) == ("suspended", True)
    with pytest.raises(Suspended):
        bearer.client(header, "192.0.2.1", "r")
    again = answer(cli("tenant", "suspend", tenant, "--reason", "something else", "--json"))
    assert (again["state"], again["changed"], again["suspended"]) == ("suspended", False, suspended["suspended"])
    shown = answer(cli("tenant", "show", tenant, "--json"))
    assert (shown["state"], shown["reason"], shown["suspended"]) == ("suspended", "unpaid", suspended["suspended"])
    assert "unpaid" in done(cli("tenant", "show", tenant))
    assert next(each["state"] for each in answer(cli("tenant", "list", "--json")) if each["name"] == tenant) == "suspended"

    resumed = answer(cli("tenant", "resume", tenant, "--json"))
    assert (resumed["state"], resumed["suspended"], resumed["changed"]) == ("active", None, True)
    assert bearer.client(header, "192.0.2.1", "r").tenant_name == tenant
    again = answer(cli("tenant", "resume", tenant, "--json"))
    assert (again["state"], again["changed"]) == ("active", False)
    events = answer(cli("audit", "list", "--tenant", tenant, "--event", "operator:tenant:", "--json"))
    assert [each["event"].split(":")[2] for each in events] == ["resumed", "suspended", "created"]


def test_people_are_told_what_became_of_it(cli: Command, tenant: str) -> None:
    told = done(cli("tenant", "suspend", tenant))
    assert "Nothing of it is lost" in told
    assert "tenant resume" in told
    assert "was suspended before" in done(cli("tenant", "suspend", tenant))
    assert "active again" in done(cli("tenant", "resume", tenant))
    assert "was not suspended" in done(cli("tenant", "resume", tenant))


@pytest.mark.parametrize("reason", ["x" * 501, "a\nb", "\x1b[2J"])
def test_a_reason_can_be_read(cli: Command, tenant: str, reason: str) -> None:
    assert "printable" in refusal(cli("tenant", "suspend", tenant, "--reason", reason), 2)
