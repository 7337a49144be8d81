"""Switching on the tokens of a tenant's directory, and whose they then are. What forged ones do is shown at the door (tests/http)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server import clock
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.errors import StoreError, Taken
from scim_server.store.registry import Credential, Registry
from scim_server.store.registry.grants import ACCESS, BEARER, CLIENT, Trust
from scim_server.tenancy import opaque
from scim_server.tenancy.credentials import SHARED_AUDIENCE, Terms, Unusable, create_entra
from scim_server.tenancy.entra_jwt import EntraTokens
from scim_server.tenancy.refusals import Unauthenticated
from scim_server.tenancy.trust import directory_of
from tests.jwt.forgeries import AUDIENCE
from tests.provider import SUBJECT, Directory
from tests.tenants import OPERATOR, fresh_scope

MICROSOFTS = Outbound(allow_custom=False)
ANYBODYS = Outbound(allow_custom=True)


@pytest.fixture(scope="module")
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture(scope="module")
def entra(registry: Registry) -> EntraTokens:
    return EntraTokens(registry, KeySets(ANYBODYS, 1000, 300))


@pytest.fixture
def tenant(engine: Engine) -> str:
    return fresh_scope(engine).tenant_id


@pytest.fixture
def other(engine: Engine) -> str:
    return fresh_scope(engine).tenant_id


def create(registry: Registry, tenant_id: str, outbound: Outbound = MICROSOFTS, **given: Any) -> Credential:
    return create_entra(registry, outbound, tenant_id, Terms(), OPERATOR, **given)


def trust(credential: Credential) -> Trust:
    assert credential.trust is not None
    return credential.trust


def refused(registry: Registry, tenant_id: str, outbound: Outbound = MICROSOFTS, **given: Any) -> str:
    """Why it cannot be; and then nothing has been made."""
    before = registry.credentials.list(tenant_id), registry.directories.list(tenant_id)
    with pytest.raises(Unusable) as fault:
        create(registry, tenant_id, outbound, **given)
    assert (registry.credentials.list(tenant_id), registry.directories.list(tenant_id)) == before
    return str(fault.value)


def test_the_defaults_are_microsofts(registry: Registry, tenant: str) -> None:
    tid = str(uuid4())
    made = create(registry, tenant, tid=f" {tid.upper()} ")
    (directory,) = registry.directories.list(tenant)
    assert (directory.cloud, directory.tid) == ("global", tid)
    keys = f"https://login.microsoftonline.com/{tid}/discovery/keys"
    assert made.trust == Trust(f"https://sts.windows.net/{tid}/", None, (SHARED_AUDIENCE,), keys, directory.id)
    assert (made.kind, made.tenant_id) == ("entra", tenant)


@pytest.mark.parametrize(
    ("issuer", "cloud"),
    [
        ("https://login.microsoftonline.com/{tid}/v2.0", "global"),
        ("https://sts.windows.net/{tid}/", "global"),
        ("https://login.microsoftonline.us/{tid}/v2.0", "us"),
        ("https://sts.chinacloudapi.cn/{tid}/", "china"),
        ("https://idp.example/x/{tid}", "custom"),
        ("http://127.0.0.1:8000/{tid}/", "custom"),
    ],
)
def test_an_issuer_says_in_which_cloud_the_directory_is(registry: Registry, tenant: str, issuer: str, cloud: str) -> None:
    tid = str(uuid4())
    made = create(registry, tenant, ANYBODYS, tid=tid, issuer=issuer.replace("{tid}", tid), audiences=["a", "b"])
    (directory,) = registry.directories.list(tenant)
    assert (directory.cloud, directory.tid) == (cloud, tid)
    assert (trust(made).directory_id, trust(made).audiences, trust(made).jwks_uri) == (directory.id, ("a", "b"), None)


def test_a_directory_that_the_tenant_has_already(registry: Registry, tenant: str) -> None:
    for cloud in ("global", "us"):
        tid = str(uuid4())
        directory_id = registry.directories.add(tenant, cloud, tid, OPERATOR)
        assert trust(create(registry, tenant, tid=tid)).directory_id == directory_id


@pytest.mark.parametrize("cloud", ["global", "us", "china", "custom"])
@pytest.mark.parametrize("issuer", [None, "https://sts.windows.net/{tid}/", "https://idp.example/{tid}/"])
def test_a_directory_of_another_tenant(registry: Registry, tenant: str, other: str, cloud: str, issuer: str | None) -> None:
    """In whatever cloud it is said to be, and whatever else is given with it."""
    tid = str(uuid4())
    registry.directories.add(other, cloud, tid, OPERATOR)
    names = {each.name for each in registry.tenants.list() if each.id == other}
    text = refused(registry, tenant, ANYBODYS, tid=tid, issuer=issuer and issuer.replace("{tid}", tid))
    assert "belongs to one tenant" in text
    assert other not in text
    assert not any(name in text for name in names)


def test_one_live_credential_for_an_issuer(registry: Registry, tenant: str, other: str) -> None:
    tid = str(uuid4())
    first = create(registry, tenant, tid=tid)
    assert "open a credential already" in refused(registry, tenant, tid=tid)
    assert "already" in refused(registry, other, tid=tid)
    registry.credentials.revoke(first.id, OPERATOR)
    assert create(registry, tenant, tid=tid).id != first.id
    assert "already" in refused(registry, other, tid=tid)


def test_an_expired_credential_keeps_its_issuer(registry: Registry, tenant: str, other: str) -> None:
    """Until it is revoked, which also happens when its directory becomes nobody's."""
    tid = str(uuid4())
    terms = Terms(expires=clock.now() - timedelta(days=1))
    expired = create_entra(registry, MICROSOFTS, tenant, terms, OPERATOR, tid=tid)
    (directory,) = registry.directories.list(tenant)
    assert "Revoke that one first" in refused(registry, tenant, tid=tid)
    assert registry.directories.remove(directory, OPERATOR)
    assert create(registry, other, tid=tid).tenant_id == other
    revoked = registry.credentials.get(expired.id)
    assert revoked is not None
    assert revoked.revoked is not None


def test_a_directory_goes_and_a_credential_comes_at_the_same_time(registry: Registry, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the act: then no credential is made."""
    tid = str(uuid4())
    directory_id = registry.directories.add(tenant, "global", tid, OPERATOR)
    create_credential = registry.credentials.create

    def too_late(*arguments: Any, **options: Any) -> Any:
        (directory,) = registry.directories.list(tenant)
        assert directory.id == directory_id
        assert registry.directories.remove(directory, OPERATOR)
        return create_credential(*arguments, **options)

    monkeypatch.setattr(registry.credentials, "create", too_late)
    with pytest.raises(Unusable, match="at the same time"):
        create_entra(registry, MICROSOFTS, tenant, Terms(), OPERATOR, tid=tid)
    assert registry.credentials.list(tenant) == []


def test_a_directory_stays_while_a_credential_names_it(registry: Registry, tenant: str) -> None:
    tid = str(uuid4())
    create(registry, tenant, tid=tid)
    (directory,) = registry.directories.list(tenant)
    with pytest.raises(Taken):
        registry.directories.remove(directory, OPERATOR)
    assert registry.directories.list(tenant) == [directory]


@pytest.mark.parametrize(
    ("cloud", "issuer", "keys"),
    [
        ("us", "https://sts.windows.net/{tid}/", "https://login.microsoftonline.us/{tid}/discovery/keys"),
        ("china", "https://sts.chinacloudapi.cn/{tid}/", "https://login.partner.microsoftonline.cn/{tid}/discovery/keys"),
    ],
)
def test_the_keys_are_those_of_the_directorys_cloud(registry: Registry, tenant: str, cloud: str, issuer: str, keys: str) -> None:
    tid = str(uuid4())
    registry.directories.add(tenant, cloud, tid, OPERATOR)
    trust = create(registry, tenant, tid=tid).trust
    assert trust is not None
    assert (trust.issuer, trust.jwks_uri) == (issuer.format(tid=tid), keys.format(tid=tid))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tid": ""}, "no directory id"),
        ({"tid": "contoso.onmicrosoft.com"}, "no directory id"),
        ({"tid": "{tid}x"}, "no directory id"),
        ({"tid": "common"}, "no directory id"),
        ({"tid": "9188040D-6c67-4c5b-b112-36a304b66dad"}, "personal"),
        ({"issuer": "https://sts.windows.net/common/"}, "part of its path"),
        ({"issuer": "https://sts.windows.net/{other}/"}, "part of its path"),
        ({"issuer": "https://sts.windows.net/{other}/{tid}/"}, "part of its path"),
        ({"issuer": "https://sts.windows.net/x{tid}/"}, "part of its path"),
        ({"issuer": "https://sts.windows.net/?{tid}"}, "no query"),
        ({"issuer": "https://idp.example/{tid}/"}, "ALLOW_CUSTOM_CLOUD"),
        ({"issuer": "http://127.0.0.1/{tid}/"}, "ALLOW_CUSTOM_CLOUD"),
        ({"jwks_uri": "https://idp.example/keys"}, "ALLOW_CUSTOM_CLOUD"),
        ({"audiences": ["a b"]}, "without a blank"),
    ],
)
def test_what_cannot_be_switched_on(registry: Registry, tenant: str, given: dict[str, Any], says: str) -> None:
    tid = str(uuid4())

    def full(value: Any) -> Any:
        return value.replace("{tid}", tid).replace("{other}", str(uuid4())) if isinstance(value, str) else value

    assert says in refused(registry, tenant, **{"tid": tid, **{name: full(value) for name, value in given.items()}})


def test_for_nobody(registry: Registry) -> None:
    tid = str(uuid4())
    with pytest.raises(StoreError, match="no such tenant"):
        create(registry, str(uuid4()), tid=tid)
    assert registry.directories.get(tid) is None


def test_what_may_be_such_a_token(entra: EntraTokens, directory: Directory) -> None:
    assert entra.possible(directory.token(AUDIENCE))
    assert entra.possible("..")
    for kind in (BEARER, CLIENT, ACCESS):
        assert not entra.possible(opaque.new(kind))
        assert not entra.possible(opaque.PREFIXES[kind] + "a.b.c")
    assert not entra.possible("a.b")


def test_the_tenant_follows_from_the_issuer(entra: EntraTokens, registry: Registry, tenant: str, directory: Directory) -> None:
    """Keys by metadata. Whoever of the directory it is about: the credential is the directory's."""
    made = create(registry, tenant, ANYBODYS, tid=directory.tid, issuer=directory.issuer)
    grant, claims = entra.grant(directory.token(SHARED_AUDIENCE))
    assert (grant.credential_id, grant.tenant_id, grant.kind) == (made.id, tenant, "entra")
    assert {"iss": directory.issuer, "tid": directory.tid, "aud": SHARED_AUDIENCE, "sub": SUBJECT}.items() <= claims.items()
    assert entra.grant(directory.sign(directory.claims(AUDIENCE, sub=None, oid=None)))[0].credential_id == made.id


def test_an_issuer_of_no_one_directory_opens_nothing(entra: EntraTokens, registry: Registry, tenant: str, directory: Directory) -> None:
    """Such a row cannot be made with what is above. If there is one all the same, it is of no use."""
    issuer = f"https://idp.example/{uuid4().hex}"
    named = registry.directories.add(tenant, "custom", directory.tid, OPERATOR)
    trusted = Trust(issuer, None, (AUDIENCE,), directory.jwks_uri, named)
    registry.credentials.create(tenant, "entra", OPERATOR, label="", scopes=frozenset(), expires=None, trust=trusted)
    with pytest.raises(Unauthenticated, match="an issuer of no one directory"):
        entra.grant(directory.sign(directory.claims(AUDIENCE, iss=issuer)))


@pytest.mark.parametrize(
    ("issuer", "tid"),
    [
        ("https://sts.windows.net/c86f3d4d-87ab-4d5c-b0fd-d36067f400e2/", "c86f3d4d-87ab-4d5c-b0fd-d36067f400e2"),
        ("https://idp.example/x/c86f3d4d-87ab-4d5c-b0fd-d36067f400e2/v2.0", "c86f3d4d-87ab-4d5c-b0fd-d36067f400e2"),
        ("https://c86f3d4d-87ab-4d5c-b0fd-d36067f400e2/", None),
        ("https://idp.example/?c86f3d4d-87ab-4d5c-b0fd-d36067f400e2", None),
        ("https://idp.example/C86F3D4D-87ab-4d5c-b0fd-d36067f400e2/", None),
        ("https://idp.example", None),
        ("", None),
    ],
)
def test_the_directory_that_an_issuer_names(issuer: str, tid: str | None) -> None:
    assert directory_of(issuer) == tid
