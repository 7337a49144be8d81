"""The settings that are valid and yet may not be what was meant; the folder of the embedded database."""

from __future__ import annotations

import os
import stat
from ipaddress import ip_address
from urllib.parse import urlsplit

from scim_server.cli.doctor.verdicts import Patient, Verdict, failed, fine, warning


def public_url(patient: Patient) -> list[Verdict]:
    """Entra reaches public https addresses only."""
    url = patient.settings.public_url
    parts = urlsplit(url)
    remedy = "Put a proxy with TLS before the server, and set PUBLIC_URL to its https address."
    if parts.scheme != "https":
        return [warning(f"{url} is not https: Entra does not send to it.", remedy)]
    if _is_loopback(parts.hostname or ""):
        return [warning(f"{url} is this machine: nobody else can reach it.", remedy)]
    return [fine(f"{url}, Tenant URL {patient.settings.tenant_url}")]


def data_folder(patient: Patient) -> list[Verdict]:
    """There are personal data and keys in it: nobody else on this machine should read them."""
    file = patient.settings.embedded_file
    if file is None:
        return [fine("Not needed: the database is a server of its own.")]
    folder = file.parent
    try:
        modes = {path: os.stat(path).st_mode for path in (folder, file) if os.path.exists(path)}
    except OSError as fault:
        return [failed(f"{folder} cannot be looked at: {fault.strerror}.", "Run this as the server's user, or set DATA_DIR.")]
    if folder not in modes:
        return [fine(f"{folder} is made with the database.")]
    if not os.access(folder, os.W_OK | os.X_OK):
        return [failed(f"{folder} cannot be written to by this user.", "Run this as the server's user, or give him the folder (chown).")]
    # Nobody gets at a file in a folder that only its owner may enter.
    open_to_others = [str(path) for path, mode in modes.items() if mode & (stat.S_IRWXG | stat.S_IRWXO)] if modes[folder] & 0o077 else []
    if open_to_others:
        return [warning(f"Other users of this machine may get at {', '.join(open_to_others)}.", f"chmod -R go= {folder}")]
    return [fine(f"{folder} is its owner's only.")]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
