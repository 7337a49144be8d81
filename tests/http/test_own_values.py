"""Values of a tenant's own schema: of every type, patched, sorted, as Entra sends them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from scim_server.events import Scope
from scim_server.provisioning import schemas
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.acme import ACME, ATTRIBUTES, TEAM, extension, refusal, values
from tests.http.conftest import GROUP, USER, Define, Scim
from tests.tenants import OPERATOR

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


@pytest.mark.requirement("S-7644-3.4.2.3-02")
def test_sorting_and_walking_by_ones_own(acme: Scim, store: Store, scope: Scope) -> None:
    """A cursor is of the schemas that there were when it was made: by others what it stands at may be no place."""
    for n, level in enumerate([3, None, 10, 7]):
        acme.user(f"u{n}", **{ACME: {} if level is None else {"level": level, "tools": [{"value": str(level)}]}})
    for name, expected in (("level", [3, 7, 10]), ("tools", [10, 3, 7])):
        shown = acme.get("/Users", sortBy=f"{ACME}:{name}").get_json(force=True)["Resources"]
        assert [each.get(ACME, {}).get("level") for each in shown] == [*expected, None]
    walk: dict[str, Any] = {"sortBy": f"{ACME}:level", "count": 1}
    first = acme.get("/Users", cursor="", **walk).get_json(force=True)
    second = acme.get("/Users", cursor=first["nextCursor"], **walk).get_json(force=True)
    assert [each["Resources"][0][ACME]["level"] for each in (first, second)] == [3, 7]
    changed = [{**each, "caseExact": True} if each["name"] == "grade" else each for each in ATTRIBUTES]
    store.transact(scope, lambda unit: schemas.change(unit, extension(changed), drop_values=False, accept_missing=False))
    assert refusal(acme.get("/Users", cursor=second["nextCursor"], **walk)) == (400, "invalidCursor")
    for name in ("desk.keys", "tools.skus", "pin", "ssn", "desk", "nonsense"):
        assert refusal(acme.get("/Users", sortBy=f"{ACME}:{name}")) == (400, "invalidValue"), name


@pytest.mark.requirement("S-7644-3.4.2.1-03")
def test_at_the_root_a_group_has_no_value_there(acme: Scim) -> None:
    made = acme.user("ada", **{ACME: {"badge": "7"}})
    acme.group("team")
    found = acme.get("/", filter=f'{ACME}:badge eq "7"').get_json(force=True)["Resources"]
    assert [each["id"] for each in found] == [made["id"]]
    assert acme.get("/", filter=f'{ACME}:badge ne "7"').get_json(force=True)["totalResults"] == 1
