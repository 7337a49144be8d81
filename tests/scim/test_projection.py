"""attributes and excludedAttributes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from scim_server.scim.attributes import Attribute, Returned, Type
from scim_server.scim.errors import InvalidValue
from scim_server.scim.projection import EVERYTHING, Projection
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP_TYPE, USER, USER_TYPE, ResourceType, Schema

E = ENTERPRISE_USER
WHOLE: dict[str, Any] = {
    "schemas": [USER, E],
    "id": "1",
    "userName": "ada",
    "name": {"givenName": "Ada", "familyName": "L"},
    "emails": [{"value": "a@x", "type": "work"}, {"value": "b@x"}],
    E: {"department": "D", "manager": {"value": "m", "displayName": "M"}},
    "groups": [{"value": "g"}],
    "meta": {"resourceType": "User", "version": 'W/"1"'},
}
LEAST = {"schemas": [USER, E], "id": "1"}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names}


@pytest.mark.parametrize(
    ("attributes", "excluded", "expected"),
    [
        (None, None, WHOLE),
        ("", "", WHOLE),
        (" , ", None, WHOLE),
        # only these
        ("userName", None, {**LEAST, "userName": "ada"}),
        ("USERNAME , Name.GivenName", None, {**LEAST, "userName": "ada", "name": {"givenName": "Ada"}}),
        ("name,name.givenName", None, {**LEAST, "name": WHOLE["name"]}),
        ("name.givenName,name", None, {**LEAST, "name": WHOLE["name"]}),
        ("name.givenName,name.familyName", None, {**LEAST, "name": WHOLE["name"]}),
        ("emails.type", None, {**LEAST, "emails": [{"type": "work"}]}),
        ("emails.display", None, LEAST),
        ("meta", None, {**LEAST, "meta": WHOLE["meta"]}),
        ("meta.version", None, {**LEAST, "meta": {"version": 'W/"1"'}}),
        ("id", None, LEAST),
        (f"{USER}:userName", None, {**LEAST, "userName": "ada"}),
        (f"{E}:department", None, {**LEAST, E: {"department": "D"}}),
        (f"{E}:manager.value", None, {**LEAST, E: {"manager": {"value": "m"}}}),
        (f"{E}:division", None, LEAST),
        (E, None, {**LEAST, E: WHOLE[E]}),
        (f"{E.upper()},{E}:department", None, {**LEAST, E: WHOLE[E]}),
        ("nonsense", None, LEAST),
        ("nonsense,department,urn:x:y,name.x", None, LEAST),
        ("password,userName", None, {**LEAST, "userName": "ada"}),
        ("externalId", None, LEAST),
        # all but these
        (None, "emails", without("emails")),
        (None, "EMAILS, groups", without("emails", "groups")),
        (None, "id,schemas,userName", without("userName")),
        (None, "name.givenName", {**WHOLE, "name": {"familyName": "L"}}),
        (None, "name.givenName,name.familyName", without("name")),
        (None, "name.givenName,name", without("name")),
        (None, "emails.value", {**WHOLE, "emails": [{"type": "work"}]}),
        (None, "meta.version", {**WHOLE, "meta": {"resourceType": "User"}}),
        (None, f"{E}:department", {**WHOLE, E: {"manager": WHOLE[E]["manager"]}}),
        (None, f"{E}:department,{E}:manager", without(E)),
        (None, f"{E}:manager.displayName", {**WHOLE, E: {"department": "D", "manager": {"value": "m"}}}),
        (None, E, without(E)),
        (None, "nonsense", WHOLE),
    ],
)
def test_what_is_shown(attributes: str | None, excluded: str | None, expected: dict[str, Any]) -> None:
    representation = copy.deepcopy(WHOLE)
    assert Projection.parse(USER_TYPE, attributes, excluded).apply(representation) == expected
    assert representation == WHOLE


@pytest.mark.parametrize(
    ("attributes", "excluded"),
    [("userName", "emails"), ("userName", "userName"), ('emails[type eq "work"]', None), (None, "emails[0]")],
)
def test_refusals(attributes: str | None, excluded: str | None) -> None:
    with pytest.raises(InvalidValue):
        Projection.parse(USER_TYPE, attributes, excluded)


@pytest.mark.parametrize(
    ("attributes", "excluded", "wanted"),
    [
        (None, None, True),
        ("displayName", None, False),
        ("members", None, True),
        ("MEMBERS.value", None, True),
        ("urn:ietf:params:scim:schemas:core:2.0:Group:members", None, True),
        ("nonsense", None, False),
        (None, "members", False),
        (None, "Members", False),
        (None, "members.display", True),
        (None, "displayName", True),
    ],
)
def test_whether_members_are_wanted_at_all(attributes: str | None, excluded: str | None, wanted: bool) -> None:
    assert Projection.parse(GROUP_TYPE, attributes, excluded).wants("members") is wanted


def test_nothing_asked_for_costs_nothing() -> None:
    assert Projection.parse(USER_TYPE, None, None) is EVERYTHING
    assert EVERYTHING.apply(WHOLE) is WHOLE


def test_returned_always_and_on_request() -> None:
    always, request = Attribute("seal", returned=Returned.ALWAYS), Attribute("photo", returned=Returned.REQUEST)
    kind = Attribute("kind", returned=Returned.ALWAYS)
    part = Attribute("parts", Type.COMPLEX, multi_valued=True, sub_attributes=(kind, Attribute("value")))
    thing = ResourceType("Thing", "/Things", "", Schema("urn:x:Thing", "Thing", "", (always, request, part, Attribute("label"))))
    least = {"schemas": ["urn:x:Thing"], "id": "1", "seal": "S"}
    rest = {"photo": "P", "parts": [{"kind": "K", "value": "V"}], "label": "L"}
    for attributes, excluded, expected in (
        (None, None, {"parts": rest["parts"], "label": "L"}),
        ("photo", None, {"photo": "P"}),
        ("parts.value", None, {"parts": rest["parts"]}),
        ("label", None, {"label": "L"}),
        (None, "seal,label,parts.kind", {"parts": rest["parts"]}),
    ):
        assert Projection.parse(thing, attributes, excluded).apply({**least, **rest}) == {**least, **expected}
