"""Sign-in: who a person of a directory is here, sessions, rules that give roles, roles that were held; our own signed tokens.

Nodes of the version before go on serving: what they write of users gets the default for ``source``. A user that was removed
before gets the external id back, so that whoever was removed cannot come back by signing in.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_INSTANT = sa.String(27).with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_POLICY = "coalesce({column} = (SELECT NULLIF(current_setting('scim.tenant', true), '')::uuid), {unnamed})"
_OF_TENANTS = ("sign_ins", "identity_links", "mappings", "restrictions", "holdings")
_LOOK_UPS = ("sessions", "apps", "signing_keys")
_LONGEST_INDEXED = 256
"""An external id that is longer may be stored as a hash; no directory's object id is."""


def upgrade() -> None:
    op.add_column("directories", sa.Column("certificate", sa.Text))
    op.add_column("domains", sa.Column("directory_id", _ID))
    op.add_column("users", sa.Column("source", sa.Text, nullable=False, server_default="scim"))
    _give_back_external_ids()
    _sign_ins()
    _identity_links()
    _sessions()
    _rules()
    _apps()
    if op.get_context().dialect.name == "postgresql":
        _policies()


def _give_back_external_ids() -> None:
    key = "keys ->> 'externalId'" if op.get_context().dialect.name == "postgresql" else "json_extract(keys, '$.externalId')"
    op.execute(f"UPDATE users SET external_id = {key} WHERE ended IS NOT NULL AND length({key}) <= {_LONGEST_INDEXED}")  # noqa: S608  of our own words


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("directory_id", _ID, nullable=False),
        sa.Column("state_hash", sa.LargeBinary, nullable=False),
        sa.Column("browser_hash", sa.LargeBinary, nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary, nullable=False),
        sa.Column("return_path", sa.Text, nullable=False),
        sa.Column("login_hint", sa.Text),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.Column("used", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="sign_ins_pkey"),
        _of("sign_ins", "directory_id", "directories"),
        sa.UniqueConstraint("state_hash", name="sign_ins_state_hash_key"),
    )
    op.create_index("sign_ins_expired", "sign_ins", ["expires", "tenant_id"])


def _identity_links() -> None:
    op.create_table(
        "identity_links",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("directory_id", _ID, nullable=False),
        sa.Column("tid", sa.Text, nullable=False),
        sa.Column("oid", sa.Text, nullable=False),
        sa.Column("sub", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.Column("claims", _JSON, nullable=False),
        sa.Column("claimed", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="identity_links_pkey"),
        _of("identity_links", "user_id", "users"),
        _of("identity_links", "directory_id", "directories"),
    )
    _partial("identity_links_one_user", "identity_links", ["oid", "tid", "tenant_id"], unique=True, condition="ended IS NULL")
    _partial("identity_links_of_user", "identity_links", ["user_id", "tenant_id", "claimed"], condition="ended IS NULL")


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("link_id", _ID, nullable=False),
        sa.Column("directory_id", _ID, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("sid", sa.Text),
        sa.Column("logout_hint", sa.Text),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("seen", _INSTANT, nullable=False),
        sa.Column("idle_s", sa.Integer, nullable=False),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.Column("refreshed", _INSTANT, nullable=False),
        sa.Column("attempted", _INSTANT, nullable=False),
        sa.Column("failing", _INSTANT),
        sa.Column("ended", _INSTANT),
        sa.Column("end_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="sessions_pkey"),
        _of("sessions", "user_id", "users"),
        _of("sessions", "link_id", "identity_links"),
        _of("sessions", "directory_id", "directories"),
        sa.UniqueConstraint("hash", name="sessions_hash_key"),
    )
    op.create_index("sessions_of_user", "sessions", ["user_id", "tenant_id", "id"])
    _partial("sessions_live", "sessions", ["user_id", "tenant_id"], condition="ended IS NULL")
    _partial("sessions_of_directory", "sessions", ["directory_id", "tenant_id"], condition="ended IS NULL")
    _partial("sessions_by_sid", "sessions", ["sid"], condition="ended IS NULL")


def _rules() -> None:
    op.create_table(
        "mappings",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("group_oid", _KEY, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="mappings_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="mappings_tenant_id_fkey"),
    )
    _partial("mappings_of_tenant", "mappings", ["tenant_id"], condition="valid_to IS NULL")
    _partial("mappings_open", "mappings", ["group_oid", "role", "tenant_id"], unique=True, condition="valid_to IS NULL")
    op.create_table(
        "restrictions",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("group_oid", _KEY, nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="restrictions_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="restrictions_tenant_id_fkey"),
    )
    _partial("restrictions_of_tenant", "restrictions", ["tenant_id"], condition="valid_to IS NULL")
    _partial("restrictions_open", "restrictions", ["group_oid", "tenant_id"], unique=True, condition="valid_to IS NULL")
    op.create_table(
        "holdings",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("group_oid", _KEY),
        sa.Column("mapping_id", _ID),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="holdings_pkey"),
        _of("holdings", "user_id", "users"),
        _of("holdings", "mapping_id", "mappings"),
    )
    _partial("holdings_of_mapping", "holdings", ["mapping_id", "tenant_id"], condition="valid_to IS NULL AND mapping_id IS NOT NULL")
    _partial("holdings_open", "holdings", ["user_id", "role", "tenant_id"], unique=True, condition="valid_to IS NULL")


def _apps() -> None:
    op.create_table(
        "apps",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("revoked", _INSTANT),
        sa.Column("last_used", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="apps_pkey"),
        sa.UniqueConstraint("hash", name="apps_hash_key"),
    )
    _partial("apps_named", "apps", ["name"], unique=True, condition="revoked IS NULL")
    op.create_table(
        "signing_keys",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("public", _JSON, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("signs_from", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="signing_keys_pkey"),
    )


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    """A row of the same tenant in another table."""
    name = f"{table}_tenant_id_{column}_fkey"
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name)


def _partial(name: str, table: str, columns: list[str], *, condition: str, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, postgresql_where=where, sqlite_where=where)


def _policies() -> None:
    for tables, unnamed in ((_OF_TENANTS, "false"), (_LOOK_UPS, "true")):
        for table in tables:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY tenant ON {table} USING ({_POLICY.format(column='tenant_id', unnamed=unnamed)})")
