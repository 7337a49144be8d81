"""The key ring: secrets that must be read again are stored encrypted, under keys that are not in the database.

A key is 256 random bits as Fernet takes them (AES-128-CBC with HMAC-SHA-256). The first key of the ring encrypts, all
decrypt. Each stored secret names its key by id, the first 12 hex digits of the key's SHA-256, which tells nothing of
the key. What is encrypted holds its place (tenant, owner, name) beside the value: a ciphertext that somebody moved to
another row of the database is refused there.

How keys are changed while several nodes serve: docs/decisions/secrets-at-rest.md.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from scim_server import log
from scim_server.config import Settings
from scim_server.events import KeysRotated, Principal
from scim_server.store.registry import Registry, Sealed
from scim_server.store.registry.sealed import SealedSecrets
from scim_server.tenancy import key_files
from scim_server.tenancy.key_files import KeyFault, KeyFileUnusable

__all__ = ["KeyFault", "KeyFileUnusable", "KeyMissing", "KeyRing", "NoKeys", "Rotation", "Unopenable", "generate", "key_id", "put_first"]

MOST_KEYS = 100
MAX_VALUE = 65_536
"""The longest secret, in bytes of UTF-8."""

_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_BATCH = 200
_MAKE_ONE = "scim-server keys generate --file FILE"


class NoKeys(KeyFault):
    """There is no key to encrypt with."""


class KeyMissing(KeyFault):
    """Secrets are encrypted under keys that the ring has not. ``missing``: how many, by the id of the key."""

    def __init__(self, missing: Mapping[str, int], where: str) -> None:
        told = "; ".join(
            f"{count} secret{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} encrypted under key {each}"
            for each, count in missing.items()
        )
        super().__init__(
            f"{told}: {'it is' if len(missing) == 1 else 'they are'} not among the keys of {where}.\n"
            "Put the key back there, as it was; nothing else opens what is under it. Where it is lost for good: make another "
            f"({_MAKE_ONE}),\nand enter those secrets again (scim-server doctor names them)."
        )
        self.missing = dict(missing)


class Unopenable(KeyFault):
    """The key is there, but this was not encrypted with it for this place: it was altered, or moved."""

    def __init__(self, sealed: Sealed) -> None:
        super().__init__(
            f"The secret {sealed.name!r} of {sealed.owner_id} (tenant {sealed.tenant_id}) was altered or moved in the database; it is not "
            "used. Enter it again, and find out who did that."
        )


def generate() -> str:
    """A new key, as SECRET_KEYS and the file take it."""
    return Fernet.generate_key().decode()


def key_id(key: str) -> str:
    """What a key is called: 12 hex digits that tell nothing of it."""
    return hashlib.sha256(base64.urlsafe_b64decode(key)).hexdigest()[:12]


def parse(text: str, where: str) -> tuple[str, ...]:
    """The keys of a file: one a line; blank lines and what follows a # count for nothing. Raises KeyFileUnusable, which tells no key."""
    keys: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.partition("#")[0].strip()
        if not stripped:
            continue
        if not _KEY.fullmatch(stripped):
            raise KeyFileUnusable(f"{where}, line {number}: that is no key. Each line must be one as scim-server keys generate prints it.")
        keys.append(stripped)
    if len(keys) > MOST_KEYS:
        raise KeyFileUnusable(f"{where} has {len(keys)} keys; {MOST_KEYS} are allowed. Remove those under which there is no secret.")
    return tuple(keys)


def put_first(file: Path, key: str) -> int:
    """Put the key in front of those in the file, which is made if there is none. How many others there are. Raises KeyFileUnusable."""
    with key_files.held(file):
        text = key_files.read(file) if key_files.stamp(file) else ""
        others = parse(text, str(file))
        if len(others) >= MOST_KEYS:
            raise KeyFileUnusable(
                f"{file} has {len(others)} keys already. Remove those under which there is no secret: keys list tells which."
            )
        key_files.write(file, f"{key}\n{text}")
    return len(others)


class _Keys:
    """Keys as they were when they were read; the first encrypts."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.by_id = {key_id(key): Fernet(key) for key in keys}

    @property
    def first(self) -> str:
        return next(iter(self.by_id))

    def reseal(self, sealed: Sealed) -> Sealed:
        """The same under the first key. Raises Unopenable."""
        ring = MultiFernet([self.by_id[self.first], self.by_id[sealed.key_id]])
        try:
            ciphertext = ring.rotate(sealed.ciphertext).decode()
        except InvalidToken:
            raise Unopenable(sealed) from None
        return Sealed(sealed.tenant_id, sealed.owner_id, sealed.name, self.first, ciphertext)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of it: ``secrets`` are under the first key now.

    ``unopenable`` were altered and left as they are. ``again`` were put under another key meanwhile: some node has not got the
    first key in front yet.
    """

    key_id: str
    secrets: int
    unopenable: tuple[Sealed, ...]
    again: int


class KeyRing:
    """Encrypts and decrypts secrets for their place in the database. Safe to share between threads.

    A file of keys is read again as soon as it is another; if that one cannot be used, the keys as they were before stay good.
    """

    def __init__(self, counts: Callable[[], dict[str, int]], keys: tuple[str, ...] = (), file: Path | None = None, *, makes: bool = False):
        self._counts = counts
        self._file = file
        self._makes = makes
        self._keys = _Keys(keys) if keys else None
        self._seen: key_files.Stamp | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings, registry: Registry) -> KeyRing:
        """As the settings say. The file beside the embedded database is made when it is needed; one that was named never is."""
        if settings.secret_keys:
            return cls(registry.sealed.counts, settings.secret_keys)
        makes = settings.embedded_file is not None and "secret_keys_file" not in settings.model_fields_set
        return cls(registry.sealed.counts, (), settings.secret_keys_file, makes=makes)

    @property
    def where(self) -> str:
        """Where the keys are from, for people."""
        if self._file:
            return f"SECRET_KEYS_FILE ({self._file}{'' if self._file.exists() else ', which is not there'})"
        return "SECRET_KEYS" if self._keys else "SECRET_KEYS (neither it nor SECRET_KEYS_FILE is set)"

    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys there are, that of the one which encrypts first. Raises KeyFileUnusable."""
        keys = self._current()
        return tuple(keys.by_id) if keys else ()

    def check(self) -> None:
        """Raise KeyMissing unless every secret in the database has its key here. Where there is no secret, no key is needed."""
        counts = self._counts()
        known = self.key_ids() if counts else ()
        missing = {each: count for each, count in counts.items() if each not in known}
        if missing:
            raise KeyMissing(missing, self.where)

    def encrypting(self) -> str:
        """The id of the key that encrypts; makes the first one where that is done. Raises NoKeys, KeyMissing or KeyFileUnusable."""
        return self._for_sealing().first

    def seal(self, tenant_id: str, owner_id: str, name: str, value: str) -> Sealed:
        """The value, encrypted for that place. Raises NoKeys, or ValueError if it is too long."""
        if len(value.encode()) > MAX_VALUE:
            raise ValueError(f"a secret has at most {MAX_VALUE} bytes")
        keys = self._for_sealing()
        plain = orjson.dumps([tenant_id, owner_id, name, value])
        return Sealed(tenant_id, owner_id, name, keys.first, keys.by_id[keys.first].encrypt(plain).decode())

    def open(self, sealed: Sealed) -> str:
        """The value. Raises KeyMissing, or Unopenable if this was not encrypted for the place where it is."""
        keys = self._current()
        key = keys.by_id.get(sealed.key_id) if keys else None
        if key is None:
            raise KeyMissing({sealed.key_id: self._counts().get(sealed.key_id, 1)}, self.where)
        try:
            plain = key.decrypt(sealed.ciphertext)
        except InvalidToken:
            raise Unopenable(sealed) from None
        *place, value = orjson.loads(plain)
        if place != [sealed.tenant_id, sealed.owner_id, sealed.name]:
            raise Unopenable(sealed)
        return str(value)

    def rotate(self, secrets: SealedSecrets, by: Principal, progress: Callable[[int, int], None]) -> Rotation:
        """Put every secret under the first key, while others read and write them; ``progress`` is told how many of how many are done.

        Stopped half-way it has done what it has done, and can be run again. Raises KeyMissing before anything is changed.
        """
        self.check()
        keys = self._current()
        if keys is None:
            return Rotation("", 0, (), 0)
        counts = self._counts()
        total = sum(counts.values()) - counts.get(keys.first, 0)
        done: set[tuple[str, str]] = set()
        unopenable: dict[tuple[str, str], Sealed] = {}
        again: set[tuple[str, str]] = set()
        try:
            while batch := self._next(secrets, keys.first, unopenable.keys() | again):
                for old in batch:
                    place = (old.owner_id, old.name)
                    if place in done or old.key_id not in keys.by_id:
                        again.add(place)
                        continue
                    try:
                        new = keys.reseal(old)
                    except Unopenable:
                        unopenable[place] = old
                        continue
                    if secrets.replace(old, new):
                        done.add(place)
                progress(len(done), max(total, len(done)))
        finally:
            if done:
                secrets.rotated(by, KeysRotated(keys.first, len(done)))
        return Rotation(keys.first, len(done), tuple(unopenable.values()), len(again))

    def _next(self, secrets: SealedSecrets, first: str, left: set[tuple[str, str]]) -> list[Sealed]:
        """Secrets that are under other keys, without those that are left as they are."""
        return [each for each in secrets.not_under(first, _BATCH + len(left)) if (each.owner_id, each.name) not in left]

    def _for_sealing(self) -> _Keys:
        keys = self._current()
        if keys:
            return keys
        if self._makes and self._file is not None:
            with key_files.held(self._file):
                if not self._file.exists():
                    if lost := self._counts():
                        raise KeyMissing(lost, self.where)
                    key_files.write(self._file, f"# Encrypts secrets in the database beside it. Keep a copy, elsewhere.\n{generate()}\n")
            keys = self._current()
        if keys is None:
            raise NoKeys(
                f"There is no key to encrypt secrets with in {self.where}.\nMake one ({_MAKE_ONE}), give the same file to every node "
                "and name it in SECRET_KEYS_FILE; or set SECRET_KEYS to what scim-server keys generate prints."
            )
        return keys

    def _current(self) -> _Keys | None:
        """The keys as they are now; None where there are none."""
        if self._file is None:
            return self._keys
        with self._lock:
            stamp = key_files.stamp(self._file)
            if stamp != self._seen or self._keys is None:
                self._read(self._file, stamp)
            return self._keys

    def _read(self, file: Path, stamp: key_files.Stamp | None) -> None:
        try:
            if stamp is None and self._keys is not None:
                raise KeyFileUnusable(f"{file} is not there any more")
            keys = () if stamp is None else parse(key_files.read(file), str(file))
        except KeyFileUnusable as fault:
            if self._keys is None:
                raise
            log.get().error("keys_not_read_again", fault=str(fault))
        else:
            self._keys = _Keys(keys) if keys else None
        self._seen = stamp
