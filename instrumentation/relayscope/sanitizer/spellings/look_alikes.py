"""Letters that look like Latin ones: of full width, Cyrillic, Greek."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import re2

_LETTERS: Final = {
    # Cyrillic
    "\u0430": "a", "\u0435": "e", "\u043e": "o", "\u0440": "p", "\u0441": "c", "\u0443": "y",
    "\u0445": "x", "\u0456": "i", "\u0458": "j", "\u0455": "s", "\u0501": "d", "\u04bb": "h",
    "\u0410": "A", "\u0412": "B", "\u0415": "E", "\u041a": "K", "\u041c": "M", "\u041d": "H",
    "\u041e": "O", "\u0420": "P", "\u0421": "C", "\u0422": "T", "\u0425": "X", "\u0406": "I",
    "\u0405": "S", "\u051c": "W", "\u051d": "w", "\u043a": "k",
    # Greek
    "\u03bf": "o", "\u03b1": "a", "\u03c1": "p", "\u03bd": "v", "\u0391": "A", "\u0395": "E",
    "\u039a": "K", "\u039d": "N", "\u039f": "O", "\u03a1": "P", "\u03a4": "T", "\u03a5": "Y",
}  # fmt: skip
_FULL_WIDTH: Final = range(0xFF01, 0xFF5F)
_FROM_FULL_WIDTH: Final = 0xFF01 - ord("!")

_LATIN: Final[Mapping[int, str]] = MappingProxyType(
    {ord(letter): latin for letter, latin in _LETTERS.items()}
    | {code: chr(code - _FROM_FULL_WIDTH) for code in _FULL_WIDTH}
)

LOOK_ALIKES: Final = (
    f"[A-Za-z][{''.join(_LETTERS)}]|[{''.join(_LETTERS)}][A-Za-z]|[\uff21-\uff3a\uff41-\uff5a]"
)
"""For a search: letters that look like Latin ones, among such or of full width."""

_CODES: Final = rf"0(?:{'|'.join(sorted(f'{ord(letter):04x}'[1:] for letter in _LETTERS))})"
_ANY_CODES: Final = "0[345][0-9a-f]{2}"
"""All of them, and more; these compile 150 ms sooner."""


def _escaped(codes: str) -> str:
    return (
        rf"[^\\][g-z][a-f]?\\{{1,8}}u{codes}|\\u{codes}[a-z]"
        r"|\\uff(?:2[1-9a-f]|3[0-9a]|4[1-9a-f]|5[0-9a])"
    )


ESCAPED_LOOK_ALIKES: Final = _escaped(_CODES)
ESCAPED_LOOK_ALIKES_FILTER: Final = _escaped(_ANY_CODES)
"""The same where JSON escapes them, and for the prefilter; digits before one are those of another
escape."""

_SEARCH: Final = re2.compile(LOOK_ALIKES)
_EACH = re.compile(f"[{''.join(map(chr, _LATIN))}]")
_SAMPLE: Final = 1000
_FEW: Final = 4
"""Characters that tell how many have to be replaced, and characters for one of these, from which it
takes less time to look for each, 5 ns for a character, than to look at all, 40 ns."""

_UNREADABLE: Final = "\N{REPLACEMENT CHARACTER}"
_NOISE: Final = 16
"""Characters, of which more than one cannot be read where bytes that are no text were decoded: by
chance there are look-alikes among them, and translating 200,000 of them takes 3 ms."""


def latin(text: str) -> str:
    """The text with letters that look like Latin ones as those, every character in its place.

    Text that is all Russian or Greek stays: one letter of a word has to be Latin. So does what is
    no text.
    """
    if text.isascii() or text.count(_UNREADABLE) * _NOISE > len(text):
        return text
    if not _SEARCH.search(text.encode("utf-8", "replace")):
        return text
    if len(_EACH.findall(text, 0, _SAMPLE)) * _FEW < _SAMPLE:
        return _EACH.sub(lambda letter: _LATIN[ord(letter[0])], text)
    return text.translate(_LATIN)
