"""``directory add``, ``list``, ``remove``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from scim_server import log
from scim_server.cli import main
from scim_server.store.engine import create_engine
from scim_server.store.registry import Registry
from scim_server.store.registry.grants import Trust
from scim_server.tenancy.keys import generate
from tests.cli.conftest import Command, answer, done, refusal
from tests.oidc.conftest import new_certificate
from tests.tenants import OPERATOR

KEY = generate()
CLIENT = "6731de76-14a6-49ae-97bc-6eba6914391e"
CUSTOM = ("--cloud", "custom", "--authority", "http://127.0.0.1:9000", "--graph", "https://graph.example/")


@pytest.fixture
def cli(url: str, tmp_path: Path) -> Iterator[Command]:
    environ = {"DATABASE_URL": url, "DATA_DIR": str(tmp_path / "data"), "LOG_LEVEL": "ERROR", "SECRET_KEYS": KEY, "ALLOW_CUSTOM_CLOUD": ""}
    yield lambda *arguments, given=None, **more: CliRunner().invoke(main, arguments, input=given, env={**environ, **more})
    log.configure("INFO")


@pytest.fixture
def tid() -> str:
    return str(uuid4())


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    engine = create_engine(url, pool_size=1)
    yield Registry(engine)
    engine.dispose()


def test_a_directory_is_added_and_listed(cli: Command, tenant: str, tid: str) -> None:
    assert "directory add --tenant" in done(cli("directory", "list", "--tenant", tenant))
    added = answer(cli("directory", "add", "--tenant", tenant, "--tid", tid.upper(), "--label", "Staff", "--json"))
    created = added.pop("created")
    assert added == {
        "id": added["id"],
        "tenant": tenant,
        "cloud": "global",
        "tid": tid,
        "label": "Staff",
        "client_id": None,
        "credential": None,
        "certificate_expires": None,
        "authority": "https://login.microsoftonline.com",
        "graph": "https://graph.microsoft.com",
    }
    assert answer(cli("directory", "list", "--tenant", tenant, "--json")) == [{**added, "created": created}]
    assert {**added, "created": created} in answer(cli("directory", "list", "--json"))
    assert tid in done(cli("directory", "list"))
    assert answer(cli("audit", "list", "--tenant", tenant, "--json"))[0]["event"] == "operator:directory:added"


def test_a_secret_comes_from_a_file_or_standard_input(cli: Command, tenant: str, tid: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first~s3cret\r\n")
    base = ("directory", "add", "--tenant", tenant, "--tid", tid, "--client-id", CLIENT, "--client-secret-file")
    outputs = [done(cli(*base, str(file))), done(cli(*base, "-", "--json", given="second~s3cret\n"))]
    outputs += [done(cli("directory", "list", "--json")), done(cli("audit", "list", "--tenant", tenant, "--json"))]
    assert not any("s3cret" in each for each in outputs)
    assert answer(cli("directory", "list", "--tenant", tenant, "--json"))[0]["credential"] == "secret"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000, b"two words"])
def test_a_file_that_holds_no_secret_is_refused(cli: Command, tenant: str, tid: str, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    told = refusal(cli("directory", "add", "--tenant", tenant, "--tid", tid, "--client-id", CLIENT, "--client-secret-file", str(file)))
    assert "client secret" in told
    assert str(tmp_path) not in told
    assert answer(cli("directory", "list", "--tenant", tenant, "--json")) == []


def test_a_secret_is_no_option(cli: Command, tenant: str, tid: str) -> None:
    refusal(cli("directory", "add", "--tenant", tenant, "--tid", tid, "--client-id", CLIENT, "--client-secret", "s3cret"), 2)


def test_a_secret_needs_a_key(cli: Command, tenant: str, tid: str, url: str, tmp_path: Path) -> None:
    base = ("directory", "add", "--tenant", tenant, "--tid", tid, "--client-id", CLIENT, "--client-secret-file", "-")
    file = tmp_path / "data" / "secret.keys"
    if url.startswith("sqlite"):
        refused = cli(*base, given="s3cret", SECRET_KEYS="", SECRET_KEYS_FILE=str(tmp_path / "named"))
    else:
        refused = cli(*base, given="s3cret", SECRET_KEYS="")
    assert "keys generate" in refusal(refused)
    assert not file.exists()
    assert not (tmp_path / "named").exists()


def test_adding_again_changes_or_says_that_there_is_nothing_to(cli: Command, tenant: str, tid: str) -> None:
    base = ("directory", "add", "--tenant", tenant, "--tid", tid)
    first = answer(cli(*base, "--json"))
    assert "this tenant's already" in refusal(cli(*base))
    changed = answer(cli(*base, "--client-id", CLIENT, "--json"))
    assert changed == {**first, "client_id": CLIENT}
    assert "is changed" in done(cli(*base, "--label", "Staff"))


def test_anothers_directory_is_refused_without_saying_whose(cli: Command, tenant: str, tid: str) -> None:
    done(cli("tenant", "create", "Fabrikam " + tid))
    done(cli("directory", "add", "--tenant", "Fabrikam " + tid, "--tid", tid))
    told = refusal(cli("directory", "add", "--tenant", tenant, "--tid", tid))
    assert "another tenant's" in told
    assert "Fabrikam" not in told
    told = refusal(cli("directory", "remove", "--tenant", tenant, "--tid", tid))
    assert "directory list" in told
    assert "Fabrikam" not in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--tid", "contoso.com"), "GUID"),
        (("--tid", "9188040d-6c67-4c5b-b112-36a304b66dad"), "personal"),
        (("--tid", str(uuid4()), *CUSTOM), "ALLOW_CUSTOM_CLOUD"),
        (("--tid", str(uuid4()), "--client-id", "app"), "client id"),
    ],
)
def test_what_cannot_be_is_refused(cli: Command, tenant: str, options: tuple[str, ...], told: str) -> None:
    assert told in refusal(cli("directory", "add", "--tenant", tenant, *options))


def test_a_custom_cloud_where_it_is_allowed(cli: Command, tenant: str, tid: str) -> None:
    added = answer(cli("directory", "add", "--tenant", tenant, "--tid", tid, *CUSTOM, "--json", ALLOW_CUSTOM_CLOUD="true"))
    assert (added["authority"], added["graph"]) == ("http://127.0.0.1:9000", "https://graph.example")
    done(cli("directory", "remove", "--tenant", tenant, "--tid", tid))


def test_an_unknown_tenant_is_told(cli: Command, tid: str) -> None:
    for command in (("add", "--tid", tid), ("remove", "--tid", tid), ("list",)):
        assert "tenant list" in refusal(cli("directory", *command, "--tenant", "nobody"))


def test_a_directory_is_removed_when_no_credential_needs_it(cli: Command, tenant: str, tid: str, registry: Registry) -> None:
    added = answer(cli("directory", "add", "--tenant", tenant, "--tid", tid, "--json"))
    owner = registry.tenants.get(tenant)
    assert owner is not None
    trust = Trust(f"https://sts.windows.net/{tid}/", None, ("a",), None, added["id"])
    live = registry.credentials.create(owner.id, "entra", OPERATOR, label="", scopes=frozenset(), expires=None, trust=trust)
    base = ("directory", "remove", "--tenant", tenant, "--tid", tid)
    assert f"credential revoke {live.id}" in refusal(cli(*base))
    done(cli("credential", "revoke", live.id))
    assert answer(cli(*base, "--json")) == {"id": added["id"], "tid": tid, "cloud": "global", "removed": True, "sessions_ended": 0}
    assert "directory list" in refusal(cli(*base))


def test_a_certificate_in_place_of_a_secret(cli: Command, tenant: str, tmp_path: Path) -> None:
    """Each ends the other; a certificate without its key is of no use."""
    certificate, key = new_certificate(days=10)
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "secret").write_text("s3cret")
    tid, client = str(uuid4()), str(uuid4())
    where = ("directory", "add", "--tenant", tenant, "--tid", tid)
    files = ("--client-certificate-file", str(tmp_path / "cert.pem"), "--client-key-file", str(tmp_path / "key.pem"))
    keys = {"SECRET_KEYS": generate()}
    made = answer(cli(*where, "--client-id", client, *files, "--json", **keys))
    assert made["credential"] == "certificate"
    assert made["certificate_expires"]
    assert key.decode() not in str(made)
    assert "certificate" in done(cli("directory", "list", "--tenant", tenant, **keys))
    secret = ("--client-secret-file", str(tmp_path / "secret"))
    assert answer(cli(*where, *secret, "--json", **keys))["credential"] == "secret"
    assert answer(cli(*where, *files, "--json", **keys))["credential"] == "certificate"
    refusal(cli(*where, *files[:2], **keys), 2)
    refusal(cli(*where, *files, *secret, **keys), 2)
    assert "openssl" in refusal(cli(*where, *files[:3], str(tmp_path / "secret"), **keys))
    told = cli("doctor", "--offline", **keys)
    assert "Certificates that ended, or end within 30 days" in told.output
