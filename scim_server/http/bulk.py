"""POST /Bulk (RFC 7644 §3.7): one request to many operations, and what became of each to one answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g

from scim_server.http import requests, responses
from scim_server.provisioning import bulk
from scim_server.provisioning.bulk import Outcome
from scim_server.scim import bulk as scim_bulk
from scim_server.scim.bulk import BulkOperation
from scim_server.scim.errors import ScimError
from scim_server.scim.messages import BULK_RESPONSE, error
from scim_server.scim.resources import location
from scim_server.scim.schemas import USER_TYPE
from scim_server.scim.versions import etag
from scim_server.store.unit import Store

_STATUS = {"POST": 201, "PUT": 200, "DELETE": 204}


@dataclass(frozen=True, slots=True)
class Bulk:
    """The endpoint."""

    store: Store
    base_url: str

    def register(self, blueprint: Blueprint) -> None:
        """Add the route."""
        blueprint.add_url_rule("/Bulk", "bulk", self.run, methods=["POST"], provide_automatic_options=False, strict_slashes=False)

    def run(self) -> Response:
        types = self.store.types(g.scope)
        request = scim_bulk.parse(requests.message(types), types)
        spoken = replace(request, operations=tuple(map(_in_rfc_form, request.operations)))
        outcomes = bulk.run(self.store, g.scope, spoken, lenient=g.client.lenient)
        return responses.json({"schemas": [BULK_RESPONSE], "Operations": [self._told(each) for each in outcomes]})

    def _told(self, outcome: Outcome) -> dict[str, Any]:
        """What became of one operation, as if it had been a request of its own."""
        operation, changed = outcome.operation, outcome.resource
        told: dict[str, Any] = {}
        if operation.method is not None:
            told["method"] = operation.method
        if operation.bulk_id is not None:
            told["bulkId"] = operation.bulk_id
        if changed is not None:
            told |= {"location": location(changed, self.base_url), "version": etag(changed.version)}
        elif operation.resource_type is not None and outcome.resource_id is not None:
            told["location"] = f"{self.base_url}{operation.resource_type.endpoint}/{quote(outcome.resource_id, safe='')}"
        if outcome.fault is not None:
            return {**told, "status": str(outcome.fault.status), "response": error(outcome.fault, g.request_id)}
        return {**told, "status": str(_status(operation))}


def _in_rfc_form(operation: BulkOperation) -> BulkOperation:
    """What a client means whose dialect may be Entra's, as in a request of its own."""
    if operation.fault is not None or operation.resource_type is None or operation.method is None or operation.body is None:
        return operation
    try:
        body = requests.in_rfc_form(operation.resource_type, g.client, operation.method, {}, operation.body).body
    except ScimError as fault:
        return replace(operation, fault=fault)
    return replace(operation, body=body)


def _status(operation: BulkOperation) -> int:
    """A group is patched without an answer: it can have any number of members."""
    of_user = operation.resource_type is not None and operation.resource_type.name == USER_TYPE.name
    return _STATUS.get(operation.method or "", 200 if of_user else 204)
