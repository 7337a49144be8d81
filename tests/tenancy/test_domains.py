"""Domains of tenants: adding and removing them, who has one of several that want it, and checking what is due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import time_machine

from scim_server import clock, log
from scim_server.events import Scope
from scim_server.store.engine import create_engine
from scim_server.store.errors import StoreError, Taken, Unavailable
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry
from scim_server.store.registry.acts import Act
from scim_server.store.unit import Store
from scim_server.tenancy import domains as tenancy_domains
from scim_server.tenancy.domain_names import NotADomain
from scim_server.tenancy.domains import Domains, MayNotAssume, Resolver, TooManyDomains, holder, record
from tests.conftest import Databases
from tests.nameserver import NXDOMAIN, Nameserver
from tests.tenancy.conftest import DAY, HOUR, MINUTE, PROOF, about, between, check, new, put
from tests.tenants import OPERATOR


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was written to the log since it was asked last."""
    log.configure("INFO")
    yield lambda: capsys.readouterr().err
    log.configure("INFO")


class Alone(NamedTuple):
    """A database in which nothing else comes due, with one tenant."""

    domains: Domains
    registry: Registry
    tenant_id: str


@pytest.fixture
def alone(databases: Databases, resolver: Resolver) -> Iterator[Alone]:
    engine = create_engine(databases.migrated(), pool_size=4, role=ROLE)
    registry = Registry(engine)
    yield Alone(Domains(registry, resolver), registry, registry.tenants.create("alone", OPERATOR, "rfc").id)
    engine.dispose()


def test_of_two_tenants_the_first_with_a_proof_has_the_domain(
    domains: Domains, registry: Registry, nameserver: Nameserver, store: Store, scope: Scope, other_scope: Scope
) -> None:
    mine = new(domains, scope.tenant_id)
    theirs = new(domains, other_scope.tenant_id, mine.name)
    assert mine.challenge != theirs.challenge
    nameserver.has(record(mine).name, record(theirs).value)
    mine = check(domains, mine)
    assert mine.state == "pending"
    nameserver.has(record(mine).name, record(mine).value, record(theirs).value)
    mine = check(domains, mine)
    assert mine.state == "verified"

    for _ in range(2):  # the second time somebody asks, it has failed before
        theirs = check(domains, theirs)
        assert (theirs.state, theirs.next_check) == ("failed", None)
        assert theirs.finding == "Its proof is there, but the domain was proved for another customer before."
    with store.read(other_scope) as unit:
        assert [each.tag for each in unit.events.list(50)] == ["system:domain:failed", "operator:domain:added", "operator:tenant:created"]
    assert holder(registry, mine.name) == mine

    assert domains.remove(mine, OPERATOR)
    assert not domains.remove(mine, OPERATOR)
    assert check(domains, theirs).state == "verified"
    found = holder(registry, f"anna@{mine.name}")
    assert found is not None
    assert found.tenant_id == other_scope.tenant_id


def test_a_lost_domain_that_another_has_by_now_is_not_found_again(
    domains: Domains, nameserver: Nameserver, scope: Scope, other_scope: Scope
) -> None:
    mine = new(domains, scope.tenant_id)
    put(nameserver, mine, PROOF)
    mine = check(domains, mine)
    put(nameserver, mine, NXDOMAIN)
    for days in (1, 9):
        with time_machine.travel(mine.created + days * DAY):
            mine = check(domains, mine)
    assert mine.state == "lost"
    theirs = new(domains, other_scope.tenant_id, mine.name)
    nameserver.has(record(mine).name, record(mine).value, record(theirs).value)
    assert check(domains, theirs).state == "verified"
    assert check(domains, mine).state == "failed"


@pytest.mark.parametrize("nobodys", ["", "@", "anna", "anna@", "gmail.com", "anna@gmail.com", "x" * 5000, "nobody.example", "a@b@"])
def test_what_nobody_has_proved_has_no_holder(nobodys: str, registry: Registry) -> None:
    assert holder(registry, nobodys) is None


def test_a_holder_has_a_verified_domain_and_no_subdomain_of_it(
    domains: Domains, registry: Registry, nameserver: Nameserver, scope: Scope
) -> None:
    domain = new(domains, scope.tenant_id)
    assert holder(registry, f"anna@{domain.name}") is None
    put(nameserver, domain, PROOF)
    domain = check(domains, domain)
    for written in (domain.name, domain.name.upper() + ".", f"Anna@{domain.name}", f'"a@b"@{domain.name}'):
        assert holder(registry, written) == domain
    assert holder(registry, f"anna@mail.{domain.name}") is None


def test_adding_again_changes_nothing(domains: Domains, scope: Scope, other_scope: Scope) -> None:
    domain = new(domains, scope.tenant_id)
    assert domain.state == "pending"
    assert about(between(domain.created, domain.next_check), 10 * MINUTE)
    assert domains.add(scope.tenant_id, f" {domain.name.upper()}. ", OPERATOR) == (domain, False)
    new(domains, other_scope.tenant_id, domain.name)


def test_what_cannot_be_added(domains: Domains, registry: Registry, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotADomain):
        domains.add(scope.tenant_id, "gmail.com", OPERATOR)
    with pytest.raises(StoreError, match="no such tenant"):
        domains.add(str(uuid4()), "contoso.example", OPERATOR)
    with pytest.raises(MayNotAssume):
        domains.add(scope.tenant_id, "contoso.example", OPERATOR, assume_verified=True)
    monkeypatch.setattr(tenancy_domains, "MOST_DOMAINS", 2)
    for name in ("one.example", "two.example"):
        new(domains, scope.tenant_id, name)
    with pytest.raises(TooManyDomains):
        domains.add(scope.tenant_id, "three.example", OPERATOR)
    assert [each.name for each in registry.domains.list(scope.tenant_id)] == ["one.example", "two.example"]


def test_a_domain_taken_without_proof(
    registry: Registry, resolver: Resolver, nameserver: Nameserver, scope: Scope, other_scope: Scope
) -> None:
    domains = Domains(registry, resolver, may_assume=True)
    pending = new(domains, scope.tenant_id)
    assumed, is_new = domains.add(scope.tenant_id, pending.name, OPERATOR, assume_verified=True)
    assert (assumed.state, assumed.next_check, is_new) == ("verified", None, False)
    assert domains.add(scope.tenant_id, pending.name, OPERATOR, assume_verified=True) == (assumed, False)
    with pytest.raises(Taken):
        domains.add(other_scope.tenant_id, pending.name, OPERATOR, assume_verified=True)

    straight, is_new = domains.add(scope.tenant_id, f"d-{uuid4().hex}.example", OPERATOR, assume_verified=True)
    assert (straight.state, straight.next_check, is_new) == ("verified", None, True)
    assert straight.finding == "It was added as verified, without proof."
    assert holder(registry, straight.name) == straight
    put(nameserver, straight, NXDOMAIN)
    for days in (1, 100):
        with time_machine.travel(straight.created + days * DAY):
            straight = check(domains, straight)
        assert (straight.state, straight.next_check, straight.missing_since) == ("verified", None, None)
    put(nameserver, straight, PROOF)
    straight = check(domains, straight)
    assert (straight.state, straight.next_check is None, straight.finding) == ("verified", False, None)


def test_of_two_checks_at_once_one_counts(domains: Domains, nameserver: Nameserver, store: Store, scope: Scope) -> None:
    domain = new(domains, scope.tenant_id)
    put(nameserver, domain, PROOF)
    first = check(domains, domain)
    put(nameserver, domain, NXDOMAIN)
    assert check(domains, domain) == first  # it read the domain before the first one was done
    with store.read(scope) as unit:
        assert [each.tag for each in unit.events.list(50, subject_id=domain.id)] == ["system:domain:verified", "operator:domain:added"]


def test_a_domain_removed_while_it_is_checked_stays_removed(
    domains: Domains, registry: Registry, nameserver: Nameserver, scope: Scope
) -> None:
    domain = new(domains, scope.tenant_id)
    put(nameserver, domain, PROOF)
    domains.remove(domain, OPERATOR)
    assert domains.check(domain, OPERATOR) is None
    assert registry.domains.list(scope.tenant_id) == []


def test_what_is_due_is_checked_and_nothing_else(alone: Alone, nameserver: Nameserver) -> None:
    assert alone.domains.run_due(10) == 0
    made = [new(alone.domains, alone.tenant_id) for _ in range(3)]
    put(nameserver, made[0], PROOF)
    assert alone.domains.run_due(10) == 0
    with time_machine.travel(clock.now() + 11 * MINUTE):
        assert [alone.domains.run_due(2), alone.domains.run_due(2), alone.domains.run_due(2)] == [2, 1, 0]
    found = {each.name: each.state for each in alone.registry.domains.list(alone.tenant_id)}
    assert found == {made[0].name: "verified", made[1].name: "pending", made[2].name: "pending"}


def test_what_a_node_with_a_wrong_clock_put_off_for_a_year_is_checked(alone: Alone, nameserver: Nameserver) -> None:
    made = new(alone.domains, alone.tenant_id)
    put(nameserver, made, PROOF)
    with time_machine.travel(clock.now() + timedelta(days=365)):
        assert alone.domains.run_due(10) == 1
    (found,) = alone.registry.domains.list(alone.tenant_id)
    assert found.next_check is not None
    assert found.next_check > clock.now() + timedelta(days=300)
    assert alone.domains.run_due(10) == 1
    (found,) = alone.registry.domains.list(alone.tenant_id)
    assert found.next_check is not None
    assert found.next_check < clock.now() + timedelta(days=2)


def test_of_several_processes_one_checks(alone: Alone, nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second asks what is due between the first one's asking and its taking it on."""
    made = [new(alone.domains, alone.tenant_id) for _ in range(3)]
    before = len(nameserver.asked)
    asked, answered = threading.Event(), threading.Event()
    later = Act.later

    def late(self: Act, *arguments: Any, **values: Any) -> None:
        asked.set()
        answered.wait(0.5)  # on SQLite the second waits for the first one's commit
        later(self, *arguments, **values)

    counts: dict[str, int] = {}

    def first() -> None:
        counts["first"] = alone.domains.run_due(5)

    monkeypatch.setattr(Act, "later", late)
    with time_machine.travel(clock.now() + 11 * MINUTE):
        thread = threading.Thread(target=first)
        thread.start()
        assert asked.wait(10)
        counts["second"] = alone.domains.run_due(5)
        answered.set()
        thread.join(30)
    assert counts == {"first": 3, "second": 0}
    assert sorted(name for _, name in nameserver.asked[before:]) == sorted(record(each).name for each in made)


def test_what_a_process_that_died_had_taken_on_comes_due_again(alone: Alone) -> None:
    domain = new(alone.domains, alone.tenant_id)
    registry = alone.registry.domains
    with time_machine.travel(clock.now() + 11 * MINUTE):
        now = clock.now()
        assert [each.id for each in registry.lease(5, OPERATOR, now, now + 2 * MINUTE)] == [domain.id]
        assert alone.domains.run_due(5) == 0
    with time_machine.travel(clock.now() + 14 * MINUTE):
        assert alone.domains.run_due(5) == 1


def test_one_domain_that_cannot_be_checked_keeps_no_other_from_it(
    alone: Alone, nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    bad, good = new(alone.domains, alone.tenant_id, "a.example"), new(alone.domains, alone.tenant_id, "b.example")
    put(nameserver, good, PROOF)
    texts = Resolver.texts

    def failing(self: Resolver, name: str) -> list[str]:
        if name == record(bad).name:
            raise ZeroDivisionError
        return texts(self, name)

    monkeypatch.setattr(Resolver, "texts", failing)
    with time_machine.travel(clock.now() + 11 * MINUTE):
        assert alone.domains.run_due(5) == 2
    assert "domain_check_failed" in logged()
    assert [each.state for each in alone.registry.domains.list(alone.tenant_id)] == ["pending", "verified"]


@pytest.mark.parametrize("act", ["lease", "settle"])
def test_a_database_that_is_away_is_told(act: str, alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes after it would fail, too."""

    def away(*_arguments: Any) -> Any:
        raise Unavailable("away")

    new(alone.domains, alone.tenant_id)
    monkeypatch.setattr(alone.registry.domains, act, away)
    with time_machine.travel(clock.now() + 11 * MINUTE), pytest.raises(Unavailable):
        alone.domains.run_due(1)


def test_a_proof_that_goes_missing_is_in_the_log_once(
    domains: Domains, nameserver: Nameserver, scope: Scope, logged: Callable[[], str]
) -> None:
    domain = new(domains, scope.tenant_id)
    put(nameserver, domain, PROOF)
    domain = check(domains, domain)
    put(nameserver, domain, NXDOMAIN)
    for hours, told in ((1, "domain_proof_missing"), (2, ""), (9 * 24, "domain_lost"), (10 * 24, "")):
        logged()
        with time_machine.travel(domain.created + hours * HOUR):
            domain = check(domains, domain)
        line = logged()
        assert bool(line) is bool(told)
        assert told in line
        assert domain.challenge not in line


def test_a_domain_is_found_by_its_tenant_only(domains: Domains, registry: Registry, scope: Scope, other_scope: Scope) -> None:
    domain = new(domains, scope.tenant_id)
    assert registry.domains.find(other_scope.tenant_id, domain.name) is None
    assert registry.domains.list(other_scope.tenant_id) == []
    stolen = replace(domain, tenant_id=other_scope.tenant_id)
    assert domains.check(stolen, OPERATOR) is None
    assert not domains.remove(stolen, OPERATOR)
    assert registry.domains.find(scope.tenant_id, domain.name) == domain
