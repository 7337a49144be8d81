"""Directories, domains, kinds of credentials with secrets of their own, sealed secrets, row-level security.

Nodes of the version before go on serving: they find credentials by ``token_hash``, which a later step drops, and
what they insert gets defaults. (To an owner who may make no roles, and whom policies therefore hold for, they show nothing.)
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_INSTANT = sa.String(27).with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# Where no tenant was named (by the registry, which finds out whose request it is) all look-ups are open, and nothing else.
# The setting is read once per statement, and the condition is one that no index answers: plans are what they would be
# without it, since every statement has its own tenant condition, and this one is for the day when one has not.
_POLICY = "coalesce({column} = (SELECT NULLIF(current_setting('scim.tenant', true), '')::uuid), {unnamed})"
_OF_TENANTS = ("users", "groups", "user_emails", "memberships", "activity", "events")
_LOOK_UPS = {"tenants": "id", **dict.fromkeys(("directories", "domains", "credentials", "secrets", "sealed"), "tenant_id")}


def upgrade() -> None:
    _tenants()
    _directories()
    _domains()
    _credentials()
    _sealed()
    if op.get_context().dialect.name == "postgresql":
        _policies()


def _tenants() -> None:
    with op.batch_alter_table("tenants") as tenants:
        tenants.add_column(sa.Column("suspended", _INSTANT))
        tenants.add_column(sa.Column("settings", _JSON, nullable=False, server_default="{}"))


def _directories() -> None:
    op.create_table(
        "directories",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("tid", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("authority", sa.Text),
        sa.Column("graph", sa.Text),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="directories_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="directories_tenant_id_fkey"),
    )
    _partial("directories_one_tenant", "directories", ["tid"], "ended IS NULL")


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _KEY, nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("verified", _INSTANT),
        sa.Column("checked", _INSTANT),
        sa.Column("next_check", _INSTANT),
        sa.Column("missing_since", _INSTANT),
        sa.Column("finding", sa.Text),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="domains_pkey"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="domains_tenant_id_fkey"),
        sa.UniqueConstraint("name", "tenant_id", name="domains_name_tenant_id_key"),
    )
    op.create_index("domains_due", "domains", ["next_check"])
    _partial("domains_one_tenant", "domains", ["name"], "state = 'verified'")


def _credentials() -> None:
    """The hash of a credential's one token becomes the first of its secrets."""
    op.create_table(
        "secrets",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("credential_id", _ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.Text),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("expires", _INSTANT),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="secrets_pkey"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credential_id"], ["credentials.tenant_id", "credentials.id"], name="secrets_tenant_id_credential_id_fkey"
        ),
        sa.UniqueConstraint("hash", name="secrets_hash_key"),
    )
    op.create_index("secrets_of_credential", "secrets", ["credential_id", "tenant_id"])
    op.execute(
        "INSERT INTO secrets (tenant_id, id, credential_id, kind, hash, created, expires)"
        " SELECT tenant_id, id, id, 'bearer', token_hash, created, expires FROM credentials"
    )
    with op.batch_alter_table("credentials") as credentials:
        credentials.alter_column("token_hash", nullable=True)
        for name, default in (("kind", "secret"), ("scopes", "scim.read scim.write"), ("networks", "")):
            credentials.add_column(sa.Column(name, sa.Text, nullable=False, server_default=default))
        for name in ("issuer", "subject", "audiences", "jwks_uri", "last_address"):
            credentials.add_column(sa.Column(name, sa.Text))
        credentials.add_column(sa.Column("directory_id", _ID))
        credentials.add_column(sa.Column("last_used", _INSTANT))
        credentials.create_foreign_key(
            "credentials_tenant_id_directory_id_fkey", "directories", ["tenant_id", "directory_id"], ["tenant_id", "id"]
        )
    _partial("credentials_one_issuer", "credentials", ["issuer"], "subject IS NULL AND revoked IS NULL")


def _sealed() -> None:
    op.create_table(
        "sealed",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("ciphertext", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "name", "tenant_id", name="sealed_pkey"),
    )
    op.create_index("sealed_by_key", "sealed", ["key_id"])


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=True, postgresql_where=where, sqlite_where=where)


def _policies() -> None:
    for table in _OF_TENANTS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_POLICY.format(column='tenant_id', unnamed='false')})")
    for table, column in _LOOK_UPS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_POLICY.format(column=column, unnamed='true')})")
