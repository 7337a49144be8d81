"""Settings: what is accepted, what is refused and how, and that the documentation tells the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from scim_server import config
from scim_server.config import Settings, SettingsError

ROOT = Path(__file__).parent.parent


def faults(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return caught.value.faults


def test_an_empty_environment_has_a_working_default_for_everything() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.workers, settings.threads) == ("127.0.0.1", 8000, 2, 4)
    assert settings.data_dir == Path("var").absolute()
    assert settings.embedded_file == settings.data_dir / "scim.db"
    assert settings.tenant_url == "http://127.0.0.1:8000/scim/v2"


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"PORT": " 8080 "}, "port", 8080),
        ({"PORT": ""}, "port", 8000),
        ({"LOG_LEVEL": "debug"}, "log_level", "DEBUG"),
        ({"HOST": "[::1]"}, "host", "::1"),
        ({"HOST": "::1", "PORT": "81"}, "public_url", "http://[::1]:81"),
        ({"HOST": "0.0.0.0", "PORT": "81"}, "public_url", "http://127.0.0.1:81"),
        ({"PUBLIC_URL": "https://scim.example.com/"}, "tenant_url", "https://scim.example.com/scim/v2"),
        ({"PUBLIC_URL": "https://example.com/gateway"}, "tenant_url", "https://example.com/gateway/scim/v2"),
        ({"DATA_DIR": "/srv/scim"}, "database_url", "sqlite:////srv/scim/scim.db"),
        ({"DATABASE_URL": "sqlite:////srv/x.db", "DATA_DIR": "/elsewhere"}, "embedded_file", Path("/srv/x.db")),
        ({"DATABASE_URL": "sqlite:///x.db"}, "embedded_file", Path("x.db").absolute()),
        ({"DATABASE_URL": "postgresql://db/scim"}, "embedded_file", None),
        ({"DATABASE_URL": "postgresql+psycopg://u:p%40@db:5433/scim?sslmode=require"}, "database_name", "postgresql://db:5433/scim"),
        ({"UNKNOWN": "x"}, "port", 8000),
    ],
)
def test_accepted(environ: dict[str, str], name: str, value: object) -> None:
    assert getattr(Settings.from_env(environ), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", each) for each in ("eighty", "0", "65536", "80.5", "-1")),
        *(("HOST", each) for each in ("http://localhost", "localhost:80", "a b")),
        *(("WORKERS", each) for each in ("0", "1000")),
        *(("THREADS", each) for each in ("0", "four")),
        *(("MAX_BODY_BYTES", each) for each in ("0", "5MB")),
        *(("MAX_PAGE_SIZE", each) for each in ("0", "99999")),
        *(("LOG_LEVEL", each) for each in ("loud", "20")),
        ("PUBLIC_URL", "scim.example.com"),
        ("PUBLIC_URL", "ftp://scim.example.com"),
        ("PUBLIC_URL", "https://scim.example.com/scim/v2"),
        ("PUBLIC_URL", "https://scim.example.com/?tenant=1"),
        ("PUBLIC_URL", "https://scim.example.com:port"),
        ("PUBLIC_URL", "https://"),
        ("DATABASE_URL", "mysql://db/scim"),
        ("DATABASE_URL", "scim.db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://u:pass#word@db/scim"),
        ("DATABASE_URL", "postgresql://db:port/scim"),
    ],
)
def test_refused_naming_the_variable_and_the_remedy(name: str, value: str) -> None:
    (fault,) = faults(**{name: value})
    assert fault.startswith(f"{name} ")
    assert "It must be" in fault
    assert f"for example {name}=" in fault


def test_all_faults_are_reported_together() -> None:
    found = faults(PORT="eighty", LOG_LEVEL="loud", DATABASE_URL="mysql://db/scim", HOST="a b")
    assert [fault.split()[0] for fault in found] == ["HOST", "PORT", "DATABASE_URL", "LOG_LEVEL"]


def test_a_fault_never_repeats_a_password() -> None:
    text = "\n".join(faults(DATABASE_URL="mysql://scim:hunter2@db/scim", PUBLIC_URL="https://me:hunter2@example.com"))
    assert "hunter2" not in text
    assert "hunter2" not in repr(Settings(database_url="postgresql://scim:hunter2@db/scim"))


def test_settings_are_frozen_and_closed() -> None:
    settings = Settings(port=8001)
    with pytest.raises(ValidationError):
        settings.port = 8002
    with pytest.raises(ValidationError):
        Settings(prot=8001)  # type: ignore[call-arg]  # that it is refused is what is tested


def test_every_example_in_an_error_is_accepted() -> None:
    for variable, *_ in config.table():
        example = config._rule(variable.lower())["example"]
        Settings.from_env({variable: example})


def test_the_documentation_has_exactly_the_settings_of_the_code() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = [line for line in text.splitlines() if line.startswith("| `")]
    assert documented == [f"| `{variable}` | {default} | {purpose} | {must} |" for variable, default, must, purpose in config.table()]
