"""Values that stand on a line further down, or beside, where something else says what they are.

`- name: PASSWORD` and `value: X` below it in YAML, and the parts of a multipart form.
"""

import re
from typing import Final

from relayscope.sanitizer.values import expression, extents, harmless
from relayscope.sanitizer.values.page import LINE, Mention, Page, Pair

_NAMING: Final = ("name", "key", "Name", "Key")
_OPTION: Final = ("--name ", "--name=")
_OPTION_VALUE = re.compile(r"[\"']?[ ]--value[ =]")
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
_IN_PAIRS = re.compile(
    r"\b(?:of|[dD]ict|[hH]ash|[mM]ap|[hH]ashMapOf|mapOf|with|pairs|object|array)\(\s*+"
    r"(?:[\"'][^\"'\n]{0,64}[\"'],\s*+[^(),\n]{1,64},\s*+)*+[\"']\Z"
)
_ATOM = re.compile(r",\s*+(?=[bB]?\")")
_VALUE_BEFORE = re.compile(
    r"[\"']?(?i:value)[\"']?[ \t]*+[:=][ \t]*+"
    r"(?:\"([^\"\n]{1,256})\"|'([^'\n]{1,256})'|([^\s\"'{}\[\],|>][^\n,{}]{0,256}))"
    r"[ \t]*+(?:,[ \t]*+|\n[ \t]*+)[\"']?\Z"
)
_BEFORE: Final = 320
"""Characters before a name in which the value can stand that it is the name of."""
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
        return _value_before(page, mention) or _part(page, mention)
    at = found.end()
    if span := extents.literal(text, at):
        return Pair(mention.rule, *span)
    if text[at : at + 1] in {"{", "["}:
        return Pair(mention.rule, at, extents.closing(text, at, len(text)))
    lines = "\n" in found[0]
    end = extents.line(text, at, "", len(text)) if lines else extents.run(text, at)
    is_expression = expression.is_known_path(text[at : min(end, at + LINE)])
    return None if is_expression else Pair(mention.rule, at, end)


def named_option(page: Page, mention: Mention) -> Pair | None:
    """The option `--value` behind one that names it: `--name db-password --value X`."""
    text, start = page.text, mention.start
    if not text.endswith(_OPTION, max(0, start - _LONGEST), start):
        return None
    found = _OPTION_VALUE.match(text, mention.end)
    if found is None:
        return None
    at = found.end()
    span = extents.literal(text, at) or (at, extents.run(text, at))
    return Pair(mention.rule, *span)


def _value_before(page: Page, mention: Mention) -> Pair | None:
    """`- value: X` with `name: PASSWORD` below it."""
    text, start = page.text, mention.start
    first = max(0, start - _BEFORE)
    name = max(text.rfind(each, first, start) for each in _NAMING)
    before = text[first:name].rstrip("\"'") if name > first else ""
    found = _VALUE_BEFORE.search(before)
    if found is None:
        return None
    begin, end = found.span(found.lastindex or 0)
    return Pair(mention.rule, first + begin, first + end)


def _part(page: Page, mention: Mention) -> Pair | None:
    found = _PART.match(page.text, mention.end)
    return Pair(mention.rule, *found.span(1)) if found else None


def _atom(page: Page, mention: Mention) -> Pair | None:
    """The literal beside an atom, in Erlang and Elixir: `{password, "X"}`."""
    found = _ATOM.match(page.text, mention.end)
    span = found and extents.literal(page.text, found.end())
    if not span or not page.text.startswith("}", span[1] + 1):
        return None
    value = page.text[span[0] : min(span[1], span[0] + LINE)]
    is_harmless = harmless.is_label(value) or page.names.rule(value) is not None
    return None if is_harmless else Pair(mention.rule, *span)


def argument(page: Page, mention: Mention) -> Pair | None:
    """The literal behind a name in the same brackets: `("cookie", "a=b")`, `define('KEY', 'X')`."""
    text, start = page.text, mention.start
    if text[start - 1 : start] == "{" or text[start - 2 : start] == "{:":
        return _atom(page, mention)
    opening = text.rfind("(", max(0, start - 3), start)
    if opening < 0 and _IN_PAIRS.search(text, max(0, start - _BEFORE), start):
        opening = start - 1
    if mention.end == mention.behind or opening < 0:
        return None
    found = _TUPLE.match(text, mention.end)
    span = found and extents.literal(text, found.end())
    if not span or span[1] - span[0] > LINE:
        return Pair(mention.rule, *span) if span else None
    value = text[slice(*span)]
    if text[opening - 1 : opening].isalnum() and text[opening] == "(":
        is_set = _SETTER.search(text, max(0, opening - _CALLEE), opening)
        return Pair(mention.rule, *span) if is_set or harmless.is_odd(value) else None
    # Among other words it is one of a list: `("token", "expiry", "scopes")`.
    is_word = value.isidentifier() and not harmless.is_odd(value)
    is_listed = text.startswith(",", span[1] + 1) and not is_word
    if value.isalpha() and value.isupper():
        return None
    alone = text.startswith(")", span[1] + 1) or is_listed or span[1] >= len(text) - 1
    return Pair(mention.rule, *span) if alone and page.names.rule(value) is None else None
