"""Index paging (RFC 7644 §3.4.2.4)."""

from __future__ import annotations

from conformance.checker.answer import MISSING, Answer, at
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check

CLAUSE = "RFC 7644 §3.4.2.4"


def five(probe: Probe) -> list[Made]:
    return [probe.user(f"u{number}") for number in range(5)]


def page(probe: Probe, **parameters: str | int) -> Answer:
    """A page of the check's own users."""
    return probe.find(f'userName sw "{probe.tag}"', "/Users", **parameters)


@check("paging.total", MUST, "RFC 7644 §3.4.2", "S-7644-3.4.2-03", "S-7644-3.4.2.4-03", needs=["filter"])
def total(probe: Probe) -> None:
    "totalResults counts all matches, not those on the page; no more come than count says."
    five(probe)
    answer = page(probe, count=2)
    answer.expect(len(answer.resources()) <= 2, "at most 2 Resources").has(5, "totalResults")


@check("paging.members", MUST, "RFC 7644 §3.4.2", "S-7644-3.4.2-05", needs=["filter"])
def members(probe: Probe) -> None:
    "A part of the result says its startIndex and, as itemsPerPage, how many resources it has."
    five(probe)
    answer = page(probe, count=2, startIndex=2)
    answer.has(2, "startIndex").has(len(answer.resources()), "itemsPerPage")


@check("paging.walk", MUST, CLAUSE, "S-7644-3.4.2.4-07", needs=["filter"])
def walk(probe: Probe) -> None:
    "Walking page by page gives every resource, each once."
    expected = sorted(one.id for one in five(probe))
    came: list[str] = []
    answer = page(probe, count=2, startIndex=1)
    while resources := answer.resources():
        came += [str(one.get("id")) for one in resources]
        if len(came) >= len(expected) + 2:
            break
        answer = page(probe, count=2, startIndex=len(came) + 1)
    answer.expect(sorted(came) == expected, "each of the five once on the way", " ".join(came))


@check("paging.walk.everything", SHOULD, CLAUSE, "S-7644-3.4.2.4-07")
def walk_everything(probe: Probe) -> None:
    "Two neighbouring pages of all users have no user in common."
    five(probe)
    first, second = (probe.get("/Users", {"count": 2, "startIndex": start}) for start in (1, 3))
    both = {one.get("id") for one in first.resources()} & {one.get("id") for one in second.resources()}
    second.expect(not both, "no user of the first page")


@check("paging.start.low", MUST, CLAUSE, "S-7644-3.4.2.4-01", needs=["filter"])
def start_low(probe: Probe) -> None:
    "A startIndex below 1 means 1."
    user = probe.user()
    for start in (0, -5):
        answer = page(probe, startIndex=start)
        answer.expect([one.get("id") for one in answer.resources()] == [user.id], "the page from 1")
        answer.expect(at(answer.document(), "startIndex") in (1, MISSING), "startIndex 1")


@check("paging.start.beyond", SHOULD, CLAUSE, "S-7644-3.4.2.4-06", needs=["filter"])
def start_beyond(probe: Probe) -> None:
    "A startIndex beyond the end gives 200, no resources, and the true totalResults."
    five(probe)
    answer = page(probe, startIndex=99)
    answer.expect(not answer.resources(), "no Resources").has(5, "totalResults")


@check("paging.count.zero", MUST, CLAUSE, "S-7644-3.4.2.4-02", needs=["filter"])
def count_zero(probe: Probe) -> None:
    "count=0 gives totalResults and no resources; a negative count means 0."
    five(probe)
    for count in (0, -1):
        answer = page(probe, count=count)
        answer.expect(not answer.resources(), "no Resources").has(5, "totalResults")


@check("paging.count.large", SHOULD, CLAUSE, "S-7644-3.4.2.4-03", "S-7644-3.4.2.2-38", needs=["filter"])
def count_large(probe: Probe) -> None:
    "A count above what the server gives is no error: fewer come."
    five(probe)
    answer = page(probe, count=1_000_000_000)
    answer.expect(len(answer.resources()) == 5, "5 Resources").has(5, "totalResults")


@check("paging.numbers", MAY, CLAUSE, "S-7644-3.4.2.4-05")
def numbers(probe: Probe) -> None:
    "A startIndex or count that is no whole number is refused with 400."
    for parameters in ({"startIndex": "abc"}, {"count": "abc"}, {"count": "1.5"}):
        probe.get("/Users", parameters).refused(400)


@check("paging.numbers.huge", MUST, "RFC 9110 §15.5", "S-7644-3.4.2.4-08", "S-7644-3.4.2.4-05")
def numbers_huge(probe: Probe) -> None:
    "A startIndex or count of thirty digits is answered or refused; it is no 5xx."
    for parameters in ({"startIndex": "9" * 30}, {"count": "9" * 30}, {"startIndex": "-" + "9" * 30}):
        probe.get("/Users", parameters).no_server_error()


@check("paging.groups", MUST, CLAUSE, "S-7644-3.4.2.4-03", "S-7644-3.4.2-03", needs=["filter", "groups"])
def groups(probe: Probe) -> None:
    "Groups are paged as users are."
    made = [probe.group(f"g{number}") for number in range(3)]
    came = []
    for start in (1, 2, 3):
        answer = probe.find(f'displayName sw "{probe.tag}"', "/Groups", count=1, startIndex=start).has(3, "totalResults")
        came += [one.get("id") for one in answer.resources()]
    answer.expect(sorted(map(str, came)) == sorted(one.id for one in made), "each of the three once on the way", " ".join(map(str, came)))


@check("paging.default", SHOULD, "RFC 9865 §4", "S-7644-3.4.2.4-04", "S-9865-4-01", needs=["pagination"])
def default(probe: Probe) -> None:
    "Without a count there come no more than pagination.defaultPageSize, and never more than pagination.maxPageSize."
    probe.user()
    config = probe.get("/ServiceProviderConfig").status(200).document()
    usual, most = at(config, "pagination", "defaultPageSize"), at(config, "pagination", "maxPageSize")
    for query, limit in (({}, usual), ({}, most), ({"count": 1_000_000}, most)):
        if type(limit) is int:
            answer = probe.get("/Users", query)
            answer.expect(len(answer.resources()) <= limit, f"at most {limit} Resources", f"{len(answer.resources())} Resources")


@check("paging.hundred", MAY, CLAUSE, "S-7644-3.4.2.4-04")
def hundred(probe: Probe) -> None:
    "Pages of a hundred can be had: maxPageSize and filter.maxResults are not below."
    config = probe.get("/ServiceProviderConfig").status(200)
    for keys in (("pagination", "maxPageSize"), ("filter", "maxResults")):
        limit = at(config.document(), *keys)
        config.expect(type(limit) is not int or limit >= 100, f"{'.'.join(keys)} of 100 or more", str(limit))
    probe.get("/Users", {"count": 100}).resources()
