"""What differs between two documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from scim_server.scim.changes import differences
from scim_server.scim.resources import accept
from scim_server.scim.schemas import ENTERPRISE_USER, USER_TYPE
from tests.scim.bodies import users

E = ENTERPRISE_USER


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, []),
        ({"title": "T"}, {"title": "T"}, []),
        ({"schemas": ["a"]}, {"schemas": ["a", "b"]}, []),
        ({"title": "S"}, {"title": "T"}, [("title", "S", "T")]),
        ({}, {"title": "T", "active": False}, [("title", None, "T"), ("active", None, False)]),
        ({"active": True, "title": "T"}, {"active": False}, [("active", True, False), ("title", "T", None)]),
        ({"name": {"givenName": "A", "familyName": "F"}}, {"name": {"familyName": "F", "givenName": "B"}}, [("name.givenName", "A", "B")]),
        ({"name": {"givenName": "A"}}, {}, [("name.givenName", "A", None)]),
        ({}, {"name": {"givenName": "A", "formatted": "A"}}, [("name.givenName", None, "A"), ("name.formatted", None, "A")]),
        ({"emails": [{"value": "a"}]}, {"emails": [{"value": "b"}]}, [("emails", [{"value": "a"}], [{"value": "b"}])]),
        ({"emails": [{"value": "a"}]}, {}, [("emails", [{"value": "a"}], None)]),
        ({E: {"department": "C"}}, {E: {"department": "D"}}, [(f"{E}:department", "C", "D")]),
        ({}, {E: {"manager": {"value": "m"}}}, [(f"{E}:manager.value", None, "m")]),
        ({E: {"manager": {"value": "m"}, "division": "V"}}, {}, [(f"{E}:manager.value", "m", None), (f"{E}:division", "V", None)]),
    ],
)
def test_differences(old: dict[str, Any], new: dict[str, Any], expected: list[Any]) -> None:
    assert differences(USER_TYPE, old, new) == tuple(expected)


@settings(max_examples=100)
@given(users, users)
def test_differences_tell_the_whole_way_there_and_back(one: dict[str, Any], other: dict[str, Any]) -> None:
    old, new = (accept(USER_TYPE, each, lenient=True).document for each in (one, other))
    there, back = differences(USER_TYPE, old, new), differences(USER_TYPE, new, old)
    assert {(path, after, before) for path, before, after in map(_frozen, there)} == set(map(_frozen, back))
    assert (there == ()) is (old == new)
    targets = [USER_TYPE.resolve(path) for path, _, _ in there]
    assert [str(target) for target in targets] == [path for path, _, _ in there]


def _frozen(difference: tuple[str, Any, Any]) -> tuple[str, str, str]:
    path, old, new = difference
    return path, repr(old), repr(new)
