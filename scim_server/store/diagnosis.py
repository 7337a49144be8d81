"""What an operator wants to know of the database itself: its version, its clock, and whether it keeps tenants apart by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from scim_server.store.connections import Row
from scim_server.store.engine import database
from scim_server.store.migrations.roles import rights
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import metadata

OLDEST = 150_000
"""The oldest PostgreSQL that there are tests for, as ``server_version_num`` has it."""

_VERSION = GlobalStatement(
    text("SELECT current_setting('server_version'), CAST(current_setting('server_version_num') AS INTEGER)"),
    sqlite=text("SELECT sqlite_version(), 0"),
)
_CLOCK = GlobalStatement(text("SELECT extract(epoch FROM clock_timestamp())"))
_USERS = GlobalStatement(
    text(
        "SELECT rolname, rolsuper OR rolbypassrls, EXISTS (SELECT FROM pg_class"
        " WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ('r', 'p')"
        " AND pg_has_role(rolname, relowner, 'USAGE'))"
        " FROM (VALUES (1, current_user), (2, session_user)) AS who (place, name) JOIN pg_roles ON rolname = name ORDER BY place"
    )
)
# Whether rows are kept apart for who asks: enabled, neither owner nor exempt, and each policy that lets rows through asks for the tenant.
_TABLES = GlobalStatement(
    text(
        "SELECT relname, relrowsecurity, row_security_active(pg_class.oid),"
        " (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive),"
        " (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive"
        " AND (polqual IS NULL OR position('scim.tenant' IN pg_get_expr(polqual, polrelid)) = 0))"
        " FROM pg_class WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ('r', 'p')"
        " AND (relname = 'tenants' OR EXISTS (SELECT FROM pg_attribute"
        " WHERE attrelid = pg_class.oid AND attname = 'tenant_id' AND NOT attisdropped))"
        " ORDER BY relname"
    )
)


_ONLY_READS = GlobalStatement(text("SELECT current_setting('transaction_read_only')"))
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_MAY = GlobalStatement(
    text(
        "SELECT relname, has_table_privilege(oid, 'SELECT'), has_table_privilege(oid, 'INSERT'),"
        " has_table_privilege(oid, 'UPDATE'), has_table_privilege(oid, 'DELETE') FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace)"
    )
)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody whom the database knows. ``bypasses``: row-level security does not hold for him; ``owns``: nor for tables that are his."""

    name: str
    bypasses: bool
    owns: bool


class Diagnosis:
    """Questions to the database, asked as whom the engine works under. Each raises StoreError if it does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._database = database(engine)
        self.separates = engine.dialect.name == "postgresql"
        """Whether it can keep tenants apart by itself, has users, and a clock of its own."""

    def version(self) -> tuple[str, bool]:
        """The version, and whether it is recent enough."""
        version, number = self._rows(_VERSION)[0]
        return str(version), not self.separates or number >= OLDEST

    def clock(self) -> datetime:
        """What time it is there, in UTC."""
        return datetime.fromtimestamp(float(self._rows(_CLOCK)[0][0]), UTC)

    def users(self) -> tuple[User, User]:
        """Under whom it works, and whom it logged in as."""
        under, login = (User(*row) for row in self._rows(_USERS))
        return under, login

    def only_reads(self) -> bool:
        """Whether it takes no change: a standby, or somebody made it so."""
        return self.separates and self._rows(_ONLY_READS)[0][0] == "on"

    def wrong_rights(self) -> dict[str, str]:
        """Tables with which whom it works under may do more or less than the server needs: what differs."""
        found = {table: {right for right, has in zip(_RIGHTS, may, strict=True) if has} for table, *may in self._rows(_MAY)}
        told = {}
        for table in metadata.tables:
            more, less = found.get(table, set()) - set(rights(table)), set(rights(table)) - found.get(table, set())
            if more or less:
                told[table] = " and ".join([*(f"may {each}" for each in sorted(more)), *(f"may not {each}" for each in sorted(less))])
        return told

    def unprotected(self) -> dict[str, str]:
        """Tables in which a statement could meet rows of other tenants, or none at all: why."""
        return {row[0]: reason for row in self._rows(_TABLES) if (reason := _why(*row[1:]))}

    def _rows(self, statement: GlobalStatement) -> list[Row]:
        connection = self._database.connection(transaction=False)
        try:
            return connection.rows(statement, {})
        finally:
            connection.release()


def _why(enabled: bool, active: bool, policies: int, open_to_all: int) -> str | None:
    if not enabled:
        return "row-level security is off"
    if not policies:
        return "there is no policy, so it has no rows for anybody"
    if open_to_all:
        return "a policy does not ask for the tenant"
    return None if active else "its policies do not hold for the role"
