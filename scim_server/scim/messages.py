"""The messages of the protocol (RFC 7644 §3.4.2, §3.12): what goes around resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scim_server.scim.errors import InvalidSyntax, ScimError

MEDIA_TYPES = ("application/scim+json", "application/json")
"""What bodies are sent as; the first is SCIM's own (RFC 7644 §3.8, §8.1)."""

PREFIX = "urn:ietf:params:scim:api:"
"""What the URN of every message begins with (RFC 7644 §3.1): no schema of a resource does."""

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def list_response(
    resources: Sequence[dict[str, Any]], total: int, start_index: int | None = 1, next_cursor: str | None = None
) -> dict[str, Any]:
    """One page of ``total`` results: from the 1-based ``start_index`` on, or (None) of a walk by cursor (RFC 9865 §2)."""
    result: dict[str, Any] = {"schemas": [LIST_RESPONSE], "totalResults": total}
    if start_index is not None:
        result["startIndex"] = start_index
    result["itemsPerPage"] = len(resources)
    if next_cursor is not None:
        result["nextCursor"] = next_cursor
    return {**result, "Resources": list(resources)}


_NAMES = ("attributes", "excludedAttributes")
_TEXTS = ("filter", "sortBy", "sortOrder", "cursor")
_NUMBERS = ("startIndex", "count")


def search_parameters(body: Any) -> dict[str, str]:
    """A SearchRequest message as the query parameters that would ask for the same (RFC 7644 §3.4.3, RFC 9865 §3).

    Names in any case; unknown ones are ignored, as unknown parameters are. InvalidSyntax if it is no such message.
    """
    spelled = {name.lower(): name for name in ("schemas", *_NAMES, *_TEXTS, *_NUMBERS)}
    given: dict[str, Any] = {}
    for key, value in body.items():
        name = spelled.get(key.lower())
        if name in given:
            raise InvalidSyntax(f"The body holds {name} twice; names are compared without regard to case.")
        if name is not None:
            given[name] = value
    urns = given.pop("schemas", None)
    if not isinstance(urns, list) or len(urns) != 1 or not isinstance(urns[0], str) or urns[0].lower() != SEARCH_REQUEST.lower():
        raise InvalidSyntax(f'The body of a search must hold "schemas": ["{SEARCH_REQUEST}"].')
    return {name: _parameter(name, value) for name, value in given.items() if value is not None}


def _parameter(name: str, value: Any) -> str:
    if name in _NAMES:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise InvalidSyntax(f"{name} must be an array of names of attributes.")
        return ",".join(value)
    if name in _NUMBERS:
        if type(value) is not int:
            raise InvalidSyntax(f"{name} must be a whole number, without quotes.")
        return str(value)
    if not isinstance(value, str):
        raise InvalidSyntax(f"{name} must be a string.")
    return value


def error(refusal: ScimError, request_id: str | None = None) -> dict[str, Any]:
    """The error body: ``status`` as a string; the detail names the request if its id is given."""
    body = {"schemas": [ERROR], "status": str(refusal.status)}
    if refusal.scim_type is not None:
        body["scimType"] = refusal.scim_type
    body["detail"] = f"{refusal.detail} (request {request_id})" if request_id else refusal.detail
    return body
