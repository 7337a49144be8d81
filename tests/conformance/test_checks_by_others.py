"""Credentials besides the first: of another tenant, of a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.checker.catalogue import CHECKS
from conformance.checker.cli import main
from conformance.checker.offer import OTHER, Offer
from conformance.checker.probe import Probe
from conformance.checker.runner import Outcome
from conformance.wire import Wire
from tests.conformance.conftest import NEEDED, USER, Site
from tests.conformance.tampered import Ask, Came, Sent, refusal, right

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def command(site: Site, *more: str) -> int:
    return main(["--base-url", site.server.base_url, "--token", site.tokens["own"], *more])


def test_without_another_credential_isolation_is_skipped(site: Site, tmp_path: Path) -> None:
    assert command(site, "--only", "isolation", "--quiet", "--json", str(tmp_path / "r.json")) == 0
    checks = json.loads((tmp_path / "r.json").read_text())["checks"]
    assert {one["outcome"] for one in checks} == {"skipped"}
    assert {one["reason"] for one in checks} == {"there is no credential of another tenant (--other-token)"}


@pytest.mark.parametrize("way", ["option", "environment"])
def test_another_credential_shows_isolation_and_is_never_shown_itself(
    site: Site, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, token = [tmp_path / "r.json", tmp_path / "r.xml"], site.tokens["other"]
    options = ["--other-token", token] if way == "option" else []
    if way == "environment":
        monkeypatch.setenv("SCIM_OTHER_TOKEN", token)
    assert command(site, "--only", "isolation", *options, "--json", str(files[0]), "--junit", str(files[1])) == 0
    outcomes = {one["id"]: one["outcome"] for one in json.loads(files[0].read_text())["checks"]}
    assert {id for id, outcome in outcomes.items() if outcome != "pass"} == set()
    # A server that says back what it was sent.
    site.server.fault = lambda sent, ask: refusal(404, detail=str(sent.headers))
    probe = Probe(Wire(site.server.base_url, site.tokens["own"]), Offer(), "tag", {OTHER: (Wire(site.server.base_url, token), Offer())})
    try:
        said = [probe.get("/Users").came, probe.other.get("/Users").came, probe.other.get(f"/Users/{token}").sent]
    finally:
        site.server.fault = right
        for each_probe in (probe, probe.other):
            each_probe.clean()
            each_probe.wire.close()
    shown = capsys.readouterr()
    for text in (shown.out, shown.err, *said, *(file.read_text() for file in files)):
        assert not any(secret in text for secret in site.tokens.values())
    assert all("[token]" in text for text in said)
    assert len(probe.conversation) == 3  # both speak in one conversation


@pytest.mark.parametrize(
    ("option", "token", "complaint"),
    [
        ("--other-token", "nonsense", "refuses the token of another tenant: GET"),
        ("--me-token", "nonsense", "refuses the token of a person: GET"),
        ("--other-token", "b\u00e4d", "the value of --other-token has characters"),
    ],
)
def test_another_credential_that_is_refused_is_usage(
    site: Site, option: str, token: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(site, option, token, "--only", "users.create.status") == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_what_another_tenant_was_left_with_is_swept(site: Site) -> None:
    """Both tenants have what a check made in them removed, also where its DELETE was refused at first."""
    refused: list[str] = []

    def reluctant(sent: Sent, ask: Ask) -> Came:
        if sent.method == "DELETE" and sent.path not in refused:
            refused.append(sent.path)
            return refusal(503)
        return ask(sent)

    assert site.run(CHECKS["isolation.names"], reluctant).outcome is Outcome.PASS
    assert len(refused) == 2
    with Wire(site.server.base_url, site.tokens["other"], timeout=20) as wire:
        names = [one["userName"] for one in wire.request("GET", "/Users").json()["Resources"]]
    assert not any(path.rpartition("/")[2] in str(names) for path in refused)


def test_what_the_schemas_require_is_sent(site: Site) -> None:
    body = Probe(Wire(site.server.base_url, None), site.offers["needed"], "tag").user_body("ann", enterprise={"department": "Ops"})
    assert set(body) == {"schemas", "userName", NEEDED, ENTERPRISE}
    assert body["schemas"] == [USER, NEEDED, ENTERPRISE]
    assert body[NEEDED]["badge"].startswith("tag-ann")
