"""The types of columns, and how indexes that hold for a part of the rows are made."""

from __future__ import annotations

from sqlalchemy import TIMESTAMP, ColumnElement, Index, MetaData, String, Table, Text
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


def partial(name: str, table: Table, condition: ColumnElement[bool], *columns: str, unique: bool = False) -> Index:
    return Index(name, *(table.c[each] for each in columns), unique=unique, postgresql_where=condition, sqlite_where=condition)


def open_index(name: str, table: Table, *columns: str, unique: bool = False) -> Index:
    """An index of what is: of resources that have not ended, of periods that are open."""
    end = table.c.valid_to if "valid_to" in table.c else table.c.ended
    return partial(name, table, end.is_(None), *columns, unique=unique)
