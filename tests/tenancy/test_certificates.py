"""Certificates as operators have them: what will work is taken, what could not is told with how to mend it."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scim_server.tenancy.certificates import MAX_PEM, UnusableCertificate, expires, read, thumbprint
from tests.oidc.conftest import new_certificate

GOOD = new_certificate()
PEM = serialization.Encoding.PEM


def test_what_is_kept() -> None:
    made = read(*GOOD)
    assert "PRIVATE" not in repr(made)
    assert made.certificate_pem.encode() == GOOD[0]
    der = x509.load_pem_x509_certificate(GOOD[0]).public_bytes(serialization.Encoding.DER)
    assert thumbprint(made.certificate_pem) == base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    assert expires(made.certificate_pem).tzinfo is not None


def with_passphrase() -> bytes:
    key = serialization.load_pem_private_key(GOOD[1], None)
    encryption = serialization.BestAvailableEncryption(b"x")
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption)


def elliptic() -> bytes:
    plain = serialization.NoEncryption()
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)


BAD = {
    "two that do not belong together": (GOOD[0], new_certificate()[1], "not that of the certificate"),
    "expired": (*new_certificate(days=-1), "expired on"),
    "a short key": (*new_certificate(bits=1024), "1024 bits"),
    "a passphrase": (GOOD[0], with_passphrase(), "openssl pkey"),
    "another kind of key": (GOOD[0], elliptic(), "RSA"),
    "no certificate": (b"hello", GOOD[1], "openssl x509"),
    "no key": (GOOD[0], b"hello", "openssl pkcs12"),
    "the wrong way round": (GOOD[1], GOOD[0], "openssl x509"),
    "too much": (GOOD[0] + b" " * MAX_PEM, GOOD[1], "at most"),
    "nothing": (b"", b"", "openssl x509"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_could_not_work(case: str) -> None:
    certificate, key, told = BAD[case]
    with pytest.raises(UnusableCertificate, match=told):
        read(certificate, key)
