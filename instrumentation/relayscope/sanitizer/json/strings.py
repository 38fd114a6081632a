"""Finds the JSON string around a place in a text, without reading what is before and behind it.

A quotation mark opens a JSON string where a bracket, a comma, a colon or nothing stands before it,
and closes one where a comma, a colon, a closing bracket or nothing follows. So this also works in
text around JSON, and in JSON that was cut off.
"""

import json.decoder
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

import orjson

from relayscope.sanitizer.spellings.storable import encodable
from relayscope.sanitizer.spellings.views import unescaped

if TYPE_CHECKING:
    from collections.abc import Callable

scan: Final = cast(
    "Callable[[str, int, bool], tuple[str, int]]",
    json.decoder.scanstring,  # type: ignore[attr-defined]  # Documented in CPython's source, not in typeshed.
)
"""Reads a string from behind its opening mark, strictly or not: its content, and where its closing
mark ends."""

Strings: TypeAlias = Mapping[int, tuple[str, int]]
"""Strings of a text: by their place, their content and where their closing mark ends."""

NO_STRINGS: Final[Strings] = MappingProxyType({})

_BLANKS: Final = " \t\r\n"
_BEFORE: Final = frozenset("{[,:")
_BEHIND: Final = frozenset(",:}]")

_CLOSING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# A closing bracket behind which another string starts closes nothing.
_NEXT = re.compile(r"""[ \t\r\n]*+([}\]][ \t\r\n]*+["']|.?)""", re.DOTALL)

# A bracket right behind a word or another bracket opens no array: `os.environ["X"]`.
_INDEXED = re.compile(r"[\w)\]]\[\Z")

_OPENINGS: Final = ('{"', '["', ',"', ':"', ' "', '\n"', '\t"')
_COMMON: Final = (' "', ':"')
"""Most often one of these opens the string, so that no other has to be looked for."""

_WINDOW: Final = 64
"""Characters looked at for what stands before a quotation mark."""


class JsonString(NamedTuple):
    """A string in a JSON text, or what looks like one.

    Attributes:
        start: its first character, behind the opening quotation mark.
        end: the first character after its last.
        text: its value, with escapes read.
        precedes: the sign before the opening mark: a bracket, `,`, `:`, or nothing.
        follows: the sign behind the closing mark: in JSON `,`, `:`, a bracket, or nothing.
        is_closed: True if there is a closing mark; False if the text ended before.
    """

    start: int
    end: int
    text: str
    precedes: str
    follows: str
    is_closed: bool

    def is_json(self) -> bool:
        """Return whether a string of a JSON text can end like this."""
        return not self.follows or self.follows in _BEHIND

    def is_name(self) -> bool:
        """Return whether the string is the name of a member."""
        return self.follows == ":"


class JsonStrings:
    """The JSON strings of a text, for places that are asked for in ascending order.

    Args:
        text: the text.
        read: those that were read before.
    """

    def __init__(self, text: str, read: Strings) -> None:
        self._text = text
        self._read = read
        self._scanned = 0
        self._opening = -1
        self._last: JsonString | None = None
        self._last_opening = -1

    def around(self, at: int) -> JsonString | None:
        """The string that has the character at this place, or None if none has."""
        if at > self._scanned:
            self._opening = max(self._opening, self._last_mark(self._scanned, at))
            self._scanned = at
        if self._opening < 0:
            return None
        return self._last if self._has(self._opening, at) else None

    def _has(self, mark: int, at: int) -> bool:
        """Return whether the string that a mark opens has the character at a place."""
        if self._last_opening != mark:
            self._last_opening = mark
            self._last = json_string(self._text, mark, self._read.get(mark + 1))
        return self._last is not None and at < self._last.end

    def _last_mark(self, start: int, end: int) -> int:
        """The last quotation mark of a stretch that could open a string; -1 if there is none."""
        text = self._text
        mark = text.rfind('"', start, end)
        if mark > 0 and text[mark - 1] == "\\":
            # Text in a string has thousands of escaped marks; none of them opens a string.
            first = max(0, start - 1)
            for opening in _COMMON:
                mark = text.rfind(opening, first, end) + 1
                if mark and self._has(mark, end):
                    # None of the marks in it opens another one.
                    return mark
            return max(text.rfind(opening, first, end) for opening in _OPENINGS) + 1 or -1
        return mark


def is_json(text: str) -> bool:
    """Return whether all of a text is JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def json_string(text: str, mark: int, read: tuple[str, int] | None = None) -> JsonString | None:
    """The string that the quotation mark at a place opens, or None if it opens none.

    Args:
        text: the text.
        mark: the place.
        read: its content, and where its closing mark ends, if they are known.
    """
    before = text[max(0, mark - _WINDOW) : mark].rstrip(_BLANKS)
    if before and before[-1] not in _BEFORE and not _starts_line(text, mark):
        return None
    if before[-1:] == "[" and _INDEXED.search(before):
        return None
    try:
        content, behind = read or scan(text, mark + 1, False)
    except ValueError:
        return _lenient(text, mark + 1, before[-1:])
    following = _NEXT.match(text, behind)
    follows = following[1] if following else ""
    if not encodable(content):
        content = unescaped(text[mark + 1 : behind - 1]).text
    return JsonString(mark + 1, behind - 1, content, before[-1:], follows, is_closed=True)


def _lenient(text: str, start: int, before: str) -> JsonString:
    """A string with escapes that JSON does not have, or one that was cut off."""
    closing = _CLOSING.match(text, start)
    if closing is None:
        content = unescaped(text[start:]).text
        return JsonString(start, len(text), content, before, "", is_closed=False)
    following = _NEXT.match(text, closing.end())
    follows = following[1] if following else ""
    end = closing.end() - 1
    content = unescaped(text[start:end]).text
    return JsonString(start, end, content, before, follows, is_closed=True)


def _starts_line(text: str, mark: int) -> bool:
    return text[max(0, mark - _WINDOW) : mark].rstrip(" \t")[-1:] in {"", "\n"}
