"""The keys of secrets at rest: ``keys generate``, ``keys list``, ``keys rotate``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli import opening
from scim_server.cli.output import command, json_option, show, table
from scim_server.config import Settings

if TYPE_CHECKING:
    from scim_server.tenancy.keys import KeyRing

MANY = 500
"""From so many secrets on, a terminal is told how far it is."""


@click.group()
def keys() -> None:
    """Keys that encrypt what must be read again, such as the client secrets of directories.

    \b
    To change the key while several nodes serve:
      1. keys generate; add the key to SECRET_KEYS (or the file) of every node, behind the one in use
      2. put it first on every node
      3. keys rotate, on one node
      4. when keys list shows no secret under the old key, remove it from every node
    Nodes that have SECRET_KEYS are restarted at 1, 2 and 4. A file is read again by itself.
    """


@keys.command("generate")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Put it first in this file, in front of those there are.")
@json_option
def generate_command(file: Path | None, as_json: bool) -> None:
    """Make a key: print it, or put it into a file."""
    from scim_server.tenancy import keys as rings

    key = rings.generate()
    made = rings.key_id(key)
    if file is None:
        click.echo(f"The key {made}, for SECRET_KEYS. Keep a copy, elsewhere than the database's backup.", err=True)
        show({"key_id": made, "key": key}, key, as_json)
        return
    with faults_told():
        others = rings.put_first(file, key)
    following = (
        f"Secrets are encrypted with it from now on. Those under the {'other' if others == 1 else f'{others} others'}: "
        f"{command('keys', 'rotate')}"
        if others
        else f"Name the file to every node: SECRET_KEYS_FILE={file.absolute()}"
    )
    told = f"The key {made} stands first in {file}. Keep a copy, elsewhere than the database's backup.\n{following}"
    show({"key_id": made, "file": str(file.absolute())}, told, as_json)


@keys.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List keys by their ids: which encrypts, which only decrypts, which is missing, and how many secrets are under each."""
    settings = opening.read_settings()
    with opening.database(settings) as opened, faults_told():
        counts = opened.registry.sealed.counts()
        known = ring(settings, opened).key_ids()
    found: list[dict[str, Any]] = [
        {"key_id": each, "role": _role(each, known), "secrets": counts.get(each, 0)} for each in dict.fromkeys((*known, *counts))
    ]
    show(found, table(found) or f"There is no key, and no secret that needs one. To make one: {command('keys', 'generate')}", as_json)


@keys.command("rotate")
@json_option
def rotate_command(as_json: bool) -> None:
    """Encrypt every secret anew that is not under the first key. The server may go on serving meanwhile.

    It can be stopped, and run again. It says which keys are not needed any more.
    """
    settings = opening.read_settings()
    with opening.database(settings) as opened, faults_told():
        keys = ring(settings, opened)
        result = keys.rotate(opened.registry.sealed, opening.operator(), _progress)
        counts = opened.registry.sealed.counts()
        unused = [each for each in keys.key_ids()[1:] if each not in counts]
    left = sum(count for each, count in counts.items() if each != result.key_id)
    if result.secrets:
        told = [f"{_secrets(result.secrets)} encrypted anew, under the key {result.key_id}."]
    else:
        told = ["There was nothing to do." if not left else "Nothing was encrypted anew."]
    told += [f"Not opened, and left as it is: {each.name} of {each.owner_id}. Enter it again." for each in result.unopenable]
    if result.again:
        told.append(f"{_secrets(result.again)} put under another key meanwhile: give every node the first key first, and run this again.")
    if unused:
        told.append(f"Not needed any more, once every node has the first key first: {', '.join(unused)}.")
    payload = {"key_id": result.key_id, "secrets": result.secrets, "left": left, "unused": unused}
    show({**payload, "key_id": result.key_id or None}, "\n".join(told), as_json)
    if left:
        raise click.ClickException(f"{_secrets(left)} still under other keys. Which: {command('keys', 'list')}")


def ring(settings: Settings, opened: opening.Opened) -> KeyRing:
    """The keys as the settings say."""
    from scim_server.tenancy.keys import KeyRing

    return KeyRing.of(settings, opened.registry)


@contextmanager
def faults_told() -> Iterator[None]:
    """What is wrong with the keys, as the commands tell it."""
    from scim_server.tenancy.key_files import KeyFault

    try:
        yield
    except KeyFault as fault:
        raise click.ClickException(str(fault)) from fault


def _role(key_id: str, known: tuple[str, ...]) -> str:
    if key_id not in known:
        return "MISSING"
    return "encrypts" if key_id == known[0] else "decrypts"


def _progress(done: int, total: int) -> None:
    if total >= MANY and _is_terminal():
        click.echo(f"\r{done} of {total}", nl=done == total, err=True)


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _secrets(count: int) -> str:
    return "1 secret is" if count == 1 else f"{count} secrets are"
