"""Resources and messages as JSON Schema (draft 2020-12), made from the model that is enforced: the parts of the OpenAPI document.

A resource has two schemas. As it is answered nothing but ``schemas`` and ``id`` is certain, since clients choose what they see, and
nothing else than what is named can occur. As it is written what is required must be there, and what the server sets is not asked for;
a client that sends nothing else is understood under every profile, and null says the same as nothing at all (RFC 7643 §2.5).
"""

from __future__ import annotations

from typing import Any

from scim_server.scim import bulk, messages, values
from scim_server.scim.attributes import Attribute, Mutability, Returned, Type, Uniqueness
from scim_server.scim.documents import layout_of
from scim_server.scim.ordering import ORDERS
from scim_server.scim.patch import MAX_OPERATIONS
from scim_server.scim.schemas import COMMON, SCHEMAS, ResourceType, Schema, Types

JsonSchema = dict[str, Any]

_TEXT, _URI = "Text", "Uri"
_STRING: JsonSchema = {"type": "string"}
_WHOLE: JsonSchema = {"type": "integer"}
_YES_OR_NO: JsonSchema = {"type": "boolean"}
_STATUS: JsonSchema = {"type": "string", "pattern": "^[0-9]{3}$"}

_SIMPLE: dict[Type, JsonSchema] = {
    Type.BOOLEAN: {"type": "boolean"},
    Type.INTEGER: {"type": "integer", "format": "int64"},
    Type.DECIMAL: {"type": "number"},
    Type.DATETIME: {"type": "string", "description": "An xsd:dateTime; without a zone it is taken as UTC."},
    Type.BINARY: {"type": "string", "contentEncoding": "base64"},
}


def ref(name: str) -> JsonSchema:
    """A reference to the component of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(types: Types) -> dict[str, JsonSchema]:
    """All schemas by name: for a resource type ``X`` they are X (as answered), XInput (as written), XList; EverythingList is of all."""
    result = {_TEXT: _text(), _URI: _uri(), **_messages(), **_discovered()}
    for each in types:
        result[each.name] = answered(each)
        result[f"{each.name}Input"] = written(each)
        result[f"{each.name}List"] = _list(ref(each.name))
    result["EverythingList"] = _list({"anyOf": [ref(each.name) for each in types]})
    return result


def answered(resource_type: ResourceType) -> JsonSchema:
    """The representation of a resource of the type (RFC 7643 §3)."""
    properties = {each.name: _value(each, _answered_one) for each in (*COMMON.attributes, *resource_type.schema.attributes) if each.shown}
    properties |= {each.id: _extension(each, _answered_one) for each in resource_type.extensions}
    return {"type": "object", "required": ["schemas", "id"], "properties": properties, "additionalProperties": False}


def written(resource_type: ResourceType) -> JsonSchema:
    """The body of a POST or PUT of a resource of the type (RFC 7644 §3.3, §3.5.1)."""
    own = [each for each in (*COMMON.attributes, *resource_type.schema.attributes) if _accepted(each) and each is not SCHEMAS]
    base = resource_type.schema.id
    all_urns = [base, *(each.id for each in resource_type.extensions)]
    urns = {"type": "array", "items": {"enum": all_urns}, "contains": {"const": base}, "uniqueItems": True}
    properties = {"schemas": urns} | {each.name: _value(each, _written_one) for each in own}
    properties |= {each.id: _extension(each, _written_one) for each in resource_type.extensions}
    required = ["schemas", *(each.name for each in layout_of(resource_type).required), *sorted(resource_type.required)]
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _accepted(attribute: Attribute) -> bool:
    return attribute.mutability is not Mutability.READ_ONLY


def _value(attribute: Attribute, one: Any) -> JsonSchema:
    """An attribute's value, or the array of them."""
    inner: JsonSchema = one(attribute)
    if attribute.multi_valued:
        inner = {"type": "array", "items": inner}
    if attribute.description:
        inner = {**inner, "description": attribute.description}
    return inner


def _answered_one(attribute: Attribute) -> JsonSchema:
    if not attribute.is_complex:
        return _simple(attribute)
    properties = {each.name: _value(each, _answered_one) for each in attribute.sub_attributes if each.shown}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _written_one(attribute: Attribute) -> JsonSchema:
    if not attribute.is_complex:
        simple = _simple(attribute)
        return {**simple, "minLength": 1} if attribute.required and attribute.type is Type.STRING else simple
    subs = [each for each in attribute.sub_attributes if _accepted(each)]
    properties = {each.name: _value(each, _written_one) for each in subs}
    result: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required := [each.name for each in subs if each.required]:
        result["required"] = required
    return result


def _simple(attribute: Attribute) -> JsonSchema:
    if attribute.type is Type.REFERENCE:
        return ref(_URI)
    if attribute.type is Type.STRING:
        examples = {"examples": list(attribute.canonical_values)} if attribute.canonical_values else {}
        return {**ref(_TEXT), **examples}
    return dict(_SIMPLE[attribute.type])


def _extension(schema: Schema, one: Any) -> JsonSchema:
    written = one is _written_one
    of_it = [each for each in schema.attributes if (_accepted(each) if written else each.shown)]
    properties = {each.name: _value(each, one) for each in of_it}
    result: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    if written and (required := [each.name for each in of_it if each.required]):
        result["required"] = required
    return {**result, "description": schema.description} if schema.description else result


def _text() -> JsonSchema:
    return {
        "type": "string",
        "maxLength": values.MAX_STRING,
        "pattern": values.TEXT_PATTERN,
        "description": f"Text of at most {values.MAX_STRING} bytes in UTF-8, without control characters other than tab and line breaks.",
    }


def _uri() -> JsonSchema:
    return {
        "type": "string",
        "maxLength": values.MAX_STRING,
        "pattern": values.URI_PATTERN,
        "description": "A URI or a relative reference. Characters beyond ASCII may stand in it as they are.",
    }


def _list(resource: JsonSchema) -> JsonSchema:
    whole = {**_WHOLE, "minimum": 0}
    return _object(
        {"schemas": {"const": [messages.LIST_RESPONSE]}, "totalResults": whole, "Resources": _array(resource)},
        {
            "itemsPerPage": whole,
            "startIndex": {**_WHOLE, "minimum": 1},
            "nextCursor": {**_STRING, "description": "Of the next page of a walk by cursor; without it, this is the last."},
        },
    )


def _object(required: JsonSchema, optional: JsonSchema | None = None) -> JsonSchema:
    """An object that has these properties, and no others."""
    properties = required | (optional or {})
    return {"type": "object", "required": [*required], "properties": properties, "additionalProperties": False}


def _array(items: JsonSchema, **limits: int) -> JsonSchema:
    return {"type": "array", **limits, "items": items}


def _messages() -> dict[str, JsonSchema]:
    operation = _object(
        {"op": {"enum": ["add", "remove", "replace"], "description": "In any case."}},
        {
            "path": {**ref(_TEXT), "description": "RFC 7644 §3.5.2, figure 7. A remove needs one."},
            "value": {"description": "What is added, or put in place of what is there."},
        },
    )
    bulk_operations = _array(_bulk_operation(told=False), maxItems=bulk.MAX_OPERATIONS)
    asked = {name: _array(_STRING) for name in ("attributes", "excludedAttributes")}
    asked |= {"filter": ref(_TEXT), "sortBy": ref(_TEXT), "sortOrder": {"enum": [*ORDERS]}, "startIndex": _WHOLE}
    return {
        "Error": _object(
            {
                "schemas": {"const": [messages.ERROR]},
                "status": _STATUS,
                "detail": {**_STRING, "description": "What was wrong and how to mend it; it names the request."},
            },
            {"scimType": _STRING},
        ),
        "BulkRequest": _object(
            {"schemas": {"const": [messages.BULK_REQUEST]}, "Operations": bulk_operations}, {"failOnErrors": {**_WHOLE, "minimum": 1}}
        ),
        "BulkResponse": _object({"schemas": {"const": [messages.BULK_RESPONSE]}, "Operations": _array(_bulk_operation(told=True))}),
        "PatchOp": _object(
            {"schemas": {"const": [messages.PATCH_OP]}, "Operations": _array(operation, minItems=1, maxItems=MAX_OPERATIONS)}
        ),
        "SearchRequest": _object({"schemas": {"const": [messages.SEARCH_REQUEST]}}, {**asked, "cursor": ref(_TEXT), "count": _WHOLE}),
    }


def _discovered() -> dict[str, JsonSchema]:
    """What ``discovery`` tells (RFC 7643 §5, §6, §7)."""
    supported = {"supported": _YES_OR_NO}
    features: JsonSchema = {name: _object(supported) for name in ("patch", "changePassword", "sort", "etag")}
    features["bulk"] = _object({**supported, "maxOperations": _WHOLE, "maxPayloadSize": _WHOLE})
    features["filter"] = _object({**supported, "maxResults": _WHOLE})
    sizes = dict.fromkeys(("defaultPageSize", "maxPageSize", "cursorTimeout"), _WHOLE)
    ways = {"cursor": _YES_OR_NO, "index": _YES_OR_NO, "defaultPaginationMethod": {"enum": ["cursor", "index"]}}
    scheme = _object(dict.fromkeys(("type", "name", "description", "specUri"), _STRING), {"primary": _YES_OR_NO})
    attribute = _object(
        {
            "name": _STRING,
            "type": {"enum": [each.value for each in Type]},
            "multiValued": _YES_OR_NO,
            "description": _STRING,
            "required": _YES_OR_NO,
            "mutability": {"enum": [each.value for each in Mutability]},
            "returned": {"enum": [each.value for each in Returned]},
        },
        {
            "canonicalValues": _array(_STRING),
            "caseExact": _YES_OR_NO,
            "uniqueness": {"enum": [each.value for each in Uniqueness]},
            "referenceTypes": _array(_STRING),
            "subAttributes": _array(ref("SchemaAttribute")),
        },
    )
    result = {
        "ServiceProviderConfig": _about_itself(
            "ServiceProviderConfig", {**features, "pagination": _object({**ways, **sizes}), "authenticationSchemes": _array(scheme)}
        ),
        "ResourceType": _about_itself(
            "ResourceType",
            dict.fromkeys(("id", "name", "description", "endpoint", "schema"), _STRING),
            {"schemaExtensions": _array(_object({"schema": _STRING, "required": _YES_OR_NO}))},
        ),
        "Schema": _about_itself(
            "Schema", {"id": _STRING, "name": _STRING, "description": _STRING, "attributes": _array(ref("SchemaAttribute"))}
        ),
        "SchemaAttribute": attribute,
    }
    return result | {f"{name}List": _list(ref(name)) for name in ("ResourceType", "Schema")}


def _about_itself(kind: str, required: JsonSchema, optional: JsonSchema | None = None) -> JsonSchema:
    """A resource of discovery."""
    head = {"schemas": {"const": [f"urn:ietf:params:scim:schemas:core:2.0:{kind}"]}}
    return _object({**head, **required, "meta": _object({"resourceType": {"const": kind}, "location": _STRING})}, optional)


def _bulk_operation(*, told: bool) -> JsonSchema:
    """An operation of a Bulk, as it is asked for or as it is told of. What is wrong with one of them is told in its place."""
    own = {"location": _STRING, "status": _STATUS, "response": ref("Error")}
    asked = {"path": {**_STRING, "description": "/Users, or /Users/{id}; the id may be bulkId:…"}, "data": {"type": "object"}}
    properties = {"method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]}, "bulkId": _STRING, "version": _STRING, **(own if told else asked)}
    result: JsonSchema = {"type": "object", "properties": properties}
    return {**result, "required": ["status"], "additionalProperties": False} if told else result
