"""What operations of a Bulk request refer to, and in which order they are run."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.scim.bulk import References, parse
from scim_server.scim.bulk_order import Batch, schedule
from scim_server.scim.messages import BULK_REQUEST, PATCH_OP
from scim_server.scim.schemas import BASE_TYPES, ENTERPRISE_USER, GROUP_SCHEMA, USER_SCHEMA

GROUP, USER = GROUP_SCHEMA.id, USER_SCHEMA.id


def references(*asked: dict[str, Any]) -> tuple[References, ...]:
    operations = parse({"schemas": [BULK_REQUEST], "Operations": list(asked)}, BASE_TYPES).operations
    assert not any(each.fault for each in operations)
    return tuple(map(References, operations))


def batches_of(*asked: dict[str, Any]) -> list[Batch]:
    return schedule(references(*asked), {each["bulkId"]: place for place, each in enumerate(asked)})


def group(number: int, members: Set[int], needs: Set[int] = frozenset()) -> dict[str, Any]:
    data = {
        "schemas": [GROUP],
        "members": [{"value": f"bulkId:{each}"} for each in members],
        "unknown": [f"bulkId:{each}" for each in needs],
    }
    return {"method": "POST", "path": "/Groups", "bulkId": str(number), "data": data}


@st.composite
def graphs(draw: st.DrawFn) -> list[set[int]]:
    size = draw(st.integers(1, 9))
    return [draw(st.sets(st.integers(0, size - 1), max_size=3)) for _ in range(size)]


def reached(graph: list[set[int]]) -> list[set[int]]:
    """From each the ones that it needs, and that these need."""
    result = [set(each) for each in graph]
    for _ in graph:
        for each in result:
            each.update(*(graph[other] for other in list(each)))
    return result


@pytest.mark.requirement("S-7644-3.7-12", "S-7644-3.7.2-03")
@given(graphs())
def test_each_is_run_once_after_what_it_needs_and_not_before_its_place(graph: list[set[int]]) -> None:
    batches = batches_of(*(group(number, needs) for number, needs in enumerate(graph)))
    order = [index for batch in batches for index in batch.indexes]
    assert sorted(order) == list(range(len(graph)))
    far = reached(graph)
    when = {index: place for place, batch in enumerate(batches) for index in batch.indexes}
    for index, needs in enumerate(graph):
        for needed in needs:
            together = index in far[needed]
            assert (when[needed] == when[index]) == together
            assert together or when[needed] < when[index]
    for batch in batches:
        assert batch.possible
        assert batch.circular == any(index in far[index] for index in batch.indexes)
    # One that overtakes another that stands before it does so only because the other waits, directly or not, for one that stands later.
    for place, batch in enumerate(batches):
        for later in batches[place + 1 :]:
            if max(later.indexes) < max(batch.indexes):
                assert any(max(batches[when[needed]].indexes) >= max(batch.indexes) for index in later.indexes for needed in far[index])


@pytest.mark.requirement("S-7644-3.7.1-01")
@given(graphs(), graphs())
def test_in_a_circle_what_cannot_wait_comes_first(graph: list[set[int]], hard: list[set[int]]) -> None:
    must = [{each for each in needs if each < len(graph)} for needs in hard[: len(graph)]]
    must += [set()] * (len(graph) - len(must))
    batches = batches_of(*(group(number, graph[number], must[number]) for number in range(len(graph))))
    far = reached(must)
    for batch in batches:
        within = set(batch.indexes)
        assert batch.possible == (not any(index in far[index] for index in within if batch.circular))
        if batch.possible:
            for place, index in enumerate(batch.indexes):
                assert must[index] & within <= set(batch.indexes[:place])


def test_a_chain_and_a_circle_of_a_thousand_need_no_recursion() -> None:
    chain = batches_of(*(group(n, {n + 1}) for n in range(1000)))
    assert [batch.indexes for batch in chain] == [(n,) for n in reversed(range(1000))]
    (circle,) = batches_of(*(group(n, {(n + 1) % 1000}) for n in range(1000)))
    assert circle == Batch(tuple(range(1000)), circular=True, possible=False)


@pytest.mark.requirement("S-7644-3.7.2-01")
@pytest.mark.parametrize(
    ("method", "data", "resolved"),
    [
        ("PUT", {"externalId": "bulkId:a"}, {"externalId": "A"}),
        ("PUT", {"externalId": "xbulkId:a", "title": "bulkid:a"}, {"externalId": "xbulkId:a", "title": "bulkid:a"}),
        ("PUT", {"name": {"familyName": "bulkId:a b"}}, {"name": {"familyName": "A B"}}),
        ("PUT", {"emails": [{"value": "bulkId:a"}, ["bulkId:a"]]}, {"emails": [{"value": "A"}, ["A"]]}),
        ("PUT", {"GROUPS": [{"value": "bulkId:a"}], "id": "bulkId:a"}, {"GROUPS": [{"value": "bulkId:a"}], "id": "bulkId:a"}),
        ("PUT", {ENTERPRISE_USER.upper(): {"Manager": "bulkId:a"}}, {ENTERPRISE_USER.upper(): {"Manager": "A"}}),
        ("PATCH", {"Operations": [{"value": ["bulkId:a"]}]}, {"Operations": [{"value": ["A"]}]}),
        ("PATCH", {"operations": [{"Path": 'x[value eq "bulkId:a"].y'}]}, {"operations": [{"Path": 'x[value eq "A"].y'}]}),
        (
            "PATCH",
            {"Operations": [{"path": 'x[value eq "bulkId:\\u0061" or value eq "bulkId:a b" or value eq "b bulkId:a"]'}]},
            {"Operations": [{"path": 'x[value eq "A" or value eq "A B" or value eq "b bulkId:a"]'}]},
        ),
        ("PATCH", {"Operations": [{"path": "x[bulkId:a]"}]}, {"Operations": [{"path": "x[bulkId:a]"}]}),
    ],
)
def test_where_references_are_seen(method: str, data: dict[str, Any], resolved: dict[str, Any]) -> None:
    (operation,) = references({"method": method, "path": "/Users/x", "data": {"schemas": [PATCH_OP], **data}})
    ids = {"a": "A", "a b": "A B"}
    assert operation.needs == {name for name in ids if data != resolved and f"'{ids[name]}'" in str(resolved).replace('"', "'")}
    for _ in range(2):
        assert operation.resolve({}).body == {"schemas": [PATCH_OP], **data} or data == resolved
        assert operation.resolve(ids).body == {"schemas": [PATCH_OP], **resolved}


@pytest.mark.requirement("S-7644-3.7.1-01")
def test_what_can_wait_is_left_out() -> None:
    team, ada = references(
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "team",
            "data": {
                "schemas": [GROUP],
                "Members": [{"value": "bulkId:ada"}, {"value": "x"}, {"value": "bulkId:ada", "type": "bulkId:bob"}],
            },
        },
        {
            "method": "POST",
            "path": "/Users",
            "bulkId": "ada",
            "data": {"schemas": [USER], ENTERPRISE_USER: {"manager": {"value": "bulkId:bob"}, "department": "d"}},
        },
    )
    assert team.needs == team.can_wait == {"ada", "bob"}
    assert ada.can_wait == {"bob"}
    assert team.without({"ada"})["Members"] == [{"value": "x"}]
    assert team.without({"bob"})["Members"] == [{"value": "bulkId:ada"}, {"value": "x"}]
    assert ada.without({"bob"})[ENTERPRISE_USER] == {"department": "d"}
    assert ada.without({"team"}) == ada.resolve({}).body
