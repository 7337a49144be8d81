"""The numbered requirements of RFC 7643, 7644, 9865 and what they build on; and the page that says which test shows which.

``requirements.tsv`` has a line for each. ``status`` is empty where tests have to show it; else it says what is the case in place of
that: ``other`` (decided otherwise), ``not built``, ``nothing to show`` (no behaviour of a server), each with its ``reason``.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_DATA = Path(__file__).with_name("requirements.tsv")
PAGE = Path(__file__).parent.parent.parent / "docs" / "standards.md"
COMMAND = "python -m pytest --collect-only -q --standards=docs/standards.md"

STATUSES = ("other", "not built", "nothing to show")
LEVELS = {"M": "MUST", "S": "SHOULD", "O": "MAY", "D": "decided here", "N": "note"}
_GROUPS = {
    "A": "Resources, schemas, common attributes",
    "B": "Characteristics and data types",
    "C": "HTTP, media types, create",
    "D": "Read",
    "E": "Query and filter",
    "F": "Sorting",
    "G": "Paging by index",
    "H": "Projection",
    "I": "Search by POST",
    "J": "PUT",
    "K": "PATCH",
    "L": "DELETE",
    "M": "Bulk",
    "N": "/Me",
    "O": "Discovery",
    "P": "Tenants",
    "Q": "PRECIS and Unicode",
    "R": "Errors",
    "S": "Versions",
    "T": "Authentication and security",
    "GC": "Paging by cursor",
}
_MOST_TESTS = 3


@dataclass(frozen=True, slots=True)
class Requirement:
    id: str
    group: str
    level: str
    text: str
    status: str
    reason: str


def load() -> dict[str, Requirement]:
    """All of them, by id, in the order of the groups."""
    with _DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row[0]: Requirement(*row) for row in rows[1:]}


def totals(named: Iterable[str]) -> str:
    """How many of each level tests name."""
    known, shown = load(), set(named)
    of_all = Counter(each.level for each in known.values())
    of_shown = Counter(known[each].level for each in shown)
    return ", ".join(f"{LEVELS[level]} {of_shown[level]} of {of_all[level]}" for level in ("M", "S", "O", "D"))


def page(named: Mapping[str, Iterable[str]]) -> str:
    """docs/standards.md, from the tests that name each requirement."""
    known = load()
    lines = [
        "# What the standards ask, and which test shows it",
        "",
        "Made from the tests; do not edit. The numbers are this project's own: S, the document, its section, a count. Documents: RFC 7643",
        "(schemas), 7644 (protocol), 9865 (cursors), 6750 (tokens), 7662 (introspection), 8265 (PRECIS), 9110 (HTTP). *Decided here*",
        "is what the texts leave open, or contradict themselves in. A test called `black box` is a check of `python -m conformance check`,",
        "which any SCIM server can be asked for; it must pass against a running server of ours.",
        "",
        "| level | lines | shown by a test | answered otherwise, with the reason |",
        "|---|---|---|---|",
    ]
    for level, name in LEVELS.items():
        of_level = [each for each in known.values() if each.level == level]
        shown = sum(each.id in named for each in of_level)
        other = sum(each.id not in named and bool(each.status) for each in of_level)
        lines.append(f"| {name} | {len(of_level)} | {shown} | {other} |")
    for group, title in _GROUPS.items():
        lines += ["", f"## {group}. {title}", "", "| | level | what | shown by |", "|---|---|---|---|"]
        lines += [_line(each, sorted(set(named.get(each.id, ())))) for each in known.values() if each.group == group]
    return "\n".join(lines) + "\n"


def _line(each: Requirement, tests: list[str]) -> str:
    more = f" and {len(tests) - _MOST_TESTS} more" if len(tests) > _MOST_TESTS else ""
    shown = ", ".join(f"`{test}`" for test in tests[:_MOST_TESTS]) + more
    said = f"**{each.status}**: {each.reason}" if each.status else ""
    what = "; ".join(filter(None, (shown, said))) or "**not shown**"
    return f"| {each.id} | {LEVELS[each.level]} | {_cell(each.text)} | {_cell(what)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
