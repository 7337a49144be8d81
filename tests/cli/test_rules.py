"""``mapping`` and ``restriction``: who is what, and who may sign in."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.cli.conftest import Command, answer, done, refusal


def oid() -> str:
    return str(uuid4())


def test_mappings(cli: Command, tenant: str) -> None:
    group, other = oid(), oid()
    assert "everybody is an employee" in done(cli("mapping", "list", "--tenant", tenant))
    made = answer(cli("mapping", "add", "--tenant", tenant, "--group", group.upper(), "--role", "manager", "--json"))
    assert made == {"tenant": tenant, "group": group, "role": "manager", "added": True}
    again = answer(cli("mapping", "add", "--tenant", tenant, "--group", group, "--role", "manager", "--json"))
    assert again["added"] is False
    done(cli("mapping", "add", "--tenant", tenant, "--group", other, "--role", "auditor"))
    listed = answer(cli("mapping", "list", "--tenant", tenant, "--json"))
    assert {(each["group"], each["role"], each["name"], each["known_from"]) for each in listed} == {
        (group, "manager", None, "token"),
        (other, "auditor", None, "token"),
    }
    assert group in done(cli("mapping", "list", "--tenant", tenant))
    assert answer(cli("mapping", "remove", "--tenant", tenant, "--group", group, "--role", "manager", "--json"))["removed"] is True
    told = refusal(cli("mapping", "remove", "--tenant", tenant, "--group", group, "--role", "manager"))
    assert "has no mapping" in told
    assert "mapping list" in told
    done(cli("mapping", "add", "--tenant", tenant, "--group", group, "--role", "admin"))


@pytest.mark.parametrize("group", ["Managers", "", "5c0d2a36", "x" * 5000])
def test_a_group_is_named_by_its_object_id(cli: Command, tenant: str, group: str) -> None:
    for command in (("mapping", "add", "--role", "admin"), ("restriction", "set")):
        told = refusal(cli(*command[:2], "--tenant", tenant, "--group", group, *command[2:]))
        assert "Object ID" in told
        assert len(told) < 600


def test_roles_are_few(cli: Command, tenant: str) -> None:
    assert "employee" in refusal(cli("mapping", "add", "--tenant", tenant, "--group", oid(), "--role", "root"), 2)
    assert "no tenant" in refusal(cli("mapping", "add", "--tenant", "nobody", "--group", oid(), "--role", "admin"))


def test_restrictions(cli: Command, tenant: str) -> None:
    """Several groups, with the option before each or before all; in place of those before."""
    groups = sorted(oid() for _ in range(3))
    assert "everybody may sign in" in done(cli("restriction", "list", "--tenant", tenant))
    first = answer(cli("restriction", "set", "--tenant", tenant, "--group", groups[0], groups[1], groups[2], "--json"))
    assert first == {"tenant": tenant, "groups": groups, "changed": True, "sessions_ended": 0}
    same = answer(cli("restriction", "set", "--tenant", tenant, *(part for each in groups for part in ("--group", each)), "--json"))
    assert same["changed"] is False
    done(cli("restriction", "set", "--tenant", tenant, "--group", groups[1]))
    assert [each["group"] for each in answer(cli("restriction", "list", "--tenant", tenant, "--json"))] == [groups[1]]
    assert "role" not in answer(cli("restriction", "list", "--tenant", tenant, "--json"))[0]
    assert "Everybody may sign in now" in done(cli("restriction", "clear", "--tenant", tenant))
    assert "was so before" in done(cli("restriction", "clear", "--tenant", tenant))
    told = answer(cli("audit", "list", "--tenant", tenant, "--json"))
    changes = [each["data"]["groups"] for each in told if each["event"] == "operator:restriction:set"]
    assert changes == [[], [groups[1]], groups]


def test_how_a_tenants_people_sign_in(cli: Command, tenant: str) -> None:
    told = done(cli("tenant", "show", tenant))
    assert "over after 8h (the default), or 30m (the default) without use" in told
    contact = "helpdesk@contoso.example"
    options = ("--session-idle", "15m", "--session-max", "12h", "--guests", "refuse", "--link-by-user-name", "--contact", contact)
    changed = answer(cli("tenant", "set", tenant, *options, "--json"))["changed"]
    assert {name: each["new"] for name, each in changed.items()} == {
        "session_idle_s": 900,
        "session_max_s": 43_200,
        "guests": False,
        "link_by_user_name": True,
        "contact": contact,
    }
    told = done(cli("tenant", "show", tenant))
    for each in ("over after 12h, or 15m without use", "refused", "in verified domains", contact):
        assert each in told
    back = answer(cli("tenant", "set", tenant, "--session-idle", "default", "--contact", "", "--no-link-by-user-name", "--json"))
    assert (back["session_idle_s"], back["contact"], back["link_by_user_name"]) == (None, None, False)
    for wrong in (("--session-idle", "5s"), ("--session-max", "99d"), ("--contact", "x" * 201), ("--guests", "some")):
        refusal(cli("tenant", "set", tenant, *wrong), 2)


def test_where_a_domains_people_sign_in(cli: Command, tenant: str) -> None:
    tid, domain = oid(), f"{uuid4().hex}.example"
    done(cli("domain", "add", "--tenant", tenant, domain))
    assert "has no directory" in refusal(cli("domain", "set", "--tenant", tenant, domain, "--directory", tid))
    directory = answer(cli("directory", "add", "--tenant", tenant, "--tid", tid, "--json"))
    chosen = answer(cli("domain", "set", "--tenant", tenant, domain, "--directory", tid, "--json"))
    assert (chosen["directory_id"], chosen["changed"]) == (directory["id"], True)
    assert answer(cli("domain", "set", "--tenant", tenant, domain, "--directory", tid, "--json"))["changed"] is False
    assert answer(cli("domain", "set", "--tenant", tenant, domain, "--directory", "none", "--json"))["directory_id"] is None
