"""Sessions by the name that a directory has for them: all that it says when somebody signs out there."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, cast, select

from scim_server.store.registry.acts import Part
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import sessions

_BY_SID = GlobalStatement(
    select(cast(sessions.c.tenant_id, Text), cast(sessions.c.id, Text)).where(
        sessions.c.sid == bindparam("sid"), sessions.c.ended.is_(None)
    )
)


class Sessions(Part):
    def by_sid(self, sid: str) -> list[tuple[str, str]]:
        """(tenant's id, session's id) of those that have not ended."""
        return [(tenant_id, session_id) for tenant_id, session_id in self.rows(_BY_SID, sid=sid)]
