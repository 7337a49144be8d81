"""From SCIM's ``active=false`` answered to the session refused, on another node.

    python -m bench.departure [--database sqlite|postgresql|both] [--people 300]

Two servers of two workers each on one database; a directory (npm's oidc-provider) at which all sign in. For each person one node is
sent the PATCH, and from the moment of its answer the other is asked for the session (/auth/verify) until it says 401. Beside it a
third client asks the same for somebody else all the time. Printed: p50, p99 and the worst, in milliseconds; and what /auth/verify
takes. Exit status 1 if the p99 is 100 ms or more, or anybody was let in for longer. Kept in bench/results/departure.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from bench.growth import PATCH_OP, RESULTS
from scim_server.tenancy.keys import generate
from tests import postgres
from tests.browser import Browser
from tests.entra_directory import SECRET, EntraDirectory
from tests.provider import FOLDER, install
from tests.server import Server

LIMIT_MS = 100.0
_GIVE_UP_S = 5.0


class Person:
    """Somebody who is signed in: the cookie, and the user's id."""

    def __init__(self, cookie: str, user_id: str) -> None:
        self.cookie = cookie
        self.user_id = user_id


class Asking:
    """A kept connection to a node."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def verify(self, person: Person) -> int:
        return self._call("GET", "/auth/verify", None, {"Cookie": f"__Host-session={person.cookie}"})

    def deactivate(self, person: Person, token: str) -> int:
        body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": False}]}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        return self._call("PATCH", f"/scim/v2/Users/{person.user_id}", json.dumps(body), headers)

    def _call(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> int:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def sign_in(server: Server, directory: EntraDirectory, name: str) -> Person:
    directory.person(name, groups=[])
    browser = Browser(f"http://127.0.0.1:{server.port}")
    browser.sign_in("/login?tenant=people", name)
    user_id: str = browser.me().json()["user"]["id"]
    return Person(browser.cookies[browser.public_url]["__Host-session"], user_id)


def measure(url: str, directory: EntraDirectory, folder: Path, people: int) -> tuple[list[float], list[float]]:
    """(milliseconds from the PATCH's answer to the first 401, milliseconds of a /auth/verify)"""
    settings = {"DATABASE_URL": url, "SECRET_KEYS": generate(), "ALLOW_CUSTOM_CLOUD": "true", "SIGNIN_RATE": "100000", "WORKERS": "2"}
    first = Server(folder, **settings)
    first.upgrade()
    first.environment["PUBLIC_URL"] = public_url = f"http://127.0.0.1:{first.port}"
    second = Server(folder, **settings, PUBLIC_URL=public_url)
    directory.register(public_url)
    (folder / "secret").write_text(SECRET)
    first.cli("tenant", "create", "people")
    first.cli(
        *("directory", "add", "--tenant", "people", "--tid", directory.tid, "--client-id", directory.client_id, "--cloud", "custom"),
        *("--authority", directory.authority, "--graph", directory.graph, "--client-secret-file", str(folder / "secret")),
    )
    token = first.cli("credential", "create", "--tenant", "people")["token"]
    with ExitStack() as stack:
        for server in (first, second):
            server.start()
            stack.callback(server.stop)
        signed_in = [sign_in(first, directory, f"person{number}@people.example") for number in range(people + 1)]
        bystander = signed_in.pop()
        verified: list[float] = []
        over = threading.Event()

        def stand_by() -> None:
            asking = Asking(second)
            while not over.is_set():
                began = time.perf_counter()
                assert asking.verify(bystander) == 200
                verified.append((time.perf_counter() - began) * 1000)
                time.sleep(0.002)

        thread = threading.Thread(target=stand_by)
        thread.start()
        scim, elsewhere = Asking(first), Asking(second)
        taken = []
        for person in signed_in:
            assert elsewhere.verify(person) == 200
            assert scim.deactivate(person, token) == 200
            answered = time.perf_counter()
            while elsewhere.verify(person) != 401:
                if time.perf_counter() - answered > _GIVE_UP_S:
                    raise SystemExit("somebody is still let in")
            taken.append((time.perf_counter() - answered) * 1000)
        over.set()
        thread.join()
    return taken, verified


def percentile(values: list[float], of_a_hundred: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[of_a_hundred - 1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.departure", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--people", type=int, default=300)
    given = parser.parse_args()
    install()
    provider = subprocess.Popen(
        ["node", "entra.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert provider.stdout is not None
    base = provider.stdout.readline().strip()
    lines, good = [], True
    with ExitStack() as stack:
        stack.callback(provider.terminate)
        for nth, kind in enumerate(("sqlite", "postgresql")):
            if given.database not in (kind, "both"):
                continue
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = f"sqlite:///{folder}/people.db"
            if kind == "postgresql":
                made = stack.enter_context(postgres.database(stack.enter_context(postgres.server()), None))
                url = made.render_as_string(hide_password=False)
            directory = EntraDirectory(base, f"00000000-0000-4000-8000-00000000000{nth}")
            taken, verified = measure(url, directory, folder, given.people)
            good = good and percentile(taken, 99) < LIMIT_MS
            figures = [*(percentile(taken, each) for each in (50, 99)), max(taken), *(percentile(verified, each) for each in (50, 99))]
            lines.append(f"| {kind} | {len(taken)} | {' | '.join(f'{each:.2f}' for each in figures)} |")
            print(lines[-1])
    head = "| database | people | p50 | p99 | worst | verify p50 | verify p99 |\n|---|---|---|---|---|---|---|\n"
    title = "# Out: from `active=false` answered to the session refused on another node"
    text = f"{title}\n\nMilliseconds; `python -m bench.departure`.\n\n{head}"
    (RESULTS / "departure.md").write_text(text + "\n".join(lines) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
