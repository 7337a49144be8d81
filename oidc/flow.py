"""The authorization code flow (OpenID Connect Core §3.1), from the click to the session.

    begin      where to send the browser; what must be the same when it comes back is kept here, for ten minutes and for one use
    complete   what the browser brings back -> tokens -> who it is -> which user of which tenant -> a session

Every check that can refuse comes before anything is written; user, link, session, roles and events are then one transaction.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from oidc import callback, tickets
from oidc.errors import REFRESH_TOKEN_INVALID, Action
from oidc.groups import Graph, GroupsUnavailable
from oidc.people import about_person, groups_of, person_of, user_name_of
from oidc.provider import NoCredential, Provider, ProviderUnavailable, TokenRefused, Tokens
from oidc.refusals import SIGN_IN, SignInFailed
from oidc.tokens import Claims, InvalidToken
from scim_server import clock, log
from scim_server.access import departure
from scim_server.access.arrival import Arrival, NotAdmitted, arrive
from scim_server.config import Settings
from scim_server.events import SERVER, Authentication, Scope, SignedIn
from scim_server.store.errors import Taken
from scim_server.store.sessions import Found
from scim_server.store.sign_ins import SignIn
from scim_server.store.unit import Store, Unit
from scim_server.tenancy.clouds import cloud_of
from scim_server.tenancy.directories import Directory
from scim_server.tenancy.entrances import Entrance, Entrances, Tenant
from scim_server.tenancy.keys import KeyFault, KeyRing

LIFETIME = timedelta(minutes=10)
REFRESH_TOKEN = "refresh_token"  # noqa: S105  the name of a secret, not one
MAX_USER_AGENT = 300

_VERIFIER = "code_verifier"
_GUEST = 1


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks: from where, with what, under which id of ours."""

    address: str
    user_agent: str
    request_id: str

    def authentication(self) -> Authentication:
        return Authentication(address=self.address, user_agent=self.user_agent)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes; and the cookie that says that it is the same one when it comes back."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The cookie of the new session, and where the browser goes."""

    ticket: str
    expires_in: int
    return_path: str


class Flow:
    """Safe to share between threads."""

    def __init__(self, store: Store, entrances: Entrances, ring: KeyRing, provider: Provider, graph: Graph, settings: Settings) -> None:
        self._store = store
        self._entrances = entrances
        self._ring = ring
        self._provider = provider
        self._graph = graph
        self._settings = settings

    def begin(
        self, entrance: Entrance, directory: Directory, return_path: str, browser: str | None, asked: Request, *, another: bool = False
    ) -> Begun:
        """Send the browser to the directory. ``browser`` is its cookie from before, if it has one. Raises SignInFailed.

        ``another``: with another account than the one that the directory would take by itself.
        """
        tenant, now = entrance.tenant, clock.now()
        state, nonce, verifier = tickets.new(tenant.id), tickets.random(), tickets.random()
        browser = browser or tickets.random()
        about = replace(
            asked.authentication(),
            cloud=directory.cloud,
            tid=directory.tid,
            client_id=directory.client_id,
            state=tickets.digest(state).hex(),
        )
        with self._store.write(Scope(tenant.id, SIGN_IN, asked.request_id)) as unit:
            unit.secrets.forget(*unit.sign_ins.forget_old())
            sign_in_id = unit.sign_ins.new_id()
            try:
                unit.secrets.put(self._ring.seal(tenant.id, sign_in_id, _VERIFIER, verifier))
                url = self._provider.authorization_url(
                    directory,
                    redirect_uri=self._settings.callback_url,
                    state=state,
                    nonce=nonce,
                    verifier=verifier,
                    login_hint=entrance.address,
                    domain_hint=entrance.address.rpartition("@")[2] if entrance.address else None,
                    correlation_id=sign_in_id,
                    prompt="select_account" if another else None,
                )
            except ProviderUnavailable as fault:
                raise _unavailable(fault, tenant, about) from fault
            except KeyFault as fault:
                raise _failed("server_error", tenant, about, str(fault), retry=True) from fault
            unit.sign_ins.add(
                sign_in_id,
                directory_id=directory.id,
                state_hash=tickets.digest(state),
                browser_hash=tickets.digest(browser),
                nonce_hash=tickets.digest(nonce),
                return_path=return_path,
                login_hint=entrance.address,
                expires=now + LIFETIME,
            )
        return Begun(url, browser)

    def complete(self, answer: Mapping[str, str], browser: str | None, earlier: str | None, asked: Request) -> Completed:
        """What the browser brought back becomes a session. ``earlier`` is the cookie of a session it had. Raises SignInFailed."""
        state = answer.get("state", "")
        about = replace(asked.authentication(), state=tickets.digest(state).hex() if state else None)
        tenant_id = tickets.tenant_of(state)
        if tenant_id is None:
            raise SignInFailed("state_unknown" if state else "state_missing", callback.untrusted(answer), authentication=about)
        sign_in, verifier = self._take(tenant_id, state, about, asked)
        tenant = self._entrances.tenant(tenant_id)
        if tenant is None:
            raise SignInFailed("unknown_tenant", authentication=about)
        directory = self._entrances.directory_by_id(tenant_id, sign_in.directory_id)
        if directory is None or directory.client_id is None:
            raise _failed("no_directory", tenant, about)
        about = replace(about, cloud=directory.cloud, tid=directory.tid, client_id=directory.client_id, correlation_id=sign_in.id)
        self._check_sign_in(sign_in, browser, tenant, about)
        if tenant.suspended is not None:
            raise _failed("tenant_suspended", tenant, about)
        self._check_answer(answer, directory, tenant, about)
        tokens = self._exchange(answer["code"], verifier, directory, tenant, about)
        claims = self._claims(tokens, sign_in, directory, tenant, about)
        about = about_person(about, claims)
        directory = self._directory_of(claims, directory, tenant, about)
        self._check_address(claims, sign_in, tenant, about)
        groups = self._groups(claims, tokens, directory, tenant, about, asked)
        return self._arrive(tenant, directory, sign_in, claims, groups, tokens, earlier, about, asked)

    def end_session_url(self, found: Found) -> str | None:
        """Where the browser goes to sign out at the directory, too; None where that is not to be had."""
        directory = self._entrances.directory_by_id(found.tenant_id, found.session.directory_id)
        if directory is None:
            return None
        back = self._settings.public_url + "/signed-out"
        try:
            return self._provider.end_session_url(directory, post_logout_redirect_uri=back, logout_hint=found.session.logout_hint)
        except ProviderUnavailable:
            return None

    def _take(self, tenant_id: str, state: str, about: Authentication, asked: Request) -> tuple[SignIn, str | None]:
        """The sign-in that this state began, and its verifier. It is used from now on, whatever comes of it."""
        with self._store.write(Scope(tenant_id, SIGN_IN, asked.request_id)) as unit:
            sign_in = unit.sign_ins.take(tickets.digest(state))
            if sign_in is None:
                raise SignInFailed("state_unknown", authentication=about)
            sealed = unit.secrets.get(sign_in.id, _VERIFIER)
            unit.secrets.forget(sign_in.id)
        try:
            return sign_in, self._ring.open(sealed) if sealed else None
        except KeyFault as fault:
            raise SignInFailed("server_error", str(fault), tenant_id=tenant_id, authentication=about, retry=True) from fault

    def _check_sign_in(self, sign_in: SignIn, browser: str | None, tenant: Tenant, about: Authentication) -> None:
        if sign_in.used is not None:
            raise _failed("state_used", tenant, about)
        if sign_in.expires <= clock.now():
            raise _failed("state_expired", tenant, about)
        if browser is None or not hmac.compare_digest(tickets.digest(browser), sign_in.browser_hash):
            raise _failed("other_browser", tenant, about)

    def _check_answer(self, answer: Mapping[str, str], directory: Directory, tenant: Tenant, about: Authentication) -> None:
        refused = callback.refusal(answer, f"{cloud_of(directory).authority}/{directory.tid}/v2.0")
        if refused is not None:
            about = replace(about, error=refused.error, error_codes=refused.codes)
            raise _failed(refused.reason, tenant, about, refused.detail, retry=refused.is_outage)

    def _exchange(self, code: str, verifier: str | None, directory: Directory, tenant: Tenant, about: Authentication) -> Tokens:
        if verifier is None:
            raise _failed("state_used", tenant, about)
        try:
            return self._provider.exchange(
                directory,
                code=code,
                verifier=verifier,
                redirect_uri=self._settings.callback_url,
                correlation_id=about.correlation_id or "",
            )
        except TokenRefused as fault:
            error = fault.error
            about = replace(
                about,
                error=error.error,
                error_codes=error.codes,
                trace_id=error.trace_id,
                correlation_id=error.correlation_id or about.correlation_id,
            )
            if fault.verdict.alarm:
                log.get().error("directory_refuses_us", tenant=tenant.name, tid=directory.tid, reason=fault.verdict.reason)
            reason = "provider_refused" if fault.verdict.reason == REFRESH_TOKEN_INVALID else fault.verdict.reason  # it was a code
            raise _failed(reason, tenant, about, retry=fault.verdict.action is Action.OUTAGE) from fault
        except ProviderUnavailable as fault:
            raise _unavailable(fault, tenant, about) from fault
        except NoCredential as fault:
            raise _failed("our_credential", tenant, about, str(fault)) from fault
        except KeyFault as fault:
            raise _failed("server_error", tenant, about, str(fault), retry=True) from fault

    def _claims(self, tokens: Tokens, sign_in: SignIn, directory: Directory, tenant: Tenant, about: Authentication) -> Claims:
        try:
            claims = self._provider.claims(directory, tokens, nonce_hash=sign_in.nonce_hash)
        except InvalidToken as fault:
            raise _failed("invalid_token", tenant, about, fault.reason, claims=fault.claims) from fault
        except ProviderUnavailable as fault:
            raise _unavailable(fault, tenant, about) from fault
        if claims is None:
            raise _failed("no_id_token", tenant, about)
        return claims

    def _directory_of(self, claims: Claims, asked_at: Directory, tenant: Tenant, about: Authentication) -> Directory:
        """The directory that the token is of: one of the tenant's, at which we are the same client."""
        if claims.tid == asked_at.tid:
            found: Directory | None = asked_at
        else:
            found = self._entrances.directory(claims.tid)
        if found is None:
            raise _failed("unknown_directory", tenant, about, begun_at=asked_at.tid)
        if found.tenant_id != tenant.id:
            raise _failed("directory_of_another_tenant", tenant, about, begun_at=asked_at.tid)
        if (found.cloud, found.authority, found.client_id) != (asked_at.cloud, asked_at.authority, asked_at.client_id):
            raise _failed("invalid_token", tenant, about, "of a directory at which we are another client", begun_at=asked_at.tid)
        return found

    def _check_address(self, claims: Claims, sign_in: SignIn, tenant: Tenant, about: Authentication) -> None:
        if claims.acct == _GUEST and tenant.settings.guests is False:
            raise _refused("guest_refused", tenant, about, address=claims.preferred_username)
        for address in (claims.preferred_username, claims.upn, claims.email, sign_in.login_hint):
            if address and self._entrances.holder_of(address) not in (None, tenant.id):
                raise _refused("address_of_another_tenant", tenant, about, address=address)

    def _groups(
        self, claims: Claims, tokens: Tokens, directory: Directory, tenant: Tenant, about: Authentication, asked: Request
    ) -> frozenset[str] | None:
        """The groups that the person is in, all of them; None where nobody needs to know."""
        try:
            return groups_of(claims.groups, tokens, directory, self._graph, self._store, Scope(tenant.id, SIGN_IN, asked.request_id), about)
        except GroupsUnavailable as fault:
            detail = fault.reason
            raise _refused("groups_unresolved", tenant, about, detail, retry=True, retry_after=fault.retry_after) from fault

    def _arrive(
        self,
        tenant: Tenant,
        directory: Directory,
        sign_in: SignIn,
        claims: Claims,
        groups: frozenset[str] | None,
        tokens: Tokens,
        earlier: str | None,
        about: Authentication,
        asked: Request,
    ) -> Completed:
        """One transaction: the user, the link, the session, the roles, the events."""
        scope = Scope(tenant.id, SIGN_IN, asked.request_id)
        person = person_of(claims, directory, groups, name_is_ours=self._is_ours(claims, tenant))
        ticket = tickets.new(tenant.id)
        lifetime = self._lifetime(tenant, tokens)

        def let_in(unit: Unit) -> Arrival:
            arrival = arrive(unit, person, about, link_by_user_name=bool(tenant.settings.link_by_user_name))
            session_id = unit.sessions.start(
                hash=tickets.digest(ticket),
                user_id=arrival.user.id,
                link_id=arrival.link.id,
                directory_id=directory.id,
                roles=arrival.decision.roles,
                sid=claims.sid,
                logout_hint=claims.login_hint,
                address=asked.address,
                user_agent=asked.user_agent[:MAX_USER_AGENT],
                idle_s=tenant.settings.session_idle_s or self._settings.session_idle_s,
                expires=unit.now + lifetime,
            )
            if tokens.refresh_token:
                unit.secrets.put(self._ring.seal(tenant.id, session_id, REFRESH_TOKEN, tokens.refresh_token))
            unit.events.append(SignedIn(arrival.user.id, session_id, arrival.decision.roles, about))
            if earlier is not None and tickets.tenant_of(earlier) == tenant.id:
                _end_earlier(unit, earlier)
            return arrival

        try:
            try:
                self._store.transact(scope, let_in)
            except Taken:  # the same person in another tab, or a SCIM client, was faster: now it is known who it is
                self._store.transact(scope, let_in)
        except NotAdmitted as refused:
            self._put_out(refused, scope)
            raise _refused(
                refused.reason,
                tenant,
                about,
                user_id=refused.user_id,
                address=claims.preferred_username,
                groups=refused.groups,
                group_ids=refused.group_ids,
            ) from refused
        except Taken as fault:
            raise _refused("name_taken", tenant, about, str(fault), address=claims.preferred_username) from fault
        except KeyFault as fault:
            raise _refused("server_error", tenant, about, str(fault), retry=True) from fault
        if earlier is not None and (other := tickets.tenant_of(earlier)) not in (None, tenant.id):
            self._store.transact(Scope(other or SERVER, SIGN_IN, asked.request_id), lambda unit: _end_earlier(unit, earlier))
        return Completed(ticket, int(lifetime.total_seconds()), sign_in.return_path)

    def _put_out(self, refused: NotAdmitted, scope: Scope) -> None:
        """Whoever may not come in has no session from before, either."""
        user_id = refused.user_id
        if user_id is not None and refused.group_ids:
            self._store.transact(scope, lambda unit: departure.leave(unit, user_id, refused.reason))

    def _is_ours(self, claims: Claims, tenant: Tenant) -> bool:
        return self._entrances.holder_of(user_name_of(claims)) == tenant.id

    def _lifetime(self, tenant: Tenant, tokens: Tokens) -> timedelta:
        """Without a refresh token the directory cannot be asked again: then the session is no longer than it may go on unasked."""
        longest = tenant.settings.session_max_s or self._settings.session_max_s
        return timedelta(seconds=longest if tokens.refresh_token else min(longest, self._settings.refresh_grace_s))


def _end_earlier(unit: Unit, ticket: str) -> None:
    found = unit.sessions.find(tickets.digest(ticket))
    if found is not None:
        departure.end_session(unit, found.session.id, departure.REPLACED)


def _failed(reason: str, tenant: Tenant, about: Authentication, detail: str = "", **more: Any) -> SignInFailed:
    return SignInFailed(reason, detail, **{"tenant_id": tenant.id, "begun_at": about.tid, "authentication": about, **more})


def _refused(reason: str, tenant: Tenant, about: Authentication, detail: str = "", **more: Any) -> SignInFailed:
    """Of somebody who is known to be of the tenant."""
    return _failed(reason, tenant, about, detail, tenant_name=tenant.name, contact=tenant.settings.contact, **more)


def _unavailable(fault: ProviderUnavailable, tenant: Tenant, about: Authentication) -> SignInFailed:
    return _failed("provider_unavailable", tenant, about, fault.reason, retry=True, retry_after=fault.retry_after)
