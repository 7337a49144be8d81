"""The Authorization header (RFC 6750): from what is presented to the client that calls."""

from __future__ import annotations

from scim_server.store.registry import Grant, Registry
from scim_server.store.registry.grants import CLIENT
from scim_server.tenancy import opaque, refusals
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.client import Client
from scim_server.tenancy.entra_jwt import EntraTokens
from scim_server.tenancy.rates import Rates
from scim_server.tenancy.refusals import InsufficientScope, Refusals, Refused, Suspended, Unauthenticated

_MOST_KNOWN = 10_000


class Bearer:
    """Tells which client is calling, within its limits. Whoever is refused is recorded."""

    def __init__(self, registry: Registry, entra: EntraTokens, admission: Admission, refusals: Refusals, rates: Rates) -> None:
        self._grants = registry.grants
        self._entra = entra
        self._admission = admission
        self._refusals = refusals
        self._rates = rates
        self._tenants: dict[bytes, str] = {}

    def client(self, authorization: str | None, address: str, request_id: str, needs: str | None = None) -> Client:
        """The client behind the header, which may do what it ``needs`` to (a scope).

        Raises Unauthenticated, Suspended, InsufficientScope, TooManyRequests, or IssuerUnavailable.
        """
        try:
            client = self._client(authorization, address)
            if needs is not None and needs not in client.scopes:
                raise InsufficientScope(needs, tenant_id=client.tenant_id, credential_id=client.credential_id)
        except Refused as refusal:
            self._refusals.record(refusal, address, request_id)
            raise
        return client

    def tenant_of(self, authorization: str) -> str:
        """The id of the tenant whose client was let in with the same header before; empty where none was. It proves nothing."""
        return self._tenants.get(opaque.digest(authorization.partition(" ")[2].strip()), "")

    def _client(self, authorization: str | None, address: str) -> Client:
        if not authorization:
            raise Unauthenticated("no credential", presented=False)
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("not a bearer token")
        hashed = opaque.digest(token)
        self._rates.refuse_early(hashed)
        grant, claims = self._entra.grant(token) if self._entra.possible(token) else (self._opaque(hashed), None)
        try:
            client = self._admission.admit(grant, address, claims)
        except Suspended:  # the credential is good: whose flood it is is known
            self._rates.take(grant.tenant_id, grant.settings.rate_limit, hashed)
            raise
        self._rates.take(client.tenant_id, grant.settings.rate_limit, hashed)
        self._tenants[hashed] = client.tenant_id
        if len(self._tenants) > _MOST_KNOWN:
            self._tenants.clear()
        return client

    def _opaque(self, hashed: bytes) -> Grant:
        found = self._grants.by_hash(hashed)
        if found is None:
            raise Unauthenticated("unknown token")
        kind, grant = found
        if kind == CLIENT:
            raise refusals.of(Unauthenticated, "a client secret in place of a token", grant)
        return grant
