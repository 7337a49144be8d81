"""Attributes of a tenant's own schema behave as their characteristics say (RFC 7643 §2.2, §7): made, replaced, patched, shown, found."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.provisioning import schemas
from scim_server.scim.definitions import load
from scim_server.scim.schemas import Extension
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.conftest import ENTERPRISE, GROUP, SEARCH_REQUEST, USER, Scim, new_client
from tests.tenants import OPERATOR, fresh_scope

ACME = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
TEAM = "urn:example:acme:Team"

ATTRIBUTES: list[dict[str, Any]] = [
    {"name": "badge", "uniqueness": "server"},
    {"name": "serial", "uniqueness": "global", "caseExact": True, "multiValued": True},
    {"name": "level", "type": "integer"},
    {"name": "pay", "type": "decimal"},
    {"name": "remote", "type": "boolean"},
    {"name": "since", "type": "dateTime"},
    {"name": "key", "type": "binary"},
    {"name": "page", "type": "reference", "referenceTypes": ["external"]},
    {"name": "mentor", "type": "reference", "referenceTypes": ["User"]},
    {"name": "grade", "canonicalValues": ["junior", "Senior"]},
    {"name": "code", "caseExact": True},
    {"name": "tags", "multiValued": True},
    {"name": "born", "mutability": "immutable"},
    {"name": "score", "mutability": "readOnly"},
    {"name": "pin", "mutability": "writeOnly"},
    {"name": "ssn", "returned": "never"},
    {"name": "note", "returned": "request"},
    {"name": "mark", "returned": "always"},
    {
        "name": "desk",
        "type": "complex",
        "subAttributes": [
            {"name": "floor", "type": "integer", "required": True},
            {"name": "room"},
            {"name": "plan", "returned": "request"},
            {"name": "since", "mutability": "immutable"},
            {"name": "keys", "multiValued": True},
        ],
    },
    {
        "name": "tools",
        "type": "complex",
        "multiValued": True,
        "subAttributes": [
            {"name": "value"},
            {"name": "type"},
            {"name": "primary", "type": "boolean"},
            {"name": "skus", "multiValued": True},
            {"name": "plate", "uniqueness": "server"},
        ],
    },
]


def extension(attributes: list[dict[str, Any]] | None = None, *, urn: str = ACME, kind: str = "User", required: bool = False) -> Extension:
    return Extension(kind, load({"id": urn, "name": "Acme", "attributes": attributes or ATTRIBUTES}), required)


Define = Callable[..., Scim]


@pytest.fixture
def defined(app: Flask, registry: Registry, store: Store, scope: Scope) -> Define:
    """A client of the tenant, once it has the schema."""

    def define(*attributes: dict[str, Any], profile: str = "entra", **options: Any) -> Scim:
        registry.tenants.change(scope.tenant_id, OPERATOR, profile=profile)
        store.transact(scope, lambda unit: schemas.add(unit, extension(list(attributes), **options), accept_missing=False))
        return new_client(app, registry, scope.tenant_id)

    return define


@pytest.fixture
def acme(defined: Define) -> Scim:
    return defined()


def values(scim: Scim, user_id: str, *names: str) -> Any:
    """What the user has under the schema; of what is shown on request, these."""
    query = {"attributes": ",".join([ACME, *(f"{ACME}:{each}" for each in names)])} if names else {}
    return scim.get(f"/Users/{user_id}", **query).get_json(force=True).get(ACME, {})


def refusal(answer: Any) -> tuple[int, str | None]:
    assert answer.status_code >= 400, answer.get_data(as_text=True)
    return answer.status_code, answer.get_json(force=True).get("scimType")


# Discovery


@pytest.mark.requirement("S-7643-6-01", "S-7643-7-14", "S-7644-4-01", "S-7644-4-02")
def test_a_credential_shows_what_its_tenant_has(acme: Scim, stranger: Scim) -> None:
    (user, group) = acme.get("/ResourceTypes").get_json(force=True)["Resources"]
    assert user["schemaExtensions"] == [{"schema": ENTERPRISE, "required": False}, {"schema": ACME, "required": False}]
    assert "schemaExtensions" not in group
    assert {each["id"] for each in acme.get("/Schemas").get_json(force=True)["Resources"]} == {USER, GROUP, ENTERPRISE, ACME}
    for urn in (ACME, ACME.upper(), ACME.replace(":", "%3A")):
        one = acme.get(f"/Schemas/{urn}").get_json(force=True)
        assert (one["id"], one["meta"]["location"].endswith(f"/Schemas/{ACME}")) == (ACME, True)
    for other in (stranger, Scim(acme.app, None)):
        assert other.get(f"/Schemas/{ACME}").status_code == 404
        assert ACME not in other.get("/Schemas").get_data(as_text=True) + other.get("/ResourceTypes").get_data(as_text=True)


@pytest.mark.requirement("S-7644-4-06")
@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER}"])
def test_who_has_it_already_is_told_so(acme: Scim, path: str) -> None:
    tag = acme.get(path).headers["ETag"]
    assert tag.startswith('W/"')
    for known, status in ((tag, 304), (f'"x", {tag.removeprefix("W/")}', 304), ("*", 304), ('W/"other"', 200)):
        assert acme.request("GET", path, headers={"If-None-Match": known}).status_code == status
    assert (tag == Scim(acme.app, None).get(path).headers["ETag"]) is (ACME not in acme.get(path).get_data(as_text=True))


@pytest.mark.requirement("S-7644-4-04", "S-7644-4-03", "S-7644-4-05")
@pytest.mark.parametrize("path", [f"/Schemas/{ACME}", "/ResourceTypes/User"])
def test_one_entry_takes_no_filter_either(acme: Scim, path: str) -> None:
    assert acme.get(path, filter='id eq "x"').status_code == 403
    assert acme.get(path, attributes="id", startIndex=5, count=0).get_json(force=True) == acme.get(path).get_json(force=True)
    for method in ("POST", "PUT", "PATCH"):
        assert acme.request(method, path, {}).status_code == 405


@pytest.mark.requirement("S-7643-6-02")
def test_a_required_extension_is_demanded_and_said_to_be(defined: Define) -> None:
    scim = defined({"name": "badge", "required": True}, {"name": "born", "mutability": "immutable"}, required=True)
    published = scim.get("/ResourceTypes/User").get_json(force=True)["schemaExtensions"]
    assert {"schema": ACME, "required": True} in published
    lacking: list[dict[str, Any]] = [{}, {ACME: {}}, {ACME: None}, {ACME: {"badge": ""}}, {ACME: {"born": "x"}}]
    for body in lacking:
        answer = scim.post("/Users", {"schemas": [USER], "userName": "ada", **body})
        assert refusal(answer) == (400, "invalidValue"), body
        assert ACME in answer.get_json(force=True)["detail"]
    made = scim.user("ada", **{ACME: {"badge": "7", "born": "x"}})
    path = f"/Users/{made['id']}"
    assert refusal(scim.put(path, {"schemas": [USER], "userName": "ada"})) == (400, "invalidValue")
    for gone in (ACME, f"{ACME}:badge"):
        assert refusal(scim.patch(path, {"op": "remove", "path": gone})) == (400, "mutability")
    assert refusal(scim.patch(path, {"op": "replace", "path": f"{ACME}:badge", "value": None}))[0] == 400
    assert values(scim, made["id"]) == {"badge": "7", "born": "x"}


@pytest.mark.requirement("S-7643-7-10", "S-7643-7-11")
def test_what_is_required_within_an_extension_or_a_value_is_demanded_where_that_is_there(acme: Scim) -> None:
    assert acme.user("bea")["schemas"] == [USER]
    assert refusal(acme.post("/Users", {"schemas": [USER], "userName": "ada", ACME: {"desk": {"room": "1"}}})) == (400, "invalidValue")
    made = acme.user("ada", **{ACME: {"desk": {"floor": 0, "room": "1"}}})
    path = f"/Users/{made['id']}"
    assert refusal(acme.patch(path, {"op": "remove", "path": f"{ACME}:desk.floor"})) == (400, "mutability")
    assert acme.patch(path, {"op": "remove", "path": f"{ACME}:desk"}).status_code == 200
    assert values(acme, made["id"]) == {}


# Mutability (RFC 7643 §7)

GIVEN = {"born": "x", "score": "x", "pin": "x", "level": 1}


@pytest.mark.requirement("S-7643-7-03", "S-7644-3.5.1-06", "S-7644-3.5.1-07", "S-7643-7-12")
def test_mutability_at_put(acme: Scim) -> None:
    made = acme.user("ada", **{ACME: GIVEN})
    assert made[ACME] == {"born": "x", "level": 1}
    path = f"/Users/{made['id']}"

    def put(**given: Any) -> Any:
        return acme.put(path, {"schemas": [USER], "userName": "ada", ACME: given})

    assert put(born="X", score="y", pin="y", level=2).get_json(force=True)[ACME] == {"born": "x", "level": 2}  # not caseExact: the same
    assert put().get_json(force=True)[ACME] == {"born": "x"}
    assert acme.put(path, {"schemas": [USER], "userName": "ada"}).get_json(force=True)[ACME] == {"born": "x"}
    for other in ("y", None, ""):
        assert refusal(put(born=other)) == (400, "mutability")
    assert refusal(acme.put(path, {"schemas": [USER], "userName": "ada", ACME: None})) == (400, "mutability")
    bea = acme.user("bea")
    assert acme.put(f"/Users/{bea['id']}", {"schemas": [USER], "userName": "bea", ACME: {"born": "late"}}).status_code == 200
    assert values(acme, bea["id"]) == {"born": "late"}


OPERATIONS: list[tuple[str, str, Any, Any]] = [
    ("add", "born", "X", {"born": "x"}),
    ("add", "born", "y", "mutability"),
    ("replace", "born", "x", {"born": "x"}),
    ("replace", "born", "y", "mutability"),
    ("remove", "born", None, "mutability"),
    ("add", "score", "y", "mutability"),
    ("replace", "score", "y", "mutability"),
    ("remove", "score", None, "mutability"),
    ("add", "pin", "y", {"born": "x"}),
    ("replace", "ssn", "y", {"born": "x"}),
    ("remove", "pin", None, {"born": "x"}),
    ("add", "level", 1, {"born": "x", "level": 1}),
    ("remove", "", None, "mutability"),
]


@pytest.mark.requirement("S-7643-7-03", "S-7644-3.5.2-10")
@pytest.mark.parametrize(("op", "name", "value", "expected"), OPERATIONS)
def test_mutability_at_patch(acme: Scim, op: str, name: str, value: Any, expected: Any) -> None:
    made = acme.user("ada", **{ACME: {"born": "x"}})
    said = {} if op == "remove" else {"value": value}
    answer = acme.patch(f"/Users/{made['id']}", {"op": op, "path": f"{ACME}:{name}" if name else ACME, **said})
    if isinstance(expected, str):
        assert refusal(answer) == (400, expected)
        expected = {"born": "x"}
    else:
        assert answer.status_code == 200
    assert values(acme, made["id"]) == expected


def test_an_immutable_part_of_a_value_is_held(acme: Scim) -> None:
    made = acme.user("ada", **{ACME: {"desk": {"floor": 1, "since": "may"}}})
    path = f"/Users/{made['id']}"
    put = {"schemas": [USER], "userName": "ada"}
    assert refusal(acme.put(path, {**put, ACME: {"desk": {"floor": 1, "since": "june"}}})) == (400, "mutability")
    assert acme.put(path, {**put, ACME: {"desk": {"floor": 2}}}).get_json(force=True)[ACME] == {"desk": {"floor": 2, "since": "may"}}
    assert refusal(acme.patch(path, {"op": "replace", "path": f"{ACME}:desk.since", "value": "june"})) == (400, "mutability")
    assert refusal(acme.patch(path, {"op": "remove", "path": f"{ACME}:desk.since"})) == (400, "mutability")
    assert acme.put(path, put).get_json(force=True).get(ACME) is None


# Returned (RFC 7643 §7, RFC 7644 §3.9)

FULL = {"note": "n", "mark": "m", "ssn": "s", "pin": "p", "code": "c", "desk": {"floor": 1, "plan": "p"}}
SHOWN = {"mark": "m", "code": "c", "desk": {"floor": 1}}
PROJECTED: list[tuple[dict[str, str], Any]] = [
    ({}, SHOWN),
    ({"attributes": "userName"}, {"mark": "m"}),
    ({"attributes": f"{ACME}:note"}, {"mark": "m", "note": "n"}),
    ({"attributes": f"{ACME}:NOTE,{ACME}:ssn,{ACME}:pin"}, {"mark": "m", "note": "n"}),
    ({"attributes": ACME}, SHOWN),
    ({"attributes": f"{ACME},{ACME}:note"}, {**SHOWN, "note": "n"}),
    ({"attributes": f"{ACME}:desk"}, {"mark": "m", "desk": {"floor": 1}}),
    ({"attributes": f"{ACME}:desk.plan"}, {"mark": "m", "desk": {"plan": "p"}}),
    ({"excludedAttributes": ACME}, {"mark": "m"}),
    ({"excludedAttributes": f"{ACME}:mark,{ACME}:code"}, {"mark": "m", "desk": {"floor": 1}}),
    ({"excludedAttributes": f"{ACME}:note,{ACME}:desk.floor"}, {"mark": "m", "code": "c"}),
]


@pytest.mark.requirement("S-7643-7-04", "S-7644-3.9-01", "S-7644-3.9-02", "S-7644-3.9-08")
@pytest.mark.parametrize(("query", "expected"), PROJECTED, ids=str)
def test_what_is_returned_of_what_is_asked_for(acme: Scim, query: dict[str, str], expected: Any) -> None:
    made = acme.user("ada", **{ACME: FULL})
    search = {"schemas": [SEARCH_REQUEST], "filter": "userName pr", **{name: text.split(",") for name, text in query.items()}}
    answers = [
        acme.get(f"/Users/{made['id']}", **query).get_json(force=True),
        acme.get("/Users", **query).get_json(force=True)["Resources"][0],
        acme.post("/Users/.search", search).get_json(force=True)["Resources"][0],
        acme.patch(f"/Users/{made['id']}", {"op": "add", "path": "title", "value": "x"}, query=query).get_json(force=True),
    ]
    assert [each.get(ACME, {}) for each in answers] == [expected] * 4
    assert acme.find("/Users", f'{ACME}:note eq "N" and {ACME}:desk.plan eq "P"') != []


@pytest.mark.requirement("S-7643-7-04")
def test_what_is_shown_on_request_is_shown_to_whom_sets_it(acme: Scim) -> None:
    made = acme.user("ada", **{ACME: FULL})
    assert made[ACME] == {**SHOWN, "note": "n", "desk": {"floor": 1, "plan": "p"}}
    path = f"/Users/{made['id']}"
    body = {"schemas": [USER], "userName": "ada", ACME.upper(): {"Note": "m", "mark": "m", "desk": {"floor": 1}}}
    assert acme.put(path, body).get_json(force=True)[ACME] == {"note": "m", "mark": "m", "desk": {"floor": 1}}
    assert acme.put(path, body, query={"attributes": "userName"}).get_json(force=True)[ACME] == {"mark": "m"}
    assert acme.put(path, body, query={"excludedAttributes": f"{ACME}:note"}).get_json(force=True)[ACME] == {
        "mark": "m",
        "desk": {"floor": 1},
    }
    written: list[list[dict[str, Any]]] = [
        [{"op": "add", "path": f"{ACME}:note", "value": "k"}],
        [{"op": "replace", "value": {f"{ACME}:note": "k"}}],
        [{"op": "replace", "path": ACME, "value": {"note": "k"}}],
        [{"op": "add", "value": {ACME: {"note": "k"}}}],
    ]
    for operations in written:
        assert acme.patch(path, *operations).get_json(force=True)[ACME]["note"] == "k", operations
    assert "note" not in acme.patch(path, {"op": "add", "path": f"{ACME}:code", "value": "k"}).get_json(force=True)[ACME]
    shown = acme.patch(path, {"op": "add", "path": f"{ACME}:desk.plan", "value": "q"}).get_json(force=True)[ACME]
    assert shown["desk"] == {"floor": 1, "plan": "q"}


@pytest.mark.requirement("S-7643-7-04", "S-7643-7-05")
def test_what_is_never_returned_is_nowhere(acme: Scim, store: Store, scope: Scope) -> None:
    secret = f"secret-{uuid4().hex}"
    made = acme.user("ada", **{ACME: {"ssn": secret, "pin": secret, "code": "c"}})
    acme.put(f"/Users/{made['id']}", {"schemas": [USER], "userName": "ada", ACME: {"ssn": secret, "pin": secret}})
    acme.patch(f"/Users/{made['id']}", {"op": "replace", "value": {ACME: {"ssn": secret, "pin": secret}}})
    with store.read(scope) as unit:
        assert secret not in str(list(unit.export.everything()))
    for name in ("ssn", "pin"):
        for filter in (f"{ACME}:{name} pr", f'{ACME}:{name} eq "{secret}"'):
            assert refusal(acme.get("/Users", filter=filter)) == (400, "invalidFilter")
        assert refusal(acme.post("/Users", {"schemas": [USER], "userName": "bea", ACME: {name: 5}})) == (400, "invalidValue")


# Uniqueness


@pytest.mark.requirement("S-7643-7-06", "S-7643-7-07", "S-7643-7-08", "S-7644-3.3-07", "S-7644-3.5.1-11", "S-7644-3.5.2-21")
def test_unique_values(acme: Scim, engine: Engine, app: Flask, registry: Registry, store: Store) -> None:
    ada = acme.user("ada", **{ACME: {"badge": "Straße", "serial": ["a", "b"], "tools": [{"value": "x", "plate": "P"}]}})
    bea = acme.user("bea", **{ACME: {"badge": "other", "serial": ["A"]}})
    path, body = f"/Users/{bea['id']}", {"schemas": [USER], "userName": "bea"}
    taken: list[tuple[str, dict[str, Any]]] = [
        ("badge", {"badge": "STRASSE"}),
        ("serial", {"serial": ["z", "b"]}),
        ("tools.plate", {"tools": [{"value": "y", "plate": "p"}]}),
    ]
    for name, given in taken:
        for answer in (
            acme.post("/Users", {"schemas": [USER], "userName": "cyd", ACME: given}),
            acme.put(path, {**body, ACME: given}),
            acme.patch(path, {"op": "replace", "value": {ACME: given}}),
        ):
            assert refusal(answer) == (409, "uniqueness")
            assert f"{ACME}:{name}" in answer.get_json(force=True)["detail"]
    assert values(acme, bea["id"]) == {"badge": "other", "serial": ["A"]}
    assert acme.put(path, {**body, ACME: {"badge": "OTHER", "serial": ["A", "c"]}}).status_code == 200  # one's own
    other = fresh_scope(engine)
    store.transact(other, lambda unit: schemas.add(unit, extension(), accept_missing=False))
    new_client(app, registry, other.tenant_id).user("ada", **{ACME: {"badge": "Straße", "serial": ["a", "b"]}})
    assert acme.patch(f"/Users/{ada['id']}", {"op": "remove", "path": f"{ACME}:serial", "value": ["a"]}).status_code == 200
    acme.user("dan", **{ACME: {"serial": ["a"]}})
    acme.delete(f"/Users/{ada['id']}")
    acme.user("eve", **{ACME: {"badge": "straße", "serial": ["b"], "tools": [{"plate": "p"}]}})


def test_a_unique_value_is_found_wherever_it_is(acme: Scim) -> None:
    ada = acme.user("ada", **{ACME: {"badge": "B1", "serial": ["s1", "s2"], "tools": [{"value": "x", "plate": "P"}], "level": 5}})
    acme.user("bea", **{ACME: {"badge": "B2", "serial": ["S1"], "level": 5}})
    for filter in (
        f'{ACME}:badge eq "b1"',
        f'{ACME}:serial eq "s1"',
        f'{ACME}:tools.plate eq "p"',
        f'{ACME}:tools[value eq "X" and plate eq "p"]',
        f'{ACME}:level eq 5 and {ACME}:badge eq "b1" and {ACME}:serial eq "s2"',
    ):
        assert [each["id"] for each in acme.find("/Users", filter)] == [ada["id"]], filter
    for filter in (f'{ACME}:serial eq "S2"', f'{ACME}:badge eq "b1" and {ACME}:level eq 6', f'{ACME}:tools[value eq "y" and plate eq "p"]'):
        assert acme.find("/Users", filter) == [], filter


# Values


@pytest.mark.requirement("S-7643-2.3.3-01")
@pytest.mark.parametrize(
    "digits", ["0.1", "1.50", "-0.000000000000000000001", "12345678901234567890.123456789012345", "9007199254740993", "1E+2", "0"]
)
def test_decimals_keep_their_digits(acme: Scim, store: Store, scope: Scope, digits: str) -> None:
    body = json.dumps({"schemas": [USER], "userName": "ada", ACME: {"pay": 0}}).replace('"pay": 0', f'"pay": {digits}').encode()
    made = acme.post("/Users", body)
    user_id = made.get_json(force=True)["id"]
    for answer in (made, acme.get(f"/Users/{user_id}"), acme.get("/Users")):
        found = json.loads(answer.get_data(as_text=True), parse_float=Decimal)
        pay = (found["Resources"][0] if "Resources" in found else found)[ACME]["pay"]
        assert Decimal(pay) == Decimal(digits)
    for filter, matches in ((f"eq {digits}", True), (f"gt {digits}", False), (f"ge {digits}", True), (f"lt {digits}", False)):
        assert bool(acme.find("/Users", f"{ACME}:pay {filter}")) is matches, filter
    with store.read(scope) as unit:
        (event,) = [each for each in unit.events.list(9) if each.tag == "scim:user:created"]
        assert Decimal(event.data["document"][ACME]["pay"]) == Decimal(digits)


@pytest.mark.requirement(
    *("S-7643-2.3.2-01", "S-7643-2.3.3-01", "S-7643-2.3.4-01", "S-7643-2.3.5-01", "S-7643-2.3.6-01", "S-7643-2.4-01", "S-7643-2.4-07")
)
@pytest.mark.parametrize(
    ("name", "literal"),
    [
        *(("level", each) for each in ("1.0", "1e3", "true", '"x"', "9223372036854775808", "[1]", "{}")),
        *(("pay", each) for each in ('"1.5"', "true", "1e400", "1e309", "1" * 101 + ".5", "1" * 5000)),
        *(("remote", each) for each in ('"yes"', "1", "[]x")),
        *(("since", each) for each in ('"2026-01-31"', '"2026-01-31T24:00:00Z"', "0")),
        *(("key", each) for each in ('"Y Q=="', '"_-8="', "0")),
        *(("page", each) for each in ('"not a uri"', "7")),
        *(("tags", each) for each in ('"x"', "[1]", '[["x"]]', '["x", 1]', "{}")),
        *(("desk", each) for each in ('"x"', "[]x", '{"floor": "1"}', '{"floor": 1, "keys": "x"}', '{"floor": 1, "keys": [["x"]]}')),
        *(("tools", each) for each in ('"x"', '[{"primary": true, "value": "a"}, {"primary": true, "value": "b"}]')),
    ],
)
def test_values_that_do_not_fit_are_refused(acme: Scim, registry: Registry, scope: Scope, name: str, literal: str) -> None:
    registry.tenants.change(scope.tenant_id, OPERATOR, profile="rfc")
    sent = "[]" if literal == "[]x" else literal
    body = f'{{"schemas": ["{USER}"], "userName": "ada", "{ACME}": {{"{name}": {sent}}}}}'
    answer = acme.post("/Users", body.encode())
    if literal == "[]x":  # no value
        assert answer.status_code == 201
        return
    status, scim_type = refusal(answer)
    assert status == 400
    assert scim_type == ("invalidSyntax" if literal in ("1e400", "1e309", "1" * 5000) else "invalidValue")
    assert acme.find("/Users", 'userName eq "ada"') == []


@pytest.mark.requirement("S-7643-2.3.1-01")
@pytest.mark.parametrize(("profile", "held"), [("rfc", True), ("entra", False), ("okta", False)])
def test_listed_values_and_kinds_of_references_are_insisted_on_by_a_strict_tenant(defined: Define, profile: str, held: bool) -> None:
    scim = defined(profile=profile)
    good = {"grade": "SENIOR", "mentor": "../Users/1"}
    made = scim.post("/Users", {"schemas": [USER], "userName": "ada", ACME: good})
    assert made.status_code == 201
    for n, other in enumerate(({"grade": "boss"}, {"mentor": "../Groups/1"}, {"mentor": "https://h/x"})):
        answer = scim.post("/Users", {"schemas": [USER], "userName": f"u{n}", ACME: other})
        patched = scim.patch(f"/Users/{made.get_json(force=True)['id']}", {"op": "add", "value": {ACME: other}})
        if held:
            assert refusal(answer) == refusal(patched) == (400, "invalidValue")
        else:
            assert (answer.status_code, patched.status_code) == (201, 200)


@pytest.mark.requirement("S-7643-7-01", "S-7644-3.4.2.2-24", "S-7643-2.3.7-02", "S-7643-2.3.6-02")
def test_case_is_told_apart_where_the_schema_says_so(acme: Scim) -> None:
    acme.user("ada", **{ACME: {"badge": "Ab", "code": "Ab", "page": "https://h/Ab", "key": "YQ", "tags": ["Ab", "aB", "AB", "c"]}})
    (found,) = acme.find("/Users", f'{ACME}:code eq "Ab" and {ACME}:badge eq "aB" and {ACME}:key eq "YQ==" and {ACME}:tags eq "ab"')
    assert found[ACME] == {"badge": "Ab", "code": "Ab", "page": "https://h/Ab", "key": "YQ", "tags": ["Ab", "c"]}
    for filter in (f'{ACME}:code eq "ab"', f'{ACME}:page eq "https://h/ab"', f'{ACME}:key eq "yq=="'):
        assert acme.find("/Users", filter) == []


@pytest.mark.requirement("S-7643-2.5-01", "S-7643-2.5-03", "S-7643-2.5-04", "S-7643-2.1-02", "S-7643-3.3-04", "S-7643-2.1-05")
def test_nothing_is_no_value_and_names_have_no_case(acme: Scim) -> None:
    empty: dict[str, Any] = {"badge": None, "tags": [], "desk": {}, "tools": [{}, None, {"value": None}], "code": ""}
    made = acme.user("ada", **{ACME.upper(): empty})
    assert made[ACME] == {"code": ""}
    assert acme.find("/Users", f"{ACME}:code pr or {ACME}:tags pr or {ACME}:desk pr or {ACME}:badge pr or {ACME} pr") == []
    acme.patch(f"/Users/{made['id']}", {"op": "add", "path": f"{ACME.upper()}:DESK.Floor", "value": 3})
    assert values(acme, made["id"]) == {"code": "", "desk": {"floor": 3}}
    assert len(acme.find("/Users", f"{ACME.upper()}:Desk.FLOOR ge 3 and {ACME} pr")) == 1
    twice: list[dict[str, Any]] = [{ACME: {}, ACME.upper(): {}}, {ACME: {"level": 1, "LEVEL": 1}}]
    for body in (*twice, {ACME: {"desk": {"floor": 1, "Floor": 1}}}):
        assert refusal(acme.post("/Users", {"schemas": [USER], "userName": "bea", **body})) == (400, "invalidSyntax")


# PATCH (RFC 7644 §3.5.2)

TOOLS: list[dict[str, Any]] = [{"value": "saw", "type": "wood", "skus": ["1", "2"]}, {"value": "drill", "type": "wall"}]
BEFORE = {"tags": ["a", "b"], "desk": {"floor": 1, "keys": ["k"]}, "tools": TOOLS}
PATCHED: list[tuple[str, str, Any, dict[str, Any] | str]] = [
    ("add", "tags", "c", {"tags": ["a", "b", "c"]}),
    ("add", "tags", ["c", "A"], {"tags": ["a", "b", "c"]}),
    ("replace", "tags", ["z"], {"tags": ["z"]}),
    ("replace", "tags", [], {"tags": None}),
    ("remove", "tags", None, {"tags": None}),
    ("remove", "tags", ["B"], {"tags": ["a"]}),
    ("remove", "tags", [], {}),
    ("remove", 'tags[value eq "A"]', None, {"tags": ["b"]}),
    ("remove", 'tags[value sw "a" or value eq "b"]', None, {"tags": None}),
    ("remove", 'tags[value eq "z"]', None, {}),
    ("replace", 'tags[value eq "a"]', "z", {"tags": ["z", "b"]}),
    ("replace", 'tags[value eq "a"]', "b", {"tags": ["b"]}),
    ("replace", 'tags[value eq "z"]', "y", "noTarget"),
    ("replace", 'tags[value eq "z"]', "Z", {"tags": ["a", "b", "Z"]}),
    ("add", 'tags[value eq "a"]', "z", "invalidPath"),
    ("remove", 'tags[type eq "a"]', None, "invalidFilter"),
    ("remove", 'tags[value eq "a"].value', None, "invalidPath"),
    ("replace", "tags.value", "x", "invalidPath"),
    ("add", "desk", {"room": "r"}, {"desk": {"floor": 1, "keys": ["k"], "room": "r"}}),
    ("replace", "desk.floor", 7, {"desk": {"floor": 7, "keys": ["k"]}}),
    ("replace", "desk.floor", "7x", "invalidValue"),
    ("add", "desk.keys", ["l", "K"], {"desk": {"floor": 1, "keys": ["k", "l"]}}),
    ("add", "desk.keys", "l", {"desk": {"floor": 1, "keys": ["k", "l"]}}),
    ("replace", "desk.keys", ["x"], {"desk": {"floor": 1, "keys": ["x"]}}),
    ("remove", "desk.keys", ["K"], {"desk": {"floor": 1}}),
    ("remove", "desk.keys", ["z"], {}),
    ("remove", "desk.keys", None, {"desk": {"floor": 1}}),
    ("remove", "desk", None, {"desk": None}),
    ("add", "tools", {"value": "SAW", "type": "wood", "primary": True}, {"tools": [{**TOOLS[0], "primary": True}, TOOLS[1]]}),
    ("add", 'tools[type eq "wood"].skus', ["3"], {"tools": [{**TOOLS[0], "skus": ["1", "2", "3"]}, TOOLS[1]]}),
    ("remove", 'tools[type eq "wood"].skus', ["2"], {"tools": [{**TOOLS[0], "skus": ["1"]}, TOOLS[1]]}),
    ("remove", 'tools[type eq "wood"].skus', None, {"tools": [{"value": "saw", "type": "wood"}, TOOLS[1]]}),
    ("remove", 'tools[skus eq "2"]', None, {"tools": [TOOLS[1]]}),
    ("remove", "tools[not (skus pr)]", None, {"tools": [TOOLS[0]]}),
    ("replace", 'tools[type eq "wall"]', {"value": "x"}, {"tools": [TOOLS[0], {"value": "x", "type": "wall"}]}),
    ("add", 'tools[type eq "new"].value', "x", {"tools": [*TOOLS, {"type": "new", "value": "x"}]}),
    ("add", "tools.value", "x", "noTarget"),
    ("add", "nonsense", "x", "invalidPath"),
    ("remove", "", None, {"tags": None, "desk": None, "tools": None}),
    ("add", "", {"level": 2, "tags": ["c"]}, {"level": 2, "tags": ["a", "b", "c"]}),
    ("replace", "", {"tags": ["c"], "code": None}, {"tags": ["c"]}),
]


@pytest.mark.requirement(
    *("S-7644-3.5.2.1-08", "S-7644-3.5.2.1-17", "S-7644-3.5.2.1-18", "S-7644-3.5.2.2-03", "S-7644-3.5.2.2-13", "S-7644-3.5.2.3-05"),
    *("S-7644-3.5.2-13", "S-7643-1.2-02"),
)
@pytest.mark.parametrize(("op", "path", "value", "expected"), PATCHED, ids=[f"{op} {path} {value}" for op, path, value, _ in PATCHED])
def test_patch(acme: Scim, op: str, path: str, value: Any, expected: dict[str, Any] | str) -> None:
    made = acme.user("ada", **{ACME: BEFORE})
    said = {} if op == "remove" and value is None else {"value": value}
    answer = acme.patch(f"/Users/{made['id']}", {"op": op, "path": f"{ACME}:{path}" if path else ACME, **said})
    after: dict[str, Any] = BEFORE
    if isinstance(expected, str):
        assert refusal(answer) == (400, expected)
    else:
        assert answer.status_code == 200, answer.get_data(as_text=True)
        after = {name: each for name, each in {**BEFORE, **expected}.items() if each is not None}
        changed = answer.get_json(force=True)["meta"]["version"] != made["meta"]["version"]
        assert changed is (after != BEFORE)
        assert answer.get_json(force=True)["schemas"] == [USER, *([ACME] if after else [])]
    assert values(acme, made["id"]) == after
    for filter, found in (
        (f'{ACME}:tags eq "B"', "b" in after.get("tags", ())),
        (f'{ACME}:desk.keys eq "K"', "k" in after.get("desk", {}).get("keys", ())),
    ):
        assert bool(acme.find("/Users", filter)) is found, filter


def test_several_values_of_a_part_are_found_as_such(acme: Scim) -> None:
    tools = [{"value": "x", "skus": ["1", "2"]}, {"value": "y"}]
    ada = acme.user("ada", **{ACME: {"desk": {"floor": 1, "keys": ["a", "b"]}, "tools": tools}})
    bea = acme.user("bea", **{ACME: {"desk": {"floor": 1}, "tools": [{"value": "x"}]}})
    both, one = {ada["id"], bea["id"]}, {ada["id"]}
    table = {
        'desk.keys eq "B"': one,
        'desk.keys ne "a"': both,
        'desk.keys ne "c"': both,
        "desk.keys pr": one,
        "desk.keys eq null": {bea["id"]},
        'desk[keys sw "b" and floor eq 1]': one,
        'tools.skus eq "2"': one,
        'tools.skus ne "1"': both,
        'tools.skus gt "1"': one,
        "tools.skus pr": one,
        'tools[skus eq "2" and value eq "x"]': one,
        'tools[skus eq "2" and value eq "y"]': set(),
        'tools[skus ne "9" and value eq "y"]': one,
        "tools[not (skus pr)]": both,
        f'tools[skus pr] and {ACME}:tools[value eq "y"]': one,
    }
    for filter, expected in table.items():
        assert {each["id"] for each in acme.find("/Users", f"{ACME}:{filter}")} == expected, filter


# Entra's habits


@pytest.mark.requirement("S-7643-3.3-03", "S-7644-3.5.2.1-03", "S-7644-3.5.2.1-04")
def test_what_entra_sends_of_a_mapped_attribute(acme: Scim) -> None:
    """The extension is not listed; flat, fully qualified keys in a PATCH; texts for numbers and booleans; one element for one value."""
    body = {"schemas": [USER], "userName": "ada", ACME: {"badge": "7", "remote": "True", "level": "5", "tags": ["a"]}}
    made = acme.post("/Users", body).get_json(force=True)
    assert (made["schemas"], made[ACME]) == ([USER, ACME], {"badge": "7", "remote": True, "level": 5, "tags": ["a"]})
    path = f"/Users/{made['id']}"
    operation = {"op": "Replace", "value": {f"{ACME}:badge": "8", f"{ACME}:remote": "False", f"{ACME}:desk.floor": "2", "title": "T"}}
    assert acme.patch(path, operation).get_json(force=True)[ACME] == {
        "badge": "8",
        "remote": False,
        "level": 5,
        "tags": ["a"],
        "desk": {"floor": 2},
    }
    acme.patch(path, {"op": "Add", "path": f"{ACME}:level", "value": [{"$ref": None, "value": "6"}]})
    acme.patch(path, {"op": "Replace", "path": f"{ACME}:badge", "value": ""})
    assert values(acme, made["id"]) == {"remote": False, "level": 6, "tags": ["a"], "desk": {"floor": 2}}
    assert len(acme.find("/Users", f'{ACME}:remote eq "False"')) == 1
    listed = {"schemas": [USER, ACME], "userName": "bea"}
    assert acme.post("/Users", listed).get_json(force=True)["schemas"] == [USER]


@pytest.mark.requirement("S-7643-3-02", "S-7643-3-03", "S-7643-3.3-01", "S-7643-3-01")
def test_schemas_of_a_strict_tenant(defined: Define) -> None:
    scim = defined({"name": "badge"}, profile="rfc")
    for listed in ([USER, ACME], [ACME, USER], [USER], [USER.upper(), ACME.upper()]):
        made = scim.post("/Users", {"schemas": listed, "userName": f"u{uuid4()}", ACME: {"badge": "7"}})
        assert (made.status_code, made.get_json(force=True)["schemas"]) == (201, [USER, ACME])
    wrong: list[tuple[Any, str]] = [([ACME], "invalidValue"), ([USER, TEAM], "invalidValue"), ([USER, ACME, ACME.upper()], "invalidSyntax")]
    for listed, scim_type in (*wrong, ([], "invalidSyntax"), (USER, "invalidSyntax")):
        assert refusal(scim.post("/Users", {"schemas": listed, "userName": "ada"})) == (400, scim_type)
    assert refusal(scim.post("/Users", {"schemas": [USER], "userName": "ada", TEAM: {"x": 1}})) == (400, "invalidSyntax")
    assert refusal(scim.post("/Users", {"schemas": [USER], "userName": "ada", "badge": "7"})) == (400, "invalidSyntax")


@pytest.mark.requirement("S-7644-3.5.2.2-13")
def test_a_group_has_its_own(defined: Define) -> None:
    scim = defined({"name": "cost", "type": "decimal"}, {"name": "owner", "uniqueness": "server"}, urn=TEAM, kind="Group")
    assert "schemaExtensions" in scim.get("/ResourceTypes/Group").get_json(force=True)
    team = scim.group("team", **{TEAM: {"cost": 1.5, "owner": "ada"}})
    assert team["schemas"] == [GROUP, TEAM]
    assert refusal(scim.post("/Groups", {"schemas": [GROUP], "displayName": "b", TEAM: {"owner": "ADA"}})) == (409, "uniqueness")
    assert [each["id"] for each in scim.find("/Groups", f'{TEAM}:cost gt 1 and {TEAM}:owner eq "ada"')] == [team["id"]]
    assert refusal(scim.get("/Users", filter=f"{TEAM}:cost pr")) == (400, "invalidFilter")
    scim.patch(f"/Groups/{team['id']}", {"op": "remove", "path": TEAM})
    assert scim.get(f"/Groups/{team['id']}").get_json(force=True)["schemas"] == [GROUP]
    scim.group("other", **{TEAM: {"owner": "ada"}})
    scim.delete(f"/Groups/{team['id']}")


@pytest.mark.requirement("S-7643-3.1-13")
def test_common_attributes_stay_what_they_are(acme: Scim) -> None:
    made = acme.user("ada", id="mine", meta={"version": "mine"}, **{ACME: {"badge": "7", "id": "mine", "meta": {"x": 1}}})
    assert made["id"] != "mine"
    assert made[ACME] == {"badge": "7"}
    assert refusal(acme.patch(f"/Users/{made['id']}", {"op": "replace", "path": "id", "value": "x"})) == (400, "mutability")


def test_what_no_schema_has_is_named_with_what_is_near(acme: Scim) -> None:
    made = acme.user("ada")
    for answer in (
        acme.get("/Users", filter=f"{ACME}:bagde pr"),
        acme.patch(f"/Users/{made['id']}", {"op": "add", "path": f"{ACME}:bagde", "value": "x"}),
    ):
        assert f"{ACME}:badge" in answer.get_json(force=True)["detail"]


def test_sparse_updates_of_others_leave_own_values_alone(acme: Scim) -> None:
    made = acme.user("ada", **{ACME: BEFORE})
    acme.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": "False"})
    assert values(acme, made["id"]) == BEFORE
