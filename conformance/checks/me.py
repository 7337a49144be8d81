"""/Me, where the credential is a user's (RFC 7644 §3.11). Nothing is changed that was not so before: it is a real person's."""

from __future__ import annotations

from conformance.checker.answer import Answer, at
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, check

CLAUSE = "RFC 7644 §3.11"


def oneself(probe: Probe) -> Answer:
    """Who the credential is, as /Me says."""
    answer = probe.me.get("/Me")
    if answer.code == 308:
        raise Skipped("the server redirects /Me to the permanent address")
    if answer.code in (403, 404, 501):
        raise Skipped(f"the credential is nobody at /Me (the server answers {answer.code}); --me-token is for that of a person")
    return answer.status(200)


def permanent(answer: Answer) -> str:
    """The path of the user, as meta.location says."""
    where = answer.text("meta", "location")
    answer.expect(not where.rstrip("/").lower().endswith("/me"), "a meta.location that is the permanent address", where)
    return where


@check("me.location", MUST, CLAUSE, "S-7644-3.11-03", "S-7644-3.11-02")
def location(probe: Probe) -> None:
    "The Location of an answer of /Me is the permanent address of the user, as is meta.location; it is never /Me."
    answer = oneself(probe)
    where = permanent(answer)
    answer.expect(answer.header("Location") == where, f"Location: {where}", f"Location: {answer.header('Location')}")
    answer.expect(where.endswith(f"/{answer.text('id')}"), "an address with the user's id", where)


@check("me.redirect", MAY, CLAUSE, "S-7644-3.11-02")
def redirect(probe: Probe) -> None:
    "/Me is a redirect with 308 to the permanent address of the user."
    answer = probe.me.get("/Me")
    if answer.code != 308:
        raise Skipped(f"the server does not redirect /Me (it answers {answer.code})")
    where = answer.header("Location") or ""
    answer.expect("/Users/" in where, "a Location at /Users", where)


@check("me.projection", MUST, "RFC 7644 §3.11 and §3.9", "S-7644-3.4.2.5-01", "S-7644-3.11-03")
def projection(probe: Probe) -> None:
    "attributes holds for /Me as for any user."
    whole = oneself(probe)
    answer = probe.me.get("/Me", {"attributes": "userName"}).status(200).has(whole.text("userName"), "userName")
    answer.lacks("meta").has(whole.text("id"), "id")


@check("me.version", MUST, "RFC 7644 §3.11 and §3.14", "S-7644-3.14-03", "S-7644-3.11-03", needs=["etag"])
def version(probe: Probe) -> None:
    "/Me has the user's ETag, by which it need not be sent again (304)."
    tag = oneself(probe).header("ETag")
    answer = probe.me.get("/Me", headers={"If-None-Match": tag or "*"})
    answer.expect(tag is not None, "an ETag").status(304)


@check("me.change", MUST, CLAUSE, "S-7644-3.11-03", "S-7644-3.11-06", needs=["patch"])
def change(probe: Probe) -> None:
    "A PATCH of /Me that changes nothing is answered for the permanent address, or refused (403, 501, 405); the user is as before."
    before = oneself(probe)
    answer = probe.me.patch("/Me", {"op": "replace", "path": "userName", "value": before.text("userName")}).status(200, 204, 403, 405, 501)
    if answer.code in (200, 204):
        where = answer.header("Location")
        answer.expect(where in (None, permanent(before)), f"Location: {permanent(before)}", f"Location: {where}")
    after = probe.me.get("/Me").status(200)
    after.expect(at(after.document(), "userName") == before.text("userName"), "the user as before")


@check("me.create", MAY, CLAUSE, "S-7644-3.11-04")
def create(probe: Probe) -> None:
    "Nobody makes himself a user: a POST to /Me is refused (403, 404, 405, 501)."
    probe.me.post("/Me", probe.user_body("oneself")).status(403, 404, 405, 501)


@check("me.nobody", MUST, f"{CLAUSE}, RFC 6750 §3", "S-7644-3.11-05", "S-7644-2.2-01")
def nobody(probe: Probe) -> None:
    "Without a credential /Me is a 401, or not implemented (501, 404)."
    probe.request("GET", "/Me", anonymous=True).status(401, 404, 501)
