"""Certificates by which we prove who we are to a directory: the private key signs an assertion, in place of a client secret.

Read from PEM as operators have them. What could not work later is refused here, with how to mend it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from scim_server import clock

MAX_PEM = 32_768
WARN_BEFORE = timedelta(days=30)
"""How long before its end a certificate is said to end soon."""

_MIN_BITS = 2048


class UnusableCertificate(ValueError):
    """The text says what is wrong, and how to mend it."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate and its private key, both PEM."""

    private_key_pem: str = field(repr=False)
    certificate_pem: str


def read(certificate: bytes, private_key: bytes) -> ClientCertificate:
    """The two, as they are to be kept. Raises UnusableCertificate."""
    if max(len(certificate), len(private_key)) > MAX_PEM:
        raise UnusableCertificate(f"A certificate or key has at most {MAX_PEM} bytes. Give one certificate and its key, nothing else.")
    leaf, key = _certificate(certificate), _key(private_key)
    public = leaf.public_key()
    if not isinstance(public, RSAPublicKey) or not isinstance(key, RSAPrivateKey):
        raise UnusableCertificate("Entra takes RSA keys only. Make a certificate with an RSA key of 2048 bits or more.")
    if public.key_size < _MIN_BITS:
        raise UnusableCertificate(f"The key has {public.key_size} bits, and {_MIN_BITS} are the least. Make another certificate.")
    if public.public_numbers() != key.public_key().public_numbers():
        raise UnusableCertificate("The private key is not that of the certificate. Give the two files that were made together.")
    if leaf.not_valid_after_utc <= clock.now():
        raise UnusableCertificate(f"The certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}. Make another, and upload it to Entra.")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ClientCertificate(pem.decode(), leaf.public_bytes(serialization.Encoding.PEM).decode())


@lru_cache(maxsize=256)
def thumbprint(certificate_pem: str) -> str:
    """As ``x5t#S256`` has it (RFC 7515 §4.1.8): the SHA-256 of the certificate's DER, in base64url without padding."""
    digest = x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256())
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def expires(certificate_pem: str) -> datetime:
    """When it ends."""
    return x509.load_pem_x509_certificate(certificate_pem.encode()).not_valid_after_utc


def _certificate(data: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError:
        raise UnusableCertificate(
            "That is no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----. "
            "From a .cer or .der file: openssl x509 -inform der -in FILE -out certificate.pem"
        ) from None


def _key(data: bytes) -> object:
    try:
        return serialization.load_pem_private_key(data, password=None)
    except TypeError:
        raise UnusableCertificate(
            "The private key has a passphrase, which nobody could enter when the server starts. "
            "Give it without; here it is stored encrypted: openssl pkey -in FILE -out key.pem"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableCertificate(
            "That is no private key in PEM form, which begins with -----BEGIN PRIVATE KEY-----. "
            "From a .pfx file: openssl pkcs12 -in FILE -nodes -nocerts -out key.pem"
        ) from None
