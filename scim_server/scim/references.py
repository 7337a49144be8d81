"""Addresses of resources as clients write them: a relative one is read against the service's root (RFC 7643 §2.3.7), and the segment
with the protocol's version may be left out of an absolute one (§2.4, RFC 7644 §3.13).

What the server writes itself (``meta.location`` and every ``$ref`` that it makes) is absolute, with the version. So what a filter
compares that with is brought to that form; references of a tenant's own schema are compared as they were sent.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from urllib.parse import urljoin

from scim_server.scim.filters import Compare, Filter, Present, rewritten
from scim_server.scim.patch import Operation
from scim_server.scim.schemas import ENTERPRISE_USER, RESOURCE_TYPES, ResourceType

_VERSION = re.compile(r"/v[0-9]+\Z")


_MADE = frozenset(
    target.sub
    for each in RESOURCE_TYPES
    for name in ("meta.location", "groups.$ref", "members.$ref", f"{ENTERPRISE_USER}:manager.$ref")
    if (target := each.resolve(name))
)
_ENDPOINTS = tuple(f"{each.endpoint}/" for each in RESOURCE_TYPES)


def absolute(text: str, root: str) -> str:
    """The address of a resource of the service at ``root`` as the server writes it; any other text as it is."""
    try:
        address = urljoin(root + "/", text)
    except ValueError:  # brackets that hold no address
        return text
    for base in (root, _VERSION.sub("", root)):
        if address.startswith(tuple(base + endpoint for endpoint in _ENDPOINTS)):
            return root + address[len(base) :]
    return text


def in_filter(filter: Filter, resource_type: ResourceType, root: str, outer: str = "") -> Filter:
    """The filter, with the addresses that it names as the server writes them; ``outer`` is the attribute in whose brackets it stands."""

    def addressed(node: Compare | Present, outer: str) -> Filter:
        if isinstance(node, Present) or node.op not in ("eq", "ne") or not isinstance(node.value, str):
            return node
        target = resource_type.resolve(f"{outer}.{node.path}" if outer else node.path)
        return dataclasses.replace(node, value=absolute(node.value, root)) if target and target.sub in _MADE else node

    return rewritten(filter, addressed, outer)


def in_operations(operations: Sequence[Operation], resource_type: ResourceType, root: str) -> tuple[Operation, ...]:
    """The operations of a PATCH, with the addresses in their paths as the server writes them."""
    return tuple(_in_operation(each, resource_type, root) for each in operations)


def _in_operation(operation: Operation, resource_type: ResourceType, root: str) -> Operation:
    path = operation.path
    if path is None or path.filter is None:
        return operation
    filter = in_filter(path.filter, resource_type, root, path.attribute)
    return dataclasses.replace(operation, path=dataclasses.replace(path, filter=filter))
