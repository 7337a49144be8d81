"""What holds for every credential, whatever opened it: not ended, from an allowed network, of a tenant that is not suspended."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from ipaddress import ip_address

from scim_server import clock, log
from scim_server.store.errors import StoreError
from scim_server.store.registry import Grant, Registry
from scim_server.tenancy import refusals
from scim_server.tenancy.client import Client
from scim_server.tenancy.profiles import PROFILES
from scim_server.tenancy.refusals import Suspended, Unauthenticated

WARN_BEFORE = timedelta(days=30)
"""How long before its end a credential is said to end soon."""

_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_RETRY_S = 30.0
_WARN_EVERY_S = 86_400.0


class Admission:
    """Lets grants in, and notes when they were last used. Safe to share between threads."""

    def __init__(self, registry: Registry) -> None:
        self._grants = registry.grants
        self._noted: dict[str, float] = {}
        self._warned: dict[str, float] = {}
        self._lock = threading.Lock()

    def admit(self, grant: Grant, address: str, claims: dict[str, str] | None = None) -> Client:
        """The client. Raises Unauthenticated, or Suspended."""
        now = clock.now()
        if grant.revoked:
            raise refusals.of(Unauthenticated, "revoked", grant, claims)
        if grant.expires is not None and grant.expires <= now:
            raise refusals.of(Unauthenticated, "expired", grant, claims)
        if not _from_within(grant, address):
            raise refusals.of(Unauthenticated, "not from an allowed network", grant, claims)
        if grant.suspended:
            raise refusals.of(Suspended, "tenant suspended", grant, claims)
        if grant.last_used is None or now - grant.last_used > _USE_IS_NOTED_EVERY:
            self._note(grant, address)
        return Client(grant.tenant_id, grant.tenant_name, grant.credential_id, PROFILES[grant.profile], grant.scopes, grant.schemas)

    def _note(self, grant: Grant, address: str) -> None:
        """Once a minute at most, whatever the number of processes; a database that does not take it changes nothing."""
        if not self._due(self._noted, grant.credential_id, _RETRY_S):
            return
        now = clock.now()
        try:
            self._grants.used(grant, address, now, now - _USE_IS_NOTED_EVERY)
        except StoreError as fault:
            log.get().warning("use_not_noted", credential=grant.credential_id, fault=type(fault).__name__)
        if grant.lasts is not None and grant.lasts - now < WARN_BEFORE and self._due(self._warned, grant.credential_id, _WARN_EVERY_S):
            log.get().warning(
                "credential_ends_soon", tenant=grant.tenant_name, credential=grant.credential_id, ends=grant.lasts.isoformat()
            )

    def _due(self, times: dict[str, float], key: str, every: float) -> bool:
        """Whether it was not done for so long; then it counts as done now."""
        now = time.monotonic()
        with self._lock:
            if now - times.get(key, -every) < every:
                return False
            times[key] = now
            return True


def _from_within(grant: Grant, address: str) -> bool:
    if not grant.networks:
        return True
    try:
        came_from = ip_address(address)
    except ValueError:  # a Unix socket has none
        return False
    return any(came_from in network for network in grant.networks)
