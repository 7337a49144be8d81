"""attributes and excludedAttributes (RFC 7644 §3.4.2.5 and §3.9)."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import Answer
from conformance.checker.probe import Made, Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE, USER

CLAUSE = "RFC 7644 §3.9"


def full(probe: Probe) -> Made:
    attributes: dict[str, Any] = {"title": "Pilot", "nickName": "Ada", "name": {"givenName": "Ada", "familyName": "Byron"}}
    if probe.offer.lack("enterprise") is None:
        attributes[ENTERPRISE] = {"department": "Ops", "employeeNumber": "9"}
    return probe.user(**attributes)


def only(answer: Answer, *names: str) -> Answer:
    """That a resource has no other top-level members than these, id and schemas."""
    extra = sorted(set(answer.status(200, 201).document()) - {"id", "schemas", *names})
    return answer.expect(not extra, "only " + ", ".join(("id", "schemas", *names)), "also " + ", ".join(extra))


@check("projection.attributes", MUST, CLAUSE, "S-7644-3.4.2.5-01", "S-7644-3.9-01")
def attributes(probe: Probe) -> None:
    "attributes=userName gives userName and what is always returned, nothing else."
    user = full(probe)
    only(probe.get(user.path, {"attributes": "userName"}), "userName").has(user.name, "userName").has(user.id, "id")


@check("projection.attributes.schemas", SHOULD, CLAUSE, "S-7644-3.9-09")
def attributes_schemas(probe: Probe) -> None:
    "schemas comes whatever attributes says: clients need it to read the rest."
    probe.get(full(probe).path, {"attributes": "userName"}).status(200).value("schemas")


@check("projection.attributes.several", MUST, CLAUSE, "S-7644-3.9-03", "S-7644-3.9-05", needs=["User.name", "User.title"])
def attributes_several(probe: Probe) -> None:
    "attributes takes a list with commas, sub-attributes and any case; of a parent only the named sub-attribute comes."
    user = full(probe)
    answer = only(probe.get(user.path, {"attributes": "TITLE,name.givenName"}), "title", "name")
    answer.has("Pilot", "title").has({"givenName": "Ada"}, "name")


@check(
    "projection.attributes.urn",
    MUST,
    "RFC 7644 §3.10",
    "S-7644-3.10-01",
    "S-7644-3.9-03",
    needs=["User.title", "enterprise", "enterprise.department"],
)
def attributes_urn(probe: Probe) -> None:
    "attributes takes names with their schema's URN, of the core and of an extension."
    user = full(probe)
    answer = only(probe.get(user.path, {"attributes": f"{USER}:title,{ENTERPRISE}:department"}), "title", ENTERPRISE)
    answer.has("Pilot", "title").has({"department": "Ops"}, ENTERPRISE)


@check("projection.attributes.extension", SHOULD, CLAUSE, "S-7644-3.9-08", needs=["enterprise", "enterprise.department"])
def attributes_extension(probe: Probe) -> None:
    "The URN of an extension stands for the whole of it, in attributes and in excludedAttributes."
    user = full(probe)
    only(probe.get(user.path, {"attributes": ENTERPRISE}), ENTERPRISE).has({"department": "Ops", "employeeNumber": "9"}, ENTERPRISE)
    probe.get(user.path, {"excludedAttributes": ENTERPRISE}).status(200).lacks(ENTERPRISE)


@check("projection.attributes.unknown", SHOULD, CLAUSE, "S-7644-3.9-07")
def attributes_unknown(probe: Probe) -> None:
    "A name that no schema has is ignored."
    user = full(probe)
    only(probe.get(user.path, {"attributes": "userName,shoeSize"}), "userName").has(user.name, "userName")
    probe.get(user.path, {"excludedAttributes": "shoeSize"}).status(200).has(user.name, "userName")


@check("projection.excluded", MUST, CLAUSE, "S-7644-3.9-02", needs=["User.title", "User.name"])
def excluded(probe: Probe) -> None:
    "excludedAttributes leaves out what it names, whole or in part, and nothing else."
    user = full(probe)
    answer = probe.get(user.path, {"excludedAttributes": "title,name.familyName"}).status(200)
    answer.lacks("title").has({"givenName": "Ada"}, "name").has(user.name, "userName").value("meta")


@check("projection.excluded.always", MUST, "RFC 7643 §3.1, RFC 7644 §3.9", "S-7643-3.1-04", "S-7643-7-04")
def excluded_always(probe: Probe) -> None:
    "excludedAttributes=id leaves the id where it is: it is always returned."
    user = full(probe)
    probe.get(user.path, {"excludedAttributes": "id,userName"}).status(200).has(user.id, "id").lacks("userName")


@check("projection.list", MUST, "RFC 7644 §3.4.2.5", "S-7644-3.4.2.5-01", needs=["filter", "User.title"])
def in_list(probe: Probe) -> None:
    "attributes and excludedAttributes hold for the resources of a list."
    user = full(probe)
    answer = probe.find(f'userName eq "{user.name}"', attributes="title")
    answer.expect(
        [set(one) - {"schemas"} for one in answer.resources()] == [{"id", "title"}], "one resource with only id, schemas and title"
    )
    answer = probe.find(f'userName eq "{user.name}"', excludedAttributes="title")
    answer.has(user.name, "Resources", 0, "userName").lacks("Resources", 0, "title")


@check("projection.post", MUST, CLAUSE, "S-7644-3.4.2.5-01", "S-7644-3.3-05")
def in_post(probe: Probe) -> None:
    "attributes holds for the answer of a POST."
    answer = probe.post("/Users", probe.user_body(title="Pilot"), {"attributes": "userName"}).status(201)
    only(answer, "userName").text("id")


@check("projection.put", MUST, CLAUSE, "S-7644-3.4.2.5-01")
def in_put(probe: Probe) -> None:
    "attributes holds for the answer of a PUT."
    user = full(probe)
    only(probe.put(user.path, probe.user_body(title="Captain"), {"attributes": "userName"}).status(200), "userName").has(user.id, "id")


@check("projection.patch", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2-19", "S-7644-3.4.2.5-01", needs=["patch", "User.title"])
def in_patch(probe: Probe) -> None:
    "A PATCH with attributes answers 200 with those attributes."
    user = full(probe)
    answer = probe.patch(user.path, {"op": "replace", "path": "title", "value": "Captain"}, query={"attributes": "title"}).status(200)
    only(answer, "title").has("Captain", "title")


@check("projection.both", MAY, CLAUSE, "S-7644-3.9-04")
def both(probe: Probe) -> None:
    "attributes and excludedAttributes together are refused with 400."
    probe.get(full(probe).path, {"attributes": "userName", "excludedAttributes": "title"}).refused(400)


@check("projection.of-external-id", MUST, "RFC 7643 §3.1", "S-7643-3-04")
def of_external_id(probe: Probe) -> None:
    "Common attributes can be asked for like others: attributes=externalId, attributes=meta.location."
    user = probe.user(externalId=probe.name("ext"))
    only(probe.get(user.path, {"attributes": "externalId"}), "externalId").has(probe.name("ext"), "externalId")
    answer = only(probe.get(user.path, {"attributes": "meta.location"}), "meta")
    answer.expect(set(answer.value("meta")) == {"location"}, "meta with only location")


@check("projection.meta", SHOULD, CLAUSE, "S-7644-3.9-06", "S-7644-3.9-05")
def meta(probe: Probe) -> None:
    "attributes=meta gives all of meta, attributes=meta.created only that; excludedAttributes=meta none of it."
    user = full(probe)
    whole = probe.get(user.path).status(200).value("meta")
    only(probe.get(user.path, {"attributes": "meta"}), "meta").has(whole, "meta")
    only(probe.get(user.path, {"attributes": "meta.created"}), "meta").has({"created": whole["created"]}, "meta")
    probe.get(user.path, {"excludedAttributes": "meta"}).status(200).lacks("meta")


@check("projection.condition", MAY, CLAUSE, "S-7644-3.9-11", needs=["User.emails"])
def condition(probe: Probe) -> None:
    "attributes names attributes, no conditions: emails[…] is refused with 400."
    probe.get(full(probe).path, {"attributes": 'emails[type eq "work"]'}).refused(400)


@check("projection.writes.excluded", MUST, CLAUSE, "S-7644-3.4.2.5-01", "S-7644-3.9-02", needs=["User.title"])
def writes_excluded(probe: Probe) -> None:
    "excludedAttributes holds for the answers of POST and PUT."
    query = {"excludedAttributes": "title"}
    answer = probe.post("/Users", probe.user_body(title="Pilot"), query).status(201).has(probe.name("user"), "userName").lacks("title")
    path = f"/Users/{answer.text('id')}"
    probe.put(path, probe.user_body(title="Captain"), query).status(200).has(probe.name("user"), "userName").lacks("title")


@check("projection.blanks", MAY, CLAUSE, "S-7644-3.9-03", needs=["User.title"])
def blanks(probe: Probe) -> None:
    "Blanks around the commas of attributes make no difference."
    only(probe.get(full(probe).path, {"attributes": " title , userName "}), "title", "userName").has("Pilot", "title")


@check("projection.groups", MUST, CLAUSE, "S-7644-3.4.2.5-01", "S-7644-3.9-01", needs=["groups"])
def of_groups(probe: Probe) -> None:
    "attributes holds for groups as for users, on what is written too."
    group = probe.group(members=[probe.user("ann")])
    only(probe.get(group.path, {"attributes": "displayName"}), "displayName").has(group.name, "displayName")
    only(probe.get(group.path, {"attributes": "members.value"}), "members")
    only(probe.put(group.path, probe.group_body("renamed"), {"attributes": "displayName"}).status(200), "displayName")
