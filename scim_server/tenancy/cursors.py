"""Cursors (RFC 9865): where a walk through results stands, as text that only we can read and nobody can make.

The key is the tenant's own, random, and in the database: so a cursor holds on every node and after a restart with nothing to
configure, and another tenant's is as good as none. It protects little: what a page may show is decided anew at each page, by who
asks, and whoever reads the database needs no cursor. docs/decisions/paging.md has the reasons.
"""

from __future__ import annotations

from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken

from scim_server import clock
from scim_server.scim.errors import ExpiredCursor, InvalidCursor
from scim_server.scim.paging import CURSOR_TIMEOUT_S
from scim_server.store.registry import Registry

_MOST_TENANTS = 10_000
_LONGEST = 8192


class Cursors:
    """Safe to share between threads."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._keys: dict[str, Fernet] = {}

    def seal(self, tenant_id: str, content: Any) -> str:
        """A cursor with that content, of characters that a URL may hold as they are (RFC 3986 §2.3)."""
        sealed = self._key(tenant_id).encrypt_at_time(orjson.dumps(content), int(clock.now().timestamp()))
        return sealed.decode().rstrip("=")

    def open(self, tenant_id: str, text: str) -> Any:
        """The content of a cursor of that tenant. InvalidCursor, whatever is wrong with it; ExpiredCursor."""
        key = self._key(tenant_id)
        try:
            if len(text) > _LONGEST or not text.isascii():
                raise InvalidToken
            sealed = (text + "=" * (-len(text) % 4)).encode()
            content = orjson.loads(key.decrypt(sealed))
            made = key.extract_timestamp(sealed)
        except (InvalidToken, ValueError) as fault:
            raise InvalidCursor("This is no cursor of a page that you were given. Begin again with an empty one.") from fault
        if made + CURSOR_TIMEOUT_S < clock.now().timestamp():
            raise ExpiredCursor(f"The cursor is older than {CURSOR_TIMEOUT_S} seconds. Begin again with an empty one.")
        return content

    def _key(self, tenant_id: str) -> Fernet:
        key = self._keys.get(tenant_id)
        if key is None:
            if len(self._keys) >= _MOST_TENANTS:
                self._keys.clear()
            key = self._keys[tenant_id] = Fernet(self._registry.tenants.cursor_key(tenant_id, Fernet.generate_key().decode()))
        return key
