"""Users and groups, who is in which group, who was active; and the log of what happened."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from scim_server.store.tables.types import Id, Instant, Json, Key, metadata, open_index

users = Table(
    "users",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    Column("ended", Instant),
    Column("doc", Json, nullable=False),
    Column("keys", Json, nullable=False),
    Column("user_name_key", Key),
    Column("external_id", Key),
    Column("display_name", Text),
    Column("active", Boolean),
    Column("manager_id", Id),
    Column("source", Text, nullable=False, server_default="scim"),  # who keeps it: "signin" until a SCIM client writes it
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    UniqueConstraint("user_name_key", "tenant_id"),
    Index("users_external_id", "external_id", "tenant_id"),
)

groups = Table(
    "groups",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    Column("ended", Instant),
    Column("doc", Json, nullable=False),
    Column("keys", Json, nullable=False),
    Column("external_id", Key),
    Column("display_name", Text, nullable=False),
    Column("display_name_key", Key),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    UniqueConstraint("display_name_key", "tenant_id"),
    Index("groups_external_id", "external_id", "tenant_id"),
)

user_emails = Table(
    "user_emails",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("value_key", Key, nullable=False),
    Column("user_id", Id, nullable=False),
    PrimaryKeyConstraint("value_key", "tenant_id", "user_id"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    Index("user_emails_user", "user_id", "tenant_id"),
)

unique_values = Table(
    "unique_values",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("resource_id", Id, nullable=False),  # of a live user or group
    Column("attribute", Key, nullable=False),  # of a schema of the tenant's own: URN and names, "/" between them
    Column("value_key", Key, nullable=False),
    PrimaryKeyConstraint("resource_id", "attribute", "value_key", "tenant_id"),
    UniqueConstraint("value_key", "attribute", "tenant_id"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("resource_type", Text, nullable=False),
    Column("slot", Integer, nullable=False),  # what several connections count they add up in rows of their own
    Column("live", BigInteger, nullable=False),
    Column("shifts", BigInteger, nullable=False),  # how often the place of a resource that was made before may have become another
    PrimaryKeyConstraint("tenant_id", "resource_type", "slot"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
)

memberships = Table(
    "memberships",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("group_id", Id, nullable=False),
    Column("member_id", Id, nullable=False),
    Column("id", Id, nullable=False),  # of the call that opened it: one member may have many periods
    Column("member_type", Text, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    PrimaryKeyConstraint("group_id", "member_id", "tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "group_id"], ["groups.tenant_id", "groups.id"]),
)

activity = Table(
    "activity",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    PrimaryKeyConstraint("user_id", "tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
)

events = Table(
    "events",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("occurred", Instant, nullable=False),
    Column("tag", Text, nullable=False),
    Column("subject_id", Key, nullable=False),
    Column("principal_kind", Text, nullable=False),
    Column("principal_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("data", Json, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("events_subject", "subject_id", "tenant_id", "id"),
)

open_index("users_live", users, "tenant_id", "id")
open_index("groups_live", groups, "tenant_id", "id")
open_index("memberships_open", memberships, "group_id", "member_id", "tenant_id", unique=True)
open_index("memberships_of_member", memberships, "member_id", "tenant_id", "group_id")
open_index("activity_open", activity, "user_id", "tenant_id", unique=True)
