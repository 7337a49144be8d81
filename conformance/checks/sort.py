"""Sorting, where it is offered (RFC 7644 §3.4.2.3)."""

from __future__ import annotations

from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, check

CLAUSE = "RFC 7644 §3.4.2.3"
NEEDS = ("sort", "filter")


def order(probe: Probe, **parameters: str) -> str:
    """The hints of the check's own users in the order that they come in."""
    answer = probe.find(f'userName sw "{probe.tag}"', **parameters)
    return " ".join(str(one.get("userName", "")).removeprefix(f"{probe.tag}-") for one in answer.resources())


@check("sort.order", MUST, CLAUSE, "S-7644-3.4.2.3-05", "S-7644-3.4.2.3-02", needs=NEEDS)
def both_ways(probe: Probe) -> None:
    "sortBy sorts ascending, and descending on demand."
    for hint in ("cyd", "ann", "bob"):
        last = probe.user(hint)
    last.answer.expect(order(probe, sortBy="userName") == "ann bob cyd", "ann bob cyd", order(probe, sortBy="userName"))
    came = order(probe, sortBy="userName", sortOrder="descending")
    last.answer.expect(came == "cyd bob ann", "cyd bob ann", came)


@check("sort.case", MUST, CLAUSE, "S-7644-3.4.2.3-06", needs=NEEDS)
def case(probe: Probe) -> None:
    "An attribute that is not case exact is sorted without regard to case."
    for hint in ("b", "C", "A", "d"):
        last = probe.user(hint)
    came = order(probe, sortBy="userName")
    last.answer.expect(came == "A b C d", "A b C d", came)


@check("sort.absent", MUST, CLAUSE, "S-7644-3.4.2.3-04", needs=[*NEEDS, "User.title"])
def absent(probe: Probe) -> None:
    "Users without a value come last ascending and first descending."
    probe.user("none")
    probe.user("two", title="2")
    last = probe.user("one", title="1")
    came = order(probe, sortBy="title")
    last.answer.expect(came == "one two none", "one two none", came)
    came = order(probe, sortBy="title", sortOrder="descending")
    last.answer.expect(came == "none two one", "none two one", came)


@check("sort.multi-valued", MUST, CLAUSE, "S-7644-3.4.2.3-02", "S-7644-3.4.2.3-03", needs=[*NEEDS, "User.emails"])
def multi_valued(probe: Probe) -> None:
    "A multi-valued attribute sorts by its primary element, or else by the first."
    probe.user(
        "two", emails=[{"value": "a@checks.example", "type": "home"}, {"value": "m@checks.example", "type": "work", "primary": True}]
    )
    probe.user("one", emails=[{"value": "c@checks.example", "type": "work"}, {"value": "a@checks.example", "type": "home"}])
    last = probe.user("three", emails=[{"value": "z@checks.example", "type": "work", "primary": True}])
    came = order(probe, sortBy="emails.value")
    last.answer.expect(came == "one two three", "one two three", came)


@check("sort.bad-order", MAY, CLAUSE, "S-7644-3.4.2.3-05", needs=["sort"])
def bad_order(probe: Probe) -> None:
    "A sortOrder that does not exist is refused with 400."
    probe.get("/Users", {"sortBy": "userName", "sortOrder": "sideways", "count": 1}).refused(400)
