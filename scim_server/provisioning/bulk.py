"""Bulk: many operations in one request, each a transaction of its own with events of its own (RFC 7644 §3.7).

They are done in the order in which they came, except that an operation waits for those it refers to. Those that wait for each other are
done in one transaction: made without what refers to those that are not there yet, then completed (§3.7.1). If one of them fails, none
is done, since what refers to a failed operation cannot be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scim_server import log
from scim_server.events import Scope
from scim_server.provisioning.failures import refusal
from scim_server.provisioning.use_cases import USE_CASES
from scim_server.scim.bulk import BulkOperation, BulkRequest, References
from scim_server.scim.bulk_order import MAX_CIRCLE, Batch, schedule
from scim_server.scim.errors import Conflict, InvalidValue, ScimError, ServerError, TryAgain
from scim_server.scim.resources import Resource
from scim_server.scim.versions import NO_PRECONDITION, Precondition
from scim_server.store.errors import Busy, StoreError, Unavailable
from scim_server.store.unit import Store, Unit

_SHOWN = 100
_CIRCULAR = (
    f"Operations need each other first, and there are more than {MAX_CIRCLE}, or it is not only as members of groups or managers of users:"
    " none was done. Make them without these references, and set these in another request."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation: ``fault`` if it failed. ``resource`` is what it made or changed; None after a DELETE.

    ``resource_id`` is that of what the operation is about, None if it is not known.
    """

    operation: BulkOperation
    resource: Resource | None = None
    resource_id: str | None = None
    fault: ScimError | None = None


def run(store: Store, scope: Scope, request: BulkRequest, *, lenient: bool) -> list[Outcome]:
    """What became of the operations that were processed, in the order in which they came.

    Raises Unavailable only if the database could not be had for the very first of them: what was done is always told.
    """
    job = _Run(store, scope, request, lenient)
    for batch in job.batches:
        if not job.process(batch):
            break
    return [job.outcomes[place] for place in sorted(job.outcomes)]


class _Run:
    """What is known of a Bulk while it is worked off. ``_ids``: what was made, by bulkId."""

    def __init__(self, store: Store, scope: Scope, request: BulkRequest, lenient: bool) -> None:
        self._store = store
        self._scope = scope
        self._request = request
        self._lenient = lenient
        self._makers = {each.bulk_id: place for place, each in enumerate(request.operations) if each.bulk_id and each.method == "POST"}
        self._references = [References(each) for each in request.operations]
        self._ids: dict[str, str] = {}
        self._errors = 0
        self.outcomes: dict[int, Outcome] = {}
        self.batches = schedule(self._references, self._makers)

    def process(self, batch: Batch) -> bool:
        """Do the operations of a batch, or none of them. Whether to go on."""
        faults = self._faults(batch)
        if not faults:
            doing = _Doing(batch, self._request.operations, self._references, self._ids, self._lenient)
            try:
                made = self._store.transact(self._scope, doing.together if batch.circular else doing.alone)
            except Exception as failure:  # of whatever kind: what was done before must be told
                faults = {doing.at: self._told(failure)}
            else:
                for place, resource in zip(batch.indexes, made, strict=True):
                    self._done(place, resource)
                return True
        cause = min(faults)
        for place in batch.indexes:
            fault = faults.get(place) or self._of_another(self._request.operations[cause].bulk_id or "")
            self.outcomes[place] = Outcome(self._request.operations[place], resource_id=self._target(place), fault=fault)
        self._errors += len(batch.indexes)
        limit = self._request.fail_on_errors
        return not (isinstance(faults[cause], TryAgain) or (limit is not None and self._errors >= limit))

    def _faults(self, batch: Batch) -> dict[int, ScimError]:
        """What is wrong with the operations of a batch before any of them is tried, by their place."""
        if not batch.possible:
            return {place: Conflict(_CIRCULAR) for place in batch.indexes}
        within = set(batch.indexes)
        result: dict[int, ScimError] = {}
        for place in batch.indexes:
            fault = self._request.operations[place].fault
            if fault is None:
                missing = [each for each in self._references[place].needs if each not in self._ids and self._makers.get(each) not in within]
                fault = self._of_another(min(missing)) if missing else None
            if fault is not None:
                result[place] = fault
        return result

    def _of_another(self, bulk_id: str) -> InvalidValue:
        reason = "was not made" if bulk_id in self._makers else "is of no POST in this Bulk"
        return InvalidValue(f"bulkId:{ascii(bulk_id[:_SHOWN])[1:-1]} {reason}, so what needs it cannot be done.")

    def _told(self, failure: Exception) -> ScimError:
        """What the client is told of a failure. Raises Unavailable if nothing was processed yet."""
        if isinstance(failure, ScimError):
            return failure
        told = refusal(failure) if isinstance(failure, StoreError) else None
        if told is not None:
            return told
        if isinstance(failure, Unavailable) and not self.outcomes:
            raise failure
        if isinstance(failure, (Busy, Unavailable)):
            log.get().warning("store_unavailable", reason=type(failure).__name__, request_id=self._scope.request_id)
            return TryAgain("The database could not be had for this operation and those that are not told here. Send them again.")
        log.get().error("unexpected", request_id=self._scope.request_id, exc_info=failure)
        return ServerError("The server failed at this operation; it was not done. Tell its operator the request id.")

    def _done(self, place: int, resource: Resource | None) -> None:
        operation = self._request.operations[place]
        if operation.method == "POST" and operation.bulk_id and resource is not None:
            self._ids[operation.bulk_id] = resource.id
        self.outcomes[place] = Outcome(operation, resource, resource.id if resource else self._target(place))

    def _target(self, place: int) -> str | None:
        references = self._references[place]
        return references.resolve(self._ids).resource_id if references.target <= self._ids.keys() else None


class _Doing:
    """The operations of a batch as a use case. ``at`` is the place of the one that is being done."""

    def __init__(
        self,
        batch: Batch,
        operations: Sequence[BulkOperation],
        references: Sequence[References],
        ids: dict[str, str],
        lenient: bool,
    ) -> None:
        self._places = batch.indexes
        self._operations = operations
        self._references = references
        self._known = ids
        self._lenient = lenient
        self.at = batch.indexes[0]

    def alone(self, unit: Unit) -> list[Resource | None]:
        operation = self._references[self.at].resolve(self._known)
        assert operation.resource_type is not None
        use_cases, body, resource_id = USE_CASES[operation.resource_type.name], operation.body or {}, operation.resource_id or ""
        precondition = Precondition(if_match=operation.version) if operation.version is not None else NO_PRECONDITION
        match operation.method:
            case "POST":
                return [use_cases.create(unit, body, lenient=self._lenient)]
            case "PUT":
                return [use_cases.replace(unit, resource_id, body, lenient=self._lenient, precondition=precondition)]
            case "PATCH":
                return [use_cases.patch(unit, resource_id, body, lenient=self._lenient, precondition=precondition)]
            case _:
                use_cases.delete(unit, resource_id, precondition=precondition)
                return [None]

    def together(self, unit: Unit) -> list[Resource | None]:
        """POSTs that wait for each other."""
        ids = dict(self._known)
        made: dict[int, Resource] = {}
        incomplete = []
        for place in self._places:
            self.at = place
            operation, references = self._references[place].resolve(ids), self._references[place]
            assert operation.resource_type is not None
            assert operation.bulk_id is not None
            use_cases, body = USE_CASES[operation.resource_type.name], operation.body or {}
            if missing := references.needs - ids.keys():
                incomplete.append(place)
                body = references.without(missing)
            made[place] = use_cases.create(unit, body, lenient=self._lenient)
            use_cases.read(unit, made[place].id, links=False)  # what the database has against it comes out here, not at a later operation
            ids[operation.bulk_id] = made[place].id
        for place in incomplete:
            self.at = place
            operation = self._references[place].resolve(ids)
            assert operation.resource_type is not None
            use_cases, body = USE_CASES[operation.resource_type.name], operation.body or {}
            made[place] = use_cases.replace(unit, made[place].id, body, lenient=self._lenient, precondition=NO_PRECONDITION)
        return [made[place] for place in self._places]
