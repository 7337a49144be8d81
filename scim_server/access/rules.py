"""Mappings (members of this group have this role) and restrictions (only members of these groups may sign in): changing them.

What follows for people who are signed in follows at once, in the same transaction; for others when they come next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scim_server.access import standing
from scim_server.access.roles import Role
from scim_server.events import MappingAdded, MappingRemoved, RestrictionSet
from scim_server.store.rules import Rule
from scim_server.store.unit import Unit

MOST_MAPPINGS = 500
MOST_GROUPS = 100
"""Of a restriction."""

_OBJECT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Unusable(ValueError):
    """What was asked for cannot be. The text says why, and how to mend it."""


def parse_group(text: str) -> str:
    """The object id of a group in lower case. Raises Unusable."""
    group = text.strip().lower()
    if not _OBJECT_ID.fullmatch(group):
        raise Unusable(
            f"{text[:100]!r} is no object id of a group. It is a GUID, shown as Object ID on the group's overview page, "
            "such as 5c0d2a36-0b5a-4a57-9d1e-6b2b4c3f8a10. Names are not unique, and can be changed by whoever owns the group."
        )
    return group


def parse_role(text: str) -> Role:
    """Raises Unusable."""
    try:
        return Role(text.strip().lower())
    except ValueError:
        raise Unusable(f"{text[:100]!r} is no role. The roles are {', '.join(Role)}.") from None


def mappings(rules: Sequence[Rule]) -> list[Rule]:
    return [each for each in rules if each.role is not None]


def restrictions(rules: Sequence[Rule]) -> list[Rule]:
    return [each for each in rules if each.role is None]


def add_mapping(unit: Unit, group: str, role: str) -> bool:
    """Give members of the group the role; False if they have it already. Raises Unusable; Taken if somebody was faster."""
    group, role = parse_group(group), parse_role(role).value
    known = mappings(unit.rules.all())
    if any((each.group, each.role) == (group, role) for each in known):
        return False
    if len(known) >= MOST_MAPPINGS:
        raise Unusable(f"There are {MOST_MAPPINGS} mappings already. Remove those that are of no use.")
    mapping_id = unit.rules.add_mapping(group, role)
    unit.events.append(MappingAdded(mapping_id, group, role))
    standing.reconsider(unit, unit.sessions.users(), "mapping_added")
    return True


def remove_mapping(unit: Unit, group: str, role: str) -> bool:
    """Give it no more; False if it was not given. Raises Unusable."""
    group, role = parse_group(group), parse_role(role).value
    mapping_id = unit.rules.end_mapping(group, role)
    if mapping_id is None:
        return False
    unit.events.append(MappingRemoved(mapping_id, group, role))
    standing.reconsider(unit, unit.holdings.through(mapping_id), "mapping_removed")
    return True


def restrict(unit: Unit, groups: Sequence[str]) -> tuple[bool, int]:
    """Let only members of these groups sign in, or everybody if there are none. Raises Unusable.

    Whether anything is different, and how many people who were signed in are out.
    """
    wanted = sorted({parse_group(each) for each in groups})
    if len(wanted) > MOST_GROUPS:
        raise Unusable(f"Give at most {MOST_GROUPS} groups.")
    before = sorted(each.group for each in restrictions(unit.rules.all()))
    if wanted == before:
        return False, 0
    unit.rules.restrict(set(wanted) - set(before), set(before) - set(wanted))
    unit.events.append(RestrictionSet(unit.scope.tenant_id, wanted, before))
    return True, standing.reconsider(unit, unit.sessions.users(), "restriction_set")
