"""From values to bytes: every SCIM answer is made here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.datastructures import Headers

from scim_server.scim import json_text, versions
from scim_server.scim.messages import MEDIA_TYPES, list_response
from scim_server.scim.projection import Projection
from scim_server.scim.resources import Resource, location, represent
from scim_server.store.unit import Page

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class _Answer(Response):
    """An answer whose Location is a URI as it stands: Werkzeug would take it apart and put it together again, which takes its time."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        location = self.headers.get("Location")
        if location is None or not location.isascii():
            return super().get_wsgi_headers(environ)
        del self.headers["Location"]
        headers = super().get_wsgi_headers(environ)
        for each in (self.headers, headers):
            each.add("Location", location)
        return headers


def json(payload: Any, status: int = 200) -> Response:
    """A SCIM answer with a body."""
    return _Answer(json_text.dumps(payload), status, content_type=MEDIA_TYPES[0])


def resource(found: Resource, base_url: str, projection: Projection, status: int = 200) -> Response:
    """One resource, as far as the client wants it, with its Location and its version (RFC 7644 §3.3, §3.14)."""
    representation = represent(found, base_url)
    response = json(projection.apply(representation), status)
    response.headers["Location"] = representation["meta"]["location"]
    response.headers["ETag"] = representation["meta"]["version"]
    return response


def unless_known(found: Resource, base_url: str, projection: Projection) -> Response:
    """One resource; or 304 if the client has this version of it already (RFC 9110 §13.1.2)."""
    known = request.headers.get("If-None-Match")
    if known is None or not versions.matches(known, found.version):
        return resource(found, base_url, projection)
    return _without_body(304, found, base_url)


def unless_the_same(response: Response) -> Response:
    """The answer; or 304 if the client has it already, by the tag it has (RFC 9110 §13.1.2)."""
    known, (tag, _) = request.headers.get("If-None-Match"), response.get_etag()
    if known is None or tag is None or not (known.strip() == "*" or request.if_none_match.contains_weak(tag)):
        return response
    same = Response(status=304)
    del same.headers["Content-Type"]
    same.set_etag(tag, weak=True)
    return same


def page(found: Page, base_url: str, projection: Projection, start_index: int | None, next_cursor: str | None = None) -> Response:
    """One page of a list (RFC 7644 §3.4.2), begun at an index or (None) reached by cursor."""
    resources = [projection.apply(represent(each, base_url)) for each in found.resources]
    return json(list_response(resources, found.total, start_index, next_cursor))


def empty(changed: Resource | None = None, base_url: str = "") -> Response:
    """204: done, nothing to show. The version tells the client what it has made."""
    return _without_body(204, changed, base_url)


def _without_body(status: int, of: Resource | None, base_url: str) -> Response:
    response = _Answer(status=status)
    del response.headers["Content-Type"]
    if of is not None:
        response.headers["Location"] = location(of, base_url)
        response.headers["ETag"] = versions.etag(of.version)
    return response
