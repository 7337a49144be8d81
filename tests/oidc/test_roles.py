"""Roles from SCIM and from tokens: one rule, and what follows at once from a change of members, mappings and restrictions."""

from __future__ import annotations

from typing import Any

import pytest

from scim_server.access import rules
from tests.browser import Browser
from tests.http.conftest import GROUP
from tests.oidc.conftest import Company, object_id

ANNA = "anna@contoso.example"


def roles(browser: Browser) -> list[str]:
    found: list[str] = browser.get("/auth/verify").json()["roles"]
    return found


def told(company: Company) -> list[tuple[str, str, str, str | None]]:
    """Roles gained and lost: which, through what source, by which group."""
    return [
        (each.tag.rpartition("-")[2], each.data["role"], each.data["source"], each.data["group"])
        for each in company.events()
        if ":role-" in each.tag
    ]


@pytest.fixture
def anna(company: Company) -> tuple[Browser, str]:
    """Signed in, in the directory's group of managers and in that of staff; and her id."""
    company.entra.person(ANNA, groups=[])
    browser = company.signed_in(ANNA)
    return browser, browser.me().json()["user"]["id"]


def test_scim_says_who_is_in_a_group_that_it_provisions(company: Company) -> None:
    """The token says she is, SCIM says she is not, then that she is, then not: SCIM it is, without a sign-in in between."""
    managers = object_id()
    company.map(managers, "manager")
    company.entra.person(ANNA, groups=[managers])
    browser = company.signed_in(ANNA)
    user_id = browser.me().json()["user"]["id"]
    assert roles(browser) == ["manager"]
    scim = company.scim()
    other = scim.user("bert")
    group = scim.group("Managers", externalId=managers)
    assert roles(browser) == ["manager"]  # nobody has ever been in it: it is not provisioned yet
    scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": other["id"]}]})
    assert browser.post("/auth/refresh").json()["roles"] == ["employee"]
    scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": user_id}]})
    assert roles(browser) == ["manager"]
    scim.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[value eq "{user_id}"]'})
    assert roles(browser) == ["employee"]
    assert told(company)[-2:] == [("lost", "manager", "scim", managers), ("gained", "employee", "default", None)]
    scim.delete(f"/Groups/{group['id']}")
    assert browser.post("/auth/refresh").json()["roles"] == ["manager"]  # nobody provisions it any more


def changes(scim: Any, group: dict[str, Any], other: str, user_id: str) -> dict[str, Any]:
    path = f"/Groups/{group['id']}"
    whole = {"schemas": [GROUP], "displayName": group["displayName"], "externalId": group["externalId"]}
    return {
        "remove her": lambda: scim.patch(path, {"op": "remove", "path": "members", "value": [{"value": user_id}]}),
        "remove all": lambda: scim.patch(path, {"op": "remove", "path": "members"}),
        "replace": lambda: scim.patch(path, {"op": "replace", "path": "members", "value": [{"value": other}]}),
        "put": lambda: scim.put(path, {**whole, "members": [{"value": other}]}),
        "delete": lambda: scim.delete(path),
        "deactivate": lambda: scim.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False}),
    }


CHANGES = ["remove her", "remove all", "replace", "put", "delete", "deactivate"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("nested", [False, True])
def test_losing_the_last_allowed_group(company: Company, anna: tuple[Browser, str], change: str, nested: bool) -> None:
    """In the transaction of the change: the next request is refused. What is two groups away counts, too."""
    browser, user_id = anna
    scim = company.scim()
    staff = object_id()
    other = scim.user("bert")["id"]
    if nested:
        inner = scim.group("Team", user_id, other, externalId=object_id())
        scim.group("Staff", inner["id"], externalId=staff)
    else:
        inner = scim.group("Staff", user_id, other, externalId=staff)
    company.restrict(staff)
    assert roles(browser) == ["employee"]
    answer = changes(scim, inner, other, user_id)[change]()
    assert answer.status_code < 300
    assert browser.me().status == 401
    reason = "user_deactivated" if change == "deactivate" else "not_in_allowed_group"
    assert [each.data["reason"] for each in company.events("signin:session:ended")] == [reason]
    assert company.sign_in(ANNA).status == 403


def test_a_group_in_a_group_gives_its_role(company: Company, anna: tuple[Browser, str]) -> None:
    browser, user_id = anna
    scim = company.scim()
    managers = object_id()
    company.map(managers, "manager")
    team = scim.group("Team", user_id)
    outer = scim.group("Managers", externalId=managers)
    assert roles(browser) == ["employee"]
    scim.patch(f"/Groups/{outer['id']}", {"op": "add", "path": "members", "value": [{"value": team["id"]}]})
    assert roles(browser) == ["manager"]
    scim.patch(f"/Groups/{team['id']}", {"op": "remove", "path": "members", "value": [{"value": user_id}]})
    assert roles(browser) == ["employee"]


def test_a_mapping_holds_at_once(company: Company, anna: tuple[Browser, str]) -> None:
    browser, user_id = anna
    managers = object_id()
    company.scim().group("Managers", user_id, externalId=managers)
    company.map(managers, "manager")
    assert roles(browser) == ["manager"]
    with company.store.write(company.scope) as unit:
        assert rules.remove_mapping(unit, managers, "manager")
    assert roles(browser) == ["employee"]
    assert [each[:2] for each in told(company)] == [
        ("gained", "employee"),
        ("lost", "employee"),
        ("gained", "manager"),
        ("lost", "manager"),
        ("gained", "employee"),
    ]


def test_a_restriction_holds_at_once(company: Company, anna: tuple[Browser, str]) -> None:
    browser, _ = anna
    with company.store.write(company.scope) as unit:
        assert rules.restrict(unit, [object_id()]) == (True, 1)
    assert browser.me().status == 401
    with company.store.write(company.scope) as unit:
        assert rules.restrict(unit, []) == (True, 0)
        assert rules.restrict(unit, []) == (False, 0)
    company.signed_in(ANNA)


def test_two_groups_give_one_role(company: Company, anna: tuple[Browser, str]) -> None:
    """As long as one of them is left nothing is lost; the record says by which it is held."""
    browser, user_id = anna
    scim = company.scim()
    first, second = object_id(), object_id()
    groups = [scim.group(name, user_id, externalId=oid) for name, oid in (("First", first), ("Second", second))]
    for each in (first, second):
        company.map(each, "agent")
    held = told(company)[-1]
    assert held == ("gained", "agent", "scim", first)
    scim.patch(f"/Groups/{groups[1]['id']}", {"op": "remove", "path": "members"})
    assert told(company)[-1] == held
    scim.patch(f"/Groups/{groups[1]['id']}", {"op": "add", "path": "members", "value": [{"value": user_id}]})
    scim.patch(f"/Groups/{groups[0]['id']}", {"op": "remove", "path": "members"})
    assert told(company)[-2:] == [("lost", "agent", "scim", first), ("gained", "agent", "scim", second)]
    assert roles(browser) == ["agent"]


def test_whoever_never_signed_in_holds_nothing(company: Company) -> None:
    scim = company.scim()
    managers = object_id()
    company.map(managers, "manager")
    scim.group("Managers", scim.user("bert")["id"], externalId=managers)
    assert told(company) == []
    assert company.count("holdings") == 0


def test_what_me_says_of_it(company: Company, anna: tuple[Browser, str]) -> None:
    browser, user_id = anna
    managers, auditors = object_id(), object_id()
    company.scim().group("Managers of the north", user_id, externalId=managers)
    company.map(managers, "manager")
    company.map(auditors, "auditor")
    company.entra.person(ANNA, groups=[auditors])
    company.scim().patch(f"/Users/{user_id}", {"op": "add", "path": "title", "value": "Engineer"})
    company.sign_in(ANNA, browser)
    page = browser.get("/me", Accept="text/html").text
    for expected in (
        "You are in the group Managers of the north, according to your organisation's provisioning.",
        f"You are in the group {auditors}, according to your sign-in with Microsoft.",
        "Engineer",
        "from your organisation&#39;s provisioning",
        "Signed in",
    ):
        assert expected in page, expected
    assert browser.me().json()["groups"] == [
        {"name": "Managers of the north", "object_id": None, "source": "scim"},
        {"name": None, "object_id": auditors, "source": "token"},
    ]
