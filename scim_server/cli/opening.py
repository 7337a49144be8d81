"""Settings and database, opened for one command; every failure told with its remedy."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scim_server import log
from scim_server.cli.output import command
from scim_server.config import Settings, SettingsError
from scim_server.events import Principal, Scope

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

    def scope(self, tenant: str) -> Scope:
        """Of the tenant of that name, for what an operator does."""
        return Scope(self.tenant(tenant).id, operator(), "")


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
        return Principal("operator", pwd.getpwuid(os.getuid()).pw_name)
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
    if settings.database_owner_url.partition(":")[0][:8] != settings.database_url.partition(":")[0][:8]:
        raise click.ClickException("DATABASE_URL and DATABASE_OWNER_URL name databases of two kinds. Unset the latter, or make both agree.")
    if _is_prepared(settings):
        return False
    with _engine(settings, remedy=_UPGRADE_NEEDS, owner=True) as (engine, _):
        from scim_server.store.migrations import migrate

        migrate(engine, role=settings.database_role, login=settings.database_user)
    if not _is_prepared(settings):
        raise click.ClickException(
            f"The migrations were applied, but not to what the server sees at {settings.database_name}. Do DATABASE_URL and "
            "DATABASE_OWNER_URL name the same database, and is the schema that both find first (search_path) the same?"
        )
    return True


def _is_prepared(settings: Settings) -> bool:
    """Whether the tables are those of this version, and the server may do with them what it needs and no more."""
    with _engine(settings, remedy=_UPGRADE_NEEDS) as (engine, store):
        if not store.migrated():
            return False
        if settings.embedded_file:
            return True
        from scim_server.store.diagnosis import Diagnosis

        diagnosis = Diagnosis(engine)
        return diagnosis.users()[0].owns or not diagnosis.wrong_rights()


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
        raise click.ClickException(
            f"The database {settings.database_name} is busy; nothing was changed. Is a backup or an export running? Try again."
        ) from fault
    except UnicodeEncodeError as fault:
        raise click.ClickException("An argument of the command is not UTF-8.") from fault
    finally:
        engine.dispose()
