"""Out: sessions end together with what they could be prolonged with, roles are lost; all of it in the transaction of what led to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from scim_server.events import Change, RoleLost, SessionEnded, UserChangedAtSignIn
from scim_server.store.documents import is_active
from scim_server.store.sessions import Found
from scim_server.store.unit import Unit
from scim_server.store.users import SCIM

SIGNED_OUT = "signed_out"
ENDED_BY_USER = "ended_by_user"
ENDED_BY_OPERATOR = "ended_by_operator"
REPLACED = "replaced"  # by a new one in the same browser
DIRECTORY_REMOVED = "directory_removed"
DEACTIVATED = "user_deactivated"
REMOVED = "user_removed"
EXPIRED = "expired"
IDLE = "idle"


def why_over(found: Found, now: datetime) -> str | None:
    """Why a session that nobody has ended does not hold any more; None if it holds, as far as is known here."""
    session = found.session
    if found.withdrawn:
        return DIRECTORY_REMOVED
    if not is_active(found.document):
        return DEACTIVATED
    if session.expires <= now:
        return EXPIRED
    return IDLE if session.seen + timedelta(seconds=session.idle_s) <= now else None


def end_session(unit: Unit, session_id: str, reason: str) -> bool:
    """End one session; False if there is none, or it has ended."""
    return bool(_ended(unit, unit.sessions.end(session_id, reason), reason))


def end_sessions_of_user(unit: Unit, user_id: str, reason: str) -> int:
    """End all sessions of a user. How many there were."""
    return _ended(unit, unit.sessions.end_of_user(user_id, reason), reason)


def end_sessions_of_directory(unit: Unit, directory_id: str, reason: str) -> int:
    return _ended(unit, unit.sessions.end_of_directory(directory_id, reason), reason)


def end_all_sessions(unit: Unit, reason: str) -> int:
    return _ended(unit, unit.sessions.end_all(reason), reason)


def leave(unit: Unit, user_id: str, reason: str) -> int:
    """The user is out: no session, and no role any more. How many sessions there were."""
    ended = end_sessions_of_user(unit, user_id, reason)
    for each in unit.holdings.end_all(user_id):
        unit.events.append(RoleLost(user_id, each.role, each.source, each.group, each.mapping_id, reason))
    return ended


def disable(unit: Unit, user_id: str, reason: str) -> None:
    """The directory has disabled or removed the person: the user is inactive until somebody says otherwise, and out."""
    user = unit.users.lock(user_id)
    if user is not None and is_active(user.document):
        changed = unit.users.update(user, {**user.document, "active": False}, unit.users.source(user_id) or SCIM)
        unit.events.append(UserChangedAtSignIn(changed.id, changed.version, [Change("active", user.document.get("active"), False)]))
    leave(unit, user_id, reason)


def _ended(unit: Unit, ended: Sequence[tuple[str, str]], reason: str) -> int:
    """Forget the refresh tokens, and record it."""
    unit.secrets.forget(*(session_id for session_id, _ in ended))
    for session_id, user_id in ended:
        unit.events.append(SessionEnded(session_id, user_id, reason))
    return len(ended)
