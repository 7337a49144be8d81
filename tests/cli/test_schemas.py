"""``schema``: a tenant's own, from a file to what its clients meet and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scim_server.events import Principal, Scope
from scim_server.provisioning import users
from scim_server.scim.schemas import USER
from scim_server.store.engine import create_engine
from scim_server.store.migrations import ROLE
from scim_server.store.unit import Store
from tests.cli.conftest import Command, answer, done, refusal

ACME = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
BADGE, LEVEL = {"name": "badge", "uniqueness": "server"}, {"name": "level", "type": "integer"}

File = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> File:
    """A file with a definition of these attributes, or with that text."""

    def write(*attributes: Any, text: str | None = None, **members: Any) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps({"id": ACME, "attributes": attributes, **members}) if text is None else text)
        return str(path)

    return write


@pytest.fixture
def user(cli: Command, tenant: str, url: str) -> Callable[..., str]:
    def create(name: str, **values: Any) -> str:
        engine = create_engine(url, pool_size=1, role=ROLE)
        scope = Scope(answer(cli("tenant", "show", tenant, "--json"))["id"], Principal("system", "tests"), "r")
        body = {"schemas": [USER], "userName": name, **({ACME: values} if values else {})}
        try:
            return Store(engine, "https://scim.example/scim/v2").transact(scope, lambda unit: users.create(unit, body, lenient=True)).id
        finally:
            engine.dispose()

    return create


def test_add_list_show_and_back(cli: Command, tenant: str, file: File) -> None:
    assert "has no schema of its own" in done(cli("schema", "list", "--tenant", tenant))
    assert answer(cli("schema", "list", "--tenant", tenant, "--json")) == []
    added = answer(cli("schema", "add", "--tenant", tenant, "--file", file(BADGE, LEVEL, name="Acme"), "--json"))
    described = {"id": ACME, "name": "Acme", "resource_type": "User", "required": False, "attributes": 2}
    assert added.items() >= {**described, "changed": True, "findings": [], "dropped": 0}.items()
    again = cli("schema", "add", "--tenant", tenant, "--file", file(BADGE, LEVEL, name="Acme"))
    assert "already; nothing changed" in done(again)
    assert answer(cli("schema", "list", "--tenant", tenant, "--json")) == [described]
    told = done(cli("schema", "show", "--tenant", tenant, ACME.upper()))
    assert "unique (server)" in told
    shown = answer(cli("schema", "show", "--tenant", tenant, ACME, "--json"))
    assert [each["name"] for each in shown["attributes"]] == ["badge", "level"]
    same = answer(cli("schema", "set", "--tenant", tenant, "--file", file(text=json.dumps(shown)), "--json"))
    assert (same["changed"], same["differences"]) == (False, [])
    events = answer(cli("audit", "list", "--tenant", tenant, "--event", "operator:schema:", "--json"))
    assert [(each["event"], each["subject"]) for each in events] == [("operator:schema:added", ACME)]
    assert {each["path"] for each in events[0]["data"]["changes"]} >= {"attributes.badge", "attributes.level", "required"}


def test_set_looks_at_values_first(cli: Command, tenant: str, file: File, user: Callable[..., str]) -> None:
    done(cli("schema", "add", "--tenant", tenant, "--file", file(BADGE, LEVEL)))
    ids = [user(f"u{n}", level=n, badge=str(n)) for n in range(7)]
    text = file(BADGE, {**LEVEL, "type": "string"})
    set_ = ("schema", "set", "--tenant", tenant, "--file", text)
    dry = answer(cli(*set_, "--dry-run", "--json"))
    assert (dry["dry_run"], dry["refused"], dry["changed"], dry["dropped"]) == (True, True, False, 7)
    assert dry["findings"] == [{"attribute": f"{ACME}:level", "problem": "would be lost", "count": 7, "ids": ids[:5]}]
    told = done(cli(*set_, "--dry-run"))
    for each in ("attributes.level", "7 resources", ids[0], "--drop-values", "would lose values", "So it would be refused."):
        assert each in told
    told = refusal(cli(*set_))
    for each in ("Nothing was changed", f"{ACME}:level would be lost in 7 resources", ids[4], ", …", "--drop-values"):
        assert each in told
    assert answer(cli(*set_, "--dry-run", "--drop-values", "--json"))["refused"] is False
    assert answer(cli("schema", "show", "--tenant", tenant, ACME, "--json"))["attributes"][1]["type"] == "integer"
    assert "7 resources lost values" in done(cli(*set_, "--drop-values"))
    events = answer(cli("audit", "list", "--tenant", tenant, "--event", "operator:user:changed", "--json"))
    assert {each["subject"] for each in events} == set(ids)
    assert all(each["data"]["changes"][0]["path"] == f"{ACME}:level" for each in events)
    required = answer(cli("schema", "set", "--tenant", tenant, "--file", text, "--required", "--json"))
    assert (required["required"], required["differences"]) == (True, [{"path": "required", "old": False, "new": True}])
    again = answer(cli("schema", "set", "--tenant", tenant, "--file", file({**BADGE, "caseExact": True}), "--json"))
    assert (again["required"], again["changed"], again["found_anew"]) == (True, True, 0)  # digits have no case


def test_what_is_missing_may_be_let_be(cli: Command, tenant: str, file: File, user: Callable[..., str]) -> None:
    user_id = user("ada")
    add = ("schema", "add", "--tenant", tenant, "--file", file(BADGE), "--required")
    told = refusal(cli(*add))
    assert f"{ACME} is missing in 1 resource ({user_id})" in told
    assert "--accept-missing" in told
    assert answer(cli(*add, "--accept-missing", "--json"))["required"] is True


def test_remove(cli: Command, tenant: str, file: File, user: Callable[..., str]) -> None:
    done(cli("schema", "add", "--tenant", tenant, "--file", file(BADGE)))
    user_id = user("ada", badge="7")
    remove = ("schema", "remove", "--tenant", tenant, ACME)
    assert answer(cli(*remove, "--dry-run", "--json"))["dropped"] == 1
    assert user_id in refusal(cli(*remove))
    gone = answer(cli(*remove, "--drop-values", "--json"))
    assert (gone["removed"], gone["dropped"]) == (True, 1)
    for command in (remove, ("schema", "show", "--tenant", tenant, ACME), ("schema", "set", "--tenant", tenant, "--file", file(BADGE))):
        assert "schema list" in refusal(cli(*command))


def test_groups_have_theirs(cli: Command, tenant: str, file: File) -> None:
    done(cli("schema", "add", "--tenant", tenant, "--file", file(BADGE), "--resource-type", "Group"))
    told = refusal(cli("schema", "add", "--tenant", tenant, "--file", file(BADGE)))
    assert "extends one resource type" in told
    told = refusal(cli("schema", "add", "--tenant", tenant, "--file", file(LEVEL), "--resource-type", "Group"))
    assert "--dry-run" in told
    told = refusal(cli("schema", "add", "--tenant", tenant, "--file", file(LEVEL, id=ACME.upper()), "--resource-type", "Group"))
    assert f"is spelled {ACME}" in told
    told = refusal(cli("schema", "add", "--tenant", tenant, "--file", file(LEVEL, id=f"{ACME}:x")))
    assert "tell them apart" in told


WRONG: list[tuple[str, str]] = [
    ("", "not JSON"),
    ("{", "not JSON"),
    ("[]", "must be a JSON object"),
    ('{"id": "x"}', "id must be a URN"),
    ("[" * 5000, "not JSON"),
    (json.dumps({"id": ACME, "attributes": [{"name": "a"}, {"name": "b", "type": "text"}]}), "attributes[1].type"),
    (json.dumps({"id": ACME, "attributes": [{"name": f"a{n}"} for n in range(10_000)]}), "Split the schema"),
    (json.dumps({"id": ACME, "attributes": [{"name": "a", "\x1b[2J": 1}]}), "is not known here"),
    (" " * (1024 * 1024 + 1), "larger than"),
]


@pytest.mark.parametrize(("text", "fault"), WRONG, ids=[fault for _, fault in WRONG])
def test_what_is_no_definition_is_told_with_its_place(cli: Command, tenant: str, file: File, text: str, fault: str) -> None:
    for command in (("schema", "add"), ("schema", "set")):
        told = refusal(cli(*command, "--tenant", tenant, "--file", file(text=text)))
        assert fault in told
        assert "\x1b" not in told
    assert answer(cli("schema", "list", "--tenant", tenant, "--json")) == []


def test_a_definition_comes_from_standard_input(cli: Command, tenant: str, url: str) -> None:
    from click.testing import CliRunner

    from scim_server.cli import main

    text = json.dumps({"id": ACME, "attributes": [BADGE]})
    arguments = ["schema", "add", "--tenant", tenant, "--file", "-", "--json"]
    result = CliRunner().invoke(main, arguments, input=text, env={"DATABASE_URL": url, "LOG_LEVEL": "ERROR"})
    assert answer(result)["changed"] is True


def test_who_is_no_tenant_and_what_is_no_file(cli: Command, tenant: str, file: File) -> None:
    assert "no tenant" in refusal(cli("schema", "add", "--tenant", "nobody", "--file", file(BADGE)))
    assert "No such file" in refusal(cli("schema", "add", "--tenant", tenant, "--file", "/nowhere"), 2)


def test_an_export_holds_the_schemas(cli: Command, tenant: str, file: File, user: Callable[..., str], tmp_path: Path) -> None:
    done(cli("schema", "add", "--tenant", tenant, "--file", file({"name": "pay", "type": "decimal"}, name="Acme")))
    user("ada", pay=1.5)
    out = tmp_path / "out" / "x.jsonl"
    out.parent.mkdir()
    assert answer(cli("tenant", "export", tenant, "--output", str(out), "--json"))["rows"]["schema"] == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    (schema,) = [each for each in rows if each["type"] == "schema"]
    assert schema.items() >= {"id": ACME, "resource_type": "User", "required": False}.items()
    assert schema["definition"]["attributes"][0]["type"] == "decimal"
    assert [each["document"][ACME] for each in rows if each["type"] == "user"] == [{"pay": 1.5}]
    assert "operator:schema:added" in [each["tag"] for each in rows if each["type"] == "event"]
