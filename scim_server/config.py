"""Settings: read once from the environment, checked together, frozen.

Nothing else reads the environment. Each setting is a field of ``Settings``; its variable is the
field's name in capitals. What a field must be and what it is for stand beside it, and from there
in docs/settings.md and in the error that names every fault at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

BASE_PATH = "/scim/v2"
"""Where SCIM is served below PUBLIC_URL."""

TOKEN_PATH = "/oauth/token"  # noqa: S105  a path, and no secret
"""Where access tokens are given out below PUBLIC_URL."""

CALLBACK_PATH = "/callback"
"""Where a sign-in comes back to, below PUBLIC_URL."""

Network = IPv4Network | IPv6Network
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_DATABASE_SCHEMES = ("postgresql", "postgresql+psycopg", "sqlite")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  these are compared with, not bound to


class SettingsError(Exception):
    """One or more settings cannot be used. ``faults`` has a sentence for each: what is wrong, how to mend it."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _host(text: str) -> str:
    text = text.removeprefix("[").removesuffix("]")
    if not _HOST.fullmatch(text):
        raise ValueError
    return text


def _directory(path: Path) -> Path:
    return path.expanduser().absolute()


def _database_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _DATABASE_SCHEMES or parts.fragment:
        raise ValueError  # a fragment is a password whose # was not written %23
    if parts.scheme != "sqlite":
        _ = parts.port  # raises ValueError where it is no number
        return url
    path = url.removeprefix("sqlite:///")
    if not path or path == url or ":memory:" in path or "?" in path:
        raise ValueError
    return f"sqlite:///{Path(path).expanduser().absolute()}"


def _public_url(url: str) -> str:
    url = url.rstrip("/")
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username is not None)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or url.endswith(BASE_PATH):
        raise ValueError
    _ = parts.port  # raises ValueError where it is no number
    return url


def _same_database(earlier: dict[str, Any]) -> str:
    url: str = earlier["database_url"]
    return url


def _public_url_of(earlier: dict[str, Any]) -> str:
    url: str = earlier["public_url"]
    return url


def _embedded_keys(earlier: dict[str, Any]) -> Path | None:
    return earlier["data_dir"] / "secret.keys" if earlier["database_url"].startswith("sqlite:") and not earlier["secret_keys"] else None


def _list(given: Any) -> list[str]:
    return [each.strip() for each in given.split(",") if each.strip()] if isinstance(given, str) else list(given)


def _networks(given: Any) -> tuple[Network, ...]:
    return tuple(ip_network(each) for each in _list(given))


def _keys(given: Any) -> tuple[str, ...]:
    keys = tuple(_list(given))
    if any(not _KEY.fullmatch(each) for each in keys):
        raise ValueError
    return keys


def _dns_servers(given: Any) -> tuple[tuple[str, int], ...]:
    return tuple(each if isinstance(each, tuple) else _dns_server(each) for each in _list(given))


def _dns_server(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//[{text}]" if text.count(":") > 1 and not text.startswith("[") else f"//{text}")
    return str(ip_address(parts.hostname or "")), parts.port or 53


def _file(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().absolute()


def _embedded(earlier: dict[str, Any]) -> str:
    return f"sqlite:///{earlier['data_dir']}/scim.db"


def _local_url(earlier: dict[str, Any]) -> str:
    host = "127.0.0.1" if earlier["host"] in _ANY_ADDRESS else earlier["host"]
    return f"http://{f'[{host}]' if ':' in host else host}:{earlier['port']}"


def _setting(*, must: str, example: str, purpose: str, shown: str | None = None, **field: Any) -> Any:
    """A field with its rule and its purpose in words. ``shown`` is how the documentation names a computed default."""
    words: JsonDict = {"must": must, "example": example, "shown": shown}
    return Field(description=purpose, validate_default=True, json_schema_extra=words, **field)


class Settings(BaseModel):
    """All that can be set. A later field's default may follow from an earlier field."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, AfterValidator(_host)] = _setting(
        default="127.0.0.1",
        must="an address or name of this machine, without a port",
        example="127.0.0.1",
        purpose="Address to listen on. `0.0.0.0` listens on all. One that other machines reach needs `TRUSTED_PROXIES`.",
    )
    port: int = _setting(
        default=8000,
        ge=1,
        le=65535,
        must="a whole number from 1 to 65535",
        example="8000",
        purpose="Port to listen on.",
    )
    data_dir: Annotated[Path, AfterValidator(_directory)] = _setting(
        default=Path("var"),
        must="a folder",
        example="/var/lib/scim-server",
        purpose="Folder of the embedded database; made if missing. Relative to where the command is started.",
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = _setting(
        default_factory=_embedded,
        shown="`scim.db` in `DATA_DIR`",
        repr=False,
        must="postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE",
        example="postgresql://scim@db.example/scim",
        purpose="Database. PostgreSQL 15 or later for more than one node; otherwise a SQLite file.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = _setting(
        default_factory=_local_url,
        shown="`http://HOST:PORT`",
        must=f"an http or https URL without {BASE_PATH}, query or password",
        example="https://scim.example.com",
        purpose=f"Where the world reaches this server. The Tenant URL is this with `{BASE_PATH}`; so begins every `meta.location`.",
    )
    database_owner_url: Annotated[str, AfterValidator(_database_url)] = _setting(
        default_factory=_same_database,
        shown="`DATABASE_URL`",
        repr=False,
        must="postgresql://USER:PASSWORD@HOST/DATABASE, the same database as in DATABASE_URL",
        example="postgresql://scim_owner@db.example/scim",
        purpose="PostgreSQL, for `db upgrade` only: whose tables they are. The server itself needs no such right.",
    )
    database_role: str = _setting(
        default="scim_app",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        must="a name of lower-case letters, digits and underscores",
        example="scim_app",
        purpose="PostgreSQL role that the server works under; it cannot get around row-level security. `db upgrade` makes it.",
    )
    workers: int = _setting(
        default=2,
        ge=1,
        le=256,
        must="a whole number from 1 to 256",
        example="2",
        purpose="Processes. As many as the machine has cores.",
    )
    threads: int = _setting(
        default=4,
        ge=1,
        le=256,
        must="a whole number from 1 to 256",
        example="4",
        purpose="Threads of each process. A node has at most `WORKERS` × (`THREADS` + 3) database connections.",
    )
    max_body_bytes: int = _setting(
        default=5 * 1024 * 1024,
        ge=64 * 1024,
        le=1024 * 1024 * 1024,
        must="a whole number of bytes from 65536 (64 KiB) to 1073741824 (1 GiB)",
        example="5242880",
        purpose="Largest request body in bytes. A larger one is answered 413.",
    )
    rate_limit: int = _setting(
        default=2000,
        ge=1,
        le=100_000,
        must="a whole number from 1 to 100000",
        example="2000",
        purpose="Most SCIM requests per second of one tenant on one node; more are answered 429. A tenant can have a limit of its own.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = _setting(
        default=(),
        shown="none",
        must="addresses or networks of your proxies, separated by commas",
        example="10.0.0.0/8",
        purpose="The proxies before this server. Their `X-Forwarded-For` is believed, for IP ranges of credentials, audit trail and log.",
    )
    secret_keys: Annotated[tuple[str, ...], BeforeValidator(_keys)] = _setting(
        default=(),
        shown="none",
        repr=False,
        must="keys as `scim-server keys generate` prints them, separated by commas",
        example="paste-what-scim-server-keys-generate-prints=",
        purpose="Keys for secrets that must be read again. The first encrypts, all decrypt. In place of `SECRET_KEYS_FILE`.",
    )
    secret_keys_file: Annotated[Path | None, AfterValidator(_file)] = _setting(
        default_factory=_embedded_keys,
        shown="`secret.keys` in `DATA_DIR` beside the embedded database, made if missing; else none",
        must="a file with one key a line",
        example="/run/secrets/scim-keys",
        purpose="The same keys in a file, which is read again when it has changed.",
    )
    allow_custom_cloud: bool = _setting(
        default=False,
        must="true or false",
        example="true",
        purpose="Let issuers and key URLs be on any https host or on this machine. For tests, and for clouds that are not Microsoft's.",
    )
    jwks_max_age_s: int = _setting(
        default=86_400,
        ge=1,
        le=604_800,
        must="a whole number of seconds from 1 to 604800 (a week)",
        example="86400",
        purpose="How long an issuer's signing keys are used before they are fetched again; then a withdrawn key is refused,"
        " if they can be had.",
    )
    jwks_refetch_floor_s: int = _setting(
        default=300,
        ge=0,
        le=86_400,
        must="a whole number of seconds from 0 to 86400 (a day)",
        example="300",
        purpose="How long to wait, after keys were fetched for the sake of an unknown one, before that is done again.",
    )
    refresh_floor_s: int = _setting(
        default=600,
        ge=0,
        le=86_400,
        must="a whole number of seconds from 0 to 86400 (a day)",
        example="600",
        purpose="How long after the directory confirmed a signed-in person it is asked again, when the session is used.",
    )
    refresh_grace_s: int = _setting(
        default=3600,
        ge=0,
        le=86_400,
        must="a whole number of seconds from 0 to 86400 (a day)",
        example="3600",
        purpose="How long after the last confirmation a session may go on while the directory cannot be asked, or refuses our own secret.",
    )
    session_idle_s: int = _setting(
        default=1800,
        ge=60,
        le=604_800,
        must="a whole number of seconds from 60 to 604800 (a week)",
        example="1800",
        purpose="A session that is not used for so long is over. A tenant can have a limit of its own.",
    )
    session_max_s: int = _setting(
        default=28_800,
        ge=60,
        le=2_592_000,
        must="a whole number of seconds from 60 to 2592000 (30 days)",
        example="28800",
        purpose="A session is over after so long, however much it is used. A tenant can have a limit of its own.",
    )
    signin_rate: int = _setting(
        default=600,
        ge=1,
        le=100_000,
        must="a whole number from 1 to 100000",
        example="600",
        purpose="Most sign-ins per minute from one address on one node; more are answered 429. An office may be one address.",
    )
    access_token_audience: str = _setting(
        default_factory=_public_url_of,
        shown="`PUBLIC_URL`",
        min_length=1,
        max_length=500,
        must="a text of at most 500 characters, such as the URL of your application",
        example="https://app.example.com",
        purpose="Whom access tokens for your own application are for (their claim `aud`).",
    )
    dns_servers: Annotated[tuple[tuple[str, int], ...], BeforeValidator(_dns_servers)] = _setting(
        default=(),
        shown="the system's",
        must="addresses of DNS servers, with a port if it is not 53, separated by commas",
        example="9.9.9.9,149.112.112.112",
        purpose="Whom to ask for the proof that a domain is a tenant's.",
    )
    max_page_size: int = _setting(
        default=1000,
        ge=1,
        le=10_000,
        must="a whole number from 1 to 10000",
        example="1000",
        purpose="Most resources in one page of a list. A larger `count` is lowered to it.",
    )
    log_level: Annotated[Level, BeforeValidator(str.upper)] = _setting(
        default="INFO",
        must="one of " + ", ".join(get_args(Level)),
        example="INFO",
        purpose="Least severe kind of line in the log. `INFO` has a line for each request.",
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings of this process. An empty variable counts as not set. Raises SettingsError."""
        environ = os.environ if environ is None else environ
        given = {name: text for name in cls.model_fields if (text := environ.get(name.upper(), "").strip())}
        try:
            return cls.model_validate(given)
        except ValidationError as failure:
            names = [str(fault["loc"][0]) for fault in failure.errors() if fault["type"] != "default_factory_not_called"]
            raise SettingsError([_fault(name, given.get(name)) for name in names]) from None

    @property
    def tenant_url(self) -> str:
        """What an administrator pastes as Tenant URL; the base of every ``meta.location``."""
        return self.public_url + BASE_PATH

    @property
    def token_url(self) -> str:
        """Where a client exchanges its secret or assertion for an access token."""
        return self.public_url + TOKEN_PATH

    @property
    def callback_url(self) -> str:
        """Where the directory sends the browser back to: the redirect URI of every app registration."""
        return self.public_url + CALLBACK_PATH

    @property
    def prefix(self) -> str:
        """What the paths of our own pages begin with: the path of PUBLIC_URL, if it has one."""
        return urlsplit(self.public_url).path

    @property
    def embedded_file(self) -> Path | None:
        """The file of the embedded database, or None where the database is a server of its own."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.database_url.startswith("sqlite:") else None

    @property
    def database_user(self) -> str | None:
        """Whom the server logs in to the database as, where the URL names somebody."""
        user = urlsplit(self.database_url).username
        return unquote(user) if user else None

    @property
    def database_name(self) -> str:
        """The database for people: where it is, never the password."""
        if self.embedded_file:
            return str(self.embedded_file)
        parts = urlsplit(self.database_url)
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{parts.hostname or ''}{port}{parts.path}"


def table() -> list[tuple[str, str, str, str]]:
    """Every setting as (variable, default, what it must be, what it is for): the table of docs/settings.md."""
    fields = Settings.model_fields.items()
    return [(name.upper(), _default(name), _rule(name)["must"], field.description or "") for name, field in fields]


def _rule(name: str) -> dict[str, Any]:
    rule = Settings.model_fields[name].json_schema_extra
    assert isinstance(rule, dict)
    return rule


def _default(name: str) -> str:
    return _rule(name)["shown"] or f"`{Settings.model_fields[name].default}`"


def _fault(name: str, text: str | None) -> str:
    """The value is named unless it may hold a password."""
    variable, rule = name.upper(), _rule(name)
    value = "has a value that cannot be used" if name == "database_url" or "@" in (text or "") else f"is {text!r}"
    return f"{variable} {value}. It must be {rule['must']}, for example {variable}={rule['example']}."
