"""Values in tables of HTML, in columns whose head has a sensitive name."""

import re
from collections.abc import Iterator
from typing import Final

from relayscope.sanitizer.values import harmless
from relayscope.sanitizer.values.page import Mention, Page, Pair

from .table import HEAD, sensitive

_KIND: Final = "html"
_ROW: Final = 4 * HEAD
"""Characters of the longest row."""

_CELL = re.compile(
    r"<t([hd])(?:[ \t\r\n][^<>]{0,128})?+>\s*+"
    r"(?:<(?!/)[a-z0-9]{1,8}(?:[ ][^<>]{0,64})?+>\s*+){0,3}+"
    r"([^<]*+)"
)


def headed(page: Page, mention: Mention) -> Iterator[Pair]:
    """The cells below a head with a sensitive name."""
    text, start = page.text, mention.start
    if start < page.told[_KIND]:
        return
    row = text.rfind("<tr", max(0, start - HEAD), start)
    end = text.find("</tr>", mention.end, mention.end + HEAD)
    if row < 0 or end < 0:
        return
    page.told[_KIND] = end
    heads = list(_CELL.finditer(text, row, end))
    rules = sensitive(page, [head[2] for head in heads])
    is_certain = all(head[1] == "h" for head in heads)
    while rules and (row := text.find("<tr", end, end + HEAD)) >= 0:
        end = text.find("</tr>", row, row + _ROW)
        cells = list(_CELL.finditer(text, row, end)) if end >= 0 else []
        if len(cells) != len(heads):
            return
        page.told[_KIND] = end
        for index, rule in rules:
            value = cells[index][2].strip()
            is_said = harmless.is_prose(value) or harmless.is_label(value)
            if value and (harmless.is_odd(value) or (is_certain and not is_said)):
                first = cells[index].start(2)
                yield Pair(rule, first, first + len(cells[index][2].rstrip()))
