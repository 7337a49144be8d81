"""A person whom a directory vouches for becomes a user of the tenant.

A person is a directory and an object id in it (``tid``, ``oid``), never an e-mail address or a name. Which user that is:

    link         the person signed in before
    externalId   a SCIM client gave the user the person's object id
    userName     only if the tenant allows it, and the name is in a verified domain of the tenant; a user whom nobody is linked to
    created      nobody has the name: a new user, kept by sign-ins until a SCIM client writes it

Whom SCIM has deactivated or removed does not come in, and is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim_server.access.roles import Decision
from scim_server.access.standing import NOT_ALLOWED, settle
from scim_server.events import Authentication, Change, IdentityLinked, UserChangedAtSignIn, UserCreatedAtSignIn
from scim_server.scim.changes import differences
from scim_server.scim.documents import Document
from scim_server.scim.resources import Resource, accept
from scim_server.scim.schemas import USER
from scim_server.store.documents import is_active
from scim_server.store.identity_links import IdentityLink
from scim_server.store.unit import Unit
from scim_server.store.users import SIGN_IN

LINK, EXTERNAL_ID, USER_NAME, CREATED = "link", "externalId", "userName", "created"

INACTIVE, REMOVED, NAME_TAKEN = "user_inactive", "user_removed", "name_taken"


@dataclass(frozen=True, slots=True)
class Person:
    """Who a directory says it is. ``claims`` is what is kept of that, with the person's groups (object ids) under ``groups``.

    ``name_is_ours``: the name is in a verified domain of the tenant.
    """

    directory_id: str
    tid: str
    oid: str
    sub: str
    user_name: str
    name_is_ours: bool
    claims: Mapping[str, Any]


class NotAdmitted(Exception):
    """The person does not come in. ``groups`` are those of which one would let him in, by name where it is known.

    ``user_id``: whom it would have been.
    """

    def __init__(self, reason: str, user_id: str | None = None, groups: tuple[str, ...] = (), group_ids: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.user_id = user_id
        self.groups = groups
        self.group_ids = group_ids


@dataclass(frozen=True, slots=True)
class Arrival:
    user: Resource
    link: IdentityLink
    decision: Decision


def arrive(unit: Unit, person: Person, authentication: Authentication, *, link_by_user_name: bool) -> Arrival:
    """The user that the person is, in good standing. Raises NotAdmitted: then nothing of it may last; or Taken, if somebody was faster."""
    link = unit.links.find(person.tid, person.oid)
    user = unit.users.lock(link.user_id) if link else None
    if link is not None and user is None:  # removed; perhaps provisioned again since
        unit.links.end(link.id)
        link = None
    if user is None:
        user, how = _find(unit, person, link_by_user_name=link_by_user_name) or (_create(unit, person), CREATED)
    else:
        how = LINK
    if not is_active(user.document):
        raise NotAdmitted(INACTIVE, user.id)
    if link is None:
        link = unit.links.add(user.id, person.directory_id, person.tid, person.oid, person.sub, how, person.claims)
        unit.events.append(IdentityLinked(user.id, link.id, how, authentication))
    else:
        unit.links.note(link.id, person.claims)
    if how != CREATED:
        user = _update(unit, user, person)
    decision = settle(unit, user.id, person.claims.get("groups", ()), "signed_in")
    if not decision.allowed:
        names = tuple(each.group_name or each.group for each in decision.missing)
        raise NotAdmitted(NOT_ALLOWED, user.id if how != CREATED else None, names, tuple(each.group for each in decision.missing))
    return Arrival(user, link, decision)


def _find(unit: Unit, person: Person, *, link_by_user_name: bool) -> tuple[Resource, str] | None:
    """The user whom the person is found to be, and by what. Raises NotAdmitted where there must not be a new one."""
    provisioned = unit.users.of_person(person.oid)
    if provisioned is not None:
        user_id, removed = provisioned
        user = None if removed else unit.users.lock(user_id)
        if user is None:
            raise NotAdmitted(REMOVED, user_id)
        return user, EXTERNAL_ID
    named = unit.users.named(person.user_name)
    user = unit.users.lock(named) if named else None
    if user is None:
        return None
    if user.document.get("externalId") == person.oid:  # made since it was looked for: by another tab, by a SCIM client
        return user, EXTERNAL_ID
    if not (link_by_user_name and person.name_is_ours) or unit.links.of_user(user.id) is not None:
        raise NotAdmitted(NAME_TAKEN, user.id)
    return user, USER_NAME


def _create(unit: Unit, person: Person) -> Resource:
    body = {"schemas": [USER], "userName": person.user_name, "externalId": person.oid, "active": True, **_said(person)}
    user = unit.users.insert(accept(unit.users.type, body, lenient=True, whole=False).document, SIGN_IN)
    unit.events.append(UserCreatedAtSignIn(user.id, user.version, user.document))
    return user


def _update(unit: Unit, user: Resource, person: Person) -> Resource:
    """Of a user whom sign-ins keep, what the directory says now; of one whom SCIM keeps, only what it has left open."""
    source = unit.users.source(user.id)
    said = _said(person)
    if source == SIGN_IN:
        document = {**user.document, **said}
        if unit.users.named(person.user_name) in (None, user.id):
            document["userName"] = person.user_name
    else:
        document = {**({"displayName": said["displayName"]} if "displayName" in said else {}), **user.document}
    changed = accept(user.type, document, lenient=True, current=user.document, whole=False).document
    changes = [Change(*difference) for difference in differences(user.type, user.document, changed)]
    if not changes:
        return user
    updated = unit.users.update(user, changed, source or SIGN_IN)
    unit.events.append(UserChangedAtSignIn(updated.id, updated.version, changes))
    return updated


def _said(person: Person) -> Document:
    """The attributes of a user that the directory said something of."""
    said: Document = {}
    if name := person.claims.get("name"):
        said["displayName"] = name
    if email := person.claims.get("email"):
        said["emails"] = [{"value": email, "type": "work", "primary": True}]
    return said
