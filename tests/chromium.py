"""A real browser: Debian's Chromium, driven by Playwright; axe-core, which finds what is hard to use; and pictures of what was seen.

Pictures are kept below test-results/ for people to look at.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.provider import FOLDER, NoProvider, install

PICTURES = Path(__file__).parent.parent / "test-results" / "pages"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-extensions"),
)
_SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        install()
        missing = None if program else "there is no chromium (on Debian: apt-get install chromium)"
    except NoProvider as fault:
        missing = str(fault)
    if missing:
        if os.environ.get("CI"):
            pytest.fail(f"The browser that the pages are looked at with is not here: {missing}")
        pytest.skip(f"NOT TESTED IN A BROWSER: {missing}")
    playwright: Playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_OPTIONS))
        yield browser
        browser.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page: the rule, and where."""
    page.evaluate((FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text())
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in result["violations"] if each["impact"] in _SERIOUS]


def look(page: Page, name: str) -> None:
    """Keep a picture of the whole page, and see to it that it can be used: nothing serious, and nothing to scroll sideways for."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png", full_page=True)
    assert violations(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is wider than its window"
    assert page.title()
