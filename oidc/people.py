"""Who somebody is, by what an ID token says of him; and in which groups he is."""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import replace
from typing import Any

from oidc import tickets
from oidc.groups import Absent, Graph, Groups, Inline, Overage
from oidc.provider import Tokens
from oidc.tokens import Claims
from scim_server.access.arrival import Person
from scim_server.access.roles import asks_the_directory
from scim_server.events import Authentication, Scope
from scim_server.store.unit import Store
from scim_server.tenancy.directories import Directory

_UTI = re.compile(r"[A-Za-z0-9_-]{22}")


def groups_of(
    said: Groups, tokens: Tokens, directory: Directory, graph: Graph, store: Store, scope: Scope, about: Authentication
) -> frozenset[str] | None:
    """The groups of somebody whose ID token says so, or does not; then Graph does, if a rule depends on it. None if none does.

    Raises GroupsUnavailable.
    """
    match said:
        case Inline(ids):
            return ids
        case Absent():
            with store.read(scope) as unit:
                if not asks_the_directory(unit.rules.all()):
                    return None
        case Overage():
            pass
    return graph.groups_of_me(directory, tokens.access_token, about.correlation_id or "")


def user_name_of(claims: Claims) -> str:
    """What a new user is called: names that people are shown by, or the object id if there is none."""
    return claims.preferred_username or claims.upn or claims.email or claims.oid


def person_of(claims: Claims, directory: Directory, groups: frozenset[str] | None, *, name_is_ours: bool) -> Person:
    """What ``access`` needs to know of a person, and what is kept of the claims."""
    said: dict[str, Any] = {
        name: value
        for name in ("name", "preferred_username", "upn", "email", "acct", "auth_time", "uti", "sid")
        if (value := getattr(claims, name)) is not None
    }
    said["groups"] = sorted(groups or ())
    said["groups_known"] = groups is not None
    return Person(directory.id, claims.tid, claims.oid, claims.sub, user_name_of(claims), name_is_ours, said)


def joined(uti: str | None) -> str | None:
    """A token's ``uti`` as the directory's sign-in log has it, its Request ID: the same 16 bytes, written as a GUID the way .NET does."""
    if uti is None or not _UTI.fullmatch(uti):
        return None
    return str(uuid.UUID(bytes_le=base64.urlsafe_b64decode(uti + "==")))


def about_person(about: Authentication, claims: Claims) -> Authentication:
    """The same, and what the token says that joins it with the directory's log."""
    return replace(
        about,
        tid=claims.tid,
        oid=claims.oid,
        sub=tickets.digest(claims.sub).hex(),
        uti=claims.uti,
        request_id=joined(claims.uti),
        sid=claims.sid,
    )
