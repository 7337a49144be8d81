"""Queries at the root, over resources of all types (RFC 7644 §3.4.2.1 and §3.4.3). A server that has none says so by its answer."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import Answer
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MUST, check
from conformance.checks.search import search

CLAUSE = "RFC 7644 §3.4.2.1"
NEEDS = ("filter", "groups")
ABSENT = (403, 404, 405, 501)


def query(probe: Probe, **parameters: Any) -> Answer:
    """A query by GET at the root, or, where that is no endpoint, by POST at /.search."""
    answer = probe.get("/", parameters)
    if answer.code not in ABSENT:
        return answer
    answer = search(probe, "", **{name: value.split(",") if name.endswith("ttributes") else value for name, value in parameters.items()})
    if answer.code in ABSENT:
        raise Skipped(f"the server has no query at its root (it answers {answer.code})")
    return answer


def team(probe: Probe) -> tuple[Made, Made, Made]:
    """Two users, and a group, whose names all begin with the check's tag."""
    ann, bob = probe.user("ann"), probe.user("bob")
    return ann, bob, probe.group("team", [ann])


def finds(answer: Answer, *expected: Made) -> Answer:
    came = sorted(str(one.get("id")) for one in answer.resources())
    return answer.expect(came == sorted(one.id for one in expected), ", ".join(one.hint for one in expected) or "nobody", " ".join(came))


def ours(probe: Probe) -> str:
    return f'userName sw "{probe.tag}" or displayName eq "{probe.name("team")}"'


@check("root.types", MUST, CLAUSE, "S-7644-3.4.2.1-01", needs=NEEDS)
def types(probe: Probe) -> None:
    "A query at the root is over all types: by id it finds a user and a group; meta.resourceType tells them apart."
    ann, _, group = team(probe)
    both = f'id eq "{ann.id}" or id eq "{group.id}"'
    finds(query(probe, filter=both), ann, group)
    for name, one in (("User", ann), ("Group", group)):
        finds(query(probe, filter=f'({both}) and meta.resourceType eq "{name}"'), one).has(name, "Resources", 0, "meta", "resourceType")


@check("root.lacking", MUST, CLAUSE, "S-7644-3.4.2.1-03", needs=NEEDS)
def lacking(probe: Probe) -> None:
    "An attribute that a type does not have has no value there: it matches nothing, and is no error."
    ann, bob, group = team(probe)
    finds(query(probe, filter=f'userName eq "{ann.name}"'), ann)
    finds(query(probe, filter=ours(probe)), ann, bob, group)
    finds(query(probe, filter=f'id eq "{group.id}" and userName pr'))
    finds(query(probe, filter=f'id eq "{group.id}" and not (userName pr)'), group)
    finds(query(probe, filter=f'members.value eq "{ann.id}"'), group)


@check("root.pages", MUST, f"{CLAUSE} and §3.4.2.4", "S-7644-3.4.2.1-01", "S-7644-3.4.3-06", "S-7644-3.4.2-03", needs=NEEDS)
def pages(probe: Probe) -> None:
    "Pages of a query at the root count all types together, and have each resource once."
    made = team(probe)
    came: list[str] = []
    for start in (1, 2, 3):
        answer = query(probe, filter=ours(probe), count=1, startIndex=start).has(3, "totalResults")
        came += [str(one.get("id")) for one in answer.resources()]
    answer.expect(sorted(came) == sorted(one.id for one in made), "each of the three once on the way", " ".join(came))


@check("root.search", MUST, "RFC 7644 §3.4.3", "S-7644-3.4.3-01", "S-7644-3.4.3-06", needs=NEEDS)
def by_post(probe: Probe) -> None:
    "POST /.search finds at the root what the GET finds."
    ann, bob, group = team(probe)
    finds(search(probe, "", filter=ours(probe), count=50), ann, bob, group)
    answer = search(probe, "", filter=ours(probe), count=2, startIndex=2, attributes=["meta.resourceType"])
    other = probe.get("/", {"filter": ours(probe), "count": 2, "startIndex": 2, "attributes": "meta.resourceType"})
    if other.code not in ABSENT:
        answer.expect(answer.document() == other.document(), "the answer to the GET")


@check("root.projection", MUST, "RFC 7644 §3.9", "S-7644-3.4.2.5-01", needs=NEEDS)
def projection(probe: Probe) -> None:
    "attributes and excludedAttributes hold at the root as well, for each type as far as it has them."
    ann, _, group = team(probe)
    both = f'id eq "{ann.id}" or id eq "{group.id}"'
    answer = query(probe, filter=both, attributes="userName")
    members = sorted(sorted(set(one) - {"schemas"}) for one in answer.resources())
    answer.expect(members == [["id"], ["id", "userName"]], "the group with its id, the user with id and userName", str(members))
    for one in query(probe, filter=both, excludedAttributes="members,userName").resources():
        answer.expect("members" not in one and "userName" not in one, "neither members nor userName")


@check("root.filter", MUST, f"{CLAUSE} and §3.4.2.2", "S-7644-3.4.2.2-04", "S-7644-3.4.2.1-01", needs=NEEDS)
def bad_filter(probe: Probe) -> None:
    "A broken filter at the root is refused with 400 invalidFilter."
    query(probe, filter="userName eq").refused(400, "invalidFilter")


@check("root.everything", MUST, f"{CLAUSE} and §3.12", "S-7644-3.4.2.1-02", needs=["groups"])
def everything(probe: Probe) -> None:
    "Without a filter the root has everything, or says that it is too many: 200, or 400 tooMany."
    probe.group()
    answer = query(probe, count=2).status(200, 400)
    if answer.code == 400:
        answer.refused(400, "tooMany")
    else:
        answer.expect(answer.total >= 1, "totalResults of 1 or more")
