"""Where a request comes from: the peer, or what a trusted proxy says of it; and credentials that are good from some networks only."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.http.addresses import client_address
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.conftest import Scim, new_client
from tests.tenants import new_app

PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "fd00::/8")))

# The peer, X-Forwarded-For, and the address without trusted proxies and with them.
CASES: dict[str, tuple[str, str, str, str]] = {
    "nobody in between": ("192.0.2.1", "", "192.0.2.1", "192.0.2.1"),
    "a stranger's header": ("192.0.2.1", "203.0.113.7", "192.0.2.1", "192.0.2.1"),
    "a proxy without a word": ("10.0.0.1", "", "10.0.0.1", "10.0.0.1"),
    "a proxy": ("10.0.0.1", "203.0.113.7", "10.0.0.1", "203.0.113.7"),
    "a proxy, and what the client invented": ("10.0.0.1", "198.51.100.1, 10.9.9.9, 203.0.113.7", "10.0.0.1", "203.0.113.7"),
    "two proxies": ("10.0.0.1", "198.51.100.1,203.0.113.7, 10.0.0.2", "10.0.0.1", "203.0.113.7"),
    "proxies all the way": ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.1", "10.0.0.3"),
    "nonsense after the proxy": ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1", "10.0.0.1"),
    "nonsense before the client": ("10.0.0.1", "unknown, 203.0.113.7", "10.0.0.1", "203.0.113.7"),
    "an empty hop": ("10.0.0.1", "203.0.113.7, ", "10.0.0.1", "10.0.0.1"),
    "with a port": ("10.0.0.1", "203.0.113.7:4711", "10.0.0.1", "203.0.113.7"),
    "IPv6": ("fd00::1", "2001:db8::7", "fd00::1", "2001:db8::7"),
    "IPv6 with a port": ("fd00::1", "[2001:DB8::7]:4711", "fd00::1", "2001:db8::7"),
    "IPv6 of one machine": ("fe80::1%eth0", "203.0.113.7", "fe80::1", "fe80::1"),
    "IPv4 in IPv6's clothes": ("::ffff:10.0.0.1", "::ffff:203.0.113.7", "10.0.0.1", "203.0.113.7"),
    "a Unix socket": ("", "203.0.113.7", "", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_an_address_is_what_nobody_else_can_have_written(case: str) -> None:
    peer, forwarded, alone, behind_proxies = CASES[case]
    environ = {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    assert client_address(environ, ()) == alone
    assert client_address(environ, PROXIES) == behind_proxies


def test_a_long_header_is_no_hardship() -> None:
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.2," * 5000}
    assert client_address(environ, PROXIES) == "10.0.0.1"


def status(client: Scim, address: str, forwarded: str | None = None) -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return client.request("GET", "/Users", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code


def test_a_credential_is_good_from_its_networks_only(app: Flask, registry: Registry, store: Store, scope: Scope) -> None:
    client = new_client(app, registry, scope.tenant_id, networks=(ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")))
    for address in ("203.0.113.1", "203.0.113.255", "::ffff:203.0.113.9", "2001:db8:1::1"):
        assert status(client, address) == 200, address
    for address in ("203.0.114.1", "192.0.2.1", "2001:db9::1", "fe80::1%eth0", ""):
        assert status(client, address) == 401, address
    assert status(client, "192.0.2.1", forwarded="203.0.113.1") == 401
    with store.read(scope) as unit:
        refused = [each.data for each in unit.events.list(10) if each.tag == "auth:credential:refused"]
    assert {each["reason"] for each in refused} == {"not from an allowed network"}
    assert [each["address"] for each in refused] == ["192.0.2.1", "", "fe80::1", "2001:db9::1", "192.0.2.1", "203.0.114.1"]


def test_behind_a_trusted_proxy_the_client_counts_not_the_proxy(engine: Engine, registry: Registry, scope: Scope) -> None:
    app = new_app(engine, trusted_proxies="10.0.0.0/8")
    client = new_client(app, registry, scope.tenant_id, networks=(ip_network("203.0.113.0/24"),))
    cases: list[tuple[str, str | None, int]] = [
        ("10.0.0.1", "203.0.113.1", 200),
        ("10.0.0.1", "192.0.2.1, 203.0.113.1", 200),
        ("10.0.0.1", "203.0.113.1, 192.0.2.1", 401),
        ("10.0.0.1", None, 401),
        ("192.0.2.1", "203.0.113.1", 401),
        ("203.0.113.1", "192.0.2.1", 200),
    ]
    assert [status(client, address, forwarded) for address, forwarded, _ in cases] == [expected for *_, expected in cases]


def test_the_proxys_own_network_opens_nothing_to_whom_it_forwards(engine: Engine, registry: Registry, scope: Any) -> None:
    """As long as it is trusted: without TRUSTED_PROXIES every client would have its address."""
    networks = (ip_network("10.0.0.0/8"),)
    trusting, unaware = new_app(engine, trusted_proxies="10.0.0.0/8"), new_app(engine)
    assert status(new_client(trusting, registry, scope.tenant_id, networks=networks), "10.0.0.1", "192.0.2.1") == 401
    assert status(new_client(unaware, registry, scope.tenant_id, networks=networks), "10.0.0.1", "192.0.2.1") == 200
