"""Answers that are no pages: JSON for programs, and where to go next."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request


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
