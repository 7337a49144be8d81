"""SQL statements: written in SQLAlchemy, compiled once for each database, run by the driver itself.

Running a compiled statement through SQLAlchemy costs more than twice what the driver does; what
SQLAlchemy is wanted for here is one statement in two dialects, and no text put together by hand.
Statements that do not depend on the request are built at import.

    Statement          of one tenant: it has the parameter ``tenant_id``, or does not compile
    GlobalStatement    the registry's few, across tenants
    Sql                what either is for a database: text, and the names of its parameters
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Dialect
from sqlalchemy.sql import ClauseElement


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement as one database takes it.

    ``names`` are those of the parameters ``$1``, ``$2`` …, in that order; empty where the text itself
    names its parameters (``:name``).
    """

    text: str
    names: tuple[str, ...] = ()


class GlobalStatement:
    """One statement; or one for each database, where they differ in more than spelling."""

    __slots__ = ("_constructs", "_made")

    def __init__(self, construct: ClauseElement | None = None, **by_dialect: ClauseElement) -> None:
        self._constructs = {"postgresql": construct, "sqlite": construct, **by_dialect}
        self._made: dict[str, Sql] = {}

    def sql(self, dialect: Dialect) -> Sql:
        """The statement for that database; compiled at the first time."""
        made = self._made.get(dialect.name)
        if made is None:
            made = self._made[dialect.name] = self._compile(dialect)
        return made

    def _compile(self, dialect: Dialect) -> Sql:
        construct = self._constructs[dialect.name]
        assert construct is not None, f"no statement for {dialect.name}"
        compiled = construct.compile(dialect=dialect)
        binds = compiled.binds  # type: ignore[attr-defined]  # as every compiled SQL statement has
        unnamed = [name for name, bind in binds.items() if not bind.required]
        assert not unnamed, f"literals that slipped in as parameters: {unnamed} in {compiled}"
        self._check(binds)
        return Sql(str(compiled), tuple(compiled.positiontup or ()))  # type: ignore[attr-defined]  # as above

    def _check(self, parameters: Iterable[str]) -> None:
        """Refuse what may not be asked."""


class Statement(GlobalStatement):
    """A statement about one tenant, which the Unit that runs it names."""

    __slots__ = ()

    def _check(self, parameters: Iterable[str]) -> None:
        assert "tenant_id" in parameters, "a statement that is not about one tenant"
