"""E-mail domains: who has one, proved by a TXT record that only its owner can make (an underscored name, RFC 8552).

    state      a check finds          what becomes of it
    ─────────  ─────────────────────  ────────────────────────────────────────────────────────────────────────────────────────
    pending    the proof              verified
               none                   checked again, the older the rarer: after 10 minutes first, after 6 hours at last;
                                      30 days after it was added: failed
    verified   the proof              checked again after a day
               none                   still verified; noted since when, and checked again after an hour;
                                      7 days after it was first missed: lost
    lost       the proof              verified
               none                   checked again after a day; 37 days after it was first missed: failed
    failed     the proof              verified
               none                   failed: it is checked only when somebody asks for it
    any        the proof, but it is   failed; whose it is is not said
               another's already
    any        no answer from DNS     as it was, checked again after an hour or earlier: that is no missing proof, however long
                                      it lasts

A domain that was added as verified without proof is never checked by itself; a proof that somebody has looked for makes it
like any other. A subdomain is a domain of its own. Losing a domain moves nobody: people are known by their directory's ids.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

import dns.exception
import dns.nameserver
import dns.rdtypes.txtbase
import dns.resolver

from scim_server import clock, log
from scim_server.events import DomainFailed, DomainLost, DomainVerified, Event, Principal
from scim_server.store.errors import StoreError, Taken
from scim_server.store.registry import Domain, Registry
from scim_server.store.registry.domains import VERIFIED
from scim_server.tenancy.domain_names import NotADomain, normalise

PENDING, FAILED, LOST = "pending", "failed", "lost"
MOST_DOMAINS = 1000
"""Domains of one tenant: each is asked for in DNS again and again."""

_LABEL = "_scim-server-challenge"
_VALUE = "scim-server-verification="

_FIRST_INTERVAL, _LAST_INTERVAL = timedelta(minutes=10), timedelta(hours=6)
_PENDING_FOR = timedelta(days=30)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MISSING_FOR = timedelta(days=7)
_LOST_FOR = timedelta(days=30)
_LEASE, _LEASE_EACH = timedelta(minutes=1), timedelta(seconds=15)

_MOST_RECORDS = 50
_MOST_SHOWN, _LONGEST_SHOWN = 3, 60
_ASSUMED = "It was added as verified, without proof."
_ANOTHERS = "Its proof is there, but the domain was proved for another customer before."
_HOUSEKEEPING = Principal("system", "housekeeping")


class TooManyDomains(Exception):
    """The tenant has MOST_DOMAINS already."""


class MayNotAssume(Exception):
    """This server takes no domain without proof: ALLOW_CUSTOM_CLOUD is not set."""


class Unanswered(Exception):
    """DNS did not answer, or not in a way that says whether there is a record. The text says who did what."""


@dataclass(frozen=True, slots=True)
class Record:
    """The TXT record that proves a domain, as it is typed into the console of whoever hosts its DNS."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look into DNS gave. ``proof`` is None if DNS did not answer; ``finding`` says, for people, what there was instead of it."""

    proof: bool | None
    finding: str = ""


def record(domain: Domain) -> Record:
    return Record(f"{_LABEL}.{domain.name}", _VALUE + domain.challenge)


def holder(registry: Registry, address_or_domain: str) -> Domain | None:
    """The verified domain that it is, or that the e-mail address is in: it says which tenant's. None for whatever has no holder.

    It may choose whose sign-in page somebody sees, and never which tenant he comes to.
    """
    try:
        name = normalise(address_or_domain.rpartition("@")[2])
    except NotADomain:
        return None
    found = registry.domains.in_state(name, VERIFIED)
    return found[0] if found else None


class Resolver:
    """Asks these DNS servers (address and port), or the system's if there are none. Safe to share between threads."""

    def __init__(self, servers: Sequence[tuple[str, int]] = (), *, each_s: float = 3.0, in_all_s: float = 6.0) -> None:
        self._servers = tuple(servers)
        self._each_s = each_s
        self._in_all_s = in_all_s

    def texts(self, name: str) -> list[str]:
        """The TXT records of that name, the strings of each joined (as in RFC 7208 §3.3); none if there is no such name.

        Raises Unanswered.
        """
        try:
            answer = self._stub().resolve(name + ".", "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as fault:
            raise Unanswered(_reason(fault)) from fault
        records = (each for each in answer if isinstance(each, dns.rdtypes.txtbase.TXTBase))
        return [b"".join(each.strings).decode(errors="replace") for each in islice(records, _MOST_RECORDS)]

    def _stub(self) -> dns.resolver.Resolver:
        """Made anew for each question: the system's servers may have changed."""
        stub = dns.resolver.Resolver(configure=not self._servers)
        if self._servers:
            stub.nameservers = [dns.nameserver.Do53Nameserver(*each) for each in self._servers]
        stub.timeout, stub.lifetime = self._each_s, self._in_all_s
        return stub


class Domains:
    """The use cases. ``may_assume`` is whether domains may be added as verified without proof (ALLOW_CUSTOM_CLOUD)."""

    def __init__(self, registry: Registry, resolver: Resolver, *, may_assume: bool = False) -> None:
        self._domains = registry.domains
        self._resolver = resolver
        self._may_assume = may_assume

    def add(self, tenant_id: str, text: str, by: Principal, *, assume_verified: bool = False) -> tuple[Domain, bool]:
        """The domain as the tenant's, to be proved; and whether it is new: one that is there keeps its challenge.

        Raises NotADomain, TooManyDomains, StoreError if there is no such tenant; and with ``assume_verified`` MayNotAssume, or
        Taken if another tenant has proved it.
        """
        name = normalise(text)
        if assume_verified and not self._may_assume:
            raise MayNotAssume
        there = {each.name: each for each in self._domains.list(tenant_id)}
        if name in there:
            return self._assumed(there[name], by) if assume_verified else there[name], False
        if len(there) >= MOST_DOMAINS:
            raise TooManyDomains
        challenge = secrets.token_urlsafe(32)
        try:
            if assume_verified:
                return self._domains.add(tenant_id, name, challenge, VERIFIED, by, next_check=None, finding=_ASSUMED), True
            return self._domains.add(tenant_id, name, challenge, PENDING, by, next_check=clock.now() + _FIRST_INTERVAL), True
        except Taken:  # by somebody who added it at the same time for the same tenant, or by another tenant
            found = self._domains.find(tenant_id, name)
            if found is None or (assume_verified and found.state != VERIFIED):
                raise
            return found, False

    def check(self, domain: Domain, by: Principal) -> Domain | None:
        """The domain after a look into DNS, whatever its state. None if it was removed meanwhile."""
        after, event = judge(domain, self._look(domain), clock.now())
        try:
            settled = self._domains.settle(domain, after, by, event)
        except Taken:
            after = replace(domain, state=FAILED, checked=after.checked, next_check=None, missing_since=None, finding=_ANOTHERS)
            event = None if domain.state == FAILED else DomainFailed(domain.id, domain.name, _ANOTHERS)
            settled = self._domains.settle(domain, after, by, event)
        if not settled:
            return self._domains.find(domain.tenant_id, domain.name)
        _tell(domain, after)
        return after

    def run_due(self, most: int) -> int:
        """Check what is due, at most so many; how many those were. Of several processes one does each. Raises StoreError."""
        now = clock.now()
        due = self._domains.lease(most, _HOUSEKEEPING, now, now + _LEASE + most * _LEASE_EACH)
        for domain in due:
            try:
                self.check(domain, _HOUSEKEEPING)
            except StoreError:
                raise
            except Exception:  # one domain that nobody foresaw must not keep the others from being checked
                log.get().exception("domain_check_failed", domain=domain.name, tenant=domain.tenant_name)
        return len(due)

    def remove(self, domain: Domain, by: Principal) -> bool:
        """From now on it is not the tenant's. False if it was so already."""
        return self._domains.remove(domain, by)

    def _assumed(self, domain: Domain, by: Principal) -> Domain:
        if domain.state == VERIFIED:
            return domain
        after = replace(domain, state=VERIFIED, verified=clock.now(), next_check=None, missing_since=None, finding=_ASSUMED)
        settled = self._domains.settle(domain, after, by, DomainVerified(domain.id, domain.name, assumed=True))
        return after if settled else domain

    def _look(self, domain: Domain) -> Seen:
        wanted = record(domain)
        try:
            texts = self._resolver.texts(wanted.name)
        except Unanswered as fault:
            return Seen(None, f"DNS did not say whether there is a TXT record at {wanted.name}: {fault}.")
        # Some consoles keep the quotation marks and blanks that were typed along.
        if any(each.strip(' "') == wanted.value for each in texts):
            return Seen(True)
        if not texts:
            return Seen(False, f"There is no TXT record at {wanted.name}.")
        return Seen(False, f"At {wanted.name} there is {_listed(texts)}, and not the value that proves the domain.")


def judge(domain: Domain, seen: Seen, now: datetime) -> tuple[Domain, Event | None]:
    """What becomes of the domain: the table above, but for what other tenants have."""
    after = replace(domain, checked=now, finding=seen.finding or None)
    if seen.proof is None:
        return replace(after, next_check=domain.next_check and now + min(_HOUR, _interval(domain, now))), None
    if seen.proof:
        proved = replace(after, next_check=now + _DAY, missing_since=None)
        if domain.state == VERIFIED:
            return proved, None
        return replace(proved, state=VERIFIED, verified=now), DomainVerified(domain.id, domain.name)
    if domain.state == FAILED or (domain.state == VERIFIED and domain.next_check is None):
        return after, None
    if domain.state == VERIFIED:
        after = replace(after, missing_since=domain.missing_since or now)
    if now >= _deadline(after):
        if domain.state == VERIFIED:
            return replace(after, state=LOST, next_check=now + _DAY), DomainLost(domain.id, domain.name, seen.finding)
        return replace(after, state=FAILED, next_check=None), DomainFailed(domain.id, domain.name, seen.finding)
    return replace(after, next_check=now + _interval(after, now)), None


def _deadline(domain: Domain) -> datetime:
    """Until when the proof may be missing in this state."""
    if domain.state == PENDING:
        return domain.created + _PENDING_FOR
    since = domain.missing_since or domain.created
    return since + (_MISSING_FOR if domain.state == VERIFIED else _MISSING_FOR + _LOST_FOR)


def _interval(domain: Domain, now: datetime) -> timedelta:
    """How long to the next check after one that found no proof."""
    if domain.state == PENDING:
        return min(max((now - domain.created) / 4, _FIRST_INTERVAL), _LAST_INTERVAL)
    return _HOUR if domain.state == VERIFIED else _DAY


def _tell(before: Domain, after: Domain) -> None:
    """The log hears of what somebody may have to do something about."""
    if after.state == LOST != before.state:
        log.get().warning("domain_lost", domain=after.name, tenant=after.tenant_name, finding=after.finding)
    elif after.missing_since and not before.missing_since:
        ends = after.missing_since + _MISSING_FOR
        log.get().warning("domain_proof_missing", domain=after.name, tenant=after.tenant_name, finding=after.finding, lost=ends.isoformat())


def _listed(texts: list[str]) -> str:
    """Some of the values, shortened, in an order of ours: DNS has none. Never a control character (``repr``)."""
    texts = sorted(texts)
    shown = [repr(each if len(each) <= _LONGEST_SHOWN else f"{each[:_LONGEST_SHOWN]}…") for each in texts[:_MOST_SHOWN]]
    more = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _reason(fault: Exception) -> str:
    """Which server did what; in a few words."""
    if isinstance(fault, dns.resolver.NoResolverConfiguration):
        return "this machine has no DNS server configured, so DNS_SERVERS must name one"
    errors = (getattr(fault, "kwargs", None) or {}).get("errors") or []
    told = dict.fromkeys(f"{server.removeprefix('Do53:').replace('@', ' port ')}: {_in_words(error)}" for server, _, _, error, _ in errors)
    return "; ".join(list(told)[:_MOST_SHOWN]) or type(fault).__name__


def _in_words(error: Exception | str) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, dns.exception.Timeout):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
