"""An issuer that shares no code with us: npm's oidc-provider, a certified OpenID provider, in a process of its own.

A test module that wants one takes over the fixtures and asks for ``directory``: one with keys of its own, that no other
test has. What its token endpoint gives out is made by the provider; ``sign`` makes what no provider would, with
the same keys.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

SUBJECT = "5b1bbb4e-04e1-4d6c-a7a9-0a3c5a1f1f6b"
"""Of every token: the client of the provider."""

FOLDER = Path(__file__).parent / "jwt" / "provider"
_CLIENT = {"client_id": SUBJECT, "client_secret": "a-secret-of-the-tests-and-of-nothing-else"}
_INSTALL_LIMIT_S = 100


class NoProvider(Exception):
    """It cannot be had on this machine."""


class Directory:
    """A directory of the provider's: an issuer with keys of its own."""

    def __init__(self, base: str, tid: str) -> None:
        self._control = f"{base}/control/{tid}"
        self.tid = tid
        self.issuer = f"{base}/{tid}"
        self.jwks_uri = f"{self.issuer}/jwks"

    def token(self, audience: str) -> str:
        """What the provider's own token endpoint gives out."""
        form = {"grant_type": "client_credentials", "resource": f"urn:audience:{audience}", **_CLIENT}
        return str(_json(requests.post(f"{self.issuer}/token", data=form, timeout=10))["access_token"])

    def claims(self, audience: Any, **changes: Any) -> dict[str, Any]:
        """Those of a token that is good now, changed; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": audience,
            "tid": self.tid,
            "sub": SUBJECT,
            "oid": SUBJECT,
            "appid": SUBJECT,
            "uti": uuid4().hex[:22],
            "iat": now,
            "nbf": now,
            "exp": now + 3900,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: str = "current") -> str:
        """Exactly these claims under RS256; a member of the header that is None is left out."""
        return str(self._do("sign", claims=claims, header=header or {}, key=key)["token"])

    def rotate(self) -> None:
        """Another key signs from now on; the one before is still published."""
        self._do("rotate")

    def withdraw(self) -> None:
        """Only the key that signs is published from now on."""
        self._do("withdraw")

    def publish(self, **members: Any) -> None:
        """Every published key has these members besides its own."""
        self._do("publish", **members)

    def jwks(self) -> dict[str, Any]:
        return _json(requests.get(self.jwks_uri, timeout=10))

    def _do(self, what: str, **arguments: Any) -> dict[str, Any]:
        return _json(requests.post(f"{self._control}/{what}", json=arguments, timeout=10))


NewDirectory = Callable[[], Directory]


@pytest.fixture(scope="session")
def new_directory() -> Iterator[NewDirectory]:
    """Makes directories that nobody else has."""
    with running("provider.mjs") as base:
        yield lambda: Directory(base, str(uuid4()))


@pytest.fixture
def directory(new_directory: NewDirectory) -> Directory:
    return new_directory()


@contextmanager
def running(program: str) -> Iterator[str]:
    """What this program of ``FOLDER`` prints when it has started. Skips where it cannot be had; fails there in CI.

    ``PROVIDER_LOG`` names a file for what it complains of.
    """
    try:
        install()
    except NoProvider as missing:
        if os.environ.get("CI"):
            pytest.fail(f"What signs people in, and signs tokens, in the tests is not here: {missing}")
        pytest.skip(f"NOT TESTED AGAINST AN INDEPENDENT PROVIDER: {missing}")
    pipe = subprocess.PIPE
    with (
        open(os.environ.get("PROVIDER_LOG", os.devnull), "a") as log,
        subprocess.Popen(["node", program], cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        assert told, f"{program} did not start"
        try:
            yield told
        finally:
            process.kill()


def install() -> None:
    """What package-lock.json names, once for all who run tests in this tree."""
    for needed in ("node", "npm"):
        if shutil.which(needed) is None:
            raise NoProvider(f"there is no {needed}")
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    modules = FOLDER / "node_modules"
    modules.mkdir(exist_ok=True)
    with (FOLDER / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = modules / ".installed"
        if installed.exists() and installed.read_text() == wanted:
            return
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=_INSTALL_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise NoProvider(f"npm ci did not end in {_INSTALL_LIMIT_S} s") from None
        if done.returncode:
            raise NoProvider(f"npm ci failed: {done.stderr.strip()[-500:]}")
        installed.write_text(wanted)


def _json(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document
