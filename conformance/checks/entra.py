"""Microsoft Entra ID: the tests of Microsoft's SCIM Validator, rebuilt as checks from its captured traffic.

Levels: MUST where the RFCs demand it anyway; SHOULD where only Entra does. Here is what its tests have in common, and its connection test;
`entra_users` and `entra_groups` are the validator's tests, `entra_dialects` the two dialects of Entra's PATCH.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from conformance.checker.answer import MISSING, Answer, Document, at
from conformance.checker.evidence import shown
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, Level, Run, check
from conformance.checker.urns import ENTERPRISE, GROUP, USER

FILTER = ("filter",)


def validator(id: str, number: str, level: Level, *requirements: str, needs: tuple[str, ...] = ()) -> Callable[[Run], Run]:
    """`check` for a test of the validator by its number in the captured list (P: preview)."""

    def register(run: Run) -> Run:
        return check(f"entra.{id}", level, f"Microsoft SCIM Validator, test {number}", *requirements, needs=needs)(run)

    return register


def everything(probe: Probe, word: str) -> Document:
    """A User with every attribute that Entra's default mapping knows; `word` is in every value."""
    kinds = ("work", "mobile", "fax")
    return {
        "externalId": f"{probe.tag}-{word}",
        "displayName": f"{word} display",
        "nickName": f"{word} nick",
        "title": f"{word} title",
        "userType": f"{word} type",
        "preferredLanguage": "da-DK",
        "locale": "da-DK",
        "timezone": "Europe/Copenhagen",
        "profileUrl": f"https://checks.example/{word}",
        "active": True,
        "name": {
            part: f"{word} {part}" for part in ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
        },
        "emails": [{"type": "work", "primary": True, "value": f"{probe.tag}-{word}@checks.example"}],
        "phoneNumbers": [{"type": kind, "value": f"+45 55 {place} {word}"} for place, kind in enumerate(kinds)],
        "addresses": [
            {"type": "work", "primary": True}
            | {part: f"{word} {part}" for part in ("formatted", "streetAddress", "locality", "region", "postalCode")}
            | {"country": "DK"}
        ],
        "roles": [{"primary": True, "display": f"{word} role", "value": f"{word}-role"}],
        ENTERPRISE: {part: f"{word} {part}" for part in ("employeeNumber", "costCenter", "organization", "division", "department")},
    }


def covers(came: Any, sent: Any) -> bool:
    """Whether everything that was sent is in what came; more may have come."""
    if isinstance(sent, dict):
        return isinstance(came, dict) and all(name in came and covers(came[name], value) for name, value in sent.items())
    if isinstance(sent, list):
        return isinstance(came, list) and all(any(covers(element, value) for element in came) for value in sent)
    return bool(came == sent) and isinstance(came, bool) == isinstance(sent, bool)


def comes_back(probe: Probe, answer: Answer, document: Any, sent: Document) -> None:
    """That every value that was sent is in a document, of the attributes that the server's schemas have."""
    for name, value in sent.items():
        known = probe.offer.lack("enterprise" if name == ENTERPRISE else f"User.{name}") is None
        if known or name == "externalId":
            answer.expect(covers(at(document, name), value), f"{name} = {shown(value)}", f"{name} = {shown(at(document, name))}")


def operations(document: Document) -> list[tuple[str, Any]]:
    """A document as the paths that Entra writes it with: one per simple value, elements addressed by their type (roles: primary)."""
    found: list[tuple[str, Any]] = []
    for name, value in document.items():
        if isinstance(value, list):
            for element in value:
                chosen = 'primary eq "True"' if name == "roles" else f'type eq "{element["type"]}"'
                left_out = "primary" if name == "roles" else "type"
                found += [(f"{name}[{chosen}].{part}", inner) for part, inner in element.items() if part != left_out]
        elif isinstance(value, dict):
            joint = ":" if name == ENTERPRISE else "."
            found += [(f"{name}{joint}{part}", inner) for part, inner in value.items()]
        else:
            found.append((name, value))
    return found


def collapsed(op: str, document: Document) -> list[Document]:
    """A document as the compliant dialect (aadOptscim062020) writes it: value paths singly, the rest as flat keys of one operation."""
    flat = {path: value for path, value in operations(document) if "[" not in path}
    return [{"op": op, "path": path, "value": value} for path, value in operations(document) if "[" in path] + [{"op": op, "value": flat}]


def verbose(op: str, document: Document) -> list[Document]:
    return [{"op": op, "path": path, "value": value} for path, value in operations(document)]


# -- connection -----------------------------------------------------------------------------------------------------


@check("entra.connection", MUST, "Entra, Test Connection", "S-7644-3.4.2-06", needs=FILTER)
def connection(probe: Probe) -> None:
    "Test Connection: a filter for a random userName gives 200 and an empty list, whatever the Accept header."
    for headers in ({}, {"Accept": "*/*"}):
        answer = probe.get("/Users", f"filter=userName+eq+%22{uuid.uuid4()}%22", headers)
        answer.expect(not answer.resources(), "no Resources").has(0, "totalResults")
        answer.expect(answer.document().get("Resources") == [], "Resources: []")


@check("entra.connection.groups", SHOULD, "Entra, Test Connection", "S-7644-3.4.2-06", needs=FILTER)
def connection_groups(probe: Probe) -> None:
    "A look-up at /Groups gives 200 and an empty list, also where the server has no groups."
    answer = probe.get("/Groups", f"excludedAttributes=members&filter=displayName+eq+%22{uuid.uuid4()}%22")
    answer.expect(not answer.resources(), "no Resources")


@check("entra.schemas", SHOULD, "Entra, Schema_Discoverability", "S-7643-7-13")
def schemas(probe: Probe) -> None:
    "/Schemas lists User and Group with the attributes of Entra's default mapping, spelled in camel case, without null."
    answer = probe.get("/Schemas")
    published = {str(one.get("id")): {str(at(a, "name")) for a in one.get("attributes") or []} for one in answer.resources()}
    wanted = {
        USER: {"userName", "active", "displayName", "title", "emails", "preferredLanguage", "name", "addresses", "phoneNumbers"},
        ENTERPRISE: {"employeeNumber", "department", "manager"},
        GROUP: {"displayName", "members"},
    }
    for urn, names in wanted.items():
        absent = sorted(names - published.get(urn, set()))
        answer.expect(not absent, f"{urn} with {', '.join(sorted(names))}", f"without {', '.join(absent)}")
    answer.expect(at(answer.document(), "Resources") is not MISSING, "a ListResponse")
