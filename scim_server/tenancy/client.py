"""Who calls, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass

from scim_server.events import Principal, Scope
from scim_server.tenancy.profiles import Profile

READ, WRITE, AUDIT = "scim.read", "scim.write", "audit.read"
SCOPES = (READ, WRITE, AUDIT)
"""What a credential may be good for: reading resources, changing them, reading the audit trail."""


SECRET, OAUTH_CLIENT, FEDERATED, ENTRA = KINDS = ("secret", "client", "federated", "entra")
"""Kinds of credentials, by what a client does with them: ``credentials`` tells."""


@dataclass(frozen=True, slots=True)
class Client:
    """An authenticated SCIM client: which credential of which tenant, what it may do, and how its wire is read.

    ``schemas`` counts the changes of the tenant's own schemas; 0: it never had any.
    """

    tenant_id: str
    tenant_name: str
    credential_id: str
    profile: Profile
    scopes: frozenset[str]
    schemas: int

    @property
    def lenient(self) -> bool:
        return self.profile.lenient

    def scope(self, request_id: str) -> Scope:
        return Scope(self.tenant_id, Principal("credential", self.credential_id), request_id, self.schemas)
