"""What Entra says when it gives no token, and what follows from it.

Microsoft asks not to code against its numbers, but to act on ``error``: so that decides first, numbers only make it finer, and what is
not known ends in the safe direction: the person signs in again. Only a refusal of the person's own grant (``invalid_grant``) can say
that the person is gone; that our credential is refused says nothing about any person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

_AADSTS = re.compile(r"AADSTS(\d{4,8})")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_MOST_CODES = 10
_MAX_WORD = 100
_MAX_CLAIMS = 4000
REFRESH_TOKEN_INVALID = "refresh_token_invalid"  # noqa: S105  a reason, and no token
_SERVER_ERROR, _TOO_MANY = 500, 429


class Action(Enum):
    """What becomes of the session."""

    DISABLE = auto()
    """The person is disabled or gone: all sessions end, the user is inactive."""
    END = auto()
    """This session ends; the person may sign in again."""
    INTERACT = auto()
    """It is not prolonged: the person has to sign in again, and to do something there."""
    END_DIRECTORY = auto()
    """We are not registered there any more: all sessions of the directory end, and somebody must know."""
    OUR_FAULT = auto()
    """Our own credential is refused: sessions go on for a while, nobody is signed out, and somebody must know."""
    OUTAGE = auto()
    """Nobody knows: sessions go on for a while."""


@dataclass(frozen=True, slots=True)
class ProviderError:
    """An error answer (OAuth 2.0 §5.2, with what Entra adds). ``codes`` are AADSTS numbers; ``claims`` a challenge for the next sign-in."""

    error: str
    codes: tuple[int, ...] = ()
    suberror: str | None = None
    trace_id: str | None = None
    correlation_id: str | None = None
    timestamp: str | None = None
    claims: str | None = None

    @classmethod
    def parse(cls, document: Any) -> ProviderError:
        """From whatever was answered; what is of another shape, or too long, is not there."""
        body = document if isinstance(document, dict) else {}
        listed = body.get("error_codes")
        codes = [each for each in listed if type(each) is int and each > 0] if isinstance(listed, list) else []
        if not codes and isinstance(text := body.get("error_description"), str):
            codes = [int(each) for each in _AADSTS.findall(text[:_MAX_CLAIMS])]
        return cls(
            _word(body.get("error")) or "",
            tuple(dict.fromkeys(codes[:_MOST_CODES])),
            _word(body.get("suberror")),
            _identifier(body.get("trace_id")),
            _identifier(body.get("correlation_id")),
            _word(body.get("timestamp")),
            claims if isinstance(claims := body.get("claims"), str) and len(claims) <= _MAX_CLAIMS else None,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is a stable word for the event and the page; ``alarm``: an operator or the directory's administrator must know."""

    action: Action
    reason: str
    alarm: bool = False


def _by_code(*entries: tuple[Verdict, tuple[int, ...]]) -> dict[int, Verdict]:
    return {code: verdict for verdict, codes in entries for code in codes}


# Of the person's grant, or of the person. In the order of the reference's table.
_OF_THE_PERSON = _by_code(
    (Verdict(Action.DISABLE, "disabled_in_directory"), (50057,)),
    (Verdict(Action.DISABLE, "removed_from_directory"), (500341, 50034, 51004, 16003)),
    (Verdict(Action.END, "not_of_this_directory"), (50020, 90072)),
    (Verdict(Action.END, "not_assigned"), (50105,)),
    (Verdict(Action.END, "consent_missing", alarm=True), (65001, 90094, 90095)),
    (Verdict(Action.END, "revoked"), (50173,)),
    (Verdict(Action.END, "password_changed"), (50132, 50133, 50055, 50144, 50089)),
    (Verdict(Action.END, "refresh_token_expired"), (700082, 70008)),
    (Verdict(Action.END, "registered_as_single_page_app", alarm=True), (700084,)),
    (Verdict(Action.END, "sign_in_frequency"), (70043,)),
    (Verdict(Action.INTERACT, "interaction_required"), (50076, 50079, 50072, 50074, 50078, 50158)),
    (Verdict(Action.INTERACT, "blocked_by_policy"), (53000, 53001, 53002, 53003, 53004, 530032, 530034, 530035, 50131, 50097)),
    (Verdict(Action.END, REFRESH_TOKEN_INVALID), (70000,)),
    (Verdict(Action.END, "client_loop", alarm=True), (50196,)),
    (Verdict(Action.OUR_FAULT, "request_refused", alarm=True), (50011, 900144, 9002313, 90002, 700005, 501481, 54005)),
)

_OF_OURS = _by_code(
    (Verdict(Action.END_DIRECTORY, "registration_removed", alarm=True), (700016, 70001, 7000112)),
    (Verdict(Action.OUR_FAULT, "our_credential", alarm=True), (7000215, 7000222, 7000218, 70002, 700027, 50012)),
)

_TRANSIENT = frozenset({90033, 90006, 90024, 90055})
_OUTAGE = Verdict(Action.OUTAGE, "provider_unavailable")

_OF_A_PERSON = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required", "access_denied"})
_OF_A_CLIENT = frozenset({"invalid_client", "unauthorized_client"})


def verdict(error: ProviderError, status: int) -> Verdict:
    """What follows from an error answer with that HTTP status."""
    if status >= _SERVER_ERROR or status == _TOO_MANY or error.error in ("temporarily_unavailable", "server_error"):
        return _OUTAGE
    if _TRANSIENT.intersection(error.codes):
        return _OUTAGE
    ours = next((_OF_OURS[code] for code in error.codes if code in _OF_OURS), None)
    if error.error in _OF_A_CLIENT:
        return ours or Verdict(Action.OUR_FAULT, "our_credential", alarm=True)
    if error.error in _OF_A_PERSON:
        theirs = next((_OF_THE_PERSON[code] for code in error.codes if code in _OF_THE_PERSON), None)
        if theirs is not None and (theirs.action is not Action.DISABLE or error.error == "invalid_grant"):
            return theirs
        if ours is not None:
            return ours
        if error.suberror == "consent_required" or error.error == "consent_required":
            return Verdict(Action.END, "consent_missing", alarm=True)
        if error.error == "invalid_grant":
            return Verdict(Action.END, REFRESH_TOKEN_INVALID)
        return Verdict(Action.INTERACT, "interaction_required")
    if ours is not None:
        return ours
    # invalid_request, invalid_scope and whatever else is about how we ask.
    return Verdict(Action.OUR_FAULT, "request_refused", alarm=True) if error.error else _OUTAGE


def _word(value: Any) -> str | None:
    return value[:_MAX_WORD] if isinstance(value, str) and value.isprintable() and value else None


def _identifier(value: Any) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
