"""Tenants and credentials for tests, made as operators make them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine

from scim_server.config import BASE_PATH, Settings
from scim_server.events import Principal, Scope
from scim_server.store.registry import Credential, Registry
from scim_server.tenancy import profiles
from scim_server.tenancy.client import SECRET
from scim_server.tenancy.credentials import Terms, create_with_secret
from scim_server.tenancy.keys import generate
from wsgi import create_app

OPERATOR = Principal("operator", "tests")
KEY = generate()
"""What secrets in the session's database are sealed with."""
BASE_URL = "https://scim.example/scim/v2"


def fresh_scope(engine: Engine, profile: str = profiles.DEFAULT) -> Scope:
    """The scope of a tenant that nobody else has."""
    tenant = Registry(engine).tenants.create(f"tenant-{uuid4()}", OPERATOR, profile=profile)
    return Scope(tenant.id, Principal("credential", str(uuid4())), f"request-{uuid4()}")


def new_credential(registry: Registry, tenant_id: str, **terms: Any) -> tuple[Credential, str]:
    """A credential of kind secret, and its token."""
    return create_with_secret(registry, tenant_id, SECRET, Terms(**terms), OPERATOR)


def new_app(engine: Engine, **settings: Any) -> Flask:
    """The application on this engine. No test is meant to run into the rate limit unless it says so."""
    known: dict[str, Any] = {"public_url": BASE_URL.removesuffix(BASE_PATH), "log_level": "WARNING", "workers": 1, "rate_limit": 100_000}
    known.update(secret_keys=(KEY,), **settings)
    return create_app(Settings(**known), engine)
