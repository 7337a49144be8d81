"""From bytes to values: the only place that reads what a client sent.

Every limit on input stands here or in the core. The tenant's dialect is rewritten to RFC form
before anything is parsed, so that nothing below knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from scim_server import booleans, entra
from scim_server.scim import json_text, ordering, paging
from scim_server.scim.documents import layout_of
from scim_server.scim.errors import InvalidSyntax, InvalidValue, ScimError, TooLarge
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import Bound, bind
from scim_server.scim.messages import MEDIA_TYPES, search_parameters
from scim_server.scim.ordering import Order
from scim_server.scim.paging import Paging
from scim_server.scim.projection import Projection, written_on_request
from scim_server.scim.references import in_filter
from scim_server.scim.schemas import ResourceType, Types
from scim_server.scim.versions import Precondition
from scim_server.tenancy.client import Client
from scim_server.tenancy.profiles import ENTRA_DIALECT, TEXT_BOOLEANS

_MAX_PARAMETERS = 50
_BROKEN_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})")

_Rewriting = Callable[[ResourceType, str, dict[str, str], Any], tuple[dict[str, str], Any]]
_DIALECTS: dict[str | None, _Rewriting] = {ENTRA_DIALECT: entra.normalise, TEXT_BOOLEANS: booleans.normalise}


class UnsupportedMediaType(ScimError):
    status = 415


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a request says, in RFC form: the query parameters by name, and the parsed body if it has one."""

    resource_type: ResourceType
    query: dict[str, str]
    body: Any

    @property
    def projection(self) -> Projection:
        written = written_on_request(self.resource_type, self.body)
        return Projection.parse(self.resource_type, self.query.get("attributes"), self.query.get("excludedAttributes"), written)

    def filter(self, root: str) -> Bound | None:
        """The bound filter, or None if there is no such parameter. An empty one is refused, never ignored. ``root`` is the service's."""
        text = self.query.get("filter")
        return None if text is None else bind(in_filter(parse_filter(text), self.resource_type, root), self.resource_type)

    @property
    def order(self) -> Order | None:
        """What to sort by, or None if there is no such parameter."""
        return ordering.bind(self.resource_type, self.query.get("sortBy"), self.query.get("sortOrder"))

    def paging(self, maximum: int) -> Paging:
        return paging.parse(self.query.get("startIndex"), self.query.get("count"), maximum=maximum)

    @property
    def asks_for_body(self) -> bool:
        """Whether the client named what it wants back of a write (RFC 7644 §3.9)."""
        return "attributes" in self.query or "excludedAttributes" in self.query


def read(resource_type: ResourceType, client: Client) -> Incoming:
    """The present request, in RFC form. Raises ScimError where it cannot be understood."""
    return in_rfc_form(resource_type, client, request.method, parameters(), _body(exact=layout_of(resource_type).exact))


def read_search(resource_type: ResourceType, client: Client) -> Incoming:
    """The present request, which is a query in a SearchRequest message; parameters in its URL mean nothing."""
    return in_rfc_form(resource_type, client, "GET", search_message(), None)


def message(types: Types) -> Any:
    """The message that is the body of the present request, as it was sent; with exact numbers if one of the types needs them."""
    return _body(exact=any(layout_of(each).exact for each in types))


def search_message() -> dict[str, str]:
    """The SearchRequest message that is the body of the present request, as query parameters."""
    return search_parameters(_body())


def in_rfc_form(resource_type: ResourceType, client: Client, method: str, query: dict[str, str], body: Any) -> Incoming:
    """What a client of the tenant means, in whatever dialect the tenant's profile allows for."""
    rewriting = _DIALECTS.get(client.profile.dialect)
    if rewriting is not None:
        query, body = rewriting(resource_type, method, query, body)
    return Incoming(resource_type, query, body)


def precondition() -> Precondition:
    """What the present request demands of the version of what it changes."""
    return Precondition(request.headers.get("If-Match"), request.headers.get("If-None-Match"))


def parameters() -> dict[str, str]:
    """The query parameters of the present request; the first of those that are there twice."""
    raw = request.environ.get("QUERY_STRING", "")
    if not raw:
        return {}
    if "%" in raw and (broken := _BROKEN_ENCODING.search(raw)):
        raise InvalidValue(f"The query string has a % without two hexadecimal digits behind it, at character {broken.start() + 1}.")
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except UnicodeDecodeError as fault:
        raise InvalidValue("The query string is not UTF-8 once its percent-encoding is undone.") from fault
    except ValueError as fault:
        raise InvalidValue(f"The query string has more than {_MAX_PARAMETERS} parameters.") from fault
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(name, value)
    return query


def _data() -> bytes:
    """The bytes of the body. Raises TooLarge, whether its length was announced or it came in chunks."""
    limit = request.max_content_length or 0
    try:
        data = request.get_data(cache=False)
    except RequestEntityTooLarge as fault:
        raise TooLarge(f"The body is larger than the {limit} bytes allowed.") from fault
    if request.content_length is None and len(data) >= limit:  # in chunks: Werkzeug stops at the limit without a word
        raise TooLarge(f"The body has {limit} bytes or more, which is larger than allowed.")
    return data


def _body(*, exact: bool = False) -> Any:
    """The JSON body of a POST, PUT or PATCH; None for the other methods, whose bodies mean nothing.

    ``exact``: with numbers as they were sent, where an attribute may hold more digits than a float.
    """
    if request.method not in ("POST", "PUT", "PATCH"):
        return None
    if request.content_type and request.mimetype not in MEDIA_TYPES:
        raise UnsupportedMediaType(f"Send the body as {MEDIA_TYPES[0]}, not as {request.mimetype[:100]}.")
    data = _data()
    try:
        body = json_text.received(data, exact=exact)
    except json_text.NamedTwice as fault:
        raise InvalidSyntax(f"The body has an object in which {fault.name[:100]!r} is there twice.") from fault
    except orjson.JSONDecodeError as fault:
        raise InvalidSyntax(f"The body is not valid JSON: {fault.msg} (line {fault.lineno}, column {fault.colno}).") from fault
    if not isinstance(body, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    return body
