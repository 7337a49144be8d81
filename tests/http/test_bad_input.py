"""Bad input never gives a 5xx and changes nothing: a table of known attacks, then hypothesis.

``tests.lint`` refuses a 5xx and any answer that is not a SCIM error body; what is asserted here
beside it is the status, the scimType, and that the store is as it was.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_server.store.unit import Store
from tests.http.conftest import ENTERPRISE, GROUP, PATCH_OP, USER, Scim

DEEP = b'{"schemas":["%s"],"userName":' % USER.encode() + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}"
BIG = b'{"schemas":["%s"],"userName":"' % USER.encode() + b"x" * 10_000_000 + b'"}'
MANY = b'{"schemas":["%s"],' % USER.encode() + b"".join(b'"a%d":1,' % n for n in range(200_000)) + b'"a199999":1}'


def user(**attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": "new@example.com", **attributes}


BODIES: list[tuple[str, Any, int, str | None]] = [
    ("no body", b"", 400, "invalidSyntax"),
    ("broken JSON", b'{"userName": ', 400, "invalidSyntax"),
    ("not UTF-8", b'{"userName": "\xff\xfe"}', 400, "invalidSyntax"),
    ("UTF-16", '{"userName": "x"}'.encode("utf-16"), 400, "invalidSyntax"),
    ("NaN", b'{"userName": NaN}', 400, "invalidSyntax"),
    ("an array", b"[]", 400, "invalidSyntax"),
    ("a string", b'"x"', 400, "invalidSyntax"),
    ("null", b"null", 400, "invalidSyntax"),
    ("ten thousand levels", DEEP, 400, "invalidSyntax"),
    ("ten megabytes", BIG, 413, None),
    ("no userName", {"schemas": [USER]}, 400, "invalidValue"),
    ("empty userName", user(userName=""), 400, "invalidValue"),
    ("number for userName", user(userName=5), 400, "invalidValue"),
    ("object for userName", user(userName={"a": 1}), 400, "invalidValue"),
    ("string for name", user(name="Ada"), 400, "invalidValue"),
    ("object for emails", user(emails=7), 400, "invalidValue"),
    ("array of arrays", user(emails=[["a"]]), 400, "invalidValue"),
    ("two primaries", user(emails=[{"value": "a", "primary": True}, {"value": "b", "primary": True}]), 400, "invalidValue"),
    ("number for active", user(active=1), 400, "invalidValue"),
    ("NUL", user(displayName="a\u0000b"), 400, "invalidValue"),
    ("lone surrogate", b'{"schemas":["%s"],"userName":"\\ud800"}' % USER.encode(), 400, None),
    ("not base64", user(x509Certificates=[{"value": "!!"}]), 400, "invalidValue"),
    ("schemas is a string", {"schemas": USER, "userName": "x"}, 400, None),
    ("schemas is empty", {"schemas": [], "userName": "x"}, 400, None),
    ("schemas of a group", {"schemas": [GROUP], "userName": "x"}, 400, None),
    ("one key twice but for case", user(USERNAME="b@example.com"), 400, "invalidSyntax"),
    ("one key twice", b'{"schemas":["%s"],"userName":"a","userName":"b"}' % USER.encode(), 400, "invalidSyntax"),
    ("one key twice, escaped", b'{"schemas":["%s"],"userName":"a","user\\u004eame":"b"}' % USER.encode(), 400, "invalidSyntax"),
    ("one key twice, deep", b'{"schemas":["%s"],"userName":"a","emails":[{"value":1,"value":"b"}]}' % USER.encode(), 400, "invalidSyntax"),
    ("one key of very many twice", MANY, 400, "invalidSyntax"),
    ("extension is a list", {**user(), ENTERPRISE: ["x"]}, 400, "invalidValue"),
]


@pytest.mark.parametrize(("body", "status", "scim_type"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_bad_body_is_refused_and_nothing_is_made(scim: Scim, body: Any, status: int, scim_type: str | None) -> None:
    stays = scim.user("stays@example.com")
    for answer in (scim.post("/Users", body), scim.put(f"/Users/{stays['id']}", body)):
        assert answer.status_code == status, answer.get_data(as_text=True)
        assert scim_type in (None, answer.get_json(force=True).get("scimType"))
    assert scim.find("/Users", "userName pr") == [stays]


@pytest.mark.parametrize(("size", "status"), [(5 * 1024 * 1024 + 1, 413), (10_000_000, 413), (1000, 201)])
def test_a_body_in_chunks_has_the_same_limit(scim: Scim, size: int, status: int) -> None:
    """No length is announced, so it is the bytes that are counted. What is cut off is never taken for the whole."""
    body = b'{"schemas":["%s"],"userName":"chunks@example.com"}' % USER.encode()
    stream = io.BytesIO(body + b" " * (size - len(body)))
    answer = scim.request(
        "POST",
        "/Users",
        input_stream=stream,
        content_type="application/scim+json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == status
    assert len(scim.find("/Users", "userName pr")) == (status == 201)


PATCHES: list[tuple[str, Any, str]] = [
    ("no Operations", {"schemas": [PATCH_OP]}, "invalidSyntax"),
    ("Operations is an object", {"schemas": [PATCH_OP], "Operations": {"op": "add"}}, "invalidSyntax"),
    ("an operation is a string", {"schemas": [PATCH_OP], "Operations": ["add"]}, "invalidSyntax"),
    ("no PatchOp schema", {"schemas": [USER], "Operations": [{"op": "remove", "path": "title"}]}, "invalidSyntax"),
    ("unknown op", {"schemas": [PATCH_OP], "Operations": [{"op": "move", "path": "title"}]}, "invalidSyntax"),
    ("op is a number", {"schemas": [PATCH_OP], "Operations": [{"op": 1, "path": "title"}]}, "invalidSyntax"),
    ("path is a number", {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": 1}]}, "invalidPath"),
    ("remove without path", {"schemas": [PATCH_OP], "Operations": [{"op": "remove"}]}, "noTarget"),
    ("add without value", {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title"}]}, "invalidValue"),
    ("open bracket", {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": 'emails[type eq "work"'}]}, "invalidPath"),
    ("three levels", {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "a.b.c", "value": 1}]}, "invalidPath"),
    ("read-only", {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "id", "value": "x"}]}, "mutability"),
    ("groups of a user", {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "groups", "value": [{"value": "x"}]}]}, "mutability"),
    ("required", {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "userName"}]}, "mutability"),
    ("wrong type", {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": {"a": 1}}]}, "invalidValue"),
    ("value is no object", {"schemas": [PATCH_OP], "Operations": [{"op": "add", "value": "x"}]}, "invalidValue"),
]


@pytest.mark.parametrize(("body", "scim_type"), [row[1:] for row in PATCHES], ids=[row[0] for row in PATCHES])
def test_a_bad_patch_is_refused_and_nothing_is_changed(scim: Scim, body: Any, scim_type: str) -> None:
    made = scim.user("patched@example.com", title="T", emails=[{"value": "a@example.com", "type": "work"}])
    answer = scim.request("PATCH", f"/Users/{made['id']}", body)
    assert (answer.status_code, answer.get_json(force=True).get("scimType")) == (400, scim_type)
    assert scim.get(f"/Users/{made['id']}").get_json(force=True) == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "userName",
        "userName eq",
        'userName eq "x',
        'userName regex "x"',
        'noSuch eq "x"',
        'name eq "x"',
        "active gt true",
        'active eq "maybe"',
        "userName eq 5",
        'meta.created gt "yesterday"',
        'emails[type eq "work"',
        'emails[x[y eq "z"]]',
        'password eq "x"',
        'department eq "x"',
        "(" * 2000 + 'userName eq "x"' + ")" * 2000,
        " or ".join(['title eq "x"'] * 200),
        'a eq "1"; drop table users',
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_a_bad_filter_is_refused_and_never_answered_with_everybody(scim: Scim, text: str) -> None:
    scim.user("somebody@example.com")
    answer = scim.get("/Users", filter=text)
    assert (answer.status_code, answer.get_json(force=True).get("scimType")) == (400, "invalidFilter")
    assert answer.get_json(force=True)["detail"]


@pytest.mark.parametrize(
    "text", ["%", "_", "ada_l@example.com", "a%", "\\", "'", '\\"', "]", ") or (userName pr", "\\u0000", "\\ud800", "💥"]
)
def test_wildcards_and_quotes_are_only_characters(scim: Scim, text: str) -> None:
    scim.user("ada.l@example.com", displayName="Ada", emails=[{"value": "ada.l@example.com", "type": "work"}], externalId="a1")
    for attribute in ("userName", "externalId", "displayName", "title", "emails.value"):
        for op in ("eq", "co", "sw", "ew"):
            answer = scim.get("/Users", filter=f'{attribute} {op} "{text}"')
            assert answer.status_code in (200, 400)
            if answer.status_code == 200:
                assert answer.get_json(force=True)["Resources"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/Users", 405),
        ("DELETE", "/Users", 405),
        ("POST", "/Users/0190a000-0000-7000-8000-000000000001", 405),
        ("OPTIONS", "/Users", 405),
        ("TRACE", "/Users", 405),
        ("GET", "/Users/0190a000-0000-7000-8000-000000000001", 404),
        ("GET", "/Users/not-an-id", 404),
        ("GET", "/Users/" + "x" * 3000, 404),
        ("GET", "/Users/%00", 404),
        ("GET", "/Users/..%2f..%2fetc", 404),
        ("GET", "/users", 404),
        ("DELETE", "/Groups/1", 404),
    ],
)
def test_wrong_methods_and_unknown_places(scim: Scim, method: str, path: str, status: int) -> None:
    assert scim.request(method, path, {} if method in ("POST", "PATCH") else None).status_code == status


def test_an_unknown_id_is_told_before_the_body_is_judged(scim: Scim) -> None:
    address = "/Users/0190a000-0000-7000-8000-000000000001"
    assert scim.put(address, {"schemas": [USER], "userName": ""}).status_code == 404
    assert scim.patch(address, {"op": "replace", "path": "title", "value": "x"}).status_code == 404


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
def test_another_media_type_is_refused(scim: Scim, media_type: str) -> None:
    assert scim.post("/Users", b"userName=x", content_type=media_type).status_code == 415


@pytest.mark.parametrize(
    "query", ["filter=%ff%fe", "startIndex=x", "count=1.5", "count=" + "9" * 400, "&".join(f"p{n}=1" for n in range(60))]
)
def test_a_bad_query_is_refused(scim: Scim, query: str) -> None:
    answer = scim.request("GET", "/Users?" + query)
    assert answer.status_code == 400, answer.get_data(as_text=True)


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
names = st.sampled_from(
    ["schemas", "userName", "name", "emails", "value", "type", "primary", "active", "members", "displayName", "manager", "op", "path",
     "Operations", "meta", "id", "externalId", "roles", "$ref", ENTERPRISE, "name.givenName", 'emails[type eq "work"].value', "groups"]
) | st.text(max_size=8)  # fmt: skip
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=25)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Add", "replace", "remove", "Remove", "x"])},
    optional={"path": names | st.text(max_size=30), "value": json_values},
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=json_values, changes=st.lists(operations, max_size=4), text=st.text(max_size=60), member=names)
def test_whatever_is_sent_the_answer_is_scim_and_refusals_change_nothing(
    scim: Scim, store: Store, scope: Any, body: Any, changes: list[Any], text: str, member: str
) -> None:
    with store.read(scope) as unit:
        before = len(unit.events.list(100_000))
    answers = []
    extra = body if isinstance(body, dict) else {member: body}
    for path, schema in (("/Users", USER), ("/Groups", GROUP)):
        answers.append(scim.post(path, extra))
        made = scim.post(path, {"userName": "fuzz", "displayName": "fuzz", **extra, "schemas": [schema]})
        answers.append(made)
        target = made.get_json(force=True).get("id", "x")
        answers.append(scim.put(f"{path}/{target}", {**extra, "schemas": [schema]}))
        answers.append(scim.patch(f"{path}/{target}", *changes))
        scim.get(path, filter=text)
        scim.get(path, attributes=text)
        answers.append(scim.delete(f"{path}/{target}"))
    with store.read(scope) as unit:
        written = len(unit.events.list(100_000)) - before
    assert written <= sum(answer.status_code < 300 for answer in answers)
