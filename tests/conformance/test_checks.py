"""The checks themselves: a right server passes each, and a server with the fault that a check is for fails it."""

from __future__ import annotations

import re

import pytest

from conformance.checker import offer, runner
from conformance.checker.catalogue import CHECKS, select
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, Level, check
from conformance.checker.runner import Outcome, Report
from conformance.wire import Wire
from tests.conformance.checked_server import TOKEN, Small, serving

# What the small server gets right (it has no projection, few filters, and only plain attributes).
RIGHT = [
    "discovery.config",
    "discovery.types.list",
    "discovery.types.shape",
    "discovery.schemas.list",
    "discovery.schemas.shape",
    "auth.none",
    "auth.wrong",
    "auth.query",
    "errors.body",
    "errors.endpoint",
    "errors.media-type",
    "users.create.status",
    "users.create.location",
    "users.create.id",
    "users.create.meta",
    "users.name",
    "users.schemas.missing",
    "users.schemas.empty",
    "users.schemas.text",
    "users.schemas.other",
    "users.schemas.undeclared",
    "users.null",
    "users.password",
    "users.get.unknown",
    "filters.refused.operator",
    "filters.refused.empty",
    "paging.total",
    "paging.walk",
    "paging.count",
    "entra.user.duplicate",
    "patch.atomic",
    "patch.message",
    "patch.order",
    "patch.add.simple",
    "patch.remove.simple",
    "patch.remove.no-path",
    "put.unknown",
    "put.required",
    "delete.answer",
    "delete.gone",
    "delete.not-found",
    "delete.unknown",
    "features.bulk",
]

# Which fault each of these checks is there to find.
FAULTS = [
    ("discovery.types.list", "bare array"),
    ("discovery.schemas.list", "bare array"),
    ("auth.none", "open"),
    ("auth.none", "no challenge"),
    ("auth.wrong", "open"),
    ("auth.query", "open"),
    ("errors.body", "numeric status"),
    ("errors.endpoint", "numeric status"),
    ("errors.endpoint", "always 500"),
    ("errors.media-type", "plain json"),
    ("users.create.status", "200 for 201"),
    ("users.create.location", "wrong location"),
    ("users.create.id", "client id"),
    ("users.name.required", "any userName"),
    ("users.name.empty", "any userName"),
    ("users.name.taken", "duplicates"),
    ("users.name.taken", "no scimType"),
    ("users.name.taken.case", "case-sensitive"),
    ("users.name.race", "duplicates"),
    ("users.schemas.missing", "any schemas"),
    ("users.password", "shows password"),
    ("filters.refused.operator", "ignores filters"),
    ("filters.refused.operator", "no scimType"),
    ("paging.total", "total of page"),
    ("paging.total", "ignores filters"),
    ("paging.count.zero", "total of page"),
    ("entra.connection", "404 for nobody"),
    ("patch.atomic", "not atomic"),
    ("patch.remove.no-path", "no scimType"),
    ("put.required", "any userName"),
    ("delete.gone", "undeletable"),
    ("delete.not-found", "undeletable"),
    ("delete.unknown", "always 500"),
]


def run(small: Small, *only: str) -> Report:
    """The report of some checks on the small server, which has one user whom the checks must not be disturbed by."""
    with serving(small), Wire(small.base_url, TOKEN, timeout=5) as wire:
        small.users["old"] = {"id": "old", "userName": "somebody", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}
        return runner.run(wire, offer.read(wire), select(only))


def outcomes(report: Report) -> dict[str, Outcome]:
    return {result.check.id: result.outcome for result in report.results}


def test_a_right_server_passes() -> None:
    small = Small()
    report = run(small, *RIGHT)
    assert [(one.check.id, one.expected, one.came, one.reason) for one in report.results if one.outcome is not Outcome.PASS] == []
    assert list(small.users) == ["old"]
    assert report.left == ()


@pytest.mark.parametrize(("id", "fault"), FAULTS)
def test_a_wrong_server_fails(id: str, fault: str) -> None:
    small = Small(faults={fault})
    (result,) = [one for one in run(small, id).results if one.check.id == id]
    assert result.outcome is Outcome.FAIL
    assert result.sent
    assert result.expected
    assert result.came


def test_the_order_does_not_matter() -> None:
    with serving(Small()) as small, Wire(small.base_url, TOKEN, timeout=5) as wire:
        offered, checks = offer.read(wire), select(RIGHT)
        assert outcomes(runner.run(wire, offered, checks)) == outcomes(runner.run(wire, offered, reversed(checks)))


def test_no_check_brings_itself_down() -> None:
    """Against a server that can do little, every check ends in a verdict, not in a fault of its own."""
    report = run(Small(faults={"no scimType"}), *{one.group for one in CHECKS.values()})
    own = [f"{result.check.id}: {result.reason}" for result in report.results if re.match(r"[A-Za-z]*(Error|Exception): ", result.reason)]
    assert own == []
    assert len(report.results) == len(CHECKS)


@pytest.mark.parametrize("faults", [{"bare array", "plain json"}, {"always 500"}, {"ignores filters", "404 for nobody"}, {"200 for 201"}])
def test_no_check_brings_itself_down_on_a_bad_server(faults: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.checks.errors.LARGE", 1 << 20)  # the test above sends it whole
    report = run(Small(faults=faults), "discovery", "features", "errors", "users", "paging", "projection", "delete", "search")
    own = [f"{result.check.id}: {result.reason}" for result in report.results if re.match(r"[A-Za-z]*(Error|Exception): ", result.reason)]
    assert own == []


def test_every_check_says_what_it_proves() -> None:
    assert len(CHECKS) >= 90
    for one in CHECKS.values():
        assert re.fullmatch(r"[a-z]+(\.[a-z0-9-]+)+", one.id), one.id
        assert re.fullmatch(r".*\.", one.statement), one.id
        assert one.clause, one.id
        assert one.requirements, one.id
        assert [name for name in one.requirements if not re.fullmatch(r"S-[0-9A-Z]+-[0-9.]+-\d\d|S-[0-9A-Z]+-\d\d", name)] == [], one.id
    statements = [one.statement for one in CHECKS.values()]
    assert sorted({said for said in statements if statements.count(said) > 1}) == []


def test_only_the_rfcs_demand() -> None:
    """A MUST names an RFC, or is a test of the validator that an RFC stands behind by its requirements."""
    assert [
        one.id for one in CHECKS.values() if one.level is Level.MUST and not one.clause.startswith("RFC ") and one.group != "entra"
    ] == []
    assert [one.id for one in CHECKS.values() if one.id.startswith(("entra.legacy", "entra.compliant")) and one.level is MUST] == []


def test_a_selection_is_by_group_and_by_id() -> None:
    assert {one.group for one in select(["delete", "put"])} == {"delete", "put"}
    assert [one.id for one in select(["users.create.meta"])] == ["users.create.meta", "users.create.meta.forged"]
    assert len(select()) == len(CHECKS)
    with pytest.raises(ValueError, match="userz"):
        select(["users", "userz"])


@pytest.mark.parametrize(("id", "document"), [("nodot", "A statement."), ("put.answer", "Twice."), ("put.new", "")])
def test_a_check_that_is_not_one_is_refused(id: str, document: str) -> None:
    def body(probe: Probe) -> None:
        raise AssertionError

    body.__doc__ = document
    with pytest.raises(ValueError, match=id):
        check(id, MUST, "RFC 7644")(body)
    assert "put.new" not in CHECKS
