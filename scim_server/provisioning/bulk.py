"""Bulk: many operations in one request, each a transaction of its own with events of its own (RFC 7644 §3.7).

They are done in the order in which they came, except that an operation waits for those it refers to. Where some wait for each other
one of them is made without what it lacks, and completed when the others are there (§3.7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.events import Scope
from scim_server.provisioning.failures import refusal
from scim_server.provisioning.use_cases import USE_CASES
from scim_server.scim.bulk import BulkOperation, BulkRequest, postpone, references, resolve
from scim_server.scim.errors import InvalidValue, ScimError, TryAgain
from scim_server.scim.resources import Resource
from scim_server.scim.versions import NO_PRECONDITION, Precondition
from scim_server.store.errors import Busy, StoreError, Unavailable
from scim_server.store.unit import Store, Unit


@dataclass
class Outcome:
    """What became of an operation: ``fault`` if it failed. ``resource`` is what it made or changed; None after a DELETE."""

    operation: BulkOperation
    resource: Resource | None = None
    fault: ScimError | None = None


def run(store: Store, scope: Scope, request: BulkRequest, *, lenient: bool) -> list[Outcome]:
    """What became of the operations that were processed, in the order in which they came.

    Raises Unavailable only if the database could not be had for the very first of them: what was done is always told.
    """
    return _Run(store, scope, request, lenient).all()


class _Stop(Exception):
    """No operation is to be processed any more."""


class _Run:
    def __init__(self, store: Store, scope: Scope, request: BulkRequest, lenient: bool) -> None:
        self._store = store
        self._scope = scope
        self._request = request
        self._lenient = lenient
        self._outcomes: dict[int, Outcome] = {}
        self._ids: dict[str, str] = {}
        self._by_bulk_id = {each.bulk_id: place for place, each in enumerate(request.operations) if each.bulk_id and each.method == "POST"}
        self._needs = [references(each) if each.fault is None else set() for each in request.operations]
        self._unfinished: dict[int, dict[str, Any]] = {}
        self._errors = 0

    def all(self) -> list[Outcome]:
        try:
            for place in range(len(self._request.operations)):
                self._reach(place)
        except _Stop:
            pass
        for place in list(self._unfinished):
            self._complete(place)
        return [self._outcomes[place] for place in sorted(self._outcomes)]

    def _reach(self, start: int) -> None:
        """Process an operation, and before it what it waits for."""
        path = [start]
        while path:
            place = path[-1]
            if place in self._outcomes:
                path.pop()
                continue
            waiting = [self._by_bulk_id[each] for each in sorted(self._needs[place]) if self._is_ahead(each)]
            ahead = next((each for each in waiting if each not in path), None)
            if ahead is not None:
                path.append(ahead)
                continue
            self._process(place, [each for each in self._needs[place] if self._is_ahead(each)])
            path.pop()
            self._complete_what_can_be()

    def _is_ahead(self, bulk_id: str) -> bool:
        """Whether that operation has not been processed yet."""
        place = self._by_bulk_id.get(bulk_id)
        return place is not None and place not in self._outcomes

    def _process(self, place: int, missing: Sequence[str]) -> None:
        """Do one operation, without what refers to others that wait for it (``missing``)."""
        operation = self._request.operations[place]
        outcome = self._outcomes[place] = Outcome(operation, fault=operation.fault)
        if outcome.fault is None:
            try:
                self._check(place, missing)
                later = None
                if missing:
                    operation, later = postpone(operation, missing)
                outcome.resource = self._do(resolve(operation, self._ids))
                if later is not None:
                    self._unfinished[place] = later
            except ScimError as fault:
                outcome.fault = fault
        if outcome.fault is not None:
            self._failed(outcome)
        elif operation.method == "POST" and operation.bulk_id and outcome.resource:
            self._ids[operation.bulk_id] = outcome.resource.id

    def _check(self, place: int, missing: Sequence[str] = ()) -> None:
        """Raise InvalidValue if a reference leads nowhere."""
        for each in sorted(self._needs[place]):
            if each not in self._ids and each not in missing:
                reason = "was not made" if each in self._by_bulk_id else "is of no operation in this Bulk"
                raise InvalidValue(f"bulkId:{each[:100]} {reason}, so what refers to it cannot be done.")

    def _complete_what_can_be(self) -> None:
        for place in list(self._unfinished):
            if not any(self._is_ahead(each) for each in self._needs[place]):
                self._complete(place)

    def _complete(self, place: int) -> None:
        """Add what was left out, now that it is there; if it will never be, take back what was made."""
        later, outcome = self._unfinished.pop(place), self._outcomes[place]
        made = outcome.resource
        assert made is not None
        patch = BulkOperation("PATCH", None, made.type, made.id, later)
        try:
            self._check(place)
            outcome.resource = self._do(resolve(patch, self._ids))
        except ScimError as fault:
            outcome.fault, outcome.resource = fault, None
            self._ids.pop(outcome.operation.bulk_id or "", None)
            self._do(BulkOperation("DELETE", None, made.type, made.id))
            self._failed(outcome, stop=False)

    def _failed(self, outcome: Outcome, *, stop: bool = True) -> None:
        self._errors += 1
        limit = self._request.fail_on_errors
        if stop and (isinstance(outcome.fault, TryAgain) or (limit is not None and self._errors >= limit)):
            raise _Stop

    def _do(self, operation: BulkOperation) -> Resource | None:
        """Carry out an operation whose references are resolved. Raises ScimError, whoever refused."""
        try:
            return self._store.transact(self._scope, lambda unit: self._use_case(unit, operation))
        except StoreError as failure:
            told = refusal(failure)
            if told is not None:
                raise told from failure
            if not isinstance(failure, (Busy, Unavailable)) or (isinstance(failure, Unavailable) and len(self._outcomes) <= 1):
                raise
            raise TryAgain(
                "The database could not be had for this operation and those that are not told here. Send them again."
            ) from failure

    def _use_case(self, unit: Unit, operation: BulkOperation) -> Resource | None:
        assert operation.resource_type is not None
        use_cases, body, resource_id = USE_CASES[operation.resource_type.name], operation.body or {}, operation.resource_id or ""
        precondition = Precondition(if_match=operation.version) if operation.version is not None else NO_PRECONDITION
        match operation.method:
            case "POST":
                return use_cases.create(unit, body, lenient=self._lenient)
            case "PUT":
                return use_cases.replace(unit, resource_id, body, lenient=self._lenient, precondition=precondition)
            case "PATCH":
                return use_cases.patch(unit, resource_id, body, lenient=self._lenient, precondition=precondition)
            case _:
                use_cases.delete(unit, resource_id, precondition=precondition)
                return None
