"""The four ways in which Entra authenticates, each from the credential that the command makes to the end of the emulator's comparison.

The server is a process of its own, and so is the emulator, which in two of the ways plays Entra's token service, too: the server fetches
its keys from there. The emulator knows nothing of the server but what the command printed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.server import ROOT, Server, free_port
from tests.tenants import KEY

WAYS = ("secret", "client-basic", "client-post", "federated", "entra")
PROCESSES = 2
STRANGER = "5b7a1c3e-0d2f-4e6a-8b9c-7d5e3f1a2b4c"

Credential = Callable[[str], tuple[list[str], set[str]]]


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It lets issuers be on this machine."""
    directory = tmp_path_factory.mktemp("server")
    server = Server(directory, DATABASE_URL=database_url, WORKERS=str(PROCESSES), THREADS="4", ALLOW_CUSTOM_CLOUD="true", SECRET_KEYS=KEY)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def credential(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Credential:
    """By way, a credential of a tenant of its own: the emulator's options for it, and what of them is a secret."""
    key = tmp_path_factory.mktemp("issuer") / "key.pem"
    return cache(lambda way: new_credential(server, way, key))


def new_credential(server: Server, way: str, key: Path) -> tuple[list[str], set[str]]:
    """The issuer keeps its key, since the server keeps it, too."""
    tenant = f"tenant-{uuid4()}"
    server.cli("tenant", "create", tenant)

    def create(kind: str, *trust: str) -> dict[str, Any]:
        made: dict[str, Any] = server.cli("credential", "create", "--tenant", tenant, "--kind", kind, *trust)
        return made

    kind, _, location = way.partition("-")
    if kind == "secret":
        token = create(kind)["token"]
        return ["--auth", kind, "--token", token], {token}
    if kind == "client":
        made = create(kind)
        known = ["--token-url", made["token_url"], "--client-id", made["client_id"]]
        return ["--auth", kind, "--client-auth", location, "--client-secret", made["client_secret"], *known], {made["client_secret"]}
    port, tid = free_port(), str(uuid4())
    issuer = f"http://127.0.0.1:{port}/{tid}"
    signing = ["--issuer-port", str(port), "--issuer-key", str(key), "--tid", tid]
    if kind == "federated":
        subject, audience = str(uuid4()), f"api://{uuid4()}"
        made = create(kind, "--issuer", f"{issuer}/v2.0", "--subject", subject, "--audience", audience)
        known = ["--token-url", made["token_url"], "--client-id", made["client_id"], "--subject", subject, "--audience", audience]
        return ["--auth", kind, *known, *signing], set()
    create(kind, "--tid", tid, "--issuer", f"{issuer}/", "--jwks-uri", f"{issuer}/discovery/keys")
    return ["--auth", kind, *signing], set()


def emulate(server: Server, report: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "conformance", "entra", "--base-url", server.base_url, "--quiet", "--json", str(report), *options]
    command += ["--users", "50", "--groups", "5", "--cycles", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_the_emulator_converges(server: Server, credential: Credential, tmp_path: Path, way: str) -> None:
    report = tmp_path / "report.json"
    options, secrets = credential(way)
    status, output = emulate(server, report, *options)
    assert status == 0, output[-4000:]
    found = json.loads(report.read_text())
    assert found["differences"] == []
    assert found["failures"] == []
    assert found["remarks"] == {}
    assert found["server_errors"] == 0
    assert "401" not in found["statuses"]
    told = found["authentication"]
    assert told["way"] == way.partition("-")[0]
    assert told["tokens_fetched"] == (0 if way == "secret" else 1)
    assert told.get("keys_fetched", 0) <= PROCESSES, "each process of the server fetches the keys once, and keeps them"
    assert f"--auth {told['way']}" in output
    for text in (output, report.read_text()):
        assert not [secret for secret in secrets if secret in text]
        assert not re.search(r"eyJ[\w-]{20,}|scim_access_", text), "a token is shown"


@pytest.mark.parametrize(
    ("way", "option", "wrong"),
    [
        pytest.param("secret", "--token", "scim_" + "x" * 43, id="token"),
        pytest.param("client-basic", "--client-secret", "scim_client_" + "x" * 43, id="client-secret"),
        pytest.param("client-post", "--client-id", STRANGER, id="client-id"),
        pytest.param("federated", "--subject", STRANGER, id="subject"),
        pytest.param("federated", "--audience", f"api://{STRANGER}", id="audience"),
        pytest.param("entra", "--tid", STRANGER, id="tid"),
    ],
)
def test_whoever_is_somebody_else_is_refused_at_once(
    server: Server, credential: Credential, tmp_path: Path, way: str, option: str, wrong: str
) -> None:
    """Nothing is made, and the emulator says who refuses: the token endpoint, or the SCIM endpoint."""
    options = list(credential(way)[0])
    options[options.index(option) + 1] = wrong
    status, _ = emulate(server, tmp_path / "report.json", *options)
    assert status == 2
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["differences"] is None
    assert found["resources"] == {"users": 0, "groups": 0}
    if way in ("secret", "entra"):
        assert "401, the credential is refused" in found["stopped"]
    else:
        assert re.search(r"the token endpoint \S+ refuses: 40[01] invalid_client", found["stopped"])


@pytest.mark.parametrize("size", [300, 12_000, 20_000])
def test_a_token_of_any_size_is_refused_alike(server: Server, size: int) -> None:
    """And recorded: not by the WSGI server in its own words."""
    before = len(server.cli("audit", "list", "--server", "--limit", "10000"))
    for token in ("x" * size, f"eyJhbGciOiJSUzI1NiJ9.{'x' * size}.x"):
        request = urllib.request.Request(f"{server.base_url}/Users", headers={"Authorization": f"Bearer {token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        with refused.value as answer:
            assert answer.code == 401
            assert json.load(answer)["detail"].startswith("A valid bearer token is needed.")
    assert len(server.cli("audit", "list", "--server", "--limit", "10000")) == before + 2
