"""Groups from Graph: complete, or not at all; and what a token says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import pytest

from oidc.groups import Absent, Graph, Groups, GroupsUnavailable, Inline, Overage, of_claims
from scim_server import clock
from scim_server.outbound import MAX_GRAPH_BYTES, Outbound
from scim_server.store.registry import Directory
from tests.site import Site, send, site

PATH = "/v1.0/me/transitiveMemberOf"
FIRST = f"{PATH}?$select=id&$top=999"
A, B = str(uuid4()), str(uuid4())


@pytest.fixture
def graph_site() -> Iterator[Site]:
    with site() as running:
        yield running


def directory(url: str) -> Directory:
    return Directory("1", "2", "t", "custom", str(uuid4()), "", "client", url, url, None, clock.now())


def asked(running: Site, **options: Any) -> frozenset[str]:
    return Graph(Outbound(allow_custom=True), **options).groups_of_me(directory(running.url), "opaque", str(uuid4()))


def group(object_id: str) -> dict[str, str]:
    return {"@odata.type": "#microsoft.graph.group", "id": object_id}


def test_all_pages(graph_site: Site) -> None:
    role = {"@odata.type": "#microsoft.graph.directoryRole", "id": str(uuid4())}
    following = f"{PATH}?$skiptoken=2"
    graph_site.answers[FIRST] = {"value": [group(A.upper()), role], "@odata.nextLink": graph_site.url + following}
    graph_site.answers[following] = {"value": [{"id": B}]}
    assert asked(graph_site) == {A, B}
    assert [each["authorization"] for each in graph_site.headers] == ["Bearer opaque"] * 2


def failing(status: int, *, times: int, then: dict[str, Any], **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            send(handler, b"{}", status, **headers)
        else:
            send(handler, json.dumps(then).encode())

    return answer


def test_it_waits_as_long_as_it_is_told(graph_site: Site) -> None:
    waits: list[float] = []
    graph_site.answers[FIRST] = failing(429, times=2, then={"value": [group(A)]}, **{"Retry-After": "3"})
    assert asked(graph_site, sleep=waits.append) == {A}
    assert waits == [3.0, 3.0]


def huge(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b'{"value": [' + b" " * MAX_GRAPH_BYTES + b"]}")


def refusals(url: str) -> dict[str, Any]:
    return {
        "not allowed": failing(403, times=9, then={}),
        "expired": failing(401, times=9, then={}),
        "broken": failing(500, times=9, then={}),
        "too busy": failing(429, times=9, then={}, **{"Retry-After": "3600"}),
        "elsewhere": {"value": [group(A)], "@odata.nextLink": "http://127.0.0.1:9/v1.0/me/transitiveMemberOf?x=1"},
        "another question": {"value": [group(A)], "@odata.nextLink": url + "/v1.0/users"},
        "no URL": {"value": [group(A)], "@odata.nextLink": 7},
        "for ever": {"value": [], "@odata.nextLink": url + FIRST},
        "no list": {"value": "all"},
        "no id": {"value": [{"@odata.type": "#microsoft.graph.group"}]},
        "an id that is none": {"value": [group("../..")]},
        "too much": huge,
        "a redirect": lambda handler: send(handler, b"{}", 302, Location="http://127.0.0.1:9/"),
    }


@pytest.mark.parametrize("case", refusals("").keys())
def test_half_of_them_is_none(graph_site: Site, case: str) -> None:
    graph_site.answers[FIRST] = refusals(graph_site.url)[case]
    with pytest.raises(GroupsUnavailable) as refused:
        asked(graph_site, sleep=lambda _: None)
    assert "opaque" not in str(refused.value)
    assert refused.value.retry_after == (3600 if case == "too busy" else None)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, Absent()),
        ({"groups": []}, Inline(frozenset())),
        ({"groups": [A.upper(), "names-are-no-ids"]}, Inline(frozenset({A}))),
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "http://evil.example"}}}, Overage()),
        ({"hasgroups": True}, Overage()),
        ({"hasgroups": "true"}, Overage()),
        ({"_claim_names": ["groups"]}, Absent()),
        ({"groups": "all"}, None),
        ({"groups": [1]}, None),
    ],
)
def test_what_a_token_says(claims: dict[str, Any], expected: Groups | None) -> None:
    assert of_claims(claims) == expected
