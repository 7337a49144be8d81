"""Directories of tenants: what may be one, whose it is, and the secret of our registration there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scim_server import clock
from scim_server.events import Principal, Scope
from scim_server.outbound import Outbound
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Directory, Registry
from scim_server.store.registry.grants import Trust
from scim_server.store.unit import Store
from scim_server.tenancy.clouds import Unusable, cloud_of, discovery_url, parse_tid
from scim_server.tenancy.directories import ClientSecret, Directories, InUse, Registration
from scim_server.tenancy.keys import KeyRing, NoKeys, generate
from tests.conftest import Databases
from tests.tenants import BASE_URL, OPERATOR

KEY = generate()
CLIENT = "6731de76-14a6-49ae-97bc-6eba6914391e"
OTHER_CLIENT = "11112222-bbbb-3333-cccc-4444dddd5555"
CUSTOM: dict[str, Any] = {"authority": "https://login.test.example/base/", "graph": "http://127.0.0.1:8080"}


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[Engine]:
    """Of a database of its own: secrets are stored in it under a key that no server has."""
    engine = create_engine(databases.migrated(), pool_size=4, role=ROLE)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def store(engine: Engine) -> Store:
    return Store(engine, BASE_URL)


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture
def tenant(registry: Registry) -> str:
    return registry.tenants.create(f"tenant {uuid4()}", OPERATOR, "entra").id


@pytest.fixture
def other(registry: Registry) -> str:
    return registry.tenants.create(f"somebody else {uuid4()}", OPERATOR, "entra").id


def directories(registry: Registry, *, allow_custom: bool = True, keys: tuple[str, ...] = (KEY,)) -> Directories:
    return Directories(registry, KeyRing(registry.sealed.counts, keys), Outbound(allow_custom), allow_custom=allow_custom)


def add(registry: Registry, tenant: str, tid: str, cloud: str = "global", **given: Any) -> Directory:
    return directories(registry).add(tenant, cloud, tid, Registration(**given), OPERATOR)[0]


def log_of(store: Store, tenant: str) -> list[tuple[str, Any]]:
    with store.read(Scope(tenant, Principal("operator", "reader"), "")) as unit:
        return [(each.tag.removeprefix("operator:"), each.data) for each in unit.events.list(20)]


def test_a_directory_id_is_a_guid() -> None:
    assert parse_tid(" 72F988BF-86F1-41AF-91AB-2D7CD011DB47\n") == "72f988bf-86f1-41af-91ab-2d7cd011db47"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("contoso.onmicrosoft.com", "GUID"),
        ("common", "GUID"),
        ("", "GUID"),
        ("{72f988bf-86f1-41af-91ab-2d7cd011db47}", "GUID"),
        ("72f988bf86f141af91ab2d7cd011db47", "GUID"),
        ("x" * 10_000, "GUID"),
        ("9188040D-6c67-4c5b-b112-36a304b66dad", "personal"),
    ],
)
def test_what_is_no_customers_directory_is_refused(text: str, told: str) -> None:
    with pytest.raises(Unusable, match=told) as refused:
        parse_tid(text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("cloud", "authority", "graph"),
    [
        ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("us", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
        ("custom", "https://login.test.example/base", "http://127.0.0.1:8080"),
    ],
)
def test_every_cloud_has_its_addresses(registry: Registry, tenant: str, cloud: str, authority: str, graph: str) -> None:
    tid = str(uuid4())
    added = add(registry, tenant, tid.upper(), cloud, **(CUSTOM if cloud == "custom" else {}))
    assert (added.cloud, added.tid, added.tenant_id) == (cloud, tid, tenant)
    assert (cloud_of(added).authority, cloud_of(added).graph) == (authority, graph)
    assert discovery_url(added) == f"{authority}/{tid}/v2.0/.well-known/openid-configuration"
    assert registry.directories.list(tenant) == [added]


@pytest.mark.parametrize(
    ("cloud", "given", "told"),
    [
        ("global", {"authority": "https://login.microsoftonline.com"}, "of its own"),
        ("global", {"graph": "https://graph.microsoft.com"}, "of its own"),
        ("global", {"label": "x" * 101}, "100 printable"),
        ("global", {"label": "a\nb"}, "100 printable"),
        ("global", {"client_id": "an app"}, "no client id"),
        ("global", {"client_secret": "s3cret"}, "without the client id"),
        ("global", {"client_id": CLIENT, "client_secret": ""}, "1 to 4096"),
        ("global", {"client_id": CLIENT, "client_secret": "zwei Wörter"}, "1 to 4096"),
        ("global", {"client_id": CLIENT, "client_secret": "x" * 4097}, "1 to 4096"),
        ("custom", {}, "both its base URLs"),
        ("custom", {"authority": CUSTOM["authority"]}, "both its base URLs"),
        ("custom", {**CUSTOM, "authority": "http://login.test.example"}, "neither https nor on this machine"),
        ("custom", {**CUSTOM, "graph": "https://user:hunter2@graph.example"}, "user name"),
        ("custom", {**CUSTOM, "graph": "https://graph.example/?x=1"}, "no query"),
        ("custom", {**CUSTOM, "graph": "graph.example"}, "no absolute URL"),
        ("custom", {**CUSTOM, "client_id": "x" * 256}, "1 to 255"),
        ("custom", {**CUSTOM, "client_id": ""}, "1 to 255"),
    ],
)
def test_what_cannot_be_is_refused(registry: Registry, tenant: str, cloud: str, given: dict[str, str], told: str) -> None:
    with pytest.raises(Unusable, match=told) as refused:
        add(registry, tenant, str(uuid4()), cloud, **given)
    assert "hunter2" not in str(refused.value)
    assert not (given.get("client_secret") and given["client_secret"] in str(refused.value))
    assert registry.directories.list(tenant) == []


def test_a_custom_cloud_must_be_allowed(registry: Registry, tenant: str) -> None:
    for given in (Registration(**CUSTOM), Registration()):
        with pytest.raises(Unusable, match="ALLOW_CUSTOM_CLOUD"):
            directories(registry, allow_custom=False).add(tenant, "custom", str(uuid4()), given, OPERATOR)


def test_a_directory_belongs_to_one_tenant_in_whatever_cloud(registry: Registry, tenant: str, other: str) -> None:
    tid = str(uuid4())
    add(registry, other, tid)
    for cloud in ("global", "us", "custom"):
        with pytest.raises(Unusable, match="another tenant's already") as refused:
            add(registry, tenant, tid, cloud, **(CUSTOM if cloud == "custom" else {}))
        assert "somebody else" not in str(refused.value)
    assert registry.directories.list(tenant) == []


def test_the_secret_is_sealed_with_the_directory(registry: Registry, tenant: str) -> None:
    added = add(registry, tenant, str(uuid4()), client_id=CLIENT.upper(), client_secret="s3cret")
    assert added.client_id == CLIENT
    assert directories(registry).credential(added) == ClientSecret("s3cret")
    stored = registry.sealed.get(tenant, added.id, "client_secret")
    assert stored is not None
    assert "s3cret" not in stored.ciphertext
    assert "s3cret" not in repr(Registration(client_secret="s3cret"))


def test_without_a_key_nothing_is_added(registry: Registry, tenant: str) -> None:
    with pytest.raises(NoKeys):
        directories(registry, keys=()).add(tenant, "global", str(uuid4()), Registration(client_id=CLIENT, client_secret="x"), OPERATOR)
    assert registry.directories.list(tenant) == []
    added, _ = directories(registry, keys=()).add(tenant, "global", str(uuid4()), Registration(client_id=CLIENT), OPERATOR)
    assert not directories(registry).has_credential(added)
    assert directories(registry).credential(added) is None


def test_what_was_added_can_be_changed(registry: Registry, tenant: str, store: Store) -> None:
    tid = str(uuid4())
    first = add(registry, tenant, tid, label="Staff")
    with pytest.raises(Unusable, match="nothing to change"):
        add(registry, tenant, tid, label="Staff")
    changed = add(registry, tenant, tid, client_id=CLIENT, client_secret="one")
    assert (changed.id, changed.label, changed.client_id) == (first.id, "Staff", CLIENT)
    again = add(registry, tenant, tid, client_secret="two")
    assert directories(registry).credential(again) == ClientSecret("two")
    other_client = add(registry, tenant, tid, client_id=OTHER_CLIENT)
    assert directories(registry).credential(other_client) is None
    told = log_of(store, tenant)
    assert [tag for tag, _ in told][:4] == ["directory:changed"] * 3 + ["directory:added"]
    assert told[2][1] == {"changes": [{"path": "client_id", "old": None, "new": CLIENT}], "secret": True}
    assert told[1][1] == {"changes": [], "secret": True}
    assert not any(secret in str(told) for secret in ("'one'", "'two'"))


def test_a_directory_that_a_live_credential_trusts_stays(registry: Registry, tenant: str, other: str, store: Store) -> None:
    added = add(registry, tenant, str(uuid4()), client_id=CLIENT, client_secret="s3cret")
    trust = Trust(f"https://sts.windows.net/{added.tid}/", None, ("a",), None, added.id)
    live, expired = (
        registry.credentials.create(tenant, "entra", OPERATOR, label="", scopes=frozenset(), expires=expires, trust=each)
        for expires, each in ((None, trust), (clock.now(), Trust("https://sts.windows.net/x/", None, ("a",), None, added.id)))
    )
    with pytest.raises(InUse) as refused:
        directories(registry).remove(added, OPERATOR)
    assert [each.id for each in refused.value.credentials] == [live.id]
    assert expired.id != live.id
    registry.credentials.revoke(live.id, OPERATOR)
    assert directories(registry).remove(added, OPERATOR)
    assert not directories(registry).remove(added, OPERATOR)
    assert not directories(registry).has_credential(added)
    assert log_of(store, tenant)[0] == ("directory:removed", {"cloud": "global", "tid": added.tid})
    assert add(registry, other, added.tid).tenant_id == other


def test_whose_it_is_may_change_at_the_same_time(registry: Registry, tenant: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the act somebody else is quicker: the database sees to it, and the answer says so."""
    tid = str(uuid4())
    get = registry.directories.get

    def too_late(tid: str) -> Directory | None:
        found = get(tid)
        if found is None:
            registry.directories.add(other, "global", tid, OPERATOR)
        return found

    monkeypatch.setattr(registry.directories, "get", too_late)
    with pytest.raises(Unusable, match="at the same time"):
        add(registry, tenant, tid)
    monkeypatch.undo()
    mine = add(registry, tenant, str(uuid4()))

    def gone(tid: str) -> Directory | None:
        found = get(tid)
        if found is not None:
            registry.directories.remove(found, OPERATOR)
        return found

    monkeypatch.setattr(registry.directories, "get", gone)
    with pytest.raises(Unusable, match="at the same time"):
        add(registry, tenant, mine.tid, label="Staff")
