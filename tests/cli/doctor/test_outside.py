"""DNS, issuers, clocks and our own address, by real servers on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from scim_server import clock
from scim_server.cli.doctor import asking
from scim_server.store.registry import Registry
from tests.cli.doctor.conftest import Doctor
from tests.nameserver import SERVFAIL, Nameserver
from tests.server import free_port
from tests.tenants import OPERATOR


class Web:
    """A web server on this machine whose clock is some seconds ahead: a sign-in host, and this server's own address."""

    def __init__(self) -> None:
        self.ahead: float | None = 0.0
        self.status = 200
        self.body = b'{"status": "alive"}'
        self.asked: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                self.send_response_only(web.status)
                if web.ahead is not None:
                    self.send_header("Date", format_datetime(datetime.now(UTC) + timedelta(seconds=web.ahead), usegmt=True))
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(web.body)

            def log_message(self, *_arguments: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, args=(0.01,))
    thread.start()
    yield web
    web.server.shutdown()
    thread.join()
    web.server.server_close()


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        nameserver.has("microsoft.com", "v=spf1 -all")
        yield nameserver


@pytest.fixture
def online(doctor: Doctor, registry: Registry, web: Web, nameserver: Nameserver) -> Doctor:
    """With a directory in a cloud on this machine. Nobody else is asked anything."""
    tenant = registry.tenants.create("Contoso", OPERATOR, "entra")
    registry.directories.add(tenant.id, "custom", str(uuid4()), OPERATOR, authority=web.url, graph=web.url)

    def examine(**environ: str) -> dict[str, dict[str, Any]]:
        here = {"PUBLIC_URL": web.url, "ALLOW_CUSTOM_CLOUD": "true", "DNS_SERVERS": nameserver.setting}
        return doctor("--json", **{**here, **environ})

    return examine


def test_the_way_out(online: Doctor, web: Web, registry: Registry) -> None:
    host = web.url.removeprefix("http://")
    checks = online()
    assert {checks[name]["state"] for name in ("dns", f"outbound {host}", "clock", "reachable")} == {"ok"}
    (directory,) = registry.directories.list(registry.tenants.list()[0].id)
    assert set(web.asked) == {f"/{directory.tid}/v2.0/.well-known/openid-configuration", "/healthz"}


def test_an_issuer_that_cannot_be_asked(online: Doctor, web: Web) -> None:
    name = f"outbound {web.url.removeprefix('http://')}"
    web.status = 404
    checks = online()
    assert (checks[name]["state"], "status 404" in checks[name]["finding"]) == ("failed", True)
    assert checks["reachable"]["state"] == "warning"
    assert "may not be asked" in online(ALLOW_CUSTOM_CLOUD="false")[name]["finding"]


@pytest.mark.parametrize(
    ("ahead", "state", "told"),
    [
        (0, "ok", "agrees"),
        (1, "ok", "agrees"),
        (10, "warning", "behind"),
        (-10, "warning", "ahead of"),
        (70, "failed", "minute"),
        (None, "warning", "not"),
    ],
)
def test_the_clock(online: Doctor, web: Web, ahead: float | None, state: str, told: str) -> None:
    web.ahead = ahead
    found = online()["clock"]
    assert (found["state"], told in found["finding"]) == (state, True)


def test_nobody_is_there(online: Doctor, web: Web, nameserver: Nameserver) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    assert "refused" in online(PUBLIC_URL=away)["reachable"]["finding"]
    web.status, web.body = 302, b""
    assert "Something else" in online()["reachable"]["finding"]
    assert "/elsewhere" not in web.asked
    nameserver.gives("microsoft.com", SERVFAIL)
    found = online()["dns"]
    assert (found["state"], "No domain needs it yet" in found["finding"]) == ("warning", True)


def test_dns_matters_where_there_are_domains(online: Doctor, registry: Registry, nameserver: Nameserver) -> None:
    assert online()["dns"]["state"] == "ok"
    nameserver.has("microsoft.com")
    registry.domains.add(registry.tenants.list()[0].id, "contoso.example", "x", "pending", OPERATOR, next_check=clock.now())
    assert online()["dns"]["state"] == "ok"
    nameserver.gives("_scim-server-challenge.contoso.example", SERVFAIL)
    assert online()["dns"]["state"] == "failed"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/hostname"])
def test_only_the_web_is_asked(url: str) -> None:
    with pytest.raises(asking.NoAnswer, match="neither"):
        asking.ask(url)
