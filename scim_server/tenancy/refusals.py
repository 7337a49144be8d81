"""Who was not let in: told to nobody outside, recorded for those it concerns, within limits.

A refusal is recorded in the log of the tenant whose credential it would have been, or in the
server's own where that cannot be told. Whoever sends rubbish at full speed fills neither: so many
are recorded at once and so many a minute, and the next that is recorded says how many were not.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from scim_server import log
from scim_server.events import SERVER, AuthenticationRefused, Principal, Scope
from scim_server.store.errors import StoreError
from scim_server.store.registry import Grant
from scim_server.store.unit import Store
from scim_server.tenancy.rates import Buckets

_AT_ONCE = 100
_PER_SECOND = 0.1
_MAX_CLAIM = 200


class Refused(Exception):
    """No valid credential. ``reason`` is for the log and the event only; the answer is the same for every reason.

    ``tenant_id`` and ``credential_id`` say whose it would have been, where that is known; ``claims`` what an unproved
    token says of itself. ``presented`` tells whether there was a credential at all (RFC 6750 §3.1).
    """

    def __init__(
        self,
        reason: str,
        *,
        presented: bool = True,
        tenant_id: str | None = None,
        credential_id: str | None = None,
        claims: dict[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.presented = presented
        self.tenant_id = tenant_id
        self.credential_id = credential_id
        self.claims = claims or {}


class Unauthenticated(Refused):
    """401."""


class Suspended(Refused):
    """403: the credential is good, and its tenant is suspended."""


class InsufficientScope(Refused):
    """403: the credential is good, but not for that (RFC 6750 §3.1). ``needed`` is the scope."""

    def __init__(self, needed: str, *, tenant_id: str, credential_id: str) -> None:
        super().__init__(f"needs {needed}", tenant_id=tenant_id, credential_id=credential_id)
        self.needed = needed


def of(kind: type[Refused], reason: str, grant: Grant, claims: dict[str, str] | None = None) -> Refused:
    """The refusal of somebody whose credential it would be."""
    return kind(reason, tenant_id=grant.tenant_id, credential_id=grant.credential_id, claims=claims)


class Refusals:
    """The record of refusals. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._buckets = Buckets()
        self._suppressed: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def record(self, refusal: Refused, address: str, request_id: str) -> None:
        """Append the event, or count it. A database that does not take it does not change the answer."""
        if not refusal.presented:
            return
        log_of = refusal.tenant_id or SERVER
        with self._lock:
            if self._buckets.take(log_of, _PER_SECOND, _AT_ONCE):
                self._suppressed[log_of] += 1
                return
            suppressed = self._suppressed.pop(log_of, 0)
        claims = {name: value[:_MAX_CLAIM] for name, value in refusal.claims.items()}
        event = AuthenticationRefused(refusal.credential_id or "", refusal.reason, address, claims, suppressed)
        scope = Scope(log_of, Principal("system", "authentication"), request_id)
        try:
            with self._store.write(scope) as unit:
                unit.events.append(event)
        except StoreError as fault:
            with self._lock:
                self._suppressed[log_of] += suppressed + 1
            log.get().warning("refusal_not_recorded", reason=refusal.reason, fault=type(fault).__name__, request_id=request_id)
