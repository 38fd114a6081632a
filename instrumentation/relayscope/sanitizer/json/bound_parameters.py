"""Values that a statement of SQL takes from beside it: `"UPDATE t SET password=%s", ["X"]`."""

import re
from collections.abc import Iterator
from typing import Final

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.values.page import Mention, Page, Pair

_KIND: Final = "bound"
_MARK: Final = r"(?:%s|\?|(?:\$|:|@p)([0-9]{1,3})\b)"
_MARKS = re.compile(_MARK)
_SET = re.compile(rf"([\w.]{{1,64}})[`\"\]]?\s*+=\s*+(?:\w{{1,24}}\()?({_MARK})")
_INSERT = re.compile(
    r"(?i:into)\s[^()]{1,128}\(([^()]{1,1024})\)\s*+(?i:values)\s*+\(([^()]{1,1024})\)"
)
_BEGINNING = re.compile(r"\s*+(?i:insert|update|select|delete|with|merge|replace|alter|create)\s")
_LONGEST: Final = 2048
"""Characters of a statement that is read."""

_BEFORE: Final = 512
_PLACED = re.compile(rf"\s*+=\s*+(?:\w{{1,24}}\()?{_MARK}|[`\"\]]?\s*+[,)]")
_ASSIGNED = re.compile(rf"=\s*+{_MARK}(?=[\s,;)\"'`]|\Z)")
_QUOTE = re.compile(r"\"{3}|'{3}|[\"'`]")
# Behind the statement, the list, the tuple or the first of the parameters; in a log, below it.
_BEHIND = re.compile(r"\s*+,\s*+(?:[\[(]\s*+)?")
_BEGUN = re.compile(r"(?:\A|\W)((?:INSERT|UPDATE)\s)")
_LOGGED = re.compile(r"[^\n]{0,256}+\n[^\n'\"]{0,160}?[\[(](?=['\"])")
_ITEM = re.compile(
    r"\s*+(?:[bBuUNrR]?(?:\"((?:[^\"\\\n]|\\.)*+)\"|'((?:[^'\\\n]|\\.)*+)')"
    r"|[^,()\[\]\"'\n]++(?:\([^()\n]{0,128}\))?)\s*+(,)?"
)


def is_placed(text: str, at: int) -> bool:
    """Return whether a column is assigned a parameter, and no value."""
    return _ASSIGNED.match(text, at) is not None


def is_statement(text: str) -> bool:
    """Return whether a text begins as a statement of SQL."""
    return len(text) <= _LONGEST and _BEGINNING.match(text) is not None


def parameters(names: Names, statement: str) -> list[tuple[int, KeyRule]]:
    """The places, from 0, of the parameters that are values of sensitive columns."""
    order = {found.start(): index for index, found in enumerate(_MARKS.finditer(statement))}
    found: dict[int, KeyRule] = {}
    for each in _SET.finditer(statement):
        if rule := names.rule(each[1]):
            found[_index(each[3], order.get(each.start(2), -1))] = rule
    if insert := _INSERT.search(statement):
        columns, at = insert[1].split(","), insert.start(2)
        for column, value in zip(columns, insert[2].split(","), strict=False):
            mark = _MARKS.search(value)
            if mark and (rule := names.rule(column.strip(' \t\n`"[]'))):
                found[_index(mark[1], order.get(at + mark.start(), -1))] = rule
            at += len(value) + 1
    return sorted((each for each in found.items() if each[0] >= 0), key=lambda each: each[0])


def bound(page: Page, mention: Mention) -> Iterator[Pair]:
    """The parameters behind a statement that has a sensitive column."""
    text, start = page.text, mention.start
    if start < page.told[_KIND] or not _PLACED.match(text, mention.end):
        return
    first, last, at = _statement(text, start)
    statement = text[first:last]
    if at < 0 or not is_statement(statement):
        return
    page.told[_KIND] = last
    items: list[tuple[int, int]] = []
    wanted = parameters(page.names, statement)
    most = wanted[-1][0] if wanted else -1
    while len(items) <= most and (item := _ITEM.match(text, at)):
        items.append(item.span(1) if item[1] else item.span(2) if item[2] else (0, 0))
        at = item.end()
        if item[3] is None:
            break
    for index, rule in wanted:
        if index < len(items) and items[index][1]:
            yield Pair(rule, *items[index])


def _statement(text: str, start: int) -> tuple[int, int, int]:
    """Return the span of the statement around a name, and where its parameters begin, or -1."""
    marks = list(_QUOTE.finditer(text, max(0, start - _BEFORE), start))
    line = text.rfind("\n", max(0, start - _BEFORE), start) + 1
    for mark in reversed(marks):
        if _BEGINNING.match(text, mark.end()):
            end = text.find(mark[0], start, mark.end() + _LONGEST)
            behind = _BEHIND.match(text, end + len(mark[0])) if end >= 0 else None
            return mark.end(), end, behind.end() if behind else -1
    begun = _BEGUN.search(text, line, start)
    logged = _LOGGED.match(text, start) if begun else None
    end = text.find("\n", start) if logged else -1
    return (begun.start(1), end, logged.end()) if begun and logged else (0, 0, -1)


def _index(number: str | None, order: int) -> int:
    return int(number) - 1 if number else order
