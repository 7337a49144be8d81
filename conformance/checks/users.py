"""Creating and reading users (RFC 7644 §3.3 and §3.4.1, RFC 7643 §3 and §4.1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conformance.checker.answer import MISSING
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE, GROUP, USER
from conformance.checks.discovery import nulls

# -- what a create answers ------------------------------------------------------------------------------------------


@check("users.create.status", MUST, "RFC 7644 §3.3", "S-7644-3.3-04")
def create_status(probe: Probe) -> None:
    "Creating a user answers 201."
    probe.post("/Users", probe.user_body()).status(201)


@check("users.create.location", MUST, "RFC 7644 §3.3, RFC 7643 §3.1", "S-7644-3.3-06", "S-7643-3.1-10", "S-7644-1.3-01")
def create_location(probe: Probe) -> None:
    "The Location of a 201 is absolute, equals meta.location, and a GET on it gives the user."
    user = probe.user()
    location = user.answer.header("Location")
    user.answer.expect(
        location is not None and location.startswith(("http://", "https://")), "an absolute Location header", f"Location: {location}"
    )
    user.answer.has(location, "meta", "location")
    path = probe.wire.below(str(location))
    user.answer.expect(path is not None, f"a Location below {probe.wire.base_url}", f"Location: {location}")
    probe.get(str(path)).status(200).has(user.id, "id")


@check("users.create.body", SHOULD, "RFC 7644 §3.3", "S-7644-3.3-05", "S-7644-3.1-02")
def create_body(probe: Probe) -> None:
    "The body of a 201 is the user as a GET gives it."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"}, externalId=probe.name("ext"))
    answer = probe.get(user.path).status(200)
    answer.expect(answer.document() == user.document, "the document that the POST answered")


@check("users.create.id", MUST, "RFC 7643 §3.1", "S-7643-3.1-01", "S-7643-3.1-02", "S-7643-3.1-03", "S-7644-3.3-01")
def create_id(probe: Probe) -> None:
    "The server gives the id: an id in the body is not used, and no id contains bulkId."
    wish = probe.name("wish")
    answer = probe.post("/Users", probe.user_body() | {"id": wish}).status(201)
    answer.expect(answer.text("id") != wish, "an id of the server's own").expect("bulkId" not in answer.text("id"), "an id without bulkId")


@check("users.create.meta", MUST, "RFC 7643 §3.1", "S-7643-3.1-08", "S-7643-3.1-09", "S-7644-3.3.1-01")
def create_meta(probe: Probe) -> None:
    "A new user has meta.resourceType User, created, lastModified equal to created, and location."
    answer = probe.user().answer.has("User", "meta", "resourceType")
    answer.text("meta", "location")
    answer.has(answer.text("meta", "created"), "meta", "lastModified")


@check("users.create.meta.forged", MUST, "RFC 7643 §3.1", "S-7643-3.1-07", "S-7644-3.3-01")
def create_meta_forged(probe: Probe) -> None:
    "meta in the body is ignored."
    forged = {
        "resourceType": "Group",
        "created": "2001-01-01T00:00:00Z",
        "lastModified": "2001-01-01T00:00:00Z",
        "location": "https://x.example/1",
    }
    answer = probe.post("/Users", probe.user_body() | {"meta": forged}).status(201).has("User", "meta", "resourceType")
    for name in ("created", "lastModified", "location"):
        answer.expect(answer.text("meta", name) != forged[name], f"meta.{name} of the server's own")


@check(
    "users.create.read-only",
    MUST,
    "RFC 7644 §3.3, RFC 7643 §4.1.2",
    "S-7644-3.3-01",
    "S-7643-4.1.2-05",
    "S-7643-2-01",
    needs=["User.groups"],
)
def create_read_only(probe: Probe) -> None:
    "groups in the body is ignored, not an error."
    body = probe.user_body() | {"groups": [{"value": probe.name("no-such-group"), "display": "Admins"}]}
    probe.post("/Users", body).status(201).lacks("groups")


@check("users.create.schemas", MUST, "RFC 7643 §3", "S-7643-2.1-01", "S-7643-3.3-01", "S-7643-3-01")
def create_schemas(probe: Probe) -> None:
    "A user comes back with schemas: an array without repetition that contains the User URN."
    answer = probe.user().answer
    schemas = answer.value("schemas")
    answer.expect(
        isinstance(schemas, list) and USER in schemas and len(set(schemas)) == len(schemas), f"schemas with {USER}, nothing twice"
    )


@check("users.create.nothing-null", MAY, "RFC 7643 §2.5", "S-7643-2.5-02")
def create_nothing_null(probe: Probe) -> None:
    "Attributes without a value are left out of a user, not sent as null."
    answer = probe.user().answer
    answer.expect(not nulls(answer.document()), "no null", ", ".join(nulls(answer.document())))


@check("users.create.active", MAY, "RFC 7644 §3.3", "S-7644-3.3-02", needs=["User.active"])
def create_active(probe: Probe) -> None:
    "A user created without active is active."
    probe.user().answer.has(True, "active")


# -- userName -------------------------------------------------------------------------------------------------------


@check("users.name.required", MUST, "RFC 7643 §4.1.1 and §7", "S-7643-7-10", "S-7643-4.1.1-01", "S-7644-3.3-10")
def name_required(probe: Probe) -> None:
    "A user without userName is refused with 400."
    body = probe.user_body()
    del body["userName"]
    probe.post("/Users", body).status(400)


def _bad_name(slug: str, value: Any, what: str) -> None:
    @check(
        f"users.name.{slug}",
        MUST,
        "RFC 7643 §4.1.1 and §2.5",
        "S-7643-4.1.1-01",
        "S-7643-2.5-03",
        says=f"A userName that is {what} is refused with 400.",
    )
    def run(probe: Probe) -> None:
        probe.post("/Users", probe.user_body() | {"userName": value}).status(400)


_bad_name("empty", "", "the empty string")
_bad_name("null", None, "null")
_bad_name("number", 4711, "a number")
_bad_name("object", {"value": "chk-object"}, "an object")


@check("users.name.array", MUST, "RFC 7643 §4.1.1 and §2.4", "S-7643-4.1.1-01", "S-7644-3.3-10")
def name_array(probe: Probe) -> None:
    "A userName that is an array of two names is refused with 400."
    probe.post("/Users", probe.user_body() | {"userName": [probe.name("a"), probe.name("b")]}).status(400)


@check("users.name.taken", MUST, "RFC 7644 §3.3", "S-7644-3.3-07", "S-7643-7-06", "S-7644-3.12-05")
def name_taken(probe: Probe) -> None:
    "A second user with the same userName is refused with 409 uniqueness, and the first stays as it was."
    first = probe.user()
    probe.post("/Users", probe.user_body()).refused(409, "uniqueness")
    now = probe.state(first)
    now.expect(now.document() == first.document, "the first user unchanged")


@check("users.name.taken.case", MUST, "RFC 7643 §4.1.1 (userName is not case exact)", "S-7643-7-08", "S-7643-4.1.1-01")
def name_taken_case(probe: Probe) -> None:
    "A userName that differs from a taken one only in the case of letters is refused with 409."
    user = probe.user("mixed")
    probe.post("/Users", probe.user_body() | {"userName": user.name.upper()}).refused(409, "uniqueness")


@check("users.name.taken.unicode", MUST, "RFC 7644 §5", "S-7644-5-01", "S-8265-3.3-01")
def name_taken_unicode(probe: Probe) -> None:
    "The same userName in another Unicode composition (é as one or two code points) is refused with 409."
    probe.post("/Users", probe.user_body() | {"userName": probe.name("andr\u00e9")}).status(201)
    probe.post("/Users", probe.user_body() | {"userName": probe.name("andre\u0301")}).refused(409, "uniqueness")


@check("users.name.race", MUST, "RFC 7643 §7 (uniqueness server)", "S-7644-3.3-08", "S-7643-7-06")
def name_race(probe: Probe) -> None:
    "Of eight users created with one userName at the same time, one is created and seven are refused with 409."
    body = probe.user_body("race")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: probe.post("/Users", body), range(8)))
    codes = sorted(answer.code for answer in answers)
    answers[0].expect(codes == [201] + [409] * 7, "one 201 and seven 409", " ".join(map(str, codes)))


@check("users.name.spelling", SHOULD, "RFC 7643 §2.2; Entra compares what it sent", "S-7643-7-02")
def name_spelling(probe: Probe) -> None:
    "What was sent comes back as it was spelled: the case of userName and of an e-mail address, the blanks of a number."
    name = probe.name("MiXed.Case@Checks.Example")
    sent = {"userName": name, "emails": [{"value": name, "type": "work"}], "phoneNumbers": [{"value": "+45 55 00 11-22", "type": "work"}]}
    answer = probe.post("/Users", probe.user_body() | sent).status(201).has(name, "userName")
    if probe.offer.lack("User.emails") is None:
        answer.has(name, "emails", 0, "value")
    if probe.offer.lack("User.phoneNumbers") is None:
        answer.has("+45 55 00 11-22", "phoneNumbers", 0, "value")


# -- schemas of the body --------------------------------------------------------------------------------------------


def _bad_schemas(slug: str, schemas: Any, what: str, *requirements: str) -> None:
    @check(f"users.schemas.{slug}", MUST, "RFC 7643 §3", *requirements, says=f"A user {what} is refused with 400.")
    def run(probe: Probe) -> None:
        body = probe.user_body() | {"schemas": schemas}
        if schemas is MISSING:
            del body["schemas"]
        probe.post("/Users", body).status(400)


_bad_schemas("missing", MISSING, "without schemas", "S-7643-2.1-01")
_bad_schemas("empty", [], "with an empty schemas", "S-7643-3-01")
_bad_schemas("text", USER, "whose schemas is a string and no array", "S-7643-3-01")
_bad_schemas("other", [GROUP], "whose schemas names only the Group schema", "S-7643-3-02", "S-7643-3.3-01")
_bad_schemas("base-missing", [ENTERPRISE], "whose schemas names only an extension", "S-7643-3.3-01")


@check("users.schemas.order", MUST, "RFC 7643 §3", "S-7643-3-03", needs=["enterprise", "enterprise.department"])
def schemas_order(probe: Probe) -> None:
    "The order of schemas does not matter: extension first is as good."
    body = probe.user_body(enterprise={"department": "Ops"}) | {"schemas": [ENTERPRISE, USER]}
    probe.post("/Users", body).status(201).has("Ops", ENTERPRISE, "department")


@check("users.schemas.undeclared", MUST, "RFC 7643 §3", "S-7643-3-02")
def schemas_undeclared(probe: Probe) -> None:
    "A URN in schemas that the resource type does not have is refused with 400, or left out of what comes back."
    unknown = "urn:example:params:no:such:schema:User"
    answer = probe.post("/Users", probe.user_body() | {"schemas": [USER, unknown]}).status(201, 400)
    if answer.code == 201:
        answer.expect(unknown not in answer.value("schemas"), f"schemas without {unknown}")


# -- reading --------------------------------------------------------------------------------------------------------


@check("users.get", MUST, "RFC 7644 §3.4.1", "S-7644-3.4.1-01")
def get(probe: Probe) -> None:
    "GET by id gives 200 and the user."
    user = probe.user()
    probe.get(user.path).status(200).has(user.id, "id").has(user.name, "userName").has("User", "meta", "resourceType")


@check("users.get.unknown", MUST, "RFC 7644 §3.4.1 and §3.12", "S-7644-3.4.1-02", "S-7644-3.12-01")
def get_unknown(probe: Probe) -> None:
    "GET of an id that nobody has is a 404 with a SCIM error."
    probe.get(f"/Users/{probe.name('nobody')}").status(404).error_body()


@check("users.get.other-type", MUST, "RFC 7644 §3.4.1", "S-7644-3.4.1-02", needs=["groups"])
def get_other_type(probe: Probe) -> None:
    "The id of a group is a 404 at /Users."
    probe.get(f"/Users/{probe.group().id}").status(404)


@check("users.get.head", MAY, "RFC 9110 §9.3.2", "S-7644-3.4.1-04")
def head(probe: Probe) -> None:
    "HEAD answers as GET, without a body."
    answer = probe.request("HEAD", probe.user().path).status(200)
    answer.expect(answer.response.body == b"", "no body")


@check("users.get.query-ignored", MAY, "RFC 7644 §3.4.2.1", "S-7644-3.4.1-05", "S-7644-3.4.2-01")
def query_ignored(probe: Probe) -> None:
    "Parameters of lists (count, startIndex) and unknown ones do not disturb a GET by id."
    user = probe.user()
    probe.get(user.path, {"count": 0, "startIndex": 9, "aadOptscim062020": "", "foo": "1"}).status(200).has(user.id, "id")


@check("users.list.same", SHOULD, "RFC 7644 §3.4.2", "S-7644-3.4.2-02", needs=["filter"])
def list_same(probe: Probe) -> None:
    "A user in a list looks as a GET by id shows it."
    user = probe.user(name={"givenName": "Ada", "familyName": "Byron"})
    one = probe.get(user.path).status(200).document()
    answer = probe.find(f'userName eq "{user.name}"')
    answer.expect(answer.resources() == [one], "the document that a GET by id gives")


@check("users.id.other", MUST, "RFC 7643 §3.1", "S-7643-3.1-01", "S-7644-3.6-04")
def id_other(probe: Probe) -> None:
    "An id is not given again: a user deleted and created anew has another id."
    first = probe.user()
    probe.delete(first.path).status(204)
    again = probe.user()
    again.answer.expect(again.id != first.id, "another id")
