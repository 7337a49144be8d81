"""What a page costs at the end of 100,000 users, beside what it costs at the beginning.

    python -m bench.paging [--database sqlite|postgresql|both] [--users 100000] [--count 100]

Everybody is walked through over HTTP, page by page, by index in order and by cursor, and has to come exactly once. Printed, and kept in
bench/results/paging.md: p50 of the first and of the last tenth of the pages, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from typing import Any

from bench.growth import RESULTS, Load, fill, serving
from scim_server.events import Principal, Scope
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.unit import Store

WALKS = ("by index", "by cursor", "by cursor, sorted by userName")
_SHOWN = "attributes=userName"


def by_index(load: Load, count: int) -> Iterator[tuple[float, Any]]:
    start, total = 1, 1
    while start <= total:
        took, page = load.call("GET", f"/Users?{_SHOWN}&startIndex={start}&count={count}")
        total = page["totalResults"]
        start += page["itemsPerPage"]
        yield took, page


def by_cursor(load: Load, count: int, order: str = "") -> Iterator[tuple[float, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        took, page = load.call("GET", f"/Users?{_SHOWN}&cursor={cursor}&count={count}{order}")
        cursor = page.get("nextCursor")
        yield took, page


def walk(load: Load, kind: str, count: int, users: int) -> list[float]:
    """How long each page took; exits unless each user came once."""
    pages = by_index(load, count) if kind == "by index" else by_cursor(load, count, "&sortBy=userName" if "sorted" in kind else "")
    times, seen = [], []
    for took, page in pages:
        times.append(took)
        seen += [each["id"] for each in page["Resources"]]
    if len(seen) != users or len(set(seen)) != users:
        raise SystemExit(f"{kind}: {len(seen)} came, {len(set(seen))} of them once, of {users}")
    return times


def measure(database: str, users: int, count: int) -> list[str]:
    """A line of the table for each way to walk."""
    with serving(database) as (server, url):
        tenant = server.cli("tenant", "create", "bench")
        load = Load(server, server.cli("credential", "create", "--tenant", "bench")["token"])
        engine = create_engine(url, pool_size=1, role=ROLE)
        fill(Store(engine, server.base_url), Scope(tenant["id"], Principal("operator", "bench"), "bench"), 0, users)
        engine.dispose()
        lines = []
        for kind in WALKS:
            times = walk(load, kind, count, users)
            tenth = max(1, len(times) // 10)
            first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth - 1 : -1])
            lines.append(f"| {database} | {kind} | {len(times)} | {first:.2f} | {last:.2f} | {last / first:.2f} |")
            print(lines[-1], flush=True)
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    chosen = ("sqlite", "postgresql") if arguments.database == "both" else (arguments.database,)
    lines = [line for database in chosen for line in measure(database, arguments.users, arguments.count)]
    title = f"# A page of {arguments.count} of {arguments.users:,} users"
    head = f"{title}\n\nMilliseconds; `python -m bench.paging`. Each user came exactly once.\n\n"
    titles = "| database | walk | pages | p50 of the first tenth | of the last | ratio |\n|---|---|---|---|---|---|\n"
    (RESULTS / "paging.md").write_text(head + titles + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
