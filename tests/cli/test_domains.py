"""``domain add``, ``list``, ``check``, ``remove``, with a DNS server that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result

from tests.cli.conftest import Command, answer, done, refusal
from tests.nameserver import SERVFAIL, Nameserver


@pytest.fixture(scope="module")
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        yield nameserver


@pytest.fixture
def domain(cli: Command, nameserver: Nameserver) -> Callable[..., Result]:
    """``domain`` with these arguments, where this DNS server is asked."""
    return lambda *arguments, **environ: cli("domain", *arguments, DNS_SERVERS=nameserver.setting, **environ)


@pytest.fixture
def name() -> str:
    return f"d-{uuid4().hex}.example"


def add(domain: Command, tenant: str, name: str, *options: str) -> dict[str, Any]:
    added: dict[str, Any] = answer(domain("add", "--tenant", tenant, name, *options, "--json"))
    return added


def test_what_to_put_into_dns_is_said_and_then_found(domain: Command, tenant: str, name: str, nameserver: Nameserver) -> None:
    told = done(domain("add", "--tenant", tenant, f"@{name.upper()}"))
    added = add(domain, tenant, name)
    assert added["record"] == {"type": "TXT", "name": f"_scim-server-challenge.{name}", "value": added["record"]["value"]}
    for each in (
        f"The tenant {tenant!r} has another domain: {name}.",
        *(f"  {word}" for word in added["record"].values()),
        f"domain check --tenant {tenant} {name}",
    ):
        assert each in told
    assert (added["state"], added["domain"], added["tenant"], added["added"]) == ("pending", name, tenant, False)

    assert f"no TXT record at _scim-server-challenge.{name}" in refusal(domain("check", "--tenant", tenant, name))
    nameserver.has(added["record"]["name"], added["record"]["value"])
    assert done(domain("check", "--tenant", tenant, name)) == f"{name} is verified.\n"
    checked = answer(domain("check", "--tenant", tenant, name, "--json"))
    assert (checked["state"], checked["finding"]) == ("verified", None)
    assert checked["verified"] is not None


def test_adding_again_shows_the_same_record(domain: Command, tenant: str, name: str) -> None:
    first, again = add(domain, tenant, name), add(domain, tenant, name)
    assert again == {**first, "added": False}
    assert first["added"] is True
    told = done(domain("add", "--tenant", tenant, name))
    assert f"The tenant {tenant!r} has {name} already." in told
    assert first["record"]["value"] in told


def test_a_check_without_success_says_what_there_was(domain: Command, tenant: str, name: str, nameserver: Nameserver) -> None:
    record = add(domain, tenant, name)["record"]
    nameserver.has(record["name"], "scim-server-verification=of-somebody-else")
    told = refusal(domain("check", "--tenant", tenant, name))
    assert f"Error: {name} is pending. At {record['name']} there is 'scim-server-verification=of-somebody-else'" in told
    assert record["value"] in told
    result = domain("check", "--tenant", tenant, name, "--json")
    assert result.exit_code == 1
    assert "of-somebody-else" in result.stdout
    assert result.stderr == ""

    nameserver.gives(record["name"], SERVFAIL)
    assert "SERVFAIL" in refusal(domain("check", "--tenant", tenant, name))

    nameserver.has(record["name"], record["value"])
    done(domain("check", "--tenant", tenant, name))
    nameserver.gives(record["name"], SERVFAIL)
    assert "is verified. DNS did not say" in done(domain("check", "--tenant", tenant, name))


def test_the_list_says_how_far_each_is(domain: Command, cli: Command, tenant: str, name: str) -> None:
    assert "There is no domain yet. To add one: " in done(domain("list", "--tenant", tenant))
    assert answer(domain("list", "--tenant", tenant, "--json")) == []
    added = add(domain, tenant, name)
    refusal(domain("check", "--tenant", tenant, name))
    (found,) = answer(domain("list", "--tenant", tenant, "--json"))
    assert found == {
        **{each: value for each, value in added.items() if each != "added"},
        "checked": found["checked"],
        "next_check": found["next_check"],
        "finding": f"There is no TXT record at _scim-server-challenge.{name}.",
    }
    assert found["checked"] < found["next_check"]
    header, row = done(domain("list", "--tenant", tenant)).splitlines()
    assert header.split() == ["DOMAIN", "TENANT", "STATE", "MISSING_SINCE", "CHECKED", "NEXT_CHECK", "FINDING"]
    assert row.startswith(f"{name}  {tenant}  pending")
    assert name in done(domain("list"))


def test_a_removed_domain_is_gone_with_its_proof(domain: Command, tenant: str, name: str, nameserver: Nameserver) -> None:
    record = add(domain, tenant, name)["record"]
    nameserver.has(record["name"], record["value"])
    done(domain("check", "--tenant", tenant, name))
    assert answer(domain("remove", "--tenant", tenant, name, "--json")) == {"domain": name, "tenant": tenant, "removed": True}
    assert answer(domain("list", "--tenant", tenant, "--json")) == []
    assert f"has no domain '{name}'" in refusal(domain("remove", "--tenant", tenant, name))
    again = add(domain, tenant, name)
    assert again["record"]["value"] != record["value"]
    refusal(domain("check", "--tenant", tenant, name))
    assert f"The tenant {tenant!r} does not have {name} any more." in done(domain("remove", "--tenant", tenant, name))


def test_no_tenant_reaches_anothers_domain(domain: Command, cli: Command, tenant: str, name: str, nameserver: Nameserver) -> None:
    other = f"other-{uuid4()}"
    done(cli("tenant", "create", other))
    mine = add(domain, tenant, name)
    nameserver.has(mine["record"]["name"], mine["record"]["value"])
    done(domain("check", "--tenant", tenant, name))
    assert answer(domain("list", "--tenant", other, "--json")) == []
    for each in ("check", "remove"):
        told = refusal(domain(each, "--tenant", other, name))
        assert f"The tenant {other!r} has no domain {name!r}. Those it has: " in told
        assert tenant not in told

    theirs = add(domain, other, name)
    assert theirs["record"]["value"] != mine["record"]["value"]
    nameserver.has(mine["record"]["name"], mine["record"]["value"], theirs["record"]["value"])
    told = refusal(domain("check", "--tenant", other, name))
    assert "proved for another customer" in told
    assert tenant not in told
    assert done(domain("check", "--tenant", tenant, name)) == f"{name} is verified.\n"


def test_what_was_not_proved_needs_a_server_for_tests(domain: Command, cli: Command, tenant: str, name: str) -> None:
    told = refusal(domain("add", "--tenant", tenant, name, "--assume-verified"))
    assert "ALLOW_CUSTOM_CLOUD=true" in told
    assert answer(domain("list", "--tenant", tenant, "--json")) == []
    assumed = answer(domain("add", "--tenant", tenant, name, "--assume-verified", "--json", ALLOW_CUSTOM_CLOUD="true"))
    assert (assumed["state"], assumed["added"], assumed["next_check"]) == ("verified", True, None)
    assert "is verified. It was added as verified, without proof." in done(domain("add", "--tenant", tenant, name))

    other = f"other-{uuid4()}"
    done(cli("tenant", "create", other))
    told = refusal(domain("add", "--tenant", other, name, "--assume-verified", ALLOW_CUSTOM_CLOUD="true"))
    assert "The domain is another tenant's." in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "--tenant", "nobody", "contoso.com"), "There is no tenant 'nobody'"),
        (("list", "--tenant", "nobody"), "There is no tenant 'nobody'"),
        (("check", "--tenant", "nobody", "contoso.com"), "There is no tenant 'nobody'"),
        (("remove", "--tenant", "nobody", "contoso.com"), "There is no tenant 'nobody'"),
    ],
)
def test_without_a_tenant_there_is_nothing(arguments: tuple[str, ...], told: str, domain: Command) -> None:
    assert told in refusal(domain(*arguments))


@pytest.mark.parametrize("does", ["add", "check", "remove"])
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("anna@contoso.com", "Enter what stands behind the @"),
        ("gmail.com", "Anybody can have an address"),
        ("contoso\x1b[2J.com", "cannot be"),
    ],
)
def test_what_is_no_domain_is_told(does: str, typed: str, told: str, domain: Command, tenant: str) -> None:
    text = refusal(domain(does, "--tenant", tenant, typed))
    assert told in text
    assert "\x1b" not in text
