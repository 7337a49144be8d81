"""The keys that our own access tokens are signed with. The server's, not a tenant's: they stand under SERVER, the private halves sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Text, bindparam, cast, insert, select, update

from scim_server.events import SERVER, Principal, SigningKeyEnded, SigningKeyMade
from scim_server.store import ids
from scim_server.store.documents import dump, instant, instant_text
from scim_server.store.registry.acts import ID, NOW, TENANT, Part
from scim_server.store.registry.sealed import forget, put
from scim_server.store.sealed import Sealed
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, Instant, signing_keys


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``public`` is its JWK. Published from ``created`` on, so that who verifies tokens knows it when it signs, from ``signs_from`` on."""

    id: str
    public: dict[str, Any]
    created: datetime
    signs_from: datetime


_c = signing_keys.c
_LIVE = GlobalStatement(
    select(cast(_c.id, Text), cast(_c.public, Text), _c.created, _c.signs_from)
    .where(_c.tenant_id == TENANT, _c.ended.is_(None))
    .order_by(_c.signs_from, _c.id)
)
_NEW: dict[str, Any] = {
    "tenant_id": TENANT,
    "id": bindparam("id", type_=Id),
    "public": bindparam("public"),
    "created": NOW,
    "signs_from": bindparam("signs_from", type_=Instant),
}
_ADD = GlobalStatement(insert(signing_keys).values(_NEW))
_END = GlobalStatement(
    update(signing_keys).values(ended=NOW).where(_c.id == ID, _c.tenant_id == TENANT, _c.ended.is_(None)).returning(cast(_c.id, Text))
)


class SigningKeys(Part):
    def live(self) -> list[SigningKey]:
        """Those that are published, in the order in which they sign."""
        rows = self.rows(_LIVE, tenant_id=SERVER)
        return [SigningKey(key_id, orjson.loads(public), instant(created), instant(signs)) for key_id, public, created, signs in rows]

    def add(
        self, make: Callable[[str], tuple[dict[str, Any], Sealed]], signs_from: Callable[[datetime], datetime], by: Principal
    ) -> SigningKey:
        """A new key. ``make`` gives, for its id, the public half as a JWK and the private one sealed; ``signs_from`` by when it is made."""
        with self.acting(by) as act:
            key_id = ids.new(act.now)
            public, sealed = make(key_id)
            begins = signs_from(act.now)
            act.later(_ADD, tenant_id=SERVER, id=key_id, public=dump(public), now=act.now_text, signs_from=instant_text(begins))
            put(act, sealed)
            act.record(SERVER, SigningKeyMade(key_id, begins.isoformat()))
        return SigningKey(key_id, public, act.now, begins)

    def end(self, key_id: str, by: Principal) -> bool:
        """Publish it no more, and forget its private half; False if it was so already."""
        with self.acting(by) as act:
            ended = bool(act.rows(_END, id=key_id, tenant_id=SERVER, now=act.now_text))
            if ended:
                forget(act, SERVER, key_id)
                act.record(SERVER, SigningKeyEnded(key_id))
        return ended
