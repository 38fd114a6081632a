"""Values that stand on a line further down, or beside, where something else says what they are.

`- name: PASSWORD` and `value: X` below it in YAML, and the parts of a multipart form.
"""

import re
from typing import Final

from relayscope.sanitizer import extents
from relayscope.sanitizer.page import Mention, Page, Pair

_NAMING: Final = ("name", "key", "Name", "Key")
_MARKS: Final = frozenset({":", "="})
_LONGEST: Final = 12
"""Characters from `name` to the name."""

_VALUE = re.compile(
    r"[\"']?(?:[ \t]*+,[ \t]*+|[ \t]*+,?[ \t]*+\r?\n[ \t]*+"
    r"(?:(?!-)[\w\"']{1,16}+[ \t]*+[:=][^\n]{0,128}\n[ \t]*+){0,2}?)"
    r"[\"']?(?i:value)[\"']?[ \t]*+[:=][ \t]*+"
)
_PART = re.compile(
    r"\"[^\r\n]{0,256}\r?\n(?:[A-Za-z-]{1,40}:[^\r\n]{0,256}\r?\n){0,4}\r?\n([^\r\n]++)"
)
_TUPLE = re.compile(r"[\"'],\s*+(?=[bBfFrRuU]{0,2}[\"'])")


def named_value(page: Page, mention: Mention) -> Pair | None:
    """The member `value` beside or below one that names it."""
    text, start = page.text, mention.start
    before = text[max(0, start - _LONGEST) : start].rstrip(" \"'")
    if before[-1:] not in _MARKS or not before[:-1].rstrip(" \"'").endswith(_NAMING):
        return None
    found = _VALUE.match(text, mention.end)
    if found is None:
        return _part(page, mention)
    at = found.end()
    if span := extents.literal(text, at):
        return Pair(mention.rule, *span)
    if text[at : at + 1] in {"{", "["}:
        return Pair(mention.rule, at, extents.closing(text, at))
    lines = "\n" in found[0]
    return Pair(
        mention.rule, at, extents.line(text, at, "", len(text)) if lines else extents.run(text, at)
    )


def _part(page: Page, mention: Mention) -> Pair | None:
    found = _PART.match(page.text, mention.end)
    return Pair(mention.rule, *found.span(1)) if found else None


def argument(page: Page, mention: Mention) -> Pair | None:
    """The literal behind a name in the same brackets: `("cookie", "a=b")`, `define('KEY', 'X')`."""
    text, start = page.text, mention.start
    if mention.end == mention.behind or "(" not in text[max(0, start - 3) : start]:
        return None
    found = _TUPLE.match(text, mention.end)
    span = found and extents.literal(text, found.end())
    return Pair(mention.rule, *span) if span else None
