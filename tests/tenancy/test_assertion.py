"""Assertions in place of client secrets: what an outside issuer can open, and how an operator says whom to trust."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server import clock
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.errors import StoreError
from scim_server.store.registry import Credential, Registry
from scim_server.store.registry.grants import Trust
from scim_server.tenancy.assertion import Assertions
from scim_server.tenancy.credentials import MAX_AUDIENCE, MAX_AUDIENCES, MAX_SUBJECT, Terms, Unusable, create_entra, create_federated
from scim_server.tenancy.refusals import Unauthenticated
from scim_server.tenancy.trust import IssuerUnavailable
from tests.jwt.forgeries import AUDIENCE, OTHER_TID, Forgery, each_forgery
from tests.provider import SUBJECT, Directory, NewDirectory
from tests.server import free_port
from tests.tenants import OPERATOR, fresh_scope, new_credential

OUTBOUND = Outbound(allow_custom=True)


@pytest.fixture(scope="module")
def directory(new_directory: NewDirectory) -> Directory:
    return new_directory()


@pytest.fixture(scope="module")
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture(scope="module")
def assertions(registry: Registry) -> Assertions:
    return Assertions(registry, KeySets(OUTBOUND, 1000, 300))


def federated(registry: Registry, engine: Engine, directory: Directory, **changes: Any) -> Credential:
    """A fresh tenant's, for assertions of the directory."""
    known = {"issuer": directory.issuer, "subject": SUBJECT, "audiences": [AUDIENCE, "api://scim"], "jwks_uri": directory.jwks_uri}
    return create_federated(registry, OUTBOUND, fresh_scope(engine).tenant_id, Terms(), OPERATOR, **{**known, **changes})


@pytest.fixture(scope="module")
def credential(registry: Registry, engine: Engine, directory: Directory) -> Credential:
    return federated(registry, engine, directory)


def refusal(assertions: Assertions, client_id: str, assertion: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refused:
        assertions.grant(client_id, assertion)
    assert assertion not in repr(refused.value)
    return refused.value


@pytest.mark.parametrize("audience", [AUDIENCE, "api://scim"])
def test_what_the_provider_gives_out_opens_the_credential(
    assertions: Assertions, credential: Credential, directory: Directory, audience: str
) -> None:
    grant, claims = assertions.grant(credential.id, directory.token(audience))
    assert (grant.credential_id, grant.tenant_id) == (credential.id, credential.tenant_id)
    assert (claims["iss"], claims["aud"], claims["sub"], claims["tid"]) == (directory.issuer, audience, SUBJECT, directory.tid)
    assert {"oid", "appid", "uti", "kid"} <= claims.keys()


def test_it_may_be_presented_again(assertions: Assertions, credential: Credential, directory: Directory) -> None:
    token = directory.token(AUDIENCE)
    assert assertions.grant(credential.id, token) == assertions.grant(credential.id, token)


@each_forgery
def test_a_forged_assertion_opens_nothing(assertions: Assertions, credential: Credential, directory: Directory, forgery: Forgery) -> None:
    refused = refusal(assertions, credential.id, forgery.make(directory))
    assert (refused.reason, refused.tenant_id, refused.credential_id) == (forgery.reason, credential.tenant_id, credential.id)
    assert refused.presented
    assert forgery.unread == (not refused.claims)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": f"http://127.0.0.1/{OTHER_TID}"}, "wrong issuer"),
        ({"iss": None}, "wrong issuer"),
        ({"sub": OTHER_TID}, "wrong subject"),
        ({"sub": None}, "wrong subject"),
        ({"sub": SUBJECT.upper()}, "wrong subject"),
    ],
)
def test_another_issuer_or_subject(
    assertions: Assertions, credential: Credential, directory: Directory, changes: dict[str, Any], reason: str
) -> None:
    assert refusal(assertions, credential.id, directory.sign(directory.claims(AUDIENCE, **changes))).reason == reason


def test_one_tenants_assertion_never_opens_another(
    assertions: Assertions, registry: Registry, engine: Engine, new_directory: NewDirectory
) -> None:
    one, other = ((each, federated(registry, engine, each)) for each in (new_directory(), new_directory()))
    for (directory, own), (_, others) in ((one, other), (other, one)):
        token = directory.token(AUDIENCE)
        assert assertions.grant(own.id, token)[0].tenant_id == own.tenant_id
        refused = refusal(assertions, others.id, token)
        assert (refused.reason, refused.tenant_id) == ("unknown key", others.tenant_id)


def test_new_and_withdrawn_keys(registry: Registry, engine: Engine, new_directory: NewDirectory) -> None:
    now = [0.0]
    assertions = Assertions(registry, KeySets(OUTBOUND, 1000, 300, lambda: now[0]))
    directory = new_directory()
    credential = federated(registry, engine, directory, jwks_uri=None)
    before = directory.token(AUDIENCE)
    assert assertions.grant(credential.id, before)
    directory.rotate()
    assert assertions.grant(credential.id, directory.token(AUDIENCE))
    directory.withdraw()
    assert assertions.grant(credential.id, before)
    now[0] = 1001.0
    assert refusal(assertions, credential.id, before).reason == "unknown key"
    assert assertions.grant(credential.id, directory.token(AUDIENCE))


def test_a_client_that_has_no_issuer(assertions: Assertions, registry: Registry, engine: Engine, directory: Directory) -> None:
    token = directory.token(AUDIENCE)
    secret, _ = new_credential(registry, fresh_scope(engine).tenant_id)
    entra = create_entra(
        registry,
        OUTBOUND,
        fresh_scope(engine).tenant_id,
        Terms(),
        OPERATOR,
        tid=directory.tid,
        issuer=directory.issuer,
        jwks_uri=directory.jwks_uri,
    )
    for client_id in (secret.id, entra.id, str(uuid4()), "", "x\x00", "x" * 10_000):
        refused = refusal(assertions, client_id, token)
        assert (refused.reason, refused.tenant_id, refused.claims["iss"]) == ("unknown client", None, directory.issuer)


def test_claims_that_nobody_could_read_are_not_recorded(assertions: Assertions, credential: Credential, directory: Directory) -> None:
    strange = {"oid": "a\x00b", "appid": "x" * 1000, "azp": {"a": 1}, "uti": 7, "aud": ["a", "b"], "sub": "\u202e"}
    token = directory.sign(directory.claims(AUDIENCE, **strange))
    claims = refusal(assertions, credential.id, token).claims
    assert {name: claims.get(name) for name in strange} == {
        "oid": None,
        "appid": "x" * 200,
        "azp": None,
        "uti": None,
        "aud": "a b",
        "sub": None,
    }


def test_a_revoked_one_is_for_admission_to_refuse(assertions: Assertions, registry: Registry, engine: Engine, directory: Directory) -> None:
    credential = federated(registry, engine, directory)
    registry.credentials.revoke(credential.id, OPERATOR)
    assert assertions.grant(credential.id, directory.token(AUDIENCE))[0].revoked


@pytest.mark.parametrize("through", ["keys", "metadata"])
def test_an_issuer_that_is_away(assertions: Assertions, registry: Registry, engine: Engine, directory: Directory, through: str) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    changes = {"jwks_uri": f"{away}/keys"} if through == "keys" else {"issuer": away, "jwks_uri": None}
    credential = federated(registry, engine, directory, **changes)
    with pytest.raises(IssuerUnavailable):
        assertions.grant(credential.id, directory.token(AUDIENCE))


def test_an_issuer_of_no_directory(assertions: Assertions, registry: Registry, engine: Engine, directory: Directory) -> None:
    """Not everybody who federates has directories: where the issuer's URL names none, nothing is asked of tid."""
    issuer = f"{directory.issuer.rpartition('/')[0]}/realms/x"
    credential = federated(registry, engine, directory, issuer=issuer)
    for tid in (None, OTHER_TID):
        token = directory.sign(directory.claims(AUDIENCE, iss=issuer, tid=tid))
        assert assertions.grant(credential.id, token)[0].credential_id == credential.id


def test_what_is_stored(registry: Registry, engine: Engine) -> None:
    tenant_id = fresh_scope(engine).tenant_id
    issuer = f"https://login.microsoftonline.com/{OTHER_TID}/v2.0"
    terms = Terms("WIF", frozenset({"scim.read"}), (), clock.now())
    audiences = ["api://a", "b", "api://a"]
    made = create_federated(
        registry, Outbound(allow_custom=False), tenant_id, terms, OPERATOR, issuer=issuer, subject="repo:x y", audiences=audiences
    )
    assert (made.tenant_id, made.kind, made.label, made.scopes) == (tenant_id, "federated", "WIF", terms.scopes)
    assert made.expires == terms.expires
    assert made.trust == Trust(issuer, "repo:x y", ("api://a", "b"), None, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": "https://idp.example/"}, "issuer cannot be used.*ALLOW_CUSTOM_CLOUD"),
        ({"issuer": "http://login.microsoftonline.com/x"}, "issuer cannot be used"),
        ({"issuer": ""}, "issuer cannot be used"),
        ({"issuer": "https://sts.windows.net/x?y"}, "must have no query"),
        ({"issuer": "https://sts.windows.net/x#y"}, "fragment"),
        ({"issuer": "https://sts.windows.net/" + "x" * 500}, "more than 500"),
        ({"jwks_uri": "https://idp.example/keys"}, "URL of the keys cannot be used"),
        ({"jwks_uri": ""}, "URL of the keys cannot be used"),
        ({"subject": ""}, "subject must have 1 to"),
        ({"subject": " x"}, "no blank around"),
        ({"subject": "x\n"}, "subject must have 1 to"),
        ({"subject": "x" * (MAX_SUBJECT + 1)}, "subject must have 1 to"),
        ({"audiences": []}, "At least one audience"),
        ({"audiences": [""]}, "An audience has 1 to"),
        ({"audiences": ["a b"]}, "without a blank"),
        ({"audiences": ["a\tb"]}, "without a blank"),
        ({"audiences": ["ä"]}, "ASCII"),
        ({"audiences": ["x" * (MAX_AUDIENCE + 1)]}, "An audience has 1 to"),
        ({"audiences": [f"a{number}" for number in range(MAX_AUDIENCES + 1)]}, "at most"),
    ],
)
def test_what_cannot_be_trusted(registry: Registry, engine: Engine, changes: dict[str, Any], says: str) -> None:
    tenant_id = fresh_scope(engine).tenant_id
    given = {"issuer": f"https://login.microsoftonline.com/{OTHER_TID}/v2.0", "subject": SUBJECT, "audiences": [AUDIENCE], **changes}
    with pytest.raises(Unusable, match=says):
        create_federated(registry, Outbound(allow_custom=False), tenant_id, Terms(), OPERATOR, **given)
    assert registry.credentials.list(tenant_id) == []


def test_for_nobody(registry: Registry) -> None:
    with pytest.raises(StoreError, match="no such tenant"):
        create_federated(
            registry, OUTBOUND, str(uuid4()), Terms(), OPERATOR, issuer="https://idp.example/", subject=SUBJECT, audiences=[AUDIENCE]
        )
