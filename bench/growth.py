"""How the cost of one change grows with what is stored: it must not.

    python -m bench.growth [--database sqlite|postgresql|both] [--sizes 10,1000,10000,100000] [--samples 200]

For each database a server of its own is started (two workers, four threads, durable commits). Then
p50 and p95 over HTTP of a one-member PATCH (add and remove) on groups of each size, and of
``userName eq`` (hit, upper case, miss) at each number of users. Users and members that only make
the size are put in through the store. Printed as a table; kept as JSON, SVG and Markdown in
bench/results/. Exit status 1 if a ratio of last to first is above the limit.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scim_server.events import Principal, Scope
from scim_server.scim.schemas import GROUP
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.unit import Store
from tests import postgres
from tests.server import Server

RESULTS = Path(__file__).parent / "results"
LIMIT = 1.5
_CHUNK = 1000
_WARM_UP = 20
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Load:
    """One keep-alive connection; each call is timed in milliseconds."""

    def __init__(self, server: Server, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}

    def call(self, method: str, path: str, body: Any = None, due: int = 200) -> tuple[float, Any]:
        data = json.dumps(body).encode() if body is not None else None
        began = time.perf_counter()
        self.connection.request(method, "/scim/v2" + path, data, self.headers)
        response = self.connection.getresponse()
        content = response.read()
        took = (time.perf_counter() - began) * 1000
        if response.status != due:
            raise SystemExit(f"{method} {path}: {response.status} {content[:300]!r}")
        return took, json.loads(content) if content else None


def name(n: int) -> str:
    return f"user{n:07d}@bench.example"


def fill(store: Store, scope: Scope, first: int, last: int) -> list[str]:
    """Users first..last-1 put in through the store; their ids."""
    ids = []
    for start in range(first, last, _CHUNK):
        with store.write(scope) as unit:
            for n in range(start, min(start + _CHUNK, last)):
                document = {
                    "schemas": [USER],
                    "externalId": f"ext-{n}",
                    "userName": name(n),
                    "displayName": f"User {n}",
                    "name": {"givenName": "User", "familyName": str(n)},
                    "active": True,
                    "emails": [{"value": name(n), "type": "work", "primary": True}],
                }
                ids.append(unit.users.insert(document).id)
    return ids


def look_ups(load: Load, users: int, samples: int) -> dict[str, list[float]]:
    """``userName eq`` by hit, hit in upper case, and miss."""

    def find(value: str, due: int) -> float:
        took, found = load.call("GET", "/Users?filter=" + quote(f'userName eq "{value}"'))
        if found["totalResults"] != due:
            raise SystemExit(f"userName eq {value}: {found['totalResults']} instead of {due}")
        return took

    step = max(1, users // samples)
    numbers = [n * step % users for n in range(samples)]
    return {
        "userName eq, hit": [find(name(n), 1) for n in numbers],
        "userName eq, upper case": [find(name(n).upper(), 1) for n in numbers],
        "userName eq, miss": [find(f"nobody-{n}", 0) for n in numbers],
    }


def member_changes(load: Load, group_id: str, people: list[str]) -> dict[str, list[float]]:
    """One person in, one person out: the two shapes that Entra sends by default."""
    times: dict[str, list[float]] = {"add one member": [], "remove one member": []}
    for person in people:
        for title, op in (("add one member", "Add"), ("remove one member", "Remove")):
            operation = {"op": op, "path": "members", "value": [{"value": person}]}
            body = {"schemas": [PATCH_OP], "Operations": [operation]}
            times[title].append(load.call("PATCH", f"/Groups/{group_id}", body, due=204)[0])
    return times


@contextmanager
def serving(database: str) -> Iterator[tuple[Server, str]]:
    """A server on an empty database of that kind, durable as in production, and the database's URL."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if database == "postgresql":
            url = stack.enter_context(postgres.server(durable=True)).render_as_string(hide_password=False)
        else:
            url = f"sqlite:///{directory}/bench.db"
        server = Server(directory, DATABASE_URL=url)
        server.upgrade()
        server.start()
        try:
            yield server, url
        finally:
            server.stop()


def measure(database: str, sizes: list[int], samples: int, say: Callable[[str], None]) -> dict[str, dict[int, list[float]]]:
    """Curve → size → sorted times in ms."""
    curves: dict[str, dict[int, list[float]]] = {}
    with serving(database) as (server, url):
        tenant = server.cli("tenant", "create", "bench")
        load = Load(server, server.cli("credential", "create", "--tenant", "bench")["token"])
        engine = create_engine(url, pool_size=1, role=ROLE)
        store = Store(engine, server.base_url)
        scope = Scope(tenant["id"], Principal("operator", "bench"), "bench")
        ids: list[str] = []
        for size in sizes:
            began = time.perf_counter()
            target = size + samples
            ids += fill(store, scope, len(ids), target)
            group_id = load.call("POST", "/Groups", {"schemas": [GROUP], "displayName": f"group of {size}"}, due=201)[1]["id"]
            for start in range(0, size, _CHUNK):
                with store.write(scope) as unit:
                    unit.members.add(group_id, tuple(ids[start : min(start + _CHUNK, size)]))
            say(f"{database}: {target:,} users and a group of {size:,} in {time.perf_counter() - began:.0f} s")
            look_ups(load, target, _WARM_UP)
            member_changes(load, group_id, ids[size : size + _WARM_UP])
            for title, times in {**member_changes(load, group_id, ids[size:target]), **look_ups(load, target, samples)}.items():
                curves.setdefault(title, {})[size] = sorted(times)
        engine.dispose()
    return curves


def table(database: str, curves: dict[str, dict[int, list[float]]], sizes: list[int]) -> tuple[str, dict[str, float]]:
    """Markdown of p50 / p95 per size, and the ratio of the last p50 to the first."""
    lines = [
        f"| {database}: p50 / p95 ms | " + " | ".join(f"{size:,}" for size in sizes) + " | last / first |",
        "|---|" + "---|" * (len(sizes) + 1),
    ]
    ratios = {}
    for title, by_size in curves.items():
        p50 = {size: statistics.median(times) for size, times in by_size.items()}
        p95 = {size: times[int(len(times) * 0.95)] for size, times in by_size.items()}
        ratios[title] = p50[sizes[-1]] / p50[sizes[0]]
        cells = " | ".join(f"{p50[size]:.2f} / {p95[size]:.2f}" for size in sizes)
        lines.append(f"| {title} | {cells} | {ratios[title]:.2f} |")
    return "\n".join(lines), ratios


def plot(results: dict[str, dict[str, dict[int, list[float]]]], sizes: list[int], file: Path) -> None:
    """The curves, p50 over size, one panel per database."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scim-server"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(results), figsize=(6 * len(results), 4), squeeze=False)
    for panel, (database, curves) in zip(panels[0], results.items(), strict=True):
        for title, by_size in curves.items():
            panel.plot(sizes, [statistics.median(by_size[size]) for size in sizes], marker="o", label=title)
        panel.set(title=database, xscale="log", xlabel="members of the group / users in the tenant", ylabel="p50, ms", ylim=(0, None))
        panel.grid(visible=True, alpha=0.3)
        panel.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--sizes", default="10,1000,10000,100000")
    parser.add_argument("--samples", type=int, default=200)
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    databases = ["sqlite", "postgresql"] if arguments.database == "both" else [arguments.database]
    results = {}
    texts = []
    worst = 0.0
    for database in databases:
        results[database] = measure(database, sizes, arguments.samples, lambda text: print(text, file=sys.stderr, flush=True))
        text, ratios = table(database, results[database], sizes)
        texts.append(text)
        worst = max(worst, *ratios.values())
        print(text + "\n", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "growth.md").write_text("# Growth\n\n" + "\n\n".join(texts) + "\n\n![p50 over size](growth.svg)\n")
    medians: dict[str, dict[str, dict[int, float]]] = {}
    for database, curves in results.items():
        medians[database] = {}
        for title, by_size in curves.items():
            medians[database][title] = {size: round(statistics.median(times), 3) for size, times in by_size.items()}
    (RESULTS / "growth.json").write_text(json.dumps(medians, indent=1) + "\n")
    plot(results, sizes, RESULTS / "growth.svg")
    print(f"worst ratio of last to first: {worst:.2f} (limit {LIMIT})")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
