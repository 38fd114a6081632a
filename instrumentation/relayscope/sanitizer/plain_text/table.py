"""Values in columns that have a sensitive name: CSV, and tables drawn in text."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.values import harmless
from relayscope.sanitizer.values.page import Mention, Page, Pair

HEAD: Final = 1024
"""Characters of the longest head of a table."""

Column = tuple[int, KeyRule]

_CSV: Final = "csv"
_BARS: Final = "bars"

_CSV_NAME: Final = r"[ ]?[\"']?[\w .#-]{0,40}+[\"']?"
_CSV_HEAD = re.compile(
    rf"[\"']?[A-Za-z_\u0080-\U0010ffff][\w .#-]{{0,40}}+[\"']?([,;\t])"
    rf"(?:{_CSV_NAME}\1)*+{_CSV_NAME}[ \t]*+\r?\n"
)
_WORDS: Final = 3
"""Words of the longest name of a column. What has more is a sentence with commas."""

_RULER = re.compile(r"[ \t]*+[|+]?[ \t]*+:?-{2,}[-+|: \t=]*+\r?\n")
_CELL = re.compile(r"[ \t]*+([^|\r\n]*?)[ \t]*+(?=[|\r\n]|\Z)")


def columns(page: Page, mention: Mention) -> Iterator[Pair]:
    """The values below a name in the first line of CSV."""
    text = page.text
    start = _line_start(page, mention, _CSV)
    if start is None:
        return
    # Each line is looked at once, also if it is none.
    end = text.find("\n", mention.end, start + HEAD)
    page.told[_CSV] = end if end >= 0 else start + HEAD
    found = _CSV_HEAD.match(text, start) if end >= 0 else None
    if found is None or _is_row(text, found):
        return
    mark = found[1]
    names = [name.strip(" \"'\r\n") for name in found[0].split(mark)]
    # `class FunctionPass;` is a declaration.
    if max(len(name.split()) for name in names) <= min(_WORDS, sum(map(bool, names))):
        rows = delimited(text, found.end(), mark, len(names), sensitive(page, names))
        for at, pairs in rows:
            page.told[_CSV] = at
            yield from pairs


def _is_row(text: str, head: re.Match[str]) -> bool:
    """Return whether the line before has as many words, so that this one is no head."""
    start = head.start()
    before = text.rfind("\n", max(0, start - HEAD), max(0, start - 1)) + 1
    found = _CSV_HEAD.fullmatch(text, before, start) if before < start else None
    return found is not None and found[0].count(head[1]) == head[0].count(head[1])


def drawn(page: Page, mention: Mention) -> Iterator[Pair]:
    """The values below a name in the head of a table with bars between its columns, or beside."""
    text = page.text
    start = _line_start(page, mention, _BARS)
    if start is None:
        return
    page.told[_BARS] = mention.end
    end = text.find("\n", mention.end, mention.end + HEAD) + 1
    if "|" not in text[start : end or mention.behind + 1]:
        return
    if end and text.startswith("||", start):
        # Jira's heads have two bars where other lines have one.
        names = [name.strip("\r\n *_") for name in text[start:end].replace("||", "|").split("|")]
        yield from _below(page, sensitive(page, names), end)
        return
    if not end or not _RULER.match(text, end):
        yield from _beside(page, mention, start)
        return
    names = [name.strip("\r\n *_`") for name in text[start:end].split("|")]
    yield from _below(page, sensitive(page, names), end)


def delimited(
    text: str, at: int, mark: str, count: int, rules: Sequence[Column]
) -> Iterator[tuple[int, list[Pair]]]:
    """Rows of so many cells: where each ends, and the values in it."""
    while rules and at < len(text):
        pairs: list[Pair] = []
        end = at
        for index, rule in rules:
            row = _row(mark, index, count).match(text, at)
            if row is None:
                return
            end = row.end()
            pairs += _cell(rule, text, *row.span(row.lastindex or 0)) if row.lastindex else ()
        at = end
        yield at, pairs


def sensitive(page: Page, names: Sequence[str]) -> list[Column]:
    """Return the columns that have a sensitive name."""
    rules = ((index, page.names.rule(name.strip())) for index, name in enumerate(names) if name)
    return [(index, rule) for index, rule in rules if rule]


def _below(page: Page, rules: Sequence[Column], at: int) -> Iterator[Pair]:
    text = page.text
    while rules and at < len(text):
        end = text.find("\n", at, at + 4 * HEAD)
        end = end if end >= 0 else min(len(text), at + 4 * HEAD)
        line = text[at:end]
        is_ruler = _RULER.match(text, at)
        if "|" not in line and not is_ruler:
            break
        at = page.told[_BARS] = end + 1
        if is_ruler:
            continue
        places = [-1, *(index for index, mark in enumerate(line) if mark == "|"), len(line)]
        for index, rule in rules:
            if index + 1 < len(places):
                first = end - len(line)
                yield from _cell(rule, text, first + places[index] + 1, first + places[index + 1])


def _beside(page: Page, mention: Mention, start: int) -> Iterator[Pair]:
    """The cell beside the first one of a line, if it is the only one, or odd."""
    text = page.text
    cell = _CELL.match(text, mention.behind + 1)
    if text[start : mention.start].strip("| \t*_`\"'") or cell is None:
        return
    value = cell[1].strip("`")
    if not value or " " in value:
        return
    end = text.find("\n", cell.end(), cell.end() + HEAD)
    others = text[cell.end() + 1 : end if end >= 0 else cell.end() + HEAD].strip("| \t\r")
    if harmless.is_odd(value) or not (others or value.istitle()):
        yield from _cell(mention.rule, text, *cell.span(1))


_COUNTED: Final = frozenset({"token", "secret", "api-key", "private-key", "credential", "cookie"})
_COUNT = re.compile(r"[0-9]{1,3}(?:[,.]?[0-9]{3})?")
"""No secret of these rules is such a number: it says how many there are."""


def _cell(rule: KeyRule, text: str, start: int, end: int) -> list[Pair]:
    value = text[start:end]
    start += len(value) - len(value.lstrip(" \t`"))
    value = value.strip(" \t`")
    if not value or harmless.is_prose(value) or harmless.is_label(value):
        return []
    if rule.name in _COUNTED and _COUNT.fullmatch(value):
        return []
    return [Pair(rule, start, start + len(value))]


def _line_start(page: Page, mention: Mention, kind: str) -> int | None:
    """Return the start of a name's line; None if it was looked at before, or is too long."""
    start = mention.start
    if start < page.told[kind]:
        return None
    line = page.text.rfind("\n", max(0, start - HEAD), start) + 1
    return None if line == 0 and start > HEAD else line


@lru_cache(maxsize=256)
def _row(mark: str, index: int, count: int) -> re.Pattern[str]:
    """A row of so many cells, with what is in the cell of that index as a group."""
    cell = rf'[ ]?(?:"(?:[^"]|"")*+"|[^{mark}\r\n"][^{mark}\r\n]*+)?+'
    found = rf'[ ]?(?:"((?:[^"]|"")*+)"|([^{mark}\r\n"][^{mark}\r\n]*+))?+'
    cells = [cell] * count
    cells[index] = found
    return re.compile(mark.join(cells) + r"[ \t]*+(?:\r?\n|\Z)")
