"""PATCH of a group's members (RFC 7644 §3.5.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MUST, SHOULD, check
from conformance.checks.groups import expect_members

CLAUSE = "RFC 7644 §3.5.2"
NEEDS = ("groups", "patch")


def add(*who: Made) -> dict[str, object]:
    return {"op": "add", "path": "members", "value": [{"value": one.id} for one in who]}


def patched(probe: Probe, group: Made, operations: list[dict[str, object]], *expected: Made) -> None:
    """That a PATCH succeeds and leaves exactly these members."""
    probe.patch(group.path, *operations).status(200, 204)
    expect_members(probe, group, *expected)


@check("groups.patch.add", MUST, "RFC 7644 §3.5.2.1", "S-7644-3.5.2.1-08", needs=NEEDS)
def add_one(probe: Probe) -> None:
    "add of a member to an empty group and to one with members keeps who is there."
    ann, bob, group = probe.user("ann"), probe.user("bob"), probe.group()
    patched(probe, group, [add(ann)], ann)
    patched(probe, group, [add(bob)], ann, bob)


@check("groups.patch.add.several", MUST, "RFC 7644 §3.5.2.1", "S-7644-3.5.2.1-08", "S-7644-3.5.2-14", needs=NEEDS)
def add_several(probe: Probe) -> None:
    "Several members in one operation and several operations in one PATCH all arrive."
    users = [probe.user(f"u{number}") for number in range(5)]
    patched(probe, probe.group(), [add(*users[:3]), add(users[3]), add(users[4])], *users)


@check("groups.patch.add.again", MUST, "RFC 7644 §3.5.2.1", "S-7644-3.5.2.1-09", "S-7644-3.5.2.1-10", needs=NEEDS)
def add_again(probe: Probe) -> None:
    "add of somebody who is a member succeeds, and changes neither the members nor meta.lastModified."
    ann = probe.user("ann")
    group = probe.group(members=[ann])
    before = probe.state(group).document()
    patched(probe, group, [add(ann)], ann)
    now = probe.state(group)
    now.expect(now.document() == before, "the group as it was before")


@check("groups.patch.add.no-path", MUST, "RFC 7644 §3.5.2.1", "S-7644-3.5.2.1-02", needs=NEEDS)
def add_no_path(probe: Probe) -> None:
    "add of members without a path appends."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    patched(probe, group, [{"op": "add", "value": {"members": [{"value": bob.id}]}}], ann, bob)


@check("groups.patch.add.unknown", SHOULD, "RFC 7643 §2.3.7", "S-7643-2.3.7-04", "S-7644-3.5.2-15", needs=NEEDS)
def add_unknown(probe: Probe) -> None:
    "add of somebody who does not exist is refused with a 4xx status, and nobody of the same PATCH is added."
    ann, group = probe.user("ann"), probe.group()
    probe.patch(group.path, add(ann), {"op": "add", "path": "members", "value": [{"value": probe.name("nobody")}]}).client_error()
    expect_members(probe, group)


@check("groups.patch.remove", MUST, "RFC 7644 §3.5.2.2", "S-7644-3.5.2.2-04", needs=NEEDS)
def remove_one(probe: Probe) -> None:
    'remove of members[value eq "…"] removes that member and no other; the last one too.'
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann, bob])
    patched(probe, group, [{"op": "remove", "path": f'members[value eq "{ann.id}"]'}], bob)
    patched(probe, group, [{"op": "remove", "path": f'members[value eq "{bob.id}"]'}])


@check("groups.patch.remove.all", MUST, "RFC 7644 §3.5.2.2", "S-7644-3.5.2.2-03", needs=NEEDS)
def remove_all(probe: Probe) -> None:
    "remove of members without filter and value removes all."
    group = probe.group(members=[probe.user("ann"), probe.user("bob")])
    patched(probe, group, [{"op": "remove", "path": "members"}])


@check("groups.patch.remove.absent", SHOULD, "RFC 7644 §3.5.2.2", "S-7644-3.5.2.2-09", needs=NEEDS)
def remove_absent(probe: Probe) -> None:
    "remove of somebody who is no member succeeds and changes nothing."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    patched(probe, group, [{"op": "remove", "path": f'members[value eq "{bob.id}"]'}], ann)


@check("groups.patch.replace", MUST, "RFC 7644 §3.5.2.3", "S-7644-3.5.2.3-03", needs=NEEDS)
def replace_members(probe: Probe) -> None:
    "replace of members leaves exactly those named; an empty array leaves nobody."
    ann, bob, cyd = probe.user("ann"), probe.user("bob"), probe.user("cyd")
    group = probe.group(members=[ann, bob])
    patched(probe, group, [{"op": "replace", "path": "members", "value": [{"value": bob.id}, {"value": cyd.id}]}], bob, cyd)
    patched(probe, group, [{"op": "replace", "path": "members", "value": []}])


@check("groups.patch.order", MUST, CLAUSE, "S-7644-3.5.2-14", needs=NEEDS)
def order(probe: Probe) -> None:
    "Operations on members are applied in order: remove all, then add; add, then remove."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    patched(probe, group, [{"op": "remove", "path": "members"}, add(bob)], bob)
    patched(probe, group, [add(ann), {"op": "remove", "path": f'members[value eq "{ann.id}"]'}], bob)


@check("groups.patch.atomic", MUST, CLAUSE, "S-7644-3.5.2-15", needs=NEEDS)
def atomic(probe: Probe) -> None:
    "If an operation fails, no member has been added or removed."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    probe.patch(group.path, add(bob), {"op": "remove", "path": "members["}).status(400)
    expect_members(probe, group, ann)


@check("groups.patch.mixed", MUST, CLAUSE, "S-7644-3.5.2-14", needs=NEEDS)
def mixed(probe: Probe) -> None:
    "A new name and new members may come in one PATCH."
    ann, group = probe.user("ann"), probe.group()
    patched(probe, group, [{"op": "replace", "path": "displayName", "value": probe.name("renamed")}, add(ann)], ann)
    probe.state(group).has(probe.name("renamed"), "displayName")


@check("groups.patch.immutable", MUST, "RFC 7643 §4.2", "S-7643-4.2-02", needs=NEEDS)
def immutable(probe: Probe) -> None:
    "The value of a member is immutable: replace of members[…].value is refused with 400 mutability."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    probe.patch(group.path, {"op": "replace", "path": f'members[value eq "{ann.id}"].value', "value": bob.id}).refused(400, "mutability")
    expect_members(probe, group, ann)


@check("groups.patch.name.required", MUST, "RFC 7644 §3.5.2.2", "S-7644-3.5.2.2-08", "S-7643-4.2-01", needs=NEEDS)
def name_required(probe: Probe) -> None:
    "displayName of a group cannot be removed: 400 mutability."
    group = probe.group()
    probe.patch(group.path, {"op": "remove", "path": "displayName"}).refused(400, "mutability")


@check("groups.patch.unknown", MUST, "RFC 7644 §3.12", "S-7644-3.5.2-20", "S-7644-3.5.2-22", needs=NEEDS)
def unknown(probe: Probe) -> None:
    "A PATCH of a group that does not exist is a 404 with a SCIM error."
    probe.patch(f"/Groups/{probe.name('nobody')}", {"op": "remove", "path": "members"}).status(404).error_body()


@check("groups.patch.parallel", SHOULD, "RFC 7644 §3.5.2 (no lost update)", "S-7644-3.5.2-15", needs=NEEDS)
def parallel(probe: Probe) -> None:
    "Eight members added by eight PATCHes at the same time are all there afterwards."
    users = [probe.user(f"u{number}") for number in range(8)]
    group = probe.group()
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda user: probe.patch(group.path, add(user)), users):
            answer.status(200, 204)
    expect_members(probe, group, *users)


@check("groups.patch.many", SHOULD, "Entra adds members in batches", "S-7644-3.5.2-23", needs=NEEDS)
def many(probe: Probe) -> None:
    "Fifty members in one PATCH, added and removed again."
    users = [probe.user(f"u{number:02}") for number in range(50)]
    group = probe.group()
    patched(probe, group, [add(*users)], *users)
    removals: list[dict[str, object]] = [{"op": "remove", "path": f'members[value eq "{user.id}"]'} for user in users[:40]]
    patched(probe, group, removals, *users[40:])
