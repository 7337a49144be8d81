"""The stranger pushes a directory into a real server, which is killed on the way: nothing may be missing.

Each run ends with the emulator's own comparison of everything it finds over the wire with its
directory; its exit status is 1 if there is one difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import ROOT, Server

_KILLS = 3


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, DATABASE_URL=database_url)
    server.start()
    yield server
    server.stop()


def emulate(server: Server, report: Path, *options: str) -> subprocess.Popen[str]:
    tenant = f"convergence-{server.port}"
    server.cli("tenant", "create", tenant)
    token = server.cli("credential", "create", "--tenant", tenant)["token"]
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


@pytest.mark.timeout(300)
def test_the_emulator_converges(server: Server, tmp_path: Path) -> None:
    report = finish(
        emulate(server, tmp_path / "report.json", "--users", "150", "--groups", "15", "--cycles", "4", "--seed", "7"),
        tmp_path / "report.json",
    )
    assert report["server_errors"] == 0
    assert report["unreachable"] == 0


@pytest.mark.timeout(300)
def test_the_emulator_converges_though_the_server_is_killed_three_times(server: Server, tmp_path: Path) -> None:
    """SIGKILL mid-cycle, three times: what was answered 2xx is there, what was not is sent again."""
    report = tmp_path / "report.json"
    emulator = emulate(server, report, "--users", "250", "--groups", "20", "--cycles", "4", "--seed", "11")
    for _ in range(_KILLS):
        time.sleep(1.5)
        assert emulator.poll() is None, "the emulator was done before the server could be killed; give it more to do"
        server.kill()
        server.start()
    assert finish(emulator, report)["unreachable"] > 0
