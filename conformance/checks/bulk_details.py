"""Bulk, closer: what makes an operation, what refers to what, what is told of each (RFC 7644 §3.7)."""

from __future__ import annotations

import json
from typing import Any

from conformance.checker.answer import MISSING, Answer, Document, at
from conformance.checker.evidence import shown
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, Level, check
from conformance.checker.urns import BULK_REQUEST, ENTERPRISE, PATCH_OP
from conformance.checks.bulk import CLAUSE, NEEDS, bulk, create
from conformance.checks.etags import tag
from conformance.checks.groups import members

TEAM = (*NEEDS, "groups")
REFERENCES = "RFC 7644 §3.7.2"


def told(answer: Answer) -> list[Document]:
    """What is told of the operations of a bulk that was processed."""
    operations = answer.status(200).value("Operations")
    answer.expect(isinstance(operations, list) and all(isinstance(one, dict) for one in operations), "Operations as an array of objects")
    return list(operations)


def refuses(answer: Answer, place: int, *statuses: str) -> Answer:
    """That the operation at this place failed so; or the whole bulk, by 400, which does not carry it out either."""
    if answer.code == 400:
        return answer
    came = at(told(answer), place, "status")
    return answer.expect(came in statuses, f"status {' or '.join(statuses)} at operation {place}", shown(came))


def patch(path: str, *operations: Document, **more: Any) -> Document:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": list(operations)}} | more


def group(probe: Probe, hint: str, *values: str) -> Document:
    body = probe.group_body(hint) | {"members": [{"value": value} for value in values]}
    return {"method": "POST", "path": "/Groups", "bulkId": hint, "data": body}


def made(probe: Probe, answer: Answer, place: int, hint: str) -> Made:
    """What the operation at this place made, which is removed after the check."""
    answer.has("201", "Operations", place, "status")
    path = probe.remember(answer.text("Operations", place, "location"))
    return Made(hint, probe.name(hint), path.rpartition("/")[2], path, answer)


# -- what an operation is -------------------------------------------------------------------------------------------


@check("bulk.methods", MUST, CLAUSE, "S-7644-3.7-03", "S-7644-3.7-06", "S-7644-3.7-08", needs=[*NEEDS, "User.title"])
def methods(probe: Probe) -> None:
    "POST, PUT, PATCH and DELETE are carried out as if each had come alone; each is told with its location."
    put, deleted = probe.user("put"), probe.user("deleted")
    operations: list[Document] = [
        create(probe, "posted"),
        {"method": "PUT", "path": put.path, "data": probe.user_body("put", title="Pilot")},
        {"method": "DELETE", "path": deleted.path},
    ]
    patched = probe.user("patched") if probe.offer.supports("patch") else None
    if patched:
        operations.append(patch(patched.path, {"op": "add", "path": "title", "value": "Captain"}))
    answer = bulk(probe, *operations)
    operations_told = told(answer)
    answer.expect(len(operations_told) == len(operations), f"{len(operations)} operations in the answer")
    posted = made(probe, answer, 0, "posted")
    probe.get(posted.path).status(200).has(posted.name, "userName")
    for place, one in ((1, put), (2, deleted), *([(3, patched)] if patched else [])):
        came = str(at(operations_told, place, "status"))
        answer.expect(came in ("200", "204"), f"status 200 or 204 at operation {place}", came)
        location = at(operations_told, place, "location")
        answer.expect(isinstance(location, str) and location.endswith(one.path), f"the location of {one.path}", shown(location))
    probe.state(put, answer).has("Pilot", "title")
    probe.get(deleted.path).status(404)
    if patched:
        probe.state(patched, answer).has("Captain", "title")


def bad(slug: str, operation: Document, says: str, *requirements: str, statuses: tuple[str, ...] = ("400",), level: Level = MUST) -> None:
    """Register the check that such an operation is refused, and that the good one beside it is carried out, if the bulk is.

    {} in its path is the id of a user of the check's own.
    """

    @check(f"bulk.operation.{slug}", level, CLAUSE, *requirements, needs=NEEDS, says=says)
    def run(probe: Probe) -> None:
        user = probe.user(title="Pilot") if "{}" in str(operation) else None
        ready: Document = json.loads(json.dumps(operation).replace("{}", user.id if user else "").replace("BODY", probe.name("bad")))
        answer = bulk(probe, ready, create(probe, "good"))
        refuses(answer, 0, *statuses)
        if answer.code == 200:
            made(probe, answer, 1, "good")
            answer.value("Operations", 0, "response")
        if user:
            now = probe.state(user)
            now.expect(now.document() == user.document, "the user as it was before")


BODY = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "BODY"}
WHOLE = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "Captain"}]}
POST = {"method": "POST", "path": "/Users", "bulkId": "bad", "data": BODY}
PATCH = {"method": "PATCH", "path": "/Users/{}", "data": WHOLE}


def without(operation: Document, *names: str) -> Document:
    return {name: value for name, value in operation.items() if name not in names}


bad("bulk-id", without(POST, "bulkId"), "A POST without a bulkId is refused with 400.", "S-7644-3.7-04")
bad("method", POST | {"method": "GET"}, "A method that is none of the four (GET) is refused with 400.", "S-7644-3.7-03")
bad("method.missing", without(POST, "method"), "An operation without a method is refused with 400.", "S-7644-3.7-03")
bad("path.missing", without(POST, "path"), "An operation without a path is refused with 400.", "S-7644-3.7-05")
ONE = "A POST to the path of one resource is refused."
bad("path.one", POST | {"path": "/Users/{}"}, ONE, "S-7644-3.7-05", statuses=("400", "404", "405"))
MANY = "A PATCH of a whole endpoint is refused."
bad("path.many", PATCH | {"path": "/Users"}, MANY, "S-7644-3.7-05", statuses=("400", "404", "405", "501"))
NOWHERE = ("400", "403", "404", "405", "501")
BULK = "A bulk within a bulk is refused."
bad("path.bulk", POST | {"path": "/Bulk"}, BULK, "S-7644-3.7-05", statuses=NOWHERE)
ABSOLUTE = "An absolute URL as the path is refused: paths are relative to the root."
bad("path.absolute", POST | {"path": "https://checks.example/Users"}, ABSOLUTE, "S-7644-3.7-05", statuses=NOWHERE)
DOTS = "A path that climbs (/Users/../Groups) is refused."
bad("path.dots", POST | {"path": "/Users/../Groups"}, DOTS, "S-7644-3.7-05", statuses=NOWHERE)
UNKNOWN = "A path that leads nowhere is refused."
bad("path.unknown", POST | {"path": "/NoSuchEndpoint"}, UNKNOWN, "S-7644-3.7-05", statuses=NOWHERE)
bad("path.query", PATCH | {"path": "/Users?count=1"}, "A path with a query is refused.", "S-7644-3.7-05", statuses=NOWHERE, level=MAY)
bad("data.post", without(POST, "data"), "A POST without data is refused with 400.", "S-7644-3.7-06")
bad("data.put", {"method": "PUT", "path": "/Users/{}"}, "A PUT without data is refused with 400.", "S-7644-3.7-06")
bad("data.patch", without(PATCH, "data"), "A PATCH without data is refused with 400.", "S-7644-3.7-06")
# The text says that data is as it would be alone; the example beside it has the operations without the message (erratum 5050).
MESSAGE = "The data of a PATCH is a whole PatchOp message: its operations alone are refused with 400."
bad("data.patch.bare", PATCH | {"data": WHOLE["Operations"]}, MESSAGE, "S-7644-3.7-06", level=MAY)
URN = "The data of a PATCH has the PatchOp URN, as it has alone: without it, it is refused with 400."
bad("data.patch.urn", PATCH | {"data": without(WHOLE, "schemas")}, URN, "S-7644-3.7-06", "S-7644-3.5.2-02", level=SHOULD)
bad("data.post.bad", POST | {"data": without(BODY, "userName")}, "What is refused alone is refused in a bulk.", "S-7644-3.7-08")
bad("text", {"text": "hello"}, "An operation that is none is refused with 400.", "S-7644-3.7-03")


@check("bulk.bulk-id.twice", MUST, CLAUSE, "S-7644-3.7-04", needs=NEEDS)
def bulk_id_twice(probe: Probe) -> None:
    "A bulkId is unique within its bulk: if two operations have the same, one at least is refused, or all of them."
    answer = bulk(probe, create(probe, "a"), create(probe, "b") | {"bulkId": "a"})
    if answer.code != 400:
        statuses = [str(at(one, "status")) for one in told(answer)]
        answer.expect(any(one in ("400", "409") for one in statuses), "status 400 or 409 at one of them", " ".join(statuses))


@check("bulk.urn", MUST, CLAUSE, "S-7644-3.7-02", "S-7644-3.1-03", needs=NEEDS)
def other_urn(probe: Probe) -> None:
    "A bulk with the URN of another message is refused with 400, and does nothing."
    probe.post("/Bulk", {"schemas": [PATCH_OP], "Operations": [create(probe, "a")]}).status(400)
    if probe.offer.supports("filter"):
        probe.finds(f'userName eq "{probe.name("a")}"', [], [])


@check("bulk.shape", MUST, "RFC 7644 §3.12", "S-7644-3.7-03", "S-7644-3.12-01", needs=NEEDS)
def shape(probe: Probe) -> None:
    "Operations that are no array, and a failOnErrors that is no number, are refused with 400 and a SCIM error."
    wrong: list[Document] = [{"Operations": {}}, {"Operations": "x"}, {"Operations": [], "failOnErrors": "one"}]
    for each in wrong:
        probe.post("/Bulk", {"schemas": [BULK_REQUEST]} | each).status(400).error_body()


# -- what is told of it ---------------------------------------------------------------------------------------------


@check("bulk.told", MUST, CLAUSE, "S-7644-3.7-08", "S-7644-3.7-11", "S-7644-3.7.3-02", "S-7644-3.7.3-01", needs=NEEDS)
def what_is_told(probe: Probe) -> None:
    "Every operation that was processed is told, its status a string; a failed one with the error, a failed POST without a location."
    probe.user("taken")
    answer = bulk(probe, create(probe, "taken"), create(probe, "free"), {"method": "DELETE", "path": f"/Users/{probe.name('nobody')}"})
    operations = told(answer)
    answer.expect(len(operations) == 3, "3 operations in the answer", str(len(operations)))
    made(probe, answer, 1, "free")
    by_status = {str(at(one, "status")): one for one in operations}
    answer.expect(set(by_status) == {"409", "201", "404"}, "status 409, 201 and 404", " ".join(by_status))
    answer.expect(all(isinstance(at(one, "status"), str) for one in operations), "each status as a string")
    answer.expect(at(by_status["409"], "location") is MISSING, "no location of what was not made")
    for status in ("409", "404"):
        answer.expect(at(by_status[status], "response", "status") == status, f"the error of status {status} as response")
    answer.lacks("failOnErrors")


@check("bulk.told.order", MAY, "RFC 7644 §3.7.3", "S-7644-3.7.3-01", "S-7644-3.7-12", needs=NEEDS)
def told_in_order(probe: Probe) -> None:
    "The operations are told in the order in which they were sent."
    hints = "edcba"
    answer = bulk(probe, *[create(probe, hint) for hint in hints])
    came = [str(at(one, "bulkId")) for one in told(answer)]
    answer.expect(came == list(hints), " ".join(hints), " ".join(came))
    for place, hint in enumerate(hints):
        made(probe, answer, place, hint)


@check("bulk.version", MUST, CLAUSE, "S-7644-3.7-08", needs=[*NEEDS, "etag"])
def version(probe: Probe) -> None:
    "What a bulk made or changed is told with its version, which is the ETag."
    user = probe.user("put")
    answer = bulk(probe, create(probe, "a"), {"method": "PUT", "path": user.path, "data": probe.user_body("put", title="Pilot")})
    one = made(probe, answer, 0, "a")
    for place, path in ((0, one.path), (1, user.path)):
        answer.has(tag(probe.get(path).status(200)), "Operations", place, "version")


@check("bulk.precondition", MUST, CLAUSE, "S-7644-3.7-07", "S-7644-3.12-06", needs=[*NEEDS, "etag", "patch", "User.title"])
def precondition(probe: Probe) -> None:
    "The version of an operation is a precondition: an old one is refused with 412 (PUT, PATCH, DELETE), the present one succeeds."
    user = probe.user(title="Pilot")
    old = tag(user.answer)
    current = tag(probe.put(user.path, probe.user_body(title="Captain")).status(200))
    change = {"op": "replace", "path": "title", "value": "Cook"}
    stale: list[Document] = [
        {"method": "PUT", "path": user.path, "version": old, "data": probe.user_body(title="Cook")},
        patch(user.path, change, version=old),
        {"method": "DELETE", "path": user.path, "version": old},
    ]
    answer = bulk(probe, *stale)
    for place in range(3):
        answer.has("412", "Operations", place, "status")
    probe.state(user, answer).has("Captain", "title")
    answer = bulk(probe, patch(user.path, change, version=current))
    refused = at(told(answer), 0, "status")
    answer.expect(refused in ("200", "204"), "status 200 or 204", shown(refused))
    probe.state(user, answer).has("Cook", "title")


@check("bulk.response", MUST, "RFC 7643 §7, RFC 7644 §3.7", "S-7644-3.7-15", "S-7643-7-04", "S-7643-4.1.1-02", needs=NEEDS)
def response(probe: Probe) -> None:
    "Nothing that a bulk tells has a password in it; and attributes in its URL make no difference to it."
    word = f"Corr3ct-{probe.tag}-h0rse"
    operation = create(probe, "a")
    operation["data"] |= {"password": word}
    answer = probe.post("/Bulk", {"schemas": [BULK_REQUEST], "Operations": [operation]}, {"attributes": "userName,password"})
    answer.expect(word not in answer.response.text, "an answer without the password")
    status = at(told(answer), 0, "status")
    answer.expect(status in ("201", "400"), "status 201 (or 400, where no password is taken)", shown(status))
    if status == "201":
        answer.text("Operations", 0, "location")
        made(probe, answer, 0, "a")


@check("bulk.each", MUST, CLAUSE, "S-7644-3.7-13", "S-7644-3.5.2-15", needs=[*NEEDS, "patch", "User.title"])
def each_atomic(probe: Probe) -> None:
    "Each operation is done whole or not at all: a PATCH that fails changes nothing, what comes before and after it is done."
    user = probe.user(title="Pilot")
    good, wrong = {"op": "replace", "path": "title", "value": "Cook"}, {"op": "replace", "path": "emails[", "value": "x"}
    answer = bulk(probe, create(probe, "before"), patch(user.path, good, wrong), create(probe, "after"))
    answer.has("400", "Operations", 1, "status")
    for place, hint in ((0, "before"), (2, "after")):
        probe.get(made(probe, answer, place, hint).path).status(200)
    probe.state(user, answer).has("Pilot", "title")


@check("bulk.fail-on-errors.told", MUST, CLAUSE, "S-7644-3.7-10", "S-7644-3.7-11", "S-7644-3.7.3-01", needs=NEEDS)
def fail_on_errors_told(probe: Probe) -> None:
    "With failOnErrors 2 the first failure is passed over and the second ends it; the answer tells what was processed, and no failOnErrors."
    probe.user("taken")
    failing = [create(probe, "taken") | {"bulkId": f"t{number}"} for number in range(2)]
    answer = bulk(probe, failing[0], create(probe, "between"), failing[1], create(probe, "after"), failOnErrors=2)
    statuses = [str(at(one, "status")) for one in told(answer)]
    answer.expect(statuses[:3] == ["409", "201", "409"], "status 409, 201, 409", " ".join(statuses)).lacks("failOnErrors")
    made(probe, answer, 1, "between")
    answer.expect("201" not in statuses[3:], "nothing done after the second failure", " ".join(statuses))


# -- what refers to what --------------------------------------------------------------------------------------------


@check("bulk.references.forward", SHOULD, REFERENCES, "S-7644-3.7.2-03", "S-7644-3.7.2-01", needs=TEAM)
def forward(probe: Probe) -> None:
    "bulkId:… may stand before the operation that it refers to."
    answer = bulk(probe, group(probe, "g", "bulkId:a"), create(probe, "a"))
    told(answer)
    team, user = made(probe, answer, 0, "g"), made(probe, answer, 1, "a")
    answer.expect(members(probe, team) == {user.id}, "the user as the group's member")


@check("bulk.references.circle", MUST, "RFC 7644 §3.7.1", "S-7644-3.7.1-01", needs=TEAM)
def circle(probe: Probe) -> None:
    "Two groups that are members of each other by bulkId are both made so, or both are refused (409, or 400 where groups do not nest)."
    answer = bulk(probe, group(probe, "g", "bulkId:h"), group(probe, "h", "bulkId:g"))
    statuses = [str(at(one, "status")) for one in told(answer)]
    if statuses != ["201", "201"]:
        answer.expect(len(statuses) == 2 and set(statuses) <= {"409", "400"}, "status 201 for both, or 409 for both", " ".join(statuses))
        probe.finds(f'displayName sw "{probe.tag}"', [], [], "/Groups")
        return
    one, other = made(probe, answer, 0, "g"), made(probe, answer, 1, "h")
    answer.expect(members(probe, one) == {other.id} and members(probe, other) == {one.id}, "each group as a member of the other")


@check("bulk.references.failed", MUST, REFERENCES, "S-7644-3.7.2-02", "S-7644-3.7.2-01", needs=[*TEAM, "filter"])
def failed(probe: Probe) -> None:
    "An operation that refers to one that failed, or to none at all, fails as well; no group is made whose member is a bulkId."
    probe.user("taken")
    answer = bulk(probe, create(probe, "taken"), group(probe, "g", "bulkId:taken"), group(probe, "h", "bulkId:nobody"))
    if answer.code != 400:
        for place in (1, 2):
            status = at(told(answer), place, "status")
            answer.expect(status in ("400", "409", "412", "404"), "status 400, 404, 409 or 412", shown(status))
    probe.finds(f'displayName sw "{probe.tag}"', [], [], "/Groups")


@check("bulk.references.patch", MUST, REFERENCES, "S-7644-3.7.2-01", needs=[*TEAM, "patch"])
def in_patch(probe: Probe) -> None:
    "bulkId:… stands for an id in the values of a PATCH as well."
    team = probe.group()
    add = {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]}
    answer = bulk(probe, create(probe, "a"), patch(team.path, add))
    user = made(probe, answer, 0, "a")
    answer.expect(members(probe, team) == {user.id}, "the new user as the group's member")


@check("bulk.references.manager", MUST, REFERENCES, "S-7644-3.7.2-01", needs=[*NEEDS, "enterprise", "enterprise.manager"])
def manager(probe: Probe) -> None:
    "bulkId:… stands for an id wherever one belongs: a manager made in the same bulk."
    managed = create(probe, "b")
    managed["data"] = probe.user_body("b", enterprise={"manager": {"value": "bulkId:a"}})
    answer = bulk(probe, create(probe, "a"), managed)
    told(answer)
    boss, user = made(probe, answer, 0, "a"), made(probe, answer, 1, "b")
    probe.state(user, answer).has(boss.id, ENTERPRISE, "manager", "value")


@check("bulk.references.path", MAY, REFERENCES, "S-7644-3.7.2-01", needs=[*TEAM, "patch", "User.title"])
def in_path(probe: Probe) -> None:
    "bulkId:… may stand in the path of a later operation, and in a value path of its data."
    change = patch("/Users/bulkId:a", {"op": "add", "path": "title", "value": "Pilot"})
    answer = bulk(probe, create(probe, "a"), change)
    probe.state(made(probe, answer, 0, "a"), answer).has("Pilot", "title")
    team = probe.group()
    add = {"op": "add", "path": "members", "value": [{"value": "bulkId:b"}]}
    remove = {"op": "remove", "path": 'members[value eq "bulkId:b"]'}
    answer = bulk(probe, create(probe, "b"), patch(team.path, add, remove))
    made(probe, answer, 0, "b")
    status = at(told(answer), 1, "status")
    answer.expect(status in ("200", "204"), "status 200 or 204", shown(status))
    answer.expect(members(probe, team) == set(), "a group without members")


# -- limits ---------------------------------------------------------------------------------------------------------


@check("bulk.limit.payload", MUST, "RFC 7644 §3.7.4", "S-7644-3.7.4-01", needs=NEEDS)
def payload(probe: Probe) -> None:
    "A bulk of more than maxPayloadSize bytes is refused with 413, and does nothing."
    most = int(probe.get("/ServiceProviderConfig").status(200).value("bulk", "maxPayloadSize"))
    message = json.dumps({"schemas": [BULK_REQUEST], "Operations": [create(probe, "a")]})
    probe.request("POST", "/Bulk", raw=message + " " * (most + 1 - len(message))).status(413)
    if probe.offer.supports("filter"):
        probe.finds(f'userName eq "{probe.name("a")}"', [], [])


@check("bulk.limit.named", MUST, "RFC 7644 §3.7.4", "S-7644-3.7.4-01", needs=NEEDS)
def limit_named(probe: Probe) -> None:
    "The error of too many operations says what the limit is."
    most = int(probe.get("/ServiceProviderConfig").status(200).value("bulk", "maxOperations"))
    one = {"method": "DELETE", "path": f"/Users/{probe.name('nobody')}"}
    answer = bulk(probe, *[one] * (most + 1)).status(413)
    answer.expect(str(most) in answer.text("detail"), f"a detail that names {most}")
