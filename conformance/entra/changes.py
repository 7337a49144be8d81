"""The life of the directory between two cycles: who marries, moves, leaves and comes back, deterministic for the directory's seed.

Each kind of change is drawn at least once as soon as there is somebody whom it can befall; after that by weight. In one cycle a person
meets one kind of change at most, so that what a cycle exports is what happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from conformance.entra.directory import Directory, Person, Team
from conformance.entra.names import DEPARTMENTS, GROUP_WORDS, OFFICES, TITLES

ON_DEMAND_MEMBERS = 5


@dataclass(frozen=True, slots=True)
class Change:
    kind: str
    oid: str
    team: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of change: how often, to people in which state, with which effect. An effect answers False where it does not apply."""

    weight: int
    state: str
    effect: Callable[[Life, Person], bool | None]


def _state(person: Person) -> str:
    if person.purged:
        return "purged"
    if person.soft_deleted:
        return "soft-deleted"
    if not person.assigned:
        return "unassigned"
    return "active" if person.enabled else "disabled"


class Life:
    """Advances a directory. Use one per directory: it remembers which kinds of change have not been seen yet."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._rng = directory.rng
        self._unseen = deque(self._rng.sample(list(_KINDS), len(_KINDS)))
        self._rehired: set[str] = set()
        self._departments = {team.name: team.oid for team in directory.teams.values()}
        self._deleted_names: list[str] = []
        self._hired: list[Person] = []

    def cycle(self) -> list[Change]:
        """Changes to 7–15 % of the people and to about a third of the groups."""
        rng, directory = self._rng, self.directory
        pools: dict[str, deque[Person]] = {state: deque() for state in ("active", "disabled", "unassigned", "soft-deleted", "purged")}
        people = list(directory.people.values())
        rng.shuffle(people)
        for person in people:
            pools[_state(person)].append(person)
        wanted = max(3, round((len(people) - len(pools["purged"])) * rng.uniform(0.07, 0.15)))
        changes: list[Change] = []
        self._hired = []
        weights = [kind.weight for kind in _KINDS.values()]
        misses = 0
        while len(changes) < wanted and misses < 200:
            early = bool(self._unseen) and misses < len(self._unseen)
            name = self._unseen.popleft() if early else rng.choices(list(_KINDS), weights)[0]
            happened = self._befall(name, pools)
            if happened is None:
                misses += 1
                if early:
                    self._unseen.append(name)
            else:
                misses = 0
                changes.append(happened)
        return changes + self._teams(pools["active"])

    def on_demand(self) -> list[Change]:
        """What an admin provisions by hand: a person with a new detail, somebody just hired, and a group with a few more members."""
        rng, directory = self._rng, self.directory
        changes = []
        active = [person for person in directory.people.values() if person.active]
        if active:
            person = rng.choice(active)
            rng.choice((_promotion, _mobile, _relocation))(self, person)
            changes.append(Change("on demand: changed", person.oid))
        changes.append(Change("on demand: hired", directory.hire().oid))
        teams = directory.living_teams()
        if teams and active:
            team = rng.choice(teams)
            absent = [person for person in active if person.oid not in team.members]
            for person in rng.sample(absent, min(len(absent), rng.randint(1, ON_DEMAND_MEMBERS))):
                team.members[person.oid] = None
            changes.append(Change("on demand: members", team.oid, team=True))
        return changes

    def _befall(self, name: str, pools: dict[str, deque[Person]]) -> Change | None:
        kind = _KINDS[name]
        if kind.state == "nobody":
            person = self.directory.hire()
            self._hired.append(person)
            self._settle(person)
            return Change(name, person.oid)
        pool = pools[kind.state]
        for _ in range(min(len(pool), 40)):
            person = pool.popleft()
            if kind.effect(self, person) is not False:
                newcomer = self._hired[-1] if name == "re-hired" else person
                return Change(name, newcomer.oid)
            pool.append(person)
        return None

    # -- groups

    def _settle(self, person: Person) -> None:
        """A newcomer joins everybody's group, his department's and his place's."""
        for name in ("Everybody", f"Dep {person.department}", f"Site {person.city}"):
            self._team(name, lambda team: team.members.setdefault(person.oid))

    def _team(self, name: str, effect: Callable[[Team], object]) -> None:
        oid = self._departments.get(f"{self.directory.prefix}-{name.replace(chr(34), chr(39))}")
        if oid is not None and not self.directory.teams[oid].deleted:
            effect(self.directory.teams[oid])

    def _teams(self, active: deque[Person]) -> list[Change]:
        rng, directory = self._rng, self.directory
        changes: list[Change] = []
        living = directory.living_teams()
        rng.shuffle(living)
        scale = 1 + len(living) // 40
        if not living:
            return changes
        for team in living[:scale]:
            team.name = directory.free_group_name(team.name.removeprefix(f"{directory.prefix}-").split(" (ex")[0] + " (ex renamed)")
            changes.append(Change("group renamed", team.oid, team=True))
        if len(living) > 4:
            for team in living[-scale:]:
                team.deleted = True
                team.members.clear()
                directory.leave_all(team.oid)
                self._deleted_names.append(team.name)
                changes.append(Change("group deleted", team.oid, team=True))
            living = living[:-scale]
        pool = list(active)
        for _ in range(scale):
            team = directory.found(rng.choice(GROUP_WORDS) + " new", [p.oid for p in rng.sample(pool, min(len(pool), rng.randint(0, 30)))])
            if self._deleted_names[:-scale] and rng.random() < 0.5:  # a group deleted in an earlier cycle is made again under its name
                team.name = self._deleted_names.pop(0)
            changes.append(Change("group founded", team.oid, team=True))
        if len(living) > 8 and rng.random() < 0.7:
            team = living[scale]
            team.members.clear()
            changes.append(Change("group emptied", team.oid, team=True))
        for team in living[scale + 1 : scale + 1 + max(2, len(living) // 3)]:
            self._turnover(team, pool)
            changes.append(Change("members changed", team.oid, team=True))
        return changes

    def _turnover(self, team: Team, pool: list[Person]) -> None:
        """Some leave, some join; mostly a few, at times a good part. Nobody who is out of scope is added or removed."""
        rng = self._rng
        people = self.directory.people
        present = [oid for oid in team.members if oid not in people or people[oid].active]
        part = rng.choice((0.02, 0.05, 0.3))
        for oid in rng.sample(present, min(len(present), rng.randint(0, 2) + int(len(present) * part))):
            del team.members[oid]
        for person in rng.sample(pool, min(len(pool), rng.randint(0, 3) + int(len(present) * part))):
            team.members.setdefault(person.oid)


# -- what can befall a person


def _marriage(life: Life, person: Person) -> bool | None:
    directory, rng = life.directory, life.directory.rng
    person.last = rng.choice([name for name in person.culture.family if name != person.last])
    person.display_name = directory.display_name(person.culture, person.given, person.surname)
    if rng.random() < 0.5 and not person.nickname_changed:
        _new_upn(life, person)
    return None


def _new_upn(life: Life, person: Person) -> bool | None:
    if person.nickname_changed:
        return False
    person.upn = life.directory.free_upn(person.first, person.last)
    person.upn_changed = True
    if person.mail is not None:
        person.mail = person.upn
    return None


def _upn_case(life: Life, person: Person) -> bool | None:
    local, _, domain = person.upn.partition("@")
    other = local.title() if local != local.title() else local.lower()
    person.upn = f"{other}@{domain}"
    return None


def _nickname(life: Life, person: Person) -> bool | None:
    # Somebody whose principal name changes too could not be found again by a second run of the same seed.
    if person.upn_changed or person.nickname_changed or person.predecessor is not None:
        return False
    person.nickname = f"{person.employee_id}.{life.directory.prefix}"
    person.nickname_changed = True
    return None


def _reorganisation(life: Life, person: Person) -> bool | None:
    life._team(f"Dep {person.department}", lambda team: team.members.pop(person.oid, None))
    person.department = life.directory.rng.choice([name for name in DEPARTMENTS if name != person.department])
    person.title = life.directory.rng.choice(TITLES)
    life._team(f"Dep {person.department}", lambda team: team.members.setdefault(person.oid))
    return None


def _promotion(life: Life, person: Person) -> bool | None:
    person.title = life.directory.rng.choice([title for title in TITLES if title != person.title])
    return None


def _relocation(life: Life, person: Person) -> bool | None:
    life._team(f"Site {person.city}", lambda team: team.members.pop(person.oid, None))
    life.directory.move(person, life.directory.rng.choice([office for office in OFFICES if office.city != person.city]))
    life._team(f"Site {person.city}", lambda team: team.members.setdefault(person.oid))
    return None


def _phone_where_absent(life: Life, person: Person) -> bool | None:
    absent = [kind for kind in ("phone", "mobile", "fax") if getattr(person, kind) is None]
    if not absent:
        return False
    for kind in absent[:2]:
        life.directory.give_phone(person, kind)
    return None


def _mobile(life: Life, person: Person) -> bool | None:
    life.directory.give_phone(person, "mobile")
    return None


def _mailbox(life: Life, person: Person) -> bool | None:
    if person.mail is not None and person.other_mail is not None:
        return False
    if person.mail is None:
        person.mail = person.upn
    else:
        person.other_mail = f"{person.employee_id}@alias.{life.directory.domain}"
    return None


def _language(life: Life, person: Person) -> bool | None:
    person.language = "en-GB" if person.language != "en-GB" else person.culture.language
    return None


def _manager_changed(life: Life, person: Person) -> bool | None:
    chief = life.directory.some_chief(person)
    if chief is None:
        return False
    person.manager = chief
    return None


def _manager_removed(life: Life, person: Person) -> bool | None:
    if person.manager is None:
        return False
    person.manager = None
    return None


def _disabled(life: Life, person: Person) -> bool | None:
    person.enabled = False
    return None


def _enabled(life: Life, person: Person) -> bool | None:
    person.enabled = True
    return None


def _unassigned(life: Life, person: Person) -> bool | None:
    person.assigned = False
    return None


def _reassigned(life: Life, person: Person) -> bool | None:
    person.assigned = True
    return _promotion(life, person)


def _soft_deleted(life: Life, person: Person) -> bool | None:
    person.soft_deleted = True
    # The mark is not put on somebody who could then be found by neither of his names.
    person.tombstone = not person.nickname_changed and life.directory.rng.random() < 0.75
    return None


def _restored(life: Life, person: Person) -> bool | None:
    person.soft_deleted = person.tombstone = False
    return _mobile(life, person)


def _purged(life: Life, person: Person) -> bool | None:
    """Hard delete. Whoever was led by this person gets another manager, as a personnel department would see to."""
    person.purged = True
    life.directory.leave_all(person.oid)
    for report in life.directory.people.values():
        if report.manager == person.oid and report.assigned and not report.purged:
            report.manager = life.directory.some_chief(report)
    return None


def _rehired(life: Life, person: Person) -> bool | None:
    """The same person under the same names, as a new object."""
    if person.oid in life._rehired:
        return False
    life._rehired.add(person.oid)
    newcomer = life.directory.hire()
    newcomer.first, newcomer.last, newcomer.culture, newcomer.display_name = person.first, person.last, person.culture, person.display_name
    newcomer.upn, newcomer.nickname, newcomer.mail = person.upn, person.nickname, person.mail
    newcomer.nickname_changed, newcomer.upn_changed = person.nickname_changed, person.upn_changed
    newcomer.predecessor = person.oid
    life._hired.append(newcomer)
    life._settle(newcomer)
    return None


def _hired(life: Life, person: Person) -> bool | None:
    return False  # `Life` makes the person itself


_KINDS = {
    "married": _Kind(8, "active", _marriage),
    "UPN changed": _Kind(5, "active", _new_upn),
    "UPN in other case": _Kind(1, "active", _upn_case),
    "nickname changed": _Kind(1, "active", _nickname),
    "reorganised": _Kind(14, "active", _reorganisation),
    "promoted": _Kind(8, "active", _promotion),
    "relocated": _Kind(10, "active", _relocation),
    "phone where none was": _Kind(10, "active", _phone_where_absent),
    "new mobile": _Kind(6, "active", _mobile),
    "mailbox added": _Kind(4, "active", _mailbox),
    "language changed": _Kind(2, "active", _language),
    "manager changed": _Kind(10, "active", _manager_changed),
    "manager removed": _Kind(3, "active", _manager_removed),
    "disabled": _Kind(6, "active", _disabled),
    "enabled": _Kind(4, "disabled", _enabled),
    "unassigned": _Kind(4, "active", _unassigned),
    "re-assigned": _Kind(3, "unassigned", _reassigned),
    "soft-deleted": _Kind(6, "active", _soft_deleted),
    "restored": _Kind(3, "soft-deleted", _restored),
    "purged after soft delete": _Kind(3, "soft-deleted", _purged),
    "purged at once": _Kind(2, "active", _purged),
    "re-hired": _Kind(3, "purged", _rehired),
    "hired": _Kind(6, "nobody", _hired),
}
