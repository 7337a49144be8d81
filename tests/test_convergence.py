"""The stranger pushes a directory into a real server, which is killed on the way: nothing may be missing.

Each run ends with the emulator's own comparison of everything it finds over the wire with its
directory; its exit status is 1 if there is one difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.server import ROOT, Server

# When the server is killed: as soon as a look-up finds so many. In the initial cycle, while users and while groups are
# made, and in an incremental one, when the first people have been disabled.
_MOMENTS = (("/Users?count=0", 200), ("/Users?count=0", 700), ("/Groups?count=0", 25), ("/Users?count=0&filter=active+eq+false", 5))
_MOMENT_LIMIT_S = 120


def emulate(server: Server, token: str, report: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "conformance", "entra", "--base-url", server.base_url, "--token", token]
    command += ["--dialect", "both", "--workers", "4", "--quiet", "--json", str(report), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(emulator: subprocess.Popen[str], report: Path) -> dict[str, Any]:
    """Wait for the end; the report, if no difference was found."""
    output, _ = emulator.communicate(timeout=300)
    assert emulator.returncode == 0, output[-4000:]
    found = json.loads(report.read_text())
    assert found["differences"] == []
    return dict(found)


def wait_for(server: Server, token: str, emulator: subprocess.Popen[str], look_up: str, due: int) -> None:
    """Until the look-up finds so many; the emulator must be at work then."""
    request = urllib.request.Request(server.base_url + look_up, headers={"Authorization": f"Bearer {token}"})
    deadline = time.monotonic() + _MOMENT_LIMIT_S
    while True:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)["totalResults"]
        assert emulator.poll() is None, f"the emulator was done before {look_up} found {due}"
        if found >= due:
            return
        assert time.monotonic() < deadline, f"{look_up} finds {found} and never {due}"
        time.sleep(0.02)


@pytest.mark.timeout(300)
def test_the_emulator_converges(server: Server, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    found = finish(emulate(server, server.new_client(), report, "--users", "150", "--groups", "15", "--cycles", "4", "--seed", "7"), report)
    assert found["server_errors"] == 0
    assert found["unreachable"] == 0


@pytest.mark.timeout(300)
def test_the_emulator_converges_though_the_server_is_killed_mid_cycle(server: Server, tmp_path: Path) -> None:
    """SIGKILL to master and workers: what was answered 2xx is there, what was not is sent again."""
    report, token = tmp_path / "report.json", server.new_client()
    emulator = emulate(server, token, report, "--users", "1000", "--groups", "50", "--cycles", "5", "--seed", "7")
    for look_up, due in _MOMENTS:
        wait_for(server, token, emulator, look_up, due)
        server.kill()
        server.start()
    assert finish(emulator, report)["unreachable"] >= len(_MOMENTS)
