"""Discovery says the truth, to everybody."""

from __future__ import annotations

import pytest

from tests.http.conftest import ENTERPRISE, GROUP, USER, Scim
from tests.tenants import BASE_URL


@pytest.fixture
def anybody(scim: Scim) -> Scim:
    return Scim(scim.app, None)


def test_what_is_announced(anybody: Scim) -> None:
    config = anybody.get("/ServiceProviderConfig").get_json(force=True)
    supported = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag")}
    assert supported == {"patch": True, "bulk": True, "filter": True, "changePassword": False, "sort": True, "etag": True}
    assert [each["type"] for each in config["authenticationSchemes"]] == ["oauthbearertoken", "oauth2"]
    assert config["meta"]["location"] == f"{BASE_URL}/ServiceProviderConfig"
    types = anybody.get("/ResourceTypes").get_json(force=True)["Resources"]
    assert [(each["name"], each["endpoint"], each["schema"]) for each in types] == [("User", "/Users", USER), ("Group", "/Groups", GROUP)]
    schemas = anybody.get("/Schemas").get_json(force=True)["Resources"]
    assert {each["id"] for each in schemas} == {USER, GROUP, ENTERPRISE}


def test_what_is_not_announced_is_not_there(scim: Scim) -> None:
    for name in ("/Roles", "/Users/x/y", "/schemas", "/v1"):
        assert scim.get(name).status_code == 404


def test_each_entry_is_also_found_alone(anybody: Scim) -> None:
    for path in ("/Schemas", "/ResourceTypes"):
        for each in anybody.get(path).get_json(force=True)["Resources"]:
            assert anybody.get(f"{path}/{each.get('id') or each['name']}").get_json(force=True) == each
    assert anybody.get(f"/Schemas/{USER.upper()}").status_code == 200
    assert anybody.get("/Schemas/urn:ietf:params:scim:api:messages:2.0:ListResponse").status_code == 404
    assert anybody.get("/ResourceTypes/Device").status_code == 404


@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"])
def test_discovery_takes_no_filter_ignores_paging_and_cannot_be_written(anybody: Scim, path: str) -> None:
    assert anybody.get(path, filter='name eq "User"').status_code == 403
    assert anybody.get(path, count=1, startIndex=2).get_json(force=True) == anybody.get(path).get_json(force=True)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert anybody.request(method, path, {} if method != "DELETE" else None).status_code == 405
