"""What holds for every request: a strict one passes unchanged, twice is once, and nothing is raised or changed in place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server import entra
from scim_server.entra import FILTER, OBJECT, OPERATION, RESOURCE, normalise
from scim_server.scim.attributes import Attribute, Mutability, Type
from scim_server.scim.filters import And, Compare, Filter, Not, Or, Present, ValuePath
from scim_server.scim.messages import PATCH_OP
from scim_server.scim.schemas import ENTERPRISE_USER, ENTERPRISE_USER_SCHEMA, RESOURCE_TYPES, USER, USER_TYPE, ResourceType, Schema

BY_NAME = {each.name: each for each in RESOURCE_TYPES}
TYPES = st.sampled_from(sorted(BY_NAME))
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])

# Any JSON, with a liking for the words and shapes that some rewrite waits for.
NAMES = st.sampled_from([
    "active", "ACTIVE", "title", "name", "name.familyName", "emails", "roles", "members", "manager", "manager.value", "userName", "schemas",
    "meta", "value", "Value", "op", "Op", "path", "PATH", "Operations", "operations", "primary", "display", "displayName", "$ref", "type",
    "id", "externalId", "department", "employeeNumber", ENTERPRISE_USER, ENTERPRISE_USER.upper(), f"{ENTERPRISE_USER}:manager",
    f"{ENTERPRISE_USER}:department", 'roles[primary eq "True"].value', "roles[primary eq true].value", 'emails[type eq "work"]',
    'members[value eq "x"]', 'emails[type eq "work"].primary',
])  # fmt: skip
ROLE = json.dumps({"value": "Planner", "displayName": "P", "primary": "True"})
WORDS = st.sampled_from([
    "", "True", "false", "FALSE", "5", "x", "add", "Add", "REPLACE", "remove", "True ", '"', "{", ROLE, json.dumps({"value": ROLE}),
    '{"value": 1}', USER, ENTERPRISE_USER,
])  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), WORDS, NAMES, st.text(max_size=4))
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4), max_leaves=20
)
OPERATIONS = st.dictionaries(
    st.sampled_from(["op", "path", "value", "Op", "PATH", "Value", "name"]), JSON, max_size=4
) | st.fixed_dictionaries({"op": st.sampled_from(["Add", "replace", "Remove", "REPLACE"]), "value": JSON}, optional={"path": NAMES})
MESSAGES = st.builds(
    lambda key, operations: {"schemas": [PATCH_OP], key: operations},
    st.sampled_from(["Operations", "operations"]),
    st.lists(OPERATIONS, max_size=3),
)
BODIES = st.one_of(JSON, MESSAGES, st.dictionaries(NAMES, JSON, max_size=6))
TOKENS = st.sampled_from([
    "userName", "active", "manager", "name", "emails", "emails[type", "roles[primary", "eq", "ne", "pr", "and", "or", "not", "(", ")", "]",
    "].value", '"True"', '"x"', '"', "x", "true", "12", '"a\\"b"', '"a\\', "jyoung", "'x'", f"{ENTERPRISE_USER}:manager", "externalId eq",
    'displayName eq "',
])  # fmt: skip
FILTER_TEXTS = st.lists(TOKENS, max_size=8).map(" ".join)


@settings(max_examples=300)
@given(TYPES, METHODS, FILTER_TEXTS | st.text(max_size=12), BODIES)
def test_twice_is_once_and_the_input_stays(name: str, method: str, text: str, body: Any) -> None:
    query = {"filter": text}
    before = copy.deepcopy((query, body))
    resource_type = BY_NAME[name]
    once = normalise(resource_type, method, query, body)
    assert (query, body) == before
    assert normalise(resource_type, method, *once) == once


def _values(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Strict values of an attribute. No empty text: see the docstring of ``entra``. No JSON as text in a role."""
    text = st.sampled_from(["true", "False", "5", "x", "a,b", "Inés", '"q"', "manager"]) | st.text(min_size=1, max_size=5).filter(
        lambda s: s[0] != "{"
    )
    simple = {
        Type.BOOLEAN: st.booleans(),
        Type.INTEGER: st.integers(),
        Type.BINARY: st.just("TWF4"),
        Type.REFERENCE: st.just("https://birkholm.example/ines.jpg"),
        Type.DATETIME: st.just("2026-11-20T08:00:00Z"),
    }
    if not attribute.is_complex:
        one = simple.get(attribute.type, text)
    else:
        one = st.fixed_dictionaries({}, optional={sub.name: _values(sub) for sub in attribute.sub_attributes}).filter(bool)
    return st.lists(one, max_size=3) if attribute.multi_valued else one


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    writable = [each for each in schema.attributes if each.mutability is Mutability.READ_WRITE]
    return st.fixed_dictionaries({}, optional={each.name: _values(each) for each in writable}).filter(bool)


def strict_bodies(resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
    def whole(core: dict[str, Any], extension: dict[str, Any] | None) -> dict[str, Any]:
        if extension is None or not resource_type.extensions:
            return {"schemas": [resource_type.schema.id], **core}
        return {"schemas": [resource_type.schema.id, ENTERPRISE_USER], **core, ENTERPRISE_USER: extension}

    return st.builds(whole, _objects(resource_type.schema), st.none() | _objects(ENTERPRISE_USER_SCHEMA))


def strict_messages(resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
    placed = [("", each) for each in resource_type.schema.attributes] + [
        (f"{schema.id}:", each) for schema in resource_type.extensions for each in schema.attributes
    ]
    targets: list[tuple[str, Attribute]] = [(prefix + each.name, each) for prefix, each in placed]
    targets += [(f"{prefix}{each.name}.{sub.name}", sub) for prefix, each in placed if not each.multi_valued for sub in each.sub_attributes]
    targets += [
        (f'{each.name}[type eq "true" and primary eq true].{sub.name}', sub)
        for _, each in placed
        if each.sub("primary")
        for sub in each.sub_attributes
    ]
    assignments = st.sampled_from(targets).flatmap(lambda target: st.tuples(st.just(target[0]), _values(target[1])))
    ops = st.sampled_from(["add", "replace"])
    one = st.one_of(
        st.builds(lambda op, to: {"op": op, "path": to[0], "value": to[1]}, ops, assignments),
        st.builds(lambda op, to: {"op": op, "value": dict(to)}, ops, st.lists(assignments, max_size=4)),
        st.builds(lambda to: {"op": "remove", "path": to[0]}, assignments),
        st.builds(lambda op, body: {"op": op, "value": body}, ops, strict_bodies(resource_type)),
    )
    return st.lists(one, min_size=1, max_size=3).map(lambda operations: {"schemas": [PATCH_OP], "Operations": operations})


@settings(max_examples=100)
@given(st.data(), TYPES, st.sampled_from(["POST", "PUT", "PATCH"]))
def test_a_strict_body_passes_unchanged(data: st.DataObject, name: str, method: str) -> None:
    resource_type = BY_NAME[name]
    body = data.draw((strict_messages if method == "PATCH" else strict_bodies)(resource_type))
    assert normalise(resource_type, method, {}, body) == ({}, body)


TEXTS = st.sampled_from(["true", "False", "manager", 'a "b" c', "DOM\\x", 'x" and active eq "true', "]", '[primary eq "True"]']) | st.text(
    max_size=5
)
NOTATIONS = st.sampled_from(["userName", "displayName", "name.familyName", "meta.created", f"{ENTERPRISE_USER}:manager.value"])
TERMS: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Compare, NOTATIONS, st.sampled_from(["eq", "ne", "co"]), TEXTS),
    st.builds(Compare, st.sampled_from(["active", "emails.primary"]), st.just("eq"), st.booleans()),
    st.builds(Present, st.sampled_from(["title", f"{ENTERPRISE_USER}:manager", "emails"])),
    TEXTS.map(lambda text: ValuePath("emails", And((Compare("type", "eq", text), Compare("primary", "eq", True))))),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms))),
        inner.map(Not),
    ),
    max_leaves=4,
)


@settings(max_examples=150)
@given(FILTERS)
def test_a_strict_filter_passes_unchanged(strict: Filter) -> None:
    query = {"filter": str(strict), "excludedAttributes": "members"}
    assert normalise(USER_TYPE, "GET", query, None) == (query, None)


@pytest.mark.parametrize(
    "body",
    [
        json.loads("[" * 900 + "]" * 900),
        {"schemas": [PATCH_OP], "Operations": [{"op": "Add", "path": "roles", "value": [{"value": '{"value":' * 50_000}]}]},
        {"schemas": [PATCH_OP], "Operations": [{"op": "Add", "value": {"name": json.loads('{"a":' * 900 + "1" + "}" * 900)}}]},
        {"schemas": [PATCH_OP], "Operations": [{"op": "Replace", "path": 'roles[primary eq "True' * 20_000, "value": ""}]},
        {"active": "True" * 100_000, "schemas": ["urn:" * 100_000]},
    ],
)
def test_what_is_deep_or_long_does_no_harm(body: Any) -> None:
    for method in ("POST", "PATCH"):
        once = normalise(USER_TYPE, method, {"filter": 'manager eq "' + "(" * 100_000}, body)
        assert normalise(USER_TYPE, method, *once) == once


VALUE = [entra.lone_element, entra.typed_text, entra.object_from_text, entra.no_reference]
REWRITES: list[Callable[..., Any]] = [*FILTER, *RESOURCE, *OPERATION, *VALUE, *OBJECT, entra.message_member, entra.without_empty_values]


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.__name__)
def test_every_rewrite_shows_the_bad_request_and_the_good_one(rewrite: Callable[..., Any]) -> None:
    assert "->" in (rewrite.__doc__ or "")
