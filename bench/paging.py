"""What a page costs at the end of 100,000 users, beside what it costs at the beginning.

    python -m bench.paging [--database sqlite|postgresql|both] [--users 100000] [--sorted-users 10000] [--count 100]

For each database a server of its own (two workers, four threads, durable commits). Everybody is walked through over HTTP, page by page, by
index in order and by cursor, and has to come exactly once; by index also with a connection of its own for each page, so that the workers
share the walk. The sorted walk has fewer users, since each of its pages sorts them all. Printed, and kept in bench/results/paging.md: p50
of the first and of the last tenth of the pages, and their ratio. Exit status 1 if a ratio is above its limit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.growth import RESULTS, Load, fill, serving
from scim_server.events import Principal, Scope
from scim_server.store.engine import create_engine
from scim_server.store.landmarks import SETTLED_S
from scim_server.store.migrations import ROLE
from scim_server.store.unit import Store

_SHOWN = "attributes=userName"
INDEX, CURSOR = 1.5, 1.2
"""The highest ratio of last to first."""


def by_index(connection: Callable[[], Load], count: int) -> Iterator[tuple[float, Any]]:
    start, total = 1, 1
    while start <= total:
        load = connection()
        if load.connection.sock is None:
            load.connection.connect()  # which is not what is measured
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


def times(kind: str, pages: Iterator[tuple[float, Any]], users: int) -> list[float]:
    """How long each page took; exits unless each user came once."""
    taken, seen = [], []
    for took, page in pages:
        taken.append(took)
        seen += [each["id"] for each in page["Resources"]]
        if page["totalResults"] != users:
            raise SystemExit(f"{kind}: totalResults is {page['totalResults']}, not {users}")
    if len(seen) != users or len(set(seen)) != users:
        raise SystemExit(f"{kind}: {len(seen)} came, {len(set(seen))} of them once, of {users}")
    return taken


def measure(database: str, users: int, sorted_users: int, count: int) -> list[tuple[str, bool]]:
    """A line of the table for each way to walk, and whether its ratio is within the limit."""
    with serving(database) as (server, url):
        engine = create_engine(url, pool_size=1, role=ROLE)

        def tenant(name: str, size: int) -> Callable[[], Load]:
            made = server.cli("tenant", "create", name)
            fill(Store(engine, server.base_url), Scope(made["id"], Principal("operator", "bench"), "bench"), 0, size)
            token = server.cli("credential", "create", "--tenant", name)["token"]
            return lambda: Load(server, token)

        many, few = tenant("many", users), tenant("few", sorted_users)
        engine.dispose()
        time.sleep(SETTLED_S)  # who is younger is no landmark
        one, other = many(), few()
        walks = [
            ("by index", INDEX, users, by_index(lambda: one, count)),
            ("by index, a connection for each page", INDEX, users, by_index(many, count)),
            ("by cursor", CURSOR, users, by_cursor(one, count)),
            ("by cursor, sorted by userName", CURSOR, sorted_users, by_cursor(other, count, "&sortBy=userName")),
        ]
        lines = []
        for kind, limit, size, pages in walks:
            taken = times(kind, pages, size)
            tenth = max(1, len(taken) // 10)
            first, last = statistics.median(taken[:tenth]), statistics.median(taken[-tenth - 1 : -1])
            line = f"| {database} | {kind} | {size:,} | {len(taken)} | {first:.2f} | {last:.2f} | {last / first:.2f} | {limit} |"
            lines.append((line, last / first <= limit))
            print(line, flush=True)
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--sorted-users", type=int, default=10_000)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    chosen = ("sqlite", "postgresql") if arguments.database == "both" else (arguments.database,)
    lines = [each for database in chosen for each in measure(database, arguments.users, arguments.sorted_users, arguments.count)]
    told = "Milliseconds; `python -m bench.paging`. Each user came exactly once, and each page told the right total."
    titles = "| database | walk | users | pages | p50 of the first tenth | of the last | ratio | limit |"
    text = "\n".join([f"# Pages of {arguments.count}", "", told, "", titles, "|---" * 8 + "|", *(line for line, _ in lines), ""])
    (RESULTS / "paging.md").write_text(text, encoding="utf-8")
    return 0 if all(within for _, within in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
