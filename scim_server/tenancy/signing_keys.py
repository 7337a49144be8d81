"""The keys that our own access tokens are signed with, and how they change.

    published    at once, so that whoever verifies tokens has it in its cache before it signs anything
    signs        an hour later; the one that began last is the one that signs
    ended        when the next one has signed for so long that nothing it signed is good any more: its private half is forgotten

Every node has them in memory for some minutes. Where there is none, the first that needs one makes it, and it signs at once; two
nodes that do so together make two, which both hold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from scim_server import clock
from scim_server.events import SERVER, Principal
from scim_server.jwt import signing
from scim_server.jwt.signing import Signer
from scim_server.store.registry import Registry, SigningKey
from scim_server.store.sealed import Sealed
from scim_server.tenancy.keys import KeyFault, KeyRing

PRIVATE_KEY = "private_key"
PUBLISHED_BEFORE = timedelta(hours=1)
ROTATED_AFTER = timedelta(days=30)
KEPT_AFTER = timedelta(hours=1)
"""How long a key stays published after the next one began to sign: longer than a token holds, and caches are old."""

_SYSTEM = Principal("system", "signing-keys")
_CACHED_S = 300.0


class SigningKeys:
    """Safe to share between threads."""

    def __init__(self, registry: Registry, ring: KeyRing, now: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._ring = ring
        self._now = now
        self._lock = threading.Lock()
        self._live: list[SigningKey] = []
        self._read = float("-inf")
        self._signers: dict[str, Signer] = {}

    def signer(self) -> Signer:
        """What signs now; made if there is none. Raises KeyFault where there is nothing to seal it with, or its private half is lost."""
        with self._lock:
            key = _signs(self._known())
            if key is None:
                key = self._make(timedelta(0), _SYSTEM)
                self._live = [*self._live, key]
            signer = self._signers.get(key.id)
            if signer is None:
                sealed = self._registry.sealed.get(SERVER, key.id, PRIVATE_KEY)
                if sealed is None:
                    raise KeyFault(
                        f"The signing key {key.id} has no private half any more. Make another: scim-server signing-key rotate --now"
                    )
                signer = self._signers[key.id] = Signer(key.id, self._ring.open(sealed))
            return signer

    def published(self) -> dict[str, dict[str, Any]]:
        """The public halves by id, as JWKs (RFC 7517)."""
        with self._lock:
            return {each.id: each.public for each in self._known()}

    def all(self) -> list[SigningKey]:
        """Those that are published, as they are now."""
        return self._registry.signing_keys.live()

    def rotate(self, by: Principal, *, at_once: bool = False) -> SigningKey:
        """Another key. ``at_once``, for when the one before may be known to somebody: that ends, and what it signed holds no more."""
        before = self._registry.signing_keys.live()
        made = self._make(timedelta(0) if at_once or not before else PUBLISHED_BEFORE, by)
        if at_once:
            for each in before:
                self._registry.signing_keys.end(each.id, by)
        with self._lock:
            self._read = float("-inf")
        return made

    def run_due(self) -> int:
        """Make another key in time, and end those whose time is over. How much there was to do."""
        live, now = self._registry.signing_keys.live(), clock.now()
        if not live:
            return 0
        newest = live[-1]
        if now - newest.created >= ROTATED_AFTER:
            self._make(PUBLISHED_BEFORE, _SYSTEM)
            return 1
        signs = _signs(live)
        over = [each for each in live if signs is not None and each.signs_from < signs.signs_from and now - signs.signs_from >= KEPT_AFTER]
        return sum(self._registry.signing_keys.end(each.id, _SYSTEM) for each in over)

    def _known(self) -> list[SigningKey]:
        if self._now() - self._read >= _CACHED_S:
            self._live = self._registry.signing_keys.live()
            self._read = self._now()
            live = {each.id for each in self._live}
            self._signers = {key_id: signer for key_id, signer in self._signers.items() if key_id in live}
        return self._live

    def _make(self, before: timedelta, by: Principal) -> SigningKey:
        def make(key_id: str) -> tuple[dict[str, Any], Sealed]:
            private, public = signing.generate(key_id)
            return public, self._ring.seal(SERVER, key_id, PRIVATE_KEY, private)

        self._ring.encrypting()  # so that a missing key is told before anything is begun
        return self._registry.signing_keys.add(make, lambda now: now + before, by)


def _signs(live: list[SigningKey]) -> SigningKey | None:
    """The one that began to sign last."""
    now = clock.now()
    return next((each for each in reversed(live) if each.signs_from <= now), None)
