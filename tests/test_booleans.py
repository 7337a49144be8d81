"""Booleans that came as text. What comes of them over HTTP ``tests/standards/test_profiles.py`` shows; here is what holds always."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.booleans import normalise
from scim_server.scim.filters import Filter
from scim_server.scim.messages import PATCH_OP
from scim_server.scim.schemas import ENTERPRISE_USER, USER_TYPE
from tests.entra.test_properties import BODIES, BY_NAME, FILTER_TEXTS, FILTERS, METHODS, TYPES, strict_bodies, strict_messages


@settings(max_examples=200)
@given(TYPES, METHODS, FILTER_TEXTS | st.text(max_size=12), BODIES)
def test_twice_is_once_and_the_input_stays(name: str, method: str, text: str, body: Any) -> None:
    query = {"filter": text}
    before = copy.deepcopy((query, body))
    once = normalise(BY_NAME[name], method, query, body)
    assert (query, body) == before
    assert normalise(BY_NAME[name], method, *once) == once


@settings(max_examples=100)
@given(st.data(), TYPES, st.sampled_from(["POST", "PUT", "PATCH"]), FILTERS)
def test_a_strict_request_passes_unchanged(data: st.DataObject, name: str, method: str, strict: Filter) -> None:
    body = data.draw((strict_messages if method == "PATCH" else strict_bodies)(BY_NAME[name]))
    query = {"filter": str(strict), "excludedAttributes": "members"}
    assert normalise(BY_NAME[name], method, query, body) == (query, body)


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("POST", {"active": "True", "title": "True", "ACTIVE": "x"}, {"active": True, "title": "True", "ACTIVE": "x"}),
        (
            "PUT",
            {"emails": [{"primary": "FALSE", "value": "true"}, "true", None]},
            {"emails": [{"primary": False, "value": "true"}, "true", None]},
        ),
        (
            "POST",
            {ENTERPRISE_USER: {"department": "true"}, "unknown": "true"},
            {ENTERPRISE_USER: {"department": "true"}, "unknown": "true"},
        ),
        ("GET", {"active": "true"}, {"active": "true"}),
        ("PATCH", {"active": "true"}, {"active": "true"}),
        (
            "PATCH",
            {"operations": [{"OP": "add", "Path": "active", "VALUE": "true"}]},
            {"operations": [{"OP": "add", "Path": "active", "VALUE": True}]},
        ),
        (
            "PATCH",
            {"Operations": [{"op": "replace", "value": {'emails[primary eq "true"].primary': "False", "name": "true"}}, 5]},
            {"Operations": [{"op": "replace", "value": {"emails[primary eq true].primary": False, "name": "true"}}, 5]},
        ),
        (
            "PATCH",
            {"Operations": [{"op": "remove", "path": 'emails[value eq "true" and not (primary eq "True")]'}]},
            {"Operations": [{"op": "remove", "path": 'emails[value eq "true" and not (primary eq true)]'}]},
        ),
        ("PATCH", {"Operations": [{"op": "add", "path": 'emails[primary eq "true"', "value": "true"}]}, ...),
    ],
    ids=lambda each: str(each)[:60],
)
def test_only_where_the_schema_has_a_boolean(method: str, body: Any, expected: Any) -> None:
    assert normalise(USER_TYPE, method, {}, body)[1] == (body if expected is ... else expected)


@pytest.mark.parametrize(
    "body",
    [
        {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "emails", "value": json.loads("[" * 900 + "]" * 900)}]},
        {"emails": json.loads("[" * 900 + '"true"' + "]" * 900), "name": json.loads('{"a":' * 900 + '"true"' + "}" * 900)},
        {ENTERPRISE_USER: json.loads(f'{{"{ENTERPRISE_USER}":' * 900 + '"true"' + "}" * 900)},
    ],
    ids=["lists", "lists and objects", "extensions"],
)
def test_what_is_deep_does_no_harm(body: Any) -> None:
    for method in ("POST", "PATCH"):
        assert normalise(USER_TYPE, method, {}, body)[1] == body
