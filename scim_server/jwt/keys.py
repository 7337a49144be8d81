"""Issuers' signing keys (RFC 7517) and metadata (OpenID Connect Discovery), kept for a while.

Issuers change their keys without notice, and may be away when we ask:

    older than the age allowed    fetched anew before it is used; a withdrawn key is gone then
    a key that is not there       fetched anew, but not again within the floor: anybody can name keys that do not exist
    a fetch that failed           what there was stays in use, and nobody asks again for some seconds
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.util import base64_to_int

from scim_server import log
from scim_server.outbound import FetchFailed, Outbound, UnusableUrl

MAX_KEYS = 1000
MAX_KID = 200

_METADATA_PATH = "/.well-known/openid-configuration"

_MIN_BITS, _MAX_BITS = 2048, 8192
_MAX_EXPONENT = 12  # characters; what is in use has four
_MAX_MODULUS = 1400
_PAUSE_S = 10.0
_WAIT_S = 1.0
"""How long a thread waits for what another one is fetching. Whoever presents tokens with invented keys must not hold up all of them."""

T = TypeVar("T")


class KeysUnavailable(Exception):
    """The issuer's keys, or its metadata, cannot be had now, and never could. It is worth trying again."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key for signatures. ``issuer``: whose tokens it is for, where the set says so; may hold ``{tenantid}``."""

    kid: str
    public: RSAKey
    issuer: str | None


class Documents(Generic[T]):
    """JSON documents by URL, each as what ``parse`` made of it. Safe to share between threads.

    ``parse`` gets the URL and the document, and raises FetchFailed where it is of no use. ``max_age_s``: how long one is used;
    ``refetch_floor_s``: how often one is fetched for the sake of what it did not have, at most.
    """

    def __init__(
        self,
        outbound: Outbound,
        parse: Callable[[str, dict[str, Any]], T],
        max_age_s: float,
        refetch_floor_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbound = outbound
        self._parse = parse
        self._rules = _Rules(max_age_s, refetch_floor_s, now)
        self._kept: dict[str, _Kept[T]] = {}
        self._lock = threading.Lock()

    def get(self, url: str, has: Callable[[T], bool] = lambda _: True) -> T:
        """The one to use now. ``has`` tells whether it has what is looked for. Raises KeysUnavailable if there is none."""
        with self._lock:
            kept = self._kept.setdefault(url, _Kept(self._rules, url))
        return kept.get(lambda: self._parse(url, self._outbound.fetch(url)), has)


class KeySets:
    """Keys by the URI of their set, and that URI by issuer. Safe to share between threads."""

    def __init__(self, outbound: Outbound, max_age_s: float, refetch_floor_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._outbound = outbound
        self._sets = Documents(outbound, lambda _, document: _keys(document), max_age_s, refetch_floor_s, now)
        self._metadata = Documents(outbound, self._jwks_uri, max_age_s, refetch_floor_s, now)

    def key(self, uri: str, kid: str) -> Key | None:
        """The key of that id, or None if the set has none. Raises KeysUnavailable."""
        return self._sets.get(uri, lambda keys: kid in keys).get(kid)

    def jwks_uri(self, issuer: str) -> str:
        """Where the issuer's metadata says that its keys are. Raises KeysUnavailable."""
        found, uri = self._metadata.get(issuer.rstrip("/") + _METADATA_PATH)
        if found != issuer:
            raise KeysUnavailable
        return uri

    def _jwks_uri(self, url: str, document: dict[str, Any]) -> tuple[str, str]:
        """(the issuer, the URI): of an issuer whose metadata may be there."""
        issuer, uri = document.get("issuer"), document.get("jwks_uri")
        if not isinstance(issuer, str) or issuer.rstrip("/") + _METADATA_PATH != url:
            raise FetchFailed("the metadata is another issuer's")
        try:
            self._outbound.check(uri if isinstance(uri, str) else "")
        except UnusableUrl as fault:
            raise FetchFailed("the metadata names no URL of keys that may be asked") from fault
        return issuer, str(uri)


@dataclass(frozen=True, slots=True)
class _Rules:
    max_age_s: float
    refetch_floor_s: float
    now: Callable[[], float]


class _Kept(Generic[T]):
    """One document: the last good copy, and when to fetch another. One thread fetches at a time."""

    def __init__(self, rules: _Rules, url: str) -> None:
        self._rules = rules
        self._url = url
        self._fetching = threading.Lock()
        self._copy: tuple[T, float] | None = None  # and when it was fetched; replaced as a whole, so read without a lock
        self._not_before = float("-inf")
        self._sought = float("-inf")  # when it was last fetched for what it did not have

    def get(self, fetch: Callable[[], T], has: Callable[[T], bool]) -> T:
        """The copy to use. ``has`` tells whether it has what is looked for. Raises KeysUnavailable if there is none."""
        copy = self._copy
        useful = copy is not None and has(copy[0])
        if copy is not None and useful and self._is_fresh(copy):
            return copy[0]
        if self._fetching.acquire(timeout=0 if useful else _WAIT_S):
            try:
                self._renew(fetch, has)
            finally:
                self._fetching.release()
        copy = self._copy
        if copy is None:
            raise KeysUnavailable
        return copy[0]

    def _is_fresh(self, copy: tuple[T, float]) -> bool:
        return self._rules.now() - copy[1] <= self._rules.max_age_s

    def _renew(self, fetch: Callable[[], T], has: Callable[[T], bool]) -> None:
        """Fetch it, if there is still a reason to and nothing against it."""
        copy = self._copy
        seeking = copy is not None and self._is_fresh(copy)
        if copy is not None and seeking and (has(copy[0]) or self._rules.now() - self._sought < self._rules.refetch_floor_s):
            return
        if self._rules.now() < self._not_before:
            return
        try:
            self._copy = (fetch(), self._rules.now())
        except FetchFailed as fault:
            self._not_before = self._rules.now() + _PAUSE_S
            log.get().warning("issuer_not_fetched", url=self._url, reason=fault.reason, kept=copy is not None)
            return
        if seeking:
            self._sought = self._rules.now()


def _keys(document: dict[str, Any]) -> dict[str, Key]:
    """The keys of a set that can be used here, by their ids; of two with one id the first. Others' kinds and uses are passed over."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise FetchFailed("no key set")
    if len(listed) > MAX_KEYS:
        raise FetchFailed(f"more than {MAX_KEYS} keys")
    keys: dict[str, Key] = {}
    for each in listed:
        key = _key(each) if isinstance(each, dict) else None
        if key is not None:
            keys.setdefault(key.kid, key)
    return keys


def _key(jwk: dict[str, Any]) -> Key | None:
    kid, modulus, exponent, issuer = (jwk.get(name) for name in ("kid", "n", "e", "issuer"))
    if jwk.get("kty") != "RSA" or jwk.get("use", "sig") != "sig" or jwk.get("alg", "RS256") != "RS256":
        return None
    if not (isinstance(kid, str) and 0 < len(kid) <= MAX_KID and isinstance(modulus, str) and isinstance(exponent, str)):
        return None
    if len(modulus) > _MAX_MODULUS or len(exponent) > _MAX_EXPONENT:
        return None
    try:
        if not _MIN_BITS <= base64_to_int(modulus).bit_length() <= _MAX_BITS:
            return None
        public = RSAKey.import_key({"kty": "RSA", "n": modulus, "e": exponent})
    except (JoseError, ValueError, TypeError):
        return None
    return Key(kid, public, issuer if isinstance(issuer, str) else None)
