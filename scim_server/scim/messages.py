"""The messages of the protocol (RFC 7644 §3.4.2, §3.12): what goes around resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def spellings(*names: str) -> dict[str, str]:
    """Names of a message by their lower case, for ``members``."""
    return {name.lower(): name for name in names}


def members(value: Any, called: str, known: Mapping[str, str]) -> dict[str, Any]:
    """The known members of a JSON object of a message, by their proper names; case makes no difference, and unknown ones are ignored.

    InvalidSyntax, with a detail that calls the object ``called``, if it is none, or holds one of them twice.
    """
    if not isinstance(value, dict):
        raise InvalidSyntax(f"{called} must be a JSON object.")
    result: dict[str, Any] = {}
    for key, each in value.items():
        name = known.get(key.lower())
        if name is not None:
            if name in result:
                raise InvalidSyntax(f"{called} holds {name} twice; names are compared without regard to case.")
            result[name] = each
    return result


def demand(urn: str, given: Any, called: str) -> None:
    """InvalidSyntax unless ``given``, the ``schemas`` of a message that is ``called`` so, is the one URN."""
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], str) or given[0].lower() != urn.lower():
        raise InvalidSyntax(f'The body of a {called} must hold "schemas": ["{urn}"].')


_NAMES = ("attributes", "excludedAttributes")
_TEXTS = ("filter", "sortBy", "sortOrder", "cursor")
_NUMBERS = ("startIndex", "count")
_OF_SEARCH = spellings("schemas", *_NAMES, *_TEXTS, *_NUMBERS)


def search_parameters(body: Any) -> dict[str, str]:
    """A SearchRequest message as the query parameters that would ask for the same (RFC 7644 §3.4.3, RFC 9865 §3).

    Names in any case; unknown ones are ignored, as unknown parameters are. InvalidSyntax if it is no such message.
    """
    given = members(body, "The body", _OF_SEARCH)
    demand(SEARCH_REQUEST, given.pop("schemas", None), "search")
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
