"""What a user may do now: decided by the rules, kept as periods, recorded when it changes.

It is decided at sign-in and at each refresh, and asked again for those whom a change is about: members of a group that a rule is
about, holders of a mapping that ended. A user without an open period has not signed in since he last left; he has nothing to lose.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scim_server.access import departure
from scim_server.access.roles import Decision, Given, decide
from scim_server.events import RoleGained, RoleLost
from scim_server.store.holdings import Holding
from scim_server.store.rules import Rule
from scim_server.store.unit import Unit

NOT_ALLOWED = "not_in_allowed_group"
"""Why sessions of somebody end who is in none of the groups that may sign in."""


def settle(unit: Unit, user_id: str, claimed: Collection[str], cause: str, rules: Sequence[Rule] | None = None) -> Decision:
    """Let the user hold what the rules give, and record what is different. Nothing is changed where he may not sign in at all.

    ``claimed`` are the groups (object ids) that the directory said he is in; ``cause`` says what led to this.
    """
    rules = unit.rules.all() if rules is None else rules
    in_scim = unit.rules.groups_of(user_id) if any(each.provisioned for each in rules) else frozenset()
    before = {each.role: each for each in unit.holdings.of_user(user_id)}
    decision = decide(rules, in_scim, claimed, {each.mapping_id for each in before.values()})
    if not decision.allowed:
        return decision
    after = {each.role.value: each for each in decision.given}
    lost = [each for role, each in before.items() if role not in after or not _same(each, after[role])]
    gained = [each for role, each in after.items() if role not in before or not _same(before[role], each)]
    for holding in lost:
        unit.holdings.end(user_id, holding.role)
        unit.events.append(RoleLost(user_id, holding.role, holding.source, holding.group, holding.mapping_id, cause))
    for given in gained:
        unit.holdings.begin(user_id, given.role, given.source, given.group, given.mapping_id)
        unit.events.append(RoleGained(user_id, given.role, given.source, given.group, given.mapping_id, cause))
    if before.keys() != after.keys():
        unit.sessions.set_roles(user_id, decision.roles)
    return decision


def reconsider(unit: Unit, user_ids: Collection[str], cause: str) -> int:
    """Settle again what these users may do, as far as they hold anything. Whoever may not sign in any more is out: how many sessions."""
    ended = 0
    holders = unit.holdings.holders(user_ids)
    rules = unit.rules.all() if holders else []
    for user_id in holders:
        if unit.users.lock(user_id) is None:  # nobody else settles the same at the same time
            continue
        link = unit.links.of_user(user_id)
        claimed = link.claims.get("groups", ()) if link else ()
        if not settle(unit, user_id, claimed, cause, rules).allowed:
            ended += departure.leave(unit, user_id, NOT_ALLOWED)
    return ended


def members_changed(unit: Unit, group_id: str, changed: Collection[str], *, ruled: bool) -> None:
    """These users and groups became members of the group, or are members no more.

    ``ruled``: whether a rule can be about the group (``Groups.ruled``).
    """
    if changed and ruled and unit.rules.watch(group_id):
        reconsider(unit, unit.rules.below(changed), "membership_changed")


def _same(holding: Holding, given: Given) -> bool:
    return (holding.source, holding.group, holding.mapping_id) == (given.source, given.group, given.mapping_id)
