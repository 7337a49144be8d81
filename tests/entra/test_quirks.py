"""The known quirks of Entra's provisioning service, and where each is shown to be met.

The numbers stand in ``scim_server/entra.py`` and in the case files; the list was gathered from
Microsoft's documentation and from what authors of other servers met.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from tests.entra.test_cases import CASES

HTTP = "tests/http/test_quirks.py"


@dataclass(frozen=True)
class Quirk:
    """``cases``: case files that name the number; ``http``: shown over HTTP by ``test_quirk_<number>``, too or only.

    ``not_ours``: why there is nothing that this server could do, or has to do yet.
    """

    what: str
    cases: tuple[str, ...] = ()
    http: bool = False
    not_ours: str = ""


def _case(what: str, *cases: str, http: bool = False) -> Quirk:
    return Quirk(what, cases, http)


def _http(what: str) -> Quirk:
    return Quirk(what, http=True)


QUIRKS: dict[int, Quirk] = {
    1: _case("op is Add, Replace, Remove", "01-op-capitalised"),
    2: _case('active is "False", a text', "02-active-as-text", "02-active-as-text-in-post"),
    3: _case('or "false", after the customer mended the mapping', "03-active-as-lower-case-text"),
    4: _case("path-less values with dotted keys", "04-pathless-dotted-keys"),
    5: _case("path-less values with URNs as keys", "05-pathless-urn-keys", "05-pathless-extension-object"),
    6: _case("path-less add", "06-pathless-add-dotted-keys"),
    7: _case("URNs hold a dot", "07-urn-holds-a-dot", "05-pathless-urn-keys"),
    8: _case("value paths of elements that are not there", "08-value-path-of-nothing"),
    9: _case("a made element lacks its type", "09-made-element-has-its-type"),
    10: _case('roles[primary eq "True"]', "10-primary-as-text-in-path", "10-primary-as-text-in-post", "10-primary-as-text-in-pathless-key"),
    11: _case("members removed by a value: not all", "11-members-remove-listed"),
    12: _case("members removed by a value: not refused", "11-members-remove-listed", "12-members-remove-by-filter"),
    13: _case("members removed without a value: all", "13-members-remove-all", "13-members-remove-none", "17-members-are-not-cleared"),
    14: _case("$ref is null in members", "14-ref-null", "11-members-remove-listed"),
    15: _case("the manager is a bare text", "15-manager-as-text", "15-manager-as-text-in-post"),
    16: _case("the manager is an array", "16-manager-as-array"),
    17: _case(
        "no manager, no value: an empty text",
        "17-manager-cleared-by-text",
        "17-manager-cleared-by-object",
        "17-no-manager-in-post",
        "17-cleared-one-by-one",
        "17-cleared-without-path",
        "17-cleared-in-extension-object",
        "17-cleared-by-nulls",
        "17-required-is-not-cleared",
        "17-active-is-not-cleared",
        "17-members-are-not-cleared",
        "17-member-is-not-cleared",
        "17-read-only-is-not-cleared",
        "17-nothing-is-added-to-many",
    ),
    18: _http("the manager must come back inside the enterprise object"),
    19: _http("the manager's id is unknown"),
    20: _http("nobody found is no 404"),
    21: _http("groups are asked for even where none are provisioned"),
    22: _http("a userName is found in any case"),
    23: _http("externalId is asked for; an unknown filter is never everybody"),
    24: _http("disabled users must be found"),
    25: _http("a deleted user may come again"),
    26: _case("a rename is not another user", "26-user-name-changes", http=True),
    27: _case("soft deletion renames the user", "27-soft-deleted-name"),
    28: _http("application/scim+json, with a charset"),
    29: _http("GET without Accept and Content-Type"),
    30: _http("answers, errors too, are application/scim+json"),
    31: _http("/Schemas and /ResourceTypes are ListResponses"),
    32: _case("schemas holds URIs of Microsoft's own", "32-private-group-schema", "32-message-is-no-schema", "34-nulls-in-post"),
    33: _case("schemas leaves out the extension", "33-extension-not-listed"),
    34: _case("nulls in a POST", "34-nulls-in-post"),
    35: _case("roles as JSON texts", "35-role-as-text", "35-role-with-display-name"),
    36: _case("roles that are only ever added", "36-roles-replaced"),
    37: _http("a member is added again"),
    38: _http("members of a large group"),
    39: _http("a member that nobody knows"),
    40: _http("PATCH must be announced and served"),
    41: _case("one customer sends both shapes", "41-one-change-without-the-flag", "41-one-change-with-the-flag"),
    42: _http("the flag in the Tenant URL, with a path after it"),
    43: _case("no e-mail address", "43-no-emails", http=True),
    44: _case("formats that no schema can express", "44-stored-as-sent"),
    45: _case("values come back as they were sent", "44-stored-as-sent", http=True),
    46: _http("groups are deleted"),
    47: _case("complex attributes are merged", "47-name-is-merged"),
    48: Quirk("the token endpoint is no SCIM endpoint", not_ours="There is no token endpoint: a client has an opaque secret."),
    49: _http("one person's address in two tenants"),
    50: Quirk("adopting a local account", not_ours="There are no local accounts: users come into being by SCIM, within one tenant."),
    51: Quirk("externalId is not the sign-in's oid", not_ours="Nothing is joined by externalId: it is a label that the client gives."),
    52: Quirk("local edits of provisioned groups", not_ours="Nothing but SCIM edits groups."),
    53: _case("extra members", "53-extra-members", "53-id-in-post", http=True),
    54: Quirk("a change that comes forty minutes later", not_ours="That is the directory's own interval; no request is lost."),
    55: _http("a token too long to be saved"),
}


def test_every_quirk_is_answered() -> None:
    assert sorted(QUIRKS) == list(range(1, 56))
    assert [number for number, quirk in QUIRKS.items() if not quirk.cases and not quirk.http and not quirk.not_ours] == []


def test_each_case_file_is_listed_with_each_number_it_names() -> None:
    named = {(number, name) for name, case in CASES.items() for number in case["quirk"]}
    listed = {(number, name) for number, quirk in QUIRKS.items() for name in quirk.cases}
    assert listed - named == set()
    assert {name for _, name in named} - {name for _, name in listed} == set()


def test_what_is_shown_over_http_is_there() -> None:
    tree = ast.parse((Path(__file__).parents[2] / HTTP).read_text(encoding="utf-8"))
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [number for number, quirk in QUIRKS.items() if quirk.http and f"test_quirk_{number}" not in there] == []
