"""Discovery, closer: how attributes are defined, what is said of paging, versions of the documents, further resource types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.checker.answer import MISSING, Answer, Document, at
from conformance.checker.evidence import Skipped, shown
from conformance.checker.probe import Probe
from conformance.checker.published import listed as definitions
from conformance.checker.published import parts, said, sample, writable
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checks.discovery import ENDPOINTS, listed

NAME = re.compile(r"\$?[A-Za-z][A-Za-z0-9$_-]*", re.ASCII)  # RFC 7643 §2.1; $ref breaks the rule there (erratum 8924)
COMMON: dict[str, Document] = {
    "id": {"type": "string", "multiValued": False, "caseExact": True, "mutability": "readOnly", "returned": "always"},
    "externalId": {"type": "string", "multiValued": False, "caseExact": True, "mutability": "readWrite"},
    "meta": {"type": "complex", "multiValued": False, "mutability": "readOnly"},
}
USUAL_PARTS = {"type": "string", "primary": "boolean", "display": "string", "$ref": "reference"}


def attributes(schemas: list[Document]) -> Iterator[tuple[str, Document]]:
    """All attributes and sub-attributes, by where they are: URN:name.sub."""
    for schema in schemas:
        for attribute in definitions(schema.get("attributes")):
            where = f"{schema.get('id')}:{attribute['name']}"
            yield where, attribute
            yield from ((f"{where}.{part['name']}", part) for part in parts(attribute))


def none(answer: Answer, found: list[str], expected: str) -> None:
    answer.expect(not found, expected, "; ".join(found[:20]))


@check("discovery.schemas.names", MUST, "RFC 7643 §2.1", "S-7643-2.1-03", "S-7643-2.1-04")
def names(probe: Probe) -> None:
    "Every name of an attribute begins with a letter and has only letters, digits, _, - and $ ($ref excepted)."
    answer, schemas = listed(probe, "/Schemas")
    none(answer, [where for where, one in attributes(schemas) if not NAME.fullmatch(str(one["name"]))], "names as RFC 7643 §2.1 has them")


@check("discovery.schemas.parts", MUST, "RFC 7643 §2.4", "S-7643-2.4-03")
def usual_parts(probe: Probe) -> None:
    "type, primary, display and $ref of a multi-valued attribute are what they are everywhere: text, boolean, text, reference."
    answer, schemas = listed(probe, "/Schemas")
    several = [(where, part) for where, one in attributes(schemas) if said(one, "multiValued") is True for part in parts(one)]
    found = [
        f"{where}.{part['name']}: {said(part, 'type')}"
        for where, part in several
        if part["name"] in USUAL_PARTS and (said(part, "type") != USUAL_PARTS[part["name"]] or said(part, "multiValued") is True)
    ]
    none(answer, found, "the sub-attributes of RFC 7643 §2.4 with their types")


@check("discovery.schemas.references", MUST, "RFC 7643 §7", "S-7643-7-09")
def references(probe: Probe) -> None:
    "referenceTypes are said of references only: each is the name of a resource type, external or uri."
    _, types = listed(probe, "/ResourceTypes")
    answer, schemas = listed(probe, "/Schemas")
    known = {"external", "uri", *(str(one.get("name")) for one in types)}
    found = []
    for where, one in attributes(schemas):
        kinds = one.get("referenceTypes")
        if kinds and said(one, "type") != "reference":
            found.append(f"{where}: referenceTypes of a {said(one, 'type')}")
        elif kinds is not None and not (isinstance(kinds, list) and set(map(str, kinds)) <= known):
            found.append(f"{where}: referenceTypes {shown(kinds)}")
    none(answer, found, "referenceTypes of references, among " + ", ".join(sorted(known)))


@check("discovery.schemas.complex.plain", MUST, "RFC 7643 §2.3.8, erratum 6004", "S-7643-2.3.8-01")
def complex_plain(probe: Probe) -> None:
    "A complex attribute is neither unique nor case exact."
    answer, schemas = listed(probe, "/Schemas")
    found = [
        f"{where}: uniqueness {said(one, 'uniqueness')}, caseExact {said(one, 'caseExact')}"
        for where, one in attributes(schemas)
        if said(one, "type") == "complex" and (said(one, "uniqueness") not in ("none", None) or said(one, "caseExact") is True)
    ]
    none(answer, found, "complex attributes without uniqueness and caseExact")


@check("discovery.schemas.common", MUST, "RFC 7643 §3.1", "S-7643-3.1-13", "S-7643-7-16")
def common(probe: Probe) -> None:
    "Where a schema of a resource type lists id, externalId or meta, they are what RFC 7643 says they are."
    _, types = listed(probe, "/ResourceTypes")
    answer, schemas = listed(probe, "/Schemas")
    of_resources = {str(one.get("schema")).lower() for one in types}
    of_resources |= {str(at(extension, "schema")).lower() for one in types for extension in one.get("schemaExtensions") or []}
    found = [
        f"{schema.get('id')}:{one['name']}: {name} {shown(one[name])}"
        for schema in schemas
        if str(schema.get("id")).lower() in of_resources
        for one in definitions(schema.get("attributes"))
        for name, value in COMMON.get(str(one["name"]), {}).items()
        if name in one and one[name] != value
    ]
    none(answer, found, "id, externalId and meta as in RFC 7643 §3.1")


@check("discovery.types.plural", SHOULD, "RFC 7644 §3.2", "S-7644-3.2-01")
def plural(probe: Probe) -> None:
    "The endpoint of a resource type is the plural of its name: /Users, /Groups, /Devices."
    answer, types = listed(probe, "/ResourceTypes")
    found = []
    for one in types:
        name, endpoint = str(one.get("name")), str(one.get("endpoint")).rpartition("/")[2]
        usual = {f"{name}s", f"{name}es", f"{name.removesuffix('y')}ies"}
        if endpoint.lower() not in {each.lower() for each in usual}:
            found.append(f"{name} at {one.get('endpoint')}")
    none(answer, found, "endpoints that are plurals")


@check("discovery.types.other", MAY, "RFC 7643 §3.2", "S-7643-3.2-01", needs=["another type"])
def other_type(probe: Probe) -> None:
    "A resource of a type of the server's own can be made as its published schema says, read, and deleted."
    kind = probe.offer.other_types()[0]
    schema, endpoint = str(kind["schema"]), str(kind.get("endpoint"))
    published = definitions(probe.offer.attributes(schema))
    values = {one["name"]: sample(one, probe.name("thing")) for one in published if writable(one)}
    body = {"schemas": [schema]} | {name: value for name, value in values.items() if value is not None}
    path = probe.wire.below(endpoint) or endpoint
    made = probe.post(path, body).status(201).has(kind.get("name"), "meta", "resourceType")
    probe.get(f"{path}/{made.text('id')}").status(200).has(made.text("id"), "id")
    probe.delete(f"{path}/{made.text('id')}").status(204)
    probe.get(f"{path}/{made.text('id')}").status(404)


@check("discovery.pagination", MUST, "RFC 9865 §4", "S-9865-4-01", "S-7643-5-05", needs=["pagination"])
def pagination(probe: Probe) -> None:
    "pagination in the ServiceProviderConfig has cursor and index as booleans; what else it says is a positive number, or one of the two."
    answer = probe.get("/ServiceProviderConfig").status(200)
    for name in ("cursor", "index"):
        answer.expect(isinstance(answer.value("pagination", name), bool), f"pagination.{name} as a boolean")
    for name in ("defaultPageSize", "maxPageSize", "cursorTimeout"):
        number = at(answer.document(), "pagination", name)
        answer.expect(number is MISSING or (type(number) is int and number > 0), f"pagination.{name} as a number above 0", shown(number))
    method = at(answer.document(), "pagination", "defaultPaginationMethod")
    answer.expect(method in (MISSING, "cursor", "index"), "pagination.defaultPaginationMethod cursor or index", shown(method))


@check("discovery.pagination.said", SHOULD, "RFC 9865 §4", "S-9865-4-01")
def pagination_said(probe: Probe) -> None:
    "A server that gives out cursors says so in its ServiceProviderConfig."
    for number in range(2):
        probe.user(f"u{number}")
    answer = probe.get("/Users", "cursor=&count=1")
    if answer.code != 200 or at(answer.document(), "nextCursor") is MISSING:
        if probe.offer.lack("cursor") is None:
            raise answer.fail("a nextCursor, as the ServiceProviderConfig offers cursors")
        raise Skipped("the server gives out no cursors")
    probe.get("/ServiceProviderConfig").status(200).has(True, "pagination", "cursor")


@check("discovery.cache", MAY, "RFC 9110 §13.1.2", "S-7644-4-06")
def cache(probe: Probe) -> None:
    "Discovery documents have an ETag, by which they need not be sent again (304)."
    for endpoint in ENDPOINTS:
        tag = probe.get(endpoint).status(200).header("ETag")
        answer = probe.get(endpoint, headers={"If-None-Match": tag or "*"})
        answer.expect(tag is not None, "an ETag").status(304).expect(answer.response.body == b"", "no body")
