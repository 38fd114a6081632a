"""Values on the line below their name: `Your password:` and `X` below it, or below a heading."""

import re
from collections.abc import Iterator
from typing import Final

from relayscope.sanitizer import harmless
from relayscope.sanitizer.page import Mention, Page, Pair

_BELOW = re.compile(
    r"[:\uff1a]?[*_]{0,3}[ \t]*+\r?\n(?:[ \t]*+\r?\n)?[ \t>]*+"
    r"`?([^\s\"'`<>:=({,;|]{8,256}+)`?[ \t]*+(?:\r?\n|\Z)"
)
_HEAD: Final = 64
_WORDS: Final = 6
"""Characters and words before the name on its line: what ends a longer sentence heads nothing."""


def below(page: Page, mention: Mention) -> Iterator[Pair]:
    """A random word that has the line below the name for itself."""
    found = _BELOW.match(page.text, mention.behind)
    if found is None or not harmless.is_random(found[1].rstrip(".,;")):
        return
    start = mention.start
    line = page.text.rfind("\n", max(0, start - _HEAD), start) + 1
    heads = line > 0 or start <= _HEAD
    if heads and len(page.text[line:start].split()) <= _WORDS:
        yield Pair(mention.rule, *found.span(1))
