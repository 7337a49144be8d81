"""What can be wrong with a server, in pieces: each a fault for `tampered`, used by the tables of `test_checks_against_faults`."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.conformance.tampered import Ask, Came, Fault, Sent, each, hearing, refusal, saying
from tests.http.acme import ACME

Document = dict[str, Any]
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
NOBODY = {"schemas": [LIST], "totalResults": 0, "Resources": []}


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def when(condition: Callable[[Sent], bool], fault: Fault) -> Fault:
    """The fault for these requests only."""
    return lambda sent, ask: fault(sent, ask) if condition(sent) else ask(sent)


def asks(*words: str) -> Callable[[Sent], bool]:
    """That the filter has these words in it."""
    return lambda sent: all(word in (sent.parameter("filter") or "") for word in words)


def says(*words: str) -> Callable[[Sent], bool]:
    """That the body has these words in it, as text."""
    return lambda sent: all(word in sent.raw.decode("utf-8", "replace") for word in words)


def is_root(sent: Sent) -> bool:
    return sent.endpoint in ("/", "/.search")


def finds_nobody(sent: Sent, ask: Ask) -> Came:
    return Came(200, NOBODY)


def does_nothing(sent: Sent, ask: Ask) -> Came:
    """A PATCH is said to be done, and is not."""
    return Came(204) if sent.method == "PATCH" else ask(sent)


def fails(sent: Sent, ask: Ask) -> Came:
    """What should be refused is a failure of the server's own."""
    came = ask(sent)
    return refusal(500) if came.status == 400 else came


def hides(*names: str) -> Fault:
    """Resources are shown without these attributes."""
    return both_kinds(lambda one: without(one, *names))


def hides_own(*names: str) -> Fault:
    """Users are shown without these attributes of their extension."""
    return both_kinds(lambda one: one | {ACME: without(one[ACME], *names)} if ACME in one else one)


def shows_own(**values: Any) -> Fault:
    """Users are shown with these values in their extension."""
    return both_kinds(lambda one: one | {ACME: one.get(ACME, {}) | values})


def both_kinds(change: Callable[[Document], Document]) -> Fault:
    return each(change, start="/")


def echoes(sent: Sent, ask: Ask) -> Came:
    """What was sent comes back beside what should."""
    came = ask(sent)
    return came.saying(came.body | {"echo": sent.body}) if sent.raw and isinstance(came.body, dict) else came


def twice(sent: Sent) -> bool:
    """That an object of the body has a name twice."""

    def look(pairs: list[tuple[str, Any]]) -> Document:
        found.append(len({name for name, _ in pairs}) < len(pairs))
        return dict(pairs)

    found: list[bool] = []
    try:
        json.loads(sent.raw, object_pairs_hook=look)
    except ValueError:
        return False
    return any(found)


# -- discovery ------------------------------------------------------------------------------------------------------


def defines(name: str, **changes: Any) -> Fault:
    """The User schema says something else of an attribute (name, or name.sub); of an attribute that it lacks, too."""
    outer, _, inner = name.partition(".")

    def change(body: Any) -> Any:
        for schema in body.get("Resources", []):
            if str(schema.get("id")).endswith(":core:2.0:User"):
                found = next((one for one in schema["attributes"] if one["name"] == outer), None)
                if found is None:
                    schema["attributes"].append(found := {"name": outer})
                if inner:
                    found = next(one for one in found["subAttributes"] if one["name"] == inner)
                found |= changes
        return body

    return saying(change, start="/Schemas")


def configured(**pagination: Any) -> Fault:
    """The ServiceProviderConfig says something else of paging; None: not at all."""

    def change(body: Any) -> Any:
        said = body.get("pagination", {}) | pagination
        return body | {"pagination": {name: value for name, value in said.items() if value is not None}}

    return saying(change, start="/ServiceProviderConfig")


DEVICE = "urn:example:Device"


class Devices:
    """Another resource type beside those that there are."""

    def __init__(self) -> None:
        self.made: dict[str, Document] = {}

    def __call__(self, sent: Sent, ask: Ask) -> Came:
        if sent.endpoint.startswith("/Devices"):
            return self.serve(sent)
        came = ask(sent)
        kind = {"schemas": ["urn:x"], "name": "Device", "endpoint": "/Devices", "schema": DEVICE}
        schema = {"schemas": ["urn:x"], "id": DEVICE, "name": "Device", "attributes": [{"name": "serial", "type": "string"}]}
        more = {"/ResourceTypes": kind, "/Schemas": schema}.get(sent.endpoint)
        if more is None:
            return came
        listed = [*came.body["Resources"], more]
        return came.saying(came.body | {"Resources": listed, "totalResults": len(listed)})

    def serve(self, sent: Sent) -> Came:
        id = sent.endpoint.removeprefix("/Devices").strip("/")
        if sent.method == "POST":
            id = uuid.uuid4().hex
            self.made[id] = {**sent.body, "id": id, "meta": {"resourceType": "Device"}}
            return Came(201, self.made[id])
        if id not in self.made:
            return refusal(404)
        return Came(204, headers={}) if sent.method == "DELETE" and self.made.pop(id) else Came(200, self.made[id])


# -- addresses ------------------------------------------------------------------------------------------------------


def versions(*written: str) -> Fault:
    """These stand for /v2 in an address as well."""

    def fault(sent: Sent, ask: Ask) -> Came:
        for one in written:
            if sent.path.startswith(f"/scim{one}/Users"):
                return ask(replace(sent, path=sent.path.replace(f"/scim{one}/", "/scim/v2/", 1)))
        return ask(sent)

    return fault


def suffixes(sent: Sent, ask: Ask) -> Came:
    return ask(replace(sent, path=sent.path.removesuffix(".scim")))


def visits(sent: Sent, ask: Ask) -> Came:
    """A photo is fetched."""
    for photo in (sent.body or {}).get("photos", []) if sent.method == "POST" else []:
        where = urlsplit(photo["value"])
        socket.create_connection((where.hostname, where.port), timeout=5).close()
    return ask(sent)


# -- PUT and PATCH --------------------------------------------------------------------------------------------------


def half_done(sent: Sent, ask: Ask) -> Came:
    """A PUT that is refused for its members has changed the name all the same."""
    came = ask(sent)
    if sent.method == "PUT" and came.status == 400:
        ask(sent.saying(without(sent.body, "members")))
    return came


def promotes(one: Document) -> Document:
    return one | {"emails": [one["emails"][0] | {"primary": True}, *one["emails"][1:]]} if one.get("emails") else one


def by_the_order(body: Any) -> Any:
    """A PUT whose schemas do not come first is read without the name."""
    return without(body, "name") if isinstance(body, dict) and next(iter(body)) != "schemas" else body


# -- bulk -----------------------------------------------------------------------------------------------------------


def in_bulk(change: Callable[[Document], Document | None]) -> Fault:
    """Operations are understood otherwise than they were sent; None: not seen."""

    def heard(body: Any) -> Any:
        if not isinstance(body, dict) or not isinstance(body.get("Operations"), list):
            return body
        changed = [change(one) if isinstance(one, dict) else one for one in body["Operations"]]
        return body | {"Operations": [one for one in changed if one is not None]}

    return hearing(heard, start="/Bulk")


def told_of_bulk(change: Callable[[list[Document]], list[Document]]) -> Fault:
    """Something else is told of the operations than should be."""
    return saying(lambda body: body | {"Operations": change(body["Operations"])} if "Operations" in body else body, start="/Bulk")


def all_well(operations: list[Document]) -> list[Document]:
    return [without(one, "response") | {"status": "200"} if one["status"] >= "400" else one for one in operations]


def literally(operation: Document) -> Document:
    """References are taken for ids."""
    changed: Document = json.loads(json.dumps(operation).replace("bulkId:", "bulkid-"))
    return changed


def without_members(operation: Document) -> Document:
    return operation | {"data": without(operation["data"], "members")} if "data" in operation else operation


def forgives_the_wrong(operation: Document) -> Document:
    """Of the operations of a PATCH those that are wrong are passed over."""
    data = operation.get("data", {})
    if operation.get("method") != "PATCH":
        return operation
    return operation | {"data": data | {"Operations": [one for one in data["Operations"] if one["path"] != "emails["]}}


# -- paging ---------------------------------------------------------------------------------------------------------


def page_of(sent: Sent) -> bool:
    return sent.parameter("cursor") is not None


def later_page(sent: Sent) -> bool:
    return bool(sent.parameter("cursor"))


def loses_one(body: Any) -> Any:
    return body | {"Resources": body["Resources"][1:]} if "Resources" in body else body


def one_more_page(sent: Sent, ask: Ask) -> Came:
    """A walk ends with an empty page, as if it had not been known that there are no more."""
    if sent.parameter("cursor") == "end":
        return Came(200, NOBODY)
    came = ask(sent)
    last = page_of(sent) and came.status == 200 and "nextCursor" not in came.body
    return came.saying(came.body | {"nextCursor": "end"}) if last else came


def padded(sent: Sent, ask: Ask) -> Came:
    """A cursor has characters in it that have to be encoded."""
    cursor = sent.parameter("cursor")
    if cursor:
        sent = replace(sent, query=tuple((name, value.rstrip("=") if name == "cursor" else value) for name, value in sent.query))
    came = ask(sent)
    return came.saying(came.body | {"nextCursor": came.body["nextCursor"] + "=="}) if "nextCursor" in (came.body or {}) else came


def credulous(sent: Sent, ask: Ask) -> Came:
    """A cursor that is none asks for the first page."""
    came = ask(sent)
    return Came(200, NOBODY) if later_page(sent) and came.status == 400 else came


def by_number(sent: Sent, ask: Ask) -> Came:
    """A cursor is a place counted from the start, whatever has come or gone before it."""
    cursor = sent.parameter("cursor")
    if cursor is None or sent.endpoint != "/Users" or sent.method != "GET":
        return ask(sent)
    start = int(cursor or 1)
    came = ask(replace(sent, query=(*sent.without("cursor").query, ("startIndex", str(start)))))
    following = start + len(came.body["Resources"])
    return came.saying(came.body | ({"nextCursor": str(following)} if following <= came.body["totalResults"] else {}))


def going_back(sent: Sent, ask: Ask) -> Came:
    """previousCursor leads to the first page, wherever it is found."""
    came = ask(sent)
    return came.saying(came.body | {"previousCursor": ""}) if later_page(sent) and came.status == 200 else came


class Once:
    """A cursor holds for one request, or for this long (seconds)."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.given: dict[str, float] = {}
        self.used: set[str] = set()

    def __call__(self, sent: Sent, ask: Ask) -> Came:
        cursor = sent.parameter("cursor")
        if cursor:
            late = self.seconds is not None and time.monotonic() - self.given.get(cursor, 0) > self.seconds
            if late or (self.seconds is None and cursor in self.used):
                return refusal(400, "expiredCursor")
            self.used.add(cursor)
        came = ask(sent)
        if "nextCursor" in (came.body or {}):
            self.given[came.body["nextCursor"]] = time.monotonic()
        return came


# -- versions -------------------------------------------------------------------------------------------------------


def for_status(status: int, fault: Fault) -> Fault:
    """The fault for answers of this status only."""

    def chosen(sent: Sent, ask: Ask) -> Came:
        came = ask(sent)
        return fault(sent, lambda _: came) if came.status == status else came

    return chosen


def for_methods(*methods: str) -> Callable[[Sent], bool]:
    return lambda sent: sent.method in methods


# -- tenants, and /Me -----------------------------------------------------------------------------------------------


class Tenants:
    """How a server with tenants mixes them up: what the other's token is taken for."""

    def __init__(self, first: str, other: str) -> None:
        self.first, self.other = first, other

    def is_other(self, sent: Sent) -> bool:
        return sent.headers.get("Authorization") == f"Bearer {self.other}"

    def as_first(self, sent: Sent) -> Sent:
        return replace(sent, headers=sent.headers | {"Authorization": f"Bearer {self.first}"})

    def none(self, sent: Sent, ask: Ask) -> Came:
        """There are no tenants at all."""
        return ask(self.as_first(sent) if self.is_other(sent) else sent)

    def talkative(self, sent: Sent, ask: Ask) -> Came:
        """What is another tenant's is refused, and is told to be another tenant's."""
        came = ask(sent)
        if self.is_other(sent) and came.status in (400, 404) and sent.method == "GET" and ask(self.as_first(sent)).status == 200:
            return came.saying(came.body | {"detail": "That is another tenant's."})
        return came


def somebody(user_id: str) -> Fault:
    """Whoever asks is this user at /Me."""

    def fault(sent: Sent, ask: Ask) -> Came:
        if sent.endpoint != "/Me" or sent.method == "POST":
            return ask(sent)
        return ask(replace(sent, path=sent.path.replace("/Me", f"/Users/{user_id}")))

    return fault


def redirects(user_id: str, where: str | None = None) -> Fault:
    """/Me is somewhere else."""

    def fault(sent: Sent, ask: Ask) -> Came:
        location = f"http://127.0.0.1{sent.path.replace('/Me', where or f'/Users/{user_id}')}"
        return Came(308, headers={"Location": location}) if sent.endpoint == "/Me" else ask(sent)

    return fault


def called_me(sent: Sent, ask: Ask) -> Came:
    """What is said of /Me has /Me for its address."""
    came = ask(sent)
    if sent.endpoint != "/Me" or came.status != 200:
        return came
    body = came.body | {"meta": came.body["meta"] | {"location": f"http://127.0.0.1{sent.path}"}}
    return replace(came.saying(body), headers=came.headers | {"Location": f"http://127.0.0.1{sent.path}"})


def self_registering(sent: Sent, ask: Ask) -> Came:
    made = sent.endpoint == "/Me" and sent.method == "POST"
    return ask(replace(sent, path=sent.path.replace("/Me", "/Users")) if made else sent)


def open_to_all(sent: Sent, ask: Ask) -> Came:
    return Came(200, {}) if sent.endpoint == "/Me" else ask(sent)
