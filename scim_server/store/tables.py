"""The tables, as the newest migration leaves them.

    tenants          one row per customer                                              (look-up)
    directories      where tenants' people are kept: one ``tid`` of a cloud is one tenant's (look-up)
    domains          the e-mail domains of tenants, and how far their proof is         (look-up)
    credentials      what SCIM clients authenticate with                               (look-up)
    secrets          hashes of what opens a credential: secrets and access tokens      (look-up)
    sealed           secrets that must be read again, encrypted                        (look-up)
    users, groups    the resources: one JSON document each, and what is lifted out of it
    user_emails      e-mail values of live users, to find them by
    memberships      who is in which group, from when to when
    activity         when a user was active, from when to when
    events           everything that happened

Every primary, unique and foreign key but the few by which the look-ups find the tenant holds
``tenant_id``: no row of one tenant can refer to, or be in the way of, a row of another, and the
tables can be distributed by it. In an index that is for finding one row it stands behind the
column that does the finding. In front it would make every index of a table look as good as every
other to a planner that has no statistics yet (a new database), or plans for the average tenant (a
big one among thousands of small ones), and what looks the same to the planner is now and then the
whole tenant instead of one row.

On PostgreSQL the rows are also kept apart by policies (migration 0002): the server works
under a role to which only the rows of the Unit's tenant exist, whatever a statement says.

``doc`` is the resource as answered, without what the server knows better. ``keys`` is its
comparison document (``scim.resources.keys``): filters ask it, so that SQL and memory agree.
Deleted resources are ended, not removed: ``ended`` says when, and the columns by which clients
find resources are NULL from then on, so that the values are free again.
"""

from __future__ import annotations

from sqlalchemy import (
    TIMESTAMP,
    Boolean,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects import postgresql

# Columns of these types are given and read as text, except that PostgreSQL reads an Instant as a datetime.
Id = String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Instant = String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = Text().with_variant(postgresql.JSONB(), "postgresql")
Key = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared by code point; SQLite compares all text so."""

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    }
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("suspended", Instant),
    Column("settings", Json, nullable=False, server_default="{}"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),
)

directories = Table(
    "directories",
    metadata,
    Column("tenant_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("cloud", Text, nullable=False),
    Column("tid", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("client_id", Text),  # of our registration there, for sign-in; its secret is sealed
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


def _partial(name: str, table: Table, condition: ColumnElement[bool], *columns: str, unique: bool = False) -> Index:
    return Index(name, *(table.c[each] for each in columns), unique=unique, postgresql_where=condition, sqlite_where=condition)


def _index(name: str, table: Table, *columns: str, unique: bool = False) -> Index:
    """An index of what is: of resources that have not ended, of periods that are open."""
    end = table.c.valid_to if "valid_to" in table.c else table.c.ended
    return _partial(name, table, end.is_(None), *columns, unique=unique)


_index("users_live", users, "tenant_id", "id")
_index("groups_live", groups, "tenant_id", "id")
_index("memberships_open", memberships, "group_id", "member_id", "tenant_id", unique=True)
_index("memberships_of_member", memberships, "member_id", "tenant_id", "group_id")
_index("activity_open", activity, "user_id", "tenant_id", unique=True)
# The three that hold across tenants: a directory, a proved domain and an issuer's tokens belong to one tenant only.
_index("directories_one_tenant", directories, "tid", unique=True)
_partial("domains_one_tenant", domains, domains.c.state == literal_column("'verified'"), "name", unique=True)
_bearers = credentials.c.subject.is_(None) & credentials.c.revoked.is_(None)  # an issuer without a subject: of whole tokens
_partial("credentials_one_issuer", credentials, _bearers, "issuer", unique=True)
