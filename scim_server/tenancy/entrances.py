"""Where somebody signs in: by the tenant that a link names, by the domain of an address, by a directory.

A domain may choose at whose directory somebody is asked to sign in. Which tenant he comes to is decided by the token's ``tid``.
"""

from __future__ import annotations

from dataclasses import dataclass

from scim_server.store import ids
from scim_server.store.registry import Directory, Registry, Tenant
from scim_server.tenancy import domains
from scim_server.tenancy.clouds import GUID

__all__ = ["Entrance", "Entrances", "Tenant"]

_MAX_NAME = 200
_MAX_ADDRESS = 320
_MAX_SID = 200


@dataclass(frozen=True, slots=True)
class Entrance:
    """A tenant that is not suspended, and the directories where its people can sign in: at least one.

    ``address`` is what was typed, if that is what led here.
    """

    tenant: Tenant
    directories: tuple[Directory, ...]
    address: str | None = None


class Entrances:
    """Safe to share between threads."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of_tenant(self, name: str) -> Entrance | None:
        """By a tenant's name, or its id."""
        name = name.strip()
        if not 0 < len(name) <= _MAX_NAME:
            return None
        tenants = self._registry.tenants
        return self._entrance(tenants.get(name) or (tenants.by_id(name) if ids.is_id(name) else None))

    def of_address(self, address: str) -> Entrance | None:
        """By the verified domain that an e-mail address is in; with the one directory that the domain names, if it names one."""
        address = address.strip()
        if not 0 < len(address) <= _MAX_ADDRESS or "@" not in address or not address.isprintable():
            return None
        domain = domains.holder(self._registry, address)
        found = self._entrance(self._registry.tenants.by_id(domain.tenant_id) if domain else None)
        if domain is None or found is None:
            return None
        named = tuple(each for each in found.directories if each.id == domain.directory_id)
        return Entrance(found.tenant, named or found.directories, address)

    def of_directory(self, tid: str) -> Entrance | None:
        """By a directory's id (``tid``): with that one only."""
        tid = tid.strip().lower()
        directory = self._registry.directories.get(tid) if GUID.fullmatch(tid) else None
        found = self._entrance(self._registry.tenants.by_id(directory.tenant_id)) if directory else None
        if found is None or directory is None or directory.client_id is None:
            return None
        return Entrance(found.tenant, (directory,))

    def directory(self, tid: str) -> Directory | None:
        """The directory of that id, whosever it is."""
        return self._registry.directories.get(tid)

    def directory_by_id(self, tenant_id: str, directory_id: str) -> Directory | None:
        """One of the tenant's directories, by our own id for it."""
        return next((each for each in self._registry.directories.list(tenant_id) if each.id == directory_id), None)

    def tenant(self, tenant_id: str) -> Tenant | None:
        return self._registry.tenants.by_id(tenant_id)

    def holder_of(self, address: str) -> str | None:
        """The id of the tenant that the address's domain is verified for."""
        domain = domains.holder(self._registry, address) if "@" in address and len(address) <= _MAX_ADDRESS else None
        return domain.tenant_id if domain else None

    def sessions_of(self, sid: str) -> list[tuple[str, str]]:
        """(tenant's id, session's id) of the live sessions that a directory has that name for."""
        return self._registry.sessions.by_sid(sid) if 0 < len(sid) <= _MAX_SID and sid.isprintable() else []

    def _entrance(self, tenant: Tenant | None) -> Entrance | None:
        if tenant is None or tenant.suspended is not None:
            return None
        directories = tuple(each for each in self._registry.directories.list(tenant.id) if each.client_id is not None)
        return Entrance(tenant, directories) if directories else None
