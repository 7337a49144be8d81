"""An issuer that plays Entra's token service on this machine: its documents, its keys, and the two kinds of tokens that it signs.

It signs with `cryptography` alone: whoever checks the tokens with a library for JOSE has them from somebody else.
Documents: OpenID Connect Discovery 1.0 §4, RFC 7517 (keys). Tokens: RFC 7519, RFC 7515 (RS256), with the claims of
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import stat
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from conformance.bearer import Issued

SHARED_AUDIENCE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
"""The audience of the tokens for every application that is not in Microsoft's gallery, whosever it is."""

LIFETIME = 3600  # seconds from now on; the token says that it began five minutes ago, and so lasts 65
_BACKDATED = 300
_BITS = 2048
_LARGEST_FILE = 64 * 1024
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CERTIFIED = datetime(2026, 1, 1)  # noqa: DTZ001 - X.509 knows UTC only


class BadKey(Exception):
    """The key file cannot be used. The message says why, and how to mend it."""


class Issuer:
    """The token service of one directory, on loopback only. A context: the keys can be fetched as long as it is open.

    `tid` is a GUID; `port` 0 takes a free one. Raises ValueError for another tid, OSError if the port cannot be had.
    """

    def __init__(self, tid: str, port: int = 0, key: rsa.RSAPrivateKey | None = None) -> None:
        if not _GUID.fullmatch(tid.lower()):
            raise ValueError(f"the id of a directory is a GUID, not {tid!r}")
        self.tid = tid.lower()
        self._key = key or new_key()
        self._certificate = _certificate(self._key)
        self.kid = _base64url(hashlib.sha1(self._certificate, usedforsecurity=False).digest())
        self.asked: Counter[str] = Counter()  # path of a document → how often it was fetched
        self._server = _Server(("127.0.0.1", port), self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{self.tid}"
        self.documents = {
            f"/{self.tid}/v2.0/.well-known/openid-configuration": self._metadata(self.v2, self.v2_keys),
            f"/{self.tid}/.well-known/openid-configuration": self._metadata(self.v1, self.v1_keys),
            f"/{self.tid}/discovery/v2.0/keys": {"keys": [{**self._jwk(), "issuer": self.v2}]},
            f"/{self.tid}/discovery/keys": {"keys": [self._jwk()]},
        }

    @property
    def v2(self) -> str:
        """The `iss` of version 2 tokens."""
        return f"{self.url}/v2.0"

    @property
    def v1(self) -> str:
        """The `iss` of version 1 tokens. The slash belongs to it."""
        return f"{self.url}/"

    @property
    def v2_keys(self) -> str:
        return f"{self.url}/discovery/v2.0/keys"

    @property
    def v1_keys(self) -> str:
        return f"{self.url}/discovery/keys"

    @property
    def keys_asked(self) -> int:
        """How often the keys were fetched."""
        return sum(count for path, count in self.asked.items() if path.endswith("/keys"))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="issuer", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def assertion(self, audience: str, subject: str) -> Issued:
        """A version 2 token about a workload, with which it authenticates as a client elsewhere (RFC 7523 §3)."""
        application = _GUID.search(audience.lower())
        more = {"azp": application[0] if application else self._invented("application"), "azpacr": "2"}
        return self._issue(self.v2, "2.0", audience, subject, more, {})

    def access_token(self, audience: str = SHARED_AUDIENCE, subject: str | None = None) -> Issued:
        """A version 1 token as the provisioning service presents it where no secret was pasted."""
        more = {"appid": self._invented("application"), "appidacr": "2", "idp": self.v1}
        return self._issue(self.v1, "1.0", audience, subject or self._invented("workload"), more, {"x5t": self.kid})

    def _invented(self, what: str) -> str:
        """The id of a thing in this directory, the same in every run."""
        return str(uuid.uuid5(uuid.UUID(self.tid), what))

    def _issue(self, iss: str, ver: str, audience: str, subject: str, more: dict[str, str], header: dict[str, str]) -> Issued:
        begun = int(time.time()) - _BACKDATED
        claims: dict[str, Any] = {"aud": audience, "iss": iss, "iat": begun, "nbf": begun, "exp": begun + _BACKDATED + LIFETIME, **more}
        claims |= {"oid": subject, "sub": subject, "tid": self.tid, "uti": secrets.token_urlsafe(16), "ver": ver}
        return Issued(self.sign(claims, {"typ": "JWT", "alg": "RS256", **header, "kid": self.kid}), LIFETIME)

    def sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        """A JWT in the compact form (RFC 7515 §7.1), signed with RS256 whatever the header says."""
        signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{signed}.{_base64url(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def _metadata(self, issuer: str, keys: str) -> dict[str, Any]:
        return {
            "issuer": issuer,
            "jwks_uri": keys,
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["pairwise"],
            "response_types_supported": ["id_token", "token"],
            "tenant_region_scope": "EU",
        }

    def _jwk(self) -> dict[str, Any]:
        """The public key as Microsoft publishes its own: with the certificate, and without `alg`."""
        numbers = self._key.public_key().public_numbers()
        modulus, exponent = (_base64url(number.to_bytes((number.bit_length() + 7) // 8)) for number in (numbers.n, numbers.e))
        certificate = base64.b64encode(self._certificate).decode()
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, "n": modulus, "e": exponent, "x5c": [certificate]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], issuer: Issuer) -> None:
        self.issuer = issuer
        self.lock = threading.Lock()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Documents by their exact path, for GET; all else does not exist."""

    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        document = self.server.issuer.documents.get(self.path)
        if document is not None:
            with self.server.lock:
                self.server.issuer.asked[self.path] += 1
        body = json.dumps({"error": "not_found"} if document is None else document).encode()
        self.send_response(404 if document is None else 200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Cache-Control", "max-age=86400, private")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """What was fetched is counted, not told."""


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, _BITS)


def kept_key(file: Path) -> rsa.RSAPrivateKey:
    """The key in the file (PEM, PKCS #8), which is made with the file if there is none yet. Raises BadKey, OSError."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(file)
    key = new_key()
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        )
    return key


def _read_key(file: Path) -> rsa.RSAPrivateKey:
    with file.open("rb") as opened:
        if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
            raise BadKey(f"others may read {file}; chmod 600 it, or name a file that is not there yet")
        pem = opened.read(_LARGEST_FILE)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise BadKey(f"{file} holds no private key in PEM that can be read without a password") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _BITS:
        raise BadKey(f"{file} holds no RSA key of {_BITS} bits or more; name a file that is not there yet, and one is made")
    return key


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    """The key's certificate by itself, in DER. The same key has the same one, and so the same `kid`, in every run."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer of the conformance tests")])
    public = key.public_key()
    spelled = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    builder = x509.CertificateBuilder(name, name, public).serial_number(int.from_bytes(hashlib.sha256(spelled).digest()[:8]) or 1)
    valid = builder.not_valid_before(_CERTIFIED).not_valid_after(_CERTIFIED + timedelta(days=20 * 365))
    return valid.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
