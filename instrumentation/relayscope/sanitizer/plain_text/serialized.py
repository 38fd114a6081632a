"""Values that PHP has serialized: `s:8:"password";s:9:"tangerine";`."""

import re

from relayscope.sanitizer.values.page import Mention, Page, Pair

_MEMBER = re.compile(r"\";(?:s:([0-9]{1,6}):\"|i:(?=([0-9]++);))")
_CLOSING = '";'


def serialized(page: Page, mention: Mention) -> Pair | None:
    """The string, or the number, that follows a name."""
    text = page.text
    found = _MEMBER.match(text, mention.end)
    if found is None:
        return None
    if found[2]:
        return Pair(mention.rule, *found.span(2))
    start = found.end()
    # The length is in bytes, which only of ASCII is the number of characters.
    end = start + int(found[1])
    if not text.startswith(_CLOSING, end):
        end = text.find(_CLOSING, start)
    return Pair(mention.rule, start, end if end >= 0 else len(text))
