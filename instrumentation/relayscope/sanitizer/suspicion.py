"""The first look at a text: what could be in it, and where."""

import binascii
import re
import sys
from itertools import accumulate
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.continuation import Span, viable
from relayscope.sanitizer.encoded import ENCODED_FILTER
from relayscope.sanitizer.look_alikes import latin
from relayscope.sanitizer.mentions import Mentions, mentions_of, rare_mentions_of
from relayscope.sanitizer.model import PatternRule
from relayscope.sanitizer.names import LAST, Names, loose
from relayscope.sanitizer.patterns import in_characters
from relayscope.sanitizer.prefilter import prefilter
from relayscope.sanitizer.views import ESCAPE_FILTER

_STRUCTURE_FILTER: Final = r'"(?:kty|rawHeaders|raw_headers)\\*"'
STRUCTURE = re.compile(_STRUCTURE_FILTER)
"""Members that say what others hold without naming a secret, also in JSON in a JSON string."""

_ENTITIES: Final = (
    *((b"&quot;", b'"'), (b"&#34;", b'"'), (b"&#x22;", b'"'), (b"&apos;", b"'"), (b"&#39;", b"'")),
    *((b"&#x27;", b"'"), (b"&#x2F;", b"/"), (b"&#x3D;", b"="), (b"&lt;", b"<"), (b"&gt;", b">")),
)

_ENTITY = re.compile(b"|".join(entity for entity, _ in _ENTITIES))

_QUOTED: Final = 3
"""Times that percent signs and ampersands can be quoted in each other."""


_BLANK = re.compile(rb"\\[nrt]")
_OTHER_BLANK = re.compile(rb"\\[rt]")
_RICH: Final = 24
"""Bytes for each backslash, up to which a table takes them out sooner: in 19 µs for 30,000 bytes,
where replacing took 9 for 780 of them, and 92 for 9,985."""
_QUOTES = re.compile(rb"%[0-9a-fA-F]{2}")
_NO_QUOTE = re.compile(rb"%(?![0-9a-fA-F]{2})")
"""Characters that percent signs spell; other percent signs are those of formats and numbers."""
# A quotation mark or a line break parts names, written in whatever way, and so do indented lines.
_JOINING = re.compile(rb"\\(?:[^\"nrt\\]|(?<!\\[nrt]\\)t)")
"""Escapes that may join what reads as one name."""


class Suspicion(NamedTuple):
    """Contents that a text could have.

    Attributes:
        rules: indexes of the pattern rules that could match.
        mentions: places at which the text mentions a sensitive name, in characters.
        is_spelled: True if a secret could be hidden in another spelling.
        has_encoded: True if another text could be encoded in it.
        has_structure: True if it could have members that say what other members hold.
        spellings: other readings of the text, in UTF-8.
        is_plain: True if it, with its JSON strings, could hold nothing but the names that are
            mentioned, and what these rules find.
    """

    rules: list[int]
    mentions: list[Span]
    is_spelled: bool
    has_encoded: bool
    has_structure: bool
    spellings: bytes
    is_plain: bool


CLEAN: Final = Suspicion(
    [],
    [],
    is_spelled=False,
    has_encoded=False,
    has_structure=False,
    spellings=b"",
    is_plain=False,
)


def known(mentions: list[Span], rules: list[int]) -> Suspicion:
    """The suspicion of a text in which names are all that could be."""
    # In their order: by name takes twice as long.
    return Suspicion(rules, mentions, False, False, False, b"", True)


_CHANGING_FILTER: Final = r"\\[bfu]"
"""For the prefilter: escapes that do not read as they do without their backslash."""


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
        # Few texts can have one, and hyperscan would take 0.2 s to compile them.
        self._foreign: Mentions = rare_mentions_of(
            [loose(each) for each in names.phrases() if not each.isascii()]
        )
        self._prefilter = prefilter(
            rules,
            [
                *(names.expression(), ESCAPE_FILTER, ENCODED_FILTER, _STRUCTURE_FILTER),
                _CHANGING_FILTER,
            ],
        )
        self._name = len(rules)
        self._escape, self._encoded, self._structure, self._changing = range(
            self._name + 1, self._name + 5
        )

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
        text = latin(text)
        data = text.encode()
        ends = [len(data)]
        if "\\" in text or "%" in text or "&" in text:
            data, ends = _spelled(text, data)
        fired = self._prefilter.fired(data)
        if fired is None:
            if len(text) == ends[0]:
                return None
            fired = []
        is_changing = self._changing in fired
        if is_changing:
            fired.remove(self._changing)
        may_be_foreign = is_changing or len(text) != ends[0]
        if not fired and not may_be_foreign:
            return None
        phrases, hidden = (
            self._phrases(data, ends, most_names) if self._name in fired else ([], False)
        )
        if may_be_foreign:
            foreign, hides_foreign = self._foreign.phrases(data, ends)
            hidden = hidden or hides_foreign
            phrases = sorted([*phrases, *foreign]) if foreign else phrases
        if allowance:
            allowance.spend(len(phrases))
        spend = allowance.spend if allowance else None
        mentions = viable(data[: ends[0]], phrases, self._names, spend) if phrases else []
        rules = sorted(index for index in fired if index < self._name)
        if not (mentions or hidden or rules or (fired and max(fired) > self._name)):
            return None
        is_plain = bool(fired) and max(fired) <= self._name and not (is_changing or hidden)
        if is_plain and len(data) == len(text):
            # Nearly all that is suspicious.
            return known(mentions, rules)
        return Suspicion(
            rules,
            mentions if len(text) == ends[0] else list(in_characters(data, mentions)),
            is_spelled=hidden or self._escape in fired,
            has_encoded=self._encoded in fired,
            has_structure=self._structure in fired,
            spellings=data[ends[0] + 1 :],
            is_plain=is_plain,
        )

    def _phrases(self, data: bytes, ends: list[int], most: int) -> tuple[list[Span], bool]:
        """The names as written, and whether there are more of them in another spelling."""
        if not (b"%" in data or b"&" in data or _JOINING.search(data, 0, ends[0])):
            # Each takes 0.3 µs in each spelling.
            data, ends = data[: ends[0]], ends[:1]
        return self._mentions.phrases(data, ends, most)


def _spelled(text: str, data: bytes) -> tuple[bytes, list[int]]:
    """The text and how it reads, spelling by spelling; and where each of them ends."""
    spellings = [data]
    plain = data
    if "%" in text and _QUOTES.search(data):
        spellings += _unquoted(plain)
        plain = spellings[-1]
    if b"&" in plain:
        unmarked = _without_entities(plain)
        if unmarked != plain:
            plain = unmarked
            spellings.append(plain)
    if b"\\" in plain:
        if plain is not data:
            spellings.append(_without_backslashes(data))
        spellings.append(_without_backslashes(plain))
    return b"\n".join(spellings), [*accumulate((len(each) + 1 for each in spellings), initial=-1)][
        1:
    ]


def _unquoted(data: bytes) -> list[bytes]:
    """The text with percent signs read, once and, where they are percent signs, again."""
    read = [_unquoted_once(data)]
    while b"%25" in data and len(read) < _QUOTED:
        data = read[-1]
        read.append(_unquoted_once(data))
    return read


def _unquoted_once(data: bytes) -> bytes:
    if _NO_QUOTE.search(data):
        return unquote_to_bytes(data)
    # Mail quotes in the same way but for the sign, and is read in C: 2 instead of 30 ns a byte.
    return binascii.a2b_qp(data.replace(b"=", b"%3D").replace(b"%", b"="))


def _without_entities(data: bytes) -> bytes:
    """The text with HTML's quotes read, however deep; letters as entities have a filter."""
    for _ in range(_QUOTED):
        if b"&amp;" not in data:
            break
        data = data.replace(b"&amp;", b"&")
    # One look for all takes as long as each of them would.
    if _ENTITY.search(data):
        for entity, sign in _ENTITIES:
            data = data.replace(entity, sign)
    return data


def _without_backslashes(data: bytes) -> bytes:
    """The text as if every escape were read, however deep; hexadecimal ones have a filter."""
    count = data.count(b"\\")
    is_rich = count * _RICH > len(data)
    if _BLANK.search(data):
        # The backslash goes with the others: replacing by as many bytes takes half the time.
        data = data.replace(b"\\n", b"\\\n")
        if is_rich or _OTHER_BLANK.search(data):
            data = data.replace(b"\\r", b"\\\r").replace(b"\\t", b"\\\t")
    # The second takes as long however many there are.
    return data.translate(None, b"\\") if is_rich else data.replace(b"\\", b"")
