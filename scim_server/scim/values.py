"""Values of attributes: what is valid for a type, and how two values are compared
(RFC 7643 §2.3, RFC 7644 §5 and §7.8, RFC 8265 §3.3).

A value is stored and given back as it was sent. Beside it stands its *key*, and everything that
compares (filters, uniqueness, duplicates) compares keys by code point, in memory and in SQL
alike. The keys of strings come from the Unicode tables of the running Python; both of the
operations they are made of are stable for every character that a version of Unicode has assigned.
"""

from __future__ import annotations

import base64
import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from precis_i18n import get_profile

from scim_server.scim.attributes import Attribute, Type
from scim_server.scim.errors import InvalidValue

MAX_STRING = 64 * 1024
"""The longest string that is accepted, in bytes of UTF-8."""

# Control characters and lone surrogates, which no text holds and no database takes. Tab and line
# breaks are text: addresses.formatted has line breaks in RFC 7643's own example (§8.2).
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_NOT_TEXT = re.compile(rf"[{_CONTROLS}\ud800-\udfff]")

# What RFC 3986 (appendix C) keeps out of every URI. Characters beyond ASCII pass, as in an IRI.
_OUT_OF_URIS = r'\s<>"{}|\\^`'
_NOT_URI = re.compile(f"[{_OUT_OF_URIS}]")

TEXT_PATTERN, URI_PATTERN = f"^[^{_CONTROLS}]*$", f"^[^{_CONTROLS}{_OUT_OF_URIS}]*$"
"""What is text and what is a URI, as regular expressions for others (ECMA-262)."""

_DATETIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)
_BASE64 = re.compile(r"([A-Za-z0-9+/]*)(={0,2})")

MAX_DIGITS = 100
"""How many digits a decimal may have."""
_EXPONENTS = range(-400, 309)
"""Of ten: how small and how large a decimal may be. Whatever a double can be, it may."""
_BIAS = 5000

_WRITTEN_AS_STRINGS = frozenset((Type.STRING, Type.REFERENCE, Type.DATETIME, Type.BINARY))
_INTEGERS = range(-(2**63), 2**63)

_USERNAME, _PASSWORD = get_profile("UsernameCaseMapped"), get_profile("OpaqueString")

# Beyond this length a name is no user name that PRECIS was made for, and its tables are slow.
_MAX_USERNAME = 1024


def fold(text: str) -> str:
    """The comparison form of a string that is not caseExact: equal for all that differs in case,
    width or composition only.

    Unicode's compatibility caseless match (definition D146), without locale: ``STRASSE`` and ``straße``
    are equal, Turkish dotless ``ı`` and ``i`` are not. Idempotent.
    """
    if text.isascii():
        return text.lower()
    # Decomposed before folding: Greek's iota subscript folds to a letter, which must come after all accents.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())


def exact(text: str) -> str:
    """The comparison form of a caseExact string: equal for all that is the same text (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def username_key(text: str) -> str:
    """The form in which userNames are equal or not: PRECIS UsernameCaseMapped (RFC 8265 §3.3).

    Names that the profile refuses (with a space, say) have ``fold`` instead: directories hold
    them, so they must be found again. Never raises.
    """
    if text.isascii():
        return text.lower()
    prepared = _prepared(text)
    return fold(text) if prepared is None else prepared


def is_username(text: str) -> bool:
    """Whether it is a username as RFC 8265 §3.5 has them: what the profile takes, or several of that with spaces between them.

    All of ASCII is taken but spaces at the ends; of what is longer than PRECIS was made for no more is asked.
    """
    if text != text.strip(" "):
        return False
    return text.isascii() or len(text) > _MAX_USERNAME or all(not part or _prepared(part) is not None for part in text.split(" "))


def is_password(text: str) -> bool:
    """Whether PRECIS OpaqueString takes it for a password (RFC 8265 §4.2), however its letters are composed."""
    try:
        return bool(text) and (text.isascii() or len(text) > _MAX_USERNAME or bool(_PASSWORD.enforce(text)))
    except UnicodeEncodeError:
        return False


def _prepared(text: str) -> str | None:
    """What UsernameCaseMapped makes of a text; None for what it refuses."""
    if len(text) <= _MAX_USERNAME:
        try:
            return _USERNAME.enforce(text)
        except UnicodeEncodeError:  # what the profile raises for every string it refuses
            pass
    return None


def key(attribute: Attribute, value: Any) -> str | int:
    """What comparisons use in place of a value of this simple attribute.

    Integers are their own key; every other key is a string, ordered by code point as SCIM orders
    the values. Raises InvalidValue if the value does not fit the type.
    """
    kind = attribute.type
    if not _fits(kind, value):
        raise InvalidValue(_misfit(kind, value, attribute.name))
    if kind is Type.STRING or kind is Type.REFERENCE:
        return exact(value) if attribute.case_exact else fold(value)
    match kind:
        case Type.BOOLEAN:
            return "true" if value else "false"
        case Type.DATETIME:
            return instant(value).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        case Type.BINARY:
            return base64.b64encode(_decoded(value)).decode("ascii")
        case Type.DECIMAL:
            return _decimal_key(_decimal(value))
    number: int = value
    return number


def check(attribute: Attribute, value: Any, name: str) -> Any:
    """``value`` itself, if it is a valid value of this simple attribute.

    Else InvalidValue, with a detail that calls the attribute ``name``.
    """
    kind = attribute.type
    if not _fits(kind, value):
        raise InvalidValue(_misfit(kind, value, name))
    if isinstance(value, str):
        text(value, name)
        try:
            if kind is Type.DATETIME:
                instant(value)
            elif kind is Type.BINARY:
                _decoded(value)
        except InvalidValue as error:
            raise InvalidValue(f"{name}: {error.detail}") from None
        if kind is Type.REFERENCE and _NOT_URI.search(value):
            raise InvalidValue(f"{name} must be a URI, which has no spaces, quotes, braces or backslashes.")
    return value


def text(value: str, name: str) -> str:
    """``value`` itself, if it is text: not too long, no control characters, no half characters.

    Else InvalidValue, with a detail that calls it ``name``.
    """
    if _NOT_TEXT.search(value):
        raise InvalidValue(f"{name} holds a control character or half a character, which no text may.")
    if len(value) * 4 > MAX_STRING and len(value.encode()) > MAX_STRING:
        raise InvalidValue(f"{name} is longer than {MAX_STRING} bytes.")
    return value


def instant(text: str) -> datetime:
    """The instant, in UTC, that an xsd:dateTime names (RFC 7643 §2.3.5).

    Without a zone it is taken as UTC. Digits beyond the microsecond are cut off. InvalidValue for
    anything else, ``24:00:00``, year 0000 and leap seconds included, on which the editions of
    XML Schema differ.
    """
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise InvalidValue("This is not a date and time like 2026-01-31T12:00:00Z.")
    *fields, fraction, _, sign, hours, minutes = match.groups()
    try:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        if offset > timedelta(hours=14) or (sign and int(minutes) > 59):
            raise ValueError
        zone = timezone(-offset if sign == "-" else offset)
        year, month, day, hour, minute, second = map(int, fields)
        microsecond = int((fraction or "")[:6].ljust(6, "0"))
        return datetime(year, month, day, hour, minute, second, microsecond, zone).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day or time, or beyond the years 1 to 9999
        raise InvalidValue("There is no such date and time.") from None


def _decimal(value: int | float | Decimal) -> Decimal:
    """A float as the shortest text that means it, which is what was sent unless it had more digits than a float holds."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _decimal_key(value: Decimal) -> str:
    """A text whose order by code point is the order of the numbers, and which is the same for ``1.5`` and ``1.50``.

    No database has to read a number: SQLite's have 53 bits. Sign, exponent, digits; of negative numbers the complement of both,
    with an end that sorts behind every digit.
    """
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "not a number"
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "1"
    place = len(text) + exponent + _BIAS
    text = text.rstrip("0")
    if not sign:
        return f"2{place:05}{text}"
    return f"0{99_999 - place:05}{text.translate(_COMPLEMENT)}~"


_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def _decoded(text: str) -> bytes:
    """The bytes behind base64 (RFC 4648 §4), whose padding may be left out (RFC 7643 §2.3.6)."""
    match = _BASE64.fullmatch(text)
    if match is None or len(match[1]) % 4 == 1 or (match[2] and len(text) % 4):
        raise InvalidValue("This is not base64.")
    return base64.b64decode(match[1] + "=" * (-len(match[1]) % 4))


def _fits(kind: Type, value: Any) -> bool:
    """Whether a JSON value is of the JSON type that a simple type is written in; bool is no number."""
    if isinstance(value, str):
        return kind in _WRITTEN_AS_STRINGS
    match kind:
        case Type.BOOLEAN:
            return isinstance(value, bool)
        case Type.INTEGER:
            return type(value) is int and value in _INTEGERS
        case Type.DECIMAL:
            return _is_number(value)
    return False


def _is_number(value: Any) -> bool:
    """Whether it is a number of a size that is taken."""
    if type(value) is int:
        return value in _INTEGERS
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is not Decimal or not value.is_finite():
        return False
    return value.adjusted() in _EXPONENTS and len(value.as_tuple().digits) <= MAX_DIGITS


_WANTED = {
    Type.STRING: "a string",
    Type.REFERENCE: "a string that is a URI",
    Type.DATETIME: "a string with a date and time like 2026-01-31T12:00:00Z",
    Type.BINARY: "a string of base64",
    Type.BOOLEAN: "true or false, without quotes",
    Type.INTEGER: "a whole number of at most 64 bits",
    Type.DECIMAL: f"a number of at most {MAX_DIGITS} digits",
    Type.COMPLEX: "an object with sub-attributes",
}
_GIVEN = {
    str: "a string",
    bool: "true or false",
    dict: "an object",
    list: "an array",
    **dict.fromkeys((int, float, Decimal), "a number"),
}


def _misfit(kind: Type, value: Any, name: str) -> str:
    """Never the value itself: it may be anything, and the detail is written to logs."""
    return f"{name} must be {_WANTED[kind]}, not {_GIVEN.get(type(value), 'null')}."
