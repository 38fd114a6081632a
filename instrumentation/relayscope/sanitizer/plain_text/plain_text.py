"""Finds the values of sensitive names in text without a grammar: logs, source code, tables.

What stands behind a name says in which ways its value can follow, if it does; only these are
tried, from there on. Whatever is looked at is bounded or left behind, so the time is in
proportion to the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from relayscope.sanitizer.json.bound_parameters import bound, is_placed
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.spellings.look_alikes import latin
from relayscope.sanitizer.values.page import Mention, Page, Pair

from . import glance
from .alignment import aligned
from .assignment import assigned
from .browser import filled, shown
from .declaration import (
    changes,
    constructed,
    fallback,
    initialized,
    setter,
)
from .html_table import headed
from .markup import attribute, element, next_element
from .named_value import argument, named_option, named_value
from .next_line import below, codes
from .recovery_phrase import recovery_phrase
from .sentence import announced, said
from .serialized import serialized
from .statement import inserted
from .table import columns, drawn
from .wording import dashed, in_hash, leads, subscript, worded

__all__ = ["Pair", "pairs"]

_One = Callable[[Page, Mention], Pair | None]
_Many = Callable[[Page, Mention], Iterator[Pair]]


class _Ways(NamedTuple):
    """Ways in which values can follow a name.

    Attributes:
        one: ways to find one value, of which the first that finds one counts.
        many: ways to find several, further down.
    """

    one: tuple[_One, ...]
    many: tuple[_Many, ...] = ()


_BY_WORDS: Final = _Ways((worded,), (aligned, below))
_BY_PARAMETERS: Final = _Ways((), (bound,))
_BY_BLANKS: Final = _Ways((), (aligned,))
_WAYS: Final[Mapping[str, _Ways]] = MappingProxyType(
    {
        **dict.fromkeys(("\u662f", "\u4e3a", "\u70ba", "\u306f"), _Ways((said,))),
        "?": _Ways((assigned, fallback)),
        **dict.fromkeys(("=", "!", "+", "\uff1a", "\uff1d"), _Ways((assigned,))),
        ":": _Ways((next_element, constructed, assigned), (below, codes)),
        "[": _Ways((shown, subscript)),
        "]": _Ways((subscript,), (inserted,)),
        "(": _Ways((setter, constructed)),
        "{": _Ways((initialized,)),
        **dict.fromkeys(("-", "\u2192", "\u279c", "\u21d2"), _Ways((dashed, named_option))),
        ">": _Ways((attribute, element)),
        "<": _Ways((next_element, assigned), (headed, below)),
        ",": _Ways((argument, named_value), (bound, inserted, columns)),
        ";": _Ways((serialized,), (columns,)),
        ")": _Ways((filled,), (bound, inserted)),
        "|": _Ways((fallback,), (drawn,)),
        "": _Ways((named_value, announced)),
        "}": _Ways((in_hash, filled, named_value)),
        **dict.fromkeys(
            ("\n", "\r"), _Ways((named_value, announced), (columns, drawn, aligned, below, codes))
        ),
    }
)
"""By the character behind the name; where none is given, by words."""

_SHORTCUTS: Final = ("accesskey", "ACCESSKEY")
_LENGTH: Final = len(_SHORTCUTS[0])
_KEY = re.compile(r"=([\"'])[^\s\"']\1")
"""HTML's attribute with a key of the keyboard."""

_GAP = re.compile(r"[\"'`]?+(?:\*{1,3}|_{2,3})?+[ \t]*+")
_MAYBE_WORDS: Final = frozenset("({-")
_ASSIGNING: Final = frozenset(":=")
_PLACING: Final = frozenset("%?$:@ ")
_GAPS: Final = frozenset("\"'`* \t")
_ANSI = re.compile(r"\x1b\[[0-9;]*+m")
_BOXES: Final[Mapping[int, str]] = MappingProxyType(
    {0x2502: "|", 0x2500: "-", 0x251C: "+", 0x253C: "+", 0x2524: "+"}
)
"""Lines of tables are drawn with signs of ASCII, or with these."""


def pairs(text: str, names: Names, mentions: Iterable[tuple[int, int]]) -> Iterator[Pair]:
    """The values of sensitive names in a text.

    Args:
        text: a text whose escapes have been read.
        names: knows which names are sensitive.
        mentions: places of names that may be sensitive, in order, each whole.
    """
    page = Page(_drawn_plainly(text), names)
    position = 0
    for start, end in mentions:
        if start < position:
            continue
        pair = _glanced(page, start, end)
        found = _ways(page, start, end) if pair is None else None
        if found:
            ways, mention = found
            for one in ways.one:
                if pair := one(page, mention):
                    break
            else:
                for many in ways.many:
                    yield from many(page, mention)
        if pair and pair.start < pair.end:
            for each in changes(page, pair):
                position = each.end
                yield each


def _glanced(page: Page, start: int, end: int) -> glance.Seen:
    """Return what a look at the signs behind a name decides, as for nearly all names."""
    pair: glance.Seen = recovery_phrase(page, start, end)
    mark = page.text[end : end + 1]
    if mark == "=":
        if page.text.startswith(_SHORTCUTS, end - _LENGTH) and _KEY.match(page.text, end):
            return False
        return pair or glance.equals(page, start, end)
    return pair or glance.colon(page, start, end) if mark == ":" else pair


def _drawn_plainly(text: str) -> str:
    """The text without colours, boxes and letters that only look like Latin ones."""
    if "\x1b" in text:
        # Colours are blanks of the same length.
        text = _ANSI.sub(lambda code: " " * len(code[0]), text)
    if "\u2502" in text:
        text = text.translate(_BOXES)
    return latin(text)


def _ways(page: Page, start: int, end: int) -> tuple[_Ways, Mention] | None:
    text, behind = page.text, end
    mark = text[end : end + 1]
    if mark in _GAPS and (gap := _GAP.match(text, end)):
        behind = gap.end()
        mark = text[behind : behind + 1]
    ways = _WAYS.get(mark)
    if ways is None:
        if mark and text.startswith("  ", end) and (rule := page.rule(start, end)):
            # Columns that blanks keep apart.
            mention = Mention(rule, start, end, behind)
            return (_BY_WORDS if leads(text, start, behind) else _BY_BLANKS), mention
        if behind == end or not leads(text, start, behind):
            return None
        ways = _BY_WORDS
    elif mark in _MAYBE_WORDS and behind > end and leads(text, start, behind):
        ways = _Ways((*ways.one, worded))
    rule = page.rule(start, end)
    if rule is None:
        return None
    mention = Mention(rule, start, end, behind)
    if mark == "=" and text[behind + 1 : behind + 2] in _PLACING and is_placed(text, behind):
        return _BY_PARAMETERS, mention
    if mark in _ASSIGNING and glance.code(page, mention):
        return None
    return ways, mention
