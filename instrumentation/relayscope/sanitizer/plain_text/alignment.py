"""Values in columns that blanks alone keep apart, as `kubectl`, pandas and grids have them."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from relayscope.sanitizer.values import harmless
from relayscope.sanitizer.values.page import Mention, Page, Pair

from .table import HEAD

_KIND: Final = "aligned"
_NAME: Final = r"[\w.#-]++(?: [\w.#-]++)?+"
_HEAD = re.compile(rf"[ \t]*+{_NAME}(?:[ \t]{{2,}}+{_NAME})++[ \t]*+\r?\n")
_COLUMNS = re.compile(r"[ \t]*+\w(?:\S|[ ](?! ))*+[ \t]{2,}+[^\s|]")
_BESIDE = re.compile(r"[ \t]{2,}+(\S++(?:[ ]\S++)*+)[ \t]*+(?:\r?\n|\Z)")
_KEY_HEAD = re.compile(
    r"[ \t]*+(?i:key|name|field|property|variable)[ \t]{2,}+[vV]alue[ \t]*+\r?\n"
)
_NO_SECRET = re.compile(r"[0-9]{1,5}[smhd]?|\[.*\]|map\[.*\]|n/a|-+")
_HEADED: Final = 64
_CELL = re.compile(r"\S++(?: \S++)*+")
_FEWEST: Final = 2
_WIDEST: Final = 64
"""Cells of a row that are looked at."""


def aligned(page: Page, mention: Mention) -> Iterator[Pair]:
    """The values below the names of a line that has columns with blanks between them."""
    text, start = page.text, mention.start
    if pair := _keyed(page, mention):
        yield pair
        return
    if start < page.told[_KIND]:
        return
    # Each line is looked at once, also if it is no head.
    line = text.rfind("\n", max(0, start - HEAD), start) + 1
    end = text.find("\n", start, start + HEAD) + 1
    page.told[_KIND] = end or start + HEAD
    head = _HEAD.fullmatch(text, line, end) if end and end - line <= HEAD else None
    if head is None or _is_row(text, line):
        return
    names = [found.span() for found in _CELL.finditer(text, line, end)]
    columns = [(a - line, b - line, rule) for a, b in names if (rule := page.rule(a, b))]
    for at, cells in _rows(text, end):
        page.told[_KIND] = at
        for begin, behind in cells:
            for first, last, rule in columns:
                is_below = begin - at < last and behind - at > first
                if is_below and harmless.is_odd(text[begin:behind]):
                    yield Pair(rule, begin, behind)
                    break


def _keyed(page: Page, mention: Mention) -> Pair | None:
    """The value beside a name below `Key   Value`, as Vault prints it."""
    text, start = page.text, mention.start
    found = _BESIDE.match(text, mention.end)
    if found is None or page.indent(start) is None:
        return None
    head = text.rfind("alue", max(0, start - HEAD), start)
    line = text.rfind("\n", max(0, head - _HEADED), head) + 1 if head >= 0 else 0
    if head < 0 or not _KEY_HEAD.match(text, line) or "\n\n" in text[head:start]:
        return None
    value = found[1]
    is_said = harmless.is_prose(value) or _NO_SECRET.fullmatch(value)
    return None if is_said else Pair(mention.rule, *found.span(1))


def _is_row(text: str, line: int) -> bool:
    """Return whether the line before has columns, too, so that this one is no head."""
    before = text.rfind("\n", max(0, line - HEAD), max(0, line - 1)) + 1
    return before < line and _COLUMNS.match(text, before, line) is not None


def _rows(text: str, at: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield the start of each row, and its cells."""
    while at < len(text):
        end = text.find("\n", at, at + HEAD)
        end = end if end >= 0 else min(len(text), at + HEAD)
        cells = [found.span() for found in islice(_CELL.finditer(text, at, end), _WIDEST)]
        if len(cells) < _FEWEST:
            return
        yield at, cells
        at = end + 1
