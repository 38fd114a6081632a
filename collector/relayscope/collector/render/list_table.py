"""A list in a terminal: one line per row, each of which leads to a trace.

::

    ── 2026-11-28, times in UTC ──
     #  time          trace     component  call              duration  outcome
     2  09:07:28.123  4bf92f35  client     → tools/call add   12.4 ms  ok  text 3
     1  09:07:29.004  9ab01c77  client     → tools/call div   11.0 ms  tool_error  text no zero

The number and the short id are what `relayscope trace` takes. A row says what it can in the width
that there is: columns that others can do without are left out first, then texts are cut. Where
nothing would be left of these, a row's number stands for its trace. What went wrong goes on below
its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.text import Text

from relayscope.collector.render.page_link import linked, trace_address
from relayscope.collector.render.tabular import shared_widths
from relayscope.collector.text.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Fields = Mapping[str, str | None]

_GAP: Final = "  "
_QUIET: Final = "bright_black"
_WRONG: Final = "red"

_ENOUGH: Final = 40
"""Columns of a text that are worth more than another column."""

_LEAST: Final = 6
"""Columns of a text below which it says nothing; `client` and `relay` fit."""

_BELOW: Final = 2
_INDENT: Final = 15
"""Lines below a row for what went wrong, and the columns before them."""

_DATE: Final = slice(0, 10)
_TIME_OF_DAY: Final = slice(11, 23)
"""Part of `2026-11-23 09:07:28.123456+00` that a row shows, below its date."""


class Column(NamedTuple):
    """A column of a list: its heading, and what it says of a row.

    `fixed` columns are never cut; `optional` ones are left out where the others need the room, and
    `spare` ones where nothing would be left of the others.
    """

    heading: str
    cell: Callable[[Fields], str | None]
    fixed: bool = False
    optional: bool = False
    right: bool = False
    spare: bool = False


class ListTable(NamedTuple):
    """The columns of one list, and its rows as lines."""

    time: str
    """The field that holds the time."""
    columns: tuple[Column, ...]
    """Those after the time, the number and the trace; the last one takes what room is left."""
    is_wrong: Callable[[Fields], bool]
    """True for a row about something that went wrong."""

    def lines(
        self, rows: Sequence[Fields], width: int, *, numbered: bool, page: str = ""
    ) -> Iterator[Text]:
        """The rows in that width, under their dates; the last row has the number 1.

        Each leads to what it is about on the page at the address `page`, if there is one.
        """
        if not rows:
            return
        leading = [Column("time", lambda row: (row[self.time] or "")[_TIME_OF_DAY], fixed=True)]
        leading += [Column("trace", lambda row: row["trace"], fixed=True, spare=numbered)]
        columns = (*leading, *self.columns)
        cells = [[one_line(column.cell(row) or "") for column in columns] for row in rows]
        if numbered:
            columns = (Column("#", lambda _: None, fixed=True, right=True), *columns)
            cells = [[str(len(rows) - at), *row] for at, row in enumerate(cells)]
        kept = _kept(columns, cells, width)
        columns = tuple(columns[at] for at in kept)
        cells = [[row[at] for at in kept] for row in cells]
        widths = _widths(columns, cells, width)
        headings = [column.heading for column in columns]
        date = None
        for row, texts in zip(rows, cells, strict=True):
            if (day := (row[self.time] or "")[_DATE]) != date:
                if date is None:
                    yield _line(columns, headings, widths, "bold")
                date = day
                heading = Text(f"── {day}, times in UTC ──", _QUIET)
                heading.truncate(width)
                yield heading
            at = row.get("message_id") or row.get("span_id")
            address = trace_address(page, row.get("trace_id"), at)
            if not self.is_wrong(row):
                yield _line(columns, texts, widths, linked("", address))
                continue
            style = linked(_WRONG, address)
            beside, below = _parted(texts[-1], widths[-1], width - _INDENT)
            yield _line(columns, [*texts[:-1], beside], widths, style)
            for text in below:
                yield Text.assemble(" " * _INDENT, (text, style))


def _natural(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(cell_len(column.heading), *(cell_len(row[at]) for row in cells))
        for at, column in enumerate(columns)
    ]


def _kept(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Choose the columns that there is room for."""
    natural = _natural(columns, cells)
    needed = [min(one, _ENOUGH) for one in natural]
    kept = list(range(len(columns)))
    for at in reversed(range(len(columns))):
        if sum(needed[one] for one in kept) + len(_GAP) * (len(kept) - 1) <= width:
            break
        if columns[at].optional:
            kept.remove(at)
    for at in [one for one in kept if columns[one].spare]:
        least = [natural[one] if columns[one].fixed else _LEAST for one in kept]
        if sum(least) + len(_GAP) * (len(kept) - 1) <= width:
            break
        kept.remove(at)
    return kept


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = _natural(columns, cells)
    room = width - len(_GAP) * (len(columns) - 1)
    room -= sum(one for column, one in zip(columns, widths, strict=True) if column.fixed)
    cut = [at for at, column in enumerate(columns) if not column.fixed]
    for at, shared in zip(cut, shared_widths([widths[at] for at in cut], room), strict=True):
        widths[at] = shared
    return widths


def _parted(text: str, beside: int, below: int) -> tuple[str, list[str]]:
    """Part a text into what stands in its row, and lines below that."""
    pieces: list[str] = []
    rest, room = text, beside
    while cell_len(rest) > room and len(pieces) < _BELOW and below > 0:
        piece = chop_cells(rest, room)[0] if room > 0 else ""
        blank = piece.rfind(" ")
        if rest[len(piece)] != " " and (blank > len(piece) // 3 or not pieces):
            piece = piece[: max(blank, 0)]
        pieces.append(piece.rstrip())
        rest, room = rest[len(piece) :].lstrip(), below
    last = Text(rest)
    last.truncate(room, overflow="ellipsis")
    first, *others = [*pieces, last.plain]
    return first, others


def _line(
    columns: Sequence[Column], texts: Sequence[str], widths: Sequence[int], style: str
) -> Text:
    cells = []
    for column, said, width in zip(columns, texts, widths, strict=True):
        cell = Text(said, style)
        cell.truncate(width, overflow="ellipsis")
        cell.align("right" if column.right else "left", width)
        cells.append(cell)
    line = Text(_GAP).join(cells)
    line.rstrip()
    return line
