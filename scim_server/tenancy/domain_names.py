"""Names of e-mail domains: from what people type to the one form that is stored and compared; and which are nobody's own.

There is no list of public suffixes here, and none is needed: whoever proves ``co.uk`` has written into the zone of ``co.uk``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from ipaddress import ip_address

import idna

LONGEST = 200
"""Characters of a name. DNS allows 253, and the name that holds the proof is longer by a label."""

_LONGEST_INPUT = 1000
_SHOWN = 80
_CONSUMERS = "consumer_domains.txt"
_DIRECTORIES = ("onmicrosoft.com", "onmicrosoft.us", "onmicrosoft.de", "onmschina.cn", "microsoftonline.com")
_SECOND_LEVEL = {"co", "com", "ne", "net", "or", "org"}


class NotADomain(Exception):
    """It cannot be a tenant's e-mail domain. The text is for whoever typed it: what is wrong, and what to type instead."""


def normalise(text: str) -> str:
    """The domain in lower case and A-labels (RFC 5890), without the final dot. Raises NotADomain."""
    if len(text) > _LONGEST_INPUT:
        raise NotADomain(f"That is too long for a domain: it has {len(text)} characters, and {LONGEST} are the most.")
    typed = text.strip()
    shown = repr(typed if len(typed) <= _SHOWN else f"{typed[:_SHOWN]}…")
    _refuse_other_things(typed, shown)
    name = _encoded(typed.removeprefix("@"), shown).removesuffix(".")
    if "." not in name:
        raise NotADomain(f"{shown} is not a whole domain. Enter it with its ending, for example contoso.com.")
    if name.rpartition(".")[2].isdigit():
        raise NotADomain(f"{shown} is an address or a number. Enter a domain, for example contoso.com.")
    if len(name) > LONGEST:
        raise NotADomain(f"That is too long for a domain: in DNS it has {len(name)} characters, and {LONGEST} are the most.")
    _refuse_what_is_nobodys(name)
    return name


def _refuse_other_things(typed: str, shown: str) -> None:
    if not typed.strip("@."):
        raise NotADomain("There is no domain. Enter one, for example contoso.com.")
    if _is_address(typed):
        raise NotADomain(f"{shown} is an IP address. Enter a domain, for example contoso.com.")
    if "://" in typed or "/" in typed or ":" in typed:
        raise NotADomain(f"{shown} is a URL, or has a port. Enter the domain alone, for example contoso.com.")
    local, at, _ = typed.rpartition("@")
    if at and local:
        raise NotADomain(f"{shown} is an e-mail address. Enter what stands behind the @.")
    if "*" in typed:
        raise NotADomain(f"{shown} has a wildcard. Each domain and each subdomain is added, and proved, by itself.")


def _is_address(typed: str) -> bool:
    try:
        ip_address(typed.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _encoded(name: str, shown: str) -> str:
    """UTS #46 takes upper case, full-width letters and other kinds of dots for what they stand for."""
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as fault:
        raise NotADomain(
            f"{shown} cannot be a domain. A domain has letters, digits and hyphens, in parts of 1 to 63 characters between dots."
        ) from fault


def _refuse_what_is_nobodys(name: str) -> None:
    labels = name.split(".")
    above = [labels[start:] for start in range(len(labels) - 1)]
    if any(".".join(each) in _DIRECTORIES for each in above):
        raise NotADomain(
            f"{name} is Microsoft's: no customer can prove it in DNS, and none needs to. Sign-in of such addresses goes by the directory."
        )
    names, brands = _consumers()
    if any(".".join(each) in names or (each[0] in brands and _is_suffix(each[1:])) for each in above):
        raise NotADomain(f"Anybody can have an address in {name}, so it is no customer's. Enter a domain of the customer's own.")


def _is_suffix(labels: list[str]) -> bool:
    """``de``, ``co.uk``"""
    return len(labels) == 1 or (len(labels) == 2 and labels[0] in _SECOND_LEVEL and len(labels[1]) == 2)


@cache
def _consumers() -> tuple[frozenset[str], frozenset[str]]:
    """Whole names; and names that belong to one provider under every suffix."""
    text = resources.files(__package__).joinpath(_CONSUMERS).read_text(encoding="ascii")
    entries = {line.strip() for line in text.splitlines()} - {""}
    entries = {each for each in entries if not each.startswith("#")}
    brands = {each.removesuffix(".*") for each in entries if each.endswith(".*")}
    return frozenset(each for each in entries if not each.endswith(".*")), frozenset(brands)
