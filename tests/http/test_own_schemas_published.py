"""What is published of a tenant's own schema is what is enforced: a client that knows nothing else makes resources by it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from scim_server.provisioning import schemas
from scim_server.scim.definitions import load
from scim_server.scim.schemas import Extension
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from tests.http.conftest import GROUP, USER, Scim, new_client
from tests.scim import own_schemas
from tests.tenants import OPERATOR, fresh_scope

PLACES = {"User": ("/Users", {"schemas": [USER], "userName": "ada"}), "Group": ("/Groups", {"schemas": [GROUP], "displayName": "ada"})}


def exact(answer: Any) -> Any:
    return json.loads(answer.get_data(as_text=True), parse_float=Decimal)


@pytest.mark.requirement("S-7643-7-17", "S-7643-7-14", "S-7643-6-01", "S-7643-3.3-02", "S-7643-3.3-03")
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_resources_made_by_what_is_published_are_kept_and_found(
    app: Flask, registry: Registry, engine: Engine, store: Store, data: st.DataObject
) -> None:
    scope = fresh_scope(engine)
    registry.tenants.change(scope.tenant_id, OPERATOR, profile=data.draw(st.sampled_from(["entra", "okta", "rfc"])))
    kind = data.draw(st.sampled_from(["User", "Group"]))
    extension = Extension(kind, load(data.draw(own_schemas.definitions())), data.draw(st.booleans()))
    store.transact(scope, lambda unit: schemas.add(unit, extension, accept_missing=False))
    scim = new_client(app, registry, scope.tenant_id)
    published = scim.get(f"/Schemas/{own_schemas.URN}").get_json(force=True)
    endpoint, base = PLACES[kind]
    for _ in range(2):  # the second one has the same values: what is unique stops it, and nothing else does
        value = data.draw(own_schemas.values(published))
        listed = {"schemas": [*base["schemas"], published["id"]]} if data.draw(st.booleans()) else {}
        body = own_schemas.text({**base, **listed, published["id"]: value})
        expected = own_schemas.shown(published, value)
        made = scim.request("POST", endpoint, body.encode())
        if made.status_code != 201:
            assert refused_rightly(published, made, value, extension.required), (body, made.get_data(as_text=True))
            continue
        asked_for = ",".join([published["id"], *(name for name, *_ in own_schemas.notations(published)), *whole(published)])
        resource_id = exact(made)["id"]
        got = exact(scim.get(f"{endpoint}/{resource_id}", attributes=asked_for))
        assert same(got.get(published["id"], {}), expected), (got, expected)
        assert (published["id"] in got["schemas"]) is bool(expected)
        find_each_leaf(scim, endpoint, resource_id, published, expected)
        scim.delete(f"{endpoint}/{resource_id}")


def whole(published: own_schemas.JSON) -> list[str]:
    return [f"{published['id']}:{each['name']}" for each in published["attributes"]]


def refused_rightly(published: own_schemas.JSON, answer: Any, value: own_schemas.JSON, required: bool) -> bool:
    """Nothing was sent of what has to be there; or an element of what may be left out lacks what it must have."""
    told = exact(answer)
    return told["scimType"] == "invalidValue" and "required" in told["detail"] and (required or bool(value))


def same(one: Any, other: Any) -> bool:
    """Equal, down to the digits; the order of elements is no matter."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(any(same(a, b) for b in other) for a in one)
    return (type(one) is type(other) and bool(one == other)) or (
        isinstance(one, int | Decimal) and isinstance(other, Decimal) and one == other
    )


def find_each_leaf(scim: Scim, endpoint: str, resource_id: str, published: own_schemas.JSON, value: own_schemas.JSON) -> None:
    for notation, attribute, sub in own_schemas.notations(published):
        hidden = "never" in (attribute["returned"], (sub or {}).get("returned"))
        for each in own_schemas.found_at(value, attribute, sub) or ([None] if hidden else []):
            literal = "null" if each is None else own_schemas.text(each)
            for filter in (f"{notation} eq {literal}", f"{notation.upper() if sub else notation} pr", f"not ({notation} ne {literal})"):
                if filter.startswith("not") and (attribute["multiValued"] or (sub or {}).get("multiValued")):
                    continue
                answer = scim.get(endpoint, filter=filter)
                if hidden:
                    assert exact(answer)["scimType"] == "invalidFilter", filter
                    continue
                assert answer.status_code == 200, (filter, answer.get_data(as_text=True))
                assert [one["id"] for one in exact(answer)["Resources"]] == [resource_id], filter
