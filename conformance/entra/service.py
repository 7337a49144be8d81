"""The questions that the engine asks a SCIM service, and its judgement of the answers: look-ups, reads, creations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from conformance.entra.dialect import Body, flatten
from conformance.entra.sender import Sender, error_detail
from conformance.entra.tally import Difference
from conformance.wire import Response

Resource = dict[str, Any]
Kind = Literal["User", "Group"]


class Refused(Exception):
    """An answer that repeating does not change: a 4xx, or something that is no SCIM answer."""

    def __init__(self, status: int, scim_type: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.scim_type = scim_type
        self.detail = detail


def quoted(value: str) -> str:
    """A value inside the double quotes of a filter, escaped as in JSON."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def must_be_ok(response: Response) -> None:
    if not response.ok:
        raise Refused(response.status, *error_detail(response))


class Service:
    """A SCIM service as the engine sees it."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.tally = sender.tally

    def look_up(self, kind: Kind, attribute: str, value: str, action: str = "") -> Resource | None:
        """The one resource whose attribute has the value, or None. Refused if there are several, or if it is another one."""
        query = {"excludedAttributes": "members"} if kind == "Group" else {}
        query["filter"] = f'{attribute} eq "{quoted(value)}"'
        response = self.sender.send(action or f"look up {kind.lower()}", "GET", f"/{kind}s", query=query)
        if response.status != 200:
            scim_type, detail = error_detail(response)
            raise Refused(response.status, scim_type, f"look-up by {attribute}: {detail}")
        found = self.listed(response)
        if not found:
            return None
        if len(found) > 1:
            raise Refused(200, "", f"DuplicateTargetEntries: {len(found)} resources answer {attribute} eq {value!r}")
        resource = found[0]
        if not isinstance(resource.get("id"), str) or not resource["id"]:
            raise Refused(200, "", f"the resource found by {attribute} has no id")
        held = flatten(resource).get(attribute)
        if not isinstance(held, str) or (held != value if attribute == "externalId" else held.casefold() != value.casefold()):
            self.tally.find(Difference("wrong match", kind, value, resource["id"], attribute, value, held, acknowledged=False))
            raise Refused(200, "", f"{attribute} eq {value!r} was answered with somebody else: {held!r}")
        self._without_members(kind, resource)
        return resource

    def holds(self, kind: Kind, clauses: Sequence[str]) -> bool:
        """Whether a resource is there for which all clauses are true: the engine's question before it writes a reference."""
        extra = {"attributes": "id"} if kind == "User" else {"excludedAttributes": "members"}
        response = self.sender.send("check reference", "GET", f"/{kind}s", query={"filter": " and ".join(clauses), **extra})
        if response.status != 200:
            self.tally.remark(f"a reference check (two equalities joined by `and`) was answered {response.status}")
            return False
        return len(self.listed(response)) == 1

    def read(self, kind: Kind, ident: str) -> Resource | None:
        """A resource by its id; None if there is none (404)."""
        query = {"excludedAttributes": "members"} if kind == "Group" else None
        response = self.sender.send(f"read {kind.lower()}", "GET", f"/{kind}s/{ident}", query=query)
        if response.status == 404:
            return None
        must_be_ok(response)
        resource = self.json(response)
        if not isinstance(resource, dict):
            raise Refused(response.status, "", "not a resource")
        self._without_members(kind, resource)
        return resource

    def create(self, kind: Kind, body: Body) -> Resource | None:
        """The created resource, or None if it is a duplicate (409)."""
        response = self.sender.send(f"create {kind.lower()}", "POST", f"/{kind}s", body)
        if response.status == 409:
            return None
        must_be_ok(response)
        if response.status != 201:
            self.tally.remark(f"POST was answered {response.status}")
        resource = self.json(response)
        if not isinstance(resource, dict) or not isinstance(resource.get("id"), str) or not resource["id"]:
            raise Refused(response.status, "", "the created resource has no id")
        return resource

    def listed(self, response: Response) -> list[Resource]:
        """The resources of an answered query."""
        body = self.json(response)
        resources = body.get("Resources", []) if isinstance(body, dict) else None
        if not isinstance(resources, list) or not all(isinstance(resource, dict) for resource in resources):
            raise Refused(response.status, "", "not a ListResponse")
        if body.get("totalResults") != len(resources):
            self.tally.remark("totalResults of a look-up is not the number of its Resources")
        return resources

    def json(self, response: Response) -> Any:
        content_type = response.headers.get("Content-Type") or ""
        if not content_type.startswith("application/scim+json"):
            self.tally.remark(f"Content-Type of an answer is {content_type!r}")
        try:
            return response.json()
        except ValueError:
            raise Refused(response.status, "", "the body is not JSON") from None

    def _without_members(self, kind: Kind, resource: Resource) -> None:
        if kind == "Group" and resource.get("members"):
            self.tally.remark("members were sent although excluded (excludedAttributes=members)")
