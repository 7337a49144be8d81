"""Sessions of one tenant: who is signed in, and until when. None is ever removed; an ended one says when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Text, and_, bindparam, cast, func, insert, literal_column, null, select, update

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.connections import Row
from scim_server.store.dialects import apart
from scim_server.store.documents import instant, instant_text
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, Instant, directories, sessions, tenants, users
from scim_server.store.tenant_settings import TenantSettings


@dataclass(frozen=True, slots=True)
class Session:
    """``refreshed`` is when the directory last said that the person may go on, ``attempted`` when it was last asked.

    ``failing``: since when it cannot be asked. ``idle_s``: after so many seconds without a request it is over.
    """

    id: str
    user_id: str
    link_id: str
    directory_id: str
    roles: tuple[str, ...]
    sid: str | None
    logout_hint: str | None
    address: str
    user_agent: str
    created: datetime
    seen: datetime
    idle_s: int
    expires: datetime
    refreshed: datetime
    attempted: datetime
    failing: datetime | None
    ended: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A session with what is asked at every request: whose it is. ``document`` is the user's, as SCIM has it.

    ``withdrawn``: its directory is not the tenant's any more.
    """

    session: Session
    tenant_id: str
    tenant_name: str
    suspended: bool
    settings: TenantSettings
    withdrawn: bool
    document: dict[str, Any]


_INSTANTS = ("created", "seen", "expires", "refreshed", "attempted", "failing", "ended")
_FIELDS = tuple(Session.__dataclass_fields__)
_IDS = {"id", "user_id", "link_id", "directory_id"}
_COLUMNS = tuple(cast(sessions.c[name], Text) if name in _IDS else sessions.c[name] for name in _FIELDS)

_ID = bindparam("id", type_=Id)
_USER = bindparam("user_id", type_=Id)
_GIVEN = ("hash", "roles", "sid", "logout_hint", "address", "user_agent", "idle_s", "expires")
_NEW: dict[str, Any] = {
    "tenant_id": TENANT,
    "id": _ID,
    "user_id": _USER,
    "link_id": bindparam("link_id", type_=Id),
    "directory_id": bindparam("directory_id", type_=Id),
    **dict.fromkeys(("created", "seen", "refreshed", "attempted"), NOW),
    **{name: bindparam(name) for name in _GIVEN},
}
_START = Statement(insert(sessions).values(_NEW))
_LIVE = (sessions.c.tenant_id == TENANT, sessions.c.ended.is_(None))
_PLACE = and_(directories.c.id == sessions.c.directory_id, directories.c.tenant_id == sessions.c.tenant_id)
_OWNER = and_(users.c.id == sessions.c.user_id, users.c.tenant_id == sessions.c.tenant_id)
_FOUND = (
    select(*_COLUMNS, tenants.c.name, tenants.c.suspended, cast(tenants.c.settings, Text), directories.c.ended, cast(users.c.doc, Text))
    .join_from(sessions, users, _OWNER)
    .join(directories, _PLACE)
    .join(tenants, tenants.c.id == sessions.c.tenant_id)
)
_FIND = Statement(_FOUND.where(sessions.c.hash == bindparam("hash"), sessions.c.tenant_id == TENANT))
_BY_ID = Statement(_FOUND.where(sessions.c.id == _ID, sessions.c.tenant_id == TENANT))
_OF_USER = Statement(
    select(*_COLUMNS)
    .where(sessions.c.tenant_id == TENANT, sessions.c.user_id == _USER)
    .order_by(sessions.c.id.desc())
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)
_LIST = Statement(
    select(*_COLUMNS, cast(users.c.doc, Text))
    .join_from(sessions, users, _OWNER)
    .where(*_LIVE, sessions.c.expires > NOW)
    .order_by(sessions.c.id.desc())
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)
_SEEN = Statement(update(sessions).values(seen=NOW).where(*_LIVE, sessions.c.id == _ID, sessions.c.seen < NOW))
_CLAIM = Statement(
    update(sessions)
    .values(attempted=NOW)
    .where(*_LIVE, sessions.c.id == _ID, sessions.c.attempted < bindparam("before", type_=Instant))
    .returning(cast(sessions.c.id, Text))
)
_REFRESHED = Statement(
    update(sessions)
    .values(refreshed=NOW, failing=null(), sid=func.coalesce(bindparam("sid"), sessions.c.sid))
    .where(*_LIVE, sessions.c.id == _ID)
    .returning(cast(sessions.c.id, Text))
)
_FAILING = Statement(update(sessions).values(failing=func.coalesce(sessions.c.failing, NOW)).where(*_LIVE, sessions.c.id == _ID))
_ROLES = Statement(update(sessions).values(roles=bindparam("roles")).where(*_LIVE, sessions.c.user_id == _USER))
_ENDING = update(sessions).values(ended=NOW, end_reason=bindparam("reason"))
_ENDED = (cast(sessions.c.id, Text), cast(sessions.c.user_id, Text))
_END = Statement(_ENDING.where(*_LIVE, sessions.c.id == _ID).returning(*_ENDED))
# Found apart, by the index of the user's sessions, and then ended one by one: most users have none, and nothing is written then.
_of_one = apart(select(sessions.c.id, sessions.c.ended).where(sessions.c.tenant_id == TENANT, sessions.c.user_id == _USER)).subquery(
    "of_one"
)
_LIVE_OF_USER = Statement(select(cast(_of_one.c.id, Text)).where(_of_one.c.ended.is_(None)))
_OF_DIRECTORY = sessions.c.directory_id == bindparam("directory_id", type_=Id)
_END_OF_DIRECTORY = Statement(_ENDING.where(*_LIVE, _OF_DIRECTORY).returning(*_ENDED))
_END_ALL = Statement(_ENDING.where(*_LIVE).returning(*_ENDED))
_USERS = Statement(select(cast(sessions.c.user_id, Text)).where(*_LIVE, sessions.c.expires > NOW).distinct())


class Sessions:
    """What a Unit can do with sessions. To end one is not to record it: ``access.departure`` does both."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def start(
        self,
        *,
        hash: bytes,
        user_id: str,
        link_id: str,
        directory_id: str,
        roles: Sequence[str],
        sid: str | None,
        logout_hint: str | None,
        address: str,
        user_agent: str,
        idle_s: int,
        expires: datetime,
    ) -> str:
        """The id of a new session. ``hash`` is the SHA-256 of what opens it."""
        session_id = ids.new(self._scoped.now)
        self._scoped.later(
            _START,
            id=session_id,
            hash=hash,
            user_id=user_id,
            link_id=link_id,
            directory_id=directory_id,
            roles=" ".join(roles),
            sid=sid,
            logout_hint=logout_hint,
            address=address,
            user_agent=user_agent,
            idle_s=idle_s,
            expires=instant_text(expires),
            now=self._scoped.now_text,
        )
        return session_id

    def find(self, hash: bytes) -> Found | None:
        """The session that is opened by what has that SHA-256, ended or not."""
        row = self._scoped.row(_FIND, hash=hash)
        return self._found(row) if row else None

    def by_id(self, session_id: str) -> Found | None:
        """The session of that id, ended or not."""
        row = self._scoped.row(_BY_ID, id=session_id) if ids.is_id(session_id) else None
        return self._found(row) if row else None

    def _found(self, row: Row) -> Found:
        *of_session, tenant_name, suspended, settings, withdrawn, document = row
        return Found(
            _session(tuple(of_session)),
            self._scoped.scope.tenant_id,
            tenant_name,
            suspended is not None,
            TenantSettings.parse(settings),
            withdrawn is not None,
            orjson.loads(document),
        )

    def of_user(self, user_id: str, limit: int) -> list[Session]:
        """The user's sessions, newest first, live and ended."""
        return [_session(row) for row in self._scoped.rows(_OF_USER, user_id=user_id, limit=limit)] if ids.is_id(user_id) else []

    def live(self, limit: int) -> list[tuple[Session, dict[str, Any]]]:
        """Sessions that have not ended, newest first, each with its user's document."""
        rows = self._scoped.rows(_LIST, limit=limit, now=self._scoped.now_text)
        return [(_session(row[:-1]), orjson.loads(row[-1])) for row in rows]

    def users(self) -> list[str]:
        """The ids of users who have a live session."""
        return [user_id for (user_id,) in self._scoped.rows(_USERS, now=self._scoped.now_text)]

    def seen(self, session_id: str) -> None:
        """There was a request of it now."""
        self._scoped.later(_SEEN, id=session_id, now=self._scoped.now_text)

    def claim(self, session_id: str, before: datetime) -> bool:
        """Be the one who asks the directory about it now. False if it has ended, or somebody has asked since ``before``."""
        return self._scoped.row(_CLAIM, id=session_id, before=instant_text(before), now=self._scoped.now_text) is not None

    def refreshed(self, session_id: str, sid: str | None) -> bool:
        """The directory says that the person may go on. False if the session has ended meanwhile."""
        return self._scoped.row(_REFRESHED, id=session_id, sid=sid, now=self._scoped.now_text) is not None

    def failing(self, session_id: str) -> None:
        """The directory cannot be asked."""
        self._scoped.later(_FAILING, id=session_id, now=self._scoped.now_text)

    def set_roles(self, user_id: str, roles: Sequence[str]) -> None:
        """Of all live sessions of the user."""
        self._scoped.later(_ROLES, user_id=user_id, roles=" ".join(roles))

    def end(self, session_id: str, reason: str) -> list[tuple[str, str]]:
        """End it. (its id, its user's id), or nothing if it has ended."""
        return self._end(_END, reason, id=session_id) if ids.is_id(session_id) else []

    def end_of_user(self, user_id: str, reason: str) -> list[tuple[str, str]]:
        live = [session_id for (session_id,) in self._scoped.rows(_LIVE_OF_USER, user_id=user_id)]
        return [ended for session_id in live for ended in self.end(session_id, reason)]

    def end_of_directory(self, directory_id: str, reason: str) -> list[tuple[str, str]]:
        return self._end(_END_OF_DIRECTORY, reason, directory_id=directory_id)

    def end_all(self, reason: str) -> list[tuple[str, str]]:
        return self._end(_END_ALL, reason)

    def _end(self, statement: Statement, reason: str, **values: Any) -> list[tuple[str, str]]:
        return [
            (session_id, user_id)
            for session_id, user_id in self._scoped.rows(statement, reason=reason, now=self._scoped.now_text, **values)
        ]


def _session(row: Row) -> Session:
    values = dict(zip(_FIELDS, row, strict=True))
    for name in _INSTANTS:
        values[name] = None if values[name] is None else instant(values[name])
    values["roles"] = tuple(values["roles"].split())
    return Session(**values)
