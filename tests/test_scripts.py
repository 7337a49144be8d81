"""What a bare machine meets first: the scripts name what is missing, with the command that installs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("sh", "cat", "cut", "id", "pwd", "sha256sum", "dirname", "printf")

OLD = """#!/bin/sh
[ "$1" = -V ] && echo "Python 3.10.12" && exit
exit 1
"""
WITHOUT_VENV = """#!/bin/sh
case $2 in
    *ensurepip*) exit 1 ;;
    *print*) echo 3.12 ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A copy of the scripts and the locks, and a PATH with next to nothing on it."""
    project, tools = tmp_path / "project", tmp_path / "bin"
    (project / "scripts").mkdir(parents=True)
    tools.mkdir()
    for file in ["pyproject.toml", "scripts/venv", *(path.name for path in ROOT.glob("requirements*.lock"))]:
        shutil.copy(ROOT / file, project / file)
    for tool in TOOLS:
        where = shutil.which(tool)
        assert where
        (tools / tool).symlink_to(where)
    return tmp_path


def venv(machine: Path, python: str | None, argument: str = "run") -> subprocess.CompletedProcess[str]:
    if python:
        program = machine / "bin" / "python3"
        program.write_text(python)
        program.chmod(0o755)
    command = [str(machine / "project" / "scripts" / "venv"), argument]
    return subprocess.run(command, env={"PATH": str(machine / "bin")}, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("python", "reason", "packages"),
    [
        (None, "Python 3.11 or later is needed.", "python3 python3-venv"),
        (OLD, "Python 3.11 or later is needed; python3 here is 3.10.12.", "python3.11 python3.11-venv"),
        (WITHOUT_VENV, "Python's venv module is missing.", "python3.12-venv"),
    ],
)
def test_a_missing_prerequisite_is_named_with_its_remedy(machine: Path, python: str | None, reason: str, packages: str) -> None:
    done = venv(machine, python)
    assert done.returncode == 1
    assert reason in done.stderr
    assert re.search(rf"^ +(sudo )?apt-get install -y {re.escape(packages)}$", done.stderr, re.MULTILINE), done.stderr
    assert not (machine / "project" / ".venv").exists()


def test_an_unknown_set_of_packages_is_refused(machine: Path) -> None:
    done = venv(machine, None, "everything")
    assert (done.returncode, done.stderr) == (2, "usage: scripts/venv run|dev|bench\n")


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").iterdir()), ids=lambda path: path.name)
def test_a_script_is_executable_stops_at_errors_and_parses(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", script], check=True, timeout=10)


def test_ci_calls_make_test_and_nothing_cleverer() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


SKIPS = """
import pytest

def test_runs(): pass
@pytest.mark.skip(reason="no database")
def test_marked(): pass
def test_asks(): pytest.skip("no network")
@pytest.mark.xfail(reason="known")
def test_known(): raise ValueError
"""


@pytest.mark.parametrize(
    ("environ", "status", "closing"),
    [({}, 0, "1 passed, 2 skipped, 1 xfailed"), ({"CI": "true"}, 1, "1 failed, 1 passed, 1 xfailed, 1 error")],
)
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, environ: dict[str, str], status: int, closing: str) -> None:
    tests = tmp_path / "test_skips.py"
    tests.write_text(SKIPS)
    options = ["-p", "tests.plugin_no_skips", "-p", "no:cacheprovider", "-q", "-rs", "--rootdir", str(tmp_path), str(tests)]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environ}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stdout
    assert done.stdout.splitlines()[-1].startswith(closing)
    assert "no database" in done.stdout
    assert "no network" in done.stdout
