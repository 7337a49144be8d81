"""The list of requirements is whole, and docs/standards.md says what the tests say."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.server import ROOT
from tests.standards.requirements import COMMAND, LEVELS, PAGE, STATUSES, load

LINES = {
    "A": 34, "B": 60, "C": 26, "D": 6, "E": 56, "F": 9, "G": 8, "H": 12, "I": 6, "J": 15, "K": 79,
    "L": 9, "M": 23, "N": 6, "O": 18, "P": 7, "Q": 8, "R": 7, "S": 11, "T": 35, "GC": 23,
}  # fmt: skip


def test_the_list_is_whole() -> None:
    known = load().values()
    assert Counter(each.group for each in known) == LINES
    assert Counter(each.level for each in known) == {"M": 243, "D": 140, "O": 39, "S": 34, "N": 2}
    for each in known:
        assert each.level in LEVELS
        assert each.text
        assert bool(each.status) is bool(each.reason), each.id
        assert each.status in ("", *STATUSES), each.id
        assert each.level != "M" or each.status in ("", "nothing to show"), f"{each.id} must be met"


def test_the_page_says_what_the_tests_say(tmp_path: Path) -> None:
    made = tmp_path / "standards.md"
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", f"--standards={made}", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert made.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), f"docs/standards.md is old. Make it anew: {COMMAND}"
