"""Versions, where they are offered (RFC 7644 §3.14, RFC 9110 §13.1)."""

from __future__ import annotations

from conformance.checker.answer import Answer
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, check

CLAUSE = "RFC 7644 §3.14"
NEEDS = ("etag",)


def tag(answer: Answer) -> str:
    found = answer.header("ETag")
    if not found:
        raise answer.fail("an ETag header")
    return found


@check("etags.header", MUST, CLAUSE, "S-7644-3.14-02", needs=NEEDS)
def header(probe: Probe) -> None:
    "A GET of a resource and the 201 that made it carry an ETag."
    user = probe.user()
    tag(user.answer)
    tag(probe.get(user.path).status(200))


@check("etags.meta", SHOULD, "RFC 7643 §3.1", "S-7643-3.1-11", "S-7644-3.14-02", needs=NEEDS)
def meta(probe: Probe) -> None:
    "meta.version equals the ETag, alone and in a list."
    user = probe.user()
    answer = probe.get(user.path).status(200)
    answer.has(tag(answer), "meta", "version")
    if probe.offer.supports("filter"):
        probe.find(f'userName eq "{user.name}"').has(tag(answer), "Resources", 0, "meta", "version")


@check("etags.not-modified", MUST, "RFC 9110 §13.1.2", "S-7644-3.14-03", "S-9110-13.1.2-01", needs=NEEDS)
def not_modified(probe: Probe) -> None:
    "A GET with If-None-Match of the present version answers 304 without a body."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    answer = probe.get(user.path, headers={"If-None-Match": current}).status(304)
    answer.expect(answer.response.body == b"", "no body")
    probe.get(user.path, headers={"If-None-Match": 'W/"no-such-version"'}).status(200)


@check("etags.moves", MUST, CLAUSE, "S-7644-3.14-02", "S-7644-3.14-05", needs=["etag", "User.nickName"])
def moves(probe: Probe) -> None:
    "Every change gives another ETag."
    user = probe.user()
    first = tag(probe.get(user.path).status(200))
    probe.put(user.path, probe.user_body(nickName="Ada")).status(200)
    second = tag(answer := probe.get(user.path).status(200))
    answer.expect(second != first, f"another ETag than {first}", f"ETag: {second}")


@check("etags.match", MUST, "RFC 9110 §13.1.1", "S-7644-3.14-04", "S-9110-13.1.1-01", "S-7644-3.12-06", needs=["etag", "User.nickName"])
def match(probe: Probe) -> None:
    "A PUT, PATCH or DELETE with If-Match of an old version answers 412 and changes nothing; with the present one it succeeds."
    user = probe.user()
    old = tag(probe.get(user.path).status(200))
    current = probe.put(user.path, probe.user_body(nickName="Ada"), headers={"If-Match": old}).status(200)
    probe.put(user.path, probe.user_body(nickName="Eve"), headers={"If-Match": old}).status(412)
    if probe.offer.supports("patch"):
        probe.patch(user.path, {"op": "remove", "path": "nickName"}, headers={"If-Match": old}).status(412)
    probe.delete(user.path, headers={"If-Match": old}).status(412)
    probe.state(user, current).has("Ada", "nickName")
    probe.delete(user.path, headers={"If-Match": tag(probe.get(user.path))}).status(204)
