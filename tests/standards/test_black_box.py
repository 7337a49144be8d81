"""Every check of ``python -m conformance check`` that an RFC demands or recommends passes against a running server, under each profile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Container
from pathlib import Path
from typing import Any

import pytest

from conformance.checker.catalogue import CHECKS
from conformance.checker.registry import Check, Level
from tests.http.acme import ATTRIBUTES
from tests.server import ROOT, Server
from tests.standards.requirements import load

PROFILES = ("entra", "okta", "rfc")
LENIENT = {"patch.replace.unmatched": "skipped", "users.certificates.two": "fail"}
"""How checks end where a tenant is lenient (docs/decisions: profiles): the server makes what a value path describes, and takes
certificates as they come."""

NOTHING_TO_SEE = {
    "auth.tls": "TLS ends at the proxy in front",
    "me.location": "a client is nobody at /Me; people are, in tests/oidc/test_me_over_scim.py",
    "me.projection": "as before",
    "me.version": "as before",
    "me.change": "as before",
}
"""Checks that are skipped, and why."""

FREE = {
    "groups.same-name": "fail",  # docs/decisions: group-names-are-unique
    "filters.refused.capital": "fail",  # TRUE is true
    "address.version.none": "skipped",  # there is no address without a version
    "me.redirect": "skipped",  # /Me is answered, not redirected
    "discovery.types.other": "skipped",  # there are none
    **{f"features.{feature}": "skipped" for feature in ("bulk", "patch", "filter", "sort", "etag")},  # all there
}
"""How checks of what a server is free to do end, where they do not pass."""
# A name that PRECIS refuses is compared by its compatible letters instead.
TAKES_TEXT = {"users.name.ligature": "fail", "users.country": "fail", "values.boolean.text": "fail", "patch.schemas.unknown": "fail"}
ENTRA = {
    "filters.refused.unquoted": "fail",
    "filters.refused.literal": "fail",
    "values.integer.text": "fail",
    "values.decimal.text": "fail",
    "patch.add.null": "fail",
}
FREE_UNDER: dict[str, dict[str, str]] = {"rfc": {}, "okta": TAKES_TEXT, "entra": TAKES_TEXT | ENTRA}

OWN = [*ATTRIBUTES, {"name": "number", "mutability": "readOnly", "required": True}]
NEEDED = [{"name": "badge", "uniqueness": "server", "required": True}]

KNOWN = load().keys()
"""A check may show more than the list has: what Entra's and Okta's users ask for."""

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """What each check found, by profile: of a tenant with attributes of every kind, beside another tenant. Whether what an extension
    requires is required is found of a third, since all its users must have it."""
    folder = tmp_path_factory.mktemp("black-box")
    for name, attributes in (("own", OWN), ("needed", NEEDED)):
        definition = {"id": f"urn:example:{name}:User", "name": name, "attributes": attributes}
        (folder / f"{name}.json").write_text(json.dumps(definition))
    server = Server(folder)
    server.start()
    try:
        other = new_tenant(server, "other", "rfc")
        return {profile: run(server, profile, folder, other) for profile in PROFILES}
    finally:
        server.stop()


def new_tenant(server: Server, name: str, profile: str, *schema: str) -> str:
    """The token of a client of a new tenant, which has the schema."""
    server.cli("tenant", "create", name, "--profile", profile)
    if schema:
        server.cli("schema", "add", "--tenant", name, "--file", *schema)
    return str(server.cli("credential", "create", "--tenant", name)["token"])


def run(server: Server, profile: str, folder: Path, other: str) -> Results:
    own = new_tenant(server, profile, profile, str(folder / "own.json"))
    needed = new_tenant(server, f"{profile}-needed", profile, str(folder / "needed.json"), "--required")
    return check(server, own, folder / f"{profile}.json", "--other-token", other) | check(
        server, needed, folder / f"{profile}-needed.json", "--only", "required.extension"
    )


def check(server: Server, token: str, report: Path, *more: str) -> Results:
    program = [sys.executable, "-m", "conformance", "check", "--base-url", server.base_url, "--token", token]
    subprocess.run([*program, "--json", str(report), "--quiet", *more], cwd=ROOT, capture_output=True, timeout=110, check=False)
    return {each["id"]: each for each in json.loads(report.read_text())["checks"]}


def profiles_of(check: Check) -> tuple[str, ...]:
    """Entra's dialect is understood where it is spoken."""
    return ("entra",) if check.group == "entra" else PROFILES


def named(check: Check, *, but: Container[str] = ()) -> Any:
    """The check as a case that shows its requirements, unless its outcome is no pass."""
    shown = () if check.id in but else [each for each in check.requirements if each in KNOWN]
    return pytest.param(check, id=check.id, marks=[pytest.mark.check(check.id), *([pytest.mark.requirement(*shown)] if shown else [])])


DEMANDED = [named(each) for each in CHECKS.values() if each.level is not Level.MAY and each.id not in NOTHING_TO_SEE]


@pytest.mark.timeout(360)  # the first waits for the runs of all profiles
@pytest.mark.parametrize("check", DEMANDED)
def test_what_is_demanded_is_so(results: dict[str, Results], check: Check) -> None:
    for profile in profiles_of(check):
        found = results[profile][check.id]
        wanted = LENIENT.get(check.id, "pass") if profile != "rfc" else "pass"
        assert found["outcome"] == wanted, (profile, found)


def test_what_is_skipped_is_known(results: dict[str, Results]) -> None:
    for profile in PROFILES:
        skipped = {id for id, found in results[profile].items() if found["outcome"] == "skipped" and CHECKS[id].level is not Level.MAY}
        lenient = {id for id, outcome in LENIENT.items() if outcome == "skipped" and profile != "rfc"}
        assert skipped == NOTHING_TO_SEE.keys() | lenient


@pytest.mark.timeout(360)
@pytest.mark.parametrize("check", [named(each, but=FREE) for each in CHECKS.values() if each.level is Level.MAY])
def test_how_freedom_is_used(results: dict[str, Results], check: Check) -> None:
    """What the RFCs leave open is done as the check has it, but for those in the tables above."""
    for profile in PROFILES:
        assert results[profile][check.id]["outcome"] == (FREE | FREE_UNDER[profile]).get(check.id, "pass"), results[profile][check.id]


def test_the_tables_of_freedom_name_checks_of_that_kind() -> None:
    for id in {id for table in (FREE, *FREE_UNDER.values()) for id in table}:
        assert CHECKS[id].level is Level.MAY
