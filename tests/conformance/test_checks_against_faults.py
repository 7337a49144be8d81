"""The checks that need more of a server than the small one has: the real one passes each, and with the fault that it is for fails it.

Where the real server does otherwise than a check has it (which the RFCs leave it free to do) it is the wrong one as it is, and a change
makes it the right one.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from conformance.checks import offer, runner
from conformance.checks.catalogue import CHECKS
from conformance.checks.cli import main
from conformance.checks.offer import ME, OTHER, Offer
from conformance.checks.probe import Probe
from conformance.checks.registry import Check
from conformance.checks.runner import Outcome, Result
from conformance.wire import Wire
from scim_server.events import Scope
from scim_server.provisioning import schemas
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE, migrate
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.conformance import faults
from tests.conformance.faults import Tenants, asks, in_bulk, says, told_of_bulk, when, without
from tests.conformance.tampered import (
    Ask,
    Came,
    Fault,
    Sent,
    Tampered,
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
    right,
    saying,
    serving,
)
from tests.http.acme import ACME, ATTRIBUTES, extension
from tests.tenants import fresh_scope, new_app, new_credential

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
NEEDED = "urn:example:needed:User"


@dataclass
class Site:
    """A server, three of its tenants, and what it offers to each: one with attributes of every kind, one with none of its own, and one
    with an extension that is required."""

    server: Tampered
    tokens: dict[str, str]
    offers: dict[str, Offer]
    user_id: str

    @property
    def tenants(self) -> Tenants:
        return Tenants(self.tokens["own"], self.tokens["other"])

    def run(self, check: Check, fault: Fault, host: str = "127.0.0.1") -> Result:
        """One check against the server with the fault."""
        tenant = "needed" if "a required extension" in check.needs else "own"
        self.server.fault = fault
        base_url = self.server.base_url.replace("127.0.0.1", host)
        with Wire(base_url, self.tokens[tenant], timeout=20) as wire, Wire(base_url, self.tokens["other"], timeout=20) as other:
            offered = self.offers[tenant]
            if check.id == "discovery.types.other":
                offered = offer.read(wire)
            others = {OTHER: (other, self.offers["other"]), ME: (wire, offered)}
            try:
                (result,) = runner.run(wire, offered, [check], others=others).results
            finally:
                self.server.fault = right
        return result


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('site')}/scim.db"
    engine = create_engine(url, pool_size=4, role=ROLE)
    migrate(engine)
    registry = Registry(engine)
    scopes = {name: fresh_scope(engine, "rfc") for name in ("own", "other", "needed")}
    tokens = {name: new_credential(registry, scope.tenant_id)[1] for name, scope in scopes.items()}
    for name, added in (
        ("own", extension([*ATTRIBUTES, {"name": "number", "mutability": "readOnly", "required": True}])),
        ("needed", extension([{"name": "badge", "required": True, "uniqueness": "server"}], urn=NEEDED, required=True)),
    ):
        add(Store(engine, "https://scim.example/scim/v2"), scopes[name], added)

    def make(origin: str) -> Flask:
        return new_app(engine, public_url=origin)

    with serving(make) as server:
        user_id = ""
        offers = {}
        for name, token in tokens.items():
            with Wire(server.base_url, token, timeout=20) as wire:
                offers[name] = offer.read(wire)
                for number in range(3 if name == "own" else 0):  # whom the checks must not be disturbed by
                    body = {"schemas": [USER], "userName": f"somebody-{number}"}
                    user_id = wire.request("POST", "/Users", body).json()["id"]
        yield Site(server, tokens, offers, user_id)
    engine.dispose()


def add(store: Store, scope: Scope, added: Any) -> None:
    store.transact(scope, lambda unit: schemas.add(unit, added, accept_missing=False))


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.checks.cursor.PATIENCE_S", 0.05)


# -- the tables: fault, and the checks that find it -----------------------------------------------------------------

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
    ("address.relative", refusing("POST", "/Users", when=says("../Users/"))),
    ("address.reference", when(asks("$ref", "/scim/Users/"), faults.finds_nobody)),
    # users
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
    "errors.input.twice": when(faults.twice, refusing()),
    "users.name.ligature": refusing("POST", when=says("\ufb01")),
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


def failed(result: Result) -> bool:
    return result.outcome is Outcome.FAIL and bool(result.sent and result.expected and result.came)


@pytest.mark.parametrize(("id", "fault"), [pytest.param(id, fault, id=f"{id}-{number}") for number, (id, fault) in enumerate(WRONG)])
def test_a_wrong_server_fails(site: Site, id: str, fault: Fault) -> None:
    result = site.run(CHECKS[id], fault)
    assert failed(result), (result.outcome, result.reason)


@pytest.mark.parametrize("id", [id for id in RIGHT if id not in dict(WRONG)])
def test_the_server_as_it_is_fails(site: Site, id: str) -> None:
    assert failed(site.run(CHECKS[id], right))


@pytest.mark.parametrize("id", OF_TENANTS)
def test_a_server_without_tenants_fails(site: Site, id: str) -> None:
    result = site.run(CHECKS[id], site.tenants.none)
    assert failed(result), (result.outcome, result.reason)


@pytest.mark.parametrize("id", TALKATIVE)
def test_a_server_that_tells_of_other_tenants_fails(site: Site, id: str) -> None:
    assert failed(site.run(CHECKS[id], site.tenants.talkative))


@pytest.mark.parametrize(("id", "fault"), [pytest.param(id, fault, id=id) for id, fault in OF_ONESELF])
def test_a_server_with_a_wrong_me_fails(site: Site, id: str, fault: Fault) -> None:
    oneself = faults.somebody(site.user_id)
    assert site.run(CHECKS[id], oneself).outcome is Outcome.PASS
    assert failed(site.run(CHECKS[id], both(fault, oneself)))


def test_a_redirected_me(site: Site) -> None:
    check = CHECKS["me.redirect"]
    assert site.run(check, faults.redirects(site.user_id)).outcome is Outcome.PASS
    assert failed(site.run(check, faults.redirects(site.user_id, "/Nowhere")))
    skipped = site.run(CHECKS["me.location"], faults.redirects(site.user_id))
    assert (skipped.outcome, "redirects" in skipped.reason) == (Outcome.SKIPPED, True)


def test_a_server_in_the_open_without_tls_fails(site: Site) -> None:
    """0.0.0.0 is this machine, and no address of the loopback."""
    assert site.run(CHECKS["auth.tls"], right).outcome is Outcome.SKIPPED
    assert failed(site.run(CHECKS["auth.tls"], right, host="0.0.0.0"))


HERE = sorted({*dict(WRONG), *RIGHT, *OF_TENANTS, *TALKATIVE})


@pytest.mark.parametrize("id", HERE)
def test_the_right_server_passes(site: Site, id: str) -> None:
    result = site.run(CHECKS[id], RIGHT.get(id, right))
    assert result.outcome is Outcome.PASS, (result.reason, result.expected, result.came)


def scrambled(value: Any) -> Any:
    """Nothing is of the type that it should be."""
    if isinstance(value, dict):
        return {name: scrambled(inner) if name != "schemas" else inner for name, inner in value.items()}
    if isinstance(value, list):
        return {"0": scrambled(value[0])} if value else "none"
    return [value] if isinstance(value, str) else str(value)


def elements(value: Any) -> Any:
    """Arrays have other things in them than they should."""
    if isinstance(value, dict):
        return {name: elements(inner) if name != "schemas" else inner for name, inner in value.items()}
    return [*map(elements, value), None, 5, "x", []] if isinstance(value, list) else value


SHAPES = {
    "scrambled": saying(scrambled, "GET"),
    "elements": saying(elements, "GET"),
    "scrambled bulk": saying(scrambled, start="/Bulk"),
    "elements of bulk": saying(elements, start="/Bulk"),
    "a cursor that is none": saying(lambda body: body | {"nextCursor": 5} if "Resources" in body else body),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_check_brings_itself_down(site: Site, shape: str) -> None:
    """Whatever the server says, a check ends in a verdict, not in a fault of its own."""
    start = "bulk." if "bulk" in shape else "cursor." if "cursor" in shape else ""
    results = [site.run(CHECKS[id], both(SHAPES[shape], RIGHT.get(id, right))) for id in HERE if id.startswith(start)]
    own = [f"{one.check.id}: {one.reason}" for one in results if re.match(r"[A-Za-z]*(Error|Exception): ", one.reason)]
    assert own == []


def test_every_check_of_these_groups_has_its_fault() -> None:
    """Those of the small server are in `test_checks`."""
    tested = {*HERE, *dict(OF_ONESELF), "me.redirect", "auth.tls"}
    groups = {"address", "root", "cursor", "values", "immutable", "readonly", "returned", "unique", "several", "required", "published"}
    groups |= {"me", "isolation"}
    modules = {f"conformance.checks.{name}" for name in ("bulk_details", "etags_details", "filters_details", "patch_cells", "sort_details")}
    modules |= {"conformance.checks.discovery_details", "conformance.checks.users_details"}
    mine = {one.id for one in CHECKS.values() if one.group in groups or one.run.__module__ in modules}
    assert mine - tested == set()


def test_nobody_else_was_touched(site: Site) -> None:
    with Wire(site.server.base_url, site.tokens["own"], timeout=20) as wire:
        names = [one["userName"] for one in wire.request("GET", "/Users").json()["Resources"]]
    assert sorted(name for name in names if not name.startswith("chk-")) == [f"somebody-{number}" for number in range(3)]


# -- credentials besides the first ----------------------------------------------------------------------------------


def command(site: Site, *more: str) -> int:
    return main(["--base-url", site.server.base_url, "--token", site.tokens["own"], *more])


def test_without_another_credential_isolation_is_skipped(site: Site, tmp_path: Path) -> None:
    assert command(site, "--only", "isolation", "--quiet", "--json", str(tmp_path / "r.json")) == 0
    checks = json.loads((tmp_path / "r.json").read_text())["checks"]
    assert {one["outcome"] for one in checks} == {"skipped"}
    assert {one["reason"] for one in checks} == {"there is no credential of another tenant (--other-token)"}


@pytest.mark.parametrize("way", ["option", "environment"])
def test_another_credential_shows_isolation_and_is_never_shown_itself(
    site: Site, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, token = [tmp_path / "r.json", tmp_path / "r.xml"], site.tokens["other"]
    options = ["--other-token", token] if way == "option" else []
    if way == "environment":
        monkeypatch.setenv("SCIM_OTHER_TOKEN", token)
    assert command(site, "--only", "isolation", *options, "--json", str(files[0]), "--junit", str(files[1])) == 0
    outcomes = {one["id"]: one["outcome"] for one in json.loads(files[0].read_text())["checks"]}
    assert {id for id, outcome in outcomes.items() if outcome != "pass"} == set()
    # A server that says back what it was sent.
    site.server.fault = lambda sent, ask: refusal(404, detail=str(sent.headers))
    probe = Probe(Wire(site.server.base_url, site.tokens["own"]), Offer(), "tag", {OTHER: (Wire(site.server.base_url, token), Offer())})
    try:
        said = [probe.get("/Users").came, probe.other.get("/Users").came, probe.other.get(f"/Users/{token}").sent]
    finally:
        site.server.fault = right
        for each_probe in (probe, probe.other):
            each_probe.clean()
            each_probe.wire.close()
    shown = capsys.readouterr()
    for text in (shown.out, shown.err, *said, *(file.read_text() for file in files)):
        assert not any(secret in text for secret in site.tokens.values())
    assert all("[token]" in text for text in said)
    assert len(probe.conversation) == 3  # both speak in one conversation


@pytest.mark.parametrize(
    ("option", "token", "complaint"),
    [
        ("--other-token", "nonsense", "refuses the token of another tenant: GET"),
        ("--me-token", "nonsense", "refuses the token of a person: GET"),
        ("--other-token", "b\u00e4d", "the value of --other-token has characters"),
    ],
)
def test_another_credential_that_is_refused_is_usage(
    site: Site, option: str, token: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(site, option, token, "--only", "users.create.status") == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_what_another_tenant_was_left_with_is_swept(site: Site) -> None:
    """Both tenants have what a check made in them removed, also where its DELETE was refused at first."""
    refused: list[str] = []

    def reluctant(sent: Sent, ask: Ask) -> Came:
        if sent.method == "DELETE" and sent.path not in refused:
            refused.append(sent.path)
            return refusal(503)
        return ask(sent)

    assert site.run(CHECKS["isolation.names"], reluctant).outcome is Outcome.PASS
    assert len(refused) == 2
    with Wire(site.server.base_url, site.tokens["other"], timeout=20) as wire:
        names = [one["userName"] for one in wire.request("GET", "/Users").json()["Resources"]]
    assert not any(path.rpartition("/")[2] in str(names) for path in refused)


def test_what_the_schemas_require_is_sent(site: Site) -> None:
    body = Probe(Wire(site.server.base_url, None), site.offers["needed"], "tag").user_body("ann", enterprise={"department": "Ops"})
    assert set(body) == {"schemas", "userName", NEEDED, ENTERPRISE}
    assert body["schemas"] == [USER, NEEDED, ENTERPRISE]
    assert body[NEEDED]["badge"].startswith("tag-ann")
