"""Values by their type (RFC 7643 §2.3), each tried on an attribute of that type which the server publishes, in whatever extension."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from conformance.checker.answer import MISSING, Answer, at
from conformance.checker.evidence import shown
from conformance.checker.probe import Made, Probe
from conformance.checker.published import Published
from conformance.checker.registry import MAY, MUST, SHOULD, Level, check
from conformance.checker.urns import PATCH_OP
from conformance.checks.patch import unchanged

Same = Callable[[Any, Any], bool]


def instant(text: Any) -> datetime | None:
    """A dateTime as a point in time; without a zone it is UTC. None if it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def identical(came: Any, sent: Any) -> bool:
    return bool(came == sent) and isinstance(came, bool) == isinstance(sent, bool)


def same_instant(came: Any, sent: Any) -> bool:
    return isinstance(came, str) and instant(came) is not None and instant(came) == instant(sent)


def same_bytes(came: Any, sent: Any) -> bool:
    return isinstance(came, str) and came.rstrip("=") == str(sent).rstrip("=")


def carries(answer: Answer, attribute: Published, value: Any, same: Same = identical) -> Answer:
    """That a user has this value of the attribute."""
    came = at(answer.document(), *attribute.keys)
    told = f"no {attribute.path}" if came is MISSING else f"{attribute.path} = {shown(came)}"
    return answer.expect(came is not MISSING and same(came, value), f"{attribute.path} = {shown(value)}", told)


def spoiled(probe: Probe, attribute: Published, literal: str, hint: str) -> Answer:
    """Create a user whose value of the attribute is written so in JSON."""
    body = json.dumps(probe.user_body(hint, **attribute.of("LITERAL")), ensure_ascii=False)
    return probe.request("POST", "/Users", raw=body.replace('"LITERAL"', literal))


def keeps(need: str, values: tuple[Any, ...], same: Same = identical, *requirements: str) -> None:
    """Register the check that such values come back from a POST, a PUT and a PATCH, and can be removed."""
    what = need.partition(" ")[2]

    @check(
        f"values.{what.lower()}",
        MUST,
        "RFC 7643 §2.3",
        *requirements,
        needs=[need],
        says=f"A value of type {what} comes back as it was sent: by POST, by PUT and by PATCH.",
    )
    def run(probe: Probe) -> None:
        attribute = probe.offer.attribute(need)
        user = probe.user(**attribute.of(values[0]))
        carries(probe.state(user), attribute, values[0], same)
        for value in values[1:]:
            came = probe.put(user.path, probe.user_body(**attribute.of(value))).status(200)
            carries(probe.state(user, came), attribute, value, same)
        if probe.offer.supports("patch"):
            for value in reversed(values):
                carries(probe.patched(user, {"op": "replace", "path": attribute.path, "value": value}), attribute, value, same)
            probe.patched(user, {"op": "remove", "path": attribute.path}).lacks(*attribute.keys)


def refuses(slug: str, need: str, literals: tuple[str, ...], says: str, *requirements: str, level: Level = MUST) -> None:
    """Register the check that such values, written in JSON, are refused with 400: by POST, and by PATCH."""

    @check(f"values.{slug}", level, "RFC 7643 §2.3", *requirements, needs=[need], says=says)
    def run(probe: Probe) -> None:
        attribute, user = probe.offer.attribute(need), probe.user("patched")
        before = probe.state(user).document()
        for number, literal in enumerate(literals):
            spoiled(probe, attribute, literal, f"u{number}").status(400)
            if probe.offer.supports("patch"):
                change = {"op": "add", "path": attribute.path, "value": "LITERAL"}
                message = json.dumps({"schemas": [PATCH_OP], "Operations": [change]})
                probe.request("PATCH", user.path, raw=message.replace('"LITERAL"', literal)).status(400)
        unchanged(probe, user, before)


def finds(
    slug: str, need: str, values: dict[str, Any], filters: dict[str, str], says: str, *requirements: str, level: Level = MUST
) -> None:
    """Register the check that filters on the attribute find those of the users, each of whom has a value.

    A filter has the attribute as `x`.
    """

    @check(f"values.{slug}", level, "RFC 7644 §3.4.2.2, RFC 7643 §2.3", *requirements, needs=["filter", need], says=says)
    def run(probe: Probe) -> None:
        attribute = probe.offer.attribute(need)
        them: dict[str, Made] = {hint: probe.user(hint, **attribute.of(value)) for hint, value in values.items()}
        for condition, expected in filters.items():
            written = attribute.path + condition.removeprefix("x")
            probe.finds(probe.mine(written), [them[hint] for hint in expected.split()], them.values())


def no_order(slug: str, need: str, literal: str, what: str) -> None:
    """Register the check that values of the type cannot be compared by order."""

    @check(
        f"values.{slug}",
        MUST,
        "RFC 7644 §3.4.2.2",
        "S-7644-3.4.2.2-23",
        needs=["filter", need],
        says=f"gt, ge, lt and le on a {what} are refused with 400 invalidFilter.",
    )
    def run(probe: Probe) -> None:
        path = probe.offer.attribute(need).path
        for operator in ("gt", "ge", "lt", "le"):
            probe.find(probe.mine(f"{path} {operator} {literal}")).refused(400, "invalidFilter")


# -- boolean --------------------------------------------------------------------------------------------------------

keeps("a boolean", (True, False), identical, "S-7643-2.3.2-01")
NO_TRUTH = "What is no boolean is refused with 400."
refuses("boolean.wrong", "a boolean", ('"maybe"', "7", "{}", "[true, false]"), NO_TRUTH, "S-7643-2.3.2-01")
TRUTH = "A boolean is no text and no number: true in quotes, and 1, are refused with 400."
refuses("boolean.text", "a boolean", ('"true"', '"False"', "1"), TRUTH, "S-7643-2.3.2-01", level=MAY)
finds(
    "boolean.filter",
    "a boolean",
    {"yes": True, "no": False},
    {"x eq true": "yes", "x eq false": "no", "x ne true": "no", "x pr": "yes no"},
    "A boolean is found by true and false.",
    "S-7643-2.3.2-01",
    "S-7644-3.4.2.2-20",
)
no_order("boolean.order", "a boolean", "true", "boolean")

# -- integer --------------------------------------------------------------------------------------------------------

keeps("an integer", (7, 0, -2147483648, 9007199254740991), identical, "S-7643-2.3.4-01")
WHOLE = "What is no integer is refused with 400: a word, a boolean, a number with a fraction."
refuses("integer.wrong", "an integer", ('"seven"', "true", "1.5", "{}", "[7, 8]"), WHOLE, "S-7643-2.3.4-01")
DIGITS = "An integer is no text: digits in quotes are refused with 400."
refuses("integer.text", "an integer", ('"7"',), DIGITS, "S-7643-2.3.4-01", level=MAY)
NOTATION = "An integer has no fraction and no exponent: 1.0 and 1e3 are refused with 400."
refuses("integer.notation", "an integer", ("1.0", "1e3"), NOTATION, "S-7643-2.3.4-01")
finds(
    "integer.filter",
    "an integer",
    {"nine": 9, "ten": 10, "minus": -1},
    {"x eq 9": "nine", "x gt 9": "ten", "x ge 9": "nine ten", "x lt 9": "minus", "x le 9": "minus nine", "x ne 9": "ten minus"},
    "Integers are compared as numbers: 9 is less than 10.",
    "S-7644-3.4.2.2-22",
)

# -- decimal --------------------------------------------------------------------------------------------------------

keeps("a decimal", (1.5, -0.25, 12345.678), identical, "S-7643-2.3.3-01")
NO_NUMBER = "What is no number is no decimal, and refused with 400."
refuses("decimal.wrong", "a decimal", ('"much"', "true", "{}", "[1.5, 2.5]"), NO_NUMBER, "S-7643-2.3.3-01")
POINT = "A decimal is no text: digits in quotes are refused with 400."
refuses("decimal.text", "a decimal", ('"1.5"',), POINT, "S-7643-2.3.3-01", level=MAY)
finds(
    "decimal.filter",
    "a decimal",
    {"small": 9.5, "large": 10.25, "minus": -1.5},
    {"x eq 9.5": "small", "x gt 9.5": "large", "x ge 9.50": "small large", "x lt 9.5": "minus", "x le 9.5": "minus small"},
    "Decimals are compared as numbers.",
    "S-7644-3.4.2.2-22",
)


@check("values.decimal.exact", MAY, "RFC 7643 §2.3.3", "S-7643-2.3.3-01", needs=["a decimal"])
def decimal_exact(probe: Probe) -> None:
    "A decimal keeps all its digits, also those that a floating-point number has no room for."
    attribute, digits = probe.offer.attribute("a decimal"), "1234567890123456.123456789"
    answer = spoiled(probe, attribute, digits, "user").status(201)
    answer.expect(digits in answer.response.text, digits)
    seen = probe.get(f"/Users/{answer.text('id')}").status(200)
    seen.expect(digits in seen.response.text, digits)


# -- dateTime -------------------------------------------------------------------------------------------------------

TIMES = ("2020-01-01T00:00:00Z", "2020-02-29T12:30:00+02:00", "2020-01-01T00:00:00.125Z")
keeps("a dateTime", TIMES, same_instant, "S-7643-2.3.5-01")
NO_TIME = ('"2020-01-01"', '"yesterday"', '"12:00:00Z"', '"2020-13-01T00:00:00Z"', "5", "true")
refuses(
    "datetime.wrong",
    "a dateTime",
    NO_TIME,
    "What is no date and time is refused with 400: a date alone, a word, a number.",
    "S-7643-2.3.5-01",
)
finds(
    "datetime.filter",
    "a dateTime",
    {"early": "2020-01-01T00:00:00Z", "late": "2020-01-01T01:00:00+00:00", "later": "2020-01-01T00:30:00-01:00"},
    {
        'x eq "2020-01-01T00:00:00Z"': "early",
        'x gt "2020-01-01T00:00:00Z"': "late later",
        'x le "2020-01-01T01:00:00Z"': "early late",
        'x lt "2020-01-01T02:00:00+01:00"': "early",
        'x eq "2020-01-01T02:30:00+01:00"': "later",
    },
    "Dates are compared as points in time, whatever their zone.",
    "S-7644-3.4.2.2-22",
    "S-7644-3.4.2.2-29",
)


@check("values.datetime.zone", SHOULD, "RFC 7643 §2.3.5", "S-7643-2.3.5-01", "S-7643-2.3.5-02", needs=["a dateTime"])
def datetime_zone(probe: Probe) -> None:
    "A dateTime without a zone is legal (xsd:dateTime): it is kept, and is UTC or as it was sent."
    attribute, value = probe.offer.attribute("a dateTime"), "2020-01-01T12:00:00"
    carries(probe.state(probe.user(**attribute.of(value))), attribute, value, same_instant)


@check("values.datetime.odd", MUST, "RFC 9110 §15.5", "S-7643-2.3.5-03", needs=["a dateTime"])
def datetime_odd(probe: Probe) -> None:
    "Midnight as 24:00, the year 0, a leap second, a zone of 30 hours are taken or refused; they are no 5xx."
    attribute = probe.offer.attribute("a dateTime")
    odd = ("2020-01-01T24:00:00Z", "0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "-0044-03-15T00:00:00Z", "2020-01-01T00:00:00+30:00")
    for number, value in enumerate(odd):
        spoiled(probe, attribute, json.dumps(value), f"u{number}").status(201, 400)


@check("values.datetime.odd.refused", MAY, "RFC 7643 §2.3.5", "S-7643-2.3.5-03", needs=["a dateTime"])
def datetime_odd_refused(probe: Probe) -> None:
    "What the versions of XML Schema see differently is refused with 400: the year 0, a leap second."
    attribute = probe.offer.attribute("a dateTime")
    for number, value in enumerate(("0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z")):
        spoiled(probe, attribute, json.dumps(value), f"u{number}").status(400)


# -- binary ---------------------------------------------------------------------------------------------------------

keeps("a binary", ("YWJj", "YQ==", "YQ", "+/+/"), same_bytes, "S-7643-2.3.6-01")
refuses("binary.wrong", "a binary", ('"***"', '"Y Q=="', "5", "{}"), "What is no base64 is refused with 400.", "S-7643-2.3.6-01")
finds(
    "binary.filter",
    "a binary",
    {"one": "YWJj", "other": "yWJj", "short": "YQ"},
    {'x eq "YWJj"': "one", 'x eq "yWJj"': "other", 'x eq "YQ=="': "short", 'x eq "YQ"': "short", 'x eq "ywjj"': ""},
    "A binary is found by its bytes: its letters have their case, its padding does not matter.",
    "S-7643-2.3.6-02",
    "S-7643-2.3.6-01",
)
no_order("binary.order", "a binary", '"YQ=="', "binary")

# -- reference ------------------------------------------------------------------------------------------------------

keeps("a reference", ("https://checks.example/Ada?x=1#y", "urn:example:Ada"), identical, "S-7643-2.3.7-01")
refuses(
    "reference.wrong",
    "a reference",
    ("5", "true", "{}", '["https://checks.example/a", "https://checks.example/b"]'),
    "A reference is text: 400.",
    "S-7643-2.3.7-01",
)
finds(
    "reference.filter",
    "a reference",
    {"upper": "https://checks.example/Ada", "lower": "https://checks.example/ada"},
    {'x eq "https://checks.example/Ada"': "upper", 'x eq "https://checks.example/ada"': "lower"},
    "References are case exact.",
    "S-7643-2.3.7-02",
)
finds(
    "reference.parts",
    "a reference",
    {"one": "https://checks.example/ada", "two": "https://other.example/ada"},
    {'x sw "https://checks."': "one", 'x co "other"': "two", 'x ew "/ada"': "one two"},
    "sw, co and ew on a reference compare it as text.",
    "S-7644-3.4.2.2-30",
    level=MAY,
)


def no_part(slug: str, need: str, literal: str, what: str) -> None:
    """Register the check that parts of such values cannot be asked for."""

    @check(
        f"values.{slug}",
        MAY,
        "RFC 7644 §3.4.2.2",
        "S-7644-3.4.2.2-30",
        needs=["filter", need],
        says=f"co, sw and ew on a {what} are refused with 400 invalidFilter.",
    )
    def run(probe: Probe) -> None:
        path = probe.offer.attribute(need).path
        for operator in ("co", "sw", "ew"):
            probe.find(probe.mine(f"{path} {operator} {literal}")).refused(400, "invalidFilter")


no_part("integer.part", "an integer", '"1"', "number")
no_part("datetime.part", "a dateTime", '"2020"', "dateTime")
no_part("binary.part", "a binary", '"Y"', "binary")
