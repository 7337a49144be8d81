"""Where in the tables the values of an attribute are: all that a filter can be asked for.

A ``Leaf`` is an attribute with one simple value, an ``Elements`` one with several: rows of a
sub-select, each with leaves of its own. What is not named here is read from the comparison
document, so every attribute of a schema has a place without being written down twice.

Comparisons use keys, so the SQL and ``scim.matching`` agree by construction; what has no key in
the document (id, meta, groups, members, a manager's name) is given the same form here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, Numeric, Table, Text, and_, bindparam, case, cast, func, literal_column, select, true
from sqlalchemy.types import TypeEngine

from scim_server.scim.attributes import Attribute, Target, Type
from scim_server.scim.schemas import ENTERPRISE_USER
from scim_server.store import ids
from scim_server.store.dialects import json_elements, json_key, json_present
from scim_server.store.documents import indexed
from scim_server.store.tables import Id, Instant, Key, groups, memberships, user_emails, users

BASE_URL = "base_url"
"""The parameter with the URL that ``meta.location`` and every ``$ref`` begin with."""

TENANT = bindparam("tenant_id", type_=Id)

_other_users = users.alias("other_users")
_other_groups = groups.alias("other_groups")


def _itself(key: Any) -> Any:
    return key


@dataclass(frozen=True, slots=True)
class Operand:
    """An expression to compare, NULL where there is no value; and what it is compared with.

    ``type`` is that of the parameter (a Key makes the comparison one by code point), ``convert``
    makes its value of a literal's key.
    """

    sql: ColumnElement[Any]
    type: TypeEngine[Any] = Key
    convert: Callable[[Any], Any] = _itself


@dataclass(frozen=True, slots=True)
class Leaf:
    """A simple value: its key, and where there is one the indexed column that eq and ne ask instead."""

    key: Operand
    equal: Operand | None = None

    def operand(self, op: str) -> Operand:
        return self.equal if self.equal is not None and op in ("eq", "ne") else self.key


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a multi-valued attribute of the resource that the statement is about.

    ``leaf`` is that of a sub-attribute, or of the element itself where it is a simple value.
    """

    rows: FromClause
    leaf: Callable[[Attribute | None], Leaf]
    condition: ColumnElement[bool] = field(default_factory=true)


@dataclass(frozen=True, slots=True)
class Place:
    """An indexed table in which resources are found by one value of a multi-valued attribute."""

    resource_id: ColumnElement[Any]
    value: Operand
    condition: ColumnElement[bool]


class Columns:
    """The attributes of one resource type."""

    def __init__(self, table: Table, name: str, endpoint: str) -> None:
        self.table = table
        self.keys: ColumnElement[Any] = table.c["keys"]
        version = literal_column("'W/\"'").concat(cast(table.c.version, Text)).concat(literal_column("'\"'"))
        self._leaves: dict[str, Leaf] = {
            "id": _id(table.c.id),
            "externalId": Leaf(Operand(json_key(self.keys, ("externalId",))), Operand(table.c.external_id, Key, indexed)),
            "meta.resourceType": Leaf(Operand(literal_column(f"'{name}'"))),
            "meta.created": Leaf(Operand(table.c.created, Instant)),
            "meta.lastModified": Leaf(Operand(table.c.modified, Instant)),
            "meta.location": Leaf(Operand(_address(endpoint, table.c.id))),
            "meta.version": Leaf(Operand(version)),
        }
        self._elements: dict[str, Elements] = {}
        self.places: dict[str, Place] = {}

    def leaf(self, target: Target) -> Leaf:
        """The one simple value at a target without multi-valued attributes."""
        return self._leaves.get(str(target)) or _leaf(self.keys, _path(target), target.leaf)

    def elements(self, target: Target) -> Elements:
        """The elements of the multi-valued attribute at a target."""
        attribute = target.attribute
        assert attribute is not None
        whole = Target(target.extension, attribute)
        known = self._elements.get(str(whole))
        if known is not None:
            return known
        element = json_elements(self.keys, _path(whole)).table_valued("value", name="element")
        return Elements(element, lambda sub: _leaf(element.c.value, (sub.name,) if sub else (), sub or attribute))

    def present(self, target: Target) -> ColumnElement[bool]:
        """Whether there is any value at a target without multi-valued attributes."""
        known = self._leaves.get(str(target))
        if known is not None:
            return known.key.sql.is_not(None)
        return true() if str(target) == "meta" else json_present(self.keys, _path(target))


class _Users(Columns):
    def __init__(self) -> None:
        super().__init__(users, "User", "/Users")
        manager = f"{ENTERPRISE_USER}:manager"
        self._leaves |= {
            "userName": Leaf(Operand(json_key(self.keys, ("userName",))), Operand(users.c.user_name_key, Key, indexed)),
            "active": Leaf(Operand(json_key(self.keys, ("active",))), Operand(users.c.active, Boolean(), lambda key: key == "true")),
            f"{manager}.$ref": Leaf(Operand(_of_manager(_address("/Users", _other_users.c.id)))),
            f"{manager}.displayName": Leaf(Operand(_of_manager(json_key(_other_users.c["keys"], ("displayName",))))),
        }
        own = and_(memberships.c.tenant_id == TENANT, memberships.c.member_id == users.c.id, memberships.c.valid_to.is_(None))
        self._elements["groups"] = Elements(memberships, _group_leaf, own)
        self.places["emails.value"] = Place(
            user_emails.c.user_id, Operand(user_emails.c.value_key, Key, indexed), user_emails.c.tenant_id == TENANT
        )


class _Groups(Columns):
    def __init__(self) -> None:
        super().__init__(groups, "Group", "/Groups")
        self._leaves["displayName"] = Leaf(
            Operand(json_key(self.keys, ("displayName",))), Operand(groups.c.display_name_key, Key, indexed)
        )
        own = and_(memberships.c.tenant_id == TENANT, memberships.c.group_id == groups.c.id, memberships.c.valid_to.is_(None))
        self._elements["members"] = Elements(memberships, member_leaf, own)


def member_leaf(sub: Attribute | None) -> Leaf:
    """A sub-attribute of a member of a group, which is a row of ``memberships``."""
    assert sub is not None
    is_user, member_id = memberships.c.member_type == literal_column("'User'"), memberships.c.member_id
    match sub.name:
        case "value":
            return _id(member_id)
        case "$ref":
            return Leaf(Operand(case((is_user, _address("/Users", member_id)), else_=_address("/Groups", member_id))))
        case "display":
            return Leaf(Operand(func.coalesce(_name(_other_users, member_id), _name(_other_groups, member_id))))
        case _:
            return Leaf(Operand(case((is_user, literal_column("'user'")), else_=literal_column("'group'"))))


def _group_leaf(sub: Attribute | None) -> Leaf:
    """A sub-attribute of a group of a user, which is a row of ``memberships`` seen from the other side."""
    assert sub is not None
    match sub.name:
        case "value":
            return _id(memberships.c.group_id)
        case "$ref":
            return Leaf(Operand(_address("/Groups", memberships.c.group_id)))
        case "display":
            return Leaf(Operand(_name(_other_groups, memberships.c.group_id)))
        case _:
            return Leaf(Operand(literal_column("'direct'")))


def _leaf(document: ColumnElement[Any], path: tuple[str, ...], attribute: Attribute) -> Leaf:
    """A value in the comparison document, or in an element of it."""
    if attribute.type in (Type.INTEGER, Type.DECIMAL):
        return Leaf(Operand(json_key(document, path, number=True), Numeric()))
    return Leaf(Operand(json_key(document, path)))


def _id(column: ColumnElement[Any]) -> Leaf:
    return Leaf(Operand(cast(column, Text)), Operand(column, Id, lambda key: key if ids.is_id(key) else None))


def _address(endpoint: str, resource_id: ColumnElement[Any]) -> ColumnElement[Any]:
    base = bindparam(BASE_URL, type_=Text())
    return base.concat(literal_column(f"'{endpoint}/'")).concat(cast(resource_id, Text))


def _name(table: FromClause, resource_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The displayName's key of a resource that a membership names; it is live as long as the membership is open."""
    named = select(json_key(table.c["keys"], ("displayName",))).where(table.c.tenant_id == TENANT, table.c.id == resource_id)
    return named.correlate(memberships).scalar_subquery()


def _of_manager(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value of the user that is named as manager, if there is one."""
    live = and_(_other_users.c.tenant_id == TENANT, _other_users.c.id == users.c.manager_id, _other_users.c.ended.is_(None))
    return select(value).where(live).correlate(users).scalar_subquery()


def _path(target: Target) -> tuple[str, ...]:
    parts = (target.extension, target.attribute and target.attribute.name, target.sub and target.sub.name)
    return tuple(part for part in parts if part)


USERS = _Users()
GROUPS = _Groups()
