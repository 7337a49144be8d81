"""What the service can do, in its own words (RFC 7643 §5, §6, §7): made from the model that is enforced."""

from __future__ import annotations

from typing import Any

from scim_server.scim import paging
from scim_server.scim.attributes import Attribute, Type, Uniqueness
from scim_server.scim.bulk import MAX_OPERATIONS
from scim_server.scim.definitions import SCHEMA
from scim_server.scim.schemas import ResourceType, Schema

RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SERVICE_PROVIDER_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

# Types whose case is told; of the others it means nothing (RFC 7643 §2.3, erratum 6004).
_CASED = (Type.STRING, Type.REFERENCE, Type.BINARY)
# Types that have no uniqueness (§2.3.2, §2.3.6, §2.3.8).
_NEVER_UNIQUE = (Type.BOOLEAN, Type.BINARY, Type.COMPLEX)


def schema(schema: Schema, base_url: str) -> dict[str, Any]:
    """The Schema resource of a schema."""
    return {
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": [_attribute(each) for each in schema.attributes],
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{schema.id}"},
    }


def resource_type(resource_type: ResourceType, base_url: str) -> dict[str, Any]:
    """The ResourceType resource of a resource type."""
    result: dict[str, Any] = {
        "schemas": [RESOURCE_TYPE],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
    }
    if resource_type.extensions:
        result["schemaExtensions"] = [
            {"schema": each.id, "required": each.id in resource_type.required} for each in resource_type.extensions
        ]
    result["meta"] = {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{resource_type.name}"}
    return result


def service_provider_config(base_url: str, max_results: int, max_body_bytes: int) -> dict[str, Any]:
    """The ServiceProviderConfig: what is supported, and how to authenticate."""
    return {
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": max_body_bytes},
        "filter": {"supported": True, "maxResults": max_results},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": min(paging.DEFAULT_COUNT, max_results),
            "maxPageSize": max_results,
            "cursorTimeout": paging.CURSOR_TIMEOUT_S,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "A secret token in the Authorization header, as RFC 6750 has it.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2.0 Client Credentials",
                "description": "An access token in the Authorization header, given out for a client secret or a signed assertion.",
                "specUri": "https://www.rfc-editor.org/info/rfc6749",
                "primary": False,
            },
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type.value,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
    }
    if attribute.canonical_values:
        result["canonicalValues"] = list(attribute.canonical_values)
    if attribute.case_exact or attribute.type in _CASED:
        result["caseExact"] = attribute.case_exact
    result["mutability"] = attribute.mutability.value
    result["returned"] = attribute.returned.value
    if attribute.uniqueness is not Uniqueness.NONE or attribute.type not in _NEVER_UNIQUE:
        result["uniqueness"] = attribute.uniqueness.value
    if attribute.reference_types:
        result["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub_attributes:
        result["subAttributes"] = [_attribute(each) for each in attribute.sub_attributes]
    return result
