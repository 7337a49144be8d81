"""gunicorn, set up for this application. Nothing else knows which WSGI server it is.

Threads, because a request waits for the database; keep-alive, because a provisioning client sends
thousands of requests over few connections. The application is loaded by each worker after its fork
(no preload): a database connection must not be shared between processes, and SIGHUP then brings
workers with new code.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from pathlib import Path
from typing import Any

from gunicorn import glogging, util
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from scim_server import log
from scim_server.config import Settings

APPLICATION = "wsgi:create_app()"
_HESITATION_S = 0.00003
_MOST_COUNTED = 4
_MEMORY = Path("/dev/shm")  # noqa: S108  gunicorn makes its heartbeat file there with mkstemp


class CannotListen(Exception):
    """The address is not to be had. The text says why, and how to mend it."""


def check_address(settings: Settings) -> None:
    """Raise CannotListen where gunicorn could not listen; gunicorn itself would try for five seconds."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        raise CannotListen(_explain(fault, settings)) from fault


def _explain(fault: OSError, settings: Settings) -> str:
    where = f"HOST={settings.host} PORT={settings.port}: "
    if fault.errno == errno.EADDRINUSE:
        return where + f"another program listens there. Stop it, or choose another port, for example PORT={settings.port + 1}."
    if fault.errno == errno.EACCES:
        return where + "ports below 1024 are kept for root. Choose a higher one, for example PORT=8000."
    return where + f"this machine has no such address ({fault.strerror}). Choose HOST=127.0.0.1, or HOST=0.0.0.0 for all of them."


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Ends the process."""
    log.configure(settings.log_level)
    _Gunicorn(settings).run()


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings. What is not here has gunicorn's default."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": f"{host}:{settings.port}",
        "proc_name": "scim-server",
        "worker_class": _Worker,
        "workers": settings.workers,
        "threads": settings.threads,
        # Longer than the idle time of the usual proxies (60 s), so that it is never we who close under a request.
        "keepalive": 75,
        "graceful_timeout": 30,
        # A filter of 4,096 characters, percent-encoded, and its path. gunicorn's default is 4,094.
        "limit_request_line": 8190,
        # The heartbeat of a worker must not wait for a disk.
        "worker_tmp_dir": str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None,
        # No header of a proxy means anything here: links are made from PUBLIC_URL.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        # A control socket in the home folder would be shared by all servers of one user.
        "control_socket_disable": True,
        "loglevel": settings.log_level.lower(),
        "logger_class": _Logger,
    }


class _Logger(glogging.Logger):
    """gunicorn's own messages in the format of all others. Its access log is off: ``log.access`` is ours."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter())


class _Worker(ThreadWorker):
    """Threads, as gunicorn has them; but of several processes the one with the fewest connections takes the next.

    All of them wait at the same socket. Left to chance, a client's few connections, which it keeps
    for thousands of requests, may all end up at one process, and the others do nothing.
    """

    def accept(self, listener: socket.socket) -> None:
        """Hesitate the longer, the more connections this process has: one that has fewer is quicker then."""
        time.sleep(min(self.nr_conns, _MOST_COUNTED) * _HESITATION_S)
        super().accept(listener)


class _Gunicorn(BaseApplication):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Each worker's application, found by name as any WSGI server would: the table of contents stands above us."""
        return util.import_app(APPLICATION)
