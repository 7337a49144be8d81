"""PUT: replacing a resource (RFC 7644 §3.5.1)."""

from __future__ import annotations

from typing import Any

from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE
from conformance.checks.groups import expect_members

CLAUSE = "RFC 7644 §3.5.1"


@check("put.answer", MUST, CLAUSE, "S-7644-3.5.1-10", "S-7644-3.5-01")
def answer(probe: Probe) -> None:
    "A PUT answers 200 with the whole user; id and meta.created stay."
    user = probe.user(title="Pilot")
    came = probe.put(user.path, probe.user_body(title="Captain")).status(200).has(user.id, "id")
    came.has(user.answer.text("meta", "created"), "meta", "created").has("User", "meta", "resourceType")
    if probe.offer.lack("User.title") is None:
        probe.state(user, came).has("Captain", "title")


@check("put.unknown", MUST, CLAUSE, "S-7644-3.5.1-01", "S-7644-3.2-02")
def unknown(probe: Probe) -> None:
    "A PUT never creates: an id that nobody has is a 404 with a SCIM error."
    probe.put(f"/Users/{probe.name('nobody')}", probe.user_body()).status(404).error_body()
    if probe.offer.supports("filter"):
        probe.finds(f'userName eq "{probe.name("user")}"', [], [])


@check("put.back", MUST, CLAUSE, "S-7644-3.5.1-07", "S-7643-2-01")
def back(probe: Probe) -> None:
    "What a GET gave can be PUT back, readOnly attributes included: 200, and the same user."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"}, externalId=probe.name("ext"))
    before = probe.state(user).document()
    came = probe.put(user.path, before).status(200)
    now = {name: value for name, value in probe.state(user, came).document().items() if name != "meta"}
    came.expect(now == {name: value for name, value in before.items() if name != "meta"}, "the user as it was before")


@check("put.back.modified", SHOULD, CLAUSE, "S-7644-3.5.1-12")
def back_modified(probe: Probe) -> None:
    "A PUT that changes nothing leaves meta as it was."
    user = probe.user()
    before = probe.state(user).document()
    came = probe.put(user.path, before).status(200)
    probe.state(user, came).has(before.get("meta"), "meta")


@check("put.read-only", MUST, CLAUSE, "S-7644-3.5.1-07", "S-7644-3.5.1-08", "S-7643-3.1-07")
def read_only(probe: Probe) -> None:
    "id, meta and groups in the body are ignored."
    user = probe.user()
    forged: dict[str, Any] = {"id": "another", "meta": {"resourceType": "Group", "created": "2001-01-01T00:00:00Z"}}
    forged["groups"] = [{"value": "no-such-group"}]
    came = probe.put(user.path, probe.user_body() | forged).status(200).has(user.id, "id").has("User", "meta", "resourceType")
    came.has(user.answer.text("meta", "created"), "meta", "created").lacks("groups")


@check("put.complex", MUST, CLAUSE, "S-7644-3.5.1-02", needs=["User.name", "User.emails"])
def complex_value(probe: Probe) -> None:
    "A complex value and a multi-valued one are replaced as a whole."
    emails = [{"value": f"{probe.tag}@{kind}.example", "type": kind} for kind in ("work", "home")]
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"}, emails=emails)
    came = probe.put(user.path, probe.user_body(name={"givenName": "Eve"}, emails=emails[1:])).status(200)
    now = probe.state(user, came).has("Eve", "name", "givenName").lacks("name", "familyName")
    now.expect(len(now.value("emails")) == 1, "one e-mail address").has("home", "emails", 0, "type")


@check("put.clears", SHOULD, CLAUSE, "S-7644-3.5.1-03", needs=["User.nickName", "User.title"])
def clears(probe: Probe) -> None:
    "What a PUT leaves out has no value afterwards, externalId included."
    user = probe.user(nickName="Ada", title="Pilot", externalId=probe.name("ext"))
    came = probe.put(user.path, probe.user_body(title="Captain")).status(200)
    probe.state(user, came).lacks("nickName").lacks("externalId").has("Captain", "title")


@check("put.clears.null", MUST, "RFC 7643 §2.5", "S-7644-3.5.1-05", "S-7643-2.5-01", needs=["User.nickName", "User.phoneNumbers"])
def clears_null(probe: Probe) -> None:
    "null and an empty array in a PUT remove the value."
    user = probe.user(nickName="Ada", phoneNumbers=[{"value": "+45 1", "type": "work"}])
    came = probe.put(user.path, probe.user_body(nickName=None, phoneNumbers=[])).status(200)
    probe.state(user, came).lacks("nickName").lacks("phoneNumbers")


@check("put.active", SHOULD, CLAUSE, "S-7644-3.5.1-04", needs=["User.active"])
def active(probe: Probe) -> None:
    "A PUT without active does not revive a disabled user."
    user = probe.user(active=False)
    body = probe.user_body()
    body.pop("active", None)
    came = probe.put(user.path, body).status(200)
    now = probe.state(user, came)
    now.expect(now.document().get("active") is not True, "a user who is not active")


@check("put.required", MUST, CLAUSE, "S-7644-3.5.1-09", "S-7643-7-10")
def required(probe: Probe) -> None:
    "A PUT without userName is refused with 400, and the user is as before."
    user = probe.user()
    body = probe.user_body()
    del body["userName"]
    before = probe.state(user).document()
    probe.put(user.path, body | {"displayName": "changed"}).status(400)
    now = probe.state(user)
    now.expect(now.document() == before, "the user as it was before")


@check("put.schemas", MUST, "RFC 7643 §3", "S-7643-2.1-01")
def schemas(probe: Probe) -> None:
    "A PUT without schemas is refused with 400."
    user = probe.user()
    body = probe.user_body()
    del body["schemas"]
    probe.put(user.path, body).status(400)


@check("put.taken", MUST, CLAUSE, "S-7644-3.5.1-11")
def taken(probe: Probe) -> None:
    "A PUT with a userName that another user has is refused with 409 uniqueness, and the user is as before."
    other, user = probe.user("other"), probe.user()
    probe.put(user.path, probe.user_body() | {"userName": other.name.upper()}).refused(409, "uniqueness")
    probe.state(user).has(user.name, "userName")


@check("put.own-name", MUST, CLAUSE, "S-7644-3.5.1-02")
def own_name(probe: Probe) -> None:
    "The user's own userName in another case is no conflict: it is the new spelling."
    user = probe.user("Mixed")
    came = probe.put(user.path, probe.user_body() | {"userName": user.name.upper()}).status(200)
    probe.state(user, came).has(user.name.upper(), "userName")


@check("put.extension", MUST, CLAUSE, "S-7644-3.5.1-02", "S-7644-3.5.1-13", needs=["enterprise", "enterprise.department"])
def extension(probe: Probe) -> None:
    "A PUT replaces the extension; where it is left out or has no more value, so is its URN in schemas."
    user = probe.user(enterprise={"department": "Ops", "employeeNumber": "9"})
    came = probe.put(user.path, probe.user_body(enterprise={"department": "Sea"})).status(200)
    probe.state(user, came).has({"department": "Sea"}, ENTERPRISE)
    came = probe.put(user.path, probe.user_body(enterprise={"department": None})).status(200)
    now = probe.state(user, came).lacks(ENTERPRISE)
    now.expect(ENTERPRISE not in now.value("schemas"), f"schemas without {ENTERPRISE}")


@check("put.group", MUST, CLAUSE, "S-7644-3.5-01", "S-7644-3.5.1-02", needs=["groups"])
def group(probe: Probe) -> None:
    "A PUT of a group replaces its members and its name."
    ann, bob = probe.user("ann"), probe.user("bob")
    made = probe.group(members=[ann])
    probe.put(made.path, probe.group_body("renamed", [bob])).status(200).has(probe.name("renamed"), "displayName")
    expect_members(probe, made, bob)


@check("put.group.clears", SHOULD, CLAUSE, "S-7644-3.5.1-03", needs=["groups"])
def group_clears(probe: Probe) -> None:
    "A PUT of a group without members leaves it without members."
    made = probe.group(members=[probe.user("ann")])
    probe.put(made.path, probe.group_body()).status(200)
    expect_members(probe, made)


@check("put.atomic", SHOULD, CLAUSE, "S-7644-3.5.1-14", needs=["groups"])
def atomic(probe: Probe) -> None:
    "A PUT that is refused for one of its values has changed nothing: a group with an unknown member keeps its name and members."
    ann = probe.user("ann")
    made = probe.group(members=[ann])
    body = probe.group_body("renamed") | {"members": [{"value": probe.name("nobody")}]}
    if probe.put(made.path, body).code == 200:
        raise Skipped("the server takes members that do not exist")
    probe.state(made).has(made.name, "displayName")
    expect_members(probe, made, ann)


@check("put.nested", MUST, "RFC 7643 §2.5", "S-7643-2.5-04", "S-7643-2.5-01", "S-7644-3.5.1-02", needs=["User.name", "User.emails"])
def nested(probe: Probe) -> None:
    "A complex value of which every sub-attribute is null is no value; a null within an element is none of it."
    user = probe.user(name={"givenName": "Ada"})
    emails = [{"value": f"{probe.tag}@checks.example", "type": "work", "display": None}]
    name = {"givenName": None, "familyName": None}
    came = probe.put(user.path, probe.user_body(name=name, emails=emails)).status(200)
    probe.state(user, came).lacks("name").lacks("emails", 0, "display").has("work", "emails", 0, "type")
