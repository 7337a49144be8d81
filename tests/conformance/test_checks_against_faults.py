"""The checks that need more of a server than the small one has: the real one passes each, and with the fault that it is for fails it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conformance.checker.catalogue import CHECKS
from conformance.checker.runner import Outcome, Result
from conformance.wire import Wire
from tests.conformance import faults
from tests.conformance.conftest import Site
from tests.conformance.fault_table import OF_ONESELF, OF_TENANTS, RIGHT, TALKATIVE, WRONG
from tests.conformance.tampered import Fault, both, right, saying


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.checks.cursor.PATIENCE_S", 0.05)


def failed(result: Result) -> bool:
    return result.outcome is Outcome.FAIL and bool(result.sent and result.expected and result.came)


@pytest.mark.parametrize(("id", "fault"), [pytest.param(id, fault, id=f"{id}-{number}") for number, (id, fault) in enumerate(WRONG)])
def test_a_wrong_server_fails(site: Site, id: str, fault: Fault) -> None:
    result = site.run(CHECKS[id], fault)
    assert failed(result), (result.outcome, result.reason)


@pytest.mark.parametrize("id", [id for id in RIGHT if id not in dict(WRONG)])
def test_the_server_as_it_is_fails(site: Site, id: str) -> None:
    assert failed(site.run(CHECKS[id], right))


@pytest.mark.parametrize("id", OF_TENANTS)
def test_a_server_without_tenants_fails(site: Site, id: str) -> None:
    result = site.run(CHECKS[id], site.tenants.none)
    assert failed(result), (result.outcome, result.reason)


@pytest.mark.parametrize("id", TALKATIVE)
def test_a_server_that_tells_of_other_tenants_fails(site: Site, id: str) -> None:
    assert failed(site.run(CHECKS[id], site.tenants.talkative))


@pytest.mark.parametrize(("id", "fault"), [pytest.param(id, fault, id=id) for id, fault in OF_ONESELF])
def test_a_server_with_a_wrong_me_fails(site: Site, id: str, fault: Fault) -> None:
    oneself = faults.somebody(site.user_id)
    assert site.run(CHECKS[id], oneself).outcome is Outcome.PASS
    assert failed(site.run(CHECKS[id], both(fault, oneself)))


def test_a_redirected_me(site: Site) -> None:
    check = CHECKS["me.redirect"]
    assert site.run(check, faults.redirects(site.user_id)).outcome is Outcome.PASS
    assert failed(site.run(check, faults.redirects(site.user_id, "/Nowhere")))
    skipped = site.run(CHECKS["me.location"], faults.redirects(site.user_id))
    assert (skipped.outcome, "redirects" in skipped.reason) == (Outcome.SKIPPED, True)


def test_a_server_in_the_open_without_tls_fails(site: Site) -> None:
    """0.0.0.0 is this machine, and no address of the loopback."""
    assert site.run(CHECKS["auth.tls"], right).outcome is Outcome.SKIPPED
    assert failed(site.run(CHECKS["auth.tls"], right, host="0.0.0.0"))


HERE = sorted({*dict(WRONG), *RIGHT, *OF_TENANTS, *TALKATIVE})


@pytest.mark.parametrize("id", HERE)
def test_the_right_server_passes(site: Site, id: str) -> None:
    result = site.run(CHECKS[id], RIGHT.get(id, right))
    assert result.outcome is Outcome.PASS, (result.reason, result.expected, result.came)


def scrambled(value: Any) -> Any:
    """Nothing is of the type that it should be."""
    if isinstance(value, dict):
        return {name: scrambled(inner) if name != "schemas" else inner for name, inner in value.items()}
    if isinstance(value, list):
        return {"0": scrambled(value[0])} if value else "none"
    return [value] if isinstance(value, str) else str(value)


def elements(value: Any) -> Any:
    """Arrays have other things in them than they should."""
    if isinstance(value, dict):
        return {name: elements(inner) if name != "schemas" else inner for name, inner in value.items()}
    return [*map(elements, value), None, 5, "x", []] if isinstance(value, list) else value


SHAPES = {
    "scrambled": saying(scrambled, "GET"),
    "elements": saying(elements, "GET"),
    "scrambled bulk": saying(scrambled, start="/Bulk"),
    "elements of bulk": saying(elements, start="/Bulk"),
    "a cursor that is none": saying(lambda body: body | {"nextCursor": 5} if "Resources" in body else body),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_check_brings_itself_down(site: Site, shape: str) -> None:
    """Whatever the server says, a check ends in a verdict, not in a fault of its own."""
    start = "bulk." if "bulk" in shape else "cursor." if "cursor" in shape else ""
    results = [site.run(CHECKS[id], both(SHAPES[shape], RIGHT.get(id, right))) for id in HERE if id.startswith(start)]
    own = [f"{one.check.id}: {one.reason}" for one in results if re.match(r"[A-Za-z]*(Error|Exception): ", one.reason)]
    assert own == []


def test_every_check_of_these_groups_has_its_fault() -> None:
    """Those of the small server are in `test_checks`."""
    tested = {*HERE, *dict(OF_ONESELF), "me.redirect", "auth.tls"}
    groups = {"address", "root", "cursor", "values", "immutable", "readonly", "returned", "unique", "several", "required", "published"}
    groups |= {"me", "isolation"}
    modules = {f"conformance.checks.{name}" for name in ("bulk_details", "etags_details", "filters_details", "patch_cells", "sort_details")}
    modules |= {"conformance.checks.discovery_details", "conformance.checks.users_details"}
    mine = {one.id for one in CHECKS.values() if one.group in groups or one.run.__module__ in modules}
    assert mine - tested == set()


def test_nobody_else_was_touched(site: Site) -> None:
    with Wire(site.server.base_url, site.tokens["own"], timeout=20) as wire:
        names = [one["userName"] for one in wire.request("GET", "/Users").json()["Resources"]]
    assert sorted(name for name in names if not name.startswith("chk-")) == [f"somebody-{number}" for number in range(3)]
