"""The checks in their order, and what keeps one from being made."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scim_server import log
from scim_server.cli.doctor import databases, outside, records, secrets
from scim_server.cli.doctor import settings as surroundings
from scim_server.cli.doctor.verdicts import FAILED, OK, SKIPPED, Patient, Verdict
from scim_server.config import Settings, SettingsError
from scim_server.store.engine import create_engine
from scim_server.store.errors import StoreError
from scim_server.store.registry import Registry

DATABASE, TABLES, SEPARATION = "database", "tables", "separation"
"""What a check needs: that the database answers; that it is migrated; that it can keep tenants apart by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``remedy`` is None where there is nothing to mend."""

    name: str
    state: str
    finding: str
    remedy: str | None


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    ask: Callable[[Patient], list[Verdict]]
    needs: tuple[str, ...] = ()


_HERE = (
    _Check("public-url", surroundings.public_url),
    _Check("data-folder", surroundings.data_folder),
    _Check("database", databases.answers),
    _Check("migrations", databases.migrated, (DATABASE,)),
    _Check("database-role", databases.role, (DATABASE, TABLES, SEPARATION)),
    _Check("row-level-security", databases.row_level_security, (DATABASE, TABLES, SEPARATION)),
    _Check("database-login", databases.login, (DATABASE, TABLES, SEPARATION)),
    _Check("database-clock", databases.clock, (DATABASE, TABLES, SEPARATION)),
    _Check("secret-keys", secrets.keys, (DATABASE, TABLES)),
    _Check("secret-keys-file", secrets.file),
    _Check("tenants", records.tenants, (DATABASE, TABLES)),
    _Check("credentials", records.credentials, (DATABASE, TABLES)),
    _Check("domains", records.domains, (DATABASE, TABLES)),
    _Check("certificates", records.certificates, (DATABASE, TABLES)),
    _Check("issuers", records.issuers, (DATABASE, TABLES)),
)
_OUTSIDE = (
    _Check("dns", outside.dns, (DATABASE, TABLES)),
    _Check("outbound", outside.outbound, (DATABASE, TABLES)),
    _Check("clock", outside.clock),
    _Check("reachable", outside.reachable),
)


def examine(*, offline: bool) -> list[Finding]:
    """All findings, in order. A check that cannot be made says why."""
    log.configure("ERROR")
    try:
        settings = Settings.from_env()
    except SettingsError as fault:
        told = [Finding("settings", FAILED, each, "Set it so; docs/settings.md lists all settings.") for each in fault.faults]
        return [*told, *(_skipped(each, "the settings cannot be used") for each in (*_HERE, *_OUTSIDE))]
    engine = create_engine(settings.database_url, pool_size=2, role=settings.database_role)
    patient = Patient(settings, engine, Registry(engine))
    try:
        found = [Finding("settings", OK, "All of them can be used.", None)]
        for check in _HERE:
            found += _made(check, patient)
        if offline:
            return [*found, *(_skipped(each, "offline, as asked for") for each in _OUTSIDE)]
        with ThreadPoolExecutor(len(_OUTSIDE)) as pool:
            for findings in pool.map(lambda check: _made(check, patient), _OUTSIDE):
                found += findings
        return found
    finally:
        engine.dispose()


def _made(check: _Check, patient: Patient) -> list[Finding]:
    for need in check.needs:
        if need in patient.blocked:
            return [_skipped(check, patient.blocked[need])]
    try:
        verdicts = check.ask(patient)
    except StoreError as fault:
        return [Finding(check.name, FAILED, f"The database did not answer: {fault}", "Run this again, and look into the database's log.")]
    except Exception as fault:  # whatever is wrong, the other checks are still to be made
        told = (str(fault).splitlines() or [""])[0][:200]
        remedy = "Run db upgrade, then this again. If it stays so, the tables are not as migrations leave them, or this is a fault of ours."
        return [Finding(check.name, FAILED, f"The check broke off: {type(fault).__name__}: {told}", remedy)]
    return [Finding(f"{check.name} {each.about}".strip(), each.state, each.finding, each.remedy) for each in verdicts]


def _skipped(check: _Check, reason: str) -> Finding:
    return Finding(check.name, SKIPPED, f"Not checked: {reason}.", None)
