"""The lock files: complete, pinned by hash, in step with each other, and installable from any index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ["requirements.lock", "requirements-build.lock", "requirements-dev.lock", "requirements-bench.lock"]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?P<marker> ;.*?)? \\")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> list[tuple[str, str]]:
    """(name, version); a name comes twice where its version depends on Python's."""
    lines = (ROOT / lock).read_text().splitlines()
    return [(found["name"], found["version"]) for line in lines if (found := PIN.fullmatch(line))]


def pinned(lock: str) -> set[str]:
    return {name for name, _ in pins(lock)}


def names(requirements: list[str]) -> set[str]:
    """``psycopg[binary]>=3`` → ``psycopg``"""
    return {re.split(r"[^A-Za-z0-9-]", each)[0].lower() for each in requirements}


def test_all_locks_are_known() -> None:
    assert {path.name for path in ROOT.glob("requirements*")} == set(LOCKS)
    assert not (ROOT / "pylock.toml").exists()


def test_uv_lock_cannot_be_committed() -> None:
    """It names the index of whoever made it last."""
    assert "/uv.lock" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_by_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(pins(lock)) > 0
    for entry in entries:
        first, *hashes = entry.splitlines()
        assert PIN.fullmatch(first), entry
        assert hashes
        assert all(re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes), entry


@pytest.mark.parametrize(("larger", "smaller"), [(LOCKS[2], LOCKS[0]), (LOCKS[2], LOCKS[1]), (LOCKS[3], LOCKS[2])])
def test_a_larger_lock_has_the_smaller_one_whole(larger: str, smaller: str) -> None:
    """So that what is tested is what runs."""
    assert set(pins(smaller)) <= set(pins(larger))


def test_the_locks_know_every_dependency() -> None:
    """Red after a change of pyproject.toml: run ``make lock``."""
    groups = PYPROJECT["dependency-groups"]
    assert names(PYPROJECT["project"]["dependencies"]) <= pinned("requirements.lock")
    assert names(groups["build"]) <= pinned("requirements-build.lock")
    assert names(groups["dev"]) <= pinned("requirements-dev.lock")
    assert names(groups["bench"]) <= pinned("requirements-bench.lock")


def test_every_package_of_a_server_has_its_licence_named() -> None:
    rows = re.findall(r"^\| ([a-z0-9-]+)(?: \(.*?\))? \|", (ROOT / "THIRD_PARTY.md").read_text(), re.MULTILINE)
    assert set(rows) - {"package"} == pinned("requirements.lock")
