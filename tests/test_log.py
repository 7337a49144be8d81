"""The log: one JSON object a line, whoever speaks, and no secret in it."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from scim_server import log
from scim_server.store.registry.grants import BEARER
from scim_server.tenancy import opaque


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What a test configures here must not change what other tests log."""
    root = logging.getLogger()
    before = structlog.get_config(), root.handlers[:], root.level
    yield
    structlog.configure(**before[0])
    root.handlers[:], root.level = before[1], before[2]
    logging.captureWarnings(False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_event(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    log.get().warning("not_ready", reason="Unavailable\nreally")
    (line,) = lines(capsys)
    assert line["event"] == "not_ready"
    assert line["level"] == "warning"
    assert line["reason"] == "Unavailable\nreally"
    assert line["time"].endswith("Z")


def test_an_access_line_leaves_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    log.access(method="GET", path="/healthz", status=200, ms=0.31, request_id="r1", tenant=None, credential=None)
    (line,) = lines(capsys)
    assert {"event": "request", "method": "GET", "path": "/healthz", "status": 200, "ms": 0.31, "request_id": "r1"}.items() <= line.items()
    assert "tenant" not in line


@pytest.mark.parametrize(("level", "seen"), [("DEBUG", 3), ("INFO", 2), ("WARNING", 1), ("ERROR", 0)])
def test_the_level_is_a_threshold(level: str, seen: int, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(level)
    log.get().debug("a")
    log.get().info("b")
    log.get().warning("c")
    assert len(lines(capsys)) == seen


def test_libraries_speak_in_the_same_format_and_only_when_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    logging.getLogger("alembic").info("Running upgrade")
    logging.getLogger("library").warning("%s is slow", "it")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    slow, old = lines(capsys)
    assert (slow["event"], slow["level"], slow["logger"]) == ("it is slow", "warning", "library")
    assert "DeprecationWarning: old" in old["event"]


def test_configuring_again_does_not_double_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    log.configure("INFO")
    logging.getLogger("library").warning("once")
    assert len(lines(capsys)) == 1


def test_an_exception_is_one_line_with_its_traceback_masked(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    try:
        raise RuntimeError(f"could not use {opaque.new(BEARER)}")
    except RuntimeError as failure:
        log.get().error("unexpected", exc_info=failure)
    (line,) = lines(capsys)
    assert f"RuntimeError: could not use {log.MASK}" in line["exception"]


TOKEN = "scim_" + "Zk3-" * 10 + "_q7"  # as opaque.new makes them, but the same in every process: it is part of a test's name
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2V4YW1wbGUifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("fields", "secret"),
    [
        ({"authorization": "hunter2"}, "hunter2"),
        ({"Authorization": "hunter2"}, "hunter2"),
        ({"access_token": "hunter2"}, "hunter2"),
        ({"client_secret": "hunter2"}, "hunter2"),
        ({"password": "hunter2"}, "hunter2"),
        ({"Set-Cookie": "hunter2"}, "hunter2"),
        ({"body": {"userName": "hunter2"}}, "hunter2"),
        ({"request_body": b"hunter2"}, "hunter2"),
        ({"headers": {"Authorization": "hunter2"}}, "hunter2"),
        ({"headers": [{"X-Token": "hunter2"}]}, "hunter2"),
        ({"reason": f"no such token: {TOKEN}"}, TOKEN),
        ({"header": "Bearer hunter2"}, "hunter2"),
        ({"header": "bearer  hunter2"}, "hunter2"),
        ({"header": b"Basic aHVudGVyMg=="}, "aHVudGVyMg"),
        ({"headers": ("accept", f"bearer {JWT}")}, JWT),
        ({"assertion": JWT}, JWT),
        ({"url": "postgresql://scim:hunter2@db/scim"}, "hunter2"),
        ({"path": f"/scim/v2/Users/{TOKEN}"}, TOKEN),
        ({"fault": ValueError(f"Bearer {TOKEN}")}, TOKEN),
    ],
)
def test_a_secret_never_reaches_the_log(fields: dict[str, Any], secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    log.get().info("happened", **fields)
    (line,) = lines(capsys)
    assert secret not in json.dumps(line)
    assert log.MASK in json.dumps(line)


@pytest.mark.parametrize(
    "fields",
    [
        {"refusal": "not a bearer token"},
        {"credential": "0193a1b2-0000-7000-8000-000000000001", "tenant": "contoso"},
        {"tenant_url": "http://127.0.0.1:8000/scim/v2", "contact": "a@example.com"},
        {"count": 3, "share": 0.5, "ok": True, "nothing": None, "list": [1, "a"]},
        {"token": None},
    ],
)
def test_what_is_no_secret_stays_readable(fields: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    log.get().info("happened", **fields)
    (line,) = lines(capsys)
    assert fields.items() <= line.items()


@pytest.mark.parametrize("value", ["\ud800", 2**80, object(), float("nan"), [[[[[[[[[[["deep"]]]]]]]]]]], {1: 2}])
def test_a_line_is_written_whatever_the_value(value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    log.get().info("happened", value=value)
    assert len(lines(capsys)) == 1
