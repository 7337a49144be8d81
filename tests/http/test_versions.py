"""Versions: what a client knows already it is not sent again, and what changed meanwhile it does not overwrite (RFC 7644 §3.14)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.http.conftest import GROUP, USER, Scim

TITLE = {"op": "replace", "path": "displayName", "value": "other"}
Write = Callable[[Scim, str, dict[str, str]], TestResponse]

STALE, STALE_IN_A_LIST, NO_TAG, EMPTY = 'W/"7"', '"8", W/"9"', "1", ""
WRITES: dict[str, Write] = {
    "PUT": lambda scim, path, headers: scim.put(
        path,
        {"schemas": [USER], "userName": "ada", "displayName": "other"} if "Users" in path else {"schemas": [GROUP], "displayName": "other"},
        headers=headers,
    ),
    "PATCH": lambda scim, path, headers: scim.patch(path, TITLE, headers=headers),
    "DELETE": lambda scim, path, headers: scim.request("DELETE", path, headers=headers),
}


@pytest.fixture(params=["User", "Group"])
def made(scim: Scim, request: pytest.FixtureRequest) -> str:
    """The path of a resource in its first version."""
    resource = scim.user("ada", displayName="Ada") if request.param == "User" else scim.group("Ada")
    return f"/{request.param}s/{resource['id']}"


def body_of(response: TestResponse) -> Any:
    return response.get_json(force=True)


@pytest.mark.requirement("S-7643-3.1-11", "S-7644-3.14-02", "S-9110-8.8.3-01")
def test_the_tag_is_the_version_wherever_it_is_told(scim: Scim, made: str) -> None:
    for response in (scim.get(made), scim.patch(made, TITLE, query={"attributes": "meta"}), scim.get(made)):
        assert response.headers["ETag"] == body_of(response)["meta"]["version"]
        assert response.headers["Location"] == body_of(response)["meta"]["location"]
    assert scim.get(made).headers["ETag"] == 'W/"2"'
    collection, _, resource_id = made.rpartition("/")
    assert [each["meta"]["version"] for each in scim.find(collection, f'id eq "{resource_id}"')] == ['W/"2"']


@pytest.mark.requirement("S-7644-3.14-03", "S-9110-13.1.2-01")
@pytest.mark.parametrize(
    ("known", "status"), [('W/"1"', 304), ('"1"', 304), ('W/"0", W/"1"', 304), ("*", 304), (STALE, 200), (NO_TAG, 200), (EMPTY, 200)]
)
def test_what_the_client_has_is_not_sent_again(scim: Scim, made: str, known: str, status: int) -> None:
    for method in ("GET", "HEAD"):
        response = scim.request(method, made, headers={"If-None-Match": known})
        assert response.status_code == status
        assert response.headers["ETag"] == 'W/"1"'
        assert status == 200 or not response.data


@pytest.mark.requirement("S-7644-3.14-04", "S-9110-13.1.1-01", "S-9110-13.1.1-02", "S-7644-3.12-06")
@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("named", [STALE, STALE_IN_A_LIST, NO_TAG, EMPTY])
def test_what_has_changed_meanwhile_is_not_overwritten(scim: Scim, made: str, method: str, named: str) -> None:
    before = body_of(scim.get(made))
    response = WRITES[method](scim, made, {"If-Match": named})
    assert response.status_code == 412
    assert "scimType" not in body_of(response)
    assert 'W/"1"' in body_of(response)["detail"]
    assert body_of(scim.get(made)) == before


@pytest.mark.requirement("S-7644-3.14-04", "S-9110-13.1.1-01", "S-9110-13.1.1-02")
@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("named", ['W/"1"', '"1"', 'W/"3", W/"1"', "*"])
def test_the_present_version_may_be_changed(scim: Scim, made: str, method: str, named: str) -> None:
    assert WRITES[method](scim, made, {"If-Match": named}).status_code in (200, 204)


@pytest.mark.requirement("S-9110-13.1.2-01")
@pytest.mark.parametrize("method", WRITES)
def test_a_version_that_must_not_be_there(scim: Scim, made: str, method: str) -> None:
    for known in ('W/"1"', "*"):
        assert WRITES[method](scim, made, {"If-None-Match": known}).status_code == 412
    assert WRITES[method](scim, made, {"If-None-Match": STALE}).status_code in (200, 204)


@pytest.mark.requirement("S-9110-13.1.1-01")
@pytest.mark.parametrize("method", WRITES)
def test_what_is_not_there_has_no_version(scim: Scim, made: str, method: str) -> None:
    nothing = made[:-4] + "0000"
    for headers in ({"If-Match": "*"}, {"If-Match": STALE}, {}):
        assert WRITES[method](scim, nothing, headers).status_code == 404


@pytest.mark.requirement("S-9110-13.1.2-01")
def test_a_new_resource_has_no_version_to_be_known(scim: Scim) -> None:
    body = {"schemas": [USER], "userName": "ada"}
    assert scim.post("/Users", body, headers={"If-None-Match": "*"}).status_code == 201


@pytest.mark.requirement("S-7644-3.14-05", "S-7643-3.1-09")
def test_each_change_and_no_other_gives_a_tag(scim: Scim, made: str) -> None:
    first = body_of(scim.get(made))["meta"]
    assert first["lastModified"] == first["created"]
    for _ in range(2):
        scim.patch(made, TITLE)
        assert body_of(scim.get(made))["meta"]["version"] == 'W/"2"'


@pytest.mark.requirement("S-7644-3.14-05")
def test_a_member_changes_the_tag_of_the_group_and_not_of_the_user(scim: Scim) -> None:
    user, group = scim.user("ada"), scim.group("team")
    added = scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": user["id"]}]})
    assert (added.status_code, added.headers["ETag"]) == (204, 'W/"2"')
    assert added.headers["Location"] == group["meta"]["location"]
    assert scim.get(f"/Users/{user['id']}").headers["ETag"] == 'W/"1"'


@pytest.mark.requirement("S-7644-3.14-06")
def test_of_two_changes_of_one_version_one_is_made(scim: Scim, made: str) -> None:
    start, statuses = threading.Barrier(4), []

    def change(number: int) -> None:
        start.wait()
        response = scim.patch(made, {**TITLE, "value": str(number)}, headers={"If-Match": 'W/"1"'}, query={"attributes": "id"})
        statuses.append(response.status_code)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412, 412, 412]
    assert body_of(scim.get(made))["meta"]["version"] == 'W/"2"'
