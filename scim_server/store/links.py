"""The other resources that a resource names, as sub-selects for a list of columns: JSON text.

What is an open member, or has one, is live; a manager need not be.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, select

from scim_server.store.columns import TENANT
from scim_server.store.dialects import json_row, json_rows
from scim_server.store.tables import groups, memberships, users

_manager = users.alias("manager")
_member_user = users.alias("member_user")
_member_group = groups.alias("member_group")


def manager(manager_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """[id, displayName] of the live user with that id, or NULL."""
    row = cast(json_row(_manager.c.id, _manager.c.display_name), Text)
    live = (_manager.c.tenant_id == TENANT, _manager.c.id == manager_id, _manager.c.ended.is_(None))
    return select(row).where(*live).scalar_subquery()


def groups_of(user_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """[[id, displayName], ...] of the groups that the user is in."""
    joined = and_(groups.c.tenant_id == memberships.c.tenant_id, groups.c.id == memberships.c.group_id)
    rows = json_rows(json_row(groups.c.id, groups.c.display_name), memberships.c.group_id)
    theirs = (memberships.c.tenant_id == TENANT, memberships.c.member_id == user_id, memberships.c.valid_to.is_(None))
    return select(rows).select_from(memberships.join(groups, joined)).where(*theirs).scalar_subquery()


def members_of(group_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """[[id, displayName, type], ...] of the members of the group."""
    sources = memberships
    for member in (_member_user, _member_group):
        sources = sources.outerjoin(member, and_(member.c.tenant_id == memberships.c.tenant_id, member.c.id == memberships.c.member_id))  # type: ignore[assignment]  # a Table, then Joins
    display = func.coalesce(_member_user.c.display_name, _member_group.c.display_name)
    rows = json_rows(json_row(memberships.c.member_id, display, memberships.c.member_type), memberships.c.member_id)
    theirs = (memberships.c.tenant_id == TENANT, memberships.c.group_id == group_id, memberships.c.valid_to.is_(None))
    return select(rows).select_from(sources).where(*theirs).scalar_subquery()
