"""The life of a domain, by the table of ``tenancy.domains``: a clock that is set, and a DNS server that is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dns.resolver
import pytest
import time_machine

from scim_server.events import Scope
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.domains import Domains, Resolver, Unanswered, record
from tests.nameserver import NO_ANSWER, NXDOMAIN, REFUSED, RUBBISH, SERVFAIL, SILENCE, Nameserver
from tests.tenancy.conftest import DAY, HOUR, MINUTE, OTHER, PROOF, about, between, check, new, put

NEVER_ANSWERED = (SILENCE, RUBBISH)

# Each row: how long after it was added, what DNS has then; the state after the check, when the next one is, since when it is missing.
Row = tuple[timedelta, Any, str, timedelta | None, timedelta | None]
LIVES: dict[str, tuple[list[Row], list[str]]] = {
    "proved at the first look": ([(10 * MINUTE, PROOF, "verified", DAY, None), (30 * HOUR, PROOF, "verified", DAY, None)], ["verified"]),
    "the older the rarer": (
        [
            (0 * MINUTE, NXDOMAIN, "pending", 10 * MINUTE, None),
            (40 * MINUTE, NO_ANSWER, "pending", 10 * MINUTE, None),
            (4 * HOUR, OTHER, "pending", HOUR, None),
            (DAY, NXDOMAIN, "pending", 6 * HOUR, None),
            (29 * DAY, NXDOMAIN, "pending", 6 * HOUR, None),
            (30 * DAY + MINUTE, NXDOMAIN, "failed", None, None),
        ],
        ["failed"],
    ),
    "proved on the last day": (
        [(29 * DAY, OTHER, "pending", 6 * HOUR, None), (31 * DAY, PROOF, "verified", DAY, None)],
        ["verified"],
    ),
    "no answer never fails a domain": (
        [
            (10 * MINUTE, SERVFAIL, "pending", 10 * MINUTE, None),
            (20 * DAY, SILENCE, "pending", HOUR, None),
            (60 * DAY, REFUSED, "pending", HOUR, None),
            (61 * DAY, RUBBISH, "pending", HOUR, None),
            (62 * DAY, NXDOMAIN, "failed", None, None),
        ],
        ["failed"],
    ),
    "failed is looked at when somebody asks": (
        [
            (30 * DAY + MINUTE, NXDOMAIN, "failed", None, None),
            (31 * DAY, NXDOMAIN, "failed", None, None),
            (32 * DAY, SERVFAIL, "failed", None, None),
            (99 * DAY, PROOF, "verified", DAY, None),
        ],
        ["failed", "verified"],
    ),
    "missing for some days only": (
        [
            (HOUR, PROOF, "verified", DAY, None),
            (DAY, NXDOMAIN, "verified", HOUR, DAY),
            (2 * DAY, OTHER, "verified", HOUR, DAY),
            (3 * DAY, SERVFAIL, "verified", HOUR, DAY),
            (7 * DAY, NO_ANSWER, "verified", HOUR, DAY),
            (7 * DAY + HOUR, PROOF, "verified", DAY, None),
            (8 * DAY, NXDOMAIN, "verified", HOUR, 8 * DAY),
        ],
        ["verified"],
    ),
    "no answer never loses a domain": (
        [
            (HOUR, PROOF, "verified", DAY, None),
            (DAY, SERVFAIL, "verified", HOUR, None),
            (20 * DAY, SILENCE, "verified", HOUR, None),
            (21 * DAY, NXDOMAIN, "verified", HOUR, 21 * DAY),
            (40 * DAY, REFUSED, "verified", HOUR, 21 * DAY),
            (41 * DAY, PROOF, "verified", DAY, None),
        ],
        ["verified"],
    ),
    "lost and found": (
        [
            (HOUR, PROOF, "verified", DAY, None),
            (DAY, NXDOMAIN, "verified", HOUR, DAY),
            (8 * DAY + MINUTE, NXDOMAIN, "lost", DAY, DAY),
            (9 * DAY, OTHER, "lost", DAY, DAY),
            (10 * DAY, SERVFAIL, "lost", HOUR, DAY),
            (11 * DAY, PROOF, "verified", DAY, None),
            (12 * DAY, NXDOMAIN, "verified", HOUR, 12 * DAY),
        ],
        ["verified", "lost", "verified"],
    ),
    "lost for good": (
        [
            (HOUR, PROOF, "verified", DAY, None),
            (DAY, NXDOMAIN, "verified", HOUR, DAY),
            (8 * DAY + MINUTE, NXDOMAIN, "lost", DAY, DAY),
            (37 * DAY, NXDOMAIN, "lost", DAY, DAY),
            (39 * DAY, SILENCE, "lost", HOUR, DAY),
            (40 * DAY, NXDOMAIN, "failed", None, DAY),
        ],
        ["verified", "lost", "failed"],
    ),
}


@pytest.mark.parametrize("life", LIVES)
def test_the_life_of_a_domain(
    life: str, domains: Domains, hasty: Domains, registry: Registry, nameserver: Nameserver, store: Store, scope: Scope
) -> None:
    rows, tags = LIVES[life]
    domain = new(domains, scope.tenant_id)
    for after, what, state, interval, missing in rows:
        put(nameserver, domain, what)
        with time_machine.travel(domain.created + after):
            checked = check(hasty if what in NEVER_ANSWERED else domains, domain)
        assert checked == registry.domains.find(scope.tenant_id, domain.name)
        assert checked.state == state, after
        assert about(between(domain.created, checked.checked), after)
        assert about(between(checked.checked, checked.next_check), interval), after
        assert about(between(domain.created, checked.missing_since), missing), after
        assert (checked.finding is None) == (what == PROOF)
        domain = checked
    with store.read(scope) as unit:
        found = [each.tag for each in reversed(unit.events.list(50, subject_id=domain.id))]
    assert found == ["operator:domain:added", *(f"system:domain:{each}" for each in tags)]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (NXDOMAIN, "There is no TXT record at _scim-server-challenge.{name}."),
        (NO_ANSWER, "There is no TXT record at _scim-server-challenge.{name}."),
        (SERVFAIL, "DNS did not say whether there is a TXT record at _scim-server-challenge.{name}: 127.0.0.1 port {port}: SERVFAIL."),
        (REFUSED, ": 127.0.0.1 port {port}: REFUSED."),
        (SILENCE, ": 127.0.0.1 port {port}: no answer in time."),
        (["v=spf1 -all"], "At _scim-server-challenge.{name} there is 'v=spf1 -all', and not the value that proves the domain."),
        (["a" * 200, "b\x1b[2J", "c", "d", "e"], f"there is '{'a' * 60}…', "),
        (["a", "b", "c", "d", "e"], " and 2 more, and not the value"),
    ],
)
def test_a_finding_says_what_there_was_instead(
    what: Any, told: str, domains: Domains, hasty: Domains, nameserver: Nameserver, scope: Scope
) -> None:
    domain = new(domains, scope.tenant_id)
    if isinstance(what, list):
        nameserver.has(record(domain).name, *what)
    else:
        put(nameserver, domain, what)
    finding = check(hasty if what == SILENCE else domains, domain).finding
    assert finding is not None
    assert told.format(name=domain.name, port=nameserver.address[1]) in finding
    assert finding.isprintable()
    assert len(finding) < 700


def halves(value: str) -> list[Any]:
    return [[value[:30].encode(), value[30:].encode()]]


@pytest.mark.parametrize(
    ("records", "proved"),
    [
        pytest.param(lambda value: [value], True, id="alone"),
        pytest.param(lambda value: ["v=spf1 -all", value, "another"], True, id="among others"),
        pytest.param(halves, True, id="in several strings"),
        pytest.param(lambda value: [f'"{value}"'], True, id="in quotation marks"),
        pytest.param(lambda value: [f" {value} "], True, id="with blanks"),
        pytest.param(lambda value: [*("x" * 200 + str(each) for each in range(20)), value], True, id="truncated, so over TCP"),
        pytest.param(lambda value: [str(each) for each in range(500)], False, id="more than anybody looks at"),
        pytest.param(lambda value: [value + "x"], False, id="something behind"),
        pytest.param(lambda value: [value.upper()], False, id="upper case"),
        pytest.param(lambda value: [value.partition("=")[2]], False, id="without its name"),
        pytest.param(lambda value: [[b"\xff\xfe", value.encode()]], False, id="not text"),
    ],
)
def test_what_proves_a_domain(records: Any, proved: bool, domains: Domains, nameserver: Nameserver, scope: Scope) -> None:
    domain = new(domains, scope.tenant_id)
    proof = record(domain)
    assert len(proof.value) == len("scim-server-verification=") + 43
    nameserver.has(proof.name, *records(proof.value))
    assert (check(domains, domain).state == "verified") is proved


def test_a_large_answer_comes_over_tcp_and_not_all_of_it_is_looked_at(nameserver: Nameserver, resolver: Resolver) -> None:
    nameserver.has("large.example", *(f"{each}-" + "x" * 200 for each in range(100)))
    found = resolver.texts("large.example")
    assert len(found) == 50
    assert [by for by, name in nameserver.asked if name == "large.example"] == ["udp", "tcp"]


def test_an_alias_is_followed(domains: Domains, nameserver: Nameserver, scope: Scope) -> None:
    domain = new(domains, scope.tenant_id)
    proof = record(domain)
    nameserver.is_alias(proof.name, f"elsewhere-{domain.name}")
    nameserver.has(f"elsewhere-{domain.name}", proof.value)
    assert check(domains, domain).state == "verified"


def test_the_next_server_is_asked_where_one_is_silent(nameserver: Nameserver) -> None:
    nameserver.has("second.example", "here")
    with Nameserver() as silent:
        silent.gives("second.example", SILENCE)
        assert Resolver([silent.address, nameserver.address], each_s=0.5).texts("second.example") == ["here"]
    assert set(silent.asked) == {("udp", "second.example")}


def test_a_machine_without_dns_is_told_what_to_set(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfigured(*_arguments: Any, **_options: Any) -> Any:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", unconfigured)
    with pytest.raises(Unanswered, match="DNS_SERVERS"):
        Resolver().texts("contoso.com")
