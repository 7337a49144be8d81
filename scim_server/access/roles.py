"""Which roles the rules of a tenant give to somebody who is in these groups.

A rule is about a group of a directory, by its object id. One statement decides whether somebody is in it: SCIM, where the group
is provisioned; else the directory's own word at the last sign-in or refresh.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scim_server.store.rules import Rule


class Role(StrEnum):
    """What somebody may do. The first four are ranked: of those that rules give, the highest counts. An auditor is one beside that."""

    EMPLOYEE = "employee"
    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"
    AUDITOR = "auditor"


RANKED = (Role.EMPLOYEE, Role.AGENT, Role.MANAGER, Role.ADMIN)
"""The later, the higher."""

SCIM, TOKEN, DEFAULT = "scim", "token", "default"
"""Where it is known from that somebody is in the group; or that no group gives the role."""


@dataclass(frozen=True, slots=True)
class Given:
    """A role, and through what: a group (None: everybody has it), and the mapping of it."""

    role: Role
    source: str
    group: str | None = None
    mapping_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """``missing`` are the rules of which one would have let the person in, if none did."""

    given: tuple[Given, ...]
    missing: tuple[Rule, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.missing

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(each.role.value for each in self.given)


def decide(rules: Sequence[Rule], in_scim: Collection[str], claimed: Collection[str], held: Collection[str | None] = ()) -> Decision:
    """The roles of somebody who is in these groups according to SCIM, and in those according to the directory.

    ``held`` are mappings by which roles are held already: of several that give the same role, one that did before goes on.
    """

    def is_in(rule: Rule) -> bool:
        return rule.group in (in_scim if rule.provisioned else claimed)

    allowing = [each for each in rules if each.role is None]
    if allowing and not any(map(is_in, allowing)):
        return Decision((), tuple(allowing))
    giving = sorted(filter(is_in, rules), key=lambda each: (each.id not in held, each.group))
    by_role = {Role(each.role): each for each in reversed(giving) if each.role is not None}
    highest = max((each for each in by_role if each in RANKED), key=RANKED.index, default=None)
    given = [Given(Role.EMPLOYEE, DEFAULT) if highest is None else _given(highest, by_role[highest])]
    if Role.AUDITOR in by_role:
        given.append(_given(Role.AUDITOR, by_role[Role.AUDITOR]))
    return Decision(tuple(given))


def asks_the_directory(rules: Sequence[Rule]) -> bool:
    """Whether any rule is about a group of which only the directory knows who is in it."""
    return any(not each.provisioned for each in rules)


def _given(role: Role, rule: Rule) -> Given:
    return Given(role, SCIM if rule.provisioned else TOKEN, rule.group, rule.id)
