"""What a person sees while it runs: a bar per phase on a terminal, plain lines elsewhere, nothing if asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from conformance.entra.tally import Tally

_EVERY = 10.0  # seconds between lines of one phase


class Phase:
    """One phase's counter. `advance` is called once per finished object."""

    def __init__(self, label: str, total: int) -> None:
        self.label = label
        self.total = total
        self.done = 0

    def advance(self) -> None:
        self.done += 1


class Reporter:
    """Phases, and words between them. `phase` is a context: the bar lives as long as the block."""

    def __init__(self, console: Console, tally: Tally, *, quiet: bool = False) -> None:
        self.console = console
        self.tally = tally
        self.quiet = quiet

    def say(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, highlight=False, soft_wrap=True)

    @contextmanager
    def phase(self, label: str, total: int) -> Iterator[Phase]:
        phase: Phase
        if self.quiet:
            yield Phase(label, total)
        elif self.console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
            )
            with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self.console) as progress:
                phase = _Bar(label, total, progress, self.tally)
                yield phase
        else:
            phase = _Lines(label, total, self)
            yield phase
            phase.line()


class _Bar(Phase):
    def __init__(self, label: str, total: int, progress: Progress, tally: Tally) -> None:
        super().__init__(label, total)
        self._progress = progress
        self._tally = tally
        self._begun = time.monotonic()
        self._before = tally.counts.requests
        self._task = progress.add_task(f"{label:<28}", total=total, note="")

    def advance(self) -> None:
        super().advance()
        counts = self._tally.counts
        rate = (counts.requests - self._before) / max(time.monotonic() - self._begun, 0.001)
        trouble = f" · {counts.retries} retries" if counts.retries else ""
        self._progress.update(self._task, completed=self.done, total=self.total, note=f"{rate:.0f} req/s{trouble}")


class _Lines(Phase):
    def __init__(self, label: str, total: int, reporter: Reporter) -> None:
        super().__init__(label, total)
        self._reporter = reporter
        self._begun = self._said = time.monotonic()
        self._before = reporter.tally.counts.requests

    def advance(self) -> None:
        super().advance()
        if time.monotonic() - self._said >= _EVERY:
            self.line()

    def line(self) -> None:
        self._said = time.monotonic()
        seconds = max(self._said - self._begun, 0.001)
        requests = self._reporter.tally.counts.requests - self._before
        self._reporter.say(
            f"{self.label:<28} {self.done:>7}/{self.total:<7} {seconds:7.1f} s {requests:>7} requests {requests / seconds:7.0f}/s"
        )
