"""What the authorization endpoint says by way of the browser (OAuth 2.0 §4.1.2), and what that means. Anybody can have written it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_AADSTS = re.compile(r"AADSTS(\d{4,8})")
_MAX_CODE = 4096
_MAX_TEXT = 100
_MOST_CODES = 5

_AUTHORIZE_ERRORS = {
    50105: "not_assigned",
    50020: "not_assigned",
    90072: "not_assigned",
    65001: "consent_missing",
    65004: "access_denied",
    90094: "consent_missing",
    90095: "consent_missing",
    50057: "disabled_in_directory",
    **dict.fromkeys((53000, 53001, 53002, 53003, 53004, 530032, 530034, 530035, 50131, 50097), "blocked_by_policy"),
}
"""By the number that the authorization endpoint gives."""

_OAUTH_ERRORS = {
    "access_denied": "access_denied",
    "consent_required": "consent_missing",
    "interaction_required": "interaction_required",
    "login_required": "interaction_required",
    "account_selection_required": "interaction_required",
    "temporarily_unavailable": "provider_unavailable",
    "server_error": "provider_unavailable",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """``reason`` is a word of ours; ``error`` and ``codes`` are the endpoint's own."""

    reason: str
    error: str | None = None
    codes: tuple[int, ...] = ()
    detail: str = ""

    @property
    def is_outage(self) -> bool:
        return self.reason == "provider_unavailable"


def refusal(answer: Mapping[str, str], issuer: str) -> Refusal | None:
    """Why the answer leads no further; None if it has a code. ``issuer`` is whose answer it must be, if it says so (RFC 9207)."""
    if answer.get("iss", issuer) != issuer:
        return Refusal("wrong_issuer_parameter")
    if error := answer.get("error"):
        found = _AADSTS.findall(answer.get("error_description", ""))
        codes = tuple(dict.fromkeys(int(each) for each in found[:_MOST_CODES]))
        known = next((_AUTHORIZE_ERRORS[each] for each in codes if each in _AUTHORIZE_ERRORS), None)
        return Refusal(known or _OAUTH_ERRORS.get(error, "provider_refused"), _text(error), codes)
    if not 0 < len(answer.get("code", "")) <= _MAX_CODE:
        return Refusal("provider_refused", detail="neither a code nor an error")
    return None


def untrusted(answer: Mapping[str, str]) -> str:
    """What somebody says of an error who has no state."""
    error = _text(answer.get("error", ""))
    return f"untrusted: error {error}" if error else ""


def _text(value: str) -> str:
    return value[:_MAX_TEXT] if value.isprintable() else ""
