"""attributes and excludedAttributes: on every answer with a resource in it (requirement group H)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from scim_server.store.connections import Connection
from scim_server.store.statements import GlobalStatement
from tests.http.conftest import ENTERPRISE, SEARCH_REQUEST, USER, Scim

E = ENTERPRISE
BODY: dict[str, Any] = {
    "schemas": [USER, E],
    "userName": "ada@example.com",
    "externalId": "x1",
    "name": {"givenName": "Ada", "familyName": "L"},
    "title": "T",
    "emails": [{"type": "work", "value": "a@example.com"}, {"value": "b@example.com"}],
    "password": "never seen",
    E: {"department": "D", "division": "V"},
}
EVERYTHING = {"schemas", "id", "userName", "externalId", "name", "title", "active", "emails", E, "meta"}
LEAST = {"schemas", "id"}


def _r(*numbers: str) -> pytest.MarkDecorator:
    return pytest.mark.requirement("S-7644-3.4.2.5-01", *(f"S-7644-3.9-{each}" for each in numbers))


# The query, the attributes shown, and some of them in full.
SHOWN: list[Any] = [
    pytest.param({"attributes": "userName"}, LEAST | {"userName"}, {}, marks=_r("01", "09")),
    pytest.param({"attributes": "id"}, LEAST, {}, marks=_r("01", "09")),
    pytest.param({"attributes": "USERNAME , externalId"}, LEAST | {"userName", "externalId"}, {}, marks=_r("03")),
    pytest.param(
        {"attributes": f"name.givenName,{E}:department"}, LEAST | {"name", E}, {"name": {"givenName": "Ada"}, E: {"department": "D"}},
        marks=_r("03", "05"),
    ),
    pytest.param({"attributes": f"{USER}:name.familyName"}, LEAST | {"name"}, {"name": {"familyName": "L"}}, marks=_r("03", "05")),
    pytest.param({"attributes": "name"}, LEAST | {"name"}, {"name": BODY["name"]}, marks=_r("05")),
    pytest.param({"attributes": "emails.type"}, LEAST | {"emails"}, {"emails": [{"type": "work"}]}, marks=_r("05")),
    pytest.param({"attributes": "meta.resourceType"}, LEAST | {"meta"}, {"meta": {"resourceType": "User"}}, marks=_r("06")),
    pytest.param({"attributes": "nonsense,userName,department,name.nonsense"}, LEAST | {"userName"}, {}, marks=_r("07")),
    pytest.param({"attributes": "password"}, LEAST, {}, marks=_r("07")),
    pytest.param({"attributes": E}, LEAST | {E}, {E: BODY[E]}, marks=_r("08")),
    pytest.param({"excludedAttributes": "emails,meta"}, EVERYTHING - {"emails", "meta"}, {}, marks=_r("02")),
    pytest.param({"excludedAttributes": "id,schemas,title"}, EVERYTHING - {"title"}, {}, marks=_r("02", "09")),
    pytest.param({"excludedAttributes": "name.givenName"}, EVERYTHING, {"name": {"familyName": "L"}}, marks=_r("02", "05")),
    pytest.param({"excludedAttributes": "nonsense"}, EVERYTHING, {}, marks=_r("07")),
    pytest.param({"excludedAttributes": f"{E}:department"}, EVERYTHING, {E: {"division": "V"}}, marks=_r("02", "03")),
    pytest.param({"excludedAttributes": E}, EVERYTHING - {E}, {}, marks=_r("08")),
    pytest.param({}, EVERYTHING, {}, marks=_r("07")),
]  # fmt: skip


def _body(answer: TestResponse) -> Any:
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return answer.get_json(force=True)


def _search(scim: Scim, text: str, query: dict[str, str]) -> TestResponse:
    message = {name: value.split(",") for name, value in query.items()}
    return scim.post("/Users/.search", {"schemas": [SEARCH_REQUEST], "filter": text, **message})


@pytest.mark.parametrize(
    ("query", "names", "parts"), SHOWN, ids=lambda each: ",".join(sorted(each)) if isinstance(each, set) else str(each)
)
def test_what_is_shown_by_each_operation(scim: Scim, query: dict[str, str], names: set[str], parts: dict[str, Any]) -> None:
    made = _body(scim.post("/Users", BODY, query=query))
    address, it = f"/Users/{made['id']}", f'id eq "{made["id"]}"'
    answers = [
        made,
        _body(scim.get(address, **query)),
        *_body(scim.get("/Users", filter=it, **query))["Resources"],
        *_body(_search(scim, it, query))["Resources"],
        _body(scim.put(address, BODY, query=query)),
        _body(scim.patch(address, {"op": "replace", "path": "title", "value": "U"}, query=query)),
        _body(scim.patch(address, {"op": "replace", "path": "title", "value": "U"}, query=query)),
    ]
    assert len(answers) == 7
    for answer in answers:
        assert answer.keys() == names
        assert {name: answer[name] for name in parts} == parts


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"attributes": "userName", "excludedAttributes": "emails"}, marks=_r("04")),
        pytest.param({"attributes": "userName", "excludedAttributes": "userName"}, marks=_r("04")),
        pytest.param({"attributes": 'emails[type eq "work"]'}, marks=_r("11")),
        pytest.param({"excludedAttributes": "emails[0]"}, marks=_r("11")),
    ],
)
def test_what_is_refused_by_each_operation(scim: Scim, query: dict[str, str]) -> None:
    """And a write that cannot be answered is not done."""
    made = scim.user("ada@example.com")
    address = f"/Users/{made['id']}"
    for answer in (
        scim.get(address, **query),
        scim.get("/Users", **query),
        _search(scim, "userName pr", query),
        scim.post("/Users", {"schemas": [USER], "userName": "bob@example.com"}, query=query),
        scim.put(address, {"schemas": [USER], "userName": "bob@example.com"}, query=query),
        scim.patch(address, {"op": "replace", "path": "title", "value": "U"}, query=query),
    ):
        assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, "invalidValue")
    assert scim.find("/Users", "userName pr") == [made]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL of whatever is asked of the database."""
    told: list[str] = []
    rows = Connection.rows

    def watched(self: Connection, statement: GlobalStatement, values: Any) -> Any:
        told.append(statement.sql(self._dialect).text)
        return rows(self, statement, values)

    monkeypatch.setattr(Connection, "rows", watched)
    return told


@pytest.mark.requirement("S-7644-3.9-10")
@pytest.mark.parametrize("without", [{"excludedAttributes": "members,groups"}, {"attributes": "displayName"}], ids=str)
def test_links_that_are_not_wanted_are_not_read(scim: Scim, told: list[str], without: dict[str, str]) -> None:
    """Not left out of the answer only: no statement of the request names the table that members and groups are in."""
    user = scim.user("ada@example.com")
    group = scim.group("Team", user["id"])

    def read(query: dict[str, str]) -> list[str]:
        told.clear()
        message = {name: value.split(",") for name, value in query.items()}
        for path, it in ((f"/Users/{user['id']}", 'userName eq "ada@example.com"'), (f"/Groups/{group['id']}", 'displayName eq "team"')):
            collection = path.rpartition("/")[0]
            assert scim.get(path, **query).status_code == 200
            assert len(scim.find(collection, it, **query)) == 1
            assert scim.get(collection, **query).status_code == 200
            assert scim.post(f"{collection}/.search", {"schemas": [SEARCH_REQUEST], "filter": it, **message}).status_code == 200
        return [each for each in told if "memberships" in each]

    assert read(without) == []
    assert len(read({})) == 8
