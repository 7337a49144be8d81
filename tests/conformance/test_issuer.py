"""The emulated token service: its tokens as another library for JOSE reads them, its documents, its key."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import stat
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet, RSAKey

from conformance.bearer import Issued
from conformance.issuer import SHARED_AUDIENCE, BadKey, Issuer, kept_key, new_key

TID = "5B7A1C3E-0D2F-4E6A-8B9C-7D5E3F1A2B4C"
APP, SUBJECT = "b5ba7a93-4452-4522-aeb4-a2b5da870c16", "d2f8ee76-c549-45b8-a143-f5b640669704"
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer(TID) as issuer:
        yield issuer


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("application/json")
        return json.load(answer)


def decoded(issued: Issued, keys: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, by joserfc, with the keys that are found at the address."""
    token = jwt.decode(issued.token, KeySet.import_key_set(fetch(keys)), algorithms=["RS256"])
    return token.header, token.claims


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(("audience", "azp"), [(f"api://{APP}", APP), (f"api://{APP}/.default", APP), (APP, APP), ("api://us", None)])
def test_an_assertion_is_a_version_2_token(issuer: Issuer, audience: str, azp: str | None) -> None:
    issued = issuer.assertion(audience, SUBJECT)
    header, claims = decoded(issued, issuer.v2_keys)
    assert header == {"typ": "JWT", "alg": "RS256", "kid": issuer.kid}
    assert claims.pop("uti")
    assert claims.pop("azp") == azp or azp is None
    assert claims == {
        "aud": audience,
        "iss": f"http://127.0.0.1:{issuer.v2.split(':')[2].split('/')[0]}/{TID.lower()}/v2.0",
        "iat": NOW - 300,
        "nbf": NOW - 300,
        "exp": NOW + 3600,
        "azpacr": "2",
        "oid": SUBJECT,
        "sub": SUBJECT,
        "tid": TID.lower(),
        "ver": "2.0",
    }
    assert issued.expires_in == 3600


@time_machine.travel(NOW, tick=False)
def test_the_directorys_own_token_is_of_version_1(issuer: Issuer) -> None:
    issued = issuer.access_token()
    header, claims = decoded(issued, issuer.v1_keys)
    assert header == {"typ": "JWT", "alg": "RS256", "x5t": issuer.kid, "kid": issuer.kid}
    assert claims["aud"] == SHARED_AUDIENCE == "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
    assert claims["iss"].endswith(f"/{TID.lower()}/")
    assert (claims["tid"], claims["ver"], claims["exp"] - claims["iat"]) == (TID.lower(), "1.0", 3900)
    assert claims["oid"] == claims["sub"]
    assert len(claims["appid"]) == 36
    _, chosen = decoded(issuer.access_token(APP, SUBJECT), issuer.v1_keys)
    assert (chosen["aud"], chosen["oid"], chosen["sub"]) == (APP, SUBJECT, SUBJECT)


def test_every_token_is_another_one(issuer: Issuer) -> None:
    assert len({issuer.access_token().token for _ in range(5)}) == 5


def test_a_token_that_was_tampered_with_does_not_verify(issuer: Issuer) -> None:
    header, claims, signature = issuer.access_token().token.split(".")
    other = base64.urlsafe_b64encode(json.dumps({"tid": APP}).encode()).rstrip(b"=").decode()
    keys = KeySet.import_key_set(fetch(issuer.v1_keys))
    with pytest.raises(BadSignatureError):
        jwt.decode(f"{header}.{other}.{signature}", keys, algorithms=["RS256"])
    with pytest.raises(BadSignatureError):
        jwt.decode(f"{header}.{claims}.{signature}", RSAKey.generate_key(2048), algorithms=["RS256"])


def test_the_documents_lead_to_the_keys(issuer: Issuer) -> None:
    for iss, keys in ((issuer.v2, issuer.v2_keys), (issuer.v1, issuer.v1_keys)):
        metadata = fetch(f"{iss.rstrip('/')}/.well-known/openid-configuration")
        assert (metadata["issuer"], metadata["jwks_uri"]) == (iss, keys)
    asked = issuer.keys_asked
    [key], [of_v2] = fetch(issuer.v1_keys)["keys"], fetch(issuer.v2_keys)["keys"]
    assert issuer.keys_asked == asked + 2
    assert of_v2 == {**key, "issuer": issuer.v2}
    assert set(key) == {"kty", "use", "kid", "x5t", "n", "e", "x5c"}
    [certificate] = key["x5c"]
    der = base64.b64decode(certificate)
    assert key["x5t"] == key["kid"] == base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode()
    public = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.public_numbers().n == int.from_bytes(base64.urlsafe_b64decode(key["n"] + "=="))


@pytest.mark.parametrize("path", ["", "/", "/v2.0", "/discovery/v2.0/keys?x=1", "/../keys", "/discovery/keys/"])
def test_nothing_else_is_there(issuer: Issuer, path: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(issuer.url + path, timeout=5)
    with caught.value as answer:
        assert answer.code == 404


def test_it_listens_on_loopback_only_and_says_when_it_cannot(issuer: Issuer) -> None:
    port = int(issuer.v1.split(":")[2].split("/")[0])
    assert issuer._server.server_address[0] == "127.0.0.1"
    with pytest.raises(OSError, match="in use"):
        Issuer(TID, port)


def test_a_client_that_says_nothing_keeps_nobody_from_the_keys(issuer: Issuer) -> None:
    port = int(issuer.v1.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        assert fetch(issuer.v1_keys)["keys"]


@pytest.mark.parametrize("tid", ["", "common", "../x", TID + "/", f"{{{TID}}}"])
def test_a_directory_has_a_guid(tid: str) -> None:
    with pytest.raises(ValueError, match="GUID"):
        Issuer(tid)


def test_a_kept_key_is_the_same_in_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "issuer.pem"
    kids = set()
    for _ in range(2):
        with Issuer(TID, key=kept_key(file)) as issuer:
            kids.add(issuer.kid)
    assert len(kids) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (lambda: b"", 0o600, "no private key"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "no private key"),
        (lambda: _pem(new_key(), b"password"), 0o600, "without a password"),
        (lambda: _pem(ec.generate_private_key(ec.SECP256R1())), 0o600, "no RSA key"),
        (lambda: _pem(rsa.generate_private_key(65537, 1024)), 0o600, "no RSA key"),
        (lambda: _pem(new_key()), 0o640, "chmod 600"),
    ],
    ids=["empty", "broken", "encrypted", "elliptic", "short", "readable by others"],
)
def test_a_key_file_that_cannot_be_used(tmp_path: Path, content: Callable[[], bytes], mode: int, reason: str) -> None:
    file = tmp_path / "issuer.pem"
    file.write_bytes(content())
    file.chmod(mode)
    before = file.read_bytes()
    with pytest.raises(BadKey, match=reason):
        kept_key(file)
    assert file.read_bytes() == before
