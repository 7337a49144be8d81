"""What a check says, and whom it asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scim_server.config import Settings

if TYPE_CHECKING:
    from scim_server.store.engine import Engine
    from scim_server.store.registry import Registry

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``about`` tells several verdicts of one check apart, such as the host it is about."""

    state: str
    finding: str
    remedy: str | None = None
    about: str = ""


def fine(finding: str, about: str = "") -> Verdict:
    return Verdict(OK, finding, None, about)


def warning(finding: str, remedy: str, about: str = "") -> Verdict:
    return Verdict(WARNING, finding, remedy, about)


def failed(finding: str, remedy: str, about: str = "") -> Verdict:
    return Verdict(FAILED, finding, remedy, about)


@dataclass
class Patient:
    """What is examined. A check that fails says in ``blocked`` what cannot be asked any more, and why."""

    settings: Settings
    engine: Engine
    registry: Registry
    blocked: dict[str, str] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    """Documents of issuers that this installation needs."""


def listed(names: Iterable[str], most: int = 5) -> str:
    """Some of the names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
