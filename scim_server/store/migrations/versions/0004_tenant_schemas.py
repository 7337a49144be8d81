"""Tenants extend users and groups by schemas of their own: the definitions, and the values that they want to be unique.

Nodes of the version before know nothing of them. What they write of a tenant that has a schema lacks its values, and frees none
of the unique ones: define no schema until the last of them is gone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_INSTANT = sa.String(27).with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_POLICY = "coalesce(tenant_id = (SELECT NULLIF(current_setting('scim.tenant', true), '')::uuid), false)"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("schema_version", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "schemas",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _KEY, nullable=False),
        sa.Column("resource_type", sa.Text, nullable=False),
        sa.Column("required", sa.Boolean, nullable=False),
        sa.Column("definition", _JSON, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("modified", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="schemas_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="schemas_tenant_id_fkey"),
    )
    op.create_table(
        "unique_values",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("resource_id", _ID, nullable=False),
        sa.Column("attribute", _KEY, nullable=False),
        sa.Column("value_key", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "attribute", "value_key", "tenant_id", name="unique_values_pkey"),
        sa.UniqueConstraint("value_key", "attribute", "tenant_id", name="unique_values_value_key_attribute_tenant_id_key"),
    )
    if op.get_context().dialect.name == "postgresql":
        for table in ("schemas", "unique_values"):
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY tenant ON {table} USING ({_POLICY})")
