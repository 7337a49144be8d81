"""The schemas of its own by which a tenant extends users and groups: their definitions, and the resources that have values under them.

What a schema demands of values that are there is decided elsewhere (``provisioning.schemas``). Whoever changes one locks the
tenant's number of changes first: nobody writes by the schemas of before, or after, until the Unit ends (``resource_types``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Boolean, ColumnElement, Table, Text, bindparam, cast, delete, insert, literal_column, not_, select, update

from scim_server.scim import definitions, discovery, json_text, resources
from scim_server.scim.documents import Document, layout_of
from scim_server.scim.schemas import Extension, ResourceType, Types
from scim_server.store import unique_values
from scim_server.store.columns import TENANT
from scim_server.store.dialects import json_present, latest
from scim_server.store.documents import dump
from scim_server.store.periods import NOW
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, Json, Key, groups, schemas, tenants, users

_PAGE = 500
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"

_SCHEMA = bindparam("schema_id", type_=Key)
_ALL = Statement(
    select(schemas.c.resource_type, schemas.c.required, cast(schemas.c.definition, Text))
    .where(schemas.c.tenant_id == TENANT)
    .order_by(schemas.c.created, schemas.c.id)
)
_LOCK = Statement(select(tenants.c.schema_version).where(tenants.c.id == TENANT).with_for_update())
_COUNT_UP = Statement(update(tenants).values(schema_version=tenants.c.schema_version + literal_column("1")).where(tenants.c.id == TENANT))
_SAID: dict[str, Any] = {
    "required": bindparam("required", type_=Boolean()),
    "definition": bindparam("definition", type_=Json),
    "modified": NOW,
}
_ADD = Statement(
    insert(schemas).values({"tenant_id": TENANT, "id": _SCHEMA, "resource_type": bindparam("resource_type"), "created": NOW, **_SAID})
)
_CHANGE = Statement(update(schemas).values(_SAID).where(schemas.c.tenant_id == TENANT, schemas.c.id == _SCHEMA))
_REMOVE = Statement(delete(schemas).where(schemas.c.tenant_id == TENANT, schemas.c.id == _SCHEMA))


def _page(table: Table, *, having: bool, locked: bool) -> Statement:
    """Live resources that have values under a schema, or that have none."""
    present: ColumnElement[bool] = json_present(table.c.doc, bindparam("schema_id", type_=Text()))
    rows = (
        select(cast(table.c.id, Text), table.c.version, cast(table.c.doc, Text))
        .where(table.c.tenant_id == TENANT, table.c.id > bindparam("after", type_=Id), table.c.ended.is_(None))
        .where(present if having else not_(present))
        .order_by(table.c.id)
        .limit(bindparam("limit"))
        .offset(literal_column("0"))
    )
    return Statement(rows.with_for_update(key_share=True, of=table) if locked else rows)


_TABLES = {"User": users, "Group": groups}
_PAGES = {
    (name, having, locked): _page(table, having=having, locked=locked)
    for name, table in _TABLES.items()
    for having in (True, False)
    for locked in (True, False)
}
_KEYS = {"keys": bindparam("keys", type_=Json)}


def _rewrite(table: Table, values: dict[str, Any]) -> Statement:
    own = (table.c.tenant_id == TENANT, table.c.id == bindparam("id", type_=Id), table.c.ended.is_(None))
    return Statement(update(table).values(values).where(*own))


_FIND_ANEW = {name: _rewrite(table, _KEYS) for name, table in _TABLES.items()}
_REWRITE = {
    name: _rewrite(
        table,
        {
            **_KEYS,
            "doc": bindparam("doc", type_=Json),
            "version": bindparam("version", type_=table.c.version.type),
            "modified": latest(table.c.modified, NOW),
        },
    )
    for name, table in _TABLES.items()
}


class Held(NamedTuple):
    """A live resource, by its document."""

    id: str
    version: int
    document: Document


class Schemas:
    """What a Unit can do with schemas of the tenant's own."""

    def __init__(self, scoped: Scoped) -> None:
        self._scoped = scoped

    def all(self) -> list[Extension]:
        """Those that there are, oldest first."""
        return [
            Extension(resource_type, definitions.stored(orjson.loads(definition)), bool(required))
            for resource_type, required, definition in self._scoped.rows(_ALL)
        ]

    def lock(self) -> list[Extension]:
        """Those that there are, to be changed: until this Unit ends nobody writes a user or a group of the tenant."""
        self._scoped.rows(_LOCK)
        found = self.all()
        self._scoped.types = Types.extended(found)
        return found

    def put(self, extension: Extension, *, is_new: bool) -> None:
        """The schema is this from now on. What this Unit writes after it, it writes by that. The schemas are locked."""
        schema = extension.schema
        definition = dump({name: value for name, value in discovery.schema(schema, "").items() if name not in ("schemas", "meta")})
        values: dict[str, Any] = {
            "schema_id": schema.id,
            "required": extension.required,
            "definition": definition,
            "now": self._scoped.now_text,
        }
        if is_new:
            self._scoped.later(_ADD, taken="id", resource_type=extension.resource_type, **values)
        else:
            self._scoped.later(_CHANGE, **values)
        self._changed()

    def remove(self, urn: str) -> None:
        """There is no such schema from now on. The schemas are locked."""
        self._scoped.later(_REMOVE, schema_id=urn)
        self._changed()

    def holders(self, resource_type: ResourceType, urn: str, *, having: bool = True, locked: bool = False) -> Iterator[Held]:
        """Live resources that have values under the schema (or that have none), in the order of their ids; page by page.

        No index knows them: all live resources of the type are looked at once, in the database.
        """
        after, exact = _BEFORE_ALL, layout_of(resource_type).exact
        while True:
            page = self._scoped.rows(_PAGES[resource_type.name, having, locked], schema_id=urn, after=after, limit=_PAGE)
            yield from (Held(resource_id, version, json_text.loads(document, exact=exact)) for resource_id, version, document in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def find_anew(self, before: ResourceType, after: ResourceType, held: Held) -> bool:
        """The locked resource stays as it is, and is found as one of the other type; whether that makes a difference."""
        keys = resources.keys(after, held.document)
        differs = keys != resources.keys(before, held.document)
        if differs:
            self._scoped.later(_FIND_ANEW[after.name], id=held.id, keys=dump(keys))
        unique_values.take(self._scoped, after, held.id, held.document, held.document, before)
        return differs

    def rewrite(self, before: ResourceType, after: ResourceType, held: Held, document: Document) -> int:
        """The locked resource has another document from now on, which differs in own schemas only: the number of its next version."""
        keys, version = dump(resources.keys(after, document)), held.version + 1
        self._scoped.later(_REWRITE[after.name], id=held.id, doc=dump(document), keys=keys, version=version, now=self._scoped.now_text)
        unique_values.take(self._scoped, after, held.id, document, held.document, before)
        return version

    def _changed(self) -> None:
        self._scoped.later(_COUNT_UP)
        self._scoped.types = Types.extended(self.all())
