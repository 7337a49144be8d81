"""Where a request comes from: an address that nobody else can have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from scim_server.config import Network


def client_address(environ: Mapping[str, Any], trusted_proxies: Sequence[Network]) -> str:
    """The peer of the connection; or, if that is a trusted proxy, the last address of X-Forwarded-For that is not one.

    What stands before that address in the header may be anybody's invention. Empty where there is no address (a Unix socket).
    """
    address = _parse(environ.get("REMOTE_ADDR", ""))
    if trusted_proxies:
        hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        while hops and address is not None and any(address in network for network in trusted_proxies):
            hop = _parse(hops.pop())
            if hop is None:
                break
            address = hop
    return "" if address is None else str(address)


@lru_cache(maxsize=1024)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address, with or without a port; an IPv4 address in IPv6's clothes as what it is."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
