"""The values of a user: null, types, spelling, multi-valued attributes, the enterprise extension (RFC 7643 §2 and §4)."""

from __future__ import annotations

from typing import Any

from conformance.checker.answer import MISSING, at
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE, USER


@check("users.null", MUST, "RFC 7643 §2.5", "S-7643-2.5-01", "S-7643-2.5-04")
def null_is_absent(probe: Probe) -> None:
    "null, an empty array and an empty object are no value: the user is created without the attributes."
    body = probe.user_body(nickName=None, title=None, phoneNumbers=[], addresses=None, photos=[])
    answer = probe.post("/Users", body).status(201)
    for name in ("nickName", "title", "phoneNumbers", "addresses", "photos"):
        answer.lacks(name)


@check("users.attribute-case", MUST, "RFC 7643 §2.1", "S-7643-2.1-02", needs=["User.nickName", "User.name"])
def attribute_case(probe: Probe) -> None:
    "Attribute names in a body are not case-sensitive; they come back in the schema's spelling."
    body = {"schemas": [USER], "USERNAME": probe.name("user"), "nickname": "Ada", "NAME": {"GivenName": "Ada", "familyname": "Byron"}}
    extra = {name: value for name, value in probe.user_body().items() if name not in ("schemas", "userName", "name")}
    answer = probe.post("/Users", body | extra).status(201)
    answer.has(probe.name("user"), "userName").has("Ada", "nickName").has("Ada", "name", "givenName").has("Byron", "name", "familyName")


@check("users.attribute-twice", MAY, "RFC 7643 §2.1", "S-7643-2.1-05")
def attribute_twice(probe: Probe) -> None:
    "A body that has one attribute twice, in different case, is refused with 400 and not guessed at."
    probe.post("/Users", probe.user_body() | {"USERNAME": probe.name("other")}).status(400)


@check("users.attribute-unknown", MAY, "RFC 7643 §2 (silent)", "S-7643-3-02")
def attribute_unknown(probe: Probe) -> None:
    "An attribute that no schema has is ignored or refused with 400; it does not come back."
    answer = probe.post("/Users", probe.user_body() | {"shoeSize": 42}).status(201, 400)
    if answer.code == 201:
        answer.lacks("shoeSize")


@check("users.unicode", MUST, "RFC 7644 §3.8", "S-7644-3.8-01", needs=["User.displayName"])
def unicode(probe: Probe) -> None:
    "Text of any script comes back as it was sent (UTF-8)."
    text = "Łukasz Ågård — 山田太郎 — عربى — 🦉"
    user = probe.user(displayName=text)
    user.answer.has(text, "displayName")
    probe.state(user).has(text, "displayName")


@check("users.external-id.none", MUST, "RFC 7643 §3.1", "S-7643-3.1-05")
def external_id_none(probe: Probe) -> None:
    "externalId is the client's: a user created without one has none."
    probe.user().answer.lacks("externalId")


@check("users.external-id.kept", MUST, "RFC 7643 §3.1", "S-7643-3.1-05", "S-7643-7-01")
def external_id_kept(probe: Probe) -> None:
    "externalId comes back as it was sent, its case kept."
    user = probe.user(externalId=probe.name("AbC-dEf"))
    probe.state(user).has(probe.name("AbC-dEf"), "externalId")


@check("users.external-id.shared", SHOULD, "RFC 7643 §3.1", "S-7643-3.1-06")
def external_id_shared(probe: Probe) -> None:
    "The server does not demand that externalId be unique: a second user with the same one is created."
    probe.user("first", externalId=probe.name("ext"))
    probe.post("/Users", probe.user_body("second", externalId=probe.name("ext"))).status(201)


@check("users.password", MUST, "RFC 7643 §4.1.1", "S-7643-4.1.1-02", "S-7643-7-04")
def password(probe: Probe) -> None:
    "A password never comes back: not in the 201, not in a GET (even asked for), not in a list."
    word = f"Corr3ct-{probe.tag}-h0rse"
    answer = probe.post("/Users", probe.user_body() | {"password": word})
    if answer.code == 400:
        raise Skipped("the server takes no password")
    path = f"/Users/{answer.status(201).text('id')}"
    for seen in (answer, probe.get(path), probe.get(path, {"attributes": "password,userName"}), probe.get("/Users", {"count": 50})):
        seen.expect(word not in seen.response.text, "an answer without the password")
        listed = at(seen.document(), "Resources")
        bodies = [seen.document(), *(listed if isinstance(listed, list) else [])]
        seen.expect(all(at(body, "password") is MISSING for body in bodies), "an answer without an attribute password")


@check("users.primary.two", MUST, "RFC 7643 §2.4", "S-7643-2.4-01", needs=["User.emails"])
def primary_two(probe: Probe) -> None:
    "Two elements of one attribute that are both primary are refused with 400."
    emails = [{"value": f"{hint}@checks.example", "type": hint, "primary": True} for hint in ("work", "home")]
    probe.post("/Users", probe.user_body(emails=emails)).status(400)


@check("users.multi-valued", MUST, "RFC 7643 §2.4", "S-7643-2.4-02", "S-7643-2.3.8-02", needs=["User.emails"])
def multi_valued(probe: Probe) -> None:
    "The elements of a multi-valued attribute come back with their sub-attributes, at most one of them primary."
    work = {"value": probe.name("a@work.example"), "type": "work", "primary": True}
    home = {"type": "home", "value": probe.name("a@home.example")}
    answer = probe.user(emails=[work, home]).answer
    answer.has(work["value"], "emails", {"type": "work"}, "value").has(True, "emails", {"type": "work"}, "primary")
    answer.has(home["value"], "emails", {"type": "home"}, "value")
    emails = answer.value("emails")
    answer.expect(len(emails) == 2, "two emails").expect(at(emails, {"type": "home"}, "primary") in (False, MISSING), "home not primary")


@check("users.duplicates", SHOULD, "RFC 7643 §2.4", "S-7643-2.4-06", needs=["User.emails"])
def duplicates(probe: Probe) -> None:
    "The same value with the same type, sent twice, comes back once."
    email = {"value": probe.name("a@work.example"), "type": "work"}
    answer = probe.user(emails=[email, dict(email)]).answer
    answer.expect(len(answer.value("emails")) == 1, "one e-mail address")


def _wrong_type(slug: str, attribute: str, value: Any, what: str, *requirements: str) -> None:
    @check(
        f"users.type.{slug}",
        MUST,
        "RFC 7643 §2.3 and §2.4",
        *requirements,
        needs=[f"User.{attribute}"],
        says=f"{what} is refused with 400.",
    )
    def run(probe: Probe) -> None:
        probe.post("/Users", probe.user_body(**{attribute: value})).status(400)


_wrong_type("boolean", "active", "perhaps", 'active = "perhaps" (not a boolean)', "S-7643-2.3.2-01", "S-7644-3.3-10")
_wrong_type("boolean-number", "active", 3, "active = 3 (not a boolean)", "S-7643-2.3.2-01")
_wrong_type("string", "displayName", {"a": "b"}, "displayName = an object (not a string)", "S-7644-3.3-10")
_wrong_type("string-number", "displayName", 5, "displayName = 5 (not a string)", "S-7644-3.3-10")
_wrong_type("complex", "name", "Ada Byron", "name = a string (not an object)", "S-7644-3.3-10")
_wrong_type("multi-valued", "emails", [["a@checks.example"]], "an array within an array", "S-7643-2.4-07")
_wrong_type("element", "emails", [5], "a number where an e-mail object should be", "S-7643-2.4-07")


@check("users.type.binary", MUST, "RFC 7643 §2.3.6", "S-7643-2.3.6-01", needs=["User.x509Certificates"])
def type_binary(probe: Probe) -> None:
    "An x509Certificates value that is not base64 is refused with 400."
    probe.post("/Users", probe.user_body(x509Certificates=[{"value": "*** not base64 ***"}])).status(400)


# -- the enterprise extension ---------------------------------------------------------------------------------------


@check("users.enterprise", MUST, "RFC 7643 §3.3 and §4.3", "S-7643-3.3-01", "S-7643-3.3-02", needs=["enterprise", "enterprise.department"])
def enterprise(probe: Probe) -> None:
    "The enterprise extension is kept under its URN, and the URN is in schemas."
    user = probe.user(enterprise={"department": "Ops", "employeeNumber": "40117"})
    answer = probe.state(user).has("Ops", ENTERPRISE, "department").has("40117", ENTERPRISE, "employeeNumber")
    answer.expect(ENTERPRISE in answer.value("schemas"), f"schemas with {ENTERPRISE}")


@check("users.enterprise.apart", MUST, "RFC 7643 §3.3", "S-7643-3.3-02", needs=["enterprise", "enterprise.department"])
def enterprise_apart(probe: Probe) -> None:
    "An attribute of the extension at the top level is not the extension's."
    answer = probe.post("/Users", probe.user_body() | {"department": "Ops"}).status(201, 400)
    if answer.code == 201:
        answer.lacks(ENTERPRISE, "department").lacks("department")


@check("users.enterprise.absent", MUST, "RFC 7643 §3", "S-7643-3-02", "S-7643-3.3-03")
def enterprise_absent(probe: Probe) -> None:
    "A user without values of the extension comes back without its object."
    probe.user().answer.lacks(ENTERPRISE)


@check("users.enterprise.unlisted", SHOULD, "Entra sends an extension that is not in schemas", "S-7643-3.3-03", needs=["enterprise"])
def enterprise_unlisted(probe: Probe) -> None:
    "An extension object whose URN is missing from schemas is taken, and the URN is added."
    body = probe.user_body(enterprise={"department": "Ops"}) | {"schemas": [USER]}
    answer = probe.post("/Users", body).status(201).has("Ops", ENTERPRISE, "department")
    answer.expect(ENTERPRISE in answer.value("schemas"), f"schemas with {ENTERPRISE}")


@check("users.manager", MUST, "RFC 7643 §4.3", "S-7643-4.3-01", needs=["enterprise", "enterprise.manager"])
def manager(probe: Probe) -> None:
    "manager.value is kept; manager.displayName is the server's, what is sent is not used."
    boss = probe.user("boss")
    user = probe.user("user", enterprise={"manager": {"value": boss.id, "displayName": "Somebody Else"}})
    answer = probe.state(user).has(boss.id, ENTERPRISE, "manager", "value")
    answer.expect(
        at(answer.document(), ENTERPRISE, "manager", "displayName") != "Somebody Else", "manager.displayName as the server knows it"
    )
