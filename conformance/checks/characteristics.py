"""Attributes by what their schema says of them: mutability, returned, uniqueness, required, multiValued (RFC 7643 §2.2 and §7).

Each is tried on an attribute of that kind which the server publishes, in whatever extension.
"""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import MISSING, Answer, Document, at
from conformance.checker.evidence import Skipped, shown
from conformance.checker.probe import Made, Probe
from conformance.checker.published import Published, parts, said, sample, writable
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import USER
from conformance.checks.entra import covers
from conformance.checks.patch import unchanged
from conformance.checks.search import search
from conformance.checks.values import carries

RETURNED = "RFC 7643 §7, RFC 7644 §3.9"

# -- immutable ------------------------------------------------------------------------------------------------------

IMMUTABLE = "an immutable attribute"


def set_once(probe: Probe) -> tuple[Published, Made]:
    attribute = probe.offer.attribute(IMMUTABLE)
    user = probe.user(**attribute.of("first"))
    carries(probe.state(user), attribute, "first")
    return attribute, user


@check("immutable.put", MUST, "RFC 7644 §3.5.1", "S-7644-3.5.1-06", "S-7643-7-03", needs=[IMMUTABLE])
def immutable_put(probe: Probe) -> None:
    "An immutable attribute that has a value keeps it: a PUT with the same value succeeds, one with another is refused with 400."
    attribute, user = set_once(probe)
    carries(probe.put(user.path, probe.user_body(**attribute.of("first"))).status(200), attribute, "first")
    before = probe.state(user).document()
    probe.put(user.path, probe.user_body(**attribute.of("second"))).status(400)
    unchanged(probe, user, before)


@check("immutable.put.type", SHOULD, "RFC 7644 §3.5.1", "S-7644-3.5.1-06", needs=[IMMUTABLE])
def immutable_put_type(probe: Probe) -> None:
    "The refusal of another value for an immutable attribute has the scimType mutability."
    attribute, user = set_once(probe)
    probe.put(user.path, probe.user_body(**attribute.of("second"))).refused(400, "mutability")


@check("immutable.put.first", MUST, "RFC 7644 §3.5.1", "S-7644-3.5.1-06", needs=[IMMUTABLE])
def immutable_put_first(probe: Probe) -> None:
    "An immutable attribute that has no value yet is given one by PUT."
    attribute, user = probe.offer.attribute(IMMUTABLE), probe.user()
    came = probe.put(user.path, probe.user_body(**attribute.of("first"))).status(200)
    carries(probe.state(user, came), attribute, "first")


@check("immutable.put.omitted", MAY, "RFC 7644 §3.5.1", "S-7644-3.5.1-06", needs=[IMMUTABLE])
def immutable_put_omitted(probe: Probe) -> None:
    "A PUT that leaves an immutable attribute out leaves its value."
    attribute, user = set_once(probe)
    came = probe.put(user.path, probe.user_body()).status(200)
    carries(probe.state(user, came), attribute, "first")


@check("immutable.patch", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2-10", "S-7644-3.5.2.3-13", needs=["patch", IMMUTABLE])
def immutable_patch(probe: Probe) -> None:
    "A PATCH of an immutable attribute that has a value: the same value succeeds, another one is refused with 400 mutability."
    attribute, user = set_once(probe)
    before = probe.state(user).document()
    for op in ("add", "replace"):
        probe.patch(user.path, {"op": op, "path": attribute.path, "value": "first"}).status(200, 204)
        probe.patch(user.path, {"op": op, "path": attribute.path, "value": "second"}).refused(400, "mutability")
    unchanged(probe, user, before)


@check("immutable.patch.first", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2.1-15", needs=["patch", IMMUTABLE])
def immutable_patch_first(probe: Probe) -> None:
    "add gives an immutable attribute its first value; after that, another one is refused."
    attribute, user = probe.offer.attribute(IMMUTABLE), probe.user()
    carries(probe.patched(user, {"op": "add", "path": attribute.path, "value": "first"}), attribute, "first")
    probe.patch(user.path, {"op": "add", "path": attribute.path, "value": "second"}).refused(400, "mutability")


@check("immutable.patch.remove", MUST, "RFC 7644 §3.5.2.2", "S-7644-3.5.2.2-14", needs=["patch", IMMUTABLE])
def immutable_patch_remove(probe: Probe) -> None:
    "remove of an immutable attribute that has a value is refused with 400 mutability."
    attribute, user = set_once(probe)
    probe.patch(user.path, {"op": "remove", "path": attribute.path}).refused(400, "mutability")
    carries(probe.state(user), attribute, "first")


# -- readOnly -------------------------------------------------------------------------------------------------------

READ_ONLY = "a read-only attribute"


@check("readonly.ignored", MUST, "RFC 7644 §3.3 and §3.5.1", "S-7644-3.3-01", "S-7644-3.5.1-07", "S-7643-7-03", needs=[READ_ONLY])
def read_only_ignored(probe: Probe) -> None:
    "A readOnly attribute of an extension is ignored in a POST and a PUT, and is no error."
    attribute = probe.offer.attribute(READ_ONLY)
    forged = attribute.of(probe.name("forged"))
    answer = probe.post("/Users", probe.user_body(**forged)).status(201)
    path = f"/Users/{answer.text('id')}"
    for came in (answer, probe.put(path, probe.user_body(**forged)).status(200), probe.get(path).status(200)):
        came.expect(at(came.document(), *attribute.keys) != probe.name("forged"), f"{attribute.path} of the server's own, or none")


@check("readonly.patch", MUST, "RFC 7644 §3.5.2", "S-7644-3.5.2.1-16", "S-7644-3.5.2.3-11", needs=["patch", READ_ONLY])
def read_only_patch(probe: Probe) -> None:
    "add and replace of a readOnly attribute of an extension are refused with 400 mutability."
    attribute, user = probe.offer.attribute(READ_ONLY), probe.user()
    before = probe.state(user).document()
    for op in ("add", "replace"):
        probe.patch(user.path, {"op": op, "path": attribute.path, "value": probe.name("forged")}).refused(400, "mutability")
    unchanged(probe, user, before)


@check("readonly.required", SHOULD, "RFC 7644 §3.3", "S-7643-7-12", "S-7644-3.3-01", needs=["a required read-only attribute"])
def read_only_required(probe: Probe) -> None:
    "A readOnly attribute that is required is the server's to give: a client that has none in its POST and PUT is not refused."
    urn = probe.offer.attribute("a required read-only attribute").urn
    beside = [one for one in probe.offer.of_users() if one.urn == urn and urn and writable(one.definition)]
    values: Document = {}
    for one in beside:
        if (value := sample(one.definition, probe.name("user"))) is not None:
            values.setdefault(str(urn), {})[one.name] = value
    answer = probe.post("/Users", probe.user_body(**values)).status(201)
    probe.put(f"/Users/{answer.text('id')}", probe.user_body(**values)).status(200)


# -- returned -------------------------------------------------------------------------------------------------------


def ways_to_see(probe: Probe, user: Made, query: dict[str, str]) -> list[tuple[Answer, Document]]:
    """A user, alone, in a list and in a search, with these parameters."""
    seen = [(answer := probe.get(user.path, query).status(200), answer.document())]
    if probe.offer.supports("filter"):
        condition = f'userName eq "{user.name}"'
        answer = probe.get("/Users", {"filter": condition, **query})
        seen += [(answer, one) for one in answer.resources()]
        try:
            asked: dict[str, Any] = {name: [value] for name, value in query.items()}
            answer = search(probe, filter=condition, **asked)
        except Skipped:
            return seen
        seen += [(answer, one) for one in answer.resources()]
    return seen


ON_REQUEST = "an attribute on request"


@check("returned.request", MUST, RETURNED, "S-7643-7-04", "S-7644-3.4-01", "S-7644-3.9-01", needs=[ON_REQUEST])
def on_request(probe: Probe) -> None:
    "An attribute that is returned on request comes if attributes names it, and not else: alone, in a list, in a search."
    attribute = probe.offer.attribute(ON_REQUEST)
    user = probe.user(**attribute.of("noted"))
    for answer, one in ways_to_see(probe, user, {}):
        answer.expect(at(one, *attribute.keys) is MISSING, f"no {attribute.path}, which is returned on request")
    for answer, one in ways_to_see(probe, user, {"attributes": attribute.path}):
        answer.expect(at(one, *attribute.keys) == "noted", f"{attribute.path}, which was asked for")


@check("returned.request.written", MUST, "RFC 7643 §7", "S-7643-7-04", needs=[ON_REQUEST])
def on_request_written(probe: Probe) -> None:
    "The answer to a write that sets an attribute which is returned on request shows it."
    attribute = probe.offer.attribute(ON_REQUEST)
    user = probe.user(**attribute.of("one"))
    carries(user.answer, attribute, "one")
    carries(probe.put(user.path, probe.user_body(**attribute.of("two"))).status(200), attribute, "two")
    if probe.offer.supports("patch"):
        answer = probe.patch(user.path, {"op": "replace", "path": attribute.path, "value": "three"}).status(200, 204)
        if answer.code == 200:
            carries(answer, attribute, "three")


ALWAYS = "an attribute returned always"


@check("returned.always", MUST, RETURNED, "S-7643-7-04", "S-7644-3.9-01", "S-7644-3.9-02", needs=[ALWAYS])
def always(probe: Probe) -> None:
    "An attribute that is always returned comes whatever attributes and excludedAttributes say."
    attribute = probe.offer.attribute(ALWAYS)
    user = probe.user(**attribute.of("marked"))
    for query in ({"attributes": "userName"}, {"excludedAttributes": attribute.path}):
        for answer, one in ways_to_see(probe, user, query):
            answer.expect(at(one, *attribute.keys) == "marked", f"{attribute.path}, which is always returned")


NEVER = "an attribute returned never"


@check("returned.never", MUST, RETURNED, "S-7643-7-04", "S-7644-3.9-07", needs=[NEVER])
def never(probe: Probe) -> None:
    "An attribute that is never returned comes in no answer: not of a write, and not if it is asked for."
    attribute = probe.offer.attribute(NEVER)
    secret = probe.name("hidden")
    user = probe.user(**attribute.of(secret))
    answers = [user.answer, probe.put(user.path, probe.user_body(**attribute.of(secret))).status(200)]
    if probe.offer.supports("patch"):
        answers.append(probe.patch(user.path, {"op": "replace", "path": attribute.path, "value": secret}).status(200, 204))
    answers += [answer for query in ({}, {"attributes": attribute.path}) for answer, _ in ways_to_see(probe, user, query)]
    for answer in answers:
        answer.expect(secret not in answer.response.text, f"an answer without {attribute.path}")


# -- uniqueness, several values, required ---------------------------------------------------------------------------

UNIQUE = "a unique attribute"


@check("unique.taken", MUST, "RFC 7643 §7, RFC 7644 §3.3", "S-7643-7-06", "S-7644-3.3-07", "S-7643-7-07", needs=[UNIQUE])
def unique_taken(probe: Probe) -> None:
    "A value that must be unique and is taken is refused with 409 uniqueness: by POST, PUT and PATCH; the user is as before."
    attribute, value = probe.offer.attribute(UNIQUE), probe.name("mine")
    probe.user("first", **attribute.of(value))
    probe.post("/Users", probe.user_body("second", **attribute.of(value))).refused(409, "uniqueness")
    user = probe.user(**attribute.of(probe.name("another")))
    before = probe.state(user).document()
    probe.put(user.path, probe.user_body(**attribute.of(value))).refused(409, "uniqueness")
    if probe.offer.supports("patch"):
        probe.patch(user.path, {"op": "replace", "path": attribute.path, "value": value}).refused(409, "uniqueness")
    unchanged(probe, user, before)


@check("unique.free", SHOULD, "RFC 7644 §3.6", "S-7644-3.6-04", needs=[UNIQUE])
def unique_free(probe: Probe) -> None:
    "A unique value is free again when its user is deleted."
    attribute, value = probe.offer.attribute(UNIQUE), probe.name("mine")
    probe.delete(probe.user("first", **attribute.of(value)).path).status(204)
    probe.post("/Users", probe.user_body("second", **attribute.of(value))).status(201)


TEXTS = "several texts"


@check("several.kept", MUST, "RFC 7643 §2.4", "S-7644-3.5.2.1-08", "S-7643-2.5-01", needs=[TEXTS])
def several_kept(probe: Probe) -> None:
    "A simple attribute of several values is an array of them: kept, appended to, replaced, emptied."
    attribute = probe.offer.attribute(TEXTS)

    def holds(answer: Answer, *values: str) -> None:
        came = at(answer.document(), *attribute.keys)
        answer.expect(isinstance(came, list) and sorted(map(str, came)) == sorted(values), shown(values), shown(came))

    user = probe.user(**attribute.of(["one", "two"]))
    holds(probe.state(user), "one", "two")
    if probe.offer.supports("patch"):
        holds(probe.patched(user, {"op": "add", "path": attribute.path, "value": ["three"]}), "one", "two", "three")
        holds(probe.patched(user, {"op": "replace", "path": attribute.path, "value": ["four"]}), "four")
    came = probe.put(user.path, probe.user_body(**attribute.of([]))).status(200)
    probe.state(user, came).lacks(*attribute.keys)


@check("several.filter", MUST, "RFC 7644 §3.4.2.2", "S-7644-3.4.2.2-25", needs=["filter", TEXTS])
def several_filter(probe: Probe) -> None:
    "A simple attribute of several values is found by any of them."
    attribute = probe.offer.attribute(TEXTS)
    ann, bob = probe.user("ann", **attribute.of(["one", "two"])), probe.user("bob", **attribute.of(["two"]))
    probe.finds(probe.mine(f'{attribute.path} eq "one"'), [ann], [ann, bob])
    probe.finds(probe.mine(f'{attribute.path} eq "two"'), [ann, bob], [ann, bob])


@check("several.value-path", MAY, "RFC 7644 §3.4.2.2", "S-7644-3.4.2.2-17", needs=["filter", TEXTS])
def several_value_path(probe: Probe) -> None:
    "Within [ ] value names the element of a simple attribute of several values."
    attribute = probe.offer.attribute(TEXTS)
    ann, bob = probe.user("ann", **attribute.of(["one", "two"])), probe.user("bob", **attribute.of(["two"]))
    probe.finds(probe.mine(f'{attribute.path}[value eq "one"]'), [ann], [ann, bob])


PART = "a part of several texts"


@check("several.part", MUST, "RFC 7643 §1.2", "S-7643-1.2-02", needs=[PART])
def several_part(probe: Probe) -> None:
    "A sub-attribute may have several values: they are kept and come back as an array."
    attribute = probe.offer.attribute(PART)
    names = [part["name"] for part in parts(attribute.definition) if said(part, "multiValued") is True and writable(part)]
    value = sample(attribute.definition, probe.tag)
    (value[0] if isinstance(value, list) else value)[names[0]] = ["one", "two"]
    now = probe.state(probe.user(**attribute.of(value)))
    within = (0,) if isinstance(value, list) else ()
    now.expect(sorted(map(str, now.value(*attribute.keys, *within, names[0]))) == ["one", "two"], f"{names[0]} with both values")


REQUIRED_PART = "a required part"


@check("required.part", SHOULD, "RFC 7643 §2.2", "S-7643-7-11", needs=[REQUIRED_PART])
def required_part(probe: Probe) -> None:
    "Where an attribute has a value, its required sub-attributes have one: without them it is refused with 400."
    attribute = probe.offer.attribute(REQUIRED_PART)
    value = sample(attribute.definition, probe.tag)
    probe.user("whole", **attribute.of(value))
    one = dict(value[0] if isinstance(value, list) else value)
    for part in parts(attribute.definition):
        if said(part, "required") is True:
            one.pop(part["name"], None)
    if not one:
        raise Skipped(f"{attribute.path} has nothing but what is required")
    probe.post("/Users", probe.user_body("part", **attribute.of([one] if isinstance(value, list) else one))).status(400)


@check("required.extension", MUST, "RFC 7643 §6", "S-7643-6-02", needs=["a required extension"])
def required_extension(probe: Probe) -> None:
    "A user without an extension that is required is refused with 400, by POST and by PUT; with it, it is made."
    urn = probe.offer.required_extensions()[0]
    user = probe.user()
    before = probe.state(user).document()
    bare: dict[str, Any] = {name: value for name, value in probe.user_body("bare").items() if name != urn}
    probe.post("/Users", bare | {"schemas": [one for one in bare["schemas"] if one != urn]}).status(400)
    bare = {name: value for name, value in probe.user_body().items() if name != urn}
    probe.put(user.path, bare | {"schemas": [one for one in bare["schemas"] if one != urn]}).status(400)
    unchanged(probe, user, before)


@check("required.extension.remove", SHOULD, "RFC 7643 §6", "S-7643-6-02", "S-7644-3.5.2.2-13", needs=["patch", "a required extension"])
def required_extension_remove(probe: Probe) -> None:
    "An extension that is required cannot be removed: 400."
    user = probe.user()
    probe.patch(user.path, {"op": "remove", "path": probe.offer.required_extensions()[0]}).status(400)


@check("published.everything", SHOULD, "RFC 7643 §7", "S-7643-7-17")
def everything(probe: Probe) -> None:
    "What the schemas publish is what is kept: a user with a value for every attribute that can be written is made, and shows them all."
    values: Document = {}
    for one in probe.offer.of_users():
        value = sample(one.definition, probe.name("all")) if writable(one.definition) else None
        if value is not None and one.keys != ("userName",):
            values.setdefault(one.urn, {}).update({one.name: value}) if one.urn else values.update({one.name: value})
    if not values:
        raise Skipped(f"no schema of users is published ({USER})")
    answer = probe.post("/Users", probe.user_body("all", **values)).status(201)
    seen = probe.get(f"/Users/{answer.text('id')}").status(200)
    for name, value in values.items():
        for part, inner in value.items() if ":" in name else [(None, value)]:
            came = at(seen.document(), name) if part is None else at(seen.document(), name, part)
            seen.expect(covers(came, inner), f"{part or name} = {shown(inner)}", f"{part or name} = {shown(came)}")
