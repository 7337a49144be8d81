"""Whole runs against a service in memory: convergence in spite of trouble, and every planted defect found out."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.entra.cli import main
from tests.conformance.fake import ENTERPRISE, Fake, Fault


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.entra.sender._FIRST_PAUSE", 0.002)
    monkeypatch.setattr("conformance.entra.sender._LONGEST_PAUSE", 0.03)


def run(fake: Fake, report: Path, *options: str, users: int = 60, groups: int = 8) -> dict[str, Any]:
    arguments = [
        "--base-url",
        fake.url,
        "--token",
        "t",
        "--users",
        str(users),
        "--groups",
        str(groups),
        "--json",
        str(report),
        "--quiet",
        *options,
    ]
    status = main(arguments)
    result: dict[str, Any] = json.loads(report.read_text())
    assert result["exit_status"] == status
    return result


def chaos(seed: int) -> Iterator[Fault]:
    """A fifth of what it is asked about goes wrong in some way."""
    number = seed
    while True:
        number = (number * 1103515245 + 12345) % 2**31
        faults: dict[int, Fault] = {0: "after", 1: "before", 2: 503, 3: 429, 4: "after"}
        yield faults.get(number // 7919 % 25)


@pytest.mark.parametrize(("dialect", "external_id"), [("legacy", "mailNickname"), ("flag", "objectId"), ("both", "mailNickname")])
def test_sound_service_no_difference_and_again_on_the_same_tenant(tmp_path: Path, dialect: str, external_id: str) -> None:
    with Fake() as fake:
        fake.handle("POST", "/scim/v2/Users", {"userName": "somebody@else.example"})
        options = ("--dialect", dialect, "--external-id", external_id)
        first = run(fake, tmp_path / "1.json", *options)
        second = run(fake, tmp_path / "2.json", *options)
    assert (first["differences"], second["differences"]) == ([], [])
    assert not first["failures"]
    assert not first["remarks"]
    assert second["operations"]["create user"]["count"] < 20


def test_shapes_that_must_all_occur_do(tmp_path: Path) -> None:
    with Fake() as fake:
        run(fake, tmp_path / "r.json", users=300, groups=12)
    operations = [operation for _, _, _, body in fake.seen if body and "Operations" in body for operation in body["Operations"]]
    assert {operation["op"] for operation in operations} == {"Add", "Replace", "Remove", "add", "replace", "remove"}
    assert {"True", "False", True, False} <= {operation["value"] for operation in operations if operation.get("path") == "active"}
    assert any("path" not in operation and "name.familyName" in operation["value"] for operation in operations)
    assert {"op": "remove", "path": "members"} in operations
    posts = [body for method, _, _, body in fake.seen if method == "POST"]
    assert any(ENTERPRISE in body and ENTERPRISE not in body["schemas"] for body in posts)
    assert not any(body.get("members") for body in posts)
    assert not any("manager" in body.get(ENTERPRISE, {}) for body in posts)
    queries = [path for method, path, _, _ in fake.seen if method == "GET"]
    assert any("excludedAttributes=members&filter=displayName+eq+%22" in path for path in queries)
    assert any("+and+manager+eq+" in path or "manager+eq+" in path.partition("+and+")[0] for path in queries)
    assert any("emails%5Btype+eq+%22work%22%5D.value+eq+" in path for path in queries)


def test_a_run_sends_what_it_sent_before(tmp_path: Path) -> None:
    """With one worker, the writes of a seed are the same in number, order and content, but for the server's ids and its port."""

    def writes() -> list[str]:
        with Fake() as fake:
            run(fake, tmp_path / "r.json", "--workers", "1")
        return [
            re.sub(r"[0-9a-f]{32}|:\d{4,5}/", "ID", f"{method} {path} {json.dumps(body)}")
            for method, path, _, body in fake.seen
            if method != "GET"
        ]

    assert writes() == writes()


def test_volume_of_the_standard_run(tmp_path: Path) -> None:
    with Fake() as fake:
        report = run(fake, tmp_path / "r.json", users=1000, groups=50)
    assert 5_000 < report["requests"] < 15_000
    assert report["differences"] == []
    members = [path for method, path, _, body in fake.seen if method == "PATCH" and "/Groups/" in path]
    assert max(Counter(members).values()) > 20, "no group has many batches"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("retry_seconds", ["30", "0.02"])
def test_converges_through_lost_answers_and_throttling(tmp_path: Path, seed: int, retry_seconds: str) -> None:
    """With little patience objects go into escrow and come back; with much they are repeated on the spot."""
    faults, lock, writes = chaos(seed), threading.Lock(), count()

    def fault(method: str, path: str, number: int) -> Fault:
        if number <= 10 or method == "GET":
            return None  # connection test and reading back have no escrow behind them
        with lock:
            wanted, write = next(faults), next(writes)
        # Chance alone does not see to it that patience ends and that there are conflicts to heal. So for longer than little patience
        # lasts no write is answered, and many creations are lost besides.
        return "after" if 20 <= write < 44 or (method == "POST" and number % 3 == 0) else wanted

    with Fake(fault) as fake:
        fake.retry_after = 0.01
        report = run(fake, tmp_path / "r.json", "--retry-seconds", retry_seconds)
    assert report["differences"] == []
    assert report["unreachable"] > 10
    assert report["server_errors"] > 3
    assert report["healed_conflicts"] > 0
    assert (report["escrowed"] > 0) is (retry_seconds == "0.02")


def test_converges_though_the_server_is_killed_and_started_again(tmp_path: Path) -> None:
    with Fake() as fake:
        over = threading.Event()

        def kill() -> None:
            for number in (100, 400, 700):  # of about a thousand requests
                while len(fake.seen) < number and not over.wait(0.002):
                    pass
                fake.stop()
                time.sleep(0.1)
                fake.start()

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            report = run(fake, tmp_path / "r.json", users=120, groups=12)
        finally:
            over.set()
            killer.join()
    assert report["differences"] == []
    assert report["unreachable"] > 0


@pytest.mark.parametrize(
    ("bug", "kind"),
    [
        ("truthy", "active"),
        ("flat keys", "attribute"),
        ("no target", "attribute"),
        ("removes all", "member missing"),
        ("loses a member", "member missing"),
        ("zombie", "deleted but there"),
        ("hides inactive", "hidden"),
        ("short pages", "listing"),
        ("like", "wrong match"),
    ],
)
def test_planted_defects_are_found(tmp_path: Path, bug: str, kind: str) -> None:
    with Fake(bugs=frozenset({bug})) as fake:
        report = run(fake, tmp_path / "r.json", "--cycles", "4")
    assert report["exit_status"] == 1
    assert kind in report["difference_kinds"]


def test_duplicate_of_a_lost_answer_is_an_extra(tmp_path: Path) -> None:
    """A service without a unique key, whose look-up misses what the lost POST made, ends with two of a person."""

    def fault(method: str, path: str, number: int) -> Fault:
        return "after" if method == "POST" and number % 5 == 0 else None

    with Fake(fault, frozenset({"duplicates"})) as fake:
        report = run(fake, tmp_path / "r.json")
    assert report["difference_kinds"]["extra"] > 0


def test_a_resource_that_vanishes_is_made_anew_but_told(tmp_path: Path) -> None:
    with Fake() as fake:

        def fault(method: str, path: str, number: int) -> Fault:
            if method == "PATCH" and "/Users/" in path and number > 250 and not lost:
                ident = path.rpartition("/")[2]
                lost.append(ident)
                fake.handle("DELETE", path, None)
            return None

        lost: list[str] = []
        fake.fault = fault
        report = run(fake, tmp_path / "r.json")
    assert report["difference_kinds"] == {"vanished": 1}
    assert report["rematched"] == 1


def test_refusals_are_shown_in_the_servers_words(tmp_path: Path) -> None:
    with Fake(lambda method, path, number: 400 if method == "POST" and "Groups" in path else None) as fake:
        report = run(fake, tmp_path / "r.json", "--cycles", "1")
    assert report["failures"][0]["detail"] == "fault 400"
    assert {difference["kind"] for difference in report["differences"]} == {"missing"}
    assert not any(difference["acknowledged"] for difference in report["differences"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(401, "401"), (404, "look-up by userName"), ("before", "RemoteDisconnected")],
)
def test_a_service_that_fails_the_connection_test_is_exit_status_2(
    tmp_path: Path, fault: Fault, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.entra.cli._START_PATIENCE", 0.2)
    with Fake(lambda method, path, number: fault) as fake:
        report = run(fake, tmp_path / "r.json")
    assert report["exit_status"] == 2
    assert reason in report["stopped"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--base-url", "x", "--token", "t"],
        ["--base-url", "http://h"],
        ["--base-url", "http://h", "--token", "t", "--users", "0"],
        ["--base-url", "http://h", "--token", "t", "--json", "/no/folder/r.json"],
    ],
)
def test_usage(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SCIM_TOKEN", raising=False)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
