"""Values on the lines below their name: `Your password is:` and `X` below, or a list of codes."""

import re
from collections.abc import Iterator
from typing import Final

from relayscope.sanitizer.values import harmless
from relayscope.sanitizer.values.page import Mention, Page, Pair

_TAGS: Final = r"(?:[ \t\r\n]|&nbsp;|</?[A-Za-z][^<>\n]{0,128}+>)"
_BELOW = re.compile(
    r"(?:[ ](?:is|are|for|to|ist|lautet|es|est)\b(?:[ ][\w@.'/-]{1,40}+){0,6}+(?=:))?"
    r"[:\uff1a]?[*_]{0,3}"
    rf"(?:[ \t]*+\r?\n(?:[ \t]*+\r?\n)?[ \t>]*+|</[a-z]{{1,6}}>{_TAGS}{{1,12}}+)"
    r"[`*]{0,3}([^\s\"'`<>:=({,;|*]{4,256}+)[`*]{0,3}[ \t]*+(?:\r?\n|\Z|</)"
)
_LONG: Final = 8
_CODE = re.compile(r"[0-9]{4,8}")
# One of a list of names: `F_CLIENT_MASTER_KEY` and `F_D2I_SSL_SESSION` below it.
_CONSTANT = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+){2,}")
_HEAD: Final = 64
_WORDS: Final = 6
"""Characters and words before the name on its line: what ends a longer sentence heads nothing."""

_CODES: Final = "one-time-code"
_HEADING = re.compile(r"[:*_]{0,3}[ \t]*+\r?\n(?:[ \t]*+\r?\n)?")
_PART: Final = r"(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{4,10}"
_ONE: Final = rf"{_PART}(?:[- ]{_PART}){{0,3}}"
_LINE = re.compile(
    r"[ \t]*+(?:[-*\u2022][ ]|[0-9]{1,2}[.)][ ])?[ \t]*+"
    rf"`?({_ONE}(?:[ \t]{{2,8}}{_ONE}){{0,3}})`?[ \t]*+(?:\r?\n|\Z)"
)
_MOST: Final = 32
"""Lines of codes that are one list."""


def below(page: Page, mention: Mention) -> Iterator[Pair]:
    """A random word, or a code, that has the line below the name for itself."""
    found = _BELOW.match(page.text, mention.end)
    if found is None or not _is_value(found[1].rstrip(".,;"), mention):
        return
    start = mention.start
    line = page.text.rfind("\n", max(0, start - _HEAD), start) + 1
    heads = line > 0 or start <= _HEAD
    if heads and len(page.text[line:start].split()) <= _WORDS:
        yield Pair(mention.rule, *found.span(1))


def _is_value(word: str, mention: Mention) -> bool:
    if mention.rule.name == _CODES and _CODE.fullmatch(word):
        return True
    return len(word) >= _LONG and harmless.is_random(word) and not _CONSTANT.fullmatch(word)


def codes(page: Page, mention: Mention) -> Iterator[Pair]:
    """The codes of a list below its heading: `Backup codes:`, then one on each line."""
    heading = _HEADING.match(page.text, mention.end)
    if heading is None or mention.rule.name != _CODES or mention.start < page.told[_CODES]:
        return
    at = heading.end()
    for _ in range(_MOST):
        found = _LINE.match(page.text, at)
        if found is None:
            return
        yield Pair(mention.rule, *found.span(1))
        at = page.told[_CODES] = found.end()
