"""Sign-ins that have begun: what must be the same when the browser comes back. Each can be taken once, within its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, cast, delete, insert, select, update

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.documents import instant, instant_text
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, Instant, sign_ins

_KEPT = timedelta(days=1)
"""For so long after its end a sign-in is still told from one that never was."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """``used`` is when it was taken before, None at the first time."""

    id: str
    directory_id: str
    browser_hash: bytes
    nonce_hash: bytes
    return_path: str
    login_hint: str | None
    created: datetime
    expires: datetime
    used: datetime | None


_COLUMNS = (
    cast(sign_ins.c.id, Text),
    cast(sign_ins.c.directory_id, Text),
    *(sign_ins.c[name] for name in ("browser_hash", "nonce_hash", "return_path", "login_hint", "created", "expires", "used")),
)
_NEW: dict[str, Any] = {
    "tenant_id": TENANT,
    "id": bindparam("id", type_=Id),
    "directory_id": bindparam("directory_id", type_=Id),
    "created": NOW,
    **{name: bindparam(name) for name in ("state_hash", "browser_hash", "nonce_hash", "return_path", "login_hint", "expires")},
}
_ADD = Statement(insert(sign_ins).values(_NEW))
_OF_STATE = (sign_ins.c.state_hash == bindparam("state_hash"), sign_ins.c.tenant_id == TENANT)
_LOCK = Statement(select(*_COLUMNS).where(*_OF_STATE).with_for_update())
_USE = Statement(update(sign_ins).values(used=NOW).where(*_OF_STATE, sign_ins.c.used.is_(None)))
_FORGET = Statement(
    delete(sign_ins)
    .where(sign_ins.c.expires < bindparam("before", type_=Instant), sign_ins.c.tenant_id == TENANT)
    .returning(cast(sign_ins.c.id, Text))
)


class SignIns:
    """What a Unit can do with sign-ins."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def new_id(self) -> str:
        """For a sign-in that is about to be added: what is sealed for it names it."""
        return ids.new(self._scoped.now)

    def add(
        self,
        sign_in_id: str,
        *,
        directory_id: str,
        state_hash: bytes,
        browser_hash: bytes,
        nonce_hash: bytes,
        return_path: str,
        login_hint: str | None,
        expires: datetime,
    ) -> None:
        self._scoped.later(
            _ADD,
            id=sign_in_id,
            directory_id=directory_id,
            state_hash=state_hash,
            browser_hash=browser_hash,
            nonce_hash=nonce_hash,
            return_path=return_path,
            login_hint=login_hint,
            expires=instant_text(expires),
            now=self._scoped.now_text,
        )

    def take(self, state_hash: bytes) -> SignIn | None:
        """The sign-in with that state, as it was before: from now on it is used."""
        row = self._scoped.row(_LOCK, state_hash=state_hash)
        if row is None:
            return None
        self._scoped.later(_USE, state_hash=state_hash, now=self._scoped.now_text)
        sign_in_id, directory_id, browser_hash, nonce_hash, return_path, login_hint, created, expires, used = row
        ends = instant(expires)
        before = None if used is None else instant(used)
        return SignIn(sign_in_id, directory_id, browser_hash, nonce_hash, return_path, login_hint, instant(created), ends, before)

    def forget_old(self) -> tuple[str, ...]:
        """Remove what ended long ago. The ids."""
        before = instant_text(self._scoped.now - _KEPT)
        return tuple(sign_in_id for (sign_in_id,) in self._scoped.rows(_FORGET, before=before))
