"""A directory as an OpenID provider: where to send the browser, tokens for what it brings back, and who they say that it is.

What is sent, and how we authenticate, is made by Authlib; it goes out by our own way (``outbound``), which has time-outs and limits, asks
known hosts only, and follows nobody. Each directory has metadata of its own, as Microsoft advises, kept for a while like its keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from oidc.errors import ProviderError, Verdict, verdict
from oidc.tokens import Claims, Expected, check
from scim_server.clouds import SIGN_IN_HOSTS
from scim_server.jwt import signing
from scim_server.jwt.keys import Documents, KeySets, KeysUnavailable
from scim_server.outbound import FetchFailed, Outbound, UnusableUrl
from scim_server.tenancy.certificates import thumbprint
from scim_server.tenancy.clouds import cloud_of, discovery_url
from scim_server.tenancy.directories import ClientSecret, Directories, Directory

_SCOPES = "openid profile email offline_access"
_ASSERTION_S = 300
_OK = 200
_MAX_TOKEN = 64 * 1024
_TEMPLATE = "{tenantid}"


class ProviderUnavailable(Exception):
    """There is no answer from the directory, or none that can be used. It is worth trying again; ``retry_after`` is in seconds."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class TokenRefused(Exception):
    """The directory gives no token. ``verdict`` says what follows."""

    def __init__(self, error: ProviderError, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.error = error
        self.verdict = verdict


class NoCredential(Exception):
    """Nothing is registered by which we could prove to the directory who we are."""

    def __init__(self) -> None:
        super().__init__("no client secret or certificate is registered for the directory")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the directory says of itself (OpenID Connect Discovery 1.0 §3). Every URL may be asked."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """The access token is for Graph, and opaque to us."""

    id_token: str | None = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)


class Provider:
    """Speaks to directories. Safe to share between threads."""

    def __init__(self, outbound: Outbound, directories: Directories, keys: KeySets, max_age_s: float) -> None:
        self._outbound = outbound
        self._directories = directories
        self._keys = keys
        self._metadata = Documents(outbound, self._read, max_age_s, 0.0)

    def metadata(self, directory: Directory) -> Metadata:
        """Raises ProviderUnavailable."""
        url = discovery_url(directory)
        if url is None:
            raise ProviderUnavailable("the directory has no sign-in service")
        try:
            return self._metadata.get(url)
        except KeysUnavailable as fault:
            raise ProviderUnavailable("the directory's metadata cannot be had") from fault

    def authorization_url(
        self,
        directory: Directory,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        verifier: str,
        login_hint: str | None = None,
        domain_hint: str | None = None,
        correlation_id: str | None = None,
        prompt: str | None = None,
    ) -> str:
        """Where the browser goes to sign in. Raises ProviderUnavailable."""
        hints = {"prompt": prompt, "login_hint": login_hint, "domain_hint": domain_hint, "client-request-id": correlation_id}
        return str(
            prepare_grant_uri(
                self.metadata(directory).authorization_endpoint,
                directory.client_id or "",
                "code",
                redirect_uri,
                _scope(directory),
                state,
                response_mode="query",
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]  # the stubs leave it so
                code_challenge_method="S256",
                **hints,
            )
        )

    def exchange(self, directory: Directory, *, code: str, verifier: str, redirect_uri: str, correlation_id: str) -> Tokens:
        """Tokens for an authorization code. Raises TokenRefused, ProviderUnavailable, NoCredential or KeyFault."""
        body = prepare_token_request("authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)
        return self._tokens(directory, body, correlation_id)

    def refresh(self, directory: Directory, *, refresh_token: str, correlation_id: str) -> Tokens:
        """Tokens for a refresh token, for what was granted with it. Raises as ``exchange`` does."""
        body = prepare_token_request("refresh_token", refresh_token=refresh_token)
        return self._tokens(directory, body, correlation_id)

    def claims(
        self, directory: Directory, given: Tokens, *, nonce_hash: bytes | None = None, same_as: tuple[str, str, str] | None = None
    ) -> Claims | None:
        """What the ID token proves, None where none was given. ``tokens.Expected`` says what the last two are.

        Raises InvalidToken, or ProviderUnavailable where the directory's keys cannot be had.
        """
        if given.id_token is None:
            return None
        jwks_uri = self.metadata(directory).jwks_uri
        client_id = directory.client_id or ""
        expected = Expected(cloud_of(directory).authority, client_id, jwks_uri, nonce_hash, given.access_token, same_as)
        try:
            return check(given.id_token, expected, self._keys)
        except KeysUnavailable as fault:
            raise ProviderUnavailable("the directory's keys cannot be had") from fault

    def end_session_url(self, directory: Directory, *, post_logout_redirect_uri: str, logout_hint: str | None = None) -> str | None:
        """Where the browser goes to sign out there, too (OpenID Connect RP-Initiated Logout 1.0). Raises ProviderUnavailable."""
        endpoint = self.metadata(directory).end_session_endpoint
        if endpoint is None:
            return None
        query = {"post_logout_redirect_uri": post_logout_redirect_uri, "client_id": directory.client_id, "logout_hint": logout_hint}
        joint = "&" if urlsplit(endpoint).query else "?"
        return endpoint + joint + urlencode({name: value for name, value in query.items() if value})

    def _tokens(self, directory: Directory, body: str, correlation_id: str) -> Tokens:
        endpoint = self.metadata(directory).token_endpoint
        form = self._authenticated(directory, endpoint, body)
        headers = {"client-request-id": correlation_id, "return-client-request-id": "true"}
        try:
            answer = self._outbound.ask("POST", endpoint, headers=headers, body=form)
        except FetchFailed as fault:
            raise ProviderUnavailable(fault.reason) from fault
        if answer.status != _OK:
            error = ProviderError.parse(answer.document)
            raise TokenRefused(error, verdict(error, answer.status))
        document = answer.document or {}
        access_token = _token(document, "access_token")
        if access_token is None:
            raise ProviderUnavailable("no access token in the directory's answer")
        return Tokens(_token(document, "id_token"), access_token, _token(document, "refresh_token"))

    def _authenticated(self, directory: Directory, endpoint: str, body: str) -> str:
        """The form, with what proves who we are (OAuth 2.0 §2.3.1; RFC 7523 §2.2 with Entra's header for certificates)."""
        client_id, credential = directory.client_id or "", self._directories.credential(directory)
        if credential is None:
            raise NoCredential
        if isinstance(credential, ClientSecret):
            client = ClientAuth(client_id, credential.value, "client_secret_post")
            _, _, form = client.prepare("POST", endpoint, {}, body)  # type: ignore[no-untyped-call]  # as above
            return str(form)
        certificate = thumbprint(credential.certificate_pem)
        assertion = signing.client_assertion(credential.private_key_pem, client_id, endpoint, certificate, _ASSERTION_S)
        proof = {"client_id": client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return f"{body}&{urlencode(proof)}"

    def _read(self, url: str, document: dict[str, Any]) -> Metadata:
        """The metadata at that URL. Raises FetchFailed where it is another directory's, or names what may not be asked."""
        base = url.removesuffix("/.well-known/openid-configuration")
        issuer = document.get("issuer")
        tid = base.removesuffix("/v2.0").rpartition("/")[2]
        is_microsofts = (urlsplit(url).hostname or "") in SIGN_IN_HOSTS
        if issuer != base and not (is_microsofts and issuer == base.replace(tid, _TEMPLATE)):
            raise FetchFailed("the metadata is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not self._may_ask(document.get(name)):
                raise FetchFailed(f"the metadata names no {name} that may be used")
        end_session = document.get("end_session_endpoint")
        return Metadata(
            document["authorization_endpoint"],
            document["token_endpoint"],
            document["jwks_uri"],
            end_session if self._may_ask(end_session) else None,
        )

    def _may_ask(self, url: Any) -> bool:
        try:
            self._outbound.check(url if isinstance(url, str) else "")
        except UnusableUrl:
            return False
        return True


def _scope(directory: Directory) -> str:
    """Who it is; that we may ask again; and Graph, for groups that are too many for a token."""
    return f"{_SCOPES} {cloud_of(directory).graph.removesuffix('/v1.0')}/User.Read"


def _token(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TOKEN and value.isascii() and value.isprintable() else None
