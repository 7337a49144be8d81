"""Users: create, read, search, replace, patch, delete."""

from __future__ import annotations

from typing import Any

from scim_server.access import departure
from scim_server.events import Change, UserAdopted, UserChanged, UserCreated, UserDeleted
from scim_server.scim import patch as scim_patch
from scim_server.scim.changes import differences
from scim_server.scim.errors import NotFound
from scim_server.scim.matching import Bound
from scim_server.scim.ordering import Order
from scim_server.scim.paging import Paging
from scim_server.scim.resources import Document, Resource, accept, represent
from scim_server.scim.versions import NO_PRECONDITION, Precondition
from scim_server.store.documents import is_active
from scim_server.store.unit import Page, Unit


def create(unit: Unit, body: dict[str, Any], *, lenient: bool) -> Resource:
    """A new user from the body of a POST; or one that a sign-in made before, and that is this client's from now on."""
    document = accept(unit.users.type, body, lenient=lenient).document
    known = unit.users.unclaimed(document)
    made = unit.users.lock(known) if known else None
    if made is not None:
        return _adopt(unit, made, body, lenient=lenient)
    user = unit.users.insert(document)
    unit.events.append(UserCreated(user.id, user.version, user.document))
    return user


def read(unit: Unit, user_id: str, *, links: bool) -> Resource:
    """The user, disabled or not; with the groups if ``links``."""
    return _found(unit.users.get(user_id, groups=links), user_id)


def search(unit: Unit, where: Bound | None, order: Order | None, paging: Paging, *, links: bool) -> Page:
    """One page of the users that satisfy the filter, in that order, or oldest first."""
    return unit.users.find(where, paging.start_index, paging.count, groups=links, order=order, after=paging.after, total=paging.total)


def replace(unit: Unit, user_id: str, body: dict[str, Any], *, lenient: bool, precondition: Precondition = NO_PRECONDITION) -> Resource:
    """The user as the body of a PUT says; what it leaves out is cleared, except ``active``."""
    user = _locked(unit, user_id, precondition)
    return _become(unit, user, accept(unit.users.type, body, lenient=lenient, current=user.document).document)


def patch(unit: Unit, user_id: str, body: dict[str, Any], *, lenient: bool, precondition: Precondition = NO_PRECONDITION) -> Resource:
    """The user with all operations of a PatchOp message applied, or as it was."""
    user = _locked(unit, user_id, precondition)
    plan = scim_patch.plan(user.type, scim_patch.parse(body), lenient=lenient, schemas=user.document["schemas"])
    if plan.claims:
        shown = user if lenient else read(unit, user_id, links=True)  # of what lenient clients claim, only the id is looked at
        scim_patch.check_claims(plan.claims, represent(shown, unit.base_url), lenient=lenient)
    return _become(unit, user, scim_patch.apply(user.type, user.document, plan.document, lenient=lenient))


def delete(unit: Unit, user_id: str, *, precondition: Precondition = NO_PRECONDITION) -> None:
    """End the user: gone for every request, the userName free again, the history kept."""
    user = _locked(unit, user_id, precondition)
    groups = unit.users.end(user_id)
    departure.leave(unit, user_id, departure.REMOVED)
    unit.events.append(UserDeleted(user.id, user.version, user.document, groups))


def _become(unit: Unit, user: Resource, document: Document) -> Resource:
    """Store the new state and its event. No change leaves version, lastModified and the log alone."""
    changes = [Change(*difference) for difference in differences(user.type, user.document, document)]
    if not changes:
        return user
    changed = unit.users.update(user, document)
    unit.events.append(UserChanged(changed.id, changed.version, changes))
    _if_deactivated(unit, user, changed)
    return changed


def _adopt(unit: Unit, user: Resource, body: dict[str, Any], *, lenient: bool) -> Resource:
    """Whoever signs in before he is provisioned is one user, not two: what the client sends replaces what the sign-in knew."""
    document = accept(unit.users.type, body, lenient=lenient, current=user.document).document
    adopted = unit.users.update(user, document)
    changes = [Change(*difference) for difference in differences(user.type, user.document, document)]
    unit.events.append(UserAdopted(adopted.id, adopted.version, changes))
    _if_deactivated(unit, user, adopted)
    return adopted


def _if_deactivated(unit: Unit, before: Resource, after: Resource) -> None:
    """Whoever is not active any more is out, in this transaction."""
    if is_active(before.document) and not is_active(after.document):
        departure.leave(unit, after.id, departure.DEACTIVATED)


def _locked(unit: Unit, user_id: str, precondition: Precondition) -> Resource:
    """The user, to be changed. NotFound before anything else is judged, then PreconditionFailed."""
    user = _found(unit.users.lock(user_id), user_id)
    precondition.check(user.version)
    return user


def _found(user: Resource | None, user_id: str) -> Resource:
    if user is None:
        raise NotFound(f"There is no user with the id {user_id[:64]!r}.")
    return user
