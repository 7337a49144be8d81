"""POST .search (RFC 7644 §3.4.3). No member of the ServiceProviderConfig offers it; a server that has none says so by its answer."""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import Answer
from conformance.checks.evidence import Skipped
from conformance.checks.probe import Probe
from conformance.checks.registry import MUST, check
from conformance.checks.urns import SEARCH_REQUEST

CLAUSE = "RFC 7644 §3.4.3"


def search(probe: Probe, endpoint: str = "/Users", **parameters: Any) -> Answer:
    answer = probe.post(f"{endpoint}/.search", {"schemas": [SEARCH_REQUEST]} | parameters)
    if answer.code in (404, 405, 501):
        raise Skipped(f"the server has no .search (it answers {answer.code})")
    return answer


@check("search.same", MUST, CLAUSE, "S-7644-3.4.3-01", "S-7644-3.4.3-03", "S-7644-3.4.3-04", needs=["filter"])
def same(probe: Probe) -> None:
    "POST .search answers 200 with what the GET with the same parameters answers."
    for number in range(3):
        probe.user(f"u{number}")
    condition = f'userName sw "{probe.tag}"'
    answer = search(probe, filter=condition, startIndex=1, count=2, attributes=["userName"]).status(200)
    other = probe.find(condition, startIndex=1, count=2, attributes="userName").status(200)
    answer.expect(answer.document() == other.document(), "the answer to the GET")
    answer.has(3, "totalResults")


@check("search.groups", MUST, CLAUSE, "S-7644-3.4.3-01", needs=["filter", "groups"])
def groups(probe: Probe) -> None:
    "Groups can be searched by POST as well."
    group = probe.group(members=[probe.user("ann")])
    answer = search(probe, "/Groups", filter=f'displayName eq "{group.name}"', excludedAttributes=["members"])
    answer.expect([one.get("id") for one in answer.resources()] == [group.id], "the one group").lacks("Resources", 0, "members")


@check("search.filter", MUST, "RFC 7644 §3.4.2.2", "S-7644-3.4.2.2-04", "S-7644-3.4.3-03", needs=["filter"])
def bad_filter(probe: Probe) -> None:
    "A broken filter in a .search is refused with 400 invalidFilter."
    search(probe, filter="userName eq").refused(400, "invalidFilter")


@check("search.message", MUST, CLAUSE, "S-7644-3.4.3-02", "S-7644-3.1-03")
def message(probe: Probe) -> None:
    "A .search without the SearchRequest URN is refused with 400."
    search(probe, count=1)
    probe.post("/Users/.search", {"count": 1}).status(400)
