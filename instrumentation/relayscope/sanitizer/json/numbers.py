"""Tells whether what was found in a text is a number of a JSON document."""

import re
from enum import Enum, auto
from typing import Final

_BEFORE = re.compile(r"[:\[,][ \t\r\n]*-?\Z")
# What goes on as a decimal number, or the end of the value.
_BEHIND = re.compile(r"([.eE])|[ \t\r\n]*+(?:[,\]}]|\Z)")
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{11}|[0-9]\.[0-9]{5}")
"""A number near another one that tells that both are ids, or measurements."""

_DIGITS: Final = frozenset("0123456789.")
_WINDOW: Final = 64
_NEAR: Final = 256
"""Characters around a number in which another one tells that they are ids or measurements."""


class NumberKind(Enum):
    """Place of a stretch of text among the numbers of a JSON document."""

    NONE = auto()
    """It is no number of a JSON document."""

    ALONE = auto()
    """It is a value with no other number of its kind around it."""

    AMONG_NUMBERS = auto()
    """It is one of several numbers, or a part of one."""


def number_kind(text: str, start: int, end: int) -> NumberKind:
    """Return the kind of number that a stretch of digits is."""
    if not text[:_WINDOW].lstrip().startswith(("{", "[")) or not text[start:end].isdecimal():
        return NumberKind.NONE
    before = _BEFORE.search(text[max(0, start - _WINDOW) : start])
    behind = _BEHIND.match(text, end)
    is_part = text[start - 1] in _DIGITS or (behind is not None and behind[1])
    if is_part:
        return NumberKind.AMONG_NUMBERS
    if before is None or behind is None:
        return NumberKind.NONE
    nearby = f"{text[max(0, start - _NEAR) : start]} {text[end : end + _NEAR]}"
    return NumberKind.AMONG_NUMBERS if _LONG_NUMBER.search(nearby) else NumberKind.ALONE


def tells_of_others(text: str, start: int, end: int) -> bool:
    """Return whether a stretch has a number that tells of one before or behind the stretch."""
    if end - start <= _NEAR:
        return _LONG_NUMBER.search(text, start, end) is not None
    # Looking through all of an image takes 28 ns for each of its characters.
    return bool(
        _LONG_NUMBER.search(text, start, min(end, start + _NEAR))
        or _LONG_NUMBER.search(text, max(start, end - _NEAR), end)
    )
