"""A real server in a process of its own: started, killed, started again, on either database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parent.parent
_START_LIMIT_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """``scim-server serve`` on loopback with settings of its own; its log goes to a file."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.port = free_port()
        self.log = directory / "server.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")},
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(directory),
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        self.program = [sys.executable, "-m", "scim_server.cli"]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/scim/v2"

    def cli(self, *arguments: str) -> Any:
        """The output of one command with ``--json``; the same settings as the server's."""
        command = [sys.executable, "-m", "scim_server.cli", *arguments, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise AssertionError(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout)

    def new_client(self) -> str:
        """The token of a new tenant's credential."""
        name = f"tenant-{uuid4()}"
        self.cli("tenant", "create", name)
        return str(self.cli("credential", "create", "--tenant", name)["token"])

    def upgrade(self) -> None:
        """Apply the migrations."""
        command = [sys.executable, "-m", "scim_server.cli", "db", "upgrade"]
        subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, timeout=60, check=True)

    def start(self) -> None:
        """Start and wait until it serves. It leads a process group, so that all of it can be killed at once."""
        command = [*self.program, "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _START_LIMIT_S
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{self.log.read_text()[-4000:]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to master and workers at once: nothing of them gets to say a last word."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        return int(self.process.returncode)
