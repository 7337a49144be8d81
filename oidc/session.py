"""Sessions: looked up at every request, never believed; and prolonged by asking the directory again.

The cookie opens a row, and what the row says now is what holds, on every node. A session whose directory was not asked for
REFRESH_FLOOR_S is refreshed by the next request of it, by one request of one node; the others go on meanwhile.

What the directory answers decides (``errors.verdict``). Where it cannot be asked, or refuses ourselves, the session goes on for
REFRESH_GRACE_S at most since the person was last confirmed.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

from oidc import tickets
from oidc.errors import Action, ProviderError, Verdict
from oidc.flow import REFRESH_TOKEN, Request
from oidc.groups import Absent, Graph, GroupsUnavailable
from oidc.people import about_person, groups_of, person_of
from oidc.provider import NoCredential, Provider, ProviderUnavailable, TokenRefused, Tokens
from oidc.refusals import SIGN_IN
from oidc.tokens import Claims, InvalidToken
from scim_server import clock, log
from scim_server.access import departure, standing
from scim_server.config import Settings
from scim_server.events import Authentication, DirectoryAlarm, RefreshFailed, Scope, SessionRefreshed
from scim_server.store.documents import is_active
from scim_server.store.identity_links import IdentityLink
from scim_server.store.sessions import Found
from scim_server.store.unit import Store, Unit
from scim_server.tenancy.directories import Directory
from scim_server.tenancy.entrances import Entrances
from scim_server.tenancy.keys import KeyFault, KeyRing

FRONT_CHANNEL = "signed_out_at_directory"
SUSPENDED = "tenant_suspended"
"""The one reason for which there is no session now, and may be one again."""

_SEEN_EVERY = timedelta(minutes=1)
_RETRY_S = 60.0
_REST_S = 30.0
"""A directory that did not answer is left alone for so long at most, whoever asks."""
_MOST_KNOWN = 10_000
_ALARM_EVERY_S = 3600.0


class NotSignedIn(Exception):
    """There is no session. ``reason`` is why it ended, if there was one."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Sessions:
    """Safe to share between threads."""

    def __init__(self, store: Store, entrances: Entrances, ring: KeyRing, provider: Provider, graph: Graph, settings: Settings) -> None:
        self._store = store
        self._entrances = entrances
        self._ring = ring
        self._provider = provider
        self._graph = graph
        self._floor = timedelta(seconds=settings.refresh_floor_s)
        self._grace = timedelta(seconds=settings.refresh_grace_s)
        self._retry = min(self._floor, timedelta(seconds=_RETRY_S))
        self._rests = _Rests(min(_REST_S, settings.refresh_floor_s))
        self._tenants: dict[bytes, str] = {}

    def current(self, ticket: str | None, asked: Request) -> Found:
        """The session that the cookie opens, confirmed by the directory as lately as it has to be. Raises NotSignedIn."""
        tenant_id = tickets.tenant_of(ticket) if ticket else None
        if ticket is None or tenant_id is None:
            raise NotSignedIn
        hashed, scope = tickets.digest(ticket), Scope(tenant_id, SIGN_IN, asked.request_id)
        found = self._find(hashed, scope)
        now = clock.now()
        if now - found.session.refreshed >= self._floor:
            self._refresh(found, scope, asked)
            found = self._find(hashed, scope)
            if found.session.failing is not None and now - found.session.refreshed > self._grace:
                self._end(found, scope, "unconfirmed")
        if now - found.session.seen >= _SEEN_EVERY:
            self._store.transact(scope, lambda unit: unit.sessions.seen(found.session.id))
        self._tenants[hashed] = tenant_id
        if len(self._tenants) > _MOST_KNOWN:
            self._tenants.clear()
        return found

    def tenant_of(self, ticket: str) -> str:
        """The id of the tenant whose session was found by the same cookie before; empty where none was. It proves nothing."""
        return self._tenants.get(tickets.digest(ticket), "")

    def end(self, found: Found, reason: str, asked: Request) -> None:
        """End the session; nothing if it has ended."""
        scope = Scope(found.tenant_id, SIGN_IN, asked.request_id)
        self._store.transact(scope, lambda unit: departure.end_session(unit, found.session.id, reason))

    def end_own(self, found: Found, session_id: str, asked: Request) -> bool:
        """End another session of the same user; False if there is none such."""

        def end(unit: Unit) -> bool:
            other = unit.sessions.by_id(session_id)
            is_own = other is not None and other.session.user_id == found.session.user_id
            return is_own and departure.end_session(unit, session_id, departure.ENDED_BY_USER)

        return self._store.transact(Scope(found.tenant_id, SIGN_IN, asked.request_id), end)

    def end_by_sid(self, sid: str, asked: Request) -> int:
        """End the sessions that a directory has that name for: somebody signed out there. How many there were."""
        ended = 0
        for tenant_id, session_id in self._entrances.sessions_of(sid):
            scope = Scope(tenant_id, SIGN_IN, asked.request_id)
            ended += self._store.transact(scope, partial(departure.end_session, session_id=session_id, reason=FRONT_CHANNEL))
        return ended

    def _find(self, hashed: bytes, scope: Scope) -> Found:
        with self._store.read(scope) as unit:
            found = unit.sessions.find(hashed)
        if found is None:
            raise NotSignedIn
        if found.session.ended is not None:
            raise NotSignedIn(found.session.end_reason or "")
        if found.suspended:
            raise NotSignedIn(SUSPENDED)
        over = departure.why_over(found, clock.now())
        if over is not None:
            self._end(found, scope, over)
        return found

    def _end(self, found: Found, scope: Scope, reason: str) -> None:
        """Record that it is over, and say so."""
        self._store.transact(scope, lambda unit: departure.end_session(unit, found.session.id, reason))
        raise NotSignedIn(reason)

    def _refresh(self, found: Found, scope: Scope, asked: Request) -> None:
        """Ask the directory whether the person may go on, unless somebody is doing that; and do what follows from its answer."""
        session = found.session
        directory = self._entrances.directory_by_id(found.tenant_id, session.directory_id)
        if directory is None or self._rests.rests(directory.tid):
            return
        before = clock.now() - self._retry
        if not self._store.transact(scope, lambda unit: unit.sessions.claim(session.id, before)):
            return
        with self._store.read(scope) as unit:
            sealed, link = unit.secrets.get(session.id, REFRESH_TOKEN), unit.links.of_user(session.user_id)
        if sealed is None or link is None:
            return
        about = replace(
            asked.authentication(),
            cloud=directory.cloud,
            tid=directory.tid,
            oid=link.oid,
            client_id=directory.client_id,
            sid=session.sid,
            correlation_id=session.id,
        )
        try:
            tokens = self._provider.refresh(directory, refresh_token=self._ring.open(sealed), correlation_id=session.id)
            claims = self._provider.claims(directory, tokens, same_as=(link.tid, link.oid, link.sub))
            # An answer without an ID token says nothing of groups.
            said = claims.groups if claims else Absent()
            groups = groups_of(said, tokens, directory, self._graph, self._store, scope, about)
        except TokenRefused as fault:
            self._refused(found, directory, scope, _of_error(about, fault.error), fault.verdict)
        except InvalidToken as fault:
            self._over(found, scope, about, "invalid_token", fault.reason)
        except ProviderUnavailable:
            self._rests.rest(directory.tid)
            self._failing(found, scope, about, "provider_unavailable")
        except GroupsUnavailable:
            self._failing(found, scope, about, "groups_unresolved")
        except NoCredential:
            self._failing(found, scope, about, "our_credential")
        except KeyFault as fault:
            log.get().error("secret_not_read", fault=str(fault), request_id=asked.request_id)
            self._failing(found, scope, about, "server_error")
        else:
            self._go_on(found, directory, scope, link, tokens, claims, groups, about)

    def _go_on(
        self,
        found: Found,
        directory: Directory,
        scope: Scope,
        link: IdentityLink,
        tokens: Tokens,
        claims: Claims | None,
        groups: frozenset[str] | None,
        about: Authentication,
    ) -> None:
        """The directory confirms the person: what it says now is kept, roles are settled again."""
        session = found.session
        said = dict(person_of(claims, directory, groups, name_is_ours=False).claims) if claims else {**link.claims}
        if groups is not None:
            said.update(groups=sorted(groups), groups_known=True)
        if claims is not None:
            about = about_person(about, claims)

        def confirm(unit: Unit) -> None:
            user = unit.users.lock(session.user_id)
            if user is None or not is_active(user.document):
                return  # whoever did that has ended the session
            unit.links.note(link.id, said)
            decision = standing.settle(unit, user.id, said["groups"], "refreshed")
            if not decision.allowed:
                unit.events.append(RefreshFailed(session.id, user.id, standing.NOT_ALLOWED, about))
                departure.leave(unit, user.id, standing.NOT_ALLOWED)
                return
            if not unit.sessions.refreshed(session.id, claims.sid if claims else None):
                return
            if tokens.refresh_token:
                unit.secrets.put(self._ring.seal(found.tenant_id, session.id, REFRESH_TOKEN, tokens.refresh_token))
            unit.events.append(SessionRefreshed(session.id, user.id, decision.roles, about))

        self._store.transact(scope, confirm)

    def _refused(self, found: Found, directory: Directory, scope: Scope, about: Authentication, verdict: Verdict) -> None:
        reason = verdict.reason
        if verdict.alarm:
            self._alarm(directory, scope, about, reason)
        match verdict.action:
            case Action.DISABLE:
                self._disable(found, scope, about, reason)
            case Action.END | Action.INTERACT:
                self._over(found, scope, about, reason)
            case Action.END_DIRECTORY:
                self._store.transact(scope, lambda unit: departure.end_sessions_of_directory(unit, directory.id, reason))
            case Action.OUR_FAULT:
                self._failing(found, scope, about, reason)
            case Action.OUTAGE:
                self._rests.rest(directory.tid)
                self._failing(found, scope, about, reason)

    def _disable(self, found: Found, scope: Scope, about: Authentication, reason: str) -> None:
        """The person is disabled or gone in the directory: out everywhere, and inactive until somebody says otherwise."""

        def disable(unit: Unit) -> None:
            unit.events.append(RefreshFailed(found.session.id, found.session.user_id, reason, about))
            departure.disable(unit, found.session.user_id, reason)

        self._store.transact(scope, disable)

    def _over(self, found: Found, scope: Scope, about: Authentication, reason: str, detail: str = "") -> None:
        def end(unit: Unit) -> None:
            unit.events.append(RefreshFailed(found.session.id, found.session.user_id, f"{reason}: {detail}" if detail else reason, about))
            departure.end_session(unit, found.session.id, reason)

        self._store.transact(scope, end)

    def _failing(self, found: Found, scope: Scope, about: Authentication, reason: str) -> None:
        """Nobody knows whether the person may go on. Recorded once, when it begins."""

        def note(unit: Unit) -> None:
            if found.session.failing is None:
                unit.events.append(RefreshFailed(found.session.id, found.session.user_id, reason, about))
            unit.sessions.failing(found.session.id)

        self._store.transact(scope, note)

    def _alarm(self, directory: Directory, scope: Scope, about: Authentication, reason: str) -> None:
        """Whom it concerns is told once an hour by each process, in the log and in the tenant's events."""
        if not self._rests.due(f"alarm {directory.tid} {reason}", _ALARM_EVERY_S):
            return
        log.get().error(
            "directory_refuses_us", tenant=directory.tenant_name, tid=directory.tid, reason=reason, codes=list(about.error_codes)
        )
        self._store.transact(scope, lambda unit: unit.events.append(DirectoryAlarm(directory.id, reason, about)))


class _Rests:
    """Until when whom is left alone. In memory: each process finds out for itself. Safe to share between threads."""

    def __init__(self, rest_s: float) -> None:
        self._rest_s = rest_s
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def rests(self, key: str) -> bool:
        return self._until.get(key, float("-inf")) > clock.now().timestamp()

    def rest(self, key: str) -> None:
        self._until[key] = clock.now().timestamp() + self._rest_s

    def due(self, key: str, every_s: float) -> bool:
        """Whether it was not done for so long; then it counts as done now."""
        with self._lock:
            if self.rests(key):
                return False
            self._until[key] = clock.now().timestamp() + every_s
            return True


def _of_error(about: Authentication, error: ProviderError) -> Authentication:
    return replace(
        about,
        error=error.error,
        error_codes=error.codes,
        trace_id=error.trace_id,
        correlation_id=error.correlation_id or about.correlation_id,
    )
