"""Microsoft Entra ID: the tests of Microsoft's SCIM Validator about groups, 14 to 25 and P5 to P7."""

from __future__ import annotations

import uuid

from conformance.checker.answer import Answer
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MUST, SHOULD
from conformance.checker.urns import GROUP
from conformance.checks.entra import validator
from conformance.checks.groups import expect_members

TEAM = ("groups", "filter")


def team(probe: Probe, *who: Made) -> Made:
    """A group as the validator makes it; its name has an apostrophe, as Microsoft's bots give it."""
    return probe.group("Test'GroupXyz", who, externalId=str(uuid.uuid4()))


@validator("group.get", "14", MUST, "S-7644-3.9-02", needs=TEAM)
def group_get(probe: Probe) -> None:
    "A group by id with excludedAttributes=members has no members."
    group = team(probe, probe.user("ann"))
    probe.get(group.path, {"excludedAttributes": "members"}).status(200).has(group.name, "displayName").lacks("members")


def look_up(probe: Probe, name: str) -> Answer:
    """Entra's own query for a group, parameters in its order."""
    return probe.get("/Groups", {"excludedAttributes": "members", "filter": f'displayName eq "{name}"'})


@validator("group.filter.members", "15", MUST, "S-7644-3.9-02", "S-7644-3.4.2.5-01", needs=TEAM)
def group_filter_members(probe: Probe) -> None:
    "A group by displayName with excludedAttributes=members has no members."
    group = team(probe, probe.user("ann"))
    look_up(probe, group.name).has(1, "totalResults").has(group.id, "Resources", 0, "id").lacks("Resources", 0, "members")


@validator("group.filter", "16", MUST, "S-7644-3.4.2-02", needs=TEAM)
def group_filter(probe: Probe) -> None:
    "An existing group is found by displayName and by externalId."
    group = team(probe)
    look_up(probe, group.name).has(1, "totalResults").has(group.document["externalId"], "Resources", 0, "externalId")
    probe.finds(f'externalId eq "{group.document["externalId"]}"', [group], [group], "/Groups")


@validator("group.filter.none", "17", MUST, "S-7644-3.4.2-06", needs=TEAM)
def group_filter_none(probe: Probe) -> None:
    "A group that does not exist: 200 and totalResults 0."
    look_up(probe, f"nonexistent{uuid.uuid4().hex}").status(200).has(0, "totalResults")


@validator("group.filter.case", "18", MUST, "S-7644-3.4.2.2-24", needs=TEAM)
def group_filter_case(probe: Probe) -> None:
    "A group is found by the displayName in capitals."
    group = team(probe)
    look_up(probe, group.name.upper()).has(1, "totalResults").has(group.id, "Resources", 0, "id")


@validator("group.create", "19", MUST, "S-7644-3.3-04", needs=("groups",))
def group_create(probe: Probe) -> None:
    "A group is created with displayName, externalId and an empty members."
    sent = {"externalId": str(uuid.uuid4()), "members": []}
    probe.post("/Groups", probe.group_body() | sent).status(201).has(sent["externalId"], "externalId")


@validator("group.create.schemas", "19 (as Entra itself does)", SHOULD, "S-7643-3-02", needs=("groups",))
def group_create_schemas(probe: Probe) -> None:
    "A group is created although schemas has Microsoft's private URI beside the Group's; it does not come back."
    private = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
    body = probe.group_body() | {"schemas": [GROUP, private], "meta": {"resourceType": "Group"}}
    answer = probe.post("/Groups", body).status(201)
    answer.expect(private not in answer.value("schemas"), f"schemas without {private}")


@validator("group.duplicate", "20", SHOULD, "S-7644-3.3-07", needs=("groups",))
def group_duplicate(probe: Probe) -> None:
    "A second group with the same displayName is a 409, in any case of letters."
    group = team(probe)
    probe.post("/Groups", probe.group_body() | {"displayName": group.name}).status(409)
    probe.post("/Groups", probe.group_body() | {"displayName": group.name.upper()}).status(409)


@validator("group.replace", "21", MUST, "S-7644-3.5.2.3-01", needs=("groups", "patch"))
def group_replace(probe: Probe) -> None:
    "externalId of a group is replaced by an operation without a path; the members stay."
    ann = probe.user("ann")
    group = team(probe, ann)
    probe.patched(group, {"op": "replace", "value": {"externalId": probe.name("new")}}).has(probe.name("new"), "externalId")
    expect_members(probe, group, ann)


@validator("group.rename", "22", MUST, "S-7644-3.5.2.3-01", needs=("groups", "patch"))
def group_rename(probe: Probe) -> None:
    "displayName of a group is replaced by an operation without a path."
    probe.patched(team(probe), {"op": "replace", "value": {"displayName": probe.name("new")}}).has(probe.name("new"), "displayName")


@validator("group.member.add", "23", MUST, "S-7644-3.5.2.3-03", needs=("groups", "patch"))
def group_member_add(probe: Probe) -> None:
    "Add Member, as the validator does it: replace members."
    ann, group = probe.user("ann"), team(probe)
    probe.patch(group.path, {"op": "replace", "path": "members", "value": [{"value": ann.id}]}).status(200, 204)
    expect_members(probe, group, ann)


@validator("group.member.remove", "24", MUST, "S-7644-3.5.2.2-04", needs=("groups", "patch"))
def group_member_remove(probe: Probe) -> None:
    'Remove Member: members[value eq "…"].'
    ann, bob = probe.user("ann"), probe.user("bob")
    group = team(probe, ann, bob)
    probe.patch(group.path, {"op": "remove", "path": f'members[value eq "{ann.id}"]'}).status(200, 204)
    expect_members(probe, group, bob)


@validator("group.delete", "25", MUST, "S-7644-3.6-01", "S-7644-3.6-02", needs=("groups",))
def group_delete(probe: Probe) -> None:
    "A group is deleted; then it is a 404."
    group = team(probe)
    probe.delete(group.path).status(204)
    probe.get(group.path).status(404)


@validator("group.operations.same", "P5", MUST, "S-7644-3.5.2-14", needs=("groups", "patch"))
def group_operations_same(probe: Probe) -> None:
    "A member added and removed in one PATCH is no member."
    ann, group = probe.user("ann"), team(probe)
    add = {"op": "add", "path": "members", "value": [{"value": ann.id}]}
    probe.patch(group.path, add, {"op": "remove", "path": f'members[value eq "{ann.id}"]'}).status(200, 204)
    expect_members(probe, group)


@validator("group.delete.unknown", "P6", MUST, "S-7644-3.6-02", needs=("groups",))
def group_delete_unknown(probe: Probe) -> None:
    "Deleting a group that does not exist is a 404."
    probe.delete(f"/Groups/{uuid.uuid4()}").status(404)


@validator("group.delete.twice", "P7", MUST, "S-7644-3.6-02", "S-7644-3.6-06", needs=("groups",))
def group_delete_twice(probe: Probe) -> None:
    "Deleting the same group twice: 204, then 404."
    group = team(probe)
    probe.delete(group.path).status(204)
    probe.delete(group.path).status(404)
