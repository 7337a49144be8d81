"""Sorting, closer: by what type and where, ties, and what cannot be sorted by (RFC 7644 §3.4.2.3)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from conformance.checker.probe import Made, Probe
from conformance.checker.published import Published
from conformance.checker.registry import MAY, MUST, SHOULD, Level, check
from conformance.checker.urns import ENTERPRISE
from conformance.checks.search import search
from conformance.checks.sort import CLAUSE, NEEDS, order
from conformance.checks.values import instant


def in_order(probe: Probe, last: Made, sort_by: str, *hints: str) -> None:
    """That sorting gives the check's users in this order, and the other way round."""
    for direction, wanted in (("ascending", hints), ("descending", hints[::-1])):
        came, expected = order(probe, sortBy=sort_by, sortOrder=direction), " ".join(wanted)
        last.answer.expect(came == expected, f"{expected} ({sort_by}, {direction})", came)


def sorts(
    slug: str,
    values: dict[str, Any],
    says: str,
    *requirements: str,
    attribute: str | None = None,
    need: str | None = None,
    level: Level = MUST,
) -> None:
    """Register the check that users with these values of the attribute come in the order in which they are written here.

    They are made the other way round.
    """
    needs = [*NEEDS, *([need] if need else [])]

    @check(f"sort.{slug}", level, CLAUSE, "S-7644-3.4.2.3-06", *requirements, needs=needs, says=says)
    def run(probe: Probe) -> None:
        kind = probe.offer.attribute(need) if need and attribute is None else Published(None, {"name": attribute})
        for hint, value in reversed(values.items()):
            last = probe.user(hint, **kind.of(value))
        in_order(probe, last, kind.path, *values)


sorts("number", {"minus": -5, "nine": 9, "ten": 10}, "Integers are sorted as numbers: 9 comes before 10.", need="an integer")
sorts("decimal", {"minus": -1.5, "nine": 9.25, "ten": 10.5}, "Decimals are sorted as numbers.", need="a decimal")
WHEN = {"first": "2020-01-01T00:00:00Z", "second": "2020-01-01T00:30:00Z", "third": "2020-01-01T00:00:00-01:00"}
sorts("time", WHEN, "Dates are sorted as points in time, whatever their zone.", need="a dateTime")
EXACT = {"one": "B", "two": "a", "three": "b"}
sorts("case-exact", EXACT, "What is case exact is sorted by code point: B before a before b.", attribute="externalId", need=None, level=MAY)
sorts("boolean", {"no": False, "yes": True}, "false comes before true.", attribute="active", need="User.active", level=MAY)
UNICODE = {"one": "e", "two": "Z", "three": "\u00e9"}
sorts(
    "letters", UNICODE, "Letters are sorted without a language: by code point, case apart.", attribute="title", need="User.title", level=MAY
)


@check("sort.boolean.together", MUST, CLAUSE, "S-7644-3.4.2.3-06", needs=[*NEEDS, "User.active"])
def boolean_together(probe: Probe) -> None:
    "Sorted by a boolean, users with the same value stand together."
    for number in range(6):
        probe.user(f"u{number}", active=number % 2 == 0)
    answer = probe.find(f'userName sw "{probe.tag}"', sortBy="active")
    came = [one.get("active") for one in answer.resources()]
    turns = sum(one != following for one, following in pairwise(came))
    answer.expect(len(came) == 6 and turns == 1, "three of one value, then three of the other", str(came))


@check("sort.created", MUST, CLAUSE, "S-7644-3.4.2.3-06", needs=NEEDS)
def created(probe: Probe) -> None:
    "meta.created can be sorted by, in order of time."
    for number in range(4):
        probe.user(f"u{number}")
    for direction in ("ascending", "descending"):
        answer = probe.find(f'userName sw "{probe.tag}"', sortBy="meta.created", sortOrder=direction)
        came = [instant(one["meta"]["created"]) for one in answer.resources()]
        answer.expect(len(came) == 4 and None not in came, "4 Resources with meta.created")
        wanted = sorted((each for each in came if each), reverse=direction == "descending")
        answer.expect(came == wanted, f"meta.created {direction}", str(came))


@check("sort.sub-attribute", MUST, CLAUSE, "S-7644-3.4.2.3-03", needs=[*NEEDS, "User.name"])
def sub_attribute(probe: Probe) -> None:
    "A sub-attribute of a complex attribute can be sorted by: name.familyName."
    for hint, name in (("two", "Cyder"), ("three", "dent"), ("one", "Abel")):
        last = probe.user(hint, name={"familyName": name, "givenName": "Same"})
    in_order(probe, last, "name.familyName", "one", "two", "three")


@check("sort.extension", MUST, CLAUSE, "S-7644-3.4.2.3-03", "S-7644-3.10-02", needs=[*NEEDS, "enterprise", "enterprise.department"])
def extension(probe: Probe) -> None:
    "An attribute of an extension can be sorted by, with its URN; who has none of it comes last."
    last = probe.user("none")
    for hint, department in (("two", "Sea"), ("one", "Ops")):
        last = probe.user(hint, enterprise={"department": department})
    in_order(probe, last, f"{ENTERPRISE}:department", "one", "two", "none")


@check("sort.names", MUST, "RFC 7643 §2.1, RFC 7644 §3.10", "S-7643-2.1-02", "S-7644-3.10-01", needs=[*NEEDS, "User.title"])
def names(probe: Probe) -> None:
    "sortBy takes names in any case, and with the URN of the User schema."
    probe.user("two", title="2")
    last = probe.user("one", title="1")
    in_order(probe, last, "TITLE", "one", "two")
    in_order(probe, last, "urn:ietf:params:scim:schemas:core:2.0:User:title", "one", "two")


@check("sort.multi-valued.bare", MAY, CLAUSE, "S-7644-3.4.2.3-03", needs=[*NEEDS, "User.emails"])
def multi_valued_bare(probe: Probe) -> None:
    "A multi-valued attribute without a sub-attribute is sorted by its value."
    for hint, letter in (("two", "b"), ("one", "a"), ("three", "c")):
        last = probe.user(hint, emails=[{"value": f"{letter}@checks.example", "type": "work"}])
    in_order(probe, last, "emails", "one", "two", "three")


@check("sort.ties", SHOULD, CLAUSE, "S-7644-3.4.2.3-07", "S-7644-3.4.2.4-07", needs=[*NEEDS, "User.title"])
def ties(probe: Probe) -> None:
    "Pages of users who are all equal in what is sorted by have each of them once."
    made = [probe.user(f"u{number}", title="same") for number in range(7)]
    for direction in ("ascending", "descending"):
        came: list[str] = []
        for start in (1, 3, 5, 7):
            answer = probe.find(f'userName sw "{probe.tag}"', sortBy="title", sortOrder=direction, count=2, startIndex=start)
            came += [str(one.get("id")) for one in answer.resources()]
        answer.expect(sorted(came) == sorted(one.id for one in made), "each of the seven once on the way", " ".join(came))


@check("sort.groups", MUST, CLAUSE, "S-7644-3.4.2.3-06", needs=[*NEEDS, "groups"])
def groups(probe: Probe) -> None:
    "Groups are sorted as users are."
    for hint in ("b", "C", "A"):
        last = probe.group(hint)
    answer = probe.find(f'displayName sw "{probe.tag}"', "/Groups", sortBy="displayName")
    came = [str(one.get("displayName")).removeprefix(f"{probe.tag}-") for one in answer.resources()]
    last.answer.expect(came == ["A", "b", "C"], "A b C", " ".join(came))


@check("sort.search", MUST, "RFC 7644 §3.4.3", "S-7644-3.4.3-03", needs=NEEDS)
def by_post(probe: Probe) -> None:
    "A .search sorts as the GET with the same parameters does."
    for hint in ("cyd", "ann", "bob"):
        probe.user(hint)
    condition = f'userName sw "{probe.tag}"'
    answer = search(probe, filter=condition, sortBy="userName", sortOrder="descending", count=2)
    came = [str(one.get("userName")).removeprefix(f"{probe.tag}-") for one in answer.resources()]
    answer.expect(came == ["cyd", "bob"], "cyd bob", " ".join(came))


def not_by(slug: str, sort_by: str, what: str, *requirements: str, needs: tuple[str, ...] = ()) -> None:
    """Register the check that sorting by this is refused."""

    @check(f"sort.refused.{slug}", MAY, CLAUSE, *requirements, needs=["sort", *needs], says=f"Sorting by {what} is refused with 400.")
    def run(probe: Probe) -> None:
        probe.get("/Users", {"sortBy": sort_by, "count": 1}).refused(400)


not_by("unknown", "shoeSize", "an attribute that no schema has", "S-7644-3.4.2.3-08")
not_by("complex", "name", "a complex attribute without a sub-attribute", "S-7644-3.4.2.3-03", needs=("User.name",))
not_by("never", "password", "what is never returned", "S-7644-3.4.2.3-08", "S-7644-3.4.2.2-41", needs=("User.password",))
