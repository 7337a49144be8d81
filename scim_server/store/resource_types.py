"""What resources of a tenant are: those of everybody, or extended by schemas of its own.

A number counts the changes of a tenant's schemas. Whoever finds out which client calls reads it on the way, so that nothing
is asked for here again until it is another one: what was loaded is kept in the process, by tenant and number. A tenant that
never had a schema (0) costs nothing at all.

A Unit that writes by schemas of its own holds their number until it ends: a change of them waits for it, and the Unit fails
(Outdated) if the change came first. The lock is the one that a new row takes on its tenant anyhow.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict

import orjson
from sqlalchemy import Integer as Number
from sqlalchemy import Text, and_, bindparam, cast, literal_column, select

from scim_server.events import Scope
from scim_server.scim import definitions
from scim_server.scim.schemas import BASE_TYPES, EVERYBODYS, Extension, Types
from scim_server.store.connections import Connection, Row
from scim_server.store.errors import Outdated
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, schemas, tenants

MOST_ATTRIBUTES = 50_000
"""How many attributes of tenants' own schemas a process keeps, a thousand tenants' with 50 each: about 50 MB. Loading takes 1 ms."""
_PER_TENANT = 10
"""What a tenant weighs beside its attributes, in attributes."""

_TENANT = bindparam("tenant_id", type_=Id)
_OF_TENANT = tenants.c.id == _TENANT
_SAME = cast(tenants.c.schema_version == bindparam("version", type_=Number()), Number())
_HOLD = Statement(select(literal_column("1").op("/")(_SAME)).where(_OF_TENANT).with_for_update(read=True, key_share=True))
_its_version = select(tenants.c.schema_version).where(_OF_TENANT)
_VERSION = {holds: Statement(_its_version.with_for_update(read=True, key_share=True) if holds else _its_version) for holds in (False, True)}
_LOAD = Statement(
    select(tenants.c.schema_version, schemas.c.resource_type, schemas.c.required, cast(schemas.c.definition, Text))
    .select_from(tenants.outerjoin(schemas, and_(schemas.c.tenant_id == _TENANT, schemas.c.tenant_id == tenants.c.id)))
    .where(_OF_TENANT)
    .order_by(schemas.c.created, schemas.c.id)
)


class ResourceTypes:
    """The resource types of tenants, as far as this process has met them. Safe to share between threads."""

    def __init__(self, most_attributes: int = MOST_ATTRIBUTES) -> None:
        self._most = most_attributes
        self._known: OrderedDict[tuple[str, int], tuple[Types, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def known(self, scope: Scope) -> Types | None:
        """Without asking the database; None if they are not known."""
        if scope.schemas == 0:
            return BASE_TYPES
        if scope.schemas is None:
            return None
        key = scope.tenant_id, scope.schemas
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            self._known.move_to_end(key)
            return found[0]

    def of(self, scope: Scope, connection: Connection, *, holds: bool) -> Types:
        """Those of the tenant at the number that the scope names; at the present one, if it names none or is out of date.

        ``holds``: the number that the scope does not name stays as it is until the transaction ends.
        """
        if scope.schemas is None:
            rows = connection.rows(_VERSION[holds], {"tenant_id": scope.tenant_id})
            scope = dataclasses.replace(scope, schemas=rows[0][0] if rows else 0)  # the server's own log is no tenant's
        return self.known(scope) or self.load(scope.tenant_id, connection)

    def load(self, tenant_id: str, connection: Connection) -> Types:
        """Those of the tenant at present, as the database has them."""
        rows = connection.rows(_LOAD, {"tenant_id": tenant_id})
        if not rows or rows[0][0] == 0:
            return BASE_TYPES
        types = Types.extended(_extension(row) for row in rows if row[1] is not None)
        self._keep(tenant_id, rows[0][0], types)
        return types

    def _keep(self, tenant_id: str, version: int, types: Types) -> None:
        own = [schema for each in types for schema in each.extensions if schema.id not in EVERYBODYS]
        weight = _PER_TENANT + sum(1 + len(each.sub_attributes) for schema in own for each in schema.attributes)
        with self._lock:
            if (tenant_id, version) in self._known:
                return
            self._known[tenant_id, version] = types, weight
            self._weight += weight
            while self._weight > self._most and len(self._known) > 1:
                _, (_, gone) = self._known.popitem(last=False)
                self._weight -= gone


def hold(scope: Scope, connection: Connection) -> None:
    """The transaction is about the schemas that the scope names, or it fails: Outdated, at the commit at the latest."""
    connection.demand(_HOLD, {"tenant_id": scope.tenant_id, "version": scope.schemas}, Outdated)


def _extension(row: Row) -> Extension:
    _, resource_type, required, definition = row
    return Extension(resource_type, definitions.stored(orjson.loads(definition)), bool(required))
