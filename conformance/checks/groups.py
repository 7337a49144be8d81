"""Groups: creating, reading, and what a group says of its members and a user of its groups (RFC 7643 §4.2)."""

from __future__ import annotations

from conformance.checker.answer import MISSING, at
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check

GROUPS = ("groups",)


def members(probe: Probe, group: Made) -> set[str]:
    """The ids of a group's members as a GET shows them."""
    listed = at(probe.state(group).document(), "members")
    return set() if listed is MISSING or listed is None else {str(at(member, "value")) for member in listed}


def expect_members(probe: Probe, group: Made, *expected: Made) -> None:
    """That a GET shows exactly these members, each once."""
    answer = probe.state(group)
    listed = at(answer.document(), "members")
    came = sorted(str(at(member, "value")) for member in (listed if isinstance(listed, list) else []))
    answer.expect(came == sorted(one.id for one in expected), "the members " + (", ".join(one.hint for one in expected) or "nobody"))


@check("groups.create", MUST, "RFC 7644 §3.3, RFC 7643 §4.2", "S-7644-3.3-04", "S-7644-3.3-06", "S-7644-3.3.1-01", needs=GROUPS)
def create(probe: Probe) -> None:
    "Creating a group answers 201 with Location = meta.location and meta.resourceType Group."
    group = probe.group()
    location = group.answer.header("Location")
    group.answer.expect(location is not None, "a Location header").has(location, "meta", "location")
    group.answer.has("Group", "meta", "resourceType").has(group.name, "displayName")
    probe.get(group.path).status(200).has(group.id, "id")


@check("groups.name.required", MUST, "RFC 7643 §4.2, erratum 5368", "S-7643-4.2-01", "S-7643-7-10", needs=GROUPS)
def name_required(probe: Probe) -> None:
    "A group without displayName is refused with 400."
    body = probe.group_body()
    del body["displayName"]
    probe.post("/Groups", body | {"externalId": probe.name("ext")}).status(400)


@check("groups.external-id", MUST, "RFC 7643 §3.1", "S-7643-3-04", "S-7643-3.1-05", needs=GROUPS)
def external_id(probe: Probe) -> None:
    "A group keeps its externalId, and is found by it."
    group = probe.group(externalId=probe.name("Ext"))
    probe.state(group).has(probe.name("Ext"), "externalId")
    if probe.offer.supports("filter"):
        probe.finds(f'externalId eq "{probe.name("Ext")}"', [group], [group], "/Groups")


@check("groups.members", MUST, "RFC 7643 §4.2", "S-7643-4.2-02", "S-7643-2.3.7-03", needs=GROUPS)
def created_with_members(probe: Probe) -> None:
    "A group created with members has them; where a member has a $ref, a GET on it gives that member."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann, bob])
    expect_members(probe, group, ann, bob)
    answer = probe.state(group)
    for one in (ann, bob):
        reference = at(answer.document(), "members", {"value": one.id}, "$ref")
        if reference is not MISSING:
            path = probe.wire.below(str(reference)) or f"/{str(reference).lstrip('./')}"
            probe.get(path).status(200).has(one.id, "id")


@check("groups.members.empty", MUST, "RFC 7643 §2.5", "S-7643-2.5-01", needs=GROUPS)
def members_empty(probe: Probe) -> None:
    "A group may be created with an empty array of members."
    probe.post("/Groups", probe.group_body() | {"members": []}).status(201).lacks("members")


@check("groups.members.twice", SHOULD, "RFC 7643 §2.4", "S-7643-2.4-06", needs=GROUPS)
def members_twice(probe: Probe) -> None:
    "A member that is sent twice is there once."
    ann = probe.user("ann")
    expect_members(probe, probe.group(members=[ann, ann]), ann)


@check("groups.members.unknown", SHOULD, "RFC 7643 §2.3.7", "S-7643-2.3.7-04", needs=GROUPS)
def members_unknown(probe: Probe) -> None:
    "A member that does not exist is refused with a 4xx status, and no group is made."
    body = probe.group_body() | {"members": [{"value": probe.name("nobody")}]}
    probe.post("/Groups", body).client_error()
    if probe.offer.supports("filter"):
        probe.finds(f'displayName eq "{probe.name("group")}"', [], [], "/Groups")


@check("groups.members.nested", MAY, "RFC 7643 §4.2", "S-7643-4.2-03", needs=GROUPS)
def members_nested(probe: Probe) -> None:
    "A group may be a member of a group, or that is refused with 400."
    inner = probe.group("inner")
    answer = probe.post("/Groups", probe.group_body("outer", [inner])).status(201, 400)
    if answer.code == 201:
        answer.has(inner.id, "members", 0, "value")


@check("groups.members.circle", MUST, "RFC 7643 §4.2", "S-7643-4.2-03", needs=[*GROUPS, "patch"])
def members_circle(probe: Probe) -> None:
    "Two groups that would be members of each other are taken or refused; the server lives on."
    inner = probe.group("inner")
    outer = probe.post("/Groups", probe.group_body("outer", [inner])).no_server_error()
    if outer.code == 201:
        probe.patch(inner.path, {"op": "add", "path": "members", "value": [{"value": outer.text("id")}]}).no_server_error()
        probe.get(inner.path).status(200)
        probe.get(f"/Groups/{outer.text('id')}").status(200)


@check("groups.of-user", MUST, "RFC 7643 §4.1.2", "S-7643-4.1.2-06", needs=[*GROUPS, "User.groups"])
def of_user(probe: Probe) -> None:
    "A user's groups name the groups that have the user as a member: value is the group's id, $ref its URI."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    answer = probe.state(ann).has(group.id, "groups", 0, "value")
    reference = at(answer.document(), "groups", 0, "$ref")
    if reference is not MISSING:
        answer.expect(str(reference).endswith(f"/Groups/{group.id}"), "a $ref that is the group's URI")
    probe.state(bob).lacks("groups")


@check("groups.of-user.read-only", MUST, "RFC 7643 §4.1.2", "S-7643-4.1.2-05", "S-7644-3.5.2-10", needs=[*GROUPS, "User.groups", "patch"])
def of_user_read_only(probe: Probe) -> None:
    "A PATCH of a user's groups is refused with 400 mutability, and the group has no new member."
    ann, group = probe.user("ann"), probe.group()
    probe.patch(ann.path, {"op": "add", "path": "groups", "value": [{"value": group.id}]}).refused(400, "mutability")
    expect_members(probe, group)


@check("groups.get.unknown", MUST, "RFC 7644 §3.4.1", "S-7644-3.4.1-02", "S-7644-3.12-01", needs=GROUPS)
def get_unknown(probe: Probe) -> None:
    "GET of a group that does not exist is a 404 with a SCIM error; the id of a user is none of a group."
    probe.get(f"/Groups/{probe.name('nobody')}").status(404).error_body()
    probe.get(f"/Groups/{probe.user().id}").status(404)


@check("groups.get.without-members", MUST, "RFC 7644 §3.9", "S-7644-3.9-02", needs=[*GROUPS])
def without_members(probe: Probe) -> None:
    "excludedAttributes=members gives the group without its members, alone and in a list."
    ann = probe.user("ann")
    group = probe.group(members=[ann])
    probe.get(group.path, {"excludedAttributes": "members"}).status(200).has(group.name, "displayName").lacks("members")
    if probe.offer.supports("filter"):
        answer = probe.get("/Groups", {"excludedAttributes": "members", "filter": f'displayName eq "{group.name}"'})
        answer.expect(len(answer.resources()) == 1, "one group").lacks("Resources", 0, "members")


@check("groups.filter.name", MUST, "RFC 7644 §3.4.2.2", "S-7644-3.4.2.2-24", needs=[*GROUPS, "filter"])
def filter_name(probe: Probe) -> None:
    "A group is found by displayName in any case of letters."
    group, other = probe.group("Team-A"), probe.group("Team-B")
    probe.finds(f'displayName eq "{group.name}"', [group], [group, other], "/Groups")
    probe.finds(f'displayName eq "{group.name.upper()}"', [group], [group, other], "/Groups")


@check("groups.filter.member", MUST, "RFC 7644 §3.4.2.2", "S-7644-3.4.2.2-25", needs=[*GROUPS, "filter"])
def filter_member(probe: Probe) -> None:
    "Groups are found by a member: members.value eq, and members[value eq …]."
    ann, bob = probe.user("ann"), probe.user("bob")
    one, two, three = probe.group("one", [ann]), probe.group("two", [ann, bob]), probe.group("three")
    probe.finds(f'members.value eq "{ann.id}"', [one, two], [one, two, three], "/Groups")
    probe.finds(f'members[value eq "{bob.id}"]', [two], [one, two, three], "/Groups")


@check("groups.filter.reference", SHOULD, "Entra asks whether a group has a member", "S-7644-3.4.2.2-27", needs=[*GROUPS, "filter"])
def filter_reference(probe: Probe) -> None:
    'id eq "…" and members eq "…" finds the group if it has the member, and nobody otherwise.'
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    probe.finds(f'id eq "{group.id}" and members eq "{ann.id}"', [group], [group], "/Groups")
    probe.finds(f'members eq "{bob.id}" and id eq "{group.id}"', [], [group], "/Groups")


@check("groups.delete.members-stay", MUST, "RFC 7644 §3.6", "S-7644-3.6-01", needs=GROUPS)
def delete_members_stay(probe: Probe) -> None:
    "Deleting a group answers 204, its members live on, and do not name it any more."
    ann = probe.user("ann")
    group = probe.group(members=[ann])
    probe.delete(group.path).status(204)
    probe.get(group.path).status(404)
    probe.state(ann).lacks("groups")


@check("groups.delete.user", SHOULD, "RFC 7644 §3.6", "S-7643-4.2-04", "S-7644-3.6-03", needs=GROUPS)
def delete_user(probe: Probe) -> None:
    "A deleted user is no member of any group any more."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann, bob])
    probe.delete(ann.path).status(204)
    expect_members(probe, group, bob)


@check("groups.members.no-value", MAY, "RFC 7643 §2.2", "S-7643-7-11", needs=GROUPS)
def members_no_value(probe: Probe) -> None:
    "A member without a value is refused with 400."
    probe.post("/Groups", probe.group_body() | {"members": [{"display": "Somebody"}]}).refused(400)


@check("groups.of-user.kind", MAY, "RFC 7643 §4.1.2", "S-7643-4.1.2-07", needs=[*GROUPS, "User.groups"])
def of_user_kind(probe: Probe) -> None:
    "A user's groups say how the user is a member: direct, or, by a group within a group, indirect."
    ann = probe.user("ann")
    inner = probe.group("inner", [ann])
    probe.post("/Groups", probe.group_body("outer", [inner])).status(201, 400)
    answer = probe.state(ann).has("direct", "groups", {"value": inner.id}, "type")
    kinds = {str(at(one, "value")): at(one, "type") for one in answer.value("groups")}
    answer.expect(all(kind == "indirect" for id, kind in kinds.items() if id != inner.id), "indirect for all other groups", str(kinds))


@check("groups.of-user.both-ways", MUST, "RFC 7643 §4.1.2 and §4.2", "S-7643-4.1.2-06", "S-7643-2.3.7-03", needs=[*GROUPS, "User.groups"])
def both_ways(probe: Probe) -> None:
    "Members of a group and groups of a user say the same, also after the group is replaced; each $ref leads there."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    probe.put(group.path, probe.group_body(members=[bob])).status(200)
    probe.state(ann).lacks("groups")
    answer = probe.state(bob).has(group.id, "groups", 0, "value")
    reference = at(answer.document(), "groups", 0, "$ref")
    path = probe.wire.below(str(reference)) if reference is not MISSING else None
    if path:
        probe.get(path).status(200).has(group.id, "id")


@check("groups.same-name", MAY, "RFC 7643 §4.2 (uniqueness none)", "S-7643-7-06", needs=GROUPS)
def same_name(probe: Probe) -> None:
    "displayName of a group need not be unique: a second group of the same name is made."
    probe.group()
    probe.post("/Groups", probe.group_body()).status(201)
