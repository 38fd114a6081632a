"""Literals in source code without `=`: setters, constructors, initializers, defaults."""

import re
from typing import Final

from relayscope.sanitizer.values import extents, harmless
from relayscope.sanitizer.values.page import LINE, Mention, Page, Pair

_SETTER = re.compile(r"(?:.*[.>:])?(?:set|with)(?=_|[A-Z])|(?:.*[.>:])?(?:Set|With)", re.DOTALL)
_FIRST = re.compile(r"\([ \t]*+(?=[bBfFrRuUNL@]{0,2}[\"'`])")
# `keyring.set_password(service, user, password)`
_THIRD = re.compile(
    r"(?<=\bset_password)\("
    r"(?:\s{0,64}+(?:\"[^\"\n]{0,128}\"|'[^'\n]{0,128}'|[\w.]{1,64}+)[ \t]*+,){2}\s{0,64}+(?=[\"'])"
)
_CONSTRUCTED = re.compile(
    r"(?:::(?:new|from|from_str))?\([ \t]*+"
    # All that stands before the last one are literals, too: the user, the host.
    r"(?:[bBfFrRuUNL@]{0,2}(?:\"[^\"\n]{0,128}\"|'[^'\n]{0,128}')[ \t]*+,[ \t]*+){0,3}"
    r"(?=[bBfFrRuUNL@]{0,2}[\"'`])"
)
_INITIALIZED = re.compile(
    r"\{[ \t]*+(?=[uUL]?\")"
    # `variable "x" { default = "y" }` in HCL
    r"|(?<=[\"' ])\{\s*+(?:(?!default\b)[a-z_]{1,32}[ \t]*+=[^\n]{0,256}\n\s*+){0,6}+"
    r"default[ \t]*+=[ \t]*+(?=\")"
)
_WORD = re.compile(r"(?:Network|Password|Basic|UserPassword|UsernamePassword)?[A-Z][a-z]+")
_FALLBACK = re.compile(r"(?:\|\||\?\?)[ \t]*+(?=[\"'`])")
_CHANGED = re.compile(r"([\"'])[ ][-=]>[ ]\1([^\"'\n]++)\1")
_ARROWS: Final = ('" -> "', "' -> '", '" => "', "' => '")
_CREDENTIALS = re.compile(r"Credentials?\Z")
_CLOSED: Final = frozenset({"", *"),;}\r\n"})


def setter(page: Page, mention: Mention) -> Pair | None:
    """The argument of a function that sets what it is named after: `setPassword("x")`."""
    if not _SETTER.match(page.text[mention.start : mention.end]):
        return None
    found = _THIRD.match(page.text, mention.end) or _FIRST.match(page.text, mention.behind)
    return _literal(page, mention, found.end()) if found else None


def constructed(page: Page, mention: Mention) -> Pair | None:
    """The last literal that makes a secret: `Secret::new("x")`, `Credentials("bob", "x")`."""
    text, start, end = page.text, mention.start, mention.end
    if not text[start].isupper() or mention.behind != end:
        return None
    found = _CONSTRUCTED.match(text, end)
    word = _WORD.match(text, start, end)
    if found is None or word is None or page.names.rule(word[0]) is None:
        return None
    pair = _literal(page, mention, found.end())
    if pair is None or not (_CREDENTIALS.search(text, start, end) or _is_odd(text, pair)):
        return None
    return pair


def _is_odd(text: str, pair: Pair) -> bool:
    return harmless.is_odd(text[pair.start : min(pair.end, pair.start + LINE)])


def fallback(page: Page, mention: Mention) -> Pair | None:
    """The literal that stands for a value when there is none: `env.API_KEY || "x"`."""
    found = _FALLBACK.match(page.text, mention.behind)
    return _literal(page, mention, found.end()) if found else None


def initialized(page: Page, mention: Mention) -> Pair | None:
    """The literal in braces: `api_key{"x"}`, `variable "api_key" { default = "x" }`."""
    found = _INITIALIZED.match(page.text, mention.behind)
    return _literal(page, mention, found.end()) if found else None


def changes(page: Page, pair: Pair) -> tuple[Pair, ...]:
    """A value, and the one that takes its place in a plan of changes: `"x" -> "y"`."""
    if not page.text.startswith(_ARROWS, pair.end):
        return (pair,)
    found = _CHANGED.match(page.text, pair.end)
    return (pair, Pair(pair.rule, *found.span(2))) if found else (pair,)


def _literal(page: Page, mention: Mention, at: int) -> Pair | None:
    text = page.text
    span = extents.literal(text, at)
    if span is None:
        return None
    value = text[span[0] : min(span[1], span[0] + LINE)]
    if text[span[1] + 1 : span[1] + 2] not in _CLOSED or harmless.is_label(value):
        return None
    is_name = page.names.rule(value) is not None or harmless.is_template(value)
    return None if is_name else Pair(mention.rule, *span)
