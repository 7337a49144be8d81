"""What this service provider can do: /ServiceProviderConfig, /ResourceTypes, /Schemas (RFC 7644 §4).

Answered without a credential too, so that a client can find out how to authenticate.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from scim_server.http import responses
from scim_server.scim import discovery
from scim_server.scim.errors import NotFound, ScimError
from scim_server.scim.messages import list_response
from scim_server.scim.schemas import RESOURCE_TYPES, ResourceType, Schema

_SCHEMAS: dict[str, Schema] = {
    schema.id.lower(): schema for resource_type in RESOURCE_TYPES for schema in (resource_type.schema, *resource_type.extensions)
}
_TYPES: dict[str, ResourceType] = {resource_type.name: resource_type for resource_type in RESOURCE_TYPES}


class FilterForbidden(ScimError):
    """RFC 7644 §4: a filter on a discovery endpoint is refused with 403."""

    status = 403


def register(blueprint: Blueprint, base_url: str, max_results: int, max_body_bytes: int) -> None:
    """Add the discovery routes."""

    def provider() -> Response:
        _refuse_filter()
        return responses.json(discovery.service_provider_config(base_url, max_results, max_body_bytes))

    def types() -> Response:
        _refuse_filter()
        return _list([discovery.resource_type(each, base_url) for each in RESOURCE_TYPES])

    def one_type(name: str) -> Response:
        if name not in _TYPES:
            raise NotFound(f"There is no resource type {name[:100]!r}; there are {', '.join(_TYPES)}.")
        return responses.json(discovery.resource_type(_TYPES[name], base_url))

    def schemas() -> Response:
        _refuse_filter()
        return _list([discovery.schema(each, base_url) for each in _SCHEMAS.values()])

    def one_schema(urn: str) -> Response:
        schema = _SCHEMAS.get(urn.lower())
        if schema is None:
            raise NotFound(f"There is no schema {urn[:200]!r}.")
        return responses.json(discovery.schema(schema, base_url))

    for rule, view in (
        ("/ServiceProviderConfig", provider),
        ("/ResourceTypes", types),
        ("/ResourceTypes/<name>", one_type),
        ("/Schemas", schemas),
        ("/Schemas/<urn>", one_schema),
    ):
        blueprint.add_url_rule(rule, view.__name__, view, methods=["GET"], provide_automatic_options=False, strict_slashes=False)


def _list(resources: list[dict[str, object]]) -> Response:
    return responses.json(list_response(resources, len(resources), 1))


def _refuse_filter() -> None:
    if "filter" in request.args:
        raise FilterForbidden("Discovery endpoints take no filter (RFC 7644 §4).")
