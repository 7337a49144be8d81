"""The token endpoint: client secrets and assertions -> access tokens (RFC 6749 §4.4, RFC 7523 §2.2).

A client proves who it is in exactly one of three ways, and is given an opaque token that opens what its credential opens,
or less. The token is a secret of the credential like any other: it ends on its own, and with the credential.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote_plus

from scim_server import clock
from scim_server.events import TokenIssued
from scim_server.store import ids
from scim_server.store.registry import Grant, Registry
from scim_server.store.registry.grants import ACCESS, CLIENT
from scim_server.tenancy import opaque, refusals
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.assertion import Assertions
from scim_server.tenancy.client import SCOPES, Client
from scim_server.tenancy.rates import Rates
from scim_server.tenancy.refusals import Refusals, Refused, Unauthenticated

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

LIFETIME = timedelta(hours=1)
"""Of an access token, if its credential does not end earlier."""

TOKENS_PER_SECOND = 10
"""Most tokens of one tenant on one node. One an hour is what a client needs; each is a row and an event, kept for long."""


class RequestError(Exception):
    """The request cannot be served as it is, whoever sends it: ``error`` is RFC 6749 §5.2's, ``description`` says how to mend it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token, known to whom it is given and to nobody else. ``expires_in`` is in whole seconds."""

    access_token: str
    expires_in: int
    scopes: tuple[str, ...]
    client: Client


@dataclass(frozen=True, slots=True)
class _Proof:
    """Who a client says that it is, and what is to prove it: a secret of ours, or an outside issuer's assertion."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None


class ClientCredentials:
    """Gives out access tokens, within limits. Whoever is refused is recorded. Safe to share between threads."""

    def __init__(self, registry: Registry, assertions: Assertions, admission: Admission, refusals: Refusals, rates: Rates) -> None:
        self._credentials, self._grants = registry.credentials, registry.grants
        self._assertions = assertions
        self._admission = admission
        self._refusals = refusals
        self._rates = rates

    def token(self, authorization: str | None, form: Mapping[str, str], address: str, request_id: str) -> Issued:
        """A token for the client behind the Authorization header and the form (parameters that have a value, each once).

        Raises RequestError, Unauthenticated, Suspended, TooManyRequests, or StoreError.
        """
        grant_type = form.get("grant_type")
        if grant_type is None:
            raise RequestError("invalid_request", f"The parameter grant_type is missing. It must be {GRANT_TYPE}.")
        if grant_type != GRANT_TYPE:
            raise RequestError("unsupported_grant_type", f"The only grant_type here is {GRANT_TYPE}.")
        try:
            grant, claims, client = self._authenticated(_proof(authorization, form), address)
        except Refused as refusal:
            self._refusals.record(refusal, address, request_id)
            raise
        return self._issue(grant, client, _narrowed(form.get("scope"), client.scopes), address, claims.get("uti"))

    def _authenticated(self, proof: _Proof, address: str) -> tuple[Grant, dict[str, str], Client]:
        presented = opaque.digest(proof.secret or proof.assertion or "")
        self._rates.refuse_early(presented)
        grant, claims = self._grant(proof, presented)
        client = self._admission.admit(grant, address, claims)
        self._rates.take(client.tenant_id, None, presented)
        return grant, claims, client

    def _grant(self, proof: _Proof, presented: bytes) -> tuple[Grant, dict[str, str]]:
        """What the proof opens. A secret is looked up by its hash whatever the client id is: the same work, right or wrong."""
        if proof.assertion is not None:
            return self._assertions.grant(proof.client_id, proof.assertion)
        # What is not an id may be a secret in the wrong field.
        claims = {"client_id": proof.client_id} if ids.is_id(proof.client_id) else {}
        found = self._grants.by_hash(presented)
        if found is None:
            raise Unauthenticated("unknown client secret", claims=claims)
        kind, grant = found
        if kind != CLIENT:
            raise refusals.of(Unauthenticated, "a token in place of a client secret", grant, claims)
        if grant.credential_id != proof.client_id:
            raise refusals.of(Unauthenticated, "another client's secret", grant, claims)
        return grant, claims

    def _issue(self, grant: Grant, client: Client, scopes: frozenset[str], address: str, token_id: str | None) -> Issued:
        now = clock.now()
        expires = now + LIFETIME if grant.ends is None else min(now + LIFETIME, grant.ends)
        token, ordered = opaque.new(ACCESS), tuple(each for each in SCOPES if each in scopes)
        event = TokenIssued(grant.credential_id, ordered, expires.isoformat(), address, token_id)
        self._credentials.issue(grant, opaque.digest(token), scopes, expires, event)
        return Issued(token, max(1, int((expires - now).total_seconds())), ordered, client)


def _proof(authorization: str | None, form: Mapping[str, str]) -> _Proof:
    """The one way in which the client authenticates (RFC 6749 §2.3: no more than one)."""
    client_id, secret = form.get("client_id"), form.get("client_secret")
    assertion, assertion_type = form.get("client_assertion"), form.get("client_assertion_type")
    asserts = assertion is not None or assertion_type is not None
    if bool(authorization) + (secret is not None) + asserts > 1:
        raise RequestError(
            "invalid_request",
            "The client authenticates in more than one way. Use one of: HTTP Basic, client_secret in the body, or client_assertion.",
        )
    if authorization:
        proof = _basic(authorization)
        if client_id not in (None, proof.client_id):
            raise RequestError("invalid_request", "The client_id in the body is not the one in the Authorization header. Leave out one.")
        return proof
    if secret is None and not asserts:
        raise Unauthenticated("no client authentication", presented=False)
    if client_id is None:
        raise RequestError("invalid_request", "The parameter client_id is missing.")
    if not asserts:
        return _Proof(client_id, secret=secret)
    if assertion is None or assertion_type is None:
        raise RequestError("invalid_request", "client_assertion and client_assertion_type are needed together.")
    if assertion_type != ASSERTION_TYPE:
        raise RequestError("invalid_request", f"The only client_assertion_type here is {ASSERTION_TYPE}.")
    return _Proof(client_id, assertion=assertion)


def _basic(authorization: str) -> _Proof:
    """HTTP Basic, with a form-urlencoded id and secret in it (RFC 6749 §2.3.1). Ours look the same whether that was done or not."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise Unauthenticated("not HTTP Basic")
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        proof = _Proof(unquote_plus(client_id, errors="strict"), secret=unquote_plus(secret, errors="strict"))
    except ValueError as fault:  # not base64, or not UTF-8
        raise Unauthenticated("malformed HTTP Basic") from fault
    if not (proof.client_id and proof.secret):
        raise Unauthenticated("malformed HTTP Basic")
    return proof


def _narrowed(asked: str | None, granted: frozenset[str]) -> frozenset[str]:
    """The scopes of the token: those asked for, or all. Names that mean nothing here are passed over (RFC 6749 §3.3)."""
    known = frozenset((asked or "").split()) & frozenset(SCOPES)
    if lacking := known - granted:
        named, there = " ".join(sorted(lacking)), " ".join(sorted(granted))
        raise RequestError("invalid_scope", f"This client does not have the scope {named}. It has: {there}.")
    return known or granted
