"""Microsoft Entra ID as far as sign-in goes: npm's oidc-provider, a certified OpenID provider that shares no code with us, dressed as it.

A test asks for ``entra``: a directory that no other test has, with keys, people and applications of its own. What it does wrong it does
because a test says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.provider import running

SECRET = "a+secret/with%every&thing=~of.the.tests"
"""Of every application that has one. A secret may hold any of these."""


class EntraDirectory:
    """A directory: its ``tid``; ``authority`` and ``graph`` as a custom cloud has them."""

    def __init__(self, base: str, tid: str) -> None:
        self._control = f"{base}/control/{tid}"
        self.tid = tid
        self.authority = base
        self.graph = f"{base}/graph/{tid}"
        self.issuer = f"{base}/{tid}/v2.0"
        self.client_id = str(uuid4())

    def register(self, public_url: str, **changes: Any) -> None:
        """Our application there, with a client secret unless ``changes`` say otherwise (members of RFC 7591 §2)."""
        client = {
            "client_id": self.client_id,
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_post",
            "redirect_uris": [public_url + "/callback"],
            "post_logout_redirect_uris": [public_url + "/signed-out"],
            **changes,
        }
        self._do("client", **{name: value for name, value in client.items() if value is not None})

    def person(self, login: str, **about: Any) -> dict[str, Any]:
        """Somebody of the directory, new or changed: groups, overage, silent (no groups in the token), upn, email, acct, claims, state."""
        return self._do("person", login=login, **about)

    def disable(self, login: str) -> None:
        self.person(login, state="disabled")

    def delete(self, login: str) -> None:
        self.person(login, state="deleted")

    def enable(self, login: str) -> None:
        self.person(login, state=None)

    def fault(self, name: str | None, other_tid: str | None = None) -> None:
        """Every ID token has this fault from now on; None: no more."""
        self._do("fault", name=name, other_tid=other_tid)

    def callback(self, **parameters: str | None) -> None:
        """What the browser brings back has these parameters; None leaves one out."""
        self._do("callback", **parameters)

    def token_error(self, error: str | None, *codes: int, status: int = 400, **more: Any) -> None:
        """The token endpoint answers so from now on; None: no more."""
        if error is None:
            self._do("token_error")
        else:
            self._do("token_error", error=error, codes=list(codes), status=status, **more)

    def outage(self, **modes: str) -> None:
        """token, keys, metadata: reset, unavailable or hang; all are there again where none is named."""
        self._do("outage", **modes)

    def document(self, **members: Any) -> None:
        """The metadata has these members."""
        self._do("document", **members)

    def graph_double(self, **changes: Any) -> None:
        """page: entries of one; throttle: so many are answered 429, with ``wait``; status: what is answered; next: where more is."""
        self._do("graph_double", **changes)

    def rotate(self) -> None:
        """Another key signs from now on; the one before is still published."""
        self._do("rotate")

    def withdraw(self) -> None:
        """Only the key that signs is published from now on."""
        self._do("withdraw")

    def publish(self, **members: Any) -> None:
        """Every published key has these members."""
        self._do("publish", **members)

    @property
    def seen(self) -> dict[str, Any]:
        """What was asked: token, graph, logout, trap, assertion."""
        return self._do("records")

    def _do(self, what: str, **arguments: Any) -> dict[str, Any]:
        answer = requests.post(f"{self._control}/{what}", json=arguments, timeout=10)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


NewEntra = Callable[[], EntraDirectory]


@pytest.fixture(scope="session")
def new_entra() -> Iterator[NewEntra]:
    """Makes directories that nobody else has."""
    with running("entra.mjs") as base:
        yield lambda: EntraDirectory(base, str(uuid4()))


@pytest.fixture
def entra(new_entra: NewEntra) -> EntraDirectory:
    return new_entra()
