"""An invented Entra directory: people, groups, and what the default attribute mapping makes of them.

Everything follows from a seed; nothing here knows the wire or the server. Every user principal name and group name of a run carries its
prefix, and none is ever given to somebody else (a re-hired person gets his own back), so that a run recognises its resources on a tenant
that holds others, and finds them again when it is run a second time.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.entra.names import CULTURES, DEPARTMENTS, EMOJI, GROUP_WORDS, LONG_FAMILY, OFFICES, TITLES, Culture, Name, Office

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

# A resource as the mapping sees it: target attribute path → value. The keys are the paths that Entra's PATCHes name.
Flat = dict[str, str | bool]


@dataclass(slots=True)
class Person:
    """A user object of the directory. Attributes that are None have no source value and are never sent."""

    oid: str
    upn: str
    nickname: str
    first: Name
    last: Name
    display_name: str
    employee_id: str
    culture: Culture
    title: str | None = None
    mail: str | None = None
    other_mail: str | None = None
    language: str | None = None
    office: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None
    mobile: str | None = None
    fax: str | None = None
    department: str | None = None
    manager: str | None = None
    enabled: bool = True
    assigned: bool = True
    soft_deleted: bool = False
    tombstone: bool = False  # while soft-deleted the UPN begins with the object id
    purged: bool = False  # hard-deleted
    nickname_changed: bool = False
    upn_changed: bool = False
    predecessor: str | None = None  # the purged person whose names this one carries again

    @property
    def given(self) -> str:
        return self.first.native

    @property
    def surname(self) -> str:
        return self.last.native

    @property
    def active(self) -> bool:
        """Not(IsSoftDeleted), as the default mapping has it."""
        return self.enabled and self.assigned and not self.soft_deleted and not self.purged

    @property
    def user_name(self) -> str:
        return uuid.UUID(self.oid).hex + self.upn if self.soft_deleted and self.tombstone else self.upn


@dataclass(slots=True)
class Team:
    """A group object. `members` holds object ids of people and groups; a dict, because its order is the same in every run."""

    oid: str
    name: str
    members: dict[str, None] = field(default_factory=dict)
    deleted: bool = False


_MAPPING = (
    ("externalId", "nickname"),
    ("userName", "user_name"),
    ("active", "active"),
    ("displayName", "display_name"),
    ("title", "title"),
    ("preferredLanguage", "language"),
    ("name.givenName", "given"),
    ("name.familyName", "surname"),
    ('emails[type eq "work"].value', "mail"),
    ('emails[type eq "other"].value', "other_mail"),
    ('addresses[type eq "work"].formatted', "office"),
    ('addresses[type eq "work"].streetAddress', "street"),
    ('addresses[type eq "work"].locality', "city"),
    ('addresses[type eq "work"].region', "state"),
    ('addresses[type eq "work"].postalCode', "postal_code"),
    ('addresses[type eq "work"].country', "country"),
    ('phoneNumbers[type eq "work"].value', "phone"),
    ('phoneNumbers[type eq "mobile"].value', "mobile"),
    ('phoneNumbers[type eq "fax"].value', "fax"),
    (f"{ENTERPRISE}:employeeNumber", "employee_id"),
    (f"{ENTERPRISE}:department", "department"),
)


def user_attributes(person: Person, *, external_id: str = "nickname") -> Flat:
    """The default attribute mapping, without the manager, which is a reference and is written by the id it got on the server.

    `external_id` names the source of externalId: "nickname" (mailNickname, the default) or "oid" (the customer's usual change).
    """
    flat: Flat = {}
    for target, source in _MAPPING:
        value = getattr(person, external_id if target == "externalId" else source)
        if value is not None:
            flat[target] = value
    flat["name.formatted"] = f"{person.given} {person.surname}"
    return flat


def group_attributes(team: Team) -> Flat:
    return {"externalId": team.oid, "displayName": team.name}


class Directory:
    """The directory at one moment, and the only source of chance of a run."""

    def __init__(self, seed: int, users: int, groups: int, prefix: str | None = None) -> None:
        self.prefix = prefix or f"bk{seed}"
        self.domain = f"{self.prefix}.birkholm.example"
        self.rng = random.Random(f"{seed}/{self.prefix}/{users}/{groups}")  # noqa: S311 - an invented company, not a secret
        self.people: dict[str, Person] = {}
        self.teams: dict[str, Team] = {}
        self._taken: set[str] = set()
        self._chiefs: list[str] = []
        self._employees = 40_000
        for _ in range(users):
            self.hire(at_start=True)
        self._found(groups)

    # -- people

    def hire(self, *, at_start: bool = False) -> Person:
        """A new person, with a manager among those who are there (but for the first)."""
        rng = self.rng
        culture = rng.choice(CULTURES)
        given = rng.choice(culture.given)
        family = rng.choice(LONG_FAMILY) if rng.random() < 0.01 else rng.choice(culture.family)
        self._employees += 1
        person = Person(
            oid=self._guid(),
            upn=self.free_upn(given, family),
            nickname="",
            first=given,
            last=family,
            display_name=self.display_name(culture, given.native, family.native),
            employee_id=str(self._employees),
            culture=culture,
        )
        person.nickname = person.upn.split("@")[0] + f".{self.prefix}"
        if rng.random() < 0.95:  # cloud-only people have no mailbox
            person.mail = person.upn
        if rng.random() < 0.15:
            person.other_mail = f"{person.employee_id}@alias.{self.domain}"
        person.title = rng.choice(TITLES) if rng.random() < 0.9 else None
        person.language = culture.language if rng.random() < 0.85 else None
        person.department = rng.choice(DEPARTMENTS) if rng.random() < 0.95 else None
        if rng.random() < 0.8:
            self.move(person, rng.choice(OFFICES))
        person.mobile = self._number(person) if rng.random() < 0.5 else None
        person.fax = self._number(person) if rng.random() < 0.05 else None
        if not at_start or rng.random() < 0.97:
            person.manager = self.some_chief(person)
        if len(self.people) % 12 == 0:
            self._chiefs.append(person.oid)
        self.people[person.oid] = person
        return person

    def some_chief(self, of: Person) -> str | None:
        """One of those who lead others (every twelfth hired) and is active; not the person himself, nor who leads him now."""
        for _ in range(50):
            chief = self.people[self.rng.choice(self._chiefs)] if self._chiefs else None
            if chief is not None and chief.active and chief.oid not in (of.oid, of.manager):
                return chief.oid
        return None

    def move(self, person: Person, office: Office) -> None:
        """Another office: a whole address, and a desk phone for most."""
        rng = self.rng
        person.street = rng.choice(office.streets)
        person.office = f"{person.street}, {rng.randint(1, 40)}.{rng.randint(1, 99):02}"
        person.city, person.state, person.postal_code, person.country = office.city, office.state, office.postal_code, office.country
        if person.phone is not None or rng.random() < 0.7:
            person.phone = f"{office.dialling} {rng.randint(10, 99)} {rng.randint(10, 99)} {rng.randint(10, 99)}"

    def _number(self, person: Person) -> str:
        return f"+45 {self.rng.randint(20, 99)} {self.rng.randint(10, 99)} {person.employee_id[-2:]} {self.rng.randint(10, 99)}"

    def give_phone(self, person: Person, kind: str) -> None:
        setattr(person, kind, self._number(person))

    def display_name(self, culture: Culture, given: str, family: str) -> str:
        rng = self.rng
        name = f"{family}{culture.joiner}{given}" if culture.family_first else f"{given} {family}"
        lot = rng.random()
        if lot < 0.06:
            name += f" {rng.choice(EMOJI)}"
        elif lot < 0.08:
            name += f" ({rng.choice(TITLES)}) — " + " / ".join(rng.sample(DEPARTMENTS, 6))
        elif lot < 0.1:
            name = f'{given} "{rng.choice(EMOJI)}\\{given[:1]}" {family}'
        return name[:256]

    def free_upn(self, given: Name, family: Name) -> str:
        """A principal name that nobody of this run has or had. Namesakes differ in a dot or an underscore, later in a number."""
        rng = self.rng
        first, last = given.latin[:24], family.latin[:30]
        if rng.random() < 0.8:
            first, last = first.lower(), last.lower()
        shapes = [f"{first}.{last}", f"{first}_{last}", f"{first[:1]}{last}"]
        if rng.random() < 0.3:
            shapes.reverse()
        number = 1
        while True:
            for shape in shapes:
                upn = f"{shape}{number if number > 1 else ''}@{self.domain}"
                if upn.lower() not in self._taken:
                    self._taken.add(upn.lower())
                    return upn
            number += 1

    # -- groups

    def _found(self, count: int) -> None:
        """Groups of very different sizes: everybody, departments, places, projects, groups of groups, one member, none."""
        rng = self.rng
        everyone = list(self.people)
        plans: list[tuple[str, list[str]]] = [("Everybody", everyone), ("Empty", []), ("Only one", everyone[:1])]
        departments = [(f"Dep {name}", self._having("department", name)) for name in DEPARTMENTS]
        places = [(f"Site {office.city}", self._having("city", office.city)) for office in OFFICES]
        projects: list[tuple[str, list[str]]] = []
        for number in range(max(count, 1)):
            size = min(len(everyone), int(len(everyone) ** rng.uniform(0.2, 0.95)))
            projects.append((f"{GROUP_WORDS[number % len(GROUP_WORDS)]} {number // len(GROUP_WORDS) + 1}", rng.sample(everyone, size)))
        queues = [departments, projects, places]
        while len(plans) < count - max(1, count // 12) and any(queues):
            queue = queues[len(plans) % 3]
            if queue:
                plans.append(queue.pop(0))
            elif projects:
                plans.append(projects.pop(0))
        leaves = [self.found(name, members).oid for name, members in plans[:count]]
        while len(self.teams) < count:  # umbrellas; later ones may hold earlier ones, so that nesting is deep but has no circle
            parts = rng.sample(leaves, min(len(leaves), rng.randint(2, 6))) + rng.sample(everyone, min(len(everyone), rng.randint(0, 5)))
            leaves.append(self.found(f"Umbrella {len(self.teams) + 1}", parts).oid)

    def _having(self, attribute: str, value: str) -> list[str]:
        return [person.oid for person in self.people.values() if getattr(person, attribute) == value]

    def found(self, name: str, members: Iterable[str]) -> Team:
        """A new group; its name is made free with a number if it is not."""
        team = Team(self._guid(), self.free_group_name(name), dict.fromkeys(members))
        self.teams[team.oid] = team
        return team

    def free_group_name(self, name: str) -> str:
        # Entra itself cannot look up a name with a quotation mark in it.
        name = name.replace('"', "'")
        full, number = f"{self.prefix}-{name}", 1
        while full.casefold() in self._taken:
            number += 1
            full = f"{self.prefix}-{name} v{number}"
        self._taken.add(full.casefold())
        return full

    # -- views

    def _guid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def living_teams(self) -> list[Team]:
        return [team for team in self.teams.values() if not team.deleted]

    def leave_all(self, oid: str) -> None:
        """What happens to memberships when an object is deleted: they are gone, without a change of the groups being told."""
        for team in self.teams.values():
            team.members.pop(oid, None)
