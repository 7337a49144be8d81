"""Bulk, where it is offered (RFC 7644 §3.7)."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import Answer, Document
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, check
from conformance.checker.urns import BULK_REQUEST, BULK_RESPONSE

CLAUSE = "RFC 7644 §3.7"
NEEDS = ("bulk",)


def bulk(probe: Probe, *operations: Document, **more: Any) -> Answer:
    """Send a bulk; what it made is found again at the end by its name."""
    return probe.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": list(operations)} | more)


def create(probe: Probe, hint: str) -> Document:
    return {"method": "POST", "path": "/Users", "bulkId": hint, "data": probe.user_body(hint)}


@check("bulk.answer", MUST, CLAUSE, "S-7644-3.7-08", "S-7644-3.7-09", "S-7644-3.7-02", needs=NEEDS)
def answer(probe: Probe) -> None:
    "A bulk answers 200 with the BulkResponse URN and, for each operation, method, bulkId, location and the status as a string."
    came = bulk(probe, create(probe, "a"), create(probe, "b")).status(200)
    came.expect(came.value("schemas") == [BULK_RESPONSE], f"schemas [{BULK_RESPONSE}]")
    for place, hint in enumerate("ab"):
        came.has("201", "Operations", place, "status").has("POST", "Operations", place, "method").has(hint, "Operations", place, "bulkId")
        path = probe.wire.below(came.text("Operations", place, "location"))
        probe.get(str(path)).status(200).has(probe.name(hint), "userName")


@check("bulk.goes-on", MUST, CLAUSE, "S-7644-3.7-09", "S-7644-3.7-10", needs=NEEDS)
def goes_on(probe: Probe) -> None:
    "After an operation that fails the others are still done; the failed one carries the error."
    probe.user("taken")
    came = bulk(probe, create(probe, "taken"), create(probe, "free")).status(200)
    came.has("409", "Operations", 0, "status").has("201", "Operations", 1, "status")
    came.has("409", "Operations", 0, "response", "status")


@check("bulk.fail-on-errors", MUST, CLAUSE, "S-7644-3.7-10", needs=[*NEEDS, "filter"])
def fail_on_errors(probe: Probe) -> None:
    "failOnErrors 1 stops after the first failure."
    probe.user("taken")
    bulk(probe, create(probe, "taken"), create(probe, "after"), failOnErrors=1).status(200)
    probe.finds(f'userName eq "{probe.name("after")}"', [], [])


@check("bulk.references", MUST, "RFC 7644 §3.7.2", "S-7644-3.7.2-01", needs=[*NEEDS, "groups"])
def references(probe: Probe) -> None:
    "bulkId:… stands for the id that another operation of the bulk makes."
    group = {"method": "POST", "path": "/Groups", "bulkId": "g", "data": probe.group_body() | {"members": [{"value": "bulkId:a"}]}}
    came = bulk(probe, create(probe, "a"), group).status(200).has("201", "Operations", 1, "status")
    user = str(came.text("Operations", 0, "location")).rsplit("/", 1)[-1]
    path = probe.wire.below(came.text("Operations", 1, "location"))
    probe.get(str(path)).status(200).has(user, "members", 0, "value")


@check("bulk.limit", MUST, "RFC 7644 §3.7.4", "S-7644-3.7.4-01", needs=NEEDS)
def limit(probe: Probe) -> None:
    "More operations than maxOperations are refused with 413."
    most = probe.get("/ServiceProviderConfig").status(200).value("bulk", "maxOperations")
    one = {"method": "DELETE", "path": f"/Users/{probe.name('nobody')}"}
    bulk(probe, *[one] * (int(most) + 1)).status(413)


@check("bulk.message", MUST, CLAUSE, "S-7644-3.7-02", "S-7644-3.7-03", needs=NEEDS)
def message(probe: Probe) -> None:
    "A bulk without its schema URN or without Operations is refused with 400."
    probe.post("/Bulk", {"Operations": []}).status(400)
    probe.post("/Bulk", {"schemas": [BULK_REQUEST]}).status(400)
