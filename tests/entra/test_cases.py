"""Entra's requests as data: what it sends, what the core gets, and what comes of it.

Each file under ``cases``: ``before`` is the body as sent, ``after`` what ``normalise`` makes of it.
``result`` is the ``document`` that the core then makes of ``stored`` (PATCH) or of nothing (POST)
and what happens to ``members``, or the ``error`` it raises. ``quirk`` are numbers of ``test_quirks``,
``requirement`` lines of the standard.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scim_server.entra import normalise
from scim_server.scim import patch, resources
from scim_server.scim.errors import ScimError
from scim_server.scim.schemas import RESOURCE_TYPES, ResourceType

CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("cases/*.json"))}
TYPES = {each.name: each for each in RESOURCE_TYPES}
CHANGES = {patch.AddMembers: "add", patch.RemoveMembers: "remove", patch.ReplaceMembers: "replace"}


def _posted(resource_type: ResourceType, body: Any) -> dict[str, Any]:
    draft = resources.accept(resource_type, body, lenient=True)
    return {"document": draft.document} | ({} if draft.members is None else {"members": list(draft.members)})


def _patched(resource_type: ResourceType, body: Any, stored: dict[str, Any]) -> dict[str, Any]:
    plan = patch.plan(resource_type, patch.parse(body), lenient=True)
    document = patch.apply(resource_type, stored, plan.document, lenient=True)
    changes = [[CHANGES[type(change)], list(change.ids)] for change in plan.members if not isinstance(change, patch.RemoveMembersWhere)]
    return {"document": document} | ({"members": changes} if resource_type.name == "Group" else {})


def _marks(case: dict[str, Any]) -> list[pytest.MarkDecorator]:
    return [pytest.mark.requirement(*case["requirement"])] if "requirement" in case else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=_marks(case)) for name, case in CASES.items()])
def test_case(name: str) -> None:
    case = CASES[name]
    resource_type = TYPES[case["resource"]]
    _, after = normalise(resource_type, case["method"], {}, case["before"])
    assert after == case["after"]
    assert normalise(resource_type, case["method"], {}, after) == ({}, after)
    try:
        result = _posted(resource_type, after) if case["method"] == "POST" else _patched(resource_type, after, case["stored"])
    except ScimError as error:
        result = {"error": type(error).__name__, "detail": error.detail}
    assert {key: result.get(key, result) for key in case["result"]} == case["result"]


def test_both_shapes_of_one_change_have_one_outcome() -> None:
    """Quirk 41: the flag is per job, and provision-on-demand ignores it."""
    legacy, flag = CASES["41-one-change-without-the-flag"], CASES["41-one-change-with-the-flag"]
    assert legacy["before"] != flag["before"]
    assert (legacy["stored"], legacy["result"]) == (flag["stored"], flag["result"])
