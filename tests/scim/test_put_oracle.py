"""PUT as properties: what it makes is what the body says, whatever was there; and agreement with scim2-models and with PATCH.

The one thing that what was there decides is ``active``, where the body says nothing of it; it is put in where the other side
knows nothing of that.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import Context, EnterpriseUser, User
from scim2_models.exceptions import SCIMException

from scim_server.scim.documents import Document
from scim_server.scim.errors import ScimError
from scim_server.scim.resources import accept
from scim_server.scim.schemas import ENTERPRISE_USER, USER, USER_TYPE
from tests.examples import examples
from tests.scim.bodies import users
from tests.scim.test_patch_oracle import DOCUMENTS, patched, settled, told_apart

E = ENTERPRISE_USER


def replaced(before: Document, body: dict[str, Any], *, lenient: bool = True) -> Document | None:
    try:
        return accept(USER_TYPE, body, lenient=lenient, current=before).document
    except ScimError:
        return None


@settings(max_examples=examples(200))
@given(users, users)
def test_what_was_there_decides_nothing_but_active(before: dict[str, Any], body: dict[str, Any]) -> None:
    there = accept(USER_TYPE, before, lenient=True).document
    said = body if "active" in body else {**body, "active": there.get("active")}
    assert (
        replaced(there, body) == replaced({"schemas": [USER], "userName": "other"}, said) == accept(USER_TYPE, said, lenient=True).document
    )


@settings(max_examples=examples(200))
@given(users, users)
def test_a_patch_of_everything_makes_the_same(before: dict[str, Any], body: dict[str, Any]) -> None:
    """Remove all that can be removed, then add what there is to be."""
    there, wanted = (accept(USER_TYPE, each, lenient=True).document for each in (before, {"active": None, **body}))
    removals = [{"op": "remove", "path": name} for name in there if name not in ("schemas", "userName")]
    additions = [{"op": "add", "path": name, "value": value} for name, value in wanted.items() if name != "schemas"]
    assert patched(there, [*removals, *additions], lenient=True) == replaced(there, {"active": None, **body}) == wanted
    whole = {"op": "add", "value": {name: value for name, value in wanted.items() if name != "schemas"}}
    assert patched(there, [*removals, whole], lenient=False) == wanted


def without_manager(body: dict[str, Any]) -> dict[str, Any]:
    """There a manager has to have a ``$ref``, which RFC 7643 §8.7.1 has as optional."""
    extension = {name: value for name, value in body.get(E, {}).items() if name != "manager"}
    return {name: value for name, value in body.items() if name != E} | ({E: extension} if extension else {})


def replaced_by_them(body: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return User[EnterpriseUser].model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST).model_dump()
    except (SCIMException, ValueError):
        return None


FAULTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {},
        {"title": None},
        {"roles": []},
        {"name": None},
        {"id": "forged", "meta": {"resourceType": "User"}, "groups": [{"value": "g"}]},
        {"userName": None},
        {"title": 5},
        {"active": "perhaps"},
        {"name": "Ada"},
        {"roles": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
        {"schemas": [E]},
    ]
)


@settings(max_examples=examples(300))
@given(DOCUMENTS, DOCUMENTS.map(without_manager), FAULTS, st.booleans())
def test_agrees_with_scim2_models(before: dict[str, Any], body: dict[str, Any], fault: dict[str, Any], lenient: bool) -> None:
    there = accept(USER_TYPE, {"schemas": [USER, E], **before}, lenient=True, current={}).document
    sent = {"schemas": [USER, E], **body, **fault}
    ours, theirs = replaced(there, sent, lenient=lenient), replaced_by_them(sent)
    if theirs is not None:
        theirs = told_apart({name: value for name, value in theirs.items() if name not in ("id", "meta", "groups")})
        if "active" not in sent and "active" in there:
            theirs["active"] = there["active"]
    assert (ours and settled(ours)) == (theirs and settled(theirs))
