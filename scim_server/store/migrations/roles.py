"""The role that the server works under on PostgreSQL.

It owns nothing and cannot get around row-level security, whoever logs in: each connection of the
server takes it on (``postgresql.create_engine``) and so gives up whatever else its user may do.
What it may do with a table is what the store does: history can be added to, and neither altered
nor removed.

Where the owner may not make roles, the server works as whom it logs in as, and gets the same
rights. If that is the owner himself, policies are made to hold for him, too: then tenants are kept
apart as well, but history is protected by the server's statements alone.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from scim_server.store.errors import Unavailable
from scim_server.store.tables import metadata

_NEVER_ALTERED = {"events"}
# From PostgreSQL 16 on, whoever made a role is a member of it that may not take it on.
_MAY_TAKE_ON = text(
    "SELECT pg_has_role(:member, :role,"
    " CASE WHEN CAST(current_setting('server_version_num') AS INTEGER) < 160000 THEN 'MEMBER' ELSE 'SET' END)"
)
_FORCED = text("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relnamespace = CAST(current_schema() AS regnamespace)")
_ROWS_COME_AND_GO = {"user_emails", "domains", "secrets", "sealed", "sign_ins", "signing_keys", "schemas", "unique_values"}


def prepare(connection: Connection, role: str, login: str | None) -> None:
    """See to it that the role is there, has its rights, and can be taken on by ``login`` and by whom is logged in.

    Roles belong to the whole server and are in no backup of one database; so this is done at every upgrade, not once.
    Raises Unavailable if the role could bypass policies.
    """
    owner: str = connection.execute(text("SELECT current_user")).scalar_one()
    try:
        with connection.begin_nested():
            _make(connection, role)
            _allow(connection, role)
            for member in dict.fromkeys((owner, login or owner)):
                if not connection.execute(_MAY_TAKE_ON, {"member": member, "role": role}).scalar_one():
                    connection.execute(text(f"GRANT {_quoted(connection, role)} TO {_quoted(connection, member)}"))
    except ProgrammingError as fault:
        if not isinstance(fault.orig, psycopg.errors.InsufficientPrivilege):
            raise
        _do_without(connection, owner, login or owner)


def release(connection: Connection) -> None:
    """Let the owner see all rows again, if policies were made to hold for him: a migration may have to change them."""
    for table in metadata.tables.keys() & connection.execute(_FORCED).scalars().all():
        connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))


def _make(connection: Connection, role: str) -> None:
    # Another database's upgrade may be making the same one.
    connection.execute(
        text(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
            f" THEN CREATE ROLE {_quoted(connection, role)} NOLOGIN; END IF;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    bypasses = connection.execute(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar_one()
    if bypasses:
        raise Unavailable(f"the role {role} may bypass row-level security, so it cannot be the one that the server works under")


def _allow(connection: Connection, role: str) -> None:
    quoted = _quoted(connection, role)
    schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}"))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {quoted}"))
    for table in metadata.tables:
        connection.execute(text(f"REVOKE ALL ON {table} FROM {quoted}"))
        connection.execute(text(f"GRANT {', '.join(rights(table))} ON {table} TO {quoted}"))


def _do_without(connection: Connection, owner: str, login: str) -> None:
    if login != owner:
        _allow(connection, login)
        return
    for table in metadata.tables:
        connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))


def rights(table: str) -> tuple[str, ...]:
    """What the server may do with the table."""
    may = ["SELECT", "INSERT"]
    if table not in _NEVER_ALTERED:
        may.append("UPDATE")
    if table in _ROWS_COME_AND_GO:
        may.append("DELETE")
    return tuple(may)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
