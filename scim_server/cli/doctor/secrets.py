"""Keys, and what is encrypted under them."""

from __future__ import annotations

import os
import stat

from scim_server.cli.doctor.verdicts import Patient, Verdict, failed, fine, listed, warning
from scim_server.cli.output import command
from scim_server.store.registry import Registry, Sealed
from scim_server.tenancy.keys import KeyFault, KeyMissing, KeyRing, Unopenable

_MOST = 1_000
"""So many secrets are tried; the others have the same keys."""


def keys(patient: Patient) -> list[Verdict]:
    """Whether there is a key for every secret, and it opens it."""
    ring = KeyRing.of(patient.settings, patient.registry)
    secrets = patient.registry.sealed.not_under("", _MOST)
    try:
        ring.check()
        known = ring.key_ids()
    except KeyMissing as fault:
        finding, _, remedy = str(fault).partition("\n")
        lost = [each for each in secrets if each.key_id in fault.missing]
        return [failed(f"{finding}\nUnder it: {listed(_names(patient.registry, lost), 20)}.", remedy)]
    except KeyFault as fault:
        return [failed(str(fault), "Put the file right; keys that are lost open nothing again.")]
    damaged = [each for each in secrets if not _opens(ring, each)]
    if damaged:
        return [
            failed(
                f"Altered or moved in the database, and not used: {listed(_names(patient.registry, damaged), 20)}.",
                "Find out who did that; then enter them again (directory add with --client-secret-file).",
            )
        ]
    if not secrets:
        return [fine(f"No secret needs one yet. Keys: {len(known)}.")]
    counts = patient.registry.sealed.counts()
    under = sum(count for each, count in counts.items() if each != known[0])
    if under:
        return [warning(f"Not under the first key ({known[0]}): {under} of {sum(counts.values())} secrets.", command("keys", "rotate"))]
    return [fine(f"Every secret is under the first key ({known[0]}). Secrets: {sum(counts.values())}.")]


def file(patient: Patient) -> list[Verdict]:
    """Who may read the file of keys, and whether it is the one that is used."""
    settings = patient.settings
    file = settings.secret_keys_file
    if file is None:
        return [fine("There is none." if settings.secret_keys else "There is none, and no SECRET_KEYS either.")]
    if settings.secret_keys:
        return [warning("SECRET_KEYS and SECRET_KEYS_FILE are both set: the file is not used.", "Unset one of them.")]
    try:
        mode = os.stat(file).st_mode
    except FileNotFoundError:
        if "secret_keys_file" not in settings.model_fields_set:
            return [fine(f"{file} is made when the first secret is stored.")]
        return [
            warning(f"{file} is not there.", f"{command('keys', 'generate', '--file', str(file))}\nOr set SECRET_KEYS_FILE to where it is.")
        ]
    except OSError as fault:
        return [failed(f"{file} cannot be looked at: {fault.strerror}.", "Run this as the server's user, who must be able to read it.")]
    if mode & stat.S_IWOTH:
        return [
            failed(f"Everybody on this machine may write to {file}: it is not used.", f"chmod 600 {file}; then look whose keys it holds.")
        ]
    if not os.access(file, os.R_OK):
        return [failed(f"{file} cannot be read by this user.", "Run this as the server's user, or give him the file (chown).")]
    if mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP):
        return [warning(f"Other users of this machine may get at {file}.", f"chmod 600 {file}")]
    return [fine(f"{file} is its owner's only.")]


def _opens(ring: KeyRing, secret: Sealed) -> bool:
    try:
        ring.open(secret)
    except Unopenable:
        return False
    return True


def _names(registry: Registry, secrets: list[Sealed]) -> list[str]:
    """Secrets as operators know them."""
    tenants = {each.id: each.name for each in registry.tenants.list()}
    directories = {each.id: each.tid for owner in {each.tenant_id for each in secrets} for each in registry.directories.list(owner)}
    return [
        f"{each.name} of {directories.get(each.owner_id, each.owner_id)} (tenant {tenants.get(each.tenant_id, each.tenant_id)!r})"
        for each in secrets
    ]
