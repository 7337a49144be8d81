"""Tenants, and what finds them: directories, domains, credentials with their secrets; their schemas; secrets that are sealed."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from scim_server.store.tables.types import Id, Instant, Json, Key, metadata, open_index, partial

tenants = Table(
    "tenants",
    metadata,
    Column("id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("suspended", Instant),
    Column("settings", Json, nullable=False, server_default="{}"),
    Column("cursor_key", Text),  # made when the tenant first needs it
    Column("schema_version", Integer, nullable=False, server_default="0"),  # counts changes of its own schemas; 0: it never had any
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),
)

schemas = Table(
    "schemas",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Key, nullable=False),  # the URN
    Column("resource_type", Text, nullable=False),  # that it extends
    Column("required", Boolean, nullable=False),  # of every resource of the type
    Column("definition", Json, nullable=False),  # as RFC 7643 §7 has it, every characteristic said
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
)

directories = Table(
    "directories",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("cloud", Text, nullable=False),
    Column("tid", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("client_id", Text),  # of our registration there, for sign-in; its secret or private key is sealed
    Column("certificate", Text),  # PEM, where we authenticate there with a key of our own
    Column("authority", Text),  # of a custom cloud: where its tokens and keys come from
    Column("graph", Text),
    Column("created", Instant, nullable=False),
    Column("ended", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
)

domains = Table(
    "domains",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("name", Key, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("verified", Instant),
    Column("checked", Instant),
    Column("next_check", Instant),
    Column("missing_since", Instant),  # of a verified domain: since when its proof is not found
    Column("finding", Text),  # of the last check, for people
    Column("directory_id", Id),  # where its people sign in, if the tenant has several
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    UniqueConstraint("name", "tenant_id"),
    Index("domains_due", "next_check"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("kind", Text, nullable=False, server_default="secret"),
    Column("label", Text, nullable=False),
    Column("token_hash", LargeBinary),  # by which nodes of the version before find it; not used any more
    Column("scopes", Text, nullable=False, server_default="scim.read scim.write"),  # separated by blanks
    Column("networks", Text, nullable=False, server_default=""),  # in CIDR notation, separated by blanks; empty: any
    Column("issuer", Text),  # of the assertions or tokens that open it, if such do
    Column("subject", Text),
    Column("audiences", Text),  # separated by blanks
    Column("jwks_uri", Text),
    Column("directory_id", Id),
    Column("created", Instant, nullable=False),
    Column("expires", Instant),
    Column("revoked", Instant),
    Column("last_used", Instant),
    Column("last_address", Text),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    ForeignKeyConstraint(["tenant_id", "directory_id"], ["directories.tenant_id", "directories.id"]),
    UniqueConstraint("token_hash"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("credential_id", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", Text),  # of an access token: no more than its credential's
    Column("created", Instant, nullable=False),
    Column("expires", Instant),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["tenant_id", "credential_id"], ["credentials.tenant_id", "credentials.id"]),
    UniqueConstraint("hash"),
    Index("secrets_of_credential", "credential_id", "tenant_id"),
)

sealed = Table(
    "sealed",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("owner_id", Id, nullable=False),  # the directory, or whatever else, whose secret it is
    Column("name", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("ciphertext", Text, nullable=False),
    PrimaryKeyConstraint("owner_id", "name", "tenant_id"),
    Index("sealed_by_key", "key_id"),
)

# The three that hold across tenants: a directory, a proved domain and an issuer's tokens belong to one tenant only.
open_index("directories_one_tenant", directories, "tid", unique=True)
partial("domains_one_tenant", domains, domains.c.state == literal_column("'verified'"), "name", unique=True)
_bearers = credentials.c.subject.is_(None) & credentials.c.revoked.is_(None)  # an issuer without a subject: of whole tokens
partial("credentials_one_issuer", credentials, _bearers, "issuer", unique=True)
