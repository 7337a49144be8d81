"""/me, signing out, and what the SaaS's own app asks of a session."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import Forbidden

from oidc import me
from oidc.blueprint import cookies, pages
from oidc.blueprint.answers import answer, go_to, wants_json
from oidc.flow import Flow
from oidc.session import NotSignedIn, Sessions
from scim_server.access import departure
from scim_server.access.roles import Role
from scim_server.config import Settings
from scim_server.events import Principal, Scope
from scim_server.store.documents import primary_email
from scim_server.store.sessions import Found
from scim_server.store.unit import Store

_SAFE = "@ "


def create_blueprint(store: Store, known: Sessions, flow: Flow, settings: Settings) -> Blueprint:
    blueprint = Blueprint("sessions", __name__)

    @blueprint.get("/me")
    def who_am_i() -> Response:
        found = current(known)
        with store.read(scope_of(found)) as unit:
            portrait = me.portrait(unit, found)
        if wants_json():
            return answer({**_about(found), "groups": [_group(each) for each in portrait.groups]})
        return pages.me(portrait)

    @blueprint.post("/me/sessions/end")
    def end_session() -> Response:
        """One of one's own, by the field ``id``."""
        cookies.require_same_origin(settings.public_url)
        found = current(known)
        ended = known.end_own(found, request.form.get("id", "")[:100], cookies.asked())
        return answer({"ended": ended}) if wants_json() else go_to(settings.prefix + "/me")

    @blueprint.post("/logout")
    def sign_out() -> Response:
        """End the session here, then at the directory. Without a session there is nothing to end, and that is no error."""
        cookies.require_same_origin(settings.public_url)
        target = settings.public_url + "/signed-out"
        try:
            found = current(known)
        except NotSignedIn:
            pass
        else:
            known.end(found, departure.SIGNED_OUT, cookies.asked())
            target = flow.end_session_url(found) or target
        response = answer({"signed_out": True, "redirect": target}) if wants_json() else go_to(target)
        cookies.clear_session(response)
        return response

    @blueprint.get("/signed-out")
    def signed_out() -> Response:
        return pages.signed_out(settings.prefix + "/login")

    @blueprint.get("/frontchannel-logout")
    def front_channel_logout() -> Response:
        """The directory's word, by way of the browser, that somebody signed out there (OpenID Connect Front-Channel Logout 1.0 §3).

        Entra sends ``sid`` alone, in a frame in which there are no cookies of ours. Anybody can send it: so it can end sessions, and
        tells nothing.
        """
        known.end_by_sid(request.args.get("sid", ""), cookies.asked())
        response = Response("", 200, content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.post("/auth/refresh")
    def refresh() -> Response:
        """The session as it is now, after the directory was asked, if it was not asked lately."""
        cookies.require_same_origin(settings.public_url)
        return answer(_about(current(known)))

    @blueprint.get("/auth/verify")
    def verify() -> Response:
        """For a proxy: 200 with who it is in headers; 401. With ``role`` (one of several) 403 for whoever has none of them."""
        found = current(known)
        wanted = {each for text in request.args.getlist("role")[:20] for each in text.split(",")}
        if wanted and not wanted & set(found.session.roles):
            raise Forbidden(f"This needs one of the roles {', '.join(sorted(wanted & set(Role)))}.")
        response = answer(_about(found))
        for name, value in headers(found).items():
            response.headers[name] = value
        return response

    return blueprint


def current(known: Sessions) -> Found:
    """The session of this request. Raises NotSignedIn."""
    found: Found = known.current(cookies.session_ticket(), cookies.asked())
    g.signed_in = found
    return found


def scope_of(found: Found) -> Scope:
    return Scope(found.tenant_id, Principal("user", found.session.user_id), g.request_id)


def headers(found: Found) -> dict[str, str]:
    """Who it is, for a proxy to hand on. What may hold any character is percent-encoded UTF-8."""
    document = found.document
    values = {
        "X-Auth-User": found.session.user_id,
        "X-Auth-User-Name": quote(document["userName"], safe=_SAFE),
        "X-Auth-Name": quote(document.get("displayName") or document["userName"], safe=_SAFE),
        "X-Auth-Email": quote(primary_email(document) or "", safe=_SAFE),
        "X-Auth-Tenant": found.tenant_id,
        "X-Auth-Tenant-Name": quote(found.tenant_name, safe=_SAFE),
        "X-Auth-Roles": ",".join(found.session.roles),
        "X-Auth-Session": found.session.id,
    }
    return {name: value for name, value in values.items() if value}


def _about(found: Found) -> dict[str, Any]:
    """Who is signed in, where, as what: as a program reads it."""
    session, document = found.session, found.document
    return {
        "user": {
            "id": session.user_id,
            "userName": document["userName"],
            "displayName": document.get("displayName"),
            "externalId": document.get("externalId"),
            "email": primary_email(document),
        },
        "tenant": {"id": found.tenant_id, "name": found.tenant_name},
        "roles": list(session.roles),
        "session": {
            "id": session.id,
            "created": session.created.isoformat(timespec="microseconds"),
            "expires": session.expires.isoformat(timespec="microseconds"),
            "idle_seconds": session.idle_s,
            "refreshed": session.refreshed.isoformat(timespec="microseconds"),
            "confirmed": session.failing is None,
        },
    }


def _group(group: me.GroupOfMine) -> dict[str, Any]:
    return {"name": group.name, "object_id": group.object_id, "source": group.source}
