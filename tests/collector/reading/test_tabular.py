"""Rows for people and for programs."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from relayscope.collector.query.errors import StatementRefused
from relayscope.collector.query.statement import Column, Result
from relayscope.collector.render import tabular
from tests.collector.reading.samples import HOSTILE
from tests.collector.reading.test_printable import OBEYED

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT, NUMBER = 25, 20
# What PostgreSQL can hold.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@st.composite
def results(draw: st.DrawFn) -> tuple[list[str], list[tuple[str | None, ...]]]:
    """Names and rows."""
    names = draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=6))
    cells = st.none() | TEXTS
    return names, draw(st.lists(st.tuples(*(cells for _ in names)), max_size=5))


def _result(names: Sequence[str], *rows: tuple[str | None, ...], type_oid: int = TEXT) -> Result:
    return Result(tuple(Column(name, type_oid) for name in names), iter(rows))


@given(results())
def test_csv_is_read_back_by_others(result: tuple[list[str], list[tuple[str | None, ...]]]) -> None:
    """Any text survives, also line ends, quotes and commas."""
    names, rows = result
    text = "".join(f"{record}\r\n" for record in tabular.csv(_result(names, *rows)))
    read = list(csv.reader(io.StringIO(text, newline="")))
    # A record of one empty field is an empty line, which Python's reader takes for none.
    kept = [row for row in rows if row != (None,)]
    assert [row for row in read if row] == [
        names,
        *([value or "" for value in row] for row in kept),
    ]


@given(results())
def test_tsv_is_one_line_per_row_and_loses_nothing(
    result: tuple[list[str], list[tuple[str | None, ...]]],
) -> None:
    """Each value can be had back as `copy` would, and nothing in it is obeyed by a terminal."""
    names, rows = result
    lines = list(tabular.tsv(_result(names, *rows)))
    assert [list(map(_from_copy, line.split("\t"))) for line in lines] == [
        list(names),
        *map(list, rows),
    ]
    for line in lines:
        assert not OBEYED & {unicodedata.category(char) for char in line.replace("\t", "")}


def _from_copy(value: str) -> str | None:
    if value == r"\N":
        return None
    escaped = value.encode().replace(rb"\\", b"\\x5c")
    return (
        escaped.replace(rb"\t", b"\\x09")
        .replace(rb"\n", b"\\x0a")
        .decode("unicode_escape")
        .encode("latin-1")
        .decode()
    )


@given(results(), st.integers(30, 200))
def test_a_table_fits_its_width(
    result: tuple[list[str], list[tuple[str | None, ...]]], width: int
) -> None:
    """Cut, or as blocks, whatever the values are; and nothing in it is obeyed."""
    names, rows = result
    for line in tabular.table(_result(names, *rows), width):
        assert cell_len(line.plain) <= width
        assert not OBEYED & {unicodedata.category(char) for char in line.plain}


def test_a_table_is_aligned_and_says_how_many_rows() -> None:
    """Numbers to the right, the rest to the left, NULL unlike any text."""
    columns = (Column("name", TEXT), Column("size", NUMBER))
    rows = iter([("a", "1"), ("bcd", "20"), (None, None)])
    text = "\n".join(line.plain for line in tabular.table(Result(columns, rows), 100))
    assert text == "name  size\n────  ────\na        1\nbcd     20\n∅        ∅\n(3 rows)"


def test_the_widest_column_is_cut_first() -> None:
    """Ids and times stay whole as long as a text can be cut."""
    rows = [("a" * 32, "b" * 500)] * 2
    lines = [line.plain for line in tabular.table(_result(["id", "body"], *rows), 80)]
    assert lines[2] == f"{'a' * 32}  {'b' * 45}…"


def test_a_single_row_that_is_too_wide_is_shown_whole() -> None:
    """A user who asks for one row wants to read it."""
    lines = [line.plain for line in tabular.table(_result(["body"], ("b" * 100,)), 60)]
    assert lines == ["── 1 ──", f"body  {'b' * 54}", f"      {'b' * 46}", "(1 row)"]


def test_columns_that_do_not_fit_become_blocks() -> None:
    """Rather a block per row than twelve columns of five characters."""
    names = [f"column_{number}" for number in range(12)]
    rows = [tuple("value of some length" for _ in names)] * 2
    lines = [line.plain for line in tabular.table(_result(names, *rows), 100)]
    assert lines[:2] == ["── 1 ──", "column_0   value of some length"]
    assert len(lines) == 2 * 13 + 1


def test_no_rows_still_have_their_columns() -> None:
    """An empty answer is an answer."""
    lines = [line.plain for line in tabular.table(_result(["a", "b"]), 100)]
    assert lines == ["a  b", "(0 rows)"]


def test_hostile_names_are_escaped_in_every_form() -> None:
    """A column may have any name."""
    shown = [
        *(line.plain for line in tabular.table(_result([HOSTILE], ("x",)), 200)),
        *tabular.tsv(_result([HOSTILE], ("x",))),
        *tabular.json_lines(_result([HOSTILE], ("x",))),
    ]
    assert not OBEYED & {unicodedata.category(char) for char in "".join(shown)}


def test_json_refuses_two_columns_of_one_name() -> None:
    """Rather than losing one of them."""
    with pytest.raises(StatementRefused, match='2 columns are called "a"'):
        list(tabular.json_lines(_result(["a", "b", "a"], ("1", "2", "3"))))
