"""In a real browser, against a real server: sign in, see /me, be disabled by SCIM in the middle, be out at the next click."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scim_server.tenancy.keys import generate
from tests.chromium import NARROW, WIDE, look
from tests.conftest import Databases
from tests.entra_directory import SECRET, EntraDirectory, NewEntra
from tests.server import Server

ANNA = "anna@contoso.example"
LANGUAGES = {"en-GB": "en", "de-DE": "de"}


class Site:
    """A running server with one tenant, whose people sign in at a directory; its SCIM client."""

    def __init__(self, server: Server, directory: EntraDirectory) -> None:
        self.server = server
        self.directory = directory
        self.url = f"http://127.0.0.1:{server.port}"
        self.tenant = "Contoso GmbH"
        self.token = ""

    def scim(self, method: str, path: str, body: bytes) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        request = urllib.request.Request(self.server.base_url + path, data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status < 300


@pytest.fixture(scope="module")
def site(databases: Databases, tmp_path_factory: pytest.TempPathFactory, new_entra: NewEntra) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    settings = {"DATABASE_URL": databases.migrated(), "SECRET_KEYS": generate(), "ALLOW_CUSTOM_CLOUD": "true", "REFRESH_FLOOR_S": "0"}
    server = Server(folder, WORKERS="2", THREADS="4", **settings)
    site = Site(server, new_entra())
    directory = site.directory
    directory.register(site.url)
    (folder / "secret").write_text(SECRET)
    server.cli("tenant", "create", site.tenant)
    server.cli("tenant", "set", site.tenant, "--contact", "helpdesk@contoso.example")
    server.cli(
        *("directory", "add", "--tenant", site.tenant, "--tid", directory.tid, "--client-id", directory.client_id),
        *("--cloud", "custom", "--authority", directory.authority, "--graph", directory.graph),
        *("--client-secret-file", str(folder / "secret"), "--label", "Contoso (main)"),
    )
    server.cli("domain", "add", "--tenant", site.tenant, "contoso.example", "--assume-verified")
    site.token = server.cli("credential", "create", "--tenant", site.tenant)["token"]
    server.start()
    yield site
    server.stop()


@pytest.fixture(params=LANGUAGES)
def context(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale=request.param, viewport=WIDE)  # type: ignore[arg-type]  # a dict with those two
    context.set_default_timeout(15_000)
    yield context
    context.close()


WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "button": "Sign in with Microsoft",
        "out": "You are signed out",
        "sign out": "Sign out",
        "not in": "You are not in a group",
    },
    "de": {"button": "Mit Microsoft anmelden", "out": "Sie sind abgemeldet", "sign out": "Abmelden", "not in": "Sie sind in keiner"},
}


def enter_address(page: Page, site: Site, login: str) -> None:
    """As a person does it, with the keyboard."""
    page.goto(site.url + "/login")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(login)
    page.keyboard.press("Enter")


def sign_in(page: Page, site: Site, login: str) -> None:
    """The address, then the directory's own form."""
    enter_address(page, site, login)
    page.get_by_label("Account").fill(login)
    page.get_by_role("button", name="Next").click()


def test_in_and_out(site: Site, context: BrowserContext) -> None:
    language = context.new_page()
    locale = language.evaluate("navigator.language")
    words, name = WORDS[LANGUAGES[locale]], LANGUAGES[locale]
    login = f"{uuid4().hex[:8]}@contoso.example"
    site.directory.person(login, name="Anna Ahorn", email=login, groups=[])
    page = context.new_page()
    page.goto(site.url + "/login")
    expect(page.get_by_role("button", name=words["button"])).to_be_visible()
    look(page, f"sign-in {name}")
    sign_in(page, site, login)
    expect(page.get_by_role("heading", name="Anna Ahorn")).to_be_visible()
    assert page.url == site.url + "/me"
    assert page.locator("html").get_attribute("lang") == name
    look(page, f"me {name}")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # as above
    look(page, f"me {name} narrow")
    page.emulate_media(color_scheme="dark")
    look(page, f"me {name} narrow dark")
    cookies = {each["name"]: each for each in context.cookies(site.url)}
    assert cookies["__Host-session"]["secure"]
    assert cookies["__Host-session"]["httpOnly"]
    users = site.server.cli("session", "list", "--tenant", site.tenant, "--user", login)
    assert len(users) == 1
    body = b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}'
    site.scim("PATCH", f"/Users/{users[0]['user_id']}", body)
    page.reload()
    expect(page.get_by_role("button", name=words["button"])).to_be_visible()
    assert "/login" in page.url
    enter_address(page, site, login)  # the directory still knows him
    page.wait_for_url("**/callback?*")
    look(page, f"disabled {name}")


def test_signing_out(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    name = LANGUAGES[page.evaluate("navigator.language")]
    login = f"{uuid4().hex[:8]}@contoso.example"
    site.directory.person(login, name="Bert Birke", groups=[])
    sign_in(page, site, login)
    page.get_by_role("button", name=WORDS[name]["sign out"], exact=True).click()
    page.get_by_role("button", name="Sign out").click()  # the directory's own page
    expect(page.get_by_role("heading", name=WORDS[name]["out"])).to_be_visible()
    look(page, f"signed out {name}")
    page.goto(site.url + "/me")
    assert "/login" in page.url


def test_refused(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    name = LANGUAGES[page.evaluate("navigator.language")]
    group = str(uuid4())
    login = f"{uuid4().hex[:8]}@contoso.example"
    site.directory.person(login, name="Carla Cypress", groups=[])
    site.server.cli("restriction", "set", "--tenant", site.tenant, "--group", group)
    try:
        sign_in(page, site, login)
        expect(page.get_by_role("heading", name=WORDS[name]["not in"])).to_be_visible()
        expect(page.get_by_text("helpdesk@contoso.example")).to_be_visible()
        expect(page.get_by_text(group)).to_be_visible()
        look(page, f"refused {name}")
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # as above
        look(page, f"refused {name} narrow")
    finally:
        site.server.cli("restriction", "clear", "--tenant", site.tenant)
    page.goto(site.url + "/login?login_hint=x@nobody.example")
    look(page, f"unknown {name}")


def test_where_to_choose_and_what_to_try_again(site: Site, context: BrowserContext, new_entra: NewEntra) -> None:
    page = context.new_page()
    name = LANGUAGES[page.evaluate("navigator.language")]
    tenant = f"Fabrikam {uuid4().hex[:8]}"
    site.server.cli("tenant", "create", tenant)
    for label in ("Fabrikam Nord", "Fabrikam Süd"):
        other = new_entra()
        where = ("--cloud", "custom", "--authority", other.authority, "--graph", other.graph)
        site.server.cli(
            "directory", "add", "--tenant", tenant, "--tid", other.tid, "--client-id", other.client_id, "--label", label, *where
        )
    page.goto(f"{site.url}/login?tenant={tenant}")
    expect(page.get_by_role("link", name="Fabrikam Süd")).to_be_visible()
    look(page, f"choose {name}")
    login = f"{uuid4().hex[:8]}@contoso.example"
    site.directory.person(login, groups=[])
    site.directory.outage(token="unavailable")
    try:
        sign_in(page, site, login)
        page.wait_for_url("**/callback?*")
        look(page, f"retry {name}")
    finally:
        site.directory.outage()
    page.get_by_role("link").last.click()  # the directory still knows him: one click, and he is in
    page.wait_for_url("**/me")
