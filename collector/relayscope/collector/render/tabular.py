r"""Rows for people and for programs: a table, TSV, CSV, JSON lines.

=========  ========================================================================================
table      for a terminal: aligned, cut to its width; one block per row where the columns do not fit
TSV        for a pipe: PostgreSQL's `copy` text format with a header line, so one line per row, and
           NULL is `\N`
CSV        RFC 4180 with a header line, CR LF; text is quoted, NULL is not
JSON       one object per line
=========  ========================================================================================

Table, TSV and JSON hold no character that a terminal obeys. CSV has no way to escape one, and is
exact.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

import orjson
from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text

from relayscope.collector.query.errors import StatementRefused
from relayscope.collector.text.printable import json_line, lines, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from relayscope.collector.query.statement import Column, Result

    TextRow = tuple[str | None, ...]

_PAGE: Final = 1000
"""Rows that are looked at for the width of a column, and so held in memory."""

_GAP: Final = "  "
_NARROWEST: Final = 20
"""Least width of a wide column; below it rows become blocks. Enough to tell times apart."""

_NULL: Final = Text("∅", "bright_black")
_NUMBERS: Final = frozenset({20, 21, 23, 26, 700, 701, 1700})
"""int8, int2, int4, oid, float4, float8, numeric."""


def tsv(result: Result) -> Iterator[str]:
    """Lines of PostgreSQL's `copy` text format, without their line feeds."""
    yield "\t".join(_copy_text(column.name) for column in result.columns)
    for row in result.rows:
        yield "\t".join(r"\N" if value is None else _copy_text(value) for value in row)


def csv(result: Result) -> Iterator[str]:
    """Records of RFC 4180, without their CR LF."""
    yield ",".join(_quoted(column.name) for column in result.columns)
    for row in result.rows:
        yield ",".join("" if value is None else _quoted(value) for value in row)


def json_lines(result: Result) -> Iterator[str]:
    """One JSON object for each row; its values as `value_loaders.as_json` gives them.

    Raises:
        StatementRefused: two columns have one name, so that an object could hold one of them only.
    """
    names = [column.name for column in result.columns]
    for name, number in Counter(names).items():
        if number > 1:
            raise StatementRefused(
                f'{number} columns are called "{one_line(name)}": give them names with `as`'
            )
    for row in result.rows:
        yield json_line(orjson.dumps(dict(zip(names, row, strict=True))).decode())


def table(result: Result, width: int) -> Iterator[Text]:
    """Lines of at most `width` columns; the last says how many rows there were."""
    rows: Iterator[TextRow] = iter(result.rows)
    number = 0
    widths: list[int] | None = None
    while page := list(islice(rows, _PAGE)):
        if number == 0:
            widths = _fit(_natural_widths(result.columns, page), len(page), width)
            if widths is not None:
                yield from _heading(result.columns, widths)
        for row in page:
            number += 1
            if widths is None:
                yield from _block(number, result.columns, row, width)
            else:
                yield _aligned(result.columns, row, widths)
    if number == 0:
        names = _GAP.join(one_line(column.name) for column in result.columns)
        yield Text(set_cell_size(names, min(width, cell_len(names))), "bold")
    yield Text(f"({number:,} row{'' if number == 1 else 's'})", "bright_black")


def _natural_widths(columns: Sequence[Column], rows: Iterable[TextRow]) -> list[int]:
    widths = [cell_len(one_line(column.name)) for column in columns]
    for row in rows:
        for position, value in enumerate(row):
            if value is not None:
                widths[position] = max(widths[position], cell_len(one_line(value)))
    return widths


def _fit(widths: Sequence[int], rows: int, width: int) -> list[int] | None:
    """The widths, the widest cut down as far as need be; None where blocks show more."""
    room = width - len(_GAP) * (len(widths) - 1)
    if sum(widths) <= room:
        return list(widths)
    if rows == 1 or sum(min(natural, _NARROWEST) for natural in widths) > room:
        return None
    return shared_widths(widths, room)


def shared_widths(widths: Sequence[int], room: int) -> list[int]:
    """The widths, cut to the largest bound for all of them under which they fit in the room.

    What the narrow ones leave over is shared by the others.
    """
    fitted = list(widths)
    left, open_columns = max(room, 0), sorted(range(len(widths)), key=widths.__getitem__)
    while open_columns:
        share = left // len(open_columns)
        position = open_columns.pop(0)
        fitted[position] = min(widths[position], share)
        left -= fitted[position]
    return fitted


def _heading(columns: Sequence[Column], widths: Sequence[int]) -> Iterator[Text]:
    names = [Text(one_line(column.name), "bold") for column in columns]
    yield _joined(columns, names, widths)
    yield Text(_GAP.join("─" * width for width in widths), "bright_black")


def _aligned(columns: Sequence[Column], row: TextRow, widths: Sequence[int]) -> Text:
    cells = [_NULL.copy() if value is None else Text(one_line(value)) for value in row]
    return _joined(columns, cells, widths)


def _joined(columns: Sequence[Column], cells: Sequence[Text], widths: Sequence[int]) -> Text:
    for column, cell, width in zip(columns, cells, widths, strict=True):
        cell.truncate(width, overflow="ellipsis")
        cell.align("right" if column.type_oid in _NUMBERS else "left", width)
    line = Text(_GAP).join(cells)
    line.rstrip()
    return line


def _block(number: int, columns: Sequence[Column], row: TextRow, width: int) -> Iterator[Text]:
    names = [one_line(column.name) for column in columns]
    margin = min(max(map(cell_len, names)), width // 3)
    yield Text(f"── {number} ──", "bright_black")
    for name, value in zip(names, row, strict=True):
        label = Text(set_cell_size(name, margin), "bold")
        if value is None:
            yield Text.assemble(label, _GAP, _NULL)
            continue
        room = max(1, width - margin - len(_GAP))
        for piece in _pieces(value, room):
            yield Text.assemble(label, _GAP, piece)
            label = Text(" " * margin)


def _pieces(value: str, room: int) -> Iterator[str]:
    for line in lines(value):
        yield from chop_cells(line, room) or [""]


def _copy_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    if escaped.isprintable():
        return escaped
    # What is left is spelled as the bytes it is made of: `copy` reads them back.
    return "".join(
        char
        if char.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in escaped
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
