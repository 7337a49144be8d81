"""Errors, media types, and input that is none (RFC 7644 §3.8 and §3.12)."""

from __future__ import annotations

import json

from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checker.urns import PATCH_OP, USER
from conformance.wire import Unreachable

SCIM = "application/scim+json"
ERRORS = "RFC 7644 §3.12"
FORM = "RFC 7644 §3.8"
LARGE = 32 << 20  # bytes

# -- shape and media type -------------------------------------------------------------------------------------------


@check("errors.media-type", MUST, f"{FORM} and §8.1", "S-7644-3.8-02")
def media_type(probe: Probe) -> None:
    "Every answer with a body is application/scim+json: a resource, a list, discovery."
    user = probe.user()
    for answer in (
        user.answer,
        probe.get(user.path),
        probe.get("/Users", {"count": 1}),
        probe.get("/Schemas"),
        probe.get("/ServiceProviderConfig"),
    ):
        answer.expect(answer.media_type == SCIM, f"Content-Type {SCIM}")


@check("errors.media-type.errors", SHOULD, ERRORS, "S-7644-3.12-03")
def media_type_errors(probe: Probe) -> None:
    "Errors are application/scim+json too."
    for answer in (
        probe.get(f"/Users/{probe.name('nobody')}").status(404),
        probe.get("/NoSuchEndpoint").status(404),
        probe.request("POST", "/Users", raw="{").status(400),
        probe.request("GET", "/Users", anonymous=True).status(401),
    ):
        answer.expect(answer.media_type == SCIM, f"Content-Type {SCIM}")


@check("errors.body", MUST, ERRORS, "S-7644-3.12-01", "S-7644-3.12-02")
def body(probe: Probe) -> None:
    "Every error has the Error schema, and repeats the status as a string: 400, 404, 409."
    probe.get(f"/Users/{probe.name('nobody')}").status(404).error_body()
    probe.request("POST", "/Users", raw="{").status(400).error_body()
    probe.user()
    probe.post("/Users", probe.user_body()).status(409).error_body()


@check("errors.detail", SHOULD, ERRORS, "S-7644-3.12-01")
def detail(probe: Probe) -> None:
    "An error says in its detail what was wrong."
    body = probe.user_body()
    del body["userName"]
    answer = probe.post("/Users", body).status(400)
    answer.expect("username" in answer.text("detail").lower(), "a detail that names userName")


@check("errors.detail.leaks", SHOULD, ERRORS, "S-7644-3.12-04")
def detail_leaks(probe: Probe) -> None:
    "No error shows a stack trace or a statement of the database."
    probe.user()
    for answer in (
        probe.post("/Users", probe.user_body()),
        probe.post("/Users", {"schemas": [USER], "userName": {"a": 1}}),
        probe.get("/Users", {"filter": "((("}),
        probe.get("/Users/%00"),
    ):
        for sign in (
            "Traceback",
            "SELECT ",
            "INSERT INTO",
            "UNIQUE constraint",
            "psycopg",
            "sqlite3",
            "java.lang",
            "\tat ",
            "node_modules",
        ):
            answer.expect(sign not in answer.response.text, f"an answer without {sign.strip()!r}")


@check("errors.endpoint", MUST, ERRORS, "S-7644-3.12-01")
def endpoint(probe: Probe) -> None:
    "An endpoint that does not exist is a 404 with a SCIM error."
    probe.get("/NoSuchEndpoint").status(404).error_body()


@check("errors.method", MUST, "RFC 9110 §15.5.6", "S-7644-3.2-03", "S-7644-3.3-09")
def method(probe: Probe) -> None:
    "A method that an endpoint does not have is refused; a 405 says in Allow what there is."
    user = probe.user()
    for name, path in (("PUT", "/Users"), ("PATCH", "/Users"), ("POST", user.path)):
        answer = probe.request(name, path, {}).status(405, 404, 400, 501)
        if answer.code == 405:
            answer.expect(bool(answer.header("Allow")), "an Allow header")
    probe.state(user)


@check("errors.method.body", SHOULD, ERRORS, "S-7644-3.2-03", "S-7644-3.12-01")
def method_body(probe: Probe) -> None:
    "PUT on a whole endpoint is a 405 with a SCIM error."
    probe.request("PUT", "/Users", {}).status(405).error_body()


# -- the media type of a request ------------------------------------------------------------------------------------


@check("errors.request.json", MUST, FORM, "S-7644-3.8-05", "S-7644-3.8-01")
def request_json(probe: Probe) -> None:
    "A body may be application/scim+json, with or without a charset."
    for number, kind in enumerate((SCIM, f"{SCIM}; charset=utf-8", f"{SCIM};charset=UTF-8")):
        probe.request("POST", "/Users", probe.user_body(f"u{number}"), content_type=kind).status(201)


@check("errors.request.plain-json", SHOULD, FORM, "S-7644-3.8-05", "S-7644-3.8-03")
def request_plain_json(probe: Probe) -> None:
    "A body may also be application/json."
    probe.request("POST", "/Users", probe.user_body(), content_type="application/json").status(201)


@check("errors.request.other", SHOULD, "RFC 9110 §15.5.16", "S-7644-3.8-05")
def request_other(probe: Probe) -> None:
    "A body of another media type is refused with 415."
    for number, kind in enumerate(("text/plain", "application/xml", "application/x-www-form-urlencoded")):
        probe.request("POST", "/Users", probe.user_body(f"u{number}"), content_type=kind).status(415)


@check("errors.accept", MUST, FORM, "S-7644-3.8-02", "S-7644-3.8-04")
def accept(probe: Probe) -> None:
    "Accept may be application/scim+json, */*, or a list with weights."
    path = probe.user().path
    for kind in (SCIM, "*/*", f"text/html, {SCIM};q=0.9, */*;q=0.1"):
        probe.get(path, headers={"Accept": kind}).status(200).document()


@check("errors.accept.json", SHOULD, FORM, "S-7644-3.8-03")
def accept_json(probe: Probe) -> None:
    "Accept may be application/json."
    probe.get(probe.user().path, headers={"Accept": "application/json"}).status(200).document()


# -- bodies that are none -------------------------------------------------------------------------------------------


def _no_body(slug: str, raw: bytes | str, what: str, *requirements: str) -> None:
    @check(f"errors.input.{slug}", MUST, f"{ERRORS} and {FORM}", "S-7644-3.12-01", *requirements, says=f"{what} is refused with 400.")
    def run(probe: Probe) -> None:
        probe.request("POST", "/Users", raw=raw).status(400)
        user = probe.user()
        probe.request("PUT", user.path, raw=raw).status(400)
        if probe.offer.supports("patch"):
            probe.request("PATCH", user.path, raw=raw).status(400)
        probe.state(user)


_no_body("broken", '{"schemas": ["' + USER + '"], "userName": ', "JSON that breaks off", "S-7644-3.8-07")
_no_body("text", "hello", "A body that is no JSON", "S-7644-3.8-07")
_no_body("empty", "", "An empty body", "S-7644-3.8-07")
_no_body("array", "[]", "A body that is an array", "S-7644-3.8-07")
_no_body("string", '"userName"', "A body that is a string", "S-7644-3.8-07")
_no_body("null", "null", "A body that is null", "S-7644-3.8-07")
_no_body("utf-8", b'{"schemas":["' + USER.encode() + b'"],"userName":"\xff\xfe\xfa"}', "A body that is not UTF-8", "S-7644-3.8-01")
_no_body("nan", '{"schemas":["' + USER + '"],"userName":NaN}', "NaN, which is no JSON", "S-7644-3.8-07")


@check("errors.input.surrogate", SHOULD, "RFC 8259 §8.2", "S-7644-5-02")
def surrogate(probe: Probe) -> None:
    "A lone surrogate (\\ud800) or NUL in a string is refused with a 4xx status, or comes back as it was sent; it is no 5xx."
    for number, character in enumerate(("\\ud800", "\\u0000")):
        raw = json.dumps(probe.user_body(f"u{number}", displayName="CHARACTER")).replace("CHARACTER", character)
        answer = probe.request("POST", "/Users", raw=raw).no_server_error()
        if answer.code == 201 and probe.offer.lack("User.displayName") is None:
            answer.has(json.loads(f'"{character}"'), "displayName")


@check("errors.input.deep", MUST, "RFC 9110 §15.5", "S-7644-3.8-07", "S-7644-7-06")
def deep(probe: Probe) -> None:
    "A body nested 100,000 deep is refused with a 4xx status."
    for raw in ("[" * 100_000 + "]" * 100_000, '{"schemas":["' + USER + '"],"userName":' + '{"a":' * 100_000 + "1" + "}" * 100_001):
        probe.request("POST", "/Users", raw=raw).client_error()


@check("errors.input.large", SHOULD, "RFC 9110 §15.5.14", "S-7644-7-06")
def large(probe: Probe) -> None:
    "A body of 32 MiB is refused with 413 or another 4xx status (or by closing the connection), and the server lives on."
    raw = json.dumps(probe.user_body(displayName="x" * LARGE))
    try:
        probe.request("POST", "/Users", raw=raw).client_error()
    except Unreachable as refusal:
        if not refusal.sent:
            raise
    probe.get("/Users", {"count": 1}).status(200)


@check("errors.input.megabyte", SHOULD, "Entra sends large PATCHes", "S-7644-7-06", needs=["patch", "groups"])
def megabyte(probe: Probe) -> None:
    "A PATCH of half a mebibyte is not refused for its size."
    group = probe.group()
    blanks = " " * (512 << 10)
    body = json.dumps({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": probe.name("new")}]})
    probe.request("PATCH", group.path, raw=body + blanks).status(200, 204)


@check("errors.input.numbers", MUST, "RFC 9110 §15.5", "S-7643-2.3.4-01", "S-7644-3.8-07")
def numbers(probe: Probe) -> None:
    "Numbers of any size where other things belong are a 4xx status, never a 5xx."
    for number in ("1e400", "9" * 400, "-0.0", "1e-400"):
        probe.request("POST", "/Users", raw='{"schemas":["' + USER + '"],"userName":' + number + "}").client_error()


@check("errors.input.ids", MUST, "RFC 9110 §15.5.5", "S-7644-3.4.1-02", "S-7644-7.7-02")
def ids(probe: Probe) -> None:
    "Whatever stands where an id belongs, the answer is a 4xx status: never a 5xx, never somebody."
    for path in (
        "/Users/%00",
        "/Users/%FF",
        "/Users/%20",
        "/Users/'%20or%20'1'='1",
        "/Users/" + "9" * 2000,
        "/Users/..%2f..%2fetc%2fpasswd",
        "/Users/%F0%9F%A6%89",
    ):
        probe.get(path).client_error()


@check("errors.trailing-slash", MAY, "RFC 7644 §3.2", "S-7644-3.2-04")
def trailing_slash(probe: Probe) -> None:
    "A slash at the end of an endpoint makes no difference."
    probe.get("/Users/", {"count": 1}).resources()


@check("errors.input.twice", MAY, "RFC 8259 §4", "S-7644-3.8-07", "S-7643-2.1-05")
def twice(probe: Probe) -> None:
    "A body that has the same name twice is refused with 400, and not guessed at."
    body = json.dumps(probe.user_body())
    raw = body[:-1] + f', "userName": {json.dumps(probe.name("other"))}}}'
    probe.request("POST", "/Users", raw=raw).status(400)


# -- scimType -------------------------------------------------------------------------------------------------------


@check("errors.type.syntax", SHOULD, f"{ERRORS}, Table 9", "S-7644-3.8-07")
def type_syntax(probe: Probe) -> None:
    "Broken JSON has the scimType invalidSyntax."
    probe.request("POST", "/Users", raw="{").refused(400, "invalidSyntax")


@check("errors.type.value", SHOULD, f"{ERRORS}, Table 9", "S-7644-3.3-10", "S-7643-7-10")
def type_value(probe: Probe) -> None:
    "A missing required attribute has the scimType invalidValue."
    body = probe.user_body()
    del body["userName"]
    probe.post("/Users", body).refused(400, "invalidValue")


@check("errors.type.value.wrong", SHOULD, f"{ERRORS}, Table 9", "S-7644-3.3-10", needs=["User.active"])
def type_value_wrong(probe: Probe) -> None:
    "A value of the wrong type has the scimType invalidValue (or invalidSyntax, which Table 9 lists for POST as well)."
    probe.post("/Users", probe.user_body(active="perhaps")).refused(400, "invalidValue", "invalidSyntax")


@check("errors.type.path", SHOULD, f"{ERRORS}, Table 9", "S-7644-3.5.2-07", needs=["patch"])
def type_path(probe: Probe) -> None:
    "A malformed path of a PATCH has the scimType invalidPath."
    probe.patch(probe.user().path, {"op": "replace", "path": "emails[", "value": "x"}).refused(400, "invalidPath")


@check("errors.type.primary", SHOULD, f"{ERRORS}, Table 9", "S-7643-2.4-01", needs=["User.emails"])
def type_primary(probe: Probe) -> None:
    "Two primary elements have the scimType invalidValue."
    emails = [{"value": f"{kind}@checks.example", "type": kind, "primary": True} for kind in ("work", "home")]
    probe.post("/Users", probe.user_body(emails=emails)).refused(400, "invalidValue")
