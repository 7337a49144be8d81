"""Periods: what was true from when to when. An open one has no ``valid_to``; none is ever removed.

A period never ends before it began: the instants are those of Units, and a Unit that had to wait
for another may carry the earlier instant.
"""

from __future__ import annotations

from sqlalchemy import Text, Update, and_, bindparam, cast, insert, literal_column, select, update

from scim_server.store import ids
from scim_server.store.columns import TENANT
from scim_server.store.dialects import latest, texts
from scim_server.store.documents import dump
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, Instant, activity, groups, memberships

NOW = bindparam("now", type_=Instant)
_MEMBER = bindparam("member_id", type_=Id)
_USER = bindparam("user_id", type_=Id)


def closed_memberships() -> Update:
    """An UPDATE that closes the memberships which its conditions name."""
    return update(memberships).values(valid_to=latest(memberships.c.valid_from, NOW))


_MEMBER_OF = (memberships.c.tenant_id == TENANT, memberships.c.member_id == _MEMBER, memberships.c.valid_to.is_(None))
_GROUP_OF_MEMBERSHIP = and_(groups.c.tenant_id == memberships.c.tenant_id, groups.c.id == memberships.c.group_id)

# In the order of their ids, so that two Units that lock several groups never wait for each other.
_LOCK_GROUPS = Statement(
    select(cast(groups.c.id, Text))
    .select_from(memberships.join(groups, _GROUP_OF_MEMBERSHIP))
    .where(*_MEMBER_OF)
    .order_by(groups.c.id)
    .with_for_update(key_share=True, of=groups)
)
_LEAVE_GROUPS = Statement(closed_memberships().where(*_MEMBER_OF))
_left = texts(bindparam("group_ids")).table_valued("value", name="left_groups")
_TOUCH_GROUPS = Statement(
    update(groups)
    .values(version=groups.c.version + literal_column("1"), modified=latest(groups.c.modified, NOW))
    .where(groups.c.tenant_id == TENANT, groups.c.id.in_(select(cast(_left.c.value, Id))))
)

_START_ACTIVITY = Statement(insert(activity).values(tenant_id=TENANT, user_id=_USER, id=bindparam("period_id", type_=Id), valid_from=NOW))
_END_ACTIVITY = Statement(
    update(activity)
    .values(valid_to=latest(activity.c.valid_from, NOW))
    .where(activity.c.tenant_id == TENANT, activity.c.user_id == _USER, activity.c.valid_to.is_(None))
)


def leave_groups(scoped: Scoped, member_id: str) -> tuple[str, ...]:
    """Take a user or group out of every group it is in; those have a new version then. Their ids."""
    left = tuple(group_id for (group_id,) in scoped.rows(_LOCK_GROUPS, member_id=member_id))
    if left:
        scoped.later(_LEAVE_GROUPS, member_id=member_id, now=scoped.now_text)
        scoped.later(_TOUCH_GROUPS, group_ids=dump(left), now=scoped.now_text)
    return left


def start_activity(scoped: Scoped, user_id: str) -> None:
    """From now on the user is active."""
    scoped.later(_START_ACTIVITY, user_id=user_id, period_id=ids.new(scoped.now), now=scoped.now_text)


def end_activity(scoped: Scoped, user_id: str) -> None:
    """From now on the user is not active."""
    scoped.later(_END_ACTIVITY, user_id=user_id, now=scoped.now_text)
