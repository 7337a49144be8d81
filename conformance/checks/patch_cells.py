"""PATCH, cell by cell: what is left of operation × target after `patch` and `patch_changes` (RFC 7644 §3.5.2)."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import MISSING, at
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, Level, check
from conformance.checker.urns import ENTERPRISE, USER
from conformance.checks.patch import ADD, CLAUSE, EXTENSION, MAIL, PATCH, email, unchanged
from conformance.checks.patch_changes import REMOVE, REPLACE, two_emails

NAME = ("patch", "User.name")
NICK = ("patch", "User.nickName")


def refuses(
    id: str,
    operation: dict[str, Any],
    says: str,
    *requirements: str,
    level: Level = MUST,
    clause: str = CLAUSE,
    needs: tuple[str, ...] = PATCH,
    types: tuple[str, ...] = (),
) -> None:
    """Register the check that the operation is refused with 400 (and one of the scimTypes), and leaves the user as before."""

    @check(f"patch.{id}", level, clause, *requirements, needs=needs, says=says)
    def run(probe: Probe) -> None:
        user = two_emails(probe) if "User.emails" in needs else probe.user()
        before = probe.state(user).document()
        probe.patch(user.path, operation).refused(400, *types)
        unchanged(probe, user, before)


# -- add ------------------------------------------------------------------------------------------------------------

NULL = {"op": "add", "path": "nickName", "value": None}
refuses("add.null", NULL, "add of null is refused with 400.", "S-7644-3.5.2.1-01", level=MAY, clause=ADD, needs=NICK)
TEXT = {"op": "add", "path": "name", "value": "Ada Byron"}
SET = "add to a complex attribute of what is no set of sub-attributes is refused with 400."
refuses("add.complex.text", TEXT, SET, "S-7644-3.5.2.1-06", "S-7644-3.5.2-11", clause=ADD, needs=NAME)
NUMBER = {"op": "add", "path": "nickName", "value": 5}
refuses("add.type", NUMBER, "add of a value of the wrong type is refused with 400.", "S-7644-3.5.2-11", clause=ADD, needs=NICK)
LOOSE = {"op": "add", "path": "emails.value", "value": "x@checks.example"}
EVERY = "add to a sub-attribute of a multi-valued attribute, without saying of which element, is refused with 400 noTarget."
refuses("add.every", LOOSE, EVERY, "S-7644-3.5.2.1-14", level=MAY, clause=ADD, needs=MAIL, types=("noTarget", "invalidPath"))
UNMATCHED = {"op": "add", "path": 'emails[type eq "other" and not (value pr)].display', "value": "x"}
NOBODY = "add with a filter that no element matches, and from which none could be made, is refused with 400 noTarget."
refuses("add.unmatched", UNMATCHED, NOBODY, "S-7644-3.5.2.1-13", level=MAY, clause=ADD, needs=MAIL, types=("noTarget",))


@check("patch.add.element", SHOULD, ADD, "S-7644-3.5.2.1-11", needs=MAIL)
def add_element(probe: Probe) -> None:
    "add of an object to emails[…] sets what it names on the elements that match; the rest of them, and the others, stay."
    now = probe.patched(two_emails(probe), {"op": "add", "path": 'emails[type eq "work"]', "value": {"display": "At work"}})
    now.has("At work", "emails", {"type": "work"}, "display").has(f"{probe.tag}@work.example", "emails", {"type": "work"}, "value")
    now.lacks("emails", {"type": "home"}, "display").expect(len(now.value("emails")) == 2, "two emails")


@check("patch.add.no-path.complex", MUST, ADD, "S-7644-3.5.2.1-02", "S-7644-3.5.2.1-06", needs=NAME)
def add_no_path_complex(probe: Probe) -> None:
    "add without a path of a complex attribute sets the sub-attributes it names and keeps the others."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    now = probe.patched(user, {"op": "add", "value": {"name": {"familyName": "King"}}})
    now.has("King", "name", "familyName").has("Ada", "name", "givenName")


@check("patch.password", MUST, "RFC 7643 §4.1.1", "S-7644-3.5.2.1-20", "S-7643-4.1.1-02", "S-7643-7-04", needs=PATCH)
def password(probe: Probe) -> None:
    "A password that a PATCH sets is not shown by its answer, nor by a GET."
    user, word = probe.user(), f"Corr3ct-{probe.tag}-h0rse"
    answer = probe.patch(user.path, {"op": "replace", "path": "password", "value": word}, query={"attributes": "userName,password"})
    if answer.code == 400:
        raise Skipped("the server takes no password")
    for seen in (answer.status(200, 204), probe.get(user.path, {"attributes": "password"})):
        seen.expect(word not in seen.response.text, "an answer without the password")


# -- schemas --------------------------------------------------------------------------------------------------------


@check("patch.schemas.context", MUST, CLAUSE, "S-7644-3.5.2-12", needs=EXTENSION)
def schemas_context(probe: Probe) -> None:
    "When an operation adds an extension to schemas, the operations after it may name its attributes without the URN."
    user = probe.user()
    now = probe.patched(user, {"op": "add", "path": "schemas", "value": [ENTERPRISE]}, {"op": "add", "path": "department", "value": "Ops"})
    now.has("Ops", ENTERPRISE, "department")


@check("patch.schemas.add", MAY, ADD, "S-7644-3.5.2.1-19", needs=EXTENSION)
def schemas_add(probe: Probe) -> None:
    "The URN of an extension may be added to schemas beside the extension's values."
    department = {"op": "add", "path": f"{ENTERPRISE}:department", "value": "Ops"}
    now = probe.patched(probe.user(), {"op": "add", "path": "schemas", "value": [ENTERPRISE]}, department)
    now.expect(ENTERPRISE in now.value("schemas"), f"schemas with {ENTERPRISE}")


URN = {"op": "add", "path": "schemas", "value": ["urn:example:no:such:schema"]}
refuses("schemas.unknown", URN, "A URN that is none of the type's cannot be added to schemas: 400.", "S-7644-3.5.2.1-19", level=MAY)
BASE = {"op": "remove", "path": f'schemas[value eq "{USER}"]'}
refuses("schemas.base", BASE, "The User URN cannot be removed from schemas: 400.", "S-7644-3.5.2.2-16", level=MAY, clause=REMOVE)
ALL = {"op": "remove", "path": "schemas"}
refuses("schemas.remove", ALL, "schemas cannot be removed: 400.", "S-7644-3.5.2.2-16", level=MAY, clause=REMOVE)

# -- remove ---------------------------------------------------------------------------------------------------------


@check("patch.remove.complex", MUST, REMOVE, "S-7644-3.5.2.2-02", needs=NAME)
def remove_complex(probe: Probe) -> None:
    "remove of a complex attribute removes all of it."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    probe.patched(user, {"op": "remove", "path": "name"}).lacks("name")


@check("patch.remove.last-part", SHOULD, REMOVE, "S-7644-3.5.2.2-07", needs=NAME)
def remove_last_part(probe: Probe) -> None:
    "When the last sub-attribute is removed, the complex attribute has no value."
    user = probe.user(name={"givenName": "Ada"})
    probe.patched(user, {"op": "remove", "path": "name.givenName"}).lacks("name")


@check("patch.remove.emptied", MAY, REMOVE, "S-7644-3.5.2.2-06", needs=MAIL)
def remove_emptied(probe: Probe) -> None:
    "An element whose last sub-attribute is removed is removed."
    user = probe.user(emails=[{"value": f"{probe.tag}@checks.example"}])
    probe.patched(user, {"op": "remove", "path": "emails[value pr].value"}).lacks("emails")


@check("patch.remove.primary", MAY, REMOVE, "S-7644-3.5.2.2-17", needs=MAIL)
def remove_primary(probe: Probe) -> None:
    "When the primary element is removed, no other becomes primary by itself."
    now = probe.patched(two_emails(probe), {"op": "remove", "path": 'emails[type eq "work"]'})
    now.expect(at(now.document(), "emails", 0, "primary") in (False, MISSING), "home not primary")


@check("patch.remove.several", MUST, REMOVE, "S-7644-3.5.2.2-05", needs=MAIL)
def remove_several(probe: Probe) -> None:
    "remove with a filter removes every element that matches."
    user = probe.user(emails=[email(probe, "work"), email(probe, "home"), {"type": "other", "value": f"{probe.tag}@other.test"}])
    now = probe.patched(user, {"op": "remove", "path": 'emails[value ew ".example"]'})
    now.expect(len(now.value("emails")) == 1, "one e-mail address").has("other", "emails", 0, "type")


@check(
    "patch.remove.extension.part", MUST, REMOVE, "S-7644-3.5.2.2-02", "S-7644-3.10-02", needs=[*PATCH, "enterprise", "enterprise.manager"]
)
def remove_extension_part(probe: Probe) -> None:
    "remove of a sub-attribute of an extension's complex attribute: its URN, the attribute, a dot, the sub-attribute."
    boss = probe.user("boss")
    user = probe.user(enterprise={"manager": {"value": boss.id}})
    probe.patched(user, {"op": "remove", "path": f"{ENTERPRISE}:manager.value"}).lacks(ENTERPRISE, "manager", "value")


# -- replace --------------------------------------------------------------------------------------------------------


@check("patch.replace.part", MUST, REPLACE, "S-7644-3.5.2.3-02", "S-7644-3.5.2.3-04", needs=NAME)
def replace_part(probe: Probe) -> None:
    "replace of a sub-attribute sets it, and makes its parent where there is none; the others stay."
    user = probe.user("bare")
    if at(user.document, "name") is MISSING:
        probe.patched(user, {"op": "replace", "path": "name.givenName", "value": "Ada"}).has("Ada", "name", "givenName")
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    now = probe.patched(user, {"op": "replace", "path": "name.familyName", "value": "King"})
    now.has("King", "name", "familyName").has("Ada", "name", "givenName")


@check("patch.replace.absent", MUST, REPLACE, "S-7644-3.5.2.3-04", needs=MAIL)
def replace_absent(probe: Probe) -> None:
    "replace of an attribute that has no value is an add: of a multi-valued one, too."
    user = probe.user("bare")
    now = probe.patched(user, {"op": "replace", "path": "emails", "value": [email(probe, "home")]})
    now.expect(len(now.value("emails")) == 1, "one e-mail address").has("home", "emails", 0, "type")


@check("patch.replace.single", SHOULD, REPLACE, "S-7644-3.5.2.3-03", needs=MAIL)
def replace_single(probe: Probe) -> None:
    "replace of a multi-valued attribute takes one object without an array: it is the only value then."
    now = probe.patched(two_emails(probe), {"op": "replace", "path": "emails", "value": email(probe, "other")})
    now.expect(len(now.value("emails")) == 1, "one e-mail address").has("other", "emails", 0, "type")


@check("patch.replace.whole", MAY, REPLACE, "S-7644-3.5.2.3-06", needs=MAIL)
def replace_whole(probe: Probe) -> None:
    "replace of an element replaces all of it: what the value does not name is gone."
    user = probe.user(emails=[email(probe, "work", display="At work", primary=True), email(probe, "home")])
    value = {"type": "work", "value": f"{probe.tag}@new.example"}
    now = probe.patched(user, {"op": "replace", "path": 'emails[type eq "work"]', "value": value})
    now.lacks("emails", {"type": "work"}, "display").has(value["value"], "emails", {"type": "work"}, "value")


@check("patch.replace.unmatched.absent", MAY, REPLACE, "S-7644-3.5.2.3-09", needs=MAIL)
def replace_unmatched_absent(probe: Probe) -> None:
    "replace with a filter where the attribute has no value at all: 400 noTarget, or the element is made as the filter describes it."
    user = probe.user("bare")
    if at(user.document, "emails") is not MISSING:
        raise Skipped("a user has e-mail addresses in any case")
    answer = probe.patch(user.path, {"op": "replace", "path": 'emails[type eq "work"].value', "value": f"{probe.tag}@new.example"})
    if answer.code in (200, 204):
        probe.state(user, answer).has(f"{probe.tag}@new.example", "emails", {"type": "work"}, "value")
    else:
        answer.refused(400, "noTarget")


BOTH = {"op": "replace", "path": "emails[value pr].primary", "value": True}
SEVERAL = "primary cannot be set on several elements at once: 400."
refuses("replace.primary.several", BOTH, SEVERAL, "S-7644-3.5.2.3-15", "S-7644-3.5.2-17", level=MAY, clause=REPLACE, needs=MAIL)
GONE = {"op": "replace", "value": {"userName": None}}
FINAL = "What is required is there at the end: replace without a path, with userName null, is refused with 400."
refuses("replace.no-path.required", GONE, FINAL, "S-7644-3.5.2-24", "S-7644-3.5.2.3-10", level=SHOULD, clause=REPLACE)
NOTHING = {"op": "replace", "value": "Ada"}
OBJECT = "replace without a path and with a value that is no object is refused with 400."
refuses("replace.no-path.text", NOTHING, OBJECT, "S-7644-3.5.2.3-01", clause=REPLACE)
FORGED = {"op": "replace", "value": {"id": "another", "nickName": "Ada"}}
OTHER_ID = "replace without a path, with another id among the values, is refused with 400 mutability, and changes nothing."
refuses("replace.no-path.id", FORGED, OTHER_ID, "S-7644-3.5.2.3-12", level=MAY, clause=REPLACE, types=("mutability",))


@check("patch.replace.no-path.same", MAY, REPLACE, "S-7644-3.5.2.3-12", needs=NICK)
def replace_no_path_same(probe: Probe) -> None:
    "replace without a path may say id and schemas as they are, beside what it changes: Okta does."
    user = probe.user()
    value = {"id": user.id, "schemas": user.document["schemas"], "nickName": "Ada"}
    probe.patched(user, {"op": "replace", "value": value}).has("Ada", "nickName")


# -- groups, and the answer -----------------------------------------------------------------------------------------


@check("groups.patch.immutable.remove", SHOULD, REMOVE, "S-7644-3.5.2.2-15", "S-7643-4.2-02", needs=["groups", "patch"])
def member_value(probe: Probe) -> None:
    "remove of members[…].value, which is immutable, is refused with 400 mutability."
    ann = probe.user("ann")
    group = probe.group(members=[ann])
    probe.patch(group.path, {"op": "remove", "path": f'members[value eq "{ann.id}"].value'}).refused(400, "mutability")
    probe.state(group).has(ann.id, "members", 0, "value")


@check("patch.answer.where", MAY, CLAUSE, "S-7644-3.5.2-18", needs=NICK)
def where(probe: Probe) -> None:
    "The answer of a PATCH says where the resource is, and what version: Location, and ETag if the server has versions."
    user = probe.user()
    answer = probe.patch(user.path, {"op": "add", "path": "nickName", "value": "Ada"}).status(200, 204)
    answer.expect((answer.header("Location") or "").endswith(user.path), f"a Location that ends with {user.path}")
    answer.expect(answer.header("ETag") is not None or not probe.offer.supports("etag"), "an ETag")


@check("patch.answer.excluded", SHOULD, "RFC 7644 §3.5.2 and §3.9", "S-7644-3.5.2-19", "S-7644-3.4.2.5-01", needs=NICK)
def excluded(probe: Probe) -> None:
    "A PATCH with excludedAttributes answers 200 without those attributes."
    user: Made = probe.user(nickName="Ada")
    operation = {"op": "replace", "path": "nickName", "value": "Eve"}
    answer = probe.patch(user.path, operation, query={"excludedAttributes": "userName"}).status(200)
    answer.has("Eve", "nickName").lacks("userName")
