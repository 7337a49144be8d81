"""Settings and database, opened for one command; every failure told with its remedy."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scim_server import log
from scim_server.cli.output import command
from scim_server.config import Settings, SettingsError
from scim_server.events import Principal

if TYPE_CHECKING:
    from scim_server.store.registry import Registry, Tenant
    from scim_server.store.unit import Store


_USE_NEEDS = "Is it running, is DATABASE_URL right, and may its user read and write there?"
_UPGRADE_NEEDS = "Is it running, is DATABASE_OWNER_URL (or DATABASE_URL) right, and may its user make tables there?"


class Opened(NamedTuple):
    registry: Registry
    store: Store

    def tenant(self, name: str) -> Tenant:
        found = self.registry.tenants.get(name)
        if found is None:
            raise click.ClickException(f"There is no tenant {name!r}. The tenants there are: {command('tenant', 'list')}")
        return found


def read_settings() -> Settings:
    """The settings, all faults told at once; the log as they say."""
    try:
        settings = Settings.from_env()
    except SettingsError as fault:
        raise click.ClickException("\n".join(fault.faults)) from fault
    log.configure(settings.log_level)
    return settings


def operator() -> Principal:
    """Who acts: the operating system's user."""
    try:
        return Principal("operator", getpass.getuser())
    except (KeyError, OSError):  # a number without a name, as in a container
        return Principal("operator", "unnamed")


@contextmanager
def database(settings: Settings) -> Iterator[Opened]:
    """The migrated database. Nothing is made: where there is none, the command that makes it is named."""
    remedy = f"Run: {command('db', 'upgrade')}"
    if settings.embedded_file and not os.path.exists(settings.embedded_file):  # pathlib's raises where it may not look
        raise click.ClickException(
            f"There is no database at {settings.embedded_file}. {remedy}\nOr set DATA_DIR or DATABASE_URL to where it is."
        )
    with _engine(settings) as (engine, store):
        if not store.migrated():
            raise click.ClickException(f"The database {settings.database_name} waits for its migrations. {remedy}")
        from scim_server.store.registry import Registry

        yield Opened(Registry(engine), store)


def upgrade(settings: Settings) -> bool:
    """Apply what is pending; whether there was anything. Seeing that there is nothing takes a tenth of the time."""
    if settings.embedded_file:
        _make_private(settings.embedded_file)
    with _engine(settings, remedy=_UPGRADE_NEEDS) as (_, store):
        if store.migrated():
            return False
    with _engine(settings, remedy=_UPGRADE_NEEDS, owner=True) as (engine, _):
        from scim_server.store.migrations import migrate

        migrate(engine, role=settings.database_role, login=settings.database_user)
        return True


def _make_private(file: Path) -> None:
    """The file and its folder, if they are not there, for their owner only: there will be personal data in it."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)
    except OSError as fault:
        raise click.ClickException(
            f"{fault.filename or file} cannot be made: {fault.strerror}. Set DATA_DIR to a folder that can."
        ) from fault


@contextmanager
def _engine(settings: Settings, *, remedy: str = _USE_NEEDS, owner: bool = False) -> Iterator[tuple[Any, Store]]:
    from scim_server.store.engine import create_engine
    from scim_server.store.errors import Busy, Unavailable
    from scim_server.store.unit import Store

    url, role = (settings.database_owner_url, None) if owner else (settings.database_url, settings.database_role)
    engine = create_engine(url, pool_size=1, role=role)
    try:
        yield engine, Store(engine, settings.tenant_url)
    except Unavailable as fault:
        raise click.ClickException(f"The database {settings.database_name} cannot be used: {fault}\n{remedy}") from fault
    except Busy as fault:
        raise click.ClickException(f"The database {settings.database_name} is busy; nothing was changed. Try again.") from fault
    finally:
        engine.dispose()
