"""Filters, closer: what the grammar leaves open, and how servers read it (RFC 7644 §3.4.2.2 and §3.10)."""

from __future__ import annotations

from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, check
from conformance.checker.urns import ENTERPRISE
from conformance.checks.filters import HAS_DEPARTMENT, MANY, OURS, finds
from conformance.checks.filters_refused import refuses

NAME = ("User.name",)

finds(
    "spaces",
    'userName eq"{tag}-ann"  or   userName  eq  "{tag}-cyd"',
    "ann cyd",
    "More blanks than one, or none before a string, make no difference.",
    "S-7644-3.4.2.2-10",
    level=MAY,
)
finds(
    "value-path.singular",
    OURS + 'name[givenName eq "Ann" and familyName eq "Brandt"]',
    "ann",
    "[ ] on a complex attribute of one value is about that value.",
    "S-7644-3.4.2.2-16",
    level=MAY,
    needs=NAME,
)
finds(
    "extension.present",
    OURS + f"{ENTERPRISE} pr",
    "ann bob",
    "The URN of an extension with pr finds who has values of it.",
    "S-7644-3.10-04",
    level=MAY,
    needs=HAS_DEPARTMENT,
)
finds(
    "ne.several",
    OURS + 'emails.type ne "work"',
    "ann bob cyd",
    "ne on an attribute of several values is true if any of them differs, and where there is none.",
    "S-7644-3.4.2.2-34",
    "S-7644-3.4.2.2-33",
    level=MAY,
    needs=MANY,
)
finds(
    "not.several",
    OURS + 'not (emails.type eq "work")',
    "cyd",
    "not (… eq …) on an attribute of several values is true if none of them is equal.",
    "S-7644-3.4.2.2-34",
    "S-7644-3.4.2.2-25",
    needs=MANY,
)
finds(
    "null.not",
    OURS + "nickName ne null",
    "ann bob",
    "ne null finds where there is a value.",
    "S-7644-3.4.2.2-32",
    level=MAY,
    needs=("User.nickName",),
)
finds(
    "schemas.case",
    OURS + f'schemas eq "{ENTERPRISE.upper()}"',
    "ann bob",
    "A schema's URN is found in any case of letters.",
    "S-7644-3.4.2.2-24",
    "S-7644-3.4.2.2-36",
    level=MAY,
    needs=HAS_DEPARTMENT,
)

INSIDE = 'emails[emails.type eq "work"]'
refuses("qualified", INSIDE, "Within [ ] the whole name of an attribute", "S-7644-3.4.2.2-14", level=MAY, needs=MANY)
NESTED = 'emails[value[type eq "work"]]'
refuses("nested", NESTED, "A value path within a value path", "S-7644-3.4.2.2-13", level=MAY, needs=MANY)
BARE = 'department eq "Ops"'
refuses("unqualified", BARE, "An attribute of an extension without its URN", "S-7644-3.10-03", level=MAY, needs=HAS_DEPARTMENT)
refuses("tab", 'userName\teq\t"a"', "A tab for a blank", "S-7644-3.4.2.2-10", level=MAY)
refuses("brackets", "emails[]", "An empty condition in [ ]", "S-7644-3.4.2.2-04", needs=MANY)
refuses("literal", 'userName eq "\\x"', "A string with an escape that JSON does not have", "S-7644-3.4.2.2-08", level=MAY)
refuses("capital", "active eq TRUE", "TRUE, which is no JSON literal", "S-7644-3.4.2.2-08", level=MAY, needs=("User.active",))


@check("filters.folding", MAY, "RFC 7644 §7.8", "S-7644-7.8-02", needs=["filter", "User.title"])
def folding(probe: Probe) -> None:
    "Letters are compared by full case folding, whatever the language: STRASSE finds Straße."
    one, other = probe.user("one", title="Straße"), probe.user("other", title="Strase")
    probe.finds(probe.mine('title eq "STRASSE"'), [one], [one, other])


@check("filters.none.resources", MAY, "RFC 7644 §3.4.2", "S-7644-3.4.2-04", needs=["filter"])
def none_resources(probe: Probe) -> None:
    "Where nothing is found Resources is an empty array, and not left out."
    answer = probe.find(f'userName eq "{probe.name("nobody")}"')
    answer.expect(not answer.resources(), "no Resources").has([], "Resources")


@check("filters.some.resources", MUST, "RFC 7644 §3.4.2", "S-7644-3.4.2-04", needs=["filter"])
def some_resources(probe: Probe) -> None:
    "Where something is found Resources has it: totalResults and Resources do not contradict each other."
    made = [probe.user(f"u{number}") for number in range(3)]
    answer = probe.find(f'userName sw "{probe.tag}"').has(3, "totalResults")
    answer.expect(len(answer.value("Resources")) == len(made), "3 Resources")
