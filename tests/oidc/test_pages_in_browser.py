"""Every page by itself in a real browser: both languages, wide and narrow, light and dark; by keyboard; with hostile and very long text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser
from werkzeug.serving import WSGIRequestHandler, make_server

from oidc.blueprint import pages, wording
from oidc.me import Attribute, GroupOfMine, Occurrence, Portrait, RoleOfMine, SessionOfMine
from scim_server.config import Settings
from tests.chromium import NARROW, WIDE, look

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 8
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
NOW = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)
ID = "7d2f1c1e-5a0f-4f7e-9b57-1f1f0e7e2a10"
ALIKE = ("state_missing", "unknown_domain", "provider_refused", "guest_refused", "name_taken", "not_in_allowed_group", "groups_unresolved")
PATHS = [
    *("/sign-in", "/sign-in/problem", "/choose", "/signed-out", "/me", "/me/long", "/me/empty", "/retry/provider_unavailable"),
    *(f"/refused/{each}" for each in ALIKE),
    *("/refused/long", "/retry/too_many_requests"),
]
# Each control that can be used, however it is reached.
CONTROLS = "Array.from(document.querySelectorAll('a, button, input:not([type=hidden])')).map(each => each.outerHTML)"
FOCUSED = "document.activeElement === document.body ? null : document.activeElement.outerHTML"
OUTLINE = "parseFloat(getComputedStyle(document.activeElement).outlineWidth)"


def portrait(name: str, group: str) -> Portrait:
    return Portrait(
        f"{name}@contoso.example",
        name,
        "Contoso GmbH",
        [
            Attribute("userName", f"{name}@contoso.example", "scim", NOW),
            Attribute("emails", [{"value": "anna@contoso.example"}, {"value": f"{name}@contoso.example"}], "signin", NOW),
            Attribute(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", {"department": group, "employeeNumber": "1"}, "scim", NOW
            ),
            Attribute("urn:ietf:params:scim:schemas:extension:contoso:2.0:User", True, None, None),
        ],
        [GroupOfMine(group, None, "scim"), GroupOfMine(None, ID, "token")],
        [RoleOfMine("admin", "scim", group, ID), RoleOfMine("auditor", "token", None, ID), RoleOfMine("employee", "default", None, None)],
        [SessionOfMine(ID, True, NOW, NOW, "2001:db8::7334", EDGE), SessionOfMine("2", False, NOW, NOW, "", "")],
        [Occurrence(NOW, "signed_in", None, "198.51.100.7"), Occurrence(NOW, "session_ended", "refresh_token_invalid", None)],
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on loopback that has a path for every page."""
    app = Flask("pages in a browser")
    pages.install(app, Settings())

    @app.get("/sign-in")
    def sign_in() -> Response:
        return pages.sign_in(next="/me")

    @app.get("/sign-in/problem")
    def problem() -> Response:
        return pages.sign_in("anna@contoso.example", "unknown_domain", "/me", "377f468dc5052b1a", 404)

    @app.get("/choose")
    def choose() -> Response:
        return pages.choose_directory("Contoso GmbH", [pages.Choice("Contoso Nord", "/login"), pages.Choice(LONG, "/login?directory=2")])

    @app.get("/signed-out")
    def signed_out() -> Response:
        return pages.signed_out("/sign-in")

    @app.get("/refused/<reason>")
    def refused(reason: str) -> Response:
        name = LONG if reason == "long" else "Contoso GmbH"
        reason = "not_in_allowed_group" if reason == "long" else reason
        groups = ("Vertrieb", ID, name) if reason == "not_in_allowed_group" else ()
        return pages.refused(pages.Refusal(reason, name, f"{name}@contoso.example", groups, name, "377f468dc5052b1a", NOW, "/sign-in"), 403)

    @app.get("/retry/<reason>")
    def retry(reason: str) -> Response:
        return pages.retry(reason, "377f468dc5052b1a", 30, "/sign-in")

    @app.get("/me")
    def me() -> Response:
        return pages.me(portrait("Anna Ahorn", "Vertrieb"))

    @app.get("/me/long")
    def long() -> Response:
        return pages.me(portrait(LONG, LONG))

    @app.get("/me/empty")
    def empty() -> Response:
        return pages.me(Portrait("anna", "Anna", "Contoso", [], [], [], [], []))

    @app.get("/turned/<group>")
    def turned(group: str) -> Response:
        return pages.me(Portrait("a", "Anna", "Contoso", [], [], [RoleOfMine("admin", "scim", f"{group}\u202e", ID)], [], []))

    class Silent(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("de-DE", "de")])
def test_every_page(url: str, chromium: Browser, locale: str, language: str, path: str) -> None:
    """Nothing serious by axe-core, nothing to scroll sideways for, every control within reach of the keyboard and seen to be."""
    context = chromium.new_context(locale=locale)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if "status of" not in said.text else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(url + path)
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("h1").count() == 1
    for size, viewport in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]  # a dict with those two
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            look(page, f"each{path} {language} {size} {scheme}")
    assert faults == []  # what the policy forbids is said in the console
    controls: list[str] = page.evaluate(CONTROLS)
    reached: list[str] = []
    while True:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused in reached[:1] or len(reached) > 100:
            break
        assert page.evaluate(OUTLINE) > 1, focused
        reached.append(focused)
    assert set(controls) <= set(reached)
    context.close()


def test_a_name_turns_no_words_of_the_page_about(url: str, chromium: Browser) -> None:
    """A group's name that ends in an override of direction leaves the sentence after it as it is."""
    page = chromium.new_page(locale="en-GB")
    widths = []
    for group in ("Sales", "Sales\u202d"):
        page.goto(f"{url}/turned/{group}")
        assert "\u202e" not in page.content()
        widths.append(page.locator(".roles span").screenshot())
    assert widths[0] == widths[1]
    page.close()


def test_every_reason_has_a_page(url: str, chromium: Browser) -> None:
    """Headings in the order of their levels, whatever the reason leaves out."""
    page = chromium.new_page(locale="de-DE")
    for reason in wording.REASONS:
        page.goto(f"{url}/refused/{reason}")
        assert page.evaluate("Array.from(document.querySelectorAll('h1,h2,h3'), each => each.tagName)").count("H1") == 1
        assert page.title() == page.locator("h1").inner_text()
    page.close()
