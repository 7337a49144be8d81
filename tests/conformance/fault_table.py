"""Which fault each check is there to find.

Where the real server does otherwise than a check has it (which the RFCs leave it free to do) it is the wrong one as it is, and a change
makes it the right one.
"""

from __future__ import annotations

import secrets

from conformance.checker.catalogue import CHECKS
from tests.conformance import faults
from tests.conformance.faults import asks, in_bulk, says, told_of_bulk, when, without
from tests.conformance.tampered import (
    Came,
    Fault,
    both,
    deaf,
    each,
    forgiving,
    header,
    hearing,
    ignoring,
    mute,
    refusal,
    refusing,
    saying,
)
from tests.http.acme import ACME

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

FORGIVES = forgiving()
BLIND = ignoring("filter")
UNSORTED = ignoring("sortBy", "sortOrder")
WHOLE = ignoring("attributes", "excludedAttributes")
NO_VALUES = faults.both_kinds(lambda one: without(one, ACME))
FORGETFUL = hearing(
    lambda body: without(body, "addresses", "phoneNumbers", "emails", "locale", "x509Certificates", "title"), start="/Users"
)
LITERAL = in_bulk(faults.literally)
WELL = told_of_bulk(faults.all_well)

WRONG: list[tuple[str, Fault]] = [
    # discovery
    ("discovery.schemas.names", faults.defines("job title")),
    ("discovery.schemas.parts", faults.defines("emails.type", type="integer")),
    ("discovery.schemas.references", faults.defines("title", referenceTypes=["User"])),
    ("discovery.schemas.references", faults.defines("profileUrl", referenceTypes=["Nobody"])),
    ("discovery.schemas.complex.plain", faults.defines("name", uniqueness="server")),
    ("discovery.schemas.common", faults.defines("id", mutability="readWrite")),
    (
        "discovery.types.plural",
        saying(lambda body: {**body, "Resources": [{"name": "User", "endpoint": "/people"}]}, start="/ResourceTypes"),
    ),
    ("discovery.types.other", both(refusing("POST", "/Devices"), faults.Devices())),
    ("discovery.pagination", faults.configured(cursor="yes")),
    ("discovery.pagination", faults.configured(maxPageSize=0)),
    ("discovery.pagination.said", faults.configured(cursor=None)),
    ("discovery.cache", deaf("If-None-Match")),
    # authentication
    ("auth.challenge", header(lambda name, value: f'{value}, realm="again"', "WWW-Authenticate")),
    ("auth.challenge", header(lambda name, value: value.replace("invalid_token", "wrong"), "WWW-Authenticate")),
    ("auth.two-ways", ignoring("access_token")),
    ("auth.altered", lambda sent, ask: ask(sent) if ask(sent).status != 401 else Came(200, faults.NOBODY)),
    ("auth.basic", header(lambda name, value: f'{value}, Basic realm="x"', "WWW-Authenticate")),
    ("auth.basic", header(lambda name, value: f"{value}\r\nSet-Cookie: a=b", "Content-Type")),
    ("auth.fetch", faults.visits),
    # addresses
    ("address.version.other", faults.versions("/v99")),
    ("address.version.other", faults.versions("/v1")),
    ("address.version.none", when(lambda sent: sent.path.startswith("/scim/Users"), refusing(status=500))),
    ("address.suffix", faults.suffixes),
    ("address.headers", mute("Location")),
    ("address.relative", refusing("POST", "/Users", when=says('"Users/'))),
    ("address.relative.up", refusing("POST", "/Users", when=says("../Users/"))),
    ("address.reference", when(asks("$ref", "/scim/Users/"), faults.finds_nobody)),
    # users
    ("errors.input.twice", when(faults.twice, hearing(lambda body: body))),
    ("users.name.ligature", hearing(lambda body: body | {"userName": body["userName"].replace("\ufb01", "fi")}, "POST", "/Users")),
    ("users.name.taken.width", hearing(lambda body: body | {"userName": ascii(body["userName"])}, "POST", "/Users")),
    ("users.name.taken.disabled", forgiving("POST", "/Users")),
    ("users.name.blank", refusing("POST", when=says("Jane Doe"))),
    ("users.name.compositions", when(asks("e\u0301"), faults.finds_nobody)),
    ("users.active.null", hearing(lambda body: {name: value for name, value in body.items() if value is not None}, "POST")),
    *((f"users.{name}", FORGETFUL) for name in ("country.code", "phone", "email", "locale", "canonical", "certificates")),
    ("users.certificates.several", FORGETFUL),
    *((f"users.{name}", FORGIVES) for name in ("country", "certificates.two")),
    ("users.enterprise.case", refusing("POST", when=says(ENTERPRISE.upper()))),
    ("users.get.default", faults.shows_own(note="shown")),
    ("users.get.order", hearing(faults.by_the_order, "PUT")),
    # groups
    ("groups.members.no-value", FORGIVES),
    ("groups.of-user.kind", each(lambda one: one | {"groups": [without(group, "type") for group in one.get("groups", [])]})),
    ("groups.of-user.both-ways", faults.hides("groups")),
    # filters
    *(
        (f"filters.{name}", BLIND)
        for name in (
            *("spaces", "value-path.singular", "extension.present", "ne.several", "not.several", "null.not", "schemas.case", "folding"),
            *(f"refused.{name}" for name in ("qualified", "nested", "unqualified", "tab", "brackets", "literal")),
        )
    ),
    ("filters.none.resources", saying(lambda body: without(body, "Resources"), start="/Users")),
    ("filters.some.resources", saying(lambda body: without(body, "Resources"), start="/Users")),
    # searches
    ("search.empty", refusing("POST", "/Users/.search", when=lambda sent: "filter" not in sent.body)),
    ("search.url", when(lambda sent: bool(sent.query), lambda sent, ask: ask(sent.saying(sent.body | dict(sent.query) | {"count": 0})))),
    ("search.names", FORGIVES),
    ("search.types", faults.fails),
    ("search.unknown", FORGIVES),
    # the root
    ("root.types", when(faults.is_root, ignoring("filter"))),
    ("root.lacking", when(lambda sent: faults.is_root(sent) and asks("userName")(sent), refusing())),
    ("root.pages", when(faults.is_root, saying(lambda body: body | {"totalResults": len(body["Resources"])}))),
    ("root.search", when(lambda sent: sent.endpoint == "/.search", faults.finds_nobody)),
    ("root.projection", when(faults.is_root, WHOLE)),
    ("root.filter", when(faults.is_root, BLIND)),
    ("root.everything", when(faults.is_root, refusing())),
    # values
    *((f"values.{kind}", NO_VALUES) for kind in ("boolean", "integer", "decimal", "datetime", "binary", "reference", "datetime.zone")),
    *((f"values.{kind}.wrong", FORGIVES) for kind in ("boolean", "integer", "decimal", "datetime", "binary", "reference")),
    *((f"values.{kind}.text", FORGIVES) for kind in ("boolean", "integer", "decimal")),
    *((f"values.{kind}.filter", BLIND) for kind in ("boolean", "integer", "decimal", "datetime", "binary", "reference")),
    *((f"values.{kind}.order", BLIND) for kind in ("boolean", "binary")),
    *((f"values.{kind}.part", BLIND) for kind in ("integer", "datetime", "binary")),
    *((f"values.{name}", FORGIVES) for name in ("integer.notation", "datetime.odd.refused")),
    ("values.decimal.exact", saying(lambda body: body)),  # through floating-point numbers
    ("values.datetime.odd", faults.fails),
    ("values.reference.parts", BLIND),
    # sorting, and pages by index
    *(
        (f"sort.{name}", UNSORTED)
        for name in (
            *("number", "decimal", "time", "case-exact", "boolean", "letters", "boolean.together", "created", "sub-attribute", "extension"),
            *("names", "multi-valued.bare", "groups", "search", "refused.unknown", "refused.complex", "refused.never"),
        )
    ),
    ("sort.ties", lambda sent, ask: ask(sent.without("startIndex")) if sent.parameter("startIndex") == "3" else ask(sent)),
    ("paging.default", faults.configured(defaultPageSize=1)),
    ("paging.default", faults.configured(maxPageSize=1)),
    ("paging.hundred", faults.configured(maxPageSize=50)),
    # pages by cursor
    ("cursor.first", refusing("GET", when=lambda sent: sent.parameter("cursor") == "")),
    *((f"cursor.{name}", when(faults.later_page, saying(faults.loses_one))) for name in ("walk", "exact", "groups", "search", "sorted")),
    *((f"cursor.{name}", faults.one_more_page) for name in ("exact", "none")),
    ("cursor.search", when(lambda sent: sent.endpoint.endswith("/.search"), ignoring("cursor"))),
    ("cursor.characters", faults.padded),
    ("cursor.count.zero", ignoring("count")),
    ("cursor.total", when(faults.page_of, saying(lambda body: without(body, "totalResults")))),
    ("cursor.members", when(faults.page_of, saying(lambda body: body | {"startIndex": 1}))),
    ("cursor.previous", when(faults.page_of, saying(lambda body: body | {"previousCursor": ""}))),
    ("cursor.previous", faults.going_back),
    ("cursor.sorted", UNSORTED),
    ("cursor.projection", when(faults.later_page, WHOLE)),
    ("cursor.writers", faults.by_number),
    ("cursor.default", saying(lambda body: body | {"nextCursor": "x"} if "startIndex" in body else body)),
    ("cursor.default", faults.configured(defaultPaginationMethod="cursor")),
    ("cursor.size", faults.configured(maxPageSize=1)),
    ("cursor.size", refusing("GET", when=lambda sent: sent.parameter("count") == "1000000")),
    ("cursor.held", faults.Once(0.01)),
    ("cursor.again", faults.Once()),
    *((f"cursor.{name}", faults.credulous) for name in ("nonsense", "altered", "count.other", "filter.other", "endpoint.other")),
    ("cursor.count.text", when(faults.page_of, ignoring("count"))),
    ("cursor.start-index", ignoring("startIndex")),
    ("cursor.anonymous", FORGIVES),
    # projection, PUT
    *((f"projection.{name}", WHOLE) for name in ("meta", "condition", "writes.excluded", "blanks", "groups")),
    ("put.atomic", faults.half_done),
    ("put.nested", each(lambda one: one | {"name": {"givenName": None}})),
    # PATCH
    *((f"patch.{name}", FORGIVES) for name in ("path.empty", "add.null", "add.complex.text", "add.type", "add.every", "add.unmatched")),
    *((f"patch.schemas.{name}", FORGIVES) for name in ("unknown", "base", "remove")),
    *((f"patch.replace.{name}", FORGIVES) for name in ("primary.several", "no-path.required", "no-path.text", "no-path.id")),
    ("groups.patch.immutable.remove", FORGIVES),
    *((f"patch.add.{name}", faults.does_nothing) for name in ("element", "no-path.complex")),
    *((f"patch.schemas.{name}", faults.does_nothing) for name in ("context", "add")),
    *((f"patch.remove.{name}", faults.does_nothing) for name in ("complex", "last-part", "emptied", "several", "extension.part")),
    ("patch.remove.primary", each(faults.promotes)),
    *((f"patch.replace.{name}", faults.does_nothing) for name in ("part", "absent", "single", "whole", "unmatched.absent", "no-path.same")),
    ("patch.password", faults.echoes),
    ("patch.answer.where", mute("Location")),
    ("patch.answer.excluded", WHOLE),
    # versions
    *((f"etags.{name}", header(lambda name, value: value.removeprefix("W/"), "ETag")) for name in ("strong", "weak")),
    ("etags.writes", when(faults.for_methods("PUT", "PATCH"), mute("ETag"))),
    ("etags.head", when(faults.for_methods("HEAD"), mute("ETag"))),
    *((f"etags.{name}", deaf("If-None-Match")) for name in ("head", "none-match", "none-match.write")),
    ("etags.not-modified.tag", faults.for_status(304, mute("ETag"))),
    ("etags.none-match.create", refusing("POST", status=412, when=lambda sent: "If-None-Match" in sent.headers)),
    *((f"etags.{name}", deaf("If-Match")) for name in ("match.any", "race", "match.status")),
    ("etags.match.any", refusing("PUT", status=412, when=lambda sent: sent.headers.get("If-Match") == "*")),
    ("etags.match.nobody", FORGIVES),
    ("etags.match.spelling", refusing("PUT", status=412, when=lambda sent: "W/" not in sent.headers.get("If-Match", "W/"))),
    ("etags.unconditional", refusing("PUT", status=428, when=lambda sent: "If-Match" not in sent.headers)),
    ("etags.same", header(lambda name, value: f'W/"{secrets.token_hex(4)}"', "ETag")),
    ("etags.group", header(lambda name, value: 'W/"1"', "ETag")),
    # characteristics
    *((f"immutable.{name}", FORGIVES) for name in ("put", "put.type", "patch", "patch.first", "patch.remove")),
    *((f"immutable.{name}", refusing("PUT")) for name in ("put", "put.first", "put.omitted")),
    ("immutable.patch.first", refusing("PATCH")),
    ("readonly.ignored", refusing("POST", when=says("score"))),
    ("readonly.patch", FORGIVES),
    ("readonly.required", refusing("POST")),
    ("returned.request", faults.shows_own(note="noted")),
    ("returned.request", faults.hides_own("note")),
    ("returned.request.written", faults.hides_own("note")),
    ("returned.always", faults.hides_own("mark")),
    ("returned.never", faults.echoes),
    ("unique.taken", FORGIVES),
    ("unique.free", refusing("POST", status=409, when=says("-second"))),
    ("several.kept", faults.hides_own("tags")),
    *((f"several.{name}", BLIND) for name in ("filter", "value-path")),
    ("several.part", NO_VALUES),
    *((f"required.{name}", FORGIVES) for name in ("part", "extension", "extension.remove")),
    ("published.everything", FORGETFUL),
    # bulk
    *((id, WELL) for id in CHECKS if id.startswith("bulk.operation.")),
    ("bulk.methods", in_bulk(lambda one: None if one.get("method") == "PUT" else one)),
    ("bulk.methods", told_of_bulk(lambda told: [without(one, "location") for one in told])),
    ("bulk.bulk-id.twice", in_bulk(lambda one: one | {"bulkId": secrets.token_hex(4)})),
    ("bulk.urn", hearing(lambda body: body | {"schemas": [BULK]}, start="/Bulk")),
    ("bulk.shape", forgiving("POST", "/Bulk")),
    *((f"bulk.{name}", WELL) for name in ("told", "precondition", "each", "references.failed")),
    ("bulk.told", told_of_bulk(lambda told: [one | {"status": int(one["status"])} for one in told])),
    ("bulk.told", told_of_bulk(lambda told: [without(one, "response") for one in told])),
    ("bulk.told", saying(lambda body: body | {"failOnErrors": 1}, start="/Bulk")),
    ("bulk.told.order", told_of_bulk(lambda told: told[::-1])),
    ("bulk.version", told_of_bulk(lambda told: [without(one, "version") for one in told])),
    ("bulk.precondition", in_bulk(lambda one: without(one, "version"))),
    ("bulk.response", when(lambda sent: sent.endpoint == "/Bulk", faults.echoes)),
    ("bulk.each", in_bulk(faults.forgives_the_wrong)),
    ("bulk.fail-on-errors.told", hearing(lambda body: without(body, "failOnErrors"), start="/Bulk")),
    ("bulk.fail-on-errors.told", saying(lambda body: body | {"failOnErrors": 2}, start="/Bulk")),
    *((f"bulk.references.{name}", LITERAL) for name in ("forward", "patch", "manager", "path")),
    ("bulk.references.circle", in_bulk(faults.without_members)),
    ("bulk.references.failed", in_bulk(faults.without_members)),
    ("bulk.limit.payload", forgiving("POST", "/Bulk")),
    ("bulk.limit.named", saying(lambda body: body | {"detail": "That is too much."}, start="/Bulk")),
]
"""A fault, and the check that must find it."""

RIGHT: dict[str, Fault] = {
    "discovery.types.other": faults.Devices(),
    "address.version.none": faults.versions(""),
    "groups.same-name": hearing(lambda body: body | {"displayName": secrets.token_hex(8)}, "POST", "/Groups"),
    "filters.refused.capital": when(asks("TRUE"), lambda sent, ask: refusal(400, "invalidFilter")),
}
"""What makes the real server do what these checks have; where there is no fault for one of them above, the server as it is has it."""

OF_TENANTS = [
    "isolation.id",
    "isolation.id.group",
    "isolation.filter",
    "isolation.filter.group",
    "isolation.list",
    "isolation.root",
    "isolation.names",
    "isolation.members",
    "isolation.members.refused",
    "isolation.manager",
    "isolation.bulk",
    "isolation.cursor",
    "isolation.version",
    "isolation.schemas",
]
"""What a server without tenants fails."""

TALKATIVE = ["isolation.same", "isolation.cursor.same"]
OF_ONESELF: list[tuple[str, Fault]] = [
    ("me.location", faults.called_me),
    ("me.projection", WHOLE),
    ("me.version", deaf("If-None-Match")),
    ("me.change", faults.called_me),
    ("me.create", faults.self_registering),
    ("me.nobody", faults.open_to_all),
]
