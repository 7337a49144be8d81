"""An assertion of an independent issuer in place of a client secret, on the wire: from its token endpoint, through ours, to SCIM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from scim_server.events import Scope
from scim_server.outbound import Outbound
from scim_server.store.registry import Credential, Registry
from scim_server.store.registry.grants import Trust
from scim_server.store.unit import Store
from scim_server.tenancy.client import FEDERATED, READ, WRITE
from scim_server.tenancy.client_credentials import ASSERTION_TYPE
from scim_server.tenancy.credentials import Terms, create_federated
from tests.http.conftest import Scim
from tests.http.test_oauth_token import OAuth
from tests.provider import Directory
from tests.tenants import OPERATOR, new_app

AUDIENCE = "api://a-workload"


@pytest.fixture(scope="module")
def app(engine: Engine) -> Flask:
    return new_app(engine, allow_custom_cloud=True)


@pytest.fixture
def federated(registry: Registry, scope: Scope, directory: Directory) -> Credential:
    """A credential of a fresh tenant, which trusts the directory."""
    trusts: dict[str, Any] = {
        "issuer": directory.issuer,
        "subject": directory.claims(AUDIENCE)["sub"],
        "audiences": ["api://another", AUDIENCE],
    }
    return create_federated(
        registry, Outbound(allow_custom=True), scope.tenant_id, Terms(), OPERATOR, **trusts, jwks_uri=directory.jwks_uri
    )


def ask(app: Flask, client_id: str, assertion: str, **form: str | None) -> Any:
    asserted = {"client_secret": None, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return OAuth(app, client_id, "").ask(**{**asserted, **form})


def test_an_assertion_gives_a_token_that_opens_scim_and_may_be_used_again(
    app: Flask, federated: Credential, directory: Directory, store: Store, scope: Scope
) -> None:
    assertion = directory.token(AUDIENCE)
    answer = ask(app, federated.id, assertion, scope="scim").get_json()
    assert (answer["expires_in"], answer["scope"]) == (3600, f"{READ} {WRITE}")
    Scim(app, answer["access_token"]).user("made@by.assertion")
    again = ask(app, federated.id, assertion, scope=READ).get_json()
    assert again["scope"] == READ
    assert again["access_token"] != answer["access_token"]
    with store.read(scope) as unit:
        issued = [each for each in unit.events.list(10) if each.tag == "oauth:token:issued"]
    assert len(issued) == 2
    assert issued[0].data["token_id"] == issued[1].data["token_id"] is not None
    assert assertion.rpartition(".")[2] not in str(issued)


@pytest.mark.parametrize(
    ("reason", "forged"),
    [
        ("wrong audience", lambda directory: directory.token("api://somebody-else")),
        ("wrong subject", lambda directory: directory.sign(directory.claims(AUDIENCE, sub="another"))),
        ("bad signature", lambda directory: directory.sign(directory.claims(AUDIENCE), key="foreign")),
        ("expired", lambda directory: directory.sign(directory.claims(AUDIENCE, exp=1, iat=0, nbf=0))),
        ("malformed token", lambda _: "a.b"),
    ],
)
def test_an_assertion_that_proves_nothing_is_answered_like_a_wrong_secret(
    app: Flask,
    federated: Credential,
    directory: Directory,
    store: Store,
    scope: Scope,
    reason: str,
    forged: Callable[[Directory], str],
) -> None:
    refused = ask(app, federated.id, forged(directory))
    wrong = OAuth(app, federated.id, "wrong").ask()
    texts = {each.get_data(as_text=True).replace(each.headers["X-Request-Id"], "") for each in (refused, wrong)}
    assert (refused.status_code, len(texts)) == (401, 1)
    with store.read(scope) as unit:
        (event, *earlier) = unit.events.list(10)
    assert (event.tag, event.subject_id, event.data["reason"]) == ("auth:credential:refused", federated.id, reason)
    assert [each.tag for each in earlier] == ["operator:credential:created", "operator:tenant:created"]


def test_while_the_issuer_cannot_be_asked_a_client_is_told_to_come_back(
    app: Flask, registry: Registry, scope: Scope, directory: Directory
) -> None:
    away = Trust(directory.issuer, "anybody", (AUDIENCE,), "http://127.0.0.1:9/keys")
    made = registry.credentials.create(scope.tenant_id, FEDERATED, OPERATOR, label="", scopes=frozenset({READ}), expires=None, trust=away)
    answer = ask(app, made.id, directory.token(AUDIENCE))
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert "127.0.0.1" not in answer.get_data(as_text=True)
