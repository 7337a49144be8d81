"""Keys that are missing, secrets that were altered, files that others can read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from scim_server.tenancy.keys import key_id
from tests.cli.doctor.conftest import KEY, OTHER, Doctor, states


def test_keys_that_are_there(doctor: Doctor, tid: str) -> None:
    assert doctor(SECRET_KEYS=KEY)["secret-keys"]["state"] == "ok"
    behind = doctor(SECRET_KEYS=f"{OTHER},{KEY}")["secret-keys"]
    assert (behind["state"], "keys rotate" in behind["remedy"]) == ("warning", True)


def test_a_key_that_is_missing(doctor: Doctor, tid: str) -> None:
    for keys in ("", OTHER):
        checks = doctor(SECRET_KEYS=keys)
        assert states(checks, "failed") == {"secret-keys"}
        finding = checks["secret-keys"]["finding"]
        assert f"1 secret is encrypted under key {key_id(KEY)}" in finding
        assert f"client_secret of {tid} (tenant 'Contoso')" in finding
        assert "Put the key back" in checks["secret-keys"]["remedy"]
        assert OTHER not in str(checks)


def test_a_secret_that_was_altered(doctor: Doctor, tid: str, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE sealed SET name = 'moved'"))
    found = doctor(SECRET_KEYS=KEY)["secret-keys"]
    assert found["state"] == "failed"
    assert f"moved of {tid} (tenant 'Contoso')" in found["finding"]


@pytest.mark.parametrize(
    ("mode", "state", "told"),
    [(0o600, "ok", "owner's only"), (0o640, "warning", "Other users"), (0o644, "warning", "Other users"), (0o666, "failed", "may write")],
)
def test_a_file_of_keys_is_its_owners(doctor: Doctor, tmp_path: Path, mode: int, state: str, told: str) -> None:
    file = tmp_path / "keys"
    file.write_text(KEY)
    file.chmod(mode)
    found = doctor(SECRET_KEYS_FILE=str(file))["secret-keys-file"]
    assert (found["state"], told in found["finding"]) == (state, True)


def test_a_file_of_keys_that_is_not_what_is_used(doctor: Doctor, tmp_path: Path, tid: str) -> None:
    file = tmp_path / "keys"
    missing = doctor(SECRET_KEYS_FILE=str(file))
    assert missing["secret-keys-file"]["state"] == "warning"
    assert f"keys generate --file {file}" in missing["secret-keys-file"]["remedy"]
    assert missing["secret-keys"]["state"] == "failed"
    file.write_text("Dear all,")
    file.chmod(0o600)
    assert "line 1" in doctor(SECRET_KEYS_FILE=str(file))["secret-keys"]["finding"]
    assert "not used" in doctor(SECRET_KEYS_FILE=str(file), SECRET_KEYS=KEY)["secret-keys-file"]["finding"]
