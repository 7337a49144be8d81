"""In which order the operations of a Bulk request are run, which may refer to each other (RFC 7644 §3.7.1, §3.7.2).

Nothing here recurses: how long a chain of references is, is the client's choice.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from scim_server.scim.bulk import References

MAX_CIRCLE = 100
"""The most operations that may wait for each other: they are done in one transaction, which must not be in others' way for long."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations that are run together, by their index: one, or those that wait for each other, in the order in which they can be made.

    ``circular``: there are several, or one that refers to itself. They are not ``possible`` where what one of them needs of
    another is no member and no manager, and where they are too many.
    """

    indexes: tuple[int, ...]
    circular: bool
    possible: bool = True


def schedule(references: Sequence[References], makers: Mapping[str, int]) -> list[Batch]:
    """Operations by what they refer to, in their order, save that each waits for those it refers to, and none is run before its place.

    Those that wait for each other are one batch, at the place of the last of them. ``makers``: by bulkId the index of its POST.
    """
    needs = [{makers[name] for name in each.needs if name in makers} for each in references]
    circles = _components(needs)
    where = {index: number for number, circle in enumerate(circles) for index in circle}
    waits = [{where[needed] for index in circle for needed in needs[index]} - {number} for number, circle in enumerate(circles)]
    waited_for: list[list[int]] = [[] for _ in circles]
    for number, others in enumerate(waits):
        for other in others:
            waited_for[other].append(number)
    left = [len(others) for others in waits]
    ready = [(max(circle), number) for number, circle in enumerate(circles) if not left[number]]
    heapq.heapify(ready)
    result = []
    while ready:
        _, number = heapq.heappop(ready)
        result.append(_batch(references, makers, circles[number], needs))
        for other in waited_for[number]:
            left[other] -= 1
            if not left[other]:
                heapq.heappush(ready, (max(circles[other]), other))
    return result


def _batch(references: Sequence[References], makers: Mapping[str, int], circle: list[int], needs: Sequence[Set[int]]) -> Batch:
    if len(circle) == 1 and circle[0] not in needs[circle[0]]:
        return Batch((circle[0],), circular=False)
    within = set(circle)
    hard: dict[int, set[int]] = {}
    for index in circle:
        each = references[index]
        hard[index] = {makers[name] for name in each.needs - each.can_wait if name in makers} & within
    before: dict[int, list[int]] = {index: [] for index in circle}
    for index, needed in hard.items():
        for other in needed:
            before[other].append(index)
    left = {index: len(needed) for index, needed in hard.items()}
    ready = [index for index in circle if not left[index]]
    heapq.heapify(ready)
    order = []
    while ready:
        order.append(heapq.heappop(ready))
        for other in before[order[-1]]:
            left[other] -= 1
            if not left[other]:
                heapq.heappush(ready, other)
    possible = len(order) == len(circle) <= MAX_CIRCLE
    return Batch(tuple(order if possible else sorted(circle)), circular=True, possible=possible)


def _components(needs: Sequence[Set[int]]) -> list[list[int]]:
    """The strongly connected components of the operations (Tarjan's algorithm, without recursion)."""
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_: list[int] = []
    is_open: set[int] = set()
    result: list[list[int]] = []
    for root in range(len(needs)):
        if root in number:
            continue
        work: list[tuple[int, Iterator[int]]] = []
        _enter(root, number, lowest, open_, is_open)
        work.append((root, iter(needs[root])))
        while work:
            index, rest = work[-1]
            for other in rest:
                if other not in number:
                    _enter(other, number, lowest, open_, is_open)
                    work.append((other, iter(needs[other])))
                    break
                if other in is_open:
                    lowest[index] = min(lowest[index], number[other])
            else:
                work.pop()
                if work:
                    outer = work[-1][0]
                    lowest[outer] = min(lowest[outer], lowest[index])
                if lowest[index] == number[index]:
                    component = [open_.pop()]
                    while component[-1] != index:
                        component.append(open_.pop())
                    is_open.difference_update(component)
                    result.append(component)
    return result


def _enter(index: int, number: dict[int, int], lowest: dict[int, int], open_: list[int], is_open: set[int]) -> None:
    number[index] = lowest[index] = len(number)
    open_.append(index)
    is_open.add(index)
