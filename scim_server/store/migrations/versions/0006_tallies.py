"""How many live users and groups each tenant has, kept by triggers: so no page of a list has to count them.

Triggers, and not the server's statements, since a node of the version before goes on making and ending resources; what it does
counts as well, and so does whatever an operator does by hand. On SQLite a step that makes ``users`` or ``groups`` anew (Alembic's
batch mode) drops them and has to make them again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_POLICY = "coalesce(tenant_id = (SELECT NULLIF(current_setting('scim.tenant', true), '')::uuid), false)"
_TYPES = {"users": "User", "groups": "Group"}

# Whose turn it is to write is nobody's to wait for: connections that write at the same time have rows of their own, mostly.
_FUNCTION = """
CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner uuid;
    more integer;
    shifted integer := 1;
BEGIN
    IF TG_OP = 'INSERT' THEN
        owner := NEW.tenant_id;
        more := CAST(NEW.ended IS NULL AS integer);
        shifted := CAST(NEW.created < clock_timestamp() - interval '10 seconds' AS integer);
    ELSIF TG_OP = 'DELETE' THEN
        owner := OLD.tenant_id;
        more := -CAST(OLD.ended IS NULL AS integer);
    ELSE
        owner := NEW.tenant_id;
        more := CAST(NEW.ended IS NULL AS integer) - CAST(OLD.ended IS NULL AS integer);
    END IF;
    IF more <> 0 THEN
        UPDATE tallies SET live = live + more, shifts = shifts + shifted
        WHERE tenant_id = owner AND resource_type = TG_ARGV[0] AND slot = pg_backend_pid() % 16;
        IF NOT FOUND THEN
            INSERT INTO tallies AS there (tenant_id, resource_type, slot, live, shifts)
            VALUES (owner, TG_ARGV[0], pg_backend_pid() % 16, more, shifted)
            ON CONFLICT (tenant_id, resource_type, slot) DO UPDATE
            SET live = there.live + EXCLUDED.live, shifts = there.shifts + EXCLUDED.shifts;
        END IF;
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGER = "CREATE TRIGGER {table}_tally AFTER INSERT OR DELETE OR UPDATE OF ended ON {table} FOR EACH ROW EXECUTE FUNCTION tally('{type}')"

_SQLITE_TRIGGERS = {
    "made": ("INSERT", "NEW.ended IS NULL", "NEW", 1, "NEW.created < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-10 seconds')"),
    "removed": ("DELETE", "OLD.ended IS NULL", "OLD", -1, "1"),
    "ended": ("UPDATE OF ended", "OLD.ended IS NULL AND NEW.ended IS NOT NULL", "NEW", -1, "1"),
    "revived": ("UPDATE OF ended", "OLD.ended IS NOT NULL AND NEW.ended IS NULL", "NEW", 1, "1"),
}
_SQLITE_TRIGGER = """
CREATE TRIGGER {table}_{name} AFTER {event} ON {table} WHEN {condition} BEGIN
    INSERT INTO tallies (tenant_id, resource_type, slot, live, shifts) VALUES ({row}.tenant_id, '{type}', 0, {more}, {shifted})
    ON CONFLICT (tenant_id, resource_type, slot) DO UPDATE SET live = live + excluded.live, shifts = shifts + excluded.shifts;
END
"""


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("resource_type", sa.Text, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("live", sa.BigInteger, nullable=False),
        sa.Column("shifts", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "resource_type", "slot", name="tallies_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="tallies_tenant_id_fkey"),
    )
    # The triggers first: from then on until the end of this step nobody else writes, so nothing is counted twice or not at all.
    on_postgresql = op.get_context().dialect.name == "postgresql"
    if on_postgresql:
        op.execute(_FUNCTION)
    for table, resource_type in _TYPES.items():
        if on_postgresql:
            op.execute(_TRIGGER.format(table=table, type=resource_type))
        else:
            for name, (event, condition, row, more, shifted) in _SQLITE_TRIGGERS.items():
                values = {"event": event, "condition": condition, "row": row, "more": more, "shifted": shifted}
                op.execute(_SQLITE_TRIGGER.format(table=table, type=resource_type, name=name, **values))
        op.execute(
            "INSERT INTO tallies (tenant_id, resource_type, slot, live, shifts)"  # noqa: S608  of our own words
            f" SELECT tenant_id, '{resource_type}', 0, count(*), 0 FROM {table} WHERE ended IS NULL GROUP BY tenant_id"
        )
    if on_postgresql:
        op.execute("ALTER TABLE tallies ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON tallies USING ({_POLICY})")
