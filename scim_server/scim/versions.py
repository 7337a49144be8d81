"""Versions of resources as HTTP entity tags (RFC 7644 §3.14, RFC 9110 §8.8.3).

One number counts the states of a resource whatever projection of it is answered, so the tags are
weak, and are compared weakly everywhere: under the strong comparison that RFC 9110 has for
If-Match, no SCIM tag would ever match.
"""

from __future__ import annotations

import re

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def etag(version: int) -> str:
    """The entity tag of that version."""
    return f'W/"{version}"'


def matches(header: str, version: int) -> bool:
    """Whether an If-Match or If-None-Match header names that version. ``*`` names every version."""
    return header.strip() == "*" or str(version) in _TAG.findall(header)
