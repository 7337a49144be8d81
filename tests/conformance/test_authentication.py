"""The options: what belongs to which way, and that no secret of them gets into a report. Whole runs of both commands."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from conformance import authentication
from conformance.checker.cli import main as check
from conformance.entra.cli import main as entra
from conformance.entra.cli import parser
from conformance.issuer import Issuer
from tests.conformance.checked_server import Small, serving
from tests.conformance.fake import Fake
from tests.conformance.token_endpoint import Answer, TokenEndpoint, token
from tests.server import free_port

TID = "5b7a1c3e-0d2f-4e6a-8b9c-7d5e3f1a2b4c"
SECRET = "the-secret-of-the-client"
CLIENT = ("--auth", "client", "--client-id", "i")
FEDERATED = ("--auth", "federated", "--client-id", "i", "--tid", TID, "--subject", "s", "--audience", "api://a")
URL = ("--token-url", "http://127.0.0.1:9/token")


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCIM_TOKEN", raising=False)
    monkeypatch.delenv("SCIM_CLIENT_SECRET", raising=False)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--auth secret needs --token or the environment variable SCIM_TOKEN"),
        (["--token", ""], "--auth secret needs --token"),
        (["--token", "t", "--tid", TID], "--auth secret has no use for --tid"),
        (["--token", "a\nb"], "--token has characters in it"),
        (["--token", "\u200bt"], "--token has characters in it"),
        ([*CLIENT], "--auth client needs --token-url, --client-secret (or --client-secret-file) or the environment variable"),
        ([*CLIENT, *URL, "--client-secret", "s", "--token", "t"], "--auth client has no use for --token;"),
        ([*CLIENT, *URL, "--client-secret", "s", "--client-secret-file", "f"], "not both"),
        ([*CLIENT, *URL, "--client-secret-file", "no-such-file"], "no-such-file cannot be read"),
        ([*CLIENT, "--token-url", "ftp://h", "--client-secret", "s"], "not an http(s) URL of a token endpoint"),
        ([*CLIENT, *URL, "--client-secret", "s", "--client-auth", "digest"], "--client-auth"),
        ([*FEDERATED, *URL], "--auth federated needs --issuer-port"),
        ([*FEDERATED, *URL, "--issuer-port", "0"], "from 1 to 65535"),
        ([*FEDERATED, *URL, "--issuer-port", "1", "--client-auth", "post"], "--auth federated has no use for --client-auth"),
        (["--auth", "entra"], "--auth entra needs --issuer-port, --tid"),
        (["--auth", "entra", "--issuer-port", "8999", "--tid", "common"], "--tid: the id of a directory is a GUID"),
        (["--auth", "entra", "--issuer-port", "8999", "--tid", TID, "--issuer-key", "no/such/folder/key"], "--issuer-key"),
        (["--auth", "entra", "--issuer-port", "8999", "--tid", TID, "--token-url", "x"], "has no use for --token-url"),
        (["--auth", "kerberos"], "--auth"),
    ],
)
def test_what_is_missing_or_of_no_use_is_named(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        entra(["--base-url", "http://127.0.0.1:9", *arguments])
    assert caught.value.code == 2
    assert complaint in " ".join(capsys.readouterr().err.split())
    assert check(["--base-url", "http://127.0.0.1:9", *arguments]) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ["--auth", "entra", "--issuer-port", str(taken.getsockname()[1]), "--tid", TID]
        assert check(["--base-url", "http://127.0.0.1:9", *arguments]) == 2
    assert "cannot be listened on" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"x" * 9000, b"\xff\xfe", b"two\nlines", b"\n"])
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    assert check(["--base-url", "http://127.0.0.1:9", *CLIENT, *URL, "--client-secret-file", str(file)]) == 2


@pytest.mark.parametrize("way", ["option", "file", "environment"])
def test_where_the_client_secret_may_come_from(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    if way == "environment":
        monkeypatch.setenv("SCIM_CLIENT_SECRET", SECRET)
    more = {"option": ["--client-secret", SECRET], "file": ["--client-secret-file", str(file)], "environment": []}[way]
    with TokenEndpoint() as endpoint, Fake() as fake:
        arguments = [*CLIENT, "--token-url", endpoint.url, "--client-auth", "post", *more]
        assert entra(["--base-url", fake.url, *arguments, "--users", "1", "--groups", "0", "--cycles", "0", "--quiet"]) == 0
    assert endpoint.asked[0].form["client_secret"] == SECRET


def run(fake: Fake, report: Path, *arguments: str) -> int:
    small = ["--users", "10", "--groups", "2", "--cycles", "1", "--quiet", "--json", str(report)]
    return entra(["--base-url", fake.url, *arguments, *small])


def test_the_ways_of_a_whole_run_and_what_is_told_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the way, the report names it; the token that the fake server was shown is nowhere in it."""
    port = str(free_port())
    signing = ["--issuer-port", port, "--tid", TID]
    for way, arguments, scope, tokens in (
        ("secret", ["--token", "the-token-that-was-pasted"], None, 0),
        ("client", [*CLIENT, "--client-secret", SECRET], None, 1),
        ("client", [*CLIENT, "--client-secret", SECRET, "--scope", "scim.write"], "scim.write", 1),
        ("federated", [*FEDERATED, *signing], "scim", 1),
        ("federated", [*FEDERATED, *signing, "--scope", ""], None, 1),
        ("entra", ["--auth", "entra", *signing], None, 1),
    ):
        report = tmp_path / "report.json"
        with TokenEndpoint() as endpoint, Fake() as fake:
            exchanged = ["--token-url", endpoint.url] if way in ("client", "federated") else []
            assert run(fake, report, *arguments, *exchanged) == 0
        found = json.loads(report.read_text())
        told = found["authentication"]
        assert (told["way"], told["tokens_fetched"]) == (way, tokens)
        assert told.get("keys_fetched") == (0 if way in ("federated", "entra") else None)  # the fake looks at no signature
        assert found["remarks"] == {}
        output = capsys.readouterr().out
        assert f"(--auth {way})" in output
        shown = fake.seen[0][2]["Authorization"].removeprefix("Bearer ")
        secrets = [shown, SECRET, *(asked.form.get("client_assertion", shown) for asked in endpoint.asked)]
        for text in (output, report.read_text()):
            assert not [secret for secret in secrets if secret in text]
        assert [asked.form.get("scope") for asked in endpoint.asked] == ([scope] if exchanged else [])


def test_the_token_is_renewed_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """A server that forgets every token after some requests, as one does whose key is changed: it converges all the same."""
    with TokenEndpoint() as endpoint, Fake() as fake:
        fake.fault = lambda method, path, number: 401 if number % 20 == 10 else None
        arguments = [*CLIENT, "--client-secret", SECRET, "--token-url", endpoint.url]
        assert run(fake, tmp_path / "report.json", *arguments) == 0
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["differences"] == []
    assert found["statuses"]["401"] > 2
    assert found["authentication"]["tokens_fetched"] > 2
    assert len({headers["Authorization"] for _, _, headers, _ in fake.seen}) == found["authentication"]["tokens_fetched"]


def test_an_endpoint_that_refuses_ends_the_run(tmp_path: Path) -> None:
    with TokenEndpoint(lambda number: Answer({"error": "invalid_client"}, 401)) as endpoint, Fake() as fake:
        assert run(fake, tmp_path / "report.json", *CLIENT, "--client-secret", SECRET, "--token-url", endpoint.url) == 2
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["stopped"] == f"the token endpoint {endpoint.url} refuses: 401 invalid_client"
    assert fake.seen == []
    assert len(endpoint.asked) == 1


# -- the graded checks -----------------------------------------------------------------------------------------------


def test_the_checks_run_with_a_token_that_was_fetched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that lets everybody in fails some of them, and their evidence has the token in it, were it not redacted."""
    report, fetched = tmp_path / "report.json", "a-token+that/was.fetched"
    with TokenEndpoint(lambda number: token(fetched)) as endpoint, serving(Small(faults={"open"})) as small:
        arguments = [*CLIENT, "--client-secret", SECRET, "--token-url", endpoint.url, "--json", str(report)]
        assert check(["--base-url", small.base_url, *arguments, "--only", "users.create.status", "auth"]) == 1
    assert json.loads(report.read_text())["authentication"] == {"way": "client", "tokens_fetched": 1}
    shown = capsys.readouterr().out
    assert "(--auth client), 1 token fetched" in shown
    for text in (shown, report.read_text()):
        assert "[token]" in text
        assert not [secret for secret in (fetched, quote(fetched), quote(fetched, safe=""), SECRET) if secret in text]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Answer({"error": "invalid_client"}, 401), "refuses: 401 invalid_client"),
        (Answer({}, 503), "cannot be reached: 503"),
    ],
)
def test_no_token_no_checks(answer: Answer, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with TokenEndpoint(lambda number: answer) as endpoint, serving(Small()) as small:
        exchanged = [*CLIENT, "--client-secret", SECRET, "--token-url", endpoint.url]
        assert check(["--base-url", small.base_url, *exchanged, "--only", "auth"]) == 2
    assert small.requests == []
    assert complaint in " ".join(capsys.readouterr().err.split())


# -- the issuer's key ------------------------------------------------------------------------------------------------


def test_the_issuers_key_is_kept_where_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "issuer.pem"
    kids = []
    for _ in range(2):
        arguments = ["--auth", "entra", "--issuer-port", str(free_port()), "--tid", TID, "--issuer-key", str(file)]
        options = parser().parse_args(["--base-url", "http://h", *arguments])
        with authentication.opened(options) as way:
            assert isinstance(way.issuer, Issuer)
            kids.append(way.issuer.kid)
    assert kids[0] == kids[1]
