"""Who signs in, and what he may do: identity links, sessions, the rules that give roles, the roles that were held."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from scim_server.store.tables.types import Id, Instant, Json, Key, metadata, open_index, partial

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("directory_id", Id, nullable=False),
    Column("state_hash", LargeBinary, nullable=False),
    Column("browser_hash", LargeBinary, nullable=False),  # of the cookie of the browser that began it
    Column("nonce_hash", LargeBinary, nullable=False),
    Column("return_path", Text, nullable=False),
    Column("login_hint", Text),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("used", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id", "directory_id"], ["directories.tenant_id", "directories.id"]),
    UniqueConstraint("state_hash"),
    Index("sign_ins_expired", "expires", "tenant_id"),
)

identity_links = Table(
    "identity_links",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("directory_id", Id, nullable=False),
    Column("tid", Text, nullable=False),
    Column("oid", Text, nullable=False),
    Column("sub", Text, nullable=False),
    Column("how", Text, nullable=False),  # it was made
    Column("created", Instant, nullable=False),
    Column("ended", Instant),
    Column("claims", Json, nullable=False),  # what the directory said of the person last
    Column("claimed", Instant, nullable=False),  # and when
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    ForeignKeyConstraint(["tenant_id", "directory_id"], ["directories.tenant_id", "directories.id"]),
)

sessions = Table(
    "sessions",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # of the cookie
    Column("user_id", Id, nullable=False),
    Column("link_id", Id, nullable=False),
    Column("directory_id", Id, nullable=False),
    Column("roles", Text, nullable=False),  # separated by blanks
    Column("sid", Text),  # the directory's name for it
    Column("logout_hint", Text),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("idle_s", Integer, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("refreshed", Instant, nullable=False),  # when the directory last said that the person may go on
    Column("attempted", Instant, nullable=False),  # when it was last asked
    Column("failing", Instant),  # since when it cannot be asked
    Column("ended", Instant),
    Column("end_reason", Text),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    ForeignKeyConstraint(["tenant_id", "link_id"], ["identity_links.tenant_id", "identity_links.id"]),
    ForeignKeyConstraint(["tenant_id", "directory_id"], ["directories.tenant_id", "directories.id"]),
    UniqueConstraint("hash"),
    Index("sessions_of_user", "user_id", "tenant_id", "id"),
)

mappings = Table(
    "mappings",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("group_oid", Key, nullable=False),
    Column("role", Text, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
)

restrictions = Table(
    "restrictions",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("group_oid", Key, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
)

holdings = Table(
    "holdings",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("role", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("group_oid", Key),
    Column("mapping_id", Id),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    ForeignKeyConstraint(["tenant_id", "mapping_id"], ["mappings.tenant_id", "mappings.id"]),
)

apps = Table(
    "apps",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    Column("last_used", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    UniqueConstraint("hash"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("public", Json, nullable=False),  # as a JWK
    Column("created", Instant, nullable=False),
    Column("signs_from", Instant, nullable=False),
    Column("ended", Instant),  # from then on it is not published any more
    PrimaryKeyConstraint("id", "tenant_id"),
)

open_index("identity_links_one_user", identity_links, "oid", "tid", "tenant_id", unique=True)
open_index("identity_links_of_user", identity_links, "user_id", "tenant_id", "claimed")
open_index("sessions_live", sessions, "user_id", "tenant_id")
open_index("sessions_of_directory", sessions, "directory_id", "tenant_id")
open_index("sessions_by_sid", sessions, "sid")
open_index("mappings_open", mappings, "group_oid", "role", "tenant_id", unique=True)
open_index("restrictions_open", restrictions, "group_oid", "tenant_id", unique=True)
open_index("mappings_of_tenant", mappings, "tenant_id")
open_index("restrictions_of_tenant", restrictions, "tenant_id")
partial("holdings_of_mapping", holdings, holdings.c.valid_to.is_(None) & holdings.c.mapping_id.is_not(None), "mapping_id", "tenant_id")
open_index("holdings_open", holdings, "user_id", "role", "tenant_id", unique=True)
partial("apps_named", apps, apps.c.revoked.is_(None), "name", unique=True)
