"""Values and their keys, type by type (requirement groups B.2.3 and Q)."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.scim.attributes import Attribute, Type
from scim_server.scim.errors import InvalidValue
from scim_server.scim.values import MAX_STRING, check, exact, fold, instant, key, username_key

SETTINGS = settings(max_examples=200)

STRING = Attribute("s")
EXACT = Attribute("s", case_exact=True)
REFERENCE = Attribute("r", Type.REFERENCE, case_exact=True)
URN = Attribute("r", Type.REFERENCE)
BOOLEAN = Attribute("b", Type.BOOLEAN)
INTEGER = Attribute("i", Type.INTEGER)
DECIMAL = Attribute("d", Type.DECIMAL)
DATETIME = Attribute("t", Type.DATETIME)
BINARY = Attribute("x", Type.BINARY, case_exact=True)
COMPLEX = Attribute("c", Type.COMPLEX, sub_attributes=(STRING,))

VALID: list[tuple[Attribute, Any, str | int]] = [
    (STRING, "Abc", "abc"),
    (STRING, "", ""),
    (STRING, "STRASSE", "strasse"),
    (STRING, "straße", "strasse"),
    (STRING, "100 Universal Plaza\r\nHollywood\t", "100 universal plaza\r\nhollywood\t"),  # RFC 7643 §8.2
    (EXACT, "Abc", "Abc"),
    (EXACT, "e\u0301", "\u00e9"),
    (REFERENCE, "https://h/Users/1?a=%20#b", "https://h/Users/1?a=%20#b"),
    (REFERENCE, "../Users/Ü", "../Users/Ü"),  # S-7643-2.3.7-01
    (URN, "urn:X:User", "urn:x:user"),
    (BOOLEAN, True, "true"),
    (BOOLEAN, False, "false"),
    (INTEGER, 0, 0),
    (INTEGER, 2**63 - 1, 2**63 - 1),
    (INTEGER, -(2**63), -(2**63)),
    (DECIMAL, 1.5, "20500115"),
    (DECIMAL, Decimal("1.50"), "20500115"),
    (DECIMAL, 2, "2050012"),
    (DECIMAL, -2, "0949987~"),
    (DECIMAL, 0, "1"),
    (DECIMAL, -0.0, "1"),
    (DECIMAL, Decimal("12345678901234567890.123456789"), "20502012345678901234567890123456789"),
    (DATETIME, "2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000000Z"),
    (DATETIME, "2011-05-13T04:42:34+02:00", "2011-05-13T02:42:34.000000Z"),
    (DATETIME, "2011-05-13T04:42:34.5-14:00", "2011-05-13T18:42:34.500000Z"),
    (DATETIME, "2011-05-13T04:42:34.1234567Z", "2011-05-13T04:42:34.123456Z"),
    (DATETIME, "2011-05-13T04:42:34", "2011-05-13T04:42:34.000000Z"),  # S-7643-2.3.5-02
    (DATETIME, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    (DATETIME, "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z"),
    (BINARY, "YQ==", "YQ=="),
    (BINARY, "YQ", "YQ=="),  # S-7643-2.3.6-01
    (BINARY, "YR", "YQ=="),  # bits beyond the last byte say nothing
    (BINARY, "Zm9v", "Zm9v"),
    (BINARY, "", ""),
]

INVALID: list[tuple[Attribute, Any, str]] = [
    (STRING, 1, "a number"),
    (STRING, None, "null"),
    (STRING, ["a"], "an array"),
    (STRING, "a\x00b", "control character"),  # S-7644-5-02
    (STRING, "\x1b[31m", "control character"),
    (STRING, "\x7f", "control character"),
    (STRING, "\x85", "control character"),
    (STRING, "\ud800", "half a character"),
    (STRING, "\udfff", "half a character"),
    (EXACT, True, "true or false"),
    (REFERENCE, "not a uri", "must be a URI"),
    (REFERENCE, "C:\\photo.png", "must be a URI"),
    (REFERENCE, {"value": "x"}, "an object"),
    (BOOLEAN, "true", "without quotes"),  # S-7643-2.3.2-01
    (BOOLEAN, 1, "without quotes"),
    (INTEGER, True, "whole number"),  # S-7643-2.3.4-01
    (INTEGER, 1.0, "whole number"),
    (INTEGER, 2**63, "whole number"),
    (INTEGER, "1", "whole number"),
    (DECIMAL, "1.5", "a number"),  # S-7643-2.3.3-01
    (DECIMAL, False, "a number"),
    (DECIMAL, float("nan"), "a number"),
    (DECIMAL, float("inf"), "a number"),
    (DECIMAL, Decimal("nan"), "a number"),
    (DECIMAL, Decimal("1e309"), "a number"),
    (DECIMAL, Decimal("1e-401"), "a number"),
    (DECIMAL, Decimal("9" * 101), "at most 100 digits"),
    (INTEGER, Decimal("1"), "whole number"),
    (DATETIME, 2020, "date and time"),
    (DATETIME, "", "date and time"),
    (DATETIME, "2020-01-01", "date and time"),  # S-7643-2.3.5-01
    (DATETIME, "2020-01-01T00:00Z", "date and time"),
    (DATETIME, "2020-01-01 00:00:00Z", "date and time"),
    (DATETIME, "2020-01-01t00:00:00z", "date and time"),
    (DATETIME, "2020-01-01T00:00:00.Z", "date and time"),
    (DATETIME, "2020-01-01T00:00:00+0200", "date and time"),
    (DATETIME, "2020-01-01T00:00:00Z\n", "date and time"),
    (DATETIME, "２０２０-01-01T00:00:00Z", "date and time"),
    (DATETIME, "-2020-01-01T00:00:00Z", "date and time"),
    (DATETIME, "0000-01-01T00:00:00Z", "no such date"),  # S-7643-2.3.5-03
    (DATETIME, "2020-01-01T24:00:00Z", "no such date"),
    (DATETIME, "2016-12-31T23:59:60Z", "no such date"),
    (DATETIME, "2023-02-29T00:00:00Z", "no such date"),
    (DATETIME, "2020-01-01T00:00:00+14:01", "no such date"),
    (DATETIME, "2020-01-01T00:00:00+02:60", "no such date"),
    (DATETIME, "0001-01-01T00:00:00+01:00", "no such date"),
    (DATETIME, "9999-12-31T23:59:59-01:00", "no such date"),
    (BINARY, "Y Q==", "base64"),  # S-7643-2.3.6-01
    (BINARY, "Y", "base64"),
    (BINARY, "YQ=", "base64"),
    (BINARY, "YQ==YQ==", "base64"),
    (BINARY, "_-8=", "base64"),
    (BINARY, "=", "base64"),
    (BINARY, 5, "base64"),
    (COMPLEX, "x", "an object with sub-attributes"),
    (COMPLEX, {"s": "x"}, "an object with sub-attributes"),
]


@pytest.mark.parametrize(("attribute", "value", "expected"), VALID, ids=repr)
def test_valid_values_are_kept_and_have_a_key(attribute: Attribute, value: Any, expected: str | int) -> None:
    assert check(attribute, value, "a.b") is value
    assert repr(key(attribute, value)) == repr(expected)


@pytest.mark.parametrize(("attribute", "value", "detail"), INVALID, ids=repr)
def test_invalid_values_are_refused_by_name(attribute: Attribute, value: Any, detail: str) -> None:
    with pytest.raises(InvalidValue, match=r"^emails\.value\b") as caught:
        check(attribute, value, "emails.value")
    assert detail in caught.value.detail


@pytest.mark.parametrize(("attribute", "value"), [(a, v) for a, v, _ in INVALID if a.type not in (Type.STRING, Type.REFERENCE)], ids=repr)
def test_what_does_not_fit_its_type_has_no_key(attribute: Attribute, value: Any) -> None:
    with pytest.raises(InvalidValue):
        key(attribute, value)


@pytest.mark.parametrize("character", ["a", "ü", "日", "😀"])
def test_strings_have_a_longest_length_in_bytes(character: str) -> None:
    longest = character * (MAX_STRING // len(character.encode()))
    assert check(STRING, longest, "s") is longest
    with pytest.raises(InvalidValue, match="longer than 65536 bytes"):
        check(STRING, longest + character, "s")


@SETTINGS
@given(value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary(), st.lists(st.text())))
def test_whatever_is_valid_has_a_key_and_whatever_is_not_is_refused(value: Any) -> None:
    for attribute in (STRING, EXACT, REFERENCE, BOOLEAN, INTEGER, DECIMAL, DATETIME, BINARY, COMPLEX):
        try:
            check(attribute, value, "x")
        except InvalidValue:
            continue
        assert isinstance(key(attribute, value), (str, int))


NUMBERS = st.one_of(
    st.decimals(-(10**6), 10**6, places=3),
    st.decimals(allow_nan=False, allow_infinity=False).filter(lambda each: each.adjusted() in range(-400, 309)),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)


@pytest.mark.requirement("S-7643-2.3.3-01", "S-7644-3.4.2.2-22")
@SETTINGS
@given(one=NUMBERS, other=NUMBERS)
def test_keys_of_decimals_are_ordered_as_the_numbers_are(one: Any, other: Any) -> None:
    numbers = [Decimal(repr(each)) if isinstance(each, float) else Decimal(each) for each in (one, other)]
    keys = [str(key(DECIMAL, each)) for each in (one, other)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (numbers[0] < numbers[1], numbers[0] == numbers[1])


# Dates and times


def test_instants_are_in_utc() -> None:
    assert instant("2026-01-31T12:00:00.25+01:00") == datetime(2026, 1, 31, 11, 0, 0, 250000, UTC)
    assert instant("2026-01-31T12:00:00").tzinfo is UTC


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001  # bounds are given without a zone


@SETTINGS
@given(first=MOMENTS, second=MOMENTS)
def test_keys_of_instants_are_in_the_order_of_time(first: datetime, second: datetime) -> None:
    keys = [str(key(DATETIME, each.isoformat())) for each in (first, second)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (first < second, first == second)
    assert instant(keys[0]) == first


# Strings: what is one text, and what is one name


@pytest.mark.parametrize(
    ("one", "other", "folded", "exactly", "username"),
    [
        # The columns: equal by fold, by exact, by username_key.
        ("JSmith", "jsmith", True, False, True),  # S-7643-7-08
        ("é", "e\u0301", True, True, True),  # S-7644-7.8-01
        ("É", "e\u0301", True, False, True),
        ("ＪＳｍｉｔｈ", "jsmith", True, False, True),  # S-8265-3.3-01: full width
        ("STRASSE", "straße", True, False, False),  # S-7644-7.8-02: PRECIS lowers and keeps ß
        ("STRAẞE", "straße", True, False, True),
        ("ΑΣ", "ας", True, False, True),
        ("ΑΣΑ", "ασα", True, False, True),
        ("I", "ı", False, False, False),  # Turkish: no locale
        ("İ", "i\u0307", True, False, True),
        ("İ", "i", False, False, False),
        ("ﬁx", "fix", True, False, True),  # PRECIS refuses the ligature: its fallback folds
        ("Jäne Doe", "JÄNE DOE", True, False, True),  # S-8265-3.3-03: a space
        ("Jane Doe", "jane doe", True, False, True),
        ("①", "1", True, False, True),
        ("a", "а", False, False, False),  # Cyrillic
        ("", "", True, True, True),
    ],
)
def test_equality_of_strings(one: str, other: str, folded: bool, exactly: bool, username: bool) -> None:
    assert (fold(one) == fold(other), exact(one) == exact(other), username_key(one) == username_key(other)) == (folded, exactly, username)


ANY_TEXT = st.one_of(st.text(), st.text(alphabet="aAıİiIßẞſﬁσςΣéÉe\u0301\u0345\u03b1ᾳᾼΐ Ａ①ǅ\u200d\u0644\u05d0"))


@SETTINGS
@given(text=ANY_TEXT)
def test_fold_is_idempotent_and_blind_to_case_and_composition(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)
    if "ı" not in text:  # whose upper case is I, though it is not i
        assert fold(unicodedata.normalize("NFD", text).upper()) == fold(text)


def test_fold_is_the_caseless_match_of_unicode() -> None:
    """Definition D146, spelled out; the iota subscript is where shorter ways go wrong."""
    for text in ("ᾲ\u0300", "\u0345\u0300", "ΐ", "ǰ", "ﬀ", "K", "㎅"):
        once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
        assert fold(text) == unicodedata.normalize("NFKC", once.casefold())


@SETTINGS
@given(text=ANY_TEXT)
def test_exact_is_idempotent_and_blind_to_composition_only(text: str) -> None:
    assert exact(exact(text)) == exact(text)
    assert exact(unicodedata.normalize("NFD", text)) == exact(text)
    assert unicodedata.normalize("NFD", exact(text)) == unicodedata.normalize("NFD", text)


@SETTINGS
@given(text=st.one_of(ANY_TEXT, st.text(alphabet="\ud800\udfffé ", min_size=1)))
def test_username_key_never_raises_and_never_parts_what_precis_joins(text: str) -> None:
    """Whatever is one userName is one string to co, sw and the others too, which use ``fold``."""
    assert fold(username_key(text)) == fold(text)


@SETTINGS
@given(text=st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_ascii_short_cuts_give_what_unicode_gives(text: str) -> None:
    assert fold(text) == unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
    assert exact(text) == unicodedata.normalize("NFC", text)
    assert username_key(text) == fold(text)


def test_a_very_long_name_is_folded_at_once() -> None:
    assert username_key("É" * MAX_STRING) == "é" * MAX_STRING
