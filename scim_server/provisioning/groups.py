"""Groups: create, read, search, replace, patch, delete.

Members are rows, never part of the document: a change of k members costs O(k), whatever the size
of the group, and is safe beside other changes of the same group, since the group's row is locked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from scim_server.access import standing
from scim_server.events import Change, GroupChanged, GroupCreated, GroupDeleted
from scim_server.scim import patch as scim_patch
from scim_server.scim.changes import differences
from scim_server.scim.errors import NotFound
from scim_server.scim.matching import Bound
from scim_server.scim.ordering import Order
from scim_server.scim.paging import Paging
from scim_server.scim.references import in_operations
from scim_server.scim.resources import Document, Resource, accept, represent
from scim_server.scim.versions import NO_PRECONDITION, Precondition
from scim_server.store.unit import Page, Unit


def create(unit: Unit, body: dict[str, Any], *, lenient: bool) -> Resource:
    """A new group from the body of a POST, with the members it names."""
    draft = accept(unit.groups.type, body, lenient=lenient)
    group = unit.groups.insert(draft.document)
    added = unit.members.add(group.id, draft.members) if draft.members else ()
    unit.events.append(GroupCreated(group.id, group.version, group.document, added))
    standing.members_changed(unit, group.id, added, ruled=True)
    return _with_members(unit, group) if added else group


def read(unit: Unit, group_id: str, *, links: bool) -> Resource:
    """The group; with the members if ``links``."""
    return _found(unit.groups.get(group_id, members=links), group_id)


def search(unit: Unit, where: Bound | None, order: Order | None, paging: Paging, *, links: bool) -> Page:
    """One page of the groups that satisfy the filter, in that order, or oldest first."""
    return unit.groups.find(where, paging.start_index, paging.count, members=links, order=order, after=paging.after, total=paging.total)


def replace(unit: Unit, group_id: str, body: dict[str, Any], *, lenient: bool, precondition: Precondition = NO_PRECONDITION) -> Resource:
    """The group as the body of a PUT says; members that it leaves out are members no more."""
    group = _locked(unit, group_id, precondition)
    draft = accept(unit.groups.type, body, lenient=lenient, current=group.document)
    added, removed = unit.members.replace(group_id, draft.members or ())
    return _with_members(unit, _become(unit, group, draft.document, added, removed))


def patch(unit: Unit, group_id: str, body: dict[str, Any], *, lenient: bool, precondition: Precondition = NO_PRECONDITION) -> Resource:
    """The group with all operations of a PatchOp message applied, or as it was; returned without its members."""
    group = _locked(unit, group_id, precondition)
    operations = in_operations(scim_patch.parse(body), group.type, unit.base_url)
    plan = scim_patch.plan(group.type, operations, lenient=lenient, schemas=group.document["schemas"])
    if plan.claims:
        scim_patch.check_claims(plan.claims, represent(group, unit.base_url), lenient=lenient)
    document = scim_patch.apply(group.type, group.document, plan.document, lenient=lenient) if plan.document else group.document
    added: list[str] = []
    removed: list[str] = []
    for change in plan.members:
        gained, lost = _change_members(unit, group_id, change)
        added += gained
        removed += lost
    return _become(unit, group, document, added, removed)


def delete(unit: Unit, group_id: str, *, precondition: Precondition = NO_PRECONDITION) -> None:
    """End the group: gone for every request, the history kept."""
    group = _locked(unit, group_id, precondition)
    ruled = unit.groups.ruled(group_id) and unit.rules.watch(group_id)
    removed, groups = unit.groups.end(group)
    unit.events.append(GroupDeleted(group.id, group.version, group.document, removed, groups))
    if ruled:
        standing.reconsider(unit, unit.rules.below(removed), "group_deleted")


def _change_members(unit: Unit, group_id: str, change: scim_patch.MemberChange) -> tuple[Sequence[str], Sequence[str]]:
    """Carry out one member change: the ids that came, the ids that went."""
    match change:
        case scim_patch.AddMembers(ids):
            return unit.members.add(group_id, ids), ()
        case scim_patch.RemoveMembers(ids):
            return (), unit.members.remove(group_id, ids)
        case scim_patch.RemoveMembersWhere(where):
            return (), unit.members.remove_where(group_id, where)
        case scim_patch.ReplaceMembers(ids):
            return unit.members.replace(group_id, ids)


def _become(unit: Unit, group: Resource, document: Document, added: Sequence[str], removed: Sequence[str]) -> Resource:
    """Store the new state and its event. No change leaves version, lastModified and the log alone."""
    changes = [Change(*difference) for difference in differences(group.type, group.document, document)]
    if not (changes or added or removed):
        return group
    changed = unit.groups.update(group, document if changes else None)
    unit.events.append(GroupChanged(changed.id, changed.version, changes, added, removed))
    standing.members_changed(unit, group.id, {*added, *removed}, ruled=unit.groups.ruled(group.id))
    return changed


def _with_members(unit: Unit, group: Resource) -> Resource:
    return dataclasses.replace(group, links=unit.members.of(group.id))


def _locked(unit: Unit, group_id: str, precondition: Precondition) -> Resource:
    """The group, without members, to be changed. NotFound before anything else is judged, then PreconditionFailed."""
    group = _found(unit.groups.lock(group_id), group_id)
    precondition.check(group.version)
    return group


def _found(group: Resource | None, group_id: str) -> Resource:
    if group is None:
        raise NotFound(f"There is no group with the id {group_id[:64]!r}.")
    return group
