"""Filters: attributes that every resource has, the shape of the answer, the encoding of the question (RFC 7644 §3.4.2.2)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, check
from conformance.checks.filters import CLAUSE, people


@check("filters.boolean", MUST, CLAUSE, "S-7644-3.4.2.2-08", "S-7644-3.4.2.2-28", needs=["filter", "User.active"])
def boolean(probe: Probe) -> None:
    "active eq true and active eq false find by the value that the client was shown, a default included."
    them = people(probe)
    shown = {hint: made.document.get("active") for hint, made in them.items()}
    for wanted, literal in ((True, "true"), (False, "false")):
        probe.finds(probe.mine(f"active eq {literal}"), [them[hint] for hint, value in shown.items() if value is wanted], them.values())


@check("filters.id", MUST, "RFC 7643 §3.1", "S-7643-3.1-04", needs=["filter"])
def by_id(probe: Probe) -> None:
    "A user is found by id, and only if every letter has its case."
    user = probe.user()
    probe.finds(f'id eq "{user.id}"', [user], [user])
    if user.id != user.id.upper():
        probe.finds(f'id eq "{user.id.upper()}"', [], [user])


@check("filters.external-id", MUST, "RFC 7643 §3.1", "S-7643-3.1-05", "S-7643-3-04", needs=["filter"])
def by_external_id(probe: Probe) -> None:
    "A user is found by externalId, and only if every letter has its case."
    user = probe.user(externalId=probe.name("AbC"))
    probe.finds(f'externalId eq "{probe.name("AbC")}"', [user], [user])
    probe.finds(f'externalId eq "{probe.name("aBc")}"', [], [user])


@check("filters.resource-type", MUST, "RFC 7643 §3.1", "S-7643-3.1-12", needs=["filter"])
def by_resource_type(probe: Probe) -> None:
    'meta.resourceType eq "User" finds users; "user" finds nobody (case exact).'
    user = probe.user()
    probe.finds(probe.mine('meta.resourceType eq "User"'), [user], [user])
    probe.finds(probe.mine('meta.resourceType eq "user"'), [], [user])


@check("filters.date", MUST, CLAUSE, "S-7644-3.4.2.2-22", needs=["filter"])
def by_date(probe: Probe) -> None:
    "gt, ge, lt and le compare meta.created as points in time."
    user = probe.user()
    created = user.answer.text("meta", "created")
    for condition, expected in (
        ('meta.created gt "2011-05-13T04:42:34Z"', [user]),
        ('meta.created lt "2011-05-13T04:42:34Z"', []),
        (f'meta.created ge "{created}"', [user]),
        (f'meta.created gt "{created}"', []),
        ('meta.lastModified lt "2999-01-01T00:00:00Z"', [user]),
    ):
        probe.finds(probe.mine(condition), expected, [user])


@check("filters.date.zone", SHOULD, "RFC 7643 §2.3.5", "S-7644-3.4.2.2-29", needs=["filter"])
def by_date_zone(probe: Probe) -> None:
    "A dateTime in another time zone is the same instant."
    user = probe.user()
    created = datetime.fromisoformat(user.answer.text("meta", "created"))
    elsewhere = created.astimezone(timezone(timedelta(hours=-7))).isoformat()
    probe.finds(probe.mine(f'meta.created eq "{elsewhere}"'), [user], [user])


@check("filters.disabled", MUST, CLAUSE, "S-7644-3.4.2.2-37", needs=["filter", "User.active"])
def disabled(probe: Probe) -> None:
    "A user who is not active is found like any other, and comes with active = false."
    user = probe.user(active=False)
    probe.finds(f'userName eq "{user.name}"', [user], [user]).has(False, "Resources", 0, "active")
    probe.state(user).has(False, "active")


@check("filters.list-shape", MUST, "RFC 7644 §3.4.2", "S-7644-3.4.2-02", "S-7644-3.4.2-03", "S-7644-3.4.2-07", needs=["filter"])
def list_shape(probe: Probe) -> None:
    "A list has the ListResponse URN, totalResults as a number, and Resources with id, schemas and meta."
    user = probe.user()
    answer = probe.finds(f'userName eq "{user.name}"', [user], [user]).has(1, "totalResults")
    answer.has(user.id, "Resources", 0, "id").value("Resources", 0, "schemas")
    answer.text("Resources", 0, "meta", "location")


@check("filters.encoding", MUST, "RFC 7644 §1.2 (RFC 3986 §2.1)", "S-7644-1.2-01", needs=["filter", "User.title"])
def encoding(probe: Probe) -> None:
    "In a URL %20 and + are blanks, %2B is a plus sign and %25 a percent sign."
    user = probe.user("plus", title="a+b 100%")
    for query in (
        f"filter=userName%20eq%20%22{user.name}%22",
        f"filter=userName+eq+%22{user.name}%22",
        f"filter=userName%20sw%20%22{probe.tag}%22%20and%20title%20eq%20%22a%2Bb%20100%25%22",
    ):
        answer = probe.get("/Users", query)
        answer.expect([one.get("id") for one in answer.resources()] == [user.id], "the one user")


@check("filters.other-parameters", SHOULD, "RFC 7644 §3.4.2", "S-7644-3.4.2-01", needs=["filter"])
def other_parameters(probe: Probe) -> None:
    "Query parameters that the server does not know are ignored."
    user = probe.user()
    answer = probe.find(f'userName eq "{user.name}"', aadOptscim062020="", foo="1")
    answer.expect([one.get("id") for one in answer.resources()] == [user.id], "the one user")
