"""PATCH of a user: the message, atomicity, add (RFC 7644 §3.5.2 and §3.5.2.1). Remove and replace are in `patch_changes`."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import MISSING, at
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE, PATCH_OP, USER

CLAUSE = "RFC 7644 §3.5.2"
ADD = "RFC 7644 §3.5.2.1"
PATCH = ("patch",)
MAIL = ("patch", "User.emails")
EXTENSION = ("patch", "enterprise", "enterprise.department")


def email(probe: Probe, kind: str, **more: Any) -> dict[str, Any]:
    return {"value": f"{probe.tag}@{kind}.example", "type": kind} | more


def unchanged(probe: Probe, user: Made, before: dict[str, Any]) -> None:
    """That a resource is what it was, lastModified and version included."""
    now = probe.state(user)
    now.expect(now.document() == before, "the resource as it was before")


# -- the message ----------------------------------------------------------------------------------------------------


@check("patch.answer", MUST, CLAUSE, "S-7644-3.5.2-18", needs=[*PATCH, "User.title"])
def answer(probe: Probe) -> None:
    "A PATCH answers 200 with the whole user, or 204 without a body."
    user = probe.user(title="Pilot")
    came = probe.patch(user.path, {"op": "replace", "path": "title", "value": "Captain"}).status(200, 204)
    if came.code == 200:
        came.has("Captain", "title").has(user.name, "userName").has(user.id, "id")
    else:
        came.expect(came.response.body == b"", "no body")
    probe.state(user, came).has("Captain", "title")


@check("patch.unknown", MUST, "RFC 7644 §3.12", "S-7644-3.5.2-22", "S-7644-3.5.2-20", needs=PATCH)
def unknown(probe: Probe) -> None:
    "A PATCH of a user who does not exist is a 404 with a SCIM error."
    probe.patch(f"/Users/{probe.name('nobody')}", {"op": "replace", "path": "active", "value": False}).status(404).error_body()


def _refused(slug: str, body: Any, what: str, *requirements: str) -> None:
    @check(
        f"patch.message.{slug}", MUST, CLAUSE, *requirements, needs=PATCH, says=f"A PATCH {what} is refused with 400 and changes nothing."
    )
    def run(probe: Probe) -> None:
        user = probe.user(nickName="Ada")
        before = probe.state(user).document()
        probe.request("PATCH", user.path, body).status(400)
        unchanged(probe, user, before)


VALID = {"op": "replace", "path": "nickName", "value": "Eve"}
_refused("schemas-missing", {"Operations": [VALID]}, "without schemas", "S-7644-3.5.2-02")
_refused("schemas-other", {"schemas": [USER], "Operations": [VALID]}, "with another schema URN", "S-7644-3.5.2-02", "S-7644-3.1-03")
_refused("operations-missing", {"schemas": [PATCH_OP]}, "without Operations", "S-7644-3.5.2-03")
_refused("operations-object", {"schemas": [PATCH_OP], "Operations": VALID}, "whose Operations is no array", "S-7644-3.5.2-03")
_refused("op-missing", {"schemas": [PATCH_OP], "Operations": [{"path": "nickName", "value": "Eve"}]}, "without op", "S-7644-3.5.2-04")
_refused("op-unknown", {"schemas": [PATCH_OP], "Operations": [VALID | {"op": "move"}]}, "with an op that does not exist", "S-7644-3.5.2-04")
_refused("operation-text", {"schemas": [PATCH_OP], "Operations": ["replace"]}, "whose operation is a string", "S-7644-3.5.2-04")


@check("patch.message.empty", MAY, CLAUSE, "S-7644-3.5.2-03", needs=PATCH)
def empty(probe: Probe) -> None:
    "A PATCH with no operation at all is refused with 400, or changes nothing."
    user = probe.user()
    before = probe.state(user).document()
    probe.patch(user.path).status(400, 200, 204)
    unchanged(probe, user, before)


def _bad_path(slug: str, path: Any, what: str) -> None:
    @check(
        f"patch.path.{slug}", MUST, CLAUSE, "S-7644-3.5.2-07", "S-7644-3.5.2-08", needs=PATCH, says=f"A path {what} is refused with 400."
    )
    def run(probe: Probe) -> None:
        probe.patch(probe.user().path, {"op": "replace", "path": path, "value": "x"}).status(400)


_bad_path("pointer", "/nickName", "in the form of a JSON pointer")
_bad_path("index", "emails[0]", "with an index")
_bad_path("deep", "name.givenName.first", "three names deep")
_bad_path("bracket", 'emails[type eq "work"', "with an unclosed bracket")
_bad_path("filter", "emails[type]", "whose filter is none")
_bad_path("number", 5, "that is a number")
_bad_path("empty", "", "that is the empty string")


@check("patch.path.unknown", SHOULD, "RFC 7644 §3.12", "S-7644-3.5.2-09", needs=PATCH)
def path_unknown(probe: Probe) -> None:
    "A path to an attribute that no schema has is refused with 400."
    probe.patch(probe.user().path, {"op": "replace", "path": "shoeSize", "value": 42}).refused(400, "invalidPath", "noTarget")


@check("patch.path.case", MUST, "RFC 7643 §2.1", "S-7643-2.1-02", needs=[*PATCH, "User.name"])
def path_case(probe: Probe) -> None:
    "Attribute names in a path are not case-sensitive."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    probe.patched(user, {"op": "replace", "path": "NAME.GIVENNAME", "value": "Eve"}).has("Eve", "name", "givenName")


@check("patch.path.urn", MUST, "RFC 7644 §3.10", "S-7644-3.10-01", needs=[*PATCH, "User.nickName"])
def path_urn(probe: Probe) -> None:
    "A path may carry the URN of the core schema."
    probe.patched(probe.user(), {"op": "add", "path": f"{USER}:nickName", "value": "Ada"}).has("Ada", "nickName")


@check("patch.atomic", MUST, CLAUSE, "S-7644-3.5.2-15", needs=[*PATCH, "User.nickName", "User.title"])
def atomic(probe: Probe) -> None:
    "If one of several operations fails, none has happened."
    user = probe.user(nickName="Ada")
    before = probe.state(user).document()
    bad = {"op": "replace", "path": "emails[", "value": "x"}
    probe.patch(user.path, {"op": "replace", "path": "nickName", "value": "Eve"}, {"op": "add", "path": "title", "value": "x"}, bad).status(
        400
    )
    unchanged(probe, user, before)


@check("patch.atomic.conflict", MUST, CLAUSE, "S-7644-3.5.2-15", "S-7644-3.5.2-21", "S-7643-7-07", needs=[*PATCH, "User.nickName"])
def atomic_conflict(probe: Probe) -> None:
    "A userName that is taken is refused with 409, and the other operations of the PATCH have not happened."
    taken, user = probe.user("taken"), probe.user(nickName="Ada")
    before = probe.state(user).document()
    rename = {"op": "replace", "path": "userName", "value": taken.name.upper()}
    probe.patch(user.path, {"op": "replace", "path": "nickName", "value": "Eve"}, rename).refused(409, "uniqueness")
    unchanged(probe, user, before)


@check("patch.order", MUST, CLAUSE, "S-7644-3.5.2-14", needs=[*PATCH, "User.nickName"])
def order(probe: Probe) -> None:
    "Operations are applied one after the other, each on the result of the one before."
    user = probe.user(nickName="one")
    replaced = {"op": "replace", "path": "nickName", "value": "two"}
    probe.patched(user, replaced, {"op": "remove", "path": "nickName"}, {"op": "add", "path": "nickName", "value": "three"}).has(
        "three", "nickName"
    )
    probe.patched(user, replaced, {"op": "remove", "path": "nickName"}).lacks("nickName")


@check("patch.modified", MUST, "RFC 7643 §3.1", "S-7643-3.1-08", needs=[*PATCH, "User.nickName"])
def modified(probe: Probe) -> None:
    "A change moves meta.lastModified, or leaves it within the second, but never before created; meta.created stays."
    user = probe.user()
    created = user.answer.text("meta", "created")
    now = probe.patched(user, {"op": "add", "path": "nickName", "value": "Ada"}).has(created, "meta", "created")
    now.expect(now.text("meta", "lastModified") >= created, "lastModified not before created")


@check("patch.rename", MUST, CLAUSE, "S-7644-3.5.2.3-02", needs=PATCH)
def rename(probe: Probe) -> None:
    "A user can be renamed; the id stays, and the old name is free."
    user = probe.user("old")
    probe.patched(user, {"op": "replace", "path": "userName", "value": probe.name("new")}).has(probe.name("new"), "userName").has(
        user.id, "id"
    )
    probe.post("/Users", probe.user_body("old")).status(201)


# -- add ------------------------------------------------------------------------------------------------------------


@check("patch.add.simple", MUST, ADD, "S-7644-3.5.2.1-05", needs=[*PATCH, "User.nickName"])
def add_simple(probe: Probe) -> None:
    "add sets an attribute without a value, and replaces the value of one that has it."
    user = probe.user()
    probe.patched(user, {"op": "add", "path": "nickName", "value": "Ada"}).has("Ada", "nickName")
    probe.patched(user, {"op": "add", "path": "nickName", "value": "Eve"}).has("Eve", "nickName")


@check("patch.add.boolean", MUST, ADD, "S-7644-3.5.2.1-05", needs=[*PATCH, "User.active"])
def add_boolean(probe: Probe) -> None:
    "A boolean is set as a boolean, and comes back as one."
    user = probe.user()
    probe.patched(user, {"op": "add", "path": "active", "value": False}).has(False, "active")
    probe.patched(user, {"op": "replace", "path": "active", "value": True}).has(True, "active")


@check("patch.add.complex", MUST, ADD, "S-7644-3.5.2.1-06", needs=[*PATCH, "User.name"])
def add_complex(probe: Probe) -> None:
    "add to a singular complex attribute sets the sub-attributes it names and keeps the others."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    now = probe.patched(user, {"op": "add", "path": "name", "value": {"familyName": "King"}})
    now.has("King", "name", "familyName").has("Ada", "name", "givenName")


@check("patch.add.sub-attribute", MUST, ADD, "S-7644-3.5.2.1-07", needs=[*PATCH, "User.name"])
def add_sub_attribute(probe: Probe) -> None:
    "add to a sub-attribute makes its parent when there is none."
    probe.patched(probe.user(), {"op": "add", "path": "name.middleName", "value": "King"}).has("King", "name", "middleName")


@check("patch.add.multi-valued", MUST, ADD, "S-7644-3.5.2.1-08", needs=MAIL)
def add_multi_valued(probe: Probe) -> None:
    "add to a multi-valued attribute appends."
    user = probe.user(emails=[email(probe, "work")])
    now = probe.patched(user, {"op": "add", "path": "emails", "value": [email(probe, "home")]})
    now.expect(len(now.value("emails")) == 2, "two emails").has(f"{probe.tag}@home.example", "emails", {"type": "home"}, "value")
    now.has(f"{probe.tag}@work.example", "emails", {"type": "work"}, "value")


@check("patch.add.single", SHOULD, ADD, "S-7644-3.5.2.1-08", needs=MAIL)
def add_single(probe: Probe) -> None:
    "add to a multi-valued attribute takes one object without an array."
    now = probe.patched(probe.user(), {"op": "add", "path": "emails", "value": email(probe, "home")})
    now.has(f"{probe.tag}@home.example", "emails", {"type": "home"}, "value")


@check("patch.add.again", MUST, ADD, "S-7644-3.5.2.1-09", needs=[*MAIL, "User.nickName"])
def add_again(probe: Probe) -> None:
    "add of a value that is there already succeeds and changes nothing, meta.lastModified included."
    user = probe.user(nickName="Ada", emails=[email(probe, "work")])
    before = probe.state(user).document()
    add = {"op": "add", "path": "emails", "value": [email(probe, "work")]}
    probe.patch(user.path, add, {"op": "add", "path": "nickName", "value": "Ada"}).status(200, 204)
    unchanged(probe, user, before)


@check("patch.add.no-path", MUST, ADD, "S-7644-3.5.2.1-02", needs=[*MAIL, "User.nickName"])
def add_no_path(probe: Probe) -> None:
    "add without a path adds each attribute of the value: simple ones are set, multi-valued ones appended to."
    user = probe.user(emails=[email(probe, "work")])
    now = probe.patched(user, {"op": "add", "value": {"nickName": "Ada", "emails": [email(probe, "home")]}}).has("Ada", "nickName")
    now.expect(len(now.value("emails")) == 2, "two emails")


@check("patch.add.no-path.text", MUST, ADD, "S-7644-3.5.2.1-02", needs=PATCH)
def add_no_path_text(probe: Probe) -> None:
    "add without a path and with a value that is no object is refused with 400."
    probe.patch(probe.user().path, {"op": "add", "value": "Ada"}).status(400)


@check("patch.add.no-value", MUST, ADD, "S-7644-3.5.2.1-01", needs=PATCH)
def add_no_value(probe: Probe) -> None:
    "add without a value is refused with 400."
    probe.patch(probe.user().path, {"op": "add", "path": "nickName"}).status(400)


@check("patch.add.value-path", SHOULD, ADD, "S-7644-3.5.2.1-12", "S-7644-3.5.2.1-11", needs=MAIL)
def add_value_path(probe: Probe) -> None:
    "add to emails[…].display sets it on the matching element only."
    user = probe.user(emails=[email(probe, "work"), email(probe, "home")])
    now = probe.patched(user, {"op": "add", "path": 'emails[type eq "work"].display', "value": "At work"})
    now.has("At work", "emails", {"type": "work"}, "display").lacks("emails", {"type": "home"}, "display")
    now.has(f"{probe.tag}@work.example", "emails", {"type": "work"}, "value")


@check("patch.add.primary", MUST, CLAUSE, "S-7644-3.5.2-16", needs=MAIL)
def add_primary(probe: Probe) -> None:
    "An added element that is primary makes the former primary one not primary."
    user = probe.user(emails=[email(probe, "work", primary=True)])
    now = probe.patched(user, {"op": "add", "path": "emails", "value": [email(probe, "home", primary=True)]})
    now.has(True, "emails", {"type": "home"}, "primary")
    now.expect(at(now.document(), "emails", {"type": "work"}, "primary") in (False, MISSING), "work not primary any more")


@check("patch.add.extension", MUST, CLAUSE, "S-7644-3.5.2.1-17", "S-7644-3.5.2-13", needs=EXTENSION)
def add_extension(probe: Probe) -> None:
    "add with the extension's URN in the path sets its attribute and puts the URN in schemas."
    now = probe.patched(probe.user(), {"op": "add", "path": f"{ENTERPRISE}:department", "value": "Ops"}).has(
        "Ops", ENTERPRISE, "department"
    )
    now.expect(ENTERPRISE in now.value("schemas"), f"schemas with {ENTERPRISE}")


@check("patch.add.extension.object", SHOULD, ADD, "S-7644-3.5.2.1-03", "S-7644-3.5.2.1-18", needs=EXTENSION)
def add_extension_object(probe: Probe) -> None:
    "add takes the extension as an object: without a path, and with its URN as the path; other attributes of it stay."
    user = probe.user(enterprise={"employeeNumber": "9"})
    now = probe.patched(user, {"op": "add", "value": {ENTERPRISE: {"department": "Ops"}}})
    now.has({"department": "Ops", "employeeNumber": "9"}, ENTERPRISE)
    probe.patched(user, {"op": "add", "path": ENTERPRISE, "value": {"department": "Sea"}}).has("Sea", ENTERPRISE, "department")
