"""Tells whether a text can show another secret once those that were found are replaced.

What was found decides about its neighbours, too: where their values end, whether they are words of
a sentence. So a text is searched again, unless each finding is of the usual kind: a plain value
with no other name before its own on the line.
"""

import re
from collections.abc import Iterable
from enum import Enum, auto
from string import ascii_letters, digits
from typing import Final

from relayscope.sanitizer.findings import Finding, masked
from relayscope.sanitizer.json.numbers import tells_of_others
from relayscope.sanitizer.model import Step
from relayscope.sanitizer.names.names import Names

_JOINTS: Final = frozenset("_-")
_ENDS: Final = frozenset(["", *"\"'{}[](),;:&<>@ \t\r\n"])
_BLANK_ESCAPES: Final = frozenset({"\\n", "\\r", "\\t"})
_END_ESCAPES: Final = _BLANK_ESCAPES | {'\\"', "\\/"}
# The end of a string in a string, however deep.
_NESTED_QUOTE = re.compile(r'\\{2,16}"')

# Quotation marks, also as HTML's entities, that go with a value because more of it stands behind
# them: `"a"b`.
_QUOTED = re.compile(r"[bBfFrRuUNL@]{0,2}(?:\\{0,16}[\"'`]|&[a-z#])")
# Without signs that mean something to what is around them, but for colons and backslashes in words.
_SIGNS: Final = r"[\w+/=.~@$!#%^*\u2010-\u2027\u3001-\u303f\uff08-\uff0f-]"
_PLAIN = re.compile(rf"{_SIGNS}++(?:(?:[ ]|(?<=\w):)(?=[\w\\])|\\{{2,16}}+(?=\w)|{_SIGNS}++)*+")
# What lies next to it can be a card's number when this one is gone.
_NUMBER = re.compile(r"[0-9][0-9 .,-]{0,32}")
_DECIMAL = re.compile(r"[0-9][.]\Z")
_LONG: Final = 512
"""Characters at the start and at the end of a finding that are looked at."""

_QUOTE: Final = r"(?:\\{0,16}[\"'])"
_OWN_NAME = re.compile(
    rf"(?:(?:name={_QUOTE}[\w.$@-]{{1,64}}+{_QUOTE}[ ]value"
    rf"|[\w.$@-]{{1,64}}+{_QUOTE}?(?:[ ]is)?)(?:[ ]?[:=>][ ]?{_QUOTE}?|[ ]{_QUOTE}))?"
    r"(?:(?:[Bb]earer|[Bb]asic)[ ])?\Z"
)
# The first of its line or string, or one of several members, parameters or arguments. The letter of
# an escape reads as part of the name.
_FIRST = re.compile(
    rf"(?:\A|\n|\\|\\[nrt]|[{{(\[,;?&<]\s?|:\s?(?=\\{{0,16}}[\"']))"
    rf"[ \t]*+(?:- |export )?{_QUOTE}?\Z"
)
_QUOTING: Final = "\"'\\ "
_NAME: Final = f"{ascii_letters}{digits}_.$@-"
_ASSIGNING: Final = frozenset(":=")
_WORDS: Final = ("value", " is")
_OPENINGS: Final = (':"', ': "')
_LONGEST_NAME: Final = 64
_PARTING: Final = frozenset("{,&?\n")
_END_OF_LINE = re.compile(r"\n|\\[nr]")
_SENTENCES: Final = ("\n", "\\n", ". ")
# It is in the name of a member, of which something else is left.
_IN_NAME = re.compile(r'[^"\n]{0,64}+"\s{0,8}+:')
_SHORT: Final = 32
"""Characters of a finding that make no difference to how far others are from each other."""
# The value, its line or its string ends behind it, and what follows is apart.
_CLOSED = re.compile(r"""["'\n&]|\\{1,16}(?:[nr]|"\s?[,}\]])|\Z""")

# The string of a member of JSON, of which all that is asked below is known.
_MEMBER = re.compile(r'[{,][ ]?"[A-Za-z0-9_.$@-]{1,64}+"[ ]?:[ ]?"\Z')
_STRING = re.compile(r'(?![0-9.-]++")[A-Za-z0-9_+/=.~-]{1,1024}+(?="[ ]?[,}])')

_NEAR: Final = 96
_BEFORE: Final = 24
_LINE: Final = 256
"""Characters before a finding in which its own name stands, before that what makes it the first,
and in which another name would matter."""


class Unrest(Enum):
    """Reasons to search a text again."""

    NONE = auto()
    """It shows nothing more."""

    POSSIBLE = auto()
    """Something about a finding is unusual."""

    SURE = auto()
    """The text around a finding is likely to be read otherwise."""


class Aftermath:
    """Judges texts whose secrets were found. Safe to share between threads."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def of(self, text: str, findings: Iterable[Finding]) -> Unrest:
        """Return whether the text means the same with markers in place of the findings."""
        unrest = Unrest.NONE
        done = 0
        for finding in findings:
            if _is_member(text, done, finding):
                done = finding.end
                continue
            if not _stands_alone(text, finding.start, finding.end):
                return Unrest.SURE
            if unrest is Unrest.NONE and (
                not _is_plain(text, finding)
                or _IN_NAME.match(text, finding.end)
                or self._follows_another(text, done, finding.start)
                or self._precedes_another(text, finding)
            ):
                unrest = Unrest.POSSIBLE
            done = finding.end
        return unrest

    def _follows_another(self, text: str, done: int, start: int) -> bool:
        """Return whether a finding may be part of the value of a name before its own."""
        first = max(done, start - _LINE)
        end = _own_name(text[first:start]) + first
        if end < first:
            return False
        line = max(first, *(text.rfind(sign, first, end) for sign in _SENTENCES))
        return line < end and self._names.mentioned(masked(text[line:end]))

    def _precedes_another(self, text: str, finding: Finding) -> bool:
        """Return whether another name behind a long finding comes nearer to what is before it."""
        start, end = finding.start, finding.end
        if end - start <= _SHORT or _CLOSED.match(text, end):
            return False
        line = _END_OF_LINE.split(text[end : end + _LINE], maxsplit=1)[0]
        return self._names.mentioned(masked(line))


def _is_member(text: str, done: int, finding: Finding) -> bool:
    """Return whether a finding is a plain string beside its name, which most are."""
    start, end = finding.start, finding.end
    string = _STRING.match(text, start)
    return (
        string is not None
        and string.end() == end
        and _MEMBER.search(text, max(done, start - _NEAR), start) is not None
        and not tells_of_others(text, start, end)
    )


def _own_name(head: str) -> int:
    """Return where a finding's own name starts in what is before it; -1 if none can have both."""
    # Nearly all in a tenth of the time of the expressions below.
    assigning = head.rstrip(_QUOTING)
    if assigning[-1:] in _ASSIGNING:
        name = assigning[:-1].rstrip(_QUOTING)
        before = name.rstrip(_NAME)
        if before[-1:] == "\\" or before.rstrip(_QUOTING)[-1:] in _PARTING:
            return -1
        if before.endswith(_OPENINGS) and 0 < len(name) - len(before) <= _LONGEST_NAME:
            return -1
        if before[-1:] == " " and before[-2:-1] != ";" and not name.endswith(_WORDS):
            return -1 if before.endswith("\nexport ") else len(before)
    own = _OWN_NAME.search(head, max(0, len(head) - _NEAR))
    end = own.start() if own else len(head)
    has_own = end < len(head) or head[-1:] == '"'
    return -1 if has_own and _FIRST.search(head, max(0, end - _BEFORE), end) else end


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Return whether the text around a stretch means the same with a marker in its place.

    If not, its marker can end a word that is a secret now that it stands alone; or where the
    value ends may be read otherwise without its quotation marks, and other numbers without it.
    """
    if _QUOTED.match(text, start, end):
        return False
    if _is_numeric(text, start, end) or text.startswith("://", end):
        # The second had the scheme of a URL, which is part of the one before it now.
        return False
    before = text[max(0, start - 1) : start]
    # In JSON text it can be the letter of an escape: `\nsecret`.
    around = text[max(0, start - 3) : start]
    is_escape = around[-2:] in _BLANK_ESCAPES and around[:-2] != "\\"
    if (before.isalnum() or before in _JOINTS or _DECIMAL.search(around)) and not is_escape:
        return False
    behind = text[end : end + 1]
    return (
        behind in _ENDS
        or text[end : end + 2] in _END_ESCAPES
        or _NESTED_QUOTE.match(text, end) is not None
    )


def _is_plain(text: str, finding: Finding) -> bool:
    start, end = finding.start, finding.end
    if finding.step is Step.BINARY:
        return True
    if end - start <= 2 * _LONG:
        return _PLAIN.fullmatch(text, start, end) is not None
    parts = (text[start : start + _LONG], text[end - _LONG : end])
    return all(_PLAIN.fullmatch(part.strip(" ")) for part in parts)


def _is_numeric(text: str, start: int, end: int) -> bool:
    """Return whether a stretch is a number, or has one that makes ids of those around it."""
    return bool(_NUMBER.fullmatch(text, start, end)) or tells_of_others(text, start, end)
