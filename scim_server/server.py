"""gunicorn, set up for this application. Nothing else knows which WSGI server it is.

Threads, because a request waits for the database; keep-alive, because a provisioning client sends
thousands of requests over few connections. The application is loaded by each worker after its fork
(no preload): a database connection must not be shared between processes, and SIGHUP then brings
workers with new code.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from gunicorn import glogging, util
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from scim_server import log
from scim_server.config import Settings
from scim_server.turns import TENANT_OF, UNKNOWN, Turns

APPLICATION = "wsgi:create_app()"
_HESITATION_S = 0.00003
_MOST_COUNTED = 4
_MEMORY = Path("/dev/shm")  # noqa: S108  gunicorn makes its heartbeat file there with mkstemp


class CannotListen(Exception):
    """The address is not to be had, or should not be. The text says why, and how to mend it."""


def check_address(settings: Settings) -> None:
    """Raise CannotListen where gunicorn could not listen (gunicorn itself would try for five seconds), or should not.

    It speaks HTTP, so whoever is on another machine must come by a proxy that speaks TLS (RFC 7644 §7.2).
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        if not (settings.trusted_proxies or ip_address(address[0]).is_loopback):
            raise CannotListen(_PLAIN.format(host=settings.host))
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        raise CannotListen(_explain(fault, settings)) from fault


_PLAIN = (
    "HOST={host}: other machines would send their tokens here in the clear. Put a proxy that speaks TLS in front, and name it in"
    " TRUSTED_PROXIES (docs/operating.md); or listen on HOST=127.0.0.1."
)


def _explain(fault: OSError, settings: Settings) -> str:
    where = f"HOST={settings.host} PORT={settings.port}: "
    if fault.errno == errno.EADDRINUSE:
        return where + f"another program listens there. Stop it, or choose another port, for example PORT={settings.port + 1}."
    if fault.errno == errno.EACCES:
        return where + "ports below 1024 are kept for root. Choose a higher one, for example PORT=8000."
    return where + f"this machine has no such address ({fault.strerror}). Choose HOST=127.0.0.1, or behind a proxy HOST=0.0.0.0."


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
        # The most that gunicorn takes; its default is 4,094. A longer filter goes by POST to /.search.
        "limit_request_line": 8190,
        # A token that is too large is refused by us like any other, and recorded; gunicorn would answer 400 in its own words.
        # All of them together cost gunicorn the square of their length.
        "limit_request_field_size": 24_576,
        "limit_request_fields": 40,
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


_WAITS = object()
_HEALTH = ("/healthz", "/readyz")
_LONGEST_ARRIVAL_S = 10.0
_LONGEST_LEAVE_S = 2.0


class _Waiting(NamedTuple):
    request: Any
    connection: Any


class _Again:
    """A connection's parser that gives the request which was read already, since it is its tenant's turn, and then steps back."""

    def __init__(self, waiting: _Waiting, tenant: str, thread: threading.local) -> None:
        self._waiting = waiting
        self._parser = waiting.connection.parser
        self._tenant = tenant
        self._thread = thread

    def __next__(self) -> Any:
        self._waiting.connection.parser = self._parser
        self._thread.turn_of = self._tenant
        return self._waiting.request


class _Worker(ThreadWorker):
    """Threads, as gunicorn has them; but connections are spread over processes, and nobody has more of them than his turn.

    Of several processes the one with the fewest connections takes the next. All of them wait at the
    same socket. Left to chance, a client's few connections, which it keeps for thousands of
    requests, may all end up at one process, and the others do nothing.

    A request whose tenant has its share of the threads already waits without one (``turns``). Its
    connection comes back by the way that it came, with the request in front of what it sends next.

    Who is slow to send, or to leave, holds up nobody for long: a request must have arrived within
    some seconds, and it is not the main loop that waits until a client has closed its side, too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turns: Turns[_Waiting] = Turns(self.cfg.threads)
        self._thread = threading.local()
        self._resting: list[tuple[float, str]] = []  # when somebody's rest is over; a heap
        self._arriving: dict[Any, float] = {}  # until when
        self._leaving: deque[tuple[float, Any]] = deque()  # and until when they are waited for

    def accept(self, listener: socket.socket) -> None:
        """Hesitate the longer, the more connections this process has: one that has fewer is quicker then."""
        time.sleep(min(self.nr_conns, _MOST_COUNTED) * _HESITATION_S)
        super().accept(listener)

    def handle(self, conn: Any) -> Any:
        self._thread.waits, self._thread.turn_of = False, None
        self._arriving[conn] = time.monotonic() + _LONGEST_ARRIVAL_S
        try:
            kept = super().handle(conn)
        finally:
            self._arriving.pop(conn, None)
        return _WAITS if self._thread.waits else kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer the request if it is its tenant's turn; or leave it to be taken up again."""
        if req.path in _HEALTH:
            return super().handle_request(req, conn)
        tenant = self._thread.turn_of
        if tenant is None:
            tenant = self._tenant(req, conn)
            if not self._turns.begin(tenant, _Waiting(req, conn)):
                self._thread.waits = True
                return False
        began = time.monotonic()
        try:
            return super().handle_request(req, conn)
        finally:
            ended = time.monotonic()
            if rest := self._turns.rest(tenant, ended - began):
                self.method_queue.defer(heappush, self._resting, (ended + rest, tenant))
            else:
                self._end_turn(tenant)

    def finish_request(self, conn: Any, fs: Any) -> None:
        ended = not fs.cancelled() and fs.exception() is None
        if ended and fs.result() is _WAITS:
            return
        if ended and fs.result() is False:
            self._see_off(conn)
            return
        super().finish_request(conn, fs)

    def wait_for_and_dispatch_events(self, timeout: float | None) -> None:
        """Besides, end the turns of whose rest is over."""
        if self._resting:
            rest = max(0.0, self._resting[0][0] - time.monotonic())
            timeout = rest if timeout is None else min(timeout, rest)
        super().wait_for_and_dispatch_events(timeout)
        while self._resting and self._resting[0][0] <= time.monotonic():
            self._end_turn(heappop(self._resting)[1])

    def murder_pending(self) -> None:
        """Besides, at least once a second: read no more from whose request takes too long to arrive; forget who does not leave."""
        super().murder_pending()
        now = time.monotonic()
        for conn, until in list(self._arriving.items()):
            if now > until:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
        while self._leaving and self._leaving[0][0] <= now:
            self._forget(self._leaving.popleft()[1])

    def _end_turn(self, tenant: str) -> None:
        for waiting in self._turns.end(tenant):
            waiting.connection.parser = _Again(waiting, tenant, self._thread)
            self.enqueue_req(waiting.connection)

    def _see_off(self, conn: Any) -> None:
        """Say good-bye, and take in what the client still sends until it has closed, too: else it might lose our answer."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError, KeyError):
            self.nr_conns -= 1
            conn.close()
        else:
            self._leaving.append((time.monotonic() + _LONGEST_LEAVE_S, conn))

    def _drain(self, conn: Any, sock: Any) -> None:
        try:
            more = sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self._forget(conn)

    def _forget(self, conn: Any) -> None:
        if conn.sock.fileno() != -1:
            self.poller.unregister(conn.sock)
            conn.close()
            self.nr_conns -= 1

    def _tenant(self, req: Any, conn: Any) -> str:
        """Whose request it is, as far as that is known already: nobody is asked for it. Else the peer of the connection."""
        application: Any = self.wsgi
        tells = application.extensions[TENANT_OF]
        known: str = next((found for name, value in req.headers if name in tells and (found := tells[name](value))), "")
        return known or f"{UNKNOWN}{conn.client[0] if conn.client else ''}"

    def run(self) -> None:
        """Serve, and do what else is due, until the process is told to end: the application is loaded by now."""
        from scim_server.housekeeping import Housekeeping, jobs  # after the fork, like the application

        assert isinstance(self.app, _Gunicorn)
        settings = self.app.settings
        housekeeping = Housekeeping(lambda: jobs(settings))
        housekeeping.start()
        try:
            super().run()
        finally:
            housekeeping.stop()


class _Gunicorn(BaseApplication):
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in options(self.settings).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Each worker's application, found by name as any WSGI server would: the table of contents stands above us."""
        return util.import_app(APPLICATION)
