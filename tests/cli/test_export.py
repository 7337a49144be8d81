"""``tenant export``: what is in the file, what becomes of it when something goes wrong, and that it is recorded."""

from __future__ import annotations

import io
import json
import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scim_server.cli import export
from scim_server.events import Principal, Scope
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.unit import Store
from tests.cli.conftest import Command, answer, credential, done, refusal
from tests.store.samples import group, user


@pytest.fixture
def filled(cli: Command, tenant: str, url: str) -> str:
    """A tenant with two users, one of them gone, in a group."""
    credential(cli, tenant)
    engine = create_engine(url, pool_size=1, role=ROLE)
    scope = Scope(answer(cli("tenant", "show", tenant, "--json"))["id"], Principal("system", "tests"), "r")
    with Store(engine, "https://scim.example/scim/v2").write(scope) as unit:
        anna, gone = unit.users.insert(user("anna", displayName="Anna Ørsted")), unit.users.insert(user("gone"))
        unit.members.add(unit.groups.insert(group("Team")).id, [anna.id, gone.id])
        unit.users.end(gone.id)
    engine.dispose()
    return tenant


ROWS = {"tenant": 1, "credential": 1, "user": 2, "activity": 2, "group": 1, "membership": 2, "event": 2}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def exports(cli: Command, tenant: str) -> list[dict[str, int]]:
    """The rows of each export that the audit trail knows of."""
    events = answer(cli("audit", "list", "--tenant", tenant, "--event", "operator:tenant:exported", "--json"))
    return [each["data"]["rows"] for each in events]


def test_a_file_has_a_line_for_each_row(cli: Command, filled: str, tmp_path: Path) -> None:
    file = tmp_path / "tenant.jsonl"
    assert answer(cli("tenant", "export", filled, "--output", str(file), "--json")) == {"file": str(file), "rows": ROWS}
    first, *rows, last = lines(file.read_text())
    assert (first["type"], first["format"], first["version"]) == ("export", "scim-server-tenant-export", 1)
    assert last == {"type": "end", "rows": ROWS}
    assert Counter(each["type"] for each in rows) == ROWS
    assert rows[0]["name"] == filled
    assert "Anna Ørsted" in file.read_text()
    assert [each["ended"] is None for each in rows if each["type"] == "user"] == [True, False]
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert exports(cli, filled) == [ROWS]


def test_people_are_told_what_was_written(cli: Command, filled: str, tmp_path: Path) -> None:
    told = done(cli("tenant", "export", filled, "--output", str(tmp_path / "file")))
    assert "2 of type user" in told
    assert "personal data" in told


def test_lines_go_to_standard_output_and_the_summary_elsewhere(cli: Command, filled: str) -> None:
    for options in ((), ("--json",)):
        result = cli("tenant", "export", filled, "--output", "-", *options)
        assert result.exit_code == 0
        found = lines(result.stdout)
        assert (found[0]["type"], found[-1]["type"]) == ("export", "end")
        assert "personal data" in result.stderr or json.loads(result.stderr)["file"] == "-"
    assert len(exports(cli, filled)) == 2


def test_a_file_is_replaced_only_if_told_so(cli: Command, filled: str, tmp_path: Path) -> None:
    file = tmp_path / "tenant.jsonl"
    file.write_text("mine")
    told = refusal(cli("tenant", "export", filled, "--output", str(file)))
    assert "--force" in told
    assert (file.read_text(), exports(cli, filled)) == ("mine", [])
    done(cli("tenant", "export", filled, "--output", str(file), "--force"))
    assert lines(file.read_text())[-1]["type"] == "end"
    assert file.stat().st_mode & 0o777 == 0o600
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert "--force" in refusal(cli("tenant", "export", filled, "--output", str(link)))


def test_what_is_no_file_is_never_replaced(cli: Command, filled: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no file that could be replaced" in refusal(cli("tenant", "export", filled, "--output", str(pipe), "--force"))
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_where_nothing_can_be_written_that_is_told(cli: Command, filled: str, tmp_path: Path) -> None:
    assert "cannot be written" in refusal(cli("tenant", "export", filled, "--output", str(tmp_path / "no" / "file")))
    assert "Name a file in it" in refusal(cli("tenant", "export", filled, "--output", str(tmp_path)))
    assert "tenant list" in refusal(cli("tenant", "export", "nobody", "--output", str(tmp_path / "file")))
    assert list(tmp_path.iterdir()) == []
    assert exports(cli, filled) == []


def full(*_: Any) -> bytes:
    raise OSError(28, "No space left on device")


def test_what_is_not_complete_leaves_nothing(cli: Command, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_line", full)
    assert "No space left" in refusal(cli("tenant", "export", filled, "--output", str(tmp_path / "file")))
    assert list(tmp_path.iterdir()) == []
    assert exports(cli, filled) == []


def test_what_went_out_before_it_was_broken_off_is_recorded(cli: Command, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be taken back. The last line is missing."""
    line = export._line

    def broken_off(value: dict[str, object]) -> bytes:
        return line(value) if value["type"] != "group" else full()

    monkeypatch.setattr(export, "_line", broken_off)
    result = cli("tenant", "export", filled, "--output", "-")
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert [each["type"] for each in lines(result.stdout)] == ["export", "tenant", "credential", "user", "user", "activity", "activity"]
    assert exports(cli, filled) == [{"tenant": 1, "credential": 1, "user": 2, "activity": 2, "group": 1}]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_TELL_EVERY_S", 0.0)
    for stream, told in ((Terminal(), "\r1,234 rows\r" + " " * 30 + "\r"), (io.StringIO(), "")):
        progress = export._Progress(stream)
        progress.tell(Counter(user=1230, group=4))
        progress.end()
        assert stream.getvalue() == told


def test_it_is_the_owners_only_from_the_first_byte(cli: Command, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask is, and while it is written, too."""
    seen: set[int] = set()
    line = export._line

    def looking(value: dict[str, object]) -> bytes:
        seen.update(path.stat().st_mode & 0o777 for path in tmp_path.iterdir())
        return line(value)

    monkeypatch.setattr(export, "_line", looking)
    before = os.umask(0)
    try:
        done(cli("tenant", "export", filled, "--output", str(tmp_path / "file")))
    finally:
        os.umask(before)
    assert seen == {0o600}
