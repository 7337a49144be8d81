"""DELETE (RFC 7644 §3.6).

That a whole endpoint is not deleted (DELETE /Users) is not tried: against a server that does it, that would be the end of everybody.
"""

from __future__ import annotations

from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, check

CLAUSE = "RFC 7644 §3.6"


@check("delete.answer", MUST, CLAUSE, "S-7644-3.6-01")
def answer(probe: Probe) -> None:
    "Deleting a user answers 204 without a body."
    came = probe.delete(probe.user().path).status(204)
    came.expect(came.response.body == b"", "no body")


@check("delete.gone", MUST, CLAUSE, "S-7644-3.6-02", "S-7644-3.6-05", "S-7644-3.6-06")
def gone(probe: Probe) -> None:
    "After a DELETE every operation on the user answers 404."
    user = probe.user()
    probe.delete(user.path).status(204)
    probe.get(user.path).status(404).error_body()
    probe.put(user.path, probe.user_body()).status(404)
    if probe.offer.supports("patch"):
        probe.patch(user.path, {"op": "replace", "path": "active", "value": True}).status(404)
    probe.delete(user.path).status(404)


@check("delete.not-found", MUST, CLAUSE, "S-7644-3.6-03", needs=["filter"])
def not_found(probe: Probe) -> None:
    "A deleted user is found by no filter and counted in no total."
    user, other = probe.user(externalId=probe.name("ext")), probe.user("other")
    probe.delete(user.path).status(204)
    probe.finds(f'userName eq "{user.name}"', [], [user, other])
    probe.finds(f'externalId eq "{probe.name("ext")}"', [], [user, other])
    probe.finds(f'userName sw "{probe.tag}"', [other], [user, other]).has(1, "totalResults")


@check("delete.name-free", SHOULD, CLAUSE, "S-7644-3.6-04")
def name_free(probe: Probe) -> None:
    "The userName and externalId of a deleted user can be used again at once."
    user = probe.user(externalId=probe.name("ext"))
    probe.delete(user.path).status(204)
    probe.post("/Users", probe.user_body(externalId=probe.name("ext"))).status(201)


@check("delete.unknown", MUST, CLAUSE, "S-7644-3.6-02", "S-7644-3.12-01")
def unknown(probe: Probe) -> None:
    "Deleting somebody who never was is a 404 with a SCIM error."
    probe.delete(f"/Users/{probe.name('nobody')}").status(404).error_body()


@check("delete.group", MUST, CLAUSE, "S-7644-3.6-01", "S-7644-3.6-02", "S-7644-3.6-03", needs=["groups", "filter"])
def group(probe: Probe) -> None:
    "Deleting a group answers 204; afterwards it is a 404 and found by no filter."
    made = probe.group()
    probe.delete(made.path).status(204)
    probe.get(made.path).status(404)
    probe.delete(made.path).status(404)
    probe.finds(f'displayName eq "{made.name}"', [], [made], "/Groups")


@check("delete.wrong-type", MUST, CLAUSE, "S-7644-3.4.1-02", needs=["groups"])
def wrong_type(probe: Probe) -> None:
    "A user cannot be deleted at /Groups."
    user = probe.user()
    probe.delete(f"/Groups/{user.id}").status(404)
    probe.state(user)
