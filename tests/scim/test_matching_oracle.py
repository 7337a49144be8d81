"""What filters find, against scim2-models, where both read RFC 7644 alike.

Left out: ``ne`` and null on several values (there, ``ne`` means that none is equal), and elements
without ``primary`` (there, it has no value then).
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, ScimFilter, User

from scim_server.scim.filters import Compare, Filter, Present, ValuePath
from scim_server.scim.matching import bind, matches
from scim_server.scim.schemas import ENTERPRISE_USER, USER, USER_TYPE
from tests.scim.trees import grown

OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")
WORDS = st.sampled_from(["a", "A", "ab", "B", "ba", "c"])
TEXT_LITERALS = st.tuples(st.sampled_from(OPERATORS), WORDS)
SINGLE = st.sampled_from(["userName", "USERNAME", "externalId", "name.familyName", "displayName", f"{ENTERPRISE_USER}:department"])
SEVERAL = st.sampled_from(["roles", "roles.value", "roles.type", "entitlements.value"])
INSIDE = st.one_of(
    st.builds(lambda path, it: Compare(path, *it), st.sampled_from(["value", "type", "display"]), TEXT_LITERALS),
    st.builds(Compare, st.just("primary"), st.sampled_from(["eq", "ne"]), st.booleans()),
    st.builds(Present, st.sampled_from(["value", "type", "display"])),
)
LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(lambda path, it: Compare(path, *it), SINGLE, TEXT_LITERALS),
    st.builds(lambda path, it: Compare(path, *it), SEVERAL, TEXT_LITERALS.filter(lambda it: it[0] != "ne")),
    st.builds(Compare, SINGLE, st.sampled_from(["eq", "ne"]), st.none()),
    st.builds(Compare, st.just("active"), st.sampled_from(["eq", "ne"]), st.booleans()),
    st.builds(Present, st.one_of(SINGLE, SEVERAL, st.just("name"), st.just("active"))),
)


TREES = st.recursive(
    st.one_of(LEAVES, st.builds(ValuePath, st.sampled_from(["roles", "entitlements"]), st.recursive(INSIDE, grown, max_leaves=4))),
    grown,
    max_leaves=6,
)
ELEMENTS = st.lists(
    st.fixed_dictionaries({"primary": st.just(False)}, optional={"value": WORDS, "type": WORDS, "display": WORDS}), min_size=1, max_size=3
)
USERS = st.fixed_dictionaries(
    {"userName": WORDS},
    optional={
        "externalId": WORDS,
        "displayName": WORDS,
        "active": st.booleans(),
        "name": st.fixed_dictionaries({"familyName": WORDS}),
        "roles": ELEMENTS,
        "entitlements": ELEMENTS,
        ENTERPRISE_USER: st.fixed_dictionaries({"department": WORDS}),
    },
)


@settings(max_examples=200)
@given(tree=TREES, user=USERS)
def test_agrees_with_scim2_models(tree: Filter, user: dict[str, Any]) -> None:
    theirs = User[EnterpriseUser].model_validate({"schemas": [USER, ENTERPRISE_USER], **user})
    expected = ScimFilter[User[EnterpriseUser]](str(tree)).match(theirs)
    assert matches(bind(tree, USER_TYPE), user) is expected
