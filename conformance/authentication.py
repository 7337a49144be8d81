"""The four ways to authenticate, as options of a command: which need what, and how a credential for each is made."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from conformance.bearer import Secret, Source

if TYPE_CHECKING:
    from conformance.issuer import Issuer

Way = Literal["secret", "client", "federated", "entra"]

_WHAT = {
    "secret": "a token that was pasted",
    "client": "OAuth 2.0 client credentials",
    "federated": "a client assertion (workload identity federation)",
    "entra": "the directory's own token",
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "secret": ("token",),
    "client": ("token_url", "client_id", "client_secret"),
    "federated": ("token_url", "client_id", "issuer_port", "tid", "subject", "audience"),
    "entra": ("issuer_port", "tid"),
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "secret": (),
    "client": ("client_secret_file", "client_auth", "scope"),
    "federated": ("issuer_key", "scope"),
    "entra": ("issuer_key", "subject", "audience"),
}
_FROM_ENVIRONMENT = {"token": "SCIM_TOKEN", "client_secret": "SCIM_CLIENT_SECRET"}
_SECRET = ("token", "client_secret")
_LARGEST_SECRET = 8192  # bytes

EPILOG = """\
Four ways to authenticate, and how a credential for each is made on scim-server. In the last two this program plays Entra's token
service on 127.0.0.1, and the server fetches its keys from there: start the server, too, with ALLOW_CUSTOM_CLOUD=true. A server keeps
the keys of an issuer for a while; --issuer-key keeps them the same from run to run.

  --auth secret     scim-server credential create --tenant T --json
                      → --token
  --auth client     scim-server credential create --tenant T --kind client --json
                      → --token-url --client-id --client-secret
  --auth federated  ALLOW_CUSTOM_CLOUD=true scim-server credential create --tenant T --kind federated \\
                      --issuer http://127.0.0.1:PORT/TID/v2.0 --subject S --audience A --json
                      → --token-url --client-id --issuer-port PORT --tid TID --subject S --audience A
  --auth entra      ALLOW_CUSTOM_CLOUD=true scim-server credential create --tenant T --kind entra --tid TID \\
                      --issuer http://127.0.0.1:PORT/TID/ --jwks-uri http://127.0.0.1:PORT/TID/discovery/keys --json
                      → --issuer-port PORT --tid TID"""


@dataclass(frozen=True, slots=True)
class Authentication:
    """A way to authenticate in use."""

    way: Way
    source: Source
    issuer: Issuer | None = None

    def as_json(self) -> dict[str, Any]:
        """Which way, how many tokens were fetched for it, and how often the server fetched the issuer's keys."""
        told: dict[str, Any] = {"way": self.way, "tokens_fetched": self.source.fetched}
        return told if self.issuer is None else {**told, "keys_fetched": self.issuer.keys_asked}

    def __str__(self) -> str:
        told = f"Authenticated by {_WHAT[self.way]} (--auth {self.way})"
        if self.way != "secret":
            told += f", {self.source.fetched} token{'' if self.source.fetched == 1 else 's'} fetched"
        return told if self.issuer is None else f"{told}, the server fetched the issuer's keys {_times(self.issuer.keys_asked)}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of all ways. Which of them belong together is for `opened` to say."""
    it = parser.add_argument_group("authentication", "see below for what belongs together")
    it.add_argument("--auth", choices=tuple(_WHAT), default="secret", help="; ".join(f"{way}: {what}" for way, what in _WHAT.items()))
    it.add_argument("--token", help="bearer token (default: the environment variable SCIM_TOKEN)")
    it.add_argument("--token-url", metavar="URL", help="the token endpoint")
    it.add_argument("--client-id", metavar="ID")
    it.add_argument("--client-secret", metavar="SECRET", help="(default: the environment variable SCIM_CLIENT_SECRET)")
    it.add_argument("--client-secret-file", metavar="FILE", type=Path, help="a file with the client secret and nothing else")
    it.add_argument("--client-auth", choices=("basic", "post"), help="client id and secret in the header, or in the form (default: basic)")
    it.add_argument("--scope", help="what is asked of the token endpoint (default: nothing for client, scim for federated)")
    it.add_argument("--issuer-port", metavar="PORT", type=_port, help="where on 127.0.0.1 the token service listens")
    it.add_argument("--issuer-key", metavar="FILE", type=Path, help="keep the token service's private key there (default: a new one)")
    it.add_argument("--tid", metavar="GUID", help="the directory whose token service it is")
    it.add_argument("--subject", metavar="S", help="whom the signed token is about")
    it.add_argument("--audience", metavar="A", help="for whom it is (default with entra: what all applications share)")


def public(options: argparse.Namespace) -> dict[str, Any]:
    """The options without those that are secrets."""
    return {name: value for name, value in vars(options).items() if name not in _SECRET}


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Authentication]:
    """The way that the options ask for, for as long as the block lasts; `options.timeout` is for the token endpoint too.

    Raises ValueError, which names the option that is missing, or of no use, or wrong.
    """
    way: Way = options.auth
    given = _given(options, way)
    with ExitStack() as stack:
        issuer = stack.enter_context(_issuer(given)) if "issuer_port" in _NEEDED[way] else None
        yield Authentication(way, _source(way, given, issuer, options.timeout), issuer)


def _given(options: argparse.Namespace, way: Way) -> dict[str, Any]:
    every = dict.fromkeys(name for names in (*_NEEDED.values(), *_ALLOWED.values()) for name in names)
    given = {name: value for name in every if (value := getattr(options, name)) is not None}
    useless = [_option(name) for name in given if name not in (*_NEEDED[way], *_ALLOWED[way])]
    if useless:
        raise ValueError(f"--auth {way} has no use for {', '.join(useless)}; leave it out, or choose another --auth")
    if file := given.pop("client_secret_file", None):
        if "client_secret" in given:
            raise ValueError("give --client-secret or --client-secret-file, not both")
        given["client_secret"] = _read_secret(file)
    for name, variable in _FROM_ENVIRONMENT.items():
        if name in _NEEDED[way] and name not in given and (value := os.environ.get(variable)):
            given[name] = value
    missing = [_spelled(name) for name in _NEEDED[way] if not given.get(name)]
    if missing:
        raise ValueError(f"--auth {way} needs {', '.join(missing)}")
    for name in _SECRET:
        if not (given.get(name, "").isascii() and given.get(name, "").isprintable()):
            raise ValueError(f"the value of {_option(name)} has characters in it that cannot be part of it; copy it once more")
    return given


def _issuer(given: dict[str, Any]) -> Issuer:
    from conformance.issuer import BadKey, Issuer, kept_key

    file = given.get("issuer_key")
    try:
        key = kept_key(file) if file else None
    except BadKey as error:
        raise ValueError(f"--issuer-key: {error}") from error
    except OSError as error:
        raise ValueError(f"--issuer-key: {file} cannot be used: {error.strerror}") from error
    try:
        return Issuer(given["tid"], given["issuer_port"], key)
    except ValueError as error:
        raise ValueError(f"--tid: {error}") from error
    except OSError as error:
        raise ValueError(f"--issuer-port: {given['issuer_port']} cannot be listened on: {error.strerror}; choose another one") from error


def _source(way: Way, given: dict[str, Any], issuer: Issuer | None, timeout: float) -> Source:
    from conformance.credentials import ClientAssertion, ClientCredentials, IssuedToken

    if way == "secret":
        return Secret(given["token"])
    if way == "client":
        location, scope = given.get("client_auth", "basic"), given.get("scope")
        return ClientCredentials(given["token_url"], given["client_id"], given["client_secret"], location, scope=scope, timeout=timeout)
    assert issuer is not None
    if way == "federated":
        assertion = IssuedToken(lambda: issuer.assertion(given["audience"], given["subject"]))
        scope = given.get("scope", "scim")
        return ClientAssertion(given["token_url"], given["client_id"], assertion, scope=scope, timeout=timeout)
    from conformance.issuer import SHARED_AUDIENCE

    return IssuedToken(lambda: issuer.access_token(given.get("audience", SHARED_AUDIENCE), given.get("subject")))


def _read_secret(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_SECRET + 1)
    except OSError as error:
        raise ValueError(f"--client-secret-file: {file} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST_SECRET:
        raise ValueError(f"--client-secret-file: {file} has more than {_LARGEST_SECRET} bytes; it must hold the secret and nothing else")
    return content.decode("utf-8", "replace").strip()


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a number from 1 to 65535")
    return port


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _spelled(name: str) -> str:
    variable = _FROM_ENVIRONMENT.get(name)
    more = " (or --client-secret-file)" if name == "client_secret" else ""
    return f"{_option(name)}{more}" + (f" or the environment variable {variable}" if variable else "")
