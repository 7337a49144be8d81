"""What a refusal of the token endpoint means: the whole table, and what nobody has thought of."""

from __future__ import annotations

from typing import Any

import pytest

from oidc.errors import Action, ProviderError, verdict

GRANT = "invalid_grant"
STEPS = (50076, 50079, 50072, 50074, 50078, 50158, 53000, 53003, 530032, 530034, 530035, 50131, 50097)
TABLE = [
    (GRANT, 50057, Action.DISABLE),
    *((GRANT, code, Action.DISABLE) for code in (500341, 50034, 51004, 16003)),
    *(
        (GRANT, code, Action.END)
        for code in (50020, 90072, 50105, 65001, 50173, 50132, 50133, 50055, 50144, 50089, 700082, 70008, 700084, 70043)
    ),
    *((GRANT, code, Action.END) for code in (70000, 50196, 1, 999999)),
    *(("unauthorized_client", code, Action.END_DIRECTORY) for code in (700016, 70001, 7000112)),
    *(("invalid_client", code, Action.END_DIRECTORY) for code in (700016, 70001, 7000112)),
    *((error, code, Action.INTERACT) for error in (GRANT, "interaction_required") for code in (50076, 50079, 50072, 50074, 50078, 50158)),
    *(
        (error, code, Action.INTERACT)
        for error in (GRANT, "interaction_required")
        for code in (53000, 53003, 530032, 530034, 530035, 50131, 50097)
    ),
    *(("invalid_client", code, Action.OUR_FAULT) for code in (7000215, 7000222, 7000218, 70002, 700027, 50012, 1)),
    *(("invalid_request", code, Action.OUR_FAULT) for code in (50011, 900144, 9002313, 90002, 700005, 501481, 54005, 1)),
    *((GRANT, code, Action.OUTAGE) for code in (90033, 90006, 90024, 90055)),
    ("interaction_required", 1, Action.INTERACT),
    ("temporarily_unavailable", 1, Action.OUTAGE),
]


@pytest.mark.parametrize(("error", "code", "action"), TABLE)
def test_the_table(error: str, code: int, action: Action) -> None:
    found = verdict(ProviderError(error, (code,)), 400)
    assert found.action is action
    assert found.reason.replace("_", "").isalpha()


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_request", "interaction_required", "server_error", ""])
@pytest.mark.parametrize("code", [50057, 50034, 500341])
def test_only_a_refusal_of_the_persons_own_grant_says_that_he_is_gone(error: str, code: int) -> None:
    """Whatever else is wrong, nobody is disabled by it."""
    assert verdict(ProviderError(error, (code,)), 400).action is not Action.DISABLE


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_fails_says_nothing_of_anybody(status: int) -> None:
    assert verdict(ProviderError(GRANT, (50057,)), status).action is Action.OUTAGE


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_somebody_must_know(error: str) -> None:
    for code in (700016, 7000222, 1):
        assert verdict(ProviderError(error, (code,)), 401).alarm


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, ProviderError("")),
        ([], ProviderError("")),
        ({}, ProviderError("")),
        ({"error": 1, "error_codes": "50057", "trace_id": {"a": 1}}, ProviderError("")),
        ({"error": "invalid_grant", "error_codes": [True, -1, "x", 50057, 50057]}, ProviderError("invalid_grant", (50057,))),
        (
            {"error": "invalid_grant", "error_description": "AADSTS700082: expired"},
            ProviderError("invalid_grant", (700082,)),
        ),
        ({"error": "x" * 500}, ProviderError("x" * 100)),
        ({"error": "a\nb", "trace_id": "<script>", "correlation_id": "0f-1"}, ProviderError("", correlation_id="0f-1")),
        ({"error": "e", "claims": "{}" * 3000}, ProviderError("e")),
    ],
)
def test_whatever_is_answered(document: Any, expected: ProviderError) -> None:
    assert ProviderError.parse(document) == expected
