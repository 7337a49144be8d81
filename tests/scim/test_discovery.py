"""What is published is what is enforced."""

from __future__ import annotations

from typing import Any

import pytest
from scim2_models import ResourceType as PublishedType
from scim2_models import Schema as PublishedSchema
from scim2_models import ServiceProviderConfig

from scim_server.scim.attributes import Attribute, Mutability, Returned, Type, Uniqueness
from scim_server.scim.discovery import resource_type, schema, service_provider_config
from scim_server.scim.schemas import (
    ENTERPRISE_USER_SCHEMA,
    GROUP_SCHEMA,
    GROUP_TYPE,
    RESOURCE_TYPES,
    USER_SCHEMA,
    USER_TYPE,
    ResourceType,
    Schema,
)

BASE = "https://scim.example/scim/v2"
SCHEMAS = [USER_SCHEMA, ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA]


def loaded(published: dict[str, Any]) -> Attribute:
    """The attribute that a client makes of what is published: with RFC 7643 §2.2's defaults for what is not said."""
    return Attribute(
        published["name"],
        Type(published.get("type", "string")),
        published.get("multiValued", False),
        published.get("required", False),
        published.get("caseExact", False),
        Mutability(published.get("mutability", "readWrite")),
        Returned(published.get("returned", "default")),
        Uniqueness(published.get("uniqueness", "none")),
        published.get("description", ""),
        tuple(published.get("canonicalValues", ())),
        tuple(published.get("referenceTypes", ())),
        tuple(map(loaded, published.get("subAttributes", ()))),
    )


def facts(attribute: Attribute) -> tuple[Any, ...]:
    """All that an attribute says, comparable."""
    return (
        attribute.name, attribute.type, attribute.multi_valued, attribute.required, attribute.case_exact, attribute.mutability,
        attribute.returned, attribute.uniqueness, attribute.description, attribute.canonical_values, attribute.reference_types,
        tuple(map(facts, attribute.sub_attributes)),
    )  # fmt: skip


@pytest.mark.parametrize("each", SCHEMAS, ids=lambda each: each.name)
def test_a_published_schema_loads_back_to_the_same_model(each: Schema) -> None:
    published = schema(each, BASE)
    assert tuple(facts(loaded(attribute)) for attribute in published["attributes"]) == tuple(map(facts, each.attributes))
    assert (published["id"], published["name"], published["description"]) == (each.id, each.name, each.description)
    assert published["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:Schema"]
    assert published["meta"] == {"resourceType": "Schema", "location": f"{BASE}/Schemas/{each.id}"}


@pytest.mark.parametrize("each", SCHEMAS, ids=lambda each: each.name)
def test_a_published_schema_says_nothing_that_has_no_meaning(each: Schema) -> None:
    stack = list(schema(each, BASE)["attributes"])
    while stack:
        attribute = stack.pop()
        assert {"name", "type", "multiValued", "description", "required", "mutability", "returned"} <= attribute.keys()
        assert attribute["description"]
        cased = attribute["type"] in ("string", "reference", "binary")
        assert ("caseExact" in attribute) is cased
        assert ("uniqueness" in attribute) is (attribute["type"] in ("string", "reference"))
        assert ("referenceTypes" in attribute) is (attribute["type"] == "reference")
        assert ("subAttributes" in attribute) is (attribute["type"] == "complex")
        assert not any(value in (None, []) for value in attribute.values())
        stack += attribute.get("subAttributes", [])


def test_resource_types() -> None:
    assert resource_type(USER_TYPE, BASE) == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "description": USER_TYPE.description,
        "endpoint": "/Users",
        "schema": USER_SCHEMA.id,
        "schemaExtensions": [{"schema": ENTERPRISE_USER_SCHEMA.id, "required": False}],
        "meta": {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/User"},
    }
    assert "schemaExtensions" not in resource_type(GROUP_TYPE, BASE)


def test_the_service_provider_config_says_the_truth() -> None:
    config = service_provider_config(BASE, 200, 5000)
    features = {name: value["supported"] for name, value in config.items() if isinstance(value, dict) and "supported" in value}
    assert features == {"patch": True, "bulk": True, "filter": True, "changePassword": False, "sort": True, "etag": True}
    assert config["filter"]["maxResults"] == 200
    assert config["bulk"] == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 5000}
    schemes = {each["type"]: each for each in config["authenticationSchemes"]}
    assert list(schemes) == ["oauthbearertoken", "oauth2"]
    assert [kind for kind, each in schemes.items() if each["primary"]] == ["oauthbearertoken"]
    assert all({"name", "description", "specUri"} <= each.keys() for each in schemes.values())


def test_an_independent_reader_understands_all_of_it() -> None:
    for each in SCHEMAS:
        assert PublishedSchema.model_validate(schema(each, BASE)).id == each.id
    for kind in RESOURCE_TYPES:
        assert PublishedType.model_validate(resource_type(kind, BASE)).endpoint == kind.endpoint
    assert ServiceProviderConfig.model_validate(service_provider_config(BASE, 200, 5000)).patch is not None


def test_an_attribute_may_say_what_its_type_usually_does_not() -> None:
    odd = Attribute("odd", Type.INTEGER, case_exact=True, uniqueness=Uniqueness.GLOBAL, required=True)
    kind = ResourceType("Odd", "/Odds", "", Schema("urn:x:Odd", "Odd", "", (odd,)))
    (published,) = schema(kind.schema, BASE)["attributes"]
    assert facts(loaded(published)) == facts(odd)
