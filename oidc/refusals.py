"""Sign-ins that do not come about: why, what the person is told, and the record of it within limits.

What a stranger can cause at will is recorded in the server's own log or the tenant's, so many at once and so many a minute; the next
that is recorded says how many were not.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

from scim_server import log
from scim_server.events import SERVER, Authentication, Principal, Scope, SignInRefused
from scim_server.store.errors import StoreError
from scim_server.store.unit import Store
from scim_server.tenancy.rates import Buckets

SIGN_IN = Principal("system", "sign-in")

_AT_ONCE = 300
_PER_SECOND = 1.0


class SignInFailed(Exception):
    """``reason`` is a stable word, for the page and the event; ``detail`` says more, for the event only.

    ``groups`` are names of those of which one would let the person in, ``group_ids`` their object ids. ``retry``: it is worth trying
    again, after ``retry_after`` seconds if that is known. ``user_id``: whom it would have been. ``begun_at``: the ``tid`` of the directory
    where it was begun, to begin again.

    ``tenant_name`` and ``contact``, whom to ask there, are for whoever is proved to be of the tenant: nobody else is told them.
    """

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        tenant_id: str | None = None,
        begun_at: str | None = None,
        tenant_name: str | None = None,
        contact: str | None = None,
        user_id: str | None = None,
        address: str | None = None,
        groups: Sequence[str] = (),
        group_ids: Sequence[str] = (),
        claims: Mapping[str, str] | None = None,
        authentication: Authentication | None = None,
        retry: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.tenant_id = tenant_id
        self.begun_at = begun_at
        self.tenant_name = tenant_name
        self.contact = contact
        self.user_id = user_id
        self.address = address
        self.groups = tuple(groups)
        self.group_ids = tuple(group_ids)
        self.claims = dict(claims or {})
        self.authentication = authentication or Authentication()
        self.retry = retry
        self.retry_after = retry_after


class RefusedSignIns:
    """The record of them. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._buckets = Buckets()
        self._suppressed: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def record(self, failure: SignInFailed, request_id: str) -> None:
        """Append the event, or count it. A database that does not take it does not change the answer."""
        log_of = failure.tenant_id or SERVER
        with self._lock:
            if self._buckets.take(log_of, _PER_SECOND, _AT_ONCE):
                self._suppressed[log_of] += 1
                return
            suppressed = self._suppressed.pop(log_of, 0)
        event = SignInRefused(
            failure.user_id or "",
            failure.reason,
            failure.authentication,
            failure.detail,
            failure.group_ids or failure.groups,
            failure.claims,
            suppressed,
        )
        try:
            with self._store.write(Scope(log_of, SIGN_IN, request_id)) as unit:
                unit.events.append(event)
        except StoreError as fault:
            with self._lock:
                self._suppressed[log_of] += suppressed + 1
            log.get().warning("refusal_not_recorded", reason=failure.reason, fault=type(fault).__name__, request_id=request_id)
