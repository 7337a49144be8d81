"""The list of requirements is whole, and docs/standards.md says what the tests say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.server import ROOT
from tests.standards.requirements import COMMAND, LEVELS, PAGE, STATUSES, load

MUST = 243
LINES = {
    "A": 34, "B": 60, "C": 26, "D": 6, "E": 56, "F": 9, "G": 8, "H": 12, "I": 6, "J": 15, "K": 79,
    "L": 9, "M": 23, "N": 6, "O": 18, "P": 7, "Q": 8, "R": 7, "S": 11, "T": 35, "GC": 23,
}  # fmt: skip


def test_the_list_is_whole() -> None:
    known = load().values()
    assert Counter(each.group for each in known) == LINES
    assert Counter(each.level for each in known) == {"M": MUST, "D": 140, "O": 39, "S": 34, "N": 2}
    for each in known:
        assert each.level in LEVELS
        assert each.text
        assert bool(each.status) is bool(each.reason), each.id
        assert each.status in ("", *STATUSES), each.id
        assert each.level != "M" or not each.status, f"{each.id} must be met, and shown"


def test_the_page_says_what_the_tests_say(tmp_path: Path) -> None:
    made = tmp_path / "standards.md"
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", f"--standards={made}", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert f"| MUST | {MUST} | {MUST} | 0 |" in made.read_text(encoding="utf-8").splitlines(), "each has a test that names it"
    assert made.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), f"docs/standards.md is old. Make it anew: {COMMAND}"


@pytest.mark.requirement("S-7644-7.3-01")
def test_each_threat_is_met_by_tests_that_there_are() -> None:
    """The page is read by people who decide about security: what it says is shown must be."""
    rows = [line for line in (ROOT / "docs" / "threats.md").read_text(encoding="utf-8").splitlines() if re.match(r"\| (?!threat )", line)]
    assert {section for row in rows for section in re.findall(r"7521 §(8\.\d)", row)} >= {"8.1", "8.2", "8.3", "8.4"}
    for row in rows:
        named = re.findall(r"`([a-z/_]+)::([a-z_0-9]+)`", row.rpartition(" | ")[2])
        assert named, row
        for path, name in named:
            assert f"def test_{name}(" in (ROOT / "tests" / f"{path}.py").read_text(encoding="utf-8"), f"{path}::{name}"
