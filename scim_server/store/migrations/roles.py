"""The role that the server works under on PostgreSQL.

It owns nothing and cannot get around row-level security, whoever logs in: each connection of the
server takes it on (``postgresql.create_engine``) and so gives up whatever else its user may do.
What it may do with a table is what the store does: history can be added to, and neither altered
nor removed.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from scim_server.store.errors import Unavailable
from scim_server.store.tables import metadata

_NEVER_ALTERED = {"events"}
_ROWS_COME_AND_GO = {"user_emails", "domains", "secrets", "sealed"}


def prepare(connection: Connection, role: str, login: str | None) -> None:
    """See to it that the role is there, has its rights, and can be taken on by ``login`` and by whom is logged in.

    Roles belong to the whole server and are in no backup of one database; so this is done at every upgrade, not once.
    """
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    # Another database's upgrade may be making the same one.
    connection.execute(
        text(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {quoted} NOLOGIN; END IF;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    bypasses = connection.execute(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar_one()
    if bypasses:
        raise Unavailable(f"the role {role} may bypass row-level security, so it cannot be the one that the server works under")
    connection.execute(text(f"GRANT USAGE ON SCHEMA {_schema(connection)} TO {quoted}"))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {quoted}"))
    for table in metadata.tables:
        connection.execute(text(f"GRANT {_rights(table)} ON {table} TO {quoted}"))
    for member in {connection.execute(text("SELECT current_user")).scalar_one(), login} - {None}:
        if not connection.execute(text("SELECT pg_has_role(:member, :role, 'MEMBER')"), {"member": member, "role": role}).scalar_one():
            connection.execute(text(f"GRANT {quoted} TO {connection.dialect.identifier_preparer.quote_identifier(member)}"))


def _rights(table: str) -> str:
    rights = ["SELECT", "INSERT"]
    if table not in _NEVER_ALTERED:
        rights.append("UPDATE")
    if table in _ROWS_COME_AND_GO:
        rights.append("DELETE")
    return ", ".join(rights)


def _schema(connection: Connection) -> str:
    name: str = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    return name
