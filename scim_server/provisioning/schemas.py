"""Schemas of a tenant's own: add, change, remove; never under the feet of values that are there.

What a change means is found out from the values themselves (``scim.revisions``): whether each still fits, is found by another key,
would be missing, or would be there twice where it is to be unique. What does not fit stops the change, unless the operator says
what is to become of it. All of it is one transaction, in which nobody else writes a user or a group of the tenant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from scim_server.events import Change, GroupValuesDropped, SchemaAdded, SchemaChanged, SchemaRemoved, UserValuesDropped
from scim_server.scim import definitions, resources, revisions
from scim_server.scim.changes import Difference, differences
from scim_server.scim.definitions import InvalidDefinition
from scim_server.scim.documents import schemas_of
from scim_server.scim.schemas import Extension, ResourceType, Types
from scim_server.store.documents import unique_values
from scim_server.store.unique_values import notation
from scim_server.store.unit import Unit

LOST, MISSING, TWICE = "would be lost", "is missing", "is not unique"
"""What can be wrong with values, or the lack of them, under another schema."""

SHOWN = 5
"""Of the resources that something is wrong with, so many are named."""


@dataclass
class Finding:
    """Something that is wrong with ``count`` resources, of which ``ids`` are some."""

    attribute: str
    problem: str
    count: int = 0
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What becomes, or became, of a schema: of the resources that have values under it, how many lose some, or are found anew."""

    extension: Extension
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...] = ()
    dropped: int = 0
    found_anew: int = 0


class Refused(Exception):
    """Values are in the way, and nobody has said what is to become of them."""

    def __init__(self, outcome: Outcome, findings: Collection[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.outcome = outcome
        self.findings = tuple(findings)


class NotThere(Exception):
    """The tenant has no such schema."""


class OtherThere(Exception):
    """The tenant has another schema of that URN, or extends another resource type by it."""

    def __init__(self, present: Extension) -> None:
        super().__init__(present.schema.id)
        self.present = present


def add(unit: Unit, extension: Extension, *, accept_missing: bool) -> Outcome:
    """The tenant has one more schema. If it has that very one already, nothing is changed.

    Raises OtherThere, InvalidDefinition where the URN cannot stand beside those that there are, and Refused: live resources lack
    what would be required of them, and ``accept_missing`` does not say that they may until somebody writes them.
    """
    present = unit.schemas.lock()
    known = _named(present, extension.schema.id)
    if known is not None:
        if known.resource_type == extension.resource_type and not revisions.differences(known, extension):
            return Outcome(known, ())
        raise OtherThere(known)
    if len(present) >= definitions.MAX_EXTENSIONS:
        raise InvalidDefinition([f"The tenant has {len(present)} schemas of its own already, and cannot have more."])
    definitions.beside(extension.schema, (each.schema.id for each in present))
    outcome = look(unit, None, extension)
    _refuse(outcome, drop_values=False, accept_missing=accept_missing)
    unit.schemas.put(extension, is_new=True)
    unit.events.append(SchemaAdded(extension.schema.id, extension.resource_type, _changes(outcome)))
    return outcome


def change(unit: Unit, extension: Extension, *, drop_values: bool, accept_missing: bool) -> Outcome:
    """A schema of the tenant becomes another one of the same URN. Values that do not fit it any more go, if ``drop_values``.

    Raises NotThere, OtherThere (of another resource type), and Refused.
    """
    old = _known(unit.schemas.lock(), extension.schema.id)
    if (old.resource_type, old.schema.id) != (extension.resource_type, extension.schema.id):
        raise OtherThere(old)
    before = _type(unit.types, old)
    outcome = look(unit, old, extension)
    if not outcome.differences:
        return outcome
    _refuse(outcome, drop_values=drop_values, accept_missing=accept_missing)
    unit.schemas.put(extension, is_new=False)
    dropped, found_anew = _bring_over(unit, before, old, extension) if revisions.concerns_values(old, extension) else (0, 0)
    unit.events.append(SchemaChanged(extension.schema.id, extension.resource_type, _changes(outcome), dropped))
    return Outcome(extension, outcome.differences, outcome.findings, dropped, found_anew)


def remove(unit: Unit, urn: str, *, drop_values: bool) -> Outcome:
    """The tenant has that schema no more; values under it go, if ``drop_values``. Raises NotThere, and Refused."""
    old = _known(unit.schemas.lock(), urn)
    before = _type(unit.types, old)
    outcome = look(unit, old, None)
    _refuse(outcome, drop_values=drop_values, accept_missing=False)
    unit.schemas.remove(old.schema.id)
    dropped, found_anew = _bring_over(unit, before, old, None)
    unit.events.append(SchemaRemoved(old.schema.id, old.resource_type, _changes(outcome), dropped))
    return Outcome(old, outcome.differences, outcome.findings, dropped, found_anew)


def look(unit: Unit, old: Extension | None, new: Extension | None) -> Outcome:
    """What the change would mean, found out without changing anything. It reads what is held under the schema once."""
    extension = new or old
    assert extension is not None
    urn, before, after = extension.schema.id, _type(unit.types, extension), _type(Types.extended([new] if new else []), extension)
    findings = _Findings()
    dropped = found_anew = 0
    if revisions.concerns_values(old, new):
        for held in unit.schemas.holders(before, urn):
            fit = revisions.fit(new.schema if new else None, held.document[urn], urn)
            findings.note(LOST, held.id, *fit.lost)
            findings.note(MISSING, held.id, *fit.missing)
            keys = resources.keys(after, {**held.document, urn: fit.values})
            findings.compare(held.id, unique_values(after, keys))
            dropped += bool(fit.lost)
            found_anew += not fit.lost and keys.get(urn) != resources.keys(before, held.document).get(urn)
    if new is not None and new.required and not (old is not None and old.required):
        for held in unit.schemas.holders(before, urn, having=False):
            findings.note(MISSING, held.id, urn)
    return Outcome(extension, revisions.differences(old, new), findings.all(), dropped, found_anew)


class _Findings:
    """Gathers what is wrong, and with how many."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}
        self._first: dict[tuple[str, str], str | None] = {}

    def note(self, problem: str, resource_id: str, *attributes: str) -> None:
        for attribute in attributes:
            found = self._found.setdefault((problem, attribute), Finding(attribute, problem))
            found.count += 1
            if len(found.ids) < SHOWN:
                found.ids.append(resource_id)

    def compare(self, resource_id: str, values: dict[str, set[str]]) -> None:
        """Note whoever has a value that somebody has who was looked at before; and that one, too."""
        for way, keys in values.items():
            sharing = [key for key in keys if self._first.setdefault((way, key), resource_id) != resource_id]
            for key in sharing:
                if first := self._first[way, key]:
                    self.note(TWICE, first, notation(way))
                    self._first[way, key] = None
            if sharing:
                self.note(TWICE, resource_id, notation(way))

    def all(self) -> tuple[Finding, ...]:
        return tuple(self._found.values())


def _bring_over(unit: Unit, before: ResourceType, old: Extension, new: Extension | None) -> tuple[int, int]:
    """Make of all that is held under the old schema what it is under the new one: of how many values went, how many are found anew."""
    urn, after = old.schema.id, _type(unit.types, old)
    dropped = found_anew = 0
    for held in unit.schemas.holders(before, urn, locked=True):
        fit = revisions.fit(new.schema if new else None, held.document[urn], urn)
        if not fit.lost:
            found_anew += unit.schemas.find_anew(before, after, held)
            continue
        document = {name: value for name, value in held.document.items() if name != urn} | ({urn: fit.values} if fit.values else {})
        document["schemas"] = schemas_of(after, document)
        version = unit.schemas.rewrite(before, after, held, document)
        changes = [Change(*difference) for difference in differences(before, held.document, document)]
        unit.events.append((UserValuesDropped if after.name == unit.types.user.name else GroupValuesDropped)(held.id, version, changes))
        dropped += 1
    return dropped, found_anew


def _refuse(outcome: Outcome, *, drop_values: bool, accept_missing: bool) -> None:
    said = {LOST} if drop_values else set()
    said |= {MISSING} if accept_missing else set()
    in_the_way = [each for each in outcome.findings if each.problem not in said]
    if in_the_way:
        raise Refused(outcome, in_the_way)


def _changes(outcome: Outcome) -> list[Change]:
    return [Change(*each) for each in outcome.differences]


def _known(present: Collection[Extension], urn: str) -> Extension:
    found = _named(present, urn)
    if found is None:
        raise NotThere(urn)
    return found


def _named(present: Collection[Extension], urn: str) -> Extension | None:
    return next((each for each in present if each.schema.id.lower() == urn.lower()), None)


def _type(types: Types, extension: Extension) -> ResourceType:
    found = types.named(extension.resource_type)
    assert found is not None
    return found
