"""The OpenAPI document says what is there, and what is there answers as it says: judged by schemathesis."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.schemas import BaseSchema

from scim_server.scim import openapi
from scim_server.scim.schemas import BASE_TYPES
from tests.http.acme import ACME, ATTRIBUTES
from tests.http.conftest import GROUP, USER
from tests.server import Server
from tests.tenants import BASE_URL

# What no description can say, and so is not asked: that the document's words alone make a good request. Filters and paths have grammars,
# attributes and excludedAttributes shut each other out, what must be unique is in use.
NOT_ASKED = {"positive_data_acceptance"}
# The same few each time; as many as are asked for, and others each time, in a long run.
LONG = int(os.environ.get("SCIM_OPENAPI_EXAMPLES", "0"))

PLACE = re.compile("<(?:[a-z]+:)?")
DOCUMENT = openapi.document(BASE_TYPES, BASE_URL, "https://scim.example/oauth/token", "0")
OPERATIONS = {f"{method.upper()} {path}": each for path, methods in DOCUMENT["paths"].items() for method, each in methods.items()}
GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CAN_BE_BAD = [name for name, each in OPERATIONS.items() if "requestBody" in each or name.startswith("GET /Users") or name == "GET /Groups"]
JUDGED = [*((name, GOOD) for name in OPERATIONS), *((name, BAD) for name in CAN_BE_BAD)]


def test_the_document_is_served_as_it_is_made(app: Flask) -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    answer = app.test_client().get("/openapi.json")
    assert answer.content_type == "application/json"
    served = answer.get_json()
    assert served["paths"].keys() == DOCUMENT["paths"].keys()
    assert served["components"]["schemas"] == DOCUMENT["components"]["schemas"]
    assert served["servers"] == [{"url": BASE_URL}]
    assert app.test_client().get("/openapi.json", headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_paths_are_the_routes(app: Flask) -> None:
    served = {
        f"{method} {PLACE.sub('{', rule.rule.removeprefix('/scim/v2')).replace('>', '}')}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/scim/v2")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert OPERATIONS.keys() == served


class Running:
    """A running server with a tenant whose wire is strict, and its document as schemathesis reads it."""

    def __init__(self, server: Server, folder: Path) -> None:
        server.cli("tenant", "create", "judged", "--profile", "rfc")
        own = folder / "own.json"
        own.write_text(json.dumps({"id": ACME, "name": "Acme", "attributes": ATTRIBUTES}))
        server.cli("schema", "add", "--tenant", "judged", "--file", str(own))
        self.headers = {"Authorization": f"Bearer {server.cli('credential', 'create', '--tenant', 'judged')['token']}"}
        self.schema: BaseSchema = schemathesis.openapi.from_url(server.base_url.removesuffix("/scim/v2") + "/openapi.json")
        self.base_url = server.base_url

    def made(self, path: str) -> dict[str, Any]:
        """Path parameters that name something; of a resource that is there only as long as nobody deletes it."""
        if "{resource_id}" not in path:
            return {"name": "Group"} if "{name}" in path else {"urn": ACME}
        body = {"schemas": [USER], "userName": "ada"} if "Users" in path else {"schemas": [GROUP], "displayName": "team"}
        collection = "/Users" if "Users" in path else "/Groups"
        made = requests.post(self.base_url + collection, json=body, headers=self.headers, timeout=10).json()
        if "id" not in made:
            found = requests.get(self.base_url + collection, headers=self.headers, timeout=10).json()["Resources"]
            made = found[0]
        return {"resource_id": made["id"]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("judged")
    server = Server(folder)
    server.start()
    try:
        yield Running(server, folder)
    finally:
        server.stop()


@pytest.mark.parametrize(("operation", "mode"), JUDGED, ids=[f"{name} {mode.value}" for name, mode in JUDGED])
def test_each_operation_answers_as_described(running: Running, operation: str, mode: GenerationMode) -> None:
    method, _, path = operation.partition(" ")
    described = running.schema[path][method]
    fixed = running.made(path) if "{" in path else None
    checks: list[Any] = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_ASKED]
    lenient = [check for check in checks if check.__name__ != "negative_data_rejection"]

    @settings(max_examples=LONG or 10, derandomize=not LONG, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(described.as_strategy(generation_mode=mode, path_parameters=fixed))
    def judge(case: Case[Any]) -> None:
        answer = case.call(headers=running.headers)
        # null says that there is no value, which is never wrong; a version that is not the present one is told before the body is read.
        case.validate_response(answer, checks=lenient if answer.status_code == 412 or has_null(case.body) else checks)

    judge()


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    return any(map(has_null, value)) if isinstance(value, list) else value is None
