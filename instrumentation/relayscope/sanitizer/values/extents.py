"""Tells where a value in plain text ends: a quoted one, a bracketed one, a run, a line, a block.

No grammar says it, so when in doubt a value is longer.
"""

import re
from functools import cache
from typing import Final

from relayscope.sanitizer.findings import FILL

_LITERAL = re.compile(
    r"""[bBfFrRuUNL@]{0,2}+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?"""
    r"""|'([^'\\]*+(?:\\.[^'\\]*+)*+)'?|`([^`\\]*+(?:\\.[^`\\]*+)*+)`?)""",
    re.DOTALL,
)
# Python's way to print an object, and what makes text of text: `SecretStr('x')`.
WRAPPERS: Final = (
    "(?:Some|Just|Optional|Secret(?:Str|Bytes|String|Box)?|GuardedString|str|bytes|String|string"
    "|bytearray)(?:::(?:new|from))?"
)
"""Functions that make a value of the literal in their brackets."""
_WRAPPED = re.compile(
    rf"{WRAPPERS}"
    r"""\([bBfFrRuU]{0,2}(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?)\)?""",
    re.DOTALL,
)
# More of a value right behind a quoted part of it: `"""x"""`, `"a"'b'`, `'a'b`.
_MORE = re.compile(
    r"""(?=[\w"'])(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[^\s"'<>`&,;)\]}\\]++)++""", re.DOTALL
)
# What was sanitized before ends with a line, also where its break is written as an escape.
_BACKSLASH: Final = rf"\\(?!(?<={FILL}\\)[nrt/])"
_RUN = re.compile(
    r"""(?:[^\s"'<>`&,;)\]}\\$]++|\$(?:\{[^\s{}"']*+\})?+"""
    rf"""|{_BACKSLASH}(?!["'])"""
    # These end a value, unless it plainly goes on.
    r"""|[,;)\]}](?![\s"'<>`&,;)\]}\\]|\Z|[\w.-]{1,32}[=:]))++"""
)
# The same where a name starts its line and `=` stands next to it, as in a file `.env`: quotes and
# ampersands are part of a value there.
_LONE_RUN = re.compile(
    rf"""(?:[^\s"'<>`&,;)\]}}\\]++|{_BACKSLASH}|["'`<>](?!\s|\Z)"""
    r"""|[&,;)\]}](?![\s"'<>`&,;)\]}\\]|\Z|[\w.-]{1,32}[=:]))++"""
)
_WORDS = re.compile(r"(?:[ ](?!#)[^\s=\"'`|;&<>()]++)++(?=[ \t]*+(?:\r?\n|\Z))")
_SETS = re.compile(r"[ \t]*+\r?\n[A-Z][A-Z0-9_]*+=")
_SETTING = re.compile(r"(?:\w=|-e[ ]|--[a-z-]{2,24}[ =]|[\"'][ ])[\"']\Z")
_QUOTES: Final = frozenset("\"'")
_SETTER: Final = 32
_NEARBY: Final = 256
_SPACE = re.compile(r"\s*+")
_NESTED = re.compile(r"""[^"'{}\[\]]++|"(?:[^"\\]++|\\.?)*+"?|[{}\[\]']""", re.DOTALL)
_LINE: Final = {quote: re.compile(rf"[^\r\n{quote}]++") for quote in ("", '"', "'", "`")}

Span = tuple[int, int]


def space(text: str, at: int) -> int:
    """Return the end of blanks and line breaks."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def literal(text: str, at: int) -> Span | None:
    """Return the span inside the quotes at a place; with them if the value goes on behind them."""
    found = _LITERAL.match(text, at)
    if found is None:
        return None
    more = _MORE.match(text, found.end())
    return (at, more.end()) if more else found.span(found.lastindex or 0)


def wrapped(text: str, at: int) -> int | None:
    """Return the end of a call that makes a value of the literal in its brackets."""
    found = _WRAPPED.match(text, at)
    return found.end() if found else None


def run(text: str, at: int) -> int:
    """Return the end of a value without spaces."""
    found = _RUN.match(text, at)
    return found.end() if found else at


def lone_run(text: str, at: int) -> int:
    """Return the end of a value without spaces that has its line for itself."""
    found = _LONE_RUN.match(text, at)
    return found.end() if found else at


def setting(text: str, start: int, end: int) -> int:
    """Return the end of a value in a file `.env`, which takes in all words of its line.

    Elsewhere what follows is a command. A line beside it sets something, too. Between quotation
    marks it takes in all up to the second, where they are of a setting: `-e "TOKEN=a b"`.

    Args:
        text: the text.
        start: the first character of the name.
        end: the end of the value's first word.
    """
    more = _WORDS.match(text, end)
    if text[start - 1 : start] in _QUOTES and _SETTING.search(text, max(0, start - _SETTER), start):
        closing = text.find(text[start - 1], end, end + _NEARBY)
        return closing if closing >= 0 else end
    if more is None or text[start - 1 : start] not in {"", "\n"}:
        return end
    if _SETS.match(text, more.end()):
        return more.end()
    line = text.rfind("\n", max(0, start - _NEARBY), max(0, start - 1)) + 1
    return more.end() if line < start and _SETS.match("\n" + text[line:start]) else end


def rest(text: str, at: int) -> int:
    """Return the end of a value that takes in everything up to a separator of JSON."""
    found = _MORE.match(text, at)
    return found.end() if found else at


def line(text: str, at: int, quote: str, limit: int) -> int:
    """Return the end of a line, or of the quotation in it if a mark precedes the name."""
    found = _LINE.get(quote, _LINE[""]).match(text, at, limit)
    return found.end() if found else at


def closing(text: str, at: int, limit: int) -> int:
    """Return the end of the bracket at a place, or the limit."""
    depth = 0
    for token in _NESTED.finditer(text, at, limit):
        if token[0] in {"{", "["}:
            depth += 1
        elif token[0] in {"}", "]"}:
            depth -= 1
            if depth == 0:
                return token.end()
    return min(limit, len(text))


def block(text: str, at: int, indent: int, limit: int) -> int | None:
    """Return the end of lines that are indented further than a name, perhaps behind `|` or `>`."""
    found = _block(indent + 1).match(text, at, limit)
    return found.end() - len(found[0]) + len(found[0].rstrip("\r\n")) if found else None


@cache
def _block(indent: int) -> re.Pattern[str]:
    return re.compile(
        rf"(?:[|>][0-9+-]{{0,2}}[ \t]*)?+\r?\n(?:[ \t]{{{indent},}}+[^\n]*+(?:\n|\Z))++"
    )
