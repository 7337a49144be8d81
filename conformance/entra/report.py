"""What came out of a run: tables for people, one JSON document for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conformance.authentication import Authentication
from conformance.entra.compare import kinds
from conformance.entra.engine import CycleSummary
from conformance.entra.tally import Difference, Tally, percentile


@dataclass(slots=True)
class Outcome:
    """A run. `differences` is None when reading back was not possible; `stopped` says why a run ended early."""

    options: dict[str, Any]
    tally: Tally
    cycles: Sequence[CycleSummary]
    escrow: dict[tuple[str, str], str]  # (kind, name) → reason
    seconds: float
    resources: dict[str, int]
    authentication: Authentication
    differences: list[Difference] | None = None
    stopped: str = ""

    @property
    def exit_status(self) -> int:
        if self.differences is None:
            return 2
        return 1 if self.differences else 0


def as_json(outcome: Outcome) -> dict[str, Any]:
    tally = outcome.tally
    return {
        "exit_status": outcome.exit_status,
        "stopped": outcome.stopped,
        "options": outcome.options,
        "authentication": outcome.authentication.as_json(),
        "seconds": round(outcome.seconds, 3),
        "requests_per_second": round(tally.counts.requests / outcome.seconds, 1) if outcome.seconds else 0,
        **asdict(tally.counts),
        "resources": outcome.resources,
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
        "operations": {kind: _operation(tally, kind) for kind in sorted(tally.latencies)},
        "cycles": [asdict(cycle) for cycle in outcome.cycles],
        "failures": [asdict(failure) for failure in tally.failures],
        "left_in_escrow": [{"kind": kind, "object": name, "reason": reason} for (kind, name), reason in outcome.escrow.items()],
        "remarks": dict(tally.remarks),
        "difference_kinds": kinds(outcome.differences or []),
        "differences": None if outcome.differences is None else [asdict(difference) for difference in outcome.differences],
    }


def _operation(tally: Tally, kind: str) -> dict[str, Any]:
    values = tally.latencies[kind]
    return {
        "count": len(values),
        "p50_ms": round(percentile(values, 0.5) * 1000, 2),
        "p95_ms": round(percentile(values, 0.95) * 1000, 2),
        "p99_ms": round(percentile(values, 0.99) * 1000, 2),
        "max_ms": round(max(values, default=0.0) * 1000, 2),
        "statuses": {str(status): count for status, count in sorted(tally.statuses_by_kind[kind].items())},
    }


def write_json(outcome: Outcome, path: Path) -> None:
    path.write_text(json.dumps(as_json(outcome), ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")


def show(outcome: Outcome, console: Console, limit: int) -> None:
    """Operations, cycles, failures, differences (the first `limit` of each list) and the verdict, most important last."""
    tally = outcome.tally
    if tally.latencies:
        console.print(_operations(tally))
    if outcome.cycles:
        console.print(_cycles(outcome.cycles))
    if tally.remarks:
        console.print(_pairs("Remarks", [(text, str(count)) for text, count in tally.remarks.most_common(limit)]))
    if tally.failures:
        console.print(_failures(outcome, limit))
    if outcome.escrow:
        console.print(
            _pairs("Left in escrow", [(f"{kind} {name}", reason) for (kind, name), reason in list(outcome.escrow.items())[:limit]])
        )
    if outcome.differences:
        console.print(_differences(outcome.differences, limit))
    counts = tally.counts
    told = (
        f"{counts.requests} requests in {outcome.seconds:.1f} s ({counts.requests / max(outcome.seconds, 0.001):.0f}/s)",
        f"{counts.retries} retries",
        f"{counts.server_errors} answers 5xx",
        f"{counts.unreachable} without an answer",
        f"{counts.throttled} throttled",
        f"{counts.escrowed} times into escrow",
        f"{counts.healed_conflicts} conflicts healed",
        f"{counts.rematched} matched anew",
        f"{len(tally.failures)} failures",
    )
    console.print(" · ".join(told), highlight=False, soft_wrap=True)
    console.print(str(outcome.authentication), highlight=False, soft_wrap=True, markup=False)
    console.print(_verdict(outcome), highlight=False)


def _verdict(outcome: Outcome) -> str:
    told = " · ".join(f"{count} {name}" for name, count in outcome.resources.items())
    if outcome.differences is None:
        return f"[bold red]Not compared:[/] {escape(outcome.stopped)}"
    if not outcome.differences:
        return f"[bold green]No difference.[/] {told}"
    lost = sum(difference.acknowledged for difference in outcome.differences)
    parts = ", ".join(f"{count} {kind}" for kind, count in kinds(outcome.differences).items())
    return f"[bold red]{len(outcome.differences)} differences[/] ({parts}), {lost} of them in what the server had acknowledged. {told}"


def _operations(tally: Tally) -> Table:
    table = Table(title="Operations (milliseconds, every attempt that was answered)", title_justify="left")
    table.add_column("operation")
    for name in ("count", "p50", "p95", "p99", "max"):
        table.add_column(name, justify="right")
    table.add_column("answers")
    for kind in sorted(tally.latencies):
        row = _operation(tally, kind)
        answers = "  ".join(f"{status}×{count}" for status, count in row["statuses"].items())
        table.add_row(kind, str(row["count"]), *(f"{row[name]:.1f}" for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")), answers)
    return table


def _cycles(cycles: Sequence[CycleSummary]) -> Table:
    table = Table(title="Cycles", title_justify="left")
    for name, justify in (
        ("", "right"),
        ("dialect", "left"),
        ("requests", "right"),
        ("seconds", "right"),
        ("escrow", "right"),
        ("changes", "left"),
    ):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for cycle in cycles:
        changes = ", ".join(f"{kind} {count}" for kind, count in sorted(cycle.changes.items())) or "everything is new"
        escrow = str(cycle.left_in_escrow or "")
        table.add_row(str(cycle.number), cycle.dialect, str(cycle.requests), f"{cycle.seconds:.1f}", escrow, changes)
    return table


def _failures(outcome: Outcome, limit: int) -> Table:
    failures = outcome.tally.failures
    table = Table(title=f"Failures (first {min(limit, len(failures))} of {len(failures)})", title_justify="left")
    for name in ("cycle", "what", "object", "status", "scimType", "the server's detail"):
        table.add_column(name)
    for failure in failures[:limit]:
        table.add_row(
            str(failure.cycle),
            failure.action,
            escape(failure.object),
            str(failure.status),
            escape(failure.scim_type),
            escape(failure.detail),
        )
    return table


def _differences(differences: Sequence[Difference], limit: int) -> Table:
    table = Table(title=f"Differences (first {min(limit, len(differences))} of {len(differences)})", title_justify="left")
    for name in ("kind", "resource", "attribute", "expected", "found", "acknowledged"):
        table.add_column(name, overflow="fold")
    for difference in differences[:limit]:
        # The URN of an extension fills the column and tells nothing.
        attribute = difference.attribute.rpartition("User:")[2]
        table.add_row(
            difference.kind + (f" (cycle {difference.cycle})" if difference.cycle is not None else ""),
            escape(f"{difference.resource} {difference.name}"),
            escape(attribute),
            escape(repr(difference.expected)),
            escape(repr(difference.found)),
            "[red]yes[/]" if difference.acknowledged else "no",
        )
    return table


def _pairs(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for left, right in rows:
        table.add_row(escape(left), escape(right))
    return table
