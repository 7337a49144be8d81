"""The pages by themselves: both languages, hostile text, headers; and that no text is left in one language only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages import Catalog, extract, mofile, pofile
from flask import Flask, Response

from oidc import errors, session
from oidc.blueprint import pages, wording
from oidc.me import Attribute, GroupOfMine, Occurrence, Portrait, RoleOfMine, SessionOfMine
from scim_server.access import departure, standing
from scim_server.config import Settings

ROOT = Path(pages.__file__).parent
CATALOGUE = ROOT / "translations" / "de" / "LC_MESSAGES" / "messages.po"
HOSTILE = '<script>alert("x")</script>\u202e' + "x" * 10_000
NOW = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)
ROLES = (("admin", "scim"), ("auditor", "token"), ("employee", "default"))
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self' https:",
}


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask("pages")
    pages.install(app, Settings())

    @app.get("/refused/<reason>")
    def refused(reason: str) -> Response:
        return pages.refused(pages.Refusal(reason, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, "reference", NOW, "/login"), 403)

    @app.get("/retry/<reason>")
    def retry(reason: str) -> Response:
        return pages.retry(reason, "reference", 2, "/login")

    @app.get("/sign-in")
    def sign_in() -> Response:
        return pages.sign_in(HOSTILE, "unknown_domain", HOSTILE, "reference", 404)

    @app.get("/choose")
    def choose() -> Response:
        return pages.choose_directory(HOSTILE, [pages.Choice(HOSTILE, "/login?directory=1")])

    @app.get("/signed-out")
    def signed_out() -> Response:
        return pages.signed_out("/login")

    @app.get("/me")
    def me() -> Response:
        return pages.me(
            Portrait(
                HOSTILE,
                HOSTILE,
                HOSTILE,
                [
                    Attribute(HOSTILE, {"formatted": HOSTILE}, "scim", NOW),
                    Attribute("emails", [{"value": "a@b.example"}], None, None),
                ],
                [GroupOfMine(HOSTILE, None, "scim"), GroupOfMine(None, "1", "token")],
                [
                    RoleOfMine(role, source, HOSTILE, "1")
                    for role, source in (("admin", "scim"), ("auditor", "token"), ("employee", "default"))
                ],
                [SessionOfMine(HOSTILE, True, NOW, NOW, HOSTILE, HOSTILE)],
                [Occurrence(NOW, "refused", HOSTILE, HOSTILE), Occurrence(NOW, "session_ended", "idle", None)],
            )
        )

    @app.get("/me/empty")
    def empty() -> Response:
        return pages.me(Portrait("anna", "Anna", "Contoso", [], [], [], [], []))

    return app


PATHS = ["/refused/not_in_allowed_group", "/retry/provider_unavailable", "/sign-in", "/choose", "/signed-out", "/me", "/me/empty"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,en;q=0.5", "de"), ("en-US", "en"), ("fr", "en"), ("", "en"), ("de;q=0.1,en", "en"), ("fr,de;q=0", "en")],
)
def test_every_page_in_both_languages(app: Flask, path: str, accepted: str, language: str) -> None:
    answer = app.test_client().get(path, headers={"Accept-Language": accepted})
    text = answer.get_data(as_text=True)
    assert f'<html lang="{language}">' in text
    assert answer.headers["Content-Language"] == language
    assert "<script" not in text
    assert "\u202e" not in text or path in ("/me", "/sign-in")  # which put it into fields of forms, too
    assert "x" * 1000 not in text or path in ("/me", "/sign-in")  # what people look at is cut off
    assert answer.headers["Cache-Control"] == "no-store"
    assert dict(each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";")) == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].split(", "))


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_strangers_see_one_page(app: Flask, language: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert len({pages.sign_in("", each, None, "reference", 404).get_data() for each in wording.STRANGERS}) == 1


def test_whatever_ended_a_session_is_said_in_words(app: Flask) -> None:
    """Of a directory's refusals, of SCIM and of ourselves."""
    ours = {departure.SIGNED_OUT, departure.ENDED_BY_USER, departure.ENDED_BY_OPERATOR, departure.DIRECTORY_REMOVED}
    ours |= {
        departure.DEACTIVATED,
        departure.REMOVED,
        standing.NOT_ALLOWED,
        session.FRONT_CHANNEL,
        departure.EXPIRED,
        departure.IDLE,
        "invalid_token",
    }
    codes = (50057, 50034, 50020, 50105, 65001, 50173, 50132, 700082, 700084, 70043, 50076, 53003, 70000, 50196)
    theirs = {errors.verdict(errors.ProviderError("invalid_grant", (each,)), 400).reason for each in (*codes, 1)}
    assert len(theirs) == len(codes)
    with app.test_request_context():
        assert [each for each in ours | theirs if wording.reason(each) == each] == []


def test_every_reason_has_words_of_its_own(app: Flask) -> None:
    client = app.test_client()
    seen = {}
    for language in pages.LANGUAGES:
        for reason in wording.REASONS:
            text = client.get(f"/refused/{reason}", headers={"Accept-Language": language}).get_data(as_text=True)
            seen[language, reason] = text
    assert all(seen["en", each] != seen["de", each] for each in wording.REASONS)
    assert len({seen["de", each] for each in wording.REASONS}) > 15


def marked(path: Path) -> Iterator[str]:
    """The texts of a file that are to be translated."""
    with path.open("rb") as file:
        in_python = path.suffix == ".py"
        keywords = {"N_": None} if in_python else extract.DEFAULT_KEYWORDS
        for _, text, _, _ in extract.extract("python" if in_python else "jinja2", file, keywords=keywords):
            yield text if isinstance(text, str) else text[0]


def test_the_catalogue_has_every_text_in_german() -> None:
    files = [*ROOT.glob("*.py"), *ROOT.glob("templates/*.html")]
    found = {text for path in files for text in marked(path)}
    with CATALOGUE.open("rb") as file:
        catalogue = pofile.read_po(file, locale="de")
    known = {each.id if isinstance(each.id, str) else each.id[0]: each for each in catalogue if each.id}
    assert known.keys() == found
    assert not [
        each.id for each in known.values() if each.fuzzy or not all([each.string] if isinstance(each.string, str) else each.string or [""])
    ]
    assert not [each.id for each in known.values() if list(each.check(catalogue))]


def test_the_catalogue_is_compiled() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = pofile.read_po(file, locale="de")
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = mofile.read_mo(file)

    def texts(messages: Catalog) -> set[tuple[str, ...]]:
        listed = ((each.id, each.string) for each in messages if each.id)
        return {tuple(text for part in pair for text in ([part] if isinstance(part, str) else part or ())) for pair in listed}

    assert texts(compiled) == texts(catalogue)


def test_what_pages_are_made_of_can_be_kept(app: Flask) -> None:
    text = app.test_client().get("/signed-out").get_data(as_text=True)
    style = text.partition('stylesheet" href="')[2].partition('"')[0]
    with app.test_client().get(style) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/css"


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", "Safari · macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        ("something else", "something else"),
    ],
)
def test_a_browser_by_its_name(user_agent: str, shown: str) -> None:
    assert wording.program(user_agent) == shown
