"""Tells whether what was found in a text is a number of a JSON document."""

import re
from enum import Enum, auto

_BEFORE = re.compile(r"([^ \t\r\n]?)[ \t\r\n]*([:\[,])[ \t\r\n]*-?\Z")
_BEHIND = re.compile(r"[ \t\r\n]*+(?:[,\]}]|\Z)[ \t\r\n]*+(.?)", re.DOTALL)
_WINDOW = 64


class NumberKind(Enum):
    """What a stretch of text is among JSON numbers."""

    NONE = auto()
    """It is no number of a JSON document."""

    ALONE = auto()
    """It is the value of a member, or the only number in its place of a list."""

    AMONG_NUMBERS = auto()
    """It is one of several numbers in a list."""


def number_kind(text: str, start: int, end: int) -> NumberKind:
    """What a stretch of digits is."""
    if not text[:_WINDOW].lstrip().startswith(("{", "[")) or not text[start:end].isdecimal():
        return NumberKind.NONE
    before = _BEFORE.search(text[max(0, start - _WINDOW) : start])
    behind = _BEHIND.match(text, end)
    if before is None or behind is None:
        return NumberKind.NONE
    if before[2] == ":":
        return NumberKind.ALONE
    is_among = (before[2] == "," and before[1].isdecimal()) or behind[1].isdecimal()
    return NumberKind.AMONG_NUMBERS if is_among else NumberKind.ALONE
