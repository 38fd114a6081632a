"""Members of a JSON object that say what others hold: a name beside a value, columns above rows."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from relayscope.sanitizer.json_strings import JsonString
from relayscope.sanitizer.json_values import JsonValues, Member

NAMING: Final = frozenset({"name", "key", "header", "label", "field", "variable"})
"""Members that hold the name of what a member of `VALUES` beside them holds; in lower case."""

VALUES: Final = frozenset({"value", "text", "val"})
"""Members that hold what a member of `NAMING` beside them names; in lower case."""

_COLUMNS: Final = frozenset({"columns", "fields", "headers", "header", "column_names", "cols"})
_ROWS: Final = frozenset({"rows", "data", "values", "records"})

_OWN_NAME = re.compile(r'"([A-Za-z_]{1,32})"[ \t\r\n]*+:[ \t\r\n]*+["\[]\Z')
_BESIDE: Final = 16
"""Members of one object that are looked at for a sibling."""

_BEFORE: Final = 4096
"""Characters before a string in which its sibling, or the start of its list, is looked for."""

_HEADINGS = re.compile(
    r'[ \t\r\n]*+(?:"(?:[^"\\]++|\\.)*+"[ \t\r\n]*+,[ \t\r\n]*+)*+"\Z', re.DOTALL
)
_HEADING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_COMMA = re.compile(r"[ \t\r\n]*+,")
_VALUE_NAME = re.compile(
    r'"(?:' + "|".join(sorted(VALUES)) + r')"[ \t\r\n]*+:[ \t\r\n]*+', re.IGNORECASE
)


class JsonTables:
    """The objects of one text, as far as their members name each other."""

    def __init__(self, text: str, values: JsonValues) -> None:
        self._text = text
        self._values = values

    def sibling(self, string: JsonString) -> int | None:
        """Where the value starts that a string names: `{"name": "API_KEY", "value": "x"}`."""
        if self._own_name(string.start) not in NAMING:
            return None
        return self._value_behind(string) or self._value_before(string)

    def cells(self, string: JsonString) -> Iterator[int]:
        """Where a column's values start: `{"columns": ["id", "token"], "rows": [[1, "x"]]}`."""
        text = self._text
        opening = text.rfind("[", max(0, string.start - _BEFORE), string.start)
        if opening < 0 or not _HEADINGS.match(text, opening + 1, string.start):
            return
        if self._own_name(opening + 1) not in _COLUMNS:
            return
        column = sum(1 for _ in _HEADING.finditer(text, opening + 1, string.start - 1))
        for member in self._members_behind(self._values.at(opening).end):
            if member.name.lower() in _ROWS and text.startswith("[", member.place.start):
                for row in self._values.items(member.place.start + 1):
                    if isinstance(row.value, list):
                        cells = islice(self._values.items(row.start + 1), column, column + 1)
                        yield from (cell.start for cell in cells)

    def _value_behind(self, string: JsonString) -> int | None:
        for member in self._members_behind(string.end + 1):
            if member.name.lower() in VALUES:
                return member.place.start
        return None

    def _value_before(self, string: JsonString) -> int | None:
        start = max(0, string.start - _BEFORE)
        for found in reversed(list(_VALUE_NAME.finditer(self._text, start, string.start))):
            for member in islice(self._values.members(found.start()), _BESIDE):
                if member.place.start == string.start - 1:
                    return found.end()
                if member.place.start > string.start:
                    break
        return None

    def _members_behind(self, end: int) -> Iterator[Member]:
        """The members of an object behind one that ends at a place."""
        comma = _COMMA.match(self._text, end)
        return islice(self._values.members(comma.end()), _BESIDE) if comma else iter(())

    def _own_name(self, start: int) -> str:
        """The name of the member whose value opens right before a place, in lower case."""
        found = _OWN_NAME.search(self._text[max(0, start - 96) : start])
        return found[1].lower() if found else ""
