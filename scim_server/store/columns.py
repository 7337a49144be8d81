"""Where in the tables the values of an attribute are: all that a filter can be asked for.

A ``Leaf`` is an attribute with one simple value, an ``Elements`` one with several: rows of a
sub-select, each with leaves of its own. What is not named here is read from the comparison
document, so every attribute of a schema has a place without being written down twice.

Comparisons use keys, so the SQL and ``scim.matching`` agree by construction; what has no key in
the document (id, meta, groups, members, a manager's name) is given the same form here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Numeric,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from scim_server.scim.attributes import Attribute, Target, Type
from scim_server.scim.matching import WAY
from scim_server.scim.schemas import ENTERPRISE_USER
from scim_server.store import ids
from scim_server.store.dialects import Way, among, json_elements, json_key, json_preferred, json_present
from scim_server.store.documents import indexed, unique_key
from scim_server.store.tables import Id, Instant, Key, groups, memberships, unique_values, user_emails, users

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

    ``leaf`` is that of a sub-attribute with one value, or of the element itself where it is a simple value; ``inner`` are
    the values of a sub-attribute with several. Both take the way to it within an element, where that is a parameter. ``order``
    is that in which they are shown; None where it is the order that they have in a document.
    """

    rows: FromClause
    leaf: Callable[[Attribute | None, Way | None], Leaf]
    inner: Callable[[Attribute, Way | None], Elements] | None = None
    condition: ColumnElement[bool] = field(default_factory=true)
    order: ColumnElement[Any] | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the few resources with one value of an attribute are found in an index."""

    value: Operand
    found: Callable[[ColumnElement[Any]], ColumnElement[bool]]
    """The condition on the resource's row, for a parameter of the value's type."""


Ways: TypeAlias = Sequence[ColumnElement[Any]] | None
"""Parameters for ``matching.ways``; None where names stand in the statement itself."""


class Columns:
    """The attributes of the resource type of that name, in ``rows``: its table, or some of the table's rows."""

    def __init__(self, rows: FromClause, name: str, endpoint: str) -> None:
        self.rows = rows
        self.name = name
        self._keys: ColumnElement[Any] = rows.c["keys"]
        version = literal_column("'W/\"'").concat(cast(rows.c.version, Text)).concat(literal_column("'\"'"))
        self._leaves: dict[str, Leaf] = {
            "id": _id(rows.c.id),
            "externalId": self._indexed("externalId", rows.c.external_id),
            "meta.resourceType": Leaf(Operand(cast(literal_column(f"'{name}'"), Text))),  # nothing can be sorted by a bare constant
            "meta.created": Leaf(Operand(rows.c.created, Instant)),
            "meta.lastModified": Leaf(Operand(rows.c.modified, Instant)),
            "meta.location": Leaf(Operand(_address(endpoint, rows.c.id))),
            "meta.version": Leaf(Operand(version)),
        }
        self._elements: dict[str, Elements] = {}
        self.lookups = {name: _lookup(self._leaves[name]) for name in ("id", "externalId")}

    def over(self, rows: FromClause) -> Columns:
        """The same in other rows of the same columns."""
        raise NotImplementedError

    def leaf(self, target: Target, ways: Ways = None) -> Leaf:
        """The one simple value at a target without multi-valued attributes."""
        return self._leaves.get(str(target)) or _leaf(self._keys, ways[0] if ways else _path(target), target.leaf)

    def elements(self, target: Target, ways: Ways = None) -> Elements:
        """The elements of the multi-valued attribute at a target; or of the multi-valued sub-attribute of one with one value."""
        attribute = target.attribute
        assert attribute is not None
        whole = Target(target.extension, attribute) if attribute.multi_valued else target
        known = self._elements.get(str(whole))
        if known is not None:
            return known
        return _elements(self._keys, ways[0] if ways else _path(whole), whole.leaf, "element")

    def sort_key(self, target: Target, ways: Ways = None) -> Operand:
        """What resources are sorted by; of several values the primary one, or else the first (RFC 7644 §3.4.2.3)."""
        attribute, sub = target.attribute, target.sub
        assert attribute is not None
        if not attribute.multi_valued:
            return self.leaf(target, ways).key
        whole = Target(target.extension, attribute)
        elements = self._elements.get(str(whole))
        if elements is not None and elements.order is not None:
            leaf = elements.leaf(sub, None).key
            first = select(leaf.sql).select_from(elements.rows).where(elements.condition).order_by(elements.order)
            return Operand(first.limit(literal_column("1")).offset(literal_column("0")).correlate(self.rows).scalar_subquery(), leaf.type)
        number = target.leaf.type is Type.INTEGER
        within: Way = () if sub is None else ways[1] if ways else (sub.name,)
        key = json_preferred(self._keys, ways[0] if ways else _path(whole), within, number=number)
        return Operand(key, Numeric() if number else Key)

    def present(self, target: Target, ways: Ways = None) -> ColumnElement[bool]:
        """Whether there is any value at a target without multi-valued attributes."""
        known = self._leaves.get(str(target))
        if known is not None:
            return known.key.sql.is_not(None)
        return true() if str(target) == "meta" else json_present(self._keys, ways[0] if ways else _path(target))

    def unique(self, *ways: ColumnElement[Any]) -> Lookup:
        """By a unique value of an attribute of a tenant's own schema."""
        whole = ways[0] if len(ways) == 1 else ways[0].concat(literal_column(f"'{WAY}'")).concat(ways[1])
        value = Operand(unique_values.c.value_key, Key, unique_key)
        return _lookup_in(self.rows, unique_values.c.resource_id, value, unique_values.c.attribute == whole)

    def _indexed(self, name: str, column: ColumnElement[Any]) -> Leaf:
        """A string in the document whose key is in an indexed column, too."""
        return Leaf(Operand(json_key(self._keys, (name,))), Operand(column, Key, indexed))

    def _linked(self, column: ColumnElement[Any], other: ColumnElement[Any], leaf: Callable[[Attribute | None], Leaf]) -> Elements:
        """Elements that are open memberships: the column of ``memberships`` that names this resource, and that of the other."""
        own = and_(memberships.c.tenant_id == TENANT, column == self.rows.c.id, memberships.c.valid_to.is_(None))
        return Elements(memberships, lambda sub, _: leaf(sub), condition=own, order=other)


class _Users(Columns):
    def __init__(self, rows: FromClause) -> None:
        super().__init__(rows, "User", "/Users")
        manager = f"{ENTERPRISE_USER}:manager"
        self._leaves |= {
            "userName": self._indexed("userName", rows.c.user_name_key),
            "active": Leaf(Operand(json_key(self._keys, ("active",))), Operand(rows.c.active, Boolean(), lambda key: key == "true")),
            f"{manager}.$ref": Leaf(Operand(self._of_manager(_address("/Users", _other_users.c.id)))),
            f"{manager}.displayName": Leaf(Operand(self._of_manager(json_key(_other_users.c["keys"], ("displayName",))))),
        }
        self._elements["groups"] = self._linked(memberships.c.member_id, memberships.c.group_id, _group_leaf)
        self.lookups["userName"] = _lookup(self._leaves["userName"])
        self.lookups["emails.value"] = _lookup_in(rows, user_emails.c.user_id, Operand(user_emails.c.value_key, Key, indexed))

    def over(self, rows: FromClause) -> Columns:
        return _Users(rows)

    def _of_manager(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """A value of the user that is named as manager, if there is one."""
        live = and_(_other_users.c.tenant_id == TENANT, _other_users.c.id == self.rows.c.manager_id, _other_users.c.ended.is_(None))
        return select(value).where(live).correlate(self.rows).scalar_subquery()


class _Groups(Columns):
    def __init__(self, rows: FromClause) -> None:
        super().__init__(rows, "Group", "/Groups")
        self._leaves["displayName"] = self._indexed("displayName", rows.c.display_name_key)
        self._elements["members"] = self._linked(memberships.c.group_id, memberships.c.member_id, member_leaf)
        self.lookups["displayName"] = _lookup(self._leaves["displayName"])
        member = Operand(memberships.c.member_id, Id, _id_or_none)
        self.lookups["members.value"] = _lookup_in(rows, memberships.c.group_id, member, memberships.c.valid_to.is_(None))

    def over(self, rows: FromClause) -> Columns:
        return _Groups(rows)


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


def _leaf(document: ColumnElement[Any], way: Way, attribute: Attribute) -> Leaf:
    """A value in the comparison document, or in an element of it."""
    if attribute.type is Type.INTEGER:
        return Leaf(Operand(json_key(document, way, number=True), Numeric()))
    return Leaf(Operand(json_key(document, way)))


def _elements(document: ColumnElement[Any], way: Way, attribute: Attribute, name: str) -> Elements:
    """The elements of an attribute in the comparison document, or of a sub-attribute in an element of it."""
    element = json_elements(document, way).table_valued("value", name=name)
    value = element.c.value
    return Elements(
        element,
        lambda sub, way: _leaf(value, (way if way is not None else (sub.name,)) if sub else (), sub or attribute),
        lambda sub, way: _elements(value, way if way is not None else (sub.name,), sub, "part"),
    )


def _id(column: ColumnElement[Any]) -> Leaf:
    return Leaf(Operand(cast(column, Text)), Operand(column, Id, _id_or_none))


def _id_or_none(key: str) -> str | None:
    return key if ids.is_id(key) else None


def _lookup(leaf: Leaf) -> Lookup:
    """By an indexed column of the resource itself."""
    equal = leaf.operand("eq")
    return Lookup(equal, lambda key: equal.sql == key)


def _lookup_in(rows: FromClause, resource_id: Column[Any], value: Operand, *conditions: ColumnElement[bool]) -> Lookup:
    """By a table that has a row for each value."""
    known = select(resource_id).where(resource_id.table.c.tenant_id == TENANT, *conditions)
    return Lookup(value, lambda key: among(rows.c.id, known.where(value.sql == key).scalar_subquery()))


def _address(endpoint: str, resource_id: ColumnElement[Any]) -> ColumnElement[Any]:
    base = bindparam(BASE_URL, type_=Text())
    return base.concat(literal_column(f"'{endpoint}/'")).concat(cast(resource_id, Text))


def _name(table: FromClause, resource_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The displayName's key of a resource that a membership names; it is live as long as the membership is open."""
    named = select(json_key(table.c["keys"], ("displayName",))).where(table.c.tenant_id == TENANT, table.c.id == resource_id)
    return named.correlate(memberships).scalar_subquery()


def _path(target: Target) -> tuple[str, ...]:
    parts = (target.extension, target.attribute and target.attribute.name, target.sub and target.sub.name)
    return tuple(part for part in parts if part)


USERS = _Users(users)
GROUPS = _Groups(groups)
