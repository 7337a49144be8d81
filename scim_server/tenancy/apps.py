"""The SaaS's own programs, as confidential clients (RFC 6749 §2.1): they may ask whether a token of ours holds (RFC 7662)."""

from __future__ import annotations

import hashlib
import secrets

from scim_server.events import Principal
from scim_server.store.errors import Taken
from scim_server.store.registry import App, Registry

MAX_NAME = 100
_PREFIX = "scim_app_"
_MAX_SECRET = 200


class Unusable(ValueError):
    """What was asked for cannot be. The text says why, and how to mend it."""


class Apps:
    """Safe to share between threads."""

    def __init__(self, registry: Registry) -> None:
        self._apps = registry.apps

    def add(self, name: str, by: Principal) -> tuple[App, str]:
        """A new one, and its secret, which is not to be had again. Raises Unusable."""
        if not (0 < len(name.strip()) <= MAX_NAME and name.isprintable()):
            raise Unusable(f"A name has 1 to {MAX_NAME} printable characters.")
        secret = _new()
        try:
            return self._apps.add(name.strip(), _digest(secret), by), secret
        except Taken:
            raise Unusable(f"There is an app {name.strip()!r} already. Choose another name, or give that one another secret.") from None

    def get(self, name_or_id: str) -> App | None:
        return next((each for each in self._apps.list() if name_or_id in (each.name, each.id)), None)

    def list(self) -> list[App]:
        """By name."""
        return self._apps.list()

    def authenticate(self, client_id: str, secret: str) -> App | None:
        """The one that has this id and this secret. The look-up is by the secret's hash, so its time tells nothing."""
        return self._apps.opened(client_id, _digest(secret)) if 0 < len(secret) <= _MAX_SECRET else None

    def rotate(self, app: App, by: Principal) -> str | None:
        """Another secret, in place of the one before; None if it was removed meanwhile."""
        secret = _new()
        return secret if self._apps.rotate(app, _digest(secret), by) else None

    def remove(self, app: App, by: Principal) -> bool:
        """False if it was so already."""
        return self._apps.remove(app, by)


def _new() -> str:
    return _PREFIX + secrets.token_urlsafe(32)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
