"""Tables in JSON text: names of columns beside, above or below rows of values."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names.names import Names

from .siblings import looks_secret, own_name
from .strings import JsonString
from .values import JsonValues, Place

_COLUMNS: Final = frozenset(
    {"columns", "fields", "headers", "header", "column_names", "columnnames", "cols", "schema"}
)
_ROWS: Final = frozenset({"rows", "data", "values", "records", "data_array", "results"})
_HEADERS: Final = frozenset({"headers", "header"})

_ROWS_NAME = re.compile(rf'"(?:{"|".join(sorted(_ROWS))})"[ \t\r\n]*+:[ \t\r\n]*+\[', re.IGNORECASE)
_NAMED: Final = ("name", "label", "field", "key", "id", "title")
"""Members that hold the name of a column that is an object."""

_IN_LIST_OF_LISTS = re.compile(r"\[[ \t\r\n]*+\Z")
_BEFORE: Final = 4096
"""Characters before a string in which the list that it is in begins."""

_OPENINGS: Final = 4
"""Lists that open there, of which one can be that of the columns."""

_NEAREST: Final = 4
"""Lists of rows before the columns that are looked at."""

_PAIR: Final = 2


class Cell(NamedTuple):
    """A value in a column with a sensitive name.

    Attributes:
        rule: the name's rule.
        start: first character of the value.
    """

    rule: KeyRule
    start: int


class JsonTables:
    """The tables of one text. Each is read once, at its first sensitive name."""

    def __init__(self, text: str, values: JsonValues, names: Names) -> None:
        self._text = text
        self._values = values
        self._names = names
        self._read: set[int] = set()
        self._rows_before: list[int] | None = None

    def cells(self, string: JsonString) -> Iterator[Cell]:
        """The cells of all sensitive columns of the table that has this column name."""
        first = max(0, string.start - _BEFORE)
        opening = string.start - 1
        for _ in range(_OPENINGS):
            opening = self._text.rfind("[", first, opening)
            if opening < 0 or opening in self._read:
                return
            name = own_name(self._text, opening + 1).lower()
            if name in _COLUMNS:
                self._read.add(opening)
                yield from self._beside(opening, name)
                return
            if not name and _IN_LIST_OF_LISTS.search(self._text[max(0, opening - 16) : opening]):
                self._read.add(opening)
                yield from self._below(opening)
                return

    def _beside(self, opening: int, name: str) -> Iterator[Cell]:
        """`{"columns": ["id", "token"], "rows": [[1, "x"]]}`, in either order."""
        columns = self._values.at(opening)
        rows = self._rows_behind(columns.end) or self._rows_ahead(opening)
        if rows:
            yield from self._in(self._sensitive(columns.value), self._values.items(rows + 1))
        elif name in _HEADERS:
            yield from self._in_turn(opening)

    def _below(self, opening: int) -> Iterator[Cell]:
        """`[["id", "token"], [1, "x"]]`."""
        head = self._values.at(opening)
        columns = head.value
        if not columns or not all(isinstance(each, str) for each in columns):
            return
        sensitive = self._sensitive(columns)
        if len(columns) <= _PAIR:
            # It may be a list of pairs as well.
            sensitive.pop(0, None)
        rows = self._values.items_behind(head.end)
        for cell, place in self._placed(sensitive, rows, len(columns)):
            if len(columns) > _PAIR or looks_secret(place):
                yield cell

    def _in_turn(self, opening: int) -> Iterator[Cell]:
        """`{"headers": ["host", "x", "cookie", "y"]}`."""
        rule: KeyRule | None = None
        for item in self._values.items(opening + 1):
            if rule and looks_secret(item):
                yield Cell(rule, item.start)
            rule = self._names.rule(item.value) if isinstance(item.value, str) else None

    def _in(self, sensitive: Mapping[int, KeyRule], rows: Iterator[Place]) -> Iterator[Cell]:
        for cell, _ in self._placed(sensitive, rows, None):
            yield cell

    def _placed(
        self, sensitive: Mapping[int, KeyRule], rows: Iterator[Place], width: int | None
    ) -> Iterator[tuple[Cell, Place]]:
        if not sensitive:
            return
        for row in rows:
            if not self._text.startswith("[", row.start):
                continue
            if width is not None and row.is_whole and len(row.value) != width:
                continue
            for index, cell in enumerate(self._values.items(row.start + 1)):
                if index in sensitive:
                    yield Cell(sensitive[index], cell.start), cell

    def _sensitive(self, columns: Any) -> dict[int, KeyRule]:
        """The rules of columns by their places."""
        found: dict[int, KeyRule] = {}
        for index, column in enumerate(columns if isinstance(columns, list) else ()):
            rule = self._names.rule(_name(column))
            if rule:
                found[index] = rule
        return found

    def _rows_behind(self, end: int) -> int | None:
        for member in self._values.members_behind(end):
            if self._are_rows(member.name, member.place.start):
                return member.place.start
        return None

    def _rows_ahead(self, columns: int) -> int | None:
        """Return the start of rows that precede the list of their columns."""
        if self._rows_before is None:
            self._rows_before = [found.start() for found in _ROWS_NAME.finditer(self._text)]
        last = bisect_left(self._rows_before, columns)
        for start in reversed(self._rows_before[max(0, last - _NEAREST) : last]):
            rows = None
            for member in self._values.members(start):
                if rows is None:
                    rows = member.place.start
                if member.place.start == columns:
                    return rows
                if member.place.start > columns:
                    break
        return None

    def _are_rows(self, name: str, start: int) -> bool:
        return name.lower() in _ROWS and self._text.startswith("[", start)


def _name(column: Any) -> str:
    """The name of a column, which may be an object that has it."""
    if isinstance(column, dict):
        column = next((column[each] for each in _NAMED if each in column), "")
    return column if isinstance(column, str) else ""
