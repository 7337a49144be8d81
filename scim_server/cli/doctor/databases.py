"""The database: whether it answers, waits for migrations, and keeps tenants apart."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from scim_server.cli.doctor.verdicts import Patient, Verdict, failed, fine, listed, warning
from scim_server.cli.output import command
from scim_server.store.diagnosis import Diagnosis
from scim_server.store.engine import create_engine
from scim_server.store.errors import StoreError
from scim_server.store.unit import Store

NOTED, TOO_MUCH = timedelta(seconds=2), timedelta(seconds=60)
"""From which difference on a clock is worth a word, and tokens are refused: their times may be off by a minute (RFC 7519 §4.1.4)."""


_ROLE = "Set DATABASE_ROLE to a role that is no superuser, bypasses no policy and owns no table: db upgrade makes it."


def answers(patient: Patient) -> list[Verdict]:
    """Asked as whom the URL names, without the role: that is a check of its own."""
    settings = patient.settings
    if settings.embedded_file and not os.path.exists(settings.embedded_file):
        patient.blocked["database"] = "there is no database yet"
        return [
            failed(f"There is no database at {settings.embedded_file}.", f"{command('db', 'upgrade')}\nOr set DATA_DIR to where it is.")
        ]
    engine = create_engine(settings.database_url, pool_size=1)
    try:
        diagnosis = Diagnosis(engine)
        version, recent = diagnosis.version()
        only_reads = diagnosis.only_reads()
    except StoreError as fault:
        patient.blocked["database"] = "the database does not answer"
        return [failed(f"{settings.database_name} cannot be used: {fault}", "Is it running, and is DATABASE_URL right?")]
    finally:
        engine.dispose()
    if not diagnosis.separates:
        patient.blocked["separation"] = "the embedded database has no users, no policies and no clock of its own"
        return [fine(f"SQLite {version} at {settings.database_name}")]
    if not recent:
        return [failed(f"PostgreSQL {version} is too old.", "Upgrade it: 15 is the oldest that this server is tested with.")]
    if only_reads:
        told = f"PostgreSQL {version} at {settings.database_name} takes no change."
        return [failed(told, "Is it a standby? Name the primary in DATABASE_URL.")]
    return [fine(f"PostgreSQL {version} at {settings.database_name}")]


def migrated(patient: Patient) -> list[Verdict]:
    """Whether the tables are those of this version, and the server may read them."""
    try:
        if Store(patient.engine, patient.settings.tenant_url).migrated():
            return [fine("There is none to apply.")]
    except StoreError as fault:
        patient.blocked["tables"] = "the server's connections cannot be used"
        return [failed(f"The server's connections cannot be used: {fault}.", _ROLE)]
    patient.blocked["tables"] = "the database waits for its migrations"
    finding = "The database waits for its migrations."
    if patient.settings.embedded_file is None:
        finding = f"The database waits for its migrations, or its role {patient.settings.database_role} is not there, or not granted."
    return [failed(finding, f"{command('db', 'upgrade')}\nIts DATABASE_OWNER_URL must be allowed to make tables and roles.")]


def role(patient: Patient) -> list[Verdict]:
    """Under which role the server's connections work, and whether policies hold for it."""
    under, _ = Diagnosis(patient.engine).users()
    if under.owns:
        wanted = patient.settings.database_role
        return [
            warning(
                f"The server works as {under.name}, who owns the tables. Tenants are kept apart, but the audit trail could be rewritten.",
                f"Have somebody CREATE ROLE {wanted} NOLOGIN; GRANT {wanted} TO {under.name}; then: {command('db', 'upgrade')}\n"
                "Until then back up as a superuser: pg_dump as the owner fails, or leaves out all rows of tenants.",
            )
        ]
    if wrong := Diagnosis(patient.engine).wrong_rights():
        told = listed([f"{table} ({what})" for table, what in wrong.items()])
        return [failed(f"The server works as {under.name}, whose rights are not those it needs: {told}.", command("db", "upgrade"))]
    return [fine(f"The server works as {under.name}, who owns no table and cannot get around row-level security.")]


def row_level_security(patient: Patient) -> list[Verdict]:
    """Whether each table with rows of tenants shows the server one tenant's only."""
    unprotected = Diagnosis(patient.engine).unprotected()
    if not unprotected:
        return [fine("Every table with rows of tenants has its policy, and it holds.")]
    told = listed([f"{table} ({reason})" for table, reason in unprotected.items()])
    return [
        failed(
            f"Tenants are kept apart by the server's statements alone in {told}.",
            "Find out who changed it. Put it back as a migrated database has it: ALTER TABLE … ENABLE ROW LEVEL SECURITY, and the policy "
            "of scim_server/store/migrations/versions; and see that database-role is ok.",
        )
    ]


def login(patient: Patient) -> list[Verdict]:
    """The server gives up what its login may do more; whoever finds the password does not."""
    under, login = Diagnosis(patient.engine).users()
    if login == under and login.owns:
        return [fine(f"DATABASE_URL logs in as {login.name}, as whom the server works: see database-role.")]
    if not (login.bypasses or login.owns):
        return [fine(f"DATABASE_URL logs in as {login.name}, who cannot get around row-level security either.")]
    why = "could bypass row-level security" if login.bypasses else "owns the tables"
    return [
        warning(
            f"DATABASE_URL logs in as {login.name}, who {why}. The server gives that up; whoever finds the URL need not.",
            f"CREATE ROLE scim_login LOGIN PASSWORD '…' NOINHERIT; GRANT {under.name} TO scim_login; then use it in DATABASE_URL, and "
            "the present one in DATABASE_OWNER_URL, for db upgrade only.",
        )
    ]


def clock(patient: Patient) -> list[Verdict]:
    """The database's clock against this machine's."""
    diagnosis = Diagnosis(patient.engine)
    diagnosis.users()  # so that connecting is not counted
    before = datetime.now(UTC)
    there = diagnosis.clock()
    after = datetime.now(UTC)
    return [of_clock(there - before - (after - before) / 2, (after - before) / 2, "the database's")]


def of_clock(ahead: timedelta, uncertain: timedelta, whose: str) -> Verdict:
    """What to say of a clock that is so far ahead of this machine's, or behind if negative; give or take."""
    seconds = ahead.total_seconds()
    told = f"This machine's clock is {abs(seconds):.1f} s {'behind' if seconds > 0 else 'ahead of'} {whose}."
    least = max(abs(ahead) - uncertain, timedelta(0))
    remedy = "Let both keep time by NTP: timedatectl shows whether this one does."
    if least > TOO_MUCH:
        return failed(f"{told} Tokens are refused for it: a minute is allowed.", remedy)
    if least > NOTED:
        return warning(told, remedy)
    return fine(f"This machine's clock agrees with {whose}, to {max(abs(seconds), uncertain.total_seconds()):.1f} s.")
