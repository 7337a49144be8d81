"""What one tenant's flood does to another tenant's answers.

    python -m bench.neighbours [--database sqlite|postgresql|both] [--seconds 15] [--connections 8]

For each database a server of its own (two workers, four threads, default rate limit). A quiet tenant
sends 25 requests a second, as Entra does: look-ups, reads, changes of a user. First alone; then
beside a noisy one that sends as fast as its connections take, whatever it is answered. Printed:
p50 and p95 of the quiet tenant, and what the noisy one was answered. Exit status 1 if the p95 is
more than twice what it was alone. Kept in bench/results/neighbours.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from bench.growth import PATCH_OP, RESULTS, USER, Load
from tests import postgres
from tests.server import Server

RATE = 25
QUIET_CONNECTIONS = 4
LIMIT = 2.0
_USERS = 200


@dataclass
class Times:
    """Of one tenant, in milliseconds."""

    taken: list[float]

    def percentile(self, of_a_hundred: int) -> float:
        return statistics.quantiles(self.taken, n=100, method="inclusive")[of_a_hundred - 1]


def quiet(server: Server, token: str, ids: list[str], seconds: float) -> Times:
    """25 requests a second, each at its time: one that has to wait for an answer before it counts the waiting, too."""
    turns: SimpleQueue[tuple[int, float] | None] = SimpleQueue()
    taken: list[float] = []

    def work() -> None:
        load = Load(server, token)
        while (turn := turns.get()) is not None:
            number, due = turn
            user_id = ids[number % len(ids)]
            if number % 5 == 0:
                patch = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": f"title {number}"}]}
                load.call("PATCH", f"/Users/{user_id}", patch)
            elif number % 5 == 1:
                load.call("GET", f"/Users/{user_id}")
            else:
                load.call("GET", f"/Users?filter=userName%20eq%20%22user{number % len(ids)}%22")
            taken.append((time.perf_counter() - due) * 1000)

    threads = [threading.Thread(target=work) for _ in range(QUIET_CONNECTIONS)]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    for number in range(int(seconds * RATE)):
        due = began + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        turns.put((number, time.perf_counter()))
    for _ in threads:
        turns.put(None)
    for thread in threads:
        thread.join()
    return Times(taken)


def flood(port: int, token: str, connections: int, stop: Event, results: Any) -> None:
    """Send as fast as the answers come, on each connection; count the statuses."""
    request = f"GET /scim/v2/Users?count=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    counts: Counter[str] = Counter()

    def work() -> None:
        connection = None
        while not stop.is_set():
            try:
                connection = connection or socket.create_connection(("127.0.0.1", port), timeout=10)
                connection.sendall(request)
                answer = _receive(connection)
            except OSError:
                answer = b""
            counts[answer[9:12].decode() or "no answer"] += 1
            if not answer or b"connection: close" in answer.lower():
                if connection is not None:
                    connection.close()
                connection = None

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(dict(counts))


def _receive(connection: socket.socket) -> bytes:
    """One answer with its body; what there is of it if the server closes."""
    answer = b""
    while more := connection.recv(65536):
        answer += more
        head, end, body = answer.partition(b"\r\n\r\n")
        if end:
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            if len(body) >= length:
                break
    return answer


def measure(server: Server, seconds: float, connections: int) -> dict[str, Any]:
    """Both phases against a running server."""
    token, noisy = server.new_client(), server.new_client()
    load = Load(server, token)
    ids = []
    for number in range(_USERS):
        _, made = load.call("POST", "/Users", {"schemas": [USER], "userName": f"user{number}", "title": "first"}, 201)
        ids.append(made["id"])
    quiet(server, token, ids, 3)
    alone = quiet(server, token, ids, seconds)

    stop = multiprocessing.Event()
    results: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=flood, args=(server.port, noisy, connections, stop, results))
    process.start()
    time.sleep(3)  # by then all of its connections send
    beside = quiet(server, token, ids, seconds)
    stop.set()
    answers = results.get(timeout=30)
    process.join()
    return {
        "alone": {"p50": alone.percentile(50), "p95": alone.percentile(95)},
        "beside": {"p50": beside.percentile(50), "p95": beside.percentile(95)},
        "ratio": beside.percentile(95) / alone.percentile(95),
        "noisy": {status: round(count / (seconds + 3)) for status, count in sorted(answers.items())},
    }


def run(database: str, seconds: float, connections: int) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"WORKERS": "2", "THREADS": "4"}
        if database == "postgresql":
            of = stack.enter_context(postgres.server(durable=True))
            url = stack.enter_context(postgres.database(of))
            settings["DATABASE_URL"] = url.render_as_string(hide_password=False)
        server = Server(folder, **settings)
        server.upgrade()
        server.start()
        try:
            return measure(server, seconds, connections)
        finally:
            server.stop()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    databases = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    found = {each: run(each, given.seconds, given.connections) for each in databases}
    lines = [
        "| | p50 alone | p95 alone | p50 beside | p95 beside | ratio of p95 | the noisy tenant was answered, per second |",
        "|---|---|---|---|---|---|---|",
    ]
    for database, each in found.items():
        noisy = ", ".join(f"{count} × {status}" for status, count in each["noisy"].items())
        alone, beside = each["alone"], each["beside"]
        times = " | ".join(f"{value:.1f} ms" for value in (alone["p50"], alone["p95"], beside["p50"], beside["p95"]))
        lines.append(f"| {database} | {times} | {each['ratio']:.2f} | {noisy} |")
    table = "\n".join(lines)
    print(table)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if given.database == "both":
        introduction = __doc__.split("\n\n")[2].replace("\n", " ")
        (RESULTS / "neighbours.md").write_text(f"# One tenant's flood beside another\n\n{introduction}\n\n{table}\n")
    return int(any(each["ratio"] > LIMIT for each in found.values()))


if __name__ == "__main__":
    sys.exit(main())
