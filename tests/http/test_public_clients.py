"""What others made for SCIM, against a running server: clients (scim2-cli, scim-client) and a suite (scim-sanity).

docs/decisions/other-suites.md argues what is left of their findings.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from scim_client import SCIMClient
from scim_client.resources import User

from tests.http.conftest import GROUP, PATCH_OP, USER
from tests.server import Server

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("public"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Client:
    """scim2-cli, with the token of a tenant of its own. It checks requests and answers against its own model of the RFCs."""

    def __init__(self, server: Server) -> None:
        self._url = server.base_url
        self._environment = {**os.environ, "SCIM_CLI_HEADERS": f"Authorization: Bearer {server.new_client()}"}

    def __call__(self, *arguments: str, data: Any = None) -> Any:
        """The JSON that a command prints; asserts that it succeeded."""
        done = self.run(*arguments, data=data)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run(self, *arguments: str, data: Any = None) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from scim2_cli import cli; cli()", "--url", self._url, *arguments]
        sent = None if data is None else json.dumps(data)
        return subprocess.run(program, env=self._environment, input=sent, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def scim2(server: Server) -> Client:
    return Client(server)


def names(found: Any) -> list[str]:
    return [each.get("userName") or each["displayName"] for each in found["Resources"]]


def test_a_client_does_all_there_is(scim2: Client) -> None:
    ada = scim2("create", "user", "--user-name", "ada", "--display-name", "Ada")
    bob = scim2("create", "user", data={"schemas": [USER], "userName": "bob", "emails": [{"value": "b@example.com", "type": "work"}]})
    assert scim2("query", "user", ada["id"])["displayName"] == "Ada"
    assert names(scim2("query", "user", "--filter", 'emails[type eq "work"]')) == ["bob"]
    assert names(scim2("query", "user", "--sort-by", "userName", "--sort-order", "descending")) == ["bob", "ada"]

    team = scim2("create", "group", data={"schemas": [GROUP], "displayName": "Team", "members": [{"value": ada["id"]}]})
    scim2("modify", "group", team["id"], "add", "members", json.dumps([{"value": bob["id"]}]))
    assert {each["value"] for each in scim2("query", "group", team["id"])["members"]} == {ada["id"], bob["id"]}
    scim2("modify", "group", team["id"], "remove", f'members[value eq "{ada["id"]}"]')
    changed = scim2("modify", "user", ada["id"], "replace", "displayName", "Ada L.")
    assert (changed["displayName"], changed["meta"]["version"]) == ("Ada L.", 'W/"2"')
    replaced = scim2("replace", "user", data={**changed, "displayName": "Countess", "nickName": "A"})
    assert (replaced["displayName"], replaced["nickName"]) == ("Countess", "A")

    assert names(scim2("search", "--filter", 'userName eq "ada" or displayName eq "team"')) == ["ada", "Team"]
    first = scim2("search", "user", "--cursor", "", "--count", "1")
    second = scim2("search", "user", "--cursor", first["nextCursor"], "--count", "1")
    assert names(first) + names(second) == ["ada", "bob"]
    assert "nextCursor" not in second

    done = scim2(
        "bulk",
        data={
            "schemas": [BULK_REQUEST],
            "Operations": [
                {"method": "POST", "path": "/Users", "bulkId": "c", "data": {"schemas": [USER], "userName": "cyd"}},
                {
                    "method": "PATCH",
                    "path": f"/Groups/{team['id']}",
                    "data": {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:c"}]}]},
                },
                {"method": "DELETE", "path": f"/Users/{bob['id']}"},
            ],
        },
    )
    assert [each["status"] for each in done["Operations"]] == ["201", "204", "204"]
    cyd = done["Operations"][0]["location"].rpartition("/")[2]
    assert [each["value"] for each in scim2("query", "group", team["id"])["members"]] == [cyd]

    for kind, each in (("group", team["id"]), ("user", ada["id"]), ("user", cyd)):
        scim2("delete", kind, each)
    assert scim2("query", "user")["totalResults"] == scim2("query", "group")["totalResults"] == 0


def test_the_client_finds_no_fault(server: Server) -> None:
    judged = Client(server).run("test")
    assert judged.returncode == 0, judged.stdout
    assert judged.stdout.count("SUCCESS") > 100
    assert not {"ERROR", "WARNING", "CRITICAL"} & set(judged.stdout.split())


def test_a_client_that_sends_ids_of_its_own_and_null(server: Server) -> None:
    """scim-client sends back all that it knows: an id that it made up, ``meta``, and null for what it has not."""
    client = SCIMClient(server.base_url, server.new_client())
    email = {"value": "ada@birkholm.example", "primary": True, "type": "work"}
    person = {"external_id": "7d42", "user_name": "ada", "display_name": "Ada", "active": True, "emails": [email]}
    made = client.create_user(User(id="mine", name={"given_name": "Ada", "family_name": "L"}, **person))
    assert made.id != "mine"
    assert client.read_user(made.id).to_dict() == made.to_dict()
    found = client.search_users('userName eq "ada"', start_index=0)
    assert ([each.id for each in found.resources], found.total_results) == ([made.id], 1)
    made.display_name = "Ada L"
    assert client.update_user(made).display_name == "Ada L"
    assert client.delete_user(user_id=made.id).status_code == 204
    assert client.search_users('userName eq "ada"').total_results == 0


ARGUED = {
    "PATCH /Groups/{id}": "Expected HTTP 200, got 204",
    "PATCH /Groups/{id} add member": "Expected 200, got 400",
    "PATCH /Groups/{id} remove members": "Expected 200, got 204",
}


@pytest.mark.parametrize("profile", ["entra", "okta", "rfc"])
def test_the_suite_finds_what_is_argued_and_nothing_else(server: Server, profile: str) -> None:
    server.cli("tenant", "create", profile, "--profile", profile)
    token = server.cli("credential", "create", "--tenant", profile)["token"]
    program = [sys.executable, "-m", "scim_sanity", "probe", server.base_url, "--token", token, "--i-accept-side-effects", "--json-output"]
    judged = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    results = json.loads(judged.stdout[judged.stdout.index("{") :])["results"]
    failed = {each["name"]: each["message"] for each in results if each["status"] not in ("pass", "skip")}
    assert failed.keys() == ARGUED.keys(), failed
    assert all(failed[name].startswith(what) for name, what in ARGUED.items()), failed
    assert sum(each["status"] == "pass" for each in results) >= 25
