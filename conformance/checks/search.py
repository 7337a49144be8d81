"""POST .search (RFC 7644 §3.4.3). No member of the ServiceProviderConfig offers it; a server that has none says so by its answer."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import Answer
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, check
from conformance.checker.urns import SEARCH_REQUEST

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


@check("search.empty", MUST, CLAUSE, "S-7644-3.4.3-03", "S-7644-3.4.3-01")
def empty(probe: Probe) -> None:
    "Every member of a SearchRequest but schemas is optional: without any, it is a query for everything."
    probe.user()
    answer = search(probe)
    answer.expect(len(answer.resources()) > 0, "Resources")


@check("search.url", MAY, CLAUSE, "S-7644-3.4.3-05", needs=["filter"])
def in_url(probe: Probe) -> None:
    "Query parameters in the URL of a .search are ignored: what is asked stands in the body."
    user, other = probe.user("one"), probe.user("two")
    search(probe, count=1)
    message = {"schemas": [SEARCH_REQUEST], "filter": f'userName eq "{user.name}"'}
    answer = probe.post("/Users/.search", message, {"filter": f'userName eq "{other.name}"', "count": 0, "attributes": "id"})
    answer.expect([one.get("userName") for one in answer.resources()] == [user.name], "the user that the body asks for, with its userName")


@check("search.names", MAY, CLAUSE, "S-7644-3.4.3-05")
def names(probe: Probe) -> None:
    "attributes and excludedAttributes of a SearchRequest are arrays: text is refused with 400."
    for name in ("attributes", "excludedAttributes"):
        search(probe, **{name: "userName,title"}).refused(400)


@check("search.types", MUST, "RFC 9110 §15.5", "S-7644-3.4.3-03")
def types(probe: Probe) -> None:
    "Members of the wrong type in a SearchRequest are answered or refused; they are no 5xx."
    wrong: list[dict[str, Any]] = [
        {"filter": 5},
        {"count": "two"},
        {"startIndex": {}},
        {"sortBy": ["userName"]},
        {"attributes": [5]},
        {"cursor": 5},
    ]
    for members in wrong:
        search(probe, **members).no_server_error()


@check("search.unknown", MUST, "RFC 7644 §3.4.3 and §3.12", "S-7644-3.4.3-01", "S-7644-3.12-01")
def unknown(probe: Probe) -> None:
    "A .search at an endpoint that does not exist is a 404 with a SCIM error."
    probe.post("/NoSuchEndpoint/.search", {"schemas": [SEARCH_REQUEST], "count": 1}).status(404).error_body()
