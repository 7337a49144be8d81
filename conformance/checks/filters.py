"""Filters: what they find (RFC 7644 §3.4.2.2). What they refuse is in `filters_refused`.

Most checks ask one filter over the same three users; `{tag}` in a filter begins the names of the check's own users.
"""

from __future__ import annotations

from conformance.checker.probe import Made, Probe, quoted
from conformance.checker.registry import MAY, MUST, SHOULD, Level, check
from conformance.checker.urns import ENTERPRISE, USER

CLAUSE = "RFC 7644 §3.4.2.2"


def people(probe: Probe) -> dict[str, Made]:
    """ann has everything; bob has his addresses the other way round and is disabled; cyd has no address, department or nickName."""
    tag = probe.tag

    def emails(work: str, home: str) -> list[dict[str, object]]:
        return [{"value": f"{tag}@{work}.example", "type": "work", "primary": True}, {"value": f"{tag}@{home}.example", "type": "home"}]

    has_extension = probe.offer.lack("enterprise") is None
    ann = probe.user(
        "ann",
        title="Pilot 100%",
        nickName="Annie",
        name={"givenName": "Ann", "familyName": "Brandt"},
        emails=emails("works", "homes"),
        enterprise={"department": f"{tag} Ops", "employeeNumber": "9"} if has_extension else None,
    )
    bob = probe.user(
        "bob",
        title="navi_gator",
        nickName=NICKNAME,
        name={"givenName": "Bob", "familyName": "Ågård"},
        active=False,
        emails=emails("homes", "works"),
        enterprise={"department": f"{tag} Sea", "employeeNumber": "10"} if has_extension else None,
    )
    cyd = probe.user("cyd", title="pilot or (mate", name={"givenName": "Cyd", "familyName": "Clemens"})
    return {"ann": ann, "bob": bob, "cyd": cyd}


def finds(
    id: str,
    filter: str,
    expected: str,
    says: str,
    *requirements: str,
    level: Level = MUST,
    clause: str = CLAUSE,
    needs: tuple[str, ...] = (),
) -> None:
    """Register the check that `filter` finds exactly the people in `expected`."""

    @check(f"filters.{id}", level, clause, *requirements, needs=("filter", *needs), says=says)
    def run(probe: Probe) -> None:
        them = people(probe)
        probe.finds(filter.replace("{tag}", probe.tag), [them[hint] for hint in expected.split()], them.values())


NICKNAME = 'Bo "B" \\ Bobby'  # bob's
OURS = 'userName sw "{tag}" and '
VALUES = "S-7644-3.4.2.2-20"

# -- operators ------------------------------------------------------------------------------------------------------

finds("eq", 'userName eq "{tag}-ann"', "ann", "eq finds what is equal.", VALUES)
finds("ne", OURS + 'userName ne "{tag}-ann"', "bob cyd", "ne finds what is not equal.", VALUES)
finds("co", 'userName co "{tag}-c"', "cyd", "co finds what contains the text.", VALUES)
finds("sw", 'userName sw "{tag}-"', "ann bob cyd", "sw finds what begins with the text.", VALUES)
finds("sw.whole", 'userName sw "{tag}-bob"', "bob", "sw is satisfied by the whole value.", VALUES)
finds("ew", OURS + 'userName ew "-bob"', "bob", "ew finds what ends with the text.", VALUES)
finds("pr", OURS + "nickName pr", "ann bob", "pr finds where there is a value.", "S-7644-3.4.2.2-21", needs=("User.nickName",))
finds(
    "pr.complex",
    OURS + "emails pr",
    "ann bob",
    "pr on a complex attribute: some element has a value.",
    "S-7644-3.4.2.2-21",
    needs=("User.emails",),
)
finds(
    "pr.false",
    'userName eq "{tag}-bob" and active pr',
    "bob",
    "pr is true for false: false is a value.",
    "S-7644-3.4.2.2-21",
    needs=("User.active",),
)
ORDER = "S-7644-3.4.2.2-22"
finds("gt", OURS + 'userName gt "{tag}-bob"', "cyd", "gt compares text lexicographically.", ORDER)
finds("ge", OURS + 'userName ge "{tag}-bob"', "bob cyd", "ge compares text lexicographically.", ORDER)
finds("lt", OURS + 'userName lt "{tag}-bob"', "ann", "lt compares text lexicographically.", ORDER)
finds("le", OURS + 'userName le "{tag}-bob"', "ann bob", "le compares text lexicographically.", ORDER)
NUMBER = f"{ENTERPRISE}:employeeNumber"
HAS_NUMBER = ("enterprise", "enterprise.employeeNumber")
finds("gt.digits", OURS + f'{NUMBER} gt "10"', "ann", 'Text made of digits is text: "9" gt "10".', ORDER, needs=HAS_NUMBER)

# -- and, or, not, grouping -----------------------------------------------------------------------------------------

finds("and", OURS + "active eq false", "bob", "and: both sides hold.", "S-7644-3.4.2.2-05", needs=("User.active",))
finds("or", 'userName eq "{tag}-ann" or userName eq "{tag}-cyd"', "ann cyd", "or: one side holds.", "S-7644-3.4.2.2-05")
finds("not", OURS + 'not (userName eq "{tag}-ann")', "bob cyd", "not (…) finds the others.", "S-7644-3.4.2.2-05")
finds(
    "precedence.and",
    'userName eq "{tag}-ann" or userName eq "{tag}-bob" and userName eq "{tag}-cyd"',
    "ann",
    "and binds more tightly than or: a or b and c is a or (b and c).",
    "S-7644-3.4.2.2-05",
)
finds(
    "precedence.first",
    'userName eq "{tag}-ann" and userName eq "{tag}-bob" or userName eq "{tag}-cyd"',
    "cyd",
    "and binds more tightly than or: a and b or c is (a and b) or c.",
    "S-7644-3.4.2.2-05",
)
finds(
    "precedence.not",
    'not (userName eq "{tag}-ann") and userName eq "{tag}-bob"',
    "bob",
    "not binds more tightly than and: not (a) and b is (not a) and b.",
    "S-7644-3.4.2.2-05",
)
finds(
    "grouping",
    '(userName eq "{tag}-ann" or userName eq "{tag}-bob") and userName eq "{tag}-bob"',
    "bob",
    "Parentheses go before precedence.",
    "S-7644-3.4.2.2-06",
)
finds("grouping.deep", "(" * 10 + 'userName eq "{tag}-ann"' + ")" * 10, "ann", "Ten parentheses deep is no matter.", "S-7644-3.4.2.2-06")
finds(
    "chain",
    " or ".join(f'userName eq "{{tag}}-{name}"' for name in ("x1", "x2", "x3", "x4", "x5", "x6", "ann", "x7", "x8", "cyd")),
    "ann cyd",
    "A chain of ten ors is one or.",
    "S-7644-3.4.2.2-05",
    "S-7644-3.4.2.2-07",
)

# -- multi-valued attributes ----------------------------------------------------------------------------------------

MANY = ("User.emails",)
finds(
    "any-element",
    'emails.value eq "{tag}@works.example"',
    "ann bob",
    "A multi-valued attribute matches if any of its elements does.",
    "S-7644-3.4.2.2-25",
    needs=MANY,
)
finds(
    "value-path",
    'emails[type eq "work" and value eq "{tag}@works.example"]',
    "ann",
    "Within [ ] all conditions hold for the same element.",
    "S-7644-3.4.2.2-12",
    "S-7644-3.4.2.2-13",
    needs=MANY,
)
finds(
    "value-path.apart",
    'emails.type eq "work" and emails.value eq "{tag}@works.example"',
    "ann bob",
    "Without [ ] each condition may hold for another element.",
    "S-7644-3.4.2.2-12",
    needs=MANY,
)
finds(
    "value-path.or",
    OURS + '(emails[type eq "work" and value co "@works."] or emails[type eq "other"])',
    "ann",
    "A value path may stand in or.",
    "S-7644-3.4.2.2-12",
    needs=MANY,
)
finds(
    "value-path.not",
    OURS + 'emails[not (type eq "work") and value co "@works."]',
    "bob",
    "not (…) within [ ] is about the element.",
    "S-7644-3.4.2.2-12",
    needs=MANY,
)
finds(
    "primary",
    OURS + 'emails[primary eq true and value co "@works."]',
    "ann",
    "A boolean literal compares with a boolean sub-attribute.",
    "S-7644-3.4.2.2-08",
    needs=MANY,
)
finds(
    "primary.missing",
    OURS + 'emails[primary eq false and value co "@works."]',
    "bob",
    "An element without primary is not primary.",
    "S-7643-2.4-02",
    needs=MANY,
    clause="RFC 7643 §2.4",
)
finds(
    "complex-value",
    OURS + 'emails co "@works.example"',
    "ann bob",
    "A multi-valued complex attribute without a sub-attribute means its value, as in the RFC's examples.",
    "S-7644-3.4.2.2-27",
    needs=MANY,
    level=SHOULD,
)

# -- names ----------------------------------------------------------------------------------------------------------

finds("case.attribute", 'USERNAME eq "{tag}-ann"', "ann", "Attribute names are not case-sensitive.", "S-7644-3.4.2.2-03", "S-7643-2.1-02")
finds(
    "case.operator",
    'userName EQ "{tag}-ann" OR userName Eq "{tag}-bob"',
    "ann bob",
    "Operators are not case-sensitive.",
    "S-7644-3.4.2.2-03",
)
finds("sub-attribute", OURS + 'name.familyName eq "Brandt"', "ann", "A sub-attribute is named with a dot.", VALUES, needs=("User.name",))
finds(
    "urn", f'{USER}:userName eq "{{tag}}-ann"', "ann", "An attribute may carry its schema's URN.", "S-7644-3.10-01", clause="RFC 7644 §3.10"
)
finds(
    "urn.sub-attribute",
    OURS + f'{USER}:name.familyName eq "Brandt"',
    "ann",
    "A sub-attribute may carry its schema's URN.",
    "S-7644-3.10-01",
    clause="RFC 7644 §3.10",
    needs=("User.name",),
)
finds(
    "urn.case",
    f'{USER.upper()}:userName eq "{{tag}}-ann"',
    "ann",
    "The URN is not case-sensitive either.",
    "S-7644-3.10-01",
    clause="RFC 7644 §3.10",
)
HAS_DEPARTMENT = ("enterprise", "enterprise.department")
finds(
    "extension",
    f'{ENTERPRISE}:department eq "{{tag}} Sea"',
    "bob",
    "An attribute of an extension is named with its URN.",
    "S-7644-3.10-02",
    clause="RFC 7644 §3.10",
    needs=HAS_DEPARTMENT,
)

# -- values ---------------------------------------------------------------------------------------------------------

finds("string.case", 'userName eq "{tag}-ANN"', "ann", "userName is not case exact: any case finds it.", "S-7644-3.4.2.2-24")
finds(
    "schemas",
    OURS + f'schemas eq "{ENTERPRISE}"',
    "ann bob",
    "schemas can be asked for.",
    "S-7644-3.4.2.2-36",
    level=MAY,
    needs=HAS_DEPARTMENT,
)
TITLE = ("User.title",)
finds(
    "literal.percent",
    OURS + 'title co "%"',
    "ann",
    "% in a value is a percent sign, no wildcard.",
    VALUES,
    "S-7644-3.4.2.2-39",
    needs=TITLE,
)
finds(
    "literal.underscore",
    OURS + 'title sw "navi_"',
    "bob",
    "_ in a value is an underscore, no wildcard.",
    VALUES,
    "S-7644-3.4.2.2-39",
    needs=TITLE,
)
finds(
    "literal.underscore.other",
    OURS + 'title sw "pilo_"',
    "",
    "_ in a value stands for no other character.",
    VALUES,
    "S-7644-3.4.2.2-39",
    needs=TITLE,
)
finds("literal.asterisk", OURS + 'title eq "*"', "", "* in a value is an asterisk, no wildcard.", VALUES, "S-7644-3.4.2.2-39", needs=TITLE)
finds("literal.words", OURS + 'title eq "pilot or (mate"', "cyd", "or and ( within quotes are text.", "S-7644-3.4.2.2-08", needs=TITLE)
NICK = ("User.nickName",)
finds(
    "literal.escapes",
    OURS + f"nickName eq {quoted(NICKNAME)}",
    "bob",
    r"\" and \\ in a string literal are JSON escapes.",
    "S-7644-3.4.2.2-08",
    needs=NICK,
)
finds(
    "literal.unicode",
    OURS + r'name.familyName eq "\u00c5g\u00e5rd"',
    "bob",
    r"\u00e5 in a string literal is a letter.",
    "S-7644-3.4.2.2-08",
    needs=("User.name",),
)
finds("literal.quote", OURS + "title eq \"' or '1'='1\"", "", "An apostrophe is text.", VALUES, "S-7644-7.7-02", needs=TITLE)
finds(
    "unicode.composition",
    OURS + 'name.familyName eq "A\u030aga\u030ard"',
    "bob",
    "Å as two code points finds Å as one.",
    "S-7644-7.8-01",
    clause="RFC 7644 §7.8",
    needs=("User.name",),
)
finds("absent.eq", OURS + 'nickName eq ""', "", "An absent attribute equals nothing.", VALUES, "S-7644-3.4.2.2-33", needs=NICK)
finds(
    "absent.not",
    OURS + 'not (nickName eq "Annie")',
    "bob cyd",
    "not (…) is true where the attribute is absent.",
    "S-7644-3.4.2.2-35",
    needs=NICK,
    level=SHOULD,
)
finds(
    "absent.ne",
    OURS + 'nickName ne "Annie"',
    "bob cyd",
    "ne is true where the attribute is absent.",
    "S-7644-3.4.2.2-33",
    needs=NICK,
    level=MAY,
)
finds("null", OURS + "nickName eq null", "cyd", "eq null finds where there is no value.", "S-7644-3.4.2.2-32", needs=NICK, level=MAY)
finds(
    "none",
    'userName eq "{tag}-nobody"',
    "",
    "A filter that nobody satisfies gives 200 and an empty list.",
    "S-7644-3.4.2-06",
    clause="RFC 7644 §3.4.2",
)
