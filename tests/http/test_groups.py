"""/Groups over HTTP: members come and go, and never cost more than their own number."""

from __future__ import annotations

from typing import Any

import pytest

from scim_server.store.unit import Store
from tests.http.conftest import ENTERPRISE, GROUP, Scim
from tests.tenants import BASE_URL


def values(*ids: str) -> list[dict[str, str]]:
    return [{"value": each} for each in ids]


@pytest.fixture
def people(scim: Scim) -> list[str]:
    return [scim.user(f"p{n}@example.com", displayName=f"P {n}")["id"] for n in range(5)]


def test_a_group_from_first_to_last(scim: Scim, people: list[str], store: Store, scope: Any) -> None:
    a, b, c, *_ = people
    group = scim.group("Dock", a, b, externalId="ext-1")
    address = f"/Groups/{group['id']}"
    assert {each["value"] for each in group["members"]} == {a, b}
    member = next(each for each in group["members"] if each["value"] == a)
    assert member == {"value": a, "$ref": f"{BASE_URL}/Users/{a}", "display": "P 0", "type": "User"}
    assert scim.get(f"/Users/{a}").get_json(force=True)["groups"] == [
        {"value": group["id"], "$ref": f"{BASE_URL}/Groups/{group['id']}", "display": "Dock", "type": "direct"}
    ]

    assert scim.patch(address, {"op": "add", "path": "members", "value": values(c)}).status_code == 204
    assert scim.patch(address, {"op": "remove", "path": f'members[value eq "{a}"]'}).status_code == 204
    assert scim.members(group["id"]) == {b, c}
    assert scim.patch(address, {"op": "replace", "path": "displayName", "value": "Docks"}).status_code == 204
    replaced = scim.put(address, {"schemas": [GROUP], "displayName": "Docks", "members": values(a, c)}).get_json(force=True)
    assert {each["value"] for each in replaced["members"]} == {a, c}
    assert "externalId" not in replaced

    assert scim.delete(address).status_code == 204
    assert scim.get(address).status_code == 404
    assert "groups" not in scim.get(f"/Users/{a}").get_json(force=True)

    with store.read(scope) as unit:
        events = [each for each in unit.events.list(50) if each.tag.startswith("scim:group")]
    assert [each.tag.rpartition(":")[2] for each in reversed(events)] == ["created", "changed", "changed", "changed", "changed", "deleted"]
    created, added, removed, renamed, put, deleted = (each.data for each in reversed(events))
    assert set(created["added"]) == {a, b}
    assert (added["added"], added["removed"]) == ([c], [])
    assert (removed["added"], removed["removed"]) == ([], [a])
    assert renamed["changes"] == [{"path": "displayName", "old": "Dock", "new": "Docks"}]
    assert (put["added"], put["removed"]) == ([a], [b])
    assert set(deleted["removed"]) == {a, c}


def test_a_resource_is_found_by_the_addresses_it_is_answered_with(scim: Scim, people: list[str]) -> None:
    """What filters compare ``meta.location`` and ``$ref`` with is what a client was given."""
    a, b, c, *_ = people
    boss = scim.user("boss@example.com")
    worker = scim.user("worker@example.com", **{ENTERPRISE: {"manager": {"value": boss["id"]}}})
    group = scim.group("Dock", a, b)
    manager, member = worker[ENTERPRISE]["manager"], group["members"][0]
    assert manager["$ref"] == boss["meta"]["location"]
    for path, text, found in (
        ("/Users", f'meta.location eq "{boss["meta"]["location"]}"', {boss["id"]}),
        ("/Users", f'meta.location sw "{BASE_URL}/Users/" and id eq "{c}"', {c}),
        ("/Users", f'{ENTERPRISE}:manager.$ref eq "{manager["$ref"]}"', {worker["id"]}),
        ("/Users", f'groups[$ref eq "{group["meta"]["location"]}"]', {a, b}),
        ("/Groups", f'members.$ref eq "{member["$ref"]}"', {group["id"]}),
        ("/Groups", f'meta.location ne "{group["meta"]["location"]}"', set()),
        ("/Groups", 'meta.location eq "/Groups/"', set()),
    ):
        assert {each["id"] for each in scim.find(path, text)} == found, text
    scim.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[$ref eq "{member["$ref"]}"]'})
    assert scim.members(group["id"]) == {a, b} - {member["value"]}


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "members", "value": values("0", "3")}], "0123"),
        ([{"op": "add", "path": "members", "value": {"value": "3"}}], "0123"),
        ([{"op": "add", "value": {"members": values("3")}}], "0123"),
        ([{"op": "remove", "path": "members", "value": values("1", "4")}], "02"),
        ([{"op": "remove", "path": "members", "value": []}], "012"),
        ([{"op": "remove", "path": "members"}], ""),
        ([{"op": "remove", "path": 'members[value eq "1" or value eq "2"]'}], "0"),
        ([{"op": "remove", "path": 'members[type eq "User"]'}], ""),
        ([{"op": "remove", "path": 'members[display eq "p 1"]'}], "02"),
        ([{"op": "remove", "path": 'members[value eq "4"]'}], "012"),
        ([{"op": "replace", "path": "members", "value": values("2", "3")}], "23"),
        ([{"op": "replace", "value": {"members": values("4")}}], "4"),
        ([{"op": "replace", "path": "members", "value": []}], ""),
        ([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": values("4")}], "4"),
        ([{"op": "add", "path": "members", "value": values("3")}, {"op": "remove", "path": 'members[value eq "3"]'}], "012"),
    ],
    ids=lambda each: str(each)[:70],
)
def test_member_operations(scim: Scim, people: list[str], operations: list[dict[str, Any]], expected: str) -> None:
    group = scim.group("G", *people[:3])

    def with_ids(value: Any) -> Any:
        if isinstance(value, str) and "value eq" in value:
            for n, person in enumerate(people):
                value = value.replace(f'value eq "{n}"', f'value eq "{person}"')
            return value
        if isinstance(value, list):
            return [with_ids(each) for each in value]
        if isinstance(value, dict):
            return {
                name: people[int(each)] if name == "value" and isinstance(each, str) else with_ids(each) for name, each in value.items()
            }
        return value

    answer = scim.patch(f"/Groups/{group['id']}", *with_ids(operations))
    assert answer.status_code == 204, answer.get_data(as_text=True)
    assert scim.members(group["id"]) == {people[int(n)] for n in expected}


def test_adding_a_member_again_changes_nothing(scim: Scim, people: list[str]) -> None:
    group = scim.group("G", people[0])
    scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": values(people[0], people[0])})
    scim.patch(f"/Groups/{group['id']}", {"op": "remove", "path": "members", "value": values(people[1])})
    assert scim.get(f"/Groups/{group['id']}").get_json(force=True) == group


def test_an_unknown_member_is_named_and_nothing_is_changed(scim: Scim, people: list[str]) -> None:
    group = scim.group("G", people[0])
    for unknown in ("0190a000-0000-7000-8000-000000000001", "no-uuid", "x" * 5000):
        answer = scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": values(people[1], unknown)})
        assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, "invalidValue")
        assert unknown[:60] in answer.get_json(force=True)["detail"]
    assert scim.get(f"/Groups/{group['id']}").get_json(force=True) == group


def test_groups_nest_and_may_even_contain_each_other(scim: Scim, people: list[str]) -> None:
    inner = scim.group("Inner", people[0])
    outer = scim.group("Outer", inner["id"], people[1])
    types = {each["value"]: each["type"] for each in outer["members"]}
    assert types == {inner["id"]: "Group", people[1]: "User"}
    scim.patch(f"/Groups/{inner['id']}", {"op": "add", "path": "members", "value": values(outer["id"])})
    assert scim.members(inner["id"]) == {people[0], outer["id"]}
    scim.delete(f"/Groups/{inner['id']}")
    assert scim.members(outer["id"]) == {people[1]}


def test_a_deleted_user_leaves_every_group(scim: Scim, people: list[str]) -> None:
    group = scim.group("G", *people[:2])
    scim.delete(f"/Users/{people[0]}")
    after = scim.get(f"/Groups/{group['id']}").get_json(force=True)
    assert {each["value"] for each in after["members"]} == {people[1]}
    assert after["meta"]["version"] != group["meta"]["version"]


def test_a_disabled_user_keeps_his_memberships(scim: Scim, people: list[str]) -> None:
    group = scim.group("G", people[0])
    scim.patch(f"/Users/{people[0]}", {"op": "replace", "path": "active", "value": False})
    assert scim.members(group["id"]) == {people[0]}


def test_members_can_be_left_out_and_asked_for(scim: Scim, people: list[str]) -> None:
    group = scim.group("BK-Dockside", people[0])
    address = f"/Groups/{group['id']}"
    for answer in (
        scim.get(address, excludedAttributes="members").get_json(force=True),
        scim.find("/Groups", 'displayName eq "bk-DOCKSIDE"', excludedAttributes="members")[0],
        scim.get(address, attributes="displayName").get_json(force=True),
    ):
        assert "members" not in answer
        assert answer["displayName"] == "BK-Dockside"
    assert [each["value"] for each in scim.get(address, attributes="members.value").get_json(force=True)["members"]] == [people[0]]
    shown = scim.patch(address, {"op": "add", "path": "members", "value": values(people[1])}, query={"attributes": "members"})
    assert shown.status_code == 200
    assert {each["value"] for each in shown.get_json(force=True)["members"]} == set(people[:2])


def test_reference_probes(scim: Scim, people: list[str]) -> None:
    group = scim.group("G", people[0])
    for text, hit in (
        (f'id eq "{group["id"]}" and members eq "{people[0]}"', True),
        (f'members eq "{people[1]}" and id eq "{group["id"]}"', False),
        (f'members[value eq "{people[0]}" and type eq "User"]', True),
        (f'members.value eq "{people[0]}"', True),
        ('members.display co "p 0"', True),
        ("members pr", True),
        (f'not (members.value eq "{people[0]}")', False),
    ):
        assert bool(scim.find("/Groups", text)) is hit, text
    assert [each["id"] for each in scim.find("/Users", f'groups.value eq "{group["id"]}"')] == [people[0]]
    assert [each["id"] for each in scim.find("/Users", 'groups[display eq "g"]')] == [people[0]]
