"""Microsoft Entra ID: the shapes that its provisioning really sends, in both dialects of PATCH.

"legacy" is what a custom application sends; "compliant" what it sends with ?aadOptscim062020 in the Tenant URL. One customer sends both.
None of this is asked by an RFC: all SHOULD.
"""

from __future__ import annotations

import json
from typing import Any

from conformance.checker.answer import MISSING, Document, at
from conformance.checker.probe import Probe
from conformance.checker.registry import SHOULD, check
from conformance.checker.urns import ENTERPRISE, PATCH_OP, USER
from conformance.checks.groups import expect_members

LEGACY = "Entra, legacy PATCH"
COMPLIANT = "Entra, compliant PATCH (aadOptscim062020)"
PATCH = ("patch",)
EXTENSION = ("patch", "enterprise", "enterprise.department")
TEAM = ("groups", "patch")


# -- legacy ---------------------------------------------------------------------------------------------------------


@check("entra.legacy.op-case", SHOULD, LEGACY, "S-7644-3.5.2-05", needs=[*PATCH, "User.nickName"])
def op_case(probe: Probe) -> None:
    "Add, Replace and Remove are written with a capital letter."
    user = probe.user()
    probe.patched(user, {"op": "Add", "path": "nickName", "value": "Ada"}).has("Ada", "nickName")
    probe.patched(user, {"op": "Replace", "path": "nickName", "value": "Eve"}).has("Eve", "nickName")
    probe.patched(user, {"op": "Remove", "path": "nickName"}).lacks("nickName")


@check("entra.legacy.active", SHOULD, LEGACY, "S-7644-3.5.2.3-16", needs=[*PATCH, "User.active"])
def active(probe: Probe) -> None:
    'active comes as "False" and "True", in any case: the user is disabled and enabled again, and active is a boolean.'
    user = probe.user(active=True)
    for text, wanted in (("False", False), ("True", True), ("false", False), ("true", True)):
        probe.patched(user, {"op": "Replace", "path": "active", "value": text}).has(wanted, "active")


@check("entra.legacy.several", SHOULD, LEGACY, "S-7644-3.5.2-14", needs=[*EXTENSION, "User.name", "User.displayName"])
def several(probe: Probe) -> None:
    "Several attributes come as several operations, each with a path, Operations before schemas."
    user = probe.user()
    sent = (("displayName", "Ada B"), ("name.familyName", "Byron"), (f"{ENTERPRISE}:department", "Ops"))
    changes = [{"op": "Replace", "path": path, "value": value} for path, value in sent]
    answer = probe.request("PATCH", user.path, {"Operations": changes, "schemas": [PATCH_OP]}).status(200, 204)
    probe.state(user, answer).has("Ada B", "displayName").has("Byron", "name", "familyName").has("Ops", ENTERPRISE, "department")


def _makes_element(dialect: str, op: str, clause: str) -> None:
    statement = f'{op} of phoneNumbers[type eq "mobile"].value makes the element with its type; a second one changes it.'

    @check(
        f"entra.{dialect}.element.{op.lower()}", SHOULD, clause, "S-7644-3.5.2.1-13", needs=[*PATCH, "User.phoneNumbers"], says=statement
    )
    def run(probe: Probe) -> None:
        user = probe.user(phoneNumbers=[{"type": "work", "value": "1"}])
        for number in ("2", "3"):
            now = probe.patched(user, {"op": op, "path": 'phoneNumbers[type eq "mobile"].value', "value": number})
            now.has(number, "phoneNumbers", {"type": "mobile"}, "value").has("1", "phoneNumbers", {"type": "work"}, "value")
            now.expect(len(now.value("phoneNumbers")) == 2, "two phoneNumbers")


for _op in ("Add", "Replace"):
    _makes_element("legacy", _op, LEGACY)
    _makes_element("compliant", _op.lower(), COMPLIANT)


@check("entra.legacy.manager", SHOULD, LEGACY, "S-7643-4.3-02", needs=["patch", "enterprise", "enterprise.manager"])
def manager(probe: Probe) -> None:
    "manager comes as a bare string, and comes back as an object."
    one, two, user = probe.user("one"), probe.user("two"), probe.user()
    for op, boss in (("Add", one), ("Replace", two)):
        now = probe.patched(user, {"op": op, "path": f"{ENTERPRISE}:manager", "value": boss.id})
        now.has(boss.id, ENTERPRISE, "manager", "value")


@check("entra.legacy.manager.array", SHOULD, "Entra, an old sample", "S-7643-4.3-02", needs=["patch", "enterprise", "enterprise.manager"])
def manager_array(probe: Probe) -> None:
    "manager comes as an array with one object, and without the URN."
    boss, user = probe.user("boss"), probe.user()
    now = probe.patched(
        user, {"op": "Add", "path": "manager", "value": [{"$ref": f"http://checks.example/Users/{boss.id}", "value": boss.id}]}
    )
    now.has(boss.id, ENTERPRISE, "manager", "value")


@check("entra.legacy.members.add", SHOULD, LEGACY, "S-7644-3.5.2-25", "S-7644-3.5.2.1-08", needs=TEAM)
def members_add(probe: Probe) -> None:
    "Members are added with $ref null."
    ann, bob = probe.user("ann"), probe.user("bob")
    group = probe.group(members=[ann])
    probe.patch(group.path, {"op": "Add", "path": "members", "value": [{"$ref": None, "value": bob.id}]}).status(200, 204)
    expect_members(probe, group, ann, bob)


@check("entra.legacy.members.remove", SHOULD, LEGACY, "S-7644-3.5.2.2-11", needs=TEAM)
def members_remove(probe: Probe) -> None:
    "Remove of members with a value removes those and nobody else."
    ann, bob, cyd = probe.user("ann"), probe.user("bob"), probe.user("cyd")
    group = probe.group(members=[ann, bob, cyd])
    probe.patch(group.path, {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": bob.id}]}).status(200, 204)
    expect_members(probe, group, ann, cyd)


@check("entra.legacy.members.remove.none", SHOULD, LEGACY, "S-7644-3.5.2.2-12", needs=TEAM)
def members_remove_none(probe: Probe) -> None:
    "Remove of members with an empty value removes nobody."
    ann = probe.user("ann")
    group = probe.group(members=[ann])
    probe.patch(group.path, {"op": "Remove", "path": "members", "value": []})
    expect_members(probe, group, ann)


@check("entra.legacy.members.again", SHOULD, LEGACY, "S-7644-3.5.2.1-10", "S-7644-3.5.2.2-09", needs=TEAM)
def members_again(probe: Probe) -> None:
    "A member added twice and one removed twice: success each time."
    ann, group = probe.user("ann"), probe.group()
    for op, expected in (("Add", [ann]), ("Add", [ann]), ("Remove", []), ("Remove", [])):
        probe.patch(group.path, {"op": op, "path": "members", "value": [{"value": ann.id}]}).status(200, 204)
        expect_members(probe, group, *expected)


@check("entra.legacy.group.rename", SHOULD, LEGACY, "S-7644-3.5.2.3-02", needs=TEAM)
def group_rename(probe: Probe) -> None:
    "A group is renamed with a path."
    probe.patched(probe.group(), {"op": "Replace", "path": "displayName", "value": probe.name("new")}).has(probe.name("new"), "displayName")


@check("entra.legacy.roles", SHOULD, "Entra, AppRoleAssignmentsComplex", "S-7643-4.1.2-09", needs=[*PATCH, "User.roles"])
def roles(probe: Probe) -> None:
    "A role comes as a JSON document within a string; its value is the role's value."
    user = probe.user()
    text = json.dumps({"id": "18d14569-c3bd-439b-9a66-3a2aee01d14f", "value": "planner", "displayName": "Planner"})
    now = probe.patched(user, {"op": "Add", "path": "roles", "value": [{"value": text}]})
    now.expect(at(now.document(), "roles", {"value": "planner"}) is not MISSING, "roles with the value planner")


# -- compliant ------------------------------------------------------------------------------------------------------


@check(
    "entra.compliant.flat", SHOULD, COMPLIANT, "S-7644-3.5.2.1-04", "S-7644-3.5.2.3-01", needs=[*EXTENSION, "User.name", "User.displayName"]
)
def flat(probe: Probe) -> None:
    "One replace without a path has flat keys with dots and URNs; siblings stay, and no key is taken literally."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"}, enterprise={"employeeNumber": "9"})
    value = {"displayName": "Ada B", "name.familyName": "King", f"{ENTERPRISE}:department": "Ops"}
    now = probe.patched(user, {"op": "replace", "value": value}).has("Ada B", "displayName")
    now.has("King", "name", "familyName").has("Ada", "name", "givenName").has("Ops", ENTERPRISE, "department").has(
        "9", ENTERPRISE, "employeeNumber"
    )
    odd = sorted(name for name in now.document() if "." in name and name != ENTERPRISE)
    now.expect(not odd, "no attribute with a dotted name", ", ".join(odd))


@check("entra.compliant.flat.add", SHOULD, "Entra, seen in production", "S-7644-3.5.2.1-04", needs=[*EXTENSION, "User.name"])
def flat_add(probe: Probe) -> None:
    "The same with add."
    now = probe.patched(probe.user(), {"op": "add", "value": {"name.givenName": "Ada", f"{ENTERPRISE}:department": "Ops"}})
    now.has("Ada", "name", "givenName").has("Ops", ENTERPRISE, "department")


@check("entra.compliant.extension", SHOULD, "Entra, seen in production", "S-7644-3.5.2.1-03", needs=EXTENSION)
def extension(probe: Probe) -> None:
    "replace without a path, with the extension as an object, merges it."
    user = probe.user(enterprise={"employeeNumber": "9"})
    now = probe.patched(user, {"op": "replace", "value": {ENTERPRISE: {"department": "Ops"}}})
    now.has({"department": "Ops", "employeeNumber": "9"}, ENTERPRISE)


@check("entra.compliant.members", SHOULD, COMPLIANT, "S-7644-3.5.2.2-04", needs=TEAM)
def members(probe: Probe) -> None:
    "Members are added one by one and removed by members[value eq …], several in one PATCH."
    ann, bob, cyd = probe.user("ann"), probe.user("bob"), probe.user("cyd")
    group = probe.group()
    probe.patch(group.path, *({"op": "add", "path": "members", "value": [{"value": one.id}]} for one in (ann, bob, cyd))).status(200, 204)
    expect_members(probe, group, ann, bob, cyd)
    probe.patch(group.path, *({"op": "remove", "path": f'members[value eq "{one.id}"]'} for one in (ann, cyd))).status(200, 204)
    expect_members(probe, group, bob)


# -- both -----------------------------------------------------------------------------------------------------------


def _clears(slug: str, value: Any, what: str) -> None:
    @check(
        f"entra.null.{slug}",
        SHOULD,
        "Entra, SCIM_Null_Update_Test",
        "S-7644-3.5.2.3-10",
        needs=[*EXTENSION, "User.title", "User.emails"],
        says=what,
    )
    def run(probe: Probe) -> None:
        emails = [{"type": "work", "value": f"{probe.tag}@checks.example"}]
        user = probe.user(title="Pilot", emails=emails, name={"formatted": "Ada"}, enterprise={"department": "Ops"})
        value_path: Document = {"op": "replace", "path": 'emails[type eq "work"].value', "value": value}
        rest = {"title": value, "name.formatted": value, f"{ENTERPRISE}:department": value}
        now = probe.patched(user, value_path, {"op": "replace", "value": rest})
        for path in (("title",), ("name", "formatted"), (ENTERPRISE, "department"), ("emails", {"type": "work"}, "value")):
            found = at(now.document(), *path)
            now.expect(found is MISSING or found in (None, "", []), f"no value of {path[0]}", f"{path[0]} = {found!r}")


_clears("empty", "", 'Replacing with "" removes values, also behind a value path and in flat keys.')
_clears("null", None, "Replacing with null removes values, also behind a value path and in flat keys.")


@check("entra.operations-empty", SHOULD, "Microsoft SCIM Validator, Remove Attributes", "S-7644-3.5.2-03", needs=PATCH)
def operations_empty(probe: Probe) -> None:
    "A PATCH with an empty Operations succeeds and changes nothing."
    user = probe.user()
    probe.patch(user.path).status(200, 204)
    probe.state(user).has(user.name, "userName")


@check("entra.operations-extra", SHOULD, "Entra, Postman collection", "S-7643-2-01", needs=[*PATCH, "User.title"])
def operations_extra(probe: Probe) -> None:
    "Members of an operation that nobody defined (name) are ignored."
    now = probe.patched(probe.user(), {"name": "setTitle", "op": "Replace", "path": "title", "value": "Pilot"})
    now.has("Pilot", "title")


@check("entra.value-path-filter", SHOULD, "Entra, matching by e-mail address", "S-7644-3.4.2.2-15", needs=["filter", "User.emails"])
def value_path_filter(probe: Probe) -> None:
    'emails[type eq "work"].value eq "…" finds by the work address only.'
    work = probe.user("work", emails=[{"type": "work", "value": f"{probe.tag}@checks.example"}])
    home = probe.user("home", emails=[{"type": "home", "value": f"{probe.tag}@checks.example"}])
    probe.finds(f'emails[type eq "work"].value eq "{probe.tag}@checks.example"', [work], [work, home])


@check("entra.reference-filter", SHOULD, "Entra, reference check", "S-7644-3.10-03", needs=["filter", "enterprise", "enterprise.manager"])
def reference_filter(probe: Probe) -> None:
    'id eq "…" and manager eq "…" is understood although manager stands in the extension.'
    boss = probe.user("boss")
    user = probe.user(enterprise={"manager": {"value": boss.id}})
    probe.finds(f'id eq "{user.id}" and manager eq "{boss.id}"', [user], [user, boss])
    probe.finds(f'manager eq "{user.id}" and id eq "{user.id}"', [], [user, boss])


@check("entra.create.nulls", SHOULD, "Entra, create with nulls", "S-7643-2.5-01", "S-7643-3-02")
def create_nulls(probe: Probe) -> None:
    "A create with nulls, a malformed extension URN in schemas and unknown attributes is taken."
    nothing = dict.fromkeys(("addresses", "phoneNumbers", "title", "preferredLanguage", "department", "manager"))
    schemas = [USER, ENTERPRISE.replace(":User", "User")]
    probe.post("/Users", probe.user_body() | nothing | {"schemas": schemas, "roles": []}).status(201)


@check("entra.paging", SHOULD, "Entra, User_Pagination", "S-7644-3.4.2.4-06", "S-7644-3.4.2-05", needs=["filter"])
def paging(probe: Probe) -> None:
    "Twelve users in pages of five: every page repeats the startIndex that was asked for."
    users = [probe.user(f"u{number:02}") for number in range(12)]
    came = []
    for start in (1, 6, 11):
        answer = probe.find(f'userName sw "{probe.tag}"', startIndex=start, count=5).has(start, "startIndex").has(12, "totalResults")
        came += [str(one.get("id")) for one in answer.resources()]
    answer.expect(sorted(came) == sorted(user.id for user in users), "each of the twelve once on the way")
