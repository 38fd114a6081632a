"""Reads the values, members and items of a JSON text, with their places in it.

Each value is read by the decoder of the standard library, which is fast, and says where it ends.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from relayscope.sanitizer.allowance import Allowance

_MEMBER = re.compile(r'[ \t\r\n]*+"((?:[^"\\]++|\\.)*+)"[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_ITEM = re.compile(r"[ \t\r\n]*+(?=[^ \t\r\n\]])")
_COMMA = re.compile(r"[ \t\r\n]*+,")

_NESTED = re.compile(r"""[^"'{}\[\]]++|"(?:[^"\\]++|\\.?)*+"?|[{}\[\]']""", re.DOTALL)


class Number(str):
    """A number as it is written: it may have more digits than Python turns into one."""

    __slots__ = ()


_scan: Final = json.JSONDecoder(strict=False, parse_int=Number, parse_float=Number).raw_decode

_BEFORE: Final = 4096
_TRIES: Final = 8
"""Characters before a member, and brackets in them, in which its object begins."""

_EACH: Final = 5
_CHARACTERS: Final = 64
"""Work for a value, and its characters that take one more. Nested objects that name each other's
values are read again at each level."""


class Place(NamedTuple):
    """A value and where it stands.

    Attributes:
        value: its value; None also where it could not be read.
        start: its first character.
        end: the first character after it; the end of the text where that ended too early.
        is_whole: True if it could be read.
    """

    value: Any
    start: int
    end: int
    is_whole: bool


class Member(NamedTuple):
    """A member of an object: its name as written, and its value."""

    name: str
    place: Place


class JsonValues:
    """The values of one text.

    Attributes:
        text: the text.

    Args:
        text: the text.
        allowance: the work that may be done for it.
    """

    def __init__(self, text: str, allowance: Allowance) -> None:
        self.text = text
        self._allowance = allowance

    def at(self, start: int) -> Place:
        """The value that starts at a place. What is no JSON reaches to its closing bracket.

        Raises:
            TooManyFindings: the text has been read too often.
        """
        try:
            value, end = _scan(self.text, start)
            found = Place(value, start, end, is_whole=True)
        except (ValueError, RecursionError):
            found = Place(None, start, self._closing(start), is_whole=False)
        self._allowance.spend(_EACH)
        self._allowance.pass_over((found.end - start) // _CHARACTERS)
        return found

    def members(self, at: int, until: int = sys.maxsize) -> Iterator[Member]:
        """The members that follow the opening bracket, or the comma, before a place.

        Args:
            at: the place.
            until: a place from which on none is read: an image can begin there.
        """
        while (found := _MEMBER.match(self.text, at)) and found.start(1) <= until:
            place = self.at(found.end())
            yield Member(found[1], place)
            comma = _COMMA.match(self.text, place.end) if place.is_whole else None
            if comma is None:
                return
            at = comma.end()

    def items(self, at: int) -> Iterator[Place]:
        """The items that follow the opening bracket, or the comma, before a place."""
        while found := _ITEM.match(self.text, at):
            place = self.at(found.end())
            yield place
            comma = _COMMA.match(self.text, place.end) if place.is_whole else None
            if comma is None:
                return
            at = comma.end()

    def members_behind(self, end: int) -> Iterator[Member]:
        """The members of an object behind one that ends at a place."""
        comma = _COMMA.match(self.text, end)
        return self.members(comma.end()) if comma else iter(())

    def members_before(self, start: int) -> list[Member]:
        """The members of an object before the one whose name's quotation mark is at a place."""
        first = max(0, start - _BEFORE)
        opening = start
        for _ in range(_TRIES):
            opening = self.text.rfind("{", first, opening)
            if opening < 0:
                break
            end = opening + 1
            members: list[Member] = []
            for member in self.members(end, start):
                if member.place.end > start:
                    break
                members.append(member)
                end = member.place.end
            if not self.text[end:start].strip(" \t\r\n,"):
                return members
            # It is an object of a member before this one.
        return []

    def items_behind(self, end: int) -> Iterator[Place]:
        """The items of a list behind one that ends at a place."""
        comma = _COMMA.match(self.text, end)
        return self.items(comma.end()) if comma else iter(())

    def _closing(self, at: int) -> int:
        """Return the end of the bracket at a place, or of the text."""
        depth = 0
        for token in _NESTED.finditer(self.text, at):
            if token[0] in {"{", "["}:
                depth += 1
            elif token[0] in {"}", "]"}:
                depth -= 1
                if depth == 0:
                    return token.end()
        return len(self.text)
