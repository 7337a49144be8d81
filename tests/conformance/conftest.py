"""A right server, to put faults before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from conformance.checker import offer, runner
from conformance.checker.offer import ME, OTHER, Offer
from conformance.checker.registry import Check
from conformance.checker.runner import Result
from conformance.wire import Wire
from scim_server.events import Scope
from scim_server.provisioning import schemas
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE, migrate
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.conformance.faults import Tenants
from tests.conformance.tampered import Fault, Tampered, right, serving
from tests.http.acme import ATTRIBUTES, extension
from tests.tenants import BASE_URL, fresh_scope, new_app, new_credential

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
NEEDED = "urn:example:needed:User"


@dataclass
class Site:
    """A server, three of its tenants, and what it offers to each: one with attributes of every kind, one with none of its own, and one
    with an extension that is required."""

    server: Tampered
    tokens: dict[str, str]
    offers: dict[str, Offer]
    user_id: str

    @property
    def tenants(self) -> Tenants:
        return Tenants(self.tokens["own"], self.tokens["other"])

    def run(self, check: Check, fault: Fault, host: str = "127.0.0.1") -> Result:
        """One check against the server with the fault."""
        tenant = "needed" if "a required extension" in check.needs else "own"
        self.server.fault = fault
        base_url = self.server.base_url.replace("127.0.0.1", host)
        with Wire(base_url, self.tokens[tenant], timeout=20) as wire, Wire(base_url, self.tokens["other"], timeout=20) as other:
            offered = self.offers[tenant]
            if check.id == "discovery.types.other":
                offered = offer.read(wire)
            others = {OTHER: (other, self.offers["other"]), ME: (wire, offered)}
            try:
                (result,) = runner.run(wire, offered, [check], others=others).results
            finally:
                self.server.fault = right
        return result


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('site')}/scim.db"
    engine = create_engine(url, pool_size=4, role=ROLE)
    migrate(engine)
    registry = Registry(engine)
    scopes = {name: fresh_scope(engine, "rfc") for name in ("own", "other", "needed")}
    tokens = {name: new_credential(registry, scope.tenant_id)[1] for name, scope in scopes.items()}
    for name, added in (
        ("own", extension([*ATTRIBUTES, {"name": "number", "mutability": "readOnly", "required": True}])),
        ("needed", extension([{"name": "badge", "required": True, "uniqueness": "server"}], urn=NEEDED, required=True)),
    ):
        add(Store(engine, BASE_URL), scopes[name], added)

    def make(origin: str) -> Flask:
        return new_app(engine, public_url=origin)

    with serving(make) as server:
        user_id = ""
        offers = {}
        for name, token in tokens.items():
            with Wire(server.base_url, token, timeout=20) as wire:
                offers[name] = offer.read(wire)
                for number in range(3 if name == "own" else 0):  # whom the checks must not be disturbed by
                    body = {"schemas": [USER], "userName": f"somebody-{number}"}
                    user_id = wire.request("POST", "/Users", body).json()["id"]
        yield Site(server, tokens, offers, user_id)
    engine.dispose()


def add(store: Store, scope: Scope, added: Any) -> None:
    store.transact(scope, lambda unit: schemas.add(unit, added, accept_missing=False))
