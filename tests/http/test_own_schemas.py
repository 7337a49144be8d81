"""Attributes of a tenant's own schema behave as their characteristics say (RFC 7643 §2.2, §7): made, replaced, patched, shown, found."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.provisioning import schemas
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.acme import ACME, extension, refusal, values
from tests.http.conftest import ENTERPRISE, GROUP, SEARCH_REQUEST, USER, Define, Scim, new_client
from tests.tenants import fresh_scope

# Discovery


@pytest.mark.requirement("S-7643-6-01", "S-7643-7-14", "S-7643-7-16", "S-7644-4-01", "S-7644-4-02")
def test_a_credential_shows_what_its_tenant_has(acme: Scim, stranger: Scim) -> None:
    (user, group) = acme.get("/ResourceTypes").get_json(force=True)["Resources"]
    assert user["schemaExtensions"] == [{"schema": ENTERPRISE, "required": False}, {"schema": ACME, "required": False}]
    assert "schemaExtensions" not in group
    assert {each["id"] for each in acme.get("/Schemas").get_json(force=True)["Resources"]} == {USER, GROUP, ENTERPRISE, ACME}
    listed = [attribute["name"] for each in acme.get("/Schemas").get_json(force=True)["Resources"] for attribute in each["attributes"]]
    assert not {"id", "externalId", "meta", "schemas"} & {*listed}
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


@pytest.mark.requirement("S-7643-7-04", "S-7644-3.4-01", "S-7644-3.9-01", "S-7644-3.9-02", "S-7644-3.9-08")
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
