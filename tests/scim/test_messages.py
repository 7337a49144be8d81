"""What goes around resources: lists, errors, entity tags."""

from __future__ import annotations

import pytest

from scim_server.scim import errors, versions
from scim_server.scim.messages import error, list_response


def test_a_list() -> None:
    assert list_response([{"id": "1"}, {"id": "2"}], 25, 11) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 25,
        "startIndex": 11,
        "itemsPerPage": 2,
        "Resources": [{"id": "1"}, {"id": "2"}],
    }
    assert list_response([], 0, 1)["Resources"] == []


@pytest.mark.parametrize(
    ("refusal", "status", "scim_type"),
    [
        (errors.InvalidFilter, 400, "invalidFilter"),
        (errors.TooMany, 400, "tooMany"),
        (errors.MutabilityError, 400, "mutability"),
        (errors.InvalidSyntax, 400, "invalidSyntax"),
        (errors.InvalidPath, 400, "invalidPath"),
        (errors.NoTarget, 400, "noTarget"),
        (errors.InvalidValue, 400, "invalidValue"),
        (errors.NotFound, 404, None),
        (errors.UniquenessError, 409, "uniqueness"),
        (errors.PreconditionFailed, 412, None),
        (errors.TooLarge, 413, None),
    ],
)
def test_an_error(refusal: type[errors.ScimError], status: int, scim_type: str | None) -> None:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"]
    kind = {"scimType": scim_type} if scim_type else {}
    assert error(refusal("Why."), "r1") == {"schemas": schemas, "status": str(status), **kind, "detail": "Why. (request r1)"}
    assert error(refusal("Why."), None)["detail"] == "Why."


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ('W/"3"', True),
        ('"3"', True),
        ("*", True),
        (" * ", True),
        ('"1", W/"2",W/"3"', True),
        ('W/"4"', False),
        ('W/"33"', False),
        ('"1, 3"', False),
        ('"03"', False),
        ("3", False),
        ("", False),
        ('W/"3', False),
    ],
)
def test_entity_tags_are_compared_weakly(header: str, named: bool) -> None:
    assert versions.matches(header, 3) is named
    assert versions.matches(versions.etag(3), 3)
