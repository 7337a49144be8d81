"""The OpenAPI 3.1 document of the SCIM service: what can be asked of it, made from the model that is enforced.

Paths stand here once, in ``_operations``; a test holds them to the routes that are served.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, TypeAlias

from scim_server.scim import json_schema
from scim_server.scim.json_schema import JsonSchema, ref
from scim_server.scim.messages import MEDIA_TYPES
from scim_server.scim.ordering import ORDERS
from scim_server.scim.schemas import ResourceType, Types

_READ, _WRITE = "scim.read", "scim.write"
_ROOT, _DISCOVERY = "Root", "Discovery"
_ASKED = ("filter", "sortBy", "sortOrder", "startIndex", "count")
_Answers: TypeAlias = dict[int, JsonSchema | None]


@dataclass(frozen=True, slots=True)
class _Operation:
    """One method at one path. ``answers``: the schema of the body by status, None where there is no body; ``errors``: more statuses."""

    method: str
    path: str
    id: str
    summary: str
    answers: _Answers
    parameters: tuple[str, ...] = ()
    body: str | None = None
    errors: tuple[int, ...] = ()
    _: KW_ONLY
    tag: str
    scope: str | None


def document(types: Types, base_url: str, token_url: str, version: str) -> dict[str, Any]:
    """The document for a tenant with these resource types, whose service is at ``base_url``; ``token_url`` gives out access tokens."""
    paths: dict[str, dict[str, Any]] = {}
    for each in _operations(types):
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SCIM 2.0",
            "version": version,
            "summary": "Users and groups of one tenant, as RFC 7643 and RFC 7644 have them.",
            "description": "The tenant follows from the credential. Names of attributes are compared without regard to case.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "tags": [*({"name": each.name, "description": each.description} for each in types), {"name": _ROOT}, {"name": _DISCOVERY}],
        "paths": paths,
        "components": {
            "schemas": json_schema.components(types),
            "parameters": _parameters(),
            "headers": _HEADERS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A secret token, or an access token (RFC 6750)."},
                "client": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": token_url,
                            "scopes": {_READ: "Read users and groups.", _WRITE: "Change users and groups."},
                        }
                    },
                },
            },
        },
    }


def _operations(types: Types) -> Iterator[_Operation]:
    for each in types:
        yield from _of_resources(each, patch_answers_in_full=each.name == types.user.name)
    yield from _of_the_root()
    yield from _of_oneself(types.user.name)
    yield from _of_discovery()


def _of_resources(kind: ResourceType, *, patch_answers_in_full: bool) -> Iterator[_Operation]:
    name, path = kind.name, kind.endpoint
    one, many, a_one = path + "/{resource_id}", path.removeprefix("/"), name.lower()
    itself, listed = ref(name), ref(f"{name}List")
    shown, versions = ("attributes", "excludedAttributes"), ("ifMatch", "ifNoneMatch")
    patched: _Answers = {200: itself} if patch_answers_in_full else {200: itself, 204: None}
    reads, writes = partial(_Operation, tag=name, scope=_READ), partial(_Operation, tag=name, scope=_WRITE)
    changed = (404, 409, 412)
    yield reads("GET", path, f"list{many}", f"Find {a_one}s", {200: listed}, (*_ASKED, "cursor", *shown))
    yield reads("POST", path + "/.search", f"search{many}", f"Find {a_one}s, asked in a body", {200: listed}, body="SearchRequest")
    yield reads("GET", one, f"read{name}", f"One {a_one}", {200: itself, 304: None}, ("id", "ifNoneMatch", *shown), errors=(404,))
    yield writes("POST", path, f"create{name}", f"Make a {a_one}", {201: itself}, shown, body=f"{name}Input", errors=(409,))
    replaced: _Answers = {200: itself}
    for method, verb, body, answers in (("PUT", "replace", f"{name}Input", replaced), ("PATCH", "patch", "PatchOp", patched)):
        summary = f"{verb.title()} a {a_one}"
        yield writes(method, one, verb + name, summary, answers, ("id", *versions, *shown), body=body, errors=changed)
    yield writes("DELETE", one, f"delete{name}", f"End a {a_one}", {204: None}, ("id", *versions), errors=(404, 412))


def _of_the_root() -> Iterator[_Operation]:
    asks = partial(_Operation, tag=_ROOT, scope=_READ)
    found: _Answers = {200: ref("EverythingList")}
    yield asks("GET", "/", "listEverything", "Find users and groups", found, (*_ASKED, "attributes", "excludedAttributes"))
    yield asks("POST", "/.search", "searchEverything", "Find users and groups, asked in a body", found, body="SearchRequest")
    yield _Operation(
        "POST", "/Bulk", "bulk", "Many operations in one request", {200: ref("BulkResponse")}, body="BulkRequest", tag=_ROOT, scope=_WRITE
    )


def _of_oneself(user: str) -> Iterator[_Operation]:
    about = partial(_Operation, tag=user, scope=_READ)
    shown = ("ifNoneMatch", "attributes", "excludedAttributes")
    yield about("GET", "/Me", "readMe", "Oneself, with an access token of a session", {200: ref(user), 304: None}, shown, errors=(404,))
    for method, name in (("PUT", "replaceMe"), ("PATCH", "patchMe"), ("DELETE", "deleteMe")):
        yield about(method, "/Me", name, "Refused: the directory keeps its people", {}, errors=(404,))
    yield about("POST", "/Me", "createMe", "Refused: nobody makes himself a user", {}, errors=(404, 501))


def _of_discovery() -> Iterator[_Operation]:
    discovers = partial(_Operation, tag=_DISCOVERY, scope=None)
    for path, operation_id, summary, answered, *parameter in (
        ("/ServiceProviderConfig", "readServiceProviderConfig", "What the service can do", "ServiceProviderConfig"),
        ("/ResourceTypes", "listResourceTypes", "The kinds of resources", "ResourceTypeList"),
        ("/ResourceTypes/{name}", "readResourceType", "One kind of resources", "ResourceType", "name"),
        ("/Schemas", "listSchemas", "The schemas", "SchemaList"),
        ("/Schemas/{urn}", "readSchema", "One schema", "Schema", "urn"),
    ):
        answers: _Answers = {200: ref(answered), 304: None}
        errors = (403, 404) if parameter else (403,)
        yield discovers("GET", path, operation_id, summary, answers, (*parameter, "ifNoneMatch"), errors=errors)


def _operation(each: _Operation) -> dict[str, Any]:
    answers = {status: _answer(status, schema, of_resource=schema == ref(each.tag)) for status, schema in each.answers.items()}
    result: dict[str, Any] = {
        "operationId": each.id,
        "summary": each.summary,
        "tags": [each.tag],
        "security": [{"token": []}, {"client": [each.scope]}] if each.scope else [{}, {"token": []}, {"client": []}],
        "responses": {str(status): answer for status, answer in {**answers, **_failures(each)}.items()},
    }
    if each.parameters:
        result["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in each.parameters]
    if each.body:
        result["requestBody"] = {"required": True, "content": {media: {"schema": ref(each.body)} for media in MEDIA_TYPES}}
    return result


def _failures(each: _Operation) -> dict[int, Any]:
    statuses = {401, 429, 503, *each.errors}
    if each.scope:
        statuses |= {400, 403}
    if each.body:
        statuses |= {413, 415}
    return {status: _failure(status) for status in sorted(statuses)}


_MEANINGS = {
    200: "As asked for.",
    201: "Made.",
    204: "Done; there is nothing to show.",
    304: "The client has this version already.",
    400: "The request cannot be understood, or what it asks for cannot be.",
    401: "There is no valid credential.",
    403: "The credential may not do that, or it is not to be done here.",
    404: "There is no such resource.",
    409: "What must be unique is in use.",
    412: "The resource has another version.",
    413: "More than is allowed.",
    415: "The body is no JSON.",
    429: "Too many requests.",
    501: "That is not offered.",
    503: "The service cannot do it now; nothing was changed, unless the detail says that nobody knows.",
}
_HEADERS: dict[str, Any] = {
    "RequestId": {"description": "Names the request, in logs and in details.", "required": True, "schema": {"type": "string"}},
    "ETag": {"description": "The version of the resource.", "required": True, "schema": {"type": "string", "pattern": '^W/"[0-9]+"$'}},
    "Location": {"description": "Where the resource is.", "required": True, "schema": {"type": "string"}},
    "RetryAfter": {"description": "After how many seconds to try again.", "required": True, "schema": {"type": "integer"}},
    "Challenge": {"description": "How to authenticate (RFC 6750 §3).", "schema": {"type": "string"}},
}


def _answer(status: int, schema: JsonSchema | None, *, of_resource: bool = False) -> dict[str, Any]:
    names = {"X-Request-Id": "RequestId", **({"ETag": "ETag", "Location": "Location"} if of_resource else {})}
    headers = {name: {"$ref": f"#/components/headers/{component}"} for name, component in names.items()}
    result: dict[str, Any] = {"description": _MEANINGS[status], "headers": headers}
    if schema is not None:
        result["content"] = {media: {"schema": schema} for media in MEDIA_TYPES}
    return result


def _failure(status: int) -> dict[str, Any]:
    result = _answer(status, ref("Error"))
    if status in (429, 503):
        result["headers"]["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    if status == 401:
        result["headers"]["WWW-Authenticate"] = {"$ref": "#/components/headers/Challenge"}
    return result


def _parameters() -> dict[str, Any]:
    text, whole = {"type": "string"}, {"type": "integer"}
    of_query: dict[str, tuple[JsonSchema, str]] = {
        "attributes": (text, "What to show: names with commas between (RFC 7644 §3.9). Not together with excludedAttributes."),
        "excludedAttributes": (text, "What not to show of what is shown by default."),
        "filter": (text, "Which resources (RFC 7644 §3.4.2.2)."),
        "sortBy": (text, "Which attribute to sort by (RFC 7644 §3.4.2.3)."),
        "sortOrder": ({"enum": [*ORDERS]}, "Which way."),
        "startIndex": (whole, "The first of them, counted from 1."),
        "cursor": (text, "Where a walk goes on; empty to begin one (RFC 9865). Not together with startIndex."),
        "count": (whole, "How many at most."),
    }
    result: dict[str, Any] = {
        name: {"name": name, "in": "query", "schema": schema, "description": about} for name, (schema, about) in of_query.items()
    }
    for name, parameter, about in (
        ("id", "resource_id", "The id that the server gave the resource."),
        ("name", "name", "The name of the resource type."),
        ("urn", "urn", "The URN of the schema."),
    ):
        result[name] = {"name": parameter, "in": "path", "required": True, "schema": text, "description": about}
    for name, header in (("ifMatch", "If-Match"), ("ifNoneMatch", "If-None-Match")):
        result[name] = {"name": header, "in": "header", "schema": text, "description": "Versions, as the ETag header has them; or *."}
    return result
