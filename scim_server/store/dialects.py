"""What the two databases spell differently: a construct for each, named by what it means.

The comparison document is read with ``json_key`` and ``json_elements``; texts are searched
without LIKE, so no character of a literal is a wildcard. Text that comes out of JSON is compared
by code point, as Python does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Boolean, ColumnElement, Numeric, Select, Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE, TypeEngine

from scim_server.scim.matching import WAY
from scim_server.store.tables import Instant, Key

Compiler = SQLCompiler


Way: TypeAlias = Sequence[str] | ColumnElement[Any]
"""Where something is in a JSON document: names; or a parameter with names, ``matching.WAY`` between them."""


_Spelling: TypeAlias = Callable[[Sequence[str]], str]


class _Within(FunctionElement[Any]):
    """Something at a place of a JSON document."""

    inherit_cache = False

    def __init__(self, document: ColumnElement[Any], way: Way) -> None:
        super().__init__(document)
        self.way = way

    def rendered(self, compiler: Compiler, spell: _Spelling, **options: Any) -> tuple[str, str]:
        """The document, and the place in it."""
        return compiler.process(self.clauses, **options), _spelled(self.way, compiler, spell, **options)


def _spelled(way: Way, compiler: Compiler, spell: _Spelling, **options: Any) -> str:
    if isinstance(way, ColumnElement):
        # In a sub-select of its own it is put together once, and not again for each row.
        return f"(SELECT {compiler.process(_Names(way), **options)})"
    return compiler.render_literal_value(spell(way), Text())


class _Names(FunctionElement[Any]):
    inherit_cache = False


@compiles(_Names, "postgresql")
def _(element: _Names, compiler: Compiler, **options: Any) -> str:
    return f"string_to_array({compiler.process(element.clauses, **options)}, '{WAY}')"


@compiles(_Names, "sqlite")
def _(element: _Names, compiler: Compiler, **options: Any) -> str:
    return f"""'$."' || replace({compiler.process(element.clauses, **options)}, '{WAY}', '"."') || '"'"""


class json_key(_Within):
    """The comparison key at a place of a comparison document (or of an element of one); NULL where absent."""

    def __init__(self, document: ColumnElement[Any], way: Way, *, number: bool = False) -> None:
        super().__init__(document, way)
        self.type: TypeEngine[Any] = Numeric() if number else Key


@compiles(json_key, "postgresql")
def _(element: json_key, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _array, **options)
    text = f"({document} #>> {way})"
    return f"CAST({text} AS NUMERIC)" if isinstance(element.type, Numeric) else f'{text} COLLATE "C"'


@compiles(json_key, "sqlite")
def _(element: json_key, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _json_path, **options)
    return document if element.way == () else f"json_extract({document}, {way})"


class json_elements(_Within):
    """The elements of the array at a place of a comparison document, as rows with one column ``value``; none where absent."""


@compiles(json_elements, "postgresql")
def _(element: json_elements, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _array, **options)
    return f"jsonb_array_elements({document} #> {way})"


@compiles(json_elements, "sqlite")
def _(element: json_elements, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _json_path, **options)
    return f"json_each({document}, {way})"


class json_preferred(_Within):
    """Of an array in a comparison document, the key at ``within`` the element that is primary, or else the first; NULL where absent."""

    def __init__(self, document: ColumnElement[Any], way: Way, within: Way, *, number: bool = False) -> None:
        super().__init__(document, way)
        self.within = within
        self.type: TypeEngine[Any] = Numeric() if number else Key


@compiles(json_preferred, "postgresql")
def _(element: json_preferred, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _array, **options)
    within, elements = _spelled(element.within, compiler, _array, **options), f"{document} #> {way}"
    primary = f"""jsonb_path_query_first({elements}, '$[*] ? (@."primary" == "true")')"""
    text = f"(coalesce({primary}, {elements} -> 0) #>> {within})"
    return f"CAST({text} AS NUMERIC)" if isinstance(element.type, Numeric) else f'{text} COLLATE "C"'


@compiles(json_preferred, "sqlite")
def _(element: json_preferred, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _json_path, **options)
    first = f"json_extract({document}, {way} || '[0]')"
    if element.within == ():
        return first
    each = f"json_each({document}, {way})"
    primary = f"(SELECT value FROM {each} WHERE json_extract(value, '$.primary') = 'true' LIMIT 1)"  # noqa: S608  of our own words
    return f"json_extract(coalesce({primary}, {first}), {_spelled(element.within, compiler, _json_path, **options)})"


class json_present(_Within):
    """Whether there is anything at a place of a document, which holds nothing empty."""

    type = Boolean()


@compiles(json_present, "postgresql")
def _(element: json_present, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _array, **options)
    return f"({document} #> {way} IS NOT NULL)"


@compiles(json_present, "sqlite")
def _(element: json_present, compiler: Compiler, **options: Any) -> str:
    document, way = element.rendered(compiler, _json_path, **options)
    return f"(json_type({document}, {way}) IS NOT NULL)"


class texts(FunctionElement[Any]):
    """The strings of a JSON array that is given as a parameter, as rows with one column ``value``."""

    inherit_cache = False


@compiles(texts, "postgresql")
def _(element: texts, compiler: Compiler, **options: Any) -> str:
    return f"jsonb_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS JSONB))"


@compiles(texts, "sqlite")
def _(element: texts, compiler: Compiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


class _Search(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = False

    def rendered(self, compiler: Compiler, **options: Any) -> tuple[str, str]:
        text, part = (compiler.process(clause, **options) for clause in self.clauses)
        return text, part


class contains(_Search):
    """contains(text, part)"""


class starts_with(_Search):
    """starts_with(text, part)"""


class ends_with(_Search):
    """ends_with(text, part)"""


@compiles(contains, "postgresql")
def _(element: contains, compiler: Compiler, **options: Any) -> str:
    text, part = element.rendered(compiler, **options)
    return f"(strpos({text}, {part}) > 0)"


@compiles(contains, "sqlite")
def _(element: contains, compiler: Compiler, **options: Any) -> str:
    text, part = element.rendered(compiler, **options)
    return f"(instr({text}, {part}) > 0)"


@compiles(starts_with, "postgresql")
def _(element: starts_with, compiler: Compiler, **options: Any) -> str:
    text, part = element.rendered(compiler, **options)
    return f"starts_with({text}, {part})"


@compiles(starts_with, "sqlite")
def _(element: starts_with, compiler: Compiler, **options: Any) -> str:
    text, part = element.rendered(compiler, **options)
    return f"(substr({text}, 1, length({part})) = {part})"


@compiles(ends_with, "postgresql")
def _(element: ends_with, compiler: Compiler, **options: Any) -> str:
    text, part = element.rendered(compiler, **options)
    return f"(right({text}, length({part})) = {part})"


@compiles(ends_with, "sqlite")
def _(element: ends_with, compiler: Compiler, **options: Any) -> str:
    text, part = element.rendered(compiler, **options)
    # Without the first condition a start before the text would count from its end.
    return f"(length({text}) >= length({part}) AND substr({text}, length({text}) - length({part}) + 1) = {part})"


class among(FunctionElement[Any]):
    """among(column, sub-select): whether the value is one of few that the sub-select finds.

    PostgreSQL finds them first and then looks each up; a join might be planned the other way round.
    """

    type = NULLTYPE  # as a Boolean, SQLite would be asked whether it is 1, and would not use an index for that
    inherit_cache = False


@compiles(among, "postgresql")
def _(element: among, compiler: Compiler, **options: Any) -> str:
    column, few = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} = ANY (ARRAY{few}))"


@compiles(among, "sqlite")
def _(element: among, compiler: Compiler, **options: Any) -> str:
    column, few = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN {few})"


class json_row(FunctionElement[Any]):
    """A JSON array of the columns given."""

    inherit_cache = False


@compiles(json_row, "postgresql")
def _(element: json_row, compiler: Compiler, **options: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **options)})"


@compiles(json_row, "sqlite")
def _(element: json_row, compiler: Compiler, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


class json_rows(FunctionElement[Any]):
    """json_rows(row, order): a JSON array of the rows as text; NULL or [] where there are none.

    SQLite has no order within an aggregate before 3.44: there the index that finds the rows has it.
    """

    type = Text()
    inherit_cache = False


@compiles(json_rows, "postgresql")
def _(element: json_rows, compiler: Compiler, **options: Any) -> str:
    row, order = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(json_agg({row} ORDER BY {order}) AS TEXT)"


@compiles(json_rows, "sqlite")
def _(element: json_rows, compiler: Compiler, **options: Any) -> str:
    row, _order = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_group_array({row})"


class latest(FunctionElement[Any]):
    """The later of two instants."""

    type = Instant
    inherit_cache = False


@compiles(latest, "postgresql")
def _(element: latest, compiler: Compiler, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


@compiles(latest, "sqlite")
def _(element: latest, compiler: Compiler, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


def apart(rows: Select[Any]) -> Select[Any]:
    """The same rows, found before and without regard to all that is asked of them further out.

    LIMIT and OFFSET are what neither planner looks behind; SQLite has no OFFSET without LIMIT.
    """
    return rows.limit(literal_column(str(2**62))).offset(literal_column("0"))


def _array(names: Sequence[str]) -> str:
    """Names as PostgreSQL's text array literal."""
    quoted = ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in names)
    return "{" + quoted + "}"


def _json_path(names: Sequence[str]) -> str:
    """Names as SQLite's JSON path, which knows no escape for a quotation mark; no name has one (``definitions``)."""
    return "$" + "".join(f'."{name}"' for name in names)
