"""From values to bytes: every SCIM answer is made here."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from scim_server.scim import versions
from scim_server.scim.messages import list_response
from scim_server.scim.projection import Projection
from scim_server.scim.resources import Resource, represent
from scim_server.store.unit import Page

MEDIA_TYPE = "application/scim+json"


def json(payload: Any, status: int = 200) -> Response:
    """A SCIM answer with a body."""
    return Response(orjson.dumps(payload), status, content_type=MEDIA_TYPE)


def resource(found: Resource, base_url: str, projection: Projection, status: int = 200) -> Response:
    """One resource, as far as the client wants it. 201 carries the Location (RFC 7644 §3.3)."""
    representation = represent(found, base_url)
    response = json(projection.apply(representation), status)
    if status == 201:
        response.headers["Location"] = representation["meta"]["location"]
    return response


def page(found: Page, base_url: str, projection: Projection, start_index: int) -> Response:
    """One page of a list (RFC 7644 §3.4.2)."""
    resources = [projection.apply(represent(each, base_url)) for each in found.resources]
    return json(list_response(resources, found.total, start_index))


def empty(changed: Resource | None = None) -> Response:
    """204: done, nothing to show. The version tells the client what it has made."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    if changed is not None:
        response.headers["ETag"] = versions.etag(changed.version)
    return response
