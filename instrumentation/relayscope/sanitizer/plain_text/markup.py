"""Values in XML and HTML: elements, attributes, cells of tables."""

import re
from typing import Final

from relayscope.sanitizer.values import extents, harmless
from relayscope.sanitizer.values.page import LINE, Mention, Page, Pair

_OPENING = re.compile(r"(?:[ \t\r\n][^<>]{0,512}+)?>")
_WRAPPED: Final = r"(?:<(?:\w{1,16}:)?(?:Attribute)?[vV]alue>\s*+)?+"
"""An element that has nothing but the value of the one around it."""
_CONTENT = re.compile(rf"\s*+{_WRAPPED}(?:<!\[CDATA\[((?:[^\]]++|\](?!\]>))*+)|([^<]++))")
_VALUE = re.compile(r"[\"']?[ \t][^<>\r\n]{0,128}?\b(?i:value|content)=")
_INSIDE = re.compile(rf"[\"'][^<>\r\n]{{0,128}}>{_WRAPPED}([^<\r\n]++)</")
# The input behind its label, or in it.
_INPUT = re.compile(
    r"[:=]?[ ]?(?:</(?:label|b|strong|span|dt|td|th)>)?\s{0,64}+(?:<(?:td|dd|div|p)>\s{0,64}+)?"
    r"<input\b[^<>]{0,256}?[ ]value=(?=[\"'])"
)
_VALUE_BEFORE = re.compile(
    r"<\w{1,32}[ \t\r\n](?:[^<>]{0,256}[ \t\r\n])?(?:value|content)=(?=[\"'])"
)
_BUTTON = re.compile(r"type=[\"']?(?:submit|button|checkbox|radio|reset)\b")
_BEFORE: Final = 320
# From the end of one element into the next.
_NEXT = re.compile(
    r"[:=]?[ ]?(?:</(?:b|strong|em|code|span)>)?"
    r"</(td|th|dt|key|name|b|strong|label|span|Key|Name)>\s{0,64}+:?(?:\s|&nbsp;){0,64}+"
    r"<(td|dd|string|value|span|code|Value)(?:[ \t][^<>\n]{0,128})?+>"
    r"(?:<(?:code|b|strong|span|tt)>)?([^<\n]++)<"
)
_NAMING: Final = tuple(
    f"{key}={quote}"
    for key in ("name", "key", "id", "type", "Name", "Key")
    for quote in ("", '"', "'")
)
_LONGEST: Final = max(map(len, _NAMING))
_QUOTES: Final = frozenset("\"'`")
_CELLS: Final = frozenset({"td", "dd", "string", "value", "code", "Value"})


def element(page: Page, mention: Mention) -> Pair | None:
    """The content of an element with that name."""
    text, start = page.text, mention.start
    opening = text.rfind("<", max(0, start - 64), start)
    if opening < 0 or not _is_prefix(text[opening + 1 : start]):
        return None
    tag = _OPENING.match(text, mention.end)
    content = tag and _CONTENT.match(text, tag.end())
    if not content:
        return None
    first, last = content.span(content.lastindex or 0)
    if opening and (text[opening - 1].isalnum() or text[opening - 1] in "_.)]"):
        # Parameters of a type, `List<Token>`, are never closed.
        closing = f"</{text[opening + 1 : mention.end]}>"
        if not text.startswith((closing, f"]]>{closing}"), last):
            return None
    is_closed = text.startswith(("</", "]]>"), last) or (
        last == len(text) and _may_be_cut(text, opening, first)
    )
    if not is_closed or harmless.is_label(text[first : min(last, first + LINE)]):
        return None
    return Pair(mention.rule, first, last)


def _may_be_cut(text: str, opening: int, content: int) -> bool:
    """Return whether markup ends in an element. `--password <password>` is none: a placeholder.

    Nor is that of a URL: `://<user>:<password>@host`.
    """
    if text[opening - 1 : opening] == ":" and text.startswith("@", content):
        return False
    before = text[max(0, opening - LINE) : opening]
    is_markup = "</" in before or "<?" in before or before.endswith(">")
    return is_markup or " " not in text[content : content + LINE].rstrip()


def attribute(page: Page, mention: Mention) -> Pair | None:
    """The attribute `value` beside one that names it, or the content of that element."""
    text, start = page.text, mention.start
    if not text.endswith(_NAMING, max(0, start - _LONGEST), start):
        return None
    if found := _VALUE.match(text, mention.end):
        tag = max(text.rfind("<", max(0, start - _BEFORE), start), 0)
        if _BUTTON.search(text, tag, found.end()):
            return None
        at = found.end()
        # In JSX, what is in braces is an expression.
        at += text.startswith("{", at) and text[at + 1 : at + 2] in _QUOTES
        if text.startswith("{", at):
            return None
        span = extents.literal(text, at) or (at, extents.run(text, at))
        return Pair(mention.rule, *span)
    if found := _INSIDE.match(text, mention.end):
        value, name = found[1][:LINE], text[mention.start : mention.end]
        if not harmless.is_label(value) and not harmless.is_same_name(value, name):
            return Pair(mention.rule, *found.span(1))
    return _value_before(page, mention)


def _value_before(page: Page, mention: Mention) -> Pair | None:
    """The attribute `value` that stands before the one that names it."""
    text, start = page.text, mention.start
    tag = text.rfind("<", max(0, start - _BEFORE), start)
    found = _VALUE_BEFORE.match(text, tag, start) if tag >= 0 else None
    span = found and extents.literal(text, found.end())
    if not span or span[1] > start or _BUTTON.search(text, tag, mention.end + _LONGEST):
        return None
    return None if harmless.is_label(text[slice(*span)]) else Pair(mention.rule, *span)


def next_element(page: Page, mention: Mention) -> Pair | None:
    """The content of the element behind the one that names it."""
    found = _NEXT.match(page.text, mention.behind)
    if found is None:
        return _next_input(page, mention)
    if found[1] == "th" and found[2] == "th":
        return None
    value = found[3][:LINE].strip()
    if " " in value and (harmless.is_prose(value) or harmless.is_label(value)):
        return None
    if found[2] not in _CELLS and not harmless.is_odd(value):
        return None
    return Pair(mention.rule, *found.span(3))


def _next_input(page: Page, mention: Mention) -> Pair | None:
    text = page.text
    found = _INPUT.match(text, mention.behind)
    span = found and extents.literal(text, found.end())
    if not span or _BUTTON.search(text, mention.behind, span[1] + _LONGEST):
        return None
    value = text[span[0] : min(span[1], span[0] + LINE)]
    is_harmless = harmless.is_label(value) or page.names.rule(value) is not None
    return None if is_harmless else Pair(mention.rule, *span)


def _is_prefix(text: str) -> bool:
    return not text or (text[-1] == ":" and text[:-1].replace("-", "").isalnum())
