"""One object at a time: match, create, update, delete, and the references. What the engine does to a single user or group.

Every method writes what the directory wants and the ledger does not have, so all of them may be called again after any failure.
"""

from __future__ import annotations

import threading
import uuid
import zlib
from collections.abc import Sequence

from conformance.entra import dialect as speak
from conformance.entra.dialect import MANAGER, Body, Dialect, flatten
from conformance.entra.directory import Directory, Flat, Person, Team, group_attributes, user_attributes
from conformance.entra.ledger import Ledger, Link
from conformance.entra.sender import GaveUp, Sender
from conformance.entra.service import Kind, Refused, Resource, Service, must_be_ok
from conformance.entra.tally import Difference

WORK_MAIL = 'emails[type eq "work"].value'


class Deferred(Exception):
    """Cannot be done before something else is."""


class Exporter:
    def __init__(self, sender: Sender, directory: Directory, external_id: str = "nickname") -> None:
        self.sender = sender
        self.tally = sender.tally
        self.service = Service(sender)
        self.directory = directory
        self.ledger = Ledger()
        self.external_id = external_id
        self.cycle = 0
        self._rematch = threading.Lock()

    # -- users

    def user(self, person: Person, dialect: Dialect, *, matching: str = "userName", returning: bool = False) -> None:
        """Bring one person's attributes to the server, the manager excepted.

        `matching` is asked first when there is no link yet. `returning`: came back into scope, so is looked for again before the update.
        """
        link = self.ledger.users.get(person.oid)
        if person.purged:
            self._delete_user(person, link)
            return
        if person.predecessor is not None and person.predecessor in self.ledger.users:
            raise Deferred(f"{person.upn} is still held by the deleted predecessor")
        wanted = self.wanted(person)
        if link is None:
            link = self._find_or_create_user(person, wanted, matching)
        elif link.pending(wanted):
            resource = self._match_user(person, wanted, "userName") if returning else None
            if resource is None:
                resource = self.service.read("User", link.id)
            if resource is None:
                self._vanished("User", person.oid, person.upn)
                link = self._find_or_create_user(person, wanted, matching)
            else:
                self._check("User", link, wanted, resource, person.upn)
        if link is not None:
            self._update(self.ledger.users, "User", person.oid, person.upn, wanted, dialect)

    def wanted(self, person: Person) -> Flat:
        return user_attributes(person, external_id=self.external_id)

    def _find_or_create_user(self, person: Person, wanted: Flat, matching: str) -> Link | None:
        if not person.active and person.oid not in self.ledger.unsure:
            return None  # whoever is out of scope or disabled is not created
        resource = self._match_user(person, wanted, matching)
        if resource is None:
            if not person.active:
                self.ledger.unsure.discard(person.oid)
                return None
            resource = self._create("User", person.oid, speak.new_user(wanted, self.variant(person.oid)))
            if resource is None:  # 409: an earlier POST arrived after all, or the look-up and the unique key do not agree
                resource = self._match_user(person, wanted, "userName")
                if resource is None:
                    raise Refused(409, "uniqueness", f"POST of {person.upn} is a duplicate, but no filter finds the other one")
                self.tally.count("healed_conflicts")
            else:
                work = {path for path in wanted if '[type eq "work"]' in path}
                primaries = frozenset(f"{path.rpartition('.')[0]}.primary" for path in work)
                return self.ledger.enter(self.ledger.users, person.oid, Link(resource["id"], dict(wanted), primaries=primaries))
        sent = flatten(resource)
        primaries = frozenset(path for path, value in sent.items() if path.endswith(".primary") and value is True)
        return self.ledger.enter(self.ledger.users, person.oid, Link(resource["id"], sent, primaries=primaries))

    def _match_user(self, person: Person, wanted: Flat, matching: str) -> Resource | None:
        """The matching attributes in their order of precedence, one query each, until one hits."""
        order = dict.fromkeys((matching, "userName", "externalId"))
        for attribute in order:
            if attribute in wanted:
                resource = self.service.look_up("User", attribute, str(wanted[attribute]))
                if resource is not None and self.ledger.owners.get(resource["id"], person.oid) == person.oid:
                    return resource
        return None

    def _delete_user(self, person: Person, link: Link | None) -> None:
        if link is None and person.oid in self.ledger.unsure:
            resource = self._match_user(person, self.wanted(person), "userName")
            if resource is not None:
                link = self.ledger.enter(self.ledger.users, person.oid, Link(resource["id"], {}))
        self.ledger.unsure.discard(person.oid)
        if link is not None:
            self._delete(self.ledger.users, "User", person.oid, person.upn)

    # -- groups

    def group(self, team: Team, dialect: Dialect) -> None:
        """Bring a group's name to the server, its members excepted."""
        link = self.ledger.groups.get(team.oid)
        wanted = group_attributes(team)
        if team.deleted:
            if link is None and team.oid in self.ledger.unsure:
                resource = self._match_group(wanted)
                if resource is not None:
                    link = self.ledger.enter(self.ledger.groups, team.oid, Link(resource["id"], {}))
            self.ledger.unsure.discard(team.oid)
            if link is not None:
                self._delete(self.ledger.groups, "Group", team.oid, team.name)
            return
        if link is not None:
            resource = self.service.read("Group", link.id)
            if resource is None:
                self._vanished("Group", team.oid, team.name)
                link = None
            else:
                self._check("Group", link, wanted, resource, team.name)
        if link is None:
            self._find_or_create_group(team, wanted)
        self._update(self.ledger.groups, "Group", team.oid, team.name, wanted, dialect)

    def _find_or_create_group(self, team: Team, wanted: Flat) -> Link:
        resource = self._match_group(wanted)
        if resource is None:
            resource = self._create("Group", team.oid, speak.new_group(wanted, self.variant(team.oid)))
            if resource is not None:
                return self.ledger.enter(self.ledger.groups, team.oid, Link(resource["id"], dict(wanted)))
            resource = self._match_group(wanted)
            if resource is None:
                raise Refused(409, "uniqueness", f"POST of {team.name} is a duplicate, but no filter finds the other one")
            self.tally.count("healed_conflicts")
        return self.ledger.enter(self.ledger.groups, team.oid, Link(resource["id"], flatten(resource)))

    def _match_group(self, wanted: Flat) -> Resource | None:
        for attribute in ("displayName", "externalId"):
            resource = self.service.look_up("Group", attribute, str(wanted[attribute]))
            if resource is not None and self.ledger.owners.get(resource["id"], wanted["externalId"]) == wanted["externalId"]:
                return resource
        return None

    # -- references

    def manager_change(self, person: Person) -> tuple[str | None] | None:
        """The manager's id (None: nobody) that must be written, in a tuple; None if nothing must."""
        link = self.ledger.users.get(person.oid)
        if link is None or person.purged:
            return None
        chief = self.ledger.users.get(person.manager) if person.manager is not None else None
        if person.manager is not None and chief is None:
            return None  # a reference to somebody out of scope is not written
        wanted = chief.id if chief is not None else None
        return None if link.sent.get(MANAGER) == wanted and MANAGER not in link.doubtful else (wanted,)

    def manager(self, person: Person, dialect: Dialect) -> None:
        change = self.manager_change(person)
        if change is None:
            return
        [manager] = change
        link, variant = self.ledger.users[person.oid], self.variant(person.oid, "manager")
        clauses = [f'id eq "{link.id}"', f'manager eq "{manager}"']
        if manager is not None and self._holds("User", clauses, variant):
            self._note_manager(link, manager)
            return
        if manager is None:
            body = speak.remove_manager(dialect, variant)
        else:
            body = speak.set_manager(dialect, manager, MANAGER in link.sent, self.sender.wire.base_url, variant)
        try:
            response = self.sender.send("update manager", "PATCH", f"/Users/{link.id}", body)
        except GaveUp as error:
            if error.doubtful:
                link.doubtful.add(MANAGER)
            raise
        if response.status == 404 and self.service.read("User", link.id) is None:
            self._vanished("User", person.oid, person.upn)
            self.user(person, dialect)
            raise Deferred("matched anew; the manager follows")
        must_be_ok(response)
        self._note_manager(link, manager)

    def _note_manager(self, link: Link, manager: str | None) -> None:
        link.doubtful.discard(MANAGER)
        if manager is None:
            link.sent.pop(MANAGER, None)
        else:
            link.sent[MANAGER] = manager

    def wanted_members(self, team: Team) -> list[str]:
        """The ids of those members that the server knows."""
        return [found for oid in team.members if (found := self.ledger.id_of(oid)) is not None]

    def member_changes(self, team: Team) -> tuple[list[str], list[str]]:
        """Ids to add and to remove, in an order that comes from the directory: the server's ids are different in every run."""
        link = self.ledger.groups.get(team.oid)
        if link is None:
            return [], []
        add, remove = link.pending_members(self.wanted_members(team))
        return add, sorted(remove, key=lambda member: self.ledger.owners.get(member, member))

    def members(self, team: Team, dialect: Dialect, add: Sequence[str], remove: Sequence[str], number: int, *, empty: bool = False) -> None:
        """One PATCH of a group's members; several of them run for one group at the same time. `empty`: `remove` is all there is."""
        link, variant = self.ledger.groups[team.oid], self.variant(team.oid, f"members {number}")
        if len(add) == 1 and not remove:
            clauses = [f'id eq "{link.id}"', f'members eq "{add[0]}"']
            if self._holds("Group", clauses, variant):
                link.members_changed(add, remove)
                return
        body = speak.empty_group(variant) if empty else speak.change_members(dialect, add, remove, variant)
        try:
            response = self.sender.send("change members", "PATCH", f"/Groups/{link.id}", body)
        except GaveUp as error:
            if error.doubtful:
                link.members_in_doubt([*add, *remove])
            raise
        if response.status == 404:
            with self._rematch:
                if self.ledger.groups.get(team.oid) is not link:
                    raise Deferred("matched anew; the members follow")
                if self.service.read("Group", link.id) is None:
                    self._vanished("Group", team.oid, team.name)
                    self._find_or_create_group(team, group_attributes(team))
                    raise Deferred("matched anew; the members follow")
        must_be_ok(response)
        link.members_changed(add, remove)

    def _holds(self, kind: Kind, clauses: list[str], variant: int) -> bool:
        """Now and then a reference is asked for before it is written, its clauses in either order."""
        return variant % 8 == 0 and self.service.holds(kind, clauses if variant % 16 else clauses[::-1])

    # -- common

    def variant(self, oid: str, salt: str = "") -> int:
        """A number that chooses among spellings: the same in every run of a seed, whatever the threads do."""
        return zlib.crc32(f"{oid}/{self.cycle}/{salt}".encode())

    def test_connection(self) -> None:
        """A random value of the matching attribute must be answered 200 and nobody, for users and for groups."""
        self.service.look_up("User", "userName", str(uuid.uuid4()), "test connection")
        self.service.look_up("Group", "displayName", str(uuid.uuid4()), "test connection")

    def _create(self, kind: Kind, oid: str, body: Body) -> Resource | None:
        try:
            return self.service.create(kind, body)
        except GaveUp as error:
            if error.doubtful:
                self.ledger.unsure.add(oid)
            raise

    def _update(self, links: dict[str, Link], kind: Kind, oid: str, name: str, wanted: Flat, dialect: Dialect) -> None:
        for attempt in (1, 2):
            link = links[oid]
            changes = link.pending(wanted)
            if not changes:
                return
            body = speak.set_attributes(dialect, changes, self.variant(oid, "update"))
            try:
                response = self.sender.send(f"update {kind.lower()}", "PATCH", f"/{kind}s/{link.id}", body)
            except GaveUp as error:
                if error.doubtful:
                    link.doubtful.update(change.path for change in changes)
                raise
            if response.status == 404 and attempt == 1:
                self._vanished(kind, oid, name)
                if kind == "User":
                    if self._find_or_create_user(self.directory.people[oid], wanted, "userName") is None:
                        return
                else:
                    self._find_or_create_group(self.directory.teams[oid], wanted)
                continue
            must_be_ok(response)
            link.sent.update({change.path: change.value for change in changes})
            link.doubtful.difference_update(change.path for change in changes)
            return

    def _delete(self, links: dict[str, Link], kind: Kind, oid: str, name: str) -> None:
        link = links[oid]
        response = self.sender.send(f"delete {kind.lower()}", "DELETE", f"/{kind}s/{link.id}")
        if response.status != 404:  # 404: an unanswered attempt had done it
            must_be_ok(response)
        self.ledger.strike(links, oid)
        self.ledger.deleted.append((kind, link.id, name))

    # -- judging answers

    def _check(self, kind: Kind, link: Link, wanted: Flat, resource: Resource, name: str) -> None:
        """Before an update the engine reads; whatever was acknowledged must be there."""
        held = flatten(resource)
        for path, value in link.sent.items():
            relevant = value in self.ledger.owners if path == MANAGER else path in wanted
            if relevant and path not in link.doubtful and held.get(path) != value:
                self._find("lost", kind, name, link.id, path, value, held.get(path))

    def _vanished(self, kind: Kind, oid: str, name: str) -> None:
        links = self.ledger.users if kind == "User" else self.ledger.groups
        self._find("vanished", kind, name, links[oid].id, "", "the resource", "404")
        self.tally.count("rematched")
        self.ledger.strike(links, oid)

    def _find(self, what: str, kind: Kind, name: str, ident: str | None, attribute: str, expected: object, found: object) -> None:
        self.tally.find(Difference(what, kind, name, ident, attribute, expected, found, cycle=self.cycle))
