"""The invented company: the same for a seed, unlike itself in every other respect."""

import unicodedata

import pytest

from conformance.entra.changes import _KINDS, ON_DEMAND_MEMBERS, Change, Life
from conformance.entra.directory import ENTERPRISE, Directory, group_attributes, user_attributes


def history(seed: int, users: int = 300, groups: int = 20, cycles: int = 5) -> tuple[Directory, list[list[Change]], list[list[Change]]]:
    directory = Directory(seed, users, groups)
    life = Life(directory)
    changes, on_demand = [], []
    for _ in range(cycles):
        on_demand.append(life.on_demand())
        changes.append(life.cycle())
    return directory, changes, on_demand


def snapshot(directory: Directory) -> object:
    return [user_attributes(person) for person in directory.people.values()], [
        (group_attributes(team), list(team.members)) for team in directory.teams.values()
    ]


def test_a_seed_decides_everything() -> None:
    first, again, another = history(7), history(7), history(8)
    assert (snapshot(first[0]), first[1:]) == (snapshot(again[0]), again[1:])
    assert snapshot(first[0]) != snapshot(another[0])


@pytest.mark.parametrize(("users", "groups"), [(1, 0), (1, 1), (3, 5), (40, 2), (1000, 50)])
def test_any_size_can_live(users: int, groups: int) -> None:
    directory, _, _ = history(3, users, groups)
    first = Directory(3, users, groups)
    assert (len(first.people), len(first.teams)) == (users, groups)
    assert len(directory.people) > users


def test_names_come_in_many_scripts() -> None:
    people = Directory(1, 1000, 0).people.values()
    scripts = {unicodedata.name(letter).split()[0] for person in people for letter in person.given + person.surname if letter.isalpha()}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI"}
    names = [person.display_name for person in people]
    assert any(ord(letter) > 0x1F000 for name in names for letter in name), "no emoji"
    assert any("'" in person.upn for person in people)
    assert max(map(len, names)) > 150
    assert any(name != unicodedata.normalize("NFC", name) for name in names), "no decomposed accent"


def test_mapping_covers_the_defaults() -> None:
    sent = {path for person in Directory(1, 500, 0).people.values() for path in user_attributes(person)}
    assert sent == {
        *(
            "externalId",
            "userName",
            "active",
            "displayName",
            "title",
            "preferredLanguage",
            "name.givenName",
            "name.familyName",
            "name.formatted",
        ),
        *(f'emails[type eq "{kind}"].value' for kind in ("work", "other")),
        *(f'phoneNumbers[type eq "{kind}"].value' for kind in ("work", "mobile", "fax")),
        *(f'addresses[type eq "work"].{sub}' for sub in ("formatted", "streetAddress", "locality", "region", "postalCode", "country")),
        *(f"{ENTERPRISE}:{name}" for name in ("employeeNumber", "department")),
    }


def test_user_names_differ_also_without_case_and_are_ascii() -> None:
    directory, _, _ = history(5, 1000, 10)
    living = [person.upn.lower() for person in directory.people.values() if not person.purged]
    assert len(living) == len(set(living))
    assert all(upn.isascii() and upn.endswith("@bk5.birkholm.example") for upn in living)
    # Namesakes that a LIKE would take for one another.
    assert any(upn.replace("_", ".", 1) in living for upn in living if "_" in upn)


def test_groups_are_nested_overlap_and_differ_in_size() -> None:
    directory = Directory(7, 1000, 50)
    sizes = sorted(len(team.members) for team in directory.teams.values())
    assert (sizes[0], sizes[1], sizes[-1]) == (0, 1, 1000)
    assert any(oid in directory.teams for team in directory.teams.values() for oid in team.members)
    order = {oid: number for number, oid in enumerate(directory.teams)}
    for team in directory.teams.values():
        assert all(order[oid] < order[team.oid] for oid in team.members if oid in order), "a circle of groups"
    assert len({team.name.casefold() for team in directory.teams.values()}) == 50


def test_change_is_of_a_believable_amount_and_of_every_kind() -> None:
    directory, cycles, _ = history(7, 1000, 50)
    for changes in cycles:
        assert 0.05 <= sum(not change.team for change in changes) / 1000 <= 0.16
        people = [change.oid for change in changes if not change.team]
        assert len(people) == len(set(people))
    seen = {change.kind for changes in cycles for change in changes}
    assert seen >= set(_KINDS)
    assert seen >= {"group renamed", "group deleted", "group founded", "group emptied", "members changed"}
    assert any(person.predecessor and person.upn == directory.people[person.predecessor].upn for person in directory.people.values())


def test_nobody_keeps_a_deleted_manager_or_a_deleted_member() -> None:
    directory, _, _ = history(11, 400, 30, cycles=8)
    gone = {person.oid for person in directory.people.values() if person.purged} | {
        team.oid for team in directory.teams.values() if team.deleted
    }
    assert gone
    assert not any(gone & set(team.members) for team in directory.teams.values())
    assert not [person for person in directory.people.values() if person.manager in gone and person.assigned and not person.purged]


def test_a_tombstone_is_32_hexadecimal_digits_before_the_name() -> None:
    directory, _, _ = history(7)
    marked = [person for person in directory.people.values() if person.soft_deleted and person.tombstone and not person.purged]
    assert marked
    for person in marked:
        assert person.user_name == person.oid.replace("-", "") + person.upn
        assert user_attributes(person)["active"] is False


def test_on_demand_takes_no_more_members_than_the_portal_does() -> None:
    directory = Directory(7, 100, 10)
    life = Life(directory)
    for _ in range(10):
        before = {oid: len(team.members) for oid, team in directory.teams.items()}
        groups = [directory.teams[change.oid] for change in life.on_demand() if change.team]
        assert [0 <= len(group.members) - before[group.oid] <= ON_DEMAND_MEMBERS for group in groups] == [True]
