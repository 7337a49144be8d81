"""A run: outcomes, skipping, cleaning up, exit status, reports, and the token that is never shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conformance.checker import offer, runner
from conformance.checker.answer import MISSING, at
from conformance.checker.catalogue import select
from conformance.checker.cli import main
from conformance.checker.evidence import Broken, Skipped
from conformance.checker.offer import ME, OTHER, Offer
from conformance.checker.probe import Probe
from conformance.checker.registry import MUST, SHOULD, Check, Level, Run
from conformance.checker.report import to_json
from conformance.checker.runner import Outcome, Report, Result
from conformance.wire import Wire
from tests.conformance.checked_server import TOKEN, USER, Small, attribute, features, serving

GOOD = ["users.create.status", "delete.gone", "errors.body"]


def checks(run: Run, level: Level = MUST, needs: tuple[str, ...] = ()) -> list[Check]:
    return [Check("test.one", level, "RFC 7644", (), "It does.", needs, run)]


def report_of(small: Small, run: Run, level: Level = MUST, needs: tuple[str, ...] = ()) -> Report:
    with serving(small), Wire(small.base_url, TOKEN, timeout=5) as wire:
        return runner.run(wire, offer.read(wire), checks(run, level, needs))


def fails(probe: Probe) -> None:
    probe.user("a")
    probe.user("b").answer.status(418)


def breaks(probe: Probe) -> None:
    probe.user("a")
    raise Broken("nothing to stand on")


def stumbles(probe: Probe) -> None:
    probe.user("a")
    raise KeyError("surprise")


def declines(probe: Probe) -> None:
    raise Skipped("not here")


def passes(probe: Probe) -> None:
    probe.user("a").answer.status(201)


@pytest.mark.parametrize(
    ("run", "level", "outcome", "status"),
    [
        (passes, MUST, Outcome.PASS, 0),
        (fails, MUST, Outcome.FAIL, 1),
        (fails, SHOULD, Outcome.FAIL, 0),
        (breaks, MUST, Outcome.ERROR, 1),
        (breaks, SHOULD, Outcome.ERROR, 0),
        (stumbles, MUST, Outcome.ERROR, 1),
        (declines, MUST, Outcome.SKIPPED, 0),
    ],
)
def test_outcomes_and_exit_status(run: Run, level: Level, outcome: Outcome, status: int) -> None:
    small = Small()
    report = report_of(small, run, level)
    assert [result.outcome for result in report.results] == [outcome]
    assert report.exit_status == status
    assert small.users == {}  # whatever happened, what the check made is gone


def test_a_failure_has_its_evidence() -> None:
    (result,) = report_of(Small(), fails).results
    assert result.sent.startswith("POST /v2/Users\n{")
    assert result.expected == "status 418"
    assert result.came.startswith("201 (application/scim+json) {")
    assert len(result.conversation) == 2


def test_a_feature_that_is_not_offered_is_skipped_with_the_reason() -> None:
    report = report_of(Small(), fails, needs=("filter", "sort"))
    assert [(result.outcome, result.reason) for result in report.results] == [
        (Outcome.SKIPPED, "the ServiceProviderConfig does not offer sort")
    ]


OWN = "urn:example:own:User"
OFFER = Offer(
    config=features(sort={"supported": True}, pagination={"cursor": False, "index": True}),
    types=({"schema": USER, "schemaExtensions": [{"schema": OWN, "required": True}]},),
    schemas={
        USER.lower(): {"attributes": [attribute("userName"), attribute("title")]},
        OWN.lower(): {"attributes": [attribute("pay", type="decimal"), attribute("level", type="integer", mutability="readOnly")]},
    },
    credentials=frozenset({OTHER}),
)


@pytest.mark.parametrize(
    ("offered", "need", "met"),
    [
        (OFFER, "sort", True),
        (OFFER, "bulk", False),
        (OFFER, "no bulk", True),
        (OFFER, "no sort", False),
        (OFFER, "groups", False),
        (OFFER, "enterprise", False),
        (OFFER, "User.title", True),
        (OFFER, "User.TITLE", True),
        (OFFER, "User.nickName", False),
        (OFFER, "Group.members", True),  # the Group schema is not published: nothing is known of it
        (Offer(), "patch", True),
        (Offer(), "filter", True),
        (Offer(), "sort", False),
        (Offer(), "no sort", False),  # silence is no denial
        (Offer(), "groups", True),
        (Offer(), "User.title", True),
        (OFFER, "pagination", True),
        (OFFER, "cursor", False),
        (Offer(config=features(pagination={"cursor": True})), "cursor", True),
        (Offer(config=features(pagination={"cursor": "yes"})), "cursor", False),
        (Offer(), "pagination", False),
        (OFFER, "a decimal", True),
        (OFFER, "an integer", False),
        (Offer(), "a decimal", False),
        (OFFER, "a required extension", True),
        (Offer(), "a required extension", False),
        (OFFER, "another type", False),
        (Offer(types=({"schema": "urn:example:Device"},)), "another type", True),
        (OFFER, OTHER, True),
        (OFFER, ME, False),
    ],
)
def test_needs(offered: Offer, need: str, met: bool) -> None:
    assert (offered.lack(need) is None) is met


def test_attributes_that_the_schema_requires_are_sent() -> None:
    required = Offer(schemas={USER.lower(): {"attributes": [attribute("userName", required=True), attribute("name", required=True)]}})
    body = Probe(Wire("http://127.0.0.1:1", TOKEN), required, "tag").user_body("ann")
    assert body == {"schemas": [USER], "userName": "tag-ann", "name": {"givenName": "Given", "familyName": "Family"}}


def test_what_will_not_be_deleted_is_named() -> None:
    report = report_of(Small(faults={"undeletable"}), passes)
    assert report.left == ()  # the server said 204, so it is believed
    with serving(Small()) as small, Wire(small.base_url, TOKEN, timeout=5) as wire:
        name = "chk-0"
        small.users["a"] = {"id": "a", "userName": f"{name}-left"}
        assert runner.sweep(wire, Offer(), name, ["/Nowhere/x"]) == []
        assert small.users == {}


def test_the_sweep_touches_nobody_else_even_if_filters_are_ignored() -> None:
    with serving(Small(faults={"ignores filters"})) as small, Wire(small.base_url, TOKEN, timeout=5) as wire:
        small.users["a"] = {"id": "a", "userName": "the.boss"}
        small.users["b"] = {"id": "b", "userName": "chk-1-x"}
        runner.sweep(wire, Offer(), "chk-1", [])
        assert list(small.users) == ["a"]


def test_a_server_that_goes_away_ends_the_run() -> None:
    report = report_of(Small(lose_after=3), passes)
    assert report.exit_status == 2
    assert report.lost is not None
    assert len(report.results) == 1


# -- the command ----------------------------------------------------------------------------------------------------


def command(small: Small, *more: str, token: str = TOKEN) -> int:
    with serving(small):
        return main(["--base-url", small.base_url, "--token", token, *more])


def test_exit_status_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(Small(), "--only", *GOOD, "--quiet") == 0
    assert command(Small(faults={"numeric status"}), "--only", *GOOD, "--quiet") == 1
    assert "MUST" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--token", "t"], "--base-url"),
        (["--base-url", "http://127.0.0.1:1/v2"], "SCIM_TOKEN"),
        (["--base-url", "ftp://x", "--token", "t"], "ftp://x"),
        (["--base-url", "http://127.0.0.1:1/v2", "--token", "t"], "cannot be reached"),
        (["--base-url", "http://127.0.0.1:1/v2", "--token", "t", "--only", "userz"], "userz"),
        (["--colour"], "--colour"),
    ],
)
def test_usage(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCIM_TOKEN", raising=False)
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


def test_a_token_that_is_refused_ends_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    small = Small()
    assert command(small, token="another") == 2
    assert "refuses the token" in capsys.readouterr().err
    assert len(small.requests) == 1


def test_the_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_TOKEN", TOKEN)
    with serving(Small()) as small:
        assert main(["--base-url", small.base_url, "--only", "users.create.status", "--quiet"]) == 0


def test_the_list_needs_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--only", "delete"]) == 0
    shown = capsys.readouterr().out
    assert all(one.id in shown for one in select(["delete"]))
    assert "users.create" not in shown


def test_the_list_of_requirements_needs_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--requirements", "--only", "delete"]) == 0
    shown = capsys.readouterr().out
    assert "S-7644-3.6-04" in shown
    assert "delete.name-free" in shown
    assert "S-7644-3.7-10" not in shown


def test_requirements_are_told_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A requirement fails with any check of it; what is not shown is skipped; a MAY counts where there is nothing else."""
    told = tmp_path / "r.json"
    only = ["--only", "errors.body", "errors.endpoint", "delete.answer", "sort.order", "users.get", "filters.none", "auth.wrong"]
    faulty = Small(faults={"numeric status"})
    assert command(faulty, *only, "--requirements", "--quiet", "--json", str(told)) == 1
    found = json.loads(told.read_text())["requirements"]
    assert found["S-7644-3.12-01"]["outcome"] == "fail"
    assert found["S-7644-3.12-01"]["checks"]["errors.body"] == "fail"
    assert found["S-7644-3.6-01"] == {"outcome": "pass", "checks": {"delete.answer": "pass"}}
    assert found["S-7644-3.4.2.3-05"] == {"outcome": "skipped", "checks": {"sort.order": "skipped"}}
    assert found["S-7644-3.4.1-05"]["outcome"] == "pass"
    assert found["S-7644-3.4.2-04"]["checks"] == {"filters.none.resources": "pass"}
    ids = list(found)
    assert ids.index("S-7644-3.4.2-06") < ids.index("S-7644-3.12-01")  # 4 comes before 12
    shown = capsys.readouterr().out
    for word in ("Requirements", "S-7644-3.12-01", "errors.body", "S-7644-3.6-01"):
        assert word in shown


@pytest.mark.parametrize(
    ("ends", "together"),
    [
        ([("MUST", "pass"), ("MAY", "fail")], "pass"),
        ([("MAY", "fail")], "fail"),
        ([("MUST", "pass"), ("SHOULD", "fail")], "fail"),
        ([("MUST", "skipped"), ("MUST", "pass")], "pass"),
        ([("MUST", "error"), ("MUST", "pass")], "error"),
        ([("MUST", "skipped"), ("MAY", "pass")], "skipped"),
    ],
)
def test_what_the_checks_of_a_requirement_say_together(ends: list[tuple[str, str]], together: str) -> None:
    results = [
        Result(Check(f"test.n{number}", Level(level), "RFC 7644", ("S-7644-3.6-01",), "It does.", (), passes), Outcome(outcome), 0.0)
        for number, (level, outcome) in enumerate(ends)
    ]
    report = Report("http://x", "run", datetime.now(UTC), 0.0, tuple(results))
    assert json.loads(to_json(report))["requirements"]["S-7644-3.6-01"]["outcome"] == together


def test_the_text_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(Small(faults={"numeric status"}), "--only", "errors.body", "delete.answer", "sort.order") == 1
    shown = capsys.readouterr().out
    for word in ("errors.body", "delete.answer", "sort.order", "expected", "came", 'the string "404"', "does not offer"):
        assert word in shown


def test_the_reports_for_machines(tmp_path: Path) -> None:
    as_json, as_junit = tmp_path / "r.json", tmp_path / "r.xml"
    only = ["errors.body", "delete.answer", "sort.order", "users.enterprise"]
    faulty = Small(faults={"numeric status", "control characters"})
    assert command(faulty, "--only", *only, "--json", str(as_json), "--junit", str(as_junit), "--quiet") == 1

    document = json.loads(as_json.read_text())
    assert document["exit_status"] == 1
    by_id = {one["id"]: one for one in document["checks"]}
    assert by_id["delete.answer"]["outcome"] == "pass"
    assert by_id["sort.order"]["outcome"] == "skipped"
    assert "sort" in by_id["sort.order"]["reason"]
    failed = by_id["errors.body"]
    assert (failed["level"], failed["group"], failed["outcome"]) == ("MUST", "errors", "fail")
    assert failed["clause"].startswith("RFC 7644")
    assert "S-7644-3.12-01" in failed["requirements"]
    assert all(failed[word] for word in ("sent", "expected", "came", "conversation"))
    assert sum(sum(counts.values()) for counts in document["summary"].values()) == len(document["checks"])

    root = ElementTree.parse(as_junit).getroot()
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures")) == (str(len(document["checks"])), "1")
    assert {suite.get("name") for suite in root} == {"errors", "delete", "sort", "users"}
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert cases.keys() == by_id.keys()
    assert cases["errors.body"].find("failure") is not None
    assert cases["sort.order"].find("skipped") is not None
    assert list(cases["delete.answer"]) == [cases["delete.answer"].find("properties")]


def test_a_file_that_cannot_be_written_is_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(Small(), "--only", "users.create.status", "--json", str(tmp_path / "no" / "r.json")) == 2
    assert "cannot write" in capsys.readouterr().err


def test_the_token_is_never_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when a check puts it into a URL or a header, nor when the server throws it back."""
    monkeypatch.setattr("conformance.checks.errors.LARGE", 1 << 20)  # long enough to be cut in the reports
    files = [tmp_path / "r.json", tmp_path / "r.xml"]
    faulty = Small(faults={"numeric status", "always 500", "no challenge"})
    arguments = ["--only", "auth", "errors", "--json", str(files[0]), "--junit", str(files[1])]
    assert command(faulty, *arguments) == 1
    shown = capsys.readouterr()
    texts = [shown.out, shown.err, *(path.read_text() for path in files)]
    assert any("[token]" in text for text in texts)
    for text in texts:
        for form in (TOKEN, "s3cret%2Btoken/of%3Dtests", "s3cret%2Btoken%2Fof%3Dtests"):
            assert form not in text


# -- reading documents ----------------------------------------------------------------------------------------------

DOCUMENT = {"a": {"b": None}, "l": [{"type": "x", "v": 1}, {"type": "y", "v": True}, 5]}


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (("a", "b"), None),
        (("a", "c"), MISSING),
        (("l", 2), 5),
        (("l", 3), MISSING),
        (("l", {"type": "y"}, "v"), True),
        (("l", {"type": "z"}, "v"), MISSING),
        (("l", "v"), MISSING),
        ((0,), MISSING),
    ],
)
def test_a_path_of_a_document(keys: tuple[str | int | dict[str, str], ...], found: object) -> None:
    assert at(DOCUMENT, *keys) is found or at(DOCUMENT, *keys) == found
    assert (at(DOCUMENT, *keys) is MISSING) is (found is MISSING)


@pytest.mark.parametrize(("said", "wanted"), [(1, True), ("True", True), (0, False), ("false", False)])
def test_what_looks_like_a_boolean_is_none(said: object, wanted: bool) -> None:
    def run(probe: Probe) -> None:
        made = probe.user("a", title=said)
        made.answer.has(wanted, "title")

    assert [result.outcome for result in report_of(Small(), run).results] == [Outcome.FAIL]
