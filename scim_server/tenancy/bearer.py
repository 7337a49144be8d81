"""The Authorization header (RFC 6750): from what is presented to the client that calls."""

from __future__ import annotations

from scim_server.store.registry import Grant, Registry
from scim_server.store.registry.credentials import CLIENT
from scim_server.tenancy import opaque, refusals
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.client import Client
from scim_server.tenancy.rates import Rates
from scim_server.tenancy.refusals import InsufficientScope, Refusals, Refused, Unauthenticated


class Bearer:
    """Tells which client is calling, within its limits. Whoever is refused is recorded."""

    def __init__(self, registry: Registry, admission: Admission, refusals: Refusals, rates: Rates) -> None:
        self._credentials = registry.credentials
        self._admission = admission
        self._refusals = refusals
        self._rates = rates

    def client(self, authorization: str | None, address: str, request_id: str, needs: str | None = None) -> Client:
        """The client behind the header, which may do what it ``needs`` to (a scope).

        Raises Unauthenticated, Suspended, InsufficientScope, or TooManyRequests.
        """
        try:
            client = self._client(authorization, address)
            if needs is not None and needs not in client.scopes:
                raise InsufficientScope(needs, tenant_id=client.tenant_id, credential_id=client.credential_id)
        except Refused as refusal:
            self._refusals.record(refusal, address, request_id)
            raise
        return client

    def _client(self, authorization: str | None, address: str) -> Client:
        if not authorization:
            raise Unauthenticated("no credential", presented=False)
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("not a bearer token")
        hashed = opaque.digest(token)
        self._rates.refuse_early(hashed)
        grant = self._opaque(hashed)
        client = self._admission.admit(grant, address)
        self._rates.take(client.tenant_id, grant.settings.rate_limit, hashed)
        return client

    def _opaque(self, hashed: bytes) -> Grant:
        found = self._credentials.by_hash(hashed)
        if found is None:
            raise Unauthenticated("unknown token")
        kind, grant = found
        if kind == CLIENT:
            raise refusals.of(Unauthenticated, "a client secret in place of a token", grant)
        return grant
