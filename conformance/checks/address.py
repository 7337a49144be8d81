"""Addresses: the version in the base URL, suffixes, and what an answer says of where a resource is (RFC 7644 §1.3, §3.13)."""

from __future__ import annotations

import re

from conformance.checker.answer import MISSING, at
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, Level, check
from conformance.checker.urns import ENTERPRISE, LIST_RESPONSE

VERSION = re.compile(r"/v\d+$")
CLAUSE = "RFC 7644 §3.13"


@check("address.version.other", MUST, CLAUSE, "S-7644-3.13-02", "S-7644-3.13-01")
def version_other(probe: Probe) -> None:
    "Another version of the protocol in the URL (v1, v99 for v2) is refused with a 4xx status; it is not answered as if it were this one."
    if not VERSION.search(probe.wire.base_url):
        raise Skipped("the base URL has no version at its end")
    for version in ("v1", "v99"):
        answer = probe.request("GET", "/Users", query={"count": 1}, base_url=VERSION.sub(f"/{version}", probe.wire.base_url))
        if version == "v1" and answer.code == 200:
            answer.expect(LIST_RESPONSE not in answer.response.text, "an answer of SCIM 1.1, if any")
        else:
            answer.client_error()


@check("address.version.none", MAY, CLAUSE, "S-7644-3.13-03")
def version_none(probe: Probe) -> None:
    "Without a version in the URL the newest is meant."
    if not VERSION.search(probe.wire.base_url):
        raise Skipped("the base URL has no version at its end")
    answer = probe.request("GET", "/Users", query={"count": 1}, base_url=VERSION.sub("", probe.wire.base_url))
    if answer.code == 404:
        raise Skipped("the server has no address without a version")
    answer.resources()


@check("address.suffix", MAY, "RFC 7644 §3.8", "S-7644-3.8-06")
def suffix(probe: Probe) -> None:
    "/Users/{id}.scim is no other way to write the address of a user: 404."
    probe.get(f"{probe.user().path}.scim").status(404)


@check("address.headers", MAY, "RFC 7644 §3.4.1, RFC 9110 §8.7", "S-7644-3.4.1-03", "S-7643-3.1-10")
def headers(probe: Probe) -> None:
    "A GET of a user has a Location; it and a Content-Location are meta.location."
    answer = probe.get(probe.user().path).status(200)
    where = answer.text("meta", "location")
    answer.expect(answer.header("Location") == where, f"Location: {where}", f"Location: {answer.header('Location')}")
    content = answer.header("Content-Location")
    answer.expect(content in (None, where), f"no Content-Location but {where}", f"Content-Location: {content}")


def _relative(id: str, level: Level, start: str, says: str) -> None:
    """Register the check that a manager may be referred to so."""

    @check(id, level, "RFC 7643 §2.3.7", "S-7643-2.3.7-01", needs=["enterprise", "enterprise.manager"], says=says)
    def run(probe: Probe) -> None:
        boss = probe.user("boss")
        body = probe.user_body(enterprise={"manager": {"value": boss.id, "$ref": f"{start}{boss.id}"}})
        answer = probe.post("/Users", body).status(201).has(boss.id, ENTERPRISE, "manager", "value")
        reference = at(answer.document(), ENTERPRISE, "manager", "$ref")
        if reference is not MISSING:
            path = probe.wire.below(str(reference)) or f"/{str(reference).lstrip('./')}"
            probe.get(path).status(200).has(boss.id, "id")


LEADS = "is taken, and what comes back leads to the manager."
_relative("address.relative", MUST, "Users/", f"A reference that is relative to the base URL (Users/{{id}}) {LEADS}")
# The RFC writes so, and names a base to which this would be another place.
_relative("address.relative.up", MAY, "../Users/", f"A reference written as in the RFC (../Users/{{id}}) {LEADS}")


@check("address.reference", MUST, "RFC 7643 §2.4", "S-7643-2.4-04", "S-7643-2.1-04", needs=["groups", "filter"])
def reference(probe: Probe) -> None:
    "The URI of a resource is the same with and without the version: a filter on $ref finds by both."
    ann, bob = probe.user("ann"), probe.user("bob")
    group, other = probe.group("one", [ann]), probe.group("two", [bob])
    written = at(probe.state(group).document(), "members", 0, "$ref")
    if not isinstance(written, str) or probe.find(f'members[$ref eq "{written}"]', "/Groups").code in (400, 403, 501):
        raise Skipped("the server shows no $ref of members, or cannot be asked for it")
    probe.finds(f'members[$ref eq "{written}"]', [group], [group, other], "/Groups")
    bare = re.sub(r"/v\d+/", "/", written, count=1)
    if bare != written:
        probe.finds(f'members[$ref eq "{bare}"]', [group], [group, other], "/Groups")
