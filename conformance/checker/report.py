"""A run as a text for people, as JSON, and as JUnit XML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as xml

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conformance.checker.registry import MAY, Check, Level
from conformance.checker.runner import Outcome, Report, Result

STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.SKIPPED: "dim", Outcome.ERROR: "bold yellow"}

# What XML 1.0 cannot hold, even escaped. Answers of a broken server are full of it.
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clause(check: Check) -> str:
    return f"{check.clause} ({', '.join(check.requirements)})" if check.requirements else check.clause


def catalogue(console: Console, checks: Iterable[Check]) -> None:
    """The checks themselves, without a run."""
    table = Table(title="Checks", title_justify="left")
    for heading in ("Check", "Level", "Behaviour", "Clause"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(check.id, check.level, escape(check.statement), escape(_clause(check)))
    console.print(table)


def requirements_of(console: Console, checks: Iterable[Check]) -> None:
    """The requirements that these checks show, without a run."""
    table = _requirements_table("Checks")
    for id, named in sorted(_by_requirement(checks).items(), key=lambda one: _order(one[0])):
        table.add_row(id, ", ".join(one.id for one in named))
    console.print(table)


def requirements(console: Console, report: Report) -> None:
    """Each requirement: how it did, and the checks that show it. What passed is not told check by check."""
    table = _requirements_table("", "Checks")
    for id, results in _requirements(report).items():
        outcome = _together(results)
        told = ", ".join(
            escape(one.check.id) if one.outcome is outcome else f"[{STYLES[one.outcome]}]{escape(one.check.id)} ({one.outcome})[/]"
            for one in results
        )
        table.add_row(id, f"[{STYLES[outcome]}]{outcome}[/]", told)
    console.print(table)


def _requirements_table(*headings: str) -> Table:
    table = Table(title="Requirements", title_justify="left")
    for heading in ("Requirement", *headings):
        table.add_column(heading, overflow="fold")
    return table


def _by_requirement(checks: Iterable[Check]) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in checks:
        for id in check.requirements:
            found.setdefault(id, []).append(check)
    return found


def _requirements(report: Report) -> dict[str, list[Result]]:
    """The results that bear on each requirement, in the order of the requirements."""
    by_check = {result.check.id: result for result in report.results}
    found = _by_requirement(result.check for result in report.results)
    return {id: [by_check[check.id] for check in found[id]] for id in sorted(found, key=_order)}


def _together(results: Iterable[Result]) -> Outcome:
    """How a requirement did: it fails if one of its checks does, and passes if one passes and none says otherwise.

    What the server is free to do (MAY) counts where there is nothing else.
    """
    told = list(results)
    outcomes = {result.outcome for result in told if result.check.level is not MAY} or {result.outcome for result in told}
    return next(outcome for outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.PASS, Outcome.SKIPPED) if outcome in outcomes)


def _order(id: str) -> list[tuple[int, str]]:
    """Requirements by document, section and count; 10 comes after 9."""
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.split(r"[-.]", id)]


def text(console: Console, report: Report) -> None:
    """Every check by group, the evidence of what failed, and a summary."""
    groups = dict.fromkeys(result.check.group for result in report.results)
    for group in groups:
        table = Table(title=group, title_justify="left", title_style="bold", expand=True)
        for heading in ("", "Check", "Level"):
            table.add_column(heading, no_wrap=True)
        table.add_column("Behaviour", overflow="fold", ratio=1)
        for result in (one for one in report.results if one.check.group == group):
            style = STYLES[result.outcome]
            said = escape(result.check.statement) + (f"\n[dim]{escape(result.reason)}[/dim]" if result.reason else "")
            table.add_row(f"[{style}]{result.outcome}[/{style}]", result.check.id, result.check.level, said)
        console.print(table)
    for result in report.results:
        if result.outcome in (Outcome.FAIL, Outcome.ERROR):
            _evidence(console, result)
    summary(console, report)


def _evidence(console: Console, result: Result) -> None:
    style = STYLES[result.outcome]
    console.print(
        f"\n[{style}]{result.outcome}[/{style}] [bold]{result.check.id}[/bold] ({result.check.level}, {escape(_clause(result.check))})"
    )
    console.print(escape(f"  {result.check.statement}"))
    for word, said in (("sent", result.sent), ("expected", result.expected), ("came", result.came), ("because", result.reason)):
        if said:
            console.print(f"  [dim]{word:>8}[/dim]  " + escape(said.replace("\n", "\n            ")), soft_wrap=True)


def summary(console: Console, report: Report) -> None:
    """How many of each level passed, failed, were skipped or could not be carried out."""
    console.print(
        f"\n{report.base_url}: {len(report.results)} checks in {report.seconds:.1f} s", markup=False, highlight=False, soft_wrap=True
    )
    if report.authentication:
        console.print(str(report.authentication), markup=False, highlight=False, soft_wrap=True)
    table = Table()
    table.add_column("Level")
    for outcome in Outcome:
        table.add_column(outcome, justify="right")
    for level in Level:
        count = report.count(level)
        cells = [f"[{STYLES[outcome]}]{count[outcome]}[/{STYLES[outcome]}]" if count[outcome] else "0" for outcome in Outcome]
        table.add_row(level, *cells)
    console.print(table)
    if report.left:
        console.print("[yellow]Could not be deleted again:[/yellow] " + escape(", ".join(report.left)))
    if report.lost:
        console.print(f"[bold red]Ended early:[/bold red] {escape(report.lost)}")


def to_json(report: Report) -> str:
    """The run as a JSON document."""
    document: dict[str, Any] = {
        "base_url": report.base_url,
        "run": report.run,
        "started": report.started.isoformat(),
        "seconds": round(report.seconds, 3),
        "exit_status": report.exit_status,
        "summary": {level: {outcome: report.count(level)[outcome] for outcome in Outcome} for level in Level},
        "left": list(report.left),
        "lost": report.lost,
        "authentication": report.authentication.as_json() if report.authentication else None,
        "checks": [_result(result) for result in report.results],
        "requirements": {
            id: {"outcome": _together(results), "checks": {result.check.id: result.outcome for result in results}}
            for id, results in _requirements(report).items()
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _result(result: Result) -> dict[str, Any]:
    check = result.check
    document: dict[str, Any] = {
        "id": check.id,
        "group": check.group,
        "level": check.level,
        "clause": check.clause,
        "requirements": list(check.requirements),
        "statement": check.statement,
        "outcome": result.outcome,
        "seconds": round(result.seconds, 3),
    }
    if result.reason:
        document["reason"] = result.reason
    if result.outcome is Outcome.FAIL:
        document |= {"sent": result.sent, "expected": result.expected, "came": result.came}
    if result.outcome in (Outcome.FAIL, Outcome.ERROR):
        document["conversation"] = [{"sent": said.sent, "came": said.came} for said in result.conversation]
    return document


def to_junit(report: Report) -> str:
    """The run as JUnit XML: a suite for each group, a case for each check."""
    root = xml.Element("testsuites", name="scim conformance", time=f"{report.seconds:.3f}")
    for group in dict.fromkeys(result.check.group for result in report.results):
        results = [result for result in report.results if result.check.group == group]
        suite = xml.SubElement(root, "testsuite", name=group, tests=str(len(results)), timestamp=report.started.isoformat())
        for word, outcome in (("failures", Outcome.FAIL), ("errors", Outcome.ERROR), ("skipped", Outcome.SKIPPED)):
            suite.set(word, str(sum(result.outcome is outcome for result in results)))
        suite.set("time", f"{sum(result.seconds for result in results):.3f}")
        for result in results:
            suite.append(_case(result))
    for word in ("tests", "failures", "errors", "skipped"):
        root.set(word, str(sum(int(suite.get(word, "0")) for suite in root)))
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(result: Result) -> xml.Element:
    case = xml.Element("testcase", classname=f"scim.{result.check.group}", name=result.check.id, time=f"{result.seconds:.3f}")
    properties = xml.SubElement(case, "properties")
    for name, value in (("level", result.check.level), ("clause", _clause(result.check)), ("statement", result.check.statement)):
        xml.SubElement(properties, "property", name=name, value=_legal(value))
    if result.outcome is Outcome.SKIPPED:
        xml.SubElement(case, "skipped", message=_legal(result.reason))
    elif result.outcome is Outcome.ERROR:
        xml.SubElement(case, "error", message=_legal(result.reason))
    elif result.outcome is Outcome.FAIL:
        failure = xml.SubElement(case, "failure", type=str(result.check.level), message=_legal(f"expected {result.expected}"))
        failure.text = _legal(f"{result.check.statement}\n\nsent: {result.sent}\n\nexpected: {result.expected}\n\ncame: {result.came}")
    return case


def _legal(value: str) -> str:
    return NO_XML.sub("\ufffd", value)
