"""A tenant whose people sign in at a directory of their own: the application on each database, the directory real, the browser scripted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import Engine, text

from scim_server.access import rules
from scim_server.config import Settings
from scim_server.events import Scope
from scim_server.outbound import Outbound
from scim_server.store.registry import Registry
from scim_server.store.unit import Recorded, Store
from scim_server.tenancy.directories import Directories, Registration
from scim_server.tenancy.keys import KeyRing
from tests.browser import Browser, Page
from tests.entra_directory import SECRET, EntraDirectory, NewEntra
from tests.http.conftest import Scim
from tests.tenants import KEY, OPERATOR, fresh_scope, new_app, new_credential

PUBLIC_URL = "https://scim.example"


@dataclass
class Company:
    """A tenant, its directory, and an application on its database. ``settings`` are those that the application has."""

    app: Flask
    engine: Engine
    owner_engine: Engine
    store: Store
    scope: Scope
    entra: EntraDirectory
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        tenant = Registry(self.engine).tenants.by_id(self.scope.tenant_id)
        assert tenant is not None
        return tenant.name

    def browser(self, **options: Any) -> Browser:
        return Browser(PUBLIC_URL, self.app, **options)

    def sign_in(self, login: str, browser: Browser | None = None, query: str = "") -> Page:
        """One whole sign-in by the tenant's link: the application's last answer."""
        browser = browser or self.browser()
        return browser.sign_in(f"/login?tenant={self.name}{query}", login)

    def signed_in(self, login: str) -> Browser:
        """The browser of somebody who is in."""
        browser = self.browser()
        page = self.sign_in(login, browser)
        assert page.status == 303, f"{page.status} {page.text[:2000]}"
        return browser

    def map(self, group: str, role: str) -> None:
        with self.store.write(self.scope) as unit:
            rules.add_mapping(unit, group, role)

    def restrict(self, *groups: str) -> None:
        with self.store.write(self.scope) as unit:
            rules.restrict(unit, groups)

    def change(self, **settings: Any) -> None:
        """Of the tenant's own settings."""
        Registry(self.engine).tenants.change(self.scope.tenant_id, OPERATOR, **settings)

    def events(self, tag: str | None = None) -> list[Recorded]:
        """The tenant's, oldest first: all, or those of a tag."""
        with self.store.read(self.scope) as unit:
            return [each for each in reversed(unit.events.list(500)) if tag is None or each.tag == tag]

    def refusals(self) -> list[str]:
        return [each.data["reason"] for each in self.events("signin:user:refused")]

    def count(self, table: str) -> int:
        """Rows of the tenant in that table."""
        query = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")
        with self.owner_engine.connect() as connection:
            return int(connection.execute(query, {"tenant": self.scope.tenant_id}).scalar_one())

    def scim(self) -> Scim:
        """A SCIM client of the tenant."""
        return Scim(self.app, new_credential(Registry(self.engine), self.scope.tenant_id)[1])


NewCompany = Callable[..., Company]


def application(engine: Engine, **settings: Any) -> Flask:
    """As the tests of sign-in need it: custom clouds, a key, no floor under refreshes unless a test wants one."""
    known = {"allow_custom_cloud": True, "refresh_floor_s": 0, "jwks_refetch_floor_s": 0, **settings}
    return new_app(engine, **known)


@pytest.fixture(scope="session")
def sign_in_app(engine: Engine) -> Flask:
    return application(engine)


@pytest.fixture
def new_company(engine: Engine, owner_engine: Engine, store: Store, sign_in_app: Flask, new_entra: NewEntra) -> NewCompany:
    """Makes companies. Keywords are settings of an application of their own."""

    def make(entra: EntraDirectory | None = None, scope: Scope | None = None, **settings: Any) -> Company:
        app = application(engine, **settings) if settings else sign_in_app
        company = Company(app, engine, owner_engine, store, scope or fresh_scope(engine), entra or new_entra(), settings)
        company.entra.register(PUBLIC_URL)
        add_directory(company, company.entra)
        return company

    return make


@pytest.fixture
def company(new_company: NewCompany) -> Company:
    return new_company()


def add_directory(company: Company, entra: EntraDirectory, **given: Any) -> None:
    """Make the directory the tenant's, as ``directory add`` does."""
    registry = Registry(company.engine)
    ring = KeyRing.of(Settings(secret_keys=(KEY,)), registry)
    registration = Registration(
        **{
            "client_id": entra.client_id,
            "client_secret": None if "certificate" in given else SECRET,
            "authority": entra.authority,
            "graph": entra.graph,
            **given,
        }
    )
    directories = Directories(registry, ring, Outbound(allow_custom=True), allow_custom=True)
    directories.add(company.scope.tenant_id, "custom", entra.tid, registration, OPERATOR)


def object_id() -> str:
    return str(uuid4())


@pytest.fixture(scope="session")
def certificate() -> tuple[bytes, bytes]:
    """A certificate and its private key, as PEM."""
    return new_certificate()


def new_certificate(days: int = 365, bits: int = 2048) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = builder.not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    return made.public_bytes(pem), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
