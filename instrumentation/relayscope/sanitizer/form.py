"""Values that stand on a line further down, or beside, where something else says what they are.

`- name: PASSWORD` and `value: X` below it in YAML, and the parts of a multipart form.
"""

import re
from typing import Final

from relayscope.sanitizer import extents, harmless
from relayscope.sanitizer.page import LINE, Mention, Page, Pair

_NAMING: Final = ("name", "key", "Name", "Key")
_MARKS: Final = frozenset({":", "="})
_LED_BY: Final = frozenset(" \"':=")
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
_CALLEE: Final = 24
_SETTER = re.compile(
    r"(?i:set|add|append|put|env|header|config|define|insert|update|field|cookie)\w{0,16}\Z"
)
_TUPLE = re.compile(r"[\"'],\s*+(?=[bBfFrRuU]{0,2}[\"'])")


def named_value(page: Page, mention: Mention) -> Pair | None:
    """The member `value` beside or below one that names it."""
    text, start = page.text, mention.start
    if text[start - 1 : start] not in _LED_BY:
        return None
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
        return Pair(mention.rule, at, extents.closing(text, at, len(text)))
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
    opening = text.rfind("(", max(0, start - 3), start)
    if mention.end == mention.behind or opening < 0:
        return None
    found = _TUPLE.match(text, mention.end)
    span = found and extents.literal(text, found.end())
    if not span or span[1] - span[0] > LINE:
        return Pair(mention.rule, *span) if span else None
    value = text[slice(*span)]
    if text[opening - 1 : opening].isalnum():
        is_set = _SETTER.search(text, max(0, opening - _CALLEE), opening)
        return Pair(mention.rule, *span) if is_set or harmless.is_odd(value) else None
    alone = text.startswith(")", span[1] + 1) or span[1] >= len(text) - 1
    return Pair(mention.rule, *span) if alone and page.names.rule(value) is None else None
