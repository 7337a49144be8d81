"""Filters and PATCH paths as text and as trees (RFC 7644 §3.4.2.2 and §3.5.2, figure 1 and PATH).

The grammar is scim2-filter-parser's. What 0.7.0 gets wrong is mended here by subclassing: ``and``
and ``or`` have one precedence there, strings know no escapes, numbers have one digit, names may
not begin with a keyword, and ``"true"`` is ``true``. Its SQL side is not used.

What is refused beyond its grammar: texts, nestings and chains beyond the limits below; a value
path within a value path or after a sub-attribute; tabs and line breaks between words.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar, Union

from scim2_filter_parser import ast  # type: ignore[import-untyped]  # the library has no types
from scim2_filter_parser.lexer import SCIMLexer  # type: ignore[import-untyped]  # as above
from scim2_filter_parser.parser import SCIMParser  # type: ignore[import-untyped]  # as above

from scim_server.scim.errors import InvalidFilter, InvalidPath

MAX_LENGTH = 16_384
"""The longest filter or path, in characters. In a URL there is room for less; more than that goes by POST to /.search."""
MAX_DEPTH = 40
"""How deep parentheses and brackets may nest."""
MAX_TERMS = 100
"""How many comparisons one filter may hold."""

T = TypeVar("T")


def _number(value: Decimal) -> str:
    """As a literal that is read as a Decimal, and not as an integer."""
    text = str(value)
    return f"{text}E+0" if text.lstrip("-").isdigit() else text


@dataclass(frozen=True, slots=True)
class Compare:
    """``path op value``; ``op`` in lower case, ``value`` as the JSON literal says (str, bool, int, Decimal, None)."""

    path: str
    op: str
    value: Any

    def __str__(self) -> str:
        literal = _number(self.value) if isinstance(self.value, Decimal) else json.dumps(self.value, ensure_ascii=False)
        return f"{self.path} {self.op} {literal}"


@dataclass(frozen=True, slots=True)
class Present:
    """``path pr``."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} pr"


@dataclass(frozen=True, slots=True)
class And(Generic[T]):
    """All of two or more terms."""

    terms: tuple[T, ...]

    def __str__(self) -> str:
        return " and ".join(f"({t})" if isinstance(t, (And, Or)) else str(t) for t in self.terms)


@dataclass(frozen=True, slots=True)
class Or(Generic[T]):
    """Any of two or more terms."""

    terms: tuple[T, ...]

    def __str__(self) -> str:
        return " or ".join(f"({t})" if isinstance(t, (And, Or)) else str(t) for t in self.terms)


@dataclass(frozen=True, slots=True)
class Not(Generic[T]):
    term: T

    def __str__(self) -> str:
        return f"not ({self.term})"


@dataclass(frozen=True, slots=True)
class ValuePath:
    """``path[term]``: one and the same element satisfies the whole term."""

    path: str
    term: Filter

    def __str__(self) -> str:
        return f"{self.path}[{self.term}]"


Filter: TypeAlias = Union[Compare, Present, "And[Filter]", "Or[Filter]", "Not[Filter]", ValuePath]


def rewritten(node: Filter, change: Callable[[Compare | Present, str], Filter], outer: str = "") -> Filter:
    """The tree with each of its comparisons changed. ``change`` is told the attribute in whose brackets it stands; "" if in none."""
    match node:
        case And(terms):
            return And(tuple(rewritten(term, change, outer) for term in terms))
        case Or(terms):
            return Or(tuple(rewritten(term, change, outer) for term in terms))
        case Not(term):
            return Not(rewritten(term, change, outer))
        case ValuePath(path, term):
            return ValuePath(path, rewritten(term, change, path))
        case _:
            return change(node, outer)


@dataclass(frozen=True, slots=True)
class Path:
    """A PATCH path: ``attribute``, or ``attribute[filter]`` with an optional sub-attribute after it."""

    attribute: str
    filter: Filter | None = None
    sub: str | None = None

    def __str__(self) -> str:
        brackets = f"[{self.filter}]" if self.filter else ""
        return self.attribute + brackets + (f".{self.sub}" if self.sub else "")


_NAME = r"[A-Za-z$][A-Za-z0-9_$-]*"
_CHARACTERS = r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_OPERATORS = frozenset(("EQ", "NE", "CO", "SW", "EW", "PR", "GT", "GE", "LT", "LE"))
_NO_KEYWORD = rf"(?!(?i:{'|'.join(_OPERATORS)}|and|or|not|true|false|null)(?![A-Za-z0-9_$-]))"

# The filter that nearly every provisioning client sends: one attribute equals one plain string.
_SIMPLE = re.compile(
    rf' *({_NO_KEYWORD}(?:[A-Za-z]+:(?:[A-Za-z0-9._-]+:)+)?{_NO_KEYWORD}{_NAME}(?:\.{_NAME})?) +[eE][qQ] *"([^"\\\x00-\x1f]*)" *'
)
_PATH = re.compile(rf" *({_NAME}(?:\.{_NAME})?|[A-Za-z]+:[A-Za-z0-9:._$-]+) *(?:\[(.*)\](?:\.({_NAME}))?)? *")


def parse_filter(text: str) -> Filter:
    """The tree of a filter. InvalidFilter if the text is none, or is beyond the limits above."""
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(f"The filter is longer than {MAX_LENGTH} characters.")
    if simple := _SIMPLE.fullmatch(text):
        return Compare(simple[1], "eq", simple[2])
    return _parse(text)


def parse_path(text: str) -> Path:
    """The parts of a PATCH path. InvalidPath if the text is none, or its filter is none.

    A schema URN alone is an attribute path too: what it means is for ``ResourceType.resolve``.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"The path is longer than {MAX_LENGTH} characters.")
    match = _PATH.fullmatch(text)
    if match is None:
        raise InvalidPath(f"{_quoted(text)} is not an attribute path.")
    attribute, inside, sub = match.groups()
    if inside is None:
        return Path(attribute)
    if "." in attribute.rpartition(":")[2]:
        raise InvalidPath(f"A filter cannot follow the sub-attribute {_quoted(attribute)}.")
    try:
        return Path(attribute, _parse(inside, in_brackets=True), sub)
    except InvalidFilter as error:
        raise InvalidPath(f"The path {_quoted(text)} holds a bad filter. {error.detail}") from None


def _parse(text: str, in_brackets: bool = False) -> Filter:
    # Lexer and parser hold the state of the parse: shared between threads they mix requests up.
    return _tree(_Parser().parse(_tokens(text, in_brackets)))


class _Lexer(SCIMLexer):  # type: ignore[misc]  # its base has no types
    tokens = SCIMLexer.tokens
    ignore = " "
    # The words end where a name would end; without that, "nullable" is null and "able".
    FALSE = r"(?i:false)(?![A-Za-z0-9_$-])"
    TRUE = r"(?i:true)(?![A-Za-z0-9_$-])"
    NULL = r"(?i:null)(?![A-Za-z0-9_$-])"
    NUMBER = _NUMBER

    @_(rf'"{_CHARACTERS}"')  # type: ignore[name-defined, untyped-decorator]  # noqa: F821  # sly puts "_" there
    def COMP_VALUE(self, token: Any) -> Any:
        return token

    def error(self, token: Any) -> NoReturn:
        raise InvalidFilter(f"The filter cannot be read at character {token.index + 1}: {_quoted(token.value)}.")


class _Parser(SCIMParser):  # type: ignore[misc]  # its base has no types
    tokens = SCIMLexer.tokens
    precedence = (("left", "OR"), ("left", "AND"), ("right", "NOT"))
    track_positions = False
    # sly builds a grammar from the class body alone, so the rules are named again.
    filter = SCIMParser.filter
    value_path = SCIMParser.value_path
    attr_exp = SCIMParser.attr_exp
    log_exp = SCIMParser.log_exp
    comp_value = SCIMParser.comp_value
    attr_path = SCIMParser.attr_path
    sub_attr = SCIMParser.sub_attr

    def error(self, token: Any) -> NoReturn:
        if token is None:
            raise InvalidFilter("The filter ends too early.")
        expected, hint = self._lrtable.lr_action[self.state], ""
        if "EQ" in expected:
            hint = " The operators are eq ne co sw ew pr gt ge lt le."
        elif "COMP_VALUE" in expected:
            hint = " A text to compare with stands in double quotes."
        raise InvalidFilter(f"The filter cannot be understood at character {token.index + 1}: {_quoted(str(token.value))}.{hint}")


def _tokens(text: str, in_brackets: bool) -> Iterator[Any]:
    """The tokens of a text, literals as their values, checked for all that the grammar lets pass."""
    depth = terms = 0
    previous = None
    for token in _Lexer().tokenize(text):
        match token.type:
            case "TRUE" | "FALSE":
                token.value = token.type == "TRUE"
            case "NULL":
                token.value = None
            case "COMP_VALUE":
                token.value = json.loads(token.value)
            case "NUMBER":
                token.value = json.loads(token.value, parse_float=Decimal)
                if isinstance(token.value, Decimal) and not math.isfinite(float(token.value)):
                    raise InvalidFilter("The filter holds a number that is too large.")
            case "SCHEMA_URI" if token.end - token.index != len(token.value) + 1:
                raise InvalidFilter(f"The filter has an empty part in a URN at character {token.index + 1}.")
            case "LPAREN" | "LBRACKET":
                depth += 1
                if depth > MAX_DEPTH:
                    raise InvalidFilter(f"The filter nests deeper than {MAX_DEPTH} levels.")
                if token.type == "LBRACKET":
                    if in_brackets:
                        raise InvalidFilter("A value path cannot hold another value path.")
                    if previous and previous.type != "ATTRNAME":
                        raise InvalidFilter("A bracket can follow only the name of an attribute, without a sub-attribute.")
                    in_brackets = True
            case "RPAREN":
                depth -= 1
            case "RBRACKET":
                depth -= 1
                in_brackets = False
            case "SUBATTR" | "ATTRNAME" if previous and previous.end < token.index:
                if token.type == "SUBATTR" or previous.type == "SCHEMA_URI":
                    raise InvalidFilter(f"The filter has a space within an attribute name at character {token.index + 1}.")
            case operator if operator in _OPERATORS:
                terms += 1
                if terms > MAX_TERMS:
                    raise InvalidFilter(f"The filter holds more than {MAX_TERMS} comparisons.")
        previous = token
        yield token


def _tree(node: Any) -> Filter:
    """The library's tree as ours. It recurses as deep as MAX_DEPTH and MAX_TERMS let it."""
    if isinstance(node, ast.Filter):
        inner = _tree(node.expr)
        if node.namespace is not None:
            return ValuePath(_path(node.namespace), inner)
        return Not(inner) if node.negated else inner
    if isinstance(node, ast.LogExpr):
        kind = And if node.op.lower() == "and" else Or
        terms: list[Filter] = []
        for side in (_tree(node.expr1), _tree(node.expr2)):
            terms.extend(side.terms if isinstance(side, kind) else (side,))
        return kind(tuple(terms))
    path, value_path = node.attr_path, node.attr_path.attr_name
    if not isinstance(value_path, ast.Filter):
        return _comparison(_path(path), node)
    # emails[type eq "work"].value eq "x" means emails[type eq "work" and value eq "x"]. The library
    # has put the sub-attribute into the path before the bracket.
    base = value_path.namespace
    if base.sub_attr is None:
        raise InvalidFilter("A value path cannot be compared without a sub-attribute.")
    condition = _tree(value_path.expr)
    leaf = _comparison(base.sub_attr.value, node)
    terms_inside = condition.terms if isinstance(condition, And) else (condition,)
    return ValuePath(_path(ast.AttrPath(base.attr_name, None, base.uri)), And((*terms_inside, leaf)))


def _comparison(path: str, node: Any) -> Compare | Present:
    return Compare(path, node.value.lower(), node.comp_value.value) if node.comp_value else Present(path)


def _path(path: Any) -> str:
    uri = f"{path.uri}:" if path.uri else ""
    sub = f".{path.sub_attr.value}" if path.sub_attr else ""
    return f"{uri}{path.attr_name}{sub}"


def _quoted(text: str) -> str:
    """A piece of the client's own text for a detail, cut to a length that can be read."""
    cut = text if len(text) <= 60 else text[:60] + "…"
    return json.dumps(cut.encode(errors="replace").decode(), ensure_ascii=False)
