"""The engine: a pool of driver connections that are set up right, for either database.

Connections are in the driver's autocommit mode. A Unit that writes says BEGIN and COMMIT itself,
so that one that only reads has neither on the wire, and nothing is reset when it is given back.
Make the engine after forking: connections cannot be shared between processes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, make_url

from scim_server.store import postgresql, sqlite
from scim_server.store.connections import Database

__all__ = ["Engine", "create_engine", "database"]

_POOL: dict[str, Any] = {
    "max_overflow": 2,
    "pool_timeout": 10,  # seconds
    "pool_reset_on_return": None,
}


def create_engine(url: str, pool_size: int, *, role: str | None = None) -> Engine:
    """The engine for ``sqlite:///FILE`` or ``postgresql://…``, with ``pool_size`` connections at most, and two in need.

    On PostgreSQL they work under ``role``; without one they have all the rights of whom the URL names, and migrations need
    them. No connection is made before the first is needed.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return sqlite.create_engine(address, pool_size=pool_size, **_POOL)
    return postgresql.create_engine(address, role, pool_size=pool_size, **_POOL)


def database(engine: Engine) -> Database:
    """The engine's database, for Units."""
    return sqlite.SQLite(engine) if engine.dialect.name == "sqlite" else postgresql.PostgreSQL(engine)
