"""Sealed secrets of one tenant: what must be read again, as ciphertext. The keys are somebody else's (``tenancy.keys``); here are rows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, cast, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.columns import TENANT
from scim_server.store.dialects import texts
from scim_server.store.documents import dump
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, sealed


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret by its place (the tenant, whose it is, its name there), under the key with that id."""

    tenant_id: str
    owner_id: str
    name: str
    key_id: str
    ciphertext: str


COLUMNS = (cast(sealed.c.tenant_id, Text), cast(sealed.c.owner_id, Text), sealed.c.name, sealed.c.key_id, sealed.c.ciphertext)
"""Of a Sealed, in its order."""

_NEW: dict[str, Any] = {each.name: bindparam(each.name) for each in dataclasses.fields(Sealed)}
_OWNER = bindparam("owner_id", type_=Id)


def _put(insert: Any) -> Any:
    new = insert(sealed).values(_NEW)
    place = ["owner_id", "name", "tenant_id"]
    return new.on_conflict_do_update(index_elements=place, set_={"key_id": new.excluded.key_id, "ciphertext": new.excluded.ciphertext})


PUT = Statement(postgresql=_put(postgresql.insert), sqlite=_put(sqlite.insert))
"""Store a secret, in place of what was there; its parameters are the fields of a Sealed."""

FORGET = Statement(delete(sealed).where(sealed.c.owner_id == _OWNER, sealed.c.tenant_id == TENANT))
"""Remove all secrets of an owner."""

_GET = Statement(select(*COLUMNS).where(sealed.c.owner_id == _OWNER, sealed.c.name == bindparam("name"), sealed.c.tenant_id == TENANT))
_owners = texts(bindparam("owner_ids")).table_valued("value", name="owners")
_FORGET_OF = Statement(delete(sealed).where(sealed.c.tenant_id == TENANT, sealed.c.owner_id.in_(select(cast(_owners.c.value, Id)))))


class SealedSecrets:
    """What a Unit can do with secrets."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def put(self, secret: Sealed) -> None:
        """Store the secret, in place of what was there."""
        self._scoped.later(PUT, **{**dataclasses.asdict(secret), "tenant_id": self._scoped.scope.tenant_id})

    def get(self, owner_id: str, name: str) -> Sealed | None:
        row = self._scoped.row(_GET, owner_id=owner_id, name=name)
        return Sealed(*row) if row else None

    def forget(self, *owner_ids: str) -> None:
        """Remove all secrets of these owners."""
        if owner_ids:
            self._scoped.later(_FORGET_OF, owner_ids=dump(owner_ids))
