"""PATCH of a user: remove, replace, mutability (RFC 7644 §3.5.2.2 and §3.5.2.3)."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import MISSING, at
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE
from conformance.checks.patch import EXTENSION, MAIL, PATCH, email, unchanged

REMOVE = "RFC 7644 §3.5.2.2"
REPLACE = "RFC 7644 §3.5.2.3"


def two_emails(probe: Probe, **attributes: Any) -> Made:
    return probe.user(emails=[email(probe, "work", primary=True), email(probe, "home")], **attributes)


# -- remove ---------------------------------------------------------------------------------------------------------


@check("patch.remove.simple", MUST, REMOVE, "S-7644-3.5.2.2-02", needs=[*PATCH, "User.nickName"])
def remove_simple(probe: Probe) -> None:
    "remove of a singular attribute leaves it without a value."
    probe.patched(probe.user(nickName="Ada"), {"op": "remove", "path": "nickName"}).lacks("nickName")


@check("patch.remove.sub-attribute", MUST, REMOVE, "S-7644-3.5.2.2-02", "S-7644-3.5.2.2-07", needs=[*PATCH, "User.name"])
def remove_sub_attribute(probe: Probe) -> None:
    "remove of a sub-attribute leaves the others."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    probe.patched(user, {"op": "remove", "path": "name.givenName"}).lacks("name", "givenName").has("Byron", "name", "familyName")


@check("patch.remove.all-values", MUST, REMOVE, "S-7644-3.5.2.2-03", needs=MAIL)
def remove_all_values(probe: Probe) -> None:
    "remove of a multi-valued attribute without a filter removes all values."
    probe.patched(two_emails(probe), {"op": "remove", "path": "emails"}).lacks("emails")


@check("patch.remove.some-values", MUST, REMOVE, "S-7644-3.5.2.2-05", needs=MAIL)
def remove_some_values(probe: Probe) -> None:
    "remove with a filter removes the elements that match, and no other."
    path = 'emails[type eq "work" and value ew "work.example"]'
    now = probe.patched(two_emails(probe), {"op": "remove", "path": path})
    now.expect(len(now.value("emails")) == 1, "one e-mail address").has("home", "emails", 0, "type")


@check("patch.remove.last-value", MUST, REMOVE, "S-7644-3.5.2.2-04", needs=MAIL)
def remove_last_value(probe: Probe) -> None:
    "When the last element is removed the attribute has no value."
    user = probe.user(emails=[email(probe, "work")])
    probe.patched(user, {"op": "remove", "path": 'emails[type eq "work"]'}).lacks("emails")


@check("patch.remove.value-path-sub", MUST, REMOVE, "S-7644-3.5.2.2-06", needs=MAIL)
def remove_value_path_sub(probe: Probe) -> None:
    "remove of a sub-attribute behind a filter removes it from the elements that match."
    user = probe.user(emails=[email(probe, "work", display="W"), email(probe, "home", display="H")])
    now = probe.patched(user, {"op": "remove", "path": 'emails[type eq "work"].display'})
    now.lacks("emails", {"type": "work"}, "display").has("H", "emails", {"type": "home"}, "display")


@check("patch.remove.no-path", MUST, REMOVE, "S-7644-3.5.2.2-01", "S-7644-3.5.2-06", needs=PATCH)
def remove_no_path(probe: Probe) -> None:
    "remove without a path is refused with 400 noTarget."
    probe.patch(probe.user().path, {"op": "remove"}).refused(400, "noTarget")


@check("patch.remove.required", MUST, REMOVE, "S-7644-3.5.2.2-08", needs=PATCH)
def remove_required(probe: Probe) -> None:
    "remove of a required attribute is refused with 400 mutability."
    user = probe.user()
    probe.patch(user.path, {"op": "remove", "path": "userName"}).refused(400, "mutability")
    probe.state(user).has(user.name, "userName")


@check("patch.remove.absent", SHOULD, REMOVE, "S-7644-3.5.2.2-10", "S-7644-3.5.2.2-09", needs=[*MAIL, "User.nickName"])
def remove_absent(probe: Probe) -> None:
    "remove of what is not there succeeds and changes nothing."
    user = probe.user(emails=[email(probe, "work")])
    before = probe.state(user).document()
    probe.patch(user.path, {"op": "remove", "path": "nickName"}).status(200, 204)
    probe.patch(user.path, {"op": "remove", "path": 'emails[type eq "other"]'}).status(200, 204)
    unchanged(probe, user, before)


@check("patch.remove.extension", SHOULD, REMOVE, "S-7644-3.5.2.2-13", needs=EXTENSION)
def remove_extension(probe: Probe) -> None:
    "remove of the extension's URN removes the whole extension and its URN from schemas."
    user = probe.user(enterprise={"department": "Ops"})
    now = probe.patched(user, {"op": "remove", "path": ENTERPRISE}).lacks(ENTERPRISE)
    now.expect(ENTERPRISE not in now.value("schemas"), f"schemas without {ENTERPRISE}")


@check("patch.remove.extension.attribute", MUST, REMOVE, "S-7644-3.5.2.2-02", needs=EXTENSION)
def remove_extension_attribute(probe: Probe) -> None:
    "remove of an attribute of the extension leaves the others."
    user = probe.user(enterprise={"department": "Ops", "employeeNumber": "9"})
    now = probe.patched(user, {"op": "remove", "path": f"{ENTERPRISE}:department"})
    now.lacks(ENTERPRISE, "department").has("9", ENTERPRISE, "employeeNumber")


# -- replace --------------------------------------------------------------------------------------------------------


@check("patch.replace.simple", MUST, REPLACE, "S-7644-3.5.2.3-02", "S-7644-3.5.2.3-04", needs=[*PATCH, "User.nickName"])
def replace_simple(probe: Probe) -> None:
    "replace of a singular attribute sets its value, also where there was none."
    user = probe.user()
    probe.patched(user, {"op": "replace", "path": "nickName", "value": "Ada"}).has("Ada", "nickName")
    probe.patched(user, {"op": "replace", "path": "nickName", "value": "Eve"}).has("Eve", "nickName")


@check("patch.replace.complex", MUST, REPLACE, "S-7644-3.5.2.3-05", needs=[*PATCH, "User.name"])
def replace_complex(probe: Probe) -> None:
    "replace of a singular complex attribute sets what the value names and leaves the other sub-attributes."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    now = probe.patched(user, {"op": "replace", "path": "name", "value": {"familyName": "King"}})
    now.has("King", "name", "familyName").has("Ada", "name", "givenName")


@check("patch.replace.multi-valued", MUST, REPLACE, "S-7644-3.5.2.3-03", needs=MAIL)
def replace_multi_valued(probe: Probe) -> None:
    "replace of a multi-valued attribute without a filter replaces all values."
    now = probe.patched(two_emails(probe), {"op": "replace", "path": "emails", "value": [email(probe, "other")]})
    now.expect(len(now.value("emails")) == 1, "one e-mail address").has("other", "emails", 0, "type")


@check("patch.replace.element", MUST, REPLACE, "S-7644-3.5.2.3-06", needs=MAIL)
def replace_element(probe: Probe) -> None:
    "replace with a filter replaces the element that matches, and no other."
    value = {"type": "work", "value": f"{probe.tag}@new.example"}
    now = probe.patched(two_emails(probe), {"op": "replace", "path": 'emails[type eq "work"]', "value": value})
    now.has(value["value"], "emails", {"type": "work"}, "value").has(f"{probe.tag}@home.example", "emails", {"type": "home"}, "value")
    now.expect(len(now.value("emails")) == 2, "two emails")


@check("patch.replace.element-sub", MUST, REPLACE, "S-7644-3.5.2.3-07", needs=MAIL)
def replace_element_sub(probe: Probe) -> None:
    "replace of a sub-attribute behind a filter sets it on every element that matches; the rest of the element stays."
    user = two_emails(probe)
    now = probe.patched(user, {"op": "replace", "path": 'emails[type eq "work"].value', "value": f"{probe.tag}@new.example"})
    now.has(f"{probe.tag}@new.example", "emails", {"type": "work"}, "value").has(True, "emails", {"type": "work"}, "primary")
    now = probe.patched(user, {"op": "replace", "path": "emails[value pr].display", "value": "Mail"})
    now.has("Mail", "emails", 0, "display").has("Mail", "emails", 1, "display")


@check("patch.replace.unmatched", MUST, REPLACE, "S-7644-3.5.2.3-08", needs=MAIL)
def replace_unmatched(probe: Probe) -> None:
    "replace with a filter that no element matches is refused with 400 noTarget."
    user = probe.user(emails=[email(probe, "work")])
    answer = probe.patch(user.path, {"op": "replace", "path": 'emails[type eq "home"].value', "value": f"{probe.tag}@new.example"})
    if answer.code in (200, 204):
        probe.state(user, answer).has(f"{probe.tag}@new.example", "emails", {"type": "home"}, "value")
        raise Skipped("the server makes the element instead, as Entra needs it: a known deviation from the RFC")
    answer.refused(400, "noTarget")


@check("patch.replace.no-path", MUST, REPLACE, "S-7644-3.5.2.3-01", needs=[*MAIL, "User.nickName", "User.title"])
def replace_no_path(probe: Probe) -> None:
    "replace without a path replaces each attribute of the value and touches no other."
    user = two_emails(probe, title="Pilot")
    now = probe.patched(user, {"op": "replace", "value": {"nickName": "Ada", "emails": [email(probe, "other")]}})
    now.has("Ada", "nickName").has("Pilot", "title").has("other", "emails", 0, "type").expect(
        len(now.value("emails")) == 1, "one e-mail address"
    )


@check("patch.replace.primary", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2-16", needs=MAIL)
def replace_primary(probe: Probe) -> None:
    "Making another element primary makes the former primary one not primary."
    now = probe.patched(two_emails(probe), {"op": "replace", "path": 'emails[type eq "home"].primary', "value": True})
    now.has(True, "emails", {"type": "home"}, "primary")
    now.expect(at(now.document(), "emails", {"type": "work"}, "primary") in (False, MISSING), "work not primary any more")


@check("patch.replace.primary.two", MUST, "RFC 7643 §2.4", "S-7644-3.5.2-17", "S-7643-2.4-01", needs=MAIL)
def replace_primary_two(probe: Probe) -> None:
    "A value with two primary elements is refused with 400."
    both = [email(probe, "work", primary=True), email(probe, "home", primary=True)]
    probe.patch(probe.user().path, {"op": "replace", "path": "emails", "value": both}).status(400)


@check("patch.replace.null", SHOULD, "RFC 7643 §2.5", "S-7644-3.5.2.3-10", "S-7643-2.5-01", needs=[*MAIL, "User.nickName"])
def replace_null(probe: Probe) -> None:
    "replace with null or an empty array removes the value."
    user = two_emails(probe, nickName="Ada")
    probe.patched(user, {"op": "replace", "path": "nickName", "value": None}).lacks("nickName")
    probe.patched(user, {"op": "replace", "path": "emails", "value": []}).lacks("emails")


@check("patch.replace.required", MUST, "RFC 7643 §4.1.1", "S-7644-3.5.2.3-10", "S-7643-4.1.1-01", needs=PATCH)
def replace_required(probe: Probe) -> None:
    "userName cannot be replaced with nothing: null and the empty string are refused with 400."
    user = probe.user()
    for value in (None, ""):
        probe.patch(user.path, {"op": "replace", "path": "userName", "value": value}).status(400)
    probe.state(user).has(user.name, "userName")


@check("patch.replace.type", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2-11", needs=[*PATCH, "User.active", "User.displayName"])
def replace_type(probe: Probe) -> None:
    "A value of the wrong type is refused with 400."
    user = probe.user()
    for path, value in (("active", "perhaps"), ("displayName", {"a": "b"}), ("userName", [probe.name("a"), probe.name("b")])):
        probe.patch(user.path, {"op": "replace", "path": path, "value": value}).status(400)


@check("patch.replace.same", SHOULD, REPLACE, "S-7644-3.5.2.3-17", needs=[*PATCH, "User.nickName"])
def replace_same(probe: Probe) -> None:
    "replace with the value that is there leaves the user, meta.lastModified included, as it was."
    user = probe.user(nickName="Ada")
    before = probe.state(user).document()
    probe.patch(user.path, {"op": "replace", "path": "nickName", "value": "Ada"}).status(200, 204)
    unchanged(probe, user, before)


@check("patch.replace.extension", MUST, "RFC 7644 §3.5.2 and §3.10", "S-7644-3.5.2-13", "S-7644-3.10-02", needs=EXTENSION)
def replace_extension(probe: Probe) -> None:
    "replace of an attribute of the extension touches no other; where there was no extension, it comes into being."
    user = probe.user(enterprise={"department": "Ops", "employeeNumber": "9"})
    now = probe.patched(user, {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Sea"})
    now.has({"department": "Sea", "employeeNumber": "9"}, ENTERPRISE)
    bare = probe.user("bare")
    now = probe.patched(bare, {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Sea"}).has("Sea", ENTERPRISE, "department")
    now.expect(ENTERPRISE in now.value("schemas"), f"schemas with {ENTERPRISE}")


@check("patch.replace.manager", MUST, REPLACE, "S-7644-3.5.2.3-14", needs=["patch", "enterprise", "enterprise.manager"])
def replace_manager(probe: Probe) -> None:
    "manager is set as an object and by its value."
    one, two, user = probe.user("one"), probe.user("two"), probe.user()
    path = f"{ENTERPRISE}:manager"
    probe.patched(user, {"op": "add", "path": path, "value": {"value": one.id}}).has(one.id, ENTERPRISE, "manager", "value")
    probe.patched(user, {"op": "replace", "path": f"{path}.value", "value": two.id}).has(two.id, ENTERPRISE, "manager", "value")
    probe.patched(user, {"op": "remove", "path": path}).lacks(ENTERPRISE, "manager")


# -- mutability -----------------------------------------------------------------------------------------------------


def _read_only(slug: str, operation: dict[str, Any]) -> None:
    statement = f"{operation['op']} of {operation['path']}, which is readOnly, is refused with 400 mutability."

    cell = {"add": "S-7644-3.5.2.1-16", "remove": "S-7644-3.5.2.2-08", "replace": "S-7644-3.5.2.3-11"}[operation["op"]]

    @check(f"patch.read-only.{slug}", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2-10", cell, "S-7643-7-03", needs=PATCH, says=statement)
    def run(probe: Probe) -> None:
        user = probe.user()
        before = probe.state(user).document()
        probe.patch(user.path, operation).refused(400, "mutability")
        unchanged(probe, user, before)


_read_only("id", {"op": "replace", "path": "id", "value": "another"})
_read_only("id-remove", {"op": "remove", "path": "id"})
_read_only("created", {"op": "replace", "path": "meta.created", "value": "2001-01-01T00:00:00Z"})
_read_only("meta", {"op": "add", "path": "meta", "value": {"resourceType": "Group"}})
