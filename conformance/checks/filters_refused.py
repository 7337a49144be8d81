"""Filters that a server must refuse: it may not guess, and above all may not answer with everybody (RFC 7644 §3.4.2.2)."""

from __future__ import annotations

from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, Level, check

CLAUSE = "RFC 7644 §3.4.2.2 and §3.12"


def refuses(slug: str, filter: str, what: str, *requirements: str, level: Level = MUST, needs: tuple[str, ...] = ()) -> None:
    """Register the check that `filter` is a 400 with scimType invalidFilter."""

    @check(
        f"filters.refused.{slug}", level, CLAUSE, *requirements, needs=("filter", *needs), says=f"{what} is refused with 400 invalidFilter."
    )
    def run(probe: Probe) -> None:
        probe.find(filter).refused(400, "invalidFilter")


GRAMMAR = "S-7644-3.4.2.2-04"
refuses("empty", "", "An empty filter", "S-7644-3.4.2.2-02")
refuses("blank", "  ", "A filter of blanks", "S-7644-3.4.2.2-02")
refuses("operator", 'userName regex "a"', "An unknown operator", GRAMMAR)
refuses("operator.missing", "userName", "An attribute without an operator", GRAMMAR)
refuses("value.missing", "userName eq", "An operator without a value", GRAMMAR)
refuses("attribute.missing", 'eq "a"', "An operator without an attribute", GRAMMAR)
refuses("parenthesis.open", '(userName eq "a"', "An unclosed parenthesis", GRAMMAR)
refuses("parenthesis.close", 'userName eq "a")', "A parenthesis too many", GRAMMAR)
refuses("bracket", 'emails[type eq "work"', "An unclosed bracket", GRAMMAR, needs=("User.emails",))
refuses("string", 'userName eq "a', "An unclosed string", GRAMMAR)
refuses("trailing", 'userName eq "a" userName eq "b"', "Two expressions without and or or", GRAMMAR)
refuses("dangling", 'userName eq "a" and', "and with nothing after it", GRAMMAR)
refuses("not", 'not userName eq "a"', "not without parentheses", "S-7644-3.4.2.2-11")
refuses("unquoted", "userName eq abc", "A string without quotes", "S-7644-3.4.2.2-09", level=MAY)
refuses("single-quotes", "userName eq 'abc'", "A string in single quotes", "S-7644-3.4.2.2-09", level=MAY)
refuses("ordered-boolean", "active gt true", "gt on a boolean", "S-7644-3.4.2.2-23", needs=("User.active",))
refuses("ordered-binary", 'x509Certificates.value lt "AA"', "lt on a binary", "S-7644-3.4.2.2-23", needs=("User.x509Certificates",))
refuses("complex", 'name eq "Ada"', "A complex attribute without a sub-attribute", "S-7644-3.4.2.2-26", needs=("User.name",))
refuses("unknown-attribute", 'shoeSize eq "42"', "An attribute that no schema has", "S-7644-3.4.2.1-04", level=SHOULD)
refuses(
    "unknown-sub-attribute",
    'name.shoeSize eq "42"',
    "A sub-attribute that no schema has",
    "S-7644-3.4.2.1-04",
    level=SHOULD,
    needs=("User.name",),
)
refuses(
    "boolean-as-text", 'active eq "perhaps"', "A string compared with a boolean", "S-7644-3.4.2.2-31", level=SHOULD, needs=("User.active",)
)
refuses("number-for-text", "userName eq 5", "A number compared with a string", "S-7644-3.4.2.2-31", level=MAY)
refuses("contains-boolean", 'active co "tr"', "co on a boolean", "S-7644-3.4.2.2-30", level=MAY, needs=("User.active",))
refuses("date", 'meta.created gt "yesterday"', "A dateTime that is none", "S-7644-3.4.2.2-29", level=SHOULD)
refuses("null-order", "userName gt null", "gt null", "S-7644-3.4.2.2-32", level=MAY)


@check("filters.refused.password", SHOULD, "RFC 7643 §7", "S-7643-7-05", "S-7644-3.4.2.2-41", "S-7643-4.1.1-05", needs=["filter"])
def password(probe: Probe) -> None:
    "A filter on password is refused (400 or 403), or finds nobody; it tells nothing of a password."
    probe.user()
    answer = probe.find(probe.mine('password pr or password sw "a"')).status(400, 403, 200)
    if answer.code == 200:
        answer.expect(not answer.resources(), "nobody")


@check("filters.refused.deep", MUST, "RFC 9110 §15.5", "S-7644-3.4.2.2-06", "S-7644-3.4.2.2-40", needs=["filter"])
def deep(probe: Probe) -> None:
    "A filter a thousand parentheses deep is answered or refused; it is no 5xx."
    probe.find("(" * 1000 + 'userName eq "a"' + ")" * 1000).no_server_error()


@check("filters.refused.long", MUST, "RFC 9110 §15.5", "S-7644-3.4.2.2-40", needs=["filter"])
def long(probe: Probe) -> None:
    "A filter of 7000 characters is answered or refused; it is no 5xx."
    answer = probe.find(" or ".join(f'userName eq "{number:04}"' for number in range(300))).no_server_error()
    if answer.code == 200:
        answer.expect(not answer.resources(), "nobody")


@check("filters.refused.characters", MUST, "RFC 9110 §15.5", "S-7644-5-02", "S-7644-1.2-01", needs=["filter"])
def characters(probe: Probe) -> None:
    "NUL, a lone surrogate and bytes that are no UTF-8 in a filter are answered or refused; they are no 5xx."
    for query in (
        "filter=userName%20eq%20%22a%00b%22",
        "filter=userName%20eq%20%22%5Cud800%22",
        "filter=userName%20eq%20%22%5Cu0000%22",
        "filter=userName%20eq%20%22%FF%FE%22",
        "filter=userName%20eq%20%22%ZZ%22",
    ):
        probe.get("/Users", query).no_server_error()
