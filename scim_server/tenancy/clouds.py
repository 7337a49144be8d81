"""Clouds, and how directories in them are named: by a GUID, which is unique over all clouds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scim_server.clouds import CLOUDS
from scim_server.store.registry import Directory

GLOBAL, CUSTOM = "global", "custom"

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs: where a directory signs people in, and where Graph is."""

    authority: str
    graph: str


class Unusable(ValueError):
    """What was asked for cannot be. The text says why, and how to mend it."""


def parse_tid(text: str) -> str:
    """The id of a directory in lower case. Raises Unusable; also for that of personal accounts, which is everybody's."""
    tid = text.strip().lower()
    if not GUID.fullmatch(tid):
        raise Unusable(
            f"{text[:100]!r} is no directory id. It is a GUID, shown as Tenant ID on the overview page of Microsoft Entra ID, "
            "such as 72f988bf-86f1-41af-91ab-2d7cd011db47."
        )
    if tid == CONSUMERS:
        raise Unusable(f"{tid} is the directory of all personal Microsoft accounts, which is no customer's. Give the customer's own.")
    return tid


def cloud_of(directory: Directory) -> Endpoints:
    """Those of the cloud that the directory is in; its own if it is custom."""
    if directory.cloud == CUSTOM:
        return Endpoints(directory.authority or "", directory.graph or "")
    cloud = CLOUDS[directory.cloud]
    return Endpoints(cloud.authority, cloud.graph)


def discovery_url(directory: Directory) -> str | None:
    """Where the directory says what it is like (OpenID Connect Discovery 1.0). None for a custom one that nobody signs in at."""
    authority = cloud_of(directory).authority
    return f"{authority}/{directory.tid}/v2.0/.well-known/openid-configuration" if authority else None
