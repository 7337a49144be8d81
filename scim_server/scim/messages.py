"""The messages of the protocol (RFC 7644 §3.4.2, §3.12): what goes around resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scim_server.scim.errors import ScimError

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def list_response(resources: Sequence[dict[str, Any]], total: int, start_index: int) -> dict[str, Any]:
    """One page of ``total`` results, from the 1-based ``start_index`` on."""
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start_index,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def error(refusal: ScimError, request_id: str | None = None) -> dict[str, Any]:
    """The error body: ``status`` as a string; the detail names the request if its id is given."""
    body = {"schemas": [ERROR], "status": str(refusal.status)}
    if refusal.scim_type is not None:
        body["scimType"] = refusal.scim_type
    body["detail"] = f"{refusal.detail} (request {request_id})" if request_id else refusal.detail
    return body
