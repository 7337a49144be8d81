"""No check passes whatever the server does: each that has no fault of its own fails against a server that is wrong through and through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.checker.catalogue import CHECKS
from tests.conformance import faults
from tests.conformance.conftest import Site
from tests.conformance.fault_table import ENTERPRISE, OF_ONESELF, OF_TENANTS, RIGHT, TALKATIVE, WRONG
from tests.conformance.faults import says
from tests.conformance.tampered import Ask, Came, Fault, Sent, forgiving, ignoring, refusal, refusing, saying
from tests.conformance.test_checks import FAULTS
from tests.conformance.test_checks_against_faults import failed


def shows_nobody(sent: Sent, ask: Ask) -> Came:
    return Came(200, faults.NOBODY) if sent.method == "GET" else ask(sent)


def only_says_that_it_replaced(sent: Sent, ask: Ask) -> Came:
    return Came(200, ask(replace(sent, method="GET", raw=b"")).body) if sent.method == "PUT" else ask(sent)


def bare(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name in ("id", "meta")}


HARSH: dict[str, Fault] = {
    "shows nobody": shows_nobody,
    "refuses everything": refusing(),
    "takes everything": forgiving(),
    "fails at everything": lambda sent, ask: refusal(500),
    "changes nothing by PATCH": faults.does_nothing,
    "changes nothing by PUT": only_says_that_it_replaced,
    "deletes nobody": lambda sent, ask: Came(204) if sent.method == "DELETE" else ask(sent),
    "looks at no filter": ignoring("filter"),
    "shows all attributes": ignoring("attributes", "excludedAttributes"),
    "shows next to none": faults.both_kinds(bare),
    "shows what is not there": faults.both_kinds(lambda one: one | {"title": None, "active": None, "schemas": ["urn:x"]}),
    **{f"refuses every {method}": refusing(method) for method in ("PATCH", "PUT", "DELETE")},
    "refuses every Bulk": refusing("POST", "/Bulk"),
}


def has_no_other_accept(sent: Sent) -> bool:
    return sent.headers.get("Accept") not in (None, "application/scim+json")


# Each needs something finer.
FINER: list[tuple[str, Fault]] = [
    ("errors.accept", refusing(status=406, when=has_no_other_accept)),
    ("errors.accept.json", refusing(status=406, when=lambda sent: sent.headers.get("Accept") == "application/json")),
    ("errors.detail.leaks", saying(lambda body: body | {"detail": 'Traceback: File "/srv/app.py", line 1'} if "detail" in body else body)),
    ("users.get.head", refusing("HEAD", status=405)),
    ("users.create.meta", faults.both_kinds(lambda one: one | {"meta": one["meta"] | {"resourceType": "Group"}})),
    ("users.external-id.none", faults.both_kinds(lambda one: {"externalId": one["id"]} | one)),
    ("users.external-id.shared", refusing("POST", "/Users", when=says("externalId", "second"))),
    ("users.enterprise.absent", faults.both_kinds(lambda one: one | {ENTERPRISE: {"department": "Ops"}})),
    ("groups.members.circle", refusing("PATCH", "/Groups", status=500)),
    ("patch.message.empty", refusing("PATCH", status=500, when=lambda sent: sent.body["Operations"] == [])),
    ("paging.walk.everything", ignoring("startIndex")),
]
OF_WHAT_IS_NOT_OFFERED = {f"features.{feature}" for feature in ("bulk", "patch", "filter", "sort", "etag")}
"""These ask what becomes of a feature that the server says it has not; the right server has them all."""

OWN = {*dict(WRONG), *RIGHT, *OF_TENANTS, *TALKATIVE, *dict(OF_ONESELF), "me.redirect", "auth.tls", *dict(FAULTS)}
OTHERS = [id for id in CHECKS if id not in OWN | dict(FINER).keys() | OF_WHAT_IS_NOT_OFFERED]


@pytest.mark.parametrize("id", OTHERS)
def test_a_check_fails_against_one_of_the_harsh_servers(site: Site, id: str) -> None:
    assert any(failed(site.run(CHECKS[id], fault)) for fault in HARSH.values())


@pytest.mark.parametrize(("id", "fault"), [pytest.param(id, fault, id=id) for id, fault in FINER])
def test_a_finer_fault_is_found(site: Site, id: str, fault: Fault) -> None:
    result = site.run(CHECKS[id], fault)
    assert failed(result), (result.outcome, result.reason)
