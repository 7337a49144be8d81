"""In which groups of the directory somebody is: from the ID token, or from Microsoft Graph where they are too many for a token.

Above 200 groups a token has none of them, and points to where they can be asked for. That URL is somebody's text: it is neither
followed nor shown; Graph's is made here. An answer is complete or it is none, since half of a person's groups is a wrong role.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from scim_server.outbound import Answer, FetchFailed, Outbound
from scim_server.tenancy.clouds import cloud_of
from scim_server.tenancy.directories import Directory

_VERSION, _PATH = "/v1.0", "/me/transitiveMemberOf"
_QUERY = "$select=id&$top=999"
_GROUP = "#microsoft.graph.group"
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOST_PAGES = 100
_BUDGET_S = 10.0
_USUAL_WAIT_S = 1.0
_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.BAD_GATEWAY)


@dataclass(frozen=True, slots=True)
class Inline:
    """All of them, by object id in lower case."""

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Overage:
    """Too many for the token."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The token says nothing of groups: the registration does not ask for them, or there are none. Nobody knows which."""


Groups = Inline | Overage | Absent


class GroupsUnavailable(Exception):
    """They cannot be had, or not all of them. ``retry_after`` is in seconds, if Graph said when."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


def of_claims(claims: Mapping[str, Any]) -> Groups | None:
    """What an ID token says of groups; None where it says so in a way that cannot be."""
    groups, names = claims.get("groups"), claims.get("_claim_names")
    if groups is not None:
        if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
            return None
        return Inline(frozenset(each.lower() for each in groups if _OBJECT_ID.fullmatch(each)))
    if (isinstance(names, dict) and "groups" in names) or claims.get("hasgroups") in (True, "true"):
        return Overage()
    return Absent()


class Graph:
    """Asks Microsoft Graph on behalf of the person, with the access token that came with the ID token. Safe to share between threads."""

    def __init__(self, outbound: Outbound, *, budget_s: float = _BUDGET_S, sleep: Callable[[float], None] = time.sleep) -> None:
        self._outbound = outbound
        self._budget_s = budget_s
        self._sleep = sleep

    def groups_of_me(self, directory: Directory, access_token: str, correlation_id: str) -> frozenset[str]:
        """The object ids of all groups that the person is in, also by way of another group. Raises GroupsUnavailable."""
        base = cloud_of(directory).graph.removesuffix(_VERSION) + _VERSION + _PATH
        headers = {"Authorization": f"Bearer {access_token}", "client-request-id": correlation_id}
        until = time.monotonic() + self._budget_s
        found: set[str] = set()
        url: str | None = f"{base}?{_QUERY}"
        for _ in range(_MOST_PAGES):
            if url is None:
                return frozenset(found)
            document = self._page(url, headers, until)
            found.update(_groups(document))
            url = _next(document, base)
        if url is None:
            return frozenset(found)
        raise GroupsUnavailable(f"more than {_MOST_PAGES} pages")

    def _page(self, url: str, headers: Mapping[str, str], until: float) -> dict[str, Any]:
        while True:
            try:
                answer = self._outbound.ask("GET", url, headers=headers, graph=True)
            except FetchFailed as fault:
                raise GroupsUnavailable(fault.reason) from fault
            if answer.status == HTTPStatus.OK:
                if answer.document is None or not isinstance(answer.document.get("value"), list):
                    raise GroupsUnavailable("no list in Graph's answer")
                return answer.document
            if answer.status not in _LATER:
                raise GroupsUnavailable(f"Graph answered {answer.status}{_code(answer)}")
            wait = _retry_after(answer)
            if time.monotonic() + wait > until:
                raise GroupsUnavailable(f"Graph answered {answer.status}", wait)
            self._sleep(wait)


def _groups(document: dict[str, Any]) -> set[str]:
    """Of a page. Roles and administrative units come in the same list."""
    listed = [each for each in document["value"] if isinstance(each, dict) and each.get("@odata.type", _GROUP) == _GROUP]
    ids = [each.get("id") for each in listed]
    if not all(isinstance(each, str) and _OBJECT_ID.fullmatch(each) for each in ids):
        raise GroupsUnavailable("a group without an object id in Graph's answer")
    return {each.lower() for each in ids if isinstance(each, str)}


def _next(document: dict[str, Any], base: str) -> str | None:
    """The next page: of the same question to the same Graph, or it is not asked."""
    url = document.get("@odata.nextLink")
    if url is None:
        return None
    if not isinstance(url, str):
        raise GroupsUnavailable("a next page that is no URL in Graph's answer")
    ours = urlsplit(base)
    try:
        theirs = urlsplit(url)
    except ValueError:
        theirs = urlsplit("")
    if (theirs.scheme, theirs.netloc, theirs.path.lower()) != (ours.scheme, ours.netloc, ours.path.lower()):
        raise GroupsUnavailable("a next page that is somewhere else in Graph's answer")
    return url


def _retry_after(answer: Answer) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else _USUAL_WAIT_S


def _code(answer: Answer) -> str:
    """Graph's own word for what is wrong, if it is one."""
    error = (answer.document or {}).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return f" ({code})" if isinstance(code, str) and re.fullmatch(r"[A-Za-z_.]{1,60}", code) else ""
