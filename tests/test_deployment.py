"""The container files, as far as they can be held without a container engine: they name what exists, and agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scim_server.config import Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NODES = [name for name in SERVICES if name.startswith("app-")]


def instructions(name: str) -> list[str]:
    """The arguments of every such instruction, continuation lines joined."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    return [line.removeprefix(name).strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


def given(text: str) -> str:
    """``${NAME:-default}`` → default, ``${NAME:?why}`` → a password, as compose would put them in."""
    return re.sub(r"\$\{\w+:\?[^}]*\}", "secret", re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def test_the_image_has_two_stages_and_runs_as_nobody_special() -> None:
    first, second = instructions("FROM")
    assert first == f"{second} AS build"
    (user,) = instructions("USER")
    assert user not in ("root", "0")
    assert f"--uid {user} " in DOCKERFILE
    assert DOCKERFILE.index(f"FROM {second}\n") < DOCKERFILE.index("USER ") < DOCKERFILE.index("CMD [")


def test_everything_the_image_is_made_of_exists_and_reaches_the_builder() -> None:
    sent = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = {source for copy in instructions("COPY") if "--from" not in copy for source in copy.split()[:-1]}
    assert copied == set(sent)
    assert all((ROOT / source).exists() for source in copied)


def test_every_package_installed_is_pinned() -> None:
    installs = [part for run in instructions("RUN") for part in run.split("&&") if "pip " in part]
    for install in installs:
        assert ("--require-hashes" in install) != ("--no-deps" in install), install
    assert any("--no-build-isolation" in install for install in installs if "pip wheel" in install)


def test_the_image_is_checked_where_the_server_answers() -> None:
    (check,) = instructions("HEALTHCHECK")
    assert "/readyz" in check
    environment = dict(pair.split("=", 1) for pair in instructions("ENV")[0].split())
    assert environment["PORT"] in instructions("EXPOSE")
    assert Settings.from_env(environment).host == "0.0.0.0"


@pytest.mark.parametrize("name", [*NODES, "migrate"])
def test_compose_sets_only_settings_that_there_are(name: str) -> None:
    environment = {key: given(value) for key, value in SERVICES[name]["environment"].items()}
    assert {key.lower() for key in environment} <= Settings.model_fields.keys()
    settings = Settings.from_env(environment)
    assert settings.embedded_file is None
    assert settings.database_name.startswith("postgresql://db")


def test_compose_has_two_nodes_behind_a_proxy_and_migrates_before_them() -> None:
    assert len(NODES) == 2
    for node in NODES:
        assert SERVICES[node]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert "ports" not in SERVICES[node]
    assert SERVICES["migrate"]["command"] == ["scim-server", "db", "upgrade"]
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert set(SERVICES["proxy"]["depends_on"]) == set(NODES)
    assert "ports" not in SERVICES["db"]


def test_the_proxy_knows_the_nodes_and_asks_whether_they_are_ready() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    (upstreams,) = re.findall(r"reverse_proxy (.*) \{", caddyfile)
    assert upstreams.split() == [f"{node}:8000" for node in NODES]
    assert "health_uri /readyz" in caddyfile
    assert any(volume.startswith("./deploy/Caddyfile:") for volume in SERVICES["proxy"]["volumes"])


def test_every_named_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {volume for volume in used if not volume.startswith("./")} == COMPOSE["volumes"].keys()
