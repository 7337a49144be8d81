"""Filters and PATCH paths: text to tree and back (requirement group E.2, RFC 7644 figure 1)."""

from __future__ import annotations

import threading
import timeit
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_filter_parser import ast  # type: ignore[import-untyped]  # the library has no types
from scim2_filter_parser.lexer import SCIMLexer  # type: ignore[import-untyped]  # as above
from scim2_filter_parser.parser import SCIMParser  # type: ignore[import-untyped]  # as above
from scim2_models import ScimFilter
from scim2_models.exceptions import InvalidFilterException
from scim2_models.path import Comparison, FilterNode, LogicalExpr
from scim2_models.path import Not as TheirNot
from scim2_models.path import Present as TheirPresent
from scim2_models.path import ValuePath as TheirValuePath

from scim_server.scim.errors import InvalidFilter, InvalidPath
from scim_server.scim.filters import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    And,
    Compare,
    Filter,
    Not,
    Or,
    Path,
    Present,
    ValuePath,
    parse_filter,
    parse_path,
)
from scim_server.scim.schemas import ENTERPRISE_USER, USER
from tests.scim.filters_115 import EITHER, FILTERS, REFUSED
from tests.scim.trees import grown, joined

SETTINGS = settings(max_examples=150)


def outcome(parse: Callable[[str], Filter | Path], text: str) -> str:
    """The tree by its repr, in which 1, 1.0 and true differ; or that it was refused, and the detail."""
    try:
        return repr(parse(text))
    except (InvalidFilter, InvalidPath) as error:
        return f"{REFUSED}: {error.detail}"


@pytest.mark.parametrize(("text", "expected"), FILTERS, ids=[text or "(empty)" for text, _ in FILTERS])
def test_115_filters(text: str, expected: Filter | str) -> None:
    read = outcome(parse_filter, text)
    if isinstance(expected, str):
        assert expected is EITHER or read.startswith(REFUSED)
    else:
        assert read == repr(expected)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        pytest.param('userName regex "x"', 'at character 10: "regex". The operators are', id="S-7644-3.4.2.2-04"),
        pytest.param("userName eq bjensen", 'at character 13: "bjensen". A text to compare with', id="S-7644-3.4.2.2-09"),
        pytest.param("userName eq", "ends too early", id="ends"),
        pytest.param("userName eq 'x'", "at character 13: \"'x'\"", id="single-quotes"),
        pytest.param('userName\teq "x"', "at character 9", id="S-7644-3.4.2.2-10-tab"),
        pytest.param('userName\neq "x"', "at character 9", id="line-break"),
        pytest.param('emails[x[y eq "z"]]', "cannot hold another", id="S-7644-3.4.2.2-13-nested"),
        pytest.param('emails[a pr][b eq "z"] eq 1', "A bracket can follow only", id="value-path-twice"),
        pytest.param("emails[a pr] eq 1", "without a sub-attribute", id="value-path-compared"),
        pytest.param('emails.value[type eq "work"]', "A bracket can follow only", id="value-path-after-sub"),
        pytest.param('emails.value[type eq "work"] eq "x"', "A bracket can follow only", id="value-path-after-sub-compared"),
        pytest.param("name .familyName pr", "space within an attribute name", id="space-before-sub"),
        pytest.param(f"{USER}: userName pr", "space within an attribute name", id="space-after-urn"),
        pytest.param("urn:a::userName pr", "empty part in a URN", id="urn-empty-part"),
        pytest.param('urn:a::userName eq "x"', "empty part in a URN", id="urn-empty-part-simple"),
        pytest.param("a eq 1e999", "too large", id="infinite"),
        pytest.param("a eq 007", "cannot be understood", id="leading-zeros"),
        pytest.param('a eq "\\x"', "cannot be read", id="bad-escape"),
        pytest.param('a eq "\ud800', "?", id="half-character"),
    ],
)
def test_refusals_say_where_and_why(text: str, detail: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text)
    assert detail in caught.value.detail
    assert caught.value.detail.encode()


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('userName eq"x"', Compare("userName", "eq", "x")),
        ('emails [type eq "work"]', ValuePath("emails", Compare("type", "eq", "work"))),
        ("((a pr))", Present("a")),
        ("a pr and (b pr and c pr)", And((Present("a"), Present("b"), Present("c")))),
        ("not (not (a pr))", Not(Not(Present("a")))),
        (f"{ENTERPRISE_USER} pr", Present(ENTERPRISE_USER)),
        ('emails[a pr or b pr].c eq "x"', ValuePath("emails", And((Or((Present("a"), Present("b"))), Compare("c", "eq", "x"))))),
        ('emails[a pr and b pr].c eq "x"', ValuePath("emails", And((Present("a"), Present("b"), Compare("c", "eq", "x"))))),
        (r'a eq "\ud83d\ude00\u0000"', Compare("a", "eq", "😀\x00")),
    ],
    ids=str,
)
def test_more_filters(text: str, tree: Filter) -> None:
    assert parse_filter(text) == tree


# Limits: both sides of each.


def in_parentheses(depth: int) -> str:
    return "(" * depth + "a pr" + ")" * depth


@pytest.mark.requirement("S-7644-3.4.2.2-40")
@pytest.mark.parametrize(
    ("build", "limit"),
    [
        pytest.param(lambda n: 'a eq "' + "x" * (n - 7) + '"', MAX_LENGTH, id="length-simple"),
        pytest.param(lambda n: "a pr" + " " * (n - 4), MAX_LENGTH, id="length"),
        pytest.param(in_parentheses, MAX_DEPTH, id="depth"),
        pytest.param(lambda n: "not (" * n + "a pr" + ")" * n, MAX_DEPTH, id="depth-not"),
        pytest.param(lambda n: f"a[{in_parentheses(n - 1)}]", MAX_DEPTH, id="depth-in-brackets"),
        pytest.param(lambda n: " or ".join(["a pr"] * n), MAX_TERMS, id="terms-or"),
        pytest.param(lambda n: "a[" + " and ".join(["b eq 1"] * n) + "]", MAX_TERMS, id="terms-in-brackets"),
        pytest.param(lambda n: " and ".join(["a pr", "b pr or c pr"] * (n // 3) + ["d pr"] * (n % 3)), MAX_TERMS, id="terms-mixed"),
    ],
)
def test_limits(build: Callable[[int], str], limit: int) -> None:
    parse_filter(build(limit))
    with pytest.raises(InvalidFilter, match=r"longer than|deeper than|more than"):
        parse_filter(build(limit + 1))


def test_the_deepest_and_longest_filter_is_walked() -> None:
    text = "a pr"
    for n in range(MAX_DEPTH):
        text = f"({text}) {'and' if n % 2 else 'or'} b pr"
    text = " or ".join([text, *["c pr"] * (MAX_TERMS - MAX_DEPTH - 1)])
    tree = parse_filter(text)
    assert str(tree).count(" pr") == MAX_TERMS
    assert repr(tree) == repr(parse_filter(text))


@pytest.mark.parametrize(
    "text",
    ["(" * 20_000 + "a pr" + ")" * 20_000, "not (" * 4_000, "x" * 20_480, 'a eq "' + "x" * 20_480 + '"', " and ".join(["a pr"] * 1_500)],
    ids=["20,000 parentheses", "20 kB of not", "20 kB name", "20 kB string", "10 kB chain"],
)
def test_oversized_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(text)
    with pytest.raises(InvalidPath):
        parse_path(f"emails[{text}]")


# Trees, printed and read again.

NAMES = st.sampled_from(["userName", "a", "b-1_c", "nullable", "orders", "note", "primary", "x"])
SUBS = st.one_of(st.just(""), st.builds(".{}".format, st.sampled_from(["value", "type", "$ref", "display"])))
URNS = st.one_of(st.just(""), st.sampled_from([f"{USER}:", f"{ENTERPRISE_USER}:", "urn:x:1.0:"]))
ATTRIBUTES = st.builds("{}{}".format, URNS, NAMES)
PATHS = st.builds("{}{}".format, ATTRIBUTES, SUBS)
LITERALS = st.one_of(
    st.text(max_size=12),
    st.booleans(),
    st.none(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False).map(repr).map(Decimal),
)
COMPARE = st.builds(Compare, PATHS, st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]), LITERALS)
LEAVES = st.one_of(COMPARE, st.builds(Present, PATHS))


ELEMENT_TREES: st.SearchStrategy[Filter] = st.recursive(LEAVES, grown, max_leaves=5)
TREES: st.SearchStrategy[Filter] = st.recursive(st.one_of(LEAVES, st.builds(ValuePath, ATTRIBUTES, ELEMENT_TREES)), grown, max_leaves=8)


def spoken(tree: Filter, say: Callable[[str], str]) -> str:
    """As a client might write it: no parentheses but where precedence needs them, words in any case."""
    if isinstance(tree, And):
        return say(" and ").join(f"({spoken(t, say)})" if isinstance(t, Or) else spoken(t, say) for t in tree.terms)
    if isinstance(tree, Or):
        return say(" or ").join(spoken(t, say) for t in tree.terms)
    if isinstance(tree, Not):
        return f"{say('not ')}({spoken(tree.term, say)})"
    if isinstance(tree, ValuePath):
        return f"{tree.path}[{spoken(tree.term, say)}]"
    word = "pr" if isinstance(tree, Present) else tree.op
    return str(tree).replace(f"{tree.path} {word}", f"{tree.path} {say(word)}", 1)


def ours(node: FilterNode) -> Filter:
    """The oracle's tree in our nodes."""
    if isinstance(node, LogicalExpr):
        return joined(And if node.op.value == "and" else Or, [ours(term) for term in node.terms])
    if isinstance(node, TheirNot):
        return Not(ours(node.expr))
    if isinstance(node, TheirPresent):
        return Present(str(node.attr_path))
    if isinstance(node, TheirValuePath):
        return ValuePath(str(node.attr_path), ours(node.val_filter))
    assert isinstance(node, Comparison)
    return Compare(str(node.attr_path), node.op.value, Decimal(repr(node.value)) if isinstance(node.value, float) else node.value)


@pytest.mark.requirement("S-7644-3.4.2.2-07")
@SETTINGS
@given(tree=TREES)
def test_printed_tree_parses_to_itself(tree: Filter) -> None:
    assert repr(parse_filter(str(tree))) == repr(tree)


@SETTINGS
@given(tree=TREES, say=st.sampled_from([str.lower, str.upper, str.title, str.swapcase, lambda word: f"{word} "]))
def test_agrees_with_scim2_models(tree: Filter, say: Callable[[str], str]) -> None:
    text = spoken(tree, say)
    assert repr(parse_filter(text)) == repr(ours(ScimFilter(text).ast)) == repr(tree)


WORDS = [
    "a",
    "b.c",
    "emails",
    f"{USER}:x",
    "eq",
    "EQ",
    "co",
    "pr",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    '"v"',
    "1",
    "-2.5",
    "true",
    "null",
]


@settings(max_examples=400)
@given(words=st.lists(st.sampled_from(WORDS), max_size=12))
def test_agrees_with_scim2_models_on_what_is_no_filter(words: list[str]) -> None:
    text = " ".join(words)
    try:
        expected: Filter | None = ours(ScimFilter(text).ast)
    except InvalidFilterException:
        expected = None
    read = outcome(parse_filter, text)
    if not read.startswith(REFUSED):
        assert read == repr(expected)
    elif expected is not None:
        # There an attribute may be called by a keyword ('co eq "Ltd"').
        assert {path.lower() for path in paths(expected)} & {"eq", "co", "pr", "and", "or", "not", "true", "null"}


def paths(tree: Filter) -> list[str]:
    if isinstance(tree, (And, Or)):
        return [path for term in tree.terms for path in paths(term)]
    if isinstance(tree, Not):
        return paths(tree.term)
    return [tree.path, *paths(tree.term)] if isinstance(tree, ValuePath) else [tree.path]


@SETTINGS
@given(text=st.one_of(st.text(), st.text(alphabet="ab.:[]()\"' \\eqandortru1$-"), st.lists(st.sampled_from(WORDS)).map("".join)))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    for parse in (parse_filter, parse_path):
        read = outcome(parse, text)
        assert read.encode(), "a detail can be sent"
        if not read.startswith(REFUSED):
            assert outcome(parse, str(parse(text))) == read


SIMPLE_NAMES = st.one_of(
    PATHS,
    st.sampled_from(
        ["eq", "OR", "not", "True", "null", "true.x", "x.true", "eq.x", "true:a:b", "eq:a:b", "urn:a:eq", "urn:a::b", "$", "a:b", "-a"]
    ),
)


@SETTINGS
@given(
    name=SIMPLE_NAMES,
    op=st.sampled_from([" eq ", " eq", "  EQ   ", "eq ", " eQ "]),
    value=st.text(alphabet='abü \\"()[]:\t\x00\x7f😀', max_size=8),
    around=st.sampled_from(["", " ", "   "]),
)
def test_the_short_cut_reads_what_the_parser_reads(name: str, op: str, value: str, around: str) -> None:
    text = f'{around}{name}{op}"{value}"{around}'
    short, long = outcome(parse_filter, text), outcome(parse_filter, f"({text})")  # parentheses keep off the short cut
    assert short == long or (short.startswith(REFUSED) and long.startswith(REFUSED))


def test_the_short_cut_is_worth_having() -> None:
    """Entra's every filter takes it, each with another value: its speed is felt."""
    simple = 'userName eq "user@example.com"'
    short, long = (
        min(timeit.repeat("parse_filter(text)", globals={"parse_filter": parse_filter, "text": text}, number=50, repeat=5))
        for text in (simple, f"({simple})")
    )
    assert short * 3 < long


def test_threads_do_not_read_each_others_filters() -> None:
    wrong: list[str] = []

    def work(number: int) -> None:
        for n in range(150):
            value = f"{number}-{n}"
            tree = parse_filter(f'a eq "{value}" or emails[type eq "{value}" and not (value sw "{value}")]')
            inside: And[Filter] = And((Compare("type", "eq", value), Not(Compare("value", "sw", value))))
            if tree != Or((Compare("a", "eq", value), ValuePath("emails", inside))):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_upstream_still_has_the_fault_that_the_subclass_mends() -> None:
    """When this fails, scim2-filter-parser ships precedence: see whether ``_Parser`` can go."""
    tree = SCIMParser().parse(SCIMLexer().tokenize('a eq "1" or b eq "2" and c eq "3"'))
    assert isinstance(tree.expr, ast.LogExpr)
    assert tree.expr.op == "and"


# PATCH paths (RFC 7644 §3.5.2, PATH)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("members", Path("members")),
        ("name.familyName", Path("name.familyName")),
        (" userName ", Path("userName")),
        ("members.$ref", Path("members.$ref")),
        (ENTERPRISE_USER, Path(ENTERPRISE_USER)),
        ("urn:example:ext:2.0", Path("urn:example:ext:2.0")),
        (f"{ENTERPRISE_USER}:manager.value", Path(f"{ENTERPRISE_USER}:manager.value")),
        (f"{USER}:name.familyName", Path(f"{USER}:name.familyName")),
        ('members[value eq "1"]', Path("members", Compare("value", "eq", "1"))),
        ('emails[type eq "work"].value', Path("emails", Compare("type", "eq", "work"), "value")),
        (
            'emails [ type eq "work" and primary eq true ].value',
            Path("emails", parse_filter('type eq "work" and primary eq true'), "value"),
        ),
        (f'{USER}:emails[type eq "work"].value', Path(f"{USER}:emails", Compare("type", "eq", "work"), "value")),
        ('addresses[formatted eq "a].b["].country', Path("addresses", Compare("formatted", "eq", "a].b["), "country")),
    ],
    ids=str,
)
def test_paths(text: str, path: Path) -> None:
    assert parse_path(text) == path
    assert parse_path(str(path)) == path


@pytest.mark.requirement("S-7644-3.5.2-07")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/members",
        "a.b.c",
        "emails[0]",
        "emails[]",
        'emails[type eq "work"',
        'emails[type eq "work"]value',
        'emails[type eq "work"].value.x',
        'emails[type eq "work"] .value',
        'emails[type eq "work"].value eq "x"',
        'emails.value[type eq "work"]',
        f'{USER}:emails.value[type eq "work"]',
        'emails[x[y eq "z"]]',
        "emails[a pr] or emails[b pr]",
        '[type eq "work"]',
        "title pr",
        'title eq "x"',
        "naïve",
        "name familyName",
        "name\n",
        "x" * (MAX_LENGTH + 1),
    ],
    ids=lambda text: text[:40],
)
def test_paths_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(text)
