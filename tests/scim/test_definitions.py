"""Definitions of schemas: what RFC 7643 §2 and §7 forbid is refused, and the place is named; the rest means what §2.2 says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.scim import discovery
from scim_server.scim.attributes import Attribute, Mutability, Returned, Type, Uniqueness
from scim_server.scim.definitions import MAX_ATTRIBUTES, MAX_FAULTS, InvalidDefinition, beside, load, stored
from scim_server.scim.schemas import (
    ENTERPRISE_USER,
    ENTERPRISE_USER_SCHEMA,
    GROUP,
    GROUP_SCHEMA,
    USER,
    USER_SCHEMA,
    Extension,
    Schema,
    Types,
)
from tests.scim import own_schemas
from tests.scim.own_schemas import URN

SUBS = [{"name": "value"}]


def definition(*attributes: Any, **members: Any) -> dict[str, Any]:
    return {"id": URN, "attributes": list(attributes) or [{"name": "badge"}], **members}


def faults(raw: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidDefinition) as refused:
        load(raw)
    assert str(refused.value) == "\n".join(refused.value.faults)
    return refused.value.faults


def complex_(*subs: Any, **members: Any) -> dict[str, Any]:
    return {"name": "desk", "type": "complex", "subAttributes": list(subs) or SUBS, **members}


@pytest.mark.requirement("S-7643-2.2-01")
def test_what_is_not_said_is_as_the_rfc_says() -> None:
    schema = load(definition({"name": "badge"}, {"name": "pin", "mutability": "writeOnly"}, {"name": "page", "type": "reference"}))
    badge, pin, page = schema.attributes
    assert (badge.type, badge.multi_valued, badge.required, badge.case_exact) == (Type.STRING, False, False, False)
    assert (badge.mutability, badge.returned, badge.uniqueness) == (Mutability.READ_WRITE, Returned.DEFAULT, Uniqueness.NONE)
    assert (badge.canonical_values, badge.reference_types, badge.sub_attributes, badge.description) == ((), (), (), "")
    assert pin.returned is Returned.NEVER
    assert page.case_exact
    assert (schema.id, schema.name, schema.description) == (URN, "User", "")


WRONG: list[tuple[Any, str]] = [
    (None, "The definition must be a JSON object."),
    ([], "The definition must be a JSON object."),
    ({}, "id must be the URN"),
    (definition(schemas=[USER]), "schemas must be"),
    (definition(mine=1), "'mine' is not known here"),
    (definition(ID=URN), "'ID' is there twice"),
    (definition(name=5), "name must be a string"),
    (definition(name="x" * 101), "name must be a string of at most 100"),
    (definition(description="\x1b[2J"), "description holds a control character"),
    ({"id": URN}, "attributes must be an array of at least one"),
    ({"id": URN, "attributes": []}, "attributes must be an array of at least one"),
    ({"id": URN, "attributes": {"name": "x"}}, "attributes must be an array"),
    (definition("badge"), "attributes[0] must be a JSON object."),
    (definition({}), "attributes[0].name must be a letter"),
    (definition({"name": "badge", "requird": True}), "attributes[0].'requird' is not known here"),
    (definition({"name": "a"}, {"name": "b", "type": "text"}), "attributes[1].type must be one of string, boolean, decimal"),
    (definition({"name": "a", "type": "String"}), "attributes[0].type must be one of string"),
    (definition({"name": "a", "type": ["string"]}), "attributes[0].type must be one of"),
    (definition({"name": "a", "multiValued": "true"}), "attributes[0].multiValued must be true or false"),
    (definition({"name": "a", "required": 1}), "attributes[0].required must be true or false"),
    (definition({"name": "a", "mutability": "readwrite"}), "attributes[0].mutability must be one of readOnly"),
    (definition({"name": "a", "returned": "sometimes"}), "attributes[0].returned must be one of"),
    (definition({"name": "a", "uniqueness": True}), "attributes[0].uniqueness must be one of"),
    (definition({"name": "a"}, {"name": "A"}), "attributes[1].name is that of attributes[0], too"),
    (definition(complex_({"name": "x"}, {"name": "y"}, {"name": "X"})), "attributes[0].subAttributes[2].name is that of"),
    # RFC 7643 §1.2, §2.3.8
    (definition({"name": "a", "subAttributes": SUBS}), "attributes[0].subAttributes cannot be there: an attribute of type string"),
    (definition({"name": "a", "type": "complex"}), "attributes[0].subAttributes must be an array of at least one"),
    (
        definition(complex_({"name": "b", "type": "complex", "subAttributes": SUBS})),
        "attributes[0].subAttributes[0].type cannot be complex",
    ),
    (definition(complex_({"name": "b", "subAttributes": SUBS})), "attributes[0].subAttributes[0].subAttributes cannot be there"),
    (definition(complex_({"name": "b", "type": "any"})), "attributes[0].subAttributes[0].type must be one of"),
    (definition(complex_(uniqueness="server")), "attributes[0].uniqueness must be none"),
    (definition(complex_(caseExact=True)), "attributes[0].caseExact cannot be true"),
    (definition({"name": "a", "type": "boolean", "uniqueness": "server"}), "attributes[0].uniqueness must be none"),
    (definition({"name": "a", "type": "binary", "uniqueness": "global"}), "attributes[0].uniqueness must be none"),
    # §2.4
    *(
        (definition(complex_({"name": name, "type": kind})), f"attributes[0].subAttributes[0].type must be {wanted}")
        for name, kind, wanted in (
            *(("type", "integer", "string"), ("primary", "string", "boolean")),
            *(("display", "boolean", "string"), ("$ref", "string", "reference")),
        )
    ),
    (definition(complex_({"name": "value", "multiValued": True})), "attributes[0].subAttributes[0].multiValued must be false"),
    (definition(complex_({"name": "Primary", "type": "boolean"})), "attributes[0].subAttributes[0].name must be spelled primary"),
    (definition(complex_({"name": "VALUE"})), "attributes[0].subAttributes[0].name must be spelled value"),
    # §7
    (definition({"name": "a", "referenceTypes": ["User"]}), "attributes[0].referenceTypes can be there on a reference only"),
    (definition({"name": "a", "type": "reference", "referenceTypes": ["Device"]}), "attributes[0].referenceTypes holds 'Device'"),
    (definition({"name": "a", "type": "reference", "referenceTypes": "User"}), "attributes[0].referenceTypes must be an array"),
    (definition({"name": "a", "canonicalValues": "x"}), "attributes[0].canonicalValues must be an array"),
    (definition({"name": "a", "canonicalValues": ["x", 1]}), "attributes[0].canonicalValues[1] must be a string"),
    (definition({"name": "a", "canonicalValues": ["x", "x"]}), "attributes[0].canonicalValues[1] is there already"),
    (definition({"name": "a", "type": "integer", "canonicalValues": ["1"]}), "attributes[0].canonicalValues cannot be there"),
    (definition({"name": "a", "mutability": "writeOnly", "returned": "default"}), "attributes[0].returned must be never"),
    *(
        (definition({"name": "a", "returned": "never", name: value}), f"attributes[0].{name}")
        for name, value in (("required", True), ("mutability", "immutable"), ("uniqueness", "server"))
    ),
    # §3.1
    *((definition({"name": name}), f"attributes[0].name cannot be {name}") for name in ("id", "externalId", "META", "schemas")),
]
NAMES = [
    *("1abc", "a b", "a.b", "", "ab\n", "a:b", "a/b", "a[0]", 'a"b', "a'b", "a\\b", "a`", "$", "$x", "$REF", "_proto_", "__proto__", "-a"),
    *("é", "\u212a", "ａ", "a\u200b", "a\x00", "x" * 101, "eq", "AND", "Not", "pr", "true", "null", "False", "or"),
]
URNS = [
    *("", "urn", "urn:", "urn:x", "urn:x:User", "urn:acme", "acme:User", "https://acme.example/User", " urn:acme:User", "urn:acme:User\n"),
    *(
        "urn:acme:a b:User",
        "urn:acme::User",
        "urn:acme:User:",
        'urn:acme:"x":User',
        "urn:acme:a'b:User",
        "urn:acme:a\\b:User",
        "urn:acme:a/b",
    ),
    *("urn:acme:a[1]:User", "urn:acme:é:User", "urn:acme:2.0", "urn:acme:1User", f"urn:acme:{'x' * 200}:User", "urn:acme:$x:User"),
    *("urn:ietf:params:scim:api:messages:2.0:PatchOp", "URN:IETF:params:scim:API:x:User", "urn:ietf:params:scim:schemas:core:2.0:Device"),
    *("urn:ietf:params:scim:event:User", USER, GROUP, ENTERPRISE_USER, ENTERPRISE_USER.upper(), f"{ENTERPRISE_USER}:x"),
    *("urn:ietf:params:scim:schemas:extension:enterprise:2.0", 5, None, [URN]),
]


@pytest.mark.requirement(
    *("S-7643-1.2-01", "S-7643-2.3-01", "S-7643-2.3.8-01", "S-7643-2.4-03", "S-7643-7-09", "S-7643-7-15", "S-7643-3.1-13")
)
@pytest.mark.parametrize(("raw", "fault"), WRONG, ids=[fault for _, fault in WRONG])
def test_what_is_wrong_is_named_with_its_place(raw: Any, fault: str) -> None:
    assert any(each.startswith(fault) for each in faults(raw)), faults(raw)


@pytest.mark.requirement("S-7643-2.1-03")
@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_none(name: str) -> None:
    for raw, place in (
        (definition({"name": name}), "attributes[0]"),
        (definition(complex_({"name": name})), "attributes[0].subAttributes[0]"),
    ):
        assert [each for each in faults(raw) if each.startswith(f"{place}.name ")], faults(raw)
        assert all(each.isprintable() for each in faults(raw))


@pytest.mark.requirement("S-7643-2.1-03", "S-7643-2.1-04")
def test_names_that_are_good() -> None:
    names = ["a", "a-b", "a_b", "a$b", "a1", "Z" * 100, "constructor", "toString", "notes", "equals"]
    schema = load(definition(*({"name": each} for each in names), complex_({"name": "$ref", "type": "reference"})))
    assert [each.name for each in schema.attributes] == [*names, "desk"]
    assert faults(definition({"name": "$ref", "type": "reference"}))[0].startswith("attributes[0].name cannot be $ref")


@pytest.mark.parametrize("urn", URNS)
def test_urns_that_are_none_or_not_a_tenants(urn: Any) -> None:
    assert faults(definition(id=urn))[0].startswith("id")


@pytest.mark.parametrize("urn", ["urn:acme:User", "urn:acme-corp:a.b_c-d:1.0:User", URN, URN.upper()])
def test_urns_that_are_good(urn: str) -> None:
    assert load(definition(id=urn)).id == urn


def test_urns_stand_beside_each_other_only_if_paths_tell_them_apart() -> None:
    for other in ("urn:acme:User:x", "urn:acme", "URN:ACME:USER"):
        with pytest.raises(InvalidDefinition, match=r"^id "):
            beside(load(definition(id="urn:acme:User")), ["urn:other:User", other])
    beside(load(definition(id="urn:acme:User")), ["urn:acme:Users", "urn:acme:Us", "urn:acme:Group"])


def test_limits() -> None:
    many = [{"name": f"a{n}"} for n in range(MAX_ATTRIBUTES)]
    assert len(load(definition(*many)).attributes) == MAX_ATTRIBUTES
    assert "Split the schema" in faults(definition(*many, {"name": "x"}))[0]
    assert "Split the schema" in faults(definition(*many[:-1], complex_()))[0]
    assert len(faults(definition(*({"name": "1", "type": n} for n in range(100))))) == MAX_FAULTS
    assert "Split the schema" in faults(definition(*({"name": f"a{n}"} for n in range(10_000))))[0]
    deep: Any = SUBS
    for _ in range(500):
        deep = [{"name": "x", "type": "complex", "subAttributes": deep}]
    assert faults(definition(*deep))[0].startswith("attributes[0].subAttributes[0].type cannot be complex")
    for member, value in (("description", "x" * 2001), ("canonicalValues", ["x"] * 201), ("canonicalValues", ["x" * 2001])):
        assert faults(definition({"name": "a", member: value}))[0].startswith(f"attributes[0].{member}")


def facts(attribute: Attribute) -> tuple[Any, ...]:
    return (
        *(attribute.name, attribute.type, attribute.multi_valued, attribute.required, attribute.case_exact, attribute.mutability),
        *(attribute.returned, attribute.uniqueness, attribute.description, attribute.canonical_values, attribute.reference_types),
        tuple(map(facts, attribute.sub_attributes)),
    )


def all_facts(schema: Schema) -> tuple[Any, ...]:
    return schema.id, schema.name, schema.description, tuple(map(facts, schema.attributes))


@pytest.mark.requirement("S-7643-7-13")
@settings(max_examples=200)
@given(own_schemas.definitions())
def test_what_is_published_of_a_definition_is_that_definition(raw: dict[str, Any]) -> None:
    schema = load(raw)
    published = discovery.schema(schema, "https://h/v2")
    assert all_facts(load(published)) == all_facts(stored(published)) == all_facts(schema)
    assert published["meta"] == {"resourceType": "Schema", "location": f"https://h/v2/Schemas/{schema.id}"}


@pytest.mark.requirement("S-7643-7-13")
@pytest.mark.parametrize("schema", [USER_SCHEMA, ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA], ids=lambda each: each.name)
def test_what_is_published_of_everybodys_schemas_is_a_definition(schema: Schema) -> None:
    """Under a URN of its own; ``password`` is the only one whose type is not looked at."""
    published = discovery.schema(schema, "")
    assert all_facts(load({**published, "id": URN}))[1:] == all_facts(schema)[1:]
    assert faults(published)[0].startswith("id ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["complex", "string", URN, "name"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "attributes", "name", "type", "subAttributes", "canonicalValues", "Name", "uniqueness", "x"]), inner
        )
    ),
    max_leaves=30,
)


@settings(max_examples=300)
@given(JSON, st.booleans())
def test_whatever_it_is_it_is_a_schema_or_refused(raw: Any, within: bool) -> None:
    wrong: tuple[str, ...] = ()
    try:
        schema = load({"id": URN, "attributes": [raw]} if within else raw)
    except InvalidDefinition as refused:
        wrong = refused.faults
    else:
        assert all_facts(load(discovery.schema(schema, ""))) == all_facts(schema)
        return
    assert 0 < len(wrong) <= MAX_FAULTS
    assert all(len(each) < 600 for each in wrong)


def test_types_are_extended_by_kind() -> None:
    schema = load(definition())
    types = Types.extended([Extension("Group", schema, True)])
    assert types.user.extensions == (ENTERPRISE_USER_SCHEMA,)
    assert types.group.extensions == (schema,)
    assert types.group.required == {URN}
    target = types.group.resolve(f"{URN.upper()}:BADGE")
    assert target is not None
    assert (target.extension, target.attribute) == (URN, schema.attributes[0])
    for notation in (URN + ":", URN + ":x", URN + "x:badge", URN + ":badge.x", URN[:-1], "badge", f"{URN}:badge:badge"):
        assert types.group.resolve(notation) is None
