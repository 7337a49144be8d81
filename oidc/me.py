"""What somebody can see of himself: what is known of him and where from, his groups, his roles and why, his sessions, his sign-ins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim_server.access import departure
from scim_server.access.roles import DEFAULT
from scim_server.events import SignedIn, SignInRefused
from scim_server.store.holdings import Holding
from scim_server.store.rules import Rule
from scim_server.store.sessions import Found, Session
from scim_server.store.unit import Recorded, Unit

_MOST_SESSIONS = 50
_MOST_EVENTS = 300
_MOST_GROUPS = 500
_NOT_SHOWN = {"schemas", "active", "groups"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """``source``: scim, signin, or None where nobody knows any more."""

    name: str
    value: Any
    source: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class GroupOfMine:
    """``source``, of who says so: scim or token."""

    name: str | None
    object_id: str | None
    source: str


@dataclass(frozen=True, slots=True)
class RoleOfMine:
    """``source``: scim, token, or default, which is by no group."""

    role: str
    source: str
    group_name: str | None
    group_id: str | None


@dataclass(frozen=True, slots=True)
class SessionOfMine:
    id: str
    is_current: bool
    started: datetime
    last_used: datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """``what``: signed_in, refused or session_ended."""

    time: datetime
    what: str
    reason: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Portrait:
    """``sessions`` are those that are live."""

    user_name: str
    display_name: str
    tenant_name: str
    attributes: Sequence[Attribute]
    groups: Sequence[GroupOfMine]
    roles: Sequence[RoleOfMine]
    sessions: Sequence[SessionOfMine]
    history: Sequence[Occurrence]


def portrait(unit: Unit, found: Found) -> Portrait:
    """Everything about the user of a session."""
    user_id, document = found.session.user_id, found.document
    user = unit.users.get(user_id)
    events = unit.events.list(_MOST_EVENTS, subject_id=user_id)
    sessions = unit.sessions.of_user(user_id, _MOST_SESSIONS)
    rules = unit.rules.all()
    link = unit.links.of_user(user_id)
    claimed = link.claims.get("groups", ()) if link else ()
    provisioned = [GroupOfMine(each.display, None, "scim") for each in (user.links if user and user.links else ())]
    said = [GroupOfMine(_name(rules, each), each, "token") for each in claimed[:_MOST_GROUPS] if not _is_provisioned(rules, each)]
    return Portrait(
        user_name=document["userName"],
        display_name=document.get("displayName") or document["userName"],
        tenant_name=found.tenant_name,
        attributes=list(_attributes(document, events)),
        groups=[*provisioned, *said],
        roles=[_role(each, rules) for each in unit.holdings.of_user(user_id)],
        sessions=[_session(each, found) for each in sessions if each.ended is None and each.expires > unit.now],
        history=sorted((*_sign_ins(events), *_ends(sessions)), key=lambda each: each.time, reverse=True),
    )


def _attributes(document: dict[str, Any], events: Sequence[Recorded]) -> Iterator[Attribute]:
    """Each attribute with the latest event that set it."""
    for name, value in document.items():
        if name not in _NOT_SHOWN:
            origin = next((each for each in events if _sets(each, name)), None)
            yield Attribute(name, value, origin.tag.partition(":")[0] if origin else None, origin.occurred if origin else None)


def _sets(event: Recorded, name: str) -> bool:
    if "document" in event.data:
        return name in event.data["document"]
    return any(str(each["path"]).partition(".")[0].partition("[")[0] == name for each in event.data.get("changes", ()))


def _role(holding: Holding, rules: Sequence[Rule]) -> RoleOfMine:
    name = _name(rules, holding.group) if holding.group and holding.source != DEFAULT else None
    return RoleOfMine(holding.role, holding.source, name, holding.group)


def _session(session: Session, found: Found) -> SessionOfMine:
    is_current = session.id == found.session.id
    return SessionOfMine(session.id, is_current, session.created, session.seen, session.address, session.user_agent)


def _name(rules: Sequence[Rule], group: str) -> str | None:
    return next((each.group_name for each in rules if each.group == group), None)


def _is_provisioned(rules: Sequence[Rule], group: str) -> bool:
    return any(each.provisioned for each in rules if each.group == group)


def _sign_ins(events: Sequence[Recorded]) -> Iterator[Occurrence]:
    for each in events:
        if each.tag == SignedIn.tag:
            yield Occurrence(each.occurred, "signed_in", None, each.data.get("address"))
        elif each.tag == SignInRefused.tag:
            yield Occurrence(each.occurred, "refused", each.data.get("reason"), each.data.get("address"))


def _ends(sessions: Sequence[Session]) -> Iterator[Occurrence]:
    for each in sessions:
        if each.ended is not None and each.end_reason != departure.REPLACED:
            yield Occurrence(each.ended, "session_ended", each.end_reason, None)
