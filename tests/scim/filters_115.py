"""115 filters and what they mean: the RFC's examples, what clients send, and what must be refused.

Each entry is the text, and its tree, or ``REFUSED``, or ``EITHER`` where RFC 7644 leaves it open.
"""

from decimal import Decimal

from scim_server.scim.filters import And, Compare, Filter, Not, Or, Present, ValuePath
from scim_server.scim.schemas import ENTERPRISE_USER, USER

REFUSED, EITHER = "refused", "either"

A = Compare("a", "eq", "v1")
B = Compare("b", "eq", "v2")
C = Compare("c", "eq", "v3")
D = Compare("d", "eq", "v4")

FILTERS: list[tuple[str, Filter | str]] = [
    # operators
    ('userName eq "bjensen"', Compare("userName", "eq", "bjensen")),
    ('userName ne "bjensen"', Compare("userName", "ne", "bjensen")),
    ('userName co "jen"', Compare("userName", "co", "jen")),
    ('userName sw "b"', Compare("userName", "sw", "b")),
    ('userName ew "n"', Compare("userName", "ew", "n")),
    ("title pr", Present("title")),
    ("age gt 5", Compare("age", "gt", 5)),
    ('meta.lastModified gt "2011-05-13T04:42:34Z"', Compare("meta.lastModified", "gt", "2011-05-13T04:42:34Z")),
    ('meta.lastModified ge "2011-05-13T04:42:34Z"', Compare("meta.lastModified", "ge", "2011-05-13T04:42:34Z")),
    ('meta.lastModified lt "2011-05-13T04:42:34Z"', Compare("meta.lastModified", "lt", "2011-05-13T04:42:34Z")),
    ('meta.lastModified le "2011-05-13T04:42:34.123+02:00"', Compare("meta.lastModified", "le", "2011-05-13T04:42:34.123+02:00")),
    ('name.familyName co "O\'Malley"', Compare("name.familyName", "co", "O'Malley")),
    # case
    ('userName Eq "john"', Compare("userName", "eq", "john")),
    ('userName EQ "john"', Compare("userName", "eq", "john")),
    ("TITLE PR", Present("TITLE")),
    ('a eq "v1" AND b eq "v2"', And((A, B))),
    ('a eq "v1" Or b eq "v2"', Or((A, B))),
    ('NOT (a eq "v1")', Not(A)),
    ('USERNAME eq "x"', Compare("USERNAME", "eq", "x")),
    # precedence
    ('a eq "v1" or b eq "v2" and c eq "v3"', Or((A, And((B, C))))),
    ('a eq "v1" and b eq "v2" or c eq "v3"', Or((And((A, B)), C))),
    ('a eq "v1" or b eq "v2" and c eq "v3" or d eq "v4"', Or((A, And((B, C)), D))),
    ('not (a eq "v1") or b eq "v2" and c eq "v3"', Or((Not(A), And((B, C))))),
    ('not (a eq "v1") and b eq "v2"', And((Not(A), B))),
    ('a eq "v1" and not (b eq "v2")', And((A, Not(B)))),
    ('(a eq "v1" or b eq "v2") and c eq "v3"', And((Or((A, B)), C))),
    ('a eq "v1" and (b eq "v2" or c eq "v3")', And((A, Or((B, C))))),
    ('a eq "v1" and b eq "v2" and c eq "v3"', And((A, B, C))),
    ('a eq "v1" or b eq "v2" or c eq "v3"', Or((A, B, C))),
    ('title pr and userType eq "Employee"', And((Present("title"), Compare("userType", "eq", "Employee")))),
    ('title pr or userType eq "Intern"', Or((Present("title"), Compare("userType", "eq", "Intern")))),
    (
        'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
        And(
            (
                Compare("userType", "eq", "Employee"),
                Or((Compare("emails", "co", "example.com"), Compare("emails.value", "co", "example.org"))),
            )
        ),
    ),
    (
        'userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")',
        And(
            (
                Compare("userType", "ne", "Employee"),
                Not(Or((Compare("emails", "co", "example.com"), Compare("emails.value", "co", "example.org")))),
            )
        ),
    ),
    (
        'userType eq "Employee" and (emails.type eq "work")',
        And((Compare("userType", "eq", "Employee"), Compare("emails.type", "eq", "work"))),
    ),
    # value paths
    ('emails[type eq "work"]', ValuePath("emails", Compare("type", "eq", "work"))),
    (
        'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]',
        And(
            (
                Compare("userType", "eq", "Employee"),
                ValuePath("emails", And((Compare("type", "eq", "work"), Compare("value", "co", "@example.com")))),
            )
        ),
    ),
    (
        'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
        Or(
            (
                ValuePath("emails", And((Compare("type", "eq", "work"), Compare("value", "co", "@example.com")))),
                ValuePath("ims", And((Compare("type", "eq", "xmpp"), Compare("value", "co", "@foo.com")))),
            )
        ),
    ),
    (
        'emails[type eq "a" or type eq "b" and primary eq true]',
        ValuePath("emails", Or((Compare("type", "eq", "a"), And((Compare("type", "eq", "b"), Compare("primary", "eq", True)))))),
    ),
    ('emails[not (type eq "work")]', ValuePath("emails", Not(Compare("type", "eq", "work")))),
    (
        'emails[not (type eq "work" or primary eq true) and value pr]',
        ValuePath("emails", And((Not(Or((Compare("type", "eq", "work"), Compare("primary", "eq", True)))), Present("value")))),
    ),
    ('not (emails[type eq "work"])', Not(ValuePath("emails", Compare("type", "eq", "work")))),
    ('emails[(type eq "work")]', ValuePath("emails", Compare("type", "eq", "work"))),
    (
        'emails[type eq "work"].value eq "x@y.de"',
        ValuePath("emails", And((Compare("type", "eq", "work"), Compare("value", "eq", "x@y.de")))),
    ),
    ('emails[type eq "work"].value pr', ValuePath("emails", And((Compare("type", "eq", "work"), Present("value"))))),
    ('members[value eq "6784"]', ValuePath("members", Compare("value", "eq", "6784"))),
    ('roles[primary eq "True"].value eq "x"', ValuePath("roles", And((Compare("primary", "eq", "True"), Compare("value", "eq", "x"))))),
    ('emails[x[y eq "z"]]', REFUSED),
    # URN
    (f'{USER}:userName eq "x"', Compare(f"{USER}:userName", "eq", "x")),
    (f'{USER}:name.familyName sw "x"', Compare(f"{USER}:name.familyName", "sw", "x")),
    (f'{ENTERPRISE_USER}:employeeNumber eq "701984"', Compare(f"{ENTERPRISE_USER}:employeeNumber", "eq", "701984")),
    (f'{ENTERPRISE_USER}:manager.value eq "26118915"', Compare(f"{ENTERPRISE_USER}:manager.value", "eq", "26118915")),
    (f'{ENTERPRISE_USER}:manager.$ref eq "x"', Compare(f"{ENTERPRISE_USER}:manager.$ref", "eq", "x")),
    (f'{USER}:emails[type eq "work"]', ValuePath(f"{USER}:emails", Compare("type", "eq", "work"))),
    (f'schemas eq "{ENTERPRISE_USER}"', Compare("schemas", "eq", f"{ENTERPRISE_USER}")),
    ('urn:contoso:scim:1.0:User:costCenter2 eq "x"', Compare("urn:contoso:scim:1.0:User:costCenter2", "eq", "x")),
    (
        f'{ENTERPRISE_USER}:department eq "a" and {ENTERPRISE_USER}:division eq "b"',
        And((Compare(f"{ENTERPRISE_USER}:department", "eq", "a"), Compare(f"{ENTERPRISE_USER}:division", "eq", "b"))),
    ),
    ('members.$ref eq "https://x/Users/1"', Compare("members.$ref", "eq", "https://x/Users/1")),
    # strings
    (r'displayName eq "a \"quoted\" b"', Compare("displayName", "eq", 'a "quoted" b')),
    (r'displayName eq "back\\slash"', Compare("displayName", "eq", "back\\slash")),
    (r'displayName eq "end\\"', Compare("displayName", "eq", "end\\")),
    (r'displayName eq "tab\there"', Compare("displayName", "eq", "tab\there")),
    (r'displayName eq "M\u00fcller"', Compare("displayName", "eq", "Müller")),
    ('displayName eq "Müller-Lüdenscheidt ß"', Compare("displayName", "eq", "Müller-Lüdenscheidt ß")),
    ('displayName eq "日本 😀"', Compare("displayName", "eq", "日本 😀")),
    ('displayName eq ""', Compare("displayName", "eq", "")),
    ('displayName eq "a and b or (c) [d] eq"', Compare("displayName", "eq", "a and b or (c) [d] eq")),
    ('displayName eq "100%_x"', Compare("displayName", "eq", "100%_x")),
    # literals
    ("active eq true", Compare("active", "eq", True)),
    ("active eq false", Compare("active", "eq", False)),
    ('active eq "true"', Compare("active", "eq", "true")),
    ('active eq "True"', Compare("active", "eq", "True")),
    ("active eq True", EITHER),
    ("title eq null", Compare("title", "eq", None)),
    ('title eq "null"', Compare("title", "eq", "null")),
    ("count eq 7", Compare("count", "eq", 7)),
    ("count eq 42", Compare("count", "eq", 42)),
    ("count eq -3", Compare("count", "eq", -3)),
    ("count eq 3.14", Compare("count", "eq", Decimal("3.14"))),
    ("count eq 1e3", Compare("count", "eq", Decimal("1e3"))),
    ('employeeNumber eq "7"', Compare("employeeNumber", "eq", "7")),
    # attr names that start with keywords
    ('nullable eq "x"', Compare("nullable", "eq", "x")),
    ('trueName eq "x"', Compare("trueName", "eq", "x")),
    ("falsePositive pr", Present("falsePositive")),
    ('notes eq "x"', Compare("notes", "eq", "x")),
    ('order eq "x"', Compare("order", "eq", "x")),
    ("primary eq true", Compare("primary", "eq", True)),
    ('a_b-c1 eq "x"', Compare("a_b-c1", "eq", "x")),
    # whitespace
    ('  userName   eq   "x"  ', Compare("userName", "eq", "x")),
    ('not(a eq "v1")', Not(A)),
    ('(a eq "v1")and(b eq "v2")', EITHER),
    ('a\teq\t"1"', EITHER),
    # must be rejected
    ("", REFUSED),
    ("userName", REFUSED),
    ("userName eq", REFUSED),
    ('eq "x"', REFUSED),
    ("userName eq bjensen", REFUSED),
    ('userName eq "x', REFUSED),
    ("userName eq 'x'", REFUSED),
    ('userName regex "x"', REFUSED),
    ('(userName eq "x"', REFUSED),
    ('userName eq "x")', REFUSED),
    ('emails[type eq "work"', REFUSED),
    ('a eq "v1" and', REFUSED),
    ('and a eq "v1"', REFUSED),
    ('a eq "v1" b eq "v2"', REFUSED),
    ('not a eq "v1"', REFUSED),
    ('a.b.c eq "1"', REFUSED),
    ('a eq "v1"; drop table users', REFUSED),
    ('title pr "x"', REFUSED),
    ("emails[]", REFUSED),
    ('a pr eq "1"', REFUSED),
    ('members[value eq "1"] eq ""', REFUSED),
    ('emails[type eq "work"].value', REFUSED),
    ("name.familyName", REFUSED),
    ('co eq "Ltd"', EITHER),
]
