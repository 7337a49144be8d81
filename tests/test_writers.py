"""Clients that change one group at the same moment, on a server of two processes: what four of six peers get wrong."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from tests.http.conftest import GROUP, PATCH_OP, USER
from tests.server import Server

_CHANGES = 400


class Client:
    """One keep-alive connection of one tenant."""

    def __init__(self, server: Server, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self._connection.request(method, "/scim/v2" + path, json.dumps(body) if body else None, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status < 300, (method, path, answer.status, content)
        return json.loads(content) if content else None

    def change(self, group_id: str, op: str, person: str, *, legacy: bool) -> None:
        """One member in or out, in one of the two shapes that Entra sends."""
        if legacy or op == "add":
            operation = {"op": op.capitalize() if legacy else op, "path": "members", "value": [{"value": person}]}
        else:
            operation = {"op": "remove", "path": f'members[value eq "{person}"]'}
        self.call("PATCH", f"/Groups/{group_id}", {"schemas": [PATCH_OP], "Operations": [operation]})


def test_of_400_changes_to_one_group_none_is_lost_and_none_comes_back(server: Server) -> None:
    """By four writers, then by eight. Whoever begins inside is taken out and put in again; the others the other way round."""
    token = server.new_client()
    with Client(server, token) as client:
        _change_busy_groups(client, lambda: Client(server, token))


def _change_busy_groups(first: Client, another: Callable[[], Client]) -> None:
    people = [first.call("POST", "/Users", {"schemas": [USER], "userName": f"w{n}@example.com"})["id"] for n in range(_CHANGES // 2)]
    inside = people[: len(people) // 2]
    for writers in (4, 8):
        body = {"schemas": [GROUP], "displayName": f"Busy {writers}", "members": [{"value": each} for each in inside]}
        group_id = first.call("POST", "/Groups", body)["id"]

        def work(number: int, writers: int = writers, group_id: str = group_id) -> int:
            changes = 0
            with another() as client:
                for n, person in enumerate(people[number::writers]):
                    for op in ("remove", "add") if person in inside else ("add", "remove"):
                        client.change(group_id, op, person, legacy=n % 2 == 0)
                        changes += 1
            return changes

        with ThreadPoolExecutor(writers) as pool:
            assert sum(pool.map(work, range(writers))) == _CHANGES
        group = first.call("GET", f"/Groups/{group_id}")
        assert {each["value"] for each in group["members"]} == set(inside)
        assert group["meta"]["version"] == f'W/"{_CHANGES + 1}"'
        page = first.call("GET", f"/Users?filter=groups.value+eq+%22{group_id}%22&attributes=id&count=1000")
        assert {each["id"] for each in page["Resources"]} == set(inside)
