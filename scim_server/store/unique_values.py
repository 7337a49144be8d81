"""Values that a tenant's own schemas want to be unique: a row for each, which no other live resource of the tenant can have.

``uniqueness`` "server" and "global" are both held within the tenant: an attribute belongs to one resource type, and what other
tenants have is none of its business. Of an attribute with several values each is unique.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from scim_server.scim import resources
from scim_server.scim.matching import WAY
from scim_server.scim.resources import Document
from scim_server.scim.schemas import ResourceType
from scim_server.store.columns import TENANT
from scim_server.store.dialects import texts
from scim_server.store.documents import dump, unique_values, unique_ways
from scim_server.store.scoped import Scoped
from scim_server.store.statements import Statement
from scim_server.store.tables import Id, Key
from scim_server.store.tables import unique_values as table

_ID = bindparam("id", type_=Id)
_ATTRIBUTE = bindparam("attribute", type_=Key)
_given = texts(bindparam("values")).table_valued("value", name="given")

_TAKE = Statement(
    insert(table).from_select(["tenant_id", "resource_id", "attribute", "value_key"], select(TENANT, _ID, _ATTRIBUTE, _given.c.value))
)
_OF_RESOURCE = (table.c.tenant_id == TENANT, table.c.resource_id == _ID)
_GIVE_BACK = Statement(delete(table).where(*_OF_RESOURCE, table.c.attribute == _ATTRIBUTE, table.c.value_key.in_(select(_given.c.value))))
_GIVE_ALL_BACK = Statement(delete(table).where(*_OF_RESOURCE))


def take(
    scoped: Scoped,
    resource_type: ResourceType,
    resource_id: str,
    new: Document,
    old: Document | None = None,
    old_type: ResourceType | None = None,
) -> None:
    """From now on the resource has the values of its new document. Raises Taken, at the commit at the latest, naming the attribute.

    ``old_type`` is what the resource was under its old document, if that was something else.
    """
    after = _values(resource_type, new)
    before = _values(old_type or resource_type, old) if old is not None else {}
    for way in sorted(before.keys() | after.keys()):
        gone, come = before.get(way, set()) - after.get(way, set()), after.get(way, set()) - before.get(way, set())
        if gone:
            scoped.later(_GIVE_BACK, id=resource_id, attribute=way, values=dump(sorted(gone)))
        if come:
            scoped.later(_TAKE, taken=notation(way), id=resource_id, attribute=way, values=dump(sorted(come)))


def _values(resource_type: ResourceType, document: Document) -> dict[str, set[str]]:
    return unique_values(resource_type, resources.keys(resource_type, document)) if unique_ways(resource_type) else {}


def give_back(scoped: Scoped, resource_type: ResourceType, resource_id: str) -> None:
    """The resource has ended: others may have its values."""
    if unique_ways(resource_type):
        scoped.later(_GIVE_ALL_BACK, id=resource_id)


def notation(way: str) -> str:
    """The attribute's notation, as RFC 7644 §3.10 has it."""
    urn, *names = way.split(WAY)
    return f"{urn}:{'.'.join(names)}"
