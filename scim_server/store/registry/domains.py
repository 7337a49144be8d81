"""E-mail domains of tenants, and how far their proof is. A verified domain belongs to one tenant; the database sees to that.

What the states are, and what leads from one to another, is told by ``tenancy.domains``; here are rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, cast, delete, insert, literal_column, or_, select, update

from scim_server.events import DomainAdded, DomainDirectoryChanged, DomainRemoved, DomainVerified, Event, Principal
from scim_server.store import ids
from scim_server.store.connections import Row
from scim_server.store.documents import instant
from scim_server.store.registry.acts import ID, NOW, TENANT, Part, instant_or_none, text_or_none
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, Instant, domains, tenants

VERIFIED = "verified"
"""The state of which the database knows: in it a name is one tenant's only."""


LONGEST_REST = timedelta(days=2)
"""No domain that is to be checked by itself is left alone for longer."""


@dataclass(frozen=True, slots=True)
class Domain:
    """``name`` in lower case and A-labels (RFC 5890). ``next_check`` is None where there is nothing more to look for."""

    id: str
    tenant_id: str
    tenant_name: str
    name: str
    challenge: str
    state: str
    created: datetime
    verified: datetime | None
    checked: datetime | None
    next_check: datetime | None
    missing_since: datetime | None
    finding: str | None
    directory_id: str | None


_NAMES = ("name", "challenge", "state", "created", "verified", "checked", "next_check", "missing_since", "finding")
_DOMAIN = select(
    cast(domains.c.id, Text),
    cast(domains.c.tenant_id, Text),
    tenants.c.name,
    *(domains.c[name] for name in _NAMES),
    cast(domains.c.directory_id, Text),
).join_from(domains, tenants, domains.c.tenant_id == tenants.c.id)
_IN_STATE = GlobalStatement(_DOMAIN.where(domains.c.name == bindparam("name"), domains.c.state == bindparam("state")))
_NAMED = GlobalStatement(_DOMAIN.where(domains.c.name == bindparam("name"), domains.c.tenant_id == TENANT))
_OF_TENANT = GlobalStatement(_DOMAIN.where(domains.c.tenant_id == TENANT).order_by(domains.c.name))
_NEW: dict[str, Any] = {
    name: bindparam(name) for name in ("tenant_id", "id", "name", "challenge", "state", "created", "verified", "next_check", "finding")
}
_ADD = GlobalStatement(insert(domains).values(_NEW))
_REMOVE = GlobalStatement(delete(domains).where(domains.c.id == ID, domains.c.tenant_id == TENANT).returning(domains.c.name))
# What is put off for longer than any rule does was put off by a node whose clock was wrong.
_DIRECTORY = bindparam("directory_id", type_=Id)
_SIGN_IN_AT = GlobalStatement(
    update(domains)
    .values(directory_id=_DIRECTORY)
    .where(domains.c.id == ID, domains.c.tenant_id == TENANT, domains.c.directory_id.is_distinct_from(_DIRECTORY))
    .returning(domains.c.name)
)
_IS_DUE = or_(domains.c.next_check <= NOW, domains.c.next_check > bindparam("never_so_far", type_=Instant))
_ANY_DUE = GlobalStatement(select(domains.c.name).where(_IS_DUE).limit(literal_column("1")).offset(literal_column("0")))
_DUE = GlobalStatement(
    _DOMAIN.where(_IS_DUE)
    .order_by(domains.c.next_check)
    .limit(bindparam("most"))
    .offset(literal_column("0"))
    .with_for_update(of=domains, skip_locked=True)
)
_LEASE = GlobalStatement(
    update(domains).values(next_check=bindparam("until", type_=Instant)).where(domains.c.id == ID, domains.c.tenant_id == TENANT)
)
_SETTLED = ("state", "verified", "checked", "next_check", "missing_since", "finding")
_SETTLE = GlobalStatement(
    update(domains)
    .values({name: bindparam(f"new_{name}", type_=domains.c[name].type) for name in _SETTLED})
    .where(domains.c.id == ID, domains.c.tenant_id == TENANT)
)
_THERE = GlobalStatement(
    select(domains.c.state, domains.c.checked).where(domains.c.id == ID, domains.c.tenant_id == TENANT).with_for_update()
)


class Domains(Part):
    def add(
        self,
        tenant_id: str,
        name: str,
        challenge: str,
        state: str,
        by: Principal,
        *,
        next_check: datetime | None,
        finding: str | None = None,
    ) -> Domain:
        """A new domain of the tenant. Raises Taken ("domain") if it has it already, or if it is to be verified at once and another has."""
        with self.acting(by) as act:
            act.require_tenant(tenant_id)
            domain_id = ids.new(act.now)
            act.later(
                _ADD,
                taken="domain",
                tenant_id=tenant_id,
                id=domain_id,
                name=name,
                challenge=challenge,
                state=state,
                created=act.now_text,
                verified=act.now_text if state == VERIFIED else None,
                next_check=text_or_none(next_check),
                finding=finding,
            )
            act.record(tenant_id, DomainAdded(domain_id, name))
            if state == VERIFIED:
                act.record(tenant_id, DomainVerified(domain_id, name, assumed=True))
        made = self.find(tenant_id, name)
        assert made is not None
        return made

    def find(self, tenant_id: str, name: str) -> Domain | None:
        """The tenant's domain of that name."""
        rows = self.rows(_NAMED, tenant_id=tenant_id, name=name)
        return _domain(rows[0]) if rows else None

    def in_state(self, name: str, state: str) -> list[Domain]:
        """Whose domain of that name is in that state."""
        return [_domain(row) for row in self.rows(_IN_STATE, name=name, state=state)]

    def lease(self, most: int, by: Principal, now: datetime, until: datetime) -> list[Domain]:
        """Domains that are due to be checked, at most so many; nobody else gets them before ``until``.

        Where nothing is due, that is one look at an index, without a transaction.
        """
        when = {"now": text_or_none(now), "never_so_far": text_or_none(now + LONGEST_REST)}
        if not self.rows(_ANY_DUE, **when):
            return []
        with self.acting(by) as act:
            due = [_domain(row) for row in act.rows(_DUE, **when, most=most)]
            for each in due:
                act.later(_LEASE, id=each.id, tenant_id=each.tenant_id, until=text_or_none(until))
        return due

    def settle(self, before: Domain, after: Domain, by: Principal, event: Event | None) -> bool:
        """Store what a check made of the domain, and the event if there is one.

        False, and nothing is stored, if it was removed meanwhile, or another check was quicker. Raises Taken ("domain") if it is
        verified now, and another tenant's is already.
        """
        values = {name: getattr(after, name) for name in _SETTLED}
        new = {f"new_{name}": text_or_none(value) if isinstance(value, datetime) else value for name, value in values.items()}
        with self.acting(by) as act:
            rows = act.rows(_THERE, id=before.id, tenant_id=before.tenant_id)
            unchanged = [(state, instant_or_none(checked)) for state, checked in rows] == [(before.state, before.checked)]
            if unchanged:
                act.later(_SETTLE, taken="domain", id=before.id, tenant_id=before.tenant_id, **new)
                if event is not None:
                    act.record(before.tenant_id, event)
        return unchanged

    def remove(self, domain: Domain, by: Principal) -> bool:
        """From now on it is not the tenant's; False if it was so already."""
        with self.acting(by) as act:
            rows = act.rows(_REMOVE, id=domain.id, tenant_id=domain.tenant_id)
            if rows:
                act.record(domain.tenant_id, DomainRemoved(domain.id, domain.name))
        return bool(rows)

    def sign_in_at(self, domain: Domain, directory_id: str | None, by: Principal) -> bool:
        """Its people sign in at that directory; None: at whichever. False if it is so already, or the domain is gone."""
        with self.acting(by) as act:
            rows = act.rows(_SIGN_IN_AT, id=domain.id, tenant_id=domain.tenant_id, directory_id=directory_id)
            if rows:
                act.record(domain.tenant_id, DomainDirectoryChanged(domain.id, domain.name, directory_id))
        return bool(rows)

    def list(self, tenant_id: str) -> list[Domain]:
        """The tenant's domains, by name."""
        return [_domain(row) for row in self.rows(_OF_TENANT, tenant_id=tenant_id)]


def _domain(row: Row) -> Domain:
    *texts, created, verified, checked, next_check, missing_since, finding, directory_id = row
    domain_id, tenant_id, tenant_name, name, challenge, state = texts
    return Domain(
        domain_id,
        tenant_id,
        tenant_name,
        name,
        challenge,
        state,
        instant(created),
        instant_or_none(verified),
        instant_or_none(checked),
        instant_or_none(next_check),
        instant_or_none(missing_since),
        finding,
        directory_id,
    )
