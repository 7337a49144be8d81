"""Bodies as clients send them, grown from the schemas; for the properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from scim_server.scim.attributes import Attribute, Mutability, Type
from scim_server.scim.schemas import COMMON, ENTERPRISE_USER_SCHEMA, USER_SCHEMA, USER_TYPE, Schema

text = st.sampled_from(["work", "home", "WORK", "Ada", "ada", "straße", "STRASSE", "a@example.com", "Zoë", "Zoe\u0308", "x y", ""])
countries = st.sampled_from(["DE", "us"])
certificates = st.sampled_from(["MAA=", "MAA", "MAMCAQE="])
"""As far as is looked: a sequence in DER, and nothing behind it."""
uris = st.sampled_from(["https://example.com/a", "../Users/1", "urn:a:b"])
simple: dict[Type, st.SearchStrategy[Any]] = {
    Type.STRING: text,
    Type.BOOLEAN: st.booleans(),
    Type.INTEGER: st.integers(-5, 5),
    Type.DECIMAL: st.floats(-5, 5),
    Type.DATETIME: st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31T13:00:00.5+01:00"]),
    Type.BINARY: st.sampled_from(["YQ", "YQ==", "YWI="]),
    Type.REFERENCE: uris,
}


def values(attribute: Attribute) -> st.SearchStrategy[Any]:
    """JSON values that fit the attribute, null and empty ones among them."""
    one = objects(attribute) if attribute.is_complex else PARTICULAR[attribute] if attribute in PARTICULAR else simple[attribute.type]
    if not attribute.multi_valued:
        return st.none() | one
    return st.none() | st.lists(one | st.none(), max_size=3).map(_one_primary)


def objects(holder: Attribute | Schema) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of what the attribute or the schema holds."""
    inner = holder.attributes if isinstance(holder, Schema) else holder.sub_attributes
    return st.fixed_dictionaries({}, optional={each.name: values(each) for each in inner})


def _one_primary(elements: list[Any]) -> list[Any]:
    seen = False
    result = []
    for each in elements:
        if isinstance(each, dict) and each.get("primary"):
            each = {**each, "primary": False} if seen else each
            seen = True
        result.append(each)
    return result


PARTICULAR: dict[Attribute, st.SearchStrategy[str]] = {
    target.leaf: texts
    for name, texts in (("addresses.country", countries), ("x509Certificates.value", certificates))
    if (target := USER_TYPE.resolve(name))
}
"""What more is asked of than a type."""

WRITTEN = [each for each in USER_SCHEMA.attributes if each.mutability is not Mutability.READ_ONLY and each.name != "userName"]

users: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"schemas": st.just([USER_SCHEMA.id, ENTERPRISE_USER_SCHEMA.id]), "userName": st.sampled_from(["ada", "Zoë"])},
    optional={
        **{each.name: values(each) for each in WRITTEN},
        "externalId": values(COMMON.attributes[2]),
        ENTERPRISE_USER_SCHEMA.id: st.none() | objects(ENTERPRISE_USER_SCHEMA),
        "id": st.just("mine"),
        "meta": st.just({"version": "mine"}),
        "groups": st.just([{"value": "mine"}]),
        "unheardOf": st.just({"of": None}),
    },
)
"""Valid bodies of users, with what is to be ignored in them."""
