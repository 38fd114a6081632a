"""Other spellings of a text: what JSON escapes, percent signs and base64 hide.

A view is the plain text and the way back: where each of its characters stands in the text as
written, and how a replacement is spelled there. So a secret can be found in plain text and cut
out of the spelled one, with everything else left as it was.
"""

import base64
import binascii
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Final

from relayscope.sanitizer.findings import Finding

_ESCAPES: Final = (
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))"
    r"""|(["'\\/bfnrt]))"""
)
_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_ESCAPE = re.compile(_ESCAPES)
# Percent signs for ASCII only: what is searched for has no other characters.
# HTML's quotes, which logs of web pages are full of.
_SPELLING = re.compile(_ESCAPES + r"|%([0-7][0-9a-fA-F])|&(quot|apos|amp|#34|#39);")
_ENTITIES: Final = {"quot": '"', "apos": "'", "amp": "&", "#34": '"', "#39": "'"}

ESCAPE_FILTER: Final = (
    # ASCII as \u00XX or \xXX, but for `& ' < >`, which some encoders write that way.
    r"(?i)\\(?:u00|x)(?:[01][0-9a-f]|2[0-589a-f]|3[0-9abdf]|[4-7][0-9a-f])"
    # A letter behind a percent sign. No encoder writes one, so it hides something.
    r"|%(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])"
)
"""For the filter: spellings that hide even letters."""

BASE64_FILTER: Final = (
    # What `{` or `[`, then a quote, white space or another bracket becomes.
    r"(?:ey[AIJKL]|ew[ok0]|W(?:3[st]|y[AIJKL]|w[ok0]|1[st]))[A-Za-z0-9+/_-]{8}"
)
"""For the filter: where base64 of JSON could start."""

_BASE64 = re.compile(rf"(?<![A-Za-z0-9+/_-]){BASE64_FILTER}[A-Za-z0-9+/_-]*+={{0,2}}")
_START: Final = array("q", [0])
_FROM_URL_SAFE: Final = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class View:
    """A text as it reads, and the way back to how it is written.

    Attributes:
        text: the plain text.
        plain: indexes in it behind each character that is spelled otherwise, ascending from 0.
        written: where these stand in the text as written.
    """

    text: str
    plain: "array[int]"
    written: "array[int]"

    def back(self, finding: Finding) -> Finding:
        """The finding in the text as written.

        Quotes in its replacement get their backslash. A replacement has nothing else that would
        need another spelling, in JSON or in a URL.
        """
        replacement = finding.replacement.replace("\\", "\\\\").replace('"', '\\"')
        return finding.moved(self._back(finding.start), self._back(finding.end), replacement)

    def _back(self, index: int) -> int:
        stretch = bisect_right(self.plain, index) - 1
        return self.written[stretch] + index - self.plain[stretch]


def unescaped(text: str) -> View:
    """The inside of a JSON string with its escapes read.

    What is no escape stays as it is; half a surrogate pair becomes U+FFFD.
    """
    return _view(text, _ESCAPE)


def unspelled(text: str) -> View:
    """Any text with backslash escapes, percent signs and HTML's quotes read, wherever."""
    return _view(text, _SPELLING)


def base64_json(text: str) -> Iterator[tuple[int, int, str]]:
    """Where base64 of something like JSON stands in a text, and what it says."""
    for run in _BASE64.finditer(text):
        letters = run[0].rstrip("=").translate(_FROM_URL_SAFE)
        # One letter alone holds no byte; a run that was cut may end in one.
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        try:
            decoded = base64.b64decode(letters + "=" * (-len(letters) % 4))
        except binascii.Error:
            continue
        yield run.start(), run.end(), decoded.decode("utf-8", "replace")


def _read(found: re.Match[str]) -> str:
    """The one character that is spelled otherwise."""
    if letter := found[5]:
        return _CONTROLS.get(letter, letter)
    if high := found[1]:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(found[2], 16) - 0xDC00)
    if code := found[3] or found[4]:
        character = chr(int(code, 16))
        return "\N{REPLACEMENT CHARACTER}" if "\ud800" <= character <= "\udfff" else character
    return chr(int(found[6], 16)) if found[6] else _ENTITIES[found[7]]


def _view(text: str, spelling: re.Pattern[str]) -> View:
    if "\\" not in text and "%" not in text and "&" not in text:
        return View(text, _START, _START)
    plain, written = array("q", _START), array("q", _START)
    # Hostile text has millions of escapes: a list of pieces would take a hundred bytes for each.
    pieces = StringIO()
    position = 0
    for found in spelling.finditer(text):
        start, end = found.span()
        pieces.write(text[position:start])
        pieces.write(_read(found))
        position = end
        plain.append(pieces.tell())
        written.append(end)
    pieces.write(text[position:])
    return View(pieces.getvalue(), plain, written)
