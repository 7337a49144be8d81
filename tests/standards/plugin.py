"""Pytest's side of traceability: ``@pytest.mark.requirement(...)`` names what a test shows; the end of a run tells how much was named.

``--standards FILE`` writes the page (with ``--collect-only``, from all tests).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.standards import requirements

_NAMED = pytest.StashKey[dict[str, list[str]]]()
_SENT = "requirements"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--standards", metavar="FILE", help="write the page of requirements and the tests that show them")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NAMED] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    known, named = requirements.load(), config.stash[_NAMED]
    for item in items:
        for mark in item.iter_markers("requirement"):
            for each in mark.args:
                if each not in known:
                    raise pytest.UsageError(f"{item.nodeid} names {each!r}, which is no line of tests/standards/requirements.tsv")
                named.setdefault(each, []).append(_name(item))


def pytest_collection_finish(session: pytest.Session) -> None:
    if file := session.config.getoption("--standards"):
        named: dict[str, list[str]] = session.config.stash[_NAMED]
        Path(file).write_text(requirements.page(named), encoding="utf-8")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # a process of pytest-xdist, which cannot print
        session.config.workeroutput[_SENT] = session.config.stash[_NAMED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for each, tests in getattr(node, "workeroutput", {}).get(_SENT, {}).items():
        node.config.stash[_NAMED].setdefault(each, []).extend(tests)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if named := config.stash[_NAMED]:
        terminalreporter.write_line(f"requirements that these tests name: {requirements.totals(named)} (docs/standards.md)")


def _name(item: pytest.Item) -> str:
    """The test without its parameters; a black-box check by its own name."""
    if check := next(item.iter_markers("check"), None):
        return f"black box: {check.args[0]}"
    path, _, test = item.nodeid.partition("[")[0].partition("::")
    return f"{path.removeprefix('tests/').removesuffix('.py')}::{test.removeprefix('test_')}"
