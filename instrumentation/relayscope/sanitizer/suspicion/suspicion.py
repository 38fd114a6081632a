"""The first look at a text: what could be in it, and where."""

import re
import sys
from itertools import accumulate
from typing import Final, NamedTuple

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.json.arguments import COMMANDS
from relayscope.sanitizer.json.strings import NO_STRINGS, Strings
from relayscope.sanitizer.model import PatternRule
from relayscope.sanitizer.names.continuation import Span, viable
from relayscope.sanitizer.names.mentions import Mentions, mentions_of, rare_mentions_of
from relayscope.sanitizer.names.names import LAST, Names, loose
from relayscope.sanitizer.search.patterns import in_characters
from relayscope.sanitizer.spellings.look_alikes import latin

from .readings import readings
from .signs import MEMBERS, NO_SIGNS, SignSearch

STRUCTURE = re.compile(rf"{MEMBERS}|{COMMANDS}")
"""Members that say what others hold."""

# A quotation mark or a line break parts names, written in whatever way, and so do indented lines.
_JOINING = re.compile(rb"\\(?:[^\"nrt\\]|(?<!\\[nrt]\\)t)")
_TAB = re.compile(rb"(?<![\n\r\t])\t")
"""Escapes that may join what reads as one name; and the one that does, where they were read."""


class Suspicion(NamedTuple):
    """Contents that a text could have.

    Attributes:
        rules: indexes of the pattern rules that could match.
        mentions: places at which the text mentions a sensitive name, in characters.
        is_spelled: True if a secret could be hidden in another spelling, wherever.
        has_escapes: True if one could be hidden where letters are written as escapes.
        has_encoded: True if another text could be encoded in it.
        has_structure: True if it could have members that say what other members hold.
        is_plain: True if it, with its JSON strings, could hold nothing but the names that are
            mentioned, and what these rules find.
        is_read: True if nothing else than all of this could be in one of its JSON strings.
        readings: how else the text reads, in UTF-8.
        strings: its JSON strings, if they were read for the first of the readings.
    """

    rules: list[int]
    mentions: list[Span]
    is_spelled: bool
    has_escapes: bool
    has_encoded: bool
    has_structure: bool
    is_plain: bool
    is_read: bool
    readings: list[bytes]
    strings: Strings

    def of_string(self, mentions: list[Span]) -> "Suspicion":
        """The suspicion of one of its JSON strings, where that has these mentions."""
        readings = self.readings[1:] if self.strings else self.readings
        return self._replace(
            mentions=mentions, is_read=False, readings=readings, strings=NO_STRINGS
        )


CLEAN: Final = Suspicion(
    [],
    [],
    is_spelled=False,
    has_escapes=False,
    has_encoded=False,
    has_structure=False,
    is_plain=False,
    is_read=False,
    readings=[],
    strings=NO_STRINGS,
)


def known(mentions: list[Span], rules: list[int], strings: Strings = NO_STRINGS) -> Suspicion:
    """The suspicion of a text in which names, and what these rules find, are all that could be."""
    # In their order: by name takes twice as long.
    return Suspicion(rules, mentions, False, False, False, False, True, False, [], strings)


class Suspicions:
    """Looks at texts. Safe to share between threads.

    Raises:
        RulesError: the expressions are too large together.
    """

    def __init__(self, rules: tuple[PatternRule, ...], names: Names) -> None:
        self._names = names
        self._mentions = mentions_of(
            [loose(each) for each in names.contains() if each.isascii()],
            [loose(each) for each in names.ends() if each.isascii()],
            LAST,
        )
        self._foreign: Mentions = rare_mentions_of(
            [loose(each) for each in names.phrases() if not each.isascii()]
        )
        self._signs = SignSearch(rules, names)

    def of(
        self, text: str, allowance: Allowance | None = None, most_names: int = sys.maxsize
    ) -> Suspicion | None:
        """Return what could be in a text; None if there can be no secret in it.

        Args:
            text: the text.
            allowance: the work that may be done, if that is to be counted.
            most_names: the number of names that may be looked at, in all of its spellings.

        Raises:
            TooManyFindings: it has more names than may be looked at.
            UnicodeEncodeError: the text has a lone surrogate.
        """
        written, text = text, latin(text)
        data = searched = text.encode()
        others: list[bytes] = []
        strings = NO_STRINGS
        if "\\" in text or "%" in text or "&" in text:
            searched, others, strings = readings(text, data)
        signs = self._signs.signs(searched)
        is_ascii = len(text) == len(data)
        if signs is None:
            if is_ascii:
                return None
            signs = NO_SIGNS
        phrases, hidden = (
            self._phrases(data, others, strings, most_names) if signs.has_name else ([], False)
        )
        if not is_ascii or signs.is_changing:
            foreign, hides_foreign = self._foreign.phrases(*_joined(data, others))
            hidden = hidden or hides_foreign
            phrases = sorted([*phrases, *foreign]) if foreign else phrases
        if allowance:
            allowance.spend(len(phrases))
        spend = allowance.spend if allowance else None
        mentions = viable(data, phrases, self._names, spend) if phrases else []
        if not (mentions or hidden or signs.rules or signs.are_of_others):
            return None
        is_plain = not (hidden or signs.are_of_others or signs.is_changing)
        if written is not text:
            # Letters of it were replaced, and what was read has them.
            strings = NO_STRINGS
        if is_plain and is_ascii and not (others and signs.rules):
            # Nearly all that is suspicious.
            return known(mentions, signs.rules, strings)
        return Suspicion(
            signs.rules,
            mentions if is_ascii else list(in_characters(data, mentions)),
            hidden,
            signs.has_escapes,
            signs.has_encoded,
            signs.has_structure,
            is_plain,
            "\\" not in text or (bool(strings) and not hidden),
            others,
            strings,
        )

    def _phrases(
        self, data: bytes, others: list[bytes], strings: Strings, most: int
    ) -> tuple[list[Span], bool]:
        """The names as written, and whether there are more of them in another spelling."""
        if b"%" in data or b"&" in data or _may_join(data, others[0] if strings else None):
            # Each takes 0.3 µs in each spelling.
            data, ends = _joined(data, others)
            return self._mentions.phrases(data, ends, most)
        return self._mentions.phrases(data, [len(data)], most)


def _may_join(data: bytes, read: bytes | None) -> bool:
    """Return whether escapes may join what reads as one name, in a text or what was read of it."""
    if read is None:
        return _JOINING.search(data) is not None
    return (b"\t" in read and _TAB.search(read) is not None) or _JOINING.search(read) is not None


def _joined(data: bytes, others: list[bytes]) -> tuple[bytes, list[int]]:
    """The text and its other readings, one behind the other, and where each of them ends."""
    texts = [data, *others]
    ends = accumulate((len(each) + 1 for each in texts), initial=-1)
    return b"\n".join(texts), [*ends][1:]
