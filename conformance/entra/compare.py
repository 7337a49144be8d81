"""Read everything back and compare it with the directory: attributes, activity, managers, exact membership, absence, nothing extra.

A run's resources are told from a tenant's others by its prefix; the others are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conformance.entra.dialect import MANAGER, flatten
from conformance.entra.directory import Directory, Flat, Person, Team, group_attributes
from conformance.entra.exporter import Exporter
from conformance.entra.ledger import Ledger, Link
from conformance.entra.progress import Reporter
from conformance.entra.service import Kind, Refused, Resource, must_be_ok
from conformance.entra.tally import Difference

_PAGE = 100
_SAMPLE = 50


class Comparison:
    """Compares once. `differences` holds what was found while the engine ran, too."""

    def __init__(self, exporter: Exporter, reporter: Reporter, workers: int, page: int = _PAGE) -> None:
        self.exporter = exporter
        self.ledger: Ledger = exporter.ledger
        self.directory: Directory = exporter.directory
        self.service = exporter.service
        self.tally = exporter.tally
        self.reporter = reporter
        self.workers = workers
        self.page = page
        self.differences: list[Difference] = list(exporter.tally.findings)

    def run(self) -> list[Difference]:
        """Raises GaveUp when the server cannot be read, Refused when it refuses to be."""
        self.service.sender.grant_patience()
        users = self._list_all("User", {})
        groups = self._list_all("Group", {"excludedAttributes": "members"})
        for person in self.directory.people.values():
            self._user(person, users)
        self._extra("User", users)
        self._groups_attribute(users)
        living = [team for team in self.directory.teams.values() if team.oid in self.ledger.groups or not team.deleted]
        with self.reporter.phase("compare groups", len(living)) as phase, ThreadPoolExecutor(self.workers) as pool:
            for found in pool.map(lambda team: self._group(team, groups), living):
                self.differences += found
                phase.advance()
        self._extra("Group", groups)
        self._absent(users, groups)
        self._inactive_are_found()
        return self.differences

    # -- reading

    def _list_all(self, kind: Kind, query: dict[str, str]) -> dict[str, Resource]:
        """All resources by id, page by page."""
        found: dict[str, Resource] = {}
        start, total = 1, 0
        with self.reporter.phase(f"read back {kind}s", 0) as phase:
            while True:
                page: dict[str, str | int] = {**query, "startIndex": start, "count": self.page}
                response = self.service.sender.send(f"list {kind.lower()}s", "GET", f"/{kind}s", query=page)
                must_be_ok(response)
                body: Any = self.service.json(response)
                if not isinstance(body, dict) or not isinstance(body.get("totalResults"), int):
                    raise Refused(response.status, "", "not a ListResponse with totalResults")
                resources: list[Resource] = body.get("Resources") or []
                if resources and body.get("startIndex") != start:
                    self.tally.remark(f"a page's startIndex is {body.get('startIndex')!r} though {start} was asked for")
                total = body["totalResults"]
                for resource in resources:
                    if resource["id"] in found:
                        self._differ("listing", kind, _name(resource), resource["id"], "", "listed once", "listed again on another page")
                    found[resource["id"]] = resource
                start += len(resources)
                phase.total = total
                for _ in resources:
                    phase.advance()
                if not resources or start > total:
                    break
        if len(found) != total:
            self._differ("listing", kind, f"all {kind}s", None, "totalResults", total, f"{len(found)} on the pages")
        return found

    def _find(self, kind: Kind, link: Link, listed: dict[str, Resource], name: str) -> Resource | None:
        """From the pages, or by id if they miss it (which is a difference of its own)."""
        resource = listed.get(link.id)
        if resource is None:
            resource = self.service.read(kind, link.id)
            if resource is None:
                self._differ("missing", kind, name, link.id, "", "the resource", "404")
            else:
                self._differ("listing", kind, name, link.id, "", "listed", "found by id only")
        return resource

    # -- users

    def _user(self, person: Person, users: dict[str, Resource]) -> None:
        link = self.ledger.users.get(person.oid)
        if person.purged:
            if link is not None and link.id in users:
                self._differ("deleted but there", "User", person.upn, link.id, "", "absent", "present", acknowledged=False)
            return
        if link is None:
            if person.active:
                self._differ("missing", "User", person.upn, None, "", "the resource", "never created", acknowledged=False)
            return
        resource = self._find("User", link, users, person.user_name)
        if resource is None:
            return
        found = flatten(resource)
        wanted = self.exporter.wanted(person)
        manager = found.pop(MANAGER, None)
        self.differences += self._attributes("User", person.user_name, link, wanted, found)
        chief = self.ledger.users.get(person.manager) if person.manager is not None else None
        if person.manager is None or chief is not None:  # nobody, or somebody who is there; else nothing is known
            expected = chief.id if chief is not None else None
            if manager != expected:
                known = link.sent.get(MANAGER) == expected and MANAGER not in link.doubtful
                self._differ("manager", "User", person.user_name, link.id, MANAGER, expected, manager, acknowledged=known)

    def _attributes(self, kind: Kind, name: str, link: Link, wanted: Flat, found: Flat) -> Iterator[Difference]:
        for path, value in wanted.items():
            if found.get(path) != value:
                known = link.sent.get(path) == value and path not in link.doubtful
                what = "active" if path == "active" else "attribute"
                yield Difference(what, kind, name, link.id, path, value, found.get(path), known)
        for path, value in found.items():
            if path in wanted:
                continue
            # What was there when the resource was matched stays: the engine never clears anything.
            allowed = path in link.primaries if path.endswith(".primary") else link.sent.get(path) == value
            if not allowed:
                yield Difference("attribute", kind, name, link.id, path, None, value)
        for path in sorted(link.primaries - set(found)):
            yield Difference("attribute", kind, name, link.id, path, True, None)

    def _groups_attribute(self, users: dict[str, Resource]) -> None:
        """Where the server tells a user's groups, it must tell the same as the groups tell of their members."""
        if not any("groups" in user for user in users.values()):
            return
        expected: dict[str, set[str]] = {}
        for team in self.directory.living_teams():
            link = self.ledger.groups.get(team.oid)
            for oid in team.members if link is not None else ():
                if link is not None:
                    expected.setdefault(oid, set()).add(link.id)
        for oid, link in self.ledger.users.items():
            if link.id not in users:
                continue
            told = [group for group in users[link.id].get("groups") or [] if isinstance(group, dict)]
            direct = {group.get("value") for group in told if group.get("type", "direct") == "direct"}
            ours = {group for group in direct if group in self.ledger.owners}
            if ours != expected.get(oid, set()):
                name = self.directory.people[oid].user_name
                self._differ("groups", "User", name, link.id, "groups", sorted(expected.get(oid, ())), sorted(map(str, ours)))

    # -- groups

    def _group(self, team: Team, groups: dict[str, Resource]) -> list[Difference]:
        """Runs in several threads, hence gives back what it finds."""
        link = self.ledger.groups.get(team.oid)
        if link is None:
            return [Difference("missing", "Group", team.name, None, "", "the resource", "never created", acknowledged=False)]
        if team.deleted:
            there = [Difference("deleted but there", "Group", team.name, link.id, "", "absent", "present", acknowledged=False)]
            return there if link.id in groups else []
        response = self.service.sender.send("read members", "GET", f"/Groups/{link.id}")
        if response.status == 404:
            return [Difference("missing", "Group", team.name, link.id, "", "the resource", "404")]
        must_be_ok(response)
        resource = self.service.json(response)
        found = list(self._attributes("Group", team.name, link, group_attributes(team), flatten(resource)))
        if link.id not in groups:
            found.append(Difference("listing", "Group", team.name, link.id, "", "listed", "found by id only"))
        values = [member.get("value") for member in resource.get("members") or [] if isinstance(member, dict)]
        if len(values) != len(set(values)):
            found.append(Difference("attribute", "Group", team.name, link.id, "members", "each once", "duplicates"))
        wanted = set(self.exporter.wanted_members(team))
        for member in sorted(wanted - set(values)):
            known = member in link.members and member not in link.doubtful_members
            found.append(Difference("member missing", "Group", team.name, link.id, "members", self._who(member), None, known))
        for member in sorted(map(str, set(values) - wanted)):
            known = member not in link.members and member not in link.doubtful_members
            found.append(Difference("member extra", "Group", team.name, link.id, "members", None, self._who(member), known))
        return found

    def _who(self, ident: str) -> str:
        oid = self.ledger.owners.get(ident, "")
        if oid in self.directory.people:
            person = self.directory.people[oid]
            return f"{person.upn} ({ident}{'' if person.active else ', inactive'})"
        return f"{self.directory.teams[oid].name} ({ident})" if oid in self.directory.teams else ident

    # -- absence and activity

    def _extra(self, kind: Kind, listed: dict[str, Resource]) -> None:
        """Resources that carry this run's marks and belong to nobody in the directory: duplicates of a lost answer, or risen ones."""
        deleted = {ident for _, ident, _ in self.ledger.deleted}
        for ident, resource in listed.items():
            if ident not in self.ledger.owners and ident not in deleted and self._ours(kind, resource):
                self._differ("extra", kind, _name(resource), ident, "", None, "a resource of this run that nobody in the directory is")

    def _ours(self, kind: Kind, resource: Resource) -> bool:
        external = str(resource.get("externalId") or "")
        if kind == "Group":
            named = str(resource.get("displayName") or "").startswith(f"{self.directory.prefix}-")
            return named or external in self.directory.teams
        domain = str(resource.get("userName") or "").casefold().endswith(f"@{self.directory.domain}".casefold())
        return domain or external.endswith(f".{self.directory.prefix}") or external in self.directory.people

    def _absent(self, users: dict[str, Resource], groups: dict[str, Resource]) -> None:
        for kind, ident, name in self.ledger.deleted:
            if ident in (users if kind == "User" else groups):
                self._differ("deleted but there", "User" if kind == "User" else "Group", name, ident, "", "absent", "listed")
        sample = self.ledger.deleted[-_SAMPLE:]

        def check(entry: tuple[str, str, str]) -> None:
            kind, ident, name = entry
            response = self.service.sender.send("read deleted", "GET", f"/{kind}s/{ident}")
            if response.status != 404:
                self._differ("deleted but there", "User" if kind == "User" else "Group", name, ident, "", 404, response.status)

        self._each("compare deleted", sample, check)

    def _inactive_are_found(self) -> None:
        """A disabled user must be found by the matching filter; hidden, he would be created a second time."""
        inactive = [person for person in self.directory.people.values() if person.oid in self.ledger.users and not person.active]

        def check(person: Person) -> None:
            link = self.ledger.users[person.oid]
            name = str(link.sent.get("userName", person.user_name))
            try:
                resource = self.service.look_up("User", "userName", name)
                found = resource["id"] if resource is not None else None
            except Refused as error:
                found = error.detail
            if found != link.id:
                self._differ("hidden", "User", name, link.id, "userName", "found by filter though inactive", found)

        self._each("compare inactive", inactive[:_SAMPLE], check)

    def _each(self, label: str, items: list[Any], check: Callable[[Any], None]) -> None:
        if not items:
            return
        with self.reporter.phase(label, len(items)) as phase:
            for item in items:
                check(item)
                phase.advance()

    def _differ(
        self, what: str, kind: Kind, name: str, ident: str | None, attribute: str, expected: Any, found: Any, *, acknowledged: bool = True
    ) -> None:
        self.differences.append(Difference(what, kind, name, ident, attribute, expected, found, acknowledged))


def _name(resource: Resource) -> str:
    return str(resource.get("userName") or resource.get("displayName") or "")


def kinds(differences: Iterable[Difference]) -> dict[str, int]:
    """How many of each kind, most first."""
    counts: dict[str, int] = {}
    for difference in differences:
        counts[difference.kind] = counts.get(difference.kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
