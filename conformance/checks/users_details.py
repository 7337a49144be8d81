"""Users, closer: names under PRECIS, what the RFC says of single attributes, what a GET shows (RFC 7643 §2 and §4, RFC 7644 §5)."""

from __future__ import annotations

import base64
from typing import Any

from conformance.checker.answer import MISSING, at
from conformance.checker.evidence import Skipped, shown
from conformance.checker.probe import Probe
from conformance.checker.published import CERTIFICATE, said
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import ENTERPRISE, USER

PRECIS = "RFC 8265 §3.3, RFC 7644 §5"

# -- userName -------------------------------------------------------------------------------------------------------


@check("users.name.taken.width", MUST, PRECIS, "S-8265-3.3-01", "S-7644-5-01")
def name_taken_width(probe: Probe) -> None:
    "The same userName in letters of full width is refused with 409: they are mapped to the usual ones before names are compared."
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in "Smith")
    probe.user("smith")
    probe.post("/Users", probe.user_body() | {"userName": probe.name(wide)}).refused(409, "uniqueness")


@check("users.name.taken.disabled", MUST, "RFC 7643 §7 (uniqueness server)", "S-7644-3.3-11", "S-7643-7-06", needs=["User.active"])
def name_taken_disabled(probe: Probe) -> None:
    "The userName of a user who is not active is taken: 409; the user is found by it, and can be made active again."
    user = probe.user(active=False)
    probe.post("/Users", probe.user_body()).refused(409, "uniqueness")
    if probe.offer.supports("filter"):
        probe.finds(f'userName eq "{user.name}"', [user], [user])
    if probe.offer.supports("patch"):
        probe.patched(user, {"op": "replace", "path": "active", "value": True}).has(True, "active")


@check("users.name.ligature", MAY, PRECIS, "S-8265-3.3-01", "S-8265-3.3-03")
def name_ligature(probe: Probe) -> None:
    "A userName with a letter that IdentifierClass forbids (the ligature \ufb01) is refused with 400."
    probe.post("/Users", probe.user_body() | {"userName": probe.name("\ufb01nn")}).refused(400)


@check("users.name.blank", MAY, "RFC 8265 §3.5", "S-8265-3.3-03")
def name_blank(probe: Probe) -> None:
    "A userName may have a blank in it, as directories have them, and comes back so."
    name = probe.name("Jane Doe")
    answer = probe.post("/Users", probe.user_body() | {"userName": name}).no_server_error().status(201)
    answer.has(name, "userName")


@check("users.name.compositions", MUST, "RFC 7643 §7, RFC 8265 §3.3", "S-8265-3.3-02", "S-7643-7-02")
def name_compositions(probe: Probe) -> None:
    "However an é is composed, the userName is found by both compositions, and case of letters does not matter beyond ASCII either."
    if not probe.offer.supports("filter"):
        raise Skipped("the ServiceProviderConfig does not offer filter")
    user = probe.user("Ren\u00c9e")
    for spelled in ("ren\u00e9e", "REN\u00c9E", "rene\u0301e"):
        probe.finds(f'userName eq "{probe.name(spelled)}"', [user], [user])


# -- what a value may be --------------------------------------------------------------------------------------------


@check("users.active.null", MUST, "RFC 7644 §3.3, RFC 7643 §2.5", "S-7644-3.3-03", "S-7643-2.5-01", needs=["User.active"])
def active_null(probe: Probe) -> None:
    "null overrides a default of the server's: a user created with active = null has no active."
    if at(probe.user("usual").document, "active") is MISSING:
        raise Skipped("the server gives no active to who has none")
    answer = probe.post("/Users", probe.user_body(active=None)).status(201).lacks("active")
    probe.get(f"/Users/{answer.text('id')}").status(200).lacks("active")


def kept(id: str, level: Any, clause: str, attribute: str, value: Any, says: str, *requirements: str) -> None:
    """Register the check that a user may have this value of the attribute, and keeps it as it is."""

    @check(f"users.{id}", level, clause, *requirements, needs=[f"User.{attribute}"], says=says)
    def run(probe: Probe) -> None:
        answer = probe.post("/Users", probe.user_body(**{attribute: value})).status(201)
        probe.get(f"/Users/{answer.text('id')}").status(200).has(value, attribute)


PLACE = [{"type": "work", "country": "DK"}]
kept("country.code", MUST, "RFC 7643 §4.1.2", "addresses", PLACE, "A country is a code of two letters, and kept.", "S-7643-4.1.2-03")
FREE = [{"value": "+45 55 00 11-22 ext. 7 (after 10)", "type": "work"}]
NUMBERS = "RFC 7643 §4.1.2; directories hold numbers as people write them"
kept("phone", SHOULD, NUMBERS, "phoneNumbers", FREE, "A telephone number is kept as it is written.", "S-7643-4.1.2-02")
MAIL = [{"value": "First.Last@Checks.Example", "type": "work"}]
kept("email", SHOULD, "RFC 7643 §4.1.2", "emails", MAIL, "An e-mail address is kept as it is spelled.", "S-7643-4.1.2-01", "S-7643-7-02")
kept("locale", MAY, "RFC 7643 §4.1.1", "locale", "en_US", "A locale may be written with a low line, and is kept so.", "S-7643-4.1.1-06")
ODD = [{"value": "a@checks.example", "type": "chk-unusual"}]
CHOICE = "A value that is none of the canonical ones is taken, and kept."
kept("canonical", MAY, "RFC 7643 §2.3.1", "emails", ODD, CHOICE, "S-7643-2.3.1-01")
CERTIFICATES = [{"value": CERTIFICATE, "type": "work"}]
kept("certificates", MUST, "RFC 7643 §4.1.2", "x509Certificates", CERTIFICATES, "A certificate (DER as base64) is kept.", "S-7643-4.1.2-08")


@check("users.country", MAY, "RFC 7643 §4.1.2, errata 5990 and 5991", "S-7643-4.1.2-03", needs=["User.addresses"])
def country(probe: Probe) -> None:
    "A country that is no code of two letters (USA, Denmark) is refused with 400."
    for name in ("USA", "Denmark"):
        probe.post("/Users", probe.user_body(addresses=[{"type": "work", "country": name}])).refused(400)


@check("users.certificates.two", SHOULD, "RFC 7643 §4.1.2", "S-7643-4.1.2-08", needs=["User.x509Certificates"])
def certificates_two(probe: Probe) -> None:
    "One value with two certificates is refused with 400: a value holds exactly one."
    two = base64.b64encode(base64.b64decode(CERTIFICATE) * 2).decode()
    probe.post("/Users", probe.user_body(x509Certificates=[{"value": two, "type": "work"}])).refused(400)


@check("users.certificates.several", MUST, "RFC 7643 §4.1.2", "S-7643-4.1.2-08", needs=["User.x509Certificates"])
def certificates_several(probe: Probe) -> None:
    "A user may have two certificates, in two values."
    other = base64.b64decode(CERTIFICATE)
    other = other[:-1] + bytes([other[-1] ^ 1])
    both = [{"value": CERTIFICATE, "type": "work"}, {"value": base64.b64encode(other).decode(), "type": "home"}]
    now = probe.state(probe.user(x509Certificates=both))
    came = sorted(str(at(one, "value")).rstrip("=") for one in now.value("x509Certificates"))
    now.expect(came == sorted(one["value"].rstrip("=") for one in both), "both certificates", shown(came))


@check("users.enterprise.case", MAY, "RFC 7644 §3.10", "S-7643-3.3-04", needs=["enterprise", "enterprise.department"])
def enterprise_case(probe: Probe) -> None:
    "The URN of an extension is not case-sensitive as a key either; it comes back as it is spelled."
    body = probe.user_body() | {"schemas": [USER, ENTERPRISE], ENTERPRISE.upper(): {"department": "Ops"}}
    probe.post("/Users", body).status(201).has("Ops", ENTERPRISE, "department")


# -- what a GET shows -----------------------------------------------------------------------------------------------


@check("users.get.default", MUST, "RFC 7644 §3.4, RFC 7643 §7", "S-7644-3.4-01", "S-7643-7-04")
def get_default(probe: Probe) -> None:
    "A user is shown with what is returned always and by default: nothing whose schema says never or request."
    attributes: dict[str, Any] = {"nickName": "Ada", "name": {"givenName": "Ada", "familyName": "Byron"}}
    shown_by_default = {name: value for name, value in attributes.items() if probe.offer.lack(f"User.{name}") is None}
    answer = probe.state(probe.user(**shown_by_default))
    for name, value in shown_by_default.items():
        answer.has(value, name) if name != "name" else answer.has("Ada", "name", "givenName")
    answer.text("id")
    answer.value("meta")
    hidden = [one for one in probe.offer.of_users() if said(one.definition, "returned") in ("never", "request")]
    found = [one.path for one in hidden if at(answer.document(), *one.keys) is not MISSING]
    answer.expect(not found, "nothing that is returned never or on request", ", ".join(found))


@check("users.get.order", MUST, "RFC 7643 §2.3.8", "S-7643-2.3.8-01", "S-7643-2.3.8-02", needs=["User.name"])
def get_order(probe: Probe) -> None:
    "The order of members and of sub-attributes does not matter: both ways round, a user is the same."
    body = probe.user_body("user", name={"givenName": "Ada", "familyName": "Byron"}, externalId=probe.name("ext"))
    first = probe.post("/Users", body).status(201)
    turned = {name: dict(reversed(list(value.items()))) if name == "name" else value for name, value in reversed(list(body.items()))}
    came = probe.put(f"/Users/{first.text('id')}", turned).status(200)
    for name in ("userName", "externalId", "name"):
        came.has(first.value(name), name)
