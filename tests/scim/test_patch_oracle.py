"""PATCH as properties: what no sequence of operations may break, and agreement with scim2-models.

Both sides of the comparison are brought to one form first, since there an element is the same
only if all of it is the same (here: its type and value). Left out: bracketed keys in a value
without a path, and several elements made primary of which one is so already (both refused there
or here); and elements that become one here and are two there, of which one is primary.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scim2_models import Context, EnterpriseUser, ScimPolicy, User
from scim2_models import PatchOp as TheirPatchOp
from scim2_models.exceptions import SCIMException

from scim_server.scim.documents import Document, distinct, identity
from scim_server.scim.errors import ScimError
from scim_server.scim.messages import PATCH_OP
from scim_server.scim.patch import apply, parse, plan
from scim_server.scim.resources import accept
from scim_server.scim.schemas import ENTERPRISE_USER, USER, USER_SCHEMA, USER_TYPE
from tests.examples import examples
from tests.scim.bodies import WRITTEN, users, values

E = ENTERPRISE_USER


def message(operations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": operations}


def patched(document: Document, operations: list[dict[str, Any]], *, lenient: bool) -> Document | None:
    """The document after the operations, None if they are refused. Asserts that the old one is as it was."""
    untouched = copy.deepcopy(document)
    try:
        steps = plan(USER_TYPE, parse(message(operations)), lenient=lenient, schemas=document["schemas"]).document
        return apply(USER_TYPE, document, steps, lenient=lenient)
    except ScimError:
        return None
    finally:
        assert document == untouched


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """Any operation that the grammar of PATCH knows, on what users have; not all are possible."""
    attribute = draw(st.sampled_from([*WRITTEN, *USER_SCHEMA.attributes[:2]]))
    path, value = attribute.name, values(attribute)
    form = draw(st.sampled_from(["whole", "part", "element", "element part", "extension", "no path"]))
    if form == "extension":
        inner = draw(st.sampled_from(["department", "manager", "manager.value", ""]))
        path = f"{E}:{inner}" if inner else E
        value = st.sampled_from([None, "D", "", {"value": "m"}, {"department": "D", "manager": {"value": "m"}}])
    elif attribute.is_complex and form != "whole":
        sub = draw(st.sampled_from(attribute.sub_attributes))
        if attribute.multi_valued:
            path += draw(
                st.sampled_from(['[type eq "work"]', "[primary eq true]", '[value co "a"]', '[type eq "home" and value eq "ada"]', ""])
            )
            value = value if form == "element part" else value.map(lambda found: found[0] if found else {})
        if form != "element":
            path, value = f"{path}.{sub.name}", values(sub)
    op = draw(st.sampled_from(["add", "replace", "remove"]))
    if op == "remove":
        return {"op": op, "path": path}
    if form == "no path":
        return {"op": op, "value": {path: draw(value), "nickName": "N"}}
    return {"op": op, "path": path, "value": draw(value)}


@settings(max_examples=examples(300))
@given(users, st.lists(operations(), max_size=4), st.booleans())
def test_what_comes_out_is_canonical_and_what_goes_in_is_untouched(body: dict[str, Any], changes: list[Any], lenient: bool) -> None:
    document = accept(USER_TYPE, body, lenient=True).document
    after = patched(document, changes, lenient=lenient)
    if after is not None:
        assert accept(USER_TYPE, after, lenient=False, current=after).document == after
        assert sum(each.get("primary") is True for each in after.get("emails", [])) <= 1


@settings(max_examples=examples(150))
@given(users, st.booleans())
def test_saying_again_what_is_so_changes_nothing(body: dict[str, Any], lenient: bool) -> None:
    document = accept(USER_TYPE, body, lenient=True).document
    content = {name: value for name, value in document.items() if name != "schemas"}
    for op in ("add", "replace"):
        assert patched(document, [{"op": op, "value": content}], lenient=lenient) == document
        assert patched(document, [{"op": op, "path": name, "value": value} for name, value in content.items()], lenient=lenient) == document


@settings(max_examples=examples(150))
@given(users, operations().filter(lambda each: "[" not in str(each)))
def test_an_operation_without_a_filter_does_nothing_the_second_time(body: dict[str, Any], change: dict[str, Any]) -> None:
    once = patched(accept(USER_TYPE, body, lenient=True).document, [change], lenient=True)
    if once is not None:
        assert patched(once, [change], lenient=True) == once


WORDS = st.sampled_from(["a", "A", "b", "c"])
KINDS, LABELS = st.sampled_from(["work", "home"]), st.sampled_from(["x", "y"])
ELEMENT: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"value": WORDS, "type": KINDS}, optional={"display": LABELS, "primary": st.just(True)}
)
WHOLE = {"value": WORDS, "type": KINDS, "display": LABELS}
ELEMENTS: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    ELEMENT, min_size=1, max_size=2, unique_by=lambda each: (each["value"].lower(), each["type"])
).filter(lambda each: sum("primary" in one for one in each) < 2)
NAME = st.fixed_dictionaries({}, optional={"givenName": WORDS, "familyName": WORDS}).filter(bool)
ENTERPRISE = st.fixed_dictionaries({}, optional={"department": WORDS, "manager": st.fixed_dictionaries({"value": WORDS})}).filter(bool)
ONE = st.just('roles[type eq "home" and value eq "a"]')
SOME = st.sampled_from(['roles[type eq "work"]', 'roles[value eq "b"]', 'roles[not (type eq "work")]', 'roles[value sw "a"]'])
NOT_REMOVED = [f"{E}:manager.value"]  # required there, where RFC 7643 §8.7.1 has it optional
REFUSED = ["groups", "id", "meta", "nonsense", "name.nonsense", "roles.nonsense"]
NOTHING: st.SearchStrategy[Any] = st.none()
NO_ELEMENTS: st.SearchStrategy[Any] = st.sampled_from([None, []])
SIMPLE = ["title", "NickName", "externalId", "userName", "name.givenName", f"{E}:department", f"{E}:manager.value", f"{USER}:title"]
TARGETS: st.SearchStrategy[tuple[str, st.SearchStrategy[Any]]] = st.one_of(
    st.tuples(st.sampled_from(SIMPLE), st.just(WORDS)),
    st.tuples(st.sampled_from(["title", "userName", "name.familyName", "name", f"{E}:manager"]), st.just(NOTHING)),
    st.tuples(st.just("roles"), st.just(NO_ELEMENTS)),
    st.tuples(st.just("active"), st.just(st.booleans())),
    st.tuples(st.just("name"), st.just(NAME)),
    st.tuples(st.just("roles"), st.just(ELEMENTS)),
    st.tuples(st.just("roles"), st.just(ELEMENT)),
    st.tuples(SOME, st.just(st.fixed_dictionaries({**WHOLE, "primary": st.just(False)}))),
    st.tuples(ONE, st.just(st.fixed_dictionaries({**WHOLE, "primary": st.booleans()}))),
    st.tuples((ONE | SOME).map("{}.display".format), st.just(LABELS)),
    st.tuples(ONE.map("{}.primary".format), st.just(st.booleans())),
    st.tuples(st.just(f"{E}:manager"), st.just(st.fixed_dictionaries({"value": WORDS}))),
    st.tuples(st.just(E), st.just(ENTERPRISE)),
    st.tuples(st.sampled_from(REFUSED), st.just(WORDS)),
)


@st.composite
def common_operations(draw: st.DrawFn) -> dict[str, Any]:
    """Operations that RFC 7644 leaves one meaning."""
    path, value = draw(TARGETS)
    nothing = value is NOTHING or value is NO_ELEMENTS
    ops = ["replace"] if nothing else ["add", "replace"] if path in NOT_REMOVED else ["add", "replace", "remove"]
    op = draw(st.sampled_from(ops))
    if op == "remove":
        return {"op": op, "path": path}
    if draw(st.booleans()) and "[" not in path and path not in REFUSED and not nothing:
        return {"op": op, "value": {path: draw(value)}}
    return {"op": op, "path": path, "value": draw(value)}


DOCUMENTS = st.fixed_dictionaries(
    {"userName": WORDS}, optional={"title": WORDS, "active": st.booleans(), "name": NAME, "roles": ELEMENTS, E: ENTERPRISE}
)


def told_apart(document: dict[str, Any]) -> dict[str, Any]:
    """The document with each element once, as we tell them apart."""
    roles = USER_SCHEMA.attribute("roles")
    assert roles is not None
    elements = document.get("roles", [])
    preferred = {identity(roles, each) for each in elements if each.get("primary")}
    assume(all(each.get("primary") for each in elements if identity(roles, each) in preferred))
    return {**document, "roles": distinct(roles, elements)} if elements else document


def settled(document: dict[str, Any]) -> dict[str, Any]:
    """One form for both sides: what is not primary is not said, and the order of elements is no matter."""
    elements = [{k: each[k] for k in sorted(each) if (k, each[k]) != ("primary", False)} for each in document.get("roles", [])]
    rest = {name: value for name, value in document.items() if name not in ("schemas", "roles")}
    return {**rest, "roles": sorted(elements, key=lambda each: str(sorted(each.items())))}


def patched_by_them(document: dict[str, Any], changes: list[dict[str, Any]], *, lenient: bool) -> dict[str, Any] | None:
    """As ``patched``, by scim2-models. One operation after the other, so that none meets an element twice."""
    policy = ScimPolicy(unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create) if lenient else ScimPolicy()
    try:
        for change in changes:
            theirs: User[EnterpriseUser] = User[EnterpriseUser].model_validate(document)
            with policy:
                TheirPatchOp[User[EnterpriseUser]].model_validate(message([change]), scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(theirs)
            document = told_apart(theirs.model_dump())
    except (SCIMException, ValueError):
        return None
    return document


@settings(max_examples=examples(400))
@given(DOCUMENTS, st.lists(common_operations(), min_size=1, max_size=3), st.booleans())
def test_agrees_with_scim2_models(before: dict[str, Any], changes: list[dict[str, Any]], lenient: bool) -> None:
    body = {"schemas": [USER_SCHEMA.id, E], **before}
    ours = patched(accept(USER_TYPE, body, lenient=True, current={}).document, changes, lenient=lenient)
    theirs = patched_by_them(body, changes, lenient=lenient)
    assert (ours and settled(ours)) == (theirs and settled(theirs))
