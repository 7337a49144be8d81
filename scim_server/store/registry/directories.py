"""Directories: where tenants' people are kept. A directory (its ``tid``) belongs to one tenant; the database sees to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, insert, or_, select, update

from scim_server.events import Change, CredentialRevoked, DirectoryAdded, DirectoryChanged, DirectoryRemoved, Principal
from scim_server.store import ids
from scim_server.store.connections import Row
from scim_server.store.documents import instant
from scim_server.store.errors import Taken
from scim_server.store.registry.acts import ID, NOW, TENANT, Part
from scim_server.store.registry.sealed import forget, put
from scim_server.store.sealed import Sealed
from scim_server.store.statements import GlobalStatement
from scim_server.store.tables import credentials, directories, tenants


@dataclass(frozen=True, slots=True)
class Directory:
    """``authority`` and ``graph`` are of a custom cloud only: base URLs in place of the cloud's own.

    ``certificate`` (PEM) is there if we authenticate with a key of our own in place of a secret.
    """

    id: str
    tenant_id: str
    tenant_name: str
    cloud: str
    tid: str
    label: str
    client_id: str | None
    authority: str | None
    graph: str | None
    certificate: str | None
    created: datetime


_COLUMNS = ("cloud", "tid", "label", "client_id", "authority", "graph", "certificate", "created")
_DIRECTORY = (
    select(cast(directories.c.id, Text), cast(directories.c.tenant_id, Text), tenants.c.name, *(directories.c[name] for name in _COLUMNS))
    .join_from(directories, tenants, directories.c.tenant_id == tenants.c.id)
    .where(directories.c.ended.is_(None))
)
_BY_TID = GlobalStatement(_DIRECTORY.where(directories.c.tid == bindparam("tid")))
_OF_TENANT = GlobalStatement(_DIRECTORY.where(directories.c.tenant_id == TENANT).order_by(directories.c.id))
_NEW: dict[str, Any] = {name: bindparam(name) for name in ("tenant_id", "id", *_COLUMNS)}
_ADD = GlobalStatement(insert(directories).values(_NEW))
_CHANGEABLE = ("label", "client_id", "authority", "graph", "certificate")
_LIVE = (directories.c.id == ID, directories.c.tenant_id == TENANT, directories.c.ended.is_(None))
_LOCK = GlobalStatement(select(*(directories.c[name] for name in _CHANGEABLE)).where(*_LIVE).with_for_update())
_CHANGE = GlobalStatement(update(directories).values({name: bindparam(name) for name in _CHANGEABLE}).where(*_LIVE))
_NAMING = (credentials.c.directory_id == ID, credentials.c.tenant_id == TENANT, credentials.c.revoked.is_(None))
_GOOD = GlobalStatement(select(credentials.c.label).where(*_NAMING, or_(credentials.c.expires.is_(None), credentials.c.expires > NOW)))
_REVOKE_REST = GlobalStatement(update(credentials).values(revoked=NOW).where(*_NAMING).returning(cast(credentials.c.id, Text)))
_END = GlobalStatement(update(directories).values(ended=NOW).where(*_LIVE).returning(directories.c.cloud, directories.c.tid))


class Directories(Part):
    def add(
        self,
        tenant_id: str,
        cloud: str,
        tid: str,
        by: Principal,
        *,
        seal: Callable[[str], Sealed] | None = None,
        **values: str | None,
    ) -> str:
        """The id of a new directory of the tenant, with values for ``label``, ``client_id``, ``authority``, ``graph``, ``certificate``.

        ``seal`` makes of its id the secret of our registration there, to be stored with it.

        Raises Taken ("tid") if it is somebody's already, StoreError if there is no such tenant.
        """
        with self.acting(by) as act:
            act.require_tenant(tenant_id)
            directory_id = ids.new(act.now)
            given = {**dict.fromkeys(_CHANGEABLE), "label": "", **values}
            act.later(_ADD, taken="tid", tenant_id=tenant_id, id=directory_id, cloud=cloud, tid=tid, created=act.now_text, **given)
            if seal is not None:
                put(act, seal(directory_id))
            act.record(tenant_id, DirectoryAdded(directory_id, cloud, tid, given["client_id"]))
        return directory_id

    def get(self, tid: str) -> Directory | None:
        """The directory of that id (lower case), whosever it is: ids are unique over all clouds."""
        rows = self.rows(_BY_TID, tid=tid)
        return _directory(rows[0]) if rows else None

    def list(self, tenant_id: str) -> list[Directory]:
        """The tenant's directories, oldest first."""
        return [_directory(row) for row in self.rows(_OF_TENANT, tenant_id=tenant_id)]

    def change(self, directory: Directory, by: Principal, *, seal: Callable[[str], Sealed] | None = None, **values: str | None) -> bool:
        """Other values for ``label``, ``client_id``, ``authority``, ``graph`` or ``certificate``, or another secret.

        False if nobody has it any more.

        A client id that comes without its secret ends that of the earlier one. Recorded if anything is different; that a secret was
        given always is.
        """
        with self.acting(by) as act:
            rows = act.rows(_LOCK, id=directory.id, tenant_id=directory.tenant_id)
            if not rows:
                return False
            before = dict(zip(_CHANGEABLE, rows[0], strict=True))
            after = {**before, **values}
            if before["client_id"] != after["client_id"] and seal is None:
                after["certificate"] = None
            changes = [Change(name, before[name], after[name]) for name in _CHANGEABLE if before[name] != after[name]]
            if changes:
                act.later(_CHANGE, id=directory.id, tenant_id=directory.tenant_id, **after)
            other_client = before["client_id"] != after["client_id"]
            if seal is not None or other_client:
                forget(act, directory.tenant_id, directory.id)
            if seal is not None:
                put(act, seal(directory.id))
            if changes or seal is not None:
                act.record(directory.tenant_id, DirectoryChanged(directory.id, changes, seal is not None or other_client))
        return True

    def remove(self, directory: Directory, by: Principal) -> bool:
        """From now on it is nobody's; False if it was so already. Expired credentials that name it are revoked.

        Raises Taken ("directory") if one that is still good does.
        """
        place = {"id": directory.id, "tenant_id": directory.tenant_id}
        with self.acting(by) as act:
            rows = act.rows(_END, **place, now=act.now_text)
            if act.rows(_GOOD, **place, now=act.now_text):
                raise act.refused(Taken("directory"))
            if rows:
                forget(act, directory.tenant_id, directory.id)
                for (credential_id,) in act.rows(_REVOKE_REST, **place, now=act.now_text):
                    act.record(directory.tenant_id, CredentialRevoked(credential_id))
                act.record(directory.tenant_id, DirectoryRemoved(directory.id, *rows[0]))
        return bool(rows)


def _directory(row: Row) -> Directory:
    directory_id, tenant_id, tenant_name, cloud, tid, label, client_id, authority, graph, certificate, created = row
    return Directory(directory_id, tenant_id, tenant_name, cloud, tid, label, client_id, authority, graph, certificate, instant(created))
