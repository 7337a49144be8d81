"""What is found among four people by which filter, and which filters are refused (RFC 7644 §3.4.2.2, §3.10).

A case: requirements (without ``S-7644-3.4.2.2``; in full where they are others), the filter, and the initials of whom it finds.
"""

from __future__ import annotations

from typing import Any

from scim_server.scim.schemas import ENTERPRISE_USER, USER

E, U = ENTERPRISE_USER, USER

PEOPLE: dict[str, dict[str, Any]] = {
    "a": {
        "userName": "Ada@Example.com",
        "externalId": "Ext-A",
        "name": {"givenName": "Ada", "familyName": 'O"Malley'},
        "displayName": "Straße é",
        "nickName": "a]b",
        "title": "10",
        "emails": [{"type": "work", "value": "ada@x.example", "primary": True}, {"type": "home", "value": "ada@y.example"}],
        "photos": [{"value": "https://h.example/A.png", "type": "photo"}],
        "roles": [{"value": "planner", "primary": False}],
        E: {"department": "Sales", "manager": {"value": "b"}},
    },
    "b": {
        "userName": "bob@example.com",
        "active": False,
        "displayName": "100% a_b",
        "nickName": "a) or (b",
        "title": "9",
        "emails": [{"type": "work", "value": "bob@y.example"}],
    },
    "c": {
        "userName": "cyd@example.org",
        "active": True,
        "displayName": "back\\slash",
        "title": "",
        "locale": "de",
        "emails": [{"value": "cyd@x.example"}],
    },
    "d": {"userName": "dee@example.org"},
}
"""Made in this order's reverse, so that a manager is there before whom he manages. A manager's value is an initial."""

FOUND: list[tuple[str, str, str]] = [
    # names and operators in any case
    ("-03 S-7643-2.1-02", 'USERNAME Eq "ada@example.com"', "a"),
    ("-03", "NOT (active EQ true) AND userName PR", "b"),
    ("-03", 'title eq "9" OR title eq "10"', "ab"),
    # literals are JSON
    ("-08", 'name.familyName eq "O\\"Malley"', "a"),
    ("-08", 'displayName eq "Stra\\u00dfe \\u00e9"', "a"),
    ("-08", 'nickName eq "a]b"', "a"),
    ("-08", 'nickName eq "a) or (b"', "b"),
    ("-08", 'displayName eq "back\\\\slash"', "c"),
    ("-08", 'emails[type eq "x]" or value eq "cyd@x.example"]', "c"),
    # spaces
    ("-10", 'userName eq"bob@example.com"', "b"),
    ("-10", '  userName   eq   "bob@example.com"  ', "b"),
    # value paths
    ("-12 -13", 'emails[type eq "work" and value co "@y"]', "b"),
    ("-12", 'emails.type eq "work" and emails.value co "@y"', "ab"),
    ("-13", 'emails[type eq "work" and not (primary eq true)]', "b"),
    ("-15", 'emails[type eq "work"].value eq "ada@x.example"', "a"),
    ("-16", 'name[givenName eq "ada" and familyName ew "malley"]', "a"),
    ("-17", f'schemas[value eq "{E}"]', "a"),
    # attributes by their full names
    ("S-7644-3.10-01", f'{U}:name.familyName co "malley"', "a"),
    ("S-7644-3.10-01", f'{U.upper()}:NAME.FamilyName co "malley"', "a"),
    ("S-7644-3.10-01", f'{U}:userName eq "bob@example.com"', "b"),
    ("S-7644-3.10-02", f'{E}:department eq "sales"', "a"),
    ("S-7644-3.10-02", f'{E.upper()}:DEPARTMENT eq "sales"', "a"),
    ("S-7644-3.10-02", f'{E}:manager.displayName co "100%"', "a"),
    ("S-7644-3.10-04", f"{E} pr", "a"),
    ("S-7644-3.10-04", f"not ({E} pr)", "bcd"),
    # operators
    ("-20", 'displayName eq "100% A_B"', "b"),
    ("-20", 'userName ne "bob@example.com"', "acd"),
    ("-20", 'displayName co "% a"', "b"),
    ("-20", 'displayName sw "100"', "b"),
    ("-20", 'displayName sw "100% a_b" and displayName ew "100% a_b"', "b"),
    ("-20", 'displayName ew "_b"', "b"),
    ("-20", 'displayName sw "00"', ""),
    ("-21", "title pr", "ab"),
    ("-21", "active pr", "abcd"),
    ("-21", "emails pr and name pr", "a"),
    ("-21", "ims pr or locale pr", "c"),
    ("-22", 'title gt "9"', ""),
    ("-22", 'title ge "9"', "b"),
    ("-22", 'title lt "9"', "a"),
    ("-22", 'title le "9"', "ab"),
    ("-22", 'meta.created lt "2999-01-01T00:00:00Z"', "abcd"),
    ("-22", 'meta.created gt "2999-01-01T00:00:00Z"', ""),
    # case
    ("-24", 'userName eq "ADA@EXAMPLE.COM"', "a"),
    ("-24", 'externalId eq "Ext-A"', "a"),
    ("-24", 'externalId eq "ext-a"', ""),
    ("-24", f'schemas eq "{U.upper()}"', "abcd"),
    ("-24 S-7643-3.1-12", 'meta.resourceType eq "user"', ""),
    # several values, complex values
    ("-25", 'emails.value co "@y"', "ab"),
    ("-27", 'emails co "x.example"', "ac"),
    ("-27", "emails pr", "abc"),
    # a default is a value
    ("-28", "active eq true", "acd"),
    ("-28", "active ne true", "b"),
    # references are compared as strings, and case-sensitively
    ("-30 S-7643-2.3.7-02", 'photos.value sw "https://h.example/A"', "a"),
    ("-30 S-7643-2.3.7-02", 'photos.value co "a.png"', ""),
    # null and absent
    ("-32", "title eq null", "cd"),
    ("-32", "title ne null", "ab"),
    ("-32", "emails eq null", "d"),
    ("-33", 'title ne "10"', "bcd"),
    ("-33", 'locale eq "en"', ""),
    ("-33", 'locale gt "a"', "c"),
    ("-33", 'locale ne "de"', "abd"),
    ("-34", 'emails.type ne "work"', "acd"),
    ("-34", 'not (emails.type eq "work")', "cd"),
    ("-35", 'not (nickName eq "a]b")', "bcd"),
    ("-35", "not (not (title pr))", "ab"),
    ("S-7643-2.4-02", "emails[primary eq false]", "abc"),
    ("S-7643-2.5-03", 'title eq ""', ""),
    # schemas
    ("-36", f'schemas eq "{E}"', "a"),
    # what LIKE has a meaning for
    ("-39", 'displayName co "%"', "b"),
    ("-39", 'displayName co "_"', "b"),
    ("-39", 'displayName co "\\\\"', "c"),
    ("-39", 'displayName sw "%"', ""),
    ("-39", 'displayName eq "100%"', ""),
    ("-39", 'userName co "b_b"', ""),
    # within the limits
    ("-06", "(" * 20 + "title pr" + ")" * 20, "ab"),
    ("-40", 'title pr and title ne "' + "x" * 10_000 + '"', "ab"),
]

REFUSED: list[tuple[str, str]] = [
    ("-02", ""),
    ("-02", "   "),
    ("-04", 'userName regex "x"'),
    ("-04", 'userName = "x"'),
    ("-06", "(" * 41 + "title pr" + ")" * 41),
    ("-06", "(title pr"),
    ("-09", "userName eq 'bob@example.com'"),
    ("-10", 'userName\teq "x"'),
    ("-11", 'not userName eq "x"'),
    ("-08", 'userName eq "x'),
    ("-08", 'title pr and userName eq "\\x"'),
    ("-08", "active eq TRUE1"),
    ("-13", 'emails[type eq "work"'),
    ("-13", 'emails[value[type eq "work"]]'),
    ("-14", 'emails[emails.type eq "work"]'),
    ("S-7644-3.10-03", 'department eq "Sales"'),
    ("S-7644-3.4.2.1-04", 'nothing eq "x"'),
    ("S-7644-3.4.2.1-04", 'emails.nothing eq "x"'),
    ("S-7644-3.4.2.1-04", 'urn:x:y:z eq "x"'),
    ("S-7644-3.4.2.1-04", 'title pr or nothing eq "x"'),
    ("-23", "active gt true"),
    ("-23", 'x509Certificates.value lt "AA"'),
    ("-26", 'name eq "x"'),
    ("-26", 'addresses co "x"'),
    ("-29", 'meta.created gt "yesterday"'),
    ("-29", 'meta.created gt "2026-01-01"'),
    ("-30", 'active co "t"'),
    ("-30", 'meta.created sw "2026"'),
    ("-30", 'x509Certificates co "A"'),
    ("-31", "userName eq 5"),
    ("-31", "userName eq true"),
    ("-31", 'active eq "maybe"'),
    ("-32", "title gt null"),
    ("-32", "title co null"),
    ("-40", 'userName eq "' + "x" * 1_000_000 + '"'),
    ("-40", " or ".join(["title pr"] * 101)),
    ("-41 S-7643-7-05 S-7643-4.1.1-05", 'password eq "secret"'),
    ("-41 S-7643-7-05", "password pr"),
    ("-41 S-7643-7-05", "not (password eq null)"),
    ("-41", f'{U}:password sw "s" or title pr'),
]
"""What is no filter on users, whatever the profile."""


def ids(text: str) -> list[str]:
    return [each if each.startswith("S-") else f"S-7644-3.4.2.2{each}" for each in text.split()]
