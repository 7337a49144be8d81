"""Entra's filters, and PATCH paths with filters, in strict form; and what is not rewritten because it is not understood."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from decimal import Decimal

import pytest

from scim_server import booleans, entra
from scim_server.entra import normalise, typed_text
from scim_server.scim.attributes import Attribute, Type
from scim_server.scim.errors import InvalidFilter, InvalidPath
from scim_server.scim.filters import MAX_LENGTH, parse_filter, parse_path
from scim_server.scim.matching import bind
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP_TYPE, USER_TYPE, ResourceType

MANAGER = f"{ENTERPRISE_USER}:manager"


def _strict(resource_type: ResourceType, text: str) -> str:
    return normalise(resource_type, "GET", {"filter": text}, None)[0]["filter"]


REWRITTEN = [
    # Booleans as texts [10], and only where a boolean belongs
    ('active eq "True"', "active eq true"),
    ('active eq "false"', "active eq false"),
    ('userName eq "true"', 'userName eq "true"'),
    ('roles[primary eq "True"].value eq "Planner"', 'roles[primary eq true and value eq "Planner"]'),
    ('emails[type eq "True" and primary eq "TRUE"]', 'emails[type eq "True" and primary eq true]'),
    ('displayName eq "active eq \\"True\\"" and active eq "True"', 'displayName eq "active eq \\"True\\"" and active eq true'),
    # The manager by his bare name, and by the attribute instead of its value
    ('id eq "8c1d" and manager eq "77aa"', f'id eq "8c1d" and {MANAGER}.value eq "77aa"'),
    ('manager eq "77aa" and id eq "8c1d"', f'{MANAGER}.value eq "77aa" and id eq "8c1d"'),
    ('Manager.value eq "77aa"', f'{ENTERPRISE_USER}:Manager.value eq "77aa"'),
    (f'{MANAGER} eq "77aa"', f'{MANAGER}.value eq "77aa"'),
    ('manager eq "77aa0c15d2"', f'{MANAGER}.value eq "77aa0c15d2"'),
    ("not (manager pr)", f"not ({MANAGER} pr)"),
    # Quotes left out
    ("externalId eq iravn", 'externalId eq "iravn"'),
    ("externalId eq 5c0d2a36-0b5a-4a57-9d1e-6b2b4c3f8a10", 'externalId eq "5c0d2a36-0b5a-4a57-9d1e-6b2b4c3f8a10"'),
    ("id eq 8c1d7e0a4b and manager eq 77aa0c15d2", f'id eq "8c1d7e0a4b" and {MANAGER}.value eq "77aa0c15d2"'),
    ("userName eq DOM\\ines", 'userName eq "DOM\\\\ines"'),
    # Quotes and backslashes not escaped
    ('displayName eq "BK "Dock" side"', 'displayName eq "BK \\"Dock\\" side"'),
    ('displayName eq "DOM\\Users"', 'displayName eq "DOM\\\\Users"'),
    ('displayName eq "ends in \\"', 'displayName eq "ends in \\\\"'),
    ('displayName eq "R "and" D"', 'displayName eq "R \\"and\\" D"'),
    # A value beside the bracket
    ('emails[type eq "work"] eq "i@b.example"', 'emails[type eq "work" and value eq "i@b.example"]'),
    ('roles[primary eq "True"] eq "Planner"', 'roles[primary eq true and value eq "Planner"]'),
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_rewritten(before: str, after: str) -> None:
    assert _strict(USER_TYPE, before) == after
    bind(parse_filter(after), USER_TYPE)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ines.ravn@birkholm.example"',
        'displayName eq "Test\'GroupXyz #1 & ~^."',
        'emails[type eq "work"].value eq "ines.ravn@birkholm.example"',
        'displayName eq "manager eq true" or displayName eq "a"',
        'members eq "8c1d7e0a4b" and id eq "51f2aa09c7"',
        "active eq true",
        "meta.created gt 5",
        "externalId eq 40117",
        "externalId eq null",
        # malformed: for the core to refuse
        "userName eq 'ines'",
        "displayName eq BK Dockside",
        # Two clauses without a word between them are no text with quotes in it.
        'userName eq "a" userName eq "b"',
        'userName eq "a", title eq "b"',
        'userName eq "a" title pr and title eq "b"',
        'displayName eq "a" and "b"',
        'displayName eq "a" and userName eq "b',
        'active eq "yes"',
        'roles[primary eq "True"',
        'nobody eq "True"',
        "manager eq",
        "",
        "externalId eq " + "a" * MAX_LENGTH,
    ],
)
def test_left_alone(text: str) -> None:
    for resource_type in (USER_TYPE, GROUP_TYPE):
        assert _strict(resource_type, text) == text


def test_a_group_has_no_manager() -> None:
    assert _strict(GROUP_TYPE, 'manager eq "77aa"') == 'manager eq "77aa"'
    with pytest.raises(InvalidFilter):
        bind(parse_filter('manager eq "77aa"'), GROUP_TYPE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('roles[primary eq "True"].value', "roles[primary eq true].value"),
        ('emails[type eq "work" and primary eq "False"]', 'emails[type eq "work" and primary eq false]'),
        ('emails[type eq "true"].value', 'emails[type eq "true"].value'),
        ('emails[value eq "a].b primary eq \\"True\\""].type', 'emails[value eq "a].b primary eq \\"True\\""].type'),
        ("manager", MANAGER),
        ("Manager.value", f"{ENTERPRISE_USER}:Manager.value"),
        ("managers", "managers"),
        (MANAGER, MANAGER),
        ('roles[primary eq "True".value', 'roles[primary eq "True".value'),
    ],
)
def test_paths(before: str, after: str) -> None:
    message = {"Operations": [{"op": "remove", "path": before}]}
    assert normalise(USER_TYPE, "PATCH", {}, message)[1] == {"Operations": [{"op": "remove", "path": after}]}


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        (Type.INTEGER, "5", 5),
        (Type.INTEGER, "-12", -12),
        (Type.INTEGER, "05", "05"),
        (Type.INTEGER, "5.0", "5.0"),
        (Type.INTEGER, "1" * 19, "1" * 19),
        (Type.INTEGER, "٣", "٣"),
        (Type.DECIMAL, "1.50", Decimal("1.50")),
        (Type.DECIMAL, "-0.5", Decimal("-0.5")),
        (Type.DECIMAL, "7", 7),
        (Type.DECIMAL, "1,5", "1,5"),
        (Type.DECIMAL, "1e5", "1e5"),
        (Type.STRING, "5", "5"),
        (Type.BOOLEAN, "FALSE", False),
        (Type.BOOLEAN, "False ", "False "),
        (Type.BOOLEAN, "0", "0"),
    ],
)
def test_text_becomes_what_the_attribute_is(type_: Type, before: str, after: object) -> None:
    result = typed_text(Attribute("any", type_), before)
    assert (result, type(result)) == (after, type(after))


PIECES = [
    "a",
    '"',
    "\\",
    '\\"',
    "(",
    "not (",
    " ",
    "a eq ",
    'title eq "x" and ',
    "[",
    "a[",
    '] eq "',
    "urn:a:",
    "a.",
    "1e",
    "true ",
    '"true" ',
]


@pytest.mark.requirement("S-7644-3.4.2.2-40")
@pytest.mark.parametrize(("first", "second"), list(itertools.product(PIECES, PIECES)))
def test_no_text_takes_long(first: str, second: str) -> None:
    """As long as filters may be, of pieces that make patterns try again and again. It takes some hundredths of the time allowed."""
    half = MAX_LENGTH // 2
    text = first * (half // len(first)) + second * (half // len(second))
    began = time.perf_counter()
    for read in (entra.normalise, booleans.normalise):
        read(USER_TYPE, "GET", {"filter": text}, None)
        read(USER_TYPE, "PATCH", {}, {"Operations": [{"op": "add", "path": text, "value": ""}]})
    with suppress(InvalidFilter):
        parse_filter(text)
    with suppress(InvalidPath):
        parse_path(text)
    assert time.perf_counter() - began < 1
