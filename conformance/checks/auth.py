"""Authentication with a bearer token (RFC 7644 §2, RFC 6750)."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from urllib.parse import quote

from conformance.checker.answer import Answer, at
from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check

CLAUSE = "RFC 7644 §2, RFC 6750 §3"


def _ways(probe: Probe) -> list[tuple[str, str, object]]:
    user = probe.user()
    return [
        ("GET", "/Users", None),
        *([("GET", "/Groups", None)] if probe.offer.lack("groups") is None else []),
        ("GET", user.path, None),
        ("POST", "/Users", probe.user_body("stranger")),
        ("PUT", user.path, probe.user_body()),
        ("PATCH", user.path, {}),
        ("DELETE", user.path, None),
    ]


@check("auth.none", MUST, CLAUSE, "S-7644-2.2-01", "S-6750-3-01", "S-7644-2-01")
def none(probe: Probe) -> None:
    "Without a credential every endpoint and method answers 401 with WWW-Authenticate, and nothing happens."
    for method, path, body in _ways(probe):
        answer = probe.request(method, path, body, anonymous=True).status(401)
        answer.expect(bool(answer.header("WWW-Authenticate")), "a WWW-Authenticate header")
    probe.get(f"/Users/{probe.name('nobody')}").status(404)
    if probe.offer.supports("filter"):
        probe.finds(f'userName eq "{probe.name("stranger")}"', [], [])
        answer = probe.find(f'userName eq "{probe.name("user")}"')
        answer.expect(len(answer.resources()) == 1, "the user, who was not deleted")


@check("auth.none.challenge", MUST, "RFC 6750 §3", "S-6750-3-01", "S-7644-2-01")
def none_challenge(probe: Probe) -> None:
    "The challenge of a 401 names Bearer with at least one parameter."
    answer = probe.request("GET", "/Users", anonymous=True).status(401)
    challenge = answer.header("WWW-Authenticate") or ""
    kind, _, parameters = challenge.partition(" ")
    answer.expect(kind.lower() == "bearer" and "=" in parameters, 'WWW-Authenticate: Bearer realm="…"', f"WWW-Authenticate: {challenge}")


@check("auth.none.no-code", SHOULD, "RFC 6750 §3.1", "S-6750-3-01")
def none_no_code(probe: Probe) -> None:
    "Where no credential was sent the challenge carries no error code."
    answer = probe.request("GET", "/Users", anonymous=True).status(401)
    challenge = answer.header("WWW-Authenticate") or ""
    answer.expect("error=" not in challenge, "a challenge without error=", f"WWW-Authenticate: {challenge}")


@check("auth.body", MUST, "RFC 7644 §3.12", "S-7644-3.12-01", "S-7644-3.12-02")
def body(probe: Probe) -> None:
    "A 401 is a SCIM error."
    probe.request("GET", "/Users", anonymous=True).status(401).error_body()


@check("auth.wrong", MUST, CLAUSE, "S-7644-2-04", "S-6750-3.1-01", "S-6750-3-01")
def wrong(probe: Probe) -> None:
    "A token that is none answers 401 with WWW-Authenticate, whatever it looks like."
    for token in (secrets.token_urlsafe(32), "x", "null", "undefined", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", "x" * 4000):
        answer = probe.get("/Users", headers={"Authorization": f"Bearer {token}"}).status(401)
        answer.expect(bool(answer.header("WWW-Authenticate")), "a WWW-Authenticate header")


@check("auth.wrong.code", SHOULD, "RFC 6750 §3.1", "S-6750-3.1-01")
def wrong_code(probe: Probe) -> None:
    'The challenge to a wrong token carries error="invalid_token".'
    answer = probe.get("/Users", headers={"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}).status(401)
    challenge = answer.header("WWW-Authenticate") or ""
    answer.expect('error="invalid_token"' in challenge, 'error="invalid_token"', f"WWW-Authenticate: {challenge}")


@check("auth.malformed", MUST, CLAUSE, "S-6750-3-01", "S-6750-3.1-01")
def malformed(probe: Probe) -> None:
    "An Authorization header that is malformed or of another scheme answers 401 (or 400), never 5xx and never data."
    for header in (
        "Bearer",
        "Bearer ",
        "Basic",
        "Basic !!!",
        "Basic OjpA",
        "Digest x",
        "Bearer a b",
        "Bearer \u00e9",
        ", ,",
        "Token " + "x" * 20,
    ):
        probe.get("/Users", headers={"Authorization": header}).status(401, 400)


@check("auth.scheme-case", MUST, "RFC 9110 §11.1", "S-6750-2.1-01")
def scheme_case(probe: Probe) -> None:
    "The name of the scheme is not case-sensitive: bearer is Bearer."
    probe.get("/Users", {"count": 1}, headers={"Authorization": f"bearer {probe.wire.token}"}).status(200)


@check("auth.query", SHOULD, "RFC 6750 §2.3, RFC 9700 §4.3.2", "S-6750-2.3-01")
def query(probe: Probe) -> None:
    "A token in the URL is not taken: 401."
    probe.request("GET", "/Users", query=f"access_token={quote(probe.wire.token or '')}", anonymous=True).status(401, 400)


@check("auth.form", SHOULD, "RFC 6750 §2.2", "S-6750-2.2-01")
def form(probe: Probe) -> None:
    "A token in a form body is not taken."
    raw = f"access_token={quote(probe.wire.token or '')}"
    answer = probe.request("POST", "/Users", raw=raw, content_type="application/x-www-form-urlencoded", anonymous=True)
    answer.status(401, 400, 415)


@check("auth.before-all", SHOULD, CLAUSE, "S-7644-3.4.1-02", "S-7644-7-03")
def before_all(probe: Probe) -> None:
    "A stranger learns nothing: existing, unknown and malformed things all answer 401."
    user = probe.user()
    for path in (user.path, f"/Users/{probe.name('nobody')}", "/Users?filter=((("):
        probe.request("GET", path, anonymous=True).status(401)
    probe.request("POST", "/Users", raw="{", anonymous=True).status(401)


@check("auth.cache", SHOULD, "RFC 9111 §3.5", "S-7644-7-07")
def cache(probe: Probe) -> None:
    "Personal data is not left in caches: Cache-Control is no-store, no-cache or private."
    answer = probe.get(probe.user().path).status(200)
    control = (answer.header("Cache-Control") or "").lower()
    answer.expect(
        any(word in control for word in ("no-store", "no-cache", "private")), "Cache-Control: no-store", f"Cache-Control: {control}"
    )


PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",]+)')
CODES = {"invalid_request", "invalid_token", "insufficient_scope"}


def parameters(answer: Answer) -> list[tuple[str, str]]:
    """The parameters of a challenge to a bearer token."""
    challenge = answer.header("WWW-Authenticate") or ""
    answer.expect(challenge.lower().startswith("bearer "), 'WWW-Authenticate: Bearer realm="…"', f"WWW-Authenticate: {challenge}")
    return [(name.lower(), value.strip('"')) for name, value in PARAMETER.findall(challenge[7:])]


@check("auth.challenge", MUST, "RFC 6750 §3", "S-6750-3-02")
def challenge(probe: Probe) -> None:
    "Each parameter of a challenge is there once, and error is one of the three codes that there are."
    stranger = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
    for answer in (probe.request("GET", "/Users", anonymous=True), probe.get("/Users", headers=stranger)):
        found = parameters(answer.status(401))
        names = [name for name, _ in found]
        told = f"WWW-Authenticate: {answer.header('WWW-Authenticate')}"
        answer.expect(len(set(names)) == len(names), "each parameter once", told)
        answer.expect(all(value in CODES for name, value in found if name == "error"), "an error of " + ", ".join(sorted(CODES)), told)


@check("auth.two-ways", SHOULD, "RFC 6750 §2 and §3.1", "S-6750-2-01")
def two_ways(probe: Probe) -> None:
    "A token in the header and one in the URL as well are refused with 400."
    probe.get("/Users", f"count=1&access_token={quote(probe.wire.token or '')}").status(400, 401)


@check("auth.altered", MUST, "RFC 6750 §5.2", "S-6750-5.2-01", "S-7644-2-04")
def altered(probe: Probe) -> None:
    "The token with one letter of it altered is none: 401."
    token = probe.wire.token or ""
    for place in (len(token) // 4, len(token) // 2, 3 * len(token) // 4):
        letter = "A" if token[place] != "A" else "B"
        probe.get("/Users", headers={"Authorization": f"Bearer {token[:place]}{letter}{token[place + 1 :]}"}).status(401)


@check("auth.basic", MAY, "RFC 7644 §2", "S-7644-2-06")
def basic(probe: Probe) -> None:
    "Neither a challenge nor the ServiceProviderConfig offers HTTP Basic, and no answer sets a cookie."
    answers = [probe.request("GET", "/Users", anonymous=True), probe.get("/Users", {"count": 1}), probe.get("/ServiceProviderConfig")]
    for answer in answers:
        answer.expect("basic" not in (answer.header("WWW-Authenticate") or "").lower().split(), "no challenge to Basic")
        answer.expect(answer.header("Set-Cookie") is None, "no cookie")
    schemes = answers[-1].document().get("authenticationSchemes")
    kinds = [str(at(one, "type")) for one in schemes] if isinstance(schemes, list) else []
    answers[-1].expect("httpbasic" not in kinds, "no authentication scheme httpbasic", " ".join(kinds))


@check("auth.tls", MUST, "RFC 7644 §7.2", "S-7644-7.2-01")
def tls(probe: Probe) -> None:
    "The base URL is https."
    host = probe.wire.host
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if probe.wire.scheme != "https" and here:
        raise Skipped("the server is asked on this machine")
    answer = probe.get("/ServiceProviderConfig")
    answer.expect(probe.wire.scheme == "https", "a base URL that begins with https://", probe.wire.base_url)


@check("auth.fetch", MAY, "RFC 7643 §9 (silent; OWASP: server-side request forgery)", "S-7644-7-05", "S-7643-4.1.2-04")
def fetch(probe: Probe) -> None:
    "The server does not go to addresses that a client names: nobody comes to one of this machine that is sent as a photo."
    with socket.create_connection((probe.wire.host, probe.wire.port), timeout=probe.wire.timeout) as way:
        family, address = way.family, way.getsockname()[0]
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        listener.settimeout(0.5)
        host = f"[{address}]" if ":" in address else address
        there = f"http://{host}:{listener.getsockname()[1]}/chk.png"
        body = probe.user_body(photos=[{"value": there, "type": "photo"}], profileUrl=there)
        answer = probe.post("/Users", body).status(201, 400)
        try:
            visitor, _ = listener.accept()
        except TimeoutError:
            return
        visitor.close()
        raise answer.fail(f"nobody who comes to {there}", "somebody came")
