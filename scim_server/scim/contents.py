"""What the RFCs ask of single values beyond their type, and a strict server insists on: names, passwords, countries, certificates."""

from __future__ import annotations

import base64

from scim_server.scim import values
from scim_server.scim.errors import InvalidValue

# ISO 3166-1 alpha-2, as officially assigned (249).
_COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH
    CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN
    GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI
    LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM
    PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD
    TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()  # noqa: SIM905  a list of so many lines reads worse
)
_SEQUENCE = 0x30
_LONG_FORM = 0x80


def user_name(value: str, name: str) -> None:
    """InvalidValue unless PRECIS takes it for a username (RFC 7644 §5, RFC 8265 §3.5). ASCII is, but for spaces around it."""
    if not values.is_username(value):
        raise InvalidValue(f"{name} may have no space at its ends, and no letters that stand for others, such as ligatures (RFC 8265).")


def password(value: str, name: str) -> None:
    """InvalidValue unless PRECIS takes it for a password (RFC 7643 §4.1.1, RFC 8265 §4.2). It is dropped all the same."""
    if not values.is_password(value):
        raise InvalidValue(f"{name} may be neither empty nor of letters that have no place in passwords (RFC 8265).")


def country(value: str, name: str) -> None:
    """InvalidValue unless it is a country's code (RFC 7643 §4.1.2)."""
    if value and value.upper() not in _COUNTRIES:
        raise InvalidValue(f"{name} must be a country's code of two letters (ISO 3166-1), as in DE.")


def certificate(value: str, name: str) -> None:
    """InvalidValue unless it is base64 of one DER certificate, no less and no more (RFC 7643 §4.1.2).

    A certificate is a SEQUENCE that says how long it is: what is shorter was cut off, and what is longer is more than one.
    """
    if not value:
        return
    data = base64.b64decode(value + "=" * (-len(value) % 4))
    if len(data) < 2 or data[0] != _SEQUENCE or _length(data) != len(data):
        raise InvalidValue(f"{name} must be exactly one certificate in DER, as base64.")


def _length(data: bytes) -> int:
    """How long the first value of a DER encoding is in all (X.690 §8.1.3); 0 where that cannot be told."""
    first = data[1]
    if first < _LONG_FORM:
        return 2 + first
    more = first - _LONG_FORM
    return 2 + more + int.from_bytes(data[2 : 2 + more]) if 0 < more <= 4 and len(data) >= 2 + more else 0
