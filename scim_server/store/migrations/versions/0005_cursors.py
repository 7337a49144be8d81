"""Walks by cursor: each tenant's key for them. It is made when the tenant first needs it, so a node of the version before need not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("cursor_key", sa.Text))
