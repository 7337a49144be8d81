"""The key ring: what it encrypts and for where, keys that change while it is used, keys that are lost."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from scim_server import log
from scim_server.config import Settings
from scim_server.events import SERVER, Principal, Scope
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.registry import Registry, Sealed
from scim_server.store.unit import Store
from scim_server.tenancy import keys
from scim_server.tenancy.keys import KeyFileUnusable, KeyMissing, KeyRing, NoKeys, Unopenable, generate, key_id
from tests.conftest import Databases
from tests.tenants import OPERATOR

OLD, NEW, OTHER = generate(), generate(), generate()
PLACE = (str(uuid4()), str(uuid4()), "client_secret")


@pytest.fixture(autouse=True)
def _log() -> None:
    log.configure("INFO")


def nothing_sealed() -> dict[str, int]:
    return {}


def ring(*given: str) -> KeyRing:
    return KeyRing(nothing_sealed, given)


def from_file(file: Path, *lines: str) -> KeyRing:
    write(file, *lines)
    return KeyRing(nothing_sealed, file=file)


def write(file: Path, *lines: str) -> None:
    file.touch(mode=0o600)
    file.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("value", ["", "s3cret", "Grüße \N{GRINNING FACE} \x00\n", "x" * keys.MAX_VALUE])
def test_what_is_sealed_opens_at_its_place(value: str) -> None:
    sealed = ring(OLD).seal(*PLACE, value)
    assert (sealed.tenant_id, sealed.owner_id, sealed.name) == PLACE
    assert value[:6] == "" or value[:6] not in sealed.ciphertext
    assert ring(OLD).open(sealed) == value


def test_a_secret_has_a_longest_length() -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        ring(OLD).seal(*PLACE, "ä" * keys.MAX_VALUE)


@pytest.mark.parametrize(
    "moved",
    [
        {"tenant_id": str(uuid4())},
        {"owner_id": str(uuid4())},
        {"name": "refresh_token"},
        {"ciphertext": ring(OTHER).seal(*PLACE, "s3cret").ciphertext},
        {"ciphertext": "gAAAAA"},
        {"ciphertext": ""},
    ],
)
def test_what_was_moved_or_altered_does_not_open(moved: dict[str, str]) -> None:
    sealed = dataclasses.replace(ring(OLD).seal(*PLACE, "s3cret"), **moved)
    with pytest.raises(Unopenable) as refused:
        ring(OLD).open(sealed)
    assert sealed.owner_id in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old = ring(OLD).seal(*PLACE, "old")
    both = ring(NEW, OLD)
    assert both.key_ids() == (key_id(NEW), key_id(OLD))
    assert both.open(old) == "old"
    assert both.seal(*PLACE, "new").key_id == key_id(NEW)
    with pytest.raises(KeyMissing) as missing:
        ring(NEW).open(old)
    assert key_id(OLD) in str(missing.value)
    assert "SECRET_KEYS" in str(missing.value)


def test_a_keys_id_tells_nothing_of_the_key() -> None:
    assert key_id(OLD) == hashlib.sha256(urlsafe_b64decode(OLD)).hexdigest()[:12]


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(NoKeys, match=r"neither it nor SECRET_KEYS_FILE is set(.|\n)*scim-server keys generate"):
        ring().seal(*PLACE, "s3cret")
    assert ring().key_ids() == ()


def test_a_file_has_a_key_a_line(tmp_path: Path) -> None:
    keyring = from_file(tmp_path / "keys", "# from the vault", "", f"  {NEW}  # since May", "   ", OLD, OLD)
    assert keyring.key_ids() == (key_id(NEW), key_id(OLD))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([OLD, OLD[:-3]], "line 2"),
        ([f"{OLD},{NEW}"], "line 1"),
        ([OLD] * (keys.MOST_KEYS + 1), "101 keys"),
        (["# " + "x" * 70_000], "something else than keys"),
        (["Schlüssel"], "something else than keys"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(KeyFileUnusable, match=told) as refused:
        from_file(tmp_path / "keys", *lines).key_ids()
    assert OLD[:-3] not in str(refused.value)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    node = from_file(file, OLD)
    assert node.seal(*PLACE, "s3cret").key_id == key_id(OLD)
    assert keys.put_first(file, NEW) == 1
    assert node.seal(*PLACE, "s3cret").key_id == key_id(NEW)
    assert node.open(ring(OLD).seal(*PLACE, "old")) == "old"
    write(file, NEW)
    with pytest.raises(KeyMissing):
        node.open(ring(OLD).seal(*PLACE, "old"))


def test_a_file_that_went_bad_leaves_the_keys_as_they_were(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys"
    node = from_file(file, OLD)
    node.key_ids()
    harms: list[Callable[[], None]] = [lambda: write(file, "rubbish"), file.unlink]
    for harm in harms:
        harm()
        for _ in range(3):
            assert node.open(node.seal(*PLACE, "s3cret")) == "s3cret"
        assert capsys.readouterr().err.count("keys_not_read_again") == 1
    write(file, NEW)
    assert node.key_ids() == (key_id(NEW),)


def test_a_file_that_others_can_get_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keyring = from_file(tmp_path / "keys", OLD)
    os.chmod(tmp_path / "keys", 0o644)
    assert keyring.key_ids() == (key_id(OLD),)
    assert "keys_readable_by_everybody" in capsys.readouterr().err
    os.chmod(tmp_path / "keys", 0o622)
    with pytest.raises(KeyFileUnusable, match="Everybody may write"):
        from_file(tmp_path / "keys", OLD).key_ids()


def test_a_folder_is_no_file_of_keys(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match="cannot be read"):
        KeyRing(nothing_sealed, file=tmp_path).key_ids()
    with pytest.raises(KeyFileUnusable, match="cannot be"):
        keys.put_first(tmp_path, NEW)
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileUnusable, match="cannot be written"):
        keys.put_first(tmp_path / "file" / "keys", NEW)


def test_a_file_keeps_what_else_is_in_it_and_its_rights(tmp_path: Path) -> None:
    file, link = tmp_path / "keys", tmp_path / "link"
    write(file, "# from the vault", OLD)
    os.chmod(file, 0o640)
    link.symlink_to(file)
    keys.put_first(link, NEW)
    assert file.read_text().splitlines() == [NEW, "# from the vault", OLD]
    assert file.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_a_failed_write_leaves_the_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    write(file, OLD)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scim_server.tenancy.key_files.os.fsync", full)
    with pytest.raises(KeyFileUnusable, match="No space left"):
        keys.put_first(file, NEW)
    assert file.read_text() == f"{OLD}\n"
    assert list(tmp_path.iterdir()) == [file]


# With a database


@pytest.fixture
def url(databases: Databases) -> str:
    return databases.migrated()


@pytest.fixture
def own_engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, pool_size=4, role=ROLE)
    yield engine
    engine.dispose()


@pytest.fixture
def registry(own_engine: Engine) -> Registry:
    return Registry(own_engine)


@pytest.fixture
def tenant_id(registry: Registry) -> str:
    return registry.tenants.create("Contoso", OPERATOR, "entra").id


def store_secret(registry: Registry, keyring: KeyRing, tenant_id: str, value: str) -> str:
    """The owner of a new secret."""
    seal = lambda owner_id: keyring.seal(tenant_id, owner_id, "client_secret", value)  # noqa: E731
    return registry.directories.add(tenant_id, "custom", str(uuid4()), OPERATOR, seal=seal)


def _given(sealed: Sealed, owner_id: str) -> Sealed:
    assert sealed.owner_id == owner_id
    return sealed


def stored(registry: Registry, tenant_id: str, owner_id: str) -> Sealed:
    sealed = registry.sealed.get(tenant_id, owner_id, "client_secret")
    assert sealed is not None
    return sealed


def with_keys(registry: Registry, *given: str) -> KeyRing:
    return KeyRing(registry.sealed.counts, given)


def server_log(engine: Engine) -> list[tuple[str, object]]:
    with Store(engine, "https://scim.example").read(Scope(SERVER, Principal("operator", "reader"), "")) as unit:
        return [(each.tag, each.data) for each in unit.events.list(10)]


def settings(url: str, folder: Path, **given: object) -> Settings:
    return Settings(database_url=url, data_dir=folder, **given)  # type: ignore[arg-type]


def test_the_embedded_database_has_its_key_made_once(registry: Registry, tenant_id: str, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    rings = [KeyRing.of(settings(url, folder), registry) for _ in range(8)]
    assert [each.key_ids() for each in rings] == [()] * 8
    assert not folder.exists()
    if url.startswith("postgresql"):
        with pytest.raises(NoKeys, match="keys generate --file"):
            rings[0].encrypting()
        assert not folder.exists()
        return
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(KeyRing.encrypting, rings))
    assert len(ids) == 1
    assert [path.name for path in folder.iterdir()] == ["secret.keys"]
    assert {path.stat().st_mode & 0o077 for path in (folder, folder / "secret.keys")} == {0}
    owner = store_secret(registry, rings[0], tenant_id, "s3cret")
    assert rings[7].open(stored(registry, tenant_id, owner)) == "s3cret"


def test_a_key_that_is_gone_is_never_made_anew(registry: Registry, tenant_id: str, url: str, tmp_path: Path) -> None:
    store_secret(registry, with_keys(registry, OLD), tenant_id, "s3cret")
    keyring = KeyRing.of(settings(url, tmp_path), registry)
    for use in (keyring.check, keyring.encrypting):
        with pytest.raises((KeyMissing, NoKeys)) as refused:
            use()
        assert "generate" in str(refused.value)
        if url.startswith("sqlite"):
            assert f"1 secret is encrypted under key {key_id(OLD)}" in str(refused.value)
            assert "which is not there" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_named_is_not_made(registry: Registry, url: str, tmp_path: Path) -> None:
    with pytest.raises(NoKeys, match="which is not there"):
        KeyRing.of(settings(url, tmp_path, secret_keys_file=tmp_path / "keys"), registry).encrypting()
    assert list(tmp_path.iterdir()) == []


def test_keys_in_the_environment_come_before_a_file(registry: Registry, url: str, tmp_path: Path) -> None:
    write(tmp_path / "keys", OLD)
    both = settings(url, tmp_path, secret_keys=NEW, secret_keys_file=tmp_path / "keys")
    assert KeyRing.of(both, registry).key_ids() == (key_id(NEW),)


def test_every_secret_must_have_its_key(registry: Registry, tenant_id: str, tmp_path: Path) -> None:
    KeyRing(registry.sealed.counts, file=tmp_path).check()  # no secret, no key: it is not even looked at
    for key in (OLD, OLD, NEW):
        store_secret(registry, with_keys(registry, key), tenant_id, "s3cret")
    with_keys(registry, OTHER, NEW, OLD).check()
    with pytest.raises(KeyMissing) as missing:
        with_keys(registry, OTHER, NEW).check()
    assert missing.value.missing == {key_id(OLD): 2}
    assert f"2 secrets are encrypted under key {key_id(OLD)}" in str(missing.value)
    with pytest.raises(KeyMissing) as at_use:
        with_keys(registry, NEW).open(registry.sealed.not_under(key_id(NEW), 1)[0])
    assert at_use.value.missing == {key_id(OLD): 2}


def test_rotation_goes_on_while_others_write(
    registry: Registry, tenant_id: str, own_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stores other secrets all the while. None of his is lost, and at the end all are under the first key."""
    monkeypatch.setattr(keys, "_BATCH", 7)
    both = with_keys(registry, NEW, OLD)
    values = {store_secret(registry, with_keys(registry, OLD), tenant_id, f"value {number}"): f"value {number}" for number in range(40)}
    directories = {each.id: each for each in registry.directories.list(tenant_id)}
    ready, stop = threading.Event(), threading.Event()

    def keep_writing() -> int:
        written = 0
        while not stop.is_set():
            for owner in [*values][::3]:
                value = f"written {written}"
                sealed = both.seal(tenant_id, owner, "client_secret", value)
                registry.directories.change(directories[owner], OPERATOR, seal=partial(_given, sealed))
                values[owner] = value
                written += 1
                ready.set()
        return written

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(keep_writing)
        ready.wait(10)
        rotation = both.rotate(registry.sealed, OPERATOR, lambda _done, _total: None)
        stop.set()
        assert writer.result() > 0
    assert (rotation.key_id, rotation.unopenable, rotation.again) == (key_id(NEW), (), 0)
    assert 0 < rotation.secrets <= 40
    assert registry.sealed.counts() == {key_id(NEW): 40}
    only_new = with_keys(registry, NEW)
    assert {owner: only_new.open(stored(registry, tenant_id, owner)) for owner in values} == values
    assert server_log(own_engine) == [("operator:keys:rotated", {"secrets": rotation.secrets, "key_id": key_id(NEW)})]


def test_rotation_can_be_stopped_and_run_again(
    registry: Registry, tenant_id: str, own_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_BATCH", 5)
    for number in range(12):
        store_secret(registry, with_keys(registry, OLD), tenant_id, str(number))
    both = with_keys(registry, NEW, OLD)

    def interrupted(done: int, total: int) -> None:
        assert (done, total) == (5, 12)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        both.rotate(registry.sealed, OPERATOR, interrupted)
    assert registry.sealed.counts() == {key_id(NEW): 5, key_id(OLD): 7}
    told: list[tuple[int, int]] = []
    assert both.rotate(registry.sealed, OPERATOR, lambda *progress: told.append(progress)).secrets == 7
    assert told == [(5, 7), (7, 7)]
    assert both.rotate(registry.sealed, OPERATOR, lambda *_progress: None).secrets == 0
    assert [data for _, data in server_log(own_engine)] == [{"secrets": each, "key_id": key_id(NEW)} for each in (7, 5)]


def test_rotation_leaves_what_it_cannot_open(registry: Registry, tenant_id: str, own_engine: Engine) -> None:
    old, both = with_keys(registry, OLD), with_keys(registry, NEW, OLD)
    good, bad = (store_secret(registry, old, tenant_id, "s3cret") for _ in range(2))
    with own_engine.begin() as connection:
        connection.execute(text("UPDATE sealed SET ciphertext = 'gAAAAA' WHERE owner_id = :owner"), {"owner": bad})
    rotation = both.rotate(registry.sealed, OPERATOR, lambda *_progress: None)
    assert rotation.secrets == 1
    assert [each.owner_id for each in rotation.unopenable] == [bad]
    assert both.open(stored(registry, tenant_id, good)) == "s3cret"


def test_rotation_does_not_run_after_a_node_that_has_another_key_first(registry: Registry, tenant_id: str) -> None:
    """It would never end."""
    old, both = with_keys(registry, OLD), with_keys(registry, NEW, OLD)
    owner = store_secret(registry, old, tenant_id, "s3cret")
    (directory,) = registry.directories.list(tenant_id)

    def put_back(_done: int, _total: int) -> None:
        registry.directories.change(directory, OPERATOR, seal=lambda owner_id: old.seal(tenant_id, owner_id, "client_secret", "later"))

    rotation = both.rotate(registry.sealed, OPERATOR, put_back)
    assert (rotation.secrets, rotation.again) == (1, 1)
    assert both.open(stored(registry, tenant_id, owner)) == "later"


def test_rotation_needs_every_key(registry: Registry, tenant_id: str) -> None:
    for key in (OLD, OTHER):
        store_secret(registry, with_keys(registry, key), tenant_id, "s3cret")
    with pytest.raises(KeyMissing, match=key_id(OTHER)):
        with_keys(registry, NEW, OLD).rotate(registry.sealed, OPERATOR, lambda *_progress: None)
    assert registry.sealed.counts() == {key_id(OLD): 1, key_id(OTHER): 1}


def test_there_may_be_nothing_to_rotate(registry: Registry, own_engine: Engine) -> None:
    for keyring in (with_keys(registry), with_keys(registry, NEW)):
        assert keyring.rotate(registry.sealed, OPERATOR, lambda *_progress: None).secrets == 0
    assert server_log(own_engine) == []
