"""Sealed secrets: what must be read again, as ciphertext. The keys are somebody else's (``tenancy.keys``); here are rows."""

from __future__ import annotations

import dataclasses

from sqlalchemy import bindparam, func, literal_column, select, update

from scim_server.events import SERVER, KeysRotated, Principal
from scim_server.store.registry.acts import TENANT, Act, Part
from scim_server.store.sealed import COLUMNS, FORGET, PUT, Sealed
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import Id, sealed

_SEALED = select(*COLUMNS)
_PLACE = (sealed.c.owner_id == bindparam("owner_id", type_=Id), sealed.c.name == bindparam("name"), sealed.c.tenant_id == TENANT)
_AT = GlobalStatement(_SEALED.where(*_PLACE))
_NOT_UNDER = GlobalStatement(
    _SEALED.where(sealed.c.key_id != bindparam("key_id"))
    .order_by(sealed.c.owner_id, sealed.c.name)
    .limit(bindparam("most"))
    .offset(literal_column("0"))
)
_BY_KEY = GlobalStatement(select(sealed.c.key_id, func.count()).group_by(sealed.c.key_id).order_by(sealed.c.key_id))
_REPLACE = GlobalStatement(
    update(sealed)
    .values(key_id=bindparam("new_key_id"), ciphertext=bindparam("new_ciphertext"))
    .where(*_PLACE, sealed.c.ciphertext == bindparam("ciphertext"))
    .returning(sealed.c.name)
)


def put(act: Act, secret: Sealed) -> None:
    """Store the secret, in place of what was there, together with whatever else the act does."""
    act.later(PUT, **dataclasses.asdict(secret))


def forget(act: Act, tenant_id: str, owner_id: str) -> None:
    """Remove all secrets of that owner, together with whatever else the act does."""
    act.later(FORGET, tenant_id=tenant_id, owner_id=owner_id)


class SealedSecrets(Part):
    def get(self, tenant_id: str, owner_id: str, name: str) -> Sealed | None:
        """The secret at that place."""
        rows = self.rows(_AT, tenant_id=tenant_id, owner_id=owner_id, name=name)
        return Sealed(*rows[0]) if rows else None

    def counts(self) -> dict[str, int]:
        """How many secrets there are under each key, by its id."""
        return dict(self.rows(_BY_KEY))

    def not_under(self, key_id: str, most: int) -> list[Sealed]:
        """Secrets under other keys, at most so many."""
        return [Sealed(*row) for row in self.rows(_NOT_UNDER, key_id=key_id, most=most)]

    def replace(self, old: Sealed, new: Sealed) -> bool:
        """The same secret under another key; False if it is not the old one any more."""
        with self.acting(Principal("system", "keys")) as act:
            place = {"owner_id": old.owner_id, "name": old.name, "tenant_id": old.tenant_id}
            new_values = {"new_key_id": new.key_id, "new_ciphertext": new.ciphertext}
            return bool(act.rows(_REPLACE, **place, **new_values, ciphertext=old.ciphertext))

    def rotated(self, by: Principal, event: KeysRotated) -> None:
        """Record in the server's own log that secrets were put under another key."""
        with self.acting(by) as act:
            act.record(SERVER, event)
