"""Tells which names in a text can have a value at all, by what stands around them.

Prose, source code and stack traces are full of sensitive names that nothing is assigned to. These
are left out before anything is read for them. What can have a value is kept, and more than that:
`plain_text` and `json_text` decide.
"""

import re
from collections.abc import Iterable
from typing import Final

from relayscope.sanitizer.names import Bearing, Names

Span = tuple[int, int]


_NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$-"
_SIGNS: Final = frozenset({b"\\", b"%"})
_ESCAPE = re.compile(
    rb"(?:\\|(?:%25)*%5[cC])(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrtbf])?|%(?:25)*[0-9a-fA-F]{2}"
)
_LONGEST: Final = 512
"""Bytes before and behind a phrase that can belong to the same name."""

_SPELLED: Final = rb"\\%&\x1b-\x1f\x80-\xff"
"""Bytes that can begin another spelling of a character."""
_MARKS: Final = rb"=?!+:\[\]{><,;|\n\r\"'`" + _SPELLED
_LEADING: Final = rb"(?:for|para|pour|is|was|are|will|has|set|reset|changed|to|ist|lautet|es|est)"
# Seven plain words behind it are a sentence.
_SAYING: Final = (
    _LEADING + rb"[ \t:](?!(?:[A-Za-z,.;/-]++[ \t](?![ \t])){7}(?![^\n\"'`]{0,64}+[\"'`]))"
)
# Nearly all of prose, at half the cost of what follows.
_SPEAKING: Final = rb"[ ](?!" + _LEADING + rb"[ \t:]|value)[A-Za-z]++[ ][A-Za-z .,;()/-]{32}"
# A call without a literal, alone on the rest of its line: `token: var(--x);`.
_CALLING: Final = (
    rb"[ \t]*+(?::|:?=)[ \t]*+[A-Za-z_$][\w$]*+(?:\.[A-Za-z_$][\w$]*+)*+"
    rb"\((?:[\w$.-]{1,64}+(?:, ?[\w$.-]{1,64}+){0,4})?\)[;,)} \t]*+(?:\r?\n|\\n|\Z)"
)
_CONTINUATION = re.compile(
    rb"[A-Za-z0-9_.$-]{0,512}+((?!" + _SPEAKING + rb"|" + _CALLING + rb")(?=["
    # Something assigns, closes, parts or lists.
    + _MARKS + rb"*]"
    # What is called can set something, and what closes can be a list of columns.
    + rb"|\([ \t]*+[bBfFrRuUNL@]{0,2}[\"'`" + _SPELLED + rb"]|\)\s*+[vVfFsS" + _SPELLED + rb"]"
    # The same behind a blank, a column, or words that lead up to a value.
    + rb"|[ \t](?:[ \t]|[" + _MARKS + rb"()-]|value|" + _SAYING
    # A word with a digit in it.
    + rb"|(?=[^\s0-9]{0,32}[0-9])[^\s\"'`<>()=:/\\]{4}"
    + rb"|[^\s<>" + _SPELLED + rb"]{4,256}+[ \t]*+;?[ \t]*+(?:\r?\n|[" + _SPELLED + rb"]|\s*+\Z)"
    + rb"|[^\"'\n:=,<>|" + _SPELLED + rb"]{0,32}+(?:[\"'][ \t]*+[:" + _SPELLED + rb"]|[" + _SPELLED
    + rb"]|:?=))))?+"
)  # fmt: skip
"""The rest of a name, and a group if something behind it could lead to a value."""

_LED_BY: Final = frozenset(b"<:=\"';")
"""Signs before a name, or what ends another spelling of them, that let a value follow by words."""
_SEMICOLON: Final = ord(";")
_BRACE: Final = ord("}")
_ANNOUNCING: Final = b" is your "
_NEAR: Final = 32
_DASH: Final = ord("-")
_BLANKS: Final = frozenset(b" \t")
_LEADING_TO: Final = _BLANKS | {_BRACE}
_COMMANDS: Final = (
    *(b"ENV ", b"setenv ", b"SetEnv ", b"set -gx ", b"set -x ", b"set -Ux ", b"setx "),
    *(b"#define ", b"(setq ", b"(def ", b"(defvar "),
)
_LAST_LETTERS: Final = frozenset({command[-3:-1] for command in _COMMANDS})
_LONGEST_COMMAND: Final = 8
# Three bytes before a name of which `_is_led` makes nothing.
_SPOKEN = re.compile(
    rb"(?!" + b"|".join(map(re.escape, sorted(_LAST_LETTERS))) + rb")(?s:.)[^:][ \t](?!-)"
)
_AHEAD: Final = 3

_CLOSING = re.compile(rb"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"", re.DOTALL)
_COLON = re.compile(rb"[ \t\r\n]*+:")
_STRING: Final = 3100
"""Bytes of the longest string that can be a name or stand beside one: 256 characters, escaped."""
_MOST_BLANKS: Final = 5
_NESTED: Final = b"\\\\\\"
"""Before a quotation mark in a string in a string."""


def viable(data: bytes, phrases: Iterable[Span], names: Names) -> list[Span]:
    """The names that are sensitive, or part of such a one, and could have a value.

    Args:
        data: UTF-8 text.
        phrases: what makes names sensitive, ascending.
        names: knows which are.
    """
    kept: list[Span] = []
    bearing, continuation, strings = names.bearing, _CONTINUATION.match, _Strings(data)
    speaks, size, announces = _SPOKEN.match, len(data), _ANNOUNCING in data
    done = quiet = 0
    for start, end in phrases:
        if end <= done:
            continue
        before, found = done, continuation(data, end)
        if found is None:
            # It matches everywhere.
            continue
        done = found.end()
        goes_on = found.lastindex or done >= size
        # Nearly all names of prose and source code end here.
        if (
            start < quiet
            and not (goes_on or announces)
            and (
                data[done] not in _LEADING_TO
                or (data[done] != _BRACE and speaks(data, start - _AHEAD))
            )
        ):
            continue
        first = (
            _first(data, start, before)
            if start > before and data[start - 1] in _NAME_BYTES
            else start
        )
        if (
            goes_on
            or (data[done] in _LEADING_TO and _is_led(data, first, done))
            or (announces and _ANNOUNCING in data[max(0, first - _NEAR) : first])
        ):
            borne = bearing(data[first:done])
            if borne is Bearing.NAME or (borne is Bearing.PART and data[first - 1] == _SEMICOLON):
                kept.append((first, done))
                continue
            if borne is Bearing.NONE:
                continue
        if start >= quiet:
            if strings.may_name(start, done) and bearing(data[first:done]) is not Bearing.NONE:
                kept.append((first, done))
            quiet = strings.quiet_until
    return kept


def _first(data: bytes, start: int, done: int) -> int:
    """Return the start of the name that a phrase is in."""
    before = data[start - _LONGEST if start > done + _LONGEST else done : start]
    first = start - len(before) + len(before.rstrip(_NAME_BYTES))
    if data[first - 1 : first] in _SIGNS:
        # The rest of an escape is no part of the name: `\\npassword`, `%22password`.
        escape = _ESCAPE.match(data, first - 1, start)
        return escape.end() if escape else first
    return first


def _is_led(data: bytes, start: int, end: int) -> bool:
    """Return whether any words may lead from the name to a value, judging by what precedes it.

    The value itself may precede the name, too.
    """
    before = data[start - 1]
    if data[start - 2 : start] == b": " and data[end : end + _NEAR].lstrip()[:1] in {b"", b"}"}:
        return True
    if data[end] == _BRACE:
        # Colours may stand between.
        return b"\x1b" in data[max(0, start - _LONGEST_COMMAND) : start]
    if before in _BLANKS:
        return data[start] == _DASH or (
            data[start - 3 : start - 1] in _LAST_LETTERS
            and data.endswith(_COMMANDS, max(0, start - _LONGEST_COMMAND), start)
        )
    return before in _LED_BY or data[start] == _DASH


class _Strings:
    """The quotation marks of a text, for places that are asked for in ascending order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._mark = self._end = 0
        self._may_name = self._is_name = False

    def may_name(self, start: int, end: int) -> bool:
        """Return whether a place could be in a JSON string that is a name, at any level."""
        data = self._data
        if start >= self._mark:
            mark = data.find(b'"', end)
            self._mark = mark if mark >= 0 else len(data)
            opening = data.rfind(b'"', max(0, self._mark - _STRING), start)
            self._may_name = (
                (opening >= 0 and data.count(b" ", opening, self._mark) <= _MOST_BLANKS)
                or _COLON.match(data, self._mark + 1) is not None
                or data.endswith(_NESTED, 0, self._mark)
            )
        if not self._may_name and start >= self._end:
            closing = _CLOSING.match(data, end)
            self._end = closing.end() if closing else len(data)
            self._is_name = _COLON.match(data, self._end) is not None
        return self._may_name or self._is_name

    @property
    def quiet_until(self) -> int:
        """Up to where no place names anything, as that which was asked for last."""
        return 0 if self._may_name or self._is_name else min(self._mark, self._end)
