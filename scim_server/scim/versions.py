"""Versions of resources as HTTP entity tags (RFC 7644 §3.14, RFC 9110 §8.8.3).

One number counts the states of a resource whatever projection of it is answered, so the tags are
weak, and are compared weakly everywhere: under the strong comparison that RFC 9110 has for
If-Match, no SCIM tag would ever match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scim_server.scim.errors import PreconditionFailed

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def etag(version: int) -> str:
    """The entity tag of that version."""
    return f'W/"{version}"'


def matches(header: str, version: int) -> bool:
    """Whether an If-Match or If-None-Match header names that version. ``*`` names every version."""
    return header.strip() == "*" or str(version) in _TAG.findall(header)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must hold of the version of a resource, or it is not changed (RFC 9110 §13.1.1, §13.1.2): headers; None where there is none."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, version: int) -> None:
        """Raise PreconditionFailed unless it holds of the present version."""
        if self.if_match is not None and not matches(self.if_match, version):
            raise PreconditionFailed(f"The resource has changed: its version is {etag(version)}, not the one named. Read it again.")
        if self.if_none_match is not None and matches(self.if_none_match, version):
            raise PreconditionFailed(f"The resource has the version {etag(version)}, for which the change was not wanted.")


NO_PRECONDITION = Precondition()
