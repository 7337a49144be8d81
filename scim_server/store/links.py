"""The other resources that a resource names, as sub-selects for a list of columns: JSON text.

Names are looked up one by one, not joined: whatever the planner believes of the sizes, the cost is
that of the links, never that of the tenant. What is an open member, or has one, is live; a manager
need not be.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, literal_column, select

from scim_server.store.columns import TENANT
from scim_server.store.dialects import json_row, json_rows
from scim_server.store.tables import groups, memberships, users

_manager = users.alias("manager")
_users = users.alias("named_user")
_groups = groups.alias("named_group")


def manager(manager_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """[id, displayName] of the live user with that id, or NULL."""
    row = cast(json_row(_manager.c.id, _manager.c.display_name), Text)
    live = (_manager.c.tenant_id == TENANT, _manager.c.id == manager_id, _manager.c.ended.is_(None))
    return select(row).where(*live).scalar_subquery()


def groups_of(user_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """[[id, displayName], ...] of the groups that the user is in."""
    row = json_row(memberships.c.group_id, _name(_groups, memberships.c.group_id))
    theirs = (memberships.c.tenant_id == TENANT, memberships.c.member_id == user_id, memberships.c.valid_to.is_(None))
    return select(json_rows(row, memberships.c.group_id)).where(*theirs).scalar_subquery()


def members_of(group_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """[[id, displayName, type], ...] of the members of the group."""
    member_id, kind = memberships.c.member_id, memberships.c.member_type
    name = case((kind == literal_column("'User'"), _name(_users, member_id)), else_=_name(_groups, member_id))
    theirs = (memberships.c.tenant_id == TENANT, memberships.c.group_id == group_id, memberships.c.valid_to.is_(None))
    return select(json_rows(json_row(member_id, name, kind), member_id)).where(*theirs).scalar_subquery()


def _name(table: Any, resource_id: ColumnElement[Any]) -> ColumnElement[Any]:
    named = select(table.c.display_name).where(table.c.tenant_id == TENANT, table.c.id == resource_id)
    return named.correlate(memberships).scalar_subquery()
