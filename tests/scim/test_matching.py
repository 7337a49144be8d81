"""What a filter means for a resource type, and for a resource (requirement group E.3)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scim_server.scim.attributes import Attribute, Mutability, Target, Type
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters import And, Compare, Not, Present, ValuePath, parse_filter
from scim_server.scim.matching import Bound, Some, Term, bind, bind_element, matches, matches_element, shape
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP_TYPE, USER, USER_TYPE, ResourceType, Schema

# One attribute of every type, alone and multi-valued.
KINDS = {
    "fold": Attribute("fold"),
    "exact": Attribute("exact", case_exact=True),
    "ref": Attribute("ref", Type.REFERENCE, case_exact=True),
    "bool": Attribute("bool", Type.BOOLEAN),
    "int": Attribute("int", Type.INTEGER),
    "dec": Attribute("dec", Type.DECIMAL),
    "time": Attribute("time", Type.DATETIME),
    "bin": Attribute("bin", Type.BINARY, case_exact=True),
}
SAMPLES = Schema(
    "urn:x:Sample",
    "Sample",
    "",
    (
        *KINDS.values(),
        Attribute("one", Type.COMPLEX, sub_attributes=tuple(KINDS.values())),
        Attribute("many", Type.COMPLEX, multi_valued=True, sub_attributes=tuple(KINDS.values())),
        Attribute("tags", multi_valued=True),
        Attribute("secret", mutability=Mutability.WRITE_ONLY),
    ),
)
SAMPLE_TYPE = ResourceType("Sample", "/Samples", "", SAMPLES)
_LINE = re.compile(r"S-[0-9]+-[0-9.]+-[0-9]+")
OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")


def ask(text: str, representation: dict[str, Any], resource_type: ResourceType = USER_TYPE) -> bool:
    return matches(bind(parse_filter(text), resource_type), representation)


# For a stored value and a literal: the operators that hold. Those after the bar are refused.
TRUTH: list[tuple[str, Any, str, str]] = [
    ("fold", "Bcd", '"bCD"', "eq co sw ew ge le"),  # S-7644-3.4.2.2-20, -24
    ("fold", "bcd", '"BC"', "ne co sw gt ge"),
    ("fold", "bcd", '"cd"', "ne co ew lt le"),
    ("fold", "bcd", '"c"', "ne co lt le"),
    ("fold", "10", '"9"', "ne lt le"),  # S-7644-3.4.2.2-22: as strings
    ("fold", "a%c", '"%"', "ne co gt ge"),  # S-7644-3.4.2.2-39
    ("fold", "abc", '"a_c"', "ne gt ge"),
    ("fold", "abc", '""', "ne co sw ew gt ge"),
    ("fold", "straße", '"STRASSE"', "eq co sw ew ge le"),  # S-7644-7.8-02
    ("fold", "e\u0301", '"é"', "eq co sw ew ge le"),  # S-7644-7.8-01
    ("fold", "\U0001f600", '"\uff5e"', "ne gt ge"),  # by code point, not by UTF-16 unit; ～ folds to ~
    ("fold", "\U0001f600", '"\ufffd"', "ne gt ge"),
    ("exact", "Bcd", '"bcd"', "ne lt le"),
    ("exact", "Bcd", '"Bcd"', "eq co sw ew ge le"),
    ("exact", "e\u0301x", '"é"', "ne co sw gt ge"),
    ("ref", "https://h/Users/1", '"https://h/"', "ne co sw gt ge"),  # S-7644-3.4.2.2-30
    ("ref", "https://h/Users/1", '"HTTPS://h/Users/1"', "ne gt ge"),  # S-7643-2.3.7-02
    ("bool", True, "true", "eq | co sw ew gt ge lt le"),  # S-7644-3.4.2.2-23
    ("bool", False, "true", "ne | co sw ew gt ge lt le"),
    ("int", 10, "9", "ne gt ge | co sw ew"),
    ("int", 9, "9", "eq ge le | co sw ew"),
    ("int", 0, "9", "ne lt le | co sw ew"),
    ("dec", 1.5, "1.50", "eq ge le | co sw ew"),
    ("dec", 1.5, "2", "ne lt le | co sw ew"),
    ("time", "2026-01-01T00:00:00Z", '"2026-01-01T02:00:00+02:00"', "eq ge le | co sw ew"),  # S-7644-3.4.2.2-29
    ("time", "2026-01-01T00:00:00.5Z", '"2026-01-01T00:00:00"', "ne gt ge | co sw ew"),
    ("time", "2026-01-01T01:00:00+02:00", '"2026-01-01T00:00:00Z"', "ne lt le | co sw ew"),
    ("bin", "YQ==", '"YQ"', "eq | co sw ew gt ge lt le"),  # S-7643-2.3.6-02
    ("bin", "YQ==", '"Yg=="', "ne | co sw ew gt ge lt le"),
]


@pytest.mark.parametrize(("name", "stored", "literal", "expected"), TRUTH)
@pytest.mark.parametrize(
    ("path", "around"),
    [("{}", "{}"), ("one.{}", "one"), ("many.{}", "many")],
    ids=["simple", "sub", "element"],
)
def test_every_operator_on_every_type(path: str, around: str, name: str, stored: Any, literal: str, expected: str) -> None:
    holds, _, refused = expected.partition("|")
    value = {name: stored}
    representation = value if around == "{}" else {around: [value] if around == "many" else value}
    for op in OPERATORS:
        text = f"{path.format(name)} {op} {literal}"
        if op in refused.split():
            with pytest.raises(InvalidFilter, match=f"which {op} cannot compare"):
                ask(text, representation, SAMPLE_TYPE)
        else:
            assert ask(text, representation, SAMPLE_TYPE) is (op in holds.split()), text
            if around == "many":
                assert ask(f"many[{name} {op} {literal}]", representation, SAMPLE_TYPE) is (op in holds.split()), text


LITERALS = {
    "fold": '"x"',
    "exact": '"x"',
    "ref": '"x"',
    "bool": "true",
    "int": "1",
    "dec": "1",
    "time": '"2026-01-01T00:00:00Z"',
    "bin": '"YQ"',
}


@pytest.mark.requirement("S-7644-3.4.2.2-32", "S-7644-3.4.2.2-33", "S-7644-3.4.2.2-35")
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("path", ["{}", "one.{}", "many.{}"])
@pytest.mark.parametrize(
    "representation", [{}, {"one": {"other": "x"}, "many": []}, {"many": [{"other": "x"}], "fold": "", "exact": "", "ref": ""}]
)
def test_absent_values_are_unequal_to_all_and_nothing_else(name: str, path: str, representation: dict[str, Any]) -> None:
    """Every comparison is false but ``ne``; an empty string is no value."""
    for op in ("eq", "ne"):
        assert ask(f"{path.format(name)} {op} {LITERALS[name]}", representation, SAMPLE_TYPE) is (op == "ne")
    if name in ("fold", "exact", "ref"):
        for op in ("co", "sw", "ew", "gt", "ge", "lt", "le"):
            assert not ask(f'{path.format(name)} {op} ""', representation, SAMPLE_TYPE)
    assert not ask(f"{path.format(name)} pr", representation, SAMPLE_TYPE)
    assert ask(f"not ({path.format(name)} pr)", representation, SAMPLE_TYPE)
    assert ask(f"not ({path.format(name)} eq {LITERALS[name]})", representation, SAMPLE_TYPE)  # S-7644-3.4.2.2-35
    assert ask(f"{path.format(name)} eq null", representation, SAMPLE_TYPE)  # S-7644-3.4.2.2-32
    assert not ask(f"{path.format(name)} ne null", representation, SAMPLE_TYPE)


# A user, and what is true and what is not true of him.

JENSEN: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE_USER],
    "id": "0199-Ab",
    "externalId": "Ext-1",
    "userName": "BJensen@Example.com",
    "name": {"familyName": "O'Malley", "givenName": ""},
    "displayName": "straße",
    "active": False,
    "emails": [
        {"value": "Work@x.org", "type": "work", "primary": True},
        {"value": "home@y.org", "type": "home"},
        {"value": "bare@z.org"},
    ],
    "phoneNumbers": [{"value": "", "type": "fax"}],
    "addresses": [{"country": "DE", "type": "work"}],
    "groups": [{"value": "g-1", "$ref": "https://h/scim/v2/Groups/g-1", "display": "Staff", "type": "direct"}],
    "x509Certificates": [{"value": "YQ=="}],
    ENTERPRISE_USER: {"department": "Sales", "manager": {"value": "m-1", "displayName": "Boss"}},
    "meta": {
        "resourceType": "User",
        "created": "2026-01-01T00:00:00.000Z",
        "lastModified": "2026-02-01T00:00:00.000Z",
        "location": "https://h/scim/v2/Users/0199-Ab",
        "version": 'W/"1"',
    },
}

TRUE = [
    pytest.param('userName eq "bjensen@EXAMPLE.com"', id="S-7644-3.4.2.2-24-folded"),
    pytest.param('userName eq "ｂjensen@example.com"', id="S-8265-3.3-01-width"),
    pytest.param('USERNAME EQ "bjensen@example.com"', id="S-7644-3.4.2.2-03"),
    pytest.param('externalId eq "Ext-1" and id eq "0199-Ab"', id="exact"),
    pytest.param('not (externalId eq "ext-1")', id="S-7644-3.4.2.2-24-exact"),
    pytest.param(f'{USER.upper()}:Name.FAMILYNAME eq "o\'malley"', id="S-7644-3.10-01"),
    pytest.param(f'{ENTERPRISE_USER.lower()}:manager.displayname co "oss"', id="S-7644-3.10-02"),
    pytest.param(f"{ENTERPRISE_USER} pr", id="S-7644-3.10-04"),
    pytest.param(f"{ENTERPRISE_USER} ne null", id="extension-null"),
    pytest.param(f'schemas eq "{ENTERPRISE_USER.upper()}"', id="S-7644-3.4.2.2-36"),
    pytest.param(f'schemas[value eq "{ENTERPRISE_USER}"]', id="S-7644-3.4.2.2-17"),
    pytest.param('emails co "x.org"', id="S-7644-3.4.2.2-27"),
    pytest.param('emails.value co "@y"', id="S-7644-3.4.2.2-25"),
    pytest.param("emails pr and emails.type pr", id="S-7644-3.4.2.2-27-pr"),
    pytest.param('emails.type eq "work" and emails.value co "@y"', id="S-7644-3.4.2.2-12-apart"),
    pytest.param('emails[type eq "work" and value co "@x"]', id="S-7644-3.4.2.2-12-same"),
    pytest.param('emails[type eq "home"].value eq "HOME@y.org"', id="S-7644-3.4.2.2-15"),
    pytest.param('emails.type ne "work"', id="S-7644-3.4.2.2-34-some-differs"),
    pytest.param('emails[type ne "work" and type ne "home"]', id="element-without-the-sub-attribute"),
    pytest.param("emails[not (type pr)]", id="element-not"),
    pytest.param('emails[primary eq false and value eq "bare@z.org"]', id="S-7643-2.4-02"),
    pytest.param("emails.primary eq false", id="S-7643-2.4-02-no-brackets"),
    pytest.param("emails[primary eq true]", id="primary"),
    pytest.param("active pr and active eq false and active ne true", id="S-7644-3.4.2.2-21-false-is-a-value"),
    pytest.param("name pr", id="S-7644-3.4.2.2-21-complex"),
    pytest.param("name eq null or name ne null", id="complex-null"),
    pytest.param('title eq null and nickName ne "x" and ims eq null', id="S-7644-3.4.2.2-32"),
    pytest.param('name[familyName sw "o" and not (givenName pr)]', id="S-7644-3.4.2.2-16"),
    pytest.param('groups eq "g-1" and groups.display eq "staff"', id="groups"),
    pytest.param('groups.$ref ew "/Groups/g-1"', id="reference"),
    pytest.param('x509Certificates eq "YQ"', id="S-7643-2.3.6-02"),
    pytest.param('meta.created lt "2026-01-01T00:00:01+00:00" and meta.resourceType eq "User"', id="meta"),
    pytest.param('meta.lastModified eq "2026-02-01T01:00:00+01:00"', id="S-7644-3.4.2.2-29"),
    pytest.param('title eq "x" or userName sw "bj" and displayName ew "SSE"', id="S-7644-3.4.2.2-05"),
    pytest.param("phoneNumbers pr", id="element-with-one-empty-value"),
]

FALSE = [
    pytest.param('userName eq "bjensen"', id="eq"),
    pytest.param('externalId eq "ext-1"', id="exact"),
    pytest.param('emails[type eq "work" and value co "@y"]', id="S-7644-3.4.2.2-12"),
    pytest.param('not (emails.type eq "work")', id="S-7644-3.4.2.2-34-the-other-meaning"),
    pytest.param('addresses.type ne "work"', id="S-7644-3.4.2.2-34-none-differs"),
    pytest.param('emails[primary eq true and type eq "home"]', id="primary"),
    pytest.param("title pr or name.givenName pr or phoneNumbers.value pr", id="S-7644-3.4.2.2-21"),
    pytest.param('phoneNumbers eq ""', id="S-7643-2.5-03"),
    pytest.param("ims[not (type pr)]", id="no-element"),
    pytest.param(f'schemas[value ne "{USER}"] and schemas[value sw "x"]', id="plain-values"),
    pytest.param('(title eq "x" or userName sw "bj") and displayName ew "x"', id="S-7644-3.4.2.2-06"),
    pytest.param(f'{ENTERPRISE_USER}:manager.value eq "M-1"', id="manager-is-exact"),
]


def marked(params: list[Any]) -> list[Any]:
    """The cases, with the line of the standard that the name of some begins with."""
    found = [(each, _LINE.match(str(each.id))) for each in params]
    return [pytest.param(*each.values, id=each.id, marks=pytest.mark.requirement(line[0]) if line else ()) for each, line in found]


@pytest.mark.parametrize("text", marked(TRUE))
def test_true_of_him(text: str) -> None:
    assert ask(text, JENSEN)


@pytest.mark.parametrize("text", marked(FALSE))
def test_not_true_of_him(text: str) -> None:
    assert not ask(text, JENSEN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ENTERPRISE_USER} pr", False),
        (f"{ENTERPRISE_USER} eq null", True),
        (f'{ENTERPRISE_USER}:manager.value ne "x"', True),
        ("name[not (familyName pr)]", False),  # there is no element, as with a multi-valued one
        ('schemas[value ne "x"]', False),
        ('schemas ne "x"', True),
        ("emails.primary eq false", False),
        ("meta pr", False),
        ('userName ne "x"', True),
    ],
)
def test_of_a_resource_that_has_nothing(text: str, expected: bool) -> None:
    assert ask(text, {}) is expected
    assert ask(text, {"name": {}, "emails": [], "schemas": [], ENTERPRISE_USER: {}}) is expected


def test_members_are_asked_for_by_their_value() -> None:
    group = {"displayName": "Staff", "members": [{"value": "u-1", "type": "User"}, {"value": "g-2", "type": "Group"}]}
    assert ask('members eq "u-1" and members.type eq "group"', group, GROUP_TYPE)
    assert ask('members[value eq "u-1" and type eq "User"]', group, GROUP_TYPE)
    assert not ask('members[value eq "u-1" and type eq "Group"]', group, GROUP_TYPE)


# Binding


def test_bound_filters_hold_targets_and_keys() -> None:
    emails = USER_TYPE.attribute("emails")
    assert emails is not None
    value, kind = Target(None, emails, emails.sub("value")), Target(None, emails, emails.sub("type"))
    assert bind(parse_filter('EMAILS co "X"'), USER_TYPE) == Term(value, "co", "x")
    inside: And[Bound] = And((Term(kind, "eq", "work"), Not(Term(value, "pr"))))
    assert bind(parse_filter('emails[Type eq "WORK" and value eq null]'), USER_TYPE) == Some(Target(None, emails), inside)
    assert bind(parse_filter("emails pr"), USER_TYPE) == Term(Target(None, emails), "pr")


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("eq", "straße", False),  # S-8265-3.3-01: by PRECIS, which keeps ß
        ("ne", "straße", True),
        ("eq", "STRASSE", True),
        ("sw", "straße", True),  # the other operators fold
        ("ge", "straße", True),
        ("co", "straß", True),
    ],
)
def test_user_names_are_equal_by_precis(one: str, other: str, equal: bool) -> None:
    assert ask(f'userName {one} "{other}"', {"userName": "Strasse"}) is equal


def test_a_name_alone_makes_no_user_name() -> None:
    """In a type whose userName is no unique name, it is a string like others."""
    notes = ResourceType("Note", "/Notes", "", Schema("urn:x:Note", "Note", "", (Attribute("userName"),)))
    assert ask('userName eq "straße"', {"userName": "Strasse"}, notes)


REFUSED = [
    pytest.param('userNam eq "x"', "User has no attribute userNam. It has userName", id="S-7644-3.4.2.1-04"),
    pytest.param('department eq "x"', f"department. It has {ENTERPRISE_USER}:department", id="S-7644-3.10-03"),
    pytest.param('members eq "x"', "User has no attribute members.", id="of-another-type"),
    pytest.param("urn:x:y:z pr", "User has no attribute urn:x:y:z.", id="unknown-urn"),
    pytest.param(f"{USER} pr", "User has no attribute", id="the-core-urn"),
    pytest.param('emails.nothing eq "x"', "User has no attribute emails.nothing.", id="unknown-sub"),
    pytest.param("x" * 300 + " pr", "x" * 100 + "….", id="long-name"),
    pytest.param('name eq "x"', "as in name.formatted", id="S-7644-3.4.2.2-26"),
    pytest.param('addresses eq "x"', "as in addresses.formatted", id="complex-without-value"),
    pytest.param('meta eq "x"', "meta is complex", id="meta"),
    pytest.param(f'{ENTERPRISE_USER} eq "x"', "is a whole extension", id="extension-compared"),
    pytest.param("active gt true", "active is of type boolean, which gt cannot compare.", id="S-7644-3.4.2.2-23"),
    pytest.param('x509Certificates.value lt "AA"', "type binary", id="S-7644-3.4.2.2-23-binary"),
    pytest.param('meta.created co "2026"', "type dateTime", id="S-7644-3.4.2.2-30"),
    pytest.param('active eq "true"', "active eq: active must be true or false, without quotes, not a string.", id="S-7644-3.4.2.2-31"),
    pytest.param("userName eq 5", "userName eq: userName must be a string, not a number.", id="S-7644-3.4.2.2-31-number"),
    pytest.param("userName eq true", "userName must be a string, not true or false.", id="S-7644-3.4.2.2-31-boolean"),
    pytest.param('meta.created gt "2026-01-01"', "not a date and time", id="S-7644-3.4.2.2-29"),
    pytest.param('x509Certificates eq "Y Q"', "not base64", id="S-7643-2.3.6-01"),
    pytest.param("title gt null", "title gt null: null can be compared by eq and ne only.", id="S-7644-3.4.2.2-32"),
    pytest.param('displayName eq "a\\u0000"', "control character", id="S-7644-5-02"),
    pytest.param('displayName sw "\\ud800"', "half a character", id="S-7644-5-02-half"),
    pytest.param('password eq "x"', "password is never returned", id="S-7643-7-05"),
    pytest.param("password pr", "password is never returned", id="S-7644-3.4.2.2-41"),
    pytest.param("password eq null", "password is never returned", id="S-7644-3.4.2.2-41-null"),
    pytest.param(
        'emails[emails.type eq "x"]', "no sub-attribute emails.type. It has value, display, type, primary.", id="S-7644-3.4.2.2-14"
    ),
    pytest.param(f'emails[{USER}:type eq "x"]', "emails has no sub-attribute urn:", id="qualified-in-brackets"),
    pytest.param("emails[password pr]", "emails has no sub-attribute password.", id="not-of-the-element"),
    pytest.param('userName[value eq "x"]', "userName has no elements", id="value-path-on-simple"),
    pytest.param(f"{ENTERPRISE_USER}[department pr]", "has no elements", id="value-path-on-extension"),
    pytest.param('schemas[value sw "a" and value ew "b"]', "one comparison, of value", id="plain-values-compound"),
    pytest.param("schemas[type pr]", "one comparison, of value", id="plain-values-other"),
    pytest.param('title pr or not (nothing eq "x" and title pr)', "User has no attribute nothing.", id="anywhere"),
]


@pytest.mark.parametrize(("text", "detail"), marked(REFUSED))
def test_refused_with_a_reason(text: str, detail: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        bind(parse_filter(text), USER_TYPE)
    assert detail in caught.value.detail


@pytest.mark.parametrize("path", ["secret", "SECRET"])
def test_write_only_attributes_cannot_be_asked_for(path: str) -> None:
    with pytest.raises(InvalidFilter, match="secret is never returned"):
        bind(Compare(path, "eq", "x"), SAMPLE_TYPE)


def test_trees_that_no_text_makes_are_refused_too() -> None:
    for tree in (ValuePath("emails", ValuePath("x", Present("y"))), ValuePath("emails.value", Present("type"))):
        with pytest.raises(InvalidFilter):
            bind(tree, USER_TYPE)


# Elements, as PATCH paths select them


def element(text: str, name: str, value: dict[str, Any], resource_type: ResourceType = USER_TYPE) -> bool:
    target = resource_type.resolve(name)
    assert target is not None
    return matches_element(bind_element(parse_filter(text), resource_type, target), value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('TYPE eq "WORK"', True),
        ('type eq "work" and value ew "@X"', True),
        ('not (type eq "work") or display pr', False),
        ('display ne "x"', True),
        ("primary eq false", True),
        ("primary eq true", False),
        ("primary ne true", True),
        ("primary pr", True),
        ("display eq null", True),
    ],
)
def test_one_element(text: str, expected: bool) -> None:
    assert element(text, "emails", {"type": "work", "value": "a@x"}) is expected


def test_primary_is_false_only_where_the_rfc_says_so() -> None:
    """RFC 7643 §2.4 speaks of multi-valued attributes."""
    primary = Attribute("primary", Type.BOOLEAN)
    one = Schema("urn:x:One", "One", "", (Attribute("one", Type.COMPLEX, sub_attributes=(primary, Attribute("a"))),))
    assert not ask("one.primary eq false", {"one": {"a": "x"}}, ResourceType("One", "/Ones", "", one))


def test_elements_of_an_extension_attribute() -> None:
    assert element('value eq "m"', f"{ENTERPRISE_USER}:manager", {"value": "m"})


@pytest.mark.parametrize("name", ["userName", "schemas", "emails.value", ENTERPRISE_USER])
def test_what_has_no_sub_attributes_has_no_elements_to_select(name: str) -> None:
    with pytest.raises(InvalidFilter, match="no sub-attributes"):
        element("value pr", name, {})


# Shapes


def shape_of(text: str) -> tuple[object, list[str | int]]:
    return shape(bind(parse_filter(text), USER_TYPE))


def test_a_shape_leaves_out_the_literals_only() -> None:
    text = '{0} eq "{1}" or emails[type eq "{2}" and not (value sw "{3}")] and title pr'
    form, keys = shape_of(text.format("userName", *"ABC"))
    assert keys == ["a", "b", "c"]
    assert shape_of(text.format("USERNAME", *"xyz")) == (form, ["x", "y", "z"])
    assert hash(form) == hash(shape_of(text.format("userName", *"xyz"))[0])
    others = [
        text.format("displayName", *"ABC"),
        text.format("userName", *"ABC").replace(" eq ", " ne ", 1),
        text.format("userName", *"ABC").replace("not ", ""),
        text.format("userName", *"ABC").replace("emails", "ims"),
        text.format("userName", *"ABC").replace("title pr", "title eq null"),
        text.format("userName", *"ABC").replace(" and title pr", ""),
    ]
    assert shape_of("title pr and active eq true")[0] != shape_of("title pr or active eq true")[0]
    assert len({form, *(shape_of(other)[0] for other in others)}) == len(others) + 1
