"""Every check of ``python -m conformance check`` that an RFC demands or recommends passes against a running server, under each profile."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from conformance.checks.catalogue import CHECKS
from conformance.checks.registry import Check, Level
from tests.server import ROOT, Server
from tests.standards.requirements import load

PROFILES = ("entra", "okta", "rfc")
LENIENT = {"patch.replace.unmatched"}
"""Checks that have nothing to look at where the server makes what a value path describes (docs/decisions: profiles)."""

KNOWN = load().keys()
"""A check may show more than the list has: what Entra's and Okta's users ask for."""

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """What each check found, by profile."""
    folder = tmp_path_factory.mktemp("black-box")
    server = Server(folder)
    server.start()
    try:
        return {profile: run(server, profile, folder / f"{profile}.json") for profile in PROFILES}
    finally:
        server.stop()


def run(server: Server, profile: str, report: Any) -> Results:
    server.cli("tenant", "create", profile, "--profile", profile)
    token = server.cli("credential", "create", "--tenant", profile)["token"]
    program = [sys.executable, "-m", "conformance", "check", "--base-url", server.base_url, "--token", token]
    subprocess.run([*program, "--json", str(report), "--quiet"], cwd=ROOT, capture_output=True, timeout=110, check=False)
    return {each["id"]: each for each in json.loads(report.read_text())["checks"]}


def profiles_of(check: Check) -> tuple[str, ...]:
    """Entra's dialect is understood where it is spoken."""
    return ("entra",) if check.group == "entra" else PROFILES


DEMANDED = [
    pytest.param(
        check,
        id=check.id,
        marks=[pytest.mark.check(check.id), pytest.mark.requirement(*(each for each in check.requirements if each in KNOWN))],
    )
    for check in CHECKS.values()
    if check.level is not Level.MAY
]


@pytest.mark.parametrize("check", DEMANDED)
def test_what_is_demanded_is_so(results: dict[str, Results], check: Check) -> None:
    for profile in profiles_of(check):
        found = results[profile][check.id]
        if found["outcome"] == "skipped" and check.id in LENIENT and profile != "rfc":
            continue
        assert found["outcome"] == "pass", (profile, found)
