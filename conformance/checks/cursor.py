"""Paging by cursor, where it is offered (RFC 9865)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from conformance.checker.answer import MISSING, Answer, at
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checks.search import search

CLAUSE = "RFC 9865 §2"
ERRORS = "RFC 9865 §2.1"
NEEDS = ("cursor", "filter")
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
MOST = 50  # pages that are walked before the walk counts as endless
PATIENCE_S = 1.5


def some(probe: Probe, count: int) -> list[Made]:
    return [probe.user(f"u{number}") for number in range(count)]


def page(probe: Probe, cursor: str | None = "", endpoint: str = "/Users", **parameters: str | int) -> Answer:
    """A page of the check's own users (or groups); the first one with an empty cursor."""
    named = "userName" if endpoint == "/Users" else "displayName"
    query: dict[str, str | int] = {"filter": f'{named} sw "{probe.tag}"', "count": 2, **parameters}
    return probe.get(endpoint, query if cursor is None else {**query, "cursor": cursor})


def following(answer: Answer) -> str | None:
    """The cursor of the next page, if there is one."""
    found = at(answer.document(), "nextCursor")
    if found is MISSING:
        return None
    if not isinstance(found, str) or not found:
        raise answer.fail("nextCursor as a non-empty string", str(found))
    return found


def must_follow(answer: Answer) -> str:
    """The cursor of the next page, which must be there."""
    found = following(answer)
    if found is None:
        raise answer.fail("a nextCursor, as this is not the last page")
    return found


def walk(ask: Callable[[str], Answer]) -> list[Answer]:
    """All pages, from the one with the empty cursor to the one without a next."""
    pages = [ask("")]
    pages[0].resources(counted=False)
    while (cursor := following(pages[-1])) is not None:
        pages[-1].expect(len(pages) < MOST, f"a last page within {MOST} pages")
        pages.append(ask(cursor))
        pages[-1].resources(counted=False)
    return pages


def ids(pages: list[Answer]) -> list[str]:
    return [str(one.get("id")) for answer in pages for one in answer.resources(counted=False)]


def each_once(pages: list[Answer], made: list[Made]) -> None:
    came = ids(pages)
    pages[-1].expect(sorted(came) == sorted(one.id for one in made), f"each of the {len(made)} once on the way", " ".join(came))


# -- the walk -------------------------------------------------------------------------------------------------------


@check("cursor.first", MUST, CLAUSE, "S-9865-2-01", needs=NEEDS)
def first(probe: Probe) -> None:
    "An empty cursor, with and without the equals sign, asks for the first page."
    some(probe, 3)
    answer = page(probe)
    answer.expect(len(answer.resources(counted=False)) == 2, "2 Resources")
    must_follow(answer)
    bare = probe.get("/Users", f"filter=userName%20sw%20%22{probe.tag}%22&count=2&cursor")
    bare.expect(ids([bare]) == ids([answer]), "the same first page")
    must_follow(bare)


@check("cursor.walk", MUST, CLAUSE, "S-9865-2-03", "S-9865-2-05", needs=NEEDS)
def walk_through(probe: Probe) -> None:
    "Going from nextCursor to nextCursor gives every resource, each once; there are no more on a page than count says."
    made = some(probe, 5)
    pages = walk(lambda cursor: page(probe, cursor))
    each_once(pages, made)
    for answer in pages:
        answer.expect(len(answer.resources(counted=False)) <= 2, "at most 2 Resources")


@check("cursor.exact", MUST, CLAUSE, "S-9865-2-03", needs=NEEDS)
def exact(probe: Probe) -> None:
    "The last page has no nextCursor, also where it is full: four by two are two pages."
    made = some(probe, 4)
    pages = walk(lambda cursor: page(probe, cursor))
    each_once(pages, made)
    pages[-1].expect(len(pages) == 2, "no third page", f"{len(pages)} pages")


@check("cursor.none", MUST, CLAUSE, "S-9865-2-03", "S-7644-3.4.2-06", needs=NEEDS)
def nothing(probe: Probe) -> None:
    "Where nothing is found, or all of it is on the first page, there is no nextCursor."
    answer = page(probe)
    answer.expect(not answer.resources(counted=False) and following(answer) is None, "no Resources and no nextCursor")
    some(probe, 2)
    answer = page(probe)
    answer.expect(len(answer.resources(counted=False)) == 2 and following(answer) is None, "2 Resources and no nextCursor")


@check("cursor.characters", MUST, CLAUSE, "S-9865-2-02", needs=NEEDS)
def characters(probe: Probe) -> None:
    "A cursor is made of letters, digits and - . _ ~ only."
    some(probe, 5)
    for answer in walk(lambda cursor: page(probe, cursor))[:-1]:
        cursor = must_follow(answer)
        answer.expect(UNRESERVED.fullmatch(cursor) is not None, "a nextCursor of unreserved characters", cursor)


@check("cursor.count.zero", MUST, CLAUSE, "S-9865-2-05", needs=NEEDS)
def count_zero(probe: Probe) -> None:
    "count=0 gives no resources and the true totalResults; a negative count means 0."
    some(probe, 3)
    for count in (0, -1):
        answer = page(probe, count=count)
        answer.expect(not answer.resources(counted=False), "no Resources").has(3, "totalResults")


@check("cursor.total", SHOULD, CLAUSE, "S-9865-2-06", needs=NEEDS)
def total(probe: Probe) -> None:
    "totalResults is there on each page, and counts all that is found."
    some(probe, 5)
    for answer in walk(lambda cursor: page(probe, cursor)):
        answer.has(5, "totalResults")


@check("cursor.members", MAY, CLAUSE, "S-9865-2-07", needs=NEEDS)
def members(probe: Probe) -> None:
    "A page by cursor has no startIndex; its itemsPerPage is how many resources it has."
    some(probe, 5)
    for answer in walk(lambda cursor: page(probe, cursor)):
        answer.lacks("startIndex")
        answer.has(len(answer.resources(counted=False)), "itemsPerPage")


@check("cursor.previous", MUST, CLAUSE, "S-9865-2-04", needs=NEEDS)
def previous(probe: Probe) -> None:
    "The first page has no previousCursor; where later ones have one, it leads back."
    some(probe, 5)
    pages = walk(lambda cursor: page(probe, cursor))
    pages[0].expect(at(pages[0].document(), "previousCursor") is MISSING, "no previousCursor on the first page")
    for before, answer in pairwise(pages):
        back = at(answer.document(), "previousCursor")
        if back is not MISSING:
            again = page(probe, str(back))
            again.expect(ids([again]) == ids([before]), "the page before")


@check("cursor.sorted", SHOULD, "RFC 9865 §2.2", "S-9865-2.2-01", needs=[*NEEDS, "sort", "User.title"])
def in_order(probe: Probe) -> None:
    "A walk is sorted where sortBy is given, both ways, with ties and with users who have no value."
    titles = ["c", "a", None, "b", "a", None, "c"]
    made = [probe.user(f"u{place}", title=title) for place, title in enumerate(titles)]
    for direction in ("ascending", "descending"):
        pages = walk(partial(page, probe, sortBy="title", sortOrder=direction))
        each_once(pages, made)
        came = [one.get("title") for answer in pages for one in answer.resources(counted=False)]
        wanted = ["a", "a", "b", "c", "c", None, None]
        pages[-1].expect(came == (wanted if direction == "ascending" else wanted[::-1]), f"titles {direction}", str(came))


@check("cursor.groups", MUST, CLAUSE, "S-9865-2-03", needs=[*NEEDS, "groups"])
def groups(probe: Probe) -> None:
    "Groups are walked as users are."
    made = [probe.group(f"g{number}") for number in range(3)]
    each_once(walk(lambda cursor: page(probe, cursor, "/Groups")), made)


@check("cursor.projection", MUST, "RFC 9865 §2, RFC 7644 §3.9", "S-7644-3.4.2.5-01", needs=NEEDS)
def projection(probe: Probe) -> None:
    "attributes holds on every page of a walk."
    some(probe, 3)
    for answer in walk(lambda cursor: page(probe, cursor, attributes="userName")):
        extra = sorted({name for one in answer.resources(counted=False) for name in one} - {"id", "schemas", "userName"})
        answer.expect(not extra, "only id, schemas and userName", f"also {', '.join(extra)}")


@check("cursor.search", MUST, "RFC 9865 §3", "S-9865-3-01", needs=NEEDS)
def by_post(probe: Probe) -> None:
    "A .search takes cursor and count in its body, and walks as the GET does."
    made = some(probe, 5)
    condition = f'userName sw "{probe.tag}"'
    pages = walk(lambda cursor: search(probe, filter=condition, count=2, cursor=cursor))
    each_once(pages, made)
    by_get = walk(lambda cursor: page(probe, cursor))
    sizes, expected = ([len(answer.resources(counted=False)) for answer in each] for each in (pages, by_get))
    pages[-1].expect(sizes == expected, f"pages of {expected} Resources, as by GET", f"pages of {sizes}")


@check("cursor.writers", SHOULD, CLAUSE, "S-9865-2-10", needs=NEEDS)
def writers(probe: Probe) -> None:
    "While others come and go, a walk shows everybody who stays, each once, and nobody twice."
    staying = {one.id: one.hint for one in some(probe, 9)}
    came: list[str] = []
    answer = page(probe)
    for number in range(MOST):
        here = ids([answer])
        came += here
        cursor = following(answer)
        if cursor is None:
            break
        # Who is on the page goes: whoever counts from the start passes over somebody then.
        leaving = next((id for id in here if id in staying), None)
        if leaving is not None:
            probe.delete(f"/Users/{leaving}").status(204)
            del staying[leaving]
        if number < 4:
            probe.user(f"new{number}")
        answer = page(probe, cursor)
    lost = [hint for id, hint in staying.items() if id not in came]
    answer.expect(not lost, "everybody who stayed", f"without {', '.join(lost)}")
    answer.expect(len(set(came)) == len(came), "nobody twice", " ".join(came))


# -- the first request ----------------------------------------------------------------------------------------------


@check("cursor.default", MUST, "RFC 9865 §2.4", "S-9865-2.4-01", "S-9865-2.3-01", needs=NEEDS)
def default(probe: Probe) -> None:
    "A request with neither cursor nor startIndex is paged as pagination.defaultPaginationMethod says (index, if it says nothing)."
    some(probe, 3)
    config = probe.get("/ServiceProviderConfig").status(200)
    method = at(config.document(), "pagination", "defaultPaginationMethod")
    only = at(config.document(), "pagination", "index") is False
    answer = page(probe, None)
    if method == "cursor" or only:
        must_follow(answer)
    else:
        answer.lacks("nextCursor").has(1, "startIndex")


@check("cursor.size", MUST, "RFC 9865 §4", "S-9865-2.1-01", "S-9865-4-01", needs=NEEDS)
def size(probe: Probe) -> None:
    "A count above pagination.maxPageSize is capped, or refused with 400 invalidCount; more than maxPageSize never come."
    some(probe, 2)
    most = at(probe.get("/ServiceProviderConfig").status(200).document(), "pagination", "maxPageSize")
    answer = probe.get("/Users", {"cursor": "", "count": 1_000_000}).status(200, 400)
    if answer.code == 400:
        answer.refused(400, "invalidCount")
    elif type(most) is int:
        answer.expect(len(answer.resources(counted=False)) <= most, f"at most {most} Resources")


@check("cursor.held", MUST, "RFC 9865 §4", "S-9865-4-02", needs=NEEDS)
def held(probe: Probe) -> None:
    "A cursor is good for as long as pagination.cursorTimeout says (tried for a second or two)."
    some(probe, 3)
    timeout = at(probe.get("/ServiceProviderConfig").status(200).document(), "pagination", "cursorTimeout")
    cursor = must_follow(page(probe))
    time.sleep(min(PATIENCE_S, timeout / 2 if type(timeout) is int else PATIENCE_S))
    answer = page(probe, cursor)
    answer.expect(len(answer.resources(counted=False)) == 1, "the last page with 1 Resource")


@check("cursor.again", MAY, CLAUSE, "S-9865-4-02", needs=NEEDS)
def again(probe: Probe) -> None:
    "A page can be had a second time by the same cursor: an answer that was lost does not end the walk."
    some(probe, 5)
    cursor = must_follow(page(probe))
    one, other = page(probe, cursor), page(probe, cursor)
    other.expect(ids([other]) == ids([one]), "the same page")
    must_follow(other)


# -- what is refused ------------------------------------------------------------------------------------------------


@check("cursor.nonsense", SHOULD, ERRORS, "S-9865-2.1-01", needs=NEEDS)
def nonsense(probe: Probe) -> None:
    "A cursor that the server did not give is refused with 400 invalidCursor."
    for cursor in ("x", "0", "-1", "abcdefghijklmnop", "~" * 500, "..", "%00", "a b"):
        page(probe, cursor).refused(400, "invalidCursor")


@check("cursor.altered", SHOULD, "RFC 9865 §2.1 and §5.2", "S-9865-5.2-04", "S-9865-2.1-01", needs=NEEDS)
def altered(probe: Probe) -> None:
    "A cursor that was altered in any place is refused with 400 invalidCursor."
    some(probe, 3)
    cursor = must_follow(page(probe))
    # Not the last letter: where a cursor is base64, some of its bits may mean nothing.
    for place in sorted({0, len(cursor) // 4, len(cursor) // 2, 3 * len(cursor) // 4}):
        letter = "A" if cursor[place] != "A" else "B"
        page(probe, cursor[:place] + letter + cursor[place + 1 :]).refused(400, "invalidCursor")
    for changed in (cursor + "A", cursor[: len(cursor) // 2], cursor * 2):
        page(probe, changed).refused(400, "invalidCursor")


@check("cursor.count.other", SHOULD, ERRORS, "S-9865-2-08", "S-9865-2.1-01", needs=NEEDS)
def count_other(probe: Probe) -> None:
    "Another count than on the first page is refused with 400 invalidCount."
    some(probe, 3)
    page(probe, must_follow(page(probe)), count=1).refused(400, "invalidCount")


@check("cursor.count.text", SHOULD, ERRORS, "S-9865-2.1-01", needs=NEEDS)
def count_text(probe: Probe) -> None:
    "A count that is no whole number is refused with 400 invalidCount."
    for count in ("two", "1.5"):
        page(probe, count=count).refused(400, "invalidCount")


@check("cursor.filter.other", MAY, CLAUSE, "S-9865-2-08", needs=NEEDS)
def filter_other(probe: Probe) -> None:
    "A cursor with another filter, another sort or other attributes than on the first page is refused with 400."
    some(probe, 3)
    cursor = must_follow(page(probe))
    changes: list[dict[str, Any]] = [{"filter": f'userName sw "{probe.tag}-u"'}, {"attributes": "userName"}]
    changes += [{"sortBy": "userName"}] if probe.offer.supports("sort") else []
    for change in changes:
        page(probe, cursor, **change).refused(400)


@check("cursor.endpoint.other", SHOULD, ERRORS, "S-9865-2-08", needs=[*NEEDS, "groups"])
def endpoint_other(probe: Probe) -> None:
    "A cursor of /Users is none at /Groups: it is refused with 400."
    some(probe, 3)
    page(probe, must_follow(page(probe)), "/Groups").refused(400)


@check("cursor.start-index", MAY, CLAUSE, "S-9865-2-09", needs=NEEDS)
def start_index(probe: Probe) -> None:
    "cursor and startIndex together are refused with 400."
    page(probe, startIndex=1).refused(400)


@check("cursor.anonymous", MUST, "RFC 9865 §5.2, RFC 7644 §2", "S-9865-5.2-01", needs=NEEDS)
def anonymous(probe: Probe) -> None:
    "A cursor is no credential: without one, the first page and the next are a 401."
    some(probe, 3)
    for cursor in ("", must_follow(page(probe))):
        probe.request("GET", "/Users", query={"cursor": cursor, "count": 2}, anonymous=True).status(401)
