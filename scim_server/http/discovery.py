"""What this service provider can do: /ServiceProviderConfig, /ResourceTypes, /Schemas (RFC 7644 §4).

Answered without a credential too, so that a client can find out how to authenticate: then with what every tenant has; with a
credential, with what its tenant has. An answer has a tag of its own making, so that whoever asks again is told that nothing is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, request

from scim_server.http import responses
from scim_server.scim import discovery
from scim_server.scim.errors import NotFound, ScimError
from scim_server.scim.messages import list_response
from scim_server.scim.schemas import BASE_TYPES, ResourceType, Schema, Types
from scim_server.store.unit import Store


class FilterForbidden(ScimError):
    """RFC 7644 §4: a filter on a discovery endpoint is refused with 403."""

    status = 403


def register(blueprint: Blueprint, store: Store, base_url: str, max_results: int, max_body_bytes: int) -> None:
    """Add the discovery routes."""

    def provider() -> Any:
        return discovery.service_provider_config(base_url, max_results, max_body_bytes)

    def types() -> Any:
        return _list([discovery.resource_type(each, base_url) for each in _types(store)])

    def one_type(name: str) -> Any:
        return discovery.resource_type(_type(_types(store), name), base_url)

    def schemas() -> Any:
        return _list([discovery.schema(each, base_url) for each in _schemas(_types(store)).values()])

    def one_schema(urn: str) -> Any:
        return discovery.schema(_schema(_types(store), urn), base_url)

    for rule, name, view in (
        ("/ServiceProviderConfig", "provider", provider),
        ("/ResourceTypes", "types", types),
        ("/ResourceTypes/<name>", "one_type", one_type),
        ("/Schemas", "schemas", schemas),
        ("/Schemas/<urn>", "one_schema", one_schema),
    ):
        blueprint.add_url_rule(rule, name, _answered(view), methods=["GET"], provide_automatic_options=False, strict_slashes=False)


def _answered(view: Callable[..., Any]) -> Callable[..., Response]:
    """What the view finds, or 304 if the client has it already; no filter is taken."""

    def answer(**names: str) -> Response:
        if "filter" in request.args:
            raise FilterForbidden("Discovery endpoints take no filter (RFC 7644 §4).")
        response = responses.json(view(**names))
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
        return responses.unless_the_same(response)

    return answer


def _types(store: Store) -> Types:
    """Those of the client's tenant; of no tenant in particular if there is no client."""
    client = g.get("client")
    return BASE_TYPES if client is None else store.types(client.scope(g.request_id))


def _type(types: Types, name: str) -> ResourceType:
    found = types.named(name)
    if found is None:
        raise NotFound(f"There is no resource type {name[:100]!r}; there are {', '.join(each.name for each in types)}.")
    return found


def _schemas(types: Types) -> dict[str, Schema]:
    """By URN in lower case."""
    return {schema.id.lower(): schema for each in types for schema in (each.schema, *each.extensions)}


def _schema(types: Types, urn: str) -> Schema:
    schema = _schemas(types).get(urn.lower())
    if schema is None:
        raise NotFound(f"There is no schema {urn[:200]!r}.")
    return schema


def _list(resources: list[dict[str, object]]) -> dict[str, Any]:
    return list_response(resources, len(resources), 1)
