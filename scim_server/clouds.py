"""Microsoft's clouds, each with directories of its own: where they sign people in, where Graph is, who issues their tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """Base URLs of the sign-in service and of Graph; of the issuer of tokens of version 1, without the directory that follows.

    ``hosts`` are all names under which the sign-in service is reached, and under which it issues.
    """

    authority: str
    graph: str
    issuer_v1: str
    hosts: frozenset[str]


CLOUDS = {
    "global": Cloud(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://sts.windows.net",
        frozenset({"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}),
    ),
    # Tokens of version 1 name sts.windows.net in every cloud but China's.
    "us": Cloud(
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        "https://sts.windows.net",
        frozenset({"login.microsoftonline.us"}),
    ),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://sts.chinacloudapi.cn",
        frozenset({"login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "sts.chinacloudapi.cn"}),
    ),
}
"""By the name under which a directory has it."""

SIGN_IN_HOSTS = frozenset().union(*(each.hosts for each in CLOUDS.values()))
GRAPH_HOSTS = frozenset(each.graph.removeprefix("https://") for each in CLOUDS.values())
