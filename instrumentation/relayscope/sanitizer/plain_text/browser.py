"""Values in what drives a browser: snapshots of pages, and calls that fill in fields."""

import re
from typing import Final

from relayscope.sanitizer.values import extents, harmless
from relayscope.sanitizer.values.page import LINE, Mention, Page, Pair

_LOCATED: Final = 160
_LOCATOR = re.compile(
    r"(?:[gG]et_?[bB]y|locator|[fF]ind_?[eE]lement|[qQ]uery_?[sS]elector|\b(?:cy|By|page|frame)\.)"
    r"[^\n]*+\Z"
)
"""Characters before a name, and what in them finds an element by that name."""

_FILLED = re.compile(
    r"[^\"'`\n()]{0,32}+[\"'`][\]\"'`]{0,2}+[^\"'`\n()]{0,32}+\)++\s{0,16}+"
    r"(?:\.(?:first|last)(?:\(\))?)?\."
    r"(?:fill|type|pressSequentially|press_sequentially|send_?[kK]eys|set_?[vV]alue)"
    r"\([ \t]*+(?=[\"'`])"
)
_FIELD = re.compile(r"\b(?:textbox|searchbox|combobox|spinbutton) \"[^\"\n]{0,64}+\Z")
_SHOWN = re.compile(r"[^\"\n]{0,64}+\"(?: \[[\w=-]{1,32}\]){0,6}+:[ ](\"?)([^\"\n]++)")
_BEFORE: Final = 80


def filled(page: Page, mention: Mention) -> Pair | None:
    """Return the value that is typed into a field: `getByLabel('Password').fill('x')`."""
    text, start = page.text, mention.start
    found = _FILLED.match(text, mention.end)
    if found is None or not _LOCATOR.search(text, max(0, start - _LOCATED), start):
        return None
    span = extents.literal(text, found.end())
    if span is None or page.names.rule(text[slice(*span)][:LINE]) is not None:
        return None
    return Pair(mention.rule, *span)


def shown(page: Page, mention: Mention) -> Pair | None:
    """Return the value that a field of a page holds: `- textbox "Password" [ref=e12]: x`."""
    text, start = page.text, mention.start
    found = _SHOWN.match(text, mention.end)
    if found is None or not _FIELD.search(text, max(0, start - _BEFORE), start):
        return None
    value = found[2][:LINE].strip()
    return None if harmless.is_label(value) else Pair(mention.rule, *found.span(2))
