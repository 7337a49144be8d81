"""The only way from a Unit's parts to the database: every statement gets the Unit's tenant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from scim_server.events import Scope
from scim_server.scim.documents import layout_of
from scim_server.scim.resources import Resource
from scim_server.scim.schemas import Types
from scim_server.store.connections import Connection, Row
from scim_server.store.documents import instant_text
from scim_server.store.errors import Outdated, StoreError, Unforeseen
from scim_server.store.landmarks import Landmarks
from scim_server.store.statements import Statement


class Scoped:
    """A connection bound to one tenant: it runs Statements, and those do not compile without ``tenant_id``.

    ``landmarks`` are there for whoever sees nothing but what was committed. ``careful``: nothing may be taken for granted.
    """

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        now: datetime,
        types: Callable[[], Types],
        landmarks: Landmarks | None = None,
        careful: bool = True,
    ) -> None:
        self._connection = connection
        self._find_types = types
        self._types: Types | None = None
        self.landmarks = landmarks
        self.careful = careful
        self.scope = scope
        self.now = now

    # No cached_property: before Python 3.12 all of them share a lock, and whoever asks the database here may have to wait for a
    # transaction whose thread waits for that lock.
    @property
    def types(self) -> Types:
        """The tenant's resource types. A change of its schemas puts others in their place, for what is written after it."""
        if self._types is None:
            self._types = self._find_types()
        return self._types

    @types.setter
    def types(self, types: Types) -> None:
        self._types = types

    @cached_property
    def now_text(self) -> str:
        return instant_text(self.now)

    def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """What a SELECT, or a change with RETURNING, gives."""
        values["tenant_id"] = self.scope.tenant_id
        return self._connection.rows(statement, values)

    def row(self, statement: Statement, /, **values: Any) -> Row | None:
        """The one row, or none."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def later(self, statement: Statement, /, *, taken: str | None = None, **values: Any) -> None:
        """A change whose result nobody waits for. ``taken`` is what a Taken is about, where a unique key may refuse it."""
        values["tenant_id"] = self.scope.tenant_id
        self._connection.later(statement, values, taken)

    def presume(self, statement: Statement, /, **values: Any) -> None:
        """Take for granted what the statement finds out, as ``Connection.demand`` has it; it is Unforeseen if it is not so."""
        values["tenant_id"] = self.scope.tenant_id
        self._connection.demand(statement, values, Unforeseen)

    def up_to_date(self, resource: Resource) -> Resource:
        """The resource; Outdated if it has values under a schema that this Unit does not know.

        A client of a tenant without schemas holds none of them; but the first one may have come, and been used, since it was let in.
        """
        extensions = layout_of(resource.type).extensions
        if all(name in extensions or name[:4].lower() != "urn:" for name in resource.document):
            return resource
        raise self.refused(Outdated("the resource was written by a schema that is not known here"))

    def refused(self, error: StoreError) -> StoreError:
        """The error, to be raised: from here on the Unit cannot be committed."""
        self._connection.doom()
        return error
