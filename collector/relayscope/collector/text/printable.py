r"""Text from strangers, made harmless: what is unseen is shown, and nothing moves the cursor.

A terminal obeys what it prints: ESC and C1 sequences set its title, clear its screen and paint over
lines, CR writes over what stood there, bidirectional overrides turn words around, zero-width
characters and tag characters hide text. Here each such character becomes a visible escape, spelled
as in a Python or JSON string (`\x1b`, `\u202e`).

Which characters these are is Unicode's own answer (`str.isprintable`: all of the categories Cc, Cf,
Cs, Co, Cn, Zl and Zp), not a list that ages. Spaces of other widths (Zs) are left alone: they
take room where they stand.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# JSON has escaped C0 already; the rest of what a terminal obeys stands in strings only, where an
# escape means the same character. Everything else outside ASCII that is unprintable is found by
# `isprintable`; this pattern only saves looking at each ASCII character of a long line.
_BEYOND_ASCII: Final = re.compile(r"[\x7f-\U0010ffff]")


def one_line(text: str) -> str:
    """The text on one line, with everything that cannot be seen as a visible escape."""
    if text.isprintable():
        return text
    return "".join([char if _is_harmless(char) else _escape(char) for char in text])


def lines(text: str) -> list[str]:
    """Return the lines of a text, each as `one_line` makes it; tabs are four spaces."""
    return [one_line(line.replace("\t", "    ")) for line in text.split("\n")]


def stretches(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the text as `one_line` makes it, piece by piece, and of each whether it is escapes."""
    for is_harmless, chars in groupby(text, _is_harmless):
        piece = "".join(chars)
        yield (piece, False) if is_harmless else ("".join(map(_escape, piece)), True)


def json_line(text: str) -> str:
    """A line of JSON that says the same and holds nothing that a terminal obeys.

    Args:
        text: valid JSON, on one line.
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return _BEYOND_ASCII.sub(_json_escape, text)


def _is_harmless(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    if short := _SHORT.get(char):
        return short
    code = ord(char)
    if code < 0x100:  # noqa: PLR2004 - what two hex digits hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


def _json_escape(match: re.Match[str]) -> str:
    char = match[0]
    if _is_harmless(char):
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
