"""PATCH (RFC 7644 §3.5.2), in three steps: all of it is done, or there is an error and nothing is.

    parse   the message          -> operations
    plan    operations           -> steps on the document, and changes of members; needs no state but ``schemas``
    apply   document and steps   -> a new document; the old one stays as it is (``steps``)

Members are planned apart because they are rows of their own: to add one member to a group needs
none of the others. So are claims: what a value without a path says of attributes that nobody can write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from scim_server.scim import messages
from scim_server.scim.attributes import Attribute, Target
from scim_server.scim.documents import canonical, demand, hold_to_type, layout_of, member_ids, parts, unknown, urns_of, writable
from scim_server.scim.errors import InvalidPath, InvalidSyntax, InvalidValue, MutabilityError, NoTarget, TooLarge
from scim_server.scim.filters import And, Compare, Filter, Path, parse_path
from scim_server.scim.matching import Bound, bind_element, element_of
from scim_server.scim.schemas import ID, SCHEMAS, ResourceType
from scim_server.scim.steps import MISSING, Step, apply

__all__ = [
    "MAX_MEMBERS",
    "MAX_OPERATIONS",
    "MISSING",
    "AddMembers",
    "Claim",
    "MemberChange",
    "Operation",
    "Plan",
    "RemoveMembers",
    "RemoveMembersWhere",
    "ReplaceMembers",
    "Step",
    "apply",
    "check_claims",
    "parse",
    "plan",
]

MAX_OPERATIONS = 1000
MAX_MEMBERS = 20_000
"""The most members that one operation may name."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the message has it. ``op`` is add, remove or replace; ``path`` is None if there is none."""

    op: str
    path: Path | None
    value: Any = MISSING


@dataclass(frozen=True, slots=True)
class AddMembers:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveMembers:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveMembersWhere:
    """Those that satisfy a filter on one member, as ``matching.bind_element`` makes it."""

    where: Bound


@dataclass(frozen=True, slots=True)
class ReplaceMembers:
    """Without ids: all members go."""

    ids: tuple[str, ...]


MemberChange: TypeAlias = AddMembers | RemoveMembers | RemoveMembersWhere | ReplaceMembers


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client says of an attribute that nobody can write, beside those that it writes."""

    target: Target
    value: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """``claims`` change nothing, and are to be checked with ``check_claims`` if there are any."""

    document: tuple[Step, ...]
    members: tuple[MemberChange, ...]
    claims: tuple[Claim, ...] = ()


def parse(body: Any) -> tuple[Operation, ...]:
    """The operations of a PatchOp message. Names and ``op`` in any case; unknown names are ignored.

    InvalidSyntax if it is none, InvalidPath, NoTarget for ``remove`` without a path, TooLarge.
    """
    message = messages.members(body, "The body", _OF_MESSAGE)
    messages.demand(messages.PATCH_OP, message.get("schemas"), "PATCH")
    operations = message.get("Operations")
    if not isinstance(operations, list):
        raise InvalidSyntax('The body of a PATCH must hold "Operations", an array.')
    if len(operations) > MAX_OPERATIONS:
        raise TooLarge(f"A PATCH may hold at most {MAX_OPERATIONS} operations, not {len(operations)}.")
    return tuple(_operation(each) for each in operations)


def plan(resource_type: ResourceType, operations: Sequence[Operation], *, lenient: bool, schemas: Iterable[str] = ()) -> Plan:
    """What the operations do to any resource of the type, with every name resolved and every value checked.

    ``schemas`` are those of the resource: an attribute of an extension among them may be named without
    its URN, if no other attribute has that name (RFC 7644 §3.5.2). InvalidPath for names that no schema
    has, MutabilityError for what clients cannot write, InvalidValue, InvalidFilter, TooLarge. In a value
    without a path, unknown attributes are ignored if ``lenient``; its keys may be paths. No operations at
    all are InvalidSyntax unless ``lenient``.
    """
    if not operations and not lenient:
        raise InvalidSyntax("Operations holds no operation.")
    planner = _Planner(resource_type, lenient, schemas)
    for operation in operations:
        planner.take(operation)
    return Plan(tuple(planner.steps), tuple(planner.members), tuple(planner.claims))


def check_claims(claims: Iterable[Claim], representation: dict[str, Any], *, lenient: bool) -> None:
    """MutabilityError if a claim is not what the resource is represented as; if ``lenient``, only if it is about the id.

    Whoever sends back what he was given beside what he changes (Okta: the id with a new name) changes no more than that. What
    he was given may be old by now, which a lenient server does not hold against him; but another id means another resource.
    """
    for claim in claims:
        target = claim.target
        if lenient and target.attribute is not ID:
            continue
        holder = representation if target.extension is None else representation.get(target.extension, {})
        for attribute in (target.attribute, target.sub):
            holder = holder.get(attribute.name) if attribute and isinstance(holder, dict) else holder
        if not _agrees(claim.value, holder):
            raise MutabilityError(f"{target} cannot be written: the server sets it, and it is not what the value says.")


def _agrees(said: Any, shown: Any) -> bool:
    """Whether what is said of a value, which need not be all of it, is so."""
    if said is None or said == [] or said == {}:
        return shown is None
    if isinstance(said, dict) and isinstance(shown, dict):
        names = {name.lower(): name for name in shown}
        return all(_agrees(each, shown.get(names.get(name.lower(), ""))) for name, each in said.items())
    if isinstance(said, list) and isinstance(shown, list):
        known = {each["value"]: each for each in shown}  # groups, which are the one such attribute with several values
        named = [next((value for name, value in each.items() if name.lower() == "value"), None) for each in said if isinstance(each, dict)]
        return sorted(map(str, named)) == sorted(known) and all(_agrees(each, known[name]) for each, name in zip(said, named, strict=False))
    return type(said) is type(shown) and bool(said == shown)


# The message


_OF_MESSAGE, _OF_OPERATION = messages.spellings("schemas", "Operations"), messages.spellings("op", "path", "value")


def _operation(raw: Any) -> Operation:
    found = messages.members(raw, "Each of Operations", _OF_OPERATION)
    op, path = found.get("op"), found.get("path")
    if not isinstance(op, str) or op.lower() not in ("add", "remove", "replace"):
        raise InvalidSyntax("Each of Operations needs an op, which is add, remove or replace.")
    if path is None:
        if op.lower() == "remove":
            raise NoTarget("A remove operation needs a path.")
        return Operation(op.lower(), None, found.get("value", MISSING))
    if not isinstance(path, str):
        raise InvalidPath("The path of an operation must be a string.")
    parsed = _frequent_path(path) if len(path) <= _FREQUENT_LENGTH else parse_path(path)
    return Operation(op.lower(), parsed, found.get("value", MISSING))


# A client has few paths and sends them again and again; to parse a filter takes longer than all the rest.
_frequent_path = lru_cache(maxsize=1024)(parse_path)
_FREQUENT_LENGTH = 100


# The plan


class _Planner:
    """Gathers steps and member changes from operations, in their order."""

    def __init__(self, resource_type: ResourceType, lenient: bool, schemas: Iterable[str]) -> None:
        self.resource_type = resource_type
        self.lenient = lenient
        self.layout = layout_of(resource_type)
        self.steps: list[Step] = []
        self.members: list[MemberChange] = []
        self.claims: list[Claim] = []
        self.schemas = {urn.lower() for urn in schemas}
        self.schemas_after = self.schemas

    def take(self, operation: Operation) -> None:
        op, path, value = operation.op, operation.path, operation.value
        if path is None:
            self._attributes(op, value, "")
        else:
            target = self._target(path)
            if target is None:
                raise InvalidPath(unknown(self.resource_type, str(path)))
            self._at(op, path, target, value)
        self.schemas = self.schemas_after  # what an operation makes of schemas holds for those after it

    def _attributes(self, op: str, value: Any, prefix: str) -> None:
        """An add or replace of several attributes at once, those of the extension ``prefix`` or all (§3.5.2.1)."""
        if not isinstance(value, dict):
            raise InvalidValue(f"{op} of {prefix[:-1] or 'several attributes'} needs a value that is an object of attributes.")
        seen = set()
        for key, each in value.items():
            if key.lower() in seen:
                raise InvalidSyntax(f"The value holds {key[:100]!r} twice; names are compared without regard to case.")
            seen.add(key.lower())
            notation = prefix + key
            path = parse_path(notation) if "[" in notation else Path(notation)
            target = self._target(path)
            if target is None:
                if self.lenient:
                    continue
                raise InvalidPath(unknown(self.resource_type, notation))
            if not self._writable(target):
                self.claims.append(Claim(target, each))
                continue
            if each is None and op == "add":
                continue  # null is absent, and nothing is added
            self._at(op, path, target, each)

    def _target(self, path: Path) -> Target | None:
        """What the path names, a sub-attribute behind its filter included; None if no schema has it."""
        target = self.resource_type.resolve(path.attribute) or self._extended(path.attribute)
        if target is None or path.filter is None:
            return target
        attribute = target.attribute
        if attribute is None or target.sub or not attribute.multi_valued or attribute is SCHEMAS:
            raise InvalidPath(f"{target} has no elements that a filter in brackets could select.")
        if path.sub is None:
            return target
        sub = attribute.sub(path.sub)
        return Target(target.extension, attribute, sub) if sub else None

    def _extended(self, notation: str) -> Target | None:
        """What a name without a URN means among the extensions that the resource has by now; None if that is not one thing."""
        if ":" in notation:
            return None
        urns = [each.id for each in self.resource_type.extensions if each.id.lower() in self.schemas]
        found = [target for urn in urns if (target := self.resource_type.resolve(f"{urn}:{notation}")) is not None]
        return found[0] if len(found) == 1 else None

    def _writable(self, target: Target) -> bool:
        return target.attribute is None or writable(target.attribute, target.sub)

    def _at(self, op: str, path: Path, target: Target, value: Any) -> None:
        """One operation on one target."""
        attribute = target.attribute
        if not self._writable(target):
            raise MutabilityError(f"{target} cannot be written: the server sets it.")
        if value is MISSING and op != "remove":
            raise InvalidValue(f"{op} of {target} needs a value.")
        if value is None and op == "add":
            raise InvalidValue(f"{target} cannot be added without a value: it is null.")
        if target.extension is not None and op != "remove":
            self.schemas_after = self.schemas_after | {target.extension.lower()}
        if attribute is None:
            self._extension(op, target, value)
        elif attribute is SCHEMAS:
            self._schemas(op, value)
        elif attribute is self.layout.members:
            self._members(op, path, target, attribute, value)
        elif not (attribute.shown and target.leaf.shown):
            if op != "remove":  # what nobody is ever shown is taken and dropped
                hold_to_type(target.leaf if attribute.shown else attribute, value, str(target), lenient=self.lenient)
        else:
            self._document(op, path, target, attribute, value)

    def _extension(self, op: str, target: Target, value: Any) -> None:
        if op == "remove" or value is None or value == []:
            self.steps.append(Step("remove", target))
            self.schemas_after = self.schemas_after - {f"{target.extension}".lower()}
        else:
            self._attributes(op, value, f"{target.extension}:")

    def _schemas(self, op: str, value: Any) -> None:
        """``schemas`` follows from the content, so nothing is changed but what later operations mean; and nonsense is refused."""
        if op == "remove":
            raise MutabilityError("schemas cannot be removed: it follows from the attributes that have values.")
        urns = value if isinstance(value, list) else [value]
        if not all(isinstance(urn, str) for urn in urns):
            raise InvalidValue("schemas must be an array of URNs.")
        self.schemas_after = {urn.lower() for urn in urns} | (self.schemas_after if op == "add" else set())
        if self.lenient:
            return
        base = self.resource_type.schema.id
        if strange := {urn.lower() for urn in urns} - urns_of(self.resource_type):
            raise InvalidValue(f"{self.resource_type.name} has no schema {min(strange)[:200]!r}.")
        if op == "replace" and base.lower() not in (urn.lower() for urn in urns):
            raise MutabilityError(f"schemas must keep {base}.")

    def _members(self, op: str, path: Path, target: Target, attribute: Attribute, value: Any) -> None:
        if target.sub:
            raise MutabilityError(f"{target} cannot be written: members are added and removed whole.")
        if path.filter is not None:
            if op != "remove":
                raise MutabilityError(
                    f"What {attribute.name}[...] selects can be removed only; members are added at the path {attribute.name}."
                )
            where = path.filter
            if isinstance(where, Compare) and where.op == "eq" and where.path.lower() == "value" and isinstance(where.value, str):
                self.members.append(RemoveMembers((where.value,)))
            else:
                self.members.append(RemoveMembersWhere(bind_element(where, self.resource_type, target)))
            return
        if op == "remove" and (value is MISSING or value is None):
            self.members.append(ReplaceMembers(()))
            return
        ids = member_ids(attribute, value, lenient=self.lenient, single=True)
        if len(ids) > MAX_MEMBERS:
            raise TooLarge(f"One operation may name at most {MAX_MEMBERS} members, not {len(ids)}: send the others in another.")
        if op == "replace":
            self.members.append(ReplaceMembers(ids))
        elif ids:
            self.members.append(AddMembers(ids) if op == "add" else RemoveMembers(ids))

    def _document(self, op: str, path: Path, target: Target, attribute: Attribute, raw: Any) -> None:
        where, described = None, None
        if path.filter is not None:
            if op == "add" and not attribute.is_complex:
                raise InvalidPath(f"What {target}[...] selects can be replaced or removed; values are added at the path {target}.")
            where = bind_element(path.filter, self.resource_type, Target(target.extension, element_of(attribute)))
            described = _described(path.filter, attribute)
        elif target.sub and attribute.multi_valued:
            raise NoTarget(f"{target} does not say which of {attribute.name} is meant: use {attribute.name}[...].{target.sub.name}.")
        leaf, name = target.leaf, str(target)
        if op == "remove":
            if leaf.required and (where is None or target.sub):
                raise MutabilityError(f"{name} is required, so it cannot be removed.")
            value: Any = MISSING
            if raw is not MISSING and raw is not None and leaf.multi_valued and (where is None or target.sub):
                # Only these go. Without any, nothing does: never all because none was named.
                value = canonical(leaf, raw, name, lenient=self.lenient, single=True) or []
        elif where is not None and target.sub is None and attribute.is_complex:
            value = self._parts(attribute, raw, name)
            if value is not None and not any(each is not None for each in value.values()):
                value = None
        elif leaf.is_complex and not leaf.multi_valued:
            value = self._parts(leaf, raw, name)
        else:
            value = canonical(leaf, raw, name, lenient=self.lenient, single=True)
        if value is None:
            if op == "add":
                return  # nothing in it, nothing to add
            if leaf.required and (where is None or target.sub):
                raise MutabilityError(f"{name} is required, so it cannot be without a value.")
            op, value = "remove", MISSING
        elif op != "remove" and not leaf.is_complex:
            demand(leaf, value, name)
        self.steps.append(Step(op, target, value, where, described))

    def _parts(self, attribute: Attribute, raw: Any, name: str) -> dict[str, Any] | None:
        return None if raw is None or raw == [] else parts(attribute, raw, name, lenient=self.lenient)


def _described(filter: Filter, attribute: Attribute) -> dict[str, Any] | None:
    """The element that a filter of ``eq`` and ``and`` alone describes; None for any other filter."""
    result: dict[str, Any] = {}
    for term in filter.terms if isinstance(filter, And) else (filter,):
        if not isinstance(term, Compare) or term.op != "eq":
            return None
        sub = attribute.sub(term.path)
        if sub is None or not writable(attribute, sub):
            return None
        try:
            value = canonical(sub, term.value, sub.name, lenient=True, single=True)
        except InvalidValue:
            return None
        if value is None or result.get(sub.name, value) != value:
            return None
        result[sub.name] = value
    return result
