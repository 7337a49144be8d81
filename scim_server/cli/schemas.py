"""Schemas of a tenant's own: ``schema add``, ``set``, ``list``, ``show``, ``remove``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from scim_server.cli import opening
from scim_server.cli.output import command, json_option, show, table

if TYPE_CHECKING:
    from scim_server.cli.opening import Opened
    from scim_server.provisioning.schemas import Finding, Outcome
    from scim_server.scim.schemas import Extension, Schema
    from scim_server.store.unit import Unit

RESOURCE_TYPES = ("User", "Group")
_MAX_FILE = 1024 * 1024

T = TypeVar("T")

_tenant_option = click.option("--tenant", required=True, help="The tenant's name.")
_file_option = click.option(
    *("--file", "definition"),
    type=click.File("rb"),
    required=True,
    metavar="FILE",
    help="The definition: JSON as in /Schemas; - is standard input.",
)
_drop_option = click.option("--drop-values", is_flag=True, help="Remove values that do not fit any more. Each resource gets an event.")
_missing_option = click.option(
    "--accept-missing", is_flag=True, help="Let resources be that lack what is required, until a client replaces them."
)
_dry_option = click.option("--dry-run", is_flag=True, help="Only tell what would happen.")


@click.group()
def schema() -> None:
    """Schemas by which a tenant extends users and groups; JSON in the form of RFC 7643 §7, as /Schemas publishes it."""


@schema.command("add")
@_tenant_option
@_file_option
@click.option("--resource-type", type=click.Choice(RESOURCE_TYPES), default="User", show_default=True, help="What it extends.")
@click.option("--required", is_flag=True, help="Every resource of the type must have values of it.")
@_missing_option
@json_option
def add_command(tenant: str, definition: Any, resource_type: str, required: bool, accept_missing: bool, as_json: bool) -> None:
    """Extend a tenant's users or groups. The same a second time changes nothing: that is told, and no failure."""
    from scim_server.provisioning import schemas
    from scim_server.scim.schemas import Extension

    extension = Extension(resource_type, _read(definition), required)
    with opening.database(opening.read_settings()) as opened:
        outcome = _done(opened, tenant, lambda unit: schemas.add(unit, extension, accept_missing=accept_missing), extension)
    urn = outcome.extension.schema.id
    done = f"{resource_type}s of {tenant!r} have the schema {urn} from the next request on, on every node."
    text = done if outcome.differences else f"{resource_type}s of {tenant!r} have that schema already; nothing changed."
    show(_told(outcome), text, as_json)


@schema.command("set")
@_tenant_option
@_file_option
@click.option("--required/--optional", default=None, help="Whether every resource must have values of it; as it was, if not given.")
@_drop_option
@_missing_option
@_dry_option
@json_option
def set_command(
    tenant: str, definition: Any, required: bool | None, drop_values: bool, accept_missing: bool, dry_run: bool, as_json: bool
) -> None:
    """Put another definition in place of the one of the same URN. Values that are there are looked at first.

    Where some do not fit, or lack, or would not be unique, nothing is changed and they are named, unless an option says what is to
    become of them. While it runs the tenant's clients are told to try again.
    """
    from scim_server.provisioning import schemas
    from scim_server.scim.schemas import Extension

    wanted = _read(definition)
    with opening.database(opening.read_settings()) as opened:
        present = _present(opened, tenant, wanted.id)
        extension = Extension(present.resource_type, wanted, present.required if required is None else required)
        if dry_run:
            _show_dry_run(_looked(opened, tenant, present, extension), drop_values, accept_missing, as_json)
            return
        outcome = _done(
            opened,
            tenant,
            lambda unit: schemas.change(unit, extension, drop_values=drop_values, accept_missing=accept_missing),
            extension,
        )
    text = f"The schema {wanted.id} is changed." if outcome.differences else f"The schema {wanted.id} is that already; nothing changed."
    show(_told(outcome), " ".join([text, *_counted(outcome, "lost values")]), as_json)


@schema.command("list")
@_tenant_option
@json_option
def list_command(tenant: str, as_json: bool) -> None:
    """List a tenant's own schemas; those that everybody has are not among them."""
    with opening.database(opening.read_settings()) as opened, opened.store.read(opened.scope(tenant)) as unit:
        found = [_described(each) for each in unit.schemas.all()]
    adding = command("schema", "add", "--tenant", tenant, "--file", "FILE")
    show(found, table(found) or f"The tenant {tenant!r} has no schema of its own. To add one: {adding}", as_json)


@schema.command("show")
@_tenant_option
@click.argument("urn")
@json_option
def show_command(tenant: str, urn: str, as_json: bool) -> None:
    """Show a schema. With --json as a definition that ``schema set`` and ``schema add`` take."""
    from scim_server.scim import discovery

    with opening.database(opening.read_settings()) as opened:
        found = _present(opened, tenant, urn)
    resource = {name: value for name, value in discovery.schema(found.schema, "").items() if name != "meta"}
    rows = [row for each in resource["attributes"] for row in _rows(each)]
    head = table([_described(found)])
    show(resource, f"{head}\n\n{table(rows)}", as_json)


@schema.command("remove")
@_tenant_option
@click.argument("urn")
@_drop_option
@_dry_option
@json_option
def remove_command(tenant: str, urn: str, drop_values: bool, dry_run: bool, as_json: bool) -> None:
    """Extend the tenant's resources by that schema no more. If any has values of it, only with --drop-values."""
    from scim_server.provisioning import schemas

    with opening.database(opening.read_settings()) as opened:
        present = _present(opened, tenant, urn)
        if dry_run:
            _show_dry_run(_looked(opened, tenant, present, None), drop_values, False, as_json)
            return
        outcome = _done(opened, tenant, lambda unit: schemas.remove(unit, urn, drop_values=drop_values), present)
    text = f"The tenant {tenant!r} has no schema {present.schema.id} any more."
    show({**_told(outcome), "removed": True}, " ".join([text, *_counted(outcome, "had values of it")]), as_json)


def _read(file: Any) -> Schema:
    """The schema that a file defines; every fault of it told."""
    from scim_server.scim import definitions

    data: bytes = file.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise click.ClickException(f"The definition is larger than {_MAX_FILE} bytes.")
    try:
        return definitions.load(orjson.loads(data))
    except orjson.JSONDecodeError as fault:
        raise click.ClickException(f"The definition is not JSON: {fault.msg} (line {fault.lineno}, column {fault.colno}).") from fault
    except definitions.InvalidDefinition as fault:
        raise click.ClickException("\n  ".join(["The definition is no schema that can be used:", *fault.faults])) from fault


def _present(opened: Opened, tenant: str, urn: str) -> Extension:
    with opened.store.read(opened.scope(tenant)) as unit:
        found = next((each for each in unit.schemas.all() if each.schema.id.lower() == urn.lower()), None)
    if found is None:
        listing = command("schema", "list", "--tenant", tenant)
        raise click.ClickException(f"The tenant {tenant!r} has no schema {urn!r} of its own. Those it has: {listing}")
    return found


def _looked(opened: Opened, tenant: str, present: Extension, wanted: Extension | None) -> Outcome:
    """What would happen, found out without being in anybody's way."""
    from scim_server.provisioning import schemas

    with opened.store.picture(opened.scope(tenant)) as unit:
        return schemas.look(unit, present, wanted)


def _done(opened: Opened, tenant: str, use_case: Callable[[Unit], Outcome], extension: Extension) -> Outcome:
    """The outcome of a change; every refusal told with its remedy."""
    from scim_server.provisioning import schemas
    from scim_server.scim.definitions import InvalidDefinition

    urn = extension.schema.id
    try:
        return opened.store.transact(opened.scope(tenant), use_case)
    except InvalidDefinition as fault:
        raise click.ClickException(str(fault)) from fault
    except schemas.OtherThere as fault:
        present = fault.present
        if present.resource_type != extension.resource_type:
            raise click.ClickException(
                f"{present.resource_type}s of {tenant!r} have a schema {present.schema.id}, and a schema extends one resource type. "
                f"Give that of {extension.resource_type}s a URN of its own."
            ) from fault
        if present.schema.id != urn:
            raise click.ClickException(f"The schema is spelled {present.schema.id}. Spell it so in the definition.") from fault
        changing = command("schema", "set", "--tenant", tenant, "--file", "FILE", "--dry-run")
        raise click.ClickException(
            f"The tenant {tenant!r} has another schema {urn}. To see what a change of it would mean: {changing}"
        ) from fault
    except schemas.NotThere as fault:
        raise click.ClickException(f"The tenant {tenant!r} has no schema {urn} any more.") from fault
    except schemas.Refused as fault:
        told = ["Nothing was changed, because of values that are there:", *map(_line, fault.findings)]
        raise click.ClickException("\n".join(told)) from fault


def _show_dry_run(outcome: Outcome, drop_values: bool, accept_missing: bool, as_json: bool) -> None:
    from scim_server.provisioning.schemas import LOST, MISSING

    said = {LOST: drop_values, MISSING: accept_missing}
    in_the_way = [each for each in outcome.findings if not said.get(each.problem, False)]
    lines = [f"  {name}: {_short(old)} -> {_short(new)}" for name, old, new in outcome.differences]
    text = ["What would be different:", *lines] if lines else ["Nothing would be different."]
    text += [*map(_line, outcome.findings), *_counted(outcome, "would lose values", would=True)]
    if in_the_way:
        text.append("So it would be refused.")
    show({**_told(outcome), "changed": False, "dry_run": True, "refused": bool(in_the_way)}, "\n".join(text), as_json)


def _line(finding: Finding) -> str:
    """A finding, with what can be done about it."""
    from scim_server.provisioning.schemas import LOST, MISSING

    remedies = {LOST: "--drop-values removes these values.", MISSING: "--accept-missing lets them be, until a client replaces them."}
    named = ", ".join(finding.ids) + (", …" if finding.count > len(finding.ids) else "")
    remedy = remedies.get(finding.problem, "Have the values changed first.")
    return f"  {finding.attribute} {finding.problem} in {_resources(finding.count)} ({named}). {remedy}"


def _counted(outcome: Outcome, lost: str, *, would: bool = False) -> Iterable[str]:
    if outcome.dropped:
        yield f"{_resources(outcome.dropped)} {lost}."
    if outcome.found_anew:
        yield f"{_resources(outcome.found_anew)} {'would be' if would else 'are'} found by other keys."


def _resources(count: int) -> str:
    return f"{count:,} resource{'' if count == 1 else 's'}"


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"


def _told(outcome: Outcome) -> dict[str, Any]:
    """An outcome, for scripts."""
    return {
        **_described(outcome.extension),
        "changed": bool(outcome.differences),
        "differences": [{"path": path, "old": old, "new": new} for path, old, new in outcome.differences],
        "findings": [
            {"attribute": each.attribute, "problem": each.problem, "count": each.count, "ids": each.ids} for each in outcome.findings
        ],
        "dropped": outcome.dropped,
        "found_anew": outcome.found_anew,
    }


def _described(extension: Extension) -> dict[str, Any]:
    return {
        "id": extension.schema.id,
        "name": extension.schema.name,
        "resource_type": extension.resource_type,
        "required": extension.required,
        "attributes": len(extension.schema.attributes),
    }


def _rows(attribute: dict[str, Any]) -> list[dict[str, Any]]:
    """An attribute and its sub-attributes as lines of a table."""
    return [_row(attribute, ""), *(_row(each, f"{attribute['name']}.") for each in attribute.get("subAttributes", ()))]


def _row(attribute: dict[str, Any], prefix: str) -> dict[str, Any]:
    kind = attribute["type"] + ("[]" if attribute["multiValued"] else "")
    unique = attribute.get("uniqueness", "none")
    marks = [
        *(["required"] if attribute["required"] else []),
        *(["caseExact"] if attribute.get("caseExact") else []),
        *([] if unique == "none" else [f"unique ({unique})"]),
    ]
    rest = {"mutability": attribute["mutability"], "returned": attribute["returned"], "marks": ", ".join(marks)}
    return {"attribute": prefix + attribute["name"], "type": kind, **rest}
