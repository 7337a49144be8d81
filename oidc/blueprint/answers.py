"""Answers that are no pages: JSON for programs, and where to go next."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Response, request

_MAX_PATH = 2000
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")  # of this origin: neither another host nor what a browser might take for one


def wants_json() -> bool:
    """Whether who asks is a program: JSON is liked better than a page."""
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"]


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """JSON that is kept by nobody."""
    response = Response(orjson.dumps(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Cookie, Accept"
    return response


def go_to(url: str) -> Response:
    """The browser goes there, by GET, and tells nobody from where it comes."""
    response = Response("", 303, content_type="text/plain; charset=utf-8", headers={"Location": url})
    response.autocorrect_location_header = False
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def return_path() -> str | None:
    """Where this request wants to go in the end (``next``), if that is a path of this origin."""
    text = request.args.get("next")
    if not text or len(text) > _MAX_PATH or not _PATH.fullmatch(text):
        return None
    parts = urlsplit(text)
    return None if parts.scheme or parts.netloc else text
