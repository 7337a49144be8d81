"""A browser as far as sign-in goes: cookies by origin, redirects that a test can stop at, the provider's login form.

It talks HTTP to the provider, and to the application either so or straight into a Flask app. Cookies are kept by hand: a browser sends
Secure cookies to loopback without TLS, and libraries do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from flask import Flask

_FORM_ACTION = re.compile(r'<form[^>]*action="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Page:
    """What was answered."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str
    set_cookies: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        return urljoin(self.url, self.headers["Location"])

    @property
    def query(self) -> dict[str, str]:
        """Of where it redirects to."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    def json(self) -> Any:
        import json

        return json.loads(self.text)


class Browser:
    """``public_url`` is where the application is. With ``app`` its requests do not leave the process."""

    def __init__(self, public_url: str, app: Flask | None = None, *, user_agent: str = "Browser of the tests", address: str = "127.0.0.1"):
        self.public_url = public_url
        self.cookies: dict[str, dict[str, str]] = {}
        self.user_agent = user_agent
        self.address = address
        self._app = app

    def get(self, url: str, **headers: str) -> Page:
        return self.request("GET", url, headers=headers)

    def post(self, url: str, data: Mapping[str, str] | None = None, **headers: str) -> Page:
        return self.request("POST", url, data=data or {}, headers=headers)

    def request(self, method: str, url: str, *, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Page:
        """One request; nobody is followed. A path is the application's."""
        url = urljoin(self.public_url + "/", url.removeprefix("/")) if url.startswith("/") else url
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        sent = {"User-Agent": self.user_agent, **{name.replace("_", "-"): value for name, value in (headers or {}).items()}}
        if kept := self.cookies.get(origin):
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        if self._app is not None and url.startswith(self.public_url):
            page = self._inside(method, url, data, sent)
        else:
            answer = requests.request(method, url, data=data, headers=sent, allow_redirects=False, timeout=20)
            lines = tuple(answer.raw.headers.getlist("Set-Cookie"))
            page = Page(url, answer.status_code, answer.headers, answer.text, lines)
        self._keep(origin, page.set_cookies)
        return page

    def follow(self, page: Page, until: str | None = None) -> Page:
        """Go where redirects lead, until they end or lead to a URL that begins with ``until``."""
        for _ in range(20):
            if not 300 <= page.status < 400 or (until is not None and page.location.startswith(until)):
                return page
            page = self.get(page.location)
        raise AssertionError(f"too many redirects: {page.location}")

    def begin(self, path: str) -> Page:
        """The application's answer to /login…: a redirect to the directory, if all is well."""
        return self.get(path)

    def at_directory(self, page: Page, login: str) -> str:
        """Sign in there as that person, from the redirect on: the URL by which the browser comes back."""
        page = self.follow(self.get(page.location), self.public_url + "/callback")
        if page.status == 200:
            page = self.follow(self.post(page.url, {"login": login}), self.public_url + "/callback")
        assert 300 <= page.status < 400, f"the directory did not let {login} in: {page.status} {page.text[:300]}"
        return page.location

    def finish(self, callback: str) -> Page:
        return self.get(callback)

    def sign_in(self, path: str, login: str) -> Page:
        """All of it: the application's answer to what the directory sent the browser back with."""
        begun = self.begin(path)
        assert begun.status in (302, 303), f"{begun.status} {begun.text[:500]}"
        return self.finish(self.at_directory(begun, login))

    def me(self) -> Page:
        return self.get("/me", Accept="application/json")

    def forget(self, origin_of: str) -> None:
        """Drop the cookies of that URL's origin."""
        parts = urlsplit(origin_of)
        self.cookies.pop(f"{parts.scheme}://{parts.netloc}", None)

    def _inside(self, method: str, url: str, data: Mapping[str, str] | None, headers: Mapping[str, str]) -> Page:
        assert self._app is not None
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        client = self._app.test_client(use_cookies=False)
        base_url = f"{parts.scheme}://{parts.netloc}"
        environ = {"REMOTE_ADDR": self.address}
        answer = client.open(path, method=method, data=data, headers=dict(headers), base_url=base_url, environ_overrides=environ)
        return Page(
            url, answer.status_code, dict(answer.headers), answer.get_data(as_text=True), tuple(answer.headers.getlist("Set-Cookie"))
        )

    def _keep(self, origin: str, lines: tuple[str, ...]) -> None:
        kept = self.cookies.setdefault(origin, {})
        for line in lines:
            parsed: SimpleCookie = SimpleCookie(line)
            for name, morsel in parsed.items():
                if morsel["max-age"] == "0" or "1970" in morsel["expires"] or not morsel.value:
                    kept.pop(name, None)
                else:
                    kept[name] = morsel.value
