"""The first tables: tenants, credentials, users, groups, memberships, activity, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_INSTANT = sa.String(27).with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="tenants_pkey"),
        sa.UniqueConstraint("name", name="tenants_name_key"),
    )
    op.create_table(
        "credentials",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("expires", _INSTANT),
        sa.Column("revoked", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="credentials_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="credentials_tenant_id_fkey"),
        sa.UniqueConstraint("token_hash", name="credentials_token_hash_key"),
    )
    op.create_table(
        "users",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("modified", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.Column("doc", _JSON, nullable=False),
        sa.Column("keys", _JSON, nullable=False),
        sa.Column("user_name_key", _KEY),
        sa.Column("external_id", _KEY),
        sa.Column("display_name", sa.Text),
        sa.Column("active", sa.Boolean),
        sa.Column("manager_id", _ID),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="users_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="users_tenant_id_fkey"),
        sa.UniqueConstraint("user_name_key", "tenant_id", name="users_user_name_key_tenant_id_key"),
    )
    op.create_table(
        "groups",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("modified", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.Column("doc", _JSON, nullable=False),
        sa.Column("keys", _JSON, nullable=False),
        sa.Column("external_id", _KEY),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("display_name_key", _KEY),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="groups_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="groups_tenant_id_fkey"),
        sa.UniqueConstraint("display_name_key", "tenant_id", name="groups_display_name_key_tenant_id_key"),
    )
    op.create_table(
        "user_emails",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("value_key", _KEY, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("value_key", "tenant_id", "user_id", name="user_emails_pkey"),
        sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="user_emails_tenant_id_user_id_fkey"),
    )
    op.create_index("user_emails_user", "user_emails", ["user_id", "tenant_id"])
    op.create_table(
        "memberships",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("group_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("member_type", sa.Text, nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.PrimaryKeyConstraint("group_id", "member_id", "tenant_id", "id", name="memberships_pkey"),
        sa.ForeignKeyConstraint(["tenant_id", "group_id"], ["groups.tenant_id", "groups.id"], name="memberships_tenant_id_group_id_fkey"),
    )
    op.create_table(
        "activity",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.PrimaryKeyConstraint("user_id", "tenant_id", "id", name="activity_pkey"),
        sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="activity_tenant_id_user_id_fkey"),
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("occurred", _INSTANT, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("subject_id", _KEY, nullable=False),
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("data", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="events_pkey"),
    )
    op.create_index("events_subject", "events", ["subject_id", "tenant_id", "id"])
    op.create_index("users_external_id", "users", ["external_id", "tenant_id"])
    op.create_index("groups_external_id", "groups", ["external_id", "tenant_id"])
    for name, table, columns, condition, unique in (
        ("users_live", "users", ["tenant_id", "id"], "ended IS NULL", False),
        ("groups_live", "groups", ["tenant_id", "id"], "ended IS NULL", False),
        ("memberships_open", "memberships", ["group_id", "member_id", "tenant_id"], "valid_to IS NULL", True),
        ("memberships_of_member", "memberships", ["member_id", "tenant_id", "group_id"], "valid_to IS NULL", False),
        ("activity_open", "activity", ["user_id", "tenant_id"], "valid_to IS NULL", True),
    ):
        where = sa.text(condition)
        op.create_index(name, table, columns, unique=unique, postgresql_where=where, sqlite_where=where)
