"""Tenants are kept apart: with a second credential, of another tenant (--other-token), what the first one has is as if it were not there.

RFC 7644 §6 leaves to the server how tenants are told apart; that a client sees and changes its own tenant's resources only follows from
there being tenants.
"""

from __future__ import annotations

import json
from typing import Any

from conformance.checker.answer import MISSING, Answer, at
from conformance.checker.evidence import Skipped, shown
from conformance.checker.offer import OTHER
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE
from conformance.checks.bulk import bulk
from conformance.checks.bulk_details import patch
from conformance.checks.cursor import must_follow, page
from conformance.checks.etags import tag
from conformance.checks.groups import expect_members
from conformance.checks.root import ABSENT
from conformance.checks.search import search

CLAUSE = "RFC 7644 §6"
APART = "S-7644-6-03"


def said(answer: Answer, *names: str) -> str:
    """What an error says, without what differs from request to request anyway: its ids and the names asked for."""
    body = answer.error_body()
    told = json.dumps({name: body.get(name) for name in ("schemas", "status", "scimType", "detail")}, sort_keys=True)
    for name in names:
        told = told.replace(name, "…")
    return told


@check("isolation.id", MUST, CLAUSE, APART, "S-7644-3.4.1-02", "S-7644-6.1-01", "S-7644-6.2-01", needs=[OTHER])
def by_id(probe: Probe) -> None:
    "The id of another tenant's user is an id that nobody has: GET, PUT, PATCH and DELETE answer 404, and the user is as before."
    user, stranger = probe.user(nickName="Ada"), probe.other
    before = probe.state(user).document()
    stranger.get(user.path).status(404).error_body()
    stranger.put(user.path, stranger.user_body("forged")).status(404)
    if stranger.offer.supports("patch"):
        stranger.patch(user.path, {"op": "replace", "path": "nickName", "value": "Eve"}).status(404)
    stranger.delete(user.path).status(404)
    now = probe.state(user)
    now.expect(now.document() == before, "the user as before")


@check("isolation.id.group", MUST, CLAUSE, APART, "S-7644-3.4.1-02", needs=[OTHER, "groups"])
def by_id_group(probe: Probe) -> None:
    "The id of another tenant's group is an id that nobody has, and its members are as before."
    ann = probe.user("ann")
    group, stranger = probe.group(members=[ann]), probe.other
    stranger.get(group.path).status(404)
    stranger.put(group.path, stranger.group_body("forged")).status(404)
    if stranger.offer.supports("patch"):
        stranger.patch(group.path, {"op": "remove", "path": "members"}).status(404)
    stranger.delete(group.path).status(404)
    expect_members(probe, group, ann)


@check("isolation.same", SHOULD, "RFC 7644 §6, RFC 9110 §15.5.5", APART, "S-7644-3.4.1-02", needs=[OTHER])
def same_answer(probe: Probe) -> None:
    "What is said of another tenant's user is what is said of nobody: the errors differ in nothing but the id."
    user, nobody = probe.user(), "0" * 8 + "-" + probe.tag
    one, other = probe.other.get(user.path), probe.other.get(f"/Users/{nobody}")
    strip = [one.header("X-Request-Id") or "", other.header("X-Request-Id") or ""]
    came, wanted = said(one, user.id, *filter(None, strip)), said(other, nobody, *filter(None, strip))
    one.expect(came == wanted, wanted, came)


@check("isolation.filter", MUST, CLAUSE, APART, needs=[OTHER, "filter"])
def by_filter(probe: Probe) -> None:
    "No filter, search or count finds another tenant's users: not by id, userName, externalId, address or part of a name."
    emails = [{"value": f"{probe.tag}@checks.example", "type": "work"}]
    user, stranger = probe.user(externalId=probe.name("ext"), emails=emails), probe.other
    questions = [f'id eq "{user.id}"', f'userName eq "{user.name}"', f'userName sw "{probe.tag}"', f'externalId eq "{probe.name("ext")}"']
    if probe.offer.lack("User.emails") is None:
        questions.append(f'emails.value eq "{probe.tag}@checks.example"')
    for question in questions:
        stranger.finds(question, [], [user]).has(0, "totalResults")
        try:
            answer = search(stranger, filter=question)
        except Skipped:
            continue
        answer.expect(not answer.resources(), "nobody").has(0, "totalResults")
    probe.finds(f'id eq "{user.id}"', [user], [user])


@check("isolation.filter.group", MUST, CLAUSE, APART, needs=[OTHER, "filter", "groups"])
def by_filter_group(probe: Probe) -> None:
    "No filter finds another tenant's groups: not by displayName, and not by a member."
    ann = probe.user("ann")
    group, stranger = probe.group(members=[ann]), probe.other
    for question in (f'displayName eq "{group.name}"', f'id eq "{group.id}"', f'members.value eq "{ann.id}"'):
        stranger.finds(question, [], [group], "/Groups")


@check("isolation.list", MUST, CLAUSE, APART, needs=[OTHER])
def in_list(probe: Probe) -> None:
    "A list of everybody has nobody of another tenant: neither a name nor the number of them."
    counted = [(endpoint, probe.other.get(endpoint, {"count": 0}).total) for endpoint in ("/Users",)]
    user = probe.user()
    for endpoint, before in counted:
        answer = probe.other.get(endpoint, {"count": 100})
        answer.expect(user.id not in answer.response.text, f"no {user.name}")
        answer.expect(answer.total == before, f"totalResults {before}, as before")


@check("isolation.root", MUST, CLAUSE, APART, "S-7644-3.4.3-06", needs=[OTHER, "filter"])
def at_root(probe: Probe) -> None:
    "A query at the root finds nobody of another tenant."
    user = probe.user()
    answer = probe.other.get("/", {"filter": f'id eq "{user.id}"'})
    if answer.code in ABSENT:
        raise Skipped(f"the server has no query at its root (it answers {answer.code})")
    answer.expect(not answer.resources(), "nobody")


@check("isolation.names", MUST, "RFC 7643 §7, RFC 7644 §6.2", "S-7643-7-06", "S-7644-6.2-02", "S-7643-9.3-01", needs=[OTHER])
def names(probe: Probe) -> None:
    "Two tenants may have users with the same userName and externalId; they have different ids."
    ours = probe.user(externalId=probe.name("ext"))
    theirs = probe.other.post("/Users", probe.other.user_body(externalId=probe.name("ext"))).status(201)
    theirs.expect(theirs.text("id") != ours.id, "another id")
    probe.state(ours).has(ours.id, "id")


@check("isolation.members", MUST, CLAUSE, APART, needs=[OTHER, "groups"])
def members(probe: Probe) -> None:
    "Another tenant's user cannot be made a member: it is refused, or at least shown nowhere; the user does not know of the group."
    ann, bob, stranger = probe.user("ann"), probe.user("bob"), probe.other
    answer = stranger.post("/Groups", stranger.group_body() | {"members": [{"value": ann.id}]})
    answer.no_server_error()
    if answer.code == 201:
        listed = answer.document().get("members") or []
        answer.expect(ann.name not in answer.response.text, "nothing of the other tenant's user", shown(listed))
    group = stranger.group("empty")
    if stranger.offer.supports("patch"):
        stranger.patch(group.path, {"op": "add", "path": "members", "value": [{"value": bob.id}]}).no_server_error()
        shown_there = stranger.state(group)
        shown_there.expect(bob.name not in shown_there.response.text, "nothing of the other tenant's user")
    for one in (ann, bob):
        probe.state(one).lacks("groups")


@check("isolation.members.refused", MAY, "RFC 7643 §2.3.7", APART, "S-7643-2.3.7-04", needs=[OTHER, "groups"])
def members_refused(probe: Probe) -> None:
    "Another tenant's user as a member is refused as somebody who does not exist."
    ann, stranger = probe.user("ann"), probe.other
    stranger.post("/Groups", stranger.group_body() | {"members": [{"value": ann.id}]}).client_error()


@check("isolation.manager", MUST, CLAUSE, APART, needs=[OTHER, "enterprise", "enterprise.manager"])
def manager(probe: Probe) -> None:
    "Another tenant's user as a manager tells nothing of that user: no displayName, no address that leads to anybody."
    boss, stranger = probe.user("boss", displayName="Ada Byron"), probe.other
    answer = stranger.post("/Users", stranger.user_body(enterprise={"manager": {"value": boss.id}})).no_server_error()
    if answer.code == 201:
        answer.expect("Ada Byron" not in answer.response.text and boss.name not in answer.response.text, "nothing of the boss")
        reference = at(answer.document(), ENTERPRISE, "manager", "$ref")
        path = None if reference is MISSING else stranger.wire.below(str(reference))
        if path:
            stranger.get(path).status(404)


@check("isolation.bulk", MUST, f"{CLAUSE} and §3.7", APART, "S-7644-3.7-14", needs=[OTHER, "bulk"])
def in_bulk(probe: Probe) -> None:
    "Each operation of a bulk is judged as if it came alone: another tenant's user is a 404 to PUT, PATCH and DELETE, and is as before."
    user, stranger = probe.user(nickName="Ada"), probe.other
    before = probe.state(user).document()
    operations: list[dict[str, Any]] = [
        {"method": "PUT", "path": user.path, "data": stranger.user_body("forged")},
        patch(user.path, {"op": "replace", "path": "nickName", "value": "Eve"}),
        {"method": "DELETE", "path": user.path},
    ]
    answer = bulk(stranger, *operations).status(200)
    for place in range(len(operations)):
        answer.has("404", "Operations", place, "status")
    answer.expect("Ada" not in answer.response.text, "nothing of the user")
    now = probe.state(user)
    now.expect(now.document() == before, "the user as before")


@check("isolation.cursor", MUST, "RFC 9865 §5.2", APART, "S-9865-5.2-01", needs=[OTHER, "cursor", "filter"])
def by_cursor(probe: Probe) -> None:
    "Another tenant's cursor leads to nobody of that tenant: it is refused, or shows one's own."
    made = [probe.user(f"u{number}") for number in range(3)]
    cursor = must_follow(page(probe))
    answer = page(probe.other, cursor).status(200, 400)
    for one in made:
        answer.expect(one.id not in answer.response.text, f"no {one.name}")


@check("isolation.cursor.same", MUST, "RFC 9865 §5.2", "S-9865-5.2-05", "S-9865-5.2-04", needs=[OTHER, "cursor", "filter"])
def same_refusal(probe: Probe) -> None:
    "The refusal of another tenant's cursor is that of a cursor which is none: it does not tell that there is such a page."
    for number in range(3):
        probe.user(f"u{number}")
    cursor = must_follow(page(probe))
    foreign, none = page(probe.other, cursor), page(probe.other, "x" + cursor[1:] if cursor[0] != "x" else "y" + cursor[1:])
    if foreign.code == 200:
        raise Skipped("the server takes the cursor, and shows the tenant's own")
    ids = [one for one in (foreign.header("X-Request-Id"), none.header("X-Request-Id")) if one]
    foreign.expect(said(foreign, *ids) == said(none, *ids), said(none, *ids), said(foreign, *ids))


@check("isolation.version", MUST, f"{CLAUSE} and §3.14", APART, needs=[OTHER, "etag"])
def by_version(probe: Probe) -> None:
    "The ETag of another tenant's user opens nothing: with it a GET is a 404, and a PUT too."
    user, stranger = probe.user(), probe.other
    current = tag(user.answer)
    stranger.get(user.path, headers={"If-None-Match": current}).status(404)
    stranger.get(user.path, headers={"If-None-Match": "*"}).status(404)
    stranger.put(user.path, stranger.user_body("forged"), headers={"If-Match": current}).status(404, 412)
    probe.state(user).has(user.name, "userName")


@check("isolation.schemas", MAY, "RFC 7643 §6", APART, needs=[OTHER])
def of_schemas(probe: Probe) -> None:
    "An extension that only one tenant has is unknown to another: /Schemas does not show it there."
    own = [urn for urn, _ in probe.offer.extensions() if urn not in [known for known, _ in probe.other.offer.extensions()]]
    if not own:
        raise Skipped("the tenants have the same extensions")
    for urn in own:
        probe.other.get(f"/Schemas/{urn}").status(404)
