"""Directories: where tenants' people are kept, and how we are registered there.

A directory belongs to one tenant; a tenant may have several. The client secret of our registration, or the private key of its
certificate, is sealed (``tenancy.keys``) and stored with the directory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scim_server import clock
from scim_server.events import Principal
from scim_server.outbound import Outbound, UnusableUrl
from scim_server.store.errors import Taken
from scim_server.store.registry import Credential, Directory, Registry, Sealed
from scim_server.tenancy.certificates import ClientCertificate
from scim_server.tenancy.clouds import CUSTOM, GUID, Unusable, parse_tid
from scim_server.tenancy.keys import KeyRing

CLIENT_SECRET, CLIENT_KEY = "client_secret", "client_key"
"""What a directory's sealed secret is called: that of our registration there, or the private key of its certificate."""

MAX_LABEL = 100
MAX_CLIENT_ID = 255
MAX_SECRET = 4_096


__all__ = ["ClientCertificate", "ClientSecret", "Directories", "Directory", "InUse", "Registration"]


@dataclass(frozen=True, slots=True)
class ClientSecret:
    value: str = field(repr=False)


class InUse(Exception):
    """Live credentials trust tokens of the directory."""

    def __init__(self, credentials: list[Credential]) -> None:
        super().__init__(f"{len(credentials)} live credentials trust its tokens")
        self.credentials = credentials


@dataclass(frozen=True, slots=True)
class Registration:
    """What an operator says of a directory. None: nothing of that, so that on a directory that is there it stays as it is."""

    label: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = None
    authority: str | None = None
    graph: str | None = None


class Directories:
    """The directories of all tenants."""

    def __init__(self, registry: Registry, keys: KeyRing, outbound: Outbound, *, allow_custom: bool) -> None:
        self._registry = registry
        self._keys = keys
        self._outbound = outbound
        self._allow_custom = allow_custom

    def add(self, tenant_id: str, cloud: str, tid: str, given: Registration, by: Principal) -> tuple[Directory, bool]:
        """The directory, the tenant's from now on, and whether it was not before: then what is given for it is changed.

        Raises Unusable, also where it is another tenant's, whom it does not name; KeyFault if there is a secret and no key to seal it.
        """
        tid = parse_tid(tid)
        found = self._registry.directories.get(tid)
        if found is not None and found.tenant_id != tenant_id:
            raise Unusable(
                f"The directory {tid} cannot be this tenant's: it is another tenant's already. A directory belongs to one tenant."
            )
        if found is not None and found.cloud != cloud:
            raise Unusable(
                f"The directory {tid} is this tenant's already, in the cloud {found.cloud}. To change its cloud, remove it first."
            )
        values = self._values(cloud, given, found)
        seal = self._seal(tenant_id, given)
        if found is not None:
            self._change(found, values, seal, by)
        else:
            try:
                self._registry.directories.add(tenant_id, cloud, tid, by, seal=seal, **values)
            except Taken:
                raise _at_the_same_time(tid) from None
        added = self._registry.directories.get(tid)
        if added is None or added.tenant_id != tenant_id:
            raise _at_the_same_time(tid)
        return added, found is None

    def remove(self, directory: Directory, by: Principal) -> bool:
        """From now on it is nobody's, and its secret is gone; False if it was so already. Raises InUse."""
        try:
            return self._registry.directories.remove(directory, by)
        except Taken as fault:
            now = clock.now()
            raise InUse(
                [
                    each
                    for each in self._registry.credentials.list(directory.tenant_id)
                    if each.trust is not None
                    and each.trust.directory_id == directory.id
                    and each.revoked is None
                    and (each.expires is None or each.expires > now)
                ]
            ) from fault

    def has_credential(self, directory: Directory) -> bool:
        """Whether we can prove who we are there."""
        return self._sealed(directory) is not None

    def credential(self, directory: Directory) -> ClientSecret | ClientCertificate | None:
        """By what we prove who we are in the directory, if there is anything. Raises KeyFault."""
        sealed = self._sealed(directory)
        if sealed is None:
            return None
        value = self._keys.open(sealed)
        return ClientSecret(value) if directory.certificate is None else ClientCertificate(value, directory.certificate)

    def _sealed(self, directory: Directory) -> Sealed | None:
        name = CLIENT_SECRET if directory.certificate is None else CLIENT_KEY
        return self._registry.sealed.get(directory.tenant_id, directory.id, name)

    def _change(self, found: Directory, values: dict[str, str | None], seal: Callable[[str], Sealed] | None, by: Principal) -> None:
        different = {name: value for name, value in values.items() if getattr(found, name) != value}
        if not different and seal is None:
            raise Unusable(
                f"The directory {found.tid} is this tenant's already, and there is nothing to change. "
                "To change it, give another label, client id, client secret or certificate."
            )
        if not self._registry.directories.change(found, by, seal=seal, **different):
            raise _at_the_same_time(found.tid)

    def _values(self, cloud: str, given: Registration, found: Directory | None) -> dict[str, str | None]:
        values: dict[str, str | None] = {
            "label": _label(given.label),
            "client_id": _client_id(given.client_id, cloud),
            "authority": self._url("authority", given.authority, cloud),
            "graph": self._url("graph", given.graph, cloud),
        }
        if cloud == CUSTOM and not self._allow_custom:
            raise Unusable("A custom cloud is for tests and for clouds that are not Microsoft's. Set ALLOW_CUSTOM_CLOUD=true to have one.")
        if cloud == CUSTOM and not all(getattr(given, name) or getattr(found, name, None) for name in ("authority", "graph")):
            raise Unusable("A custom cloud needs both its base URLs: the authority, which signs people in, and Graph.")
        if given.client_secret is not None and not (given.client_id or (found and found.client_id)):
            raise Unusable("A client secret is of no use without the client id that it belongs to. Give both.")
        if given.certificate is not None and not (given.client_id or (found and found.client_id)):
            raise Unusable("A certificate is of no use without the client id that it belongs to. Give both.")
        if given.certificate is not None and given.client_secret is not None:
            raise Unusable("Give a client secret or a certificate, not both.")
        values = {name: value for name, value in values.items() if value is not None}
        if given.certificate is not None or given.client_secret is not None:
            values["certificate"] = given.certificate.certificate_pem if given.certificate else None
        return values

    def _url(self, name: str, url: str | None, cloud: str) -> str | None:
        if url is None:
            return None
        if cloud != CUSTOM:
            raise Unusable(f"The cloud {cloud} has an authority and a Graph of its own. Leave them out, or choose the cloud {CUSTOM}.")
        try:
            self._outbound.check(url)
        except UnusableUrl as fault:
            raise Unusable(f"The {name} cannot be used. {fault}") from fault
        if "?" in url:
            raise Unusable(f"The {name} {url!r} must be a base URL, which has no query.")
        return url.rstrip("/")

    def _seal(self, tenant_id: str, given: Registration) -> Callable[[str], Sealed] | None:
        if given.certificate is not None:
            self._keys.encrypting()  # so that a missing key is told before anything is begun
            key = given.certificate.private_key_pem
            return lambda directory_id: self._keys.seal(tenant_id, directory_id, CLIENT_KEY, key)
        secret = given.client_secret
        if secret is None:
            return None
        if not (0 < len(secret) <= MAX_SECRET and secret.isprintable() and secret.isascii() and " " not in secret):
            raise Unusable(f"A client secret has 1 to {MAX_SECRET} printable ASCII characters and no blank. Copy its Value, nothing else.")
        self._keys.encrypting()
        return lambda directory_id: self._keys.seal(tenant_id, directory_id, CLIENT_SECRET, secret)


def _at_the_same_time(tid: str) -> Unusable:
    return Unusable(f"Somebody else changed whose the directory {tid} is at the same time. Look what there is, and try again.")


def _label(text: str | None) -> str | None:
    if text is not None and (len(text) > MAX_LABEL or not text.isprintable()):
        raise Unusable(f"A label has at most {MAX_LABEL} printable characters.")
    return text


def _client_id(text: str | None, cloud: str) -> str | None:
    if text is None:
        return None
    if cloud != CUSTOM:
        if not GUID.fullmatch(text.strip().lower()):
            raise Unusable(f"{text[:100]!r} is no client id. It is a GUID, shown as Application (client) ID of the app registration.")
        return text.strip().lower()
    if not (0 < len(text) <= MAX_CLIENT_ID and text.isprintable() and text.isascii() and " " not in text):
        raise Unusable(f"A client id has 1 to {MAX_CLIENT_ID} printable ASCII characters without a blank.")
    return text
