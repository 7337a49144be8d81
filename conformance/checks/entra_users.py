"""Microsoft Entra ID: the tests of Microsoft's SCIM Validator about users, 1 to 13 and P1 to P4."""

from __future__ import annotations

import uuid

from conformance.checker.answer import Document, at
from conformance.checker.evidence import shown
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, Level, check
from conformance.checker.urns import ENTERPRISE
from conformance.checks.entra import FILTER, collapsed, comes_back, everything, validator, verbose

PATCH = ("patch", "enterprise", "User.roles", "User.emails", "User.addresses", "User.phoneNumbers")
MANAGER = f"{ENTERPRISE}:manager"


@validator("user.create", "1", MUST, "S-7644-3.3-04", "S-7644-3.1-02", needs=FILTER)
def user_create(probe: Probe) -> None:
    "A user is created with all attributes; by userName it is found, and every value is as it was sent."
    sent = everything(probe, "one")
    body = probe.user_body(**sent) | {"meta": {"resourceType": "User"}}
    probe.post("/Users", body).status(201)
    answer = probe.find(f'userName eq "{probe.name("user")}"')
    answer.expect(len(answer.resources()) == 1, "one user")
    comes_back(probe, answer, answer.resources()[0], sent)


@validator("user.create.string-primary", "1", SHOULD, "S-7643-2.3.2-01", needs=("User.roles",))
def user_create_string_primary(probe: Probe) -> None:
    'A role that is posted with primary "True" (a string) is taken, and its primary is a boolean.'
    roles = [{"primary": "True", "display": "Planner", "value": "planner", "type": "x"}]
    probe.post("/Users", probe.user_body(roles=roles)).status(201).has(True, "roles", {"value": "planner"}, "primary")


@validator("user.duplicate", "2", MUST, "S-7644-3.3-07")
def user_duplicate(probe: Probe) -> None:
    "A second user with the same userName is a 409."
    body = probe.user_body(**everything(probe, "one"))
    probe.post("/Users", body).status(201)
    probe.post("/Users", body).status(409)


@validator("user.filter", "3", MUST, "S-7644-3.4.2-02", needs=FILTER)
def user_filter(probe: Probe) -> None:
    "An existing user is found by userName, as a ListResponse, with the values it was created with."
    sent = everything(probe, "one")
    user = probe.user(**sent)
    answer = probe.find(f'userName eq "{user.name}"').has(1, "totalResults").has(user.id, "Resources", 0, "id")
    comes_back(probe, answer, answer.resources()[0], sent)


@validator("user.filter.none", "4", MUST, "S-7644-3.4.2-06", needs=FILTER)
def user_filter_none(probe: Probe) -> None:
    "A user who does not exist: 200 and totalResults 0."
    probe.find(f'userName eq "nonexistent{uuid.uuid4().hex}"').status(200).has(0, "totalResults")


@validator("user.filter.case", "5", MUST, "S-7644-3.4.2.2-24", needs=FILTER)
def user_filter_case(probe: Probe) -> None:
    "A user is found by the userName in capitals."
    user = probe.user()
    probe.finds(f'userName eq "{user.name.upper()}"', [user], [user])


def second(probe: Probe) -> Document:
    """What the validator changes a user to. Its roles have a type, which a create is spared: servers may hold it against a list."""
    sent = everything(probe, "two")
    sent["roles"][0]["type"] = "WindowsAzureActiveDirectoryRole"
    return sent


def changed(probe: Probe, before: Document, changes: list[Document], sent: Document) -> None:
    user = probe.user(**before)
    now = probe.patched(user, *changes)
    comes_back(probe, now, now.document(), {name: value for name, value in sent.items() if name != "emails"})
    now.has(at(sent, "emails", 0, "value"), "emails", {"type": "work"}, "value")
    for name in ("emails", "phoneNumbers", "addresses", "roles"):
        now.expect(len(now.value(name)) == len(sent[name]), f"as many {name} as were sent", f"{name} = {shown(now.value(name))}")


@validator("user.replace", "6", SHOULD, "S-7644-3.5.2.3-07", "S-7644-3.5.2.3-01", "S-7644-3.5.2.1-04", needs=PATCH)
def user_replace(probe: Probe) -> None:
    "Replace Attributes: value paths singly, all the rest as flat keys of one operation without a path."
    sent = second(probe)
    changed(probe, everything(probe, "one"), collapsed("replace", sent), sent)


@validator("user.replace.verbose", "6, verbose", SHOULD, "S-7644-3.5.2.3-02", "S-7644-3.5.2.3-07", needs=PATCH)
def user_replace_verbose(probe: Probe) -> None:
    "Replace Attributes Verbose: one operation with a path for each of some forty values."
    sent = second(probe)
    changed(probe, everything(probe, "one"), verbose("replace", sent), sent)


@validator("user.add", "7", SHOULD, "S-7644-3.5.2.1-13", "S-7644-3.5.2.1-04", needs=PATCH)
def user_add(probe: Probe) -> None:
    "Add Attributes to a user who has only a userName: the elements that value paths name come into being."
    sent = second(probe)
    changed(probe, {}, collapsed("add", sent), sent)


@validator("user.add.verbose", "7, verbose", SHOULD, "S-7644-3.5.2.1-13", needs=PATCH)
def user_add_verbose(probe: Probe) -> None:
    "Add Attributes Verbose: the same, one operation with a path for each value."
    sent = second(probe)
    changed(probe, {}, verbose("add", sent), sent)


@validator("user.rename", "8", MUST, "S-7644-3.5.2.3-01", needs=("patch",))
def user_rename(probe: Probe) -> None:
    "A userName is replaced by an operation without a path."
    user = probe.user("old")
    probe.patched(user, {"op": "replace", "value": {"userName": probe.name("new")}}).has(probe.name("new"), "userName")


@validator("user.disable", "9", MUST, "S-7644-3.5.2.3-02", "S-7644-3.4.2.2-37", needs=("patch", "filter", "User.active"))
def user_disable(probe: Probe) -> None:
    "A user is disabled; by id and by filter the user is still there, with active = false."
    user = probe.user(active=True)
    probe.patched(user, {"op": "replace", "path": "active", "value": False}).has(False, "active")
    probe.finds(f'userName eq "{user.name}"', [user], [user]).has(False, "Resources", 0, "active")


HAS_MANAGER = ("patch", "enterprise", "enterprise.manager")


@validator("user.manager.add", "10", MUST, "S-7644-3.5.2.3-14", needs=HAS_MANAGER)
def manager_add(probe: Probe) -> None:
    "Add Manager: the manager is in the enterprise extension, as an object."
    boss, user = probe.user("boss"), probe.user()
    probe.patched(user, {"op": "add", "path": MANAGER, "value": {"value": boss.id}}).has(boss.id, ENTERPRISE, "manager", "value")


@validator("user.manager.replace", "11", MUST, "S-7644-3.5.2.3-14", needs=HAS_MANAGER)
def manager_replace(probe: Probe) -> None:
    "Replace Manager."
    one, two = probe.user("one"), probe.user("two")
    user = probe.user(enterprise={"manager": {"value": one.id}})
    probe.patched(user, {"op": "replace", "path": MANAGER, "value": {"value": two.id}}).has(two.id, ENTERPRISE, "manager", "value")


def _manager_remove(slug: str, operation: Document, level: Level, what: str) -> None:
    @check(
        f"entra.user.manager.remove.{slug}", level, "Microsoft SCIM Validator, test 12", "S-7644-3.5.2.2-02", needs=HAS_MANAGER, says=what
    )
    def run(probe: Probe) -> None:
        user = probe.user(enterprise={"manager": {"value": probe.user("boss").id}, "department": "Ops"})
        probe.patched(user, {"path": MANAGER} | operation).lacks(ENTERPRISE, "manager").has("Ops", ENTERPRISE, "department")


_manager_remove("op", {"op": "remove"}, MUST, "Remove Manager by the operation remove.")
_manager_remove("object", {"op": "replace", "value": {"value": ""}}, SHOULD, 'Remove Manager by replacing it with {"value": ""}.')
_manager_remove("text", {"op": "replace", "value": ""}, SHOULD, 'Remove Manager by replacing it with "".')


@validator("user.delete", "13", MUST, "S-7644-3.6-01", "S-7644-3.6-02")
def user_delete(probe: Probe) -> None:
    "A user is deleted; then the user is a 404."
    user = probe.user()
    probe.delete(user.path).status(204)
    probe.get(user.path).status(404)


@validator("user.operations", "P1", MUST, "S-7644-3.5.2-14", needs=("patch", "User.displayName", "User.title", "User.name"))
def user_operations(probe: Probe) -> None:
    "Several operations on different attributes in one PATCH."
    user = probe.user(title="Pilot")
    given = {"op": "add", "path": "name.givenName", "value": "Ada"}
    now = probe.patched(user, {"op": "remove", "path": "title"}, given, {"op": "replace", "path": "displayName", "value": "Ada B"})
    now.lacks("title").has("Ada", "name", "givenName").has("Ada B", "displayName")


@validator("user.operations.same", "P2", MUST, "S-7644-3.5.2-14", needs=("patch",))
def user_operations_same(probe: Probe) -> None:
    "Several operations on the same attribute in one PATCH: remove, add, replace externalId."
    user = probe.user(externalId=probe.name("a"))
    add, replace = ({"op": op, "path": "externalId", "value": probe.name(hint)} for op, hint in (("add", "b"), ("replace", "c")))
    probe.patched(user, {"op": "remove", "path": "externalId"}, add, replace).has(probe.name("c"), "externalId")


@validator("user.delete.unknown", "P3", MUST, "S-7644-3.6-02")
def user_delete_unknown(probe: Probe) -> None:
    "Deleting a user who does not exist is a 404."
    probe.delete(f"/Users/{uuid.uuid4()}").status(404)


@validator("user.delete.twice", "P4", MUST, "S-7644-3.6-02", "S-7644-3.6-06")
def user_delete_twice(probe: Probe) -> None:
    "Deleting the same user twice: 204, then 404."
    user = probe.user()
    probe.delete(user.path).status(204)
    probe.delete(user.path).status(404)
