"""Values that a statement of SQL puts into columns with a sensitive name."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.values.page import Mention, Page, Pair

from .table import HEAD, Column, delimited, sensitive

_SQL: Final = "sql"
_OPENING: Final = "opening bracket"

_STATEMENT = re.compile(r"(?i:into|copy)[ \t\n]+[^()\s]{1,120}[ \t\n]*+\Z")
_VALUES = re.compile(r"\)\s*+(?i:values?)\s*+")
_SELECT = re.compile(r"\)\s*+(?i:select)\s++")
_STDIN = re.compile(r"\)\s*+(?i:from\s++stdin)[^;\n]{0,64};?[ \t]*+\r?\n")
_NAME = re.compile(r"[\s`\"\[]*+([\w .-]{1,64}?)[\s`\"\]]*+(?:,|\Z)")

_TEXT: Final = r"[bBnNeExX]?'(?:[^'\\]|''|\\.)*+'"
_ITEM: Final = rf"\s*+(?:{_TEXT}|[^,()']++(?:\([^()]{{0,64}}\))?+)\s*+"
_ROW = re.compile(rf"\({_ITEM}(?:,{_ITEM})*+\)\s*+,?\s*+")


def inserted(page: Page, mention: Mention) -> Iterator[Pair]:
    """The values of a column: `INSERT INTO t (password) VALUES ('X')`, `COPY ... FROM stdin`."""
    text, start = page.text, mention.start
    if not (page.has_word("into") or page.has_word("copy")):
        return
    opening = text.rfind("(", max(0, start - HEAD), start)
    if opening < 0 or opening == page.told[_OPENING] or start < page.told[_SQL]:
        return
    page.told[_OPENING] = opening
    if not _STATEMENT.search(text[max(0, opening - 160) : opening]):
        return
    closing = text.find(")", mention.end, mention.end + HEAD)
    names = _NAME.findall(text[opening + 1 : closing]) if closing >= 0 else []
    rules = sensitive(page, names)
    if values := _VALUES.match(text, closing):
        yield from _rows(page, rules, values.end())
    elif chosen := _SELECT.match(text, closing):
        for index, rule in rules:
            yield from _literal(rule, _chosen(index).match(text, chosen.end()))
    elif head := _STDIN.match(text, closing):
        for at, pairs in delimited(text, head.end(), "\t", len(names), rules):
            page.told[_SQL] = at
            yield from pairs


def _rows(page: Page, rules: Sequence[Column], at: int) -> Iterator[Pair]:
    text = page.text
    while rules and (row := _ROW.match(text, at)):
        for index, rule in rules:
            cell = _cell(index).match(text, at)
            if cell and text.startswith("'", cell.end() - 1):
                yield from _literal(rule, cell)
            elif cell and cell[1].strip().isdigit():
                yield Pair(rule, *cell.span(1))
        at = page.told[_SQL] = row.end()


def _literal(rule: KeyRule, cell: re.Match[str] | None) -> Iterator[Pair]:
    if cell and cell[1].endswith("'"):
        yield Pair(rule, cell.start(1) + cell[1].index("'") + 1, cell.end() - 1)


@lru_cache(maxsize=256)
def _chosen(index: int) -> re.Pattern[str]:
    return re.compile(rf"(?:{_ITEM},){{{index}}}\s*+({_TEXT})")


@lru_cache(maxsize=256)
def _cell(index: int) -> re.Pattern[str]:
    return re.compile(rf"\((?:{_ITEM},){{{index}}}\s*+({_TEXT}|[^,()']++)")
