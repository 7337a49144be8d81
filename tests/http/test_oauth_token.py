"""The token endpoint on the wire: forms in, OAuth's answers out, and what a token opens afterwards."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from scim_server import clock, log
from scim_server.events import Scope
from scim_server.store.engine import create_engine
from scim_server.store.registry import Registry
from scim_server.store.registry.grants import CLIENT
from scim_server.store.unit import Store
from scim_server.tenancy import opaque
from scim_server.tenancy.client import OAUTH_CLIENT, READ, SCOPES
from scim_server.tenancy.client_credentials import ASSERTION_TYPE
from scim_server.tenancy.credentials import Terms, create_with_secret
from tests.http.conftest import USER, Scim
from tests.http.test_database_away import AWAY
from tests.tenants import OPERATOR, new_app

FORM = "application/x-www-form-urlencoded"
METADATA = "/.well-known/oauth-authorization-server"
NOBODY = "00000000-0000-7000-8000-000000000000"

# RFC 6749 §5.2: what an error is, and of which characters its description.
ERRORS = {"invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "temporarily_unavailable"}
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")


@dataclass
class OAuth:
    """A client of the token endpoint. Every answer is held to RFC 6749 §5."""

    app: Flask
    client_id: str
    secret: str

    def post(self, body: bytes | str, content_type: str | None = FORM, path: str = "/oauth/token", **options: Any) -> TestResponse:
        answer = self.app.test_client().post(path, data=body, content_type=content_type, **options)
        check(answer)
        return answer

    def ask(self, headers: dict[str, str] | None = None, /, **form: str | None) -> TestResponse:
        """A token by the secret in the body; a parameter that is None is left out."""
        given = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret, **form}
        return self.post(urlencode({name: value for name, value in given.items() if value is not None}), headers=headers)

    def token(self, **form: str | None) -> str:
        answer = self.ask(**form)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        token: str = answer.get_json()["access_token"]
        return token

    def basic(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()}


def check(answer: TestResponse) -> None:
    """Raise AssertionError where an answer breaks a rule that holds for every answer."""
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    body = answer.get_json()
    if answer.status_code == 200:
        assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert (body["token_type"], type(body["expires_in"])) == ("Bearer", int)
        assert set(body["scope"].split()) <= set(SCOPES)
        return
    assert answer.status_code < 500 or answer.headers["Retry-After"], body
    assert body.keys() == {"error", "error_description"}
    assert body["error"] in ERRORS
    assert (body["error"] == "invalid_client") is (answer.status_code == 401) is ("WWW-Authenticate" in answer.headers)
    assert DESCRIPTION.fullmatch(body["error_description"])
    assert body["error_description"].endswith(f"(request {answer.headers['X-Request-Id']})")


@pytest.fixture
def oauth(app: Flask, registry: Registry, scope: Scope) -> OAuth:
    """A client of a fresh tenant."""
    return new_oauth(app, registry, scope.tenant_id)


def new_oauth(app: Flask, registry: Registry, tenant_id: str, **terms: Any) -> OAuth:
    made, secret = create_with_secret(registry, tenant_id, OAUTH_CLIENT, Terms(**terms), OPERATOR)
    return OAuth(app, made.id, secret)


def test_a_token_opens_scim_until_it_ends(oauth: OAuth, registry: Registry) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        answer = oauth.ask(scope="scim").get_json()
        assert (answer["expires_in"], answer["scope"]) == (3600, "scim.read scim.write")
        scim = Scim(oauth.app, answer["access_token"])
        scim.user("made@by.token")
        time.shift(timedelta(seconds=3599))
        assert scim.get("/Users").status_code == 200
        time.shift(timedelta(seconds=1))
        assert scim.get("/Users").status_code == 401
    scim = Scim(oauth.app, oauth.token())
    assert scim.get("/Users").status_code == 200
    registry.credentials.revoke(oauth.client_id, OPERATOR)
    assert scim.get("/Users").status_code == 401
    assert oauth.ask().status_code == 401


def test_each_form_of_the_request(oauth: OAuth) -> None:
    body = urlencode({"grant_type": "client_credentials"})
    full = body + "&" + urlencode({"client_id": oauth.client_id, "client_secret": oauth.secret})
    for answer in (
        oauth.post(body, headers=oauth.basic()),
        oauth.post(full),
        oauth.post(full.encode(), f"{FORM}; charset=UTF-8"),
        oauth.post(full, FORM.upper()),
        oauth.post(full, path="/oauth/token/"),
        oauth.post(full, path="/oauth/token?tenant=x&client_id=ignored"),
        oauth.post(full + "&scope=&scope=&resource=x&&unknown"),
        oauth.post(full.replace("grant_type", "%67rant_type")),
        oauth.post(full + "".join(f"&p{number}=x" for number in range(17))),
    ):
        assert answer.status_code == 200, answer.get_data(as_text=True)


def test_a_narrowed_token_may_do_less(oauth: OAuth) -> None:
    answer = oauth.ask(scope=f"scim {READ}").get_json()
    assert answer["scope"] == READ
    scim = Scim(oauth.app, answer["access_token"])
    assert scim.get("/Users").status_code == 200
    refused = scim.post("/Users", {"schemas": [USER], "userName": "not@made"})
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert oauth.ask(scope="audit.read").get_json()["error"] == "invalid_scope"


def test_tokens_and_secrets_are_not_taken_for_each_other(oauth: OAuth) -> None:
    assert Scim(oauth.app, oauth.secret).get("/Users").status_code == 401
    assert oauth.ask(client_secret=oauth.token()).status_code == 401


@pytest.mark.requirement("S-7644-2-05")
def test_a_client_that_is_refused_is_told_nothing(oauth: OAuth, app: Flask, registry: Registry, scope: Scope, other_scope: Scope) -> None:
    """The same answer whatever the reason: to a guesser they are all alike."""
    expired = new_oauth(app, registry, scope.tenant_id, expires=clock.now())
    stranger = new_oauth(app, registry, other_scope.tenant_id)
    revoked = new_oauth(app, registry, scope.tenant_id)
    registry.credentials.revoke(revoked.client_id, OPERATOR)
    assertion = {"client_secret": None, "client_assertion_type": ASSERTION_TYPE, "client_assertion": "a.b.c"}
    answers = [
        expired.ask(),
        revoked.ask(),
        oauth.ask(client_secret=opaque.new(CLIENT)),
        oauth.ask(client_secret="x" * 5000),
        oauth.ask(client_secret=stranger.secret),
        oauth.ask(client_id=stranger.client_id),
        oauth.ask(client_id=NOBODY),
        oauth.ask(client_id=oauth.secret, client_secret=oauth.client_id),
        oauth.ask(client_id=None, client_secret=None),
        oauth.ask(client_secret=None),
        oauth.ask(**assertion),
        oauth.ask(**assertion, client_id=NOBODY),
        oauth.ask({"Authorization": "Basic !"}, client_id=None, client_secret=None),
        oauth.ask({"Authorization": f"Bearer {oauth.token()}"}, client_id=None, client_secret=None),
        oauth.ask({"Authorization": "Basic eDp4"}, client_id="x", client_secret=None),
    ]
    alike = {
        (each.status_code, each.get_data(as_text=True).replace(each.headers["X-Request-Id"], ""), each.headers["WWW-Authenticate"])
        for each in answers
    }
    assert len(alike) == 1
    assert alike.pop()[::2] == (401, 'Basic realm="scim"')


def test_a_suspended_tenant_is_told_so_only_to_its_clients(oauth: OAuth, registry: Registry, scope: Scope) -> None:
    registry.tenants.suspend(scope.tenant_id, OPERATOR, "unpaid")
    refused = oauth.ask()
    assert (refused.status_code, refused.get_json()["error"]) == (400, "unauthorized_client")
    assert "suspended" in refused.get_json()["error_description"]
    assert "unpaid" not in refused.get_json()["error_description"]
    assert oauth.ask(client_secret=opaque.new(CLIENT)).status_code == 401
    registry.tenants.resume(scope.tenant_id, OPERATOR)
    assert oauth.ask().status_code == 200


GOOD = b"grant_type=client_credentials&client_id=00000000-0000-7000-8000-000000000000&client_secret=x"

BODIES: list[tuple[str, bytes, str | None, int, str, str]] = [
    ("empty", b"", FORM, 400, "invalid_request", "grant_type is missing"),
    ("ampersands", b"&&&", FORM, 400, "invalid_request", "grant_type is missing"),
    ("no content type", GOOD, None, 400, "invalid_request", FORM),
    ("JSON", b'{"grant_type": "client_credentials"}', "application/json", 400, "invalid_request", FORM),
    ("SCIM", GOOD, "application/scim+json", 400, "invalid_request", FORM),
    ("multipart", b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 400, "invalid_request", FORM),
    ("a content type of rubbish", GOOD, "\x80;;=\xff", 400, "invalid_request", FORM),
    ("JSON in a form's clothes", b'{"grant_type": "client_credentials"}', FORM, 400, "invalid_request", "grant_type is missing"),
    ("not UTF-8", GOOD + b"\xff\xfe", FORM, 400, "invalid_request", "UTF-8"),
    ("percent-encoded not UTF-8", GOOD + b"%ff", FORM, 400, "invalid_request", "UTF-8"),
    ("UTF-16", GOOD.decode().encode("utf-16"), FORM + "; charset=utf-16", 400, "invalid_request", "UTF-8"),
    ("NUL", GOOD + b"%00", FORM, 400, "invalid_request", "client_secret has a character"),
    ("NUL in the name", b"grant_type\0=client_credentials", FORM, 400, "invalid_request", "grant_type is missing"),
    ("a line break at the end", GOOD + b"%0D%0A", FORM, 400, "invalid_request", "client_secret has a character"),
    ("twice", GOOD + b"&client_secret=y", FORM, 400, "invalid_request", "client_secret is given more than once"),
    ("twice the same", GOOD + b"&client_secret=x", FORM, 400, "invalid_request", "client_secret is given more than once"),
    ("an unknown one twice", GOOD + b'&"=1&%22=2', FORM, 400, "invalid_request", "A parameter is given more than once"),
    ("grant type empty", b"grant_type=&client_id=x&client_secret=y", FORM, 400, "invalid_request", "grant_type is missing"),
    ("another grant type", b"grant_type=password&username=a&password=b", FORM, 400, "unsupported_grant_type", "client_credentials"),
    ("a refresh token", b"grant_type=refresh_token&refresh_token=a", FORM, 400, "unsupported_grant_type", "client_credentials"),
    ("no client id", b"grant_type=client_credentials&client_secret=x", FORM, 400, "invalid_request", "client_id is missing"),
    ("empty secret", GOOD[:-1], FORM, 401, "invalid_client", "Client Secret"),
    ("20 parameters", GOOD + b"&a=1" + b"&" * 16, FORM, 401, "invalid_client", "Client Secret"),
    ("21 parameters", GOOD + b"".join(b"&a%d=1" % n for n in range(18)), FORM, 400, "invalid_request", "20 parameters"),
    ("a hundred thousand", b"&".join([b"a"] * 30_000), FORM, 400, "invalid_request", "20 parameters"),
    ("64 KiB", GOOD + b"x" * (64 * 1024 - len(GOOD)), FORM, 401, "invalid_client", "Client Secret"),
    ("a byte more", GOOD + b"x" * (64 * 1024 - len(GOOD) + 1), FORM, 413, "invalid_request", "65536"),
    ("ten megabytes", b"x" * 10_000_000, FORM, 413, "invalid_request", "65536"),
]


@pytest.mark.parametrize(("body", "content_type", "status", "error", "says"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_bad_body_is_refused_and_says_why(
    oauth: OAuth, body: bytes, content_type: str | None, status: int, error: str, says: str
) -> None:
    answer = oauth.post(body, content_type)
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)
    assert says in answer.get_json()["error_description"]


@pytest.mark.parametrize(("size", "status"), [(64 * 1024 + 1, 413), (10_000_000, 413), (1000, 200)])
def test_a_body_in_chunks_has_the_same_limit(oauth: OAuth, size: int, status: int) -> None:
    body = urlencode({"grant_type": "client_credentials", "client_id": oauth.client_id, "client_secret": oauth.secret, "padding": ""})
    answer = oauth.app.test_client().post(
        "/oauth/token",
        input_stream=io.BytesIO(body.encode() + b"x" * (size - len(body))),
        content_type=FORM,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    check(answer)
    assert answer.status_code == status


names = st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "client_assertion", "client_assertion_type", "x"]) | st.text(
    max_size=5
)
values = st.sampled_from(["client_credentials", ASSERTION_TYPE, NOBODY, "scim.read"]) | st.text(max_size=20)
headers = st.none() | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30) | st.binary(max_size=30).map(
    lambda some: "Basic " + base64.b64encode(some).decode()
)  # fmt: skip


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(names, values), max_size=6), raw=st.none() | st.binary(max_size=80), header=headers)
def test_whatever_is_sent_the_answer_is_oauth_and_no_token(
    oauth: OAuth, store: Store, scope: Scope, pairs: list[tuple[str, str]], raw: bytes | None, header: str | None
) -> None:
    body = raw if raw is not None else urlencode(pairs).encode()
    answer = oauth.post(body, headers={} if header is None else {"Authorization": header})
    assert answer.status_code in (400, 401)
    with store.read(scope) as unit:
        assert {each.tag for each in unit.events.list(10)} == {"operator:tenant:created", "operator:credential:created"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_only_a_post_gives_a_token(app: Flask, method: str) -> None:
    answer = app.test_client().open("/oauth/token", method=method, data=GOOD, content_type=FORM)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    if method != "HEAD":
        check(answer)


def test_what_is_not_there_is_said_in_the_same_form(app: Flask) -> None:
    answer = app.test_client().post('/oauth/t\u00f6ken"\\', data=GOOD, content_type=FORM)
    check(answer)
    assert answer.status_code == 404
    assert "/oauth/token" in answer.get_json()["error_description"]
    options = app.test_client().options("/oauth/token")
    assert (options.status_code, set(options.headers["Allow"].split(", "))) == (200, {"POST", "OPTIONS"})


@pytest.mark.parametrize(
    ("public_url", "paths"),
    [("https://scim.example", [METADATA]), ("https://scim.example/gateway", [METADATA, f"{METADATA}/gateway"])],
)
def test_the_metadata_tell_a_client_all_that_it_needs(engine: Engine, public_url: str, paths: list[str]) -> None:
    client = new_app(engine, public_url=public_url).test_client()
    for path in paths:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.get_json() == {
            "issuer": public_url,
            "token_endpoint": f"{public_url}/oauth/token",
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["scim.read", "scim.write", "audit.read"],
        }
        assert client.head(path).status_code == 200
        assert (client.post(path).status_code, client.post(path).headers["Content-Type"]) == (405, "application/json")


def test_a_client_that_asks_at_full_speed_is_told_to_wait(engine: Engine, registry: Registry, scope: Scope, other_scope: Scope) -> None:
    app = new_app(engine)
    eager, calm = (new_oauth(app, registry, each.tenant_id) for each in (scope, other_scope))
    statuses = [eager.ask().status_code for _ in range(60)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses
    refused = next(answer for answer in (eager.ask() for _ in range(60)) if answer.status_code == 429)
    assert (refused.get_json()["error"], refused.headers["Retry-After"]) == ("temporarily_unavailable", "1")
    assert calm.ask().status_code == 200


@pytest.mark.parametrize("url", AWAY)
def test_while_the_database_is_away_a_client_is_told_to_come_back(url: str) -> None:
    oauth = OAuth(new_app(create_engine(url, pool_size=1)), NOBODY, opaque.new(CLIENT))
    answer = oauth.ask()
    assert (answer.status_code, answer.get_json()["error"], answer.headers["Retry-After"]) == (503, "temporarily_unavailable", "5")
    assert "nonexistent" not in answer.get_data(as_text=True)


def test_a_fault_of_ours_is_told_without_its_cause(oauth: OAuth, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: str) -> str:
        raise RuntimeError(f"no {kind} today")

    monkeypatch.setattr(opaque, "new", broken)
    body = urlencode({"grant_type": "client_credentials", "client_id": oauth.client_id, "client_secret": oauth.secret})
    answer = oauth.app.test_client().post("/oauth/token", data=body, content_type=FORM)
    assert (answer.status_code, answer.get_json()["error"]) == (500, "server_error")
    assert "today" not in answer.get_data(as_text=True)


def test_the_access_line_names_the_client_and_no_secret(oauth: OAuth, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    try:
        token = oauth.token()
        oauth.post("grant_type=client_credentials", headers=oauth.basic())
        oauth.ask(client_secret=oauth.secret + "x")
        oauth.ask(grant_type="password")
    finally:
        log.configure("WARNING")
    written = capsys.readouterr().err
    good, by_header, wrong, bad = (json.loads(line) for line in written.splitlines())
    assert good["credential"] == by_header["credential"] == oauth.client_id
    assert (good["path"], good["status"]) == ("/oauth/token", 200)
    assert good["tenant"].startswith("tenant-")
    assert (wrong["refusal"], bad["refusal"]) == ("unknown client secret", "unsupported_grant_type")
    assert not any(each in written for each in (token, oauth.secret, oauth.basic()["Authorization"][6:]))
