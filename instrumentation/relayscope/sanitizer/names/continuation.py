"""Tells which names in a text can have a value at all, by what stands around them.

Prose, source code and stack traces are full of sensitive names that nothing is assigned to. These
are left out before anything is read for them. What can have a value is kept, and more than that:
`plain_text` and `json/text.py` decide.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from .names import Bearing, Names

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
_SENTENCE: Final = rb"(?:[A-Za-z,.;/-]++[ \t](?![ \t])){7}(?![^\n\"'`]{0,64}+[\"'`])"
# Of a recovery phrase each word is plain.
_OF_WORDS: Final = rb"(?:(?<=hrase )|(?<=nemonic ))(?:is|are|was)[ :]"
_SAYING: Final = _LEADING + rb"[ \t:](?!" + _SENTENCE + rb")|" + _OF_WORDS
# Nearly all of prose, at half the cost of what follows.
_SPEAKING: Final = (
    rb"[ ](?:(?!" + _LEADING + rb"[ \t:]|value)[A-Za-z]++[.,;]?[ ][A-Za-z .,;()/-]{32}"
    rb"|(?<!hrase )(?<!nemonic )" + _LEADING + rb"[ ]" + _SENTENCE + rb"[A-Za-z .,;()/-]{20})"
)
_CHAIN: Final = rb"[A-Za-z_$][\w$]*+(?:\.[A-Za-z_$][\w$]*+)*+"
# Not with an `or` at its end, behind which a default could stand: `or b"x"`.
_WORDS: Final = rb"[\w ./-]{0,32}+(?<!\Wor)(?<! )(?<! [bru])"
_SOME: Final = rb"(?:[\w$.-]{1,64}+|\\?\"" + _WORDS + rb"\\?\"|'" + _WORDS + rb"')"
_ITEM: Final = (
    rb"(?:" + _CHAIN + rb"\((?:" + _SOME + rb"(?:, ?" + _SOME + rb"){0,2})?\)|" + _SOME + rb")"
)
_MAKERS: Final = (
    *(b"some", b"just", b"optional", b"secret", b"box", b"str", b"string", b"bytes", b"bytearray"),
    b"auth",
)
# What makes a value of a literal in its brackets. It is looked back for from there: trying each of
# them at each letter of `self._tokens.get(` takes 1 µs.
_MAKING: Final = (
    rb"[\w.]*+\((?:" + b"|".join(rb"(?<=(?i:" + maker + rb")\()" for maker in _MAKERS)
    + rb")[^\n)\"']*+[\"']"
)  # fmt: skip
# Any other call, alone on the rest of its line: `token: var(--x);`, `token = os.getenv("X")`.
_CALLING: Final = (
    rb"[ \t]*+(?::|:?=)[ \t]*+(?!\S{250}|" + _MAKING + rb")" + _CHAIN
    + rb"\((?:" + _ITEM + rb"(?:, ?" + _ITEM + rb"){0,4})?\)[;,)} \t]*+(?:\r?\n|\\n|\Z)"
)  # fmt: skip
# A parameter with its type: `(user: User, token: string) {`, `, password: str, port: int = 1)`.
_TYPED: Final = (
    rb":[ ]?(?:string|str|bytes|number|boolean|any|unknown|object)"
    rb"(?:\)(?:[:;,]|[ ](?:=>|->|\{))|,[ ][A-Za-z_]\w{0,64}+\??[:=])"
)
# The string ends, and so does the object, or its next member begins; a call is the next parameter.
_ENDING: Final = (
    rb"\"(?:\}|,[ ]?\"[\w$@-]{1,64}+\"[ ]?:)|,[ ]?[A-Za-z_$][\w$]{0,64}+(?:\.[\w$]{1,64}+){0,8}+\("
    rb"|" + _TYPED
)
_CONTINUATION = re.compile(
    rb"[A-Za-z0-9_.$-]{0,512}+(?:(?=" + _ENDING + rb")()|((?!" + _SPEAKING + rb"|" + _CALLING
    + rb")(?=["
    # Something assigns, closes, parts or lists.
    + _MARKS + rb"*]"
    # What is called can set something, and what closes can be a list of columns.
    + rb"|\([ \t]*+[bBfFrRuUNL@]{0,2}[\"'`" + _SPELLED + rb"]|\)\s*+[vVfFsS" + _SPELLED + rb"]"
    # The same behind a blank, a column, or words that lead up to a value.
    + rb"|[ \t](?:[ \t]|[" + _MARKS + rb"()-]|value|" + _SAYING
    # The kind of a value: `password 7 X`.
    + rb"|[057][ ]\S{4}"
    # A word with a digit in it.
    + rb"|(?=[^\s0-9]{0,32}[0-9])[^\s\"'`<>()=:/\\]{4}"
    + rb"|[^\s<>" + _SPELLED + rb"]{4,256}+[ \t]*+;?[ \t]*+(?:\r?\n|[" + _SPELLED + rb"]|\s*+\Z)"
    + rb"|[^\"'\n:=,<>|" + _SPELLED + rb"]{0,32}+(?:[\"'][ \t]*+[:" + _SPELLED + rb"]|[" + _SPELLED
    + rb"]|:?=)))))?+"
)  # fmt: skip
"""The rest of a name. Two groups: the first if what is behind it leads to a value only with what
stands before it, the second if it could with whatever."""
_WITH_BEFORE, _WITH_WHATEVER = 1, 2
# A word of a sentence, or the first parameter of a call.
_APART = re.compile(
    rb"[^\\%&\x00-\x1f\x80-\xff]{9}(?:[A-Za-z ][A-Za-z][ ]|[^\\%&\x00-\x1f\x80-\xff][A-Za-z_]\()"
)
# Another parameter, or the bracket that opens them.
_AMONG = re.compile(rb".*(?:[\w>\])],[ ]|\w\()", re.DOTALL)
_BESIDE: Final = 12
_IS: Final = b" is "
_SAID: Final = 200
_COLUMNS: Final = 8192
_STATEMENT: Final = 1024
"""Bytes before a name: of the sentence it ends; of the bracket that opens a list of columns, and
before that, of the statement of SQL that has them."""

# What is behind nearly all names of prose; this matches everywhere else.
_GOES_ON = re.compile(rb"(?![A-Za-z0-9_.$-]{0,512}+" + _SPEAKING + rb")")

_ASSIGNING: Final = (b":", b"=")
_LED_BY: Final = frozenset(b"<:=\"';")
"""Signs before a name, or what ends another spelling of them, that let a value follow by words."""
_SEMICOLON: Final = ord(";")
_COLON: Final = ord(":")
_BLANK: Final = ord(" ")
_OPENING: Final = ord("(")
_QUOTE: Final = ord('"')
_BRACE: Final = ord("}")
_ANNOUNCING: Final = b"s your "
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
_SET_IN_HASH = re.compile(rb"\}[ \t]*+=[ \t]*+\\*+[\"']")
_CLOSING = re.compile(rb"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"", re.DOTALL)
_NAMING = re.compile(rb"[ \t\r\n]*+:")
_NAMED = re.compile(rb'"[ \t\r\n]*+:')
_STRING: Final = 3100
"""Bytes of the longest string that can be a name or stand beside one: 256 characters, escaped."""
_MOST_BLANKS: Final = 5
_JUDGED: Final = 32
_ALLOWING: Final = 512
"""Different names of a text that are judged here, and bytes that allow for one more: each takes 5
to 20 µs the first time, and hostile text has one every few bytes. A library for OpenID Connect has
58 in 24 kB of source code, and 33 in 6 kB."""

_NAME: Final = 8
"""Work for such a name."""

_NESTED: Final = b"\\\\\\"
"""Before a quotation mark in a string in a string."""


def viable(
    data: bytes,
    phrases: Iterable[Span],
    names: Names,
    spend: Callable[[int], None] | None = None,
) -> list[Span]:
    """The names that are sensitive, or part of such a one, and could have a value.

    Args:
        data: UTF-8 text.
        phrases: places of the phrases that make names sensitive, ascending.
        names: knows which are.
        spend: takes the work for a name off what may be done, if that is to be counted.
    """
    kept: list[Span] = []
    bearing = _Bearings(names, _JUDGED + len(data) // _ALLOWING, spend).__getitem__
    continuation = _CONTINUATION.match
    # Made when first needed: a message with one name beside its string needs neither.
    strings: _Strings | None = None
    lists: _Lists | None = None
    goes_on, size, announces = _GOES_ON.match, len(data), _ANNOUNCING in data
    done = quiet = calm = 0
    for start, end in phrases:
        # Nearly all names of prose end here.
        if end <= done or (
            start < calm
            and data[start - 1] == _BLANK
            and not goes_on(data, end)
            and data[start] != _DASH
            and data[start - 2] != _COLON
            and data[start - 3 : start - 1] not in _LAST_LETTERS
        ):
            continue
        before, found = done, continuation(data, end)
        if found is None:
            # It matches everywhere.
            continue
        done, leads = found.end(), found.lastindex
        # And nearly all of source code here.
        if start < calm and not leads and done < size and data[done] not in _LEADING_TO:
            continue
        first = (
            _first(data, start, before)
            if start > before and data[start - 1] in _NAME_BYTES
            else start
        )
        if (
            leads == _WITH_WHATEVER
            or done >= size
            or (leads and not _is_apart(data, lists := lists or _Lists(data), first, done))
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
            strings = strings or _Strings(data)
            quiet = strings.quiet_until(start, done)
            if not quiet and bearing(data[first:done]) is not Bearing.NONE:
                kept.append((first, done))
            calm = 0 if announces else quiet
    return kept


class _Bearings(dict[bytes, Bearing]):
    """The bearing of each name of a text; beyond so many, each counts as a sensitive one."""

    def __init__(self, names: Names, most: int, spend: Callable[[int], None] | None) -> None:
        self._names = names
        self._most = most
        self._spend = spend

    def __missing__(self, name: bytes) -> Bearing:
        if len(self) >= self._most:
            return Bearing.NAME
        if self._spend:
            self._spend(_NAME)
        borne = self[name] = self._names.bearing(name)
        return borne


def _is_apart(data: bytes, lists: "_Lists", first: int, done: int) -> bool:
    """Return whether nothing before a name makes what follows its string or parameter a value."""
    if data[done] == _COLON:
        return _AMONG.fullmatch(data, max(0, first - _BESIDE), first) is not None
    before = data[max(0, first - _SAID) : first]
    if not _APART.fullmatch(before[-_BESIDE:]) or _IS in before:
        return False
    if data[first - 1] == _OPENING and data[done] == _QUOTE:
        return False
    return not lists.may_have(first)


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
    behind = data[end : end + _NEAR].lstrip()
    if not behind:
        return True
    if behind[0] == _BRACE and data[max(0, start - _NEAR) : start].rstrip().endswith(_ASSIGNING):
        return True
    if data[end] == _BRACE:
        # Colours may stand between.
        is_coloured = b"\x1b" in data[max(0, start - _LONGEST_COMMAND) : start]
        return is_coloured or _SET_IN_HASH.match(data, end) is not None
    if before in _BLANKS:
        return data[start] == _DASH or (
            data[start - 3 : start - 1] in _LAST_LETTERS
            and data.endswith(_COMMANDS, max(0, start - _LONGEST_COMMAND), start)
        )
    return before in _LED_BY or data[start] == _DASH


class _Lists:
    """The lists of columns in a text, for places that are asked for in ascending order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._searched = 0
        self._opening = -_COLUMNS
        self._is_list = False

    def may_have(self, place: int) -> bool:
        """Return whether the last bracket before a place could open a list of columns."""
        opening = self._data.rfind(b"(", max(self._searched, place - _COLUMNS), place)
        self._searched = place
        if opening >= 0:
            self._opening = opening
            before = self._data[max(0, opening - _STATEMENT) : opening]
            last = b" ".join(before.rsplit(None, 2)[-2:]).lower()
            self._is_list = b"into" in last or b"copy" in last or b"\\" in last
        return self._is_list and self._opening >= place - _COLUMNS


class _Strings:
    """The quotation marks of a text, for places that are asked for in ascending order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._mark = self._end = 0
        self._may_name = self._is_name = False

    def quiet_until(self, start: int, end: int) -> int:
        """Return up to where no place names anything; 0 if this one could be in a JSON name."""
        data, mark = self._data, self._mark
        if start >= mark:
            mark = data.find(b'"', end)
            self._mark = mark = mark if mark >= 0 else len(data)
            opening = data.rfind(b'"', start - _STRING if start > _STRING else 0, start)
            self._may_name = (
                (opening >= 0 and data.count(b" ", opening, mark) <= _MOST_BLANKS)
                or _NAMING.match(data, mark + 1) is not None
                or data.endswith(_NESTED, 0, mark)
            )
        if self._may_name:
            return 0
        if start >= self._end:
            self._end = end + 1 if mark == end else self._closing(end)
            self._is_name = _NAMING.match(data, self._end) is not None
        return 0 if self._is_name else min(mark, self._end)

    def _closing(self, at: int) -> int:
        """Return the end of the string around a place, if a string behind it is a name."""
        # Looking for it takes ten times as long as for the end of any name.
        closing = _CLOSING.match(self._data, at) if _NAMED.search(self._data, at) else None
        return closing.end() if closing else len(self._data)
