"""The pages that people see: values in, a page out, in German or English as the browser prefers. No script, nothing from elsewhere.

Whatever a directory, a browser or a tenant said is text here, escaped by the templates. What each reason for a refusal means, in
words, stands in ``wording``.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request
from flask_babel import Babel, format_datetime, get_locale

from oidc.blueprint import wording
from oidc.me import Portrait
from scim_server.config import Settings

LANGUAGES = ("en", "de")

_HERE = Path(__file__).parent
_STATIC = "/login-static"
_PREFIX, _FORM_ACTION = "SIGN_IN_PREFIX", "SIGN_IN_FORM_ACTION"
_LONGEST = 300
# What would turn the words of the page around a name about, too: embeddings, overrides and isolates of text direction.
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


@dataclass(frozen=True, slots=True)
class Choice:
    """A directory that somebody may sign in at."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """``missing_groups``: of which one would let the person in. ``contact``: whom to ask."""

    reason: str
    tenant_name: str | None
    address: str | None
    missing_groups: Sequence[str]
    contact: str | None
    reference: str
    time: datetime
    sign_in_url: str | None


def install(app: Flask, settings: Settings) -> None:
    """Make this app speak two languages, and serve what the pages are made of."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(_HERE / "translations")
    app.config[_PREFIX] = settings.prefix
    local = " http://127.0.0.1:* http://localhost:*" if settings.allow_custom_cloud else ""
    # What a form leads to counts, too: the browser is sent to the sign-in service.
    app.config[_FORM_ACTION] = f"'self' https:{local}"
    Babel(app, locale_selector=_language, timezone_selector=lambda: "UTC")
    assets = Blueprint("pages", __name__, template_folder="templates", static_folder="static", static_url_path=_STATIC)
    app.register_blueprint(assets)
    app.jinja_env.filters.update(shown=shown, instant=instant)


def sign_in(
    address: str = "", problem: str | None = None, next: str | None = None, reference: str | None = None, status: int = 200
) -> Response:
    """Where somebody says who he is, so that it is known where he signs in. ``problem`` is a reason why it did not come about."""
    words = wording.of(problem) if problem else None
    return _page("sign_in.html", status, address=address[:_LONGEST], words=words, next=next, reference=reference)


def choose_directory(tenant_name: str, choices: Sequence[Choice]) -> Response:
    """Of a tenant that has several."""
    return _page("choose_directory.html", 200, tenant_name=tenant_name, choices=choices)


def refused(refusal: Refusal, status: int) -> Response:
    """Why somebody does not come in, what to do, whom to ask."""
    return _page("refused.html", status, refusal=refusal, words=wording.of(refusal.reason))


def retry(reason: str, reference: str, retry_after: int | None, sign_in_url: str, status: int = 503) -> Response:
    """It does not work now, and may later."""
    return _page("retry.html", status, words=wording.of(reason), reference=reference, retry_after=retry_after, sign_in_url=sign_in_url)


def signed_out(sign_in_url: str) -> Response:
    return _page("signed_out.html", 200, sign_in_url=sign_in_url)


def me(me: Portrait) -> Response:
    """Who somebody is here."""
    return _page("me.html", 200, me=me, wording=wording)


def shown(value: Any) -> str:
    """A value of an attribute, for people."""
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    if isinstance(value, dict):
        named = value.get("formatted") or value.get("value") or value.get("displayName")
        return shown(named) if named else ", ".join(shown(each) for each in value.values() if not isinstance(each, dict | list))
    if isinstance(value, bool):
        return wording.gettext(wording.YES) if value else wording.gettext(wording.NO)
    text = "".join(each for each in str(value)[: _LONGEST + 1] if unicodedata.bidirectional(each) not in _TURNING)
    return text if len(str(value)) <= _LONGEST else text[:_LONGEST] + "…"


def instant(value: datetime) -> str:
    """When it was, with the zone."""
    return str(format_datetime(value, "d. MMM y, HH:mm" if str(get_locale()) == "de" else "MMM d, y, HH:mm")) + " UTC"


def _language() -> str:
    """The first that the browser likes: of `de-AT` the `de`."""
    liked = (each.partition("-")[0].lower() for each, quality in request.accept_languages if quality)
    return next((each for each in liked if each in LANGUAGES), LANGUAGES[0])


def _page(template: str, status: int, **values: Any) -> Response:
    prefix = current_app.config[_PREFIX]
    language = str(get_locale())
    style = f"{prefix}{_STATIC}/style.css?v={_STYLE}"
    response = make_response(render_template(template, prefix=prefix, language=language, style=style, **values), status)
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Language": language,
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {current_app.config[_FORM_ACTION]}",
            "Referrer-Policy": "same-origin",  # with none at all, the browser would not say where our own forms come from
            "Vary": "Accept, Accept-Language, Cookie",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
    )
    return response


_STYLE = hashlib.sha256((_HERE / "static" / "style.css").read_bytes()).hexdigest()[:12]
