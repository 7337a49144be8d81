"""``scim-server serve`` as a process: it starts, says what to paste, keeps the data, stops cleanly, explains refusals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from scim_server import server
from scim_server.config import Settings
from tests.conftest import Databases
from tests.server import ROOT, free_port

_LIMIT_S = 60


class Process:
    """``serve`` with these settings; what it writes goes to files."""

    def __init__(self, directory: Path, environ: dict[str, str], *options: str) -> None:
        self.port = int(environ["PORT"])
        self._files = directory / "stdout", directory / "stderr"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [sys.executable, "-m", "scim_server.cli", "serve", *options]
        with self._files[0].open("wb") as output, self._files[1].open("wb") as errors:
            self._process = subprocess.Popen(command, cwd=ROOT, env=kept | environ, stdout=output, stderr=errors, start_new_session=True)

    @property
    def output(self) -> str:
        return self._files[0].read_text()

    @property
    def errors(self) -> str:
        return self._files[1].read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line of standard error, each of which must be JSON."""
        return [json.loads(line) for line in self.errors.splitlines()]

    def ready(self) -> None:
        deadline = time.monotonic() + _LIMIT_S
        while self.status("/readyz") != 200:
            assert self._process.poll() is None, self.errors
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.05)

    def status(self, path: str, token: str | None = None) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code
        except OSError:
            return 0

    def end(self, number: signal.Signals) -> int:
        """Signal all of it at once, as Ctrl-C does in a terminal; the exit status."""
        os.killpg(self._process.pid, number)
        return self._process.wait(_LIMIT_S)

    def wait(self) -> int:
        return self._process.wait(_LIMIT_S)

    def kill(self) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGKILL)


@contextmanager
def serve(directory: Path, *options: str, **environ: str) -> Iterator[Process]:
    process = Process(directory, {"PORT": str(free_port()), "DATA_DIR": str(directory / "data"), "WORKERS": "1"} | environ, *options)
    try:
        yield process
    finally:
        process.kill()


def test_the_demo_serves_what_it_says_and_keeps_it(tmp_path: Path) -> None:
    with serve(tmp_path, "--demo") as first:
        first.ready()
        assert f"Tenant URL    http://127.0.0.1:{first.port}/scim/v2" in first.output
        found = re.search(r"Secret Token  (scim_\S+)", first.output)
        assert found
        token = found[1]
        assert f"-m conformance entra --base-url http://127.0.0.1:{first.port}/scim/v2 --token {token}" in first.output
        assert first.status("/scim/v2/Users", token) == 200
        assert first.status("/scim/v2/Users") == 401
        assert first.end(signal.SIGINT) == 0
        assert [each["path"] for each in first.log if each["event"] == "request" and each["status"] == 200][-1] == "/scim/v2/Users"
        assert token not in first.errors

    with serve(tmp_path, "--demo") as second:
        second.ready()
        assert token not in second.output
        assert "credential create --tenant demo" in second.output
        assert second.status("/scim/v2/Users", token) == 200
        assert second.end(signal.SIGTERM) == 0
        assert "Traceback" not in second.errors


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with serve(tmp_path, "--demo", PORT=str(port)) as process:
            assert process.wait() == 1
    assert f"PORT={port}: another program listens there" in process.errors
    assert process.output == ""
    assert not (tmp_path / "data").exists()


PROXIES = (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("host", "told"),
    [("203.0.113.1", "no such address"), ("no-such-host.invalid", "no such address")],
)
def test_an_address_of_another_machine_is_told(host: str, told: str) -> None:
    with pytest.raises(server.CannotListen, match=told):
        server.check_address(Settings(host=host, port=free_port(), trusted_proxies=PROXIES))


@pytest.mark.requirement("S-7644-7.2-01")
@pytest.mark.parametrize(("host", "here"), [("localhost", True), ("127.8.9.1", True), ("0.0.0.0", False), ("::", False)])
def test_nobody_sends_a_token_in_the_clear_from_another_machine(host: str, here: bool) -> None:
    """What listens for others speaks HTTP to a proxy, and has to be told which."""
    port = free_port()
    if here:
        server.check_address(Settings(host=host, port=port))
        return
    with pytest.raises(server.CannotListen, match=r"in the clear.* TRUSTED_PROXIES .*HOST=127\.0\.0\.1"):
        server.check_address(Settings(host=host, port=port))
    server.check_address(Settings(host=host, port=port, trusted_proxies=PROXIES))


def test_a_free_address_is_left_free() -> None:
    settings = Settings(port=free_port())
    server.check_address(settings)
    server.check_address(settings)


def test_a_database_of_its_own_is_migrated_only_when_told(tmp_path: Path, databases: Databases) -> None:
    """Two nodes of different versions must not migrate by accident. The embedded database has one node."""
    url = databases.empty()
    with serve(tmp_path, DATABASE_URL=url) as process:
        if url.startswith("sqlite"):
            process.ready()
            return
        assert process.wait() == 1
        assert "db upgrade" in process.errors
    with serve(tmp_path, "--migrate", DATABASE_URL=url) as process:
        process.ready()


@pytest.mark.parametrize(("connections", "times"), [(0, 0), (1, 1), (3, 3), (4, 4), (500, 4)])
def test_a_process_hesitates_by_the_connections_it_has(connections: int, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never long, however many they are: all its other connections wait meanwhile."""
    done: list[float] = []
    monkeypatch.setattr("scim_server.server.time.sleep", done.append)
    monkeypatch.setattr(ThreadWorker, "accept", lambda _worker, _listener: done.append(-1))
    worker = object.__new__(server._Worker)
    worker.nr_conns = connections
    with socket.socket() as listener:
        worker.accept(listener)
    assert done == [pytest.approx(times * server._HESITATION_S), -1]
    assert done[0] < 0.001


def test_gunicorn_takes_every_option() -> None:
    settings = Settings(host="::1", port=8123, workers=3, threads=5, log_level="WARNING")
    cfg = server._Gunicorn(settings).cfg
    assert cfg.address == [("::1", 8123)]
    assert (cfg.workers, cfg.threads, cfg.worker_class, cfg.keepalive) == (3, 5, server._Worker, 75)
    assert cfg.limit_request_line == 8190
    assert cfg.forwarded_allow_ips == []
    assert cfg.preload_app is False
    assert cfg.control_socket_disable is True
    assert {name: getattr(cfg, name) for name in ("accesslog", "errorlog")} == {"accesslog": None, "errorlog": "-"}
