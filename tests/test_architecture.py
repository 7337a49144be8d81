"""What import-linter cannot see: names, sizes, words, and who reads the environment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("scim_server", "oidc", "conformance")
EVERYTHING = (*PACKAGES, "tests", "bench")

NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "tools"}

LONGEST_FILE = 420  # about 400
LONGER_WITH_A_REASON = {
    "tests/scim/patch_cases.py": "one table, cell by cell, to be read beside RFC 7644 §3.5.2; in two files it would have to be read twice",
    "scim_server/entra.py": "one ordered list of rewrites, each with its bad and its good request; in two files the order would be lost",
}
LONGEST_ROUTE = 40  # lines of a function under http/: parse, one use case, render

VENDOR = re.compile(r"entra|azure|microsoft", re.IGNORECASE)
KNOW_NO_VENDOR = ("scim_server/scim", "scim_server/store", "scim_server/provisioning")


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_application_is_a_table_of_contents() -> None:
    """wsgi.py is in no import contract: it may know everything, so it may do nothing."""
    text = (ROOT / "wsgi.py").read_text()
    assert len(text.splitlines()) <= 60
    assert [each.name for each in functions(ast.parse(text))] == ["create_app"]
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef | ast.Lambda)]


def test_every_module_is_named_for_what_it_holds() -> None:
    nameless = {name(path) for path in sources(*EVERYTHING) if NAMES_THAT_SAY_NOTHING & {path.stem, *path.relative_to(ROOT).parts[:-1]}}
    assert not nameless


def test_no_file_holds_two_ideas() -> None:
    """Past the limit ask whether it does; if it does not, give the reason above, as long as it is needed."""
    lengths = {name(path): len(path.read_text().splitlines()) for path in sources(*EVERYTHING)}
    too_long = {path: length for path, length in lengths.items() if length > LONGEST_FILE}
    assert too_long.keys() == LONGER_WITH_A_REASON.keys(), too_long


def test_a_route_parses_calls_and_renders() -> None:
    long = {
        f"{name(path)}:{each.name}": length
        for path in sources("scim_server/http")
        for each in functions(ast.parse(path.read_text()))
        if (length := (each.end_lineno or 0) - each.lineno + 1) > LONGEST_ROUTE
    }
    assert not long


@pytest.mark.parametrize("folder", KNOW_NO_VENDOR)
def test_below_the_edge_nobody_knows_a_vendor(folder: str) -> None:
    """Deviations are rewritten in entra.py; a word of them further down is a special case that crept in."""
    assert not [
        f"{name(path)}:{number}: {line.strip()}"
        for path in sources(folder)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if VENDOR.search(line)
    ]


def test_only_config_reads_the_environment() -> None:
    """In the server, that is: conformance is a program of its own, with options of its own."""
    readers = {
        name(path)
        for path in [*sources("scim_server", "oidc"), ROOT / "wsgi.py"]
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv") and ast.unparse(node.value) == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and {"environ", "getenv"} & {each.name for each in node.names})
    }
    assert readers == {"scim_server/config.py"}


def test_every_test_module_mirrors_something() -> None:
    """tests/scim/test_x.py is about scim_server/scim; a folder that mirrors nothing hides its tests."""
    mirrored = {path.name for path in (ROOT / "scim_server").iterdir()} | {f"{path.stem}" for path in (ROOT / "scim_server").glob("*.py")}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and not path.name.startswith(("_", "."))}
    assert folders <= mirrored | set(PACKAGES) | {"standards", "okta"}  # the standards, line by line; a client's conversations


def test_no_marker_of_unfinished_work() -> None:
    unfinished = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    found = [
        f"{name(path)}:{number}"
        for path in [*sources(*PACKAGES, "bench"), ROOT / "wsgi.py"]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if unfinished.search(line)
    ]
    assert not found
