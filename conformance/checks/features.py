"""Whether the server tells the truth about the features that it denies, and about those that have no place of their own."""

from __future__ import annotations

from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import BULK_REQUEST


@check("features.bulk", MAY, "RFC 7644 §3.7", "S-7644-3.7-01", needs=["no bulk"])
def bulk_denied(probe: Probe) -> None:
    "bulk is denied, and /Bulk answers 501 or 404."
    body = {"schemas": [BULK_REQUEST], "Operations": []}
    probe.post("/Bulk", body).status(501, 404, 405)


@check("features.patch", MAY, "RFC 7644 §3.5.2", "S-7644-3.5.2-01", needs=["no patch"])
def patch_denied(probe: Probe) -> None:
    "patch is denied, and a PATCH answers 501 or 405 and changes nothing."
    user = probe.user(nickName="before")
    probe.patch(user.path, {"op": "replace", "path": "nickName", "value": "after"}).status(501, 405)
    probe.state(user).has("before", "nickName")


@check("features.filter", MAY, "RFC 7644 §3.4.2.2", "S-7644-3.4.2.2-01", needs=["no filter"])
def filter_denied(probe: Probe) -> None:
    "filter is denied, and a filter is refused, not ignored."
    answer = probe.find('userName eq "nobody"')
    answer.expect(400 <= answer.code < 500 or answer.code == 501, "a 4xx status or 501")


@check("features.sort", MAY, "RFC 7644 §3.4.2.3", "S-7644-3.4.2.3-01", needs=["no sort"])
def sort_denied(probe: Probe) -> None:
    "sort is denied, and sortBy is ignored without an error."
    probe.get("/Users", {"sortBy": "userName", "sortOrder": "descending", "count": 2}).resources()


@check("features.etag", MAY, "RFC 7644 §3.14", "S-7644-3.14-01", needs=["no etag"])
def etag_denied(probe: Probe) -> None:
    "etag is denied, and no resource comes with an ETag header."
    user = probe.user()
    answer = probe.get(user.path).status(200)
    answer.expect(answer.header("ETag") is None, "no ETag header", f"ETag: {answer.header('ETag')}")


@check("features.max-results", MUST, "RFC 7643 §5", "S-7643-5-01", "S-7644-3.4.2.2-38", "S-7644-3.4.2.1-02", needs=["filter"])
def max_results(probe: Probe) -> None:
    "filter.maxResults is kept: no more resources come, whatever count says."
    limit = probe.get("/ServiceProviderConfig").status(200).value("filter", "maxResults")
    probe.user()
    answer = probe.find(f'userName sw "{probe.tag}"', count=1_000_000)
    answer.expect(len(answer.resources()) <= limit, f"at most {limit} Resources")
    everything = probe.get("/Users", {"count": 1_000_000})
    if everything.code >= 400:
        everything.refused(400, "tooMany")
    else:
        everything.expect(len(everything.resources()) <= limit, f"at most {limit} Resources", f"{len(everything.resources())} Resources")


@check("features.me", SHOULD, "RFC 7644 §3.11", "S-7644-3.11-01", "S-7644-3.11-02")
def me(probe: Probe) -> None:
    "/Me is answered as itself (200, 308) or refused as not implemented or not applicable (501, 404, 403)."
    answer = probe.get("/Me")
    answer.status(200, 308, 501, 404, 403)
    if answer.code == 200:
        answer.expect("/Me" not in (answer.header("Location") or ""), "a Location that is the permanent URL")


@check("features.root", MAY, "RFC 7644 §3.4.2.1", "S-7644-3.4.2.1-01", "S-7644-3.4.2.1-03", needs=["filter"])
def root(probe: Probe) -> None:
    "A query at the root gives resources of all types, or the root is no endpoint; an attribute that a type lacks does not match."
    user = probe.user()
    answer = probe.get("/", {"filter": f'userName eq "{user.name}"'})
    if answer.code in (404, 405, 501, 403):
        raise Skipped(f"the server has no query at its root (it answers {answer.code})")
    ids = [one.get("id") for one in answer.resources()]
    answer.expect(ids == [user.id], "the one user")
