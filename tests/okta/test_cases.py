"""Okta's requests as data, in the order in which Okta sends them.

Each file under ``cases`` is a conversation with a fresh tenant: ``exchanges``, each with what is sent, the ``status``, and what the
answer holds: ``answer`` (of objects, at least that), ``members`` (exactly those ids), ``absent`` names. What ``keep`` names is the id
that was answered, and stands as ``{name}`` in what follows. The shapes are those of Okta's own reference of the SCIM 2.0 protocol. Okta
keeps to the RFCs, so all profiles have to do with it; ``profiles`` names those that do where it does not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import Scim

CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("cases/*.json"))}
HEADERS = {
    "Accept": "application/scim+json",
    "Accept-Charset": "utf-8",
    "User-Agent": "Okta SCIM Client 1.0.0",
}


def _marks(case: dict[str, Any]) -> list[pytest.MarkDecorator]:
    marks = [pytest.mark.requirement(*case["requirement"])]
    return [*marks, pytest.mark.profiles(*case["profiles"])] if "profiles" in case else marks


@pytest.mark.parametrize("name", [pytest.param(name, marks=_marks(case)) for name, case in CASES.items()])
def test_case(scim: Scim, name: str) -> None:
    known: dict[str, str] = {}
    for exchange in CASES[name]["exchanges"]:
        exchange = _filled(exchange, known)
        method, _, path = exchange["send"].partition(" ")
        response = scim.request(method, path, exchange.get("body"), headers=HEADERS)
        assert response.status_code == exchange["status"], (exchange["send"], response.get_data(as_text=True))
        body = response.get_json(force=True) if response.data else {}
        if "keep" in exchange:
            known[exchange["keep"]] = body["id"]
        assert _holds(exchange.get("answer", {}), body), (exchange["send"], exchange["answer"], body)
        assert not body.keys() & exchange.get("absent", [])
        if "members" in exchange:
            assert sorted(each["value"] for each in body.get("members", [])) == sorted(exchange["members"])


def _filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, each in known.items():
            value = value.replace(f"{{{name}}}", each)
    elif isinstance(value, list):
        return [_filled(each, known) for each in value]
    elif isinstance(value, dict):
        return {name: _filled(each, known) for name, each in value.items()}
    return value


def _holds(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(name in found and _holds(each, found[name]) for name, each in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_holds, wanted, found))
    return type(wanted) is type(found) and bool(wanted == found)


def test_no_case_is_about_nothing() -> None:
    assert CASES
    for name, case in CASES.items():
        assert case["why"], name
        assert case["requirement"], name
        assert all(
            exchange.keys() <= {"send", "body", "status", "answer", "members", "absent", "keep"} for exchange in case["exchanges"]
        ), name
