"""Which roles the rules give: a table, and a property against a model that is written another way round."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.access.roles import DEFAULT, SCIM, TOKEN, Role, asks_the_directory, decide
from scim_server.store.rules import Rule

THEN = datetime(2026, 1, 1, tzinfo=UTC)
GROUPS = ("a", "b", "c")


def rule(group: str, role: str | None, *, provisioned: bool = False) -> Rule:
    return Rule(f"{group}-{role}", group, role, THEN, None, provisioned)


CASES = [
    ([], {"a"}, {"a"}, ["employee"]),
    ([rule("a", "admin")], set(), {"a"}, ["admin"]),
    ([rule("a", "admin")], {"a"}, set(), ["employee"]),
    ([rule("a", "admin", provisioned=True)], {"a"}, set(), ["admin"]),
    ([rule("a", "admin", provisioned=True)], set(), {"a"}, ["employee"]),
    ([rule("a", "agent"), rule("b", "manager")], set(), {"a", "b"}, ["manager"]),
    ([rule("a", "manager"), rule("a", "auditor")], set(), {"a"}, ["manager", "auditor"]),
    ([rule("a", "auditor")], set(), {"a"}, ["employee", "auditor"]),
    ([rule("a", "employee")], set(), {"a"}, ["employee"]),
    ([rule("a", None)], set(), {"a"}, ["employee"]),
    ([rule("a", None), rule("b", "admin")], set(), {"b"}, None),
    ([rule("a", None), rule("b", None)], set(), {"b"}, ["employee"]),
    ([rule("a", None, provisioned=True)], set(), {"a"}, None),
]


@pytest.mark.parametrize(("rules", "in_scim", "claimed", "roles"), CASES)
def test_what_the_rules_give(rules: list[Rule], in_scim: set[str], claimed: set[str], roles: list[str] | None) -> None:
    decision = decide(rules, in_scim, claimed)
    assert decision.allowed == (roles is not None)
    assert list(decision.roles) == (roles or [])
    if roles is None:
        assert decision.missing == tuple(each for each in rules if each.role is None)


def test_through_what() -> None:
    rules = [rule("b", "agent", provisioned=True), rule("a", "agent")]
    (given_,) = decide(rules, {"b"}, {"a"}).given
    assert (given_.source, given_.group, given_.mapping_id) == (TOKEN, "a", "a-agent")
    (held,) = decide(rules, {"b"}, {"a"}, {"b-agent"}).given
    assert (held.source, held.group) == (SCIM, "b")
    (nothing,) = decide([], set(), set()).given
    assert (nothing.role, nothing.source, nothing.group, nothing.mapping_id) == (Role.EMPLOYEE, DEFAULT, None, None)


def test_whether_the_directory_must_be_asked() -> None:
    assert not asks_the_directory([])
    assert not asks_the_directory([rule("a", "admin", provisioned=True)])
    assert asks_the_directory([rule("a", None), rule("b", "admin", provisioned=True)])


rules_of_groups = st.lists(
    st.builds(
        lambda group, role, provisioned: rule(group, role, provisioned=provisioned),
        st.sampled_from(GROUPS),
        st.sampled_from([None, *(each.value for each in Role)]),
        st.booleans(),
    ),
    unique_by=lambda each: each.id,
)
some_groups = st.frozensets(st.sampled_from(GROUPS))


@given(rules_of_groups, some_groups, some_groups)
def test_against_a_model(rules: list[Rule], in_scim: frozenset[str], claimed: frozenset[str]) -> None:
    held = {each.role for each in rules if (each.provisioned and each.group in in_scim) or (not each.provisioned and each.group in claimed)}
    restricted = any(each.role is None for each in rules)
    decision = decide(rules, in_scim, claimed)
    assert decision.allowed == (not restricted or None in held)
    if not decision.allowed:
        assert decision.given == ()
        return
    ranked = [each for each in ("admin", "manager", "agent", "employee") if each in held]
    assert list(decision.roles) == [*(ranked[:1] or ["employee"]), *(["auditor"] if "auditor" in held else [])]
    by_id = {each.id: each for each in rules}
    for each in decision.given:
        if each.mapping_id:
            assert (by_id[each.mapping_id].role, by_id[each.mapping_id].group) == (each.role, each.group)
