"""What is not bound to one tenant: whose request it is, and what operators do.

    tenants       customers
    grants        what somebody who presents something may do: the look-ups of every request
    credentials   what SCIM clients authenticate with
    directories   where tenants' people are kept
    domains       e-mail domains, and their proof
    sealed        encrypted secrets, for their keys to be changed
    sessions      by a directory's name for them
    apps          the SaaS's own programs
    signing_keys  what our own access tokens are signed with

For ``tenancy``, which finds out whose request it is, and for operators' commands.
"""

from __future__ import annotations

from sqlalchemy import Engine

from scim_server.store.engine import database
from scim_server.store.registry.apps import App, Apps
from scim_server.store.registry.credentials import Credential, Credentials
from scim_server.store.registry.directories import Directories, Directory
from scim_server.store.registry.domains import Domain, Domains
from scim_server.store.registry.grants import Grant, Grants
from scim_server.store.registry.sealed import SealedSecrets
from scim_server.store.registry.sessions import Sessions
from scim_server.store.registry.signing_keys import SigningKey, SigningKeys
from scim_server.store.registry.tenants import Tenant, Tenants
from scim_server.store.sealed import Sealed
from scim_server.store.tenant_settings import TenantSettings

__all__ = ["App", "Credential", "Directory", "Domain", "Grant", "Registry", "Sealed", "SigningKey", "Tenant", "TenantSettings"]


class Registry:
    """Everything that is not bound to one tenant. Safe to share between threads; to be made after forking."""

    def __init__(self, engine: Engine) -> None:
        shared = database(engine)
        self.tenants = Tenants(shared)
        self.grants = Grants(shared)
        self.credentials = Credentials(shared)
        self.directories = Directories(shared)
        self.domains = Domains(shared)
        self.sealed = SealedSecrets(shared)
        self.sessions = Sessions(shared)
        self.apps = Apps(shared)
        self.signing_keys = SigningKeys(shared)
