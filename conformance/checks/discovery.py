"""Discovery: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 §4, RFC 7643 §5 to §7)."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import MISSING, Answer, Document, at
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE, GROUP, LIST_RESPONSE, RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG, USER

ENDPOINTS = ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas")
TYPES = {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}
CHARACTERISTICS: dict[str, set[Any]] = {
    "mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
    "returned": {"always", "never", "default", "request"},
    "uniqueness": {"none", "server", "global"},
}


def nulls(value: Any, where: str = "") -> list[str]:
    """Where in a document null stands."""
    if value is None:
        return [where or "the whole"]
    if isinstance(value, dict):
        return [spot for name, inner in value.items() for spot in nulls(inner, f"{where}.{name}" if where else str(name))]
    if isinstance(value, list):
        return [spot for place, inner in enumerate(value) for spot in nulls(inner, f"{where}[{place}]")]
    return []


def listed(probe: Probe, endpoint: str) -> tuple[Answer, list[Document]]:
    answer = probe.get(endpoint)
    return answer, answer.resources()


@check("discovery.config.shape", MUST, "RFC 7643 §5", "S-7643-5-01", "S-7644-4-01")
def config_shape(probe: Probe) -> None:
    "/ServiceProviderConfig is one object with its schema URN and every required member, of the right type."
    answer = probe.get("/ServiceProviderConfig").status(200)
    answer.expect(SERVICE_PROVIDER_CONFIG in answer.value("schemas"), f"schemas with {SERVICE_PROVIDER_CONFIG}")
    for feature in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
        answer.expect(isinstance(answer.value(feature, "supported"), bool), f"{feature}.supported as a boolean")
    for feature, limit in (("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")):
        answer.expect(type(answer.value(feature, limit)) is int, f"{feature}.{limit} as an integer")


@check("discovery.config.authentication", MUST, "RFC 7643 §5", "S-7643-5-01", "S-7643-5-02")
def config_authentication(probe: Probe) -> None:
    "Every authentication scheme in the ServiceProviderConfig has a known type, a name and a description."
    answer = probe.get("/ServiceProviderConfig").status(200)
    schemes = answer.value("authenticationSchemes")
    answer.expect(isinstance(schemes, list), "authenticationSchemes as an array")
    for place in range(len(schemes)):
        kind = answer.text("authenticationSchemes", place, "type")
        known = {"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}
        answer.expect(kind.lower() in known, "a type of " + ", ".join(sorted(known)), f"type {kind}")
        answer.text("authenticationSchemes", place, "name")
        answer.text("authenticationSchemes", place, "description")


@check("discovery.config.public", SHOULD, "RFC 7643 §5", "S-7643-5-03")
def config_public(probe: Probe) -> None:
    "The authentication schemes can be read without a credential."
    answer = probe.request("GET", "/ServiceProviderConfig", anonymous=True).status(200)
    answer.value("authenticationSchemes")


@check("discovery.types.list", MUST, "RFC 7644 §4", "S-7644-4-01")
def types_list(probe: Probe) -> None:
    "/ResourceTypes is a ListResponse with all resource types, User among them."
    answer, types = listed(probe, "/ResourceTypes")
    answer.expect(answer.total == len(types), "totalResults = the number of Resources")
    answer.expect(USER in [one.get("schema") for one in types], "a resource type with the User schema")


@check("discovery.types.shape", MUST, "RFC 7643 §6", "S-7643-6-01")
def types_shape(probe: Probe) -> None:
    "Every resource type has its schema URN, a name, an endpoint that starts with a slash, and a base schema."
    answer, types = listed(probe, "/ResourceTypes")
    for place in range(len(types)):
        answer.expect(RESOURCE_TYPE in answer.value("Resources", place, "schemas"), f"schemas with {RESOURCE_TYPE}")
        answer.text("Resources", place, "name")
        answer.text("Resources", place, "schema")
        answer.expect(answer.text("Resources", place, "endpoint").startswith("/"), "an endpoint relative to the base URL, as /Users")
        extensions = at(types[place], "schemaExtensions")
        for extension in [] if extensions is MISSING else extensions:
            answer.expect(isinstance(at(extension, "schema"), str), "schemaExtensions with schema")
            answer.expect(isinstance(at(extension, "required"), bool), "schemaExtensions with required as a boolean")


@check("discovery.types.one", MUST, "RFC 7644 §4", "S-7644-4-02")
def types_one(probe: Probe) -> None:
    "/ResourceTypes/{name} is that one resource type, not a list."
    _, types = listed(probe, "/ResourceTypes")
    for one in types:
        name = str(one.get("id") or one.get("name"))
        probe.get(f"/ResourceTypes/{name}").status(200).has(one.get("name"), "name").has(one.get("endpoint"), "endpoint")


@check("discovery.types.unknown", MUST, "RFC 7644 §4", "S-7644-4-02", "S-7644-3.12-01")
def types_unknown(probe: Probe) -> None:
    "An unknown resource type is a 404 with a SCIM error."
    probe.get("/ResourceTypes/NoSuchType").status(404).error_body()


@check("discovery.types.schemas", MUST, "RFC 7643 §6", "S-7643-6-01", "S-7643-7-14")
def types_schemas(probe: Probe) -> None:
    "Every schema and extension that a resource type names is at /Schemas."
    _, types = listed(probe, "/ResourceTypes")
    answer, schemas = listed(probe, "/Schemas")
    published = {str(one.get("id")).lower() for one in schemas}
    named = {str(one.get("schema")) for one in types}
    named |= {str(at(extension, "schema")) for one in types for extension in one.get("schemaExtensions") or []}
    absent = sorted(urn for urn in named if urn.lower() not in published)
    answer.expect(not absent, f"the schemas {', '.join(sorted(named))}", f"not there: {', '.join(absent)}")


@check("discovery.types.endpoints", MUST, "RFC 7643 §6", "S-7643-6-01")
def types_endpoints(probe: Probe) -> None:
    "Every endpoint that a resource type names answers a query with a ListResponse."
    _, types = listed(probe, "/ResourceTypes")
    for one in types:
        endpoint = str(one.get("endpoint"))
        path = probe.wire.below(endpoint) or endpoint
        probe.get(path, {"count": 1}).resources()


@check("discovery.schemas.list", MUST, "RFC 7644 §4", "S-7644-4-01")
def schemas_list(probe: Probe) -> None:
    "/Schemas is a ListResponse with all schemas, User among them."
    answer, schemas = listed(probe, "/Schemas")
    answer.expect(answer.total == len(schemas), "totalResults = the number of Resources")
    answer.expect(USER in [one.get("id") for one in schemas], f"a schema with the id {USER}")


def faults(attribute: Any, where: str, inner: bool = False) -> list[str]:
    """What is wrong with the definition of one attribute in a schema."""
    if not isinstance(attribute, dict) or not isinstance(attribute.get("name"), str):
        return [f"{where}: an attribute without a name"]
    where = f"{where}.{attribute['name']}"
    found = []
    kind = attribute.get("type")
    if kind not in TYPES:
        found.append(f"{where}: type {kind!r}")
    if inner and kind == "complex":
        found.append(f"{where}: complex within complex")
    for name in ("multiValued", "required"):
        if not isinstance(attribute.get(name), bool):
            found.append(f"{where}: {name} is not a boolean")
    for name, allowed in CHARACTERISTICS.items():
        # §7 wants all of them; §2.2 gives each a default, so what is left out can still be understood.
        if name in attribute and attribute[name] not in allowed:
            found.append(f"{where}: {name} {attribute[name]!r}")
    if "caseExact" in attribute and not isinstance(attribute["caseExact"], bool):
        found.append(f"{where}: caseExact is not a boolean")
    subs = attribute.get("subAttributes")
    if subs and kind != "complex":
        found.append(f"{where}: subAttributes of a {kind}")
    for sub in subs or []:
        found += faults(sub, where, inner=True)
    return found


@check("discovery.schemas.shape", MUST, "RFC 7643 §7", "S-7643-7-13", "S-7643-1.2-01", "S-7643-2.3-01")
def schemas_shape(probe: Probe) -> None:
    "Every schema has id, name and attributes whose characteristics have legal values; no complex within complex."
    answer, schemas = listed(probe, "/Schemas")
    found: list[str] = []
    for place in range(len(schemas)):
        urn = answer.text("Resources", place, "id")
        answer.text("Resources", place, "name")
        for attribute in answer.value("Resources", place, "attributes"):
            found += faults(attribute, urn)
    answer.expect(not found, "definitions as in RFC 7643 §7", "; ".join(found[:20]))


@check("discovery.schemas.characteristics", SHOULD, "RFC 7643 §7", "S-7643-7-13")
def schemas_characteristics(probe: Probe) -> None:
    "Every attribute states mutability and returned, and every string caseExact and uniqueness; nothing is left to the defaults."
    answer, schemas = listed(probe, "/Schemas")
    absent: list[str] = []

    def visit(attribute: Any, where: str) -> None:
        where = f"{where}.{at(attribute, 'name')}"
        wanted = ["mutability", "returned", *(["caseExact", "uniqueness"] if at(attribute, "type") == "string" else [])]
        absent.extend(f"{where}: {name}" for name in wanted if at(attribute, name) is MISSING)
        for sub in attribute.get("subAttributes") or []:
            visit(sub, where)

    for schema in schemas:
        for attribute in schema.get("attributes") or []:
            visit(attribute, str(schema.get("id")))
    answer.expect(not absent, "all characteristics", f"{len(absent)} left out: " + "; ".join(absent[:20]))


@check("discovery.schemas.complex", SHOULD, "RFC 7643 §7", "S-7643-7-15")
def schemas_complex(probe: Probe) -> None:
    "Every complex attribute says what its sub-attributes are."
    answer, schemas = listed(probe, "/Schemas")
    empty = [
        f"{schema.get('id')}.{at(attribute, 'name')}"
        for schema in schemas
        for attribute in schema.get("attributes") or []
        if at(attribute, "type") == "complex" and not attribute.get("subAttributes")
    ]
    answer.expect(not empty, "subAttributes", ", ".join(empty))


@check("discovery.schemas.one", MUST, "RFC 7644 §4", "S-7644-4-02")
def schemas_one(probe: Probe) -> None:
    "/Schemas/{URN} is that one schema with the same attributes as in the list."
    _, schemas = listed(probe, "/Schemas")
    for schema in schemas:
        answer = probe.get(f"/Schemas/{schema.get('id')}").status(200).has(schema.get("id"), "id")
        answer.expect(at(answer.document(), "attributes") == schema.get("attributes"), "the attributes that the list shows")


@check("discovery.schemas.encoded", SHOULD, "RFC 7644 §4", "S-7644-4-02")
def schemas_encoded(probe: Probe) -> None:
    "A schema is found when the colons of its URN are percent-encoded or its letters are in another case."
    probe.get(f"/Schemas/{USER.replace(':', '%3A')}").status(200).has(USER, "id")
    probe.get(f"/Schemas/{USER.lower()}").status(200).has(USER, "id")


@check("discovery.schemas.unknown", MUST, "RFC 7644 §4", "S-7644-4-02", "S-7644-3.12-01")
def schemas_unknown(probe: Probe) -> None:
    "An unknown schema is a 404 with a SCIM error."
    probe.get("/Schemas/urn:example:no:such:schema").status(404).error_body()


@check("discovery.schemas.messages", MUST, "RFC 7644 §3.1", "S-7644-3.1-01")
def schemas_messages(probe: Probe) -> None:
    "The schemas of messages (ListResponse, PatchOp, …) are not discoverable."
    probe.get(f"/Schemas/{LIST_RESPONSE}").status(404)
    answer, schemas = listed(probe, "/Schemas")
    found = [str(one.get("id")) for one in schemas if ":api:messages:" in str(one.get("id"))]
    answer.expect(not found, "no message schema in the list", ", ".join(found))


def differences(answer: Answer, expected: dict[str, dict[str, Any]]) -> None:
    """Compare what a schema says of attributes ("name" or "name.sub") with what the RFC says."""
    attributes = answer.value("attributes")
    found = []
    for path, characteristics in expected.items():
        name, _, sub = path.partition(".")
        attribute = at(attributes, {"name": name})
        if sub:
            attribute = at(attribute, "subAttributes", {"name": sub})
        if attribute is MISSING:
            continue  # a schema may have fewer attributes; the next check names those it must have
        found += [
            f"{path}: {key} {at(attribute, key)!r}" for key, value in characteristics.items() if at(attribute, key) not in (value, MISSING)
        ]
    answer.expect(not found, "the characteristics of RFC 7643 §8.7.1 with its errata", "; ".join(found))


@check("discovery.schemas.user", MUST, "RFC 7643 §4.1", "S-7643-4.1.1-01", "S-7643-4.1.1-02", "S-7643-4.1.2-05")
def schemas_user(probe: Probe) -> None:
    "The User schema has userName (required, unique, not case exact); password is never returned; groups is readOnly."
    answer = probe.get(f"/Schemas/{USER}").status(200)
    answer.expect(at(answer.value("attributes"), {"name": "userName"}) is not MISSING, "an attribute userName")
    differences(
        answer,
        {
            "userName": {"type": "string", "multiValued": False, "required": True, "caseExact": False, "mutability": "readWrite"}
            | {"uniqueness": "server"},
            "password": {"mutability": "writeOnly", "returned": "never"},
            "groups": {"multiValued": True, "mutability": "readOnly"},
            "active": {"type": "boolean", "multiValued": False},
            "emails": {"type": "complex", "multiValued": True},
            "emails.primary": {"type": "boolean"},
            "x509Certificates.value": {"type": "binary"},
        },
    )


@check("discovery.schemas.group", MUST, "RFC 7643 §4.2, erratum 5368", "S-7643-4.2-01", "S-7643-4.2-02", needs=["groups"])
def schemas_group(probe: Probe) -> None:
    "The Group schema has displayName (required) and members (multi-valued, complex)."
    answer = probe.get(f"/Schemas/{GROUP}").status(200)
    for name in ("displayName", "members"):
        answer.expect(at(answer.value("attributes"), {"name": name}) is not MISSING, f"an attribute {name}")
    expected: dict[str, dict[str, Any]] = {
        "displayName": {"type": "string", "multiValued": False, "required": True},
        "members": {"type": "complex", "multiValued": True, "mutability": "readWrite"},
        "members.value": {"mutability": "immutable"},
    }
    differences(answer, expected)


@check("discovery.schemas.enterprise", MUST, "RFC 7643 §4.3", "S-7643-4.3-01", needs=["enterprise"])
def schemas_enterprise(probe: Probe) -> None:
    "The enterprise extension has a complex manager whose displayName is readOnly."
    answer = probe.get(f"/Schemas/{ENTERPRISE}").status(200)
    differences(
        answer,
        {
            "manager": {"type": "complex", "multiValued": False},
            "manager.displayName": {"mutability": "readOnly"},
            "department": {"type": "string", "multiValued": False},
        },
    )


@check("discovery.meta", MUST, "RFC 7643 §3.1, erratum 8417", "S-7643-7-14", "S-7643-3.1-12")
def meta(probe: Probe) -> None:
    "Schemas and resource types carry schemas and meta with resourceType and a location that answers."
    for endpoint, kind, urn in (("/Schemas", "Schema", SCHEMA), ("/ResourceTypes", "ResourceType", RESOURCE_TYPE)):
        answer, _ = listed(probe, endpoint)
        answer.expect(urn in answer.value("Resources", 0, "schemas"), f"schemas with {urn}").has(
            kind, "Resources", 0, "meta", "resourceType"
        )
        location = answer.text("Resources", 0, "meta", "location")
        path = probe.wire.below(location)
        answer.expect(path is not None, "meta.location below the base URL", location)
        probe.get(str(path)).status(200)


@check("discovery.nulls", SHOULD, "RFC 7643 §2.5; Entra reads /Schemas and takes no null", "S-7643-2.5-02")
def no_nulls(probe: Probe) -> None:
    "No discovery document contains null."
    for endpoint in ENDPOINTS:
        answer = probe.get(endpoint).status(200)
        found = nulls(answer.json())
        answer.expect(not found, "no null", ", ".join(found[:20]))


@check("discovery.paging", MUST, "RFC 7644 §4", "S-7644-4-03")
def paging(probe: Probe) -> None:
    "count, startIndex and sortBy are ignored at /Schemas and /ResourceTypes: all entries come."
    for endpoint in ("/Schemas", "/ResourceTypes"):
        _, everything = listed(probe, endpoint)
        answer = probe.get(endpoint, {"count": 1, "startIndex": 2, "sortBy": "id"})
        answer.expect(len(answer.resources()) == len(everything), f"{len(everything)} Resources")


@check("discovery.filter", SHOULD, "RFC 7644 §4", "S-7644-4-04")
def filter_refused(probe: Probe) -> None:
    "A filter at a discovery endpoint is refused with 403."
    for endpoint in ENDPOINTS:
        probe.get(endpoint, {"filter": 'name eq "User"'}).refused(403)


@check("discovery.read-only", MUST, "RFC 7643 §5 to §7", "S-7643-5-04", "S-7644-4-05")
def read_only(probe: Probe) -> None:
    "Discovery endpoints cannot be written: POST, PUT and PATCH are a client error or 501."
    # No DELETE, and no body that could be taken for a definition: against a server that allows it, this would do harm.
    for endpoint in (*ENDPOINTS, f"/Schemas/{USER}", "/ResourceTypes/User"):
        for method in ("POST", "PUT", "PATCH"):
            answer = probe.request(method, endpoint, {})
            answer.expect(400 <= answer.code < 500 or answer.code == 501, "a 4xx status or 501")


@check("discovery.method", MAY, "RFC 9110 §15.5.6", "S-7644-4-05")
def method(probe: Probe) -> None:
    "A write to a discovery endpoint is a 405 with Allow."
    for endpoint in ENDPOINTS:
        answer = probe.put(endpoint, {}).status(405)
        answer.expect("GET" in (answer.header("Allow") or ""), "an Allow header with GET")
